-- Retention: calls on their way to the archive ------------------------------------------------------

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
                                             'vrm_private.refuse_held()'::regprocedure)
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
