-- Monitoring: what is measured, and what is too much

-- Every function gives every series of its family on every call, with 0 or what else is true when there
-- is nothing to measure: what appears with the first failure only has nothing to be compared with.
-- They run on a standby as well, and take no lock that anybody would wait for.  In plpgsql, because a session
-- that asks again and again plans them once: planning takes longer than nearly all of them do.
CREATE OR REPLACE FUNCTION vrm_private.seconds_since(moment timestamptz) RETURNS double precision
    LANGUAGE sql VOLATILE
    RETURN greatest(coalesce(extract(epoch FROM clock_timestamp() - moment), 0), 0)::double precision;
COMMENT ON FUNCTION vrm_private.seconds_since(timestamptz) IS 'seconds since a moment; 0 when there was none';

CREATE OR REPLACE FUNCTION vrm_private.measure_connections()
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT f.name, f.labels, f.value::double precision FROM (
    WITH client AS MATERIALIZED (
        SELECT a.xact_start, a.state_change,
               CASE WHEN a.state IN ('active', 'idle', 'idle in transaction', 'idle in transaction (aborted)')
                    THEN rtrim(translate(a.state, ' (', '_'), ')') ELSE 'other' END AS state
        FROM pg_stat_activity a WHERE a.backend_type = 'client backend'
    ), slots AS (
        SELECT current_setting('max_connections')::integer
               - current_setting('superuser_reserved_connections')::integer
               - coalesce(current_setting('reserved_connections', true)::integer, 0) AS usable
    ), waiting AS (
        SELECT count(*) AS requests, min(l.waitstart) AS since FROM pg_locks l WHERE NOT l.granted
    )
    SELECT 'vrm_connections_client_sessions', jsonb_build_object('state', s.state), count(c.state)::double precision
    FROM unnest('{active,idle,idle_in_transaction,idle_in_transaction_aborted,other}'::text[]) AS s (state)
    LEFT JOIN client c ON c.state = s.state
    GROUP BY s.state
    UNION ALL
    SELECT m.name, '{}', m.value
    FROM slots, waiting,
         (SELECT count(*) AS connections, min(c.xact_start) AS oldest,
                 min(c.state_change) FILTER (WHERE c.state LIKE 'idle\_in\_transaction%') AS idle_since
          FROM client c) AS all_clients,
         LATERAL (VALUES
             ('vrm_connections_limit', slots.usable::double precision),
             ('vrm_connections_used_ratio', all_clients.connections / greatest(slots.usable, 1)::double precision),
             ('vrm_connections_longest_idle_in_transaction_seconds', vrm_private.seconds_since(all_clients.idle_since)),
             ('vrm_connections_longest_transaction_seconds', vrm_private.seconds_since(all_clients.oldest)),
             ('vrm_connections_lock_waits', waiting.requests),
             ('vrm_connections_longest_lock_wait_seconds', vrm_private.seconds_since(waiting.since)),
             ('vrm_connections_deadlocks_total', (SELECT d.deadlocks FROM pg_stat_database d
                                                  WHERE d.datname = current_database()))) AS m (name, value)
    ) AS f (name, labels, value);
END
$$;
COMMENT ON FUNCTION vrm_private.measure_connections() IS 'the family connections of vrm.monitoring_metrics';

-- What pg_stat_statements holds of this database.  It may live in any schema, and may be installed
-- without being loaded: then it raises 55000.
CREATE OR REPLACE FUNCTION vrm_private.statement_statistics(
    OUT recorded boolean, OUT executions double precision, OUT seconds double precision,
    OUT slowest_mean_seconds double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    home name := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                  WHERE e.extname = 'pg_stat_statements');
BEGIN
    IF home IS NOT NULL THEN
        -- commands are no queries: CALL vrm.maintain() and the like take what they take
        EXECUTE format(
            'SELECT true, sum(s.calls), sum(s.total_exec_time) / 1000,'
            ' max(s.mean_exec_time) FILTER (WHERE s.calls >= 10'
            '   AND s.query ~* ''^[\s(]*(SELECT|WITH|INSERT|UPDATE|DELETE|MERGE|VALUES|TABLE)\y'') / 1000'
            ' FROM %I.pg_stat_statements(true) s'
            ' WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())', home)
            INTO recorded, executions, seconds, slowest_mean_seconds;
    END IF;
    recorded := coalesce(recorded, false);
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    recorded := false;
END
$$;
COMMENT ON FUNCTION vrm_private.statement_statistics() IS
    'what pg_stat_statements holds of this database; recorded is false where it is not at work';

