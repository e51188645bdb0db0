-- Files for Prometheus and its kin follow the thresholds.
BEGIN;
SELECT plan(9);
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

UPDATE vrm.alert_threshold SET enabled = true, threshold = 30 WHERE alert = 'SlowQuery';
UPDATE vrm.alert_threshold SET enabled = false WHERE alert = 'LockWait';
SELECT alike(vrm.prometheus_rules(), '%expr: "vrm\_statements\_longest\_seconds > 30"%',
             'a threshold that is changed is changed in the rules');
SELECT unalike(vrm.prometheus_rules(), '%alert: LockWait%', 'and one that is not enabled is not in them');
SELECT throws_ok($$SELECT vrm.exporter_config('nagios')$$, '22023', 'there is no configuration for "nagios"',
                 'only what is known is configured');

-- Whatever writes the file, its queries give every series that vrm.monitoring() has, under the same name.
CREATE FUNCTION pg_temp.given(histograms boolean, label_prefix text)
    RETURNS TABLE (name text, labels jsonb) LANGUAGE plpgsql AS $$
DECLARE
    q record;
BEGIN
    FOR q IN SELECT * FROM vrm_private.exporter_queries(histograms, label_prefix) LOOP
        RETURN QUERY EXECUTE format(
            'SELECT s ->> ''name'', coalesce((SELECT jsonb_object_agg(l, to_jsonb(r) -> (%L || l))'
            '                                 FROM unnest(%L::text[]) AS l), ''{}'')'
            ' FROM (%s) AS r, jsonb_array_elements(%L) AS s WHERE to_jsonb(r) -> (s ->> ''column'') <> ''null''',
            label_prefix, q.labels, q.statement, q.series);
    END LOOP;
END
$$;
SELECT set_eq(format('SELECT name, labels FROM pg_temp.given(false, %L)', prefix),
              'SELECT name, labels FROM vrm.monitoring()',
              'queries for exporters without histograms are complete ' || prefix)
FROM unnest('{"",tag_}'::text[]) AS prefix;
SELECT set_eq($$SELECT name, labels FROM pg_temp.given(true, '')$$,
              $$SELECT vrm_private.metric_of(name), labels - 'le' FROM vrm.monitoring()$$,
              'as are those with histograms');
SELECT is((SELECT statement FROM vrm_private.exporter_queries(false, '') WHERE query = 'vrm_calls_duration'),
          'SELECT labels ->> ''le'' AS le, max(value) FILTER (WHERE name = ''vrm_calls_duration_seconds_bucket'') AS'
          ' seconds_bucket FROM vrm.monitoring(''{calls}'') WHERE name IN (''vrm_calls_duration_seconds_bucket'')'
          ' GROUP BY labels', 'buckets have a query of their own');
SELECT is_empty($$SELECT t FROM unnest('{postgres_exporter,sql_exporter,pgwatch,alloy,cloudnative_pg,opentelemetry,
                  prometheus,alertmanager}'::text[]) AS t WHERE length(vrm.exporter_config(t)) < 100$$,
                'there is a file for each of them');
SELECT matches(vrm.prometheus_rules(), 'alert: CallSuccessBurnsFast\n +expr: "\(\(sum without \(outcome\)',
               'objectives have rules of their own');

SELECT * FROM finish();
ROLLBACK;
