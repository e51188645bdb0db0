-- Dashboards: figures of the caller's calls, each also as jsonb

-- A time is from "since", included, to "until", excluded.  Durations are those of completed calls.
-- Nothing gives counts of zero, and null where there is nothing to take a mean of.
-- PL/pgSQL keeps the plans of what is asked most; planning takes longer than the rest.
CREATE OR REPLACE FUNCTION vrm.call_summary(
    since timestamptz,
    until timestamptz,
    agents uuid[] DEFAULT NULL,
    compare boolean DEFAULT true
)
    RETURNS TABLE (period text, period_since timestamptz, period_until timestamptz, calls bigint, queued bigint,
                   running bigint, completed bigint, failed bigint, cancelled bigint, success_rate numeric,
                   average_duration interval, stddev_duration interval, p50_duration interval,
                   p95_duration interval, p99_duration interval, max_duration interval, positive bigint,
                   neutral bigint, negative bigint, actions bigint, customers bigint, bad bigint,
                   p50_answer_time interval, p95_answer_time interval, interruptions numeric, talk_share numeric,
                   transfer_rate numeric, containment_rate numeric, cost numeric, currency text,
                   tool_success_rate numeric)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    -- There is none before all times, nor before the earliest that can be told.  Seconds are subtracted,
    -- because an interval may be too short for the difference of two times.
    earlier timestamptz := CASE WHEN isfinite(since) AND since <= until AND isfinite(until)
                                     AND 2 * extract(epoch FROM since) - extract(epoch FROM until)
                                         >= extract(epoch FROM timestamptz '4713-02-01 00:00 UTC BC')
                                THEN since - (until - since) END;
BEGIN
    RETURN QUERY
    WITH figures AS MATERIALIZED (
        SELECT p.period, p.since, p.until, f.*, c.p50_answer_time, c.p95_answer_time,
               round(c.interruptions::numeric, 3) AS interruptions, round(c.talk_share::numeric, 3) AS talk_share,
               round(c.transfer_rate::numeric, 3) AS transfer_rate,
               round(c.containment_rate::numeric, 3) AS containment_rate, c.cost_micros / 1000000.0 AS cost, c.currency,
               round(c.tool_success_rate::numeric, 3) AS tool_success_rate
        FROM (SELECT 1, 'current', since, until
              UNION ALL
              SELECT 2, 'previous', earlier, since WHERE compare AND earlier IS NOT NULL)
             AS p (place, period, since, until),
             LATERAL vrm.call_statistics(p.since, p.until, agents) AS s (stats),
             LATERAL vrm.summary(s.stats) AS f, LATERAL vrm.conversation_summary(s.stats) AS c
        ORDER BY p.place
    )
    SELECT f.period, f.since, f.until, f.calls, f.queued, f.running, f.completed, f.failed, f.cancelled,
           round(f.success_rate::numeric, 3), f.average_duration, f.stddev_duration, f.p50_duration,
           f.p95_duration, f.p99_duration, f.max_duration, f.positive, f.neutral, f.negative, f.actions,
           f.customers, f.bad, f.p50_answer_time, f.p95_answer_time, f.interruptions, f.talk_share, f.transfer_rate,
           f.containment_rate, f.cost, f.currency, f.tool_success_rate
    FROM figures f
    UNION ALL
    SELECT 'change', NULL, NULL, c.calls - p.calls, c.queued - p.queued, c.running - p.running,
           c.completed - p.completed, c.failed - p.failed, c.cancelled - p.cancelled,
           round(c.success_rate::numeric - p.success_rate::numeric, 3), c.average_duration - p.average_duration,
           c.stddev_duration - p.stddev_duration, c.p50_duration - p.p50_duration,
           c.p95_duration - p.p95_duration, c.p99_duration - p.p99_duration, c.max_duration - p.max_duration,
           c.positive - p.positive, c.neutral - p.neutral, c.negative - p.negative, c.actions - p.actions,
           c.customers - p.customers, c.bad - p.bad, c.p50_answer_time - p.p50_answer_time,
           c.p95_answer_time - p.p95_answer_time, c.interruptions - p.interruptions, c.talk_share - p.talk_share,
           c.transfer_rate - p.transfer_rate, c.containment_rate - p.containment_rate,
           CASE WHEN c.currency IS NOT DISTINCT FROM p.currency THEN c.cost - p.cost END,
           CASE WHEN c.currency = p.currency THEN c.currency END, c.tool_success_rate - p.tool_success_rate
    FROM figures c JOIN figures p ON c.period = 'current' AND p.period = 'previous';
