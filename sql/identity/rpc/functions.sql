-- RPC: a function of the API in one statement, whoever calls

CREATE OR REPLACE FUNCTION vrm_private.forget_retry_keys() RETURNS bigint
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
        DELETE FROM vrm_private.retry_keys k WHERE k.made_at < now() - '1 day'::interval
        RETURNING 1)
    SELECT count(*) FROM gone
$$;
COMMENT ON FUNCTION vrm_private.forget_retry_keys() IS 'part of maintenance: keys of calls that are a day old';
REVOKE EXECUTE ON FUNCTION vrm_private.forget_retry_keys() FROM PUBLIC;
