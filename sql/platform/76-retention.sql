-- Retention: the archive verified, read and taken back from ---------------------------------------

CREATE OR REPLACE FUNCTION vrm.verify_archive(run_id bigint DEFAULT NULL)
    RETURNS TABLE (batch_id bigint, batch_run_id bigint, ok boolean, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        WITH links AS (
            SELECT m.*, lag(m.chain_sha256) OVER (ORDER BY m.batch_id) AS previous FROM vrm_private.archive_manifest m
        ), chosen AS (
            SELECT * FROM links l WHERE verify_archive.run_id IS NULL OR l.run_id = verify_archive.run_id
        ), present AS (
            SELECT a.batch_id, vrm.row_digest(a, c.columns) AS digest
            FROM chosen c
            JOIN vrm_private.test_runs_archive a ON a.batch_id = c.batch_id AND a.archived_at = c.archived_at
            UNION ALL
            SELECT r.batch_id, r.row_sha256 FROM vrm_private.archive_removals r JOIN chosen c ON c.batch_id = r.batch_id
        ), found AS (
            SELECT p.batch_id, count(*) AS row_count, sha256(string_agg(p.digest, '' ORDER BY p.digest)) AS rows_sha256
            FROM present p GROUP BY p.batch_id
        ), judged AS (
            SELECT c.batch_id, c.run_id,
                   CASE WHEN c.chain_sha256 IS DISTINCT FROM vrm_private.chain_link(
                                 c.previous, c.batch_id, c.run_id, c.row_count, c.archived_at, c.columns, c.rows_sha256)
                        THEN 'the manifest was changed here or before'
                        WHEN c.purged_at IS NOT NULL THEN NULL
                        WHEN f.row_count IS DISTINCT FROM c.row_count
                        THEN format('%s rows of %s are there', coalesce(f.row_count, 0), c.row_count)
                        WHEN f.rows_sha256 IS DISTINCT FROM c.rows_sha256 THEN 'rows were changed' END AS wrong,
                   CASE WHEN c.purged_at IS NOT NULL
                        THEN format('%s rows, purged on %s', c.row_count, c.purged_at::date)
                        ELSE format('%s rows', c.row_count) END AS right
            FROM chosen c LEFT JOIN found f ON f.batch_id = c.batch_id
        )
        SELECT j.batch_id, j.run_id, j.wrong IS NULL, coalesce(j.wrong, j.right) FROM judged j ORDER BY j.batch_id;
    RETURN QUERY
        SELECT a.batch_id, NULL::bigint, false, format('%s rows that no batch accounts for', count(*))
        FROM vrm_private.test_runs_archive a
        WHERE verify_archive.run_id IS NULL
          AND NOT EXISTS (SELECT FROM vrm_private.archive_manifest m
                          WHERE m.batch_id = a.batch_id AND m.archived_at = a.archived_at)
        GROUP BY a.batch_id;
END
$$;
COMMENT ON FUNCTION vrm.verify_archive(bigint) IS
    'holds the archived rows of a run, or of all, against the manifest: one row a batch';

CREATE OR REPLACE FUNCTION vrm_private.require_read_committed(what text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION '% needs isolation level READ COMMITTED', what
            USING ERRCODE = 'active_sql_transaction',
                  DETAIL = format('The transaction is %s.', upper(current_setting('transaction_isolation'))),
                  HINT = 'BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.require_read_committed(text) IS 'an error when the transaction sees one snapshot only';

-- Triggers stay silent: the call is not new, its states were recorded and its figures counted before.
-- Foreign keys are looked after by hand for the same reason.
CREATE OR REPLACE FUNCTION vrm.restore_from_archive(ids uuid[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET session_replication_role = replica AS $$
DECLARE
    names record := vrm_private.archive_columns();
    kept text := (SELECT string_agg(quote_ident(n), ', ') FROM unnest(names.shared || names.extra) AS n);
    taken text := (SELECT string_agg('g.' || quote_ident(n), ', ') FROM unnest(names.shared) AS n);
    others text := coalesce((SELECT string_agg(', e.' || quote_ident(n), '') FROM unnest(names.extra) AS n), '');
    problem text;
    restored bigint;
BEGIN
    PERFORM vrm_private.require_read_committed('restoring from the archive');
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
    SELECT min(key) INTO problem FROM vrm_private.test_runs_archive a, jsonb_object_keys(a.extra) AS key
    WHERE a.id = ANY (ids) AND key <> ALL (names.extra) AND key <> ALL (names.shared);
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of an archived test run is not in vrm.test_runs', problem
            USING ERRCODE = 'undefined_column',
                  HINT = format('ALTER TABLE vrm.test_runs ADD COLUMN %I ...;', problem);
    END IF;

    PERFORM vrm_private.note_removals('restored', ids => ids);
    EXECUTE format(
        'WITH gone AS (DELETE FROM vrm_private.test_runs_archive a WHERE a.id = ANY ($1) RETURNING a.*)'
        ' INSERT INTO vrm.test_runs (%s) SELECT %s%s'
        ' FROM gone g, LATERAL jsonb_populate_record(NULL::vrm.test_runs, coalesce(g.extra, ''{}'')) AS e',
        kept, taken, others) USING ids;
    GET DIAGNOSTICS restored = ROW_COUNT;
    INSERT INTO vrm.test_run_cases (user_id, run_id, position, case_user_id, case_id)
    SELECT r.user_id, r.id, e.position, c.user_id, c.id
    FROM vrm.test_runs r,
         jsonb_array_elements_text(r.test_case_ids) WITH ORDINALITY AS e (id, position),
         LATERAL (SELECT t.user_id, t.id FROM vrm.test_cases t
                  WHERE t.id::text = e.id AND (t.user_id = r.user_id OR t.is_shared) FOR KEY SHARE) AS c
    WHERE r.id = ANY (ids) AND jsonb_typeof(r.test_case_ids) = 'array';
    RETURN restored;
END
$$;
COMMENT ON FUNCTION vrm.restore_from_archive(uuid[]) IS
    'moves archived calls back to vrm.test_runs as they were; returns how many.  Hold them to keep them there';

CREATE OR REPLACE FUNCTION vrm_private.note_removals(reason text, ids uuid[] DEFAULT NULL, owner uuid DEFAULT NULL)
    RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm_private.archive_removals (batch_id, row_sha256, reason)
    SELECT m.batch_id, vrm.row_digest(a, m.columns), note_removals.reason
    FROM vrm_private.test_runs_archive a JOIN vrm_private.archive_manifest m ON m.batch_id = a.batch_id
    WHERE a.id = ANY (ids) OR a.user_id = owner
$$;
COMMENT ON FUNCTION vrm_private.note_removals(text, uuid[], uuid) IS
    'keeps the digests of rows that are about to leave the archive';

-- However a person goes (vrm.erase_user(), or a row less in auth.users): the archive has no foreign
-- key that would take the calls along.
CREATE OR REPLACE FUNCTION vrm_private.forget_archived() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    EXECUTE format('SELECT EXISTS (SELECT FROM vrm_private.legal_holds h'
                   ' WHERE h.released_at IS NULL AND h.user_id = $1)'
                   ' OR EXISTS (SELECT FROM vrm_private.test_runs_archive a WHERE a.user_id = $1 AND %s)',
                   vrm_private.hold_on('a.user_id', 'a.agent_id', 'a.id', 'a.started_at')) INTO held USING OLD.id;
    IF held THEN
        RAISE EXCEPTION 'user "%" is under a legal hold', OLD.id
            USING ERRCODE = 'object_in_use',
                  HINT = 'SELECT * FROM vrm_private.legal_holds WHERE released_at IS NULL;';
    END IF;
    PERFORM vrm_private.note_removals('erased', owner => OLD.id);
    DELETE FROM vrm_private.test_runs_archive a WHERE a.user_id = OLD.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.forget_archived() IS 'trigger: the archived calls of a person go with the person';
-- the name sorts behind those of the foreign keys' triggers: the live calls go first
CREATE TRIGGER forget_archived AFTER DELETE ON vrm.user_profiles
    FOR EACH ROW EXECUTE FUNCTION vrm_private.forget_archived();
COMMENT ON TRIGGER forget_archived ON vrm.user_profiles IS 'the archived calls of a person go with the person';

-- All in one transaction, as the caller's SELECT demands: CALL vrm.run_retention() is kinder to others.
CREATE OR REPLACE FUNCTION vrm.archive_old_test_runs() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    policy text;
    run bigint;
    moved bigint := 0;
BEGIN
    PERFORM vrm_private.require_read_committed('archiving');
    FOREACH policy IN ARRAY ARRAY['calls.completed', 'calls.failed'] LOOP
        run := (vrm_private.begin_retention_run(policy)).run_id;
        CONTINUE WHEN run IS NULL;
        moved := moved + vrm.retention_step(run, 0, 4294967294, 9223372036854775807);
        PERFORM vrm_private.end_retention_run(run, 'done', NULL);
    END LOOP;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION vrm.archive_old_test_runs() IS
    'the source document''s name: archives the calls that are due, in one transaction; returns how many';

REVOKE EXECUTE ON FUNCTION
    vrm.verify_archive(bigint), vrm_private.require_read_committed(text), vrm.restore_from_archive(uuid[]),
    vrm_private.note_removals(text, uuid[], uuid), vrm_private.forget_archived(), vrm.archive_old_test_runs()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.verify_archive(bigint), vrm.restore_from_archive(uuid[]), vrm.archive_old_test_runs()
    TO service_role;
