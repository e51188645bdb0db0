-- Tables that Citus has spread over nodes: what reads and writes below the executor finds the rows that this node
-- has, or says that it has none.  Catalogs of the same shape stand in for those of Citus.
BEGIN;
SELECT plan(10);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
CREATE FUNCTION pg_temp.problem_of(who uuid) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as_user(who, 'SELECT coalesce(vrm.account_problem(), ''none'')')
$$;
SELECT is(pg_temp.problem_of(:'alice'), 'none', 'without Citus each table has its rows');

SET LOCAL allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass, partmethod "char", repmodel "char");
CREATE TABLE pg_catalog.pg_dist_shard (logicalrelid regclass, shardid bigint, shardminvalue text, shardmaxvalue text);
CREATE TABLE pg_catalog.pg_dist_placement (placementid bigint, shardid bigint, groupid integer);
CREATE TABLE pg_catalog.pg_dist_local_group (groupid integer);
INSERT INTO pg_dist_local_group VALUES (7);
SELECT is(pg_temp.problem_of(:'alice'), 'none', 'nor with it, as long as it has not been told of the table');

-- What make_shard() makes is as Citus names it; the shell keeps its rows here, so that one sees who reads it.
CREATE FUNCTION pg_temp.make_shard(relation regclass, shard bigint, low text, high text, node integer) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    made text := format('%s_%s', relation, shard);
    index record;
BEGIN
    EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS)', made, relation);
    FOR index IN SELECT c.relname, pg_get_indexdef(i.indexrelid) AS made FROM pg_index i
                 JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = relation LOOP
        EXECUTE replace(replace(index.made, format('INDEX %s ON', index.relname),
                                format('INDEX %s_%s ON', index.relname, shard)),
                        format('ON %s USING', relation), format('ON %s USING', made));
    END LOOP;
    EXECUTE format('INSERT INTO %s SELECT * FROM %s', made, relation);
    INSERT INTO pg_dist_shard VALUES (relation, shard, low, high);
    INSERT INTO pg_dist_placement VALUES (shard, shard, node);
END
$$;

-- a table that every node has
INSERT INTO pg_dist_partition VALUES ('vrm.user_profiles', 'n', 't');
SELECT is(pg_temp.problem_of(:'alice'), '0A000', 'without a shard nobody knows');
SELECT pg_temp.make_shard('vrm.user_profiles', 900001, NULL, NULL, 7);
SELECT is(pg_temp.problem_of(:'alice'), 'none', 'its only shard is read');
UPDATE vrm.user_profiles_900001 SET deleted_at = now() WHERE id = :'alice';
UPDATE vrm.user_profiles SET deleted_at = now() WHERE id = :'bob';
SELECT is(ARRAY[pg_temp.problem_of(:'alice'), pg_temp.problem_of(:'bob')], ARRAY['the account is deleted', 'none'],
          'and the table itself is not');
UPDATE pg_dist_placement SET groupid = 8;
SELECT matches(pg_temp.error_of(:'alice', 'SELECT vrm.account_problem()'),
               '^0A000 \| rows of relation "user_profiles" are on other nodes \| This node has not got the shard\.'
               ' \| Where they are: SELECT \* FROM citus_shards WHERE table_name = ''vrm\.user_profiles''::regclass;$',
               'a shard of another node is not');
UPDATE pg_dist_placement SET groupid = 7;
DROP INDEX vrm.user_profiles_pkey_900001;
SELECT isnt(pg_temp.problem_of(:'bob'), 'none', 'an index of another table is not taken for that of the shard');
DELETE FROM pg_dist_shard;
DELETE FROM pg_dist_placement;
DROP TABLE vrm.user_profiles_900001;

-- a table that is cut up by tenant
SELECT uuid_hash(:'alice') AS hash \gset
UPDATE pg_dist_partition SET partmethod = 'h', repmodel = 's';
SELECT pg_temp.make_shard('vrm.user_profiles', 900002, '-2147483648', (:hash - 1)::text, 8),
       pg_temp.make_shard('vrm.user_profiles', 900003, :'hash', :'hash', 7),
       pg_temp.make_shard('vrm.user_profiles', 900004, (:hash + 1)::text, '2147483647', 8);
UPDATE vrm.user_profiles_900003 SET deleted_at = now() WHERE id = :'alice';
SELECT is(ARRAY[pg_temp.problem_of(:'alice'), pg_temp.problem_of(:'bob')], ARRAY['the account is deleted', '0A000'],
          'the shard of the tenant is read, where it is here');
DELETE FROM pg_dist_partition;
UPDATE vrm.user_profiles SET deleted_at = NULL;

-- what knows one table only
INSERT INTO pg_dist_partition VALUES ('vrm.run_queue', 'h', 's'), ('vrm.run_leases', 'h', 's');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.claim_test_run()'), '0A000',
          'no call is said to wait where the queue is elsewhere');
INSERT INTO pg_dist_partition VALUES ('vrm_private.audit_journal', 'n', 't');
SELECT matches(pg_temp.failure($$SELECT vrm.audit_journal('undone', NULL)$$), '^0A000 \| rows of relation',
               'nor is an attempt noted in a table that nobody reads');
SELECT finish();
ROLLBACK;
