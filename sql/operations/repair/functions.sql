-- Repair: everything that doctor finds of privileges, policies, triggers and functions is put back by one call

-- In rounds, since one thing shows only when another is there again: who owns it before what was granted, and what
-- policies and triggers call before them.  What ALTER SYSTEM changes no function can.
CREATE OR REPLACE FUNCTION vrm.repair() RETURNS TABLE (check_name text, statement text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
#variable_conflict use_column
DECLARE
    done text[] := '{}';
    finding record;
BEGIN
    IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
        RAISE EXCEPTION 'permission denied to repair the platform of vrm'
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'Its objects belong to the superuser who installed them.',
                  HINT = 'As a superuser: SELECT * FROM vrm.repair();';
    END IF;
    LOOP
        FOR finding IN
            WITH finding AS (
                SELECT DISTINCT d.check_name, d.fix_sql,
                       CASE WHEN d.check_name IN ('ownership', 'roles') THEN 1
                            WHEN d.check_name IN ('objects', 'routines') THEN 2 ELSE 3 END AS stage
                FROM vrm.doctor() d
                WHERE d.fix_sql IS NOT NULL AND d.fix_sql NOT LIKE 'ALTER SYSTEM%' AND d.check_name IN
                      ('objects', 'grants', 'policies', 'row_level_security', 'triggers', 'event_triggers',
                       'search_path', 'routines', 'ownership', 'roles')
                  AND d.fix_sql <> ALL (done)
            )
            SELECT f.check_name, f.fix_sql FROM finding f
            WHERE f.stage = (SELECT min(g.stage) FROM finding g)
            -- members before what calls them
            ORDER BY f.fix_sql = 'SELECT vrm.install();', f.check_name, f.fix_sql
        LOOP
            EXECUTE finding.fix_sql;
            done := done || finding.fix_sql;
            check_name := finding.check_name;
            statement := finding.fix_sql;
            RETURN NEXT;
        END LOOP;
        EXIT WHEN NOT FOUND;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.repair() IS
    'puts privileges, policies, triggers and functions back as they were installed; returns what it executed';
REVOKE EXECUTE ON FUNCTION vrm.repair() FROM PUBLIC;
