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
    DELETE FROM vrm_private.archive_positions p WHERE p.until < now() - '2 years'::interval;
    INSERT INTO vrm_private.archive_positions (system_identifier, seen_at, until, archived_until)
    VALUES (now_seen.system_identifier, now_seen.seen_at, now_seen.until, now_seen.archived_until);
END
$$;
COMMENT ON FUNCTION vrm_private.see_archiving() IS 'part of vrm.maintain(): notes until when the archive has all WAL';

-- An incremental or differential backup is worth as much as what it stands on.  Where nobody says what that is,
-- a differential one stands on the last full one before it, an incremental one on the last of any kind; but that of
-- a manifest on any that somebody has named to pg_basebackup, which its backup_label proves or nothing does.
CREATE OR REPLACE FUNCTION vrm_private.usable_backups()
    RETURNS TABLE (source text, repository text, label text, started_at timestamptz, finished_at timestamptz)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        WITH RECURSIVE backup AS (
            SELECT b.source, b.repository, b.label, b.kind, b.started_at, b.finished_at,
                   b.expired_at IS NULL AND NOT b.failed AND b.finished_at <= now() + interval '5 min' AS good,
                   b.archived IS NOT FALSE AS archived,
                   CASE WHEN b.kind <> 'full' THEN coalesce(b.parent, (
                       SELECT p.label FROM vrm.backups p
                       WHERE p.source = b.source AND p.repository = b.repository AND p.label <> b.label AND NOT p.failed
                         AND CASE WHEN b.parent_lsn IS NOT NULL OR b.source = 'backup_manifest'
                                  THEN p.start_lsn = b.parent_lsn
                                  ELSE p.finished_at <= b.started_at AND (p.kind = 'full' OR b.kind = 'incr') END
                       ORDER BY p.finished_at DESC, p.label DESC LIMIT 1)) END AS parent
            FROM vrm.backups b
        ), chain AS (
            SELECT b.source, b.repository, b.label, b.kind, b.parent, b.good, 1 AS depth FROM backup b
            UNION ALL
            SELECT c.source, c.repository, c.label, p.kind, p.parent, coalesce(p.good, false), c.depth + 1
            FROM chain c
            LEFT JOIN backup p ON p.source = c.source AND p.repository = c.repository AND p.label = c.parent
            WHERE c.good AND c.kind <> 'full' AND c.depth < 1000
        )
        SELECT b.source, b.repository, b.label, b.started_at, b.finished_at
        FROM backup b JOIN chain c USING (source, repository, label)
        WHERE b.archived AND c.good AND c.kind = 'full';
END
$$;
COMMENT ON FUNCTION vrm_private.usable_backups() IS
    'backups that are there and good with all that they stand on, and whose WAL the archive of their place has';

