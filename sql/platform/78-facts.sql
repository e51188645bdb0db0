-- Facts of calls and statistics made of them in advance ---------------------------------------------
-- One narrow row for each call that has ended, which outlives the call's own row; statistics of each
-- agent by day and month, and of each user by month; and the days that these are behind in.  Readers
-- take what is marked from the facts and all else from the statistics, in one snapshot, and so are never
-- behind.

CREATE TABLE IF NOT EXISTS vrm.call_facts (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    agent_id uuid,
    started_at timestamptz NOT NULL,
    status vrm.run_status NOT NULL,
    duration_ms bigint,
    sentiment text CONSTRAINT known_sentiment CHECK (sentiment IN ('positive', 'neutral', 'negative')),
    actions integer,
    customer bigint,
    bad boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX IF NOT EXISTS call_facts_user_time ON vrm.call_facts (user_id, started_at)
    INCLUDE (agent_id, status, duration_ms, sentiment, actions, customer, bad);
COMMENT ON TABLE vrm.call_facts IS
    'what statistics need of a call that has ended; written by a trigger of vrm.test_runs';
COMMENT ON INDEX vrm.call_facts_user_time IS 'a user''s facts by time, with all that statistics read';
COMMENT ON COLUMN vrm.call_facts.user_id IS 'owner';
COMMENT ON COLUMN vrm.call_facts.id IS 'the call, which may be in the archive or gone';
COMMENT ON COLUMN vrm.call_facts.agent_id IS 'agent that took or made it';
COMMENT ON COLUMN vrm.call_facts.started_at IS 'when it began';
COMMENT ON COLUMN vrm.call_facts.status IS 'completed, failed or cancelled';
COMMENT ON COLUMN vrm.call_facts.duration_ms IS 'how long it took: what its results say, else by the clock';
COMMENT ON COLUMN vrm.call_facts.sentiment IS 'positive, neutral or negative';
COMMENT ON COLUMN vrm.call_facts.actions IS 'how many actions its results say there were';
COMMENT ON COLUMN vrm.call_facts.customer IS 'vrm.customer_hash() of the customer';
COMMENT ON COLUMN vrm.call_facts.bad IS 'whether something in its results cannot be read';

CREATE TABLE IF NOT EXISTS vrm.call_dirty (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm.call_dirty ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.call_dirty IS
    'days whose facts have changed since vrm.call_rollup was made of them, once for each change';
COMMENT ON COLUMN vrm.call_dirty.user_id IS 'owner';
COMMENT ON COLUMN vrm.call_dirty.id IS 'the change';
COMMENT ON COLUMN vrm.call_dirty.day IS 'day in UTC';

-- The grain is text because comparing enums is not leakproof, and so could use no index under policies.
CREATE TABLE IF NOT EXISTS vrm.call_rollup (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    grain text NOT NULL CONSTRAINT known_grain CHECK (grain IN ('day', 'month', 'user_month')),
    bucket date NOT NULL,
    agent_id uuid NOT NULL,
    stats bytea NOT NULL,
    PRIMARY KEY (user_id, grain, bucket, agent_id)
);
ALTER TABLE vrm.call_rollup ALTER COLUMN stats SET STORAGE EXTERNAL;
COMMENT ON TABLE vrm.call_rollup IS
    'statistics of each agent by day and month and of each user by month, made by vrm.maintain()';
COMMENT ON COLUMN vrm.call_rollup.user_id IS 'owner';
COMMENT ON COLUMN vrm.call_rollup.grain IS 'day or month, of an agent; user_month: month, of all agents';
COMMENT ON COLUMN vrm.call_rollup.bucket IS 'first day of it, in UTC';
COMMENT ON COLUMN vrm.call_rollup.agent_id IS 'the agent; all zeros for calls of none and for all agents';
COMMENT ON COLUMN vrm.call_rollup.stats IS 'a value of type vrm.call_stats: stats::vrm.call_stats';

-- Who may do what: nobody writes but the trigger and the compactor ------------------------------------

ALTER TABLE vrm.call_facts ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.call_dirty ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.call_rollup ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.call_facts, vrm.call_dirty, vrm.call_rollup FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.call_facts, vrm.call_dirty, vrm.call_rollup TO authenticated, service_role;
CREATE POLICY "users read the facts of their calls" ON vrm.call_facts
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the facts of their calls" ON vrm.call_facts IS 'own rows only';
CREATE POLICY "users read which of their days have changed" ON vrm.call_dirty
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read which of their days have changed" ON vrm.call_dirty IS 'own rows only';
CREATE POLICY "users read the statistics of their calls" ON vrm.call_rollup
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the statistics of their calls" ON vrm.call_rollup IS 'own rows only';

-- Writing -----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.rebuild_facts() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed bigint;
BEGIN
    WITH fresh AS (
        SELECT r.user_id, r.id, r.agent_id, r.started_at, r.status, f.*
        FROM vrm.test_runs r,
             LATERAL vrm.call_fact(r.status, r.started_at, r.completed_at, r.results) AS f
        WHERE r.status IN ('completed', 'failed', 'cancelled') AND isfinite(r.started_at)
    ), behind AS (
        SELECT n.*, o.started_at AS before
        FROM fresh n LEFT JOIN vrm.call_facts o ON o.user_id = n.user_id AND o.id = n.id
        WHERE o.id IS NULL
           OR (o.agent_id, o.started_at, o.status, o.duration_ms, o.sentiment, o.actions, o.customer, o.bad)
              IS DISTINCT FROM
              (n.agent_id, n.started_at, n.status, n.duration_ms, n.sentiment, n.actions, n.customer, n.bad)
    ), put AS (
        INSERT INTO vrm.call_facts
            (user_id, id, agent_id, started_at, status, duration_ms, sentiment, actions, customer, bad)
        SELECT user_id, id, agent_id, started_at, status, duration_ms, sentiment, actions, customer, bad
        FROM behind
        ON CONFLICT (user_id, id) DO UPDATE
        SET agent_id = excluded.agent_id, started_at = excluded.started_at, status = excluded.status,
            duration_ms = excluded.duration_ms, sentiment = excluded.sentiment, actions = excluded.actions,
            customer = excluded.customer, bad = excluded.bad
    ), marked AS (
        INSERT INTO vrm.call_dirty (user_id, day)
        SELECT b.user_id, vrm.utc_day(b.started_at) FROM behind b
        UNION
        SELECT b.user_id, vrm.utc_day(b.before) FROM behind b WHERE b.before IS NOT NULL
    )
    SELECT count(*) INTO changed FROM behind;
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

-- The days are taken by one statement and made anew by later ones: facts that come between are marked
-- for themselves, and at worst a day is made anew twice.
CREATE OR REPLACE FUNCTION vrm_private.compact_calls(most_marks integer DEFAULT 5000) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    users uuid[];
    days date[];
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('vrm.call_rollup', 0)) THEN
        RETURN 0;  -- somebody is at it
    END IF;
    WITH oldest AS (
        SELECT d.user_id, d.id FROM vrm.call_dirty d LIMIT most_marks
    ), taken AS (
        DELETE FROM vrm.call_dirty d USING oldest s WHERE d.user_id = s.user_id AND d.id = s.id
        RETURNING d.user_id, d.day
    )
    SELECT array_agg(t.user_id), array_agg(t.day) INTO users, days
    FROM (SELECT DISTINCT user_id, day FROM taken) AS t;
    IF users IS NULL THEN
        RETURN 0;
    END IF;

    DELETE FROM vrm.call_rollup r USING unnest(users, days) AS t (user_id, day)
    WHERE r.user_id = t.user_id AND r.grain = 'day' AND r.bucket = t.day;
    INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
    SELECT f.user_id, 'day', t.day, coalesce(f.agent_id, '00000000-0000-0000-0000-000000000000') AS agent,
           vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad)::bytea
    FROM unnest(users, days) AS t (user_id, day)
    JOIN vrm.call_facts f ON f.user_id = t.user_id AND f.started_at >= t.day::timestamp AT TIME ZONE 'UTC'
                         AND f.started_at < (t.day + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY f.user_id, t.day, agent;

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
    'makes the statistics of days that have changed anew, for so many marks at once; returns the number of days';
REVOKE EXECUTE ON FUNCTION
    vrm_private.rebuild_facts(), vrm_private.rebuild_rollups(), vrm_private.compact_calls(integer)
    FROM PUBLIC;

-- Without its trigger, such as while the extension was gone, calls have left no facts.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'vrm.test_runs'::regclass AND tgname = 'record_facts') THEN
        PERFORM vrm_private.rebuild_facts();
    END IF;
END
$$;
CREATE TRIGGER record_facts
    AFTER INSERT OR DELETE OR UPDATE OF user_id, id, agent_id, status, started_at, completed_at, results
    ON vrm.test_runs
    FOR EACH ROW EXECUTE FUNCTION vrm.record_facts();
COMMENT ON TRIGGER record_facts ON vrm.test_runs IS 'keeps vrm.call_facts in step';
