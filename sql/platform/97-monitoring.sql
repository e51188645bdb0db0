-- Monitoring: what people and programs call --------------------------------------------------------
-- For members of pg_monitor.  vrm.monitoring() reads as the platform's owner; the others read it.

-- A family that fails (a lock that somebody holds on a table, a function that the provider withholds)
-- costs its own series and no others.
CREATE OR REPLACE FUNCTION vrm.monitoring(families text[] DEFAULT NULL)
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    known text[] := '{connections,statements,storage,replication,backup,maintenance,jobs}';
    family text;
BEGIN
    FOREACH family IN ARRAY coalesce(families, known) LOOP
        IF coalesce(family <> ALL (known), true) THEN
            RAISE EXCEPTION 'there is no family "%" of metrics', family
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'SELECT DISTINCT family FROM vrm.monitoring_metrics;';
        END IF;
        BEGIN
            RETURN QUERY EXECUTE format(
                'SELECT m.name, s.labels, s.value FROM vrm_private.%I() s'
                ' JOIN vrm.monitoring_metrics m ON m.name = s.name'
                ' WHERE m.enabled ORDER BY m.name, s.labels', 'measure_' || family);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'family "%" of metrics could not be measured', family
                USING ERRCODE = SQLSTATE, DETAIL = SQLERRM,
                      HINT = format('SELECT * FROM vrm_private.measure_%s(); as the platform''s owner.', family);
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.monitoring(text[]) IS 'measures the metrics of some families, or of all: one row a series';

CREATE OR REPLACE FUNCTION vrm_private.prometheus_text(value double precision) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE value WHEN 'Infinity' THEN '+Inf' WHEN '-Infinity' THEN '-Inf' ELSE value::text END;
COMMENT ON FUNCTION vrm_private.prometheus_text(double precision) IS 'a number as Prometheus writes it';