-- A statement in a procedure that commits has been running since its last COMMIT, not since CALL; and
-- what reports progress (VACUUM, COPY, CREATE INDEX, CLUSTER) is expected to take its time.
CREATE OR REPLACE FUNCTION vrm_private.measure_statements()
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT f.name, f.labels, f.value::double precision FROM (
    WITH this AS (
        SELECT d.* FROM pg_stat_database d WHERE d.datname = current_database()
    ), longest AS (
        SELECT min(greatest(a.query_start, a.xact_start)) AS since
        FROM pg_stat_activity a
        WHERE a.backend_type = 'client backend' AND a.state IN ('active', 'fastpath function call')
          AND a.pid <> pg_backend_pid()
          AND a.pid NOT IN (SELECT p.pid FROM pg_stat_progress_vacuum p
                            UNION ALL SELECT p.pid FROM pg_stat_progress_analyze p
                            UNION ALL SELECT p.pid FROM pg_stat_progress_create_index p
                            UNION ALL SELECT p.pid FROM pg_stat_progress_cluster p
                            UNION ALL SELECT p.pid FROM pg_stat_progress_copy p)
    )
    SELECT 'vrm_statements_transactions_total', jsonb_build_object('outcome', o.outcome), o.value
    FROM this, LATERAL (VALUES ('commit', this.xact_commit), ('rollback', this.xact_rollback)) AS o (outcome, value)
    UNION ALL
    SELECT m.name, '{}', m.value
    FROM this, longest, vrm_private.statement_statistics() AS s,
         LATERAL (VALUES
             ('vrm_statements_longest_seconds', vrm_private.seconds_since(longest.since)),
             ('vrm_statements_temporary_bytes_total', this.temp_bytes),
             ('vrm_statements_cache_hit_ratio',
              coalesce(this.blks_hit / nullif(this.blks_hit + this.blks_read, 0)::double precision, 1)),
             ('vrm_statements_recorded', s.recorded::integer),
             ('vrm_statements_executions_total', coalesce(s.executions, 0)),
             ('vrm_statements_execution_seconds_total', coalesce(s.seconds, 0)),
             ('vrm_statements_slowest_mean_seconds', coalesce(s.slowest_mean_seconds, 0))) AS m (name, value)
    ) AS f (name, labels, value);
END
$$;
COMMENT ON FUNCTION vrm_private.measure_statements() IS 'the family statements of vrm.monitoring_metrics';

CREATE OR REPLACE FUNCTION vrm_private.measure_storage()
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT f.name, f.labels, f.value::double precision FROM (
    SELECT CASE WHEN t.relation IS NULL THEN 'vrm_storage_database_bytes' ELSE 'vrm_storage_table_bytes' END,
           jsonb_strip_nulls(jsonb_build_object('relation', t.relation)), t.bytes::double precision
    FROM vrm_private.table_sizes() t
    UNION ALL
    SELECT m.name, jsonb_build_object('path', d.path), coalesce(m.value, 'NaN')
    FROM (SELECT DISTINCT ON (d.path) d.* FROM vrm.disk() d ORDER BY d.path) AS d,
         LATERAL (VALUES
             ('vrm_storage_disk_size_bytes', d.total_bytes::double precision),
             ('vrm_storage_disk_free_bytes', d.free_bytes),
             ('vrm_storage_disk_used_ratio', 1 - d.free_bytes / nullif(d.total_bytes, 0)::double precision))
             AS m (name, value)
    UNION ALL
    SELECT 'vrm_storage_full_in_seconds', '{}',
           coalesce((SELECT f.days_to_full * 86400 FROM vrm.storage_forecast() f), 'Infinity')
    ) AS f (name, labels, value);
