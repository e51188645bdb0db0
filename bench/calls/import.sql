-- For import.pl: prints "figure|value" a line, CPU in nanoseconds.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE EXTENSION vrm;
\ir ../lib/cpu.sql
INSERT INTO auth.users (id, email)
SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'user' || n || '@example.org' FROM generate_series(0, 9) AS n;
INSERT INTO vrm.agents (user_id, agent_id) SELECT id, 'desk' FROM auth.users;

-- user 0 has 90 % of the calls; words as frequent as in speech
CREATE TABLE reports AS
SELECT ('00000000-0000-7000-8000-' || lpad((CASE WHEN n % 10 = 0 THEN n / 10 % 9 + 1 ELSE 0 END)::text, 12, '0'))::uuid AS user_id,
       jsonb_build_object('externalId', 'call-' || n, 'startedAt', start, 'endedAt', start + 130, 'status', 'completed',
           'agent', 'desk', 'direction', 'inbound', 'customer', '+1555' || n % 5000, 'cost', 0.12, 'outcome', 'resolved',
           'sentiment', 'positive',
           'transcript', (SELECT jsonb_agg(jsonb_build_object('role', CASE t % 2 WHEN 0 THEN 'agent' ELSE 'customer' END,
                                     'ms', t * 6000, 'endMs', t * 6000 + 4500, 'message',
                                     (SELECT string_agg((ARRAY['please', 'tomorrow', 'the', 'appointment', 'I', 'would', 'like', 'to', 'move'])
                                                        [1 + (w * 7 + t + n) % 9], ' ') FROM generate_series(1, 9) AS w)))
                          FROM generate_series(0, 19) AS t)) AS payload
FROM (SELECT n, 1770000000 + n * 20.25 AS start FROM generate_series(1, :calls) AS n) AS g;
SELECT 'turns|' || avg(jsonb_array_length(payload -> 'transcript'))::integer FROM reports;
SELECT 'bytes|' || avg(length(payload::text))::integer FROM reports;
SELECT current_setting('data_directory') || '/vrm_bench_import' AS file \gset
SELECT format('COPY reports TO %L', :'file') AS command \gset
:command;

-- what it does once a day, whatever is there
CALL vrm.maintain();

SELECT format('COPY vrm.call_imports (user_id, payload) FROM %L', :'file') AS command, cpu() AS began \gset
:command;
SELECT 'COPY into call_imports|' || cpu() - :began;
SELECT cpu() AS began \gset
CALL vrm.import_calls();
SELECT 'import_calls()|' || cpu() - :began;
SELECT 'made|' || count(*) FROM vrm.test_runs;
SELECT 'kept|' || pg_total_relation_size('vrm.call_imports');

CREATE TABLE plain_runs (LIKE vrm.test_runs INCLUDING ALL);
CREATE TABLE plain_facts (LIKE vrm.call_facts INCLUDING ALL);
CREATE TABLE plain_events (LIKE vrm.run_events INCLUDING ALL);
SELECT format('COPY vrm.test_runs TO %L', :'file' || '.runs') AS runs_out, format('COPY plain_runs FROM %L', :'file' || '.runs') AS runs_in,
       format('COPY vrm.call_facts TO %L', :'file' || '.facts') AS facts_out, format('COPY plain_facts FROM %L', :'file' || '.facts') AS facts_in,
       format('COPY vrm.run_events TO %L', :'file' || '.events') AS events_out, format('COPY plain_events FROM %L', :'file' || '.events') AS events_in \gset
:runs_out;
:facts_out;
:events_out;
SELECT cpu() AS began \gset
:runs_in;
:facts_in;
:events_in;
SELECT 'COPY into plain tables|' || cpu() - :began;

SELECT format('COPY vrm.call_imports (user_id, payload) FROM %L', :'file') AS command, cpu() AS began \gset
:command;
CALL vrm.import_calls();
SELECT 'the same reports again|' || cpu() - :began;

-- what vrm.maintain() does half a minute a time
SELECT cpu() AS began \gset
CALL vrm.index_calls();
SELECT 'index_calls()|' || cpu() - :began;
SELECT cpu() AS began, clock_timestamp() AS began_at \gset
CALL vrm.maintain();
SELECT 'maintain|' || cpu() - :began;
SELECT 'maintain_wall|' || round(extract(epoch FROM clock_timestamp() - :'began_at'), 1);
COPY (SELECT 1) TO PROGRAM 'rm -f "$PWD"/vrm_bench_import*';
