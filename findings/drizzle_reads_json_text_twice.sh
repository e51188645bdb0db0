#!/bin/sh
# A telephone number that was stored as text comes back as a number.
#
# To expect: what is put into a column of type jsonb comes out as it was: a text is a text, whatever
#   it looks like.
# Seen (drizzle-orm 0.45.4 with pg 8.23.1 and postgres 3.4.9, and PostgreSQL 15.20, 2026-12): a text
#   that has come out of jsonb is read as JSON once more, where that can be done: "12025550142" is a
#   number, an order number of twenty digits is another one, rounded, "null" is null, and
#   {"a":1} as a text is an object. "0042" and "+12025550142" are no JSON and stay. What is stored
#   is right, in both drivers; texts inside objects and arrays are left alone.
# It matters where a value of any kind has a column of its own, such as what a caller answered or
#   what a metric found: a code entered by telephone is a text or a number by its first digit, a
#   caller who says "true" agrees, and what is written back is of another type.
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
"$bin/psql" -Xq -c 'CREATE TABLE answers (id int, answer jsonb)'
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    drizzle-orm@0.45.4 pg@8.23.1 postgres@3.4.9 >log 2>&1 ||
    { tail -n 3 log; echo 'SKIP: the packages cannot be had'; exit 77; }

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { Client } = require('pg');
const postgres = require('postgres');
const { asc } = require('drizzle-orm');
const { drizzle: byPg } = require('drizzle-orm/node-postgres');
const { drizzle: byPostgres } = require('drizzle-orm/postgres-js');
const { integer, jsonb, pgTable } = require('drizzle-orm/pg-core');
const answers = pgTable('answers', { id: integer(), answer: jsonb() });
const said = ['yes', '12025550142', '12345678901234567890', 'true', 'null', '{"a":1}', '0042',
    '+12025550142', ['12025550142']];
const client = new Client({ host: process.env.PGHOST });
const other = postgres({ path: `${process.env.PGHOST}/.s.PGSQL.5432`, max: 1 });
(async () => {
    await client.connect();
    const database = byPg(client);
    await database.insert(answers).values(said.map((answer, id) => ({ id, answer })));
    const { rows } = await client.query('SELECT answer FROM answers ORDER BY id');
    const plain = rows.map(({ answer }) => answer);
    check('by the driver', JSON.stringify(plain), JSON.stringify(said));
    const expected = '["yes",12025550142,12345678901234567000,true,null,{"a":1},"0042",'
        + '"+12025550142",["12025550142"]]';
    for (const [name, drizzle] of [['pg', database], ['postgres', byPostgres(other)]]) {
        const found = await drizzle.select().from(answers).orderBy(asc(answers.id));
        const read = JSON.stringify(found.map(({ answer }) => answer));
        check(`by Drizzle and ${name}`, read, expected);
    }
    await client.end();
    await other.end();
})();
EOF