END
$$;
COMMENT ON FUNCTION vrm_private.measure_storage() IS 'the family storage of vrm.monitoring_metrics';

CREATE OR REPLACE FUNCTION vrm_private.wal_position() RETURNS pg_lsn
    LANGUAGE sql VOLATILE
    RETURN CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                ELSE pg_current_wal_lsn() END;
COMMENT ON FUNCTION vrm_private.wal_position() IS 'how far WAL has been written here, on a standby received';

-- Since PostgreSQL 17 they are counted in pg_stat_checkpointer.
CREATE OR REPLACE FUNCTION vrm_private.checkpoints(OUT timed bigint, OUT requested bigint)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('server_version_num')::integer >= 170000 THEN
        EXECUTE 'SELECT num_timed, num_requested FROM pg_stat_checkpointer' INTO timed, requested;
    ELSE
        EXECUTE 'SELECT checkpoints_timed, checkpoints_req FROM pg_stat_bgwriter' INTO timed, requested;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.checkpoints() IS 'how many checkpoints there were, by what asked for them';

CREATE OR REPLACE FUNCTION vrm_private.measure_backup()
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT f.name, f.labels, f.value::double precision FROM (
    WITH recovery AS (
        SELECT max(CASE WHEN r.status = 'fail' AND r.value <= r.limit_value THEN 'Infinity' ELSE r.value END)
                   FILTER (WHERE r.check_name = 'full_backup') AS full_age,
               max(r.value) FILTER (WHERE r.check_name = 'pitr_window') AS history,
               max(r.value) FILTER (WHERE r.check_name = 'rpo') AS exposure,
               max(CASE WHEN r.status = 'fail' AND r.value <= r.limit_value THEN 'Infinity' ELSE r.value END)
                   FILTER (WHERE r.check_name = 'rto') AS restore
        FROM vrm.recovery_status() r
    ), backup AS (
        SELECT bool_or(last.failed) AS failed
        FROM (SELECT DISTINCT ON (b.source, b.repository) b.failed FROM vrm.backups b
              WHERE b.expired_at IS NULL AND b.finished_at <= now() + interval '5 min'
              ORDER BY b.source, b.repository, b.finished_at DESC) AS last
    )
    SELECT 'vrm_backup_checkpoints_total', jsonb_build_object('reason', r.reason), r.value::double precision
    FROM vrm_private.checkpoints() AS c,
         LATERAL (VALUES ('timed', c.timed), ('requested', c.requested)) AS r (reason, value)
    UNION ALL
    SELECT m.name, '{}', m.value
    FROM pg_stat_archiver a, recovery,
         LATERAL (VALUES
             ('vrm_backup_archive_enabled',
              (current_setting('archive_mode') <> 'off'
               AND (current_setting('archive_command') <> '' OR current_setting('archive_library') <> ''))
              ::integer::double precision),
             ('vrm_backup_archive_failing',
              coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false)::integer),
             ('vrm_backup_exposure_seconds', coalesce(recovery.exposure, 'NaN')),
             ('vrm_backup_full_age_seconds',
              coalesce(recovery.full_age,
                       vrm_private.seconds_since((SELECT min(h.at) FROM vrm_private.platform_history h)))),
             ('vrm_backup_failed',
              (coalesce((SELECT b.failed FROM backup b), false) OR vrm_private.backup_run_failed())::integer),
             ('vrm_backup_history_seconds', coalesce(recovery.history, 0)),
             ('vrm_backup_restore_seconds', coalesce(recovery.restore, 'NaN')),
             ('vrm_backup_archived_total', a.archived_count),
             ('vrm_backup_archive_failures_total', a.failed_count),
             ('vrm_backup_wal_bytes_total', pg_wal_lsn_diff(vrm_private.wal_position(), '0/0')),
             ('vrm_backup_wal_directory_bytes', (SELECT sum(w.size) FROM pg_ls_waldir() w))) AS m (name, value)
    ) AS f (name, labels, value);
END
$$;
COMMENT ON FUNCTION vrm_private.measure_backup() IS 'the family backup of vrm.monitoring_metrics';

