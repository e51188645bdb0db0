-- Retention: what is due, and what keeps it ------------------------------------------------------

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

-- No whole row is ever named (r.*): that would fetch and decompress all of it.
-- belongs: rows that the policy is about; due: of them those old enough, $1 being the cutoff and $2
-- the moment of the run; free: of them those that nothing holds back; whole: what goes are partitions,
-- not rows.  "r" is the row.  PL/pgSQL keeps the plan, which takes longer to make than to run.
CREATE OR REPLACE FUNCTION vrm_private.retention_rules()
    RETURNS TABLE (policy text, target text, belongs text, due text, free text, age text, size text, plan text,
                   whole boolean)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT p.policy, 'vrm.test_runs', p.belongs, 'r.completed_at < $1',
           -- a call stays as long as one of its recordings does, or what nobody has folded into its results
           'NOT ' || vrm_private.hold_on('r.user_id', 'r.agent_id', 'r.id', 'r.started_at')
           || ' AND NOT EXISTS (SELECT FROM vrm.call_recordings c WHERE c.user_id = r.user_id AND c.run_id = r.id)'
           || ' AND NOT EXISTS (SELECT FROM vrm.transcript_turns t WHERE t.user_id = r.user_id AND t.run_id = r.id)'
           || ' AND NOT EXISTS (SELECT FROM vrm.run_actions a WHERE a.user_id = r.user_id AND a.run_id = r.id)',
           'r.completed_at', $r$100 + coalesce(pg_column_size(r.results), 0)
             + coalesce(pg_column_size(r.outbound_call_params), 0) + coalesce(pg_column_size(r.error), 0)$r$,
           p.plan, false
    FROM (VALUES ('calls.active', $r$r.status IN ('queued', 'running')$r$, 'keep'),
                 ('calls.completed', $r$r.status = 'completed'$r$, 'move to vrm_private.test_runs_archive'),
                 ('calls.failed', $r$r.status IN ('failed', 'cancelled')$r$, 'move to vrm_private.test_runs_archive')
         ) AS p (policy, belongs, plan)
    UNION ALL
    SELECT 'archive', 'vrm_private.test_runs_archive', 'true',
           $r$r.tableoid = ANY ((SELECT vrm_private.expired_partitions('vrm_private.test_runs_archive', $1))::oid[])$r$,
           $r$r.tableoid <> ALL ((SELECT vrm_private.held_partitions('vrm_private.test_runs_archive', $1))::oid[])$r$,
           'r.archived_at', '100 + coalesce(pg_column_size(r.results), 0)',
           'drop partitions of vrm_private.test_runs_archive', true
    UNION ALL
    SELECT 'logs.' || class, 'vrm.logs_' || class, 'true',
           format('r.tableoid = ANY ((SELECT vrm_private.expired_partitions(%L, $1))::oid[])'
                  ' OR r.at < $1 AND r.tableoid = %L::regclass', 'vrm.logs_' || class, 'vrm.logs_' || class || '_rest'),
           format('r.tableoid <> ALL ((SELECT vrm_private.held_partitions(%L, $1))::oid[])'
                  ' AND NOT (r.tableoid = %L::regclass AND %s)', 'vrm.logs_' || class, 'vrm.logs_' || class || '_rest',
                  vrm_private.hold_on('r.user_id', 'NULL', 'NULL', 'r.at')),
           'r.at', '100 + coalesce(pg_column_size(r.data), 0)', 'drop partitions of vrm.logs_' || class, true
    FROM unnest('{application,error,analytics}'::text[]) AS class
    UNION ALL
    SELECT 'recordings', 'vrm.call_recordings', 'true',
           'CASE WHEN r.keep IS NULL THEN r.recorded_at ELSE vrm_private.retention_cutoff(-r.keep, r.recorded_at) END'
           ' < CASE WHEN r.keep IS NULL THEN $1 ELSE $2 END',
           'NOT EXISTS (SELECT FROM vrm.test_runs t WHERE t.user_id = r.user_id AND t.id = r.run_id AND '
           || vrm_private.hold_on('t.user_id', 't.agent_id', 't.id', 't.started_at') || ')',
           'r.recorded_at', 'r.bytes', 'delete, and the object through vrm.claim_purges()', false
    UNION ALL
    -- whole months: statistics of a month would otherwise outlive those of its days
    SELECT 'analytics.facts', 'vrm.call_facts', 'true', $r$r.started_at < date_trunc('month', $1, 'UTC')$r$,
           'NOT ' || vrm_private.hold_on('r.user_id', 'r.agent_id', 'r.id', 'r.started_at'),
           'r.started_at', '100', 'delete', false
    UNION ALL
    SELECT 'analytics.rollups', 'vrm.call_rollup', 'true',
           $r$r.bucket < (date_trunc('month', $1, 'UTC') AT TIME ZONE 'UTC')::date$r$, 'true',
           $r$r.bucket::timestamp AT TIME ZONE 'UTC'$r$, '50 + pg_column_size(r.stats)', 'delete', false
    UNION ALL
    SELECT p.policy, 'vrm.user_profiles', p.belongs, p.due,
           p.free || ' AND NOT EXISTS (SELECT FROM vrm_private.legal_holds h'
                     ' WHERE h.released_at IS NULL AND h.user_id = r.id)',
           p.age, '200', p.plan, false
    FROM (VALUES ('users.inactive', 'r.deleted_at IS NULL',
                  'vrm_private.last_seen(r.id, r.last_login, r.created_at) < $1',
                  $r$r.role <> 'admin'$r$, 'vrm_private.last_seen(r.id, r.last_login, r.created_at)',
                  'vrm.delete_account()'),
                 ('users.deleted', 'r.deleted_at IS NOT NULL', 'r.deleted_at < $1', 'true', 'r.deleted_at',
                  'vrm.erase_user()')
         ) AS p (policy, belongs, due, free, age, plan);
