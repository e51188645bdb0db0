-- Metrics about calls: what is counted, once, and without a tenant's name.
BEGIN;
SELECT plan(24);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
SELECT pg_temp.person('bob@example.org') AS bob \gset

CREATE FUNCTION pg_temp.measured(wanted text, wanted_labels jsonb DEFAULT '{}') RETURNS double precision
    LANGUAGE sql AS $$
    SELECT s.value FROM vrm.monitoring('{calls}') s WHERE s.name = wanted AND s.labels = wanted_labels
$$;
-- Events of this very transaction are not counted before it has ended: let them be of an older one.
CREATE FUNCTION pg_temp.count_calls() RETURNS bigint LANGUAGE sql AS $$
    UPDATE vrm.run_events SET xid = '5' WHERE xid >= (SELECT counted_until FROM vrm_private.call_totals_state);
    UPDATE vrm_private.call_totals_state SET counted_until = '5';
    SELECT vrm_private.count_calls();
$$;

SELECT is(pg_temp.measured('vrm_calls_ended_total', jsonb_build_object('outcome', o)), 0::float8,
          'at first no call is ' || o) FROM unnest('{completed,failed,cancelled}'::text[]) AS o;
SELECT is(pg_temp.measured('vrm_calls_duration_seconds_bucket', '{"le": "+Inf"}'), 0::float8, 'nor of any duration');
SELECT is(pg_temp.measured('vrm_calls_suite_passed_ratio'), 'NaN'::float8, 'without suites there is no pass rate');

INSERT INTO vrm.test_runs (user_id, status, started_at) VALUES (:'alice', 'running', now() - interval '90 s');
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, cost, currency, results) VALUES
    (:'alice', 'completed', now() - interval '90 s', now(), 1.25, 'EUR', '{"transcript": [
        {"role": "customer", "message": "hi", "ms": 0, "endMs": 500},
        {"role": "agent", "message": "hello", "ms": 1000, "endMs": 2000},
        {"role": "customer", "message": "so", "ms": 3000, "endMs": 4000},
        {"role": "agent", "message": "yes", "ms": 8000, "endMs": 9000}]}'),
    (:'bob', 'completed', now() - interval '30 s', now(), 0.75, 'EUR', NULL);
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, ended_reason) VALUES
    (:'bob', 'failed', now() - interval '5 s', now(), 'Assistant-Error'),
    (:'bob', 'failed', now() - interval '5 s', now(), '+49 30 1234567 hung up'),
    (:'bob', 'failed', now() - interval '5 s', now(), NULL),
    (:'bob', 'cancelled', now() - interval '5 s', now(), NULL);
SELECT cmp_ok(vrm_private.count_calls(), '=', 0::bigint, 'what may be rolled back is not counted');
SELECT cmp_ok(pg_temp.count_calls(), '>=', 7::bigint, 'then it is');
SELECT is(pg_temp.measured('vrm_calls_started_total'), 1::float8, 'a call began');
SELECT is(pg_temp.measured('vrm_calls_ended_total', jsonb_build_object('outcome', o.outcome)), o.calls,
          'so many calls are ' || o.outcome)
FROM (VALUES ('completed', 2::float8), ('failed', 3), ('cancelled', 1)) AS o (outcome, calls);
SELECT is(pg_temp.measured('vrm_calls_failed_total', jsonb_build_object('reason', r)), 1::float8, 'one failed: ' || r)
FROM unnest('{assistant_error,other,unknown}'::text[]) AS r;
SELECT is(pg_temp.measured('vrm_calls_cost_total', '{"currency": "EUR"}'), 2::float8, 'what they cost is added up');
SELECT is(ARRAY(SELECT pg_temp.measured('vrm_calls_duration_seconds_bucket', jsonb_build_object('le', le))
                FROM unnest('{10,30,60,120,+Inf}'::text[]) AS le), '{4,5,5,6,6}'::float8[],
          'buckets hold what is no longer than their bound');
SELECT is((SELECT ARRAY[pg_temp.measured('vrm_calls_answering_seconds_bucket', '{"le": "0.5"}'),
                        pg_temp.measured('vrm_calls_answering_seconds_bucket', '{"le": "5"}'),
                        pg_temp.measured('vrm_calls_answering_seconds_count'),
                        pg_temp.measured('vrm_calls_answering_seconds_sum')]), '{1,2,2,4.5}'::float8[],
          'answers of half a second and of four');
SELECT is(vrm_private.count_calls(), 0::bigint, 'nothing is counted twice');
SELECT is(vrm.answering_times((SELECT answers FROM vrm.call_facts WHERE answers IS NOT NULL AND user_id = :'alice')),
          '{500,4000}'::bigint[], 'answering times can be read');
SELECT is(vrm_private.failure_label(reason), label, 'label of ' || reason)
FROM (VALUES ('customer ended-call', 'customer_ended_call'), ('id 4711', 'other')) AS r (reason, label);

SELECT alike(vrm.monitoring_text(), E'%# TYPE vrm_calls_duration_seconds histogram\nvrm_calls_duration_seconds_bucket'
             '{le="10"} 4\n%', 'as text it is a histogram');
SELECT throws_ok($$UPDATE vrm.service_objectives SET within_seconds = 2.5 WHERE objective = 'AnsweringTime'$$, '23514',
                 'an objective of vrm_calls_answering_seconds within 2.5 seconds cannot be measured',
                 'objectives are about bounds');
UPDATE vrm_private.call_totals_state SET system_identifier = 1;
UPDATE vrm.run_events SET xid = '5';
SELECT is(vrm_private.count_calls(), 0::bigint, 'in another cluster, transactions of the old one say nothing');

SELECT * FROM finish();
ROLLBACK;
