#!/bin/sh
# Runs the pgTAP files in a database of their own on the server that PGHOST and PGPORT name, which
# loads the modules that make test-modules has made for them.
# usage: pgtap.sh BINDIR [FILE...]
set -eu
cd "$(dirname "$0")/.."
PATH=$1:$PATH; export PATH; shift
# shellcheck disable=SC2046 # one word for each file
[ $# -gt 0 ] || set -- $(find test/sql -name '*.sql' ! -path '*/include/*' | sort)
database=${VRM_TEST_DATABASE:-vrm_regression}

# usage: missing WHAT HOW     says how to get it, and ends
missing() {
    printf 'pgtap.sh: %s\n    %s\n' "$1" "$2" >&2
    exit 1
}
user=$(id -un)
version=$(psql -XAtqd postgres -c "SELECT current_setting('server_version_num')::int / 10000
                                  WHERE current_setting('is_superuser')::boolean") || version=
[ -n "$version" ] ||
    missing "the tests need a server to which $user is a superuser; for the one of this machine:" \
        "runuser -u postgres -- createuser --superuser $user"
command -v pg_prove >/dev/null ||
    missing 'pg_prove is not installed; on Debian:' \
        'apt-get install libtap-parser-sourcehandler-pgtap-perl'
[ "$(psql -XAtqd postgres -c "SELECT 1 FROM pg_available_extensions WHERE name = 'pgtap'")" = 1 ] ||
    missing 'the server lacks pgTAP; on Debian:' "apt-get install postgresql-$version-pgtap"

export PGOPTIONS='-c client_min_messages=warning'
dropdb --if-exists --force "$database"
createdb "$database"
psql -qX -v ON_ERROR_STOP=1 -d "$database" -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION vrm'
unset PGOPTIONS
# The server's user may be unable to read this directory, hence the copy.
modules=$(mktemp -d)
trap 'rm -rf "$modules"' EXIT
cp build/selftest.so build/example.so "$modules"
chmod 755 "$modules"
pg_prove --dbname "$database" --set modules="$modules" "$@"
