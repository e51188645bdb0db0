-- Backup: what was backed up, restore points with the fingerprints of all rows, drills ----------------

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
    PRIMARY KEY (source, label),
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

REVOKE ALL ON vrm.backups, vrm.restore_points, vrm.restore_drills, vrm_private.fingerprints
    FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.backups, vrm.restore_points, vrm.restore_drills TO pg_monitor, service_role;

-- What the tool says ----------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.pgbackrest_backups(info jsonb)
    RETURNS TABLE (label text, kind text, started_at timestamptz, finished_at timestamptz, bytes bigint, failed boolean)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ours text := (SELECT c.system_identifier::text FROM pg_control_system() c);
BEGIN
    IF NOT jsonb_path_exists(info, '$[*].db[*] ? (@."system-id" == $ours)',
                             jsonb_build_object('ours', ours::numeric)) THEN
        RAISE EXCEPTION 'no stanza is of this server'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Its system identifier is %s.', ours),
                  HINT = 'Run pgbackrest info --output=json where the stanza of this server is configured.';
    END IF;
    RETURN QUERY
        SELECT b ->> 'label', b ->> 'type', to_timestamp((b #>> '{timestamp,start}')::float8),
               to_timestamp((b #>> '{timestamp,stop}')::float8), (b #>> '{info,size}')::bigint,
               coalesce((b ->> 'error')::boolean, false)
        FROM jsonb_array_elements(info) AS stanza, jsonb_array_elements(stanza -> 'backup') AS b
        WHERE EXISTS (SELECT FROM jsonb_array_elements(stanza -> 'db') AS d
                      WHERE d ->> 'system-id' = ours AND d -> 'id' = b #> '{database,id}'
                        AND d -> 'repo-key' IS NOT DISTINCT FROM b #> '{database,repo-key}');
END
$$;
COMMENT ON FUNCTION vrm_private.pgbackrest_backups(jsonb) IS
    'the backups of this server in what pgbackrest info --output=json says';

CREATE OR REPLACE FUNCTION vrm.record_backup(info jsonb, source text DEFAULT 'pgbackrest') RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    plain CONSTANT text := '[{"label": "base-1", "kind": "full", "started_at": "2026-01-01 01:00+00",'
                           ' "finished_at": "2026-01-01 01:10+00", "bytes": 1000, "failed": false}]';
    labels text[];
BEGIN
    IF source NOT IN ('pgbackrest', 'plain') THEN
        RAISE EXCEPTION 'backups of source "%" cannot be read', source
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = 'What can be read is the JSON of pgbackrest, and plain lists.',
                  HINT = format('SELECT vrm.record_backup(%L, ''plain'');', plain);
    ELSIF jsonb_typeof(info) <> 'array' THEN
        RAISE EXCEPTION 'a list of backups has to be a JSON array'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It is of type %s.', jsonb_typeof(info)),
                  HINT = format('SELECT vrm.record_backup(%L, ''plain'');', plain);
    END IF;
    WITH told AS (
        SELECT * FROM vrm_private.pgbackrest_backups(CASE source WHEN 'pgbackrest' THEN info END)
        WHERE record_backup.source = 'pgbackrest'
        UNION ALL
        SELECT * FROM jsonb_to_recordset(CASE source WHEN 'plain' THEN info END)
                      AS p (label text, kind text, started_at timestamptz, finished_at timestamptz, bytes bigint,
                            failed boolean)
    ), written AS (
        INSERT INTO vrm.backups AS b (source, label, kind, started_at, finished_at, bytes, failed)
        SELECT record_backup.source, t.label, t.kind, t.started_at, t.finished_at, t.bytes, coalesce(t.failed, false)
        FROM told t
        ON CONFLICT ON CONSTRAINT backups_pkey DO UPDATE
            SET kind = excluded.kind, started_at = excluded.started_at, finished_at = excluded.finished_at,
                bytes = excluded.bytes, failed = excluded.failed, recorded_at = now(), expired_at = NULL
        RETURNING b.label
    )
    SELECT coalesce(array_agg(w.label), '{}') INTO labels FROM written w;
    UPDATE vrm.backups b SET expired_at = now()
    WHERE b.source = record_backup.source AND b.expired_at IS NULL AND b.label <> ALL (labels);
    RETURN cardinality(labels);
END
$$;
COMMENT ON FUNCTION vrm.record_backup(jsonb, text) IS
    'takes what pgbackrest info --output=json says; what it no longer names has expired; returns how many it names';

-- Fingerprints ------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.fingerprint_tables(tables regclass[]) RETURNS regclass[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    other regclass := (SELECT min(c.oid)::regclass FROM pg_class c
                       WHERE c.oid = ANY (tables) AND c.relkind NOT IN ('r', 'p'));
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
        WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND c.oid NOT IN ('vrm.restore_points'::regclass, 'vrm_private.fingerprints'::regclass)
          AND (tables IS NULL
               OR c.oid IN (SELECT coalesce(leaf.relid, given) FROM unnest(tables) AS given
                            LEFT JOIN LATERAL pg_partition_tree(given) AS leaf ON true))
        ORDER BY c.oid);
END
$$;
COMMENT ON FUNCTION vrm_private.fingerprint_tables(regclass[]) IS
    'the tables that have rows: partitions for partitioned tables, and all of the database for null';

-- Settings that the text of a value depends on are pinned, and it is the text that is hashed: what is binary may
-- differ after a logical restore, as the numbers of enum labels do.  Sums do not depend on the order of rows.
-- Output functions and no cast to text: who owns a table may define one, and it would run as superuser here.
CREATE OR REPLACE FUNCTION vrm.fingerprint(tables regclass[] DEFAULT NULL)
    RETURNS TABLE (relation text, row_count bigint, digest text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'iso_8601' SET timezone = 'UTC' SET extra_float_digits = 1
    SET bytea_output = 'hex' SET lc_monetary = 'C' SET row_security = off AS $$
DECLARE
    target regclass;
BEGIN
    FOREACH target IN ARRAY vrm_private.fingerprint_tables(tables) LOOP
        relation := target::text;
        EXECUTE format('SELECT count(*), coalesce(sum(hashtextextended(textin(record_out(t.*)), 0)), 0)::text'
                       ' FROM ONLY %s AS t', target)
            INTO row_count, digest;
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
    vrm_private.pgbackrest_backups(jsonb), vrm.record_backup(jsonb, text), vrm_private.fingerprint_tables(regclass[]),
    vrm.fingerprint(regclass[]), vrm_private.begin_restore_point(text, regclass[]),
    vrm_private.make_restore_point(text), vrm_private.is_archived(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.record_backup(jsonb, text), vrm.fingerprint(regclass[]) TO service_role;
