#!/bin/sh
# Repacking a table stops replication to a subscriber for good.
#
# To expect: pg_repack works on the quiet: the table has the same rows before and after, and a
#   subscriber of its changes has nothing to do.
# Seen (pg_repack 1.4.8 and PostgreSQL 15.20, 2026-12): the new copy of the table is a table like
#   any other, repack.table_OID, and a publication of ALL TABLES publishes it, row by row. The
#   subscriber has no such table, so its worker fails, starts anew and fails at the same place.
#   pg_repack has long succeeded, and its table is gone; what comes after it never arrives. A
#   publication of the tables of a schema is left alone.
# It matters because a table of calls is repacked when disk is short: from then on the copy for
#   analysis stands still, and the WAL that its slot keeps fills the disk. Other followers of such a
#   slot get every call once more, as a row of a table that nobody knows.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1
    postgresql-15-repack=1.4.8-1+deb12u1'
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
    "-c listen_addresses= -c unix_socket_directories=$tmp -c fsync=off -c wal_level=logical"
export PGHOST="$tmp" PGUSER=postgres PGDATABASE=postgres PGTZ=UTC
sql() { "$bin/psql" -XAtq -v ON_ERROR_STOP=1 "$@"; }
check() {
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "CHANGED: $1 was $3 when this was written" >&2; exit 1; }
}

sql -c 'CREATE DATABASE analysis'
# usage: follow PUBLICATION TABLE; both databases are on one server, so the slot is made beforehand
follow() {
    sql -c "SELECT 1 FROM pg_create_logical_replication_slot('$1', 'pgoutput')" >log
    sql -d analysis -c "CREATE TABLE $2 (id int PRIMARY KEY)" -c "CREATE SUBSCRIPTION $1
        CONNECTION 'host=$tmp user=postgres dbname=postgres' PUBLICATION $1
        WITH (create_slot = false, slot_name = '$1')"
}
# usage: arrived TABLE ROWS; whether so many rows are there within ten seconds
arrived() {
    n=0
    while [ "$(sql -d analysis -c "SELECT count(*) FROM $1")" -lt "$2" ]; do
        n=$((n + 1))
        [ "$n" -lt 100 ] || { echo no; return; }
        sleep 0.1
    done
    echo yes
}
repack() { "$bin/pg_repack" --dbname=postgres --table="$1" --echo >log 2>&1; }
sql >log <<'EOF'
CREATE EXTENSION pg_repack;
CREATE SCHEMA kept;
CREATE TABLE kept.turns (id int PRIMARY KEY);
CREATE TABLE calls (id int PRIMARY KEY);
INSERT INTO calls SELECT generate_series(1, 100);
INSERT INTO kept.turns SELECT generate_series(1, 100);
CREATE PUBLICATION kept FOR TABLES IN SCHEMA kept;
EOF
sql -d analysis -c 'CREATE SCHEMA kept'
follow kept kept.turns
check 'the first rows of a schema' "$(arrived kept.turns 100)" yes
repack kept.turns
sql -c 'INSERT INTO kept.turns VALUES (101)'
check 'the next one after pg_repack' "$(arrived kept.turns 101)" yes

sql -c 'CREATE PUBLICATION every FOR ALL TABLES'
sql -d analysis -c 'ALTER SUBSCRIPTION kept DISABLE' -c 'DROP TABLE kept.turns' \
    -c 'CREATE TABLE kept.turns (id int PRIMARY KEY)'
follow every calls
check 'the first rows of all tables' "$(arrived calls 100)" yes
repack calls
sql -c 'INSERT INTO calls VALUES (101)'
check 'the next one after pg_repack' "$(arrived calls 101)" no
grep -o 'target relation "repack.table_[0-9]*" does not exist' server.log | sort -u
