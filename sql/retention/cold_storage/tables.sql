-- Partitions of the archive in files outside of the database: types and tables

CREATE TABLE IF NOT EXISTS vrm.cold_archive (
    partition_name text PRIMARY KEY,
    low timestamptz NOT NULL,
    high timestamptz NOT NULL,
    calls bigint NOT NULL,
    lines_sha256 bytea NOT NULL CONSTRAINT lines_sha256_length CHECK (length(lines_sha256) = 32),
    batches bigint[] NOT NULL,
    exported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    imported_at timestamptz
);
COMMENT ON TABLE vrm.cold_archive IS 'partitions of the archive that tools/vrm-archive has taken out of the database';
COMMENT ON COLUMN vrm.cold_archive.partition_name IS 'the partition, in vrm_private';
COMMENT ON COLUMN vrm.cold_archive.low IS 'from when its calls were archived';
COMMENT ON COLUMN vrm.cold_archive.high IS 'and until when';
COMMENT ON COLUMN vrm.cold_archive.calls IS 'how many calls';
COMMENT ON COLUMN vrm.cold_archive.lines_sha256 IS 'SHA-256 of the SHA-256 of each line of its file, sorted';
COMMENT ON COLUMN vrm.cold_archive.batches IS 'batches that they are of: vrm_private.archive_manifest';
COMMENT ON COLUMN vrm.cold_archive.exported_at IS 'when it went';
COMMENT ON COLUMN vrm.cold_archive.imported_at IS 'when it came back; null while it is away';
