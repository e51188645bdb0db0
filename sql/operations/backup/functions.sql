-- Backup: what was backed up, what would be lost, restore points and drills

-- A stanza of which nothing can be read names no server: it is ours when it was before.
CREATE OR REPLACE FUNCTION vrm_private.pgbackrest_stanzas(info jsonb) RETURNS SETOF jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ours text := (SELECT c.system_identifier::text FROM pg_control_system() c);
BEGIN
    RETURN QUERY
        SELECT stanza FROM jsonb_array_elements(info) AS stanza
        WHERE jsonb_path_exists(stanza, '$.db[*] ? (@."system-id" == $ours)',
                                jsonb_build_object('ours', ours::numeric))
           OR NOT jsonb_path_exists(stanza, '$.db[*]')
              AND EXISTS (SELECT FROM vrm.backup_repositories r
                          WHERE r.source = 'pgbackrest'
                            AND starts_with(r.repository, (stanza ->> 'name') || '/'));
    IF NOT FOUND THEN
        PERFORM vrm_private.is_this_server(i #>> '{}') FROM jsonb_path_query(info, '$[*].db[*]."system-id"') AS i;
        RAISE EXCEPTION 'no stanza belongs to this server'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Its system identifier is %s.', ours)
                           || (SELECT coalesce(string_agg(format(' Stanza "%s": %s.', i ->> 'name',
                                                                 i #>> '{status,message}'), ''), '')
                               FROM jsonb_path_query(info, '$[*] ? (@.status.code != 0)') AS i),
                  HINT = 'Run pgbackrest info --output=json where the stanza of this server is configured.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.pgbackrest_stanzas(jsonb) IS
    'the stanzas of this server in what pgbackrest info --output=json says';

-- Code 99 is any error: what is there was not seen, and so has not expired.
CREATE OR REPLACE FUNCTION vrm_private.pgbackrest_repositories(info jsonb)
    RETURNS TABLE (repository text, problem text, was_read boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws('/', stanza ->> 'name', r.key), max(r.problem), bool_and(r.code <> '99')
    FROM vrm_private.pgbackrest_stanzas(info) AS stanza,
         LATERAL (SELECT coalesce(repo ->> 'key', '1'), coalesce(repo #>> '{status,code}', '0'),
                         CASE WHEN repo #>> '{status,code}' <> '0' THEN
                             coalesce(repo #>> '{status,message}', 'status ' || (repo #>> '{status,code}')) END
                  FROM jsonb_array_elements(stanza -> 'repo') AS repo
                  UNION ALL
                  SELECT coalesce(db ->> 'repo-key', '1'), '0', NULL
                  FROM jsonb_array_elements(stanza -> 'db') AS db) AS r (key, code, problem)
    GROUP BY 1
$$;
COMMENT ON FUNCTION vrm_private.pgbackrest_repositories(jsonb) IS
    'the repositories of this server in what pgbackrest info --output=json says, and what is wrong with them';

-- Names of segments sort as WAL does within a timeline, and the last 16 digits do across timelines.
CREATE OR REPLACE FUNCTION vrm_private.pgbackrest_backups(info jsonb)
    RETURNS TABLE (repository text, label text, kind text, started_at timestamptz, finished_at timestamptz,
                   bytes bigint, failed boolean, archived boolean, parent text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws('/', stanza ->> 'name', coalesce(b #>> '{database,repo-key}', '1')), b ->> 'label', b ->> 'type',
           to_timestamp((b #>> '{timestamp,start}')::float8), to_timestamp((b #>> '{timestamp,stop}')::float8),
           (b #>> '{info,size}')::bigint, coalesce((b ->> 'error')::boolean, false),
           (SELECT coalesce(bool_or(right(a ->> 'min', 16) <= right(b #>> '{archive,start}', 16)
                                    AND right(a ->> 'max', 16) >= right(b #>> '{archive,stop}', 16)), false)
            FROM jsonb_array_elements(stanza -> 'archive') AS a
            WHERE a -> 'database' = b -> 'database'
            HAVING stanza ? 'archive' AND b #>> '{archive,stop}' IS NOT NULL), b ->> 'prior'
    FROM vrm_private.pgbackrest_stanzas(info) AS stanza, jsonb_array_elements(stanza -> 'backup') AS b
    WHERE EXISTS (SELECT FROM jsonb_array_elements(stanza -> 'db') AS d
                  WHERE d ->> 'system-id' = (SELECT c.system_identifier::text FROM pg_control_system() c)
                    AND d -> 'id' = b #> '{database,id}'
                    AND d -> 'repo-key' IS NOT DISTINCT FROM b #> '{database,repo-key}')
$$;
COMMENT ON FUNCTION vrm_private.pgbackrest_backups(jsonb) IS
    'the backups of this server in what pgbackrest info --output=json says';

-- pgBackRest names all that its repositories have.  1.0.0 did not tell them apart, and left the name empty.
CREATE OR REPLACE FUNCTION vrm_private.record_repositories(info jsonb) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm.backup_repositories AS r (source, repository, problem)
    SELECT 'pgbackrest', t.repository, t.problem FROM vrm_private.pgbackrest_repositories(info) t
    ON CONFLICT ON CONSTRAINT backup_repositories_pkey DO UPDATE
        SET problem = excluded.problem, recorded_at = excluded.recorded_at;
    DELETE FROM vrm.backups b USING vrm_private.pgbackrest_backups(info) t
    WHERE b.source = 'pgbackrest' AND b.repository = '' AND b.label = t.label;
    UPDATE vrm.backups b SET expired_at = now()
    FROM (SELECT t.repository FROM vrm_private.pgbackrest_repositories(info) t WHERE t.was_read
          UNION ALL SELECT '') AS r
    WHERE b.source = 'pgbackrest' AND b.repository = r.repository AND b.expired_at IS NULL
      AND (b.repository, b.label) NOT IN (SELECT t.repository, t.label FROM vrm_private.pgbackrest_backups(info) t);
$$;
COMMENT ON FUNCTION vrm_private.record_repositories(jsonb) IS
    'notes the repositories of pgBackRest, and that what they no longer have has expired';

CREATE OR REPLACE FUNCTION vrm.record_backup(info jsonb, source text DEFAULT 'pgbackrest') RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted text := CASE WHEN source IN ('barman', 'cloudnative_pg', 'backup_manifest') THEN 'object' ELSE 'array' END;
    recorded int;
    told jsonb;
BEGIN
    PERFORM vrm.require_grant('vrm.record_backup(jsonb,text)');
    IF source IN ('pgbackrest', 'plain', 'barman', 'wal-g', 'cloudnative_pg', 'backup_manifest') IS NOT TRUE THEN
        RAISE EXCEPTION 'backups of source "%" cannot be read', left(coalesce(source, 'null'), 100)
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'The JSON of pgbackrest, barman, wal-g, cloudnative_pg, backup_manifest and plain can be'
                           ' read.',
                  HINT = vrm_private.hint_of_plain_lists();
    ELSIF jsonb_typeof(info) IS DISTINCT FROM wanted THEN
        RAISE EXCEPTION 'a list of backups has to be a JSON %', wanted
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It is of type %s, of source "%s".', coalesce(jsonb_typeof(info), 'null'), source),
                  HINT = vrm_private.hint_of_plain_lists();
    END IF;
    told := vrm_private.read_backups(info, source);
    IF source <> 'pgbackrest' THEN
        PERFORM vrm_private.expire_unlisted(source, info, told);
    END IF;
    WITH listed AS (
        SELECT coalesce(p.repository, '') AS repository, p.label, p.kind, p.started_at, p.finished_at, p.bytes,
               p.failed, p.archived, CASE WHEN p.expired THEN now() END AS expired_at, p.parent, p.start_lsn,
               p.parent_lsn
        FROM jsonb_to_recordset(told)
             AS p (repository text, label text, kind text, started_at timestamptz, finished_at timestamptz,
                   bytes bigint, failed boolean, archived boolean, expired boolean, parent text,
                   start_lsn pg_lsn, parent_lsn pg_lsn)
    ), written AS (
        INSERT INTO vrm.backups AS b (source, repository, label, kind, started_at, finished_at, bytes, failed,
                                      archived, expired_at, parent, start_lsn, parent_lsn)
        SELECT record_backup.source, t.repository, t.label, t.kind, t.started_at, t.finished_at, t.bytes,
               coalesce(t.failed, false), t.archived, t.expired_at, t.parent, t.start_lsn, t.parent_lsn
        FROM listed t
        ON CONFLICT ON CONSTRAINT backups_pkey DO UPDATE
            SET kind = excluded.kind, started_at = excluded.started_at, finished_at = excluded.finished_at,
                bytes = excluded.bytes, failed = excluded.failed, archived = excluded.archived, recorded_at = now(),
                expired_at = excluded.expired_at, parent = excluded.parent, start_lsn = excluded.start_lsn,
                parent_lsn = excluded.parent_lsn
        RETURNING 1
    )
    SELECT count(*) INTO recorded FROM written;
    RETURN recorded;
END
$$;
COMMENT ON FUNCTION vrm.record_backup(jsonb, text) IS
    'takes what a tool says of its backups as JSON, or a plain list; returns how many backups it names';

CREATE OR REPLACE FUNCTION vrm_private.fingerprint_tables(tables regclass[]) RETURNS regclass[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    other regclass := (SELECT min(c.oid)::regclass FROM pg_class c
                       WHERE c.oid = ANY (tables) AND c.relkind NOT IN ('r', 'p')
                         AND c.oid NOT IN (SELECT t.relation FROM vrm_private.tables_on_nodes() t));
BEGIN
    IF other IS NOT NULL THEN
        RAISE EXCEPTION '"%" is not a table', other
            USING ERRCODE = 'wrong_object_type',
                  DETAIL = 'Fingerprints are taken of tables and partitioned tables.',
                  HINT = 'SELECT * FROM vrm.fingerprint(ARRAY[''vrm.agents'']::regclass[]);';
    END IF;
    RETURN ARRAY(
        SELECT c.oid::regclass
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE CASE c.relkind WHEN 'r' THEN n.nspname <> 'vrm_nodes'  -- as partitions of the archive, each once
                             WHEN 'f' THEN c.relispartition
                                           AND c.oid IN (SELECT t.relation FROM vrm_private.tables_on_nodes() t)
              END
          AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND c.oid NOT IN ('vrm.restore_points'::regclass, 'vrm_private.fingerprints'::regclass)
          AND (tables IS NULL
               OR c.oid IN (SELECT coalesce(leaf.relid, given) FROM unnest(tables) AS given
                            LEFT JOIN LATERAL pg_partition_tree(given) AS leaf ON true))
        ORDER BY c.oid);
END
$$;
COMMENT ON FUNCTION vrm_private.fingerprint_tables(regclass[]) IS
    'the tables that have rows: partitions for partitioned tables, and all of the database for null';

CREATE OR REPLACE FUNCTION vrm.fingerprint(tables regclass[] DEFAULT NULL)
    RETURNS TABLE (relation text, row_count bigint, digest text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
    SET row_security = off AS $$
DECLARE
    target regclass;
BEGIN
    PERFORM vrm.require_grant('vrm.fingerprint(regclass[])');
    FOREACH target IN ARRAY vrm_private.fingerprint_tables(tables) LOOP
        SELECT target::text, r.row_count, r.digest INTO relation, row_count, digest
        FROM vrm_private.rows_of(target) r;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.fingerprint(regclass[]) IS
    'rows of tables, all by default, and a digest of them that a restore does not change but a changed row does';

-- For vrm.pre_deploy(), which holds the tables from before this to the restore point.
CREATE OR REPLACE FUNCTION vrm_private.begin_restore_point(label text, tables regclass[]) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    point text := format('%s.%s.%s', label, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS"Z"'),
                         left(md5(random()::text || current_database()), 4));
BEGIN
    IF label !~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$' THEN
        RAISE EXCEPTION 'a label has to be 1 to 32 letters, digits, "-" and "_"'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It is "%s".', left(label, 100)),
                  HINT = 'CALL vrm.pre_deploy(''release-7'');';
    END IF;
    INSERT INTO vrm.restore_points (name, label) VALUES (point, label);
    INSERT INTO vrm_private.fingerprints (restore_point, relation, row_count, digest)
    SELECT point, f.relation, f.row_count, f.digest FROM vrm.fingerprint(tables) f;
    RETURN point;
END
$$;
COMMENT ON FUNCTION vrm_private.begin_restore_point(text, regclass[]) IS
    'gives a restore point that is about to be made a name that no other has, and keeps the fingerprints of tables';

CREATE OR REPLACE FUNCTION vrm_private.make_restore_point(point text) RETURNS pg_lsn
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made pg_lsn := pg_create_restore_point(point);
BEGIN
    UPDATE vrm.restore_points p SET lsn = made, wal_file = pg_walfile_name(made) WHERE p.name = point;
    PERFORM pg_switch_wal();
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm_private.make_restore_point(text) IS
    'writes the restore point to the WAL and lets its segment be archived; returns where it is';

CREATE OR REPLACE FUNCTION vrm_private.is_archived(point text) RETURNS boolean
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE vrm.restore_points p SET archived_at = now()
    FROM vrm.archive_position() a
    WHERE p.name = point AND p.lsn <= a.archived_until
    RETURNING true
$$;
COMMENT ON FUNCTION vrm_private.is_archived(text) IS 'notes that the archive has a restore point, once it has';

REVOKE EXECUTE ON FUNCTION
    vrm_private.pgbackrest_stanzas(jsonb), vrm_private.pgbackrest_repositories(jsonb),
    vrm_private.pgbackrest_backups(jsonb), vrm_private.record_repositories(jsonb), vrm.record_backup(jsonb, text),
    vrm_private.fingerprint_tables(regclass[]),
    vrm.fingerprint(regclass[]), vrm_private.begin_restore_point(text, regclass[]),
    vrm_private.make_restore_point(text), vrm_private.is_archived(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.record_backup(jsonb, text), vrm.fingerprint(regclass[]) TO service_role;

CREATE OR REPLACE FUNCTION vrm.verify_restore(name text)
    RETURNS TABLE (relation text, ok boolean, expected_rows bigint, found_rows bigint, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM vrm.require_grant('vrm.verify_restore(text)');
    IF NOT EXISTS (SELECT FROM vrm.restore_points p WHERE p.name = verify_restore.name) THEN
        RAISE EXCEPTION 'restore point "%" does not exist', verify_restore.name
            USING ERRCODE = 'undefined_object',
                  DETAIL = 'A database that was restored to an earlier moment does not have it.',
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
    'in a database restored to a restore point: compares each table with its fingerprint, those that differ first';

CREATE OR REPLACE FUNCTION vrm.record_restore_drill(
    started_at timestamptz, finished_at timestamptz, verified boolean, backup text DEFAULT NULL,
    target text DEFAULT NULL, note text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    drill bigint;
BEGIN
    PERFORM vrm.require_grant('vrm.record_restore_drill(timestamptz,timestamptz,boolean,text,text,text)');
    IF (isfinite(started_at) AND isfinite(finished_at) AND finished_at >= started_at) IS NOT TRUE
       OR verified IS NULL THEN
        RAISE EXCEPTION 'a drill has a beginning, an end that is not before it, and an outcome'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s to %s, verified %s.', coalesce(started_at::text, 'null'),
                                  coalesce(finished_at::text, 'null'), coalesce(verified::text, 'null')),
                  HINT = 'SELECT * FROM vrm.restore_drills ORDER BY id DESC LIMIT 5; shows what was noted of others.';
    END IF;
    INSERT INTO vrm.restore_drills AS d (started_at, finished_at, verified, backup, target, note)
    VALUES (record_restore_drill.started_at, record_restore_drill.finished_at, record_restore_drill.verified,
            record_restore_drill.backup, record_restore_drill.target, record_restore_drill.note)
    RETURNING d.id INTO drill;
    RETURN drill;
END
$$;
COMMENT ON FUNCTION vrm.record_restore_drill(timestamptz, timestamptz, boolean, text, text, text) IS
    'on the server in use: notes how long a trial restore took, and whether everything was there';

CREATE OR REPLACE FUNCTION vrm_private.seconds_between(earlier timestamptz, later timestamptz) RETURNS double precision
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN earlier IS NOT NULL THEN greatest(extract(epoch FROM later - earlier), 0) END::float8;
COMMENT ON FUNCTION vrm_private.seconds_between(timestamptz, timestamptz) IS
    'seconds from one moment to another, 0 when that is not later';

CREATE OR REPLACE FUNCTION vrm_private.shell_word(word text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN word ~ '^[A-Za-z0-9_./:@+-]+$' THEN word ELSE '''' || replace(word, '''', '''\''''') || '''' END;
COMMENT ON FUNCTION vrm_private.shell_word(text) IS 'a text as one word of a shell, in quotes where it needs them';

-- The objectives are the thresholds of the alerts.  What ends in the future did not happen: some clock is wrong,
-- or one is a little ahead of another.
CREATE OR REPLACE FUNCTION vrm.recovery_status()
    RETURNS TABLE (check_name text, status text, value float8, limit_value float8, detail text, hint text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM vrm.require_grant('vrm.recovery_status()');
    RETURN QUERY SELECT f.* FROM (
    WITH objective AS (
        SELECT max(t.threshold) FILTER (WHERE t.alert = 'BackupOverdue') AS full_age,
               max(t.threshold) FILTER (WHERE t.alert = 'HistoryTooShort') AS history,
               max(t.threshold) FILTER (WHERE t.alert = 'RecoveryPointMissed') AS rpo,
               max(t.threshold) FILTER (WHERE t.alert = 'RestoreTooSlow') AS rto
        FROM vrm.alert_threshold t
    ), repository AS (
        SELECT p.source, p.repository, max(r.problem) AS problem,
               vrm_private.seconds_between(max(b.finished_at) FILTER (WHERE good), now()) AS youngest,
               max(b.finished_at) FILTER (WHERE good) AS last_full,
               min(b.label) FILTER (WHERE ahead) AS of_future
        FROM (SELECT source, repository FROM vrm.backups WHERE expired_at IS NULL
              UNION SELECT source, repository FROM vrm.backup_repositories) AS p
        LEFT JOIN vrm.backup_repositories r ON r.source = p.source AND r.repository = p.repository
        LEFT JOIN vrm.backups b ON b.source = p.source AND b.repository = p.repository AND b.expired_at IS NULL
        CROSS JOIN LATERAL (SELECT b.finished_at > now() + interval '5 min') AS clock (ahead)
        CROSS JOIN LATERAL (SELECT b.kind = 'full' AND NOT b.failed AND NOT ahead
                                   AND b.archived IS NOT FALSE) AS usable (good)
        GROUP BY p.source, p.repository
    ), judged AS (
        SELECT r.*, concat_ws(' ', r.source, nullif(r.repository, '')) AS place,
               coalesce(r.problem IS NULL AND r.of_future IS NULL AND r.youngest <= o.full_age, false) AS fresh
        FROM repository r, objective o
    ), worst AS (
        SELECT j.* FROM (SELECT true) AS one
        LEFT JOIN (SELECT * FROM judged j
                   ORDER BY j.fresh, j.of_future NULLS LAST, j.problem NULLS LAST, j.youngest DESC NULLS FIRST, j.place
                   LIMIT 1) AS j ON true
    ), known AS (
        SELECT (SELECT count(*) FROM vrm.backups) + count(j.place) AS recorded,
               (SELECT max(b.expired_at) FROM vrm.backups b) AS expired,
               max(j.youngest) AS youngest, coalesce(bool_and(j.fresh), false) AS fresh,
               -- of those that are well, or else of those that can be read
               coalesce(array_agg(j.place) FILTER (WHERE j.fresh), array_agg(j.place) FILTER (WHERE j.problem IS NULL))
                   AS places
        FROM judged j
    ), drill AS (
        SELECT d.*, extract(epoch FROM d.finished_at - d.started_at)::float8 AS seconds
        FROM (SELECT true) AS one
        LEFT JOIN (SELECT * FROM vrm.restore_drills WHERE finished_at <= now() + interval '5 min'
                   ORDER BY finished_at DESC, id DESC LIMIT 1) AS d ON true
    )
    SELECT 'full_backup',
           CASE WHEN k.recorded = 0 THEN 'unknown' WHEN k.fresh THEN 'ok' ELSE 'fail' END,
           k.youngest, o.full_age,
           CASE WHEN k.recorded = 0 THEN 'no backup was recorded'
                WHEN w.of_future IS NOT NULL THEN format('backup "%s" ends in the future', w.of_future)
                WHEN w.problem IS NOT NULL THEN format('%s: %s', w.place, w.problem)
                WHEN w.last_full IS NULL THEN concat(w.place || ': ', 'there is no full backup that is good')
                ELSE format('%s: the last good full backup is of %s', w.place, w.last_full) END,
           CASE WHEN k.recorded = 0 THEN
                    format('Run: vrm-backup -d %s run -- pgbackrest --stanza=main --type=full backup',
                           vrm_private.shell_word(current_database()))
                WHEN k.fresh THEN NULL
                WHEN w.of_future IS NOT NULL THEN
                    format('Set the clock of the server that makes backups; then: DELETE FROM vrm.backups'
                           ' WHERE label = %L; and make another.', w.of_future)
                WHEN w.repository <> '' THEN
                    format('Mend it, make a full backup there and record it; when it is no longer in use: DELETE FROM'
                           ' vrm.backups WHERE repository = %1$L; DELETE FROM vrm.backup_repositories'
                           ' WHERE repository = %1$L;', w.repository)
                ELSE 'Make a full backup and record it, then: SELECT * FROM vrm.backups;' END
    FROM known k, worst w, objective o
    UNION ALL
    SELECT 'pitr_window', h.*
    FROM known k, objective o, vrm_private.judge_history(k.recorded > 0, k.places, k.expired, o.history) AS h
    UNION ALL
    SELECT 'rpo',
           CASE WHEN r.state = 'standby' THEN 'unknown' WHEN r.state = 'off' OR r.exposure_seconds > o.rpo THEN 'fail'
                WHEN r.state = 'broken' THEN 'warn' ELSE 'ok' END,
           r.exposure_seconds, o.rpo, r.detail,
           CASE WHEN r.state = 'off' THEN
                    'Set archive_command first; then: ALTER SYSTEM SET archive_mode = on; and restart the server.'
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
                THEN 'Restore the last backup into a directory of its own, as doc/operations/backup.md does; there: '
                     || format('SELECT bool_and(ok) FROM vrm.verify_restore(%L); and record here what it has shown.',
                               coalesce((SELECT p.name FROM vrm.restore_points p WHERE p.archived_at IS NOT NULL
                                         ORDER BY p.made_at DESC LIMIT 1), 'release-7'))
                WHEN d.seconds > o.rto THEN 'Give restores more processes: process-max in pgbackrest.conf.' END
    FROM drill d, objective o
    ) AS f (check_name, status, value, limit_value, detail, hint);
END
$$;
COMMENT ON FUNCTION vrm.recovery_status() IS
    'verdicts, values in seconds: last full backup, how far back one can go, what would be lost now, time of a restore';

REVOKE EXECUTE ON FUNCTION
    vrm.verify_restore(text), vrm.recovery_status(), vrm_private.seconds_between(timestamptz, timestamptz),
    vrm_private.shell_word(text),
    vrm.record_restore_drill(timestamptz, timestamptz, boolean, text, text, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.recovery_status() TO pg_monitor, service_role;
GRANT EXECUTE ON FUNCTION
    vrm.verify_restore(text), vrm.record_restore_drill(timestamptz, timestamptz, boolean, text, text, text)
    TO service_role;

CREATE OR REPLACE FUNCTION vrm.begin_backup_run(tool text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.begin_backup_run(text)'), vrm_private.check_text('tool', tool, 200, true);
    DELETE FROM vrm.backup_runs r WHERE r.started_at < now() - interval '1 year';
    INSERT INTO vrm.backup_runs (tool) VALUES (begin_backup_run.tool) RETURNING id;
$$;
COMMENT ON FUNCTION vrm.begin_backup_run(text) IS 'for vrm-backup: notes that a backup begins; returns its number';

CREATE OR REPLACE FUNCTION vrm.end_backup_run(run bigint, exit_code integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.end_backup_run(bigint,integer)');
    IF exit_code IS NULL THEN
        RAISE EXCEPTION 'a backup ends with an exit code'
            USING ERRCODE = 'null_value_not_allowed', DETAIL = 'exit_code is null.',
                  HINT = format('SELECT vrm.end_backup_run(%s, 0); or another number when it has failed.',
                                coalesce(run::text, 'run'));
    END IF;
    UPDATE vrm.backup_runs r SET finished_at = clock_timestamp(), exit_code = end_backup_run.exit_code
    WHERE r.id = run AND r.finished_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no backup of number % is running', coalesce(run::text, 'null')
            USING ERRCODE = 'undefined_object', HINT = 'SELECT * FROM vrm.backup_runs ORDER BY id DESC LIMIT 5;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.end_backup_run(bigint, integer) IS 'for vrm-backup: notes how a backup ended';

-- Whoever was killed does not say so: what has not ended when the next one begins, or after a day, has failed.
CREATE OR REPLACE FUNCTION vrm_private.backup_run_failed() RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT coalesce(bool_or(last.failed), false)
        FROM (SELECT DISTINCT ON (r.tool) coalesce(r.exit_code <> 0, true) AS failed FROM vrm.backup_runs r
              WHERE r.finished_at IS NOT NULL OR r.started_at < now() - interval '1 day'
                 OR EXISTS (SELECT FROM vrm.backup_runs n WHERE n.tool = r.tool AND n.id > r.id)
              ORDER BY r.tool, r.id DESC) AS last);
END
$$;
COMMENT ON FUNCTION vrm_private.backup_run_failed() IS 'whether the last run of a tool that makes backups has failed';
REVOKE EXECUTE ON FUNCTION
    vrm.begin_backup_run(text), vrm.end_backup_run(bigint, integer), vrm_private.backup_run_failed()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.begin_backup_run(text), vrm.end_backup_run(bigint, integer) TO service_role;
