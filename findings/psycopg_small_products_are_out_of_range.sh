#!/bin/sh
# 300 times 300 is out of range.
#
# To expect: an int of Python is an integer of PostgreSQL, as a literal in the statement is, so that
#   two of them can be multiplied; what overflows does so for large numbers.
# Seen (psycopg 3.1.7 and PostgreSQL 15.20, 2026-12): each number is sent as the smallest type that
#   holds it. "SELECT %s * %s" with 300 and 300 is smallint times smallint and fails, 22003; with
#   100 and 200 it is well, and so it is with 300 and 40000, for one of them is an integer. A factor
#   beside a column of type integer is well, and so is psycopg2, which writes literals.
# It matters for lengths and prices that a statement works out of its parameters (minutes * 60,
#   units * cents): tests use small numbers, and the first call of ten minutes fails. A cast,
#   %s::int, helps.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1
    python3-psycopg=3.1.7-4 python3-typing-extensions=4.4.0-1'
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
import sys
try:
    import psycopg
except ImportError as error:
    print("SKIP:", error)
    sys.exit(77)
def check(what, seen, expected):
    print(f"{what}: {seen}")
    if seen != expected:
        sys.exit(f"CHANGED: {what} was {expected} when this was written")
connection = psycopg.connect(autocommit=True)
def product(a, b, statement="SELECT %s * %s"):
    try:
        return connection.execute(statement, (a, b)).fetchone()[0]
    except psycopg.Error as error:
        return error.sqlstate
check("100 * 200", product(100, 200), 20000)
check("300 * 300", product(300, 300), "22003")
check("300 * 40000", product(300, 40000), 12000000)
check("600 * 60 as seconds of an interval",
      product(600, 60, "SELECT make_interval(secs => %s * %s)"), "22003")
check("300 * 300, with a cast", product(300, 300, "SELECT %s::int * %s"), 90000)
EOF
