-- What bench/secrets.pl runs for rotation: CALL vrm.rotate_keys() on a table, and on its twin the
-- same UPDATEs in the same batches, which put in place of each value another of its size.
\set QUIET on
SET client_min_messages = warning;
CREATE FUNCTION cpu() RETURNS bigint LANGUAGE sql VOLATILE AS
    $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint $$;
CREATE TABLE sealed (id bigint PRIMARY KEY, value vrm.sealed) WITH (autovacuum_enabled = false);
CREATE TABLE twin (id bigint PRIMARY KEY, value bytea) WITH (autovacuum_enabled = false);
ALTER TABLE twin ALTER value SET STORAGE EXTERNAL;
SELECT vrm.seal_column('sealed', 'value') \g /dev/null
INSERT INTO sealed SELECT id, vrm.seal((md5(id::text) || 'suffix')::vrm.secret) FROM generate_series(1, :rows) AS id;
INSERT INTO twin SELECT id, value FROM sealed;
CREATE PROCEDURE update_twin(batch integer) LANGUAGE plpgsql AS $$
DECLARE
    after bigint := 0;
    batch_end bigint;
BEGIN
    LOOP
        SELECT id INTO batch_end FROM twin WHERE id > after ORDER BY id OFFSET batch - 1 LIMIT 1;
        UPDATE twin SET value = set_byte(value, 40, id::integer % 256)
        WHERE id > after AND id <= coalesce(batch_end, 9223372036854775807);
        COMMIT;
        EXIT WHEN batch_end IS NULL;
        after := batch_end;
    END LOOP;
END
$$;
CREATE TABLE took (round integer, what text, ns bigint);
