-- Facts of calls and statistics made of them in advance

CREATE OR REPLACE FUNCTION vrm_private.rebuild_facts() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed bigint;
BEGIN
    WITH fresh AS (
        SELECT r.user_id, r.id, r.agent_id, r.started_at, r.status, r.outcome, o.kind AS outcome_kind,
               (r.cost * 1000000)::bigint AS cost_micros, r.currency, f.*, s.*
        FROM vrm.test_runs r
        LEFT JOIN vrm.call_outcomes o ON o.name = r.outcome
        CROSS JOIN LATERAL vrm.call_fact(r.status, r.started_at, r.completed_at, r.results) AS f
        CROSS JOIN LATERAL vrm.speech_fact(r.results) AS s
        WHERE r.status IN ('completed', 'failed', 'cancelled') AND isfinite(r.started_at)
    ), behind AS (
        SELECT n.*, o.started_at AS before
        FROM fresh n LEFT JOIN vrm.call_facts o ON o.user_id = n.user_id AND o.id = n.id
        WHERE o.id IS NULL
           OR (o.agent_id, o.started_at, o.status, o.duration_ms, o.sentiment, o.actions, o.customer, o.bad,
               o.outcome, o.cost_micros, o.currency, o.agent_ms, o.customer_ms, o.interruptions, o.answers,
               o.tool_calls, o.tool_failures)
              IS DISTINCT FROM
              (n.agent_id, n.started_at, n.status, n.duration_ms, n.sentiment, n.actions, n.customer, n.bad,
               n.outcome, n.cost_micros, n.currency, n.agent_ms, n.customer_ms, n.interruptions, n.answers,
               n.tool_calls, n.tool_failures)
    ), put AS (
        INSERT INTO vrm.call_facts
            (user_id, id, agent_id, started_at, status, duration_ms, sentiment, actions, customer, bad, outcome,
             outcome_kind, cost_micros, currency, agent_ms, customer_ms, interruptions, answers, tool_calls,
             tool_failures)
        SELECT user_id, id, agent_id, started_at, status, duration_ms, sentiment, actions, customer, bad, outcome,
               outcome_kind, cost_micros, currency, agent_ms, customer_ms, interruptions, answers, tool_calls,
               tool_failures
        FROM behind
        ON CONFLICT (user_id, id) DO UPDATE
        SET agent_id = excluded.agent_id, started_at = excluded.started_at, status = excluded.status,
            duration_ms = excluded.duration_ms, sentiment = excluded.sentiment, actions = excluded.actions,
            customer = excluded.customer, bad = excluded.bad, outcome = excluded.outcome,
            outcome_kind = excluded.outcome_kind, cost_micros = excluded.cost_micros, currency = excluded.currency,
            agent_ms = excluded.agent_ms, customer_ms = excluded.customer_ms, interruptions = excluded.interruptions,
            answers = excluded.answers, tool_calls = excluded.tool_calls, tool_failures = excluded.tool_failures
    ), marked AS (
        INSERT INTO vrm.call_dirty (user_id, day)
        SELECT b.user_id, vrm.utc_day(b.started_at) FROM behind b
        UNION
        SELECT b.user_id, vrm.utc_day(b.before) FROM behind b WHERE b.before IS NOT NULL
    )
    SELECT count(*) INTO changed FROM behind;

    DELETE FROM vrm.live_runs l
    WHERE NOT EXISTS (SELECT FROM vrm.test_runs r
                      WHERE r.user_id = l.user_id AND r.id = l.run_id AND r.status IN ('queued', 'running'));
    INSERT INTO vrm.live_runs (user_id, run_id, started_at)
    SELECT r.user_id, r.id, r.started_at FROM vrm.test_runs r WHERE r.status IN ('queued', 'running')
    ON CONFLICT (user_id, run_id) DO NOTHING;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION vrm_private.rebuild_facts() IS
    'makes the facts of all calls in vrm.test_runs anew and marks their days; returns how many differed';

