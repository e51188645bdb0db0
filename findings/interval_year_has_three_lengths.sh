#!/bin/sh
# A year is 360 days, 365 days or 365 days and six hours, depending on who is asked.
#
# To expect: two intervals that are equal have the same number of seconds; and a driver gives an
#   interval the length that the server gives it.
# Seen (PostgreSQL 15.20, psycopg2 2.9.5, 2026-11): to compare, sort, group and keep unique, a month
#   has 30 days and a year twelve of those. To extract the epoch, a year has 365.25 days. So one
#   year equals 360 days, and has 453,600 seconds more. GROUP BY makes one group of both, and a
#   unique index holds only one of them. psycopg2 makes 365 days of a year, 30 of a month.
#   The server's part is documented, in three places.
# It matters for limits of retention and for prices per period that are kept as intervals: "longer
#   than a year" is true from the 361st day where intervals are compared, from the 366th in Python,
#   and later still where seconds are.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1
    python3-psycopg2=2.9.5-1+b1'
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
sql() { "$bin/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }
check() {
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "CHANGED: $1 was $3 when this was written" >&2; exit 1; }
}

check 'one year = 360 days' "$(sql -c "SELECT interval '1 year' = interval '360 days'")" t
check 'one year > 361 days' "$(sql -c "SELECT interval '1 year' > interval '361 days'")" f
check 'days of its epoch' \
    "$(sql -c "SELECT round(extract(epoch FROM interval '1 year') / 86400, 2)")" 365.25
check 'groups' "$(sql -c "SELECT count(DISTINCT length) FROM (VALUES (interval '1 year'),
                          (interval '360 days'), (interval '12 months')) AS v (length)")" 1
sql -c 'CREATE TABLE periods (length interval UNIQUE)' \
    -c "INSERT INTO periods VALUES ('1 year'), ('360 days') ON CONFLICT DO NOTHING"
check 'kept by a unique index' "$(sql -c 'SELECT string_agg(length::text, $$, $$) FROM periods')" \
    '1 year'

days=$(PYTHONPATH="$tmp/root/usr/lib/python3/dist-packages" /usr/bin/python3 - <<'EOF'
import psycopg2
cursor = psycopg2.connect('').cursor()
cursor.execute("SELECT interval '1 year', interval '1 month'")
print(*(length.total_seconds() / 86400 for length in cursor.fetchone()))
EOF
) || { echo 'SKIP: needs the python3 of Debian 12'; exit 77; }
check 'days of a year and of a month in Python' "$days" '365.0 30.0'