CREATE OR REPLACE FUNCTION vrm_private.measure_maintenance()
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT f.name, f.labels, f.value::double precision FROM (
    WITH ids AS (
        SELECT max(age(d.datfrozenxid)) AS transactions, max(mxid_age(d.datminmxid)) AS multixacts FROM pg_database d
    ), dead AS (
        -- as pg_stat_all_tables says, which adds up indexes besides
        SELECT coalesce(sum(t.dead), 0) AS rows,
               coalesce(max(t.dead / (t.live + t.dead)::double precision) FILTER (WHERE t.dead > 10000), 0) AS worst
        FROM (SELECT pg_stat_get_dead_tuples(c.oid) AS dead, pg_stat_get_live_tuples(c.oid) AS live
              FROM pg_class c WHERE c.relkind IN ('r', 't', 'm', 'p')) AS t
    )
    SELECT m.name, '{}'::jsonb, m.value
    FROM ids, dead,
         LATERAL (VALUES
             ('vrm_maintenance_wraparound_ratio', greatest(ids.transactions, ids.multixacts) / 2147483648.0),
             ('vrm_maintenance_transaction_id_age', ids.transactions),
             ('vrm_maintenance_dead_rows', dead.rows),
             ('vrm_maintenance_dead_rows_ratio', dead.worst),
             ('vrm_maintenance_autovacuum_workers',
              (SELECT count(*) FROM pg_stat_activity a WHERE a.backend_type = 'autovacuum worker')),
             ('vrm_maintenance_oldest_prepared_seconds',
              vrm_private.seconds_since((SELECT min(p.prepared) FROM pg_prepared_xacts p))),
             ('vrm_maintenance_invalid_indexes',
              -- that of a partitioned table waits for those of its partitions
              (SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
               WHERE NOT i.indisvalid
                 AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p
                                 WHERE p.index_relid = i.indexrelid AND p.datname = current_database()))))
         AS m (name, value)
    ) AS f (name, labels, value);
END
$$;
COMMENT ON FUNCTION vrm_private.measure_maintenance() IS 'the family maintenance of vrm.monitoring_metrics';

