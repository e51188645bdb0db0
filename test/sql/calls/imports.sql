-- Calls brought in: reports become calls once, amend each other, wait for each other, and stay with a reason.
BEGIN;
SELECT plan(95);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('desk')$$) AS agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('desk')$$) AS bobs_agent \gset

CREATE FUNCTION pg_temp.run(of_run text) RETURNS vrm.test_runs LANGUAGE sql AS
    'SELECT r FROM vrm.test_runs r WHERE id = of_run::uuid';
CREATE FUNCTION pg_temp.imported(who uuid, source text, payload text) RETURNS text LANGUAGE sql AS
    $$SELECT pg_temp.as_user(who, format('SELECT vrm.import_call(%L, %L)', source, payload))$$;
CREATE FUNCTION pg_temp.put(who uuid, source text, payload text) RETURNS text LANGUAGE sql AS
    $$SELECT pg_temp.as_user(who,
                             format('INSERT INTO vrm.call_imports (source, payload) VALUES (%L, %L) RETURNING id',
                                    source, payload))$$;
CREATE FUNCTION pg_temp.import_of(import text) RETURNS vrm.call_imports LANGUAGE sql AS
    'SELECT i FROM vrm.call_imports i WHERE id = import::uuid';
CREATE FUNCTION pg_temp.take(who uuid, batch integer DEFAULT 1000) RETURNS text LANGUAGE sql AS
    $$SELECT pg_temp.error_of(who, format('CALL vrm.import_calls(%s)', batch))$$;

-- one report is one call ------------------------------------------------------------------------------------

SELECT '{"message": {"type": "end-of-call-report", "timestamp": 1787000110000, "endedReason": "customer-ended-call",
  "startedAt": "2026-08-17T20:53:20.250Z", "endedAt": "2026-08-17T20:55:07.662Z", "cost": 0.1234,
  "call": {"id": "v-1", "orgId": "org-7", "type": "inboundPhoneCall", "assistantId": "desk"},
  "customer": {"number": "+15550142"}, "analysis": {"successEvaluation": "true"},
  "artifact": {"messages": [
    {"role": "bot", "message": "Hello, this is the desk.", "time": 1787000001050, "endTime": 1787000003050,
     "secondsFromStart": 0.8},
    {"role": "user", "message": "Can I come on Friday?", "time": 1787000003920, "endTime": 1787000005420,
     "secondsFromStart": 3.67},
    {"role": "tool_calls", "secondsFromStart": 5.25, "toolCalls": [{"id": "t1", "function": {"name": "book",
     "arguments": "{\"day\": \"Fri\"}"}}]}]}}}'
    AS vapi \gset
SELECT pg_temp.imported(:'alice', 'vapi', :'vapi') AS run \gset
SELECT is((SELECT concat_ws(' ', r.user_id = :'alice', r.status, r.source, r.external_id, r.direction, r.outcome,
                            r.ended_reason, r.cost, r.currency,
                            r.agent_id = :'agent', r.results ->> 'customer', r.results ->> 'duration')
           FROM pg_temp.run(:'run') r),
          't completed vapi v-1 inbound resolved customer-ended-call 0.123400 USD t +15550142 1:47',
          'a report becomes a call');
SELECT is((SELECT r.started_at || ' ' || r.completed_at FROM pg_temp.run(:'run') r),
          timestamptz '2026-08-17 20:53:20.25Z' || ' ' || timestamptz '2026-08-17 20:55:07.662Z', 'with its own times');
SELECT is((pg_temp.run(:'run')).results -> 'transcript' -> 1,
          '{"speaker": "Customer", "message": "Can I come on Friday?", "time": "00:03", "ms": 3670, "endMs": 5170, '
          '"role": "customer"}', 'turns in milliseconds');
SELECT is((pg_temp.run(:'run')).results -> 'actionsTaken',
          '[{"action": "book", "time": "00:05", "status": "unknown", "arguments": {"day": "Fri"}, "ms": 5250}]',
          'and actions');
