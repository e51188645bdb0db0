#!/bin/sh
# Ashcraft does not sound like Ashcraft.
#
# To expect: soundex() of PostgreSQL gives the code of the rules that it is named after: A261 for
#   Ashcraft, which is an example of the U.S. National Archives for them.
# Seen (fuzzystrmatch 1.1 of PostgreSQL 15.20, compared with soundex-code 2.0.1 and talisman 1.1.4,
#   2026-12): consonants of one group that an h or w parts count once by those rules, and twice for
#   the server, as for some libraries: Ashcraft is A226, and Sachs, who is S200 like Sax, S220.
#   Names without such an h or w have the same code: Robert, Pfister, Tymczak, Gutierrez.
# It matters where a caller says a name and an application looks for the code that it has made of it
#   in an index of soundex(name), or codes are loaded that others have made: Wachs, Sachs, Burroughs
#   and Ashcroft are never found, the tests' Smith and Robert always. With both codes made by the
#   server the same names still miss their likes, Sachs those called Sax.
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
    soundex-code@2.0.1 talisman@1.1.4 >log 2>&1 ||
    { tail -n 3 log; echo 'SKIP: the packages cannot be had'; exit 77; }
cat >codes.mjs <<'EOF'
import { soundex } from 'soundex-code';
import talisman from 'talisman/phonetics/soundex.js';
const [name] = process.argv.slice(2);
console.log(soundex(name), talisman(name));
EOF
check() {
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "CHANGED: $1 was $3 when this was written" >&2; exit 1; }
}

sql -c 'CREATE EXTENSION fuzzystrmatch'
# usage: codes NAME; by the server, soundex-code and talisman
codes() { echo "$(sql -c "SELECT soundex('$1')") $(node codes.mjs "$1")"; }
echo 'by the server, soundex-code and talisman:'
for name in Robert:R163 Pfister:P236 Tymczak:T522 Gutierrez:G362 Sax:S200; do
    code=${name#*:}
    check "${name%:*}" "$(codes "${name%:*}")" "$code $code $code"
done
check Ashcraft "$(codes Ashcraft)" 'A226 A261 A261'
check Sachs "$(codes Sachs)" 'S220 S200 S200'
check Wachs "$(codes Wachs)" 'W220 W200 W200'
check Burroughs "$(codes Burroughs)" 'B622 B620 B620'
