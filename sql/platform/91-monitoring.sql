-- Monitoring: what is measured, and what is too much --------------------------------------------------
-- Two registries that everything else is made of: vrm.monitoring(), the text that Prometheus reads, its
-- rules, the exporter's queries, the dashboard and vrm.health_check().  How a metric is measured is
-- code, in 96-monitoring.sql: a text that the engine executed would be a superuser's keyboard.

CREATE TABLE IF NOT EXISTS vrm.monitoring_metrics (
    name text PRIMARY KEY,
    family text NOT NULL CONSTRAINT family_is_known CHECK (family IN
        ('connections', 'statements', 'storage', 'replication', 'backup', 'maintenance', 'jobs')),
    type text NOT NULL CONSTRAINT type_is_known CHECK (type IN ('gauge', 'counter')),
    labels text[] NOT NULL DEFAULT '{}',
    help text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    CONSTRAINT name_tells_family CHECK (name ~ ('^vrm_' || family || '_[a-z][a-z_]*$')),
    -- postgres_exporter makes the name of the query's and the column's: families have their own query
    CONSTRAINT labels_need_a_query CHECK (labels = '{}' OR name ~ ('^vrm_' || family || '_[a-z_]+_[a-z]+$')),
    CONSTRAINT counters_are_totals CHECK ((type = 'counter') = (name LIKE '%\_total'))
);
COMMENT ON TABLE vrm.monitoring_metrics IS 'what vrm.monitoring() measures; one row a metric';
COMMENT ON COLUMN vrm.monitoring_metrics.name IS
    'as Prometheus names metrics: the family, then what it is, then its base unit (seconds, bytes, ratio)';
COMMENT ON COLUMN vrm.monitoring_metrics.family IS 'metrics of a family are measured together';
COMMENT ON COLUMN vrm.monitoring_metrics.type IS
    'gauge, or counter: only grows, until the server''s statistics are reset';
COMMENT ON COLUMN vrm.monitoring_metrics.labels IS 'labels that tell its series apart';
COMMENT ON COLUMN vrm.monitoring_metrics.help IS 'what it says, in a line';
COMMENT ON COLUMN vrm.monitoring_metrics.enabled IS 'whether it is reported';

