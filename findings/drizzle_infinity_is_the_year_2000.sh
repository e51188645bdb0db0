#!/bin/sh
# A hold without an end has ended in the year 2000.
#
# To expect: 'infinity' in a column of type timestamp is no time of JavaScript: a query builder
#   gives what its driver gives, Infinity, or an invalid date, as for a timestamptz.
# Seen (drizzle-orm 0.45.4 with pg 8.23.1, the driver node-postgres, and PostgreSQL 15.20, 2026-12):
#   its timestamp columns are dates by default, and made of the text with "+0000" behind it.
#   JavaScript reads "infinity+0000" as the first of January 2000, in the time zone of the machine,
#   and "-infinity+0000" too: a valid date, from either end of time. The driver alone gives
#   Infinity. Of a timestamptz Drizzle makes an invalid date; other times are right.
# It matters because infinity is how one says "never" in a column that must not be null: holds,
#   keys and consents without an end have run out long ago, sort before all others, and a job that
#   deletes what is over deletes them first.
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
"$bin/psql" -Xq -c "
    CREATE TABLE holds (id int, until timestamp, zoned timestamptz);
    INSERT INTO holds VALUES (1, '2026-01-09 09:00', '2026-01-09 09:00'),
        (2, 'infinity', 'infinity'), (3, '-infinity', '-infinity')"
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    drizzle-orm@0.45.4 pg@8.23.1 >log 2>&1 ||
    { tail -n 3 log; echo 'SKIP: the packages cannot be had'; exit 77; }

TZ=UTC timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { Client } = require('pg');
const { drizzle } = require('drizzle-orm/node-postgres');
const { integer, pgTable, timestamp } = require('drizzle-orm/pg-core');
const holds = pgTable('holds', {
    id: integer(), until: timestamp(), zoned: timestamp({ withTimezone: true }),
});
const client = new Client({ host: process.env.PGHOST });
(async () => {
    await client.connect();
    const { rows } = await client.query('SELECT until FROM holds ORDER BY id');
    check('by the driver', rows.slice(1).map(({ until }) => until), 'Infinity,-Infinity');
    const [some, never, always] = await drizzle(client).select().from(holds).orderBy(holds.id);
    check('a time', some.until.toISOString(), '2026-01-09T09:00:00.000Z');
    check('infinity', never.until.toISOString(), '2000-01-01T00:00:00.000Z');
    check('-infinity', always.until.toISOString(), '2000-01-01T00:00:00.000Z');
    check('infinity, with time zone', never.zoned, 'Invalid Date');
    check('those that are over', [some, never].filter(({ until }) => until < new Date(2026, 0))
        .map(({ id }) => id), 2);
    await client.end();
})();
EOF