END
$$;
COMMENT ON FUNCTION vrm.call_summary(timestamptz, timestamptz, uuid[], boolean) IS
    'figures of a time, of the time of the same length before it, and the change from that to this';

-- A bucket is what the local calendar and clock say: days have 23 or 25 hours at the change of daylight
-- saving, in any zone.  Shorter buckets are of one length and counted from local midnight.  The first and the last
-- are told whole, and have the calls of the time that was asked for alone.
CREATE OR REPLACE FUNCTION vrm.call_series(
    since timestamptz,
    until timestamptz,
    bucket interval,
    time_zone text DEFAULT 'UTC',
    agents uuid[] DEFAULT NULL
)
    RETURNS TABLE (bucket_since timestamptz, bucket_until timestamptz, calls bigint, completed bigint, failed bigint,
                   cancelled bigint, success_rate numeric, average_duration interval, p50_duration interval,
                   p95_duration interval, positive bigint, neutral bigint, negative bigint, customers bigint,
                   p50_answer_time interval, p95_answer_time interval, interruptions numeric, talk_share numeric,
                   transfer_rate numeric, containment_rate numeric, cost numeric, currency text,
                   tool_success_rate numeric)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '32MB' AS $$
#variable_conflict use_column
DECLARE
    caller uuid := vrm.uid();
    finite boolean := isfinite(bucket);
    months integer := CASE WHEN finite THEN extract(year FROM bucket) * 12 + extract(month FROM bucket) END;
    days integer := CASE WHEN finite THEN extract(day FROM bucket) END;
    clock interval := CASE WHEN finite THEN bucket - make_interval(months => months, days => days) END;
    local_first timestamp;
    edges timestamptz[];
    number_of_buckets double precision;
BEGIN
    IF (months > 0)::integer + (days > 0)::integer + (clock > '0')::integer IS DISTINCT FROM 1
       OR months < 0 OR days < 0 OR clock < '0' THEN
        RAISE EXCEPTION 'bucket must be a number of months, of days, or of hours, minutes and seconds'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(bucket::text, 'null')),
                  HINT = 'For example: ''1 day''.';
    END IF;
    IF since < until IS NOT TRUE OR NOT isfinite(since) OR NOT isfinite(until) THEN
        RAISE EXCEPTION 'since must be before until, and neither of them infinite'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s and %s.', coalesce(since::text, 'null'), coalesce(until::text, 'null')),
                  HINT = 'For example: now() - interval ''30 days'', now().';
    END IF;
    -- buckets at both ends are told whole, and may begin with a year
    IF time_zone IS NULL OR since < timestamptz '4712-01-01 00:00Z BC'
       OR extract(epoch FROM until) + extract(epoch FROM bucket)
          > extract(epoch FROM timestamptz '294275-12-31 00:00Z') THEN
        RAISE EXCEPTION 'a series needs a time zone, and buckets that begin and end'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s to %s by %s, %s.', since, until, bucket, quote_nullable(time_zone)),
                  HINT = 'For example: now() - interval ''30 days'', now(), ''1 day'', ''Europe/Berlin''.';
    END IF;
    number_of_buckets := (extract(epoch FROM until) - extract(epoch FROM since)) / extract(epoch FROM bucket);
    IF number_of_buckets > 10000 THEN
        RAISE EXCEPTION 'a series can have at most 10000 buckets'
            USING ERRCODE = 'program_limit_exceeded',
                  DETAIL = format('It would have %s.', ceil(number_of_buckets)),
                  HINT = 'Ask for longer buckets or a shorter time.';
    END IF;

    local_first := date_trunc(CASE WHEN months > 0 AND (months % 12 = 0 OR 12 % months = 0) THEN 'year'
                                   WHEN months > 0 THEN 'month'
                                   WHEN days % 7 = 0 AND days > 0 THEN 'week' ELSE 'day' END,
                              since AT TIME ZONE time_zone);
    IF 12 % nullif(months, 0) = 0 THEN  -- quarters, and what else makes up a year, are counted from its beginning
        local_first := local_first + (extract(month FROM since AT TIME ZONE time_zone)::integer - 1) / months * bucket;
    END IF;
    IF clock > '0' THEN
        SELECT array_agg(e ORDER BY e) INTO edges
        FROM generate_series(date_bin(bucket, since, local_first AT TIME ZONE time_zone), until + bucket, bucket) AS e;
    ELSE
        -- a day that a zone has skipped begins and ends in one moment
        SELECT array_agg(DISTINCT l AT TIME ZONE time_zone ORDER BY l AT TIME ZONE time_zone) INTO edges
        FROM generate_series(local_first, (until AT TIME ZONE time_zone) + bucket, bucket) AS l;
    END IF;

    RETURN QUERY
        -- figures are taken of what the aggregate holds, before a join would have it packed and unpacked
        WITH figures AS MATERIALIZED (
            SELECT b.bucket AS number, f.*
            FROM (SELECT p.bucket, vrm.rollup_pieces(s.stats, p.since, p.until) AS stats
                  -- sorted before states are there: of one bucket after the other, none kept longer
                  FROM (SELECT *
                        FROM vrm.statistics_pieces(ARRAY(SELECT greatest(since, least(e.edge, until))
                                                         FROM unnest(edges) WITH ORDINALITY AS e (edge, number)
                                                         ORDER BY e.number), agents, true)
                        ORDER BY bucket OFFSET 0) AS p,
                       vrm.piece_statistics(caller, agents, p.grain, p.first, p.last, p.agent_id, p.stats) s
                  GROUP BY p.bucket) AS b,
                 LATERAL vrm.figures(b.stats) AS f
        )
        SELECT e.edge, edges[e.number + 1], coalesce(f.calls, 0),
               coalesce(f.completed, 0), coalesce(f.failed, 0), coalesce(f.cancelled, 0),
               round(f.success_rate::numeric, 3), f.average_duration, f.p50_duration, f.p95_duration,
               coalesce(f.positive, 0), coalesce(f.neutral, 0), coalesce(f.negative, 0), coalesce(f.customers, 0),
               f.p50_answer_time, f.p95_answer_time, round(f.interruptions::numeric, 3),
               round(f.talk_share::numeric, 3), round(f.transfer_rate::numeric, 3),
               round(f.containment_rate::numeric, 3), f.cost_micros / 1000000.0,
               f.currency, round(f.tool_success_rate::numeric, 3)
        FROM unnest(edges) WITH ORDINALITY AS e (edge, number)
        LEFT JOIN figures f ON f.number = e.number
        WHERE e.edge < until AND edges[e.number + 1] > since
        ORDER BY e.number;
