#!/bin/sh
# A load that left rows out has succeeded.
#
# To expect: a loader that cannot load some rows of a file says so by its exit status, as psql does
#   with ON_ERROR_STOP and pg_restore with errors that it has ignored.
# Seen (pgloader 3.6.9 in Debian, which calls itself 3.6.7, and PostgreSQL 15.20, 2026-12): of four
#   calls one violates a constraint. Three are loaded, and the status is 0. The summary has the
#   error, as two of them, and goes to standard output; the row is in a file under /tmp. When every
#   single row was rejected, the status is still 0.
# It matters for histories of calls that come from elsewhere by a script: `pgloader ... && rm`
#   removes what was never loaded, and the job is green with an empty table.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1
    pgloader=3.6.9-1'
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

pgloader=$tmp/root/usr/bin/pgloader
"$pgloader" --version >log 2>&1 || { echo 'SKIP: pgloader needs libraries not here'; exit 77; }
sql -c 'CREATE TABLE calls (id int, seconds int CHECK (seconds >= 0))'
# usage: load ROW...; the status of loading these, and how many rows there are
load() {
    sql -c 'TRUNCATE calls'
    printf '%s\n' "$@" >calls.csv
    cat >calls.load <<EOF
LOAD CSV FROM '$tmp/calls.csv' (id, seconds)
    INTO postgresql://postgres@unix:$tmp:5432/postgres?tablename=calls (id, seconds)
    WITH fields terminated by ',';
EOF
    status=0
    "$pgloader" --root-dir "$tmp/rejected" calls.load >summary 2>&1 || status=$?
    echo "status $status, $(sql -c 'SELECT count(*) FROM calls') rows"
}
check 'one call of four rejected' "$(load 1,10 2,20 3,-5 4,40)" 'status 0, 3 rows'
check 'all calls rejected' "$(load 1,-10 2,-20)" 'status 0, 0 rows'
