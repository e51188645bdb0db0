-- Backup: what was restored compared with what was there, and whether the objectives are met -----------

CREATE OR REPLACE FUNCTION vrm.verify_restore(name text)
    RETURNS TABLE (relation text, ok boolean, expected_rows bigint, found_rows bigint, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM vrm.restore_points p WHERE p.name = verify_restore.name) THEN
        RAISE EXCEPTION 'restore point "%" does not exist', verify_restore.name
            USING ERRCODE = 'undefined_object',
                  DETAIL = 'What was restored to an earlier moment does not know it.',
                  HINT = 'SELECT name, made_at FROM vrm.restore_points ORDER BY made_at DESC;';
    END IF;
    RETURN QUERY
        WITH expected AS (
            SELECT f.* FROM vrm_private.fingerprints f WHERE f.restore_point = verify_restore.name
        ), found AS (
            SELECT f.* FROM vrm.fingerprint(ARRAY(SELECT to_regclass(e.relation) FROM expected e
                                                  WHERE to_regclass(e.relation) IS NOT NULL)) f
        )
        SELECT e.relation, coalesce((e.row_count, e.digest) = (f.row_count, f.digest), false), e.row_count, f.row_count,
               CASE WHEN f.relation IS NULL THEN 'the table is missing'
                    WHEN f.row_count < e.row_count THEN format('rows missing: %s', e.row_count - f.row_count)
                    WHEN f.row_count > e.row_count THEN format('rows too many: %s', f.row_count - e.row_count)
                    WHEN f.digest <> e.digest THEN 'rows were changed' END
        FROM expected e LEFT JOIN found f ON f.relation = e.relation
        ORDER BY 2, 1;
END
$$;
COMMENT ON FUNCTION vrm.verify_restore(text) IS
    'in what was restored to a restore point: holds each table against its fingerprint, those that differ first';

CREATE OR REPLACE FUNCTION vrm.record_restore_drill(
    started_at timestamptz, finished_at timestamptz, verified boolean, backup text DEFAULT NULL,
    target text DEFAULT NULL, note text DEFAULT NULL) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm.restore_drills (started_at, finished_at, verified, backup, target, note)
    VALUES (record_restore_drill.started_at, record_restore_drill.finished_at, record_restore_drill.verified,
            record_restore_drill.backup, record_restore_drill.target, record_restore_drill.note)
    RETURNING id
$$;
COMMENT ON FUNCTION vrm.record_restore_drill(timestamptz, timestamptz, boolean, text, text, text) IS
    'on the server in use: notes how long a restore took that was tried, and whether all was there';

