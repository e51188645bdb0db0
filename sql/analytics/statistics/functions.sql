-- Calls as rows and as statistics

-- Each bucket is cut into whole months, whole days and whole quarters of an hour, of which vrm.call_rollup has the
-- statistics unless something in them has changed since.  Quarters that have changed and what juts out of whole
-- ones come from the facts; calls that have not ended from vrm.live_runs.  All of it is one snapshot: a STABLE
-- function sees that of its caller's query.
-- Only what comes of facts and of live calls is there already; the others are pointed at.  States of a year of days
-- are megabytes, which a function's result would copy, and the pages for it take longer than adding them up.
CREATE OR REPLACE FUNCTION vrm.statistics_pieces(edges timestamptz[], agents uuid[], together boolean)
    RETURNS TABLE (bucket integer, grain text, first date, last date, since integer, until integer, agent_id uuid,
                   stats bytea)
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    caller uuid := vrm.uid();
    whose CONSTANT text := CASE WHEN together AND agents IS NULL THEN 'user_' ELSE '' END;
    first_edge timestamptz := edges[1];
    last_edge timestamptz := edges[cardinality(edges)];
    first_day date := vrm.utc_day(first_edge);
    last_day date := vrm.utc_day(last_edge);
    changed_days date[];
    changed_quarters integer[];
    of record;
    live uuid[];
BEGIN
    IF first_edge < last_edge IS NOT TRUE THEN
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

    RETURN QUERY
        SELECT p.bucket, whose || CASE WHEN p.is_month THEN 'month' ELSE 'day' END, p.first, p.last, NULL::integer,
               NULL::integer, NULL::uuid, NULL::bytea
        FROM unnest(of.range_bucket, of.range_is_month, of.range_first, of.range_last)
             AS p (bucket, is_month, first, last)
        UNION ALL
        SELECT p.bucket, whose || 'parts', p.day, p.day + 1, p.since, p.until, NULL, NULL
        FROM unnest(of.part_bucket, of.part_day, of.part_since, of.part_until) AS p (bucket, day, since, until);
    IF of.span_since <> '{}' THEN
        RETURN QUERY
            SELECT width_bucket(f.started_at, edges), NULL::text, NULL::date, NULL::date, NULL::integer, NULL::integer,
                   CASE WHEN NOT together THEN f.agent_id END,
                   vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad, f.agent_ms,
                                  f.customer_ms, f.interruptions, f.answers, f.tool_calls, f.tool_failures,
                                  f.outcome_kind, f.cost_micros, f.currency)::bytea
            FROM unnest(of.span_since, of.span_until) AS span (s, e)
            CROSS JOIN LATERAL (SELECT c.* FROM vrm.call_facts c
                                WHERE c.user_id = caller AND c.started_at >= span.s AND c.started_at < span.e
                                OFFSET 0) AS f
            WHERE agents IS NULL OR f.agent_id = ANY (agents)
            GROUP BY 1, 7;
    END IF;
    live := ARRAY(SELECT l.run_id FROM vrm.live_runs l WHERE l.user_id = caller);
    IF live <> '{}' THEN
        RETURN QUERY
            SELECT width_bucket(r.started_at, edges), NULL::text, NULL::date, NULL::date, NULL::integer, NULL::integer,
                   CASE WHEN NOT together THEN r.agent_id END, vrm.call_stats(r.status, NULL, NULL, NULL, NULL)::bytea
            FROM (SELECT t.* FROM vrm.test_runs t WHERE t.user_id = caller AND t.id = ANY (live) OFFSET 0) AS r
            WHERE r.status IN ('queued', 'running') AND r.started_at >= first_edge AND r.started_at < last_edge
              AND (agents IS NULL OR r.agent_id = ANY (agents))
            GROUP BY 1, 7;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.statistics_pieces(timestamptz[], uuid[], boolean) IS
    'of what the statistics of the caller''s calls between each edge and the next consist, for vrm.piece_statistics()';

-- The planner writes it into the query that asks, so that states are added up where they are.
-- OFFSET 0 has each piece looked up in the index: a plan for any piece would read them all.
CREATE OR REPLACE FUNCTION vrm.piece_statistics(
    owner uuid, agents uuid[], grain text, first date, last date, of_agent uuid, made bytea
)
    RETURNS TABLE (agent_id uuid, stats bytea)
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT of_agent, made WHERE grain IS NULL
    UNION ALL
    (SELECT CASE WHEN r.agent_id OPERATOR(pg_catalog.<>) '00000000-0000-0000-0000-000000000000' THEN r.agent_id END,
            r.stats
     FROM vrm.call_rollup r
     WHERE r.user_id OPERATOR(pg_catalog.=) owner AND r.grain OPERATOR(pg_catalog.=) piece_statistics.grain
       AND r.bucket OPERATOR(pg_catalog.>=) first AND r.bucket OPERATOR(pg_catalog.<) last
       AND (agents IS NULL OR r.agent_id OPERATOR(pg_catalog.=) ANY (agents))
     OFFSET 0)
$$;
COMMENT ON FUNCTION vrm.piece_statistics(uuid, uuid[], text, date, date, uuid, bytea) IS
    'what is stored of a row of vrm.statistics_pieces(), for vrm.rollup_pieces(stats, since, until)';

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
BEGIN
    IF cardinality(edges) = 2 THEN  -- of one bucket hundreds of states add up, and need not be kept before
        RETURN QUERY
            SELECT 1, s.agent_id, vrm.rollup_pieces(s.stats, p.since, p.until)
            FROM vrm.statistics_pieces(edges, agents, together) p,
                 vrm.piece_statistics(caller, agents, p.grain, p.first, p.last, p.agent_id, p.stats) s
            GROUP BY s.agent_id
            HAVING vrm.call_count(vrm.rollup_pieces(s.stats, p.since, p.until)) > 0;
    ELSE
        RETURN QUERY
            SELECT p.bucket, s.agent_id, c.stats
            FROM vrm.statistics_pieces(edges, agents, together) p,
                 vrm.piece_statistics(caller, agents, p.grain, p.first, p.last, p.agent_id, p.stats) s,
                 LATERAL (SELECT CASE WHEN p.since IS NULL THEN s.stats::vrm.call_stats
                                      ELSE vrm.part_of_day(s.stats, p.since, p.until) END AS stats
                          OFFSET 0) AS c
            WHERE c.stats IS NOT NULL;
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
DECLARE
    caller uuid := vrm.uid();
BEGIN
    RETURN (SELECT vrm.rollup_pieces(s.stats, p.since, p.until)
            FROM vrm.statistics_pieces(ARRAY[call_statistics.since, call_statistics.until], agents, true) p,
                 vrm.piece_statistics(caller, agents, p.grain, p.first, p.last, p.agent_id, p.stats) s);
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
    vrm.statistics_pieces(timestamptz[], uuid[], boolean),
    vrm.piece_statistics(uuid, uuid[], text, date, date, uuid, bytea),
    vrm.statistics_between(timestamptz[], uuid[], boolean),
    vrm.statistics_by_agent(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_statistics(timestamptz, timestamptz, uuid[]),
    vrm.statistics_by_bucket(timestamptz[], uuid[])
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.statistics_pieces(timestamptz[], uuid[], boolean),
    vrm.piece_statistics(uuid, uuid[], text, date, date, uuid, bytea),
    vrm.statistics_between(timestamptz[], uuid[], boolean),
    vrm.statistics_by_agent(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_statistics(timestamptz, timestamptz, uuid[]),
    vrm.statistics_by_bucket(timestamptz[], uuid[])
    TO authenticated;
