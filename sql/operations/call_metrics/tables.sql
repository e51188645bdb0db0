-- What the metrics about calls are: types and tables

-- Of all tenants together: who calls whom is nobody's business who looks at a dashboard of operations.
CREATE TABLE IF NOT EXISTS vrm_private.call_totals (
    name text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    value double precision NOT NULL,
    PRIMARY KEY (name, labels)
);
COMMENT ON TABLE vrm_private.call_totals IS
    'what the family calls of vrm.monitoring() has counted so far, kept by vrm.maintain()';
COMMENT ON COLUMN vrm_private.call_totals.name IS 'series, in a histogram with its ending: _bucket, _sum, _count';
COMMENT ON COLUMN vrm_private.call_totals.labels IS 'its labels';
COMMENT ON COLUMN vrm_private.call_totals.value IS 'what was counted';

CREATE TABLE IF NOT EXISTS vrm_private.call_totals_state (
    id boolean PRIMARY KEY DEFAULT true CONSTRAINT one_row CHECK (id),
    counted_until xid8 NOT NULL,
    system_identifier bigint NOT NULL
);
COMMENT ON TABLE vrm_private.call_totals_state IS 'up to where events of calls were counted; one row';
COMMENT ON COLUMN vrm_private.call_totals_state.id IS 'true: there is one row';
COMMENT ON COLUMN vrm_private.call_totals_state.counted_until IS
    'events of this transaction and later are not counted yet';
COMMENT ON COLUMN vrm_private.call_totals_state.system_identifier IS
    'cluster that it is true of: elsewhere transactions are counted anew';

CREATE TABLE IF NOT EXISTS vrm.service_objectives (
    objective text PRIMARY KEY CONSTRAINT objective_in_camel_case CHECK (objective ~ '^[A-Z][A-Za-z0-9]*$'),
    metric text NOT NULL REFERENCES vrm.monitoring_metrics (name),
    target double precision NOT NULL CONSTRAINT target_range CHECK (target > 0 AND target < 1),
    within_seconds double precision,
    least_events integer NOT NULL DEFAULT 20 CONSTRAINT least_events_positive CHECK (least_events > 0),
    enabled boolean NOT NULL DEFAULT true,
    summary text NOT NULL,
    hint text NOT NULL
);
CREATE INDEX IF NOT EXISTS service_objectives_metric ON vrm.service_objectives (metric);
COMMENT ON INDEX vrm.service_objectives_metric IS 'objectives about a metric';
COMMENT ON TABLE vrm.service_objectives IS
    'what callers may expect of 30 days; vrm.prometheus_rules() tells when the rest is being used up too fast';
COMMENT ON COLUMN vrm.service_objectives.objective IS 'the objective, and how its alerts begin';
COMMENT ON COLUMN vrm.service_objectives.metric IS 'vrm_calls_ended_total, or a histogram';
COMMENT ON COLUMN vrm.service_objectives.target IS 'part of the calls or answers that has to be good';
COMMENT ON COLUMN vrm.service_objectives.within_seconds IS
    'of a histogram: what is good, one of its bounds; null for vrm_calls_ended_total, where completed is good';
COMMENT ON COLUMN vrm.service_objectives.least_events IS 'in fewer than so many, a few bad ones say nothing';
COMMENT ON COLUMN vrm.service_objectives.enabled IS 'whether it is looked at';
COMMENT ON COLUMN vrm.service_objectives.summary IS 'what is wrong when it is missed, in a line';
COMMENT ON COLUMN vrm.service_objectives.hint IS 'what to do';