SELECT is(vrm.results_error((pg_temp.run(:'run')).results), NULL, 'in the shape of all results');
SELECT is(vrm_private.moment_of(:'run'), timestamptz '2026-08-17 20:53:20.25Z', 'its id is of the time of the call');
SELECT is((SELECT string_agg(e.status || ' '
                             || (e.at = CASE e.status WHEN 'running' THEN r.started_at ELSE r.completed_at END),
                             ', ' ORDER BY e.id)
           FROM vrm.run_events e JOIN vrm.test_runs r ON r.id = e.run_id WHERE e.run_id = :'run'),
           'running true, completed true', 'and so are its events');
SELECT is((SELECT duration_ms || ' ' || status FROM vrm.call_facts WHERE id = :'run'), '107000 completed',
          'facts follow');
SELECT is((SELECT concat_ws(' ', state, external_id, payload IS NULL, run_id = :'run') FROM vrm.call_imports),
          'imported v-1 t t',
          'the report remembers its call and nothing else');

SELECT is(pg_temp.imported(:'alice', 'vapi', :'vapi'), :'run', 'the same report twice is one call');
SELECT is((SELECT string_agg(state, ' ' ORDER BY id) FROM vrm.call_imports), 'imported duplicate', 'a duplicate');
SELECT is((SELECT count(*) FROM vrm.run_events WHERE run_id = :'run'), 2::bigint, 'without an event of its own');
SELECT isnt(pg_temp.imported(:'bob', 'vapi', :'vapi'), :'run', 'but another owner''s call of that id is another call');
SELECT is((SELECT agent_id::text FROM vrm.test_runs WHERE user_id = :'bob'), :'bobs_agent',
          'of the owner''s own agent');

-- later and older reports -----------------------------------------------------------------------------------

SELECT pg_temp.imported(:'alice', 'vapi', replace(replace(:'vapi', '1787000110000', '1787000200000'), '"analysis": {',
    '"analysis": {"summary": "Asked for Friday.", "structuredData": {"sentiment": "Positive"}, ')) AS again \gset
SELECT is(:'again'::text, :'run', 'a later report amends');
SELECT is((SELECT results ->> 'sentiment' || ' ' || (results -> 'insights' -> 1 ->> 'value') FROM pg_temp.run(:'run')),
          'positive Asked for Friday.', 'with what it brings');
SELECT is((SELECT sentiment FROM vrm.call_facts WHERE id = :'run'), 'positive', 'and facts follow');
SELECT is((SELECT array_agg(s ORDER BY s) FROM vrm.call_imports i, unnest(i.sets) AS s WHERE i.user_id = :'alice'
           AND i.state = 'amended'),
          ARRAY['actionsTaken', 'agent', 'completed_at', 'cost', 'currency', 'customer', 'direction', 'duration',
                'ended_reason', 'insights', 'outcome', 'sentiment',
                'status', 'transcript', 'vendor'], 'what it has set is known');
SELECT pg_temp.imported(:'alice', 'vapi',
                        replace(replace(replace(:'vapi', '1787000110000', '1787000150000'), '0.1234', '9'), '"cost"',
                                '"destination": {"number": "1"}, "cost"')) AS older \gset
SELECT is((SELECT cost || ' ' || outcome FROM pg_temp.run(:'run')), '0.123400 resolved',
          'an older one that comes late changes nothing that is known');
SELECT pg_temp.imported(:'alice', 'vapi',
                        replace(replace(:'vapi', '1787000110000', '1787000300000'), '"cost": 0.1234', '"cost": null'))
                        \g /dev/null
SELECT is((pg_temp.run(:'run')).cost, 0.1234, 'what a report lacks erases nothing');
SELECT pg_temp.imported(:'alice', 'vapi',
                        replace(replace(:'vapi', '1787000110000', '1787000400000'), 'customer-ended-call',
                                'pipeline-error')) \g /dev/null