CREATE OR REPLACE FUNCTION vrm_private.prometheus_labels(labels jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce('{' || string_agg(format('%s="%s"', l.key, replace(replace(replace(
                        l.value, '\', '\\'), '"', '\"'), E'\n', '\n')), ',' ORDER BY l.key) || '}', '')
    FROM jsonb_each_text(labels) AS l
$$;
COMMENT ON FUNCTION vrm_private.prometheus_labels(jsonb) IS 'labels as Prometheus writes them: {name="value",...}';

CREATE OR REPLACE FUNCTION vrm.monitoring_text() RETURNS text
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(format(E'# HELP %1$s %2$s\n# TYPE %1$s %3$s\n%4$s', m.name,
                             replace(replace(m.help, '\', '\\'), E'\n', '\n'), m.type, s.lines),
                      '' ORDER BY m.name)
    FROM (SELECT s.name, string_agg(format(E'%s%s %s\n', s.name, vrm_private.prometheus_labels(s.labels),
                                           vrm_private.prometheus_text(s.value)), '' ORDER BY s.labels) AS lines
          FROM vrm.monitoring() AS s GROUP BY s.name) AS s
    JOIN vrm.monitoring_metrics m ON m.name = s.name
$$;
COMMENT ON FUNCTION vrm.monitoring_text() IS 'all metrics in the text format that Prometheus reads';

CREATE OR REPLACE FUNCTION vrm_private.judged_metrics()
    RETURNS TABLE (alert text, labels jsonb, value double precision, beyond boolean)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.alert, s.labels, s.value,
           CASE WHEN s.value = 'NaN' THEN NULL
                WHEN t.comparison = '>' THEN s.value > t.threshold ELSE s.value < t.threshold END
    FROM vrm.alert_threshold t
    LEFT JOIN vrm.monitoring() s ON s.name = t.metric
    WHERE t.enabled
$$;
COMMENT ON FUNCTION vrm_private.judged_metrics() IS
    'each series that a threshold looks at; beyond is null where there is nothing to judge';

CREATE OR REPLACE FUNCTION vrm.alerts()
    RETURNS TABLE (alert text, severity text, metric text, labels jsonb, value double precision,
                   threshold double precision, since timestamptz, summary text, hint text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.alert, t.severity, t.metric, j.labels, j.value, t.threshold, coalesce(h.since, now()), t.summary, t.hint
    FROM vrm_private.judged_metrics() j
    JOIN vrm.alert_threshold t ON t.alert = j.alert
    LEFT JOIN vrm.alert_history h ON h.alert = j.alert AND h.labels = j.labels AND h.resolved_at IS NULL
    WHERE j.beyond
    ORDER BY t.severity, t.alert, j.labels
$$;
COMMENT ON FUNCTION vrm.alerts() IS
    'what is beyond its threshold now; since is when vrm.maintain() first saw it, or now';

CREATE OR REPLACE FUNCTION vrm.health_check()
    RETURNS TABLE (check_name text, status text, value double precision, limit_value double precision,
                   detail text, hint text, fix_sql text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH worst AS (
        SELECT DISTINCT ON (j.alert) j.*, count(*) FILTER (WHERE j.beyond) OVER (PARTITION BY j.alert) AS series
        FROM vrm_private.judged_metrics() j JOIN vrm.alert_threshold t ON t.alert = j.alert
        ORDER BY j.alert, j.beyond DESC NULLS LAST, j.value * CASE t.comparison WHEN '>' THEN -1 ELSE 1 END, j.labels
    ), verdict AS (
        SELECT t.alert, w.value, t.threshold AS limit_value,
               CASE WHEN w.beyond IS NULL THEN 'unknown' WHEN NOT w.beyond THEN 'ok'
                    WHEN t.severity = 'critical' THEN 'fail' ELSE 'warn' END AS status,
               CASE WHEN w.beyond THEN t.summary || ': ' ELSE '' END || t.metric
                   || coalesce(vrm_private.prometheus_labels(w.labels), '')
                   || CASE WHEN w.beyond IS NULL THEN ' was not measured'
                           ELSE format(' is %s, the limit is %s', CASE WHEN w.value < 1e15 THEN
                                       round(w.value::numeric, 3)::double precision ELSE w.value END, t.threshold) END
                   || CASE WHEN w.series > 1 THEN format(', and %s more', w.series - 1) ELSE '' END AS detail,
               CASE WHEN w.beyond IS NOT FALSE THEN t.hint END AS hint,
               CASE WHEN w.beyond IS NOT FALSE THEN t.fix_sql END AS fix_sql
        FROM worst w JOIN vrm.alert_threshold t ON t.alert = w.alert
        UNION ALL
        SELECT r.check_name, r.value, r.limit_value, r.status, r.detail, r.hint, NULL FROM vrm.recovery_status() r
    )
    SELECT v.alert, v.status, v.value, v.limit_value, v.detail, v.hint, v.fix_sql
    FROM verdict v
    ORDER BY array_position('{fail,warn,unknown,ok}', v.status), v.alert
$$;
COMMENT ON FUNCTION vrm.health_check() IS
    'a verdict on each threshold and recovery objective, worst first: ok, warn, fail or unknown, and what to do';

-- Writes nothing while nothing changes, and notes that it came by once a day only: on an idle database
-- every commit of ours would be one that is not archived yet.
CREATE OR REPLACE FUNCTION vrm_private.sample() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    beyond jsonb := (SELECT coalesce(jsonb_agg(to_jsonb(a)), '[]') FROM vrm.alerts() a);
BEGIN
    UPDATE vrm.alert_history h SET resolved_at = now()
    WHERE h.resolved_at IS NULL
      AND NOT EXISTS (SELECT FROM jsonb_to_recordset(beyond) AS b (alert text, labels jsonb)
                      WHERE b.alert = h.alert AND b.labels = h.labels);
    INSERT INTO vrm.alert_history (alert, severity, metric, labels, value, threshold)
    SELECT b.alert, b.severity, b.metric, b.labels, b.value, b.threshold
    FROM jsonb_to_recordset(beyond) AS b (alert text, severity text, metric text, labels jsonb,
                                          value double precision, threshold double precision)
    WHERE NOT EXISTS (SELECT FROM vrm.alert_history h
                      WHERE h.alert = b.alert AND h.labels = b.labels AND h.resolved_at IS NULL)
    ON CONFLICT (alert, labels) WHERE resolved_at IS NULL DO NOTHING;
    IF NOT EXISTS (SELECT FROM vrm_private.monitoring_state s
                   WHERE (s.sampled_at AT TIME ZONE 'UTC')::date = (now() AT TIME ZONE 'UTC')::date) THEN
        UPDATE vrm_private.monitoring_state SET sampled_at = now();
        DELETE FROM vrm.alert_history h WHERE h.resolved_at < now() - interval '1 year';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.sample() IS
    'part of vrm.maintain(): notes which alerts began and ended, and that it came by';

REVOKE EXECUTE ON FUNCTION
    vrm.monitoring(text[]), vrm_private.prometheus_text(double precision), vrm_private.prometheus_labels(jsonb),
    vrm.monitoring_text(), vrm_private.judged_metrics(), vrm.alerts(), vrm.health_check(), vrm_private.sample()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.monitoring(text[]), vrm.monitoring_text(), vrm.alerts(), vrm.health_check()
    TO pg_monitor;
