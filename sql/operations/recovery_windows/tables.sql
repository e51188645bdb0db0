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

-- Where the archive was when: what says of a segment that is missing which time went with it.
CREATE TABLE IF NOT EXISTS vrm_private.archive_positions (
    system_identifier bigint NOT NULL,
    seen_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    archived_until pg_lsn NOT NULL,
    PRIMARY KEY (system_identifier, seen_at)
);
COMMENT ON TABLE vrm_private.archive_positions IS
    'up to where the archive had all WAL, as vrm.maintain() saw it each hour';
COMMENT ON COLUMN vrm_private.archive_positions.system_identifier IS 'server that it was seen on';
COMMENT ON COLUMN vrm_private.archive_positions.seen_at IS 'when: what is later is beyond archived_until';
COMMENT ON COLUMN vrm_private.archive_positions.until IS 'what was committed until then is before archived_until';
COMMENT ON COLUMN vrm_private.archive_positions.archived_until IS 'up to where the archive had all WAL';

CREATE TABLE IF NOT EXISTS vrm_private.archive_gaps (
    source text NOT NULL,
    repository text NOT NULL,
    timeline bigint NOT NULL,
    lost_from pg_lsn NOT NULL,
    lost_until pg_lsn NOT NULL,
    listed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, repository, timeline, lost_from)
);
COMMENT ON TABLE vrm_private.archive_gaps IS
    'WAL that archives lack, as their lists told vrm.record_archive(); one from 0/0 is before the first segment';
COMMENT ON COLUMN vrm_private.archive_gaps.source IS 'tool, as in vrm.backups';
COMMENT ON COLUMN vrm_private.archive_gaps.repository IS 'where it is kept, as in vrm.backups';
COMMENT ON COLUMN vrm_private.archive_gaps.timeline IS 'timeline of the segments';
COMMENT ON COLUMN vrm_private.archive_gaps.lost_from IS 'where the first segment that is missing begins';
COMMENT ON COLUMN vrm_private.archive_gaps.lost_until IS 'where the next one that is there begins';
COMMENT ON COLUMN vrm_private.archive_gaps.listed_at IS 'when the list was recorded';
