-- Monitoring: every metric is there on every call, what is too much is told, and pg_monitor is enough.
BEGIN;
SELECT plan(61);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
CREATE ROLE watcher;
GRANT pg_monitor TO watcher;

CREATE FUNCTION pg_temp.measured(wanted text, wanted_labels jsonb DEFAULT '{}') RETURNS double precision
    LANGUAGE sql AS $$
    SELECT s.value FROM vrm.monitoring() s WHERE s.name = wanted AND s.labels = wanted_labels
$$;
CREATE FUNCTION pg_temp.verdict(wanted text) RETURNS text LANGUAGE sql AS $$
    SELECT h.status FROM vrm.health_check() h WHERE h.check_name = wanted
$$;

-- what is measured ------------------------------------------------------------------------------------

SELECT set_eq('SELECT DISTINCT vrm_private.metric_of(name) FROM vrm.monitoring()',
              'SELECT name FROM vrm.monitoring_metrics',
              'what is registered is measured, and nothing else');
SELECT is_empty('SELECT name, labels FROM vrm.monitoring() GROUP BY name, labels HAVING count(*) > 1',
                'every series is there once');
SELECT is_empty($$SELECT s.name, s.labels FROM vrm.monitoring() s JOIN vrm.monitoring_metrics m
                      ON m.name = vrm_private.metric_of(s.name)
                  WHERE ARRAY(SELECT jsonb_object_keys(s.labels - CASE m.type WHEN 'histogram' THEN 'le' ELSE '' END)
                              ORDER BY 1) <> ARRAY(SELECT unnest(m.labels)
                      ORDER BY 1)$$,
                'series have the labels that are registered');
SELECT is_empty('SELECT name FROM vrm.monitoring() WHERE value IS NULL OR value < 0', 'nothing is negative or null');
SELECT set_eq($$SELECT DISTINCT m.family FROM vrm.monitoring('{jobs,storage}') s
              JOIN vrm.monitoring_metrics m USING (name)$$,
              '{jobs,storage}'::text[], 'families are asked for by name');
SELECT throws_ok($$SELECT vrm.monitoring('{weather}')$$, '22023', 'there is no family "weather" of metrics',
                 'of which there is a list');
SELECT throws_ok($$SELECT vrm.monitoring('{NULL}')$$, '22023', NULL, 'and null is not on it');

SELECT is(pg_temp.measured('vrm_connections_limit'),
          current_setting('max_connections')::float8 - current_setting('superuser_reserved_connections')::float8
          - coalesce(current_setting('reserved_connections', true)::float8, 0),
          'reserved connections are nobody''s to use');
SELECT cmp_ok(pg_temp.measured('vrm_connections_client_sessions', '{"state": "active"}'), '>=', 1::float8,
              'this session is active');
SELECT cmp_ok(pg_temp.measured('vrm_storage_table_bytes', '{"relation": "vrm.logs"}'), '>=',
              (SELECT sum(pg_total_relation_size(oid))::float8 FROM pg_class WHERE relname LIKE 'logs\_%'
               AND relkind = 'r' AND relnamespace = 'vrm'::regnamespace),
              'a table is as large as its partitions');
SELECT cmp_ok(pg_temp.measured('vrm_storage_disk_free_bytes',
                               jsonb_build_object('path', current_setting('data_directory'))), '<=',
              pg_temp.measured('vrm_storage_disk_size_bytes',
                               jsonb_build_object('path', current_setting('data_directory'))),
                               'a disk has no more room than it has');
SELECT is(pg_temp.measured('vrm_storage_full_in_seconds'), 'Infinity'::float8,
          'given no samples, nobody knows when it is full');
SAVEPOINT known;
CREATE OR REPLACE FUNCTION vrm.storage_forecast(OUT samples int, OUT bytes_per_day float8, OUT used_bytes bigint,
                                                OUT free_bytes bigint,
    OUT days_to_full float8, OUT full_at timestamptz)
    LANGUAGE sql AS 'SELECT 10, 1.0::float8, 1::bigint, 2::bigint, 2.0::float8, now()';
SELECT is(pg_temp.measured('vrm_storage_full_in_seconds'), 172800::float8, 'a forecast is told in seconds');
SELECT is(pg_temp.verdict('StorageFillsUp'), 'warn', 'and two days are less than two weeks');
ROLLBACK TO known;
SELECT is(pg_temp.measured('vrm_backup_failed'), 0::float8, 'given no backup, none has failed');
SELECT cmp_ok(pg_temp.measured('vrm_backup_full_age_seconds'), '<', 86400::float8,
              'and it is missed since vrm was installed');
