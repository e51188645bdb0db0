-- Legal holds: what retention must leave alone

-- As text, because the planner joins it where it would call a function for every row.
CREATE OR REPLACE FUNCTION vrm_private.hold_on(user_id text, agent_id text, run_id text, started_at text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('EXISTS (SELECT FROM vrm_private.legal_holds h WHERE h.released_at IS NULL'
                  ' AND (h.user_id IS NULL OR h.user_id = %s) AND (h.agent_id IS NULL OR h.agent_id = %s)'
                  ' AND (h.run_id IS NULL OR h.run_id = %s) AND (h.started IS NULL OR h.started @> %s))',
                  user_id, agent_id, run_id, started_at)
$$;
COMMENT ON FUNCTION vrm_private.hold_on(text, text, text, text) IS
    'SQL condition: a legal hold covers a call, whose columns are given as expressions';

CREATE OR REPLACE FUNCTION vrm.place_hold(
    reason text,
    user_id uuid DEFAULT NULL,
    agent_id uuid DEFAULT NULL,
    run_id uuid DEFAULT NULL,
    since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL
) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM vrm_private.check_text('reason', reason, 2000, true);
    IF num_nonnulls(user_id, agent_id, run_id, since, until) = 0 THEN
        RAISE EXCEPTION 'a hold must say what it holds'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'SELECT vrm.place_hold(''case 42'', user_id => ...);';
    END IF;
    -- waits for the batch that is under way; the next one sees the hold
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    INSERT INTO vrm_private.legal_holds (reason, user_id, agent_id, run_id, started)
    VALUES (place_hold.reason, place_hold.user_id, place_hold.agent_id, place_hold.run_id,
            CASE WHEN num_nonnulls(since, until) > 0 THEN tstzrange(since, until) END)
    RETURNING hold_id INTO made;
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm.place_hold(text, uuid, uuid, uuid, timestamptz, timestamptz) IS
    'keeps what all the given conditions are true of, until vrm.release_hold(); returns the hold';

CREATE OR REPLACE FUNCTION vrm.release_hold(hold_id bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE vrm_private.legal_holds h SET released_at = now(), released_by = session_user
    WHERE h.hold_id = release_hold.hold_id AND h.released_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'hold % is not in force', coalesce(hold_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT * FROM vrm_private.legal_holds WHERE released_at IS NULL;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.release_hold(bigint) IS 'ends a legal hold; its row stays as a record';

-- Whoever deletes: a user his call, the service a recording, an erasure everything.
CREATE OR REPLACE FUNCTION vrm_private.refuse_held() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held uuid;
BEGIN
    IF vrm.is_archiving() OR NOT EXISTS (SELECT FROM vrm_private.legal_holds WHERE released_at IS NULL) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT g.id FROM gone g WHERE %s LIMIT 1',
                   vrm_private.hold_on('g.user_id', 'g.agent_id', 'g.id', 'g.started_at')) INTO held;
    IF held IS NOT NULL THEN
        RAISE EXCEPTION 'test run "%" is under a legal hold', held
            USING ERRCODE = 'object_in_use',
                  DETAIL = 'It cannot be deleted before the hold is released.',
                  HINT = 'Ask who keeps the database: SELECT vrm.release_hold(...);';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_held() IS 'trigger: calls under a legal hold cannot be deleted';

CREATE OR REPLACE FUNCTION vrm_private.refuse_held_recordings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held uuid;
BEGIN
    EXECUTE format('SELECT g.id FROM gone g JOIN vrm.test_runs t ON t.user_id = g.user_id AND t.id = g.run_id'
                   ' WHERE %s LIMIT 1',
                   vrm_private.hold_on('t.user_id', 't.agent_id', 't.id', 't.started_at')) INTO held;
    IF held IS NOT NULL THEN
        RAISE EXCEPTION 'recording "%" is under a legal hold', held
            USING ERRCODE = 'object_in_use',
                  DETAIL = 'It cannot be deleted before the hold is released.',
                  HINT = 'Ask who keeps the database: SELECT vrm.release_hold(...);';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_held_recordings() IS
    'trigger: recordings of calls under a legal hold cannot be deleted';
REVOKE EXECUTE ON FUNCTION
    vrm_private.hold_on(text, text, text, text),
    vrm_private.refuse_held(),
    vrm_private.refuse_held_recordings(),
    vrm.place_hold(text, uuid, uuid, uuid, timestamptz, timestamptz),
    vrm.release_hold(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.place_hold(text, uuid, uuid, uuid, timestamptz, timestamptz),
    vrm.release_hold(bigint)
    TO service_role;

CREATE OR REPLACE FUNCTION vrm_private.held_partitions(parent regclass, cutoff timestamptz) RETURNS oid[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    covers text := CASE WHEN parent = 'vrm_private.test_runs_archive'::regclass
                        THEN vrm_private.hold_on('r.user_id', 'r.agent_id', 'r.id', 'r.started_at')
                        ELSE vrm_private.hold_on('r.user_id', 'NULL', 'NULL', 'r.at') END;
    partition oid;
    held boolean;
    found_held oid[] := '{}';
BEGIN
    FOREACH partition IN ARRAY vrm_private.expired_partitions(parent, cutoff) LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s r WHERE %s)', partition::regclass, covers) INTO held;
        IF held THEN
            found_held := found_held || partition;
        END IF;
    END LOOP;
    RETURN found_held;
END
$$;
COMMENT ON FUNCTION vrm_private.held_partitions(regclass, timestamptz) IS
    'expired partitions with something in them that is under a legal hold';
REVOKE EXECUTE ON FUNCTION vrm_private.held_partitions(regclass, timestamptz) FROM PUBLIC;
