-- The tour: who asks what of the database, and what the database answers.
SET client_min_messages = warning;
\set dba :USER
\pset pager off
\pset footer off
\pset null ''

SELECT format('%s calls with %s turns, of which %s still go on,', count(*),
              sum(jsonb_array_length(results -> 'transcript')),
              count(*) FILTER (WHERE status IN ('queued', 'running'))) AS played,
       (date_trunc('day', now() AT TIME ZONE 'Europe/Lisbon') - interval '6 days')
           AT TIME ZONE 'Europe/Lisbon' AS since
FROM vrm.test_runs \gset

\echo
\echo 'vrm is the database of a platform on which people test AI voice agents: agents, their calls,'
\echo 'transcripts, results.  Ana tests three agents here, Ben one.  Their'
\echo :played 'went in through the functions that'
\echo 'applications call, under the role "authenticated", one transaction a call, and were then moved'
\echo 'into the past month.  Now Ana signs in.'
\echo

\connect - demo_app
BEGIN;
SELECT demo.sign_in('ana') AS signed_in \gset

\echo '1. Her dashboard.  SELECT * FROM vrm.user_dashboard();'
\echo
SELECT agents, calls, live, completed, failed, cancelled,
       round(100 * success_rate) || ' %' AS success,
       to_char(average_duration, 'FMMI:SS') AS "average length",
       to_char(last_call_at, 'Mon DD HH24:MI') AS "last call"
FROM vrm.user_dashboard();

\echo '2. How her agents did this month.  SELECT * FROM vrm.agent_performance(since, until);'
\echo
SELECT agent, calls, completed, failed, round(100 * success_rate) || ' %' AS success,
       to_char(average_duration, 'FMMI:SS') AS "average length",
       round(100 * positive_share) || ' %' AS "happy customers"
FROM vrm.agent_performance(now() - interval '30 days', now());

\echo '3. A week, today included, against as long before.  SELECT * FROM vrm.call_summary(since, until);'
\echo
-- Whole seconds and per cents do not add up: their changes are those of what is shown.
WITH shown AS (
    SELECT *, round(100 * success_rate) AS percent, round(extract(epoch FROM average_duration)) AS seconds
    FROM vrm.call_summary(:'since', now())),
differences AS (
    SELECT *, lag(percent, 2) OVER () - lag(percent) OVER () AS percent_change,
           lag(seconds, 2) OVER () - lag(seconds) OVER () AS seconds_change
    FROM shown)
SELECT period, calls, completed, failed, coalesce(percent_change, percent) || ' %' AS success,
       make_interval(secs => coalesce(seconds_change, seconds)) AS "average length", positive, customers
FROM differences;

\echo '   Day by day in Lisbon.  SELECT * FROM vrm.call_series(since, until, ''1 day'', ''Europe/Lisbon'');'
\echo
SELECT to_char(bucket_since AT TIME ZONE 'Europe/Lisbon', 'Dy Mon DD') AS day, calls, failed,
       repeat('#', calls::integer) AS " "
FROM vrm.call_series(:'since', now(), '1 day', 'Europe/Lisbon');

\echo '   How long calls are.  SELECT vrm.duration_quantile(vrm.call_statistics(), 0.95);'
\echo
SELECT (100 * fraction)::numeric || ' %' AS "of calls last at most",
       to_char(vrm.duration_quantile(stats, fraction), 'FMMI:SS') AS length
FROM (SELECT vrm.call_statistics() AS stats) AS hers,
     unnest('{0.5, 0.75, 0.9, 0.95, 0.99, 1}'::float8[]) AS fraction;

\echo '4. A page of her call history, newest first.  SELECT * FROM vrm.call_history();'
\echo
SELECT to_char(started_at, 'Mon DD HH24:MI') AS started, agent, status,
       to_char(duration, 'FMMI:SS') AS length, sentiment,
       coalesce(customer, error) AS "customer, or why it failed"
FROM vrm.call_history(page_size => 12);

