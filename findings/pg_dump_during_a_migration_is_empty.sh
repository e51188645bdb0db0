#!/bin/sh
# A dump that waits for a migration has the table, and none of its rows.
#
# To expect: pg_dump is one consistent view of the database. When a migration holds a table, it
#   waits for it, and then has the rows as they were before or as they are after.
# Seen (PostgreSQL 15.20, 2026-12): pg_dump takes its snapshot first and its locks afterwards. Where
#   ALTER TABLE ... TYPE has rewritten the table between the two, the new rows are too young for the
#   snapshot and the old ones are gone: COPY has not a line, and the exit status is 0, without a
#   warning. The table is in the dump as it was before. So it goes with TRUNCATE and loading anew; a
#   change that rewrites nothing, such as a column without a default, does no harm. The manual warns
#   of such commands under concurrency, and not under pg_dump.
# It matters because the nightly dump and the migration at night meet, and the dump "before major
#   changes" is started in a hurry beside them: of all tables it is the one just changed that cannot
#   be restored. With --lock-wait-timeout the dump fails instead.
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

sql -c 'CREATE TABLE calls AS SELECT n AS id, n AS seconds FROM generate_series(1, 1000) AS n'
# usage: dump CHANGE [OPTION...]; a dump that meets this change, which goes on once it is waited for
dump() {
    change=$1
    shift
    sql >log 2>&1 <<EOF &
BEGIN;
$change;
DO \$\$ BEGIN
    FOR n IN 1 .. 200 LOOP
        EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE relation = 'calls'::regclass AND NOT granted);
        PERFORM pg_sleep(0.1);
    END LOOP;
    PERFORM pg_sleep(1);
END \$\$;
COMMIT;
EOF
    held="SELECT count(*) FROM pg_locks
          WHERE relation = 'calls'::regclass AND mode = 'AccessExclusiveLock' AND granted"
    n=0
    while [ "$(sql -c "$held")" = 0 ] && [ "$n" -lt 100 ]; do n=$((n + 1)); sleep 0.1; done
    status=0
    "$bin/pg_dump" --data-only "$@" --file=dump.sql 2>errors || status=$?
    wait
    echo "$(grep -cE '^[0-9]' dump.sql) rows, status $status, $(wc -l <errors) messages"
}
check 'while a column is added' "$(dump 'ALTER TABLE calls ADD agent text')" \
    '1000 rows, status 0, 0 messages'
check 'while a column gets another type' "$(dump 'ALTER TABLE calls ALTER seconds TYPE bigint')" \
    '0 rows, status 0, 0 messages'
check 'rows that are there' "$(sql -c 'SELECT count(*) FROM calls')" 1000
check 'the same with a limit on waiting' \
    "$(dump 'ALTER TABLE calls ALTER seconds TYPE integer' --lock-wait-timeout=500 |
       sed 's/.*status/status/; s/,.*//')" 'status 1'
