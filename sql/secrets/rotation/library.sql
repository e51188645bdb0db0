-- Rotating keys: members of the extension

CREATE FUNCTION vrm.reseal_rows(rel regclass, column_name name, key_id bigint, places tid[]) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_reseal_rows'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.reseal_rows(regclass, name, bigint, tid[]) IS
    'seals a column anew in rows not under this key, but for those locked or shut; null where it takes an UPDATE';
