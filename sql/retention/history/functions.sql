-- The history of calls, page by page

-- Planned anew each time: a plan for any filter and any page size would read and sort all calls.
CREATE OR REPLACE FUNCTION vrm.call_history(
    filter jsonb DEFAULT '{}',
    cursor text DEFAULT NULL,
    page_size integer DEFAULT 50
)
    RETURNS TABLE (id uuid, agent text, status text, started_at timestamptz, duration interval,
                   customer text, sentiment vrm.sentiment, actions integer, error text, next_cursor text,
                   excerpt text, agent_version integer)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    caller uuid := vrm.uid();
    wrong text;
    wanted_agent uuid;
    wanted_sentiment vrm.sentiment;
    since timestamptz := '-infinity';
    until timestamptz;
    place_at timestamptz := 'infinity';
    place_id uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    micros numeric;
BEGIN
    IF page_size IS NULL OR page_size NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'page_size must be between 1 and 1000'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(page_size::text, 'null')),
                  HINT = 'Leave it out for pages of 50.';
    END IF;
    micros := substring(cursor FROM '^(-?[0-9]{1,19})\.');
    IF cursor !~ '^(-?[0-9]{1,19}|-infinity)\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
       OR micros NOT BETWEEN -210866803200000000 AND 9223371244800000000 THEN  -- what timestamptz and bigint can hold
        RAISE EXCEPTION 'cursor is not valid'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got "%s".', left(cursor, 100)),
                  HINT = 'Pass next_cursor of the last row of a page, or null for the first page.';
    END IF;
    IF cursor IS NOT NULL THEN
        -- in two parts: an interval is multiplied by a double, which is exact to 53 bits
        place_at := CASE WHEN micros IS NULL THEN '-infinity'
                         ELSE timestamptz 'epoch' + div(micros, 1000000)::double precision * interval '1 second'
                              + mod(micros, 1000000)::double precision * interval '1 microsecond' END;
        place_id := split_part(cursor, '.', 2)::uuid;
    END IF;

    BEGIN
        wrong := CASE
            WHEN jsonb_typeof(filter) <> 'object' THEN 'It must be an object.'
            ELSE (SELECT format('There is no "%s" to filter by.', min(key))
                  FROM jsonb_object_keys(filter) AS key
                  WHERE key NOT IN ('status', 'agent_id', 'sentiment', 'since', 'until', 'error', 'text', 'customer')
                  HAVING count(*) > 0) END;
        IF filter ->> 'status' NOT IN ('queued', 'running', 'completed', 'failed', 'cancelled') THEN
            wrong := format('There is no status "%s".', left(filter ->> 'status', 100));
        END IF;
        wanted_agent := filter ->> 'agent_id';
        wanted_sentiment := filter ->> 'sentiment';
        since := coalesce((filter ->> 'since')::timestamptz, since);
        -- what began later counts nowhere, and its microseconds are beyond bigint
        until := least((filter ->> 'until')::timestamptz, '294247-01-01 00:00Z');
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

    IF filter ->> 'text' IS NOT NULL OR filter ->> 'customer' IS NOT NULL THEN
        RETURN QUERY SELECT * FROM vrm.search_calls(filter, place_at, place_id, page_size);
        RETURN;
    END IF;
    RETURN QUERY
        SELECT c.id, c.agent, c.status::text, c.started_at, c.duration, c.customer, c.sentiment, c.actions,
               c.error,
               CASE WHEN isfinite(c.started_at) THEN (extract(epoch FROM c.started_at) * 1000000)::bigint::text
                    ELSE '-infinity' END || '.' || c.id, NULL::text, c.agent_version
        FROM vrm.calls c
        WHERE c.user_id = caller
          AND (c.started_at, c.id) < (place_at, place_id)
          AND c.started_at >= since AND c.started_at < until
          AND (filter ->> 'status' IS NULL OR c.status = filter ->> 'status')
          AND (wanted_agent IS NULL OR c.agent_id = wanted_agent)
          AND (wanted_sentiment IS NULL OR c.sentiment = wanted_sentiment)
          AND (filter ->> 'error' IS NULL OR strpos(lower(c.error), lower(filter ->> 'error')) > 0)
        ORDER BY c.started_at DESC, c.id DESC
        LIMIT page_size;
END
$$;
COMMENT ON FUNCTION vrm.call_history(jsonb, text, integer) IS
    'a page of the caller''s calls, newest first; pass next_cursor of its last row for the next page';

CREATE OR REPLACE FUNCTION vrm.call_history_json(
    filter jsonb DEFAULT '{}', cursor text DEFAULT NULL, page_size integer DEFAULT 50
) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object(
        'calls', coalesce(jsonb_agg(to_jsonb(h) - CASE WHEN h.excerpt IS NULL THEN '{next_cursor,excerpt}'
                                                       ELSE '{next_cursor}' END::text[]
                                    ORDER BY h.started_at DESC, h.id DESC), '[]'),
        'next_cursor', (array_agg(h.next_cursor ORDER BY h.started_at, h.id))[1])
    FROM vrm.call_history(filter, cursor, page_size) h
$$;
COMMENT ON FUNCTION vrm.call_history_json(jsonb, text, integer) IS
    'vrm.call_history() as {"calls": [...], "next_cursor": ...}; the cursor is null after the last page';

REVOKE EXECUTE ON FUNCTION
    vrm.call_history(jsonb, text, integer), vrm.call_history_json(jsonb, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.call_history(jsonb, text, integer), vrm.call_history_json(jsonb, text, integer) TO authenticated;