END
$$;
COMMENT ON FUNCTION vrm.call_series(timestamptz, timestamptz, interval, text, uuid[]) IS
    'figures of each bucket of a time, empty ones included; buckets are those of the calendar in the time zone, and the'
    ' first and the last have only calls from since to until';

CREATE OR REPLACE FUNCTION vrm.agent_performance(since timestamptz, until timestamptz)
    RETURNS TABLE (agent_id uuid, agent text, calls bigint, completed bigint, failed bigint,
                   success_rate numeric, average_duration interval, p50_duration interval, p95_duration interval,
                   positive_share numeric, actions bigint, customers bigint, bad bigint,
                   p50_answer_time interval, p95_answer_time interval, interruptions numeric, talk_share numeric,
                   transfer_rate numeric, containment_rate numeric, cost numeric, currency text,
                   tool_success_rate numeric)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.agent_id, a.agent_id, f.calls, f.completed, f.failed, round(f.success_rate::numeric, 3),
           date_trunc('second', f.average_duration), f.p50_duration, f.p95_duration,
           round(f.positive::numeric / nullif(f.positive + f.neutral + f.negative, 0), 3),
           f.actions, f.customers, f.bad, f.p50_answer_time, f.p95_answer_time, round(f.interruptions::numeric, 3),
           round(f.talk_share::numeric, 3), round(f.transfer_rate::numeric, 3), round(f.containment_rate::numeric, 3),
           f.cost_micros / 1000000.0, f.currency, round(f.tool_success_rate::numeric, 3)
    FROM (SELECT r.agent_id, vrm.rollup_pieces(r.stats, p.since, p.until) AS stats
          FROM vrm.statistics_pieces(ARRAY[since, until], NULL, false) p,
               vrm.piece_statistics(vrm.uid(), NULL, p.grain, p.first, p.last, p.agent_id, p.stats) r
          GROUP BY r.agent_id) AS s
    CROSS JOIN LATERAL vrm.figures(s.stats) AS f
    LEFT JOIN vrm.agents a ON a.user_id = vrm.uid() AND a.id = s.agent_id
    WHERE f.calls > 0
    ORDER BY f.calls DESC, a.agent_id
