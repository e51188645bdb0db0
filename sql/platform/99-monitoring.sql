-- Monitoring: a dashboard for Grafana, made from the registries ---------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.grafana_unit(metric text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN metric LIKE '%\_bytes\_total' THEN 'Bps' WHEN metric LIKE '%\_bytes' THEN 'bytes'
                WHEN metric LIKE '%\_seconds\_total' THEN 'percentunit' WHEN metric LIKE '%\_seconds' THEN 's'
                WHEN metric LIKE '%\_ratio' THEN 'percentunit' WHEN metric LIKE '%\_total' THEN 'cps' ELSE 'short' END;
COMMENT ON FUNCTION vrm_private.grafana_unit(text) IS
    'Grafana''s name of a metric''s unit; counters are shown as what they grow by in a second';

CREATE OR REPLACE FUNCTION vrm_private.grafana_panel(metric vrm.monitoring_metrics) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH line AS (
        SELECT jsonb_agg(jsonb_build_object(
                   'value', t.threshold, 'color', CASE t.severity WHEN 'critical' THEN 'red' ELSE 'orange' END)
                   ORDER BY t.threshold) AS steps
        FROM vrm.alert_threshold t
        WHERE t.metric = grafana_panel.metric.name AND t.enabled AND t.comparison = '>'
    )
    SELECT jsonb_build_object(
        'type', 'timeseries', 'title',
        replace(regexp_replace(metric.name, '^vrm_[a-z]+_|(_seconds|_bytes|_ratio|_total)+$', '', 'g'), '_', ' '),
        'description', metric.help,
        'datasource', jsonb_build_object('type', 'prometheus', 'uid', '${datasource}'),
        'targets', jsonb_build_array(jsonb_build_object(
            'refId', 'A',
            'expr', format(CASE metric.type WHEN 'counter' THEN 'rate(%s{instance=~"$instance"}[$__rate_interval])'
                                            ELSE '%s{instance=~"$instance"}' END, metric.name),
            'legendFormat', (SELECT string_agg(format('{{%s}}', l), ' ')
                             FROM unnest(coalesce(nullif(metric.labels, '{}'), '{instance}')) AS l))),
        'fieldConfig', jsonb_build_object('overrides', '[]'::jsonb, 'defaults', jsonb_build_object(
            'min', 0,
            'unit', vrm_private.grafana_unit(metric.name),
            'custom', jsonb_build_object('fillOpacity', 10, 'thresholdsStyle', jsonb_build_object(
                'mode', CASE WHEN line.steps IS NULL THEN 'off' ELSE 'line' END)),
            'thresholds', jsonb_build_object('mode', 'absolute', 'steps',
                '[{"color": "green", "value": null}]'::jsonb || coalesce(line.steps, '[]')))))
    FROM line
$$;
COMMENT ON FUNCTION vrm_private.grafana_panel(vrm.monitoring_metrics) IS
    'the graph of a metric, with its thresholds as lines';

-- A headline for each family, then its graphs: three side by side, each eight units wide and high.
CREATE OR REPLACE FUNCTION vrm.grafana_dashboard() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH metric AS (
        SELECT m.family, vrm_private.grafana_panel(m) AS panel,
               row_number() OVER (PARTITION BY m.family ORDER BY m.name) - 1 AS place
        FROM vrm.monitoring_metrics m WHERE m.enabled
    ), height AS (
        SELECT m.family, 1 + 8 * ((count(*) + 2) / 3) AS height FROM metric m GROUP BY m.family
    ), family AS (
        SELECT h.family, sum(h.height) OVER (ORDER BY h.family) - h.height AS y FROM height h
    ), panel AS (
        SELECT f.y, 0 AS x, 24 AS w, 1 AS h,
               jsonb_build_object('type', 'row', 'title', f.family, 'collapsed', false, 'panels', '[]'::jsonb) AS panel
        FROM family f
        UNION ALL
        SELECT f.y + 1 + 8 * (m.place / 3), 8 * (m.place % 3), 8, 8, m.panel
        FROM metric m JOIN family f ON f.family = m.family
    ), placed AS (
        SELECT row_number() OVER (ORDER BY p.y, p.x) AS id,
               p.panel || jsonb_build_object('gridPos', jsonb_build_object('x', p.x, 'y', p.y, 'w', p.w, 'h', p.h))
               AS panel
        FROM panel p
    )
    SELECT jsonb_pretty(jsonb_build_object(
        'title', 'vrm', 'uid', 'vrm', 'schemaVersion', 36, 'tags', '["postgresql", "vrm"]'::jsonb, 'refresh', '30s',
        'time', '{"from": "now-6h", "to": "now"}'::jsonb,
        'templating', '{"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {"name": "instance", "type": "query", "datasource": {"type": "prometheus", "uid": "${datasource}"},
             "query": "label_values(vrm_connections_limit, instance)", "includeAll": true, "multi": true, "refresh": 2}
        ]}'::jsonb,
        'panels', jsonb_agg(p.panel || jsonb_build_object('id', p.id) ORDER BY p.id)))
    FROM placed p
$$;
COMMENT ON FUNCTION vrm.grafana_dashboard() IS
    'a dashboard for Grafana: a graph for each metric, its thresholds as lines';

REVOKE EXECUTE ON FUNCTION
    vrm_private.grafana_unit(text), vrm_private.grafana_panel(vrm.monitoring_metrics), vrm.grafana_dashboard()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.grafana_dashboard() TO pg_monitor;
