-- Storage: room on disk, and the trend of its use: types and tables

CREATE TABLE IF NOT EXISTS vrm.storage_samples (
    path text NOT NULL,
    day date NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    used_bytes bigint NOT NULL,
    free_bytes bigint NOT NULL,
    PRIMARY KEY (path, day),
    CONSTRAINT bytes_not_negative CHECK (used_bytes >= 0 AND free_bytes >= 0)
);
COMMENT ON TABLE vrm.storage_samples IS 'how full the file systems were, once a day; kept 400 days';
COMMENT ON COLUMN vrm.storage_samples.path IS 'directory, as vrm.disk() names it';
COMMENT ON COLUMN vrm.storage_samples.day IS 'day, in UTC';
COMMENT ON COLUMN vrm.storage_samples.at IS 'when it was looked at';
COMMENT ON COLUMN vrm.storage_samples.used_bytes IS 'what was in use of the file system, whoever used it';
COMMENT ON COLUMN vrm.storage_samples.free_bytes IS 'what an ordinary user could still write to it';
