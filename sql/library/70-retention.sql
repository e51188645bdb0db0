-- Retention: the engine, and what it needs of a row ------------------------------------------------

CREATE PROCEDURE vrm.run_retention(
    policy text DEFAULT NULL,
    max_rows bigint DEFAULT NULL,
    max_runtime interval DEFAULT NULL
)
    AS 'MODULE_PATHNAME', 'vrm_run_retention'
    LANGUAGE C;
COMMENT ON PROCEDURE vrm.run_retention(text, bigint, interval) IS
    'moves and removes what retention policies say, in batches that commit; all policies by default';
GRANT EXECUTE ON PROCEDURE vrm.run_retention(text, bigint, interval) TO service_role;

CREATE FUNCTION vrm.is_archiving() RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_is_archiving'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.is_archiving() IS
    'whether rows that triggers see deleted are on their way to the archive; no setting can pretend it';
GRANT EXECUTE ON FUNCTION vrm.is_archiving() TO anon, authenticated, service_role;

-- For the platform's functions, hence granted to nobody.
CREATE FUNCTION vrm.retention_step(run_id bigint, first_block bigint, last_block bigint, most bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_retention_step'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.retention_step(bigint, bigint, bigint, bigint) IS
    'one batch of a run within the caller''s transaction; null when another one is under way';

CREATE FUNCTION vrm.archive_rows(
    live regclass, archive regclass, places tid[], covered text[], archived_at timestamptz, batch_id bigint,
    OUT row_count bigint, OUT oldest timestamptz, OUT newest timestamptz, OUT rows_sha256 bytea, OUT users uuid[],
    OUT ids uuid[]
)
    AS 'MODULE_PATHNAME', 'vrm_archive_rows'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.archive_rows(regclass, regclass, tid[], text[], timestamptz, bigint) IS
    'moves rows from one table to a partition as the query sees them, past privileges and triggers; locked ones stay';

CREATE FUNCTION vrm.row_digest(row_value record, columns text[]) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_row_digest'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.row_digest(record, text[]) IS
    'SHA-256 of the values of some columns of a row, whatever way they are stored';
GRANT EXECUTE ON FUNCTION vrm.row_digest(record, text[]) TO service_role;

CREATE FUNCTION vrm.tuple_block(tuple tid) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_tuple_block'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.tuple_block(tid) IS 'number of the block that a row lies in: its ctid';
GRANT EXECUTE ON FUNCTION vrm.tuple_block(tid) TO service_role;