SELECT is((SELECT status || ' ' || outcome FROM pg_temp.run(:'run')), 'failed failed',
          'the newest knows best how it ended');
SELECT is((SELECT status FROM vrm.call_facts WHERE id = :'run'), 'failed', 'and facts follow that, too');
SELECT ok((SELECT e.at = r.completed_at FROM vrm.run_events e JOIN vrm.test_runs r ON r.id = e.run_id
           WHERE e.run_id = :'run' ORDER BY e.id DESC LIMIT 1),
          'with an event of the call''s own time');

-- parts -----------------------------------------------------------------------------------------------------

SELECT '{"ContactId": "c-1", "Channel": "VOICE", "InitiationMethod": "INBOUND", "InitiationTimestamp": '
       '"2026-08-17T20:53:20Z",
         "DisconnectTimestamp": "2026-08-17T20:54:20Z", "LastUpdateTimestamp": "2026-08-17T20:56:00Z",
          "CustomerEndpoint": {"Address": "+15550150"}}' AS contact,
       '{"JobStatus": "COMPLETED", "CustomerMetadata": {"ContactId": "c-1"}, "Transcript": [{"ParticipantId": "AGENT", '
       '"Content": "Library.",
         "BeginOffsetMillis": 250, "EndOffsetMillis": 900}], "ConversationCharacteristics": {}}' AS analysis \gset
SELECT is(pg_temp.imported(:'alice', 'connect', :'analysis'), NULL::text, 'a part makes no call');
SELECT is((SELECT state || ': ' || reason FROM vrm.call_imports WHERE source = 'connect'),
          'pending: an analysis waits for its contact, which knows when the call was', 'it waits');
SELECT pg_temp.imported(:'alice', 'connect', :'contact') AS joined \gset
SELECT is((SELECT results -> 'transcript' -> 0 ->> 'message' || ' ' || (results ->> 'duration')
           FROM pg_temp.run(:'joined')), 'Library. 1:00', 'and joins its call when that comes');
SELECT is((SELECT string_agg(state, ' ' ORDER BY id) FROM vrm.call_imports WHERE source = 'connect'),
          'amended imported', 'both are of it');
SELECT pg_temp.imported(:'alice', 'connect', replace(:'contact', 'c-1', 'c-2')) AS joined,
       pg_temp.imported(:'alice', 'connect',
                        replace(replace(:'analysis', 'c-1', 'c-2'), '"Conv',
                                '"ContentMetadata": {"Output": "Redacted"}, "Conv')) AS part \gset
SELECT is(:'part'::text, :'joined', 'in the other order, too');
SELECT is((SELECT results -> 'transcript' -> 0 ->> 'message' FROM pg_temp.run(:'joined')), 'Library.',
          'with the same words');
SELECT pg_temp.imported(:'alice', 'connect',
                        replace(replace(:'analysis', 'c-1', 'c-2'), 'Library.', 'My number is 7.')) \g /dev/null
SELECT is((SELECT results -> 'transcript' -> 0 ->> 'message' FROM pg_temp.run(:'joined')), 'Library.',
          'words of a redacted transcript are not brought back');

-- what is refused -------------------------------------------------------------------------------------------
SELECT is(pg_temp.error_of(:'alice', $$SELECT vrm.import_call('vrm', jsonb_build_object(
              'externalId', 'vast', 'endedAt', '2026-01-09T09:00:00Z', 'transcript', (
              SELECT jsonb_agg(jsonb_build_object('role', 'agent', 'message', repeat('x', 99000), 'ms', i))
              FROM generate_series(1, 170) AS i)))$$)
              LIKE '22023 | call report cannot be read | /: is too large: its results would have % bytes, at most 16%',
          true, 'more than is kept of a call');