SELECT is(pg_temp.measured('vrm_backup_restore_seconds'), 'NaN'::float8,
          'given no restore, nobody knows how long it takes');
INSERT INTO vrm.backups (source, label, kind, started_at, finished_at, failed)
    VALUES ('plain', 'a', 'full', now() - interval '50 h', now() - interval '48 h', false),
        ('plain', 'b', 'full', now() - interval '2 h', now(), true);
INSERT INTO vrm.restore_drills (started_at, finished_at, verified)
    VALUES (now() - interval '2 h', now() - interval '1 h', true);
SELECT is(pg_temp.measured('vrm_backup_failed') || ' '
          || round(pg_temp.measured('vrm_backup_full_age_seconds') / 3600), '1 48',
          'a backup that failed is told, and does not count');
SELECT is(round(pg_temp.measured('vrm_backup_restore_seconds') / 60), 60::float8, 'a restore took an hour');
SELECT is(pg_temp.verdict('BackupFailed') || ' ' || pg_temp.verdict('BackupOverdue') || ' '
          || pg_temp.verdict('full_backup') || ' ' || pg_temp.verdict('rto'),
          'fail fail fail ok', 'there are verdicts on it, those of recovery among them');
INSERT INTO vrm.restore_drills (started_at, finished_at, verified) VALUES (now() - interval '1 h', now(), false);
SELECT is(pg_temp.measured('vrm_backup_restore_seconds'), 'Infinity'::float8,
          'one that did not bring everything back never ended');
SELECT is_empty($$SELECT h.fix_sql, h.hint FROM vrm.health_check() h
                  WHERE concat(h.fix_sql, h.hint) ~ 'archive_mode = on'
                    AND concat(h.fix_sql, h.hint) !~ 'archive_command'$$,
                'archiving is never turned on without a command: WAL would fill the disk');
SELECT ok((SELECT h.fix_sql !~ 'ALTER' AND h.hint ~ 'archive_command' FROM vrm.health_check() h
           WHERE h.check_name = 'WalArchivingOff'), 'first comes the command');
UPDATE vrm.backups SET expired_at = now() WHERE label = 'b';
SELECT is(pg_temp.measured('vrm_backup_failed'), 0::float8, 'a failed backup that is gone is forgotten');
SELECT is(pg_temp.measured('vrm_jobs_calls_expired'), 0::float8, 'given no call past its time');
INSERT INTO vrm.test_runs (user_id, status, started_at) VALUES (:'alice', 'running', now() - interval '2 days'),
    (:'alice', 'queued', now());
SELECT is(pg_temp.measured('vrm_jobs_calls_expired'), 1::float8, 'when a call is past its time, it is counted');
SELECT is(pg_temp.measured('vrm_jobs_live_calls', '{"status": "running"}') || '|'
          || pg_temp.measured('vrm_jobs_live_calls', '{"status": "queued"}'), '1|1',
          'so are calls by their state');
SELECT vrm.expire_test_runs() \g /dev/null
SELECT is(pg_temp.measured('vrm_jobs_calls_expired') || '|' || pg_temp.measured('vrm_jobs_changes_pending'), '0|1',
          'once it is ended it is a change that statistics are behind by');
SELECT is((SELECT count(*) FROM vrm.monitoring() s WHERE s.name = 'vrm_jobs_retention_failed' AND s.value > 0),
          0::bigint, 'given no failed run');
INSERT INTO vrm.retention_runs (policy, state, cutoff, as_of, started_at, finished_at, error)
    VALUES ('calls.completed', 'done', now(), now(), now() - interval '5 days', now() - interval '5 days', NULL),
           ('calls.failed', 'done', now(), now(), now(), now(), NULL),
               ('calls.failed', 'failed', now(), now(), now(), now(), 'disk full');
SELECT is((SELECT string_agg(s.labels ->> 'policy', ',') FROM vrm.monitoring() s
           WHERE s.name = 'vrm_jobs_retention_failed' AND s.value > 0),
          'calls.failed', 'a policy whose last run has failed is told');
SELECT is(round(pg_temp.measured('vrm_jobs_retention_overdue_seconds', '{"policy": "calls.completed"}') / 86400),
          4::float8, 'and one whose daily run is four days late');
