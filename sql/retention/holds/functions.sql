-- Legal holds: what retention must leave alone

-- One query without settings, so that the planner sees through it.  Each arm has an index.
CREATE OR REPLACE FUNCTION vrm_private.holds_on(user_id uuid, agent_id uuid, run_id uuid, started_at timestamptz)
    RETURNS TABLE (hold_id bigint)
    LANGUAGE sql STABLE AS $$
    SELECT h.hold_id FROM vrm_private.legal_holds h
    WHERE h.released_at IS NULL AND h.run_id = holds_on.run_id AND (h.user_id IS NULL OR h.user_id = holds_on.user_id)
      AND (h.agent_id IS NULL OR h.agent_id = holds_on.agent_id)
      AND (h.started IS NULL OR h.started @> holds_on.started_at)
    UNION ALL
    SELECT h.hold_id FROM vrm_private.legal_holds h
    WHERE h.released_at IS NULL AND h.run_id IS NULL AND h.user_id = holds_on.user_id
      AND (h.agent_id IS NULL OR h.agent_id = holds_on.agent_id)
      AND (h.started IS NULL OR h.started @> holds_on.started_at)
    UNION ALL
    SELECT h.hold_id FROM vrm_private.legal_holds h
    WHERE h.released_at IS NULL AND h.run_id IS NULL AND h.user_id IS NULL AND h.agent_id = holds_on.agent_id
      AND (h.started IS NULL OR h.started @> holds_on.started_at)
    UNION ALL
    SELECT h.hold_id FROM vrm_private.legal_holds h
    WHERE h.released_at IS NULL AND h.run_id IS NULL AND h.user_id IS NULL AND h.agent_id IS NULL
      AND h.started @> holds_on.started_at
$$;
COMMENT ON FUNCTION vrm_private.holds_on(uuid, uuid, uuid, timestamptz) IS
    'holds in force on a call, or with nulls on something else of a person and a time';

CREATE OR REPLACE FUNCTION vrm_private.kind_of_hold(run_id uuid, user_id uuid, agent_id uuid) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN run_id IS NOT NULL THEN 'run' WHEN user_id IS NOT NULL THEN 'user'
                WHEN agent_id IS NOT NULL THEN 'agent' ELSE 'time' END;
COMMENT ON FUNCTION vrm_private.kind_of_hold(uuid, uuid, uuid) IS
    'what a hold is about by the first that it names: run, user, agent or time';

CREATE OR REPLACE FUNCTION vrm_private.holds_in_force(kind text)
    RETURNS TABLE (user_id uuid, agent_id uuid, run_id uuid, started tstzrange)
    LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT h.user_id, h.agent_id, h.run_id, h.started FROM vrm_private.legal_holds h
        WHERE h.released_at IS NULL AND vrm_private.kind_of_hold(h.run_id, h.user_id, h.agent_id) = kind;
END
$$;
COMMENT ON FUNCTION vrm_private.holds_in_force(text) IS
    'holds by the first of what they name: run, user, agent or time';

CREATE OR REPLACE FUNCTION vrm_private.kinds_of_holds() RETURNS text[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT DISTINCT vrm_private.kind_of_hold(h.run_id, h.user_id, h.agent_id)
                 FROM vrm_private.legal_holds h WHERE h.released_at IS NULL);
END
$$;
COMMENT ON FUNCTION vrm_private.kinds_of_holds() IS 'kinds of holds that are in force: run, user, agent, time';

-- Whoever changes what a hold might be about takes it shared, and so has ended before a hold is given
-- that it has not seen.  vrm_private.retention_lock() comes first where both are taken.
CREATE OR REPLACE FUNCTION vrm_private.hold_lock() RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS 'SELECT 8462091843120932';
COMMENT ON FUNCTION vrm_private.hold_lock() IS 'key of the advisory lock between holds and those who delete';

-- With one snapshot for the whole transaction a hold that has come since would not be seen: locking a row
-- that every hold changes is an error then, 40001.
CREATE OR REPLACE FUNCTION vrm_private.await_holds() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(vrm_private.hold_lock());
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        PERFORM FROM vrm_private.hold_changes FOR SHARE;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.await_holds() IS 'lets holds that are being placed come first';

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
    PERFORM vrm.require_grant('vrm.place_hold(text,uuid,uuid,uuid,timestamptz,timestamptz)');
    PERFORM vrm_private.check_text('reason', reason, 2000, true);
    IF num_nonnulls(user_id, agent_id, run_id, since, until) = 0 THEN
        RAISE EXCEPTION 'a hold must say what it holds'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'SELECT vrm.place_hold(''case 42'', user_id => ...);';
    END IF;
    IF since >= until THEN  -- an empty time would hold nothing, and nobody would know
        RAISE EXCEPTION 'since must be before until'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s and %s; until is not held itself.', since, until),
                  HINT = 'SELECT vrm.place_hold(''case 42'', since => ''2026-01-01'', until => ''2026-02-01'');';
    END IF;
    -- waits for the batch and the deletions that are under way; the next ones see the hold
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    PERFORM pg_advisory_xact_lock(vrm_private.hold_lock());
    UPDATE vrm_private.hold_changes SET changed_at = now();
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
    PERFORM vrm.require_grant('vrm.release_hold(bigint)');
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

