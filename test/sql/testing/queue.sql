-- The queue: what runners get, what becomes of calls that they do not end, and that nobody gets those of others.
BEGIN;
SELECT plan(47);
\ir ../include/suite.sql

-- runners
SELECT is(pg_temp.of_alice($$SELECT concat_ws(' ', case_name, persona ->> 'mood', scenario ->> 'goal',
                                              metrics #>> '{checks,0,text}', repeat, attempt,
    agent_version, connection_details ->> 'voice', lease_until > now()) FROM vrm.claim_test_run('first')$$),
    'greets calm hello hello 1 1 1 sarah t',
          'a runner gets all that it needs in one row');
SELECT is((SELECT string_agg(status, ' ' ORDER BY id) FROM vrm.test_runs),
          'running queued queued queued queued queued', 'the call runs');
SELECT is((SELECT runner FROM vrm.run_leases), 'first', 'the runner is known');
SELECT id AS run FROM vrm.test_runs WHERE status = 'running' \gset
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.claim_test_run()'), '0', 'nobody gets the calls of others');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.run_leases'), '0', 'or sees who has them');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.extend_lease(%L)', :'run')), 'P0002', 'or keeps them');
SELECT is(pg_temp.of_alice(format($$SELECT vrm.extend_lease(%L, 'first', '1 hour') > now() + interval '59 minutes'$$,
                                  :'run')), 'true', 'a heartbeat extends a lease');
SELECT is(pg_temp.of_alice(format($$SELECT vrm.extend_lease(%L, 'second')$$, :'run')), '55000',
          'but only of whose it is');
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run(most => 2)'), '2', 'several at once');
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run(most => 0)')
          || pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run(most => NULL)'), '2202322023', 'but some');
SELECT is(pg_temp.of_alice($$SELECT count(*) FROM vrm.claim_test_run(lease => '0')$$)
          || pg_temp.of_alice($$SELECT count(*) FROM vrm.claim_test_run(lease => '2 days')$$), '2202322023',
          'for a time that makes sense');
SELECT is(pg_temp.of_alice('SELECT count(DISTINCT run_id) FROM vrm.claim_test_run(most => 1000)'), '3',
          'and no call twice');
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run()'), '0', 'then none is left');

-- a lease that ends
SELECT pg_temp.of_alice(format($$SELECT vrm.append_transcript(%L, 'Agent', 'half a sen')$$, :'run')) \g /dev/null
UPDATE vrm.run_leases SET lease_until = now() - interval '1 s' WHERE run_id = :'run';
SELECT is(pg_temp.of_alice($$SELECT concat_ws(' ', run_id, attempt) FROM vrm.claim_test_run('second')$$),
          :'run' || ' 2', 'gives the call to the next runner');
SELECT is((SELECT count(*) FROM vrm.transcript_turns WHERE run_id = :'run'), 0::bigint,
          'without what the first has left in it');
SELECT is(pg_temp.of_alice(format($$SELECT vrm.extend_lease(%L, 'first')$$, :'run')), '55000', 'who has it no longer');
UPDATE vrm.run_leases SET lease_until = now() - interval '1 s' WHERE run_id = :'run';
SELECT is(pg_temp.of_alice($$SELECT concat_ws(' ', run_id, attempt) FROM vrm.claim_test_run('third')$$),
          :'run' || ' 3', 'and to one more');
UPDATE vrm.run_leases SET lease_until = now() - interval '1 s' WHERE run_id = :'run';
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run()'), '0', 'then it is given to nobody');
SELECT is((SELECT concat_ws(': ', status, error) FROM vrm.test_runs WHERE id = :'run'),
          'failed: 3 runners have had it, none has ended it', 'but has failed');
SELECT is((SELECT passed FROM vrm.suite_calls WHERE run_id = :'run'), false, 'which counts');
SELECT is((SELECT count(*) FROM vrm.run_leases WHERE run_id = :'run'), 0::bigint, 'its lease is gone');

-- calls that leave the queue on other ways
SELECT pg_temp.of_alice(format($$INSERT INTO vrm.test_runs (agent_id, status) VALUES (%L, 'queued') RETURNING id$$,
                               :'agent')) AS begun,
       pg_temp.of_alice(format($$INSERT INTO vrm.test_runs (agent_id, status) VALUES (%L, 'queued') RETURNING id$$,
                               :'agent')) AS given_up,
       pg_temp.of_alice(format($$INSERT INTO vrm.test_runs (agent_id, status, test_case_ids)
                               VALUES (%L, 'queued', jsonb_build_array(%L)) RETURNING id$$, :'agent', :'greets'))
                               AS waiting \gset
SELECT pg_temp.of_alice(format('SELECT vrm.begin_test_run(%L)', :'begun')),
    pg_temp.of_alice(format('SELECT vrm.cancel_test_run(%L)', :'given_up')) \g /dev/null
SELECT is(pg_temp.of_alice('SELECT concat_ws('' '', run_id, case_name, suite_run) FROM vrm.claim_test_run()'),
          :'waiting' || ' greets',
          'a call of no suite is claimed like one, those that wait no longer are passed over');
