-- Calls as rows and as statistics

-- Each bucket is cut into whole months, whole days and whole quarters of an hour, of which vrm.call_rollup has the
-- statistics unless something in them has changed since.  Quarters that have changed and what juts out of whole
-- ones come from the facts; calls that have not ended from vrm.live_runs.  All of it is one snapshot: a STABLE
-- function sees that of its caller's query.
-- OFFSET 0 has each piece looked up in the index: a plan for any piece would read them all.  What is returned is
-- some megabytes for the days of a year, which would go through a file with little work_mem.
CREATE OR REPLACE FUNCTION vrm.statistics_between(
    edges timestamptz[],
    agents uuid[] DEFAULT NULL,
    together boolean DEFAULT false
)
    RETURNS TABLE (bucket integer, agent_id uuid, stats vrm.call_stats)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET work_mem = '32MB' AS $$
#variable_conflict use_column
DECLARE
    caller uuid := vrm.uid();
    no_agent CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    whose CONSTANT text := CASE WHEN together AND agents IS NULL THEN 'user_' ELSE '' END;
    since timestamptz := edges[1];
    until timestamptz := edges[cardinality(edges)];
    first_day date := vrm.utc_day(since);
    last_day date := vrm.utc_day(until);
    changed_days date[];
    changed_quarters integer[];
    months CONSTANT text := whose || 'month';
    days CONSTANT text := whose || 'day';
    quarters CONSTANT text := whose || 'parts';
    of record;
    live uuid[];
BEGIN
    IF since < until IS NOT TRUE THEN
        RETURN;
    END IF;
    -- by steps along the index, however many marks there are
    WITH RECURSIVE changed AS (
        (SELECT d.day, d.quarter FROM vrm.call_dirty d
         WHERE d.user_id = caller AND d.day >= first_day AND d.day <= last_day
         ORDER BY d.day, d.quarter LIMIT 1)
        UNION ALL
        SELECT n.* FROM changed c, LATERAL (SELECT d.day, d.quarter FROM vrm.call_dirty d
                                            WHERE d.user_id = caller AND (d.day, d.quarter) > (c.day, c.quarter)
                                              AND d.day <= last_day
                                            ORDER BY d.day, d.quarter LIMIT 1) AS n
    )
    SELECT coalesce(array_agg(c.day), '{}'), coalesce(array_agg(c.quarter), '{}')
    INTO changed_days, changed_quarters FROM changed c;
    of := vrm.cover_time(edges, changed_days, changed_quarters);

    IF of.range_bucket <> '{}' AND cardinality(edges) = 2 THEN
        -- of one bucket hundreds of states add up, and here they need not be kept before
        RETURN QUERY
            SELECT 1, nullif(r.agent_id, no_agent), vrm.rollup(r.stats)
            FROM unnest(of.range_is_month, of.range_first, of.range_last) AS p (is_month, first, last)
            CROSS JOIN LATERAL (SELECT r.agent_id, r.stats::vrm.call_stats AS stats
                                FROM vrm.call_rollup r
                                WHERE r.user_id = caller AND r.grain = CASE WHEN p.is_month THEN months ELSE days END
                                  AND r.bucket >= p.first AND r.bucket < p.last
                                  AND (agents IS NULL OR r.agent_id = ANY (agents))
                                OFFSET 0) AS r
            GROUP BY r.agent_id;
    ELSIF of.range_bucket <> '{}' THEN
        RETURN QUERY
            SELECT p.bucket, nullif(r.agent_id, no_agent), r.stats
            FROM unnest(of.range_bucket, of.range_is_month, of.range_first, of.range_last)
                 AS p (bucket, is_month, first, last)
            CROSS JOIN LATERAL (SELECT r.agent_id, r.stats::vrm.call_stats AS stats
                                FROM vrm.call_rollup r
                                WHERE r.user_id = caller AND r.grain = CASE WHEN p.is_month THEN months ELSE days END
                                  AND r.bucket >= p.first AND r.bucket < p.last
                                  AND (agents IS NULL OR r.agent_id = ANY (agents))
                                OFFSET 0) AS r;
    END IF;
    IF of.part_bucket <> '{}' THEN
        RETURN QUERY
            SELECT p.bucket, nullif(r.agent_id, no_agent), r.stats
            FROM unnest(of.part_bucket, of.part_day, of.part_since, of.part_until) AS p (bucket, day, since, until)
            CROSS JOIN LATERAL (SELECT r.agent_id, vrm.part_of_day(r.stats, p.since, p.until) AS stats
                                FROM vrm.call_rollup r
                                WHERE r.user_id = caller AND r.grain = quarters AND r.bucket = p.day
                                  AND (agents IS NULL OR r.agent_id = ANY (agents))
                                OFFSET 0) AS r
            WHERE r.stats IS NOT NULL;
    END IF;
    IF of.span_since <> '{}' THEN
        RETURN QUERY
            SELECT width_bucket(f.started_at, edges), CASE WHEN NOT together THEN f.agent_id END,
                   vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad, f.agent_ms,
                                  f.customer_ms, f.interruptions, f.answers, f.tool_calls, f.tool_failures,
                                  f.outcome_kind, f.cost_micros, f.currency)
            FROM unnest(of.span_since, of.span_until) AS span (s, e)
            CROSS JOIN LATERAL (SELECT c.* FROM vrm.call_facts c
                                WHERE c.user_id = caller AND c.started_at >= span.s AND c.started_at < span.e
                                OFFSET 0) AS f
            WHERE agents IS NULL OR f.agent_id = ANY (agents)
            GROUP BY 1, 2;
    END IF;
    live := ARRAY(SELECT l.run_id FROM vrm.live_runs l WHERE l.user_id = caller);
    IF live <> '{}' THEN
        RETURN QUERY
            SELECT width_bucket(r.started_at, edges), CASE WHEN NOT together THEN r.agent_id END,
                   vrm.call_stats(r.status, NULL, NULL, NULL, NULL)
            FROM (SELECT t.* FROM vrm.test_runs t WHERE t.user_id = caller AND t.id = ANY (live) OFFSET 0) AS r
            WHERE r.status IN ('queued', 'running') AND r.started_at >= since AND r.started_at < until
              AND (agents IS NULL OR r.agent_id = ANY (agents))
            GROUP BY 1, 2;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.statistics_between(timestamptz[], uuid[], boolean) IS
    'the caller''s calls between each edge and the next as statistics, in several parts, of each agent or together';

