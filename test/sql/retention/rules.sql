-- What a run takes and what it leaves, row by row: children and partitions of a DBA's, foreign keys of an application,
-- rows that something refuses to let go, floors, columns that are renamed.  All in one transaction,
-- by steps of the engine.
BEGIN;
SELECT plan(36);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
CREATE FUNCTION pg_temp.calls(owner uuid, state text, ago interval, number int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at) SELECT owner, state, now() - ago,
        now() - ago FROM generate_series(1, number)
$$;
CREATE FUNCTION pg_temp.preview(policy text) RETURNS text LANGUAGE sql AS
    $$SELECT due_rows || ' due, ' || held_rows || ' held' FROM vrm.retention_preview(policy)$$;
\ir ../include/retention_step.sql

-- a child table, with a column of its own
SELECT pg_temp.calls(:'alice', 'failed', '0', 4);
CREATE TABLE public.imported (note text) INHERITS (vrm.test_runs);
INSERT INTO public.imported (user_id, id, status, started_at, completed_at, note)
SELECT :'alice', vrm.uuid7(), 'failed', now() - interval '3 years', now() - interval '3 years',
    'old ' || n FROM generate_series(1, 2) AS n;
SELECT is(pg_temp.preview('calls.failed'), '2 due, 0 held', 'calls in a child table are due');
SELECT is(pg_temp.step('calls.failed'), 2::bigint, 'and go');
SELECT is((SELECT string_agg(extra ->> 'note', ', ' ORDER BY id) FROM vrm_private.test_runs_archive), 'old 1, old 2',
          'with what only they have');
SELECT is((SELECT count(*) FROM vrm.test_runs), 4::bigint, 'calls of today in the same places of the table stay');
SELECT is((SELECT bool_and(ok) FROM vrm.verify_archive()), true, 'the archive is right');
DROP TABLE public.imported;
DELETE FROM vrm.test_runs;

-- a table that a DBA has partitioned
DELETE FROM vrm.call_facts;
ALTER TABLE vrm.call_facts RENAME TO call_facts_before;
CREATE TABLE vrm.call_facts (LIKE vrm.call_facts_before INCLUDING DEFAULTS) PARTITION BY RANGE (started_at);
CREATE TABLE vrm.call_facts_old PARTITION OF vrm.call_facts FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
CREATE TABLE vrm.call_facts_new PARTITION OF vrm.call_facts FOR VALUES FROM ('2024-01-01') TO (MAXVALUE);
INSERT INTO vrm.call_facts (user_id, id, started_at, status)
SELECT :'alice', vrm.uuid7(), at, 'completed' FROM unnest(ARRAY['2020-01-01', now()]) AS at, generate_series(1, 3);
SELECT is(pg_temp.step('analytics.facts'), 3::bigint, 'facts go that are due');
SELECT is((SELECT count(*) FROM vrm.call_facts WHERE started_at = now()), 3::bigint,
          'not those in the same places of another partition');
DROP TABLE vrm.call_facts;
ALTER TABLE vrm.call_facts_before RENAME TO call_facts;

-- a child table of recordings
INSERT INTO vrm.test_runs (user_id, status) VALUES (:'alice', 'queued') RETURNING id AS live \gset
CREATE TABLE public.old_recordings () INHERITS (vrm.call_recordings);
INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256)
    VALUES (:'alice', :'live', 'of today', 1, sha256(''));
INSERT INTO public.old_recordings (user_id, id, run_id, object_key, bytes, sha256, recorded_at)
    VALUES (:'alice', vrm.uuid7(), :'live', 'old', 1, sha256(''), now() - interval '1 year');
SELECT is(pg_temp.step('recordings'), 1::bigint, 'a recording in a child table goes');
SELECT is((SELECT string_agg(object_key, ', ') FROM vrm_private.object_purges), 'old',
          'and its object, not one of today');
DROP TABLE public.old_recordings;
DELETE FROM vrm.call_recordings;
DELETE FROM vrm.test_runs;

-- an application's tables
SELECT pg_temp.calls(:'alice', 'failed', '3 years', 6);
CREATE TABLE public.notes (user_id uuid, run_id uuid,
                           FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs ON DELETE CASCADE);
CREATE TABLE public.tickets (user_id uuid, run_id uuid,
                             FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs ON DELETE SET NULL (run_id));