-- digits take more room in a document than in a text
SELECT is(pg_temp.error_of(:'alice', $$SELECT vrm.import_call('vrm', jsonb_build_object(
              'externalId', 'digits', 'endedAt', '2026-01-09T09:00:00Z', 'insights', (
              SELECT jsonb_agg(jsonb_build_object('type', 't', 'value', i % 10))
              FROM generate_series(1, 300000) AS i)))$$)
              LIKE '22023 | call report cannot be read | /: is too large: its results would have % bytes, at most 16%',
          true, 'which is less than that as a text');
SELECT is(pg_temp.error_of(:'alice', $$SELECT vrm.import_call('vrm', jsonb_build_object(
              'externalId', 'halves', 'endedAt', '2026-01-09T09:00:00Z', 'summary', 'as it was', 'transcript', (
              SELECT jsonb_agg(jsonb_build_object('role', 'agent', 'message', repeat('x', 99000), 'ms', i))
              FROM generate_series(1, 100) AS i)))$$), 'no error', 'or in two reports');
SELECT is(pg_temp.error_of(:'alice', $$SELECT vrm.import_call('vrm', jsonb_build_object(
              'externalId', 'halves', 'endedAt', '2026-01-09T09:00:00Z', 'actionsTaken', (
              SELECT jsonb_agg(jsonb_build_object('action', 'look', 'ok', true, 'ms', i, 'result', repeat('y', 99000)))
              FROM generate_series(1, 100) AS i)))$$)
              LIKE '54000 | results are too large | With this report they would have % bytes, at most 16%',
          true, 'that are too much together');
