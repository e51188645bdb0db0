-- shapes: what a document has to look like, and what is said when it does not
BEGIN;
SELECT plan(93);

-- connection_details: the source document's example, then each rule
SELECT is(vrm.connection_details_error(document::jsonb), expected, given)
FROM (VALUES
    ('{"voice": "sarah", "systemPrompt": "You are ...", "introPrompt": "Hello!",
       "fallbackPrompt": "Sorry"}',
     NULL, 'connection details as documented are good'),
    ('{}', NULL, 'no member is required'),
    ('{"zoo": [1, {"voice": 7}], "a": null, "temperature": 0.7}', NULL,
     'unknown members hold anything'),
    ('{"voice": ""}', NULL, 'a string may be empty'),
    ('{"voice": 7}', '/voice: must be a string of at most 200 characters', 'a voice is no number'),
    ('{"voice": null}',
     '/voice: must be a string of at most 200 characters', 'a voice is not null'),
    ('{"voice": {"name": "sarah"}}',
     '/voice: must be a string of at most 200 characters', 'nor an object'),
    ('{"systemPrompt": true}', '/systemPrompt: must be a string of at most 20000 characters',
     'a system prompt is no boolean'),
    ('{"introPrompt": ["Hello"]}', '/introPrompt: must be a string of at most 20000 characters',
     'an intro prompt is no array'),
    ('{"fallbackPrompt": 1e400}', '/fallbackPrompt: must be a string of at most 20000 characters',
     'a fallback prompt is no number'),
    ('{"Voice": 7, "voice ": 7}', NULL, 'names are matched exactly'),
    ('{"a": 1, "zzzzzzzzzzzzz": 1, "zzzzzzzzzzzzzzzzz": 1, "voice": 1}',
     '/voice: must be a string of at most 200 characters', 'among unknown names of every length'),
    ('{"\u007e": 1, "vo\/ce": 2, "fallbackPrompt": 3, "introPrompt": ""}',
     '/fallbackPrompt: must be a string of at most 20000 characters', 'the last name is seen too'),
    ('[]', 'must be an object', 'an array is refused'),
    ('"voice"', 'must be an object', 'a string is refused'),
    ('7', 'must be an object', 'a number is refused'),
    ('null', 'must be an object', 'JSON null is refused')
) AS example (document, expected, given);

SELECT is(vrm.connection_details_error(jsonb_build_object(name, repeat(character, size))),
          CASE WHEN size > most
               THEN format('/%s: must be a string of at most %s characters', name, most) END,
          format('%s of %s characters %L', name, size, character))
FROM (VALUES ('voice', 200), ('systemPrompt', 20000), ('introPrompt', 20000),
             ('fallbackPrompt', 20000)) AS limited (name, most),
     (VALUES ('x'), ('ü'), ('🙂')) AS width (character),
     LATERAL (VALUES (most), (most + 1)) AS around (size);

