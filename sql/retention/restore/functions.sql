-- Calls come back from the archive, into whatever columns vrm.test_runs has by now

-- What each column of vrm.test_runs gets from an archived row "g", whose columns of another kind are "e"
-- and whose batch is "m": the value that was archived, also where it was archived without a column of its
-- own; else, when the row is older than the column, what the column gives to rows that say nothing.
CREATE OR REPLACE FUNCTION vrm_private.restored_values(OUT targets text, OUT sources text, OUT left_out name[])
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT string_agg(quote_ident(c.name), ', '), string_agg(
               format(CASE WHEN c.is_kept
                           THEN 'CASE WHEN g.%1$I IS NOT NULL THEN g.%1$I WHEN g.extra ? %2$L THEN %3$s'
                                ' WHEN coalesce(%2$L = ANY (m.columns), true) THEN NULL ELSE %4$s END'
                           ELSE 'CASE WHEN g.extra ? %2$L THEN %3$s ELSE %4$s END' END,
                      c.name, c.name,
                      format('CASE g.extra ->> '''' WHEN ''text'' THEN (g.extra ->> %1$L)::%2$s ELSE e.%1$I END',
                             c.name, c.type),
                      c.otherwise), ', ')
    INTO targets, sources
    FROM (SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
                 EXISTS (SELECT FROM vrm_private.columns_of('vrm_private.test_runs_archive') k
                         WHERE k.attname = a.attname AND NOT k.generated
                           AND k.attname NOT IN ('archived_at', 'extra', 'batch_id', 'packed_results')) AS is_kept,
                 CASE WHEN a.attidentity <> ''
                      THEN format('nextval(%L)', pg_get_serial_sequence('vrm.test_runs', a.attname))
                      ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL') END AS otherwise
          FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE a.attrelid = 'vrm.test_runs'::regclass AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attgenerated = '') AS c;
    left_out := ARRAY(SELECT k.attname FROM vrm_private.columns_of('vrm_private.test_runs_archive') k
                      WHERE k.attname NOT IN ('archived_at', 'extra', 'batch_id', 'packed_results')
                        AND NOT EXISTS (SELECT FROM vrm_private.columns_of('vrm.test_runs') l
                                        WHERE l.attname = k.attname));
END
$$;
COMMENT ON FUNCTION vrm_private.restored_values() IS
    'columns of vrm.test_runs, what each gets from an archived row, and columns of the archive that nothing takes';

CREATE OR REPLACE FUNCTION vrm_private.warn_of_dropped_columns(ids uuid[], left_out name[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lost record;
BEGIN
    FOR lost IN
        SELECT v.key, count(*) AS rows
        FROM vrm_private.test_runs_archive a,
             LATERAL (SELECT x.key, x.value FROM jsonb_each(a.extra) x
                      WHERE x.key <> '' AND NOT EXISTS (SELECT FROM vrm_private.columns_of('vrm.test_runs') l
                                                        WHERE l.attname = x.key)
                      UNION ALL
                      SELECT n, to_jsonb(a.*) -> n::text FROM unnest(left_out) AS n) AS v (key, value)
        WHERE a.id = ANY (ids) AND jsonb_typeof(v.value) <> 'null'
        GROUP BY v.key
    LOOP
        RAISE WARNING 'column "%" of % archived test runs is not in vrm.test_runs any more', lost.key, lost.rows
            USING DETAIL = 'They are restored without it.',
                  HINT = format('To keep it: ROLLBACK; ALTER TABLE vrm.test_runs ADD COLUMN %I ...;', lost.key);
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.warn_of_dropped_columns(uuid[], name[]) IS
    'a warning for each column of archived calls that vrm.test_runs has no more';

-- Triggers stay silent: the call is not new, its states were recorded and its figures counted before.
-- Foreign keys are looked after by hand for the same reason.  The statement is made up for the columns that
-- there are.
CREATE OR REPLACE FUNCTION vrm_private.restore_calls(ids uuid[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET session_replication_role = replica
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 3
    SET bytea_output = 'hex' SET quote_all_identifiers = off SET lc_monetary = 'C' AS $$
DECLARE
    columns record;
    problem text;
    restored bigint;
BEGIN
    PERFORM vrm_private.require_read_committed('restoring from the archive');
    PERFORM vrm_private.check_columns(), vrm_private.archive_columns('vrm.test_runs');
    columns := vrm_private.restored_values();
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    PERFORM FROM vrm.user_profiles p
    WHERE p.id IN (SELECT a.user_id FROM vrm_private.test_runs_archive a WHERE a.id = ANY (ids))
    FOR KEY SHARE;
    PERFORM FROM vrm.agents g
    WHERE (g.user_id, g.id) IN (SELECT a.user_id, a.agent_id FROM vrm_private.test_runs_archive a
                                WHERE a.id = ANY (ids))
    FOR KEY SHARE;
    SELECT min(i.id::text) INTO problem FROM unnest(ids) AS i (id)
    WHERE NOT EXISTS (SELECT FROM vrm_private.test_runs_archive a WHERE a.id = i.id);
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'test run "%" is not in the archive', problem
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id FROM vrm.all_test_runs WHERE archived_at IS NOT NULL;';
    END IF;
    SELECT min(a.agent_id::text) INTO problem FROM vrm_private.test_runs_archive a
    WHERE a.id = ANY (ids) AND a.agent_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM vrm.agents g WHERE g.user_id = a.user_id AND g.id = a.agent_id);
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'agent "%" of an archived test run is gone', problem
            USING ERRCODE = 'foreign_key_violation',
                  HINT = 'Leave it in the archive; vrm.all_test_runs shows it as well.';
    END IF;
    PERFORM vrm_private.warn_of_dropped_columns(ids, columns.left_out);
    PERFORM vrm_private.note_removals('restored', ids => ids);
    EXECUTE format(
        'WITH moved AS (DELETE FROM vrm_private.test_runs_archive a WHERE a.id = ANY ($1)'
        ' RETURNING vrm_private.unpacked(a.*) AS row), gone AS (SELECT (m.row).* FROM moved m)'
        ' INSERT INTO vrm.test_runs (%s) OVERRIDING SYSTEM VALUE SELECT %s'
        ' FROM gone g LEFT JOIN vrm_private.archive_manifest m ON m.batch_id = g.batch_id, LATERAL'
        -- as 1.0.0 has kept them
        ' jsonb_populate_record(NULL::vrm.test_runs, CASE WHEN g.extra ? '''' THEN ''{}'' ELSE g.extra END) AS e',
        columns.targets, columns.sources) USING ids;
    GET DIAGNOSTICS restored = ROW_COUNT;
    INSERT INTO vrm.test_run_cases (user_id, run_id, position, case_user_id, case_id)
    SELECT r.user_id, r.id, e.position, c.user_id, c.id
    FROM vrm.test_runs r,
         jsonb_array_elements_text(r.test_case_ids) WITH ORDINALITY AS e (id, position),
         LATERAL (SELECT t.user_id, t.id FROM vrm.test_cases t
                  WHERE t.id::text = e.id AND (t.user_id = r.user_id OR t.is_shared)
                  ORDER BY t.user_id <> r.user_id LIMIT 1 FOR KEY SHARE) AS c
    WHERE r.id = ANY (ids) AND jsonb_typeof(r.test_case_ids) = 'array';
    RETURN restored;
END
$$;
COMMENT ON FUNCTION vrm_private.restore_calls(uuid[]) IS 'what vrm.restore_from_archive() does';

CREATE OR REPLACE FUNCTION vrm.restore_from_archive(ids uuid[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.restore_from_archive(uuid[])');
    RETURN vrm_private.restore_calls(ids);
END
$$;
COMMENT ON FUNCTION vrm.restore_from_archive(uuid[]) IS
    'moves archived calls back to vrm.test_runs as they were; returns how many.  Hold them to keep them there';

CREATE OR REPLACE FUNCTION vrm_private.fetch_archived() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.restore_calls(ARRAY[a.id])
    FROM vrm_private.test_runs_archive a
    WHERE a.user_id = NEW.user_id AND a.source = NEW.source AND a.external_id = NEW.external_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.fetch_archived() IS
    'trigger: a report of an archived call brings it back, to be amended; the next run of retention archives it again';
REVOKE EXECUTE ON FUNCTION vrm_private.fetch_archived() FROM PUBLIC;

REVOKE EXECUTE ON FUNCTION
    vrm_private.restored_values(), vrm_private.warn_of_dropped_columns(uuid[], name[]),
    vrm_private.restore_calls(uuid[]), vrm.restore_from_archive(uuid[])
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.restore_from_archive(uuid[]) TO service_role;