CREATE TABLE public.bills (user_id uuid, run_id uuid, FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs);
INSERT INTO public.notes SELECT user_id, id FROM vrm.test_runs ORDER BY id LIMIT 1;
INSERT INTO public.tickets SELECT user_id, id FROM vrm.test_runs ORDER BY id LIMIT 1 OFFSET 1;
INSERT INTO public.bills SELECT user_id, id FROM vrm.test_runs ORDER BY id LIMIT 1 OFFSET 2;
SELECT is(pg_temp.preview('calls.failed'), '3 due, 3 held',
          'calls that an application refers to are held, whatever its foreign key would do');
UPDATE vrm.retention_policies SET referenced = 'obey foreign keys' WHERE name = 'calls.failed';
SELECT is(pg_temp.preview('calls.failed'), '5 due, 1 held', 'unless the policy says that they are obeyed');
SELECT throws_ok($$UPDATE vrm.retention_policies SET referenced = 'cascade'$$, '23514', NULL, 'in these words');
UPDATE vrm.retention_policies SET referenced = 'hold';
SELECT is(pg_temp.step('calls.failed'), 3::bigint, 'the others go');
SELECT is((SELECT count(*) FROM public.notes) || ' ' || (SELECT count(run_id) FROM public.tickets), '1 1',
          'and nothing of the application''s goes with them');
CREATE TABLE public.cases (user_id uuid, run_id uuid, position int,
                           FOREIGN KEY (user_id, run_id, position) REFERENCES vrm.test_run_cases ON DELETE CASCADE);
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent \gset
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, test_case_ids)
SELECT user_id, :'agent', 'failed', now() - interval '3 years', now() - interval '3 years',
    jsonb_build_array(id) FROM vrm.test_cases WHERE user_id = :'alice' LIMIT 1;
INSERT INTO public.cases SELECT user_id, run_id, position FROM vrm.test_run_cases;
SELECT is(pg_temp.preview('calls.failed'), '0 due, 4 held', 'so are calls whose test cases it refers to');
DROP TABLE public.notes, public.tickets, public.bills, public.cases;
SELECT is(pg_temp.step('calls.failed'), 4::bigint, 'until it is gone');

-- a child table has foreign keys of its own
CREATE TABLE public.imported (PRIMARY KEY (id)) INHERITS (vrm.test_runs);
INSERT INTO public.imported (user_id, id, status, started_at, completed_at)
SELECT :'alice', vrm.uuid7(), 'failed', now() - interval '3 years', now() - interval '3 years'
FROM generate_series(1, 2);
CREATE TABLE public.tickets (run_id uuid REFERENCES public.imported ON DELETE CASCADE);
INSERT INTO public.tickets SELECT id FROM public.imported LIMIT 1;
SELECT is(pg_temp.preview('calls.failed'), '1 due, 1 held', 'so are calls in a child table that it refers to');
SELECT is(pg_temp.step('calls.failed') || ' ' || (SELECT count(*) FROM public.tickets), '1 1', 'which stay');
DROP TABLE public.tickets, public.imported;

-- triggers that let nothing happen
CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing BEFORE DELETE ON vrm.call_facts FOR EACH ROW EXECUTE FUNCTION public.nothing();
INSERT INTO vrm.call_facts (user_id, id, started_at, status) VALUES (:'alice', vrm.uuid7(), '2020-01-01', 'completed');
SELECT throws_ok($$SELECT pg_temp.step('analytics.facts')$$, '09000',
                 'a trigger of vrm.call_facts has let nothing happen to ' || count(*) || ' of ' || count(*) || ' rows',
                 'rows that a trigger keeps do not count as gone')
FROM vrm.call_facts WHERE started_at < date_trunc('month', now() - interval '2 years');
DROP TRIGGER nothing ON vrm.call_facts;
SELECT pg_temp.calls(:'alice', 'failed', '3 years', 3);
CREATE TRIGGER nothing BEFORE INSERT ON vrm_private.test_runs_archive FOR EACH ROW EXECUTE FUNCTION public.nothing();
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT vrm.archive_old_test_runs()'), '0',
          'nor those kept from the archive');
SELECT is((SELECT count(*) FROM vrm.test_runs) || ' ' || (SELECT count(*) FROM vrm.retention_refused), '3 3',
          'which stay and are refused');
DROP FUNCTION public.nothing CASCADE;
DELETE FROM vrm.retention_refused;
DELETE FROM vrm.test_runs;

