-- Dashboards for Grafana: a first page with what everybody asks, and a page for each family of metrics

CREATE OR REPLACE FUNCTION vrm_private.grafana_unit(metric text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN metric LIKE '%\_bytes\_total' THEN 'Bps' WHEN metric LIKE '%\_bytes' THEN 'bytes'
                WHEN metric LIKE '%\_seconds\_total' THEN 'percentunit' WHEN metric LIKE '%\_seconds' THEN 's'
                WHEN metric LIKE '%\_ratio' THEN 'percentunit' WHEN metric LIKE '%\_total' THEN 'cps' ELSE 'short' END;
COMMENT ON FUNCTION vrm_private.grafana_unit(text) IS
    'Grafana''s name of a metric''s unit; counters are shown as what they grow by in a second';

-- Grafana colours what is at or above a step: where too little is bad, the first step is the bad one.
CREATE OR REPLACE FUNCTION vrm_private.grafana_steps(metric text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH limits AS (
        SELECT t.threshold, t.comparison, CASE t.severity WHEN 'critical' THEN 'red' ELSE 'orange' END AS colour
        FROM vrm.alert_threshold t WHERE t.metric = grafana_steps.metric AND t.enabled
    ), steps (value, colour) AS (
        SELECT NULL::double precision,
               coalesce((SELECT l.colour FROM limits l WHERE l.comparison = '<' ORDER BY l.threshold LIMIT 1), 'green')
        UNION ALL
        SELECT l.threshold, coalesce((SELECT n.colour FROM limits n
                                      WHERE n.comparison = '<' AND n.threshold > l.threshold
                                      ORDER BY n.threshold LIMIT 1), 'green')
        FROM limits l WHERE l.comparison = '<'
        UNION ALL
        SELECT l.threshold, l.colour FROM limits l WHERE l.comparison = '>'
    )
    SELECT jsonb_agg(jsonb_build_object('value', s.value, 'color', s.colour) ORDER BY s.value NULLS FIRST) FROM steps s
$$;
COMMENT ON FUNCTION vrm_private.grafana_steps(text) IS
    'thresholds of a metric as Grafana colours values, in both directions';

CREATE OR REPLACE FUNCTION vrm_private.grafana_panel(
    title text, description text, unit text, steps jsonb, targets jsonb, highest double precision DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object(
        'type', 'timeseries', 'title', title, 'description', description,
        'datasource', jsonb_build_object('type', 'prometheus', 'uid', '${datasource}'),
        'targets', (SELECT jsonb_agg(jsonb_build_object('refId', chr(64 + n::integer), 'expr', t ->> 0,
                                                        'legendFormat', t ->> 1) ORDER BY n)
                    FROM jsonb_array_elements(targets) WITH ORDINALITY AS t (t, n)),
        'fieldConfig', jsonb_build_object('overrides', '[]'::jsonb, 'defaults', jsonb_strip_nulls(jsonb_build_object(
            'min', 0, 'max', highest, 'unit', unit,
            'custom', jsonb_build_object('fillOpacity', 10, 'thresholdsStyle', jsonb_build_object(
                'mode', CASE WHEN jsonb_array_length(steps) = 1 THEN 'off' ELSE 'line' END))))
            || jsonb_build_object('thresholds', jsonb_build_object('mode', 'absolute', 'steps', steps))))
$$;
COMMENT ON FUNCTION vrm_private.grafana_panel(text, text, text, jsonb, jsonb, double precision) IS
    'a graph; targets are pairs of expression and legend';

-- The name without its prefix is unique, and says the unit.
CREATE OR REPLACE FUNCTION vrm_private.grafana_metric(metric vrm.monitoring_metrics) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.grafana_panel(
        replace(substr(metric.name, 5), '_', ' '), metric.help, vrm_private.grafana_unit(metric.name),
        vrm_private.grafana_steps(metric.name),
        CASE metric.type WHEN 'histogram' THEN
            (SELECT jsonb_agg(jsonb_build_array(format(
                 'histogram_quantile(%s, sum by (le, instance) (rate(%s_bucket{instance=~"$instance"}[1h])))', q,
                 metric.name), format('p%s {{instance}}', q * 100))) FROM unnest('{0.5,0.95}'::float8[]) AS q)
        ELSE jsonb_build_array(jsonb_build_array(
            format(CASE metric.type WHEN 'counter' THEN 'rate(%s{instance=~"$instance"}[$__rate_interval])'
                                    ELSE '%s{instance=~"$instance"}' END, metric.name),
            (SELECT string_agg(format('{{%s}}', l), ' ')
             FROM unnest(coalesce(nullif(metric.labels, '{}'), '{instance}')) AS l))) END)
$$;
COMMENT ON FUNCTION vrm_private.grafana_metric(vrm.monitoring_metrics) IS
    'the graph of a metric, with its thresholds as lines';

-- Counters of calls are moved by vrm.maintain() every few minutes: rates are over an hour.
CREATE OR REPLACE FUNCTION vrm_private.grafana_overview() RETURNS TABLE (place bigint, panel jsonb)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH objective AS (
        SELECT max(o.target) FILTER (WHERE o.metric = 'vrm_calls_ended_total') AS success,
               max(o.within_seconds) FILTER (WHERE o.metric = 'vrm_calls_answering_seconds') AS answer
        FROM vrm.service_objectives o WHERE o.enabled
    ), colours AS (
        SELECT '[{"color": "green", "value": null}]'::jsonb AS none,
               CASE WHEN o.success IS NULL THEN '[{"color": "green", "value": null}]'
                    ELSE jsonb_build_array('{"color": "red", "value": null}'::jsonb,
                                           jsonb_build_object('color', 'green', 'value', o.success)) END AS success,
               CASE WHEN o.answer IS NULL THEN '[{"color": "green", "value": null}]'
                    ELSE jsonb_build_array('{"color": "green", "value": null}'::jsonb,
                                           jsonb_build_object('color', 'red', 'value', o.answer)) END AS answer
        FROM objective o
    )
    SELECT p.place, vrm_private.grafana_panel(
        p.title, p.description, p.unit, p.steps,
        replace(to_jsonb(p.targets)::text, '@', 'instance=~\"$instance\"')::jsonb, p.highest)
    FROM colours c, LATERAL (VALUES
        (0::bigint, 'Calls an hour', 'calls that began and that have ended', 'short', c.none,
         ARRAY[['increase(vrm_calls_started_total{@}[1h])', 'started'],
               ['increase(vrm_calls_ended_total{@}[1h])', '{{outcome}}']], NULL::float8),
        (1, 'Success', 'completed calls, of those that were completed or have failed, over an hour', 'percentunit',
         c.success,
         ARRAY[['sum without (outcome) (increase(vrm_calls_ended_total{outcome="completed",@}[1h]))'
                ' / sum without (outcome) (increase(vrm_calls_ended_total{outcome=~"completed|failed",@}[1h]))',
                '{{instance}}'],
               ['vrm_calls_suite_passed_ratio{@}', 'suites, 7 days']], 1),
        (2, 'p95 of duration', 'how long calls took, over an hour', 's', c.none,
         ARRAY[['histogram_quantile(0.95, sum by (le, instance) (rate(vrm_calls_duration_seconds_bucket{@}[1h])))',
                '{{instance}}']], NULL),
        (3, 'p95 of answering time', 'how long answers of agents took, over an hour', 's', c.answer,
         ARRAY[['histogram_quantile(0.95, sum by (le, instance) (rate(vrm_calls_answering_seconds_bucket{@}[1h])))',
                '{{instance}}']], NULL),
        (4, 'Live calls', 'calls that are queued or running', 'short', c.none,
         ARRAY[['vrm_jobs_live_calls{@}', '{{status}}']], NULL),
        (5, 'Failures by reason', 'calls that have failed in the last hour', 'short', c.none,
         ARRAY[['increase(vrm_calls_failed_total{@}[1h]) > 0', '{{reason}}']], NULL),
        (6, 'Cost an hour', 'what calls have cost, in whole units of the currency', 'short', c.none,
         ARRAY[['increase(vrm_calls_cost_total{@}[1h])', '{{currency}}']], NULL),
        (7, 'Age of the last full backup', 'time since the last good one that was recorded', 's',
         vrm_private.grafana_steps('vrm_backup_full_age_seconds'),
         ARRAY[['vrm_backup_full_age_seconds{@}', '{{instance}}']], NULL),
        (8, 'What would be lost now', 'age of the oldest commit that is not archived', 's',
         vrm_private.grafana_steps('vrm_backup_exposure_seconds'),
         ARRAY[['vrm_backup_exposure_seconds{@}', '{{instance}}']], NULL),
        (9, 'Disk in use', 'what is used of each file system', 'percentunit',
         vrm_private.grafana_steps('vrm_storage_disk_used_ratio'),
         ARRAY[['vrm_storage_disk_used_ratio{@}', '{{path}}']], 1),
        (10, 'Lag of standbys', 'how far replay is behind at most', 's',
         vrm_private.grafana_steps('vrm_replication_lag_seconds'),
         ARRAY[['vrm_replication_lag_seconds{@}', '{{instance}}']], NULL),
        (11, 'Lockouts', 'identifiers and networks that are locked out', 'short',
         vrm_private.grafana_steps('vrm_jobs_lockouts'),
         ARRAY[['vrm_jobs_lockouts{@}', '{{instance}}']], NULL))
        AS p (place, title, description, unit, steps, targets, highest)
$$;
COMMENT ON FUNCTION vrm_private.grafana_overview() IS 'graphs of the first page';

-- Three graphs side by side, each eight units wide and high; above them links to the other pages.
CREATE OR REPLACE FUNCTION vrm.grafana_dashboard(page text DEFAULT 'overview') RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.grafana_dashboard(text)');
    IF page IS NULL OR page <> 'overview' AND NOT EXISTS (SELECT FROM vrm.monitoring_metrics m
                                                          WHERE m.family = page AND m.enabled) THEN
        RAISE EXCEPTION 'there is no page "%" of dashboards', coalesce(page, 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'There is overview, and a page for each family of metrics.',
                  HINT = 'SELECT DISTINCT family FROM vrm.monitoring_metrics;';
    END IF;
    RETURN (
        WITH panel AS (
            SELECT o.place, o.panel FROM vrm_private.grafana_overview() o WHERE page = 'overview'
            UNION ALL
            SELECT row_number() OVER (ORDER BY m.name) - 1, vrm_private.grafana_metric(m)
            FROM vrm.monitoring_metrics m WHERE m.enabled AND m.family = page
        ), other AS (
            SELECT 'overview' AS page, 0 AS place WHERE page <> 'overview'
            UNION ALL
            SELECT DISTINCT m.family, 1 FROM vrm.monitoring_metrics m WHERE m.enabled AND m.family <> page
        )
        SELECT jsonb_pretty(jsonb_build_object(
            'title', CASE page WHEN 'overview' THEN 'vrm' ELSE 'vrm ' || page END,
            'uid', CASE page WHEN 'overview' THEN 'vrm' ELSE 'vrm-' || page END,
            'schemaVersion', 36, 'tags', '["postgresql", "vrm"]'::jsonb, 'refresh', '30s',
            'time', '{"from": "now-6h", "to": "now"}'::jsonb,
            'links', (SELECT jsonb_agg(jsonb_build_object(
                          'type', 'link', 'title', o.page, 'keepTime', true, 'includeVars', true,
                          'url', '/d/vrm' || CASE o.page WHEN 'overview' THEN '' ELSE '-' || o.page END)
                          ORDER BY o.place, o.page) FROM other o),
            'templating', '{"list": [
                {"name": "datasource", "type": "datasource", "query": "prometheus"},
                {"name": "instance", "type": "query", "datasource": {"type": "prometheus", "uid": "${datasource}"},
                 "query": "label_values(vrm_connections_limit, instance)", "includeAll": true, "multi": true,
                 "refresh": 2}
            ]}'::jsonb,
            'panels', (SELECT jsonb_agg(p.panel || jsonb_build_object('id', p.place + 1, 'gridPos', jsonb_build_object(
                           'x', 8 * (p.place % 3), 'y', 8 * (p.place / 3), 'w', 8, 'h', 8)) ORDER BY p.place)
                       FROM panel p))));
END
$$;
COMMENT ON FUNCTION vrm.grafana_dashboard(text) IS
    'a page for Grafana: overview, or a family of metrics with a graph for each';

REVOKE EXECUTE ON FUNCTION
    vrm_private.grafana_unit(text), vrm_private.grafana_steps(text),
    vrm_private.grafana_panel(text, text, text, jsonb, jsonb, double precision),
    vrm_private.grafana_metric(vrm.monitoring_metrics), vrm_private.grafana_overview(), vrm.grafana_dashboard(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.grafana_dashboard(text) TO pg_monitor;
