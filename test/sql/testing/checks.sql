-- Checks that a transcript answers, on documents as they are stored; each rule is in test/core/testing.
BEGIN;
SELECT plan(26);

CREATE FUNCTION pg_temp.failed(checks jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(': ', f ->> 'check', f ->> 'reason'), ', ')
    FROM jsonb_array_elements(vrm.failed_checks(jsonb_build_object('checks', checks), '{
        "duration": "1:05",
        "transcript": [
            {"speaker": "Agent", "message": "Good morning, Städtische Bühnen", "time": "0:00", "ms": 0, "endMs": 1800},
            {"speaker": "caller", "message": "Two seats for Friday.", "time": "0:02", "ms": 2000, "endMs": 3500},
            {"role": "agent", "speaker": "voice 7", "message": "Booked. Goodbye!", "time": "0:04", "ms": 4200},
            {"speaker": "tool", "message": "sorry", "time": "0:04"}],
        "actionsTaken": [
            {"action": "find", "time": "0:03", "status": "success"},
            {"action": "book", "time": "0:04", "status": "success", "arguments": {"seats": 2, "day": "Friday",
             "row": [1, 2]}}]}')) AS f
$$;
SELECT is(pg_temp.failed(checks), reason, checks::text)
FROM (VALUES
    ('[{"check": "said", "text": "städtische BÜHNEN"}]'::jsonb, NULL),
    ('[{"check": "said", "text": "goodbye?"}]', 'said: goodbye?: was not said'),
    ('[{"check": "said", "pattern": "Book(ed|ing)\\M"}]', NULL),
    ('[{"check": "said", "pattern": "^booked"}]', 'said: ^booked: was not said'),
    ('[{"check": "said", "pattern": "(?i)^booked"}]', NULL),
    ('[{"check": "said", "text": "two seats"}]', 'said: two seats: was not said'),
    ('[{"check": "said", "text": "two seats", "by": "customer"}]', NULL),
    ('[{"check": "not_said", "text": "sorry"}, {"check": "not_said", "text": "sorry", "by": "anybody", "name": "no '
     'excuse"}]',
     'no excuse: was said in turn 4'),
    ('[{"check": "tool_called", "tool": "book", "arguments": {"day": "Friday", "row": [2]}}]', NULL),
    ('[{"check": "tool_called", "tool": "book", "arguments": {"day": "Monday"}}]',
     'tool_called: book: was called, with other arguments'),
    ('[{"check": "tool_called", "tool": "find", "arguments": {}}]',
     'tool_called: find: was called, with other arguments'),
    ('[{"check": "tool_order", "tools": ["find", "book"]}, {"check": "tool_not_called", "tool": "pay"}]', NULL),
    ('[{"check": "ended_within", "seconds": 60}]', 'ended_within: took 65000 ms, at most 60000 were allowed'),
    ('[{"check": "answer_time", "p95": 500}]', 'answer_time: p95 was 700 ms, at most 500 were allowed'),
    ('[{"check": "no_interruption"}]', NULL)
    ) AS c (checks, reason);

SELECT is(vrm.failed_checks('["tone"]', '{}'), NULL, 'without checks nothing is told');
SELECT is(vrm.failed_checks('{"checks": [{"check": "said", "text": "x"}]}', NULL),
          '[{"check": "said: x", "reason": "was not said"}]',
          'a call without results has said nothing');
SELECT is(vrm.failed_checks('{"checks": [{"check": "not_said", "pattern": "(a|b)*a(a|b){12}"}]}',
    jsonb_build_object('transcript',
                       jsonb_build_array(jsonb_build_object('speaker', 'Agent', 'message', repeat('ab', 20000), 'time',
                                                            '0:00')))),
    '[{"check": "not_said: (a|b)*a(a|b){12}", "reason": "was said in turn 1"}]',
    'a pattern that doubles its states with each character is bounded');
SELECT is(vrm.answering_time('{"transcript": [{"speaker": "User", "message": "a", "time": "0:01"}, {"speaker": '
                             '"AGENT", "message": "b", "time": "0:03"}]}'),
          2000::float8, 'documents without milliseconds have an answering time as well');
SELECT is(vrm.failed_checks(jsonb_build_object('checks', jsonb_build_array(jsonb_build_object(
                                'check', 'said', 'text', 'yes', 'by', voice))),
                            jsonb_build_object('transcript', jsonb_build_array(jsonb_build_object(
                                'speaker', speaker, 'message', 'yes', 'time', '0:01')))), '[]',
          speaker || ' is the ' || voice)
FROM (VALUES ('Virtual Agent', 'agent'), ('END-USER', 'customer'), ('Anna', 'customer')) AS s (speaker, voice);

SELECT is(vrm.evaluator_metrics_error(jsonb_build_object('checks', jsonb_build_array(given))), wrong, given::text)
FROM (VALUES ('{"check": "tool_called", "tool": "book", "argumnets": {"n": 2}}'::jsonb,
              '/checks/0/argumnets: is no member of this check'),
             ('{"check": "ended_within", "seconds": 5, "p95": 5}', '/checks/0/p95: is no member of this check'),
             ('{"check": "no_interruption", "by": "agent"}', '/checks/0/by: is no member of this check'),
             ('{"check": "tool_order", "tools": ["a", "b"], "name": "first a"}', NULL)) AS c (given, wrong);

SELECT finish();
ROLLBACK;
