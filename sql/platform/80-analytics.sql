-- What dashboards ask ------------------------------------------------------------------------------

-- A duration of the source document's form is believed; else the clock decides.
CREATE VIEW vrm.calls WITH (security_invoker) AS
    SELECT r.user_id,
           r.id,
           r.agent_id,
           a.agent_id AS agent,
           r.status,
           r.started_at,
           r.completed_at,
           CASE
               WHEN r.results ->> 'duration' ~ '^[0-9]{1,4}:[0-5][0-9]$'
               THEN make_interval(mins => split_part(r.results ->> 'duration', ':', 1)::integer,
                                  secs => split_part(r.results ->> 'duration', ':', 2)::integer)
               WHEN r.results ->> 'duration' ~ '^[0-9]{1,4}:[0-5][0-9]:[0-5][0-9]$'
               THEN (r.results ->> 'duration')::interval
               ELSE r.completed_at - r.started_at
           END AS duration,
           r.results ->> 'customer' AS customer,
           CASE WHEN r.results ->> 'sentiment' IN ('positive', 'neutral', 'negative')
                THEN (r.results ->> 'sentiment')::vrm.sentiment
           END AS sentiment,
           CASE WHEN r.results ->> 'actions' ~ '^[0-9]{1,9}$' THEN (r.results ->> 'actions')::integer END AS actions,
           r.error
    FROM vrm.test_runs r LEFT JOIN vrm.agents a ON a.user_id = r.user_id AND a.id = r.agent_id;
COMMENT ON VIEW vrm.calls IS 'calls with their results as typed columns; what does not fit a type is null';
REVOKE ALL ON vrm.calls FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.calls TO authenticated, service_role;

CREATE OR REPLACE FUNCTION vrm.user_dashboard(
    OUT agents bigint, OUT calls bigint, OUT live bigint, OUT completed bigint, OUT failed bigint,
    OUT cancelled bigint, OUT success_rate numeric, OUT average_duration interval,
    OUT last_call_at timestamptz, OUT recent_calls jsonb
)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (SELECT count(*) FROM vrm.agents a WHERE a.user_id = vrm.uid() AND a.deleted_at IS NULL),
           count(*),
           count(*) FILTER (WHERE c.status IN ('queued', 'running')),
           count(*) FILTER (WHERE c.status = 'completed'),
           count(*) FILTER (WHERE c.status = 'failed'),
           count(*) FILTER (WHERE c.status = 'cancelled'),
           round(count(*) FILTER (WHERE c.status = 'completed')::numeric
                 / nullif(count(*) FILTER (WHERE c.status IN ('completed', 'failed')), 0), 3),
           date_trunc('second', avg(c.duration) FILTER (WHERE c.status = 'completed')),
           max(c.started_at),
           (SELECT jsonb_agg(to_jsonb(recent))
            FROM (SELECT r.id, r.agent, r.status, r.started_at, r.duration
                  FROM vrm.calls r
                  WHERE r.user_id = vrm.uid()
                  ORDER BY r.started_at DESC, r.id DESC
                  LIMIT 5) AS recent)
    FROM vrm.calls c
    WHERE c.user_id = vrm.uid()
$$;
COMMENT ON FUNCTION vrm.user_dashboard() IS
    'the caller''s agents and calls in one row; success_rate is completed / (completed + failed)';

CREATE OR REPLACE FUNCTION vrm.agent_performance(since timestamptz, until timestamptz)
    RETURNS TABLE (agent_id uuid, agent text, calls bigint, completed bigint, failed bigint,
                   success_rate numeric, average_duration interval, positive_share numeric)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.agent_id, c.agent, count(*),
           count(*) FILTER (WHERE c.status = 'completed'),
           count(*) FILTER (WHERE c.status = 'failed'),
           round(count(*) FILTER (WHERE c.status = 'completed')::numeric
                 / nullif(count(*) FILTER (WHERE c.status IN ('completed', 'failed')), 0), 3),
           date_trunc('second', avg(c.duration) FILTER (WHERE c.status = 'completed')),
           round(count(*) FILTER (WHERE c.sentiment = 'positive')::numeric / nullif(count(c.sentiment), 0), 3)
    FROM vrm.calls c
    WHERE c.user_id = vrm.uid() AND c.started_at >= since AND c.started_at < until
    GROUP BY c.agent_id, c.agent
    ORDER BY count(*) DESC, c.agent
$$;
COMMENT ON FUNCTION vrm.agent_performance(timestamptz, timestamptz) IS
    'the caller''s agents over a time: calls, success, length, sentiment';

