#!/bin/sh
# A dump of percentile sketches loses all that is small.
#
# To expect: a column of type tdigest comes back from pg_dump and psql as it was: the text form of
#   a value reads back as that value, as with every type of the server's own.
# Seen (tdigest 1.4.0 and PostgreSQL 15.20, 2026-11): the text form has six decimals and no
#   exponent. A sketch of prices of 0.1 to 0.4 per million tokens, kept per token, has a median
#   before the dump, and 0 after the restore; one of latencies in seconds is off behind the sixth
#   decimal. The binary form, COPY ... WITH (FORMAT binary), keeps all of it.
# It matters because sketches are kept instead of the calls that they were made of: what the restore
#   has lost cannot be computed again. Kept in micro-units the loss does not show.
set -eu
packages='postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1
    postgresql-15-tdigest=1.4.0-2+b1'
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

sql <<'EOF'
CREATE EXTENSION tdigest;
CREATE TABLE prices (sketch tdigest);
INSERT INTO prices SELECT tdigest(n / 1e7, 100) FROM generate_series(1, 4) AS n;
EOF
median='SELECT round(tdigest_percentile(sketch, 0.5)::numeric * 1e9) FROM prices'
check 'median in billionths' "$(sql -c "$median")" 250
"$bin/createdb" restored
"$bin/pg_dump" --file="$tmp/dump.sql"
sql -d restored -f "$tmp/dump.sql" >"$tmp/log"
check 'median after dump and restore' "$(sql -d restored -c "$median")" 0
sql -d restored -c 'TRUNCATE prices'
sql -c 'COPY prices TO STDOUT WITH (FORMAT binary)' >"$tmp/binary"
sql -d restored -c 'COPY prices FROM STDIN WITH (FORMAT binary)' <"$tmp/binary"
check 'median after binary COPY' "$(sql -d restored -c "$median")" 250