SELECT is(round(pg_temp.measured('vrm_jobs_archival_lag_seconds') / 86400), 5::float8,
          'the archive is behind as far as the policy that is last');
INSERT INTO vrm_private.object_purges (user_id, object_key, queued_at)
    VALUES (:'alice', 'a.ogg', now() - interval '1 hour');
SELECT is(pg_temp.measured('vrm_jobs_purges_waiting') || '|'
          || round(pg_temp.measured('vrm_jobs_oldest_purge_seconds') / 3600), '1|1', 'objects to delete wait');
SELECT is(pg_temp.measured('vrm_jobs_maintenance_failed', '{"step": ""}'), 0::float8,
          'given no step of maintenance that failed');
INSERT INTO vrm.maintenance_failures (step, sqlstate, message) VALUES ('seals', 'XX000', 'no');
SELECT is(pg_temp.verdict('MaintenanceFailed'), 'warn', 'one that did is told');
SELECT is((SELECT string_agg(a.labels::text, ', ') FROM vrm.alerts() a WHERE a.alert = 'MaintenanceFailed'),
          '{"step": "seals"}', 'by its name');
SELECT is(pg_temp.measured('vrm_jobs_quality_failed'), 0::float8, 'given no check that has run, none has failed');
INSERT INTO vrm.quality_run (check_name, relation, severity, failed, total, at)
    SELECT name, 'x', severity, 7, 9, now() - n * interval '1 hour'
        FROM (SELECT * FROM vrm.quality_check WHERE severity = 'error' LIMIT 1) AS c, generate_series(1, 2) AS n;
SELECT is(pg_temp.measured('vrm_jobs_quality_failed'), 1::float8, 'a check that last found bad rows counts once');
INSERT INTO vrm.quality_run (check_name, relation, severity, failed, total) SELECT check_name, relation, severity, 0,
    total FROM vrm.quality_run LIMIT 1;
SELECT is(pg_temp.measured('vrm_jobs_quality_failed'), 0::float8, 'until it finds none');
SELECT pg_temp.measured('vrm_jobs_lockouts') AS lockouts \gset
INSERT INTO vrm_private.lockout VALUES (gen_random_uuid(), now(), now() + interval '1 hour', '-infinity', now(), 5, 0,
                                        5, 1, 0),
    (gen_random_uuid(), now(), now() - interval '1 hour', '-infinity', now(), 5, 0, 5, 1, 0);
SELECT is(pg_temp.measured('vrm_jobs_lockouts') - :lockouts, 1::float8, 'who is locked out is counted');

CREATE OR REPLACE FUNCTION vrm_private.measure_storage()
    RETURNS TABLE (name text, labels jsonb, value double precision) LANGUAGE plpgsql AS $$
BEGIN RAISE insufficient_privilege; END $$;
SET LOCAL client_min_messages = error;
SELECT set_eq('SELECT DISTINCT m.family FROM vrm.monitoring() s JOIN vrm.monitoring_metrics m USING (name)',
              '{connections,statements,replication,backup,maintenance,jobs,agents,calls}'::text[],
              'a family that fails costs its own series only');

-- the text ----------------------------------------------------------------------------------------------

SELECT is(vrm_private.prometheus_labels(E'{"b": "a\\"b\\\\c\\nd", "a": "x"}'), E'{a="x",b="a\\"b\\\\c\\nd"}',
          'labels are quoted');
SELECT is(vrm_private.prometheus_labels('{"a": 0.50, "b": true, "c": null, "d": [1, {"e": 2}]}')
          || vrm_private.prometheus_labels('{}') || vrm_private.prometheus_labels(NULL),
          '{a="0.50",b="true",c="",d="[1, {\"e\": 2}]"}', 'whatever they are');
SELECT throws_ok($$ SELECT vrm_private.prometheus_labels('["a"]') $$, '22023', 'labels must be a JSON object',
                 'and nothing else is');
SELECT is(array_to_string(ARRAY(SELECT vrm_private.prometheus_text(v)
                                FROM unnest('{0.5,Infinity,-Infinity,NaN,1e20}'::float8[]) AS v), ' '),
          '0.5 +Inf -Inf NaN 1e+20', 'numbers are written as Prometheus reads them');
