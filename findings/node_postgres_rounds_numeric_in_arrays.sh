#!/bin/sh
# Money is exact in a column, and rounded in an array.
#
# To expect: node-postgres gives numeric as text, since a number of JavaScript cannot hold it, and
#   gives the elements of an array of them in the same way, as it does with bigint.
# Seen (pg 8.23.1 and PostgreSQL 15.20, 2026-12): elements of numeric[] become numbers: what has
#   more than some sixteen digits is rounded without a word, while the same value beside it is
#   right. A parser that an application has set for numeric, to have a decimal type, is not asked
#   for arrays.
# It matters because array_agg(cost) is how costs of a call's parts are fetched with the call: sums
#   made of them are a few millionths off those that PostgreSQL makes, and code that got text from
#   every other query gets numbers from this one.
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

command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    pg@8.23.1 >log 2>&1 ||
    { tail -n 3 log; echo 'SKIP: the packages cannot be had'; exit 77; }

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { Client, types } = require('pg');
(async () => {
    const client = new Client();
    await client.connect();
    const prices = `SELECT 0.1234567890123456789 AS one, ARRAY[0.1234567890123456789] AS many,
                           9007199254740993 AS id, ARRAY[9007199254740993] AS ids`;
    const { rows: [row] } = await client.query(prices);
    check('bigint', row.id, '9007199254740993');
    check('array of bigint', row.ids[0], '9007199254740993');
    check('numeric', row.one, '0.1234567890123456789');
    check('array of numeric', row.many[0], 0.12345678901234568);
    types.setTypeParser(types.builtins.NUMERIC, (text) => `decimal ${text}`);
    const { rows: [parsed] } = await client.query(prices);
    check('numeric, with a parser', parsed.one, 'decimal 0.1234567890123456789');
    check('array of numeric, with it', parsed.many[0], 0.12345678901234568);
    const { rows: [sum] } = await client.query(`
        SELECT array_agg(cost) AS costs, sum(cost) FROM (VALUES (0.1), (0.2)) AS c (cost)`);
    check('the sum of 0.1 and 0.2', sum.sum, 'decimal 0.3');
    check('the same, of the array', sum.costs.reduce((a, b) => a + b), 0.30000000000000004);
    await client.end();
})();
EOF
