#!/bin/sh
# A time that is passed to the server as text is cut to milliseconds on the way.
#
# To expect: a text given for a parameter of type timestamptz is handed on, and the server reads it:
#   with its microseconds, and in the session's time zone when it names none.
# Seen (postgres 3.4.9, the driver called postgres.js, and PostgreSQL 15.20, 2026-11): the driver
#   makes a Date of JavaScript of it first, and text of that. Microseconds are gone. A time without
#   zone is taken in the time zone of the client's machine, whatever the session's is. As a text
#   that is cast in the statement, ::text::timestamptz, it arrives whole.
# It matters because a cursor that pages through calls by the time of the last one, which is a text
#   so as not to lose microseconds, arrives smaller than it was: ascending pages begin with the last
#   call of the page before, descending ones skip calls of that millisecond, and = finds nothing.
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

TZ=America/New_York timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const postgres = require('postgres');
const sql = postgres({
    path: `${process.env.PGHOST}/.s.PGSQL.5432`, max: 1, connection: { TimeZone: 'UTC' },
});
(async () => {
    const cursor = '2026-01-09 09:00:00.123456+00', local = '2026-01-09 09:00:00';
    const [row] = await sql`
        SELECT ${cursor}::timestamptz::text AS cut, ${cursor}::text::timestamptz::text AS whole,
               ${cursor}::timestamptz = ${cursor}::text::timestamptz AS same,
               ${local}::timestamptz::text AS moved, ${local}::text::timestamptz::text AS stayed`;
    check('passed as a time', row.cut, '2026-01-09 09:00:00.123+00');
    check('passed as a text', row.whole, '2026-01-09 09:00:00.123456+00');
    check('the two are equal', row.same, false);
    check('nine o\'clock in UTC, passed as a time', row.moved, '2026-01-09 14:00:00+00');
    check('nine o\'clock in UTC, passed as a text', row.stayed, '2026-01-09 09:00:00+00');
    await sql.end();
})();
EOF
