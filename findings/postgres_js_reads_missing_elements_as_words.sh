#!/bin/sh
# A driver reads what is missing from an array as a word.
#
# To expect: NULL among the elements of an array reaches the program as null, as NULL in a column
#   does, and as the same driver's parameters are written.
# Seen (postgres 3.4.9, the driver called postgres.js, and PostgreSQL 15.20, 2026-11): in an array
#   of text, NULL becomes the text "NULL", in one of integers NaN, in one of times an invalid date.
#   A null that is passed in arrives rightly as NULL, so that reading an array and writing it back
#   turns what was unknown into the word.
# It matters because what a call did not say (no intent of a turn, no time of a word) stands in
#   arrays with gaps: the count of "NULL" becomes the most frequent answer.
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
    postgres@3.4.9 >log 2>&1 ||
    { tail -n 3 log; echo 'SKIP: the packages cannot be had'; exit 77; }

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const postgres = require('postgres');
const sql = postgres({ path: `${process.env.PGHOST}/.s.PGSQL.5432`, max: 1 });
const shown = (value) => `${typeof value} ${String(value)}`;
(async () => {
    const [row] = await sql`
        SELECT ARRAY['refund', NULL] AS intents, ARRAY[250, NULL] AS ms, NULL::text AS alone,
               ARRAY['2026-01-09 09:00+00', NULL]::timestamptz[] AS times`;
    check('NULL in a column', shown(row.alone), 'object null');
    check('NULL among texts', shown(row.intents[1]), 'string NULL');
    check('NULL among integers', shown(row.ms[1]), 'number NaN');
    check('NULL among times', shown(row.times[1]), 'object Invalid Date');
    const [back] = await sql`
        SELECT array_position(${row.intents}::text[], NULL) AS missing,
               array_position(${['refund', null]}::text[], NULL) AS passed`;
    check('where NULL is in an array passed in', back.passed, '2');
    check('where NULL is in the one that was read', back.missing, 'null');
    await sql.end();
})();
EOF