-- What a policy has left behind is known from its runs: looking for it would read the whole table.
CREATE OR REPLACE FUNCTION vrm_private.measure_jobs()
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT f.name, f.labels, f.value::double precision FROM (
    WITH policy AS MATERIALIZED (
        SELECT p.name, p.enabled AND p.keep IS NOT NULL AS runs, p.every,
               coalesce((SELECT r.started_at FROM vrm.retention_runs r
                         WHERE r.policy = p.name AND r.state = 'done' AND r.started_at <= clock_timestamp()
                         ORDER BY r.run_id DESC LIMIT 1),
                        (SELECT min(h.at) FROM vrm_private.platform_history h)) AS done_at,
               coalesce((SELECT r.state FROM vrm.retention_runs r
                         WHERE r.policy = p.name AND r.started_at <= clock_timestamp()
                         ORDER BY r.run_id DESC LIMIT 1) = 'failed', false) AS failed
        FROM vrm.retention_policies p
    ), live AS (
        SELECT r.status::text AS status, count(*) AS calls,
               count(*) FILTER (WHERE r.started_at + make_interval(secs => r.time_limit) < clock_timestamp()) AS expired
        FROM vrm.live_runs l JOIN vrm.test_runs r ON r.user_id = l.user_id AND r.id = l.run_id
        WHERE r.status IN ('queued', 'running') GROUP BY 1
    )
    SELECT 'vrm_jobs_retention_overdue_seconds', jsonb_build_object('policy', p.name),
           CASE WHEN p.runs THEN vrm_private.seconds_since(p.done_at + p.every) ELSE 0 END
    FROM policy p
    UNION ALL
    SELECT 'vrm_jobs_retention_failed', jsonb_build_object('policy', p.name), (p.runs AND p.failed)::integer
    FROM policy p
    UNION ALL
    SELECT 'vrm_jobs_retention_refused', jsonb_build_object('policy', p.name),
           (SELECT count(*) FROM vrm.retention_refused f WHERE f.policy = p.name)
    FROM policy p
    UNION ALL
    SELECT 'vrm_jobs_cached_dashboards_total', jsonb_build_object('outcome', c.outcome),
           coalesce(pg_sequence_last_value(c.counter), 0)
    FROM (VALUES ('found', 'vrm_private.cached_results_found'::regclass),
                 ('made', 'vrm_private.cached_results_made')) AS c (outcome, counter)
    UNION ALL
    SELECT 'vrm_jobs_maintenance_failed', jsonb_build_object('step', coalesce(f.step, '')),
           (f.step IS NOT NULL)::integer
    FROM (SELECT) AS always LEFT JOIN vrm.maintenance_failures f ON true
    UNION ALL
    SELECT 'vrm_jobs_live_calls', jsonb_build_object('status', s.status), coalesce(l.calls, 0)
    FROM unnest('{queued,running}'::text[]) AS s (status) LEFT JOIN live l ON l.status = s.status
    UNION ALL
    SELECT m.name, '{}', m.value
    FROM (VALUES
        ('vrm_jobs_maintenance_age_seconds',
         vrm_private.visit_age()),
        ('vrm_jobs_archival_lag_seconds',
         vrm_private.seconds_since((SELECT min(p.done_at) FROM policy p WHERE p.runs AND p.name LIKE 'calls.%'))),
        ('vrm_jobs_calls_expired', (SELECT coalesce(sum(l.expired), 0) FROM live l WHERE l.status = 'running')),
        ('vrm_jobs_changes_pending', (SELECT count(*) FROM (SELECT FROM vrm.call_dirty LIMIT 100000) AS d)),
        ('vrm_jobs_quality_failed',
         (SELECT count(*) FROM vrm.quality_check c,
                 LATERAL (SELECT r.failed FROM vrm.quality_run r
                          WHERE r.check_name = c.name ORDER BY r.at DESC LIMIT 1) AS last
          WHERE c.enabled AND c.severity = 'error' AND coalesce(last.failed, 1) > 0)),
        ('vrm_jobs_lockouts', vrm_private.locked_out()),
        ('vrm_jobs_purges_waiting', (SELECT count(*) FROM (SELECT FROM vrm_private.object_purges LIMIT 100000) AS o)),
        ('vrm_jobs_oldest_purge_seconds',
         vrm_private.seconds_since((SELECT o.queued_at FROM vrm_private.object_purges o ORDER BY o.id LIMIT 1)))
    ) AS m (name, value)
    ) AS f (name, labels, value);
END
$$;
COMMENT ON FUNCTION vrm_private.measure_jobs() IS 'the family jobs of vrm.monitoring_metrics';

REVOKE EXECUTE ON FUNCTION
    vrm_private.seconds_since(timestamptz), vrm_private.measure_connections(), vrm_private.statement_statistics(),
    vrm_private.measure_statements(), vrm_private.measure_storage(), vrm_private.wal_position(),
    vrm_private.checkpoints(), vrm_private.measure_backup(), vrm_private.measure_maintenance(),
    vrm_private.measure_jobs()
    FROM PUBLIC;

-- For members of pg_monitor.  vrm.monitoring() reads as the platform's owner; the others read it.

