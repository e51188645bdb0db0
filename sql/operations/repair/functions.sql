-- Repair: everything that doctor finds of privileges, policies, triggers, functions, tables and views is put back

-- A constraint that a DBA has added NOT VALID stays so; one of ours is tried on the rows that are there.
CREATE OR REPLACE FUNCTION vrm_private.repairs()
    RETURNS TABLE (check_name text, fix_sql text, stage integer)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT d.check_name, d.fix_sql,
           -- keys before what refers to them, and what is checked before rows are looked at
           CASE WHEN d.check_name IN ('ownership', 'roles') THEN 1
                WHEN d.check_name IN ('objects', 'routines') THEN 2
                WHEN d.check_name = 'constraints' AND d.fix_sql LIKE '% FOREIGN KEY %' THEN 4
                WHEN d.fix_sql LIKE '% VALIDATE CONSTRAINT %' THEN 5 ELSE 3 END
    FROM vrm.doctor() d
    WHERE d.fix_sql IS NOT NULL AND d.fix_sql !~ '^(ALTER SYSTEM|REINDEX) ' AND d.check_name IN
          ('objects', 'grants', 'policies', 'row_level_security', 'triggers', 'event_triggers', 'search_path',
           'routines', 'ownership', 'roles', 'columns', 'defaults', 'constraints', 'indexes', 'views', 'rules', 'api')
      AND (d.fix_sql NOT LIKE 'ALTER TABLE % VALIDATE CONSTRAINT %'
           OR EXISTS (SELECT FROM vrm_private.intended i
                      WHERE i.kind = 'constraint' AND i.noted_by = vrm_private.spelling()
                        AND d.fix_sql = format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', i.object, i.name)))
$$;
COMMENT ON FUNCTION vrm_private.repairs() IS 'for vrm.repair(): statements that doctor has for what is not as it was';

CREATE OR REPLACE FUNCTION vrm_private.problem_with(statement text) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE statement;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', format('SQLSTATE %s: %s.', SQLSTATE, SQLERRM), nullif(detail, ''));
END
$$;
COMMENT ON FUNCTION vrm_private.problem_with(text) IS
    'for vrm.repair(): executes a statement, or undoes it and says what is in its way';
REVOKE EXECUTE ON FUNCTION vrm_private.repairs(), vrm_private.problem_with(text) FROM PUBLIC;

-- In rounds, since one thing shows only when another is there again: who owns it before what was granted, and what
-- policies and triggers call before them.  What fails, because rows are in its way, is tried again once more is mended,
-- and keeps nothing else from being put back.  What ALTER SYSTEM changes no function can.
CREATE OR REPLACE FUNCTION vrm.repair() RETURNS TABLE (check_name text, statement text, problem text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
#variable_conflict use_column
DECLARE
    done text[] := '{}';
    failed jsonb := '{}';
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
            WITH finding AS MATERIALIZED (
                SELECT f.* FROM vrm_private.repairs() f WHERE f.fix_sql <> ALL (done) AND NOT failed ? f.fix_sql
            )
            SELECT f.check_name, f.fix_sql, NULL::text AS problem FROM finding f
            WHERE f.stage = (SELECT min(g.stage) FROM finding g)
            -- members before what calls them
            ORDER BY f.fix_sql = 'SELECT vrm.install();', f.check_name, f.fix_sql
        LOOP
            finding.problem := vrm_private.problem_with(finding.fix_sql);
            IF finding.problem IS NULL THEN
                done := done || finding.fix_sql;
                failed := '{}';
                RETURN QUERY SELECT finding.check_name, finding.fix_sql, NULL::text;
            ELSE
                failed := failed || jsonb_build_object(finding.fix_sql, ARRAY[finding.check_name, finding.problem]);
            END IF;
        END LOOP;
        EXIT WHEN NOT FOUND;
    END LOOP;
    RETURN QUERY SELECT f.value ->> 0, f.key, f.value ->> 1 FROM jsonb_each(failed) AS f ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION vrm.repair() IS
    'puts what doctor finds changed back as it was installed; returns what it executed, and what is in the way of that';
REVOKE EXECUTE ON FUNCTION vrm.repair() FROM PUBLIC;
