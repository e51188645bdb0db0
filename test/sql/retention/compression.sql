-- Compressed partitions of the archive: every call is read as before, wherever it is read, and what is damaged is
-- found.  Dictionaries are made of what many users say, and hold nothing of one.
BEGIN;
SELECT plan(49);
\ir ../include/people.sql
\ir ../include/old_calls.sql
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results)
SELECT :'alice', :'agent', 'completed', '2020-01-01', '2020-01-01', jsonb_build_object(
           'customer', '+3130' || n, 'duration', '0:30', 'ratio', 0.1 + n, 'transcript',
           (SELECT jsonb_agg(jsonb_build_object(
                       'ms', t * 700, 'role', 'agent', 'speaker', 'Agent', 'message',
                       'How can I help you with ' || md5(concat(n, t)) || ' today?' || E'\u00e9\n'))
            FROM generate_series(1, 20) AS t))
FROM generate_series(1, 30) AS n;
SELECT vrm.archive_old_test_runs() \g /dev/null
SELECT tableoid::regclass AS part FROM vrm_private.test_runs_archive LIMIT 1 \gset
CREATE TEMP TABLE whole AS SELECT * FROM vrm.all_test_runs WHERE archived_at IS NOT NULL;
CREATE FUNCTION pg_temp.compressed() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    part regclass := (SELECT max(a.tableoid) FROM vrm_private.test_runs_archive a);
BEGIN
    PERFORM vrm_private.compress_partition(part);
    RETURN (SELECT string_agg(row_count || ' ' || packed_rows || ' ' || dictionary, ', ')
            FROM vrm.archive_compressions);
END
$$;
CREATE TEMP TABLE exported AS SELECT 'export' AS what, to_jsonb(e) AS row FROM vrm.export_user_data(:'alice') e
        WHERE e.relation::text ~ 'archive'
    UNION ALL SELECT 'fingerprint', to_jsonb(f) FROM vrm.tenant_fingerprint(:'alice') f
    UNION ALL SELECT 'customer', pg_temp.as_user(:'alice', $$SELECT vrm.export_customer('+313012')$$)::jsonb;
SAVEPOINT archived;

-- the same calls ---------------------------------------------------------------------------------------

SELECT format('%s %s 0', count(*), count(results)) AS there FROM vrm_private.test_runs_archive \gset
SELECT is(pg_temp.compressed(), :'there', 'a partition is rewritten');
SELECT is(to_regclass(:'part'), NULL, 'the one before is gone');
SELECT is((SELECT count(*) FROM vrm_private.test_runs_archive WHERE results IS NOT NULL), 0::bigint,
          'no results are left as they were');
SELECT set_eq('SELECT * FROM vrm.all_test_runs WHERE archived_at IS NOT NULL', 'TABLE whole', 'which nobody notices');
SELECT is(pg_temp.verified(), 'true', 'the archive is as the manifest says');
SELECT set_eq(format($$SELECT 'export', to_jsonb(e) FROM vrm.export_user_data(%1$L) e
                           WHERE e.relation::text ~ 'archive' UNION ALL
                       SELECT 'fingerprint', to_jsonb(f) FROM vrm.tenant_fingerprint(%1$L) f UNION ALL
                       SELECT 'customer', pg_temp.as_user(%1$L, 'SELECT vrm.export_customer(''+313012'')')::jsonb$$,
                     :'alice'), 'TABLE exported', 'exports are what they were');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) || '' '' || count(results) FROM vrm.all_test_runs'), '2 1',
          'owners read their calls');
SELECT is((SELECT bool_and(bytes_after < bytes_before) FROM vrm.archive_compressions), true, 'and it is smaller');
SELECT is((SELECT concat_ws(' ', c.relname, c.relrowsecurity,
                            (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid),
                            (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'),
                            obj_description(c.oid, 'pg_class') LIKE 'rows of vrm_private.test_runs_archive from %')
           FROM pg_class c WHERE c.oid = (SELECT max(tableoid) FROM vrm_private.test_runs_archive)),
          split_part(:'part', '.', 2) || '_zstd t 4 0 t', 'by a partition like the other');

-- still looked after -----------------------------------------------------------------------------------

SAVEPOINT compressed;
SELECT min(id::text) AS held FROM vrm_private.test_runs_archive WHERE user_id = :'alice' \gset
SELECT vrm.place_hold('case 7', run_id => :'held') AS hold \gset
SELECT throws_ok(format('DELETE FROM vrm_private.test_runs_archive WHERE id = %L', :'held'), '55006', NULL,
                 'holds are respected');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.delete_test_run(%L)', :'held')), '55006', 'by functions, too');
SELECT vrm.release_hold(:hold) \g /dev/null
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.erase_customer('+313012')$$), '1', 'a customer is found and erased');
SELECT is(pg_temp.verified(), 'true', 'which the manifest knows');
SELECT id AS amended FROM whole WHERE results ->> 'customer' = '+313013' \gset
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.amend_test_run(%L, ''{"sentiment": "positive"}'')', :'amended')),
          '', 'an archived call is amended');
