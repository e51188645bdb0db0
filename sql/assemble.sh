#!/bin/sh
# Writes the install script: the library as it stands, then the platform as the text that
# vrm.install() executes, and last the call itself.  Both builds run this and nothing else.
set -eu
cd "$(dirname "$0")"

cat library/*.sql

# Each upgrade step travels as text, so that vrm.upgrade() can take an old platform forward.
cat <<'SQL'

CREATE FUNCTION vrm.platform_steps(OUT from_version text, OUT to_version text, OUT script text)
    RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $library$
SELECT * FROM (VALUES
SQL
for step in platform/upgrade/*--*.sql; do
    [ -e "$step" ] || continue
    name=$(basename "$step" .sql)
    printf "    ('%s', '%s', \$platform\$\n" "${name%%--*}" "${name##*--}"
    cat "$step"
    printf "\$platform\$),\n"
done
cat <<'SQL'
    (NULL, NULL, NULL)) AS step (from_version, to_version, script)
WHERE from_version IS NOT NULL
$library$;
COMMENT ON FUNCTION vrm.platform_steps() IS
    'scripts that take an older platform to a newer version, in no particular order';

CREATE FUNCTION vrm.platform_script() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $library$ SELECT $platform$
SQL
cat platform/*.sql
cat <<'SQL'
$platform$ $library$;
COMMENT ON FUNCTION vrm.platform_script() IS
    'the SQL that vrm.install() executes: tables, policies, triggers and the functions on them';
SQL
cat library.end.sql