CREATE OR REPLACE FUNCTION vrm_private.metric_of(series text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN series LIKE '%\_seconds\_%' THEN regexp_replace(series, '_(bucket|sum|count)$', '')
                ELSE series END;
COMMENT ON FUNCTION vrm_private.metric_of(text) IS 'the metric that a series is of: those of a histogram have endings';

-- A family that fails (a lock that somebody holds on a table, a function that the provider withholds)
-- costs its own series and no others.
CREATE OR REPLACE FUNCTION vrm.monitoring(families text[] DEFAULT NULL)
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET lock_timeout = '500ms'
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
#variable_conflict use_column
DECLARE
    known text[] := '{connections,statements,storage,replication,backup,maintenance,jobs,agents,calls}';
    family text;
BEGIN
    PERFORM vrm.require_grant('vrm.monitoring(text[])');
    FOREACH family IN ARRAY coalesce(families, known) LOOP
        IF coalesce(family <> ALL (known), true) THEN
            RAISE EXCEPTION 'there is no family "%" of metrics', family
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'SELECT DISTINCT family FROM vrm.monitoring_metrics;';
        END IF;
        BEGIN
            RETURN QUERY
                SELECT s.name, s.labels, s.value
                FROM vrm_private.measure(family) s
                JOIN vrm.monitoring_metrics m ON m.name = vrm_private.metric_of(s.name)
                WHERE m.enabled ORDER BY s.name, (s.labels ->> 'le')::float8, s.labels;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'family "%" of metrics could not be measured', family
                USING ERRCODE = SQLSTATE, DETAIL = SQLERRM,
                      HINT = format('SELECT * FROM vrm_private.measure_%s(); as the platform''s owner.', family);
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.monitoring(text[]) IS 'measures the metrics of some families, or of all: one row per series';

CREATE OR REPLACE FUNCTION vrm.monitoring_text() RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.monitoring_text()');
    RETURN (
        SELECT string_agg(format(E'# HELP %1$s %2$s\n# TYPE %1$s %3$s\n%4$s', m.name,
                                 replace(replace(m.help, '\', '\\'), E'\n', '\n'), m.type, s.lines),
                          '' ORDER BY m.name)
        FROM (SELECT vrm_private.metric_of(s.name) AS name,
                     string_agg(format(E'%s%s %s\n', s.name, vrm_private.prometheus_labels(s.labels),
                                       vrm_private.prometheus_text(s.value)), '' ORDER BY s.place) AS lines
              FROM vrm.monitoring() WITH ORDINALITY AS s (name, labels, value, place) GROUP BY 1) AS s
        JOIN vrm.monitoring_metrics m ON m.name = s.name);
END
$$;
COMMENT ON FUNCTION vrm.monitoring_text() IS 'all metrics in the text format that Prometheus reads';

CREATE OR REPLACE FUNCTION vrm_private.judged_metrics()
    RETURNS TABLE (alert text, labels jsonb, value double precision, beyond boolean)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT t.alert, s.labels, s.value,
               CASE WHEN s.value = 'NaN' THEN NULL
                    WHEN t.comparison = '>' THEN s.value > t.threshold ELSE s.value < t.threshold END
        FROM vrm.alert_threshold t
        LEFT JOIN vrm.monitoring() s ON s.name = t.metric
        WHERE t.enabled;
END
$$;
COMMENT ON FUNCTION vrm_private.judged_metrics() IS
    'each series that a threshold looks at; beyond is null where there is nothing to judge';

CREATE OR REPLACE FUNCTION vrm.alerts()
    RETURNS TABLE (alert text, severity text, metric text, labels jsonb, value double precision,
                   threshold double precision, since timestamptz, summary text, hint text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM vrm.require_grant('vrm.alerts()');
    RETURN QUERY
        SELECT t.alert, t.severity, t.metric, j.labels, j.value, t.threshold, coalesce(h.since, now()), t.summary,
               t.hint
        FROM vrm_private.judged_metrics() j
        JOIN vrm.alert_threshold t ON t.alert = j.alert
        LEFT JOIN vrm.alert_history h ON h.alert = j.alert AND h.labels = j.labels AND h.resolved_at IS NULL
        WHERE j.beyond
        ORDER BY t.severity, t.alert, j.labels;
END
$$;
COMMENT ON FUNCTION vrm.alerts() IS
    'what is beyond its threshold now; since is when vrm.maintain() first saw it, or now';

CREATE OR REPLACE FUNCTION vrm.health_check()
    RETURNS TABLE (check_name text, status text, value double precision, limit_value double precision,
                   detail text, hint text, fix_sql text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.health_check()', through => 'vrm.report(text)');
    WITH worst AS (
        SELECT DISTINCT ON (j.alert) j.*, count(*) FILTER (WHERE j.beyond) OVER (PARTITION BY j.alert) AS series
        FROM vrm_private.judged_metrics() j JOIN vrm.alert_threshold t ON t.alert = j.alert
        ORDER BY j.alert, j.beyond DESC NULLS LAST, j.value * CASE t.comparison WHEN '>' THEN -1 ELSE 1 END, j.labels
    ), verdict AS (
        SELECT t.alert, w.value, t.threshold AS limit_value,
               CASE WHEN w.beyond IS NULL THEN 'unknown' WHEN NOT w.beyond THEN 'ok'
                    WHEN t.severity = 'critical' THEN 'fail' ELSE 'warn' END AS status,
               CASE WHEN w.beyond THEN t.summary || ': ' ELSE '' END || t.metric
                   || coalesce(vrm_private.prometheus_labels(w.labels), '')
                   || CASE WHEN w.beyond IS NULL THEN ' was not measured'
                           ELSE format(' is %s, the limit is %s', CASE WHEN w.value < 1e15 THEN
                                       round(w.value::numeric, 3)::double precision ELSE w.value END, t.threshold) END
                   || CASE WHEN w.series > 1 THEN format(', and %s more', w.series - 1) ELSE '' END AS detail,
               CASE WHEN w.beyond THEN t.hint
                    WHEN w.beyond IS NULL THEN format('It has not happened yet, or cannot be measured here:'
                                                      ' SELECT * FROM vrm.monitoring(%L);', ARRAY[m.family])
               END AS hint,
               CASE WHEN w.beyond THEN t.fix_sql END AS fix_sql
        FROM worst w JOIN vrm.alert_threshold t ON t.alert = w.alert
        JOIN vrm.monitoring_metrics m ON m.name = t.metric
        UNION ALL
        SELECT r.check_name, r.value, r.limit_value, r.status, r.detail, r.hint, NULL FROM vrm.recovery_status() r
    )
    SELECT v.alert, v.status, v.value, v.limit_value, v.detail, v.hint, v.fix_sql
    FROM verdict v
    ORDER BY array_position('{fail,warn,unknown,ok}', v.status), v.alert
$$;
COMMENT ON FUNCTION vrm.health_check() IS
    'a verdict on each threshold and recovery objective, worst first: ok, warn, fail or unknown, and what to do';

-- Writes nothing while nothing changes, and notes that it came by once a day only: on an idle database
-- every commit of ours would be one that is not archived yet.
CREATE OR REPLACE FUNCTION vrm_private.sample() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    beyond jsonb := (SELECT coalesce(jsonb_agg(to_jsonb(a)), '[]') FROM vrm.alerts() a);
BEGIN
    UPDATE vrm.alert_history h SET resolved_at = now()
    WHERE h.resolved_at IS NULL
      AND NOT EXISTS (SELECT FROM jsonb_to_recordset(beyond) AS b (alert text, labels jsonb)
                      WHERE b.alert = h.alert AND b.labels = h.labels);
    INSERT INTO vrm.alert_history (alert, severity, metric, labels, value, threshold)
    SELECT b.alert, b.severity, b.metric, b.labels, b.value, b.threshold
    FROM jsonb_to_recordset(beyond) AS b (alert text, severity text, metric text, labels jsonb,
                                          value double precision, threshold double precision)
    WHERE NOT EXISTS (SELECT FROM vrm.alert_history h
                      WHERE h.alert = b.alert AND h.labels = b.labels AND h.resolved_at IS NULL)
    ON CONFLICT (alert, labels) WHERE resolved_at IS NULL DO NOTHING;
    IF NOT EXISTS (SELECT FROM vrm_private.monitoring_state s
                   WHERE (s.sampled_at AT TIME ZONE 'UTC')::date = (now() AT TIME ZONE 'UTC')::date) THEN
        UPDATE vrm_private.monitoring_state SET sampled_at = now();
        DELETE FROM vrm.alert_history h WHERE h.resolved_at < now() - interval '1 year';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.sample() IS
    'part of vrm.maintain(): notes which alerts began and ended, and that it came by';

REVOKE EXECUTE ON FUNCTION
    vrm_private.metric_of(text), vrm.monitoring(text[]), vrm.monitoring_text(),
    vrm_private.judged_metrics(), vrm.alerts(), vrm.health_check(), vrm_private.sample()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.monitoring(text[]), vrm.monitoring_text(), vrm.alerts(), vrm.health_check()
    TO pg_monitor;