SELECT is((SELECT count(*) FROM vrm.run_queue), 0::bigint, 'and leave the queue');

INSERT INTO vrm.test_runs (user_id, id, agent_id, status)
    VALUES (:'alice', '00000000-0000-7000-8000-000000000001', :'agent', 'queued');
SELECT is(pg_temp.of_alice('SELECT run_id FROM vrm.claim_test_run()'), '00000000-0000-7000-8000-000000000001',
          'one that lies before the last is found as well');

-- leases of calls that somebody has ended otherwise, of others, and what the first runner has done
SELECT pg_temp.of_alice(format($$INSERT INTO vrm.test_runs (agent_id, status) SELECT %L, 'queued'
                               FROM generate_series(1, 2) RETURNING id$$, :'agent')),
       pg_temp.as_user(:'bob', format($$INSERT INTO vrm.test_runs (agent_id, status) VALUES (%L, 'queued')
                                      RETURNING id$$, :'bobs_agent')) \g /dev/null
SELECT pg_temp.of_alice($$SELECT run_id FROM vrm.claim_test_run('first')$$) AS ended,
       pg_temp.of_alice($$SELECT run_id FROM vrm.claim_test_run('first')$$) AS acted,
       pg_temp.as_user(:'bob', $$SELECT run_id FROM vrm.claim_test_run('bobs')$$) AS bobs_run \gset
SELECT pg_temp.of_alice(format($$SELECT vrm.complete_test_run(%L, '{"duration": "0:01"}')$$, :'ended')),
       pg_temp.of_alice(format($$SELECT vrm.record_action(%L, 'book')$$, :'acted')) \g /dev/null
SELECT is(pg_temp.of_alice(format('SELECT vrm.extend_lease(%L)', :'ended')), '55000',
          'a call that has ended needs no lease');
UPDATE vrm.run_leases SET lease_until = now() - interval '1 s',
                          attempts = CASE run_id WHEN :'ended' THEN 3 ELSE attempts END
WHERE run_id IN (:'ended', :'acted', :'bobs_run');
SELECT is(pg_temp.of_alice($$SELECT concat_ws(' ', run_id, attempt) FROM vrm.claim_test_run('second', most => 9)$$),
          :'acted' || ' 2', 'of two leases that have ended only that of the call that runs gives it back');
SELECT is((SELECT count(*) FROM vrm.run_actions WHERE run_id = :'acted'), 0::bigint,
          'without what its first runner has done in it');
SELECT is((SELECT string_agg(run_id::text, ' ') FROM vrm.run_leases WHERE run_id IN (:'ended', :'bobs_run')),
          :'bobs_run', 'the other lease is gone, and that of somebody else is left to them');
SELECT is((SELECT status FROM vrm.test_runs WHERE id = :'ended'), 'completed', 'and the call is what it was');

-- calls that come late: somebody looks for them once a second, however many wait behind them
SELECT pg_temp.of_alice(format($$INSERT INTO vrm.test_runs (agent_id, status) SELECT %L, 'queued'
                               FROM generate_series(1, 9) RETURNING id$$, :'agent')),
       pg_temp.of_alice('SELECT run_id FROM vrm.claim_test_run()') \g /dev/null
INSERT INTO vrm.test_runs (user_id, id, agent_id, status)
    VALUES (:'alice', '00000000-0000-7000-8000-000000000003', :'agent', 'queued');
SELECT pg_sleep(1.01) \g /dev/null
SELECT is(pg_temp.of_alice('SELECT run_id FROM vrm.claim_test_run()'), '00000000-0000-7000-8000-000000000003',
          'one that came late is not left behind');
SELECT is(pg_temp.of_alice('SELECT count(DISTINCT run_id) FROM vrm.claim_test_run(most => 1000)'), '8',
          'the others are taken afterwards');

