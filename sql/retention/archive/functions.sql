-- The archive: filled, verified, read and taken back from

CREATE OR REPLACE FUNCTION vrm_private.make_archive_partitions() RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
BEGIN
    RETURN (
        SELECT count(*)::integer
        FROM generate_series(0, 1) AS n,
             LATERAL (SELECT date_trunc('month', now()) + make_interval(months => n) AS low) AS month
        WHERE vrm_private.make_partition('vrm_private.test_runs_archive', to_char(low, '"test_runs_archive_"YYYY_MM'),
                                         low, low + interval '1 month'));
END
$$;
COMMENT ON FUNCTION vrm_private.make_archive_partitions() IS
    'makes the archive''s partitions of this month and the next; returns how many it made';
REVOKE EXECUTE ON FUNCTION vrm_private.make_archive_partitions() FROM PUBLIC;

-- All of this runs for every batch, hence PL/pgSQL wherever it keeps a plan.

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
-- in its latest version, and its snapshot sees every recording that had come in before the lock.  Values
-- without a column in the archive are kept as text, as exact as a dump has them, whatever the session says.
-- The statement is made up for the columns that both tables have by now.
CREATE OR REPLACE FUNCTION vrm_private.archive_by_statements(
    run vrm.retention_runs, again boolean, only_in oid, after tid, last tid, most bigint, most_bytes bigint,
    OUT rows_done bigint, OUT rows_seen bigint, OUT bytes_done bigint, OUT reached tid
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 3 SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'postgres' SET timezone = 'UTC' SET bytea_output = 'hex' SET quote_all_identifiers = off
    SET lc_monetary = 'C' AS $$
DECLARE
    names record := vrm_private.archive_columns(only_in);
    kept text := (SELECT string_agg(quote_ident(n), ', ') FROM unnest(names.shared) AS n);
    mine text := (SELECT string_agg('r.' || quote_ident(n), ', ') FROM unnest(names.shared) AS n);
    put text := (SELECT string_agg(CASE n WHEN 'results_sha256'
                                          THEN 'coalesce(r.results_sha256, vrm.document_digest(r.results))'
                                          ELSE 'r.' || quote_ident(n) END, ', ') FROM unnest(names.shared) AS n);
    others text := coalesce((SELECT 'jsonb_build_object('''', ''text'', '
                                    || string_agg(format('%L, r.%I::text', n, n), ', ') || ')'
                             FROM unnest(names.extra) AS n), 'NULL::jsonb');
    covered text[] := vrm_private.covered_columns(names.shared);
    batch bigint := nextval(pg_get_serial_sequence('vrm_private.archive_manifest', 'batch_id'));
    archived timestamptz := clock_timestamp();
    due tid[];
    users uuid[];
    ids uuid[];
    batch_oldest timestamptz;
    batch_newest timestamptz;
    digest bytea;
    wanted bigint;
    taken bigint;
BEGIN
    SELECT array_agg(b.place), count(*), max(b.place) FILTER (WHERE b.is_limit) INTO due, rows_seen, reached
    FROM vrm_private.rows_of_batch(run, again, only_in, after, last, most, most_bytes) b;
    SELECT array_agg(s.user_id), array_agg(s.id) INTO users, ids
    FROM (SELECT r.user_id, r.id FROM vrm.test_runs r WHERE r.tableoid = only_in AND r.ctid = ANY (due)
          FOR UPDATE OF r SKIP LOCKED) AS s;
    EXECUTE format(
        'WITH due AS MATERIALIZED (SELECT d.place, d.bytes'
        ' FROM (%6$s) d'
        ' JOIN unnest($8, $9) AS mine (user_id, id) ON mine.user_id = d.user_id AND mine.id = d.call_id),'
        ' gone AS (DELETE FROM ONLY %1$s r USING due d WHERE r.ctid = d.place RETURNING %2$s, %3$s AS "vrm others",'
        ' d.bytes AS "vrm bytes"),'
        ' put AS (INSERT INTO vrm_private.test_runs_archive (%4$s, archived_at, extra, batch_id)'
        ' OVERRIDING SYSTEM VALUE SELECT %5$s, $10, r."vrm others", $11 FROM gone r RETURNING *),'
        ' digests AS (SELECT put.completed_at, vrm.row_digest(put.*, $12) AS digest FROM put)'
        ' SELECT count(*), (SELECT sum(g."vrm bytes") FROM gone g), min(s.completed_at), max(s.completed_at),'
        ' sha256(string_agg(s.digest, '''' ORDER BY s.digest)), (SELECT count(*) FROM due),'
        ' (SELECT count(*) FROM gone) FROM digests s',
        only_in::regclass, mine, others, kept, put, vrm_private.due_rows_query(run.policy))
        INTO rows_done, bytes_done, batch_oldest, batch_newest, digest, wanted, taken
        USING run.policy, run.cutoff, run.as_of, again, only_in, after, last, users, ids, archived, batch, covered;
    -- or calls would be in neither table
    PERFORM vrm_private.check_taken(only_in, wanted, taken),
            vrm_private.check_taken('vrm_private.test_runs_archive'::regclass, taken, rows_done);
    IF rows_done > 0 THEN
        PERFORM vrm_private.record_batch(batch, run.run_id, rows_done, archived, batch_oldest, batch_newest, bytes_done,
                                         covered, digest);
    END IF;
    bytes_done := coalesce(bytes_done, 0);
END
$$;
COMMENT ON FUNCTION vrm_private.archive_by_statements(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint) IS
    'moves the calls that are due between two places of a table, whatever triggers and foreign keys there are';

-- Below the executor neither triggers nor foreign keys are heeded.  Those of the platform are looked
-- after by archive_rows_of(); with any other, or columns that only SQL can fill, statements do it.
CREATE OR REPLACE FUNCTION vrm_private.archive_partition(live regclass, archived timestamptz, shared name[])
    RETURNS regclass
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
    SELECT c.oid::regclass
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_class l ON l.oid = live
    WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass
      AND vrm_private.partition_bounds(i.inhrelid) @> archived
      AND c.relkind = 'r' AND l.relkind = 'r' AND NOT c.relhasrules AND NOT l.relhasrules
      AND NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND NOT a.attisdropped
                        AND (a.attidentity <> '' OR a.attgenerated <> ''
                             OR a.atthasdef AND a.attname <> 'archived_at' AND a.attname <> ALL (shared)))
      -- one that is not stored would arrive as null
      AND NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = live AND a.attgenerated = 'v' AND a.attname = ANY (shared))
      AND NOT EXISTS (SELECT FROM pg_trigger t
                      LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
                      WHERE (t.tgrelid IN (c.oid, i.inhparent) AND t.tgtype & 4 <> 0
                             OR t.tgrelid IN (live, 'vrm.test_runs'::regclass) AND t.tgtype & 8 <> 0)
                        AND t.tgenabled IN ('O', 'A')
                        AND t.tgfoid NOT IN ('vrm.record_facts()'::regprocedure,
                                             'vrm_private.refuse_held()'::regprocedure,
                                             'vrm_private.forget_words()'::regprocedure)
                        AND (k.contype = 'f' AND k.confdeltype = 'c'
                             AND k.conrelid IN ('vrm.test_run_cases'::regclass, 'vrm.transcript_turns'::regclass,
                                                'vrm.run_actions'::regclass, 'vrm.call_recordings'::regclass))
                            IS NOT TRUE)
      -- deleting their cases would set these off
      AND NOT EXISTS (SELECT FROM vrm_private.foreign_references('vrm.test_run_cases')));
