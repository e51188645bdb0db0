-- Words found again: in calls that run, have ended and are archived, indexed or not, by their owner only.
BEGIN;
SELECT plan(84);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('desk')$$) AS agent,
    pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('empfang')$$) AS german,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('desk')$$) AS bobs_agent \gset

CREATE FUNCTION pg_temp.call(owner uuid, agent uuid, started timestamptz, customer text, said text) RETURNS uuid
    LANGUAGE sql AS $$
    INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results)
    VALUES (owner, agent, 'completed', started, started + interval '1 minute',
            jsonb_build_object('customer', customer, 'transcript',
            jsonb_build_array(jsonb_build_object('speaker', 'Agent', 'message', 'Good morning.', 'time', '00:00'),
                              jsonb_build_object('speaker', 'Customer', 'message', said, 'time', '00:02'))))
                              RETURNING id
$$;
CREATE FUNCTION pg_temp.found(who uuid, filter text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as_user(who,
                           format('SELECT string_agg(customer, '' '' ORDER BY started_at) FROM vrm.call_history(%L)',
                                  filter))
$$;
SELECT pg_temp.call(:'alice', :'agent', '2020-01-01', 'ada', 'I lost my library card last week') AS ada \gset
SELECT vrm.archive_old_test_runs() \g /dev/null
SELECT pg_temp.call(:'alice', :'agent', now() - interval '3 hours', 'lee',
                    'Is the library open? I need a card & <b>bold</b> books') AS lee,
       pg_temp.call(:'alice', :'german', now() - interval '2 hours', 'udo', 'Ich habe zwei Bücher verloren') AS udo,
       pg_temp.call(:'bob', :'bobs_agent', now() - interval '3 hours', 'mal', 'My library card, please') AS mal,
       pg_temp.as_user(:'alice',
                       format('SELECT vrm.start_test_run(%L, outbound_call_params => %L)', :'agent', '{"to": "noor"}'))
                       AS noor \gset
SELECT pg_temp.as_user(:'alice',
                       format($$SELECT vrm.append_transcript(%L, 'Customer', 'A library card costs what?')$$, :'noor'))
                       \g /dev/null

-- the same before and after calls are indexed, and without an index ----------------------------------------------
CREATE FUNCTION pg_temp.laws(state text, alice uuid, bob uuid) RETURNS SETOF text LANGUAGE plpgsql AS $f$
BEGIN
    RETURN NEXT is((SELECT count(*)
                    FROM jsonb_array_elements(pg_temp.as_user(
                             alice, $$SELECT vrm.call_history_json('{"text": "library card"}') -> 'calls'$$)::jsonb)),
                   3::bigint, state || ': words are found in calls that run, have ended and are archived');
    RETURN NEXT is(pg_temp.found(alice, '{"text": "library", "status": "completed"}'), 'ada lee',
                   state || ': with other filters');
    RETURN NEXT is(pg_temp.found(alice, '{"text": "\"card library\""}'), NULL,
                   state || ': not a phrase that was not said');
    RETURN NEXT is(pg_temp.found(alice, '{"text": "\"card last\" my"}'), 'ada', state || ': but one that was');
    RETURN NEXT is(pg_temp.found(alice, '{"text": "librar* boo*"}'), 'lee', state || ': beginnings of words');
    RETURN NEXT is(pg_temp.found(alice, '{"text": "library -lost", "status": "completed"}'), 'lee',
                   state || ': without some');
    RETURN NEXT is(pg_temp.found(alice, '{"text": "verloren"}'), 'udo', state || ': in any language');
    RETURN NEXT is(pg_temp.found(bob, '{"text": "library"}'), 'mal', state || ': by their owner only');
    RETURN NEXT is(pg_temp.found(alice, '{"customer": "ada"}'), 'ada', state || ': or by the customer');
END
$f$;
SELECT pg_temp.laws('waiting', :'alice', :'bob');
SELECT vrm_private.index_words() \g /dev/null
SELECT is((SELECT count(*) FROM vrm_private.search_queue), 0::bigint, 'what waits is indexed');
SELECT pg_temp.laws('indexed', :'alice', :'bob');

-- what else -----------------------------------------------------------------------------------------------------
SELECT is(pg_temp.as_user(:'alice', $$SELECT excerpt FROM vrm.call_history('{"text": "bold"}')$$),
          'open? I need a card &amp; &lt;b&gt;<b>bold</b>&lt;/b&gt; books',
          'an excerpt shows where, and is safe to show');
SELECT is(pg_temp.as_user(:'alice', $$SELECT excerpt FROM vrm.call_history('{"text": "costs"}')$$),
          'library card <b>costs</b> what', 'also of a call that runs');
SELECT is(pg_temp.as_user(:'alice', $$SELECT customer || excerpt FROM vrm.call_history('{"customer": "lee"}')$$), NULL,
          'without words there is nothing to show');
SELECT is(pg_temp.as_user(:'alice', $$SELECT id FROM vrm.call_history('{"customer": "noor"}')$$), :'noor',
          'a customer who is just called');
SELECT pg_temp.as_user(:'alice',
                       $$SELECT next_cursor
                       FROM vrm.call_history('{"text": "library", "status": "completed"}', NULL, 1)$$) AS cursor \gset
SELECT is(pg_temp.as_user(:'alice',
                          format($$SELECT customer
                                 FROM vrm.call_history('{"text": "library", "status": "completed"}', %L, 1)$$,
                                 :'cursor')), 'ada', 'page by page');
SELECT is(pg_temp.as_user(:'alice', $$SELECT count(*) FROM vrm.call_history('{"text": "\" -"}')$$), '22023',
          'something to look for is needed');
SELECT is(pg_temp.as_user(:'alice',
                          format($$SELECT count(*) FROM vrm.call_history(jsonb_build_object('text', %L))$$, sought)),
          state, 'stars alone are nothing: ' || sought)
FROM (VALUES ('*', '22023'), ('** library *', '3')) AS t (sought, state);
SELECT is(pg_temp.error_of(:'alice',
                           $$SELECT * FROM vrm.call_history(jsonb_build_object('text', repeat('a ', 501)))$$)
              LIKE '22023 | text must have at most 1000 characters | Got 1002 characters.%', true,
          'nor may it be long');
SELECT alike(pg_temp.error_of(:'alice', format('SELECT vrm.search_calls(%L, ''infinity'', %L, %s)', filter,
                                               'ffffffff-ffff-ffff-ffff-ffffffffffff', page_size)), told, told)
FROM (VALUES ('{"text": "a", "since": "soon"}', 5, '22023 | filter is not valid | %: "soon". | %'),
             ('{"text": "a", "agent_id": "x"}', 5, '22023 | filter is not valid | %: "x". | %'),
             ('{"text": "a"}', -1, '22023 | page_size must not be negative | Got -1. | %')
    ) AS t (filter, page_size, told);
SELECT is(pg_temp.as_user(:'alice',
                          format($$SELECT count(*) FROM vrm.call_history(jsonb_build_object('text', %L))$$,
                                 $q$' & | ! <-> \ :* ( o'brien* it's $q$)), '0', 'no word is an operator');
SELECT is(pg_temp.as_user(:'bob', format($$SELECT vrm.set_search_config(%L, 'german')$$, :'german')), 'P0002',
          'nobody says how another''s agent speaks');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.set_search_config(%L, 'klingon')$$, :'german')), '22023',
          'some languages are not known');
SELECT is(pg_temp.found(:'alice', '{"text": "buch"}'), NULL, 'simple words are what was said');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.set_search_config(%L, 'german')$$, :'german')), '',
          'an agent''s calls are in its language');
