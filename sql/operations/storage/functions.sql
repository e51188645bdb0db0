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
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.storage_forecast()');
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
    FROM forecast f
    ORDER BY f.days, f.path <> current_setting('data_directory'), f.path
    LIMIT 1
$$;
COMMENT ON FUNCTION vrm.storage_forecast() IS
    'of the file system that is full first: its growth over 30 days, and when it is full; null when not in ten years';

REVOKE EXECUTE ON FUNCTION vrm.sample_storage(), vrm.storage_forecast() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.storage_forecast() TO pg_monitor, service_role;