SELECT matches(vrm.monitoring_text(),
               E'\n# HELP vrm_backup_archive_enabled whether .*\n# TYPE vrm_backup_archive_enabled '
                'gauge\nvrm_backup_archive_enabled [01]\n# HELP ',
               'a metric is introduced, then its series follow');
SELECT is((SELECT count(*) FROM regexp_split_to_table(vrm.monitoring_text(), E'\n') AS line
           WHERE line LIKE '# TYPE vrm\_jobs\_live\_calls gauge'), 1::bigint,
          'metrics of several series are introduced once');
UPDATE vrm.monitoring_metrics SET enabled = false WHERE name = 'vrm_jobs_lockouts';
SELECT unalike(vrm.monitoring_text(), '%vrm\_jobs\_lockouts%', 'what is not enabled is not told');
SELECT is(pg_temp.verdict('ManyLockouts'), 'unknown', 'and has no verdict');

-- alerts ------------------------------------------------------------------------------------------------

UPDATE vrm.alert_threshold SET enabled = alert IN ('HighConnectionCount', 'RetentionOverdue');
UPDATE vrm.alert_threshold SET threshold = 10 * 86400 WHERE alert = 'RetentionOverdue';
SELECT is_empty('SELECT * FROM vrm.alerts()', 'given nothing beyond its threshold, there are no alerts');
SELECT is(pg_temp.verdict('RetentionOverdue'), 'ok', 'and the verdict is good');
UPDATE vrm.alert_threshold SET threshold = 86400 WHERE alert = 'RetentionOverdue';
SELECT results_eq('SELECT alert, severity, labels, round(value / 86400), threshold FROM vrm.alerts()',
                  $$VALUES ('RetentionOverdue', 'warning', '{"policy": "calls.completed"}'::jsonb, 4::float8,
                            86400::float8)$$,
                  'when a series is beyond it, that series is told');
SELECT is((SELECT status || ' ' || (detail LIKE '%{policy="calls.completed"} is 3%') || ' ' || (fix_sql IS NOT NULL)
           FROM vrm.health_check()
           WHERE check_name = 'RetentionOverdue'), 'warn true true', 'and the verdict says which, and what to do');
UPDATE vrm.alert_threshold SET severity = 'critical' WHERE alert = 'RetentionOverdue';
SELECT is((SELECT check_name || ' ' || status FROM vrm.health_check() LIMIT 1), 'RetentionOverdue fail',
          'what is critical comes first');
SELECT vrm_private.sample() \g /dev/null
UPDATE vrm.alert_history SET since = '2026-01-01';
SELECT vrm_private.sample() \g /dev/null
SELECT is((SELECT since FROM vrm.alerts()), '2026-01-01'::timestamptz,
          'an alert that lasts is as old as when it was first seen');
UPDATE vrm.alert_threshold SET comparison = '<', threshold = 0 WHERE alert = 'RetentionOverdue';
SELECT vrm_private.sample() \g /dev/null
SELECT results_eq('SELECT alert, since, resolved_at IS NOT NULL FROM vrm.alert_history',
                  $$VALUES ('RetentionOverdue', '2026-01-01'::timestamptz, true)$$,
                  'once it is over, the history says so');

-- who may -------------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_role('watcher', NULL, 'SELECT count(*) > 0 FROM ' || call), 'true',
          'a member of pg_monitor may call ' || call)
FROM unnest('{vrm.monitoring(),vrm.health_check()}'::text[]) AS call;
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.monitoring_text()')
          || pg_temp.as_anon('SELECT count(*) FROM vrm.alerts()'), '4250142501', 'users may not');

-- what an alert says is to be run, can be
CREATE FUNCTION pg_temp.runs(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN '';
EXCEPTION WHEN undefined_table THEN
    RETURN CASE WHEN statement ~ 'pg_stat_statements' THEN '' ELSE SQLERRM END;
WHEN OTHERS THEN
    RETURN SQLERRM;
END
$$;
SELECT is_empty($$SELECT alert, pg_temp.runs(fix_sql) FROM vrm.alert_threshold
                  WHERE fix_sql NOT LIKE 'CALL %' AND pg_temp.runs(fix_sql) <> ''$$,
                'every statement that comes with an alert runs');
SELECT is_empty($$SELECT fix_sql FROM vrm.alert_threshold WHERE fix_sql ~* 'ALTER SYSTEM|DROP|DELETE|pg_terminate'$$,
                'and none of them can hurt');

SELECT * FROM finish();
ROLLBACK;
