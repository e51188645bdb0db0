-- Monitoring: what is measured, and what is too much: types and tables

-- Two registries that everything else is made of: vrm.monitoring(), the text that Prometheus reads, its
-- rules, the exporter's queries, the dashboard and vrm.health_check().  How a metric is measured is
-- code, in functions.sql: a text that the engine executed would be a superuser's keyboard.
CREATE TABLE IF NOT EXISTS vrm.monitoring_metrics (
    name text PRIMARY KEY,
    family text NOT NULL CONSTRAINT family_is_known CHECK (family IN
        ('connections', 'statements', 'storage', 'replication', 'backup', 'maintenance', 'jobs', 'agents', 'calls')),
    type text NOT NULL CONSTRAINT type_is_known CHECK (type IN ('gauge', 'counter', 'histogram')),
    labels text[] NOT NULL DEFAULT '{}',
    help text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    CONSTRAINT name_tells_family CHECK (name ~ ('^vrm_' || family || '_[a-z][a-z_]*$')),
    -- postgres_exporter makes the name of the query's and the column's: families have their own query
    CONSTRAINT labels_need_a_query CHECK (labels = '{}' OR name ~ ('^vrm_' || family || '_[a-z_]+_[a-z]+$')),
    CONSTRAINT counters_are_totals CHECK ((type = 'counter') = (name LIKE '%\_total'))
);
COMMENT ON TABLE vrm.monitoring_metrics IS 'what vrm.monitoring() measures; one row a metric';
COMMENT ON COLUMN vrm.monitoring_metrics.name IS
    'as Prometheus names metrics: the family, then what it is, then its base unit (seconds, bytes, ratio)';
COMMENT ON COLUMN vrm.monitoring_metrics.family IS 'metrics of a family are measured together';
COMMENT ON COLUMN vrm.monitoring_metrics.type IS
    'gauge; counter: only grows, until the server''s statistics are reset; or histogram, of several series';
COMMENT ON COLUMN vrm.monitoring_metrics.labels IS 'labels that tell its series apart';
COMMENT ON COLUMN vrm.monitoring_metrics.help IS 'what it says, in a line';
COMMENT ON COLUMN vrm.monitoring_metrics.enabled IS 'whether it is reported';

CREATE TABLE IF NOT EXISTS vrm.alert_threshold (
    alert text PRIMARY KEY CONSTRAINT alert_in_camel_case CHECK (alert ~ '^[A-Z][A-Za-z0-9]*$'),
    metric text NOT NULL REFERENCES vrm.monitoring_metrics (name),
    comparison text NOT NULL DEFAULT '>' CONSTRAINT comparison_is_known CHECK (comparison IN ('>', '<')),
    threshold double precision NOT NULL,
    hold interval NOT NULL DEFAULT '0' CONSTRAINT hold_range
        CHECK (hold >= '0' AND hold <= '7 days' AND extract(month FROM hold) = 0),
    severity text NOT NULL CONSTRAINT severity_is_known CHECK (severity IN ('warning', 'critical')),
    enabled boolean NOT NULL DEFAULT true,
    summary text NOT NULL,
    hint text NOT NULL,
    fix_sql text
);
CREATE INDEX IF NOT EXISTS alert_threshold_metric ON vrm.alert_threshold (metric);
COMMENT ON INDEX vrm.alert_threshold_metric IS 'thresholds of a metric';
COMMENT ON TABLE vrm.alert_threshold IS
    'when to call somebody; vrm.prometheus_rules(), vrm.alerts() and vrm.health_check() are made of it';
COMMENT ON COLUMN vrm.alert_threshold.alert IS 'the alert';
COMMENT ON COLUMN vrm.alert_threshold.metric IS 'what is looked at: each of its series by itself';
COMMENT ON COLUMN vrm.alert_threshold.comparison IS '> for too much, < for too little';
COMMENT ON COLUMN vrm.alert_threshold.threshold IS 'how much is too much, in the unit of the metric';
COMMENT ON COLUMN vrm.alert_threshold.hold IS 'how long it has to last before Prometheus tells anybody';
COMMENT ON COLUMN vrm.alert_threshold.severity IS 'critical: now; warning: in working hours';
COMMENT ON COLUMN vrm.alert_threshold.enabled IS 'whether it is looked at';
COMMENT ON COLUMN vrm.alert_threshold.summary IS 'what is wrong, in a line';
COMMENT ON COLUMN vrm.alert_threshold.hint IS 'what to do';
COMMENT ON COLUMN vrm.alert_threshold.fix_sql IS 'a statement that shows the cause or mends it';

CREATE TABLE IF NOT EXISTS vrm.alert_history (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    alert text NOT NULL,
    severity text NOT NULL,
    metric text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    value double precision NOT NULL,
    threshold double precision NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz
);
CREATE UNIQUE INDEX IF NOT EXISTS alert_history_open ON vrm.alert_history (alert, labels) WHERE resolved_at IS NULL;
COMMENT ON TABLE vrm.alert_history IS 'what was beyond its threshold when vrm.maintain() came by; kept for a year';
COMMENT ON INDEX vrm.alert_history_open IS 'an alert is open once for each series';
COMMENT ON COLUMN vrm.alert_history.id IS 'order of the entries';
COMMENT ON COLUMN vrm.alert_history.alert IS 'alert_threshold.alert';
COMMENT ON COLUMN vrm.alert_history.severity IS 'warning or critical';
COMMENT ON COLUMN vrm.alert_history.metric IS 'what was looked at';
COMMENT ON COLUMN vrm.alert_history.labels IS 'which of its series';
COMMENT ON COLUMN vrm.alert_history.value IS 'what was measured when it was first seen';
COMMENT ON COLUMN vrm.alert_history.threshold IS 'the threshold then';
COMMENT ON COLUMN vrm.alert_history.since IS 'when it was first seen';
COMMENT ON COLUMN vrm.alert_history.resolved_at IS 'when it was first seen to be over; null while it lasts';

CREATE TABLE IF NOT EXISTS vrm_private.monitoring_state (
    id boolean PRIMARY KEY DEFAULT true CONSTRAINT one_row CHECK (id),
    sampled_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vrm_private.monitoring_state IS 'on which day vrm.maintain() last came by; one row';
COMMENT ON COLUMN vrm_private.monitoring_state.id IS 'true: there is one row';
COMMENT ON COLUMN vrm_private.monitoring_state.sampled_at IS
    'when it first came by on that day, in UTC; or when vrm was installed';
