#!/bin/sh
# Runs the pgTAP files in a database of their own on the server that PGHOST and PGPORT name.
# usage: pgtap.sh BINDIR [FILE...]
set -eu
cd "$(dirname "$0")/.."
PATH=$1:$PATH; export PATH; shift
# shellcheck disable=SC2046 # one word for each file
[ $# -gt 0 ] || set -- $(find test/sql -name '*.sql' ! -path '*/include/*' | sort)
database=${VRM_TEST_DATABASE:-vrm_regression}
dropdb --if-exists --force "$database" 2>/dev/null
createdb "$database"
PGOPTIONS='-c client_min_messages=warning' psql -qX -v ON_ERROR_STOP=1 -d "$database" \
    -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION vrm'
pg_prove --dbname "$database" "$@"
