-- Facts for bench/analytics/calendars.pl, the same every time: a tenant with all of them in 365 days, one with a
-- hundredth, ten agents each, log-normal durations, ten calls for each customer.  All is compacted but the last day.
\set QUIET on
SET client_min_messages = warning;
\ir ../lib/cpu.sql

INSERT INTO auth.users (id)
VALUES ('018f0000-0000-7000-8000-000000000001'), ('018f0000-0000-7000-8000-000000000002');
INSERT INTO vrm.agents (user_id, id, agent_id)
    SELECT u.id, md5(u.id::text || n)::uuid, 'agent ' || n FROM auth.users u, generate_series(0, 9) AS n;

-- Calls of a time, evenly; the day of a call centre would have fewer quarters of an hour.
CREATE FUNCTION load(of_user uuid, calls bigint, since timestamptz, until timestamptz, salt bigint) RETURNS void
    LANGUAGE sql SET session_replication_role = replica AS $$
    INSERT INTO vrm.call_facts (user_id, id, agent_id, started_at, status, duration_ms, sentiment, actions, customer,
                                outcome_kind, cost_micros, currency, agent_ms, customer_ms, interruptions, answers,
                                tool_calls, tool_failures)
    SELECT of_user, (lpad(to_hex(salt), 16, '0') || lpad(to_hex(n), 16, '0'))::uuid,
           agents[1 + r % 10], since + n * (until - since) / calls,
           (ARRAY['completed', 'completed', 'completed', 'completed', 'completed', 'failed', 'cancelled'])[1 + r % 7],
           (60 + (r >> 8) % 120 + (r >> 20) % 240 + (r >> 30) % 480 / (1 + (r >> 40) % 8)) * 1000,
           (ARRAY['positive', 'neutral', 'negative', NULL])[1 + (r >> 12) % 4], (r >> 16) % 4,
           hashint8extended((r >> 2) % (calls / 10 + 1), 7), (ARRAY['contained', 'transferred', NULL])[1 + r % 3],
           10000 + r % 90000, 'USD', 40000 + r % 20000, 30000 + (r >> 9) % 20000, r % 2,
           (ARRAY['\xE807', '\xF4038A01', '\x90075A9601', '\xA0068C010AC801'])[1 + (r >> 3) % 4]::bytea, r % 3, r % 2
    FROM (SELECT array_agg(a.id ORDER BY a.agent_id) AS agents FROM vrm.agents a WHERE a.user_id = of_user) AS own,
         (SELECT n, hashint8extended(n, salt) & 9007199254740991 AS r FROM generate_series(0, calls - 1) AS n) AS call
    $$;

-- The calls that facts of a time are of, in short.
CREATE FUNCTION load_calls(of_user uuid, since timestamptz) RETURNS void
    LANGUAGE sql SET session_replication_role = replica AS $$
    INSERT INTO vrm.test_runs (user_id, id, agent_id, status, started_at, completed_at, results)
    SELECT f.user_id, f.id, f.agent_id, f.status, f.started_at, f.started_at + f.duration_ms * interval '1 ms',
           '{"duration": "2:30"}'
    FROM vrm.call_facts f WHERE f.user_id = of_user AND f.started_at >= since
    $$;

-- The statistics of some days for all of a time, and its months.
CREATE FUNCTION spread(first date, days integer, since date, until date) RETURNS void LANGUAGE sql AS $$
    INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
    SELECT r.user_id, r.grain, since + n, r.agent_id, r.stats
    FROM generate_series(0, until - since - 1) AS n
    JOIN vrm.call_rollup r ON r.grain NOT LIKE '%month' AND r.bucket = first + n % days
    WHERE since + n NOT BETWEEN first AND first + days - 1;
    DELETE FROM vrm.call_rollup r WHERE r.grain LIKE '%month';
    INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
    SELECT r.user_id, replace(r.grain, 'day', 'month'), date_trunc('month', r.bucket::timestamp)::date, r.agent_id,
           vrm.rollup(r.stats::vrm.call_stats)::bytea
    FROM vrm.call_rollup r WHERE r.grain LIKE '%day'
    GROUP BY 1, 2, 3, 4
    $$;

-- Milliseconds of CPU of a query that somebody signed in asks, the least of some rounds.  The kernel accounts by ticks
-- of some milliseconds: what is quick runs over and over, until that matters no more.
CREATE FUNCTION asked(who uuid, query text, rounds integer DEFAULT 5) RETURNS double precision
    LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    spent bigint;
    times integer := 1;
    took double precision[] := '{}';
BEGIN
    PERFORM set_config('request.jwt.claims', jsonb_build_object('sub', who, 'role', 'authenticated')::text, false);
    SET ROLE authenticated;
    EXECUTE query;
    WHILE cardinality(took) < rounds LOOP
        before := cpu();
        FOR i IN 1 .. times LOOP
            EXECUTE query;
        END LOOP;
        spent := cpu() - before;
        IF spent > 80000000 THEN
            took := took || spent / 1e6 / times;
        ELSE
            times := times * 2;
        END IF;
    END LOOP;
    RESET ROLE;
    RETURN (SELECT min(t) FROM unnest(took) AS t);
END
$$;

-- Compacts all that waits; milliseconds of CPU of all, and of the longest batch by the clock.
CREATE PROCEDURE compact(INOUT cpu_ms double precision, INOUT longest_ms double precision) LANGUAGE plpgsql AS $$
DECLARE
    before bigint := cpu();
    began timestamptz;
    days bigint;
BEGIN
    longest_ms := 0;
    LOOP
        began := clock_timestamp();
        days := vrm_private.compact_calls(30);
        EXIT WHEN days = 0;
        longest_ms := greatest(longest_ms, extract(epoch FROM clock_timestamp() - began) * 1000);
        COMMIT;
    END LOOP;
    cpu_ms := (cpu() - before) / 1e6;
END
$$;

-- What it would cost to aggregate the facts of a time once.
CREATE FUNCTION once(of_user uuid, since timestamptz, until timestamptz) RETURNS double precision
    LANGUAGE plpgsql AS $$
DECLARE
    before bigint := cpu();
BEGIN
    PERFORM vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad, f.agent_ms,
                           f.customer_ms, f.interruptions, f.answers, f.tool_calls, f.tool_failures, f.outcome_kind,
                           f.cost_micros, f.currency)
    FROM vrm.call_facts f WHERE f.user_id = of_user AND f.started_at >= since AND f.started_at < until
    GROUP BY f.agent_id, date_trunc('day', f.started_at, 'UTC');
    RETURN (cpu() - before) / 1e6;
END
$$;