SELECT is(pg_temp.error_of(:'alice', $$SELECT vrm.import_call('vrm', '{"externalId": "dear", "endedAt":
                                     "2026-01-09T09:00:00Z", "cost": 1e15, "currency": "USD"}')$$)
              LIKE '22023 | call report cannot be read | /cost: must be an amount below 1000000000000%', true,
          'more than a call may cost');

SELECT is(pg_temp.error_of(:'alice',
                           $$SELECT vrm.import_call('vapi',
                                                    '{"message": {"type": "end-of-call-report", "call": {"id": "x"}, '
                                                    '"startedAt": "soon"}}')$$),
          '22023 | call report cannot be read | /message/startedAt: must be a time from 1970 to 9999: ISO 8601, RFC '
          '2822 or seconds since 1970 | '
          'What each source sends is in doc/calls/imports.md; a report put into vrm.call_imports stays there until it '
          'is right.', 'a report that cannot be read says where');
SELECT is(pg_temp.error_of(:'alice',
                           $$SELECT vrm.import_call('twilio', '{"event": "call_ended", "call": {"call_id": "c"}}')$$)
          LIKE
          '22023 | % | /: looks like a report of retell, not of twilio. | %', true, 'so does one under the wrong name');
SELECT is(pg_temp.error_of(:'alice',
                           $$SELECT vrm.import_call('pigeon', '{}')$$) LIKE
          '22023 | % | source "pigeon" is not known | %', true, 'or of nobody we know');
SELECT is(pg_temp.imported(:'alice', 'vrm', NULL), '22004', 'no report is no report');
SELECT is(pg_temp.as_user(:'alice',
                          format($$SELECT vrm.import_call('vrm', '{"id": "k", "status": "failed"}', %L)$$,
                                 :'bobs_agent')), 'P0002', 'another''s agent does not exist');
SELECT is(pg_temp.imported(:'alice', 'vapi', '{"message": {"type": "status-update", "call": {"id": "v-9"}}}'), NULL,
          'an event that is no report makes no call');
SELECT is((SELECT state || ': ' || reason FROM vrm.call_imports ORDER BY id DESC LIMIT 1),
          'ignored: a message of type "status-update" is no report of a call', 'and is ignored');
SELECT is(pg_temp.as_anon($$SELECT vrm.import_call('vrm', '{}')$$), '42501', 'nobody in particular imports nothing');
SELECT is(pg_temp.as_user(NULL, $$SELECT vrm.import_call('vrm', '{"id": "k", "status": "failed"}')$$), '28000',
          'nor does nobody');

-- a feed ----------------------------------------------------------------------------------------------------

SELECT pg_temp.put(:'alice', 'vrm',
                   '{"externalId": "k-1", "startedAt": "2026-09-01T10:00:00Z", "duration": 65.25, "transcript": '
                   '[{"role": "caller", "message": "Hi", "ms": 5}]}') AS first,
       pg_temp.put(:'alice', 'vrm', '{"externalId": "k-2", "startedAt": "infinity"}') AS bad,
       pg_temp.put(:'alice', NULL,
                   '{"externalId": "k-3", "startedAt": "2026-09-01T11:00:00Z", "outcome": "Nirvana", "transcript": '
                   '[{"role": "moth", "message": "Hi"}]}') AS odd,
       pg_temp.put(:'alice', 'vrm', '{"externalId": "k-1", "startedAt": "2026-09-01T10:00:00Z", "sentiment": "NEG"}')
           AS twice,
       pg_temp.put(:'alice', 'vrm',
                   '{"externalId": "k-4", "startedAt": "2026-09-01T10:00:00Z", "cost": 1e7, "outcome": "resolved"}')
                   AS dear \gset
ALTER TABLE vrm.test_runs ADD CONSTRAINT of_a_dba CHECK (cost < 1e6) NOT VALID;
SELECT is((pg_temp.import_of(:'first')).state, 'new', 'reports wait until somebody makes calls of them');
SELECT is(pg_temp.take(:'bob'), 'no error', 'another user');
SELECT is((pg_temp.import_of(:'first')).state, 'new', 'does not');
SELECT is(pg_temp.take(:'alice', 2), 'no error', 'their owner does');
SELECT is((SELECT string_agg(state, ' ' ORDER BY id) FROM vrm.call_imports WHERE id >= :'first'),
          'imported refused imported amended refused', 'each comes to its own end');
SELECT is((SELECT results ->> 'duration' || ' ' || (results ->> 'sentiment') FROM vrm.test_runs
           WHERE external_id = 'k-1'), '1:05 negative', 'two of one call are one call');
SELECT is((pg_temp.import_of(:'bad')).reason,
          '/startedAt: must be a time from 1970 to 9999: ISO 8601, RFC 2822 or seconds since 1970',
          'a bad one says where');
SELECT ok((pg_temp.import_of(:'dear')).reason LIKE '%violates check constraint "of_a_dba"%', 'or why it does not fit');
ALTER TABLE vrm.test_runs DROP CONSTRAINT of_a_dba;
SELECT is((pg_temp.import_of(:'odd')).source, 'vrm', 'whose report it is was seen from it');
SELECT is((SELECT string_agg(field || ' ' || word || ' ' || seen, ', ' ORDER BY field) FROM vrm.import_words
           WHERE user_id = :'alice'), 'outcome nirvana 1, role moth 1',
          'words of no vocabulary are counted');
SELECT is((SELECT outcome FROM vrm.test_runs WHERE external_id = 'k-3'), NULL, 'and set nothing');
SELECT is(pg_temp.as_user(:'alice',
                          $$SELECT string_agg(state || ' ' || reports, ', ' ORDER BY state) FROM vrm.import_progress
                          WHERE source = 'vrm'$$),
          'amended 1, imported 3, refused 2', 'import_progress tells how far it is');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.import_progress'), '1', 'to their owner');

SELECT is(pg_temp.as_user(:'alice',
                          format($$UPDATE vrm.call_imports
                                 SET payload = '{"externalId": "k-2", "startedAt": "2026-09-02T10:00:00Z"}'
                                 WHERE id = %L RETURNING state$$, :'bad')),
          'new', 'a bad one can be corrected');
SELECT pg_temp.take(:'alice') \g /dev/null
SELECT is((pg_temp.import_of(:'bad')).state, 'imported', 'and is tried again');
SELECT is(pg_temp.as_user(:'alice',
                          $$WITH tried AS (UPDATE vrm.call_imports SET state = 'new' WHERE state = 'refused'
                                           RETURNING 1) SELECT count(*) FROM tried$$), '1', 'all can be tried again');
SELECT is(pg_temp.as_user(:'alice', $$UPDATE vrm.call_imports SET state = 'imported' WHERE state = 'new'$$), '42501',
          'but no user may say that a report is done');
SELECT is(pg_temp.as_user(:'alice',
                          format($$WITH gone AS (DELETE FROM vrm.call_imports WHERE id = %L RETURNING 1)
                                 SELECT count(*) FROM gone$$, :'first')), '0',
          'nor forgets that one was');
SELECT is(pg_temp.as_user(:'alice',
                          format($$INSERT INTO vrm.call_imports (user_id, source, payload) VALUES (%L, 'vrm', '{}')$$,
                                 :'bob')), '42501', 'or puts one in for another');
SELECT is(pg_temp.as_user(:'alice',
                          $$INSERT INTO vrm.call_imports (source, payload, run_id)
                          VALUES ('vrm', '{}', vrm.uuid7())$$), '42501', 'or into a call of choice');
SELECT is(pg_temp.as_user(:'bob', $$SELECT count(*) FROM vrm.call_imports$$), '1', 'users see their own');

-- what jsonb cannot hold, and what COPY cannot do -------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice', $q$INSERT INTO vrm.call_import_feed (source, payload) VALUES
    ('vrm', '{"externalId": "n-1", "startedAt": "2026-09-03T10:00:00Z", "customer": "A\u0000B", "sentiment": '
            '"\ud83d"}'), ('vrm', '{"externalId": ') RETURNING source$q$), 'vrm', 'reports are fed in as text');
