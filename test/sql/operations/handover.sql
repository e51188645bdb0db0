-- Handing agents over: everything comes along, nothing stays, statistics are what they were.
BEGIN;
SELECT plan(40);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_organisation('Acme')$$) AS acme,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_organisation('Globex')$$) AS globex,
       pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
       pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('sales')$$) AS other \gset
SELECT min(id::text) AS used, max(id::text) AS unused FROM vrm.test_cases WHERE user_id = :'alice' \gset

-- a call of each kind --------------------------------------------------------------------------------

SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L, ARRAY[%L]::uuid[])', :'agent', :'used')) AS run,
       pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'other')) AS kept \gset
SELECT pg_temp.as_user(:'alice', format(statement, :'run', :'kept')) FROM unnest(ARRAY[
    'SELECT vrm.append_transcript(%1$L, ''Agent'', ''Hello'')',
              'SELECT vrm.record_action(%1$L, ''looked'')']) AS statement
    \g /dev/null

SELECT pg_temp.as_user(:'alice', format('SELECT vrm.hand_over_agent(%L, %L)', :'agent', :'acme')) AS under_way \gset
SELECT is(:'under_way'::text, '55006', 'an agent with calls under way stays');
SELECT pg_temp.as_user(:'alice', format(statement, :'run', :'kept')) FROM unnest(ARRAY[
    'SELECT vrm.complete_test_run(%1$L, ''{"customer": "+15550100"}'')',
    'SELECT vrm.complete_test_run(%2$L, ''{"customer": "+15550101"}'')']) AS statement \g /dev/null
INSERT INTO vrm.test_cases (user_id, name) SELECT :'acme', name FROM vrm.test_cases WHERE id = :'used';
INSERT INTO vrm.metrics (user_id, name, prompt) VALUES (:'alice', 'politeness', 'Was it?'), (:'acme', 'politeness',
          'Is it?');
SELECT id AS metric FROM vrm.metrics WHERE user_id = :'alice' \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.record_metric_result(%L, %L, 0.5)', :'metric', :'run')),
       pg_temp.as_user(:'alice', format('SELECT vrm.register_recording(%L, ''a.ogg'', 1, sha256(''x''))',
                 :'run')) AS recording,
       pg_temp.as_user(:'alice', format('SELECT vrm.start_suite(ARRAY[%L]::uuid[], %L)', :'unused', :'agent'))
           AS suite_run \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.recording_key(%L)', :'recording')) AS recording_key \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.cancel_suite(%L)', :'suite_run')) \g /dev/null
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results)
SELECT :'alice', a, 'completed', now() - '3 years'::interval, now() - '3 years'::interval + '1 min'::interval,
          '{"actions": 3}'
FROM unnest(ARRAY[:'agent', :'other']::uuid[]) AS a;
SELECT vrm.archive_old_test_runs() \g /dev/null
SELECT vrm_private.compact_calls() \g /dev/null
SELECT is((SELECT count(*) FROM vrm_private.test_runs_archive WHERE agent_id = :'agent'), 1::bigint,
          'given an archived call');

-- what is in the way ------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.tried(who uuid, agent uuid, organisation uuid) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as_user(who, format('SELECT vrm.hand_over_agent(%L, %L)', agent, organisation))
$$;
SELECT is(pg_temp.tried(:'alice', :'agent', :'globex'), '42501', 'not to an organisation of others');
SELECT is(pg_temp.tried(:'alice', :'agent', :'bob'), '42501', 'nor to a person');
SELECT is(pg_temp.tried(:'alice', :'agent', :'alice'), '42501', 'nor to oneself');
SELECT is(pg_temp.tried(:'alice', :'agent', NULL), '42501', 'nor to nobody');
SELECT is(pg_temp.tried(:'bob', :'agent', :'globex'), 'P0002', 'nor somebody else''s agent');
SELECT is(pg_temp.tried(:'alice', vrm.uuid7(), :'acme'), 'P0002', 'nor one that does not exist');
INSERT INTO vrm_private.team_members (user_id, member_id, role) VALUES (:'globex', :'alice', 'viewer');
SELECT is(pg_temp.tried(:'alice', :'agent', :'globex'), '42501', 'viewers bring nothing');
SAVEPOINT held;
SELECT vrm.place_hold('lawsuit', user_id => :'alice') \g /dev/null
SELECT is(pg_temp.tried(:'alice', :'agent', :'acme'), '55006', 'what is under a hold stays');
ROLLBACK TO SAVEPOINT held;
SELECT pg_temp.as_member(:'alice', :'acme', 'SELECT vrm.create_agent(''reception'')') AS namesake \gset
SELECT is(pg_temp.tried(:'alice', :'agent', :'acme'), '23505', 'names do not meet');
SELECT pg_temp.as_member(:'alice', :'acme', format('SELECT vrm.delete_agent(%L)', :'namesake')) \g /dev/null

-- what comes along -----------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.summary() RETURNS text LANGUAGE sql AS $$
    SELECT $q$SELECT string_agg(s::text, ',') FROM vrm.call_series('2000-01-01', '2100-01-01', '100 years') s$q$
$$;
CREATE FUNCTION pg_temp.of_agent(agent uuid) RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT string_agg(s::text, '','') FROM vrm.call_summary(''2000-01-01'', ''2100-01-01'',
              ARRAY[%L]::uuid[]) s',
                  agent)
$$;
SELECT pg_temp.as_user(:'alice', pg_temp.of_agent(:'agent')) AS figures,
       pg_temp.as_user(:'alice', pg_temp.of_agent(:'other')) AS other_figures \gset
