#!/bin/sh
# Runs the pgTAP files in databases of their own on the server that PGHOST and PGPORT name, one for
# each processor, which load the modules of make test-modules, in build/ or VRM_TEST_MODULES.
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

# The server's user may be unable to read this directory, hence the copy.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
modules=$work/modules
mkdir "$modules"
cp "${VRM_TEST_MODULES:-build}"/*.so "$modules"
chmod -R a+rX "$work"

# usage: create DATABASE
create() {
    dropdb --if-exists --force "$1" && createdb "$1" &&
        PGOPTIONS='-c client_min_messages=warning' psql -qX -v ON_ERROR_STOP=1 -d "$1" \
            -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION vrm'
}

# usage: part NUMBER     runs the files that $work/NUMBER names
part() {
    create "$database$1" &&
        xargs pg_prove --dbname "$database$1" --set modules="$modules" <"$work/$1"
}

# Files take turns, because those of a topic take about as long as each other.
parts=$(nproc)
[ $# -ge "$parts" ] || parts=$#
printf '%s\n' "$@" | awk -v parts="$parts" -v work="$work" '
    { print >(work "/" (NR - 1) % parts + 1) }'
for number in $(seq 2 "$parts"); do
    { part "$number" >"$work/$number.report" 2>&1 || touch "$work/failed"; } &
done
part 1 || touch "$work/failed"
wait
for number in $(seq 2 "$parts"); do cat "$work/$number.report"; done
! [ -e "$work/failed" ]
