#!/bin/sh
# A hundred times kill -9 in a storm of sign-ins (the check does twenty): the budget of attempts is
# never exceeded and no lock forgotten.  Prints what the test says.
# usage: lockout_soak.sh [CYCLES]
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d /tmp/vrm-soak.XXXXXX)
trap 'rm -rf "$work"' EXIT
cp -R test sql "$work"
sources=$(dirname "$(pg_config --pgxs)")/../..
[ "$(id -u)" -ne 0 ] || chown -R postgres:postgres "$work"
run() { if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
cd "$work"
unset PGHOST PGPORT PGUSER PGDATABASE
run env HOME="$work" PG_REGRESS="$sources/src/test/regress/pg_regress" TESTDIR="$work" \
    TESTDATADIR="$work/tmp_check" TESTLOGDIR="$work/tmp_check/log" PG_TEST_PORT_DIR="$work" \
    VRM_KILL_CYCLES="${1:-100}" \
    prove -v -I "$sources/src/test/perl" -I test/cluster test/cluster/accounts/lockout.pl |
    grep -E 'kill -9|gets in afterwards|locked at once|no lock before|sound|^Result'
