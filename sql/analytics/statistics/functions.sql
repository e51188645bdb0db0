-- Calls as rows and as statistics

-- Whole months and days come from vrm.call_rollup unless something in them has changed since; days that
-- have changed and what juts out of whole days come from the facts; calls that have not ended from
-- vrm.live_runs.  All of it is one snapshot: a STABLE function sees that of its caller's query.
-- OFFSET 0 has each span of facts looked up in the index: a plan for any span would read them all.
CREATE OR REPLACE FUNCTION vrm.statistics_by_agent(
    since timestamptz,
    until timestamptz,
    agents uuid[] DEFAULT NULL,
    together boolean DEFAULT false
)
    RETURNS TABLE (agent_id uuid, stats vrm.call_stats)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    caller uuid := vrm.uid();
    no_agent CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    months CONSTANT text := CASE WHEN together AND agents IS NULL THEN 'user_month' ELSE 'month' END;
    -- whole days are [first_day, last_day), whole months [first_month, last_month)
    first_day date := vrm.utc_day(since);
    last_day date := vrm.utc_day(until);
    first_month date;
    last_month date;
    changed date[];
    changed_months date[];
    days date[];
    starts timestamptz[];
    ends timestamptz[];
BEGIN
    IF since < until IS NOT TRUE THEN
        RETURN;
    END IF;
    IF isfinite(first_day) AND first_day::timestamp AT TIME ZONE 'UTC' < since THEN
        first_day := first_day + 1;
    END IF;
    changed := ARRAY(SELECT DISTINCT d.day FROM vrm.call_dirty d WHERE d.user_id = caller);
    IF first_day >= last_day THEN
        starts := ARRAY[since];
        ends := ARRAY[until];
    ELSE
        first_month := date_trunc('month', first_day::timestamp + interval '1 month - 1 day');
        last_month := greatest(date_trunc('month', last_day::timestamp)::date, first_month);
        changed_months := ARRAY(SELECT DISTINCT date_trunc('month', c::timestamp)::date FROM unnest(changed) AS c
                                WHERE c >= first_month AND c < last_month);
        days := ARRAY(SELECT d FROM (
                    SELECT generate_series(first_day, least(first_month, last_day) - 1, '1 day')::date
                    WHERE first_day < first_month
                    UNION SELECT generate_series(last_month, last_day - 1, '1 day')::date WHERE last_month < last_day
                    UNION SELECT generate_series(m, m + interval '1 month - 1 day', '1 day')::date
                    FROM unnest(changed_months) AS m) AS of (d)
                WHERE d <> ALL (changed));
        SELECT array_agg(s), array_agg(e) INTO starts, ends
        FROM (SELECT c::timestamp AT TIME ZONE 'UTC', (c + 1)::timestamp AT TIME ZONE 'UTC'
              FROM unnest(changed) AS c WHERE c >= first_day AND c < last_day
              UNION ALL SELECT since, first_day::timestamp AT TIME ZONE 'UTC'
              UNION ALL SELECT last_day::timestamp AT TIME ZONE 'UTC', until) AS span (s, e)
        WHERE s < e;
    END IF;

    RETURN QUERY
        SELECT nullif(p.agent_id, no_agent), p.stats
        FROM (SELECT r.agent_id, r.stats::vrm.call_stats
              FROM vrm.call_rollup r
              WHERE r.user_id = caller AND r.grain = months AND r.bucket >= first_month AND r.bucket < last_month
                AND r.bucket <> ALL (changed_months)
              UNION ALL
              SELECT r.agent_id, r.stats::vrm.call_stats
              FROM vrm.call_rollup r
              WHERE r.user_id = caller AND r.grain = 'day' AND r.bucket = ANY (days)) AS p (agent_id, stats)
        WHERE agents IS NULL OR p.agent_id = ANY (agents);
    RETURN QUERY
        SELECT f.agent_id,
               vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad, f.agent_ms,
                              f.customer_ms, f.interruptions, f.answers, f.tool_calls, f.tool_failures,
                              f.outcome_kind, f.cost_micros, f.currency)
        FROM unnest(starts, ends) AS span (s, e)
        CROSS JOIN LATERAL (SELECT c.* FROM vrm.call_facts c
                            WHERE c.user_id = caller AND c.started_at >= span.s AND c.started_at < span.e
                            OFFSET 0) AS f
        WHERE agents IS NULL OR f.agent_id = ANY (agents)
        GROUP BY f.agent_id;
    RETURN QUERY
        SELECT r.agent_id, vrm.call_stats(r.status, NULL, NULL, NULL, NULL)
        FROM vrm.live_runs l JOIN vrm.test_runs r ON r.user_id = l.user_id AND r.id = l.run_id
        WHERE l.user_id = caller AND r.status IN ('queued', 'running')
          AND r.started_at >= since AND r.started_at < until
          AND (agents IS NULL OR r.agent_id = ANY (agents))
        GROUP BY r.agent_id;
END
$$;
COMMENT ON FUNCTION vrm.statistics_by_agent(timestamptz, timestamptz, uuid[], boolean) IS
    'the caller''s calls of a time as statistics, of each agent or several together, for vrm.rollup() to add up';