SELECT is((SELECT concat_ws(' ', results -> 'ratio', results ->> 'sentiment', results #>> '{transcript,19,message}')
           FROM vrm.test_runs WHERE id = :'amended'),
          (SELECT concat_ws(' ', results -> 'ratio', 'positive', results #>> '{transcript,19,message}')
           FROM whole WHERE id = :'amended'), 'in vrm.test_runs');
SELECT is(pg_temp.verified(), 'true', 'and it is taken account of');
DELETE FROM auth.users WHERE id = :'bob';
SELECT is((SELECT count(*) FROM vrm_private.test_runs_archive WHERE user_id = :'bob'), 0::bigint, 'people go');
SELECT is(pg_temp.verified(), 'true', 'with a trace in the manifest');
ROLLBACK TO compressed;
SELECT is(vrm.restore_from_archive((SELECT array_agg(id) FROM vrm_private.test_runs_archive)), count(*),
          'all come back') FROM vrm_private.test_runs_archive;
SELECT is_empty('SELECT id, results, error FROM whole EXCEPT SELECT id, results, error FROM vrm.test_runs',
                'as they were');
SELECT ok((SELECT bool_and(results_sha256 = vrm.document_digest(results)) FROM vrm.test_runs
           WHERE completed_at IS NOT NULL), 'to the byte');
ROLLBACK TO compressed;

-- batches of 1.0.0 -------------------------------------------------------------------------------------

ROLLBACK TO archived;
UPDATE vrm_private.test_runs_archive SET results_sha256 = NULL;
CREATE TEMP TABLE batches AS SELECT * FROM vrm_private.archive_manifest;
DELETE FROM vrm_private.archive_manifest;
DO $$
DECLARE
    b batches;
    covered text[] := (SELECT array_remove(columns, 'results_sha256') || ARRAY['results'] FROM batches LIMIT 1);
BEGIN
    FOR b IN SELECT * FROM batches ORDER BY batch_id LOOP
        PERFORM vrm_private.record_batch(b.batch_id, b.run_id, b.row_count, b.archived_at, b.oldest, b.newest, b.bytes,
            covered, (SELECT sha256(string_agg(d.digest, '' ORDER BY d.digest))
                      FROM (SELECT vrm.row_digest(a.*, covered) AS digest FROM vrm_private.test_runs_archive a
                            WHERE a.batch_id = b.batch_id) AS d));
    END LOOP;
END
$$;
SELECT is(pg_temp.verified(), 'true', 'what was archived by 1.0.0');
SELECT pg_temp.compressed() \g /dev/null
SELECT is(pg_temp.verified(), 'true', 'verifies when it is compressed');
UPDATE vrm_private.test_runs_archive a SET packed_results = o.packed_results, results_sha256 = o.results_sha256
FROM vrm_private.test_runs_archive o WHERE a.results_sha256 < o.results_sha256;
SELECT is(pg_temp.verified(), 'false: rows were changed', 'results of another call are found out');
ROLLBACK TO archived;

-- damage -----------------------------------------------------------------------------------------------

SELECT pg_temp.compressed() \g /dev/null
SELECT min(id::text) AS victim FROM vrm_private.test_runs_archive WHERE packed_results IS NOT NULL \gset
SAVEPOINT intact;
UPDATE vrm_private.test_runs_archive SET packed_results = set_byte(packed_results, length(packed_results) - 6,
    get_byte(packed_results, length(packed_results) - 6) # 1) WHERE id = :'victim';
SELECT is(pg_temp.verified(), 'false: rows were changed, true', 'a damaged call is found');
SELECT throws_ok(format('SELECT results FROM vrm.all_test_runs WHERE id = %L', :'victim'), 'XX001',
                 'a packed document is damaged', 'an error to whoever reads it, never another document');
SELECT lives_ok(format('SELECT results FROM vrm.all_test_runs WHERE id <> %L', :'victim'), 'others are read');
ROLLBACK TO intact;
UPDATE vrm_private.test_runs_archive a SET packed_results = NULL, results = '{}' WHERE id = :'victim';
SELECT is(pg_temp.verified(), 'false: rows were changed, true', 'so is one that was replaced');
ROLLBACK TO intact;
SELECT throws_ok(format('SELECT vrm.unpack_results(%L)', t.packed), 'XX001', 'a packed document is damaged', t.what)
FROM (VALUES ('\x'::bytea, 'nothing is no packed document'), ('\x0100000000', 'nor is a mere head'),
             ('\x020000000028b52ffd', 'nor one of another version'),
             ('\x010000000028b52ffde40000000000000100000100000000', 'nor is what says to be enormous'))
     AS t (packed, what);
SELECT is(vrm.packed_digest('\x01'), NULL, 'which has no digest');

-- dictionaries -----------------------------------------------------------------------------------------

SELECT packed_results AS packed FROM vrm_private.test_runs_archive WHERE packed_results IS NOT NULL LIMIT 1 \gset
INSERT INTO vrm.archive_compressions (partition_name, dictionary, row_count, packed_rows, bytes_before, bytes_after,
                                      began_at) VALUES ('test_runs_archive_lost', 99, 8, 7, 2, 1, now());
CREATE FUNCTION pg_temp.complaint(packed bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM vrm.unpack_results(packed);
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, detail);
END
$$;
SELECT is(pg_temp.complaint(overlay(:'packed'::bytea PLACING '\x00000063' FROM 2 FOR 4)),
          'XX001 | dictionary 99 of the archive is missing | Archived calls that were packed with it cannot be read:'
          ' 7 of test_runs_archive_lost.', 'a dictionary that is missing is told, and what is lost with it');
INSERT INTO vrm_private.archive_dictionaries (dictionary, content, content_sha256, tenants_at_least, tenants, messages)
    OVERRIDING SYSTEM VALUE VALUES (98, 'abc', sha256('abd'), 5, 5, 5);
SELECT matches(pg_temp.complaint(overlay(:'packed'::bytea PLACING '\x00000062' FROM 2 FOR 4)),
               'XX001 . dictionary 98 of the archive is damaged . .* of which the log knows nothing',
               'so is one that is damaged');
DELETE FROM vrm_private.archive_dictionaries WHERE dictionary = 98;
SELECT throws_ok('SELECT vrm.make_archive_dictionary(4)', '22023', NULL, 'four users would tell who said what');
SELECT throws_ok('SELECT vrm.make_archive_dictionary(NULL)', '22023', NULL, 'as would nobody');
SELECT throws_ok('SELECT vrm.make_archive_dictionary(5)', '55000', NULL, 'a small database has too few');
ROLLBACK TO archived;
CREATE TEMP TABLE tenants AS SELECT n, pg_temp.person(format('tenant%s@example.org', n)) AS id
    FROM generate_series(1, 6) AS n;
CREATE TEMP TABLE said AS
    SELECT t.id, m.message FROM tenants t, LATERAL (VALUES
        ('Good morning and welcome to the clinic'), (format('My name is Zacharias%s Quist', chr(64 + t.n))),
        (format('Reach me on +31 30 555 010%s or quist%s@example.org', t.n, t.n)),
        (CASE WHEN t.n < 5 THEN 'We only close on Ascension Thursday' END),
        (format('Only %s knows about my knee', chr(96 + t.n)))) AS m (message);
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
SELECT s.id, 'completed', now() - interval '3 years', now() - interval '3 years', jsonb_build_object(
    'customer', 'Zacharias', 'transcript', jsonb_agg(jsonb_build_object('speaker', 'Agent', 'message', s.message)))
FROM said s, generate_series(1, 5) GROUP BY s.id;
SELECT ok(vrm.make_archive_dictionary(5) > 0, 'six users are enough for phrases of five');
SELECT convert_from(content, 'UTF8') AS content FROM vrm_private.archive_dictionaries \gset
SELECT ok(strpos(:'content', 'Good morning and welcome to the') > 0, 'what all say is in it');
SELECT is_empty(format($$SELECT message FROM said WHERE strpos(%L, message) > 0
                         AND message <> 'Good morning and welcome to the clinic'$$, :'content'), 'no message of one');
SELECT ok(:'content' !~ 'Zacharias[A-F]|Quist[^\n]*[A-F]|555|010|@|Ascension|quist', 'nor a name, number or address');
SELECT is((SELECT concat_ws(' ', tenants, messages, tenants_at_least) FROM vrm_private.archive_dictionaries), '7 740 5',
          'and what was counted stands beside it');
SELECT vrm.archive_old_test_runs() \g /dev/null
DROP TABLE whole;
CREATE TEMP TABLE whole AS SELECT * FROM vrm.all_test_runs WHERE archived_at IS NOT NULL;
SELECT matches(pg_temp.compressed(), format(' %s$', (SELECT dictionary FROM vrm_private.archive_dictionaries)),
               'it is what partitions are packed with from then on');
SELECT set_eq('SELECT * FROM vrm.all_test_runs WHERE archived_at IS NOT NULL', 'TABLE whole', 'and read with');
SELECT is(pg_temp.verified(), 'true', 'and verified');

-- which partitions, and who ----------------------------------------------------------------------------

SELECT vrm_private.make_partition('vrm_private.test_runs_archive', format('test_runs_archive_%s', y)::name,
                                  make_timestamptz(y, 1, 1, 0, 0, 0, 'UTC'),
                                  make_timestamptz(y + 1, 1, 1, 0, 0, 0, 'UTC'))
FROM generate_series(2019, 2020) AS y \g /dev/null
SELECT results_eq('SELECT p::text FROM vrm_private.partitions_to_compress() p',
                  $$VALUES ('vrm_private.test_runs_archive_2019'), ('vrm_private.test_runs_archive_2020')$$,
                  'partitions of times that are over, oldest first');
CREATE FUNCTION pg_temp.look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER look AFTER DELETE ON vrm_private.test_runs_archive_2019 FOR EACH ROW EXECUTE FUNCTION pg_temp.look();
SELECT results_eq('SELECT p::text FROM vrm_private.partitions_to_compress() p',
                  $$VALUES ('vrm_private.test_runs_archive_2020')$$, 'but those that a DBA has done something to');
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.make_archive_dictionary()'), '42501', 'not by users');

SELECT * FROM finish();
ROLLBACK;