SELECT pg_temp.take(:'alice') \g /dev/null
SELECT is((SELECT results ->> 'customer' FROM vrm.test_runs WHERE external_id = 'n-1'), U&'A\FFFDB',
          'a NUL is replaced');
SELECT is((SELECT note FROM vrm.call_imports WHERE external_id = 'n-1'), 'NUL or lone surrogate replaced',
          'and that is said');
SELECT is((SELECT state || ' ' || reason FROM vrm.call_imports WHERE raw IS NOT NULL),
          'refused raw: invalid input syntax for type json', 'what is no JSON stays with its reason');

-- the service, the archive, the end ---------------------------------------------------------------------------

SELECT pg_temp.put(:'alice', 'vrm',
                   '{"externalId": "s-1", "startedAt": "2020-01-01T10:00:00Z", "duration": 60, "status": "completed"}')
                   AS old,
       pg_temp.put(:'bob', 'vrm', '{"externalId": "s-1", "startedAt": "2026-09-03T10:00:00Z", "status": "completed"}')
           AS other \gset
CALL vrm.import_calls();
SELECT is((SELECT count(*) FROM vrm.call_imports WHERE id IN (:'old', :'other') AND state = 'imported'), 2::bigint,
          'the service imports for everybody');
SELECT is(vrm.archive_old_test_runs(), 1::bigint, 'history that is due is archived by the next run of retention');
SELECT is((SELECT cost FROM vrm.all_test_runs WHERE external_id = 's-1' AND archived_at IS NOT NULL), NULL, 'as it is');
SELECT pg_temp.imported(:'alice', 'vrm', '{"externalId": "s-1", "cost": "0.5", "currency": "eur"}') \g /dev/null
SELECT is((SELECT cost || ' ' || currency || ' ' || started_at FROM vrm.all_test_runs WHERE user_id = :'alice'
           AND external_id = 's-1'),
          '0.500000 EUR ' || timestamptz '2020-01-01 10:00Z',
          'a later report amends an archived call, whose start stays');
SELECT is(vrm.archive_old_test_runs(), 1::bigint, 'which goes back to the archive');
SELECT is_empty('SELECT * FROM vrm.verify_archive() WHERE NOT ok', 'whose digests hold');
SELECT pg_temp.as_user(:'bob', $$DELETE FROM vrm.test_runs WHERE external_id = 's-1' RETURNING id$$) \g /dev/null
SELECT is(pg_temp.imported(:'bob', 'vrm', '{"externalId": "s-1", "cost": 1}'), NULL,
          'a call that was deleted does not come back with its next report');
