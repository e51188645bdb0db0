#!/bin/sh
# Writes the install script, or with a version the script that updates the members from there.  Both
# builds run this and nothing else.
#
# sql/order names the districts and their topics, each after those that it needs; a topic is a
# directory.  What its files are called says what kind of objects they make, and kinds are put
# together in passes, so that a topic never has to be split for the sake of order.
# usage: assemble.sh [FROM_VERSION]
set -eu
cd "$(dirname "$0")"
from=${1:-}
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" ../extension/vrm.control)

topics() {
    while IFS=' :' read -r district names; do
        for topic in $names; do echo "$district/$topic"; done
    done <order
}

forgotten=$(find [a-z]*/* -maxdepth 0 -type d ! -path 'upgrade/*' | sort | while read -r topic; do
    topics | grep -qx "$topic" || echo "$topic"
done)
[ -z "$forgotten" ] || { echo "not in sql/order: $forgotten" >&2; exit 1; }

# usage: pass KIND; what all topics have of that kind
pass() {
    topics | while read -r topic; do
        [ "$1" != functions ] || style "$topic"
        [ ! -e "$topic/$1.sql" ] || { cat "$topic/$1.sql"; echo; }
    done
}

# A style sheet is a file of its own, and the result of a function.  usage: style TOPIC
style() {
    [ -e "$1/style.css" ] || return 0
    name=vrm_private.$(basename "$1")_style
    cat <<SQL
CREATE OR REPLACE FUNCTION $name() RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS \$\$ SELECT \$css\$
$(cat "$1/style.css")
\$css\$ \$\$;
COMMENT ON FUNCTION $name() IS
    'the style sheet of a $(basename "$1"): light and dark, wide and narrow';
REVOKE EXECUTE ON FUNCTION $name() FROM PUBLIC;

SQL
}

members() {
    pass library
    platform_steps
    platform_script
}

# Each upgrade step travels as text, so that vrm.upgrade() can take an old platform forward.
platform_steps() {
    cat <<'SQL'
CREATE FUNCTION vrm.platform_steps(OUT from_version text, OUT to_version text, OUT script text)
    RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $library$
SELECT * FROM (VALUES
SQL
    for step in upgrade/*--*/platform.sql; do
        [ -e "$step" ] || continue
        name=$(basename "$(dirname "$step")")
        printf "    ('%s', '%s', \$platform\$\n" "${name%%--*}" "${name##*--}"
        cat "${step%.sql}"*.sql
        printf "\$platform\$),\n"
    done
    cat <<'SQL'
    (NULL, NULL, NULL)) AS step (from_version, to_version, script)
WHERE from_version IS NOT NULL
$library$;
COMMENT ON FUNCTION vrm.platform_steps() IS
    'scripts that take an older platform to a newer version, in no particular order';

SQL
}

platform_script() {
    cat <<'SQL'
CREATE FUNCTION vrm.platform_script() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $library$ SELECT $platform$
SQL
    for kind in tables functions views access all_tables data; do pass "$kind"; done
    cat <<'SQL'
$platform$ $library$;
COMMENT ON FUNCTION vrm.platform_script() IS
    'the SQL that vrm.install() executes: tables, policies, triggers and the functions on them';

SQL
}

# What differs by hand, one release after the other.  usage: steps FROM
steps() {
    at=$1
    while [ "$at" != "$version" ]; do
        step=$(echo upgrade/"$at"--*/library.sql)
        [ -e "$step" ] || { echo "no step from $at towards $version" >&2; exit 1; }
        cat "$step"
        echo
        step=${step%/library.sql}
        at=${step##*--}
    done
}

if [ -z "$from" ]; then
    cat header.sql
    echo
    members
else
    sed 's/CREATE EXTENSION vrm"/ALTER EXTENSION vrm UPDATE"/' header.sql | awk -f replace.awk
    cat members_before.sql
    steps "$from"
    members | awk -f replace.awk
fi
cat revoke.sql
[ -n "$from" ] || printf 'SELECT vrm.install_platform();\n\n'
cat footer.sql
