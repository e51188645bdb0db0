-- Files for Prometheus, its exporter and Grafana, made from the registries

CREATE OR REPLACE FUNCTION vrm_private.prometheus_text(value double precision) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE value WHEN 'Infinity' THEN '+Inf' WHEN '-Infinity' THEN '-Inf' ELSE value::text END;
COMMENT ON FUNCTION vrm_private.prometheus_text(double precision) IS 'a number as Prometheus writes it';

-- In C, because an aggregate for each of hundreds of series is most of what writing them costs.
CREATE OR REPLACE FUNCTION vrm_private.prometheus_labels(labels jsonb) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vrm_prometheus_labels';
COMMENT ON FUNCTION vrm_private.prometheus_labels(jsonb) IS 'labels as Prometheus writes them: {name="value",...}';
REVOKE EXECUTE ON FUNCTION
    vrm_private.prometheus_text(double precision),
    vrm_private.prometheus_labels(jsonb)
    FROM PUBLIC;

-- Made from the registries, so that a threshold changed here is changed there.  The files under
-- monitoring/ are what these functions give for the registries as they are installed.

-- Metrics without labels share the query of their family, the others have one for each name: exporters
-- make the name of a metric of the query's and the column's.  Where there are no histograms, their series are
-- counters, which is all that Prometheus needs to know.
CREATE OR REPLACE FUNCTION vrm_private.exported_series(histograms boolean)
    RETURNS TABLE (name text, type text, labels text[], help text, family text, query text, value_column text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.name, p.type, p.labels, p.help, p.family, q.query, substr(p.name, length(q.query) + 2)
    FROM vrm.monitoring_metrics m,
         LATERAL (SELECT m.name, m.type, m.labels, m.help, m.family WHERE m.type <> 'histogram' OR histograms
                  UNION ALL
                  SELECT m.name || s.ending, 'counter', m.labels || s.labels, m.help, m.family
                  FROM (VALUES ('_bucket', '{le}'::text[]), ('_sum', '{}'), ('_count', '{}')) AS s (ending, labels)
                  WHERE m.type = 'histogram' AND NOT histograms) AS p,
         LATERAL (SELECT CASE WHEN p.type <> 'histogram' AND p.labels = '{}' THEN 'vrm_' || p.family
                              WHEN p.name LIKE '%\_seconds\_bucket' THEN left(p.name, -length('_seconds_bucket'))
                              ELSE regexp_replace(p.name, '_[a-z]+$', '') END AS query) AS q
    WHERE m.enabled
$$;
COMMENT ON FUNCTION vrm_private.exported_series(boolean) IS
    'what exporters give: each metric with the query that it comes from, and its column there';

CREATE OR REPLACE FUNCTION vrm_private.histogram_columns(name text, value_column text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat(
        format('array_agg((labels ->> ''le'')::float8 ORDER BY (labels ->> ''le'')::float8) FILTER (WHERE name = %L'
               ' AND labels ->> ''le'' <> ''+Inf'') AS %I, ', name || '_bucket', value_column),
        format('array_agg(value::bigint ORDER BY (labels ->> ''le'')::float8) FILTER (WHERE name = %L'
               ' AND labels ->> ''le'' <> ''+Inf'') AS %I, ', name || '_bucket', value_column || '_bucket'),
        format('max(value) FILTER (WHERE name = %L) AS %I, ', name || '_sum', value_column || '_sum'),
        format('max(value::bigint) FILTER (WHERE name = %L) AS %I', name || '_count', value_column || '_count'))
$$;
COMMENT ON FUNCTION vrm_private.histogram_columns(text, text) IS
    'the columns of which postgres_exporter makes a histogram: bounds, what is below each, sum and count';

CREATE OR REPLACE FUNCTION vrm_private.exporter_queries(histograms boolean, label_prefix text DEFAULT '')
    RETURNS TABLE (query text, labels text[], statement text, series jsonb)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.query, s.labels,
           format('SELECT %s%s FROM vrm.monitoring(%L)%s',
                  (SELECT string_agg(format('labels ->> %L AS %I, ', l, label_prefix || l), '')
                   FROM unnest(s.labels) AS l),
                  string_agg(CASE s.type WHEN 'histogram' THEN vrm_private.histogram_columns(s.name, s.value_column)
                             ELSE format('max(value) FILTER (WHERE name = %L) AS %I', s.name, s.value_column) END,
                             ', ' ORDER BY s.name),
                  ARRAY[s.family],
                  CASE WHEN NOT bool_or(s.type = 'histogram') THEN
                      format(' WHERE name IN (%s) GROUP BY labels',
                             string_agg(quote_literal(s.name), ', ' ORDER BY s.name))
                  END),
           jsonb_agg(jsonb_build_object('name', s.name, 'type', s.type, 'column', s.value_column, 'help', s.help)
                     ORDER BY s.name)
    FROM vrm_private.exported_series(histograms) s
    GROUP BY s.query, s.labels, s.family
$$;
COMMENT ON FUNCTION vrm_private.exporter_queries(boolean, text) IS
    'queries that give every metric, one for each family and set of labels, and what is in their columns';

-- As postgres_exporter, Grafana Alloy and CloudNativePG read them.
CREATE OR REPLACE FUNCTION vrm_private.exporter_yaml(indent text DEFAULT '') RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(
        format(E'%1$s%2$s:\n%1$s  query: %3$s\n%1$s  metrics:\n', indent, q.query, to_json(q.statement))
        || coalesce((SELECT string_agg(format(E'%s    - %s: {usage: LABEL, description: ""}\n', indent, to_json(l)), '')
                     FROM unnest(q.labels) AS l), '')
        || (SELECT string_agg(format(E'%s    - %s: {usage: %s, description: %s}\n', indent, s -> 'column',
                                     upper(s ->> 'type'), s -> 'help'), '' ORDER BY s ->> 'name')
            FROM jsonb_array_elements(q.series) AS s), '' ORDER BY q.query)
    FROM vrm_private.exporter_queries(true) q
$$;
COMMENT ON FUNCTION vrm_private.exporter_yaml(text) IS
    'queries for postgres_exporter: one for each family and set of labels';

-- sql_exporter by burningalchemist: a target and its collector in one file.
CREATE OR REPLACE FUNCTION vrm_private.sql_exporter_yaml() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH query AS (SELECT * FROM vrm_private.exporter_queries(false))
    SELECT E'target:\n  data_source_name: postgres://prometheus@/app?host=/run/postgresql\n  collectors: [vrm]\n'
        || E'collectors:\n  - collector_name: vrm\n    metrics:\n'
        || (SELECT string_agg(format(E'      - metric_name: %s\n        type: %s\n        help: %s\n%s'
                                     '        values: [%s]\n        query_ref: %s\n', s ->> 'name', s ->> 'type',
                                     s -> 'help',
                                     CASE WHEN q.labels <> '{}' THEN
                                         format(E'        key_labels: [%s]\n', array_to_string(q.labels, ', ')) END,
                                     s -> 'column', q.query), '' ORDER BY s ->> 'name')
            FROM query q, jsonb_array_elements(q.series) AS s)
        || E'    queries:\n'
        || (SELECT string_agg(format(E'      - query_name: %s\n        query: %s\n', q.query, to_json(q.statement)), ''
                              ORDER BY q.query) FROM query q)
$$;
COMMENT ON FUNCTION vrm_private.sql_exporter_yaml() IS 'a configuration for sql_exporter';

-- pgwatch calls a series as metric and column are called, with what follows the address of its sink before it:
-- nothing.
CREATE OR REPLACE FUNCTION vrm_private.pgwatch_yaml() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH query AS (SELECT * FROM vrm_private.exporter_queries(false, 'tag_'))
    SELECT E'metrics:\n'
        || string_agg(format(E'  %s:\n    description: %s\n    gauges: [%s]\n    sqls:\n      15: %s\n', q.query,
                             to_json(format('of vrm: %s metrics', jsonb_array_length(q.series))),
                             (SELECT string_agg((s -> 'column')::text, ', ' ORDER BY s ->> 'name')
                              FROM jsonb_array_elements(q.series) AS s WHERE s ->> 'type' = 'gauge'),
                             to_json(regexp_replace(q.statement, '^SELECT ',
                                                    'SELECT (extract(epoch FROM now()) * 1e9)::bigint AS epoch_ns, '))),
                      '' ORDER BY q.query)
        || E'presets:\n  vrm:\n    description: "all metrics of vrm"\n    metrics:\n'
        || string_agg(format(E'      %s: 60\n', q.query), '' ORDER BY q.query)
    FROM query q
$$;
COMMENT ON FUNCTION vrm_private.pgwatch_yaml() IS 'metrics and a preset of them all for pgwatch';

-- No unit is named: the exporter to Prometheus would add it to names that have it.
CREATE OR REPLACE FUNCTION vrm_private.opentelemetry_yaml() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT E'receivers:\n  sqlquery/vrm:\n    driver: postgres\n'
        || E'    datasource: "host=/run/postgresql user=prometheus dbname=app"\n'
        || E'    collection_interval: 30s\n    queries:\n'
        || string_agg(format(E'      - sql: %s\n        metrics:\n', to_json(replace(q.statement, '$', repeat('$', 2))))
               || (SELECT string_agg(
                       format(E'          - metric_name: %s\n            value_column: %s\n%s'
                              '            value_type: double\n', s ->> 'name', s -> 'column',
                              CASE WHEN q.labels <> '{}' THEN
                                  format(E'            attribute_columns: [%s]\n', array_to_string(q.labels, ', ')) END)
                       || CASE s ->> 'type' WHEN 'counter' THEN
                              E'            data_type: sum\n            monotonic: true\n'
                              '            aggregation: cumulative\n'
                          ELSE E'            data_type: gauge\n' END
                       || format(E'            description: %s\n', to_json(replace(s ->> 'help', '$', repeat('$', 2)))),
                       '' ORDER BY s ->> 'name')
                   FROM jsonb_array_elements(q.series) AS s), '' ORDER BY q.query)
        || E'exporters:\n  prometheus:\n    endpoint: "127.0.0.1:9187"\n    add_metric_suffixes: false\n'
        || E'service:\n  pipelines:\n    metrics:\n      receivers: [sqlquery/vrm]\n      exporters: [prometheus]\n'
    FROM vrm_private.exporter_queries(false) q
$$;
COMMENT ON FUNCTION vrm_private.opentelemetry_yaml() IS
    'a configuration for the OpenTelemetry collector, with its receiver sqlquery';

-- CloudNativePG puts cnpg_ before each name; the PodMonitor takes it away, so that rules and dashboards fit.
CREATE OR REPLACE FUNCTION vrm_private.cloudnative_pg_yaml() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT $yaml$# In the Cluster: spec.monitoring.customQueriesConfigMap: [{name: vrm-monitoring, key: queries}]
apiVersion: v1
kind: ConfigMap
metadata:
  name: vrm-monitoring
  labels:
    cnpg.io/reload: ""
data:
  queries: |
$yaml$ || regexp_replace(vrm_private.exporter_yaml('    '), '(\n      query: )',
                         format(E'\n      target_databases: [%s]\\1', to_json(current_database())), 'g')
    || $yaml$---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: vrm
spec:
  selector:
    matchExpressions:
      - {key: cnpg.io/cluster, operator: Exists}
  podMetricsEndpoints:
    - port: metrics
      metricRelabelings:
        - {action: replace, sourceLabels: [__name__], regex: "cnpg_(vrm_.+)", targetLabel: __name__}
$yaml$
$$;
COMMENT ON FUNCTION vrm_private.cloudnative_pg_yaml() IS 'custom queries for CloudNativePG, and a PodMonitor';

CREATE OR REPLACE FUNCTION vrm.exporter_config(target text DEFAULT 'postgres_exporter') RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
DECLARE
    made_by text := format(E'# Made by vrm.exporter_config(%L).\n', target);
BEGIN
    PERFORM vrm.require_grant('vrm.exporter_config(text)');
    CASE target
    WHEN 'postgres_exporter' THEN
        RETURN E'# Made by vrm.exporter_config(''postgres_exporter''), for --extend.query-path.\n'
            || vrm_private.exporter_yaml();
    WHEN 'sql_exporter' THEN
        RETURN made_by || vrm_private.sql_exporter_yaml();
    WHEN 'pgwatch' THEN
        RETURN made_by || E'# For --metrics, and with --sink=prometheus://127.0.0.1:9187/\n'
            || vrm_private.pgwatch_yaml();
    WHEN 'opentelemetry' THEN
        RETURN made_by || vrm_private.opentelemetry_yaml();
    WHEN 'cloudnative_pg' THEN
        RETURN made_by || vrm_private.cloudnative_pg_yaml();
    WHEN 'alloy' THEN
        RETURN $alloy$// Made by vrm.exporter_config('alloy'); the queries are those of postgres_exporter.
prometheus.exporter.postgres "vrm" {
  data_source_names          = ["postgresql://prometheus@/app?host=/run/postgresql"]
  disable_default_metrics    = true
  disable_settings_metrics   = true
  custom_queries_config_path = "/etc/alloy/vrm-queries.yml"
}

prometheus.scrape "vrm" {
  targets    = prometheus.exporter.postgres.vrm.targets
  forward_to = [prometheus.remote_write.vrm.receiver]
}

prometheus.remote_write "vrm" {
  endpoint {
    url = "http://127.0.0.1:9090/api/v1/write"
  }
}
$alloy$;
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
                  DETAIL = 'Known targets are postgres_exporter, sql_exporter, pgwatch, alloy, cloudnative_pg,'
                           ' opentelemetry, prometheus and alertmanager.',
                  HINT = 'SELECT vrm.exporter_config(''postgres_exporter'');';
    END CASE;
END
$$;
COMMENT ON FUNCTION vrm.exporter_config(text) IS
    'a file that makes an exporter, prometheus or alertmanager work with this database';

-- Prometheus' own way to write a number of a metric for people, as a template.
CREATE OR REPLACE FUNCTION vrm_private.readable(metric text, value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN format('{{ %s | humanize%s }}%s', value,
                  CASE WHEN metric LIKE '%\_seconds' THEN 'Duration' WHEN metric LIKE '%\_ratio' THEN 'Percentage'
                       WHEN metric LIKE '%\_bytes' THEN '1024' ELSE '' END,
                  CASE WHEN metric LIKE '%\_bytes' THEN 'B' ELSE '' END);
COMMENT ON FUNCTION vrm_private.readable(text, text) IS 'a template by which Prometheus writes a value in its unit';

-- What was bad of all that ended, or was answered, in a time.  Prometheus 3 writes a bound of 3 as "3.0".
CREATE OR REPLACE FUNCTION vrm_private.bad_ratio(objective vrm.service_objectives, window_text text)
    RETURNS TABLE (ratio text, total text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('(%s / %s)', e.bad, e.total), e.total
    FROM (SELECT format('sum without (outcome) (increase(%s{outcome="failed"}[%s]))', objective.metric, window_text),
                 format('sum without (outcome) (increase(%s{outcome=~"completed|failed"}[%s]))', objective.metric,
                        window_text)
          WHERE objective.within_seconds IS NULL
          UNION ALL
          SELECT format('(%1$s - sum without (le) (increase(%2$s_bucket{le=~"%3$s(\\.0)?"}[%4$s])))', c.total,
                        objective.metric, replace(objective.within_seconds::text, '.', '\.'), window_text), c.total
          FROM format('increase(%s_count[%s])', objective.metric, window_text) AS c (total)
          WHERE objective.within_seconds IS NOT NULL) AS e (bad, total)
$$;
COMMENT ON FUNCTION vrm_private.bad_ratio(vrm.service_objectives, text) IS
    'for Prometheus: the part of calls or answers that was bad in a time, and how many there were';

-- By several windows: a long one says that it matters, a short one that it goes on.  Fast uses up a month's
-- allowance in two to five days, slowly in the month.  vrm.maintain() counts every few minutes, hence ten minutes
-- at least.
CREATE OR REPLACE FUNCTION vrm_private.burn_rate_rules()
    RETURNS TABLE (alert text, expr text, hold double precision, severity text, summary text, description text,
                   hint text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.objective || b.ending,
           string_agg(format('(%1$s > %2$s and %3$s > %2$s and %4$s >= %5$s)', long.ratio, limits.ratio, short.ratio,
                             long.total, o.least_events), ' or ' ORDER BY b.factor DESC),
           0::double precision, b.severity, o.summary,
           format('%s: {{ $value | humanizePercentage }} were bad, the objective is %s %%', o.metric,
                  round(((1 - o.target) * 100)::numeric, 3)), o.hint
    FROM vrm.service_objectives o
    CROSS JOIN (VALUES ('BurnsFast', 'critical', 14.4, '1h', '10m'), ('BurnsFast', 'critical', 6, '6h', '30m'),
                       ('BurnsSlowly', 'warning', 1, '3d', '6h'))
        AS b (ending, severity, factor, long_window, short_window)
    CROSS JOIN LATERAL (SELECT round(least(b.factor * (1 - o.target)::numeric, 0.95), 6)::double precision)
        AS limits (ratio)
    CROSS JOIN LATERAL vrm_private.bad_ratio(o, b.long_window) AS long
    CROSS JOIN LATERAL vrm_private.bad_ratio(o, b.short_window) AS short
    WHERE o.enabled
    GROUP BY o.objective, o.metric, o.target, o.summary, o.hint, b.ending, b.severity
$$;
COMMENT ON FUNCTION vrm_private.burn_rate_rules() IS 'rules that tell when objectives are being missed';

-- A gauge is compared as it is: rate() of one that grows by a second each second is 1 at most, and a
-- threshold of more would never be passed.  MetricsMissing stands for what has no values to compare,
-- at all or for one server since less than an hour.
CREATE OR REPLACE FUNCTION vrm.prometheus_rules() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off SET intervalstyle = postgres
    SET datestyle = 'ISO' SET timezone = 'UTC' SET bytea_output = hex SET extra_float_digits = 1
    SET lc_monetary = 'C' AS $$
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
        SELECT b.alert, b.expr, b.hold, b.severity, b.summary, b.description, b.hint
        FROM vrm_private.burn_rate_rules() b
        UNION ALL
        SELECT 'MetricsMissing',
               string_agg(format('absent(%s) or (max_over_time(%1$s[1h]) unless %1$s)', f.name), ' or '
                          ORDER BY f.name),
               300, 'critical', 'metrics are missing', 'a family of metrics or all of them are not there',
               'Look at the exporter, whether its user is in pg_monitor, and what warnings it gets:'
               ' SELECT * FROM vrm.monitoring();'
        FROM (SELECT min(m.name) AS name FROM vrm.monitoring_metrics m
              WHERE m.enabled AND m.labels = '{}' AND m.type <> 'histogram' GROUP BY m.family) AS f
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
    vrm_private.exported_series(boolean), vrm_private.histogram_columns(text, text),
    vrm_private.exporter_queries(boolean, text), vrm_private.exporter_yaml(text), vrm_private.sql_exporter_yaml(),
    vrm_private.pgwatch_yaml(), vrm_private.opentelemetry_yaml(), vrm_private.cloudnative_pg_yaml(),
    vrm.exporter_config(text), vrm_private.readable(text, text),
    vrm_private.bad_ratio(vrm.service_objectives, text), vrm_private.burn_rate_rules(), vrm.prometheus_rules()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.exporter_config(text), vrm.prometheus_rules() TO pg_monitor;
