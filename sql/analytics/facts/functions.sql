-- Facts of calls and statistics made of them in advance

-- In microseconds since 1970 a time ends somewhat earlier than in PostgreSQL.
CREATE OR REPLACE FUNCTION vrm_private.has_a_day(started_at timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN isfinite(started_at) AND started_at < timestamptz '294247-01-01 00:00+00';
COMMENT ON FUNCTION vrm_private.has_a_day(timestamptz) IS 'whether a call that began then counts';
REVOKE EXECUTE ON FUNCTION vrm_private.has_a_day(timestamptz) FROM PUBLIC;

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
        WHERE r.status IN ('completed', 'failed', 'cancelled') AND vrm_private.has_a_day(r.started_at)
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
    INSERT INTO vrm.live_runs (user_id, run_id)
    SELECT r.user_id, r.id FROM vrm.test_runs r WHERE r.status IN ('queued', 'running')
    ON CONFLICT (user_id, run_id) DO NOTHING;
    INSERT INTO vrm.test_run_cases (user_id, run_id, position, case_user_id, case_id)
    SELECT r.user_id, r.id, e.position, c.user_id, c.id
    FROM vrm.test_runs r,
         jsonb_array_elements_text(CASE jsonb_typeof(r.test_case_ids) WHEN 'array' THEN r.test_case_ids ELSE '[]' END)
             WITH ORDINALITY AS e (id, position),
         LATERAL (SELECT t.user_id, t.id FROM vrm.test_cases t
                  WHERE t.id::text = lower(e.id) AND (t.user_id = r.user_id OR t.is_shared)
                  ORDER BY t.user_id <> r.user_id LIMIT 1) AS c
    WHERE r.test_case_ids IS NOT NULL
      AND NOT EXISTS (SELECT FROM vrm.test_run_cases l WHERE l.user_id = r.user_id AND l.run_id = r.id)
    ON CONFLICT ON CONSTRAINT test_run_cases_pkey DO NOTHING;
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

-- Of a day of which only some quarters have changed, only their facts are read.  Marks are taken by one statement
-- and statistics made by later ones: facts that come between are marked for themselves, and at worst are read
-- twice.
CREATE OR REPLACE FUNCTION vrm_private.compact_day(owner uuid, of_day date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    no_agent CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    nothing CONSTANT bytea := E'\\x010000';
    midnight CONSTANT timestamptz := of_day::timestamp AT TIME ZONE 'UTC';
    changed integer[];
    agents uuid[];
    fresh bytea[];
BEGIN
    WITH gone AS (
        DELETE FROM vrm.call_dirty d WHERE d.user_id = owner AND d.day = of_day RETURNING d.quarter
    )
    SELECT array_agg(DISTINCT g.quarter ORDER BY g.quarter) INTO changed FROM gone g;
    IF changed[1] < 0 OR NOT EXISTS (SELECT FROM vrm.call_rollup r
                                     WHERE r.user_id = owner AND r.grain = 'user_parts' AND r.bucket = of_day) THEN
        DELETE FROM vrm.call_rollup r
        WHERE r.user_id = owner AND r.grain IN ('parts', 'day', 'user_parts', 'user_day') AND r.bucket = of_day;
        changed := ARRAY(SELECT generate_series(0, 95));
    END IF;

    WITH span AS (
        SELECT midnight + min(c.quarter) * interval '15 minutes' AS since,
               midnight + (max(c.quarter) + 1) * interval '15 minutes' AS until
        FROM (SELECT quarter, quarter - row_number() OVER (ORDER BY quarter) AS run
              FROM unnest(changed) AS quarter) AS c
        GROUP BY c.run
    )
    SELECT coalesce(array_agg(n.agent), '{}'), coalesce(array_agg(n.parts), '{}') INTO agents, fresh
    FROM (SELECT coalesce(f.agent_id, no_agent) AS agent,
                 vrm.call_parts(f.started_at, f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad,
                                f.agent_ms, f.customer_ms, f.interruptions, f.answers, f.tool_calls, f.tool_failures,
                                f.outcome_kind, f.cost_micros, f.currency) AS parts
          FROM span s
          CROSS JOIN LATERAL (SELECT c.* FROM vrm.call_facts c
                              WHERE c.user_id = owner AND c.started_at >= s.since AND c.started_at < s.until
                              OFFSET 0) AS f
          GROUP BY 1) AS n;

    -- OFFSET 0 has each made once, and unnest() before FROM and single look-ups hand them on where they are: of a
    -- busy day they are a megabyte, which joins and functions in FROM would copy, each into fresh memory.
    INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
    SELECT owner, g.grain, of_day, m.agent, g.stats
    FROM (SELECT f.grain, f.agent, coalesce(b.stats, nothing) AS before,
                 vrm.replace_parts(coalesce(b.stats, nothing), changed, f.parts, f.grain = 'user_parts') AS parts
          FROM (SELECT 'parts' AS grain, unnest(agents) AS agent, unnest(fresh) AS parts
                UNION ALL SELECT 'user_parts', no_agent, (SELECT vrm.rollup_parts(p) FROM unnest(fresh) AS p)
                UNION ALL SELECT r.grain, r.agent_id, nothing FROM vrm.call_rollup r
                WHERE r.user_id = owner AND r.grain = 'parts' AND r.bucket = of_day AND r.agent_id <> ALL (agents)) AS f
          LEFT JOIN LATERAL (SELECT r.stats FROM vrm.call_rollup r
                             WHERE r.user_id = owner AND r.grain = f.grain AND r.bucket = of_day
                               AND r.agent_id = f.agent
                             OFFSET 0) AS b ON true
          OFFSET 0) AS m
    CROSS JOIN LATERAL (VALUES (m.grain, m.parts),
                               (replace(m.grain, 'parts', 'day'), vrm.part_of_day(m.parts, 0, 96)::bytea))
                       AS g (grain, stats)
    WHERE m.parts <> m.before AND g.stats IS NOT NULL
    ON CONFLICT ON CONSTRAINT call_rollup_pkey DO UPDATE SET stats = excluded.stats;
    DELETE FROM vrm.call_rollup r
    USING vrm.call_rollup e
    WHERE e.user_id = owner AND e.grain IN ('parts', 'user_parts') AND e.bucket = of_day AND e.stats = nothing
      AND r.user_id = owner AND r.bucket = of_day AND r.agent_id = e.agent_id
      AND r.grain IN (e.grain, replace(e.grain, 'parts', 'day'));
END
$$;
COMMENT ON FUNCTION vrm_private.compact_day(uuid, date) IS
    'makes the statistics of a person''s day, and of its quarters of an hour, anew from those that have changed';

-- Days are found by steps along the index, however many marks each has.  A batch ends with the day in which half a
-- second has passed.
CREATE OR REPLACE FUNCTION vrm_private.compact_calls(most_days integer DEFAULT 100) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    until timestamptz := clock_timestamp() + interval '0.5 seconds';
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
        PERFORM vrm_private.compact_day(changed.user_id, changed.day);
        users := users || changed.user_id;
        days := days || changed.day;
        EXIT WHEN clock_timestamp() > until;
    END LOOP;
    IF cardinality(users) = 0 THEN
        RETURN 0;
    END IF;

    DELETE FROM vrm.call_rollup r
    USING (SELECT DISTINCT t.user_id, date_trunc('month', t.day::timestamp)::date AS first
           FROM unnest(users, days) AS t (user_id, day)) AS m
    WHERE r.user_id = m.user_id AND r.grain IN ('month', 'user_month') AND r.bucket = m.first;
    INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
    SELECT m.user_id, replace(r.grain, 'day', 'month'), m.first, r.agent_id, vrm.rollup(r.stats::vrm.call_stats)::bytea
    FROM (SELECT DISTINCT t.user_id, date_trunc('month', t.day::timestamp)::date AS first
          FROM unnest(users, days) AS t (user_id, day)) AS m
    CROSS JOIN LATERAL (SELECT d.* FROM vrm.call_rollup d
                        WHERE d.user_id = m.user_id AND d.grain IN ('day', 'user_day') AND d.bucket >= m.first
                          AND d.bucket < m.first + interval '1 month'
                        OFFSET 0) AS r
    GROUP BY m.user_id, r.grain, m.first, r.agent_id;
    RETURN cardinality(users);
END
$$;
COMMENT ON FUNCTION vrm_private.compact_calls(integer) IS
    'makes the statistics of days that have changed anew, for at most so many days; returns how many';
REVOKE EXECUTE ON FUNCTION
    vrm_private.rebuild_facts(), vrm_private.rebuild_rollups(), vrm_private.compact_day(uuid, date),
    vrm_private.compact_calls(integer)
    FROM PUBLIC;
