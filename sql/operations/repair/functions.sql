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
                      WHERE i.kind = 'constraint' AND i.noted_by = (SELECT vrm_private.spelling())
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

-- Calls that were loaded past all triggers: figures, test cases, and words to be found by.
CREATE OR REPLACE FUNCTION vrm_private.make_up_for_triggers() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm_private.search_queue (user_id, run_id)
    SELECT r.user_id, r.id FROM vrm.test_runs r JOIN vrm_private.search s ON s.enabled
    WHERE r.completed_at IS NOT NULL AND r.results IS NOT NULL
      AND NOT EXISTS (SELECT FROM vrm_private.call_words w WHERE w.user_id = r.user_id AND w.run_id = r.id)
    ON CONFLICT (user_id, run_id) DO NOTHING;
    WITH gone AS (
        DELETE FROM vrm.call_facts f
        WHERE f.started_at > vrm_private.archive_is_whole_since()
          AND NOT EXISTS (SELECT FROM vrm.test_runs r WHERE r.user_id = f.user_id AND r.id = f.id)
          AND NOT EXISTS (SELECT FROM vrm_private.test_runs_archive a WHERE a.user_id = f.user_id AND a.id = f.id)
        RETURNING f.user_id, f.id, f.started_at
    ), words AS (
        DELETE FROM vrm_private.call_words w USING gone g WHERE w.user_id = g.user_id AND w.run_id = g.id
    ), marked AS (
        INSERT INTO vrm.call_dirty (user_id, day) SELECT DISTINCT g.user_id, vrm.utc_day(g.started_at) FROM gone g
    )
    SELECT count(*) + vrm_private.rebuild_facts() FROM gone
$$;
COMMENT ON FUNCTION vrm_private.make_up_for_triggers() IS
    'makes what triggers on vrm.test_runs would have made; returns how many calls had other facts';

-- Facts of calls that were archived stay, even when the archive has let the calls go.
CREATE OR REPLACE FUNCTION vrm_private.archive_is_whole_since() RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(max(m.newest), '-infinity')
    FROM vrm_private.archive_manifest m
    WHERE m.purged_at IS NOT NULL
       OR m.batch_id IN (SELECT unnest(c.batches) FROM vrm.cold_archive c WHERE c.imported_at IS NULL)
$$;
COMMENT ON FUNCTION vrm_private.archive_is_whole_since() IS
    'calls that began later are live or in the archive, unless they were deleted';

-- Some hundred pages, taken at random from a large table: a load that bypassed the trigger is seen in them.
CREATE OR REPLACE FUNCTION vrm_private.share_to_look_at(relation regclass) RETURNS real
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT least(100, 100 * 8e6 / greatest(pg_relation_size(relation), 1))::real
$$;
COMMENT ON FUNCTION vrm_private.share_to_look_at(regclass) IS 'for vrm_private.doctor_facts(): percentage of a table';

CREATE OR REPLACE FUNCTION vrm_private.doctor_facts(since timestamptz)
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'facts', 'fail', format('statistics do not know %s of %s calls that were looked at', m.missing, m.calls),
           'They were written while the trigger "record_facts" did not fire, as under session_replication_role ='
           ' replica; the fix makes up for it.', 'SELECT vrm_private.make_up_for_triggers();'
    FROM (SELECT count(*) AS calls, count(*) FILTER (WHERE
                     CASE WHEN r.status IN ('queued', 'running')
                          THEN NOT EXISTS (SELECT FROM vrm.live_runs l WHERE l.user_id = r.user_id AND l.run_id = r.id)
                          ELSE vrm_private.has_a_day(r.started_at)
                               AND NOT EXISTS (SELECT FROM vrm.call_facts f
                                               WHERE f.user_id = r.user_id AND f.id = r.id AND f.status = r.status
                                                 AND f.started_at = r.started_at
                                                 AND f.agent_id IS NOT DISTINCT FROM r.agent_id) END) AS missing
          FROM vrm.test_runs r TABLESAMPLE SYSTEM (vrm_private.share_to_look_at('vrm.test_runs'))
          WHERE since IS NULL OR r.started_at >= since) AS m
    WHERE m.missing > 0
    UNION ALL
    -- what may have been archived is left out: looking it up there takes long
    SELECT 'facts', 'fail', format('statistics count %s of %s calls that were looked at and are gone', m.gone, m.calls),
           'They were deleted while the trigger "record_facts" did not fire; the fix makes up for it.',
           'SELECT vrm_private.make_up_for_triggers();'
    FROM (SELECT count(*) AS calls,
                 count(*) FILTER (WHERE NOT EXISTS (SELECT FROM vrm.test_runs r
                                                    WHERE r.user_id = f.user_id AND r.id = f.id)) AS gone
          FROM vrm.call_facts f TABLESAMPLE SYSTEM (vrm_private.share_to_look_at('vrm.call_facts'))
          WHERE f.started_at > (SELECT coalesce(max(n.newest), '-infinity') FROM vrm_private.archive_manifest n)) AS m
    WHERE m.gone > 0
    UNION ALL
    SELECT 'facts', 'fail', format('%s calls count as live that are not', count(*)),
           'They ended, or were deleted, while the trigger "record_facts" did not fire; the fix makes up for it.',
           'SELECT vrm_private.make_up_for_triggers();'
    FROM vrm.live_runs l
    WHERE NOT EXISTS (SELECT FROM vrm.test_runs r
                      WHERE r.user_id = l.user_id AND r.id = l.run_id AND r.status IN ('queued', 'running'))
    HAVING count(*) > 0
$$;
COMMENT ON FUNCTION vrm_private.doctor_facts(timestamptz) IS
    'for vrm.doctor(): calls since then, or all, whose facts are missing or of before';
REVOKE EXECUTE ON FUNCTION
    vrm_private.make_up_for_triggers(), vrm_private.archive_is_whole_since(), vrm_private.share_to_look_at(regclass),
    vrm_private.doctor_facts(timestamptz)
    FROM PUBLIC;
