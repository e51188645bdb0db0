-- The archive: filled, verified, read and taken back from: members of the extension

CREATE FUNCTION vrm.is_archiving() RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_is_archiving'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.is_archiving() IS
    'whether rows that triggers see deleted are on their way to the archive; no setting can fake it';
GRANT EXECUTE ON FUNCTION vrm.is_archiving() TO anon, authenticated, service_role;

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

CREATE FUNCTION vrm.document_digest(document jsonb) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_document_digest'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vrm.document_digest(jsonb) IS
    'SHA-256 of a document as PostgreSQL keeps it when decompressed; that of nothing for null';
GRANT EXECUTE ON FUNCTION vrm.document_digest(jsonb) TO service_role;

CREATE FUNCTION vrm.digest_results() RETURNS trigger
    AS 'MODULE_PATHNAME', 'vrm_digest_results'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.digest_results() IS
    'trigger: keeps the digest of the results of a call that has ended, and makes it anew when they change';

CREATE FUNCTION vrm.tuple_block(tuple tid) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_tuple_block'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.tuple_block(tid) IS 'number of the block that a row lies in: its ctid';
GRANT EXECUTE ON FUNCTION vrm.tuple_block(tid) TO service_role;