CREATE OR REPLACE FUNCTION vrm.live_calls()
    RETURNS TABLE (id uuid, agent_id uuid, agent text, status text, started_at timestamptz,
                   elapsed interval, turns bigint, last_message text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.id, r.agent_id, a.agent_id, r.status, r.started_at,
           date_trunc('second', clock_timestamp() - r.started_at),
           (SELECT count(*) FROM vrm.transcript_turns t WHERE t.user_id = r.user_id AND t.run_id = r.id),
           (SELECT t.message FROM vrm.transcript_turns t WHERE t.user_id = r.user_id AND t.run_id = r.id
            ORDER BY t.id DESC LIMIT 1)
    FROM vrm.test_runs r LEFT JOIN vrm.agents a ON a.user_id = r.user_id AND a.id = r.agent_id
    WHERE r.user_id = vrm.uid() AND r.status IN ('queued', 'running')
    ORDER BY r.started_at, r.id
$$;
COMMENT ON FUNCTION vrm.live_calls() IS 'the caller''s calls that are queued or running, oldest first';

-- Runs as the caller, who has no USAGE on vrm_private: what it needs stands in it.
CREATE OR REPLACE FUNCTION vrm.call_history(
    filter jsonb DEFAULT '{}',
    cursor text DEFAULT NULL,
    page_size integer DEFAULT 50
)
    RETURNS TABLE (id uuid, agent text, status text, started_at timestamptz, duration interval,
                   customer text, sentiment vrm.sentiment, actions integer, error text, next_cursor text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    caller uuid := vrm.uid();
    wrong text;
    wanted_agent uuid;
    since timestamptz := '-infinity';
    until timestamptz := 'infinity';
    place_at timestamptz := 'infinity';
    place_id uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
BEGIN
    IF page_size IS NULL OR page_size NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'page_size must be between 1 and 1000'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(page_size::text, 'null')),
                  HINT = 'Leave it out for pages of 50.';
    END IF;
    IF cursor !~ '^[0-9]{1,17}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        RAISE EXCEPTION 'cursor is not valid'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got "%s".', left(cursor, 100)),
                  HINT = 'Pass next_cursor of the last row of a page, or null for the first page.';
    END IF;
    IF cursor IS NOT NULL THEN
        place_at := timestamptz 'epoch' + split_part(cursor, '.', 1)::bigint * interval '1 microsecond';
        place_id := split_part(cursor, '.', 2)::uuid;
    END IF;

    BEGIN
        wrong := CASE
            WHEN jsonb_typeof(filter) <> 'object' THEN 'It must be an object.'
            ELSE (SELECT format('There is no "%s" to filter by.', min(key))
                  FROM jsonb_object_keys(filter) AS key
                  WHERE key NOT IN ('status', 'agent_id', 'since', 'until')
                  HAVING count(*) > 0) END;
        IF filter ->> 'status' NOT IN ('queued', 'running', 'completed', 'failed', 'cancelled') THEN
            wrong := format('There is no status "%s".', left(filter ->> 'status', 100));
        END IF;
        wanted_agent := filter ->> 'agent_id';
        since := coalesce((filter ->> 'since')::timestamptz, since);
        until := coalesce((filter ->> 'until')::timestamptz, until);
    EXCEPTION
        WHEN data_exception THEN
            wrong := SQLERRM;
    END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'filter is not valid'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = wrong,
                  HINT = 'For example: ''{"status": "failed", "agent_id": "...", "since": "2026-01-01"}''.';
    END IF;

    RETURN QUERY
        SELECT c.id, c.agent, c.status::text, c.started_at, c.duration, c.customer, c.sentiment, c.actions,
               c.error, (extract(epoch FROM c.started_at) * 1000000)::bigint || '.' || c.id
        FROM vrm.calls c
        WHERE c.user_id = caller
          AND (c.started_at, c.id) < (place_at, place_id)
          AND c.started_at >= since AND c.started_at < until
          AND (filter ->> 'status' IS NULL OR c.status = filter ->> 'status')
          AND (wanted_agent IS NULL OR c.agent_id = wanted_agent)
        ORDER BY c.started_at DESC, c.id DESC
        LIMIT page_size;
END
$$;
COMMENT ON FUNCTION vrm.call_history(jsonb, text, integer) IS
    'a page of the caller''s calls, newest first; pass next_cursor of its last row for the next page';

REVOKE EXECUTE ON FUNCTION
    vrm.user_dashboard(), vrm.agent_performance(timestamptz, timestamptz), vrm.live_calls(),
    vrm.call_history(jsonb, text, integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.user_dashboard(), vrm.agent_performance(timestamptz, timestamptz), vrm.live_calls(),
    vrm.call_history(jsonb, text, integer)
    TO authenticated;