SELECT is(pg_temp.found(:'alice', '{"text": "buch"}'), 'udo', 'at once');
UPDATE vrm.test_runs SET results = jsonb_set(results, '{transcript,1,message}', '"A museum, rather"') WHERE id = :'lee';
SELECT is(pg_temp.found(:'alice', '{"text": "museum"}') || ' ' || coalesce(pg_temp.found(:'alice', '{"text": "bold"}'),
    'none'), 'lee none', 'what is changed is read anew');
SELECT vrm_private.index_words() \g /dev/null
DELETE FROM vrm.test_runs WHERE id = :'lee';
SELECT is_empty(format('SELECT FROM vrm_private.call_words WHERE run_id = %L', :'lee'), 'what is deleted is forgotten');
SELECT vrm.set_search(false) \g /dev/null
SELECT is((SELECT count(*) FROM vrm_private.call_words), 0::bigint, 'the index can be turned off');
SELECT is(pg_temp.found(:'alice', '{"text": "librar* lost"}'), 'ada', 'and words are still found');
SELECT vrm.set_search(true) \g /dev/null
SELECT is((SELECT count(*) FROM vrm_private.search_queue), 3::bigint, 'turned on again, all calls wait');
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.set_search(false)'), '42501', 'which is not for users');

-- numbers, and phrases of long calls, indexed or not -------------------------------------------------------------
SELECT pg_temp.call(:'bob', :'bobs_agent', '2024-01-01', 'hyphens', 'It is 202-555-0142, order A-1042.') AS hyphens,
       pg_temp.call(:'bob', :'bobs_agent', '2024-01-02', 'spaces', 'Call +1 202 555 0142 or so.') AS spaces,
       pg_temp.call(:'bob', :'bobs_agent', '2024-01-03', 'solid', 'Call 2025550142 or so.') AS solid,
       pg_temp.call(:'bob', :'bobs_agent', '2024-01-04', 'polite',
                    repeat('as you see ', 300) || 'so thank you for the refund offer') AS polite,
       pg_temp.call(:'bob', :'bobs_agent', '2024-01-05', 'longest', left(repeat('thank her as you see it now ', 7143),
                    -2) || ' so thank you for the' || E'\nwarranty, bye') AS longest \gset
