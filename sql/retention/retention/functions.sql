-- Retention: what is due, and runs that take it away

-- No whole row is ever named (r.*): that would fetch and decompress all of it.
-- belongs: rows that the policy is about; due: of them those old enough, $1 being the cutoff and $2
-- the moment of the run; free: of them those that nothing holds back; whole: what goes are partitions,
-- not rows.  "r" is the row.  PL/pgSQL keeps the plan, which takes longer to make than to run.
CREATE OR REPLACE FUNCTION vrm_private.retention_rules()
    RETURNS TABLE (policy text, target text, belongs text, due text, free text, age text, size text, plan text,
                   whole boolean)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT p.policy, 'vrm.test_runs', p.belongs, 'r.completed_at < $1',
           -- a call stays as long as one of its recordings does, or what nobody has folded into its results
           'NOT ' || vrm_private.hold_on('r.user_id', 'r.agent_id', 'r.id', 'r.started_at')
           || ' AND NOT EXISTS (SELECT FROM vrm.call_recordings c WHERE c.user_id = r.user_id AND c.run_id = r.id)'
           || ' AND NOT EXISTS (SELECT FROM vrm.transcript_turns t WHERE t.user_id = r.user_id AND t.run_id = r.id)'
           || ' AND NOT EXISTS (SELECT FROM vrm.run_actions a WHERE a.user_id = r.user_id AND a.run_id = r.id)',
           'r.completed_at', $r$100 + coalesce(pg_column_size(r.results), 0)
             + coalesce(pg_column_size(r.outbound_call_params), 0) + coalesce(pg_column_size(r.error), 0)$r$,
           p.plan, false
    FROM (VALUES ('calls.active', $r$r.status IN ('queued', 'running')$r$, 'keep'),
                 ('calls.completed', $r$r.status = 'completed'$r$, 'move to vrm_private.test_runs_archive'),
                 ('calls.failed', $r$r.status IN ('failed', 'cancelled')$r$, 'move to vrm_private.test_runs_archive')
         ) AS p (policy, belongs, plan)
    UNION ALL
    SELECT 'archive', 'vrm_private.test_runs_archive', 'true',
           $r$r.tableoid = ANY ((SELECT vrm_private.expired_partitions('vrm_private.test_runs_archive', $1))::oid[])$r$,
           $r$r.tableoid <> ALL ((SELECT vrm_private.held_partitions('vrm_private.test_runs_archive', $1))::oid[])$r$,
           'r.archived_at', '100 + coalesce(pg_column_size(r.results), 0)',
           'drop partitions of vrm_private.test_runs_archive', true
    UNION ALL
    SELECT 'logs.' || class, 'vrm.logs_' || class, 'true',
           format('r.tableoid = ANY ((SELECT vrm_private.expired_partitions(%L, $1))::oid[])'
                  ' OR r.at < $1 AND r.tableoid = %L::regclass', 'vrm.logs_' || class, 'vrm.logs_' || class || '_rest'),
           format('r.tableoid <> ALL ((SELECT vrm_private.held_partitions(%L, $1))::oid[])'
                  ' AND NOT (r.tableoid = %L::regclass AND %s)', 'vrm.logs_' || class, 'vrm.logs_' || class || '_rest',
                  vrm_private.hold_on('r.user_id', 'NULL', 'NULL', 'r.at')),
           'r.at', '100 + coalesce(pg_column_size(r.data), 0)', 'drop partitions of vrm.logs_' || class, true
    FROM unnest('{application,error,analytics}'::text[]) AS class
    UNION ALL
    SELECT 'recordings', 'vrm.call_recordings', 'true',
           'CASE WHEN r.keep IS NULL THEN r.recorded_at ELSE vrm_private.retention_cutoff(-r.keep, r.recorded_at) END'
           ' < CASE WHEN r.keep IS NULL THEN $1 ELSE $2 END',
           'NOT EXISTS (SELECT FROM vrm.test_runs t WHERE t.user_id = r.user_id AND t.id = r.run_id AND '
           || vrm_private.hold_on('t.user_id', 't.agent_id', 't.id', 't.started_at') || ')',
           'r.recorded_at', 'r.bytes', 'delete, and the object through vrm.claim_purges()', false
    UNION ALL
    -- whole months: statistics of a month would otherwise outlive those of its days
    SELECT 'analytics.facts', 'vrm.call_facts', 'true', $r$r.started_at < date_trunc('month', $1, 'UTC')$r$,
           'NOT ' || vrm_private.hold_on('r.user_id', 'r.agent_id', 'r.id', 'r.started_at'),
           'r.started_at', '100', 'delete', false
    UNION ALL
    SELECT 'analytics.rollups', 'vrm.call_rollup', 'true',
           $r$r.bucket < (date_trunc('month', $1, 'UTC') AT TIME ZONE 'UTC')::date$r$, 'true',
           $r$r.bucket::timestamp AT TIME ZONE 'UTC'$r$, '50 + pg_column_size(r.stats)', 'delete', false
    UNION ALL
    SELECT p.policy, 'vrm.user_profiles', p.belongs, p.due,
           p.free || ' AND NOT EXISTS (SELECT FROM vrm_private.legal_holds h'
                     ' WHERE h.released_at IS NULL AND h.user_id = r.id)',
           p.age, '200', p.plan, false
    FROM (VALUES ('users.inactive', 'r.deleted_at IS NULL',
                  'vrm_private.last_seen(r.id, r.last_login, r.created_at) < $1',
                  $r$r.role <> 'admin'$r$, 'vrm_private.last_seen(r.id, r.last_login, r.created_at)',
                  'vrm.delete_account()'),
                 ('users.deleted', 'r.deleted_at IS NOT NULL', 'r.deleted_at < $1', 'true', 'r.deleted_at',
                  'vrm.erase_user()')
         ) AS p (policy, belongs, due, free, age, plan);
