-- Logs of the application, by class and day

CREATE OR REPLACE FUNCTION vrm_private.check_log(class text, level text, message text, data jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text := CASE
        WHEN class IN ('application', 'error', 'analytics') IS NOT TRUE
            THEN format('class: must be application, error or analytics, got %s', quote_nullable(left(class, 100)))
        WHEN level IN ('debug', 'info', 'warning', 'error') IS NOT TRUE
            THEN format('level: must be debug, info, warning or error, got %s', quote_nullable(left(level, 100)))
        WHEN pg_column_size(data) > 65536
            THEN format('data: must have at most 65536 bytes, got %s', pg_column_size(data))
    END;
BEGIN
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'log entry is not valid'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = wrong || '.',
                  HINT = 'SELECT vrm.log(''application'', ''info'', ''the queue is empty'', ''{"queue": "calls"}'');';
    END IF;
    PERFORM vrm_private.check_text('message', message, 20000, true);
END
$$;
COMMENT ON FUNCTION vrm_private.check_log(text, text, text, jsonb) IS
    'an error for what the constraints of vrm.logs refuse, which says what';

CREATE OR REPLACE FUNCTION vrm.log(class text, level text, message text, data jsonb DEFAULT NULL) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.check_log(class, level, message, data);
    INSERT INTO vrm.logs (class, level, user_id, message, data)
    VALUES (log.class, log.level, vrm.actor(), log.message, log.data)
$$;
COMMENT ON FUNCTION vrm.log(text, text, text, jsonb) IS
    'logs something for the caller: class application, error or analytics; level debug, info, warning or error';
REVOKE EXECUTE ON FUNCTION vrm_private.check_log(text, text, text, jsonb), vrm.log(text, text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.log(text, text, text, jsonb) TO authenticated, service_role;

CREATE OR REPLACE FUNCTION vrm_private.make_log_partitions() RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
BEGIN
    RETURN (
        SELECT count(*)::integer
        FROM (SELECT 'vrm.logs_application'::regclass AS parent, low, low + interval '1 day' AS high,
                     to_char(low, '"logs_application_"YYYY_MM_DD') AS name
              FROM generate_series(date_trunc('day', now()), now() + interval '7 days', '1 day') AS low
              UNION ALL
              SELECT format('vrm.logs_%s', class)::regclass, low, low + interval '1 month',
                     format('logs_%s_%s', class, to_char(low, 'YYYY_MM'))
              FROM unnest('{error,analytics}'::text[]) AS class,
                   generate_series(date_trunc('month', now()), now() + interval '1 month', '1 month') AS low) AS wanted
        WHERE vrm_private.make_partition(wanted.parent, wanted.name, wanted.low, wanted.high));
END
$$;
COMMENT ON FUNCTION vrm_private.make_log_partitions() IS
    'makes partitions of vrm.logs for the next days and months; returns how many it made';
REVOKE EXECUTE ON FUNCTION vrm_private.make_log_partitions() FROM PUBLIC;
