-- What would happen is found before it does, and mended by what is said.
BEGIN;
SELECT plan(6);
SET LOCAL client_min_messages = error;

CREATE FUNCTION pg_temp.found(wanted text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(': ', d.status, d.fix_sql), ', ' ORDER BY d.detail) FROM vrm.doctor() d
    WHERE d.check_name = wanted
$$;
SELECT is(pg_temp.found('replica_identities'), 'ok', 'nothing is published');
CREATE PUBLICATION everything FOR ALL TABLES;
SELECT is(pg_temp.found('replica_identities'), 'ok', 'tables of vrm can be published, all of them');
CREATE TABLE vrm.notes (text text);
SELECT is(pg_temp.found('replica_identities'), 'fail: ALTER TABLE vrm.notes REPLICA IDENTITY FULL;',
          'a table of a DBA''s without key');
SELECT throws_ok('DELETE FROM vrm.notes', '55000', NULL, '... cannot be written');
ALTER TABLE vrm.notes REPLICA IDENTITY FULL;
SELECT is(pg_temp.found('replica_identities'), 'ok', '... until the fix has run');
SELECT is(pg_temp.found('standbys'), 'ok', 'without standbys and slots there is nothing to set');

SELECT * FROM finish();
ROLLBACK;
