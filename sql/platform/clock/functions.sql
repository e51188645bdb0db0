-- The clock: whether now() can be believed
--
-- A clock that jumps ahead for a moment makes everything old at once, and what is deleted then does not
-- come back with the right time.  Each look moves the time that was last seen, as long as the step from
-- there is one that can be: vrm.max_clock_step.

CREATE OR REPLACE FUNCTION vrm_private.clock_problem() RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT format('now() is %s ahead of %s, when the database was last seen at work',
                      date_trunc('hour', clock_timestamp() - c.seen_at),
                      to_char(c.seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI UTC'))
        FROM vrm_private.clock c,
             -- unknown before the library is loaded
             LATERAL (SELECT coalesce(current_setting('vrm.max_clock_step', true), '7d')::interval AS most) AS setting
        WHERE setting.most >= '0' AND clock_timestamp() - c.seen_at > setting.most);
END
$$;
COMMENT ON FUNCTION vrm_private.clock_problem() IS
    'why now() cannot be believed; null when it is within vrm.max_clock_step of when the database was last at work';

CREATE OR REPLACE FUNCTION vrm_private.see_clock() RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE vrm_private.clock SET seen_at = clock_timestamp()
    WHERE vrm_private.clock_problem() IS NULL AND abs(extract(epoch FROM clock_timestamp() - seen_at)) > 60
$$;
COMMENT ON FUNCTION vrm_private.see_clock() IS 'notes what time it is, unless that cannot be';

CREATE OR REPLACE FUNCTION vrm_private.check_clock() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problem text := vrm_private.clock_problem();
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'What retention would take now cannot be undone.',
                  HINT = 'When the clock is right, or the database was off for so long, say so once:'
                         ' SET vrm.max_clock_step = -1;';
    END IF;
    PERFORM vrm_private.see_clock();
END
$$;
COMMENT ON FUNCTION vrm_private.check_clock() IS 'an error when now() cannot be believed';

REVOKE EXECUTE ON FUNCTION vrm_private.clock_problem(), vrm_private.see_clock(), vrm_private.check_clock() FROM PUBLIC;
