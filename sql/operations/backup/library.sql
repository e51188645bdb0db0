-- Backup: what was backed up, what would be lost, restore points and drills: members of the extension

-- For vrm.rpo(), hence granted to nobody.
CREATE FUNCTION vrm.wal_position(OUT last_important pg_lsn, OUT segment_began timestamptz)
    AS 'MODULE_PATHNAME', 'vrm_wal_position'
    LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.wal_position() IS
    'start of the last WAL record that matters to a restore, and when the segment being written was begun';

CREATE FUNCTION vrm.wal_segment_start(file text) RETURNS pg_lsn
    AS 'MODULE_PATHNAME', 'vrm_wal_segment_start'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.wal_segment_start(text) IS
    'where the WAL of a file begins, by its name; null when that is not the name of a segment';

CREATE FUNCTION vrm.first_commit(since pg_lsn, most_bytes bigint, OUT committed_at timestamptz, OUT complete boolean)
    AS 'MODULE_PATHNAME', 'vrm_first_commit'
    LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.first_commit(pg_lsn, bigint) IS
    'when the first transaction committed that the WAL has from there on; whether so much of it was read as to know';

-- Segments are archived in their order, so what the archive lacks begins with the first that waits, or else with the
-- one being written.  Where that is has to be asked first: what is finished afterwards is among those that wait.
CREATE FUNCTION vrm.archive_position(OUT archived_until pg_lsn, OUT waiting_segments int)
    LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    flushed CONSTANT numeric := pg_current_wal_flush_lsn() - '0/0';
    segment_size CONSTANT bigint := pg_size_bytes(current_setting('wal_segment_size'));
BEGIN
    SELECT least(min(vrm.wal_segment_start(f.name)), '0/0'::pg_lsn + (flushed - flushed % segment_size)), count(*)
    INTO archived_until, waiting_segments
    FROM pg_ls_archive_statusdir() f WHERE f.name ~ '^[0-9A-F]{24}\.ready$';
END
$$;
COMMENT ON FUNCTION vrm.archive_position() IS
    'up to where the archive has all WAL, and how many finished segments it lacks';

CREATE FUNCTION vrm.rpo(
    OUT state text, OUT exposure_seconds float8, OUT unarchived_bytes bigint, OUT waiting_segments int,
    OUT oldest_unarchived timestamptz, OUT detail text)
    LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most_bytes CONSTANT bigint := 64 * 1024 * 1024;
    archiver record;
    archive record;
    place record;
    complete boolean := true;
BEGIN
    PERFORM vrm.require_grant('vrm.rpo()');
    IF pg_is_in_recovery() THEN
        state := 'standby';
        detail := 'only the primary server knows what it has archived';
        RETURN;
    ELSIF current_setting('archive_mode') = 'off' THEN
        state := 'off';
        detail := 'archive_mode is off: all that was committed since the last backup would be lost';
        RETURN;
    END IF;
    SELECT * INTO archiver FROM pg_stat_archiver;
    SELECT * INTO archive FROM vrm.archive_position();
    SELECT * INTO place FROM vrm.wal_position();
    waiting_segments := archive.waiting_segments;
    unarchived_bytes := greatest(place.last_important - archive.archived_until, 0);
    IF place.last_important >= archive.archived_until THEN
        BEGIN
            SELECT f.committed_at, f.complete INTO oldest_unarchived, complete
            FROM vrm.first_commit(archive.archived_until, most_bytes) f;
        EXCEPTION WHEN undefined_file THEN  -- archived and removed in this very moment
            complete := false;
        END;
    END IF;
    IF NOT complete THEN
        oldest_unarchived := coalesce(archiver.last_archived_time, place.segment_began);
    END IF;
    exposure_seconds := coalesce(greatest(extract(epoch FROM clock_timestamp() - oldest_unarchived), 0), 0);

    IF waiting_segments > 0 AND current_setting('archive_command') = '' AND current_setting('archive_library') = '' THEN
        state := 'broken';
        detail := 'archive_command is not set';
    ELSIF waiting_segments > 0 AND archiver.last_failed_time > coalesce(archiver.last_archived_time, '-infinity') THEN
        state := 'broken';
        detail := format('the archiver failed on %s at %s', archiver.last_failed_wal, archiver.last_failed_time);
    ELSIF oldest_unarchived IS NULL THEN
        state := 'idle';
        detail := 'all that was committed is archived';
    ELSE
        state := 'exposed';
        detail := format('what was committed since %s is not archived', oldest_unarchived);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.rpo() IS
    'what would be lost with this server: the age of the oldest commit that is not in the archive; 0 when all is';
GRANT EXECUTE ON FUNCTION vrm.rpo() TO pg_monitor, service_role;

CREATE PROCEDURE vrm.pre_deploy(label text, tables regclass[] DEFAULT NULL, max_wait interval DEFAULT '5 min')
    AS 'MODULE_PATHNAME', 'vrm_pre_deploy'
    LANGUAGE C;
COMMENT ON PROCEDURE vrm.pre_deploy(text, regclass[], interval) IS
    'makes a restore point with the fingerprints of tables, all by default, and waits until the archive has it';
GRANT EXECUTE ON PROCEDURE vrm.pre_deploy(text, regclass[], interval) TO service_role;
