#!/bin/sh
# PostgreSQL and JavaScript write a negative duration in ways that the other one refuses.
#
# To expect: both sides speak ISO 8601, so what PostgreSQL writes with IntervalStyle iso_8601 is
#   read by Temporal and by the packages for such durations, and what those write by PostgreSQL.
# Seen (PostgreSQL 15.20, temporal-polyfill 1.0.8, luxon 3.7.2, iso8601-duration 2.1.4 and
#   parse-duration 2.1.9, 2026-11): PostgreSQL puts the sign before each number (PT-1M-30.5S), and
#   refuses one in front of the P. Temporal puts it in front (-PT1M30.5S), and refuses it inside.
#   luxon writes and reads the form of PostgreSQL. iso8601-duration refuses that form, and reads
#   the other one as a positive duration. parse-duration ignores the inner signs.
# It matters because answering times are negative when somebody is interrupted: an exchange that
#   has worked with every test fails, or loses the sign, with the first caller who speaks too soon.
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
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    temporal-polyfill@1.0.8 luxon@3.7.2 iso8601-duration@2.1.4 parse-duration@2.1.9 >log 2>&1 ||
    { tail -n 3 log; echo 'SKIP: the packages cannot be had'; exit 77; }

cat >read.mjs <<'EOF'
import { Temporal } from 'temporal-polyfill';
import { Duration } from 'luxon';
import iso from 'iso8601-duration';
import parseDuration from 'parse-duration';
const text = process.argv[3];
const readers = {
    temporal: () => Temporal.Duration.from(text).total('seconds'),
    luxon: () => Duration.fromISO(text).as('seconds'),
    iso: () => iso.toSeconds(iso.parse(text)),
    parse: () => parseDuration(text) / 1000,
    write: () => Temporal.Duration.from({ minutes: -1, seconds: -30, milliseconds: -500 }),
};
try { console.log(String(readers[process.argv[2]]())); } catch { console.log('refused'); }
EOF
read_as() { timeout 20 node read.mjs "$1" "$2"; }
server() {
    sql -v ON_ERROR_STOP=0 -v said="$1" 2>log <<'EOF' || true
SELECT extract(epoch FROM :'said'::interval)::float8;
EOF
    [ ! -s log ] || echo refused
}
inside=$(sql -c 'SET IntervalStyle = iso_8601' -c "SELECT interval '-1 minute -30.5 seconds'")
check 'PostgreSQL writes' "$inside" PT-1M-30.5S
front=$(read_as write '')
check 'Temporal writes' "$front" -PT1M30.5S
check "PostgreSQL reads $inside" "$(server "$inside")" -90.5
check "PostgreSQL reads $front" "$(server "$front")" refused
check "Temporal reads $inside" "$(read_as temporal "$inside")" refused
check "Temporal reads $front" "$(read_as temporal "$front")" -90.5
check "luxon reads $inside" "$(read_as luxon "$inside")" -90.5
check "iso8601-duration reads $inside" "$(read_as iso "$inside")" refused
check "iso8601-duration reads $front" "$(read_as iso "$front")" 90.5
check "parse-duration reads $inside" "$(read_as parse "$inside")" 90.5