INSERT INTO vrm.monitoring_metrics (name, family, type, labels, help) VALUES
    ('vrm_connections_client_sessions', 'connections', 'gauge', '{state}',
     'client connections by state, all databases'),
    ('vrm_connections_limit', 'connections', 'gauge', '{}', 'connections that ordinary roles may have at once'),
    ('vrm_connections_used_ratio', 'connections', 'gauge', '{}', 'client connections as a part of the limit'),
    ('vrm_connections_longest_idle_in_transaction_seconds', 'connections', 'gauge', '{}',
     'how long a session has been idle in its transaction, the longest'),
    ('vrm_connections_longest_transaction_seconds', 'connections', 'gauge', '{}',
     'age of the oldest open transaction'),
    ('vrm_connections_lock_waits', 'connections', 'gauge', '{}', 'lock requests that are not granted'),
    ('vrm_connections_longest_lock_wait_seconds', 'connections', 'gauge', '{}',
     'how long a lock is being waited for, the longest'),
    ('vrm_connections_deadlocks_total', 'connections', 'counter', '{}', 'deadlocks in this database'),

    ('vrm_statements_longest_seconds', 'statements', 'gauge', '{}',
     'how long a statement of a client has been running, the longest; commands that report progress excepted'),
    ('vrm_statements_transactions_total', 'statements', 'counter', '{outcome}',
     'transactions of this database by outcome'),
    ('vrm_statements_temporary_bytes_total', 'statements', 'counter', '{}',
     'bytes that sorts and hashes have spilled to files'),
    ('vrm_statements_cache_hit_ratio', 'statements', 'gauge', '{}',
     'reads of blocks that needed no read from the system'),
    ('vrm_statements_recorded', 'statements', 'gauge', '{}',
     'whether pg_stat_statements is there to be read: 1 or 0'),
    ('vrm_statements_executions_total', 'statements', 'counter', '{}',
     'statements executed, of those that pg_stat_statements holds'),
    ('vrm_statements_execution_seconds_total', 'statements', 'counter', '{}', 'time that these have taken'),
    ('vrm_statements_slowest_mean_seconds', 'statements', 'gauge', '{}',
     'mean time of the slowest statement that has run ten times'),

    ('vrm_storage_database_bytes', 'storage', 'gauge', '{}', 'size of this database'),
    ('vrm_storage_table_bytes', 'storage', 'gauge', '{relation}',
     'size of a table of vrm with its indexes, TOAST and partitions'),
    ('vrm_storage_disk_size_bytes', 'storage', 'gauge', '{path}', 'size of the file system that a directory is on'),
    ('vrm_storage_disk_free_bytes', 'storage', 'gauge', '{path}', 'what is free of it'),
    ('vrm_storage_disk_used_ratio', 'storage', 'gauge', '{path}', 'what is used of it'),
    ('vrm_storage_full_in_seconds', 'storage', 'gauge', '{}',
     'when a file system is full, as it has grown over 30 days; +Inf when in ten years it is not, or nobody knows'),

    ('vrm_replication_in_recovery', 'replication', 'gauge', '{}', 'whether this server is a standby: 1 or 0'),
    ('vrm_replication_standbys', 'replication', 'gauge', '{}', 'standbys that stream from this server'),
    ('vrm_replication_lag_seconds', 'replication', 'gauge', '{}',
     'how far replay is behind: of the standby that is last, on a standby its own'),
    ('vrm_replication_lag_bytes', 'replication', 'gauge', '{}', 'the same in bytes of WAL'),
    ('vrm_replication_slots', 'replication', 'gauge', '{}', 'replication slots'),
    ('vrm_replication_slots_inactive', 'replication', 'gauge', '{}', 'slots that nobody reads from'),
    ('vrm_replication_slots_lost', 'replication', 'gauge', '{}', 'slots whose WAL is gone'),
    ('vrm_replication_slot_retained_bytes', 'replication', 'gauge', '{}', 'WAL that a slot holds back, the most'),

    ('vrm_backup_archive_enabled', 'backup', 'gauge', '{}', 'whether WAL is archived: 1 or 0'),
    ('vrm_backup_archive_failing', 'backup', 'gauge', '{}',
     'whether the last attempt to archive WAL has failed: 1 or 0'),
    ('vrm_backup_exposure_seconds', 'backup', 'gauge', '{}',
     'age of the oldest commit that is not archived; NaN on a standby and where nothing is'),
    ('vrm_backup_full_age_seconds', 'backup', 'gauge', '{}',
     'time since the last good full backup that was recorded ended, or since vrm was installed'),
    ('vrm_backup_failed', 'backup', 'gauge', '{}', 'whether the last backup that was recorded has failed: 1 or 0'),
    ('vrm_backup_history_seconds', 'backup', 'gauge', '{}', 'how far back any moment can be restored'),
    ('vrm_backup_restore_seconds', 'backup', 'gauge', '{}',
     'how long the last restore took that was tried; +Inf when it did not bring everything back, NaN without any'),
    ('vrm_backup_archived_total', 'backup', 'counter', '{}', 'WAL files archived'),
    ('vrm_backup_archive_failures_total', 'backup', 'counter', '{}', 'attempts to archive WAL that have failed'),
    ('vrm_backup_wal_bytes_total', 'backup', 'counter', '{}',
     'WAL written, or replayed on a standby, since the cluster was made'),
    ('vrm_backup_wal_directory_bytes', 'backup', 'gauge', '{}', 'size of pg_wal'),
    ('vrm_backup_checkpoints_total', 'backup', 'counter', '{reason}', 'checkpoints by what asked for them'),

    ('vrm_maintenance_wraparound_ratio', 'maintenance', 'gauge', '{}',
     'age of the oldest transaction or multixact id, of all databases, as a part of what may be'),
    ('vrm_maintenance_transaction_id_age', 'maintenance', 'gauge', '{}',
     'transactions since the oldest frozen one, of all databases'),
    ('vrm_maintenance_dead_rows', 'maintenance', 'gauge', '{}', 'dead rows in all tables of this database'),
    ('vrm_maintenance_dead_rows_ratio', 'maintenance', 'gauge', '{}',
     'dead rows as a part of all, of the worst table with more than 10000'),
    ('vrm_maintenance_autovacuum_workers', 'maintenance', 'gauge', '{}', 'autovacuum workers at work'),
    ('vrm_maintenance_oldest_prepared_seconds', 'maintenance', 'gauge', '{}',
     'age of the oldest prepared transaction'),
    ('vrm_maintenance_invalid_indexes', 'maintenance', 'gauge', '{}',
     'indexes that CREATE INDEX CONCURRENTLY left unfinished'),

    ('vrm_jobs_maintenance_age_seconds', 'jobs', 'gauge', '{}',
     'time since the first visit of vrm.maintain() on its last day, or since vrm was installed'),
    ('vrm_jobs_retention_overdue_seconds', 'jobs', 'gauge', '{policy}',
     'how long a retention policy is past its time to run through'),
    ('vrm_jobs_retention_failed', 'jobs', 'gauge', '{policy}',
     'whether the last run of a retention policy has failed: 1 or 0'),
    ('vrm_jobs_archival_lag_seconds', 'jobs', 'gauge', '{}',
     'time since all calls that were due went to the archive, or since vrm was installed'),
    ('vrm_jobs_live_calls', 'jobs', 'gauge', '{status}', 'calls that are queued or running'),
    ('vrm_jobs_calls_expired', 'jobs', 'gauge', '{}',
     'running calls past their time limit, which vrm.maintain() ends'),
    ('vrm_jobs_changes_pending', 'jobs', 'gauge', '{}',
     'changes that statistics are behind by, which vrm.maintain() works off; counted up to 100000'),
    ('vrm_jobs_quality_failed', 'jobs', 'gauge', '{}',
     'checks of data quality, of severity error, that last found bad rows or could not be run'),
    ('vrm_jobs_lockouts', 'jobs', 'gauge', '{}', 'identifiers and networks that are locked out now'),
    ('vrm_jobs_purges_waiting', 'jobs', 'gauge', '{}', 'deleted recordings whose objects are still there'),
    ('vrm_jobs_oldest_purge_seconds', 'jobs', 'gauge', '{}', 'how long the first of these has been waiting')
    ON CONFLICT (name) DO NOTHING;