CREATE FUNCTION pg_temp.long_laws(state text, bob uuid) RETURNS SETOF text LANGUAGE sql AS $f$
    SELECT is(pg_temp.found(bob, jsonb_build_object('text', sought)::text), expected, state || ': ' || intent)
    FROM (VALUES
        ('202-555-0142', 'hyphens spaces solid', 'a number with hyphens'),
        ('202 555 0142', 'hyphens spaces', 'its groups'),
        ('"202 555 0142"', 'hyphens spaces', 'its groups in a row'),
        ('0142', 'hyphens spaces', 'its last digits'),
        ('555-0142', 'hyphens spaces', 'without the first ones'),
        ('2025550142', 'hyphens solid', 'in one piece'),
        ('+2025550142', 'hyphens solid', 'with a sign'),
        ('202-555-0143', NULL, 'another number'),
        ('1042', 'hyphens', 'the number of an order'),
        ('A-1042', 'hyphens', 'and its letter'),
        ('0142 -555-0142', NULL, 'without a number'),
        ('"thank you"', 'polite longest', 'a phrase of words that were said often before'),
        ('"refund offer"', 'polite', 'of words that were not'),
        ('"thank you for the warranty"', 'longest', 'at the end of 50,000 words'),
        ('"you thank"', NULL, 'no phrase that was not said'),
        ('refund -"thank you"', NULL, 'not what is excluded as a phrase'),
        ('refund -"you thank"', 'polite', 'but what only has its words'),
        ('warran*', 'longest', 'the beginning of a word at the end')) AS c (sought, expected, intent)
$f$;
SELECT pg_temp.long_laws('waiting', :'bob');
SELECT vrm_private.index_words() \g /dev/null
SELECT pg_temp.long_laws('indexed', :'bob');
SELECT is(pg_temp.as_user(:'bob', $$SELECT excerpt LIKE '%202-555-<b>0142</b>, <b>order</b>%'
                                  FROM vrm.call_history('{"text": "0142 order"}')$$), 'true',
          'an excerpt has the number as it was said');
SELECT is(pg_temp.as_user(:'bob', format($$SELECT excerpt LIKE '%%<b>202</b>-<b>555</b>-<b>0142</b>%%'
                                         FROM vrm.call_history('{"text": "%s", "customer": "hyphens"}')$$, sought)),
          'true', 'and shows the groups of one that is looked for in one piece: ' || sought)
FROM unnest('{2025550142,20255*,order 2025550142}'::text[]) AS sought;
SELECT is(pg_temp.as_user(:'bob', $$SELECT excerpt LIKE '%<b>thank</b> <b>you</b> for the warranty%'
                                  FROM vrm.call_history('{"text": "\"thank you\"", "customer": "longest"}')$$), 'true',
          'and of a long call the place');

SELECT * FROM finish();
ROLLBACK;
