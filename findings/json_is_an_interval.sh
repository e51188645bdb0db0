#!/bin/sh
# Two hours and thirty minutes are two minutes and thirty seconds when they come as JSON.
#
# To expect: {"hours": 2, "minutes": 30} is no interval, and the server says so; or, since
#   node-postgres reads intervals as such objects, it is that interval.
# Seen (PostgreSQL 15.20 and pg 8.23.1, the driver node-postgres, 2026-12): braces, quotes, colons
#   and commas between words are passed over, and a number takes the unit behind it, so that each
#   has the unit of the next one: {"hours":2,"minutes":30} is 00:02:30. The last number has none,
#   and is one of seconds: five in {"minutes":5}, 250 in {"milliseconds":250}. Only after another
#   part, seconds are refused, for there would be two numbers of them. The driver writes an object
#   as JSON. One that it has read knows how to write itself; a copy of it, or what has been JSON on
#   the way, does not. And 2:30:00 is read as just this object.
# It matters because a duration that an API got from the database comes back to it as JSON: limits
#   of an hour and a half become a minute and a half, retention for 7 days becomes 7 seconds, valid
#   values all of them, and nothing fails.
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
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    pg@8.23.1 >log 2>&1 ||
    { tail -n 3 log; echo 'SKIP: the packages cannot be had'; exit 77; }
check() {
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "CHANGED: $1 was $3 when this was written" >&2; exit 1; }
}
taken() { sql -c "SELECT '$1'::interval" 2>/dev/null || echo refused; }
check '{"hours":2,"minutes":30}' "$(taken '{"hours":2,"minutes":30}')" 00:02:30
check '{"minutes":5}' "$(taken '{"minutes":5}')" 00:00:05
check '{"milliseconds":250}' "$(taken '{"milliseconds":250}')" 00:04:10
check '{"days":7}' "$(taken '{"days":7}')" 00:00:07
check '{"days":1,"hours":2,"minutes":30}' "$(taken '{"days":1,"hours":2,"minutes":30}')" 01:02:30
check '{"minutes":2,"seconds":30}' "$(taken '{"minutes":2,"seconds":30}')" refused

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { Client } = require('pg');
const client = new Client({ host: process.env.PGHOST });
(async () => {
    await client.connect();
    const query = async (text, ...values) => (await client.query(text, values)).rows[0].value;
    const written = (value) => query('SELECT $1::interval::text AS value', value);
    const read = await query("SELECT interval '2:30:00' AS value");
    check('2:30:00 is read as', JSON.stringify(read), '{"hours":2,"minutes":30}');
    check('written as it was read', await written(read), '02:30:00');
    check('written as a copy', await written({ ...read }), '00:02:30');
    await client.end();
})();
EOF