END
$$;
COMMENT ON FUNCTION vrm_private.archive_partition(regclass, timestamptz, name[]) IS
    'the partition that vrm.archive_rows() may put calls of a table into; null when it must not';

-- Rows are removed in the version that the query has seen, or left.  What hangs on them goes after
-- them, when nothing can be hung on them any more.
CREATE OR REPLACE FUNCTION vrm_private.archive_rows_of(
    run vrm.retention_runs, again boolean, only_in oid, after tid, last tid, most bigint, most_bytes bigint,
    OUT rows_done bigint, OUT rows_seen bigint, OUT bytes_done bigint, OUT reached tid
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names record := vrm_private.archive_columns(only_in);
    covered text[] := vrm_private.covered_columns(names.shared);
    archived timestamptz := clock_timestamp();
    goal regclass := vrm_private.archive_partition(only_in, archived, names.shared);
    batch bigint;
    moved record;
BEGIN
    IF goal IS NULL OR names.extra <> '{}' THEN
        SELECT s.rows_done, s.rows_seen, s.bytes_done, s.reached INTO rows_done, rows_seen, bytes_done, reached
        FROM vrm_private.archive_by_statements(run, again, only_in, after, last, most, most_bytes) AS s;
        RETURN;
    END IF;
    batch := nextval(pg_get_serial_sequence('vrm_private.archive_manifest', 'batch_id'));
    SELECT m.*, due.seen, due.reached, due.bytes * m.row_count / due.seen AS bytes INTO moved
    FROM (SELECT array_agg(b.place) AS places, sum(b.bytes) AS bytes, count(*) AS seen,
                 max(b.place) FILTER (WHERE b.is_limit) AS reached
          FROM vrm_private.rows_of_batch(run, again, only_in, after, last, most, most_bytes) b
          HAVING count(*) > 0) AS due,
         vrm.archive_rows(only_in, goal, due.places, covered, archived, batch) AS m;
    rows_done := coalesce(moved.row_count, 0);
    rows_seen := coalesce(moved.seen, 0);
    bytes_done := coalesce(moved.bytes, 0);
    reached := moved.reached;
    IF rows_done = 0 THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM unnest(moved.users, moved.ids) AS gone (user_id, run_id)
               WHERE EXISTS (SELECT FROM vrm.call_recordings c
                             WHERE c.user_id = gone.user_id AND c.run_id = gone.run_id)
                  OR EXISTS (SELECT FROM vrm.transcript_turns t
                             WHERE t.user_id = gone.user_id AND t.run_id = gone.run_id)
                  OR EXISTS (SELECT FROM vrm.run_actions a
                             WHERE a.user_id = gone.user_id AND a.run_id = gone.run_id))
       -- the partition was not locked before
       OR goal IS DISTINCT FROM vrm_private.archive_partition(only_in, archived, names.shared) THEN
        RAISE EXCEPTION 'something was added to a call, or to its table, while it was being archived'
            USING ERRCODE = 'serialization_failure', HINT = 'The next run takes it: CALL vrm.maintain();';
    END IF;
    DELETE FROM vrm.test_run_cases c USING unnest(moved.users, moved.ids) AS gone (user_id, run_id)
    WHERE c.user_id = gone.user_id AND c.run_id = gone.run_id;
    PERFORM vrm_private.record_batch(batch, run.run_id, rows_done, archived, moved.oldest, moved.newest, bytes_done,
                                     covered, moved.rows_sha256);
