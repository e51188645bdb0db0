-- The tour, continued: what vrm makes of a backup and a drill, and of a table that lost rows after a
-- restore point; in a transaction that is rolled back, so that the tour can be shown again.
BEGIN;
SELECT vrm.record_backup(format('[{"label": "base-8", "kind": "full", "started_at": %s, "finished_at": %s},
                                  {"label": "base-1", "kind": "full", "started_at": %s, "finished_at": %s}]',
                                to_json(now() - interval '21 h'), to_json(now() - interval '20 h'),
                                to_json(now() - interval '9 d'), to_json(now() - interval '8 d'))::jsonb, 'plain'),
       vrm.record_restore_drill(now() - interval '100 min', now(), true, 'base-8') \g /dev/null

\echo '18. Could all of this be restored?  SELECT * FROM vrm.recovery_status();'
\echo
SELECT check_name AS "check", status, date_trunc('minute', make_interval(secs => value)) AS value,
       make_interval(secs => limit_value) AS "limit", coalesce(split_part(hint, ';', 1), '') AS "do"
FROM vrm.recovery_status();

\echo '19. Calls are lost after a restore point.  SELECT * FROM vrm.verify_restore(...);'
\echo
SELECT vrm_private.begin_restore_point('demo', '{vrm.agents, vrm.test_runs, vrm.metrics}') AS point \gset
DELETE FROM vrm.test_runs WHERE status = 'failed';
SELECT relation, ok, expected_rows AS expected, found_rows AS found, detail
FROM vrm.verify_restore(:'point');
ROLLBACK;
