-- Recovery windows: from when to when any moment can be brought back

-- A server that was never promoted has archived since it started; of others nobody knows when they were.
CREATE OR REPLACE FUNCTION vrm_private.archiving_now(OUT stretch vrm_private.archived_stretches)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place record;
    last vrm_private.archived_stretches;
BEGIN
    SELECT * INTO place FROM vrm.rpo();
    IF place.state IN ('off', 'standby') THEN
        RETURN;
    END IF;
    stretch.seen_at := clock_timestamp();
    stretch.until := coalesce(place.oldest_unarchived, stretch.seen_at);
    stretch.archived_until := (vrm.archive_position()).archived_until;
    SELECT c.timeline_id INTO stretch.timeline FROM pg_control_checkpoint() c;
    SELECT c.system_identifier INTO stretch.system_identifier FROM pg_control_system() c;
    SELECT * INTO last FROM vrm_private.archived_stretches a
    WHERE a.system_identifier = stretch.system_identifier ORDER BY a.since DESC LIMIT 1;
    stretch.since := CASE
        WHEN last.timeline = stretch.timeline AND last.archived_until <= stretch.archived_until
             AND pg_postmaster_start_time() < last.seen_at + '2 hours'::interval THEN last.since
        WHEN stretch.timeline = 1 THEN pg_postmaster_start_time()
        ELSE stretch.seen_at END;
    stretch.until := greatest(stretch.until, stretch.since);
END
$$;
COMMENT ON FUNCTION vrm_private.archiving_now() IS
    'since and until when the archive has all WAL; null where none is archived, and on a standby';

-- Once an hour: each time would be a commit that an idle server has to archive.
CREATE OR REPLACE FUNCTION vrm_private.see_archiving() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now_seen vrm_private.archived_stretches := vrm_private.archiving_now();
BEGIN
    IF now_seen.since IS NULL OR EXISTS (SELECT FROM vrm_private.archived_stretches a
                                         WHERE a.system_identifier = now_seen.system_identifier
                                           AND a.since = now_seen.since
                                           AND a.seen_at > now_seen.seen_at - '1 hour'::interval) THEN
        RETURN;
    END IF;
    DELETE FROM vrm_private.archived_stretches a WHERE a.until < now() - '2 years'::interval;
    INSERT INTO vrm_private.archived_stretches AS a SELECT now_seen.*
    ON CONFLICT ON CONSTRAINT archived_stretches_pkey DO UPDATE
    SET until = greatest(a.until, excluded.until), seen_at = excluded.seen_at,
        archived_until = excluded.archived_until;
END
$$;
COMMENT ON FUNCTION vrm_private.see_archiving() IS 'part of vrm.maintain(): notes until when the archive has all WAL';

