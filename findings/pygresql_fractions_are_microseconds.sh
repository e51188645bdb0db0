#!/bin/sh
# An answer that took a quarter of a second took 25 microseconds.
#
# To expect: a driver reads the text 00:00:00.25 that the server writes as a quarter of a second.
# Seen (PyGreSQL 5.1.2, compared with psycopg2 2.9.5, PostgreSQL 15.20, 2026-12): the digits behind
#   the point are read as a number of microseconds. The server writes no zeros at the end, so that
#   .25 is 25 microseconds and .5 is 5, and half a second is less than a quarter of one. With all
#   six digits it is right, as 00:00:00.250001 is, and so are whole seconds. The same goes for
#   intervals in the style of ISO 8601, and for both modules, pg and pgdb.
# It matters because latencies are fractions of a second, mostly in whole milliseconds, of three
#   digits: each is a thousandth of what it was, or less, and of two the other one may be the
#   larger. Tests with whole seconds pass.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1
    python3-pygresql=1:5.1.2-2+b2 python3-psycopg2=2.9.5-1+b1'
command -v apt-get >/dev/null || { echo 'SKIP: needs the packages of Debian 12'; exit 77; }
[ "$(id -u)" != 0 ] || id postgres >/dev/null || { echo 'SKIP: no user postgres'; exit 77; }
tmp=$(mktemp -d)
bin=$tmp/root/usr/lib/postgresql/15/bin
# The server will not run as root.
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
finish() {
    [ ! -e "$tmp/data/postmaster.pid" ] || as "$bin/pg_ctl" -D "$tmp/data" -m immediate -s stop
    rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"
# shellcheck disable=SC2086 # a list
apt-get download $packages >log 2>&1 || { tail -n 1 log; echo 'SKIP: a version is gone'; exit 77; }
for package in *.deb; do dpkg -x "$package" root; done
"$bin/postgres" --version || { echo 'SKIP: the server needs libraries that are not here'; exit 77; }
chmod 755 .
[ "$(id -u)" != 0 ] || chown postgres .
as "$bin/initdb" -D "$tmp/data" -U postgres -A trust -E UTF8 --no-locale -N >log 2>&1
as "$bin/pg_ctl" -D "$tmp/data" -l "$tmp/server.log" -s -w start -o \
    "-c listen_addresses= -c unix_socket_directories=$tmp -c fsync=off"
export PGHOST="$tmp" PGUSER=postgres PGDATABASE=postgres PGTZ=UTC
command -v python3 >/dev/null || { echo 'SKIP: needs python3'; exit 77; }

PYTHONPATH="$tmp/root/usr/lib/python3/dist-packages" python3 - <<'EOF'
import os
import sys
try:
    import pg
    import pgdb
    import psycopg2
except ImportError as error:
    print("SKIP:", error)
    sys.exit(77)
def check(what, seen, expected):
    print(f"{what}: {seen}")
    if seen != expected:
        sys.exit(f"CHANGED: {what} was {expected} when this was written")
classic = pg.DB()
modern = pgdb.connect(host=os.environ["PGHOST"])
other = psycopg2.connect("")
def fetch(connection, query):
    cursor = connection.cursor()
    cursor.execute(query)
    return cursor.fetchone()[0]
def seconds(interval, style="postgres"):
    query = f"SELECT interval '{interval}'"
    classic.query(f"SET IntervalStyle = {style}")
    values = [classic.query(query).getresult()[0][0], fetch(modern, query), fetch(other, query)]
    return " ".join(f"{value.total_seconds():.6f}" for value in values)
print("by pg, pgdb and psycopg2:")
check("0.25 seconds", seconds("0.25 seconds"), "0.000025 0.000025 0.250000")
check("0.5 seconds", seconds("0.5 seconds"), "0.000005 0.000005 0.500000")
check("1.204 seconds", seconds("1.204 seconds"), "1.000204 1.000204 1.204000")
check("-0.25 seconds", seconds("-0.25 seconds"), "-0.000025 -0.000025 -0.250000")
check("0.250001 seconds", seconds("0.250001 seconds"), "0.250001 0.250001 0.250001")
check("84 seconds", seconds("84 seconds"), "84.000000 84.000000 84.000000")
check("in the style of ISO 8601", seconds("0.25 seconds", "iso_8601"),
      "0.000025 0.000025 0.250000")
EOF
