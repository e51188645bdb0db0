#!/bin/sh
# A minor update of the server turns followers of its changes away.
#
# To expect: between minor releases nothing has to be configured; a change feed that reads with the
#   output plugin wal2json goes on after apt-get upgrade as before.
# Seen (PostgreSQL 15.20 with wal2json 2.5, 2026-11): creating a slot with the plugin is refused
#   with a hint, though the plugin is installed and whoever asks is a superuser: a setting that
#   arrived in 15.19, output_plugin_libraries, names those allowed, and by default only the server's
#   own. Slots that exist already are refused at reading, and so keep the WAL from then on. With the
#   plugin in the setting both work again. The release notes tell; the upgrade does not ask.
# It matters because real-time copies of calls stop with a security update that nobody expects to
#   need a test, and the disk fills behind a slot that its reader cannot read.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1
    postgresql-15-wal2json=2.5-1+b1'
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

state() { sql -v VERBOSITY=sqlstate "$@" 2>&1 >"$tmp/log" | sed 's/.*ERROR: *//'; }
allow() { sql -c "ALTER SYSTEM $1" -c 'SELECT pg_reload_conf(), pg_sleep(1)' >"$tmp/log"; }
make="SELECT pg_create_logical_replication_slot('feed', 'wal2json')"
peek="SELECT count(*) FROM pg_logical_slot_peek_changes('feed', NULL, NULL)"

check 'allowed' "$(sql -c 'SHOW output_plugin_libraries')" 'pgoutput, test_decoding'
check 'a new slot' "$(state -c "$make")" 42501
allow 'SET output_plugin_libraries = pgoutput, test_decoding, wal2json'
check 'a new slot, plugin allowed' "$(state -c "$make")" ''
sql -c 'CREATE TABLE calls (id integer)' -c 'INSERT INTO calls VALUES (81)'
check 'changes to read, plugin allowed' "$(sql -c "$peek" | grep -c '[1-9]')" 1
allow 'RESET output_plugin_libraries'
check 'reading the slot that is there' "$(state -c "$peek")" 42501