$$;
COMMENT ON FUNCTION vrm.agent_performance(timestamptz, timestamptz) IS
    'the caller''s agents over a time: calls, success, length, sentiment';

CREATE OR REPLACE FUNCTION vrm.failure_reasons(since timestamptz, until timestamptz, n integer DEFAULT 10)
    RETURNS TABLE (reason text, calls bigint, share numeric, agents bigint, last_at timestamptz)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF n < 0 THEN
        RAISE EXCEPTION 'n must not be negative'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Got %s.', n),
                  HINT = 'SELECT * FROM vrm.failure_reasons(now() - ''7 days''::interval, now(), 10);';
    END IF;
    RETURN QUERY
        SELECT coalesce(r.error, 'unknown'), count(*), round(count(*) / sum(count(*)) OVER (), 3),
               count(DISTINCT r.agent_id), max(r.started_at)
        FROM vrm.test_runs r
        WHERE r.user_id = vrm.uid() AND r.status = 'failed' AND r.started_at >= since AND r.started_at < until
        GROUP BY 1
        ORDER BY 2 DESC, 1
        LIMIT n;
END
$$;
COMMENT ON FUNCTION vrm.failure_reasons(timestamptz, timestamptz, integer) IS
    'why calls of the caller failed in a time, the most frequent reasons first; archived calls are not among them';

CREATE OR REPLACE FUNCTION vrm.live_calls()
    RETURNS TABLE (id uuid, agent_id uuid, agent text, status text, started_at timestamptz,
                   elapsed interval, turns bigint, last_message text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.id, r.agent_id, a.agent_id, r.status, r.started_at,
           CASE WHEN isfinite(r.started_at) THEN date_trunc('second', clock_timestamp() - r.started_at) END,
           (SELECT count(*) FROM vrm.transcript_turns t WHERE t.user_id = r.user_id AND t.run_id = r.id),
           (SELECT t.message FROM vrm.transcript_turns t WHERE t.user_id = r.user_id AND t.run_id = r.id
            ORDER BY t.id DESC LIMIT 1)
    -- looked up one by one: a plan for any user would read all calls of one who has many
    FROM (SELECT t.* FROM vrm.test_runs t
          WHERE t.user_id = vrm.uid()
            AND t.id = ANY (ARRAY(SELECT l.run_id FROM vrm.live_runs l WHERE l.user_id = vrm.uid()))
          OFFSET 0) AS r
    LEFT JOIN vrm.agents a ON a.user_id = r.user_id AND a.id = r.agent_id
    WHERE r.status IN ('queued', 'running')
    ORDER BY r.started_at, r.id
$$;
COMMENT ON FUNCTION vrm.live_calls() IS 'the caller''s calls that are queued or running, oldest first';

-- A connection keeps the plan that it made for somebody with few calls, and has it run for those who have very many:
-- times are looked up along the index first, which the condition on them makes sure of, so that no plan reads all.
CREATE OR REPLACE FUNCTION vrm.user_dashboard(
    OUT agents bigint, OUT calls bigint, OUT live bigint, OUT completed bigint, OUT failed bigint,
    OUT cancelled bigint, OUT success_rate numeric, OUT average_duration interval, OUT p95_duration interval,
    OUT customers bigint, OUT last_call_at timestamptz, OUT recent_calls jsonb
)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    latest timestamptz[] := ARRAY(SELECT t.started_at FROM vrm.test_runs t
                                  WHERE t.user_id = vrm.uid() AND t.started_at >= '-infinity'
                                    AND t.started_at < '294247-01-01 00:00Z'  -- those count nowhere
                                  ORDER BY t.started_at DESC LIMIT 5);
    fifth timestamptz := coalesce(latest[5], '-infinity');
BEGIN
    SELECT (SELECT count(*) FROM vrm.agents a WHERE a.user_id = vrm.uid() AND a.deleted_at IS NULL),
           f.calls, f.queued + f.running, f.completed, f.failed, f.cancelled, round(f.success_rate::numeric, 3),
           date_trunc('second', f.average_duration), f.p95_duration, f.customers,
           latest[1],
           (SELECT jsonb_agg(to_jsonb(recent))
            FROM (SELECT r.id, r.agent, r.status, r.started_at, r.duration
                  FROM vrm.calls r
                  WHERE r.user_id = vrm.uid()
                    AND r.started_at >= fifth AND r.started_at < '294247-01-01 00:00Z'
                  ORDER BY r.started_at DESC, r.id DESC
                  LIMIT 5) AS recent)
    INTO agents, calls, live, completed, failed, cancelled, success_rate, average_duration, p95_duration,
         customers, last_call_at, recent_calls
    FROM vrm.summary(vrm.call_statistics()) AS f;
END
$$;
COMMENT ON FUNCTION vrm.user_dashboard() IS
    'the caller''s agents and calls in one row; success_rate is completed / (completed + failed)';

CREATE OR REPLACE FUNCTION vrm.call_summary_json(
    since timestamptz, until timestamptz, agents uuid[] DEFAULT NULL, compare boolean DEFAULT true
) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_object_agg(s.period, to_jsonb(s) - 'period') FROM vrm.call_summary(since, until, agents, compare) s
$$;
COMMENT ON FUNCTION vrm.call_summary_json(timestamptz, timestamptz, uuid[], boolean) IS
    'vrm.call_summary() as {"current": ..., "previous": ..., "change": ...}';

CREATE OR REPLACE FUNCTION vrm.call_series_json(
    since timestamptz, until timestamptz, bucket interval, time_zone text DEFAULT 'UTC', agents uuid[] DEFAULT NULL
) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(to_jsonb(s) ORDER BY s.bucket_since)
    FROM vrm.call_series(since, until, bucket, time_zone, agents) s
$$;
COMMENT ON FUNCTION vrm.call_series_json(timestamptz, timestamptz, interval, text, uuid[]) IS
    'vrm.call_series() as an array of buckets';

CREATE OR REPLACE FUNCTION vrm.agent_performance_json(since timestamptz, until timestamptz) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.calls DESC, p.agent), '[]')
    FROM vrm.agent_performance(since, until) p
