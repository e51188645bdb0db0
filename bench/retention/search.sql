-- For search.sh.
SET client_min_messages = warning;
CREATE EXTENSION vrm;
\ir ../lib/cpu.sql
INSERT INTO auth.users (id, email) VALUES ('00000000-0000-7000-8000-000000000001', 'user@example.org');
CREATE TABLE calls AS
SELECT n, jsonb_build_object('customer', '+1555' || n, 'transcript', (
    SELECT jsonb_agg(jsonb_build_object('speaker', 'Agent', 'time', '00:00', 'message', (
        SELECT string_agg('word' || (n * 31 + t * 17 + w * w) % (10 * w + 20), ' ') FROM generate_series(1, 12) AS w)))
    FROM generate_series(1, 20) AS t)) AS results
FROM generate_series(1, :calls) AS n;

-- once to warm up, then the same without and with the queue
SELECT vrm.set_search(false);
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
SELECT '00000000-0000-7000-8000-000000000001', 'completed', now(), now(), results FROM calls;
DELETE FROM vrm.test_runs;
VACUUM vrm.test_runs, vrm.call_facts;
SELECT cpu() AS began \gset
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
SELECT '00000000-0000-7000-8000-000000000001', 'completed', now(), now(), results FROM calls;
SELECT cpu() - :began AS without \gset
DELETE FROM vrm.test_runs;
VACUUM vrm.test_runs, vrm.call_facts;
SELECT vrm.set_search(true);
SELECT cpu() AS began \gset
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
SELECT '00000000-0000-7000-8000-000000000001', 'completed', now(), now(), results FROM calls;
SELECT format('a call is put on the queue     %s us of CPU', round((cpu() - :began - :without) / 1000.0 / :calls, 1));
SELECT format('bytes of the queue             %s a call', pg_total_relation_size('vrm_private.search_queue') / :calls);
SELECT cpu() AS began \gset
SELECT count(to_tsvector('simple', vrm_private.spoken(results))) AS texts FROM calls \gset
SELECT format('to_tsvector alone              %s us of CPU', round((cpu() - :began) / 1000.0 / :calls, 1));
SELECT vrm_private.found_calls('00000000-0000-7000-8000-000000000001', 'word97 word64', NULL) AS found, cpu() AS began \gset
SELECT cardinality(vrm_private.found_calls('00000000-0000-7000-8000-000000000001', 'word97 word64', NULL)) AS found \gset
SELECT format('a search that reads each call  %s ms of CPU', round((cpu() - :began) / 1000000.0, 1));
SELECT cpu() AS began \gset
CALL vrm.index_calls();
SELECT format('a call is indexed              %s us of CPU', round((cpu() - :began) / 1000.0 / :calls, 1));
SELECT format('bytes of the words and index   %s a call, of transcripts of %s',
              pg_total_relation_size('vrm_private.call_words') / :calls,
              (SELECT avg(length(vrm_private.spoken(results)))::integer FROM calls));
VACUUM ANALYZE vrm_private.call_words;
SELECT cpu() AS began \gset
SELECT cardinality(vrm_private.found_calls('00000000-0000-7000-8000-000000000001', 'word97 word64', NULL)) AS found \gset
SELECT format('a search by the index          %s ms of CPU, %s calls found', round((cpu() - :began) / 1000000.0, 1), :found);