-- An incremental or differential backup is worth as much as what it stands on; where nobody says what that is,
-- a differential one stands on the last full one before it, an incremental one on the last of any kind.
CREATE OR REPLACE FUNCTION vrm_private.usable_backups()
    RETURNS TABLE (source text, repository text, label text, started_at timestamptz, finished_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE backup AS (
        SELECT b.source, b.repository, b.label, b.kind, b.started_at, b.finished_at,
               b.expired_at IS NULL AND NOT b.failed AND b.finished_at <= now() + interval '5 min' AS good,
               b.archived IS NOT FALSE AS archived,
               CASE WHEN b.kind <> 'full' THEN coalesce(b.parent, (
                   SELECT p.label FROM vrm.backups p
                   WHERE p.source = b.source AND p.repository = b.repository AND p.finished_at <= b.started_at
                     AND NOT p.failed AND (p.kind = 'full' OR b.kind = 'incr') AND p.label <> b.label
                   ORDER BY p.finished_at DESC, p.label DESC LIMIT 1)) END AS parent
        FROM vrm.backups b
    ), chain AS (
        SELECT b.source, b.repository, b.label, b.kind, b.parent, b.good, 1 AS depth FROM backup b
        UNION ALL
        SELECT c.source, c.repository, c.label, p.kind, p.parent, coalesce(p.good, false), c.depth + 1
        FROM chain c LEFT JOIN backup p ON p.source = c.source AND p.repository = c.repository AND p.label = c.parent
        WHERE c.good AND c.kind <> 'full' AND c.depth < 1000
    )
    SELECT b.source, b.repository, b.label, b.started_at, b.finished_at
    FROM backup b JOIN chain c USING (source, repository, label)
    WHERE b.archived AND c.good AND c.kind = 'full'
$$;
COMMENT ON FUNCTION vrm_private.usable_backups() IS
    'backups that are there and good with all that they stand on, and whose WAL the archive of their place has';

CREATE OR REPLACE FUNCTION vrm.recovery_windows()
    RETURNS TABLE (source text, repository text, since timestamptz, until timestamptz, backup text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.recovery_windows()');
    WITH present AS MATERIALIZED (
        SELECT (vrm_private.archiving_now()).*
    ), stretch AS (
        SELECT p.since, p.until FROM present p WHERE p.since IS NOT NULL
        UNION ALL
        SELECT a.since, a.until FROM vrm_private.archived_stretches a
        WHERE a.system_identifier = (SELECT c.system_identifier FROM pg_control_system() c)
          AND a.since IS DISTINCT FROM (SELECT p.since FROM present p)
    )
    SELECT b.source, b.repository, min(b.finished_at), max(s.until),
           (array_agg(b.label ORDER BY b.finished_at, b.label))[1]
    FROM stretch s JOIN vrm_private.usable_backups() b ON b.started_at >= s.since AND b.finished_at <= s.until
    GROUP BY b.source, b.repository, s.since
    ORDER BY b.source, b.repository, s.since
$$;
COMMENT ON FUNCTION vrm.recovery_windows() IS
    'times of which backups and archived WAL can bring back any moment, and the backup that each begins with';

CREATE OR REPLACE FUNCTION vrm_private.in_minutes(at timestamptz) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT to_char(at, 'YYYY-MM-DD HH24:MI TZ') $$;
COMMENT ON FUNCTION vrm_private.in_minutes(timestamptz) IS 'a moment as details of verdicts have it';

-- What ends hours ago does not reach to now: what has been done since is in no archive.
CREATE OR REPLACE FUNCTION vrm_private.judge_history(
    is_recorded boolean, places text[], expired timestamptz, objective double precision
) RETURNS TABLE (status text, value double precision, limit_value double precision, detail text, hint text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH reach AS (
        SELECT w.since, w.until, w.until > now() - interval '3 hours' AS reaches,
               concat_ws(' ', w.source, nullif(w.repository, '')) AS place
        FROM vrm.recovery_windows() w
    ), best AS (
        SELECT (SELECT max(vrm_private.seconds_between(r.since, r.until)) FROM reach r
                WHERE r.reaches AND r.place = ANY (places)) AS history,
               (SELECT string_agg(DISTINCT format('%s to %s', vrm_private.in_minutes(r.since),
                                                  vrm_private.in_minutes(r.until)), ', and ') FROM reach r) AS spans,
               EXISTS (SELECT FROM vrm_private.usable_backups()) AS usable,
               current_setting('archive_mode') = 'off' AND NOT pg_is_in_recovery() AS is_off
    )
    SELECT CASE WHEN NOT is_recorded THEN 'unknown' WHEN b.history >= objective THEN 'ok'
                WHEN b.usable AND expired IS NULL AND (b.history IS NOT NULL OR NOT b.is_off) THEN 'warn'
                ELSE 'fail' END,
           b.history, objective,
           CASE WHEN NOT is_recorded THEN 'no backup was recorded'
                WHEN NOT b.usable THEN 'there is no full backup that is good'
                ELSE concat_ws('; ',
                    coalesce('any moment can be restored of ' || b.spans, 'no moment between backups can be restored'),
                    CASE WHEN b.is_off THEN 'archive_mode is off'
                         WHEN b.history IS NULL THEN 'no backup began since WAL is archived without a gap'
                         WHEN b.history < objective AND expired IS NULL THEN
                             'nothing has expired yet, the window still grows' END) END,
           CASE WHEN b.history >= objective THEN NULL
                WHEN NOT is_recorded OR NOT b.usable THEN
                    'Make a full backup and record it: doc/operations/backup.md; then: SELECT * FROM vrm.backups;'
                WHEN b.is_off THEN
                    'Set archive_command first; then: ALTER SYSTEM SET archive_mode = on; and restart the server.'
                WHEN b.history IS NULL THEN
                    'Make a full backup now, record it, then: SELECT * FROM vrm.recovery_windows();'
                WHEN expired IS NULL THEN
                    format('There is nothing to do: it is long enough on %s.',
                           (now() + (objective - b.history) * interval '1 s')::date)
                ELSE 'Full backups expire too early: keep them for 7 days, in pgBackRest repo1-retention-full-type=time'
                     ' and repo1-retention-full=7, in Barman retention_policy = RECOVERY WINDOW OF 7 DAYS.' END
    FROM best b
$$;
COMMENT ON FUNCTION vrm_private.judge_history(boolean, text[], timestamptz, double precision) IS
    'for vrm.recovery_status(): the verdict on how far back any moment can be restored';

CREATE OR REPLACE FUNCTION vrm_private.doctor_archiving()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'archiving', 'warn', 'archive_mode is off: there is no way back to a moment between two backups',
           CASE WHEN c.possible THEN 'Then restart the server.'
                ELSE 'Set archive_command first, and wal_level: without a command, WAL piles up.' END,
           CASE WHEN c.possible THEN 'ALTER SYSTEM SET archive_mode = on;' END
    FROM (SELECT bool_or(p.reset_val <> '') AND current_setting('wal_level') <> 'minimal' AS possible FROM pg_settings p
          WHERE p.name IN ('archive_command', 'archive_library')) AS c
    WHERE current_setting('archive_mode') = 'off'
    UNION ALL
    SELECT 'archiving', 'fail',
           'archive_mode is on and there is no archive_command: WAL piles up until the disk is full',
           'Set archive_command; the fix lets WAL go. Then restart the server.',
           'ALTER SYSTEM SET archive_mode = off;'
    WHERE current_setting('archive_mode') <> 'off'
      AND NOT EXISTS (SELECT FROM pg_settings p WHERE p.name IN ('archive_command', 'archive_library')
          AND p.reset_val <> '')
    UNION ALL
    SELECT 'archiving', CASE WHEN a.failed_count > 0 THEN 'fail' ELSE 'unknown' END,
           CASE WHEN a.failed_count > 0 THEN format('no segment could be archived, %s was tried last at %s',
                                                    a.last_failed_wal,
                                                    to_char(a.last_failed_time, 'YYYY-MM-DD HH24:MI TZ'))
                ELSE 'no segment has been archived yet, and none has failed' END,
           'The first one proves that archive_command works; its errors are in the server''s log.',
           'SELECT pg_switch_wal();'
    FROM pg_stat_archiver a
    WHERE current_setting('archive_mode') <> 'off' AND NOT pg_is_in_recovery()
      AND (a.last_archived_time IS NULL OR a.last_failed_time > a.last_archived_time)
      AND EXISTS (SELECT FROM pg_settings p
                  WHERE p.name IN ('archive_command', 'archive_library') AND p.reset_val <> '')
$$;
COMMENT ON FUNCTION vrm_private.doctor_archiving() IS 'for vrm.doctor(): whether WAL is archived';
REVOKE EXECUTE ON FUNCTION vrm_private.doctor_archiving() FROM PUBLIC;

REVOKE EXECUTE ON FUNCTION
    vrm_private.archiving_now(), vrm_private.see_archiving(), vrm_private.usable_backups(), vrm.recovery_windows(),
    vrm_private.in_minutes(timestamptz), vrm_private.judge_history(boolean, text[], timestamptz, double precision)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.recovery_windows() TO pg_monitor, service_role;