\echo '5. What is going on right now.  SELECT * FROM vrm.live_calls();'
\echo
SELECT agent, status, turns, left(last_message, 64) AS "last words" FROM vrm.live_calls();

\echo '6. One call as it is kept: results in test_runs, a document whose shape the database checks.'
\echo
SELECT turn ->> 'time' AS time, turn ->> 'speaker' AS speaker, turn ->> 'message' AS message
FROM (SELECT results FROM vrm.test_runs
      WHERE status = 'completed' ORDER BY started_at DESC LIMIT 1) AS latest,
     jsonb_array_elements(results -> 'transcript') WITH ORDINALITY AS t (turn, position)
ORDER BY position
LIMIT 6;
COMMIT;

\echo '7. Lines of demo/calls.jsonl that the database refused, what was sent, and why:'
\echo
SELECT line, left(sent::text, 12) AS sent, why FROM demo.refusal ORDER BY line;

\echo '8. Who sees what.  SELECT count(*) FROM vrm.test_runs, asked by each of them:'
\echo
BEGIN;
SELECT demo.sign_in('ana') AS signed_in \gset
SELECT count(*) AS ana FROM vrm.test_runs \gset
ROLLBACK;
BEGIN;
SELECT demo.sign_in('ben') AS signed_in \gset
SELECT count(*) AS ben FROM vrm.test_runs \gset
ROLLBACK;
BEGIN;
SET LOCAL ROLE authenticated;
DO $$
BEGIN
    PERFORM count(*) FROM vrm.test_runs;
EXCEPTION
    WHEN invalid_authorization_specification THEN
        PERFORM set_config('demo.stranger', SQLERRM, true);
END
$$;
SELECT current_setting('demo.stranger') AS stranger \gset
ROLLBACK;
SELECT :ana AS "Ana", :ben AS "Ben", :'stranger' AS "who has not signed in";

\echo '9. Ana''s API keys: the list she sees, and what is kept.  SELECT * FROM vrm.list_api_keys();'
\echo
BEGIN;
SELECT demo.sign_in('ana') AS signed_in \gset
SELECT service, hint, description FROM vrm.list_api_keys();
COMMIT;
\connect - :dba
SET client_min_messages = warning;
SELECT service, left(encode(key, 'hex'), 8) || '...' AS "kept as", length(key) AS bytes,
       vrm.is_bound(key) AS "opens in this row only"
FROM vrm.api_keys k ORDER BY service;

\echo '10. Who calls the service opens the key, which goes on record.  SELECT vrm.use_api_key(...);'
\echo
\connect - demo_app
BEGIN;
SELECT demo.sign_in('ana') AS signed_in \gset
SET LOCAL ROLE service_role;
SELECT vrm.use_api_key('telephony') AS opened;
COMMIT;

\echo '11. The DBA rotates keys: all is sealed anew, the old key is destroyed.  CALL vrm.rotate_keys();'
\echo
\connect - :dba
SET client_min_messages = warning;
SELECT key_id AS old_key FROM vrm.keyring_status WHERE purpose = 'data' AND state = 'active' \gset
CALL vrm.rotate_keys();
DO $$
BEGIN
    PERFORM vrm.key_destroy(key_id) FROM vrm.keyring_status
    WHERE purpose = 'data' AND state = 'decrypt_only';
EXCEPTION
    WHEN object_in_use THEN NULL;  -- another session looks at the demo: the key goes next time
END
$$;
SELECT service, vrm.key_of(key) <> :old_key AS "under a new key",
       vrm.reveal_row(k, 'key') IS NOT NULL AS opens
FROM vrm.api_keys k ORDER BY service;

\ir accounts.sql
\ir retention.sql
\ir recovery.sql
\ir suites.sql
\ir imports.sql

\echo 'To ask as Ana yourself:  ./vrm psql -U demo_app'
\echo '  BEGIN; SELECT demo.sign_in(''ana''); SELECT * FROM vrm.call_history();'