$$;
COMMENT ON FUNCTION vrm.agent_performance_json(timestamptz, timestamptz) IS
    'vrm.agent_performance() as an array of agents';

CREATE OR REPLACE FUNCTION vrm.failure_reasons_json(
    since timestamptz, until timestamptz, n integer DEFAULT 10
) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.calls DESC, f.reason), '[]')
    FROM vrm.failure_reasons(since, until, n) f
$$;
COMMENT ON FUNCTION vrm.failure_reasons_json(timestamptz, timestamptz, integer) IS
    'vrm.failure_reasons() as an array of reasons';

CREATE OR REPLACE FUNCTION vrm.live_calls_json() RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(l) ORDER BY l.started_at, l.id), '[]') FROM vrm.live_calls() l
$$;
COMMENT ON FUNCTION vrm.live_calls_json() IS 'vrm.live_calls() as an array of calls';

CREATE OR REPLACE FUNCTION vrm.user_dashboard_json() RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_jsonb(d) FROM vrm.user_dashboard() d
$$;
COMMENT ON FUNCTION vrm.user_dashboard_json() IS 'vrm.user_dashboard() as a document';

REVOKE EXECUTE ON FUNCTION
    vrm.call_summary(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_series(timestamptz, timestamptz, interval, text, uuid[]),
    vrm.agent_performance(timestamptz, timestamptz), vrm.failure_reasons(timestamptz, timestamptz, integer),
    vrm.live_calls(), vrm.user_dashboard(),
    vrm.call_summary_json(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_series_json(timestamptz, timestamptz, interval, text, uuid[]),
    vrm.agent_performance_json(timestamptz, timestamptz),
    vrm.failure_reasons_json(timestamptz, timestamptz, integer), vrm.live_calls_json(), vrm.user_dashboard_json()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.call_summary(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_series(timestamptz, timestamptz, interval, text, uuid[]),
    vrm.agent_performance(timestamptz, timestamptz), vrm.failure_reasons(timestamptz, timestamptz, integer),
    vrm.live_calls(), vrm.user_dashboard(),
    vrm.call_summary_json(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_series_json(timestamptz, timestamptz, interval, text, uuid[]),
    vrm.agent_performance_json(timestamptz, timestamptz),
    vrm.failure_reasons_json(timestamptz, timestamptz, integer), vrm.live_calls_json(), vrm.user_dashboard_json()
    TO authenticated;
