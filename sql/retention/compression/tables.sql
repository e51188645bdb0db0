-- Archived calls, compressed: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.archive_dictionaries (
    dictionary integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    content bytea NOT NULL CONSTRAINT content_size CHECK (length(content) BETWEEN 1 AND 65536),
    content_sha256 bytea NOT NULL CONSTRAINT content_sha256_length CHECK (length(content_sha256) = 32),
    tenants_at_least integer NOT NULL CONSTRAINT tenants_at_least_range CHECK (tenants_at_least >= 5),
    tenants integer NOT NULL,
    messages bigint NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE vrm_private.archive_dictionaries ALTER COLUMN content SET STORAGE EXTERNAL;
COMMENT ON TABLE vrm_private.archive_dictionaries IS
    'what archived calls are packed with: without its dictionary a call cannot be read any more, so rows stay';
COMMENT ON COLUMN vrm_private.archive_dictionaries.dictionary IS 'its number, which packed results name; 0 is built in';
COMMENT ON COLUMN vrm_private.archive_dictionaries.content IS 'phrases that many users say, then the built-in ones';
COMMENT ON COLUMN vrm_private.archive_dictionaries.content_sha256 IS 'SHA-256 of the content';
COMMENT ON COLUMN vrm_private.archive_dictionaries.tenants_at_least IS 'each phrase is in calls of so many users';
COMMENT ON COLUMN vrm_private.archive_dictionaries.tenants IS 'users whose calls were looked at';
COMMENT ON COLUMN vrm_private.archive_dictionaries.messages IS 'messages that were looked at';
COMMENT ON COLUMN vrm_private.archive_dictionaries.made_at IS 'when';

CREATE TABLE IF NOT EXISTS vrm.archive_compressions (
    partition_name text PRIMARY KEY,
    dictionary integer NOT NULL,
    row_count bigint NOT NULL,
    packed_rows bigint NOT NULL,
    bytes_before bigint NOT NULL,
    bytes_after bigint NOT NULL,
    began_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE vrm.archive_compressions IS 'the log of vrm.compress_archive(): one row per partition';
COMMENT ON COLUMN vrm.archive_compressions.partition_name IS 'the partition that has taken the place of the other one';
COMMENT ON COLUMN vrm.archive_compressions.dictionary IS
    'what it was packed with: vrm_private.archive_dictionaries; 0 is built in';
COMMENT ON COLUMN vrm.archive_compressions.row_count IS 'calls in it';
COMMENT ON COLUMN vrm.archive_compressions.packed_rows IS 'of them, those with results that could be packed';
COMMENT ON COLUMN vrm.archive_compressions.bytes_before IS 'size of its table with indexes before';
COMMENT ON COLUMN vrm.archive_compressions.bytes_after IS 'and afterwards';
COMMENT ON COLUMN vrm.archive_compressions.began_at IS 'when it was begun';
COMMENT ON COLUMN vrm.archive_compressions.finished_at IS 'when it was done';