CREATE OR REPLACE FUNCTION vrm.statistics_by_agent(
    since timestamptz,
    until timestamptz,
    agents uuid[] DEFAULT NULL,
    together boolean DEFAULT false
)
    RETURNS TABLE (agent_id uuid, stats vrm.call_stats)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT s.agent_id, s.stats FROM vrm.statistics_between(ARRAY[since, until], agents, together) s;
END
$$;
COMMENT ON FUNCTION vrm.statistics_by_agent(timestamptz, timestamptz, uuid[], boolean) IS
    'the caller''s calls of a time as statistics, of each agent or several together, for vrm.rollup() to add up';

-- PL/pgSQL keeps the plan, which takes longer to make than what it does.
CREATE OR REPLACE FUNCTION vrm.call_statistics(
    since timestamptz DEFAULT '-infinity',
    until timestamptz DEFAULT 'infinity',
    agents uuid[] DEFAULT NULL
) RETURNS vrm.call_stats
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT vrm.rollup(s.stats) FROM vrm.statistics_between(ARRAY[since, until], agents, true) s);
END
$$;
COMMENT ON FUNCTION vrm.call_statistics(timestamptz, timestamptz, uuid[]) IS
    'the caller''s calls of a time, of all agents or some, as statistics: vrm.duration_quantile(...), vrm.summary(...)';

CREATE OR REPLACE FUNCTION vrm.statistics_by_bucket(edges timestamptz[], agents uuid[] DEFAULT NULL)
    RETURNS TABLE (bucket integer, stats vrm.call_stats)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF EXISTS (SELECT FROM unnest(edges, edges[2:]) WITH ORDINALITY AS e (edge, next, place)
               WHERE e.edge IS NULL OR NOT isfinite(e.edge) OR e.edge > e.next) THEN
        RAISE EXCEPTION 'edges of buckets must ascend, and none may be null or infinite'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', left(edges::text, 100)),
                  HINT = 'For example: ARRAY[now() - interval ''2 hours'', now() - interval ''1 hour'', now()].';
    END IF;
    RETURN QUERY SELECT s.bucket, s.stats FROM vrm.statistics_between(edges, agents, true) s;
END
$$;
COMMENT ON FUNCTION vrm.statistics_by_bucket(timestamptz[], uuid[]) IS
    'the caller''s calls between each edge and the next as statistics, in several parts, for vrm.rollup() to add up';

REVOKE EXECUTE ON FUNCTION
    vrm.statistics_between(timestamptz[], uuid[], boolean),
    vrm.statistics_by_agent(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_statistics(timestamptz, timestamptz, uuid[]),
    vrm.statistics_by_bucket(timestamptz[], uuid[])
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.statistics_between(timestamptz[], uuid[], boolean),
    vrm.statistics_by_agent(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_statistics(timestamptz, timestamptz, uuid[]),
    vrm.statistics_by_bucket(timestamptz[], uuid[])
    TO authenticated;
