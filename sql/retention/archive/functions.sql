-- The archive: filled, verified, read and taken back from

CREATE OR REPLACE FUNCTION vrm_private.make_archive_partitions() RETURNS integer
    LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
    SELECT count(*)::integer
    FROM generate_series(0, 1) AS n,
         LATERAL (SELECT date_trunc('month', now()) + make_interval(months => n) AS low) AS month
    WHERE vrm_private.make_partition('vrm_private.test_runs_archive', to_char(low, '"test_runs_archive_"YYYY_MM'),
                                     low, low + interval '1 month')
$$;
COMMENT ON FUNCTION vrm_private.make_archive_partitions() IS
    'makes the archive''s partitions of this month and the next; returns how many it made';
REVOKE EXECUTE ON FUNCTION vrm_private.make_archive_partitions() FROM PUBLIC;

-- All of this runs for every batch, hence PL/pgSQL wherever it keeps a plan.

-- By name, never by position: a column that came and went must not shift the others.
CREATE OR REPLACE FUNCTION vrm_private.archive_columns(OUT shared name[], OUT extra name[])
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed record;
    differs boolean;
BEGIN
    SELECT array_agg(live.attname ORDER BY live.attname) FILTER (WHERE kept.attname IS NOT NULL),
           coalesce(array_agg(live.attname ORDER BY live.attname) FILTER (WHERE kept.attname IS NULL), '{}'),
           bool_or((live.type, live.atttypmod) <> (kept.type, kept.atttypmod))
    INTO shared, extra, differs
    FROM vrm_private.columns_of('vrm.test_runs') live
    LEFT JOIN vrm_private.columns_of('vrm_private.test_runs_archive') kept USING (attname);
    IF NOT differs THEN
        RETURN;
    END IF;
    SELECT live.attname AS name, format_type(live.type, live.atttypmod) AS live_type,
           format_type(kept.type, kept.atttypmod) AS kept_type INTO changed
    FROM vrm_private.columns_of('vrm.test_runs') live
    JOIN vrm_private.columns_of('vrm_private.test_runs_archive') kept USING (attname)
    WHERE (live.type, live.atttypmod) <> (kept.type, kept.atttypmod)
    LIMIT 1;
    RAISE EXCEPTION 'column "%" of vrm.test_runs has another type than in the archive', changed.name
        USING ERRCODE = 'datatype_mismatch',
              DETAIL = format('It is %s here, %s there.', changed.live_type, changed.kept_type),
              HINT = format('ALTER TABLE vrm_private.test_runs_archive ALTER COLUMN %I TYPE %s;', changed.name,
                            changed.live_type);
END
$$;
COMMENT ON FUNCTION vrm_private.archive_columns() IS
    'columns of vrm.test_runs that the archive has, too, and those it has not; an error when a type differs';

CREATE OR REPLACE FUNCTION vrm_private.columns_of(relation regclass)
    RETURNS TABLE (attname name, type oid, atttypmod integer)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT a.attname, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, a.atttypmod
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
END
$$;
COMMENT ON FUNCTION vrm_private.columns_of(regclass) IS 'columns of a table with their types, domains looked through';

CREATE OR REPLACE FUNCTION vrm_private.chain_link(
    previous bytea, batch_id bigint, run_id bigint, row_count bigint, archived_at timestamptz, columns text[],
    rows_sha256 bytea
) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sha256(coalesce(previous, '') || int8send(batch_id) || int8send(run_id) || int8send(row_count)
                  || timestamptz_send(archived_at) || convert_to(array_to_string(columns, ','), 'UTF8') || rows_sha256);
END
$$;
COMMENT ON FUNCTION vrm_private.chain_link(bytea, bigint, bigint, bigint, timestamptz, text[], bytea) IS
    'archive_manifest.chain_sha256 of a row, given that of the row before it';

CREATE OR REPLACE FUNCTION vrm_private.record_batch(
    batch_id bigint, run_id bigint, row_count bigint, archived_at timestamptz, oldest timestamptz,
    newest timestamptz, bytes bigint, columns text[], rows_sha256 bytea
) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    previous bytea := (SELECT m.chain_sha256 FROM vrm_private.archive_manifest m ORDER BY m.batch_id DESC LIMIT 1);
BEGIN
    INSERT INTO vrm_private.archive_manifest (batch_id, run_id, row_count, archived_at, oldest, newest, bytes, columns,
                                              rows_sha256, chain_sha256)
        OVERRIDING SYSTEM VALUE
    VALUES (batch_id, run_id, row_count, archived_at, oldest, newest, bytes, columns, rows_sha256,
            vrm_private.chain_link(previous, batch_id, run_id, row_count, archived_at, columns, rows_sha256));
END
$$;
COMMENT ON FUNCTION vrm_private.record_batch(bigint, bigint, bigint, timestamptz, timestamptz, timestamptz, bigint,
                                             text[], bytea) IS
    'adds a batch to the manifest and chains it to the one before; the caller holds the lock';

