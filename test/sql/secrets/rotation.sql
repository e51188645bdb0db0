-- Rotation: where rows are replaced past the executor, and where it takes an UPDATE.
BEGIN;
SELECT plan(22);
\ir ../include/secrets.sql

CREATE TABLE rotating (id bigint PRIMARY KEY, name text, owner uuid, content vrm.sealed, UNIQUE (name));
SELECT vrm.seal_column('rotating', 'content') \g /dev/null
CREATE ROLE rotating_editor;
GRANT USAGE ON SCHEMA vrm TO rotating_editor;
GRANT SELECT, UPDATE ON rotating TO rotating_editor;
GRANT EXECUTE ON FUNCTION vrm.reseal_rows(regclass, name, bigint, tid[]) TO rotating_editor;
CREATE TABLE refers (id bigint REFERENCES rotating);
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;

-- What vrm.reseal_rows() says after a change that is undone again.
CREATE FUNCTION pg_temp.reseals_after(change text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    said bigint;
BEGIN
    EXECUTE change;
    said := vrm.reseal_rows('rotating', 'content', 0, '{}');
    RAISE EXCEPTION SQLSTATE 'ZZ999';
EXCEPTION WHEN SQLSTATE 'ZZ999' THEN
    RETURN said;
END
$$;
SELECT is(pg_temp.reseals_after(change), 0::bigint, 'past the executor: ' || what)
FROM (VALUES ('SELECT 1', 'a plain table that others refer to'),
             ('CREATE TRIGGER t AFTER INSERT ON rotating FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing()',
              'a trigger for INSERT'),
             ('ALTER TABLE rotating ADD FOREIGN KEY (id) REFERENCES rotating', 'a foreign key elsewhere'),
             ('ALTER TABLE rotating ENABLE ROW LEVEL SECURITY', 'policies that do not concern the owner'),
             ('SET LOCAL ROLE rotating_editor', 'somebody who may update')) AS cases (change, what);
SELECT is(pg_temp.reseals_after(change), NULL, 'by UPDATE: ' || what)
FROM (VALUES ('CREATE TRIGGER t AFTER UPDATE ON rotating FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing()',
              'a trigger for rows'),
             ('CREATE TRIGGER t BEFORE UPDATE ON rotating FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.nothing()',
              'a trigger for statements'),
             ('CREATE RULE r AS ON UPDATE TO rotating DO ALSO NOTIFY changed', 'a rule'),
             ('ALTER TABLE rotating ADD copy bytea GENERATED ALWAYS AS (content) STORED', 'a generated column'),
             ('ALTER TABLE rotating ADD UNIQUE (content)', 'a key that may be referred to'),
             ('ALTER TABLE rotating ADD UNIQUE (owner) DEFERRABLE', 'a constraint that is checked later'),
             ('CREATE TABLE target (content bytea PRIMARY KEY); ALTER TABLE rotating ADD FOREIGN KEY (content) '
              'REFERENCES target', 'a foreign key of the column'),
             ('CREATE TABLE heir () INHERITS (rotating)', 'a table that inherits'),
             ('CREATE TABLE whole (LIKE rotating) PARTITION BY LIST (id); ALTER TABLE whole ATTACH PARTITION rotating '
              'DEFAULT', 'a partition'),
             ('ALTER TABLE rotating ENABLE ROW LEVEL SECURITY; SET LOCAL ROLE rotating_editor', 'policies'),
             ('REVOKE UPDATE ON rotating FROM rotating_editor; SET LOCAL ROLE rotating_editor',
              'somebody who may not update'),
             ('DROP TRIGGER vrm_bind_content ON rotating', 'a column that is not sealed')) AS cases (change, what);
INSERT INTO rotating VALUES (1, 'a', NULL, vrm.seal('x'));
SELECT is(vrm.reseal_rows('rotating', 'content', 0, ARRAY(SELECT ctid FROM rotating)), 0::bigint,
          'rows of the same transaction are left alone');

SELECT is_empty($$
    SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.atttypid = 'vrm.sealed'::regtype AND c.relkind IN ('r', 'p') AND NOT a.attisdropped AND NOT c.relispartition
      AND c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
    EXCEPT (SELECT relation, column_name FROM vrm_private.sealed_triggers()
            UNION SELECT relation, column_name FROM vrm_private.sealed_contexts)$$,
    'rotation knows of every sealed column of the platform');

-- A lock that a parallel worker takes is gone when the worker is, and vrm.key_destroy() with it.
CREATE TABLE loose AS SELECT vrm.seal_random() AS value FROM generate_series(1, 500);
CREATE FUNCTION pg_temp.held_keys() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM pg_locks
    WHERE pid = pg_backend_pid() AND locktype = 'object' AND classid = 'vrm_private.keyring'::regclass
$$;
SELECT vrm.key_create('data') AS newer_key, pg_temp.held_keys() AS held \gset
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_leader_participation = off;
CREATE TABLE resealed AS SELECT vrm.reseal(value) AS value FROM loose;
SELECT is((SELECT count(*) FROM resealed WHERE vrm.key_of(value) = :newer_key), 500::bigint, 'values are sealed anew');
SELECT is(pg_temp.held_keys(), (:held + 1)::bigint, 'and the transaction holds their key, not a worker that has ended');
SELECT is_empty($$SELECT oid::regprocedure FROM pg_proc WHERE pronamespace IN ('vrm'::regnamespace,
                  'vrm_private'::regnamespace) AND proparallel = 's' AND proname <> 'platform_script'
                  AND (proname ~ 'seal_random|reseal|^seal$'
                       OR prosrc ~ 'vrm\.(re)?seal(_random)?\(')$$, 'nothing that seals runs in a worker');

SELECT * FROM finish();
ROLLBACK;