-- The objectives are those of the source document.
CREATE OR REPLACE FUNCTION vrm.recovery_status()
    RETURNS TABLE (check_name text, status text, value float8, limit_value float8, detail text, hint text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH objective AS (
        SELECT extract(epoch FROM interval '25 h')::float8 AS full_age,
               extract(epoch FROM interval '7 d')::float8 AS history,
               extract(epoch FROM interval '15 min')::float8 AS rpo,
               extract(epoch FROM interval '4 h')::float8 AS rto
    ), known AS (
        SELECT count(*) AS recorded, max(b.expired_at) AS expired,
               extract(epoch FROM now() - max(b.finished_at) FILTER (WHERE good))::float8 AS youngest,
               extract(epoch FROM now() - min(b.finished_at) FILTER (WHERE good))::float8 AS oldest,
               max(b.finished_at) FILTER (WHERE good) AS last_full
        FROM vrm.backups b, LATERAL (SELECT b.kind = 'full' AND NOT b.failed AND b.expired_at IS NULL) AS usable (good)
    ), drill AS (
        SELECT d.*, extract(epoch FROM d.finished_at - d.started_at)::float8 AS seconds
        FROM (SELECT true) AS one
        LEFT JOIN (SELECT * FROM vrm.restore_drills ORDER BY finished_at DESC, id DESC LIMIT 1) AS d ON true
    )
    SELECT 'full_backup',
           CASE WHEN k.recorded = 0 THEN 'unknown' WHEN k.youngest <= o.full_age THEN 'ok' ELSE 'fail' END,
           k.youngest, o.full_age,
           CASE WHEN k.recorded = 0 THEN 'no backup was recorded'
                WHEN k.last_full IS NULL THEN 'there is no full backup that is good'
                ELSE format('the last good full backup is of %s', k.last_full) END,
           CASE WHEN k.recorded = 0 THEN 'Run: psql -c "SELECT vrm.record_backup(''$(pgbackrest info --output=json)'')"'
                WHEN k.youngest <= o.full_age THEN NULL
                ELSE 'Run pgbackrest --type=full backup, record it, then: SELECT * FROM vrm.backups;' END
    FROM known k, objective o
    UNION ALL
    SELECT 'pitr_window',
           CASE WHEN k.recorded = 0 THEN 'unknown' WHEN k.oldest >= o.history THEN 'ok'
                WHEN k.oldest IS NOT NULL AND k.expired IS NULL THEN 'warn' ELSE 'fail' END,
           k.oldest, o.history,
           CASE WHEN k.recorded = 0 THEN 'no backup was recorded'
                WHEN k.oldest IS NULL THEN 'there is no full backup that is good'
                WHEN k.oldest < o.history AND k.expired IS NULL THEN 'nothing has expired yet; the window still grows'
                ELSE format('any moment since %s can be restored', now() - k.oldest * interval '1 s') END,
           CASE WHEN k.oldest >= o.history THEN NULL
                ELSE 'Set repo1-retention-full-type=time and repo1-retention-full=7 in pgbackrest.conf.' END
    FROM known k, objective o
    UNION ALL
    SELECT 'rpo',
           CASE WHEN r.state = 'standby' THEN 'unknown' WHEN r.state = 'off' OR r.exposure_seconds > o.rpo THEN 'fail'
                WHEN r.state = 'broken' THEN 'warn' ELSE 'ok' END,
           r.exposure_seconds, o.rpo, r.detail,
           CASE WHEN r.state = 'off' THEN 'ALTER SYSTEM SET archive_mode = on; then restart the server.'
                WHEN r.state = 'standby' THEN 'On the primary server: SELECT * FROM vrm.recovery_status();'
                WHEN r.state = 'broken' THEN 'SELECT * FROM pg_stat_archiver; its error is in the server''s log.'
                WHEN r.exposure_seconds > o.rpo
                THEN 'ALTER SYSTEM SET archive_timeout = ''5min''; SELECT pg_reload_conf();' END
    FROM vrm.rpo() r, objective o
    UNION ALL
    SELECT 'rto',
           CASE WHEN d.id IS NULL THEN 'unknown' WHEN NOT d.verified OR d.seconds > o.rto THEN 'fail'
                WHEN d.finished_at < now() - interval '90 days' THEN 'warn' ELSE 'ok' END,
           d.seconds, o.rto,
           CASE WHEN d.id IS NULL THEN 'no restore was ever tried'
                WHEN NOT d.verified THEN format('the restore of %s did not bring everything back', d.finished_at)
                ELSE format('the restore of %s took %s', d.finished_at, d.finished_at - d.started_at) END,
           CASE WHEN d.id IS NULL OR NOT d.verified OR d.finished_at < now() - interval '90 days'
                THEN 'Try one, then: SELECT vrm.record_restore_drill(now() - interval ''1 h'', now(), true);'
                WHEN d.seconds > o.rto THEN 'Give restores more processes: process-max in pgbackrest.conf.' END
    FROM drill d, objective o
$$;
COMMENT ON FUNCTION vrm.recovery_status() IS
    'verdicts, values in seconds: last full backup, how far back one can go, what would be lost now, time of a restore';

REVOKE EXECUTE ON FUNCTION
    vrm.verify_restore(text), vrm.recovery_status(),
    vrm.record_restore_drill(timestamptz, timestamptz, boolean, text, text, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.recovery_status() TO pg_monitor, service_role;
GRANT EXECUTE ON FUNCTION
    vrm.verify_restore(text), vrm.record_restore_drill(timestamptz, timestamptz, boolean, text, text, text)
    TO service_role;