SELECT is(left(pg_temp.take(:'alice', 0), 5), '22023', 'a batch has at least one report');

-- when a call was is told, never taken for now --------------------------------------------------------------

SELECT is((SELECT r.started_at FROM pg_temp.run(pg_temp.imported(:'alice', 'twilio', '{"sid": "CA90",
    "status": "completed", "direction": "inbound", "duration": "45", "startTime": "2026-08-17T20:53:20.000Z",
    "endTime": "2026-08-17T20:54:05.000Z", "dateUpdated": "2026-08-17T20:58:00.000Z"}')) r),
          timestamptz '2026-08-17 20:53:20Z', 'an SDK spells names in its own way');
SELECT pg_temp.put(:'alice', 'twilio', '{"sid": "CA91", "status": "completed", "duration": "45"}') AS timeless,
       pg_temp.put(:'alice', 'twilio', '{"sid": "CA92", "status": "busy"}') AS busy \gset
SELECT pg_temp.take(:'alice') \g /dev/null
SELECT is((SELECT state || ' ' || reason FROM pg_temp.import_of(:'timeless')),
          'refused /start_time: is required, as nothing else says when the call was',
          'a call that has no time is refused');
SELECT is((SELECT state || ' ' || note FROM pg_temp.import_of(:'busy')),
          'imported nothing says when the call was: it is put where its report came', 'one that nobody took is noted');

-- words and orders of events -------------------------------------------------------------------------------

SELECT pg_temp.imported(:'alice', 'vrm', '{"externalId": "w-1", "startedAt": "2026-08-17T20:53:20Z", "transcript": [
    {"role": "Concierge", "message": "a", "ms": 0},
    {"speaker": "Concierge", "message": "b", "ms": 10}]}') AS before \gset
INSERT INTO vrm.speaker_roles (speaker, role) VALUES ('concierge', 'agent');
SELECT pg_temp.imported(:'alice', 'vrm', '{"externalId": "w-2", "startedAt": "2026-08-17T20:53:20Z", "transcript": [
    {"role": "Concierge", "message": "a", "ms": 0},
    {"speaker": "Concierge", "message": "b", "ms": 10}]}') AS after \gset
SELECT is((SELECT string_agg(concat_ws(' ', turn ->> 'speaker', turn ->> 'role'), ', '
                             ORDER BY external_id, turn -> 'ms')
           FROM vrm.test_runs, jsonb_array_elements(results -> 'transcript') AS turn
           WHERE id IN (:'before', :'after')), 'Concierge, Concierge, Concierge agent, Concierge agent',
          'a word of no vocabulary stays; one that the DBA adds is known in reports, too');
SELECT is((SELECT seen FROM vrm.import_words WHERE field = 'role' AND word = 'Concierge'), 1::bigint,
          'and not counted any more');
SELECT pg_temp.imported(:'alice', 'retell', '{"event": "call_ended", "call": {"call_id": "order-1",
    "call_status": "ended", "start_timestamp": 1787000000000,
    "end_timestamp": 1787000060000, "call_cost": {"combined_cost": 10}}}') AS ended,
       pg_temp.imported(:'alice', 'retell', '{"event": "call_analyzed", "call": {"call_id": "order-1",
    "call_status": "ended", "call_cost": {"combined_cost": 12}}}') \gset
SELECT is((pg_temp.run(:'ended')).cost, 0.12, 'an analysis is later than the end, whatever times it tells');

