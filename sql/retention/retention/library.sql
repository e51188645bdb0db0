-- Retention: what is due, and runs that take it away: members of the extension

CREATE PROCEDURE vrm.run_retention(
    policy text DEFAULT NULL,
    max_rows bigint DEFAULT NULL,
    max_runtime interval DEFAULT NULL
)
    AS 'MODULE_PATHNAME', 'vrm_run_retention'
    LANGUAGE C;
COMMENT ON PROCEDURE vrm.run_retention(text, bigint, interval) IS
    'moves and removes what retention policies say, in batches that commit; all policies by default';
GRANT EXECUTE ON PROCEDURE vrm.run_retention(text, bigint, interval) TO service_role;

-- For the platform's functions, hence granted to nobody.
CREATE PROCEDURE vrm.run_due_retention()
    AS 'MODULE_PATHNAME', 'vrm_run_due_retention'
    LANGUAGE C;
COMMENT ON PROCEDURE vrm.run_due_retention() IS
    'part of vrm.maintain(): runs the policies whose time has come; one that fails keeps no other';

CREATE FUNCTION vrm.retention_step(run_id bigint, first_block bigint, last_block bigint, most bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_retention_step'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.retention_step(bigint, bigint, bigint, bigint) IS
    'one batch of a run within the caller''s transaction; null when another one is under way';
