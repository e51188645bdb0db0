-- Replicas, as far as a server without any can tell; test/cluster/operations/replicas.pl has some.
BEGIN;
SELECT plan(9);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset

SELECT results_eq($$SELECT name, role, state, lag_bytes, lag FROM vrm.replica_status()
                    WHERE role = 'primary'$$,
                  $$VALUES ('this server', 'primary', 'writing', 0::numeric, '0'::interval)$$,
          'a primary is not behind');
SELECT is(vrm.wait_for(pg_current_wal_insert_lsn(), '0'), true, 'what it has written is there');
SELECT is(vrm.wait_for('FFFFFFFF/0', '1 year'), false, 'and for what it has not, it does not wait');
SELECT is(pg_temp.failure('SELECT vrm.wait_for(NULL)'),
          '22004 | lsn must not be null | SELECT vrm.wait_for(''0/3000148'', ''5 s'');', 'nulls are refused');
SELECT matches(pg_temp.failure('SELECT vrm.wait_for(''0/1'', NULL)'), '^22004 \| timeout must not', 'both');
SELECT matches(pg_temp.failure('SELECT vrm.wait_for(''0/1'', ''-1 ms'')'), '^22023 \| timeout must not be negative',
               'time runs forward');
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.wait_for(''0/1'')'), 'true', 'people read what they wrote');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.replica_status()'), '42501',
          'replicas are not their business');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) > 0 FROM vrm.replica_status()'), 'true',
          'but the service''s');
SELECT finish();
ROLLBACK;