SELECT count(*) AS events FROM vrm.run_events WHERE run_id = :'run' \gset
SELECT is(pg_temp.tried(:'alice', :'agent', :'acme'), '3', 'an agent is handed over with its calls');
SELECT is(pg_temp.as_member(:'alice', :'acme', pg_temp.of_agent(:'agent')), :'figures',
          'its statistics are what they were');
SELECT is(pg_temp.as_user(:'alice', pg_temp.of_agent(:'other')), :'other_figures', 'as are those of others');
SELECT is(pg_temp.as_member(:'alice', :'acme', 'SELECT calls FROM vrm.call_summary(''2000-01-01'', ''2100-01-01'')'),
          '3',
          'the organisation has the calls');
SELECT is(pg_temp.as_user(:'alice', 'SELECT calls FROM vrm.call_summary(''2000-01-01'', ''2100-01-01'')'), '2',
          'the person does not');
SELECT is(pg_temp.as_member(:'alice', :'acme', 'SELECT count(*) FROM ' || relation), number, 'it has its ' || relation)
FROM (VALUES ('vrm.test_runs', '3'), ('vrm.run_events WHERE status = ''completed''', '2'), ('vrm.test_run_cases', '2'),
             ('vrm.agent_versions', '2'), ('vrm.suite_runs', '1'), ('vrm.suite_run_cases', '1'), ('vrm.suite_calls',
             '1'),
             ('vrm.metric_results', '1'), ('vrm.metrics', '2'), ('vrm.call_recordings', '1'),
             ('vrm.all_test_runs WHERE archived_at IS NOT NULL', '0')) AS moved (relation, number);
SELECT is(pg_temp.as_member(:'alice', :'acme', format('SELECT vrm.recording_key(%L)', :'recording')), :'recording_key',
          'its recordings open');
SELECT is((SELECT case_user_id FROM vrm.test_run_cases WHERE run_id = :'run'), :'acme'::uuid, 'with cases of its own');
SELECT is((SELECT array_agg(user_id ORDER BY user_id = :'acme') FROM vrm.test_cases WHERE id = :'used'),
          ARRAY[:'alice', :'acme']::uuid[], 'of which the person keeps theirs');
SELECT ok((SELECT count(*) FROM vrm.test_cases WHERE user_id = :'acme' AND name LIKE 'reception: %') >= 3,
          'and what an agent is tried with');
SELECT is((SELECT string_agg(name, ',' ORDER BY name) FROM vrm.metrics WHERE user_id = :'acme'),
          'politeness,politeness ' || :'metric', 'metrics of one name stay two');

-- what stays --------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.left_over(owner uuid, named text) RETURNS TABLE (relation regclass, number bigint)
    LANGUAGE plpgsql AS $$
BEGIN
    FOR relation IN SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id'
                    WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace) AND c.relkind IN ('r',
                    'p')
                      AND NOT c.relispartition LOOP
        EXECUTE format('SELECT count(*) FROM %s AS r WHERE user_id = $1 AND r::text ~ $2', relation)
            INTO number USING owner, named;
        IF number > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
SELECT is_empty(format('SELECT * FROM pg_temp.left_over(%L, %L)', :'alice',
                       concat_ws('|', :'agent', :'suite_run', (SELECT string_agg(id::text, '|') FROM vrm.test_runs
                                                               WHERE agent_id = :'agent'))),
                'nothing of the person''s names the agent or its calls');
CREATE FUNCTION pg_temp.orphans() RETURNS TABLE (constraint_name name, number bigint) LANGUAGE plpgsql AS $$
DECLARE
    key record;
BEGIN
    FOR key IN
        SELECT f.conname, f.conrelid::regclass AS child, f.confrelid::regclass AS parent,
               string_agg(format('p.%I = c.%I', b.attname, a.attname), ' AND ') AS matches,
               string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ') AS given
        FROM pg_constraint f, unnest(f.conkey, f.confkey) AS k (own, other)
        JOIN pg_attribute a ON a.attnum = k.own JOIN pg_attribute b ON b.attnum = k.other
        WHERE f.contype = 'f' AND f.conparentid = 0 AND f.connamespace::regnamespace::text IN ('vrm', 'vrm_private')
          AND a.attrelid = f.conrelid AND b.attrelid = f.confrelid
        GROUP BY f.oid, f.conname, f.conrelid, f.confrelid
    LOOP
        EXECUTE format('SELECT count(*) FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)', key.child,
                  key.given,
                       key.parent, key.matches) INTO number;
        constraint_name := key.conname;
        IF number > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
SELECT is_empty('SELECT * FROM pg_temp.orphans()', 'every foreign key holds');
SELECT is((SELECT string_agg(DISTINCT ok::text, ',') FROM vrm.verify_archive()), 'true', 'the archive can be verified');
SELECT is((SELECT detail ->> 'calls' FROM vrm.audit_log WHERE action = 'agent handed over' AND acting_for = :'acme'
           AND actor = :'alice'), '3', 'the audit trail knows');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')), 'P0002',
          'the person calls it no more');
SELECT is(pg_temp.as_member(:'alice', :'acme', format('SELECT vrm.start_test_run(%L, ARRAY[%L]::uuid[]) IS NOT NULL',
          :'agent',
                                                     :'used')), 'true', 'but as a member');
UPDATE vrm.test_cases SET is_shared = true WHERE user_id = :'alice' AND id = :'used';
SELECT is(pg_temp.as_member(:'alice', :'acme', format('SELECT vrm.start_test_run(%L, ARRAY[%L]::uuid[]) IS NOT NULL',
          :'agent',
                                                     :'used')), 'true', 'also when the person shares theirs');
SELECT is((SELECT count(*) FROM vrm.test_run_cases WHERE case_id = :'used' AND case_user_id = :'acme'), 3::bigint,
          'each with the one of its own');

SELECT * FROM finish();
ROLLBACK;
