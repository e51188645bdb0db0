-- Retention: what CALL vrm.run_retention() does, step by step; it commits between them -------------

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

-- The archive ---------------------------------------------------------------------------------------

-- Rows that lie in the default partition already move over; without that the new one is refused.
CREATE OR REPLACE FUNCTION vrm_private.make_partition(
    parent regclass, part_name name, low timestamptz, high timestamptz
) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.oid = parent);
    age name := (SELECT a.attname FROM pg_partitioned_table p
                 JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
                 WHERE p.partrelid = parent);
    rest regclass := (SELECT nullif(p.partdefid, 0)::regclass FROM pg_partitioned_table p WHERE p.partrelid = parent);
BEGIN
    IF to_regclass(format('%I.%I', schema, part_name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', rest);
    EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING ALL)', schema, part_name, parent);
    EXECUTE format('COMMENT ON TABLE %I.%I IS %L', schema, part_name,
                   format('rows of %s from %s to %s', parent, low, high));
    EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', schema, part_name);
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC, anon, authenticated, service_role', schema, part_name);
    EXECUTE format('WITH moved AS (DELETE FROM %s WHERE %I >= $1 AND %I < $2 RETURNING *)'
                   ' INSERT INTO %I.%I SELECT * FROM moved',
                   rest, age, age, schema, part_name) USING low, high;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
                   parent, schema, part_name, low, high);
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm_private.make_partition(regclass, name, timestamptz, timestamptz) IS
    'makes a partition unless it is there, and moves rows of its range into it; says whether it made one';

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
SELECT vrm_private.make_archive_partitions();

CREATE OR REPLACE FUNCTION vrm_private.partition_end(partition oid) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM $r$TO \('([^']*)'\)$r$)::timestamptz
    FROM pg_class c WHERE c.oid = partition
$$;
COMMENT ON FUNCTION vrm_private.partition_end(oid) IS
    'upper bound of a partition by time; null for a default partition';

CREATE OR REPLACE FUNCTION vrm_private.expired_partitions(parent regclass, cutoff timestamptz) RETURNS oid[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(i.inhrelid), '{}') FROM pg_inherits i
    WHERE i.inhparent = parent AND vrm_private.partition_end(i.inhrelid) <= cutoff
$$;
COMMENT ON FUNCTION vrm_private.expired_partitions(regclass, timestamptz) IS
    'partitions all of whose rows are older than the cutoff';

CREATE OR REPLACE FUNCTION vrm_private.held_partitions(parent regclass, cutoff timestamptz) RETURNS oid[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    covers text := CASE WHEN parent = 'vrm_private.test_runs_archive'::regclass
                        THEN vrm_private.hold_on('r.user_id', 'r.agent_id', 'r.id', 'r.started_at')
                        ELSE vrm_private.hold_on('r.user_id', 'NULL', 'NULL', 'r.at') END;
    partition oid;
    held boolean;
    found_held oid[] := '{}';
BEGIN
    FOREACH partition IN ARRAY vrm_private.expired_partitions(parent, cutoff) LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s r WHERE %s)', partition::regclass, covers) INTO held;
        IF held THEN
            found_held := found_held || partition;
        END IF;
    END LOOP;
    RETURN found_held;
END
$$;
COMMENT ON FUNCTION vrm_private.held_partitions(regclass, timestamptz) IS
    'expired partitions with something in them that is under a legal hold';

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
    vrm_private.begin_retention_run(text), vrm_private.end_retention_run(bigint, text, text),
    vrm_private.retention_blocks(bigint), vrm_private.replica_lag_ms(),
    vrm_private.retention_batch(bigint, bigint, bigint, bigint, bigint),
    vrm_private.make_partition(regclass, name, timestamptz, timestamptz), vrm_private.make_archive_partitions(),
    vrm_private.partition_end(oid), vrm_private.expired_partitions(regclass, timestamptz),
    vrm_private.held_partitions(regclass, timestamptz), vrm_private.drop_batch(vrm.retention_runs, tid, tid, bigint),
    vrm_private.delete_batch(vrm.retention_runs, tid, tid, bigint)
    FROM PUBLIC;