CREATE OR REPLACE FUNCTION vrm_private.raise_held(what text, id uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% "%" is under a legal hold', what, id
        USING ERRCODE = 'object_in_use',
              DETAIL = 'It can be neither deleted nor changed before the hold is released.',
              HINT = 'Ask the database administrator: SELECT vrm.release_hold(...);';
END
$$;
COMMENT ON FUNCTION vrm_private.raise_held(text, uuid) IS 'the error of whoever touches what is held';

-- Whoever deletes: a user a call, the service a recording, an erasure everything.
CREATE OR REPLACE FUNCTION vrm_private.refuse_held() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held uuid;
BEGIN
    IF vrm.is_archiving() THEN
        RETURN NULL;
    END IF;
    PERFORM vrm_private.await_holds();
    SELECT g.id INTO held FROM gone g
    WHERE EXISTS (SELECT FROM vrm_private.holds_on(g.user_id, g.agent_id, g.id, g.started_at))
    LIMIT 1;
    IF held IS NOT NULL THEN
        PERFORM vrm_private.raise_held('test run', held);
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
    PERFORM vrm_private.await_holds();
    SELECT g.id INTO held
    FROM gone g JOIN vrm.test_runs t ON t.user_id = g.user_id AND t.id = g.run_id
    WHERE EXISTS (SELECT FROM vrm_private.holds_on(t.user_id, t.agent_id, t.id, t.started_at))
    LIMIT 1;
    IF held IS NOT NULL THEN
        PERFORM vrm_private.raise_held('recording', held);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_held_recordings() IS
    'trigger: recordings of calls under a legal hold cannot be deleted';

-- A call that is still going on is written to, held or not, but not moved out of its hold; once it has
-- ended it is evidence.
CREATE OR REPLACE FUNCTION vrm_private.refuse_held_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.await_holds();
    IF TG_TABLE_NAME = 'call_recordings' THEN
        IF EXISTS (SELECT FROM vrm.test_runs t, vrm_private.holds_on(t.user_id, t.agent_id, t.id, t.started_at)
                   WHERE t.user_id = OLD.user_id AND t.id = OLD.run_id) THEN
            PERFORM vrm_private.raise_held('recording', OLD.id);
        END IF;
    ELSIF OLD.completed_at IS NULL THEN
        IF EXISTS (SELECT h.hold_id FROM vrm_private.holds_on(OLD.user_id, OLD.agent_id, OLD.id, OLD.started_at) h
                   EXCEPT
                   SELECT h.hold_id FROM vrm_private.holds_on(NEW.user_id, NEW.agent_id, NEW.id, NEW.started_at) h) THEN
            PERFORM vrm_private.raise_held('test run', OLD.id);
        END IF;
    ELSIF EXISTS (SELECT FROM vrm_private.holds_on(OLD.user_id, OLD.agent_id, OLD.id, OLD.started_at)) THEN
        PERFORM vrm_private.raise_held('test run', OLD.id);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_held_change() IS
    'trigger: calls that have ended, recordings and archived calls under a legal hold stay as they are';

CREATE OR REPLACE FUNCTION vrm_private.refuse_held_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held uuid;
BEGIN
    PERFORM vrm_private.await_holds();
    IF TG_RELID = 'vrm_private.test_runs_archive'::regclass THEN
        SELECT t.id INTO held FROM vrm_private.test_runs_archive t
        WHERE EXISTS (SELECT FROM vrm_private.holds_on(t.user_id, t.agent_id, t.id, t.started_at)) LIMIT 1;
    ELSE
        SELECT t.id INTO held FROM vrm.test_runs t
        WHERE EXISTS (SELECT FROM vrm_private.holds_on(t.user_id, t.agent_id, t.id, t.started_at))
          AND (TG_RELID <> 'vrm.call_recordings'::regclass
               OR EXISTS (SELECT FROM vrm.call_recordings c WHERE c.user_id = t.user_id AND c.run_id = t.id)) LIMIT 1;
    END IF;
    IF held IS NOT NULL THEN
        PERFORM vrm_private.raise_held('test run', held);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_held_truncate() IS
    'trigger: a table with something in it that is under a legal hold cannot be emptied';

REVOKE EXECUTE ON FUNCTION
    vrm_private.holds_on(uuid, uuid, uuid, timestamptz),
    vrm_private.kind_of_hold(uuid, uuid, uuid),
    vrm_private.holds_in_force(text),
    vrm_private.kinds_of_holds(),
    vrm_private.hold_lock(),
    vrm_private.await_holds(),
    vrm_private.raise_held(text, uuid),
    vrm_private.refuse_held(),
    vrm_private.refuse_held_recordings(),
    vrm_private.refuse_held_change(),
    vrm_private.refuse_held_truncate(),
    vrm.place_hold(text, uuid, uuid, uuid, timestamptz, timestamptz),
    vrm.release_hold(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.place_hold(text, uuid, uuid, uuid, timestamptz, timestamptz),
    vrm.release_hold(bigint)
    TO service_role;
