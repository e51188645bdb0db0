-- What other tools than pgBackRest say of their backups, as the plain list of vrm.record_backup()

-- A reader of JSON that keeps numbers as doubles, as JavaScript and jq do, loses the last digits of an identifier.
CREATE OR REPLACE FUNCTION vrm_private.is_this_server(identifier text) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ours text := (SELECT c.system_identifier::text FROM pg_control_system() c);
BEGIN
    IF identifier IS NULL OR identifier = ours THEN
        RETURN true;
    ELSIF identifier !~ '^\d{1,30}$' OR identifier::numeric::double precision <> ours::double precision THEN
        RETURN false;
    END IF;
    RAISE EXCEPTION 'system identifier % was rounded on its way', identifier
        USING ERRCODE = 'invalid_parameter_value',
              DETAIL = format('That of this server is %s; something has read the JSON with numbers of 53 bits.', ours),
              HINT = 'Hand on what the tool prints, without jq or JavaScript in between.';
END
$$;
COMMENT ON FUNCTION vrm_private.is_this_server(text) IS
    'whether a system identifier is that of this server; none is; an error for one that was rounded';

-- barman list-backups -f json.  The id is the moment when it began, by the clock of the place; beside the servers
-- stand Barman's own messages.  --minimal tells too little to take anything from.
CREATE OR REPLACE FUNCTION vrm_private.barman_backups(info jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_object(
               'repository', s.server, 'label', b ->> 'backup_id', 'started_at', least(t.began, t.ended),
               'finished_at', t.ended, 'bytes', b -> 'size_bytes', 'failed', b ->> 'status' = 'FAILED',
               'archived', CASE b ->> 'status' WHEN 'WAITING_FOR_WALS' THEN false END,
               'kind', CASE WHEN b ->> 'parent_backup_id' IS NOT NULL OR b ->> 'backup_type' = 'incremental'
                            THEN 'incr' ELSE 'full' END,
               'parent', b -> 'parent_backup_id'))
    FROM jsonb_each(info) AS s (server, backups), jsonb_array_elements(s.backups) AS b,
         LATERAL (SELECT to_timestamp(left(b ->> 'backup_id', 15), 'YYYYMMDD"T"HH24MISS') AS began) AS i,
         LATERAL (SELECT i.began, coalesce(to_timestamp((b ->> 'end_time_timestamp')::double precision), i.began)
                  AS ended) AS t
    WHERE (b ->> 'status' IN ('DONE', 'WAITING_FOR_WALS', 'FAILED') OR jsonb_typeof(b) <> 'object')
      AND s.server NOT IN ('_DEBUG', '_INFO', '_WARNING', '_ERROR', '_EXCEPTION')
$$;
COMMENT ON FUNCTION vrm_private.barman_backups(jsonb) IS 'backups as barman list-backups -f json tells them';

