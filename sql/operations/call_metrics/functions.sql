-- Metrics about calls, of all tenants together: counted by vrm.maintain(), read by vrm.monitoring()

CREATE OR REPLACE FUNCTION vrm_private.histogram_bounds(metric text) RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE metric WHEN 'vrm_calls_duration_seconds' THEN '{10,30,60,120,180,300,600,1200,1800,3600}'
                       WHEN 'vrm_calls_answering_seconds' THEN '{0.25,0.5,0.75,1,1.5,2,3,5,10,20}'
           END::double precision[];
COMMENT ON FUNCTION vrm_private.histogram_bounds(text) IS
    'upper bounds in seconds of the buckets of a histogram, the last one left out; null for what is none';

CREATE OR REPLACE FUNCTION vrm_private.check_objective() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    bounds double precision[] := vrm_private.histogram_bounds(NEW.metric);
BEGIN
    IF NEW.metric = 'vrm_calls_ended_total' AND NEW.within_seconds IS NULL OR NEW.within_seconds = ANY (bounds) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an objective of % within % seconds cannot be measured', NEW.metric,
                    coalesce(NEW.within_seconds::text, 'no')
        USING ERRCODE = 'check_violation',
              DETAIL = coalesce(format('Its bounds are %s.', array_to_string(bounds, ', ')),
                                'Objectives are about vrm_calls_ended_total, without seconds, and histograms.'),
              HINT = 'UPDATE vrm.service_objectives SET within_seconds = 2 WHERE objective = ''AnsweringTime'';';
END
$$;
COMMENT ON FUNCTION vrm_private.check_objective() IS 'trigger: refuses an objective that no metric can tell of';

