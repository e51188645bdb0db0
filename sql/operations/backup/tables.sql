-- Backup: what was backed up, what would be lost, restore points and drills: types and tables

CREATE TABLE IF NOT EXISTS vrm.backups (
    source text NOT NULL,
    label text NOT NULL,
    kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('full', 'diff', 'incr')),
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    bytes bigint,
    failed boolean NOT NULL DEFAULT false,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    expired_at timestamptz,
    repository text NOT NULL DEFAULT '',
    archived boolean,
    parent text,
    start_lsn pg_lsn,
    parent_lsn pg_lsn,
    PRIMARY KEY (source, repository, label),
    CONSTRAINT finished_after_start CHECK (finished_at >= started_at)
);
COMMENT ON TABLE vrm.backups IS 'backups of this server, as the tool that makes them tells; see vrm.record_backup()';
COMMENT ON COLUMN vrm.backups.source IS 'tool: pgbackrest, or whatever was recorded as plain';
COMMENT ON COLUMN vrm.backups.label IS 'what the tool calls it';
COMMENT ON COLUMN vrm.backups.kind IS 'full, diff or incr';
COMMENT ON COLUMN vrm.backups.started_at IS 'when it began';
COMMENT ON COLUMN vrm.backups.finished_at IS 'when it ended: the first moment it can bring back';
COMMENT ON COLUMN vrm.backups.bytes IS 'size of what was backed up';
COMMENT ON COLUMN vrm.backups.failed IS 'whether the tool found pages that are broken, or did not come to the end';
COMMENT ON COLUMN vrm.backups.recorded_at IS 'when vrm last heard of it';
COMMENT ON COLUMN vrm.backups.expired_at IS 'when vrm first heard that it is no longer there';
COMMENT ON COLUMN vrm.backups.repository IS
    'where it is kept: stanza and number of the repository, or what was recorded';
COMMENT ON COLUMN vrm.backups.archived IS
    'whether the archive of its repository reaches over the WAL that it needs; null where nobody says';
COMMENT ON COLUMN vrm.backups.parent IS
    'label of the backup that a differential or incremental one stands on; null of a full one, and where nobody says';
COMMENT ON COLUMN vrm.backups.start_lsn IS 'where the WAL begins that it needs; null where nobody says';
COMMENT ON COLUMN vrm.backups.parent_lsn IS 'start_lsn of the backup that it stands on, where that is how it is told';

-- One that has no backup must be known as well, hence a table of its own.
CREATE TABLE IF NOT EXISTS vrm.backup_repositories (
    source text NOT NULL,
    repository text NOT NULL,
    problem text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, repository)
);
COMMENT ON TABLE vrm.backup_repositories IS 'where backups are kept, as the tool that makes them tells';
COMMENT ON COLUMN vrm.backup_repositories.source IS 'tool, as in vrm.backups';
COMMENT ON COLUMN vrm.backup_repositories.repository IS 'stanza and number of the repository';
COMMENT ON COLUMN vrm.backup_repositories.problem IS 'what the tool says is wrong with it; null when nothing is';
COMMENT ON COLUMN vrm.backup_repositories.recorded_at IS 'when vrm last heard of it';

CREATE TABLE IF NOT EXISTS vrm.restore_points (
    name text PRIMARY KEY,
    label text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    lsn pg_lsn,
    wal_file text,
    archived_at timestamptz
);
COMMENT ON TABLE vrm.restore_points IS 'moments to come back to, made by vrm.pre_deploy()';
COMMENT ON COLUMN vrm.restore_points.name IS 'what recovery_target_name has to be; there is no other of that name';
COMMENT ON COLUMN vrm.restore_points.label IS 'what it was made for';
COMMENT ON COLUMN vrm.restore_points.made_at IS 'when';
COMMENT ON COLUMN vrm.restore_points.lsn IS 'where in the WAL; null in what was restored to it';
COMMENT ON COLUMN vrm.restore_points.wal_file IS 'segment that the archive needs for it';
COMMENT ON COLUMN vrm.restore_points.archived_at IS 'when the archive had it; null while it has not';

CREATE TABLE IF NOT EXISTS vrm_private.fingerprints (
    restore_point text NOT NULL REFERENCES vrm.restore_points (name) ON DELETE CASCADE,
    relation text NOT NULL,
    row_count bigint NOT NULL,
    digest text NOT NULL,
    PRIMARY KEY (restore_point, relation)
);
COMMENT ON TABLE vrm_private.fingerprints IS 'what was in each table at a restore point; vrm.verify_restore() compares';
COMMENT ON COLUMN vrm_private.fingerprints.restore_point IS 'the restore point';
COMMENT ON COLUMN vrm_private.fingerprints.relation IS 'table, with its schema';
COMMENT ON COLUMN vrm_private.fingerprints.row_count IS 'how many rows';
COMMENT ON COLUMN vrm_private.fingerprints.digest IS 'sum of the hashes of their texts';

CREATE TABLE IF NOT EXISTS vrm.restore_drills (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    verified boolean NOT NULL,
    backup text,
    target text,
    note text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT finished_after_start CHECK (finished_at >= started_at)
);
COMMENT ON TABLE vrm.restore_drills IS 'restores that were tried, and how long they took';
COMMENT ON COLUMN vrm.restore_drills.id IS 'order';
COMMENT ON COLUMN vrm.restore_drills.started_at IS 'when the restore began';
COMMENT ON COLUMN vrm.restore_drills.finished_at IS 'when the restored server could be used';
COMMENT ON COLUMN vrm.restore_drills.verified IS 'whether vrm.verify_restore() found everything';
COMMENT ON COLUMN vrm.restore_drills.backup IS 'label of the backup';
COMMENT ON COLUMN vrm.restore_drills.target IS 'restore point or moment that was asked for';
COMMENT ON COLUMN vrm.restore_drills.note IS 'what there is to say';
COMMENT ON COLUMN vrm.restore_drills.recorded_at IS 'when it was written down';

CREATE TABLE IF NOT EXISTS vrm.backup_runs (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    tool text NOT NULL CONSTRAINT tool_length CHECK (length(tool) BETWEEN 1 AND 200),
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    exit_code integer,
    CONSTRAINT ends_with_code CHECK ((finished_at IS NULL) = (exit_code IS NULL))
);
COMMENT ON TABLE vrm.backup_runs IS 'what tools/vrm-backup ran, and how it ended; kept for a year';
COMMENT ON COLUMN vrm.backup_runs.id IS 'order';
COMMENT ON COLUMN vrm.backup_runs.tool IS 'name of the program: runs of each are told apart';
COMMENT ON COLUMN vrm.backup_runs.started_at IS 'when it began';
COMMENT ON COLUMN vrm.backup_runs.finished_at IS 'when it ended; null as long as it runs, and when nobody saw the end';
COMMENT ON COLUMN vrm.backup_runs.exit_code IS '0 when it went well';
