-- A suite of test cases on two versions of an agent.  The runner is a program that plays a caller from a
-- script; the agent answers by rules, so that no model is needed.  All of it is rolled back.
\connect - demo_app
SET client_min_messages = warning;
BEGIN;
SELECT demo.sign_in('ben') AS signed_in \gset

-- The agent: the first rule whose words a caller uses says what it answers, and which tool it calls.
CREATE FUNCTION pg_temp.answer(rules jsonb, heard text, OUT say text, OUT tool text) LANGUAGE sql AS $$
    SELECT r ->> 'say', r ->> 'tool'
    FROM jsonb_array_elements(rules) WITH ORDINALITY AS t (r, n)
    WHERE heard ~* (r ->> 'when')
    ORDER BY n LIMIT 1
$$;

-- The runner: claims calls, plays the lines of each case, hangs up.  Every third caller mumbles where
-- the script has two ways to say it.
CREATE FUNCTION pg_temp.run(runner text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    call record;
    line jsonb;
    heard text;
    answer record;
    at interval;
    calls bigint := 0;
BEGIN
    FOR call IN SELECT * FROM vrm.claim_test_run(runner, most => 100) LOOP
        at := '0';
        FOR line IN SELECT * FROM jsonb_array_elements(call.scenario -> 'lines') LOOP
            heard := CASE WHEN jsonb_typeof(line) = 'array' THEN line ->> (call.repeat % 3 / 2) ELSE line #>> '{}' END;
            answer := pg_temp.answer(call.connection_details -> 'rules', heard);
            PERFORM vrm.append_transcript(call.run_id, 'Customer', heard, at + interval '1 s'),
                    vrm.append_transcript(call.run_id, 'Agent', answer.say, at + interval '3 s');
            IF answer.tool IS NOT NULL THEN
                PERFORM vrm.record_action(call.run_id, answer.tool, 'success', at + interval '3 s');
            END IF;
            at := at + interval '4 s';
        END LOOP;
        PERFORM vrm.complete_test_run(call.run_id, '{"sentiment": "neutral"}');
        calls := calls + 1;
    END LOOP;
    RETURN calls;
END
$$;

SELECT vrm.create_agent('phone-banking', 'bank', direction => 'inbound', connection_details => '{"rules": [
    {"when": "stolen|lost", "say": "Your card is blocked.", "tool": "block card"},
    {"when": "balance", "say": "It is 210 euros.", "tool": "read balance"},
    {"when": "refund|charged twice", "say": "I have refunded it.", "tool": "refund"},
    {"when": "open", "say": "We are open from nine to four."},
    {"when": "human|person", "say": "I put you through.", "tool": "transfer"},
    {"when": "bye|thank", "say": "Goodbye!"},
    {"when": "", "say": "Could you say that again?"}]}') AS agent \gset
INSERT INTO vrm.test_cases (name, scenario, evaluator_metrics)
SELECT name, jsonb_build_object('lines', lines::jsonb), jsonb_build_object('checks', checks::jsonb)
FROM (VALUES
    ('lost card', '["I have lost my card.", "Thank you, bye."]', '[{"check": "tool_called", "tool": "block card"}]'),
    ('balance', '["What is my balance?"]', '[{"check": "said", "pattern": "[0-9]+ euros"}]'),
    ('charged twice', '["I was charged twice.", "Bye."]',
     '[{"check": "tool_called", "tool": "refund"}, {"check": "not_said", "text": "say that again"}]'),
    ('opening hours', '["When do you open?"]', '[{"check": "said", "text": "nine to four"}]'),
    ('wants a person', '["A human, please."]', '[{"check": "tool_called", "tool": "transfer"}]'),
    ('mumbles', '[["My card was stolen.", "My crd ws stln."], "Thanks."]',
     '[{"check": "said", "text": "blocked"}, {"check": "answer_time", "p95": 3000}]')
    ) AS c (name, lines, checks);
INSERT INTO vrm.suites (name, case_ids, repeats, min_pass_rate)
SELECT 'before release', array_agg(id ORDER BY id), 5, 0.8
FROM vrm.test_cases WHERE scenario ? 'lines'
RETURNING id AS suite \gset

\echo '20. A suite of six cases, each run five times.  SELECT * FROM vrm.suite_report(...);'
\echo
SELECT vrm.start_suite(NULL, :'agent', suite => :'suite') AS first \gset
SELECT pg_temp.run('runner 1') AS played \gset
SELECT case_name AS "case", runs, passed, round(pass_at_k::numeric, 2) AS "pass@5", round(pass_hat_k::numeric, 2) AS "pass^5",
       CASE WHEN flaky THEN 'flaky' END AS " ", failures #>> '{0,reason}' AS why
FROM vrm.suite_report(:'first');
SELECT * FROM vrm.suite_gate(:'first');

\echo '    Somebody tidies the rules.  SELECT * FROM vrm.agent_diff(agent, 1, 2);'
\echo
UPDATE vrm.agents SET connection_details = connection_details #- '{rules,2}' WHERE id = :'agent';
SELECT place, jsonb_array_length(before) AS "rules before", jsonb_array_length(after) AS after
FROM vrm.agent_diff(:'agent', 1, 2);

\echo '    The suite on that.  SELECT * FROM vrm.compare_versions(agent, 1, 2);'
\echo
SELECT vrm.start_suite(NULL, :'agent', suite => :'suite') AS second \gset
SELECT pg_temp.run('runner 2') AS played \gset
SELECT case_name AS "case", verdict, format('%s of %s', passed_a, runs_a) AS "version 1",
       format('%s of %s', passed_b, runs_b) AS "version 2", round(adjusted_p::numeric, 3) AS p
FROM vrm.compare_versions(:'agent', 1, 2);

\echo '    What a CI system asks.  SELECT * FROM vrm.suite_gate(...);'
\echo
SELECT passed, replace(reason, '; ', E'\n') AS reason FROM vrm.suite_gate(:'second');
ROLLBACK;
