-- The tour, continued: calls that two other platforms had are brought in; in a transaction that is rolled
-- back, so that the tour can be shown again.
BEGIN;
SELECT demo.sign_in('ben') AS signed_in \gset
\copy vrm.call_import_feed (payload) FROM 'imports.jsonl' WITH (FORMAT csv, QUOTE e'\x01', DELIMITER e'\x02')
CALL vrm.import_calls();

\echo '21. Ben brings in reports of others.  \\copy vrm.call_import_feed ...; CALL vrm.import_calls();'
\echo
SELECT source, state, reports, split_part(latest_reason, ':', 1) AS reason
FROM vrm.import_progress ORDER BY source, state;

\echo '    The calls, with their own times; one was amended by its analysis.  SELECT * FROM vrm.test_runs;'
\echo
SELECT external_id AS call, to_char(started_at AT TIME ZONE 'UTC', 'Mon DD HH24:MI') AS began, status, outcome,
       round(cost, 3) || ' ' || currency AS cost, results ->> 'sentiment' AS sentiment,
       round(avg(answer)) || ' ms' AS "answers after"
FROM vrm.test_runs r
LEFT JOIN LATERAL (SELECT (turn ->> 'ms')::numeric - lag((turn ->> 'endMs')::numeric) OVER (ORDER BY n) AS answer,
                          turn ->> 'role' AS role
                   FROM jsonb_array_elements(r.results -> 'transcript') WITH ORDINALITY AS t (turn, n)) AS turns
    ON role = 'agent' AND answer IS NOT NULL
WHERE source IN ('vapi', 'retell')
GROUP BY r.user_id, r.id ORDER BY r.started_at;

\echo '    Who lost something on the ferry?  SELECT * FROM vrm.call_history(''{"text": "ferry los*"}'');'
\echo
SELECT customer, to_char(started_at AT TIME ZONE 'UTC', 'Mon DD HH24:MI') AS began, excerpt
FROM vrm.call_history('{"text": "ferry los*"}');
ROLLBACK;