-- Several storages are one repository: WAL-G writes to the next when the first is gone, and restores from any.
CREATE OR REPLACE FUNCTION vrm_private.wal_g_label(backup jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN concat_ws(' in ', backup ->> 'backup_name', nullif(backup ->> 'storage_name', 'default'));
COMMENT ON FUNCTION vrm_private.wal_g_label(jsonb) IS 'name of a backup of WAL-G, and in which storage but the first';

-- wal-g backup-list --detail --json, or without details, when a backup is but a moment.  The zero time of Go is none.
-- What is made on top of another has "_D_" and the other's WAL in its name.
CREATE OR REPLACE FUNCTION vrm_private.wal_g_backups(info jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_object(
               'label', vrm_private.wal_g_label(b), 'started_at', least(t.began, t.ended), 'finished_at', t.ended,
               'bytes', b -> 'uncompressed_size', 'failed', false,
               'kind', CASE WHEN b ->> 'backup_name' LIKE '%\_D\_%' THEN 'incr' ELSE 'full' END,
               'parent', (SELECT vrm_private.wal_g_label(p) FROM jsonb_array_elements(info) AS p
                          WHERE left(p ->> 'backup_name', 29)
                                = 'base_' || nullif(split_part(b ->> 'backup_name', '_D_', 2), '')
                          ORDER BY p -> 'storage_name' IS DISTINCT FROM b -> 'storage_name', p ->> 'backup_name'
                          LIMIT 1)))
    FROM jsonb_array_elements(info) AS b,
         LATERAL (SELECT coalesce(b ->> 'time', b ->> 'modified')::timestamptz AS listed) AS m,
         LATERAL (SELECT coalesce(nullif((b ->> 'start_time')::timestamptz, '0001-01-01 00:00Z'), m.listed) AS began,
                         coalesce(nullif((b ->> 'finish_time')::timestamptz, '0001-01-01 00:00Z'), m.listed) AS ended
                 ) AS t
    WHERE vrm_private.is_this_server(b ->> 'system_identifier')
$$;
COMMENT ON FUNCTION vrm_private.wal_g_backups(jsonb) IS 'backups as wal-g backup-list --detail --json tells them';

-- kubectl get backups.postgresql.cnpg.io -o json, or one of them by its name.  What failed before it began has no
-- startedAt.
CREATE OR REPLACE FUNCTION vrm_private.cloudnative_pg_backups(info jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_object(
               'repository', b #>> '{spec,cluster,name}', 'label', b #>> '{metadata,name}',
               'started_at', t.began, 'finished_at', coalesce(b #> '{status,stoppedAt}', t.began), 'kind', 'full',
               'failed', b #>> '{status,phase}' <> 'completed'))
    FROM jsonb_array_elements(CASE WHEN info ? 'items' THEN info -> 'items' ELSE jsonb_build_array(info) END) AS b,
         LATERAL (SELECT coalesce(b #> '{status,startedAt}', b #> '{metadata,creationTimestamp}') AS began) AS t
    WHERE b #>> '{status,phase}' IN ('completed', 'failed', 'walArchivingFailing')
$$;
COMMENT ON FUNCTION vrm_private.cloudnative_pg_backups(jsonb) IS 'backups as the objects of CloudNativePG tell them';

-- What pg_basebackup leaves beside a backup; files of an incremental one are called INCREMENTAL.  What it stands on
-- is only in its backup_label: the LSN at which the WAL of that one's manifest begins.
CREATE OR REPLACE FUNCTION vrm_private.manifest_backup(info jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_array(jsonb_build_object(
               'label', 'manifest ' || left(info ->> 'Manifest-Checksum', 16), 'started_at', max(t.at),
               'finished_at', max(t.at), 'bytes', sum((f ->> 'Size')::bigint), 'failed', false,
               'kind', CASE WHEN bool_or(f ->> 'Path' ~ '(^|/)INCREMENTAL\.') THEN 'incr' ELSE 'full' END,
               'start_lsn', (SELECT min((w ->> 'Start-LSN')::pg_lsn)
                             FROM jsonb_array_elements(info -> 'WAL-Ranges') AS w),
               'parent_lsn', substring(info ->> 'backup_label' FROM 'INCREMENTAL FROM LSN: ([0-9A-F]+/[0-9A-F]+)')))
    FROM jsonb_array_elements(info -> 'Files') AS f,
         LATERAL (SELECT (replace(f ->> 'Last-Modified', ' GMT', '+00'))::timestamptz AS at) AS t
    WHERE vrm_private.is_this_server(info ->> 'System-Identifier')
    HAVING count(*) > 0
$$;
COMMENT ON FUNCTION vrm_private.manifest_backup(jsonb) IS 'the backup that a backup_manifest is of';

CREATE OR REPLACE FUNCTION vrm_private.tool_backups(info jsonb, source text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(CASE source WHEN 'barman' THEN vrm_private.barman_backups(info)
                                WHEN 'wal-g' THEN vrm_private.wal_g_backups(info)
                                WHEN 'cloudnative_pg' THEN vrm_private.cloudnative_pg_backups(info)
                                WHEN 'backup_manifest' THEN vrm_private.manifest_backup(info)
                                ELSE info END, '[]')
$$;
COMMENT ON FUNCTION vrm_private.tool_backups(jsonb, text) IS
    'what a tool says of its backups as a plain list; which is what it is of a plain one';

CREATE OR REPLACE FUNCTION vrm_private.hint_of_plain_lists() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 'SELECT label, kind, started_at, finished_at, bytes, failed FROM vrm.backups; shows what a plain list has to'
           ' tell of each backup.';
COMMENT ON FUNCTION vrm_private.hint_of_plain_lists() IS 'what to do about lists of backups that cannot be read';

-- As the constraints of vrm.backups say, which a list that is refused does not show.
CREATE OR REPLACE FUNCTION vrm_private.wrong_with_backup(told jsonb) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b record;
BEGIN
    IF jsonb_typeof(told) <> 'object' THEN
        RETURN format('it is of type %s', jsonb_typeof(told));
    END IF;
    SELECT p.* INTO b
    FROM jsonb_to_record(told)
         AS p (repository text, label text, kind text, started_at timestamptz, finished_at timestamptz, bytes bigint,
               failed boolean, archived boolean, expired boolean, parent text, start_lsn pg_lsn, parent_lsn pg_lsn);
    RETURN CASE
        WHEN b.label <> '' IS NOT TRUE THEN 'label: there is none'
        WHEN b.kind IN ('full', 'diff', 'incr') IS NOT TRUE
            THEN format('kind: must be full, diff or incr, got %s', quote_nullable(left(b.kind, 100)))
        WHEN isfinite(b.started_at) IS NOT TRUE
            THEN format('started_at: must be a moment, got %s', coalesce(b.started_at::text, 'null'))
        WHEN isfinite(b.finished_at) IS NOT TRUE
            THEN format('finished_at: must be a moment, got %s', coalesce(b.finished_at::text, 'null'))
        WHEN b.finished_at < b.started_at
            THEN format('finished_at: %s is before it began, %s', b.finished_at, b.started_at)
        WHEN b.bytes < 0 THEN format('bytes: must not be negative, got %s', b.bytes)
    END;
EXCEPTION
    WHEN data_exception THEN
        RETURN left(SQLERRM, 300);
END
$$;
COMMENT ON FUNCTION vrm_private.wrong_with_backup(jsonb) IS
    'why a backup of a plain list cannot be recorded; null when it can';

-- Whatever a tool of another version, or a hand, has written: either all of it is understood, or nothing is changed.
CREATE OR REPLACE FUNCTION vrm_private.read_backups(info jsonb, source text) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    told jsonb;
    why text;
    hint text;
BEGIN
    BEGIN
        IF source = 'pgbackrest' THEN
            PERFORM vrm_private.record_repositories(info);
            SELECT coalesce(jsonb_agg(to_jsonb(p)), '[]') INTO told FROM vrm_private.pgbackrest_backups(info) p;
        ELSE
            told := vrm_private.tool_backups(info, source);
        END IF;
    EXCEPTION
        WHEN data_exception THEN
            GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
            IF SQLSTATE = '22023' AND hint <> '' THEN
                RAISE;
            END IF;
            why := left(SQLERRM, 300);
    END;
    IF why IS NULL THEN
        SELECT format('Backup %s: %s', b.number, b.wrong) INTO why
        FROM (SELECT e.number, CASE WHEN row_number() OVER same > 1 THEN 'label: it is there twice'
                                    ELSE vrm_private.wrong_with_backup(e.entry) END AS wrong
              FROM jsonb_array_elements(told) WITH ORDINALITY AS e (entry, number)
              WINDOW same AS (PARTITION BY coalesce(e.entry ->> 'repository', ''), e.entry ->> 'label'
                              ORDER BY e.number)) AS b
        WHERE b.wrong IS NOT NULL ORDER BY b.number LIMIT 1;
    END IF;
    IF why IS NOT NULL THEN
        RAISE EXCEPTION 'the list of backups of source "%" cannot be read', source
            USING ERRCODE = 'invalid_parameter_value', DETAIL = why || '.', HINT = vrm_private.hint_of_plain_lists();
    END IF;
    RETURN told;
END
$$;
COMMENT ON FUNCTION vrm_private.read_backups(jsonb, text) IS
    'what a tool says of its backups as a plain list that can be recorded; or an error that says what is wrong with it';

-- Lists of these tools are whole: what is not on them any more has expired.  That of one server of Barman's, or of one
-- cluster of CloudNativePG's, says nothing of the others, and that of one backup nothing but itself.
CREATE OR REPLACE FUNCTION vrm_private.expire_unlisted(source text, info jsonb, told jsonb) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE vrm.backups b SET expired_at = now()
    WHERE b.source = expire_unlisted.source AND b.expired_at IS NULL
      AND CASE b.source
              WHEN 'barman' THEN info ? b.repository
              WHEN 'cloudnative_pg' THEN
                  info -> 'items' = '[]'
                  OR EXISTS (SELECT FROM jsonb_array_elements(info -> 'items') AS i
                             WHERE i #>> '{spec,cluster,name}' = b.repository)
              ELSE b.source = 'wal-g' END
      AND (b.repository, b.label) NOT IN (SELECT coalesce(t ->> 'repository', ''), t ->> 'label'
                                          FROM jsonb_array_elements(told) AS t)
$$;
COMMENT ON FUNCTION vrm_private.expire_unlisted(text, jsonb, jsonb) IS
    'notes that backups have expired that a tool does not list any more';

REVOKE EXECUTE ON FUNCTION
    vrm_private.hint_of_plain_lists(), vrm_private.wrong_with_backup(jsonb), vrm_private.read_backups(jsonb, text),
    vrm_private.is_this_server(text), vrm_private.wal_g_label(jsonb),
    vrm_private.barman_backups(jsonb), vrm_private.wal_g_backups(jsonb),
    vrm_private.cloudnative_pg_backups(jsonb), vrm_private.manifest_backup(jsonb),
    vrm_private.tool_backups(jsonb, text), vrm_private.expire_unlisted(text, jsonb, jsonb)
    FROM PUBLIC;
