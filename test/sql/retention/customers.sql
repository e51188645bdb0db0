-- Customers: what there is of somebody who called is given out and erased, wherever it is.
BEGIN;
SELECT plan(34);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('desk')$$) AS agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('desk')$$) AS bobs_agent \gset

-- Noor Aziz: an ended call with a recording, an archived one, one older than its facts, one that runs; and reports
CREATE FUNCTION pg_temp.call(owner uuid, agent uuid, started timestamptz, customer text) RETURNS uuid LANGUAGE sql AS $$
    INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results)
    VALUES (owner, agent, 'completed', started, started + interval '1 minute',
            jsonb_build_object('customer', customer, 'transcript', '[]'::jsonb)) RETURNING id
$$;
SELECT pg_temp.call(:'alice', :'agent', '2020-01-01', 'Noor Aziz') AS archived,
    pg_temp.call(:'alice', :'agent', '2020-02-01', 'Noor Aziz') AS ancient,
       pg_temp.call(:'alice', :'agent', '2020-01-02', 'Lee') AS other_archived \gset
SELECT vrm.archive_old_test_runs() \g /dev/null
DELETE FROM vrm.call_facts WHERE id = :'ancient';
SELECT pg_temp.call(:'alice', :'agent', now() - interval '1 day', 'Noor Aziz') AS ended,
    pg_temp.call(:'alice', :'agent', now() - interval '1 day', 'Noor Aziz 2') AS similar,
       pg_temp.call(:'bob', :'bobs_agent', now() - interval '1 day', 'Noor Aziz') AS of_bob,
       pg_temp.as_user(:'alice',
                       format('SELECT vrm.start_test_run(%L, outbound_call_params => %L)', :'agent',
                              '{"to": "Noor Aziz"}')) AS running \gset
SELECT pg_temp.as_user(:'alice', format($$SELECT vrm.append_transcript(%L, 'Customer', 'Noor here')$$, :'running'))
    \g /dev/null
INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256)
    VALUES (:'alice', :'ended', 'noor.wav', 1, sha256('x'));
SELECT pg_temp.as_user(:'alice',
                       $$SELECT vrm.import_call('vrm',
                                                '{"externalId": "n-1", "customer": "Noor Aziz", "endedAt": '
                                                '"2026-09-03T10:00:00Z"}')$$) AS imported \gset
INSERT INTO vrm.call_imports (user_id, source, payload, state, reason) VALUES
    (:'alice', 'vrm', '{"externalId": "n-2", "customer": "Noor Aziz", "cost": -1}', 'refused', '/cost'),
    (:'alice', 'vrm', '{"externalId": "n-3", "customer": "Noor Aziz 2", "cost": -1}', 'refused', '/cost');
CREATE TEMP TABLE facts_before AS SELECT id FROM vrm.call_facts WHERE user_id = :'alice';

-- given out ---------------------------------------------------------------------------------------------------

SELECT pg_temp.as_user(:'alice', $$SELECT vrm.export_customer('Noor Aziz')$$) AS export \gset
SELECT set_eq(format($$SELECT c ->> 'id' FROM jsonb_array_elements(%L::jsonb -> 'calls') AS c$$, :'export'),
              ARRAY[:'archived', :'ancient', :'ended', :'running', :'imported'],
              'an export has the calls of a customer, live, archived, running and imported');
SELECT is(:'export'::jsonb #>> '{recordings,0,object_key}', 'noor.wav', 'recordings');
SELECT is(:'export'::jsonb #>> '{turns,0,message}', 'Noor here', 'turns of running calls');
SELECT is(jsonb_array_length(:'export'::jsonb -> 'events'), 6, 'events');
SELECT is(:'export'::jsonb #>> '{reports,0,payload,externalId}', 'n-2', 'and reports');
SELECT is(jsonb_array_length(:'export'::jsonb -> 'reports'), 1, 'of nobody else');
SELECT is(:'export'::jsonb::text ~ :'bob', false, 'and nothing of another user');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.export_customer('nobody') -> 'calls'$$), '[]',
          'of somebody unknown there is nothing');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.export_customer('')$$), '22023', 'a customer has a name');
