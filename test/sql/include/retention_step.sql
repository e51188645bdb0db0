-- One step of a policy over the whole of its table; returns how many rows went.
CREATE FUNCTION pg_temp.step(policy text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    run bigint := (vrm_private.begin_retention_run(policy)).run_id;
    done bigint := vrm.retention_step(run, 0, 4294967294, 1000000);
BEGIN
    PERFORM vrm_private.end_retention_run(run, 'done', NULL);
    RETURN done;
END
$$;