CREATE OR REPLACE FUNCTION vrm_private.rebuild_rollups() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH marked AS (
        INSERT INTO vrm.call_dirty (user_id, day)
        SELECT f.user_id, vrm.utc_day(f.started_at) FROM vrm.call_facts f
        UNION
        SELECT r.user_id, r.bucket FROM vrm.call_rollup r WHERE r.grain = 'day'
        RETURNING 1
    )
    SELECT count(*) FROM marked
$$;
COMMENT ON FUNCTION vrm_private.rebuild_rollups() IS
    'marks every day as changed, so that readers use the facts until vrm.maintain() has been there again';

-- A day's marks are taken by one statement and the day is made anew by later ones: facts that come between are
-- marked for themselves, and at worst a day is made anew twice.  Days are found by steps along the index, however
-- many marks each has, and each reads its own range of facts.
CREATE OR REPLACE FUNCTION vrm_private.compact_calls(most_days integer DEFAULT 100) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed record;
    users uuid[] := '{}';
    days date[] := '{}';
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('vrm.call_rollup', 0)) THEN
        RETURN 0;  -- somebody is at it
    END IF;
    FOR changed IN
        WITH RECURSIVE marked AS (
            (SELECT d.user_id, d.day FROM vrm.call_dirty d ORDER BY d.user_id, d.day LIMIT 1)
            UNION ALL
            SELECT n.* FROM marked m, LATERAL (SELECT d.user_id, d.day FROM vrm.call_dirty d
                                               WHERE (d.user_id, d.day) > (m.user_id, m.day)
                                               ORDER BY d.user_id, d.day LIMIT 1) AS n
        )
        SELECT m.user_id, m.day FROM marked m LIMIT most_days
    LOOP
        DELETE FROM vrm.call_dirty d WHERE d.user_id = changed.user_id AND d.day = changed.day;
        DELETE FROM vrm.call_rollup r
        WHERE r.user_id = changed.user_id AND r.grain = 'day' AND r.bucket = changed.day;
        INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
        SELECT changed.user_id, 'day', changed.day,
               coalesce(f.agent_id, '00000000-0000-0000-0000-000000000000') AS agent,
               vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad, f.agent_ms,
                              f.customer_ms, f.interruptions, f.answers, f.tool_calls, f.tool_failures,
                              f.outcome_kind, f.cost_micros, f.currency)::bytea
        FROM vrm.call_facts f
        WHERE f.user_id = changed.user_id AND f.started_at >= changed.day::timestamp AT TIME ZONE 'UTC'
          AND f.started_at < (changed.day + 1)::timestamp AT TIME ZONE 'UTC'
        GROUP BY agent;
        users := users || changed.user_id;
        days := days || changed.day;
    END LOOP;

    DELETE FROM vrm.call_rollup r
    USING (SELECT DISTINCT t.user_id, date_trunc('month', t.day::timestamp)::date AS first
           FROM unnest(users, days) AS t (user_id, day)) AS m
    WHERE r.user_id = m.user_id AND r.grain IN ('month', 'user_month') AND r.bucket = m.first;
    INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
    SELECT r.user_id, CASE WHEN grouping(r.agent_id) = 0 THEN 'month' ELSE 'user_month' END, m.first,
           coalesce(r.agent_id, '00000000-0000-0000-0000-000000000000'), vrm.rollup(r.stats::vrm.call_stats)::bytea
    FROM (SELECT DISTINCT t.user_id, date_trunc('month', t.day::timestamp)::date AS first
          FROM unnest(users, days) AS t (user_id, day)) AS m
    JOIN vrm.call_rollup r ON r.user_id = m.user_id AND r.grain = 'day' AND r.bucket >= m.first
                          AND r.bucket < m.first + interval '1 month'
    GROUP BY GROUPING SETS ((r.user_id, m.first, r.agent_id), (r.user_id, m.first));
    RETURN cardinality(users);
END
$$;
COMMENT ON FUNCTION vrm_private.compact_calls(integer) IS
    'makes the statistics of days that have changed anew, for at most so many days; returns how many';
REVOKE EXECUTE ON FUNCTION
    vrm_private.rebuild_facts(), vrm_private.rebuild_rollups(), vrm_private.compact_calls(integer)
    FROM PUBLIC;
