-- Recovery windows: from when to when any moment can be brought back: types and tables

-- Whether WAL is archived changes only when the server restarts, so looks an hour apart prove what is between them.
CREATE TABLE IF NOT EXISTS vrm_private.archived_stretches (
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    archived_until pg_lsn NOT NULL,
    timeline integer NOT NULL,
    system_identifier bigint NOT NULL,
    PRIMARY KEY (system_identifier, since),
    CONSTRAINT until_after_since CHECK (until >= since)
);
COMMENT ON TABLE vrm_private.archived_stretches IS
    'times of which the archive has all WAL, as vrm.maintain() has seen it';
COMMENT ON COLUMN vrm_private.archived_stretches.since IS 'when it began: the server started, or was first seen';
COMMENT ON COLUMN vrm_private.archived_stretches.until IS 'what was committed until then was in the archive';
COMMENT ON COLUMN vrm_private.archived_stretches.seen_at IS 'when that was seen';
COMMENT ON COLUMN vrm_private.archived_stretches.archived_until IS 'up to where the archive had all WAL then';
COMMENT ON COLUMN vrm_private.archived_stretches.timeline IS
    'timeline of the server: another one begins another stretch';
COMMENT ON COLUMN vrm_private.archived_stretches.system_identifier IS
    'server that it was seen on: what a dump brings from another one proves nothing';
