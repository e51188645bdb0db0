-- Alerts about agents, by tenant

-- As the constraints say, which the rows that are refused do not show.
CREATE OR REPLACE FUNCTION vrm_private.check_agent_threshold() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text;
BEGIN
    wrong := CASE
        WHEN NEW.measure NOT IN ('answering_time', 'failure_rate', 'transfer_rate', 'cost_per_day', 'pass_rate')
            THEN format('measure: must be answering_time, failure_rate, transfer_rate, cost_per_day or pass_rate,'
                        ' got "%s"', left(NEW.measure, 100))
        WHEN NEW.comparison NOT IN ('>', '<')
            THEN format('comparison: must be > or <, got "%s"', left(NEW.comparison, 100))
        WHEN NEW.compared_with NOT IN ('level', 'last_week')
            THEN format('compared_with: must be level or last_week, got "%s"', left(NEW.compared_with, 100))
        WHEN NEW.threshold NOT BETWEEN 0 AND 1e12
            THEN format('threshold: must be from 0 to 1e12, got %s', NEW.threshold)
        WHEN NEW.min_calls NOT BETWEEN 1 AND 1000000
            THEN format('min_calls: must be from 1 to 1000000, got %s', NEW.min_calls)
    END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'threshold of an agent is not valid'
            USING ERRCODE = 'check_violation',
                  DETAIL = wrong || '.',
                  HINT = 'INSERT INTO vrm.agent_thresholds (measure, comparison, threshold)'
                         ' VALUES (''failure_rate'', ''>'', 0.1);';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.check_agent_threshold() IS 'trigger: refuses values out of range, and says which';

