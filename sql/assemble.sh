#!/bin/sh
# Writes the install script: the library as it stands, then the platform as the text that
# vrm.install() executes, and last the call itself.  Both builds run this and nothing else.
set -eu
cd "$(dirname "$0")"

cat library/*.sql

# Each upgrade step travels as text, so that vrm.upgrade() can take an old platform forward.
printf '\nCREATE FUNCTION vrm.platform_steps(OUT from_version text, OUT to_version text, OUT script text)\n'
printf '    RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $library$\nSELECT * FROM (VALUES\n'
for step in platform/upgrade/*--*.sql; do
    [ -e "$step" ] || continue
    name=$(basename "$step" .sql)
    printf "    ('%s', '%s', \$platform\$\n" "${name%%--*}" "${name##*--}"
    cat "$step"
    printf '$platform$),\n'
done
printf '    (NULL, NULL, NULL)) AS step (from_version, to_version, script)\nWHERE from_version IS NOT NULL\n$library$;\n'
printf "COMMENT ON FUNCTION vrm.platform_steps() IS\n    'scripts that take an older platform to a newer version, in no particular order';\n"

printf '\nCREATE FUNCTION vrm.platform_script() RETURNS text\n    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $library$ SELECT $platform$\n'
cat platform/*.sql
printf '$platform$ $library$;\n'
printf "COMMENT ON FUNCTION vrm.platform_script() IS\n    'the SQL that vrm.install() executes: tables, policies, triggers and the functions on them';\n"

cat library.end.sql