-- First the rows are locked; what is deleted by the second statement is therefore what was locked,
-- in its latest version, and its snapshot sees every recording that had come in before the lock.
CREATE OR REPLACE FUNCTION vrm_private.archive_by_statements(
    run vrm.retention_runs, low tid, high tid, most bigint, OUT rows_done bigint, OUT bytes_done bigint
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule record;
    names record := vrm_private.archive_columns();
    kept text := (SELECT string_agg(quote_ident(n), ', ') FROM unnest(names.shared) AS n);
    taken text := (SELECT string_agg('g.' || quote_ident(n), ', ') FROM unnest(names.shared) AS n);
    others text := coalesce('jsonb_build_object(' || (SELECT string_agg(format('%L, g.%I', n, n), ', ')
                                                      FROM unnest(names.extra) AS n) || ')', 'NULL');
    covered text[] := names.shared || ARRAY['archived_at', 'extra'];
    batch bigint := nextval(pg_get_serial_sequence('vrm_private.archive_manifest', 'batch_id'));
    archived timestamptz := clock_timestamp();
    users uuid[];
    ids uuid[];
    batch_oldest timestamptz;
    batch_newest timestamptz;
    digest bytea;
BEGIN
    SELECT * INTO STRICT rule FROM vrm_private.retention_rules() r WHERE r.policy = run.policy;
    EXECUTE format('SELECT array_agg(s.user_id), array_agg(s.id) FROM (SELECT r.user_id, r.id FROM vrm.test_runs r'
                   ' WHERE r.ctid >= $3 AND r.ctid <= $4 AND (%s) AND (%s) AND (%s) LIMIT $5'
                   ' FOR UPDATE OF r SKIP LOCKED) AS s',
                   rule.belongs, rule.due, rule.free)
        INTO users, ids USING run.cutoff, run.as_of, low, high, most;
    EXECUTE format(
        'WITH gone AS (DELETE FROM vrm.test_runs r USING unnest($5, $6) AS due (user_id, id)'
        ' WHERE r.user_id = due.user_id AND r.id = due.id AND (%s) AND (%s) AND (%s) RETURNING r.*),'
        ' put AS (INSERT INTO vrm_private.test_runs_archive (%s, archived_at, extra, batch_id)'
        ' SELECT %s, $3, %s, $4 FROM gone g RETURNING *)'
        ' SELECT count(*), sum(s.bytes), min(s.completed_at), max(s.completed_at),'
        ' sha256(string_agg(s.digest, '''' ORDER BY s.digest))'
        ' FROM (SELECT put.completed_at, %s AS bytes, vrm.row_digest(put, $7) AS digest FROM put) AS s',
        rule.belongs, rule.due, rule.free, kept, taken, others, replace(rule.size, 'r.', 'put.'))
        INTO rows_done, bytes_done, batch_oldest, batch_newest, digest
        USING run.cutoff, run.as_of, archived, batch, users, ids, covered;
    IF rows_done > 0 THEN
        PERFORM vrm_private.record_batch(batch, run.run_id, rows_done, archived, batch_oldest, batch_newest, bytes_done,
                                         covered, digest);
    END IF;
    bytes_done := coalesce(bytes_done, 0);
END
$$;
COMMENT ON FUNCTION vrm_private.archive_by_statements(vrm.retention_runs, tid, tid, bigint) IS
    'moves the calls that are due in a range of rows, whatever triggers and foreign keys there are';

-- Below the executor neither triggers nor foreign keys are heeded.  Those of the platform are looked
-- after by archive_batch(); with any other, or columns that only SQL can fill, statements do it.
CREATE OR REPLACE FUNCTION vrm_private.archive_partition(archived timestamptz, shared name[]) RETURNS regclass
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
    SELECT c.oid::regclass
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_class live ON live.oid = 'vrm.test_runs'::regclass
    WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass
      AND c.relname = to_char(archived AT TIME ZONE 'UTC', '"test_runs_archive_"YYYY_MM')
      AND c.relkind = 'r' AND live.relkind = 'r' AND NOT c.relhasrules AND NOT live.relhasrules
      AND NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND NOT a.attisdropped
                        AND (a.attidentity <> '' OR a.attgenerated <> ''
                             OR a.atthasdef AND a.attname <> 'archived_at' AND a.attname <> ALL (shared)))
      AND NOT EXISTS (SELECT FROM pg_trigger t
                      LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
                      WHERE (t.tgrelid = c.oid OR t.tgrelid = live.oid AND t.tgtype & 8 <> 0)
                        AND t.tgenabled IN ('O', 'A')
                        AND t.tgfoid NOT IN ('vrm.record_facts()'::regprocedure,
                                             'vrm_private.refuse_held()'::regprocedure,
                                             'vrm_private.forget_words()'::regprocedure)
                        AND (k.contype = 'f' AND k.confdeltype = 'c'
                             AND k.conrelid IN ('vrm.test_run_cases'::regclass, 'vrm.transcript_turns'::regclass,
                                                'vrm.run_actions'::regclass, 'vrm.call_recordings'::regclass))
                            IS NOT TRUE));
END
$$;
COMMENT ON FUNCTION vrm_private.archive_partition(timestamptz, name[]) IS
    'the partition that vrm.archive_rows() may put calls into; null when it must not';

-- Rows are removed in the version that the query has seen, or left.  What hangs on them goes after
-- them, when nothing can be hung on them any more.
CREATE OR REPLACE FUNCTION vrm_private.archive_batch(
    run vrm.retention_runs, low tid, high tid, most bigint, OUT rows_done bigint, OUT bytes_done bigint
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule record;
    names record := vrm_private.archive_columns();
    covered text[] := names.shared || ARRAY['archived_at', 'extra'];
    archived timestamptz := clock_timestamp();
    goal regclass := vrm_private.archive_partition(archived, names.shared);
    batch bigint;
    moved record;
BEGIN
    IF goal IS NULL OR names.extra <> '{}' THEN
        SELECT s.* INTO rows_done, bytes_done FROM vrm_private.archive_by_statements(run, low, high, most) AS s;
        RETURN;
    END IF;
    batch := nextval(pg_get_serial_sequence('vrm_private.archive_manifest', 'batch_id'));
    SELECT * INTO STRICT rule FROM vrm_private.retention_rules() r WHERE r.policy = run.policy;
    EXECUTE format('SELECT m.*, due.bytes * m.row_count / cardinality(due.places) AS bytes FROM'
                   ' (SELECT array_agg(s.ctid) AS places, sum(s.bytes) AS bytes FROM (SELECT r.ctid, %s AS bytes'
                   ' FROM vrm.test_runs r WHERE r.ctid >= $3 AND r.ctid <= $4 AND (%s) AND (%s) AND (%s) LIMIT $5) AS s'
                   ' HAVING count(*) > 0) AS due,'
                   ' vrm.archive_rows(''vrm.test_runs'', $6, due.places, $7, $8, $9) AS m',
                   rule.size, rule.belongs, rule.due, rule.free)
        INTO moved USING run.cutoff, run.as_of, low, high, most, goal, covered, archived, batch;
    rows_done := coalesce(moved.row_count, 0);
    bytes_done := coalesce(moved.bytes, 0);
    IF rows_done = 0 THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM unnest(moved.users, moved.ids) AS gone (user_id, run_id)
               WHERE EXISTS (SELECT FROM vrm.call_recordings c
                             WHERE c.user_id = gone.user_id AND c.run_id = gone.run_id)
                  OR EXISTS (SELECT FROM vrm.transcript_turns t
                             WHERE t.user_id = gone.user_id AND t.run_id = gone.run_id)
                  OR EXISTS (SELECT FROM vrm.run_actions a
                             WHERE a.user_id = gone.user_id AND a.run_id = gone.run_id)) THEN
        RAISE EXCEPTION 'something was added to a call while it was being archived'
            USING ERRCODE = 'serialization_failure', HINT = 'The next run takes it: CALL vrm.maintain();';
    END IF;
    DELETE FROM vrm.test_run_cases c USING unnest(moved.users, moved.ids) AS gone (user_id, run_id)
    WHERE c.user_id = gone.user_id AND c.run_id = gone.run_id;
    PERFORM vrm_private.record_batch(batch, run.run_id, rows_done, archived, moved.oldest, moved.newest, bytes_done,
                                     covered, moved.rows_sha256);
END
$$;
COMMENT ON FUNCTION vrm_private.archive_batch(vrm.retention_runs, tid, tid, bigint) IS
    'moves the calls that are due in a range of rows to the archive, with a row of the manifest';

REVOKE EXECUTE ON FUNCTION
    vrm_private.archive_columns(), vrm_private.columns_of(regclass),
    vrm_private.chain_link(bytea, bigint, bigint, bigint, timestamptz, text[], bytea),
    vrm_private.record_batch(bigint, bigint, bigint, timestamptz, timestamptz, timestamptz, bigint, text[], bytea),
    vrm_private.archive_by_statements(vrm.retention_runs, tid, tid, bigint),
    vrm_private.archive_partition(timestamptz, name[]),
    vrm_private.archive_batch(vrm.retention_runs, tid, tid, bigint)
    FROM PUBLIC;

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

CREATE OR REPLACE FUNCTION vrm_private.fetch_archived() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.restore_from_archive(ARRAY[a.id])
    FROM vrm_private.test_runs_archive a
    WHERE a.user_id = NEW.user_id AND a.source = NEW.source AND a.external_id = NEW.external_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.fetch_archived() IS
    'trigger: a report of an archived call brings it back, to be amended; the next run of retention archives it again';
REVOKE EXECUTE ON FUNCTION vrm_private.fetch_archived() FROM PUBLIC;

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