CREATE TABLE IF NOT EXISTS vrm.alert_threshold (
    alert text PRIMARY KEY CONSTRAINT alert_in_camel_case CHECK (alert ~ '^[A-Z][A-Za-z0-9]*$'),
    metric text NOT NULL REFERENCES vrm.monitoring_metrics (name),
    comparison text NOT NULL DEFAULT '>' CONSTRAINT comparison_is_known CHECK (comparison IN ('>', '<')),
    threshold double precision NOT NULL,
    hold interval NOT NULL DEFAULT '0' CONSTRAINT hold_range
        CHECK (hold >= '0' AND hold <= '7 days' AND extract(month FROM hold) = 0),
    severity text NOT NULL CONSTRAINT severity_is_known CHECK (severity IN ('warning', 'critical')),
    enabled boolean NOT NULL DEFAULT true,
    summary text NOT NULL,
    hint text NOT NULL,
    fix_sql text
);
COMMENT ON TABLE vrm.alert_threshold IS
    'when to call somebody; vrm.prometheus_rules(), vrm.alerts() and vrm.health_check() are made of it';
COMMENT ON COLUMN vrm.alert_threshold.alert IS 'the alert';
COMMENT ON COLUMN vrm.alert_threshold.metric IS 'what is looked at: each of its series by itself';
COMMENT ON COLUMN vrm.alert_threshold.comparison IS '> for too much, < for too little';
COMMENT ON COLUMN vrm.alert_threshold.threshold IS 'how much is too much, in the unit of the metric';
COMMENT ON COLUMN vrm.alert_threshold.hold IS 'how long it has to last before Prometheus tells anybody';
COMMENT ON COLUMN vrm.alert_threshold.severity IS 'critical: now; warning: in working hours';
COMMENT ON COLUMN vrm.alert_threshold.enabled IS 'whether it is looked at';
COMMENT ON COLUMN vrm.alert_threshold.summary IS 'what is wrong, in a line';
COMMENT ON COLUMN vrm.alert_threshold.hint IS 'what to do';
COMMENT ON COLUMN vrm.alert_threshold.fix_sql IS 'a statement that shows the cause or mends it';

