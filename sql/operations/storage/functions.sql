-- Storage: room on disk, and the trend of its use

-- Writes nothing when today has its samples: what the sampler writes is WAL, too.
CREATE OR REPLACE FUNCTION vrm.sample_storage() RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    taken int;
BEGIN
    PERFORM vrm.require_grant('vrm.sample_storage()');
    INSERT INTO vrm.storage_samples (path, day, used_bytes, free_bytes)
    SELECT DISTINCT ON (d.path) d.path, today, d.total_bytes - d.free_bytes, d.free_bytes
    FROM vrm.disk() d
    WHERE d.total_bytes IS NOT NULL
      AND NOT EXISTS (SELECT FROM vrm.storage_samples s WHERE s.path = d.path AND s.day = today)
    ON CONFLICT (path, day) DO NOTHING;
    GET DIAGNOSTICS taken = ROW_COUNT;
    IF taken > 0 THEN
        DELETE FROM vrm.storage_samples s WHERE s.day < today - 400;
    END IF;
    RETURN taken;
END
$$;
COMMENT ON FUNCTION vrm.sample_storage() IS
    'notes how full the file systems are, unless that was done today; returns how many; vrm.maintain() calls it';

CREATE OR REPLACE FUNCTION vrm.storage_forecast(
    OUT samples int, OUT bytes_per_day float8, OUT used_bytes bigint, OUT free_bytes bigint,
    OUT days_to_full float8, OUT full_at timestamptz)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM vrm.require_grant('vrm.storage_forecast()');
    WITH forecast AS (
        SELECT d.path, d.total_bytes - d.free_bytes AS used, d.free_bytes AS free, trend.samples, trend.growth,
               CASE WHEN trend.growth > 0 AND d.free_bytes < trend.growth * 3650
                    THEN d.free_bytes / trend.growth END AS days
        FROM vrm.disk() d
        CROSS JOIN LATERAL (
            SELECT count(*)::int AS samples,
                   vrm.growth_a_day(array_agg(extract(epoch FROM s.at)::float8 / 86400 ORDER BY s.at),
                                    array_agg(s.used_bytes::float8 ORDER BY s.at)) AS growth
            FROM vrm.storage_samples s
            WHERE s.path = d.path AND s.at > clock_timestamp() - interval '30 days') AS trend
        WHERE d.total_bytes IS NOT NULL
    )
    SELECT f.samples, f.growth, f.used, f.free, f.days, clock_timestamp() + f.days * interval '1 day'
    INTO storage_forecast.samples, bytes_per_day, used_bytes, free_bytes, days_to_full, full_at
    FROM forecast f
    ORDER BY f.days, f.path <> current_setting('data_directory'), f.path
    LIMIT 1;
END
$$;
COMMENT ON FUNCTION vrm.storage_forecast() IS
    'of the file system that is full first: its growth over 30 days, and when it is full; null when not in ten years';

-- What pg_database_size() and pg_total_relation_size() say, partitions with their table: one look at each file
-- instead of one for each fork of each relation.
CREATE OR REPLACE FUNCTION vrm_private.table_sizes(OUT relation text, OUT bytes numeric) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        WITH directory AS (
            SELECT nullif(t.oid, d.dattablespace) AS place,
                   CASE t.spcname WHEN 'pg_default' THEN format('base/%s', d.oid)
                   ELSE format('pg_tblspc/%s/PG_%s_%s/%s', t.oid,
                               current_setting('server_version_num')::integer / 10000,
                               (SELECT c.catalog_version_no FROM pg_control_system() c), d.oid) END AS path
            FROM pg_tablespace t, pg_database d
            WHERE t.spcname <> 'pg_global' AND d.datname = current_database()
        ), file AS MATERIALIZED (
            SELECT coalesce(d.place, 0) AS place, f.filenode, f.bytes
            FROM directory d CROSS JOIN LATERAL vrm.file_sizes(d.path) AS f
        ), parent AS MATERIALIZED (
            SELECT c.oid, coalesce(pg_partition_root(c.oid), c.oid) AS root FROM pg_class c WHERE c.relkind = 'p'
        ), root AS MATERIALIZED (
            SELECT c.oid, c.reltoastrelid, n.nspname || '.' || c.relname AS name
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ), tables AS MATERIALIZED (
            SELECT r.oid, r.reltoastrelid, r.name FROM root r
            UNION ALL
            SELECT c.oid, c.reltoastrelid, r.name
            FROM root r JOIN parent p ON p.root = r.oid JOIN pg_inherits i ON i.inhparent = p.oid
            JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition
        ), stored AS MATERIALIZED (
            SELECT t.oid, t.name FROM tables t
            UNION ALL
            SELECT t.reltoastrelid, t.name FROM tables t WHERE t.reltoastrelid <> 0
        ), part AS (
            SELECT s.oid, s.name FROM stored s
            UNION ALL
            SELECT i.indexrelid, s.name FROM stored s JOIN pg_index i ON i.indrelid = s.oid
        )
        SELECT p.name, coalesce(sum(f.bytes), 0)
        FROM part p JOIN pg_class c ON c.oid = p.oid
        LEFT JOIN file f ON f.filenode = c.relfilenode AND f.place = c.reltablespace AND c.relfilenode <> 0
        GROUP BY p.name
        UNION ALL
        SELECT NULL, sum(f.bytes) FROM file f;
END
$$;
COMMENT ON FUNCTION vrm_private.table_sizes() IS
    'bytes of each table with its indexes, TOAST and partitions; without a name, of the database';

REVOKE EXECUTE ON FUNCTION
    vrm.sample_storage(), vrm.storage_forecast(), vrm_private.table_sizes()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.storage_forecast() TO pg_monitor, service_role;
