#!/bin/sh
# pg_dump of a partitioned table dumps no row of it.
#
# To expect: pg_dump --table=calls of a table that is partitioned by month dumps the calls, as
#   SELECT, COPY (SELECT) and TRUNCATE of its name mean the partitions too.
# Seen (PostgreSQL 15.20, 2026-11): the dump has the empty parent and neither the partitions nor
#   their rows. There is no warning, and the exit status is 0. With --data-only the dump has no
#   statement at all. The same of a whole schema is complete. PostgreSQL 16 has got an option,
#   --table-and-children, for what one would have guessed; --table has remained as it was.
# It matters because calls are what gets partitioned, and "just that table" is what one dumps before
#   a risky change: the copy restores without an error, into nothing.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1'
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

sql <<'EOF'
CREATE TABLE calls (id integer, started_at timestamptz) PARTITION BY RANGE (started_at);
CREATE TABLE calls_2026_01 PARTITION OF calls FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO calls SELECT n, '2026-01-09' FROM generate_series(1, 250) AS n;
EOF
check 'rows' "$(sql -c 'SELECT count(*) FROM calls')" 250
"$bin/pg_dump" --table=calls >"$tmp/table.sql" 2>"$tmp/warnings"
check 'bytes of warnings' "$(wc -c <"$tmp/warnings")" 0
"$bin/pg_dump" --schema=public >"$tmp/schema.sql"
"$bin/createdb" restored
"$bin/psql" -XAtq -d restored -v ON_ERROR_STOP=1 -f "$tmp/table.sql" >"$tmp/log"
check 'rows restored of the table' "$(sql -d restored -c 'SELECT count(*) FROM calls')" 0
check 'statements with rows, --data-only' \
    "$("$bin/pg_dump" --data-only --table=calls | grep -cE '^(COPY|INSERT)')" 0
check 'rows in a dump of the schema' "$(grep -c '2026-01-09' "$tmp/schema.sql")" 250
