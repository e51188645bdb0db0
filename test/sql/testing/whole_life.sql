-- Where rows of suites go: with the person who asks for them, with a tenant that moves, away with who is erased.
BEGIN;
SELECT plan(7);
\ir ../include/played_suites.sql

CREATE TEMP TABLE of_district (relation) AS
SELECT unnest(ARRAY['vrm.agent_versions', 'vrm.suites', 'vrm.suite_runs', 'vrm.suite_run_cases', 'vrm.suite_calls',
                    'vrm.run_queue', 'vrm.run_leases', 'vrm.metric_results', 'vrm.agent_thresholds',
                    'vrm.agent_alerts']::regclass[]);
SELECT is((SELECT string_agg(c.oid::regclass::text, ' ') FROM pg_class c
           WHERE c.relnamespace = 'vrm'::regnamespace AND c.relkind = 'r'
             AND c.relname ~ '^(suite|run_queue|run_leases|agent_(versions|thresholds|alerts))'
             AND c.oid NOT IN (SELECT relation FROM of_district)), NULL, 'these are the tables');

SELECT pg_temp.of_alice(format($$INSERT INTO vrm.suites (name, case_ids) VALUES ('nightly', ARRAY[%L, %L, %L]::uuid[])
                               RETURNING id$$, :'books', :'kind', :'plain')) AS suite \gset
SELECT pg_temp.of_alice(format('SELECT vrm.start_suite(NULL, %L, suite => %L)', :'agent', :'suite')) AS suite_run \gset
SELECT pg_temp.of_alice('SELECT run_id FROM vrm.claim_test_run()') AS judged,
       pg_temp.of_alice('SELECT run_id FROM vrm.claim_test_run()') AS leased \gset
SELECT pg_temp.of_alice(format('SELECT vrm.complete_test_run(%L)', :'judged')),
       pg_temp.of_alice(format($$SELECT vrm.record_verdict(%L, %L, 'gpt', true, rationale => 'kind words')$$, :'judged',
                               :'tone')),
       pg_temp.of_alice($$INSERT INTO vrm.agent_thresholds (measure, threshold) VALUES ('failure_rate', 0.1)
                        RETURNING id$$) \g /dev/null
INSERT INTO vrm.agent_alerts (user_id, threshold_id, agent_id, measure, value, allowed, calls)
SELECT t.user_id, t.id, :'agent', t.measure, 1, 0.1, 10 FROM vrm.agent_thresholds t;
CREATE FUNCTION pg_temp.rows_of(person uuid) RETURNS TABLE (relation regclass, number bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOR relation IN SELECT d.relation FROM of_district d ORDER BY 1 LOOP
        EXECUTE format('SELECT count(*) FROM %s WHERE user_id = $1', relation) INTO number USING person;
        RETURN NEXT;
    END LOOP;
END
$$;
SELECT is((SELECT string_agg(relation::text, ' ') FROM pg_temp.rows_of(:'alice') WHERE number = 0), NULL,
          'there are rows in each');
SELECT results_eq(format($$SELECT relation::text, count(*) FROM vrm.export_user_data(%L)
                           WHERE relation::regclass IN (SELECT relation FROM of_district)
                           GROUP BY 1 ORDER BY 1$$, :'alice'),
                  format('SELECT relation::text, number FROM pg_temp.rows_of(%L) ORDER BY 1', :'alice'),
                  'the person gets all of them');
SELECT is((SELECT count(*) FROM vrm.export_user_data(:'alice') AS e WHERE e::text LIKE '%kind words%'), 1::bigint,
          'with what judges have said');
CREATE TEMP TABLE moved AS SELECT vrm.export_tenant(:'alice') AS line;
SELECT is((SELECT string_agg(relation::text, ' ') FROM of_district d
           WHERE NOT EXISTS (SELECT FROM moved m WHERE m.line::text LIKE '%' || d.relation::text || '%')), NULL,
          'a tenant that moves takes them along');
SELECT pg_temp.person('root@example.org') AS root \gset
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'root';
SELECT pg_temp.as_user(:'root', format('SELECT vrm.erase_user(%L, ''asked by letter'')', :'alice')) \g /dev/null
SELECT is((SELECT sum(number) FROM pg_temp.rows_of(:'alice')), 0::numeric, 'who is erased leaves none');
SELECT is((SELECT count(*) FROM vrm.run_events WHERE user_id = :'alice'), 0::bigint,
          'nor events of calls that runners had taken');

SELECT finish();
ROLLBACK;
