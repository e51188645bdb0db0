-- Retention: what is due, and runs that take it away

-- In UTC whatever the session's TimeZone: a month before the end of March is another hour elsewhere.
CREATE OR REPLACE FUNCTION vrm_private.retention_cutoff(keep interval, at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    -- the calendar begins in 4713 BC: a period that goes further back keeps everything
    SELECT CASE WHEN keep > interval '6000 years' THEN '-infinity'
                ELSE ((at AT TIME ZONE 'UTC') - keep) AT TIME ZONE 'UTC' END
$$;
COMMENT ON FUNCTION vrm_private.retention_cutoff(interval, timestamptz) IS
    'the moment before which things are older than "keep", in UTC';

-- One batch of whatever policy at a time, and holds and erasures between batches, never within one.
CREATE OR REPLACE FUNCTION vrm_private.retention_lock() RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS 'SELECT 8462091843120931';
COMMENT ON FUNCTION vrm_private.retention_lock() IS 'key of the advisory lock that serialises batches';

-- Floors are kept on every day of a leap year's cycle, and so is what they mean: 360 days compare as equal
-- to a year, 28 days are a month in February only.
CREATE OR REPLACE FUNCTION vrm_private.is_as_long(keep interval, floor interval) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT bool_and(vrm_private.retention_cutoff(keep, day AT TIME ZONE 'UTC')
                    <= vrm_private.retention_cutoff(floor, day AT TIME ZONE 'UTC'))
    FROM generate_series('2023-01-01'::timestamp, '2026-12-31', '1 day') AS day
$$;
COMMENT ON FUNCTION vrm_private.is_as_long(interval, interval) IS
    'whether a period is as long as another one, whatever day it is counted back from';

CREATE OR REPLACE FUNCTION vrm_private.fate(policy text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN policy = 'calls.active' THEN 'keep'
                WHEN policy LIKE 'calls.%' THEN 'move to vrm_private.test_runs_archive'
                WHEN policy = 'archive' THEN 'drop partitions of vrm_private.test_runs_archive'
                WHEN policy LIKE 'logs.%' THEN 'drop partitions of vrm.logs_' || substr(policy, 6)
                WHEN policy = 'recordings' THEN 'delete, and the object through vrm.claim_purges()'
                WHEN policy = 'users.inactive' THEN 'vrm.delete_account()'
                WHEN policy = 'users.deleted' THEN 'vrm.erase_user()'
                ELSE 'delete' END
$$;
COMMENT ON FUNCTION vrm_private.fate(text) IS 'what becomes of the rows of a policy';

CREATE OR REPLACE FUNCTION vrm_private.total_rows(
    policy text, cutoff timestamptz, OUT old_rows bigint, OUT due_rows bigint, OUT due_bytes bigint,
    OUT oldest timestamptz
)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    query text := vrm_private.old_rows_query(policy);
BEGIN
    SELECT 0, 0, 0 INTO old_rows, due_rows, due_bytes;
    IF query IS NOT NULL THEN
        EXECUTE 'SELECT count(*) FROM (' || query || ') o' INTO old_rows USING policy, cutoff, now();
        EXECUTE 'SELECT count(*), coalesce(sum(d.bytes), 0), min(d.age) FROM ('
                || vrm_private.due_rows_query(policy) || ') d' INTO due_rows, due_bytes, oldest
        USING policy, cutoff, now(), false, NULL::oid, '(0,0)'::tid, '(4294967294,65535)'::tid;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.total_rows(text, timestamptz) IS
    'how many rows of a policy are old enough now, and how many of them a run would take';

CREATE OR REPLACE FUNCTION vrm.retention_preview(policy text DEFAULT NULL)
    RETURNS TABLE (policy_name text, cutoff timestamptz, due_rows bigint, due_bytes bigint, held_rows bigint,
                   oldest timestamptz, plan text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chosen vrm.retention_policies;
    whole record;
    old bigint;
BEGIN
    PERFORM vrm.require_grant('vrm.retention_preview(text)');
    PERFORM vrm_private.check_policy(retention_preview.policy);
    PERFORM vrm_private.check_columns();
    FOR chosen IN
        SELECT * FROM vrm.retention_policies p
        WHERE p.name = retention_preview.policy OR retention_preview.policy IS NULL
        ORDER BY p.name
    LOOP
        policy_name := chosen.name;
        cutoff := vrm_private.retention_cutoff(chosen.keep, now());
        IF chosen.keep IS NULL OR NOT chosen.enabled THEN
            -- rows with a period of their own stay, too: no run looks at them
            SELECT 0, 0, 0, NULL, CASE WHEN chosen.keep IS NULL THEN 'keep for ever' ELSE 'nothing, disabled' END
            INTO due_rows, due_bytes, held_rows, oldest, plan;
            RETURN NEXT;
            CONTINUE;
        END IF;
        plan := vrm_private.fate(chosen.name);
        SELECT t.* INTO old, due_rows, due_bytes, oldest
        FROM vrm_private.total_rows(chosen.name, retention_preview.cutoff) t;
        held_rows := old - due_rows;
        SELECT coalesce(sum(p.row_count) FILTER (WHERE NOT p.held), 0) AS due,
               coalesce(sum(p.bytes) FILTER (WHERE NOT p.held), 0) AS bytes,
               coalesce(sum(p.row_count) FILTER (WHERE p.held), 0) AS held,
               min(p.oldest) FILTER (WHERE NOT p.held) AS oldest INTO whole
        FROM vrm_private.due_partitions(chosen.name, retention_preview.cutoff) p;
        due_rows := due_rows + whole.due;
        due_bytes := due_bytes + whole.bytes;
        held_rows := held_rows + whole.held;
        oldest := least(oldest, whole.oldest);
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.retention_preview(text) IS
    'what a run would do now, to the row: how much is due, how much is held, since when, and what becomes of it';

-- A row cannot be of several policies, since a function says which.
CREATE OR REPLACE FUNCTION vrm.retention_coverage()
    RETURNS TABLE (target text, no_policy bigint, several_policies bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.retention_coverage()');
    WITH kinds (target, policy, rows) AS (
        SELECT 'vrm.test_runs', vrm_private.policy_of_call(r.status), count(*) FROM vrm.test_runs r GROUP BY r.status
        UNION ALL
        SELECT 'vrm.user_profiles', vrm_private.policy_of_account(r.deleted_at), count(*)
        FROM vrm.user_profiles r GROUP BY 2
        UNION ALL
        SELECT 'vrm.logs_' || r.class, 'logs.' || r.class, count(*) FROM vrm.logs r GROUP BY r.class
        UNION ALL
        SELECT 'vrm.test_runs', 'calls.active', 0
        UNION ALL
        SELECT 'vrm.user_profiles', 'users.inactive', 0 UNION ALL
        SELECT 'vrm.logs_' || class, 'logs.' || class, 0 FROM unnest('{application,error,analytics}'::text[]) AS class
        UNION ALL
        SELECT 'vrm_private.test_runs_archive', 'archive', count(*) FROM vrm_private.test_runs_archive
        UNION ALL
        SELECT 'vrm.call_recordings', 'recordings', count(*) FROM vrm.call_recordings
        UNION ALL
        SELECT 'vrm.call_facts', 'analytics.facts', count(*) FROM vrm.call_facts
        UNION ALL
        SELECT 'vrm.call_rollup', 'analytics.rollups', count(*) FROM vrm.call_rollup
        UNION ALL
        SELECT * FROM vrm_private.covered_by_rules()
    )
    SELECT k.target, coalesce(sum(k.rows) FILTER (WHERE p.name IS NULL), 0)::bigint, 0::bigint
    FROM kinds k LEFT JOIN vrm.retention_policies p ON p.name = k.policy AND p.enabled
    GROUP BY k.target
    ORDER BY k.target
$$;
COMMENT ON FUNCTION vrm.retention_coverage() IS
    'rows that no enabled policy is about, or several are: both should be 0 everywhere';

CREATE OR REPLACE FUNCTION vrm_private.check_policy(policy text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF policy IS NOT NULL AND NOT EXISTS (SELECT FROM vrm.retention_policies WHERE name = policy) THEN
        RAISE EXCEPTION 'retention policy "%" does not exist', policy
            USING ERRCODE = 'undefined_object',
                  HINT = 'SELECT name, keep FROM vrm.retention_policies;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_policy(text) IS 'an error when there is no such policy';

CREATE OR REPLACE FUNCTION vrm.stop_retention(run_id bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.stop_retention(bigint)');
    UPDATE vrm.retention_runs r SET stop_requested = true
    WHERE r.run_id = stop_retention.run_id AND r.state = 'running';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'retention run % is not running', coalesce(run_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT run_id, policy FROM vrm.retention_progress;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.stop_retention(bigint) IS
    'asks a run to stop after its batch; what it has done stays done, the next run goes on';

REVOKE EXECUTE ON FUNCTION
    vrm_private.retention_cutoff(interval, timestamptz),
    vrm_private.retention_lock(),
    vrm_private.is_as_long(interval, interval),
    vrm_private.fate(text),
    vrm_private.check_policy(text),
    vrm_private.total_rows(text, timestamptz),
    vrm.retention_preview(text),
    vrm.retention_coverage(),
    vrm.stop_retention(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm_private.is_as_long(interval, interval),  -- whoever changes a period is checked with it
    vrm.retention_preview(text),
    vrm.retention_coverage(),
    vrm.stop_retention(bigint)
    TO service_role;

-- A run whose backend is gone, or has begun another one, was interrupted; what it committed stays.
CREATE OR REPLACE FUNCTION vrm_private.begin_retention_run(
    policy text, OUT run_id bigint, OUT batch_rows integer, OUT batch_ms double precision,
    OUT nice_ratio double precision, OUT max_lag_ms double precision, OUT max_runtime_ms double precision
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings vrm.retention_policies;
    other vrm.retention_runs;
    as_of timestamptz := clock_timestamp();
BEGIN
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    PERFORM vrm_private.check_policy(policy);
    PERFORM vrm_private.check_clock();
    SELECT * INTO settings FROM vrm.retention_policies p WHERE p.name = policy;
    IF settings.keep IS NULL OR NOT settings.enabled THEN
        RETURN;
    END IF;
    SELECT * INTO other FROM vrm.retention_runs r
    WHERE r.policy = begin_retention_run.policy AND r.state = 'running';
    IF other.pid <> pg_backend_pid()
       AND EXISTS (SELECT FROM pg_stat_activity a
                   WHERE a.pid = other.pid AND a.backend_start = other.backend_start) THEN
        RAISE NOTICE 'policy "%" is already being run', policy
            USING DETAIL = format('Run %s is under way in the server process %s.', other.run_id, other.pid),
                  HINT = 'SELECT * FROM vrm.retention_progress;';
        RETURN;
    END IF;
    UPDATE vrm.retention_runs r
    SET state = 'interrupted', finished_at = clock_timestamp(), error = 'the server process is gone'
    WHERE r.run_id = other.run_id;
    INSERT INTO vrm.retention_runs AS r (policy, cutoff, as_of, pid, backend_start)
    SELECT begin_retention_run.policy, vrm_private.retention_cutoff(settings.keep, as_of), as_of, a.pid, a.backend_start
    FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()
    RETURNING r.run_id INTO begin_retention_run.run_id;
    batch_rows := settings.batch_rows;
    batch_ms := extract(epoch FROM settings.batch_target) * 1000;
    nice_ratio := settings.nice_ratio;
    max_lag_ms := extract(epoch FROM settings.max_lag) * 1000;
    max_runtime_ms := extract(epoch FROM settings.max_runtime) * 1000;
END
$$;
COMMENT ON FUNCTION vrm_private.begin_retention_run(text) IS
    'a run of a policy begins; run_id is null when there is nothing to keep, or somebody runs it already';

-- What a run that has been through everything was not refused again is gone, or not due any more.
CREATE OR REPLACE FUNCTION vrm_private.end_retention_run(run_id bigint, state text, error text) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE vrm.retention_runs r
    SET state = end_retention_run.state, error = end_retention_run.error, finished_at = clock_timestamp()
    WHERE r.run_id = end_retention_run.run_id AND r.state = 'running';
    DELETE FROM vrm.retention_refused f USING vrm.retention_runs r
    WHERE r.run_id = end_retention_run.run_id AND f.policy = r.policy
      AND (end_retention_run.state = 'done' AND f.run_id < r.run_id
           -- what stopped the run was not the rows'
           OR end_retention_run.state = 'failed' AND f.run_id = r.run_id AND f.sqlstate ~ '^(42|0A|09)')
$$;
COMMENT ON FUNCTION vrm_private.end_retention_run(bigint, text, text) IS 'a run is over';

-- Each block is visited once: a scan from the start for every batch would wade through what the
-- batches before have deleted.  "again": what was refused before, each row by itself.
CREATE OR REPLACE FUNCTION vrm_private.retention_blocks(run_id bigint, again boolean)
    RETURNS TABLE (relation oid, after tid, last tid, due bigint, bytes bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run vrm.retention_runs;
    query text;
BEGIN
    SELECT * INTO STRICT run FROM vrm.retention_runs r WHERE r.run_id = retention_blocks.run_id;
    PERFORM vrm_private.check_columns();
    IF run.policy LIKE 'calls.%' THEN
        PERFORM vrm_private.archive_columns('vrm.test_runs');
    END IF;
    RETURN QUERY
        SELECT p.relation, '(0,0)'::tid, '(4294967294,65535)'::tid, p.row_count, p.bytes
        FROM vrm_private.due_partitions(run.policy, run.cutoff, again) p
        WHERE NOT p.held
          AND again = EXISTS (SELECT FROM vrm.retention_refused f
                              WHERE f.policy = run.policy AND f.row_key = p.relation::regclass::text)
        ORDER BY p.relation;
    query := vrm_private.due_rows_query(run.policy);
    IF query IS NULL THEN
        RETURN;
    END IF;
    query := format(CASE WHEN again THEN
        'SELECT d.relation, format(''(%%s,%%s)'', vrm.tuple_block(d.place), p.number - 1)::tid, d.place, 1::bigint,'
        '       d.bytes'
        ' FROM (%s) d JOIN vrm.retention_refused f ON f.policy = $1 AND f.row_key = d.row_key,'
        '      LATERAL (SELECT substring(d.place::text FROM '',(\d+)'')::integer AS number) AS p'
        ' WHERE f.run_id < $8 ORDER BY f.last_refused_at LIMIT 1000'
        ELSE
        'SELECT s.relation, format(''(%%s,0)'', s.block)::tid, format(''(%%s,65535)'', s.block)::tid, count(*),'
        '       sum(s.bytes)::bigint'
        -- OFFSET: or what sizes are made of would be sorted, too
        ' FROM (SELECT d.relation, vrm.tuple_block(d.place) AS block, d.bytes FROM (%s) d OFFSET 0) AS s'
        ' GROUP BY s.relation, s.block ORDER BY s.relation, s.block' END, query);
    RETURN QUERY EXECUTE query
        USING run.policy, run.cutoff, run.as_of, again, NULL::oid, '(0,0)'::tid, '(4294967294,65535)'::tid, run_id;
END
$$;
COMMENT ON FUNCTION vrm_private.retention_blocks(bigint, boolean) IS
    'places where rows are due, how many and how large: blocks, or rows that were refused before';

CREATE OR REPLACE FUNCTION vrm_private.replica_lag_ms() RETURNS double precision
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(max(extract(epoch FROM replay_lag)) * 1000, 0) FROM pg_stat_replication
            -- once it has caught up and nothing comes, what it says of its lag is old
            WHERE replay_lsn < pg_current_wal_flush_lsn());
END
$$;
COMMENT ON FUNCTION vrm_private.replica_lag_ms() IS 'how late the slowest standby replays, in milliseconds';

-- Nothing waits here: rows that somebody has locked are left, and a batch under way elsewhere makes
-- this one come back later.
CREATE OR REPLACE FUNCTION vrm_private.retention_batch(
    run_id bigint, again boolean, only_in oid, after tid, last tid, most bigint, most_bytes bigint,
    OUT rows_done bigint, OUT rows_seen bigint, OUT bytes_done bigint, OUT reached tid, OUT go_on boolean
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run vrm.retention_runs;
    done record;
BEGIN
    IF NOT pg_try_advisory_xact_lock(vrm_private.retention_lock()) THEN
        RETURN;
    END IF;
    SELECT * INTO STRICT run FROM vrm.retention_runs r WHERE r.run_id = retention_batch.run_id;
    CASE split_part(run.policy, '.', 1)
        WHEN 'calls' THEN
            SELECT * INTO done FROM vrm_private.archive_batch(run, again, only_in, after, last, most, most_bytes);
        WHEN 'users' THEN
            SELECT * INTO done FROM vrm_private.users_batch(run, again, only_in, after, last, most, most_bytes);
        ELSE
            SELECT * INTO done FROM vrm_private.delete_batch(run, again, only_in, after, last, most, most_bytes);
    END CASE;
    rows_done := done.rows_done;
    rows_seen := done.rows_seen;
    bytes_done := done.bytes_done;
    reached := done.reached;
    UPDATE vrm.retention_runs r
    SET rows_done = r.rows_done + done.rows_done, bytes_done = r.bytes_done + done.bytes_done,
        rows_busy = r.rows_busy + (done.rows_seen - done.rows_done),
        batches = r.batches + (done.rows_done > 0)::integer, last_batch_at = clock_timestamp()
    WHERE r.run_id = retention_batch.run_id
    RETURNING r.state = 'running' AND NOT r.stop_requested INTO go_on;
END
$$;
COMMENT ON FUNCTION vrm_private.retention_batch(bigint, boolean, oid, tid, tid, bigint, bigint) IS
    'does what is due between two places, and tells how far it came; rows_done is null when another batch is under way';

-- The same row that the batch would have begun with, so that the next one goes past it.
CREATE OR REPLACE FUNCTION vrm_private.note_refusal(
    run_id bigint, again boolean, only_in oid, after tid, last tid, sqlstate text, message text
) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run vrm.retention_runs;
    noted boolean;
BEGIN
    SELECT * INTO STRICT run FROM vrm.retention_runs r WHERE r.run_id = note_refusal.run_id;
    SELECT vrm_private.refuse_row(run, f.row_key, f.relation, f.person_id, note_refusal.sqlstate, note_refusal.message)
    INTO noted
    FROM (SELECT p.relation::regclass::text AS row_key, p.relation, NULL::uuid AS person_id
          FROM vrm_private.due_partitions(run.policy, run.cutoff, again) p WHERE p.relation = only_in AND NOT p.held
          UNION ALL
          SELECT d.row_key, d.relation, coalesce(d.user_id, d.person_id)
          FROM vrm_private.rows_of_batch(run, again, only_in, after, last, 1, NULL) b,
               vrm_private.due_rows(run.policy, run.cutoff, run.as_of, again, b.relation, after, b.place) d
          WHERE d.place = b.place) AS f
    LIMIT 1;
    RETURN coalesce(noted, false);
END
$$;
COMMENT ON FUNCTION vrm_private.note_refusal(bigint, boolean, oid, tid, tid, text, text) IS
    'keeps why the first row between two places could not go; false when there is none any more';

CREATE OR REPLACE FUNCTION vrm_private.refuse_row(
    run vrm.retention_runs, row_key text, relation oid, person_id uuid, sqlstate text, message text
) RETURNS boolean
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm.retention_refused AS f (policy, row_key, relation, person_id, sqlstate, message, run_id)
    VALUES (run.policy, refuse_row.row_key, refuse_row.relation::regclass,
            (SELECT p.id FROM vrm.user_profiles p WHERE p.id = refuse_row.person_id), refuse_row.sqlstate,
            left(refuse_row.message, 1000), run.run_id)
    ON CONFLICT ON CONSTRAINT retention_refused_pkey DO UPDATE
    SET sqlstate = excluded.sqlstate, message = excluded.message, run_id = excluded.run_id,
        attempts = f.attempts + 1, last_refused_at = clock_timestamp()
    RETURNING true
$$;
COMMENT ON FUNCTION vrm_private.refuse_row(vrm.retention_runs, text, oid, uuid, text, text) IS
    'keeps that a row, or a partition, could not go, and why';

-- Each partition is a batch; nothing else is looked at where it is one.  DROP TABLE takes no parameter.
CREATE OR REPLACE FUNCTION vrm_private.drop_batch(
    run vrm.retention_runs, again boolean, only_in oid,
    OUT rows_done bigint, OUT rows_seen bigint, OUT bytes_done bigint, OUT reached tid
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts oid[];
    part oid;
BEGIN
    SELECT array_agg(p.relation), coalesce(sum(p.row_count), 0), coalesce(sum(p.bytes), 0)
    INTO parts, rows_done, bytes_done
    FROM vrm_private.due_partitions(run.policy, run.cutoff, again) p
    WHERE NOT p.held AND (only_in IS NULL OR p.relation = only_in);
    IF run.policy = 'archive' THEN
        UPDATE vrm_private.archive_manifest m SET purged_at = now()
        WHERE m.batch_id IN (SELECT a.batch_id FROM vrm_private.test_runs_archive a
                             WHERE a.tableoid = ANY (parts) AND a.archived_at < run.cutoff);
    END IF;
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        PERFORM vrm_private.drop_part(part);
    END LOOP;
    rows_seen := rows_done;
END
$$;
COMMENT ON FUNCTION vrm_private.drop_batch(vrm.retention_runs, boolean, oid) IS
    'drops one of the partitions that are due, or all of them';

-- What goes by partitions, and then by rows.
CREATE OR REPLACE FUNCTION vrm_private.delete_batch(
    run vrm.retention_runs, again boolean, only_in oid, after tid, last tid, most bigint, most_bytes bigint,
    OUT rows_done bigint, OUT rows_seen bigint, OUT bytes_done bigint, OUT reached tid
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dropped_rows bigint := 0;
    dropped_bytes bigint := 0;
BEGIN
    IF only_in = ANY (vrm_private.expired_partitions(vrm_private.partitions_of(run.policy), run.cutoff)) THEN
        SELECT d.* INTO rows_done, rows_seen, bytes_done, reached FROM vrm_private.drop_batch(run, again, only_in) d;
        RETURN;
    ELSIF only_in IS NULL THEN
        SELECT d.rows_done, d.bytes_done INTO dropped_rows, dropped_bytes
        FROM vrm_private.drop_batch(run, again, only_in) d;
    END IF;
    SELECT d.* INTO rows_done, rows_seen, bytes_done, reached
    FROM vrm_private.delete_rows(run, again, only_in, after, last, most, most_bytes) d;
    rows_done := rows_done + dropped_rows;
    rows_seen := rows_seen + dropped_rows;
    bytes_done := bytes_done + dropped_bytes;
END
$$;
COMMENT ON FUNCTION vrm_private.delete_batch(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint) IS
    'deletes the rows that are due between two places, or drops a partition';

REVOKE EXECUTE ON FUNCTION
    vrm_private.begin_retention_run(text),
    vrm_private.end_retention_run(bigint, text, text),
    vrm_private.retention_blocks(bigint, boolean),
    vrm_private.replica_lag_ms(),
    vrm_private.retention_batch(bigint, boolean, oid, tid, tid, bigint, bigint),
    vrm_private.note_refusal(bigint, boolean, oid, tid, tid, text, text),
    vrm_private.refuse_row(vrm.retention_runs, text, oid, uuid, text, text),
    vrm_private.drop_batch(vrm.retention_runs, boolean, oid),
    vrm_private.delete_batch(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint)
    FROM PUBLIC;