END
$$;
COMMENT ON FUNCTION vrm_private.retention_rules() IS
    'the rules of retention: conditions on a row "r", $1 the cutoff, $2 the moment of the run';

-- In UTC whatever the session's TimeZone: a month before the end of March is another hour elsewhere.
CREATE OR REPLACE FUNCTION vrm_private.retention_cutoff(keep interval, at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ((at AT TIME ZONE 'UTC') - keep) AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION vrm_private.retention_cutoff(interval, timestamptz) IS
    'the moment before which things are older than "keep", in UTC';

-- One batch of whatever policy at a time, and holds and erasures between batches, never within one.
CREATE OR REPLACE FUNCTION vrm_private.retention_lock() RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS 'SELECT 8462091843120931';
COMMENT ON FUNCTION vrm_private.retention_lock() IS 'key of the advisory lock that serialises batches';

CREATE OR REPLACE FUNCTION vrm.retention_preview(policy text DEFAULT NULL)
    RETURNS TABLE (policy_name text, cutoff timestamptz, due_rows bigint, due_bytes bigint, held_rows bigint,
                   oldest timestamptz, plan text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    rule record;
    as_of timestamptz := now();
BEGIN
    PERFORM vrm_private.check_policy(retention_preview.policy);
    FOR rule IN
        SELECT r.*, p.keep, p.enabled
        FROM vrm_private.retention_rules() r JOIN vrm.retention_policies p ON p.name = r.policy
        WHERE p.name = retention_preview.policy OR retention_preview.policy IS NULL
        ORDER BY p.name
    LOOP
        policy_name := rule.policy;
        cutoff := vrm_private.retention_cutoff(rule.keep, as_of);
        IF rule.keep IS NULL OR NOT rule.enabled THEN
            -- rows with a period of their own stay, too: no run looks at them
            SELECT 0, 0, 0, NULL, CASE WHEN rule.keep IS NULL THEN 'keep for ever' ELSE 'nothing, disabled' END
            INTO due_rows, due_bytes, held_rows, oldest, plan;
            RETURN NEXT;
            CONTINUE;
        END IF;
        plan := rule.plan;
        EXECUTE format('SELECT count(*) FILTER (WHERE NOT s.held), coalesce(sum(s.size) FILTER (WHERE NOT s.held), 0),'
                       ' count(*) FILTER (WHERE s.held), min(s.age) FILTER (WHERE NOT s.held)'
                       ' FROM (SELECT %s AS size, %s AS age, NOT (%s) AS held FROM %s r WHERE (%s) AND (%s)) AS s',
                       rule.size, rule.age, rule.free, rule.target, rule.belongs, rule.due)
            INTO due_rows, due_bytes, held_rows, oldest USING cutoff, as_of;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.retention_preview(text) IS
    'what a run would do now, to the row: how much is due, how much is held, since when, and what becomes of it';

CREATE OR REPLACE FUNCTION vrm.retention_coverage()
    RETURNS TABLE (target text, no_policy bigint, several_policies bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT r.target, coalesce(string_agg(format('(%s)::integer', r.belongs), ' + ') FILTER (WHERE p.enabled),
                                  '0') AS matches
        FROM vrm_private.retention_rules() r LEFT JOIN vrm.retention_policies p ON p.name = r.policy
        GROUP BY r.target
        ORDER BY r.target
    LOOP
        target := rule.target;
        EXECUTE format('SELECT count(*) FILTER (WHERE m = 0), count(*) FILTER (WHERE m > 1)'
                       ' FROM (SELECT %s AS m FROM %s r) AS s', rule.matches, rule.target)
            INTO no_policy, several_policies;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.retention_coverage() IS
    'rows that no enabled policy is about, or several are: both should be 0 everywhere';

CREATE OR REPLACE FUNCTION vrm_private.check_policy(policy text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF policy IS NOT NULL AND NOT EXISTS (SELECT FROM vrm.retention_policies WHERE name = policy) THEN
        RAISE EXCEPTION 'retention policy "%" does not exist', policy
            USING ERRCODE = 'undefined_object',
                  HINT = 'SELECT name, keep FROM vrm.retention_policies;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_policy(text) IS 'an error when there is no such policy';

-- Legal holds ------------------------------------------------------------------------------------

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
CREATE TRIGGER refuse_held AFTER DELETE ON vrm.test_runs REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.refuse_held();
COMMENT ON TRIGGER refuse_held ON vrm.test_runs IS 'legal holds are respected';

CREATE OR REPLACE FUNCTION vrm.stop_retention(run_id bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE vrm.retention_runs r SET stop_requested = true
    WHERE r.run_id = stop_retention.run_id AND r.state = 'running';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'retention run % is not running', coalesce(run_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT run_id, policy FROM vrm.retention_progress;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.stop_retention(bigint) IS
    'asks a run to stop after its batch; what it has done stays done, the next run goes on';

REVOKE EXECUTE ON FUNCTION
    vrm_private.retention_rules(), vrm_private.hold_on(text, text, text, text),
    vrm_private.retention_cutoff(interval, timestamptz), vrm_private.retention_lock(),
    vrm_private.check_policy(text), vrm_private.refuse_held(), vrm.retention_preview(text),
    vrm.retention_coverage(), vrm.place_hold(text, uuid, uuid, uuid, timestamptz, timestamptz),
    vrm.release_hold(bigint), vrm.stop_retention(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.retention_preview(text), vrm.retention_coverage(),
    vrm.place_hold(text, uuid, uuid, uuid, timestamptz, timestamptz), vrm.release_hold(bigint),
    vrm.stop_retention(bigint)
    TO service_role;