SELECT is(pg_temp.as_user(NULL, $$SELECT vrm.export_customer('Noor Aziz')$$), '28000', 'nobody exports nothing');
SELECT is(pg_temp.as_anon($$SELECT vrm.erase_customer('Noor Aziz')$$), '42501', 'nor erases');
SELECT vrm.audit_drain() \g /dev/null
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE action = 'exported customer data'
           AND detail ->> 'user_id' = :'alice'), 2::bigint, 'both are in the audit trail');
SELECT is((SELECT count(*) FROM vrm.audit_log WHERE detail::text LIKE '%Noor%'), 0::bigint, 'without the name');

-- held, then erased ---------------------------------------------------------------------------------------------

SELECT vrm.place_hold('case 7', run_id => :'archived') AS hold \gset
SELECT is(pg_temp.error_of(:'alice', $$SELECT vrm.erase_customer('Noor Aziz')$$),
          format('55006 | test run "%s" is under a legal hold | Nothing was deleted. | '
          'Ask the database administrator: SELECT vrm.release_hold(...);',
          :'archived'), 'a legal hold keeps everything');
SELECT is((SELECT count(*) FROM vrm.all_test_runs WHERE user_id = :'alice'), 7::bigint, 'all of it');
SELECT vrm.release_hold(:'hold') \g /dev/null
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.erase_customer('Noor Aziz')$$), '5', 'a customer is erased');
SELECT set_eq(format('SELECT id FROM vrm.all_test_runs WHERE user_id = %L', :'alice'),
              ARRAY[:'other_archived', :'similar']::uuid[], 'with all calls, and nobody else''s');
SELECT is((SELECT count(*) FROM vrm.all_test_runs WHERE id = :'of_bob'), 1::bigint, 'nor another user''s');
SELECT set_eq(format('SELECT id FROM vrm.call_facts WHERE user_id = %L', :'alice'),
              ARRAY[:'other_archived', :'similar']::uuid[], 'the facts of them');
SELECT is((SELECT count(*) FROM vrm.run_events WHERE user_id = :'alice'
           AND run_id <> ALL (ARRAY[:'other_archived', :'similar']::uuid[])), 0::bigint, 'their events');
SELECT is((SELECT string_agg(object_key, ' ') FROM vrm_private.object_purges), 'noor.wav',
          'their recordings, in the object store, too');
SELECT is((SELECT count(*) FROM vrm.transcript_turns WHERE user_id = :'alice'), 0::bigint, 'their turns');
SELECT is((SELECT string_agg(payload ->> 'externalId', ' ') FROM vrm.call_imports WHERE user_id = :'alice'
           AND payload IS NOT NULL), 'n-3', 'and reports');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.export_customer('Noor Aziz') - 'customer'$$),
          '{"calls": [], "turns": [], "events": [], "reports": [], "recordings": []}', 'nothing is left');
SELECT is((SELECT string_agg(relation || ' ' || row_count, ', ' ORDER BY relation COLLATE "C")
           FROM vrm_private.erasure_ledger WHERE user_id = :'alice'),
          'vrm.call_imports 1, vrm.call_recordings 1, vrm.run_events 6, vrm.test_runs 3, vrm.transcript_turns 1, '
          'vrm_private.search_queue 4, vrm_private.test_runs_archive 2', 'the ledger tells how much there was');
SELECT is((SELECT DISTINCT reason FROM vrm_private.erasure_ledger WHERE user_id = :'alice'), 'asked by the customer',
          'and why');
SELECT is_empty('SELECT * FROM vrm.verify_archive() WHERE NOT ok', 'the archive still adds up');
SELECT is(pg_temp.as_user(:'alice',
                          $$SELECT vrm.import_call('vrm',
                                                   '{"externalId": "n-1", "customer": "Noor Aziz", "cost": 1}')$$),
          NULL, 'a late report does not bring a call back');
SELECT is((SELECT count(*) FROM vrm.call_imports WHERE external_id = 'n-1' AND state = 'imported'), 0::bigint,
          'though its id is not kept either');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.erase_customer('Noor Aziz')$$), '0', 'erasing twice is no error');

-- one call ------------------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.delete_test_run(%L)', :'other_archived')), 'P0002',
          'nobody deletes another''s call');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.delete_test_run(%L)', :'other_archived')), '',
          'an owner deletes an archived one');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.delete_test_run(%L)', :'similar')), '', 'and a live one');
SELECT is((SELECT count(*) FROM vrm.all_test_runs WHERE user_id = :'alice'), 0::bigint, 'and they are gone');

SELECT * FROM finish();
ROLLBACK;