SELECT is((SELECT what || ' ' || (ended_at - started_at) FROM vrm.read_report('vrm', '{"externalId": "d", "startedAt":
           "2026-08-17T20:53:20Z", "durationSeconds": "65.5"}', NULL, now())), 'call 00:01:05.5', 'seconds by name');
SELECT is((SELECT what || ': ' || reason FROM vrm.read_report('vrm', '{"externalId": "d", "startedAt":
           "2026-08-17T20:53:20Z", "status": "in_progress"}', NULL, now())), 'ignored: the call has not ended',
          'a call that goes on');
SELECT throws_ok($$SELECT vrm.read_report('vrm', '{"externalId": "d", "status": "completed"}', NULL, '-infinity')$$,
                 '22023', 'call report cannot be read', 'a report came at some time');

-- ids and lines -------------------------------------------------------------------------------------------

SELECT pg_temp.as_user(:'alice', $$INSERT INTO vrm.call_imports (source, external_id, payload)
           VALUES ('vrm', 'beside', '{"startedAt": "2026-08-17T20:53:20Z"}') RETURNING id$$) AS beside \gset
SELECT pg_temp.take(:'alice') \g /dev/null
SELECT is((SELECT state || ' ' || external_id || coalesce(note, '') FROM pg_temp.import_of(:'beside')),
          'imported beside', 'the id of a call may stand beside its report');
SELECT matches(pg_temp.error_of(:'alice', $$INSERT INTO vrm.call_imports (source) VALUES ('vrm')$$),
               '^23514 \| a report that is to be read needs a payload \| ', 'a report without one is refused');
SELECT matches(pg_temp.error_of(:'alice', $$INSERT INTO vrm.call_imports (source, external_id, payload)
                                             VALUES ('vrm', repeat('x', 1001), '{}')$$),
               '^23514 \| external_id of "call_imports" is not valid \| .* of 1 to 1000 characters, got 1001',
               'one whose id is too long says so');
SELECT matches(pg_temp.error_of(:'alice', $$INSERT INTO vrm.call_imports (source, payload) VALUES ('', '{}')$$),
               '^23514 \| source of "call_imports" is not valid \| ', 'as does one with a source of nothing');
SELECT is(pg_temp.error_of(:'alice', $$INSERT INTO vrm.call_import_feed (payload)
              VALUES (''), (' '), (NULL), ('no JSON'),
                     ('{"externalId": "fed", "startedAt": "2026-08-17T20:53:20Z"}')$$),
          'no error', 'empty lines of a feed');
SELECT is((SELECT string_agg(state, ' ' ORDER BY id) FROM vrm.call_imports
           WHERE user_id = :'alice' AND (payload ->> 'externalId' = 'fed' OR reason LIKE 'raw:%')
             AND id > :'beside'), 'refused new', 'are no reports');

-- parts that came at one moment with their call, and so have not seen it ------------------------------------

SELECT pg_temp.imported(:'alice', 'connect', '{"ContactId": "at-once", "Channel": "VOICE",
    "InitiationTimestamp": 1787000000, "DisconnectTimestamp": 1787000060,
    "LastUpdateTimestamp": 1787000090}') AS once \gset
SELECT pg_temp.put(:'alice', 'connect', '{"JobStatus": "COMPLETED", "CustomerMetadata": {"ContactId": "at-once"},
    "Participants": [], "Transcript": [{"ParticipantId": "AGENT", "Content": "Hello", "BeginOffsetMillis": 1,
    "EndOffsetMillis": 900}], "ConversationCharacteristics": {}}') AS part \gset
UPDATE vrm.call_imports SET state = 'pending', external_id = 'at-once', clock = now() WHERE id = :'part';
SELECT is(pg_temp.take(:'bob'), 'no error', 'who imports the own reports');
SELECT is((pg_temp.import_of(:'part')).state, 'pending', 'leaves those of others');
SELECT pg_temp.take(:'alice') \g /dev/null
SELECT is((pg_temp.import_of(:'part')).state || ' ' || ((pg_temp.run(:'once')).results #>> '{transcript,0,message}'),
          'amended Hello', 'a part that waits though its call is there goes into it with the next import');

SELECT * FROM finish();
ROLLBACK;