-- results: the source document's example, then each rule
SELECT is(vrm.results_error(document::jsonb), expected, given)
FROM (VALUES
    ('{"customer": "customer@example.com", "duration": "2:45", "sentiment": "positive",
       "actions": 3,
       "transcript":
           [{"speaker": "Agent", "message": "Hello! How can I help you?", "time": "00:00"}],
       "actionsTaken":
           [{"action": "Retrieved customer profile", "time": "00:12", "status": "success"}],
       "insights":
           [{"type": "sentiment", "value": "positive", "description": "Sentiment analysis"}]}',
     NULL, 'results as documented are good'),
    ('{}', NULL, 'a failed call may have none of them'),
    ('{"transcript": [], "actionsTaken": [], "insights": []}', NULL, 'nothing need have been said'),
    ('{"score": {"transcript": 7},
       "transcript": [{"speaker": "a", "message": "", "time": "", "x": 1}]}',
     NULL, 'unknown members hold anything'),
    ('[]', 'must be an object', 'an array is refused'),
    ('true', 'must be an object', 'a boolean is refused'),
    ('{"customer": 5}', '/customer: must be a string', 'a customer is a string'),
    ('{"duration": 165}', '/duration: must be a duration such as "2:45" or "1:02:45"',
     'a duration is no number'),
    ('{"duration": "abc"}',
     '/duration: must be a duration such as "2:45" or "1:02:45"', 'nor any text'),
    ('{"duration": "99:99:99"}', '/duration: must be a duration such as "2:45" or "1:02:45"',
     'nor has it 99 minutes'),
    ('{"duration": "2:45\n"}', '/duration: must be a duration such as "2:45" or "1:02:45"',
     'nor a line end'),
    ('{"duration": "1:02:45"}', NULL, 'a duration may have hours'),
    ('{"duration": "75:00"}', NULL, 'or more than an hour''s minutes'),
    ('{"sentiment": "angry"}', '/sentiment: must be "positive", "neutral" or "negative"',
     'a sentiment is one of three'),
    ('{"sentiment": "neutral"}', NULL, 'such as neutral'),
    ('{"sentiment": "negative"}', NULL, 'or negative'),
    ('{"sentiment": "Positive"}', '/sentiment: must be "positive", "neutral" or "negative"',
     'in lower case'),
    ('{"actions": 0}', NULL, 'no action is a number of actions'),
    ('{"actions": 2147483647}', NULL, 'so is the largest integer'),
    ('{"actions": 3.0}', NULL, 'and 3.0, which JSON has not apart from 3'),
    ('{"actions": 2147483648}', '/actions: must be a whole number from 0 to 2147483647',
     'one more is too large for an integer'),
    ('{"actions": -1}',
     '/actions: must be a whole number from 0 to 2147483647', 'less than none is wrong'),
    ('{"actions": 0.5}',
     '/actions: must be a whole number from 0 to 2147483647', 'half an action is wrong'),
    ('{"actions": 1e-16383}', '/actions: must be a whole number from 0 to 2147483647',
     'next to none is wrong'),
    ('{"actions": 1e131071}', '/actions: must be a whole number from 0 to 2147483647',
     'the largest numeric is wrong'),
    ('{"actions": -9223372036854775808}', '/actions: must be a whole number from 0 to 2147483647',
     'the smallest bigint is wrong'),
    ('{"actions": "3"}', '/actions: must be a whole number from 0 to 2147483647',
     'a number in a string is wrong'),
    ('{"transcript": {"0": {}}}', '/transcript: must be an array', 'a transcript is an array'),
    ('{"transcript": null}',
     '/transcript: must be an array', 'what is not known is left out, not null'),
    ('{"transcript": ["hello"]}', '/transcript/0: must be an object', 'of objects'),
    ('{"transcript": [{"speaker": "Agent", "message": "a", "time": "00:00"},
                      {"message": "b", "time": "00:02"}]}',
     '/transcript/1/speaker: is required', 'a turn has a speaker'),
    ('{"transcript": [{"speaker": "Agent", "time": "00:00"}]}',
     '/transcript/0/message: is required',
     'a message'),
    ('{"transcript": [{"speaker": "Agent", "message": "a"}]}',
     '/transcript/0/time: is required', 'and a time'),
    ('{"transcript": [{}]}', '/transcript/0/time: is required', 'the first thing missing is named'),
    ('{"transcript": [{"speaker": null, "message": "a", "time": "0:00"}]}',
     '/transcript/0/speaker: must be a string', 'null is no speaker'),
    ('{"actionsTaken": [{"action": "a", "time": 12, "status": "success"}]}',
     '/actionsTaken/0/time: must be a string', 'an action''s time is a string'),
    ('{"actionsTaken": [{"action": "a", "time": "0:12"}]}', '/actionsTaken/0/status: is required',
     'an action has a status'),
    ('{"insights": [{"type": "topic", "value": 0.93, "description": "certainty"}]}',
     '/insights/0/value: must be a string', 'an insight''s value is a string'),
    ('{"insights": [{"type": "topic", "value": "refund"}]}', '/insights/0/description: is required',
     'an insight has a description'),
    ('{"insights": false}', '/insights: must be an array', 'insights are an array')
) AS example (document, expected, given);

-- what is large
SELECT is(vrm.results_error(jsonb_build_object('transcript', jsonb_build_array(
              jsonb_build_object('speaker', 'Agent', 'time', '00:00',
                                 'message', repeat('ü', size))))),
          expected, given)
FROM (VALUES (100000, NULL, 'a message may have 100000 characters'),
             (100001, '/transcript/0/message: must be a string of at most 100000 characters',
              'and not one more'),
             (10000000, '/transcript/0/message: must be a string of at most 100000 characters',
              'let alone many'))
     AS message (size, expected, given);

CREATE TEMPORARY TABLE long_call AS
SELECT jsonb_build_object('transcript', jsonb_agg(
           jsonb_build_object('speaker', 'Agent', 'message', 'turn ' || turn, 'time', '00:00')
           || CASE turn WHEN 200000 THEN '{"time": 0}' ELSE '{}' END::jsonb ORDER BY turn))
       AS results
FROM generate_series(1, 200000) AS turn;
SELECT is(vrm.results_error(results), '/transcript/199999/time: must be a string',
          'the last of 200000 turns is looked at')
FROM long_call;

SELECT is(vrm.results_error(('{"actions": -1, "x": ' || repeat('[', 6000) || repeat(']', 6000)
                             || '}')::jsonb),
          '/actions: must be a whole number from 0 to 2147483647',
          'unknown members are not entered');
SELECT is(vrm.results_error(jsonb_object_agg(name, 0) || '{"transcript": [7]}'),
          '/transcript/0: must be an object', 'among 5000 unknown members')
FROM (SELECT 'member' || n FROM generate_series(1, 5000) AS n) AS members (name);

-- the other two functions, and who may call them
SELECT ok(vrm.valid_results('{}') AND NOT vrm.valid_results('{"actions": -1}'),
          'valid_results is whether results_error says nothing');
SELECT ok(vrm.valid_connection_details('{}') AND NOT vrm.valid_connection_details('[]'),
          'valid_connection_details is whether connection_details_error says nothing');
SELECT is(ARRAY[vrm.valid_results(NULL), vrm.valid_connection_details(NULL)],
          ARRAY[NULL, NULL]::boolean[],
          'null is neither good nor bad');
SELECT ok(bool_and(has_function_privilege(role, function, 'EXECUTE')), role || ' may check shapes')
FROM (VALUES ('anon'), ('authenticated'), ('service_role')) AS writing (role),
     unnest('{vrm.results_error, vrm.valid_results,
              vrm.connection_details_error, vrm.valid_connection_details}'::regproc[]) AS function
GROUP BY role;

SELECT * FROM finish();
ROLLBACK;
