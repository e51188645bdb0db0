-- Files for Prometheus, its exporter and Grafana, made from the registries

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
REVOKE EXECUTE ON FUNCTION
    vrm_private.prometheus_text(double precision),
    vrm_private.prometheus_labels(jsonb)
    FROM PUBLIC;

-- Made from the registries, so that a threshold changed here is changed there.  The files under
-- monitoring/ are what these functions give for the registries as they are installed.

-- Metrics without labels share the query of their family, the others have one for each name: the
-- exporter makes the name of a metric of the query's and the column's.
CREATE OR REPLACE FUNCTION vrm_private.exporter_queries() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH metric AS (
        SELECT m.*, CASE WHEN m.labels = '{}' THEN 'vrm_' || m.family
                         ELSE regexp_replace(m.name, '_[a-z]+$', '') END AS query
        FROM vrm.monitoring_metrics m WHERE m.enabled
    ), part AS (
        SELECT m.query, m.family, m.labels, substr(m.name, length(m.query) + 2) AS column, m.name, m.type, m.help
        FROM metric m
    ), query AS (
        SELECT p.query, p.family, p.labels,
               string_agg(format('max(value) FILTER (WHERE name = %L) AS %I', p.name, p.column), ', '
                          ORDER BY p.name) AS columns,
               string_agg(format(E'    - %s: {usage: %s, description: %s}\n',
                                 to_json(p.column), upper(p.type), to_json(p.help)), '' ORDER BY p.name) AS metrics
        FROM part p GROUP BY p.query, p.family, p.labels
    ), labelled AS (
        SELECT q.*, coalesce(l.columns, '') AS label_columns, coalesce(l.metrics, '') AS label_metrics
        FROM query q,
             LATERAL (SELECT string_agg(format('labels ->> %L AS %I, ', l, l), '') AS columns,
                             string_agg(format(E'    - %s: {usage: LABEL, description: ""}\n', to_json(l)), '')
                             AS metrics
                      FROM unnest(q.labels) AS l) AS l
    )
    SELECT string_agg(format(E'%s:\n  query: %s\n  metrics:\n%s%s', q.query, to_json(
               format('SELECT %s%s FROM vrm.monitoring(%L) GROUP BY labels HAVING %s', q.label_columns, q.columns,
                      ARRAY[q.family], CASE WHEN q.labels = '{}' THEN 'labels = ''{}'''
                                            ELSE format('labels ?& %L', q.labels) END)),
               q.label_metrics, q.metrics), '' ORDER BY q.query)
    FROM labelled q
$$;
COMMENT ON FUNCTION vrm_private.exporter_queries() IS
    'queries for postgres_exporter: one for each family and set of labels';

CREATE OR REPLACE FUNCTION vrm.exporter_config(target text DEFAULT 'postgres_exporter') RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.exporter_config(text)');
    CASE target
    WHEN 'postgres_exporter' THEN
        RETURN E'# Made by vrm.exporter_config(''postgres_exporter''), for --extend.query-path.\n'
            || vrm_private.exporter_queries();
    WHEN 'prometheus' THEN
        RETURN $yaml$# Made by vrm.exporter_config('prometheus').
global:
  scrape_interval: 15s
  evaluation_interval: 15s
rule_files:
  - vrm.rules.yml
alerting:
  alertmanagers:
    - static_configs:
        - targets: ["127.0.0.1:9093"]
scrape_configs:
  - job_name: vrm
    static_configs:
      - targets: ["127.0.0.1:9187"]
$yaml$;
    WHEN 'alertmanager' THEN
        RETURN $yaml$# Made by vrm.exporter_config('alertmanager'); the receiver is yours to choose.
route:
  receiver: people
  group_by: [alertname, instance]
  routes:
    - matchers: ['severity = "critical"']
      receiver: people
      repeat_interval: 1h
receivers:
  - name: people
    webhook_configs:
      - url: http://127.0.0.1:9095/
        send_resolved: true
