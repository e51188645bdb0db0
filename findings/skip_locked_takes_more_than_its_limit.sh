#!/bin/sh
# Who asks for one job gets all of them.
#
# To expect: DELETE ... WHERE id IN (SELECT id ... LIMIT 1 FOR UPDATE SKIP LOCKED), the usual way to
#   take a job from a table, takes one job.
# Seen (PostgreSQL 15.20, 2026-12): when the statistics say that the table has one row, as after
#   ANALYZE in a quiet hour, the plan reads the table in an outer loop and executes the subquery
#   anew for each of its rows. What this very statement has taken already counts as locked, so each
#   time it is the next one: all 41 jobs go, to one worker. UPDATE with an index that finds waiting
#   jobs does the same after thousands of others were done. With "=" in place of IN, or with = ANY
#   (ARRAY(SELECT ...)), the subquery is executed once. The settings are those of the server.
# It matters for every queue in a table: no test shows it, for it takes statistics of a moment and
#   the load of another one; then one worker has all calls and dies with them.
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

sql >log <<'EOF'
CREATE TABLE jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text);
INSERT INTO jobs (state) VALUES ('ready');
ANALYZE jobs;
INSERT INTO jobs (state) SELECT 'ready' FROM generate_series(1, 40);
EOF
first='SELECT id FROM jobs ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED'
# usage: taken STATEMENT; how many rows it takes
taken() { sql -c BEGIN -c "WITH t AS ($1 RETURNING 1) SELECT count(*) FROM t" -c ROLLBACK; }
check 'jobs' "$(sql -c 'SELECT count(*) FROM jobs')" 41
check 'taken with IN' "$(taken "DELETE FROM jobs WHERE id IN ($first)")" 41
check 'taken with =' "$(taken "DELETE FROM jobs WHERE id = ($first)")" 1
check 'taken with = ANY' "$(taken "DELETE FROM jobs WHERE id = ANY (ARRAY($first))")" 1
sql >log <<'EOF'
TRUNCATE jobs;
INSERT INTO jobs (state) SELECT 'done' FROM generate_series(1, 10000);
CREATE INDEX ON jobs (state, id);
ANALYZE jobs;
INSERT INTO jobs (state) SELECT 'ready' FROM generate_series(1, 20);
EOF
ready="state = 'ready'"
first="SELECT id FROM jobs WHERE $ready ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
check 'taken by UPDATE with IN' \
    "$(taken "UPDATE jobs SET state = 'taken' WHERE $ready AND id IN ($first)")" 20
sql -c 'ANALYZE jobs'
check 'after ANALYZE' "$(taken "UPDATE jobs SET state = 'taken' WHERE $ready AND id IN ($first)")" 1
