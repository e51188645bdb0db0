-- What bench/secrets/secrets.pl runs for rotation: CALL vrm.rotate_keys() on a table, and on its twin the
-- same UPDATEs in the same batches, which put in place of each value another of its size.  A second
-- twin has a trigger that does nothing: PostgreSQL locks each row before it calls one.
\set QUIET on
SET client_min_messages = warning;
\ir ../lib/cpu.sql
CREATE TABLE sealed (id bigint PRIMARY KEY, value vrm.sealed) WITH (autovacuum_enabled = false);
CREATE TABLE twin (id bigint PRIMARY KEY, value bytea) WITH (autovacuum_enabled = false);
ALTER TABLE twin ALTER value SET STORAGE EXTERNAL;
CREATE TABLE triggered (LIKE twin INCLUDING ALL) WITH (autovacuum_enabled = false);
CREATE TRIGGER nothing BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
SELECT vrm.seal_column('sealed', 'value') \g /dev/null
INSERT INTO sealed SELECT id, vrm.seal((md5(id::text) || 'suffix')::vrm.secret) FROM generate_series(1, :rows) AS id;
INSERT INTO twin SELECT id, value FROM sealed;
INSERT INTO triggered SELECT id, value FROM sealed;
CREATE PROCEDURE update_twin(twin regclass) LANGUAGE plpgsql AS $$
DECLARE
    after bigint := 0;
    batch_end bigint;
BEGIN
    LOOP
        EXECUTE format('SELECT id FROM %s WHERE id > $1 ORDER BY id OFFSET 4999 LIMIT 1', twin) INTO batch_end USING after;
        EXECUTE format('UPDATE %s SET value = set_byte(value, 40, (get_byte(value, 40) + 1) %% 256) WHERE id > $1 AND id <= $2', twin)
            USING after, coalesce(batch_end, 9223372036854775807);
        COMMIT;
        EXIT WHEN batch_end IS NULL;
        after := batch_end;
    END LOOP;
END
$$;
CREATE TABLE took (round integer, what text, ns bigint);