-- Names of segments in any list: 24 digits of which 8 are the timeline, and nothing behind that makes it another file.
CREATE OR REPLACE FUNCTION vrm_private.listed_segments(listing text) RETURNS TABLE (timeline bigint, number bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT ('x' || left(m[1], 8))::bit(32)::bigint,
           ('x' || substr(m[1], 9, 8))::bit(32)::bigint * (4294967296 / s.setting::bigint)
           + ('x' || right(m[1], 8))::bit(32)::bigint
    FROM regexp_matches(listing, '\m([0-9A-F]{24})(?![0-9A-Za-z]|\.[0-9A-F]{8}\.|\.partial)', 'g') AS m, pg_settings s
    WHERE s.name = 'wal_segment_size'
      -- what only looks like a name is beyond the last segment of its log
      AND ('x' || right(m[1], 8))::bit(32)::bigint < 4294967296 / s.setting::bigint
$$;
COMMENT ON FUNCTION vrm_private.listed_segments(text) IS
    'timelines and numbers of the WAL segments that a list names, in any form';

CREATE OR REPLACE FUNCTION vrm_private.repository_of(source text, repository text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text[] := ARRAY(SELECT DISTINCT b.repository FROM vrm.backups b WHERE b.source = repository_of.source
                          ORDER BY 1);
BEGIN
    IF repository = ANY (known) OR repository IS NULL AND cardinality(known) = 1 THEN
        RETURN coalesce(repository, known[1]);
    END IF;
    RAISE EXCEPTION 'no backup of source "%" is in repository "%"', source, coalesce(repository, '')
        USING ERRCODE = 'invalid_parameter_value',
              DETAIL = format('Its repositories are %s.', known),
              HINT = 'SELECT DISTINCT source, repository FROM vrm.backups;';
END
$$;
COMMENT ON FUNCTION vrm_private.repository_of(text, text) IS 'a repository that has backups; by default the only one';

CREATE OR REPLACE FUNCTION vrm.record_archive(
    listing text, source text DEFAULT 'pgbackrest', repository text DEFAULT NULL
) RETURNS TABLE (first_missing text, last_missing text, segments bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    size CONSTANT bigint := (SELECT s.setting::bigint FROM pg_settings s WHERE s.name = 'wal_segment_size');
    a_log CONSTANT bigint := 4294967296 / size;
    place text;
BEGIN
    PERFORM vrm.require_grant('vrm.record_archive(text,text,text)');
    place := vrm_private.repository_of(source, repository);
    DELETE FROM vrm_private.archive_gaps g WHERE g.source = record_archive.source AND g.repository = place;
    WITH listed AS (
        SELECT l.timeline, l.number, coalesce(lag(l.number) OVER w + 1, CASE WHEN l.timeline = min(l.timeline) OVER ()
                                              THEN 0 ELSE l.number END) AS wanted
        FROM vrm_private.listed_segments(listing) l WINDOW w AS (PARTITION BY l.timeline ORDER BY l.number)
    )
    INSERT INTO vrm_private.archive_gaps (source, repository, timeline, lost_from, lost_until)
    SELECT record_archive.source, place, l.timeline, '0/0'::pg_lsn + l.wanted * size::numeric,
           '0/0'::pg_lsn + l.number * size::numeric
    FROM listed l WHERE l.number > l.wanted OR l.wanted = 0;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the list names no WAL segment'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It begins with "%s".', left(listing, 60)),
                  HINT = 'Names are 24 digits: pgbackrest repo-ls --recurse archive/STANZA, barman list-files --target'
                         ' wal SERVER BACKUP, wal-g st ls -r wal_005, ls.';
    END IF;
    RETURN QUERY
        SELECT n.name || lpad(upper(to_hex(n.first / a_log)), 8, '0') || lpad(upper(to_hex(n.first % a_log)), 8, '0'),
               n.name || lpad(upper(to_hex(n.last / a_log)), 8, '0') || lpad(upper(to_hex(n.last % a_log)), 8, '0'),
               n.last - n.first + 1
        FROM (SELECT lpad(upper(to_hex(g.timeline)), 8, '0') AS name, div(g.lost_from - '0/0', size)::bigint AS first,
                     div(g.lost_until - '0/0', size)::bigint - 1 AS last
              FROM vrm_private.archive_gaps g
              WHERE g.source = record_archive.source AND g.repository = place AND g.lost_from > '0/0') AS n
        ORDER BY 1;
END
$$;
COMMENT ON FUNCTION vrm.record_archive(text, text, text) IS
    'takes a list of the files in the archive of a repository, and returns which WAL segments are missing in between';

-- Nobody knows when a segment was written, but hourly looks tell what was before it and what after.  What is before
-- the first segment was ever there only if a look says so.
CREATE OR REPLACE FUNCTION vrm_private.lost_times(OUT source text, OUT repository text, OUT lost tstzmultirange,
                                                  OUT listed_at timestamptz)
    RETURNS SETOF record LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT g.source, g.repository,
           coalesce(range_agg(tstzrange(t.since, t.until, '()'))
                    FILTER (WHERE g.lost_from > '0/0' OR t.was_there), '{}'),
           max(g.listed_at)
    FROM vrm_private.archive_gaps g
    CROSS JOIN LATERAL (SELECT max(p.until) FILTER (WHERE p.archived_until <= g.lost_from) AS since,
                               min(p.seen_at) FILTER (WHERE p.archived_until >= g.lost_until) AS until,
                               coalesce(bool_or(p.archived_until < g.lost_until), false) AS was_there
                        FROM vrm_private.archive_positions p
                        WHERE p.system_identifier = (SELECT c.system_identifier FROM pg_control_system() c)) AS t
    GROUP BY g.source, g.repository
$$;
COMMENT ON FUNCTION vrm_private.lost_times() IS
    'times of which the archive of a repository has lost WAL, as it was last listed';

CREATE OR REPLACE FUNCTION vrm.recovery_windows()
    RETURNS TABLE (source text, repository text, since timestamptz, until timestamptz, backup text,
                   listed_at timestamptz)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM vrm.require_grant('vrm.recovery_windows()');
    RETURN QUERY
        WITH present AS MATERIALIZED (
            SELECT n.* FROM vrm_private.archiving_now() AS n
        ), stretch AS (
            SELECT p.since, p.until FROM present p WHERE p.since IS NOT NULL
            UNION ALL
            SELECT a.since, a.until FROM vrm_private.archived_stretches a
            WHERE a.system_identifier = (SELECT c.system_identifier FROM pg_control_system() c)
              AND a.since IS DISTINCT FROM (SELECT p.since FROM present p)
        ), usable AS MATERIALIZED (
            SELECT u.* FROM vrm_private.usable_backups() u
        ), piece AS (
            SELECT p.source, p.repository, lower(r) AS since, upper(r) AS until, l.listed_at
            FROM (SELECT DISTINCT u.source, u.repository FROM usable u) AS p
            LEFT JOIN vrm_private.lost_times() l ON l.source = p.source AND l.repository = p.repository
            CROSS JOIN stretch s
            CROSS JOIN LATERAL unnest(tstzmultirange(tstzrange(s.since, s.until, '[]')) - coalesce(l.lost, '{}')) AS r
        )
        SELECT b.source, b.repository, min(b.finished_at), max(p.until),
               (array_agg(b.label ORDER BY b.finished_at, b.label))[1], max(p.listed_at)
        FROM piece p JOIN usable b ON b.source = p.source AND b.repository = p.repository
                                  AND b.started_at >= p.since AND b.finished_at <= p.until
        GROUP BY b.source, b.repository, p.since
        ORDER BY b.source, b.repository, p.since;
END
$$;
COMMENT ON FUNCTION vrm.recovery_windows() IS
    'times of which backups and archived WAL can bring back any moment, the backup that each begins with, and when the'
    ' archive was last listed';

CREATE OR REPLACE FUNCTION vrm_private.in_minutes(at timestamptz) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT to_char(at, 'YYYY-MM-DD HH24:MI TZ') $$;
COMMENT ON FUNCTION vrm_private.in_minutes(timestamptz) IS 'a moment as details of verdicts have it';

-- What ends hours ago does not reach to now: what has been done since is in no archive.
CREATE OR REPLACE FUNCTION vrm_private.judge_history(
    is_recorded boolean, places text[], expired timestamptz, objective double precision
) RETURNS TABLE (status text, value double precision, limit_value double precision, detail text, hint text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
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
    FROM best b;
END
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
    vrm_private.listed_segments(text), vrm_private.repository_of(text, text), vrm.record_archive(text, text, text),
    vrm_private.lost_times(), vrm_private.in_minutes(timestamptz),
    vrm_private.judge_history(boolean, text[], timestamptz, double precision)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.recovery_windows() TO pg_monitor, service_role;
GRANT EXECUTE ON FUNCTION vrm.record_archive(text, text, text) TO service_role;
