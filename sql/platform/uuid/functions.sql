-- Ids

CREATE OR REPLACE FUNCTION vrm_private.moment_of(id uuid) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_timestamp(('x' || left(translate(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;
COMMENT ON FUNCTION vrm_private.moment_of(uuid) IS 'when an id of version 7 was made';
REVOKE EXECUTE ON FUNCTION vrm_private.moment_of(uuid) FROM PUBLIC;