CREATE OR REPLACE FUNCTION vrm.call_statistics(
    since timestamptz DEFAULT '-infinity',
    until timestamptz DEFAULT 'infinity',
    agents uuid[] DEFAULT NULL
) RETURNS vrm.call_stats
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.rollup(s.stats) FROM vrm.statistics_by_agent(since, until, agents, true) s
$$;
COMMENT ON FUNCTION vrm.call_statistics(timestamptz, timestamptz, uuid[]) IS
    'the caller''s calls of a time, of all agents or some, as statistics: vrm.duration_quantile(...), vrm.summary(...)';

-- As above, with one difference: a day that an edge cuts in two comes from the facts, too.  In a zone that
-- is hours away from UTC that is every day; so days in a row are read as one span.
-- Planned anew each time: what is read depends on the edges.
CREATE OR REPLACE FUNCTION vrm.statistics_by_bucket(edges timestamptz[], agents uuid[] DEFAULT NULL)
    RETURNS TABLE (bucket integer, stats vrm.call_stats)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    caller uuid := vrm.uid();
    since timestamptz := edges[1];
    until timestamptz := edges[cardinality(edges)];
    mixed date[];
    starts timestamptz[];
    ends timestamptz[];
BEGIN
    IF EXISTS (SELECT FROM unnest(edges, edges[2:]) WITH ORDINALITY AS e (edge, next, place)
               WHERE e.edge IS NULL OR NOT isfinite(e.edge) OR e.edge > e.next) THEN
        RAISE EXCEPTION 'edges of buckets must ascend, and none may be null or infinite'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', left(edges::text, 100)),
                  HINT = 'For example: ARRAY[now() - interval ''2 hours'', now() - interval ''1 hour'', now()].';
    END IF;
    mixed := ARRAY(SELECT vrm.utc_day(e) FROM unnest(edges) AS e
                   WHERE e <> vrm.utc_day(e)::timestamp AT TIME ZONE 'UTC'
                   UNION
                   SELECT d.day FROM vrm.call_dirty d
                   WHERE d.user_id = caller AND d.day >= vrm.utc_day(since) AND d.day <= vrm.utc_day(until));
    SELECT array_agg(greatest(r.first_day::timestamp AT TIME ZONE 'UTC', since)),
           array_agg(least((r.last_day + 1)::timestamp AT TIME ZONE 'UTC', until))
    INTO starts, ends
    FROM (SELECT min(m.day) AS first_day, max(m.day) AS last_day
          FROM (SELECT day, day - (row_number() OVER (ORDER BY day))::integer AS run FROM unnest(mixed) AS day) AS m
          GROUP BY m.run) AS r;

    RETURN QUERY
        SELECT width_bucket(r.bucket::timestamp AT TIME ZONE 'UTC', edges), vrm.rollup(r.stats::vrm.call_stats)
        FROM vrm.call_rollup r
        WHERE r.user_id = caller AND r.grain = 'day' AND r.bucket >= vrm.utc_day(since)
          AND r.bucket < vrm.utc_day(until) AND r.bucket <> ALL (mixed)
          AND (agents IS NULL OR r.agent_id = ANY (agents))
        GROUP BY 1;
    RETURN QUERY
        SELECT width_bucket(f.started_at, edges),
               vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad, f.agent_ms,
                              f.customer_ms, f.interruptions, f.answers, f.tool_calls, f.tool_failures,
                              f.outcome_kind, f.cost_micros, f.currency)
        FROM unnest(starts, ends) AS span (s, e)
        CROSS JOIN LATERAL (SELECT c.* FROM vrm.call_facts c
                            WHERE c.user_id = caller AND c.started_at >= span.s AND c.started_at < span.e
                            OFFSET 0) AS f
        WHERE agents IS NULL OR f.agent_id = ANY (agents)
        GROUP BY 1;
    RETURN QUERY
        SELECT width_bucket(r.started_at, edges), vrm.call_stats(r.status, NULL, NULL, NULL, NULL)
        FROM vrm.live_runs l JOIN vrm.test_runs r ON r.user_id = l.user_id AND r.id = l.run_id
        WHERE l.user_id = caller AND r.status IN ('queued', 'running')
          AND r.started_at >= since AND r.started_at < until
          AND (agents IS NULL OR r.agent_id = ANY (agents))
        GROUP BY 1;
END
$$;
COMMENT ON FUNCTION vrm.statistics_by_bucket(timestamptz[], uuid[]) IS
    'the caller''s calls between each edge and the next as statistics, in several parts, for vrm.rollup() to add up';

REVOKE EXECUTE ON FUNCTION
    vrm.statistics_by_agent(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_statistics(timestamptz, timestamptz, uuid[]),
    vrm.statistics_by_bucket(timestamptz[], uuid[])
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.statistics_by_agent(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_statistics(timestamptz, timestamptz, uuid[]),
    vrm.statistics_by_bucket(timestamptz[], uuid[])
    TO authenticated;