CREATE OR REPLACE FUNCTION vrm_private.agent_figures(owner uuid, since timestamptz, until timestamptz)
    RETURNS TABLE (agent_id uuid, measure text, value double precision, calls bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT g.agent_id, f.measure, f.value, g.calls
    FROM (SELECT c.agent_id, count(*) AS calls,
                 vrm.call_stats(c.status, c.duration_ms, c.sentiment, c.actions, c.customer, c.bad, c.agent_ms,
                                c.customer_ms, c.interruptions, c.answers, c.tool_calls, c.tool_failures,
                                c.outcome_kind, c.cost_micros, c.currency) AS stats
          FROM vrm.call_facts c
          WHERE c.user_id = owner AND c.started_at > since AND c.started_at <= until AND c.agent_id IS NOT NULL
          GROUP BY c.agent_id) AS g
    CROSS JOIN LATERAL vrm.summary(g.stats) AS s
    CROSS JOIN LATERAL vrm.conversation_summary(g.stats) AS t
    -- costs in several currencies are no sum: the dearest counts
    CROSS JOIN LATERAL (SELECT max(p.cost) AS cost
                        FROM (SELECT sum(c.cost_micros) / 1e6 AS cost FROM vrm.call_facts c
                              WHERE c.user_id = owner AND c.started_at > since AND c.started_at <= until
                                AND c.agent_id = g.agent_id AND c.cost_micros IS NOT NULL
                              GROUP BY c.currency) AS p) AS spent
    CROSS JOIN LATERAL (VALUES
        ('answering_time', extract(epoch FROM t.p95_answer_time) * 1000),
        ('failure_rate', s.failed::double precision / nullif(s.completed + s.failed, 0)),
        ('transfer_rate', t.transfer_rate),
        ('cost_per_day', spent.cost / (extract(epoch FROM until - since) / 86400))) AS f (measure, value)
    WHERE f.value IS NOT NULL
$$;
COMMENT ON FUNCTION vrm_private.agent_figures(uuid, timestamptz, timestamptz) IS
    'measures of a user''s agents by the calls of some time';

CREATE OR REPLACE FUNCTION vrm_private.suite_passes(owner uuid)
    RETURNS TABLE (agent_id uuid, started_at timestamptz, passed double precision, calls bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.agent_id, r.started_at, count(*) FILTER (WHERE k.passed)::double precision / count(k.passed),
           count(k.passed)
    FROM vrm.suite_runs r
    JOIN vrm.suite_calls k ON k.user_id = r.user_id AND k.suite_run_id = r.id
    WHERE r.user_id = owner AND r.started_at > now() - interval '1 year'
    GROUP BY r.user_id, r.id
    HAVING count(*) FILTER (WHERE k.status IS NULL) = 0 AND count(k.passed) > 0
$$;
COMMENT ON FUNCTION vrm_private.suite_passes(uuid) IS 'pass rates of a user''s runs of suites that are over';

-- What is, and what was in the seven days before.
CREATE OR REPLACE FUNCTION vrm_private.agent_measures(owner uuid)
    RETURNS TABLE (agent_id uuid, measure text, value double precision, calls bigint, before double precision)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT n.agent_id, n.measure, n.value, n.calls, b.value
    FROM vrm_private.agent_figures(owner, now() - interval '24 hours', now()) AS n
    LEFT JOIN vrm_private.agent_figures(owner, now() - interval '192 hours', now() - interval '24 hours') AS b
        ON b.agent_id = n.agent_id AND b.measure = n.measure
    UNION ALL
    SELECT l.agent_id, 'pass_rate', l.passed, l.calls,
           (SELECT avg(p.passed) FROM vrm_private.suite_passes(owner) AS p
            WHERE p.agent_id = l.agent_id AND p.started_at < l.started_at
              AND p.started_at >= l.started_at - interval '7 days')
    FROM (SELECT DISTINCT ON (s.agent_id) s.* FROM vrm_private.suite_passes(owner) AS s
          ORDER BY s.agent_id, s.started_at DESC) AS l
$$;
COMMENT ON FUNCTION vrm_private.agent_measures(uuid) IS
    'measures of a user''s agents now, and what they were in the seven days before';

CREATE OR REPLACE FUNCTION vrm_private.agent_findings(owner uuid)
    RETURNS TABLE (threshold_id uuid, agent_id uuid, measure text, value double precision, allowed double precision,
                   calls bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.id, m.agent_id, m.measure, m.value, limits.allowed, m.calls
    FROM vrm.agent_thresholds t
    JOIN vrm_private.agent_measures(owner) AS m
        ON m.measure = t.measure AND m.agent_id = coalesce(t.agent_id, m.agent_id)
    JOIN vrm.agents a ON a.user_id = owner AND a.id = m.agent_id AND a.deleted_at IS NULL
    CROSS JOIN LATERAL (SELECT CASE t.compared_with WHEN 'level' THEN t.threshold
                                                    ELSE t.threshold * m.before END AS allowed) AS limits
    WHERE t.user_id = owner AND t.enabled AND m.calls >= t.min_calls
      AND CASE t.comparison WHEN '>' THEN m.value > limits.allowed ELSE m.value < limits.allowed END
$$;
COMMENT ON FUNCTION vrm_private.agent_findings(uuid) IS 'what of a user''s agents is beyond its threshold now';

CREATE OR REPLACE FUNCTION vrm.agent_findings()
    RETURNS TABLE (agent_id uuid, agent text, measure text, value double precision, allowed double precision,
                   calls bigint, since timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    owner uuid := vrm_private.reader();
BEGIN
    RETURN QUERY
        SELECT f.agent_id, a.agent_id, f.measure, f.value, f.allowed, f.calls, coalesce(o.since, now())
        FROM vrm_private.agent_findings(owner) AS f
        JOIN vrm.agents a ON a.user_id = owner AND a.id = f.agent_id
        LEFT JOIN vrm.agent_alerts o ON o.user_id = owner AND o.threshold_id = f.threshold_id
                                    AND o.agent_id = f.agent_id AND o.resolved_at IS NULL
        ORDER BY a.agent_id, f.measure, f.threshold_id;
END
$$;
COMMENT ON FUNCTION vrm.agent_findings() IS
    'what of the caller''s agents is beyond its threshold now; since is when vrm.maintain() first saw it, or now';

CREATE OR REPLACE FUNCTION vrm_private.note_agent_alerts() RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person uuid;
    noted bigint := 0;
    more bigint;
BEGIN
    FOR person IN
        SELECT t.user_id FROM vrm.agent_thresholds t WHERE t.enabled
        UNION
        SELECT o.user_id FROM vrm.agent_alerts o WHERE o.resolved_at IS NULL
    LOOP
        WITH found AS MATERIALIZED (
            SELECT * FROM vrm_private.agent_findings(person)
        ), over AS (
            UPDATE vrm.agent_alerts o SET resolved_at = now()
            WHERE o.user_id = person AND o.resolved_at IS NULL
              AND NOT EXISTS (SELECT FROM found f WHERE f.threshold_id = o.threshold_id AND f.agent_id = o.agent_id)
        ), begun AS (
            INSERT INTO vrm.agent_alerts (user_id, threshold_id, agent_id, measure, value, allowed, calls)
            SELECT person, f.threshold_id, f.agent_id, f.measure, f.value, f.allowed, f.calls FROM found f
            ON CONFLICT (user_id, threshold_id, agent_id) WHERE resolved_at IS NULL DO NOTHING
            RETURNING 1
        )
        SELECT count(*) INTO more FROM begun;
        noted := noted + more;
    END LOOP;
    RETURN noted;
END
$$;
COMMENT ON FUNCTION vrm_private.note_agent_alerts() IS
    'part of vrm.maintain(): notes which alerts about agents began and ended; returns how many began';

-- Retention, policy "agent.alerts"; what is open is not old.
CREATE OR REPLACE FUNCTION vrm_private.old_agent_alerts(cutoff timestamptz)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, agent_id uuid, run_id uuid,
                   started_at timestamptz, bytes bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.tableoid, o.ctid, o.user_id::text || '/' || o.id, o.user_id, o.agent_id, NULL::uuid, o.resolved_at,
           150::bigint
    FROM vrm.agent_alerts o
    WHERE o.resolved_at < cutoff
$$;
COMMENT ON FUNCTION vrm_private.old_agent_alerts(timestamptz) IS 'rule of retention: alerts about agents';

CREATE OR REPLACE FUNCTION vrm_private.measure_agents()
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT f.name, f.labels, f.value::double precision FROM (
    WITH suite AS MATERIALIZED (
        SELECT r.user_id, r.id,
               CASE WHEN r.agent_version = max(v.version) THEN 'current' ELSE 'earlier' END AS version
        FROM vrm.suite_runs r
        JOIN vrm.agent_versions v ON v.user_id = r.user_id AND v.agent_id = r.agent_id
        WHERE r.started_at > now() - interval '30 days'
        GROUP BY r.user_id, r.id
    )
    SELECT 'vrm_agents_alerts_open', jsonb_build_object('measure', k.measure),
           (SELECT count(*) FROM vrm.agent_alerts o WHERE o.resolved_at IS NULL AND o.measure = k.measure)
    FROM unnest('{answering_time,failure_rate,transfer_rate,cost_per_day,pass_rate}'::text[]) AS k (measure)
    UNION ALL
    SELECT 'vrm_agents_suite_passed_ratio', jsonb_build_object('version', w.version),
           coalesce((SELECT avg(k.passed::integer) FROM suite s
                     JOIN vrm.suite_calls k ON k.user_id = s.user_id AND k.suite_run_id = s.id
                     WHERE s.version = w.version), 'NaN')
    FROM unnest('{current,earlier}'::text[]) AS w (version)
    UNION ALL
    SELECT m.name, '{}', m.value
    FROM (VALUES
        ('vrm_agents_thresholds', (SELECT count(*) FROM vrm.agent_thresholds t WHERE t.enabled)),
        ('vrm_agents_calls_waiting', (SELECT count(*) FROM (SELECT FROM vrm.run_queue LIMIT 100000) AS q)),
        ('vrm_agents_leases', (SELECT count(*) FROM (SELECT FROM vrm.run_leases LIMIT 100000) AS l)),
        ('vrm_agents_suite_runs', (SELECT count(*) FROM vrm.suite_runs r
                                   WHERE r.started_at > now() - interval '24 hours'))) AS m (name, value)
    ) AS f (name, labels, value);
END
$$;
COMMENT ON FUNCTION vrm_private.measure_agents() IS 'the family agents of vrm.monitoring_metrics';

REVOKE EXECUTE ON FUNCTION
    vrm_private.check_agent_threshold(), vrm_private.agent_figures(uuid, timestamptz, timestamptz),
    vrm_private.suite_passes(uuid), vrm_private.agent_measures(uuid), vrm_private.agent_findings(uuid),
    vrm.agent_findings(), vrm_private.note_agent_alerts(), vrm_private.old_agent_alerts(timestamptz),
    vrm_private.measure_agents()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.agent_findings() TO authenticated;
