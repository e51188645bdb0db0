-- What a run takes and what it leaves, row by row: children and partitions of a DBA's, foreign keys of an application,
-- rows that something refuses to let go, floors, columns that are renamed.  All in one transaction,
-- by steps of the engine.
BEGIN;
SELECT plan(29);
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

-- renamed
ALTER TABLE vrm.test_runs RENAME COLUMN error TO err;
SELECT throws_ok($$SELECT vrm.retention_preview()$$, '42703', 'column "error" of vrm.test_runs is not there',
                 'a column that was renamed is told by its name');
ALTER TABLE vrm.test_runs RENAME COLUMN err TO error;
SELECT lives_ok($$SELECT vrm.retention_preview()$$, 'until it has it again');
SELECT * FROM finish();
ROLLBACK;
