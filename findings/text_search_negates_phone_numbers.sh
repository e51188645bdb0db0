#!/bin/sh
# A telephone number in a transcript is a sum of negative numbers.
#
# To expect: full text search finds a telephone number, or an order number, by the groups of digits
#   that it was said in.
# Seen (PostgreSQL 15.20, 2026-11): the default parser takes a hyphen before digits for a sign, so
#   that 202-555-0142 is the words 202, -555 and -0142. It is found by the same number with the same
#   hyphens alone: not with spaces, not by its last four digits, not without the area code. So is
#   order A-1042, of which "1042" does not exist. Numbers written with spaces are whole words.
# It matters because transcribers write the same spoken number with hyphens, with spaces or without
#   either, from one turn to the next, and numbers are what people look for in old calls.
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

# usage: found TEXT QUERY
found() {
    sql -v said="$1" -v query="$2" <<'EOF'
SELECT to_tsvector('simple', :'said') @@ websearch_to_tsquery('simple', :'query');
EOF
}
words=$(sql -c "SELECT string_agg(lexeme, ' ' ORDER BY positions[1])
                FROM unnest(to_tsvector('simple', 'It is 202-555-0142.'))")
check 'words' "$words" 'it is 202 -555 -0142'
check 'as it was written' "$(found 'It is 202-555-0142.' 202-555-0142)" t
check 'with spaces' "$(found 'It is 202-555-0142.' '202 555 0142')" f
check 'the last four digits' "$(found 'It is 202-555-0142.' 0142)" f
check 'without the area code' "$(found 'It is 202-555-0142.' 555-0142)" f
check 'written with spaces, the last four digits' "$(found 'It is 202 555 0142.' 0142)" t
check 'order number' "$(found 'Order A-1042, please.' 1042)" f