INSERT INTO vrm.alert_threshold
    (alert, metric, comparison, threshold, hold, severity, enabled, summary, hint, fix_sql) VALUES
    ('HighConnectionCount', 'vrm_connections_used_ratio', '>', 0.8, '5 min', 'warning', true,
     'connections are running out', 'Look who has them; put PgBouncer in between, or raise max_connections.',
     'SELECT usename, application_name, state, count(*) FROM pg_stat_activity WHERE backend_type = ''client '
     'backend'' GROUP BY 1, 2, 3 ORDER BY 4 DESC'),
    ('ConnectionsExhausted', 'vrm_connections_used_ratio', '>', 0.95, '1 min', 'critical', true,
     'hardly any connection is left', 'End sessions that idle; put PgBouncer in between, or raise max_connections.',
     'SELECT pid, usename, application_name, state, state_change FROM pg_stat_activity WHERE state LIKE '
     '''idle%'' ORDER BY state_change LIMIT 20'),
    ('IdleInTransaction', 'vrm_connections_longest_idle_in_transaction_seconds', '>', 900, '0', 'warning', true,
     'a transaction is open and idle',
     'It keeps rows from being vacuumed: end it, and set idle_in_transaction_session_timeout.',
     'SELECT pid, usename, application_name, xact_start, query FROM pg_stat_activity WHERE state LIKE ''idle '
     'in%'' ORDER BY state_change LIMIT 5'),
    ('LockWait', 'vrm_connections_longest_lock_wait_seconds', '>', 60, '0', 'warning', true,
     'a session waits for a lock', 'Look who holds it, and end that session when nobody needs it.',
     'SELECT pid, pg_blocking_pids(pid) AS blocked_by, query FROM pg_stat_activity WHERE wait_event_type = '
     '''Lock'''),
    ('SlowQuery', 'vrm_statements_longest_seconds', '>', 60, '0', 'warning', true, 'a statement is running long',
     'Look at it; SELECT pg_cancel_backend(pid) ends it, statement_timeout keeps it from coming back.',
     'SELECT pid, usename, now() - query_start AS running, query FROM pg_stat_activity WHERE state = ''active'' '
     'AND backend_type = ''client backend'' ORDER BY query_start LIMIT 5'),
    ('SlowStatements', 'vrm_statements_slowest_mean_seconds', '>', 5, '10 min', 'warning', true,
     'a statement that runs again and again is slow', 'EXPLAIN (ANALYZE, BUFFERS) it: an index may be missing.',
     'SELECT calls, mean_exec_time, query FROM pg_stat_statements ORDER BY mean_exec_time DESC LIMIT 5'),
    ('DatabaseTooLarge', 'vrm_storage_database_bytes', '>', 500e9, '5 min', 'warning', false,
     'the database is larger than planned',
     'Set the threshold to what your plan has; shorten the periods of retention.',
     'SELECT * FROM vrm.retention_preview()'),
    ('StorageThresholdExceeded', 'vrm_storage_disk_used_ratio', '>', 0.85, '5 min', 'warning', true,
     'a disk fills up', 'Look what grows; add room, or shorten the periods of retention.',
     'SELECT relid::regclass, pg_size_pretty(pg_total_relation_size(relid)) FROM pg_stat_user_tables '
     'ORDER BY pg_total_relation_size(relid) DESC LIMIT 10'),
    ('StorageFull', 'vrm_storage_disk_used_ratio', '>', 0.95, '1 min', 'critical', true,
     'a disk is nearly full: PostgreSQL stops when it is', 'Add room now. Never delete from pg_wal by hand.',
     'SELECT slot_name, active, restart_lsn FROM pg_replication_slots ORDER BY restart_lsn'),
    ('StorageFillsUp', 'vrm_storage_full_in_seconds', '<', 1209600, '1 hour', 'warning', true,
     'a disk will be full within two weeks', 'Add room, or shorten the periods of retention.',
     'SELECT * FROM vrm.storage_forecast()'),
    ('ReplicationLag', 'vrm_replication_lag_seconds', '>', 60, '2 min', 'warning', true, 'a standby is behind',
     'Look at its load, its network, and what conflicts with replay.', 'SELECT * FROM pg_stat_replication'),
    ('StandbyMissing', 'vrm_replication_standbys', '<', 1, '2 min', 'critical', false, 'no standby streams',
     'Set the threshold to how many there should be. Look at the log of the standby.',
     'SELECT * FROM pg_stat_replication'),
    ('ReplicationSlotRetainsWal', 'vrm_replication_slot_retained_bytes', '>', 10e9, '5 min', 'warning', true,
     'a replication slot holds WAL back',
     'Bring its reader back or drop the slot; max_slot_wal_keep_size sets a limit.',
     'SELECT slot_name, active, restart_lsn, wal_status FROM pg_replication_slots ORDER BY restart_lsn'),
    ('ReplicationSlotLost', 'vrm_replication_slots_lost', '>', 0, '0', 'critical', true,
     'the WAL that a replication slot needs is gone', 'Its reader has to begin anew; drop the slot.',
     'SELECT slot_name FROM pg_replication_slots WHERE wal_status = ''lost'''),
    ('WalArchivingOff', 'vrm_backup_archive_enabled', '<', 1, '0', 'warning', true,
     'WAL is not archived: what comes after the last backup can be lost',
     'Set up pgBackRest, Barman or WAL-G: doc/backup.md.', 'ALTER SYSTEM SET archive_mode = on'),
    ('WalArchivingFailed', 'vrm_backup_archive_failing', '>', 0, '5 min', 'critical', true,
     'WAL cannot be archived: it piles up, and what is in it can be lost',
     'Look at the server''s log for what archive_command said.', 'SELECT * FROM pg_stat_archiver'),
    ('BackupFailed', 'vrm_backup_failed', '>', 0, '0', 'critical', true, 'the last backup has failed',
     'Look at the log of the tool that makes it, mend it, and make another.',
     'SELECT * FROM vrm.backups ORDER BY finished_at DESC LIMIT 5'),
    ('BackupOverdue', 'vrm_backup_full_age_seconds', '>', 90000, '0', 'critical', true,
     'there was no full backup for more than a day',
     'Make one, and record it with vrm.record_backup(): doc/backup.md.', 'SELECT * FROM vrm.recovery_status()'),
    ('RestoreTooSlow', 'vrm_backup_restore_seconds', '>', 14400, '0', 'warning', true,
     'a restore takes too long, or did not bring everything back',
     'Look what took so long; then try again: doc/backup.md.',
     'SELECT * FROM vrm.restore_drills ORDER BY finished_at DESC LIMIT 5'),
    ('RecoveryPointMissed', 'vrm_backup_exposure_seconds', '>', 900, '5 min', 'critical', true,
     'more than 15 minutes of work would be lost with this server',
     'See that WAL is archived; where little is written, set archive_timeout.', 'SELECT * FROM vrm.rpo()'),
    ('TransactionIdWraparound', 'vrm_maintenance_wraparound_ratio', '>', 0.5, '0', 'critical', true,
     'transaction ids are running out',
     'Look what holds VACUUM back (old transactions, slots, prepared transactions), then VACUUM FREEZE.',
     'SELECT datname, age(datfrozenxid), mxid_age(datminmxid) FROM pg_database ORDER BY 2 DESC'),
    ('DeadRows', 'vrm_maintenance_dead_rows_ratio', '>', 0.4, '1 hour', 'warning', true,
     'autovacuum does not keep up', 'Look what holds it back, and whether the table needs settings of its own.',
     'SELECT relid::regclass, n_live_tup, n_dead_tup, last_autovacuum FROM pg_stat_user_tables ORDER BY '
     'n_dead_tup DESC LIMIT 5'),
    ('PreparedTransactionForgotten', 'vrm_maintenance_oldest_prepared_seconds', '>', 3600, '0', 'warning', true,
     'a prepared transaction was left behind', 'Nothing ends it but COMMIT PREPARED or ROLLBACK PREPARED.',
     'SELECT * FROM pg_prepared_xacts'),
    ('InvalidIndex', 'vrm_maintenance_invalid_indexes', '>', 0, '1 day', 'warning', true,
     'an index was left unfinished', 'REINDEX INDEX CONCURRENTLY it, or drop it.',
     'SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid'),
    ('MaintenanceOverdue', 'vrm_jobs_maintenance_age_seconds', '>', 90000, '0', 'warning', true,
     'nobody calls vrm.maintain()', 'SELECT vrm.schedule_maintenance(), or a systemd timer: doc/maintenance.md.',
     'CALL vrm.maintain()'),
    ('RetentionFailed', 'vrm_jobs_retention_failed', '>', 0, '0', 'warning', true, 'a retention policy fails',
     'Its error says why; the next run tries again.',
     'SELECT policy, finished_at, error FROM vrm.retention_runs WHERE state = ''failed'' ORDER BY run_id DESC '
     'LIMIT 5'),
    ('RetentionOverdue', 'vrm_jobs_retention_overdue_seconds', '>', 86400, '0', 'warning', true,
     'a retention policy has not run through for more than a day',
     'What is due stays too long: look at its last runs.',
     'SELECT policy, state, started_at, rows_busy, error FROM vrm.retention_runs ORDER BY run_id DESC LIMIT 20'),
    ('ArchivalLag', 'vrm_jobs_archival_lag_seconds', '>', 259200, '0', 'warning', true,
     'calls that are due do not go to the archive', 'Look at the last runs of calls.completed and calls.failed.',
     'SELECT policy, state, started_at, rows_busy, error FROM vrm.retention_runs WHERE policy LIKE ''calls.%'' '
     'ORDER BY run_id DESC LIMIT 20'),
    ('CallsNotExpired', 'vrm_jobs_calls_expired', '>', 0, '15 min', 'warning', true,
     'calls run past their time limit', 'vrm.maintain() ends them: see that it is called.',
     'SELECT vrm.expire_test_runs()'),
    ('StatisticsBehind', 'vrm_jobs_changes_pending', '>', 50000, '1 hour', 'warning', true,
     'statistics are behind, and dashboards slow',
     'vrm.maintain() works it off: see that it is called often enough.', 'CALL vrm.maintain()'),
    ('DataQuality', 'vrm_jobs_quality_failed', '>', 0, '0', 'warning', true, 'there are rows that should not be',
     'Look which, mend them, and let a constraint keep them out: doc/quality.md.',
     'SELECT DISTINCT ON (check_name) check_name, failed, total, sample_keys, error FROM vrm.quality_run '
     'ORDER BY check_name, at DESC'),
    ('ManyLockouts', 'vrm_jobs_lockouts', '>', 100, '5 min', 'warning', true,
     'many are locked out: somebody may be guessing passwords',
     'Look where the attempts come from: doc/lockout.md.', NULL),
    ('PurgesWaiting', 'vrm_jobs_oldest_purge_seconds', '>', 86400, '0', 'warning', true,
     'objects of deleted recordings stay in the object store',
     'Their client has to call vrm.claim_purges(): doc/recordings.md.', NULL)
    ON CONFLICT (alert) DO NOTHING;

