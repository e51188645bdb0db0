#!/bin/sh
# One row with a wrong date stops the partitions of every table.
#
# To expect: pg_partman makes the next partitions of each table that it keeps. A row dated ahead of
#   them waits in the default partition, and costs that table something at most.
# Seen (pg_partman 4.7.2 and PostgreSQL 15.20, 2026-12): maintenance goes by the latest row, wants
#   to make the partition of that day, which cannot be attached while the default partition has a
#   row of it, and raises an error. run_maintenance() is one transaction for all tables, so none of
#   them gets its next partitions, today or on any later day; run_maintenance_proc() leaves out
#   those whose turn comes later. Once the row is gone from the default partition, both go on.
# It matters because times of calls are those of other people's clocks: one call of next month, and
#   days later the rows of all tables go into default partitions, which retention never drops.
#   Inserting never fails, so nobody is told but who reads the log of the maintenance.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1
    postgresql-15-partman=4.7.2-1'
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

sql >log 2>&1 <<'EOF'
CREATE SCHEMA partman;
CREATE EXTENSION pg_partman SCHEMA partman;
CREATE TABLE calls (at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE turns (at timestamptz NOT NULL) PARTITION BY RANGE (at);
SELECT partman.create_parent('public.calls', 'at', 'native', 'daily', p_premake => 2);
SELECT partman.create_parent('public.turns', 'at', 'native', 'daily', p_premake => 2);
EOF
# A call and a turn on the last day that there is a partition for: it is time for the next ones.
last="date_trunc('day', now()) + interval '2 days 1 hour'"
sql -c "INSERT INTO calls VALUES ($last)" -c "INSERT INTO turns VALUES ($last)"
# usage: partitions TABLE
partitions() { sql -c "SELECT count(*) FROM pg_inherits WHERE inhparent = '$1'::regclass"; }
maintain() { sql -c 'SELECT partman.run_maintenance()' >log 2>&1 && echo well || echo failed; }
before=$(partitions turns)
sql -c "INSERT INTO calls VALUES (now() + interval '30 days')"
check 'maintenance with a call of next month' "$(maintain)" failed
grep -m 1 -o 'updated partition constraint for default partition "[a-z_]*"' log
check 'new partitions of the other table' "$(($(partitions turns) - before))" 0
sql -c "DELETE FROM calls WHERE at > now() + interval '20 days'"
check 'maintenance without that call' "$(maintain)" well
check 'new partitions of the other table' "$(($(partitions turns) - before))" 2
