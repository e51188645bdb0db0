-- Replicas: how far behind they are, and waiting for them: members of the extension

CREATE FUNCTION vrm.wait_for(lsn pg_lsn, timeout interval DEFAULT '5 s') RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_wait_for'
    LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.wait_for(pg_lsn, interval) IS
    'on a standby: waits until it has replayed this place of the WAL; false when time is out, or a primary lacks it';
GRANT EXECUTE ON FUNCTION vrm.wait_for(pg_lsn, interval) TO authenticated, service_role;