END
$$;
COMMENT ON FUNCTION vrm_private.retention_rules() IS
    'the rules of retention: conditions on a row "r", $1 the cutoff, $2 the moment of the run';

-- In UTC whatever the session's TimeZone: a month before the end of March is another hour elsewhere.
CREATE OR REPLACE FUNCTION vrm_private.retention_cutoff(keep interval, at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ((at AT TIME ZONE 'UTC') - keep) AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION vrm_private.retention_cutoff(interval, timestamptz) IS
    'the moment before which things are older than "keep", in UTC';

-- One batch of whatever policy at a time, and holds and erasures between batches, never within one.
CREATE OR REPLACE FUNCTION vrm_private.retention_lock() RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS 'SELECT 8462091843120931';
COMMENT ON FUNCTION vrm_private.retention_lock() IS 'key of the advisory lock that serialises batches';

CREATE OR REPLACE FUNCTION vrm.retention_preview(policy text DEFAULT NULL)
    RETURNS TABLE (policy_name text, cutoff timestamptz, due_rows bigint, due_bytes bigint, held_rows bigint,
                   oldest timestamptz, plan text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    rule record;
    as_of timestamptz := now();
BEGIN
    PERFORM vrm_private.check_policy(retention_preview.policy);
    FOR rule IN
        SELECT r.*, p.keep, p.enabled
        FROM vrm_private.retention_rules() r JOIN vrm.retention_policies p ON p.name = r.policy
        WHERE p.name = retention_preview.policy OR retention_preview.policy IS NULL
        ORDER BY p.name
    LOOP
        policy_name := rule.policy;
        cutoff := vrm_private.retention_cutoff(rule.keep, as_of);
        IF rule.keep IS NULL OR NOT rule.enabled THEN
            -- rows with a period of their own stay, too: no run looks at them
            SELECT 0, 0, 0, NULL, CASE WHEN rule.keep IS NULL THEN 'keep for ever' ELSE 'nothing, disabled' END
            INTO due_rows, due_bytes, held_rows, oldest, plan;
            RETURN NEXT;
            CONTINUE;
        END IF;
        plan := rule.plan;
        EXECUTE format('SELECT count(*) FILTER (WHERE NOT s.held), coalesce(sum(s.size) FILTER (WHERE NOT s.held), 0),'
                       ' count(*) FILTER (WHERE s.held), min(s.age) FILTER (WHERE NOT s.held)'
                       ' FROM (SELECT %s AS size, %s AS age, NOT (%s) AS held FROM %s r WHERE (%s) AND (%s)) AS s',
                       rule.size, rule.age, rule.free, rule.target, rule.belongs, rule.due)
            INTO due_rows, due_bytes, held_rows, oldest USING cutoff, as_of;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.retention_preview(text) IS
    'what a run would do now, to the row: how much is due, how much is held, since when, and what becomes of it';

CREATE OR REPLACE FUNCTION vrm.retention_coverage()
    RETURNS TABLE (target text, no_policy bigint, several_policies bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT r.target, coalesce(string_agg(format('(%s)::integer', r.belongs), ' + ') FILTER (WHERE p.enabled),
                                  '0') AS matches
        FROM vrm_private.retention_rules() r LEFT JOIN vrm.retention_policies p ON p.name = r.policy
        GROUP BY r.target
        ORDER BY r.target
    LOOP
        target := rule.target;
        EXECUTE format('SELECT count(*) FILTER (WHERE m = 0), count(*) FILTER (WHERE m > 1)'
                       ' FROM (SELECT %s AS m FROM %s r) AS s', rule.matches, rule.target)
            INTO no_policy, several_policies;
        RETURN NEXT;
    END LOOP;
END
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
    vrm_private.retention_rules(),
    vrm_private.retention_cutoff(interval, timestamptz),
    vrm_private.retention_lock(),
    vrm_private.check_policy(text),
    vrm.retention_preview(text),
    vrm.retention_coverage(),
    vrm.stop_retention(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
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
    SELECT * INTO settings FROM vrm.retention_policies p WHERE p.name = policy;
    IF settings.keep IS NULL OR NOT settings.enabled THEN
        RETURN;
    END IF;
    SELECT * INTO other FROM vrm.retention_runs r
    WHERE r.policy = begin_retention_run.policy AND r.state = 'running';
    IF other.pid <> pg_backend_pid()
       AND EXISTS (SELECT FROM pg_stat_activity a
                   WHERE a.pid = other.pid AND a.backend_start = other.backend_start) THEN
        RAISE NOTICE 'policy "%" is being run already', policy
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

CREATE OR REPLACE FUNCTION vrm_private.end_retention_run(run_id bigint, state text, error text) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE vrm.retention_runs r
    SET state = end_retention_run.state, error = end_retention_run.error, finished_at = clock_timestamp()
    WHERE r.run_id = end_retention_run.run_id AND r.state = 'running'
$$;
COMMENT ON FUNCTION vrm_private.end_retention_run(bigint, text, text) IS 'a run is over';

-- Each block is visited once: a scan from the start for every batch would wade through what the
-- batches before have deleted.
CREATE OR REPLACE FUNCTION vrm_private.retention_blocks(run_id bigint)
    RETURNS TABLE (block bigint, due bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run vrm.retention_runs;
    rule record;
BEGIN
    SELECT * INTO run FROM vrm.retention_runs r WHERE r.run_id = retention_blocks.run_id;
    SELECT * INTO rule FROM vrm_private.retention_rules() r WHERE r.policy = run.policy;
    IF rule.whole THEN
        RETURN QUERY SELECT 0::bigint, p.due_rows FROM vrm.retention_preview(run.policy) p WHERE p.due_rows > 0;
        RETURN;
    END IF;
    RETURN QUERY EXECUTE
        format('SELECT vrm.tuple_block(r.ctid), count(*) FROM %s r WHERE (%s) AND (%s) AND (%s) GROUP BY 1 ORDER BY 1',
               rule.target, rule.belongs, rule.due, rule.free)
        USING run.cutoff, run.as_of;
END
$$;
COMMENT ON FUNCTION vrm_private.retention_blocks(bigint) IS 'blocks with rows that are due, and how many';

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
    run_id bigint, first_block bigint, last_block bigint, expected bigint, most bigint,
    OUT rows_done bigint, OUT bytes_done bigint, OUT go_on boolean
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run vrm.retention_runs;
    low tid := format('(%s,0)', first_block);
    high tid := format('(%s,65535)', last_block);
BEGIN
    IF NOT pg_try_advisory_xact_lock(vrm_private.retention_lock()) THEN
        RETURN;
    END IF;
    SELECT * INTO STRICT run FROM vrm.retention_runs r WHERE r.run_id = retention_batch.run_id;
    EXECUTE format('SELECT b.rows_done, b.bytes_done FROM vrm_private.%I($1, $2, $3, $4) AS b',
                   CASE split_part(run.policy, '.', 1) WHEN 'calls' THEN 'archive' WHEN 'archive' THEN 'drop'
                        WHEN 'logs' THEN 'drop' WHEN 'users' THEN 'users' ELSE 'delete' END || '_batch')
        INTO rows_done, bytes_done USING run, low, high, most;
    UPDATE vrm.retention_runs r
    SET rows_done = r.rows_done + retention_batch.rows_done, bytes_done = r.bytes_done + retention_batch.bytes_done,
        rows_busy = r.rows_busy + greatest(least(expected, most) - retention_batch.rows_done, 0),
        batches = r.batches + (retention_batch.rows_done > 0)::integer, last_batch_at = clock_timestamp()
    WHERE r.run_id = retention_batch.run_id
    RETURNING r.state = 'running' AND NOT r.stop_requested INTO go_on;
END
$$;
COMMENT ON FUNCTION vrm_private.retention_batch(bigint, bigint, bigint, bigint, bigint) IS
    'does what is due in a range of blocks; rows_done is null when another batch is under way';

CREATE OR REPLACE FUNCTION vrm_private.drop_batch(
    run vrm.retention_runs, low tid, high tid, most bigint, OUT rows_done bigint, OUT bytes_done bigint
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent regclass := (SELECT r.target::regclass FROM vrm_private.retention_rules() r WHERE r.policy = run.policy);
    is_archive boolean := run.policy = 'archive';
    kept oid[] := vrm_private.held_partitions(parent, run.cutoff);
    old oid;
    dropped bigint;
BEGIN
    rows_done := 0;
    bytes_done := 0;
    FOREACH old IN ARRAY vrm_private.expired_partitions(parent, run.cutoff) LOOP
        CONTINUE WHEN old = ANY (kept);
        EXECUTE format('SELECT count(*) FROM %s', old::regclass) INTO dropped;
        rows_done := rows_done + dropped;
        bytes_done := bytes_done + pg_total_relation_size(old);
        IF is_archive THEN
            EXECUTE format('UPDATE vrm_private.archive_manifest SET purged_at = now()'
                           ' WHERE batch_id IN (SELECT batch_id FROM %s)', old::regclass);
        END IF;
        EXECUTE format('DROP TABLE %s', old::regclass);
    END LOOP;
    IF NOT is_archive THEN
        EXECUTE format('DELETE FROM %s_rest r WHERE r.at < $1 AND NOT %s', parent,
                       vrm_private.hold_on('r.user_id', 'NULL', 'NULL', 'r.at')) USING run.cutoff;
        GET DIAGNOSTICS dropped = ROW_COUNT;
        rows_done := rows_done + dropped;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.drop_batch(vrm.retention_runs, tid, tid, bigint) IS
    'drops the partitions that are older than the run''s cutoff, and old rows that have none';

-- Plain deletion, by triggers of the table itself where something else has to follow.
CREATE OR REPLACE FUNCTION vrm_private.delete_batch(
    run vrm.retention_runs, low tid, high tid, most bigint, OUT rows_done bigint, OUT bytes_done bigint
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule record;
BEGIN
    SELECT * INTO STRICT rule FROM vrm_private.retention_rules() r WHERE r.policy = run.policy;
    EXECUTE format('WITH due AS (SELECT r.ctid FROM %s r WHERE r.ctid >= $3 AND r.ctid <= $4 AND (%s) AND (%s) AND (%s)'
                   ' LIMIT $5 FOR UPDATE OF r SKIP LOCKED),'
                   ' gone AS (DELETE FROM %s r USING due WHERE r.ctid = due.ctid RETURNING %s AS bytes)'
                   ' SELECT count(*), coalesce(sum(bytes), 0) FROM gone',
                   rule.target, rule.belongs, rule.due, rule.free, rule.target, rule.size)
        INTO rows_done, bytes_done USING run.cutoff, run.as_of, low, high, most;
END
$$;
COMMENT ON FUNCTION vrm_private.delete_batch(vrm.retention_runs, tid, tid, bigint) IS
    'deletes the rows that are due in a range of rows';

REVOKE EXECUTE ON FUNCTION
    vrm_private.begin_retention_run(text),
    vrm_private.end_retention_run(bigint, text, text),
    vrm_private.retention_blocks(bigint),
    vrm_private.replica_lag_ms(),
    vrm_private.retention_batch(bigint, bigint, bigint, bigint, bigint),
    vrm_private.drop_batch(vrm.retention_runs, tid, tid, bigint),
    vrm_private.delete_batch(vrm.retention_runs, tid, tid, bigint)
    FROM PUBLIC;