-- Words of a source are a label as long as they are few and plain: whoever reports calls chooses them.
CREATE OR REPLACE FUNCTION vrm_private.failure_label(reason text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN reason IS NULL THEN 'unknown'
                WHEN reason !~ '^[A-Za-z][A-Za-z_. -]{0,59}$' THEN 'other'
                WHEN EXISTS (SELECT FROM vrm_private.call_totals t
                             WHERE t.name = 'vrm_calls_failed_total'
                               AND t.labels ->> 'reason' = lower(translate(reason, '. -', '___')))
                     OR (SELECT count(*) FROM vrm_private.call_totals t
                         WHERE t.name = 'vrm_calls_failed_total') < 20
                THEN lower(translate(reason, '. -', '___'))
                ELSE 'other' END
$$;
COMMENT ON FUNCTION vrm_private.failure_label(text) IS
    'why a call failed, as a label: twenty plain words at most, then other';

-- What was counted before is never counted again, and what commits late is not missed: events of transactions
-- that nobody can come before any more are all there.  Calls that ended more than a day ago are history that
-- somebody brings in, not what happens now.
CREATE OR REPLACE FUNCTION vrm_private.count_calls() RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state vrm_private.call_totals_state;
    until xid8 := pg_snapshot_xmin(pg_current_snapshot());
    here bigint := (SELECT c.system_identifier FROM pg_control_system() c);
    counted bigint;
BEGIN
    SELECT * INTO state FROM vrm_private.call_totals_state FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;  -- somebody is at it
    ELSIF state.system_identifier <> here THEN
        UPDATE vrm_private.call_totals_state SET counted_until = until, system_identifier = here;
        RETURN 0;
    END IF;
    WITH event AS MATERIALIZED (
        SELECT p.id AS user_id, e.run_id, e.status, e.id
        FROM vrm.user_profiles p,
             LATERAL (SELECT v.run_id, v.status, v.id FROM vrm.run_events v
                      WHERE v.user_id = p.id AND v.xid >= state.counted_until AND v.xid < until
                        AND v.at > now() - interval '1 day'
                      OFFSET 0) AS e
    ), ended AS MATERIALIZED (
        SELECT DISTINCT ON (e.user_id, e.run_id) e.status, f.duration_ms / 1000.0::double precision AS seconds,
               f.answers, f.cost_micros / 1e6 AS cost, coalesce(f.currency, 'unknown') AS currency,
               CASE WHEN e.status = 'failed' THEN vrm_private.failure_label(r.ended_reason) END AS reason
        FROM event e
        LEFT JOIN vrm.call_facts f ON f.user_id = e.user_id AND f.id = e.run_id
        LEFT JOIN vrm.test_runs r ON r.user_id = e.user_id AND r.id = e.run_id
        WHERE e.status IN ('completed', 'failed', 'cancelled')
        ORDER BY e.user_id, e.run_id, e.id DESC
    ), observed AS MATERIALIZED (
        SELECT 'vrm_calls_duration_seconds' AS metric, d.seconds FROM ended d WHERE d.seconds IS NOT NULL
        UNION ALL
        SELECT 'vrm_calls_answering_seconds', a.ms / 1000.0::double precision
        FROM ended d, unnest(vrm.answering_times(d.answers)) AS a (ms)
    ), more (name, labels, value) AS (
        SELECT 'vrm_calls_started_total', '{}'::jsonb, count(*)::double precision
        FROM event e WHERE e.status = 'running' HAVING count(*) > 0
        UNION ALL
        SELECT 'vrm_calls_ended_total', jsonb_build_object('outcome', d.status), count(*) FROM ended d GROUP BY 2
        UNION ALL
        SELECT 'vrm_calls_failed_total', jsonb_build_object('reason', d.reason), count(*)
        FROM ended d WHERE d.reason IS NOT NULL GROUP BY 2
        UNION ALL
        SELECT 'vrm_calls_cost_total', jsonb_build_object('currency', d.currency), sum(d.cost)
        FROM ended d WHERE d.cost IS NOT NULL GROUP BY 2
        UNION ALL
        SELECT o.metric || '_bucket', jsonb_build_object('le', vrm_private.prometheus_text(b.bound)),
               count(*) FILTER (WHERE o.seconds <= b.bound)
        FROM observed o, unnest(vrm_private.histogram_bounds(o.metric) || '{Infinity}') AS b (bound)
        GROUP BY o.metric, b.bound
        UNION ALL
        SELECT o.metric || '_count', '{}', count(*) FROM observed o GROUP BY o.metric
        UNION ALL
        SELECT o.metric || '_sum', '{}', sum(o.seconds) FROM observed o GROUP BY o.metric
    ), added AS (
        INSERT INTO vrm_private.call_totals AS t (name, labels, value)
        SELECT m.name, m.labels, m.value FROM more m WHERE m.value > 0
        ON CONFLICT ON CONSTRAINT call_totals_pkey DO UPDATE SET value = t.value + excluded.value
    )
    SELECT count(*) INTO counted FROM event;
    IF counted > 0 THEN
        UPDATE vrm_private.call_totals_state SET counted_until = until;
    END IF;
    PERFORM vrm_private.measure_suites();
    RETURN counted;
END
$$;
COMMENT ON FUNCTION vrm_private.count_calls() IS
    'part of vrm.maintain(): adds events of calls to vrm_private.call_totals; returns how many';

CREATE OR REPLACE FUNCTION vrm_private.measure_suites() RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH judged AS MATERIALIZED (
        SELECT count(*) FILTER (WHERE k.passed) / nullif(count(k.passed), 0)::double precision AS ratio
        FROM vrm.suite_runs s JOIN vrm.suite_calls k ON k.user_id = s.user_id AND k.suite_run_id = s.id
        WHERE s.started_at > now() - interval '7 days'
    ), none AS (
        DELETE FROM vrm_private.call_totals t USING judged j
        WHERE t.name = 'vrm_calls_suite_passed_ratio' AND j.ratio IS NULL
    )
    INSERT INTO vrm_private.call_totals AS t (name, value)
    SELECT 'vrm_calls_suite_passed_ratio', j.ratio FROM judged j WHERE j.ratio IS NOT NULL
    ON CONFLICT ON CONSTRAINT call_totals_pkey DO UPDATE SET value = excluded.value
    WHERE t.value <> excluded.value
$$;
COMMENT ON FUNCTION vrm_private.measure_suites() IS
    'for vrm_private.count_calls(): how many calls of suites passed lately';

CREATE OR REPLACE FUNCTION vrm_private.measure_calls()
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT f.name, f.labels, f.value::double precision FROM (
    WITH expected (name, labels) AS (
        SELECT 'vrm_calls_started_total', '{}'::jsonb
        UNION ALL
        SELECT 'vrm_calls_ended_total', jsonb_build_object('outcome', o)
        FROM unnest('{completed,failed,cancelled}'::text[]) AS o
        UNION ALL
        SELECT 'vrm_calls_failed_total', jsonb_build_object('reason', o)
        FROM unnest('{other,time_limit_exceeded,unknown}'::text[]) AS o
        UNION ALL
        SELECT 'vrm_calls_cost_total', '{"currency": "USD"}'
        UNION ALL
        SELECT h.metric || s.ending, s.labels
        FROM unnest('{vrm_calls_duration_seconds,vrm_calls_answering_seconds}'::text[]) AS h (metric),
             LATERAL (SELECT '_bucket', jsonb_build_object('le', vrm_private.prometheus_text(b))
                      FROM unnest(vrm_private.histogram_bounds(h.metric) || '{Infinity}') AS b
                      UNION ALL VALUES ('_sum', '{}'::jsonb), ('_count', '{}')) AS s (ending, labels)
    )
    SELECT coalesce(t.name, e.name), coalesce(t.labels, e.labels), coalesce(t.value, 0)
    FROM expected e FULL JOIN vrm_private.call_totals t ON t.name = e.name AND t.labels = e.labels
    UNION ALL
    SELECT 'vrm_calls_suite_passed_ratio', '{}', 'NaN'
    WHERE NOT EXISTS (SELECT FROM vrm_private.call_totals t WHERE t.name = 'vrm_calls_suite_passed_ratio')
    ) AS f (name, labels, value);
END
$$;
COMMENT ON FUNCTION vrm_private.measure_calls() IS 'the family calls of vrm.monitoring_metrics';

REVOKE EXECUTE ON FUNCTION
    vrm_private.histogram_bounds(text), vrm_private.check_objective(), vrm_private.failure_label(text),
    vrm_private.count_calls(), vrm_private.measure_suites(), vrm_private.measure_calls()
    FROM PUBLIC;

-- All families are there now.  One statement for each, so that a session plans them once.
CREATE OR REPLACE FUNCTION vrm_private.measure(family text)
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CASE family
        WHEN 'connections' THEN RETURN QUERY SELECT * FROM vrm_private.measure_connections();
        WHEN 'statements' THEN RETURN QUERY SELECT * FROM vrm_private.measure_statements();
        WHEN 'storage' THEN RETURN QUERY SELECT * FROM vrm_private.measure_storage();
        WHEN 'replication' THEN RETURN QUERY SELECT * FROM vrm_private.measure_replication();
        WHEN 'backup' THEN RETURN QUERY SELECT * FROM vrm_private.measure_backup();
        WHEN 'maintenance' THEN RETURN QUERY SELECT * FROM vrm_private.measure_maintenance();
        WHEN 'jobs' THEN RETURN QUERY SELECT * FROM vrm_private.measure_jobs();
        WHEN 'agents' THEN RETURN QUERY SELECT * FROM vrm_private.measure_agents();
        WHEN 'calls' THEN RETURN QUERY SELECT * FROM vrm_private.measure_calls();
    END CASE;
END
$$;
COMMENT ON FUNCTION vrm_private.measure(text) IS 'the series of a family of vrm.monitoring_metrics';
REVOKE EXECUTE ON FUNCTION vrm_private.measure(text) FROM PUBLIC;