CREATE TABLE IF NOT EXISTS vrm.alert_history (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    alert text NOT NULL,
    severity text NOT NULL,
    metric text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    value double precision NOT NULL,
    threshold double precision NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz
);
CREATE UNIQUE INDEX IF NOT EXISTS alert_history_open ON vrm.alert_history (alert, labels) WHERE resolved_at IS NULL;
COMMENT ON TABLE vrm.alert_history IS 'what was beyond its threshold when vrm.maintain() came by; kept for a year';
COMMENT ON INDEX vrm.alert_history_open IS 'an alert is open once for each series';
COMMENT ON COLUMN vrm.alert_history.id IS 'order of the entries';
COMMENT ON COLUMN vrm.alert_history.alert IS 'alert_threshold.alert';
COMMENT ON COLUMN vrm.alert_history.severity IS 'warning or critical';
COMMENT ON COLUMN vrm.alert_history.metric IS 'what was looked at';
COMMENT ON COLUMN vrm.alert_history.labels IS 'which of its series';
COMMENT ON COLUMN vrm.alert_history.value IS 'what was measured when it was first seen';
COMMENT ON COLUMN vrm.alert_history.threshold IS 'the threshold then';
COMMENT ON COLUMN vrm.alert_history.since IS 'when it was first seen';
COMMENT ON COLUMN vrm.alert_history.resolved_at IS 'when it was first seen to be over; null while it lasts';

CREATE TABLE IF NOT EXISTS vrm_private.monitoring_state (
    id boolean PRIMARY KEY DEFAULT true CONSTRAINT one_row CHECK (id),
    sampled_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vrm_private.monitoring_state IS 'on which day vrm.maintain() last came by; one row';
COMMENT ON COLUMN vrm_private.monitoring_state.id IS 'true: there is one row';
COMMENT ON COLUMN vrm_private.monitoring_state.sampled_at IS
    'when it first came by on that day, in UTC; or when vrm was installed';
INSERT INTO vrm_private.monitoring_state DEFAULT VALUES ON CONFLICT DO NOTHING;

REVOKE ALL ON vrm.monitoring_metrics, vrm.alert_threshold, vrm.alert_history, vrm_private.monitoring_state
    FROM PUBLIC, anon, authenticated;
GRANT USAGE ON SCHEMA vrm TO pg_monitor;
GRANT SELECT ON vrm.monitoring_metrics, vrm.alert_threshold, vrm.alert_history TO pg_monitor;
