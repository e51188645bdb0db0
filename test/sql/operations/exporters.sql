-- Files for Prometheus and its kin follow the thresholds.
BEGIN;
SELECT plan(3);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
CREATE ROLE watcher;
GRANT pg_monitor TO watcher;

CREATE FUNCTION pg_temp.measured(wanted text, wanted_labels jsonb DEFAULT '{}') RETURNS double precision LANGUAGE sql AS $$
    SELECT s.value FROM vrm.monitoring() s WHERE s.name = wanted AND s.labels = wanted_labels
$$;
CREATE FUNCTION pg_temp.verdict(wanted text) RETURNS text LANGUAGE sql AS $$
    SELECT h.status FROM vrm.health_check() h WHERE h.check_name = wanted
$$;

UPDATE vrm.alert_threshold SET enabled = true, threshold = 30 WHERE alert = 'SlowQuery';
UPDATE vrm.alert_threshold SET enabled = false WHERE alert = 'LockWait';
SELECT alike(vrm.prometheus_rules(), '%expr: "vrm\_statements\_longest\_seconds > 30"%', 'a threshold that is changed is changed in the rules');
SELECT unalike(vrm.prometheus_rules(), '%alert: LockWait%', 'and one that is not enabled is not in them');
SELECT throws_ok($$SELECT vrm.exporter_config('nagios')$$, '22023', 'there is no configuration for "nagios"', 'only what is known is configured');

SELECT * FROM finish();
ROLLBACK;