-- what a DBA adds to the tables is heeded
SELECT pg_temp.of_alice(format($$INSERT INTO vrm.test_runs (agent_id, status, test_case_ids)
                               SELECT %L, 'queued', jsonb_build_array(%L) FROM generate_series(1, 4)
                               RETURNING id$$, :'agent', :'greets')) \g /dev/null
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM set_config('test.noted', TG_TABLE_NAME || ' ' || TG_OP, true); RETURN NEW; END $$;
CREATE FUNCTION pg_temp.noted(target regclass, what text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('test.noted', 'nothing', true);
    EXECUTE format('CREATE TRIGGER zz_note AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION pg_temp.note()', what, target);
    PERFORM pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run()');
    EXECUTE format('DROP TRIGGER zz_note ON %s', target);
    RETURN current_setting('test.noted');
END
$$;
SELECT is(pg_temp.noted(target, what), replace(target, 'vrm.', '') || ' ' || what, 'a trigger on ' || target)
FROM (VALUES ('vrm.test_runs', 'UPDATE'), ('vrm.run_queue', 'DELETE'), ('vrm.run_leases', 'INSERT'),
             ('vrm.run_events', 'INSERT')) AS t (target, what);
SELECT is((SELECT count(*) FROM vrm.run_queue), 0::bigint, 'and each has taken its call');
CREATE TRIGGER zz_note AFTER DELETE ON vrm.run_queue FOR EACH ROW EXECUTE FUNCTION pg_temp.note();
SELECT pg_temp.of_alice(format($$INSERT INTO vrm.test_runs (agent_id, status) SELECT %L, 'queued'
                               FROM generate_series(1, 2) RETURNING id$$, :'agent')) \g /dev/null
SELECT pg_temp.of_alice($$SELECT run_id FROM vrm.claim_test_run('first')$$) AS slow \gset
UPDATE vrm.run_leases SET lease_until = now() - interval '1 s' WHERE run_id = :'slow';
INSERT INTO vrm.test_runs (user_id, id, agent_id, status)
    VALUES (:'alice', '00000000-0000-7000-8000-000000000004', :'agent', 'queued');
SELECT is(pg_temp.of_alice($$SELECT concat_ws(' ', run_id, attempt) FROM vrm.claim_test_run('second')$$),
          :'slow' || ' 2', 'what was given back goes first there, too');
SELECT is(pg_temp.of_alice('SELECT count(DISTINCT run_id) FROM vrm.claim_test_run(most => 9)'), '2', 'then the others');
DROP TRIGGER zz_note ON vrm.run_queue;
SELECT pg_temp.of_alice(format($$INSERT INTO vrm.test_runs (agent_id, status) SELECT %L, 'queued'
                               FROM generate_series(1, 3) RETURNING id$$, :'agent')) \g /dev/null
SET LOCAL track_functions = 'all';
CREATE FUNCTION pg_temp.triggered() RETURNS bigint LANGUAGE sql AS
    $$SELECT coalesce(pg_stat_get_xact_function_calls('vrm_private.record_status'::regproc), 0)$$;
SELECT pg_temp.triggered() AS before \gset
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run()') || (pg_temp.triggered() - :before)::text, '10',
          'else no trigger has to be called');
ALTER TABLE vrm.test_runs ADD CONSTRAINT about_others CHECK (time_limit > 0);
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run()') || (pg_temp.triggered() - :before)::text, '10',
          'nor where a DBA checks what does not change');
ALTER TABLE vrm.test_runs ADD CONSTRAINT about_status CHECK (status <> 'running') NOT VALID;
SELECT is(pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run()'), '23514', 'what a DBA checks of it holds');
ALTER TABLE vrm.test_runs DROP CONSTRAINT about_status;
ALTER TABLE vrm.test_runs DISABLE TRIGGER record_status;
SELECT count(*) AS events FROM vrm.run_events \gset
SELECT pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run()') AS taken \gset
SELECT is(:taken - (SELECT count(*) - :events FROM vrm.run_events), 1::bigint,
          'and a trigger that is switched off is heeded');
ALTER TABLE vrm.test_runs ENABLE TRIGGER record_status;
CREATE TABLE public.noticed (user_id uuid, run_id uuid,
                             FOREIGN KEY (user_id, run_id) REFERENCES vrm.run_queue ON DELETE CASCADE);
SELECT pg_temp.of_alice(format($$INSERT INTO vrm.test_runs (agent_id, status) VALUES (%L, 'queued') RETURNING id$$,
                               :'agent')) \g /dev/null
INSERT INTO public.noticed SELECT user_id, run_id FROM vrm.run_queue;
SELECT pg_temp.of_alice('SELECT count(*) FROM vrm.claim_test_run(most => 9)') \g /dev/null
SELECT is((SELECT count(*) FROM public.noticed), 0::bigint, 'so is a foreign key of an application');
DROP TABLE public.noticed;
SELECT is((SELECT string_agg(concat_ws(' ', e.status, e.xid = pg_current_xact_id()), ', ' ORDER BY e.id)
           FROM vrm.run_events e WHERE e.run_id = :'run'), 'queued t, running t, failed t',
          'events are those that triggers write');
SELECT is((SELECT count(*) FROM vrm.test_runs r JOIN vrm.run_leases l ON l.user_id = r.user_id AND l.run_id = r.id
           WHERE r.status = 'running' AND abs(extract(epoch FROM l.claimed_at - r.started_at)) > 1), 0::bigint,
          'calls that are taken know when they began');
SELECT is((SELECT count(*) FROM vrm.test_runs WHERE status = 'running' AND agent_version IS NULL), 0::bigint,
          'and what their agent was');

-- nothing of it outlives its owner
SELECT pg_temp.as_user(:'bob', format($$INSERT INTO vrm.test_runs (agent_id, status) VALUES (%L, 'queued')
                                      RETURNING id$$, :'bobs_agent')) \g /dev/null
DELETE FROM vrm.user_profiles WHERE id = :'bob';
SELECT is((SELECT count(*) FROM vrm.run_queue WHERE user_id = :'bob') || ' '
          || (SELECT count(*) FROM vrm.run_leases WHERE user_id = :'bob') || ' '
          || (SELECT count(*) FROM vrm.run_events WHERE user_id = :'bob'), '0 0 0', 'who goes takes all of it along');

SELECT finish();
ROLLBACK;