$yaml$;
    ELSE
        RAISE EXCEPTION 'there is no configuration for "%"', target
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'Known targets are postgres_exporter, prometheus and alertmanager.',
                  HINT = 'SELECT vrm.exporter_config(''postgres_exporter'');';
    END CASE;
END
$$;
COMMENT ON FUNCTION vrm.exporter_config(text) IS
    'a file for postgres_exporter, prometheus or alertmanager that makes it work with this database';

-- Prometheus' own way to write a number of a metric for people, as a template.
CREATE OR REPLACE FUNCTION vrm_private.readable(metric text, value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN format('{{ %s | humanize%s }}%s', value,
                  CASE WHEN metric LIKE '%\_seconds' THEN 'Duration' WHEN metric LIKE '%\_ratio' THEN 'Percentage'
                       WHEN metric LIKE '%\_bytes' THEN '1024' ELSE '' END,
                  CASE WHEN metric LIKE '%\_bytes' THEN 'B' ELSE '' END);
COMMENT ON FUNCTION vrm_private.readable(text, text) IS 'a template by which Prometheus writes a value in its unit';

-- A gauge is compared as it is: rate() of one that grows by a second each second is 1 at most, and a
-- threshold of more would never be passed.  MetricsMissing stands for what has no values to compare,
-- at all or for one server since less than an hour.
CREATE OR REPLACE FUNCTION vrm.prometheus_rules() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.prometheus_rules()');
    WITH rule AS (
        SELECT t.alert, format('%s %s %s', t.metric, t.comparison, vrm_private.prometheus_text(t.threshold)) AS expr,
               extract(epoch FROM t.hold) AS hold, t.severity, t.summary,
               format('%s%s is %s, the limit is %s', t.metric,
                      (SELECT format('{%s}', string_agg(format('%s="{{ $labels.%1$s }}"', l), ','))
                       FROM unnest(m.labels) AS l HAVING count(*) > 0),
                      vrm_private.readable(t.metric, '$value'),
                      vrm_private.readable(t.metric, format('"%s"', t.threshold))) AS description,
               t.hint || coalesce(' ' || t.fix_sql || ';', '') AS hint
        FROM vrm.alert_threshold t JOIN vrm.monitoring_metrics m ON m.name = t.metric
        WHERE t.enabled AND m.enabled
        UNION ALL
        SELECT 'MetricsMissing',
               string_agg(format('absent(%s) or (max_over_time(%1$s[1h]) unless %1$s)', f.name), ' or '
                          ORDER BY f.name),
               300, 'critical', 'metrics are missing', 'a family of metrics or all of them are not there',
               'Look at the exporter, whether its user is in pg_monitor, and what warnings it gets:'
               ' SELECT * FROM vrm.monitoring();'
        FROM (SELECT min(m.name) AS name FROM vrm.monitoring_metrics m
              WHERE m.enabled AND m.labels = '{}' GROUP BY m.family) AS f
    )
    SELECT E'# Made by vrm.prometheus_rules() of vrm.alert_threshold.\ngroups:\n  - name: vrm\n    rules:\n'
        || string_agg(
            format(E'      - alert: %s\n        expr: %s\n%s        labels: {severity: %s}\n', r.alert, to_json(r.expr),
                   CASE WHEN r.hold > 0 THEN format(E'        for: %ss\n', round(r.hold)) END, r.severity)
            || format(E'        annotations:\n          summary: %s\n          description: %s\n          hint: %s\n',
                      to_json(r.summary), to_json(r.description), to_json(r.hint)), '' ORDER BY r.alert)
    FROM rule r
$$;
COMMENT ON FUNCTION vrm.prometheus_rules() IS 'alerting rules for Prometheus: one for each threshold that is enabled';

REVOKE EXECUTE ON FUNCTION
    vrm_private.exporter_queries(), vrm.exporter_config(text), vrm_private.readable(text, text), vrm.prometheus_rules()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.exporter_config(text), vrm.prometheus_rules() TO pg_monitor;

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
    SELECT vrm.require_grant('vrm.grafana_dashboard()');
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