END
$$;
COMMENT ON FUNCTION vrm_private.archive_rows_of(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint) IS
    'moves the calls that are due between two places of a table to the archive, with a row of the manifest';

-- Whoever makes a trigger, a foreign key or a column has committed before the lock is given, and is seen
-- by what is looked at afterwards.  Without a table, the batch is about all of them.
CREATE OR REPLACE FUNCTION vrm_private.archive_batch(
    run vrm.retention_runs, again boolean, only_in oid, after tid, last tid, most bigint, most_bytes bigint,
    OUT rows_done bigint, OUT rows_seen bigint, OUT bytes_done bigint, OUT reached tid
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relations oid[] := ARRAY[only_in];
    relation oid;
    done record;
BEGIN
    LOCK TABLE vrm.test_runs IN ROW EXCLUSIVE MODE;
    rows_done := 0;
    rows_seen := 0;
    bytes_done := 0;
    IF only_in IS NULL THEN
        relations := ARRAY(SELECT DISTINCT d.relation
                           FROM vrm_private.due_rows(run.policy, run.cutoff, run.as_of, again) d);
    END IF;
    FOREACH relation IN ARRAY relations LOOP
        SELECT * INTO done
        FROM vrm_private.archive_rows_of(run, again, relation, after, last, most - rows_seen, most_bytes);
        rows_done := rows_done + done.rows_done;
        rows_seen := rows_seen + done.rows_seen;
        bytes_done := bytes_done + done.bytes_done;
        reached := done.reached;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.archive_batch(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint) IS
    'moves the calls that are due between two places of a table, or in all tables';

REVOKE EXECUTE ON FUNCTION
    vrm_private.chain_link(bytea, bigint, bigint, bigint, timestamptz, text[], bytea),
    vrm_private.record_batch(bigint, bigint, bigint, timestamptz, timestamptz, timestamptz, bigint, text[], bytea),
    vrm_private.archive_by_statements(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint),
    vrm_private.archive_partition(regclass, timestamptz, name[]),
    vrm_private.archive_rows_of(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint),
    vrm_private.archive_batch(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint)
    FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.verify_archive(run_id bigint DEFAULT NULL)
    RETURNS TABLE (batch_id bigint, batch_run_id bigint, ok boolean, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM vrm.require_grant('vrm.verify_archive(bigint)');
    RETURN QUERY
        WITH links AS (
            SELECT m.*, lag(m.chain_sha256) OVER (ORDER BY m.batch_id) AS previous FROM vrm_private.archive_manifest m
        ), chosen AS (
            SELECT l.*, vrm_private.columns_left(l.columns) AS columns_left FROM links l
            WHERE verify_archive.run_id IS NULL OR l.run_id = verify_archive.run_id
        ), present AS (
            SELECT a.batch_id, vrm_private.archived_digest(a.*, c.columns_left) AS digest,
                   vrm_private.has_its_results(a.*, c.columns_left) AS intact, true AS there
            FROM chosen c
            JOIN vrm_private.test_runs_archive a ON a.batch_id = c.batch_id AND a.archived_at = c.archived_at
            UNION ALL
            SELECT r.batch_id, r.row_sha256, true, false
            FROM vrm_private.archive_removals r JOIN chosen c ON c.batch_id = r.batch_id
        ), found AS (
            SELECT p.batch_id, count(*) AS row_count, bool_and(p.intact) AS intact, bool_or(p.there) AS there,
                   sha256(string_agg(p.digest, '' ORDER BY p.digest)) AS rows_sha256
            FROM present p GROUP BY p.batch_id
        ), doubles AS (
            SELECT a.batch_id, count(*) AS row_count
            FROM chosen c
            JOIN vrm_private.test_runs_archive a ON a.batch_id = c.batch_id AND a.archived_at = c.archived_at
            WHERE EXISTS (SELECT FROM vrm.test_runs r WHERE r.user_id = a.user_id AND r.id = a.id)
               OR EXISTS (SELECT FROM vrm_private.test_runs_archive o
                          WHERE o.user_id = a.user_id AND o.id = a.id
                            AND (o.archived_at, o.batch_id) IS DISTINCT FROM (a.archived_at, a.batch_id))
            GROUP BY a.batch_id
        ), judged AS (
            SELECT c.batch_id, c.run_id,
                   CASE WHEN c.chain_sha256 IS DISTINCT FROM vrm_private.chain_link(
                                 c.previous, c.batch_id, c.run_id, c.row_count, c.archived_at, c.columns, c.rows_sha256)
                        THEN 'the manifest was changed here or before'
                        WHEN g.gone IS NOT NULL THEN NULL
                        WHEN c.columns_left <> c.columns AND f.there
                        THEN format('column "%s" is not in the archive any more: it was renamed or dropped',
                                    (SELECT n FROM unnest(c.columns) AS n WHERE n <> ALL (c.columns_left) LIMIT 1))
                        WHEN f.row_count IS DISTINCT FROM c.row_count
                        THEN format('%s rows of %s are there', coalesce(f.row_count, 0), c.row_count)
                        WHEN f.intact IS NOT TRUE OR f.rows_sha256 IS DISTINCT FROM c.rows_sha256
                        THEN 'rows were changed'
                        WHEN d.row_count > 0 THEN format('%s calls that are elsewhere, too', d.row_count) END AS wrong,
                   concat_ws(', ', format('%s rows', c.row_count), g.gone) AS right
            FROM chosen c
            CROSS JOIN LATERAL vrm_private.gone_on_purpose(c.batch_id, c.purged_at) AS g (gone)
            LEFT JOIN found f ON f.batch_id = c.batch_id
            LEFT JOIN doubles d ON d.batch_id = c.batch_id
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
    'compares the archived rows of a run, or of all, with the manifest: one row per batch';

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

CREATE OR REPLACE FUNCTION vrm_private.note_removals(reason text, ids uuid[] DEFAULT NULL, owner uuid DEFAULT NULL)
    RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm_private.archive_removals (batch_id, row_sha256, reason)
    SELECT m.batch_id, vrm_private.archived_digest(a.*, vrm_private.columns_left(m.columns)), note_removals.reason
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
    held := EXISTS (SELECT FROM vrm_private.legal_holds h WHERE h.released_at IS NULL AND h.user_id = OLD.id)
            OR EXISTS (SELECT FROM vrm_private.test_runs_archive a,
                                   vrm_private.holds_on(a.user_id, a.agent_id, a.id, a.started_at) h
                       WHERE a.user_id = OLD.id);
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

CREATE OR REPLACE FUNCTION vrm_private.wait_for_retention() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.wait_for_retention() IS 'trigger: waits for the batch that is under way';

-- What one row refuses must not keep the others: halves are tried until it is found.  Errors of locks, of the
-- session and of what is not there or not allowed are nobody's but the caller's.
CREATE OR REPLACE FUNCTION vrm_private.archive_blocks(run_id bigint, first_block bigint, last_block bigint)
    RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    not_the_rows constant text := '^(08|0A|25|40001|40P01|42|53|55P03|57|58|F0|XX)';
    middle bigint := (first_block + last_block) / 2;
    moved bigint := 0;
    step bigint;
BEGIN
    BEGIN
        RETURN coalesce(vrm.retention_step(run_id, first_block, last_block, 9223372036854775807), 0);
    EXCEPTION WHEN OTHERS THEN
        IF sqlstate ~ not_the_rows THEN
            RAISE;
        END IF;
    END;
    IF first_block < last_block THEN
        RETURN vrm_private.archive_blocks(run_id, first_block, middle)
               + vrm_private.archive_blocks(run_id, middle + 1, last_block);
    END IF;
    LOOP
        BEGIN
            step := vrm.retention_step(run_id, first_block, first_block, 1);
            EXIT WHEN coalesce(step, 0) = 0;
            moved := moved + step;
        EXCEPTION WHEN OTHERS THEN
            IF sqlstate ~ not_the_rows THEN
                RAISE;
            END IF;
            EXIT WHEN NOT vrm_private.note_refusal(run_id, false, NULL, format('(%s,0)', first_block)::tid,
                                                   format('(%s,65535)', first_block)::tid, sqlstate, sqlerrm);
        END;
    END LOOP;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION vrm_private.archive_blocks(bigint, bigint, bigint) IS
    'archives the calls that are due between two blocks, but those that something refuses to let go';

-- All in one transaction, as the caller's SELECT demands: CALL vrm.run_retention() is kinder to others.
CREATE OR REPLACE FUNCTION vrm.archive_old_test_runs() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chosen text;
    run bigint;
    moved bigint := 0;
BEGIN
    PERFORM vrm.require_grant('vrm.archive_old_test_runs()');
    PERFORM vrm_private.require_read_committed('archiving');
    PERFORM vrm_private.check_columns();
    FOREACH chosen IN ARRAY ARRAY['calls.completed', 'calls.failed'] LOOP
        run := (vrm_private.begin_retention_run(chosen)).run_id;
        CONTINUE WHEN run IS NULL;
        DELETE FROM vrm.retention_refused f WHERE f.policy = chosen;  -- they are tried again
        moved := moved + vrm_private.archive_blocks(run, 0, 4294967294);
        PERFORM vrm_private.end_retention_run(run, 'done', NULL);
    END LOOP;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION vrm.archive_old_test_runs() IS
    'the source document''s name: archives the calls that are due, in one transaction; returns how many';

REVOKE EXECUTE ON FUNCTION
    vrm.verify_archive(bigint), vrm_private.require_read_committed(text),
    vrm_private.note_removals(text, uuid[], uuid), vrm_private.forget_archived(),
    vrm_private.wait_for_retention(), vrm_private.archive_blocks(bigint, bigint, bigint), vrm.archive_old_test_runs()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.verify_archive(bigint), vrm.archive_old_test_runs()
    TO service_role;
