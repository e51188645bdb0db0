-- The digest of a call is made when it ends, whatever changes it later makes it anew, and the archive takes it
-- as it is: what was changed behind its back is found by who verifies.
BEGIN;
SELECT plan(23);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
CREATE FUNCTION pg_temp.right_digests() RETURNS boolean LANGUAGE sql AS
    'SELECT bool_and(results_sha256 = vrm.document_digest(results)) FROM vrm.test_runs WHERE completed_at IS NOT NULL';
CREATE FUNCTION pg_temp.verified() RETURNS text LANGUAGE sql AS
    'SELECT string_agg(DISTINCT CASE WHEN ok THEN ''ok'' ELSE detail END, '', '') FROM vrm.verify_archive()';

SELECT is(vrm.document_digest('{"a": 1}'), vrm.document_digest('{"a":1}'), 'a digest is of the value');
SELECT isnt(vrm.document_digest('{"a": 1}'), vrm.document_digest('{"a": 1.0}'), 'to the last digit');
SELECT is(vrm.document_digest(NULL), sha256(''), 'that of nothing is one, too');

-- life of a call ---------------------------------------------------------------------------------------

SELECT pg_temp.as_user(:'alice', $$INSERT INTO vrm.agents (agent_id, agent_type) VALUES ('a', 'vapi') RETURNING id$$)
    AS agent \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS call \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.begin_test_run(%L)', :'call')) \g /dev/null
SELECT is((SELECT results_sha256 FROM vrm.test_runs), NULL, 'a call that runs has none');
UPDATE vrm.test_runs SET results_sha256 = sha256('made up');
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.complete_test_run(%L, ''{"customer": "c"}'')', :'call'))
    \g /dev/null
SELECT ok(pg_temp.right_digests(), 'it is made when the call ends, whatever somebody put there before');
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.amend_test_run(%L, ''{"sentiment": "positive"}'')', :'call'))
    \g /dev/null
SELECT is((SELECT results ->> 'sentiment' || pg_temp.right_digests()::text FROM vrm.test_runs), 'positivetrue',
          'anew when it is amended');
UPDATE vrm.test_runs SET results = results || jsonb_build_object('notes', repeat('x', 100000));
SELECT ok(pg_temp.right_digests(), 'by an UPDATE of its owner, too');
SET LOCAL session_replication_role = replica;
UPDATE vrm.test_runs SET results = results - 'notes';
RESET session_replication_role;
SELECT ok(pg_temp.right_digests(), 'where triggers are silent as well');
UPDATE vrm.test_runs SET results_sha256 = sha256('made up');
SELECT ok(pg_temp.right_digests(), 'and nobody sets it');
CREATE FUNCTION pg_temp.mark() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN NEW.results := NEW.results || '{"marked": true}'; RETURN NEW; END$$;
CREATE TRIGGER mark BEFORE UPDATE ON vrm.test_runs FOR EACH ROW EXECUTE FUNCTION pg_temp.mark();
UPDATE vrm.test_runs SET error = 'none';
DROP TRIGGER mark ON vrm.test_runs;
SELECT is((SELECT results ->> 'marked' || pg_temp.right_digests()::text FROM vrm.test_runs), 'truetrue',
          'nor is a trigger that changes results forgotten');
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results_sha256)
    VALUES (:'alice', 'failed', '2020-01-01', '2020-01-01', sha256('made up'));
SELECT ok(pg_temp.right_digests(), 'a call that comes with its end has it');
SELECT throws_ok('CREATE TRIGGER t BEFORE INSERT ON vrm.agents EXECUTE FUNCTION vrm.digest_results();'
                 'INSERT INTO vrm.agents DEFAULT VALUES', '39P01', NULL, 'the function is for rows');

-- archived ---------------------------------------------------------------------------------------------

-- As two calls of 1.0.0, which had none, and one whose results have changed unseen.
DELETE FROM vrm.test_runs;
ALTER TABLE vrm.test_runs DISABLE TRIGGER zz_digest_results;
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results, results_sha256)
SELECT :'alice', 'completed', '2020-01-01', '2020-01-01', r.results, r.digest
FROM (VALUES ('{"n": 1}'::jsonb, NULL::bytea), (NULL, NULL)) AS r (results, digest);
ALTER TABLE vrm.test_runs ENABLE ALWAYS TRIGGER zz_digest_results;
SAVEPOINT before;
SELECT is(vrm.archive_old_test_runs(), 2::bigint, 'calls without one are archived');
SELECT ok((SELECT bool_and(results_sha256 = vrm.document_digest(results)) FROM vrm_private.test_runs_archive),
          'and get it on their way');
SELECT is(pg_temp.verified(), 'ok', 'which verifies');
SELECT is((SELECT ARRAY['results', 'results_sha256'] && columns AND NOT 'results' = ANY (columns)
           FROM vrm_private.archive_manifest), true, 'the manifest is about it, not the results');
UPDATE vrm_private.test_runs_archive SET results = '{"n": 2}' WHERE results IS NOT NULL;
SELECT is(pg_temp.verified(), 'rows were changed', 'changed results are found');
UPDATE vrm_private.test_runs_archive SET results_sha256 = vrm.document_digest(results);
SELECT is(pg_temp.verified(), 'rows were changed', 'together with their digest, too');
UPDATE vrm_private.test_runs_archive SET results = '{"n": 1}' WHERE results IS NOT NULL;
UPDATE vrm_private.test_runs_archive SET results_sha256 = vrm.document_digest(results);
SELECT is(pg_temp.verified(), 'ok', 'and no others');
ROLLBACK TO before;
CREATE TABLE evidence (user_id uuid, run_id uuid, FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs);
SELECT is(vrm.archive_old_test_runs(), 2::bigint, 'by statements as well');
SELECT ok((SELECT bool_and(results_sha256 = vrm.document_digest(results)) FROM vrm_private.test_runs_archive),
          'they get it');
SELECT is(pg_temp.verified(), 'ok', 'and it verifies');
ROLLBACK TO before;
ALTER TABLE vrm.test_runs DISABLE TRIGGER zz_digest_results;
UPDATE vrm.test_runs SET results_sha256 = vrm.document_digest('{"n": 3}');
ALTER TABLE vrm.test_runs ENABLE ALWAYS TRIGGER zz_digest_results;
SELECT vrm.archive_old_test_runs() \g /dev/null
SELECT is(pg_temp.verified(), 'rows were changed', 'what was changed before it was archived is found afterwards');

SELECT * FROM finish();
ROLLBACK;