-- a child table of one whose policy brings its rule
INSERT INTO vrm.agent_alerts (user_id, threshold_id, agent_id, measure, value, allowed, calls, since, resolved_at)
VALUES (:'alice', vrm.uuid7(), :'agent', 'failures', 1, 0.5, 20, '2020-01-01', '2020-01-02');
CREATE TABLE public.more_alerts () INHERITS (vrm.agent_alerts);
INSERT INTO public.more_alerts (user_id, id, threshold_id, agent_id, measure, value, allowed, calls, since)
VALUES (:'alice', vrm.uuid7(), vrm.uuid7(), :'agent', 'failures', 1, 0.5, 20, now());
SELECT is(pg_temp.step('agent.alerts'), 1::bigint, 'an alert that is over goes');
SELECT is((SELECT count(*) FROM public.more_alerts), 1::bigint, 'not one in the same place of a child table');
DROP TABLE public.more_alerts;

-- periods that reach beyond the calendar
INSERT INTO vrm.test_runs (user_id, status) VALUES (:'alice', 'queued') RETURNING id AS live \gset
INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256, recorded_at, keep)
VALUES (:'alice', :'live', 'for ever', 1, sha256(''), now() - interval '1 year', '299999 years'),
       (:'alice', :'live', 'of then', 1, sha256(''), '294276-12-01', '1 year'),
       (:'alice', :'live', 'due', 1, sha256(''), now() - interval '1 year', NULL);
SELECT is(pg_temp.step('recordings'), 1::bigint, 'a recording that is kept for ever keeps no other');
UPDATE vrm.retention_policies SET keep = '9999 years' WHERE name = 'calls.failed';
SELECT is(pg_temp.preview('calls.failed'), '0 due, 0 held', 'nor is there an end to the period of a policy');
UPDATE vrm.retention_policies SET keep = '1 year' WHERE name = 'calls.failed';
DELETE FROM vrm.test_runs;

-- people
CREATE TABLE public.contracts (person uuid REFERENCES auth.users);
INSERT INTO public.contracts VALUES (:'bob');
SELECT count(vrm.delete_account(id)) FROM auth.users \g /dev/null
UPDATE vrm.user_profiles SET deleted_at = now() - interval '60 days';
SELECT is(pg_temp.preview('users.deleted'), '1 due, 1 held', 'people whom an application keeps are held');
DROP TABLE public.contracts;
INSERT INTO vrm.test_runs (user_id, status) VALUES (:'bob', 'queued') RETURNING id AS his \gset
SELECT vrm.place_hold('case 1', run_id => :'his') AS hold \gset
SELECT is(pg_temp.preview('users.deleted'), '1 due, 1 held', 'so is one of whom a call is held');
SELECT vrm.release_hold(:hold) \g /dev/null
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no' USING ERRCODE = 'P0042'; END$$;
SELECT format('CREATE TRIGGER refuse BEFORE DELETE ON auth.users FOR EACH ROW WHEN (OLD.id = %L) EXECUTE FUNCTION '
              'public.refuse()', :'bob') \gexec
SELECT is(pg_temp.step('users.deleted'), 1::bigint, 'one who cannot go keeps nobody else');
SELECT is((SELECT concat_ws(' ', row_key = :'bob', sqlstate, message, attempts) FROM vrm.retention_refused),
          't P0042 no 1', 'and it is kept why');
SELECT is(pg_temp.preview('users.deleted'), '0 due, 1 held', 'from then on the preview says so');
DROP FUNCTION public.refuse CASCADE;
SELECT (vrm_private.begin_retention_run('users.deleted')).run_id AS run \gset
SELECT is((SELECT sum((vrm_private.retention_batch(:run, true, b.relation, b.after, b.last, 1, NULL)).rows_done)
           FROM vrm_private.retention_blocks(:run, true) b), 1::numeric, 'the next run tries again');
SELECT vrm_private.end_retention_run(:run, 'done', NULL) \g /dev/null
SELECT is((SELECT count(*) FROM vrm.retention_refused), 0::bigint, 'and nothing is refused any more');

-- floors
SELECT is(vrm_private.is_as_long(keep::interval, floor::interval), expected,
          format('%s is %sas long as %s', keep, CASE WHEN expected THEN '' ELSE 'not ' END, floor))
FROM (VALUES ('360 days', '1 year', false), ('366 days', '1 year', true), ('12 months', '1 year', true),
      ('3 months', '90 days', false)) AS f (keep, floor, expected);

SELECT * FROM finish();
ROLLBACK;
