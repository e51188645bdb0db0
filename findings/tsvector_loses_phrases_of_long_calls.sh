#!/bin/sh
# In a long call, phrases are found only while their words are still rare.
#
# To expect: a phrase that a text contains is found in its tsvector, wherever it stands; there are
#   limits in the documentation for the length of a word and for the position of the last one.
# Seen (PostgreSQL 15.20, 2026-11): a tsvector keeps 255 positions of each word. "thank you" at the
#   end of a call is not found by the phrase when "you" was said 255 times before, though both words
#   are there, and without a notice. The second limit is the better known one: all words after the
#   16,383rd have that same position, and no phrase among them matches, not even its own words.
#   Both limits are documented; that they make phrases disappear is left to the reader.
# It matters because an hour of speech has "you" or "the" 255 times, which the configuration
#   "simple" keeps: whoever looks for what was promised at the end of a long call finds nothing, and
#   the same phrase in a shorter call is found.
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

# usage: found TIMES QUERY: is it found after so many times of "as you see"?
found() {
    sql -v times="$1" -v query="$2" <<'EOF'
SELECT to_tsvector('simple', repeat('as you see ', :times) || 'so thank you for the refund offer')
       @@ websearch_to_tsquery('simple', :'query');
EOF
}
check '"thank you" after 254 times of you' "$(found 254 '"thank you"')" t
check '"thank you" after 255 times of you' "$(found 255 '"thank you"')" f
check 'thank and you, no phrase' "$(found 255 'thank you')" t
check '"refund offer" after 255 times of you' "$(found 255 '"refund offer"')" t
check '"refund offer" after 17,000 words' "$(found 5700 '"refund offer"')" f
