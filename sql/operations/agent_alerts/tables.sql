-- Alerts about agents, by tenant: types and tables

CREATE TABLE IF NOT EXISTS vrm.agent_thresholds (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    agent_id uuid,
    measure text NOT NULL CONSTRAINT measure_is_known CHECK (measure IN
        ('answering_time', 'failure_rate', 'transfer_rate', 'cost_per_day', 'pass_rate')),
    comparison text NOT NULL DEFAULT '>' CONSTRAINT comparison_is_known CHECK (comparison IN ('>', '<')),
    compared_with text NOT NULL DEFAULT 'level'
        CONSTRAINT compared_with_is_known CHECK (compared_with IN ('level', 'last_week')),
    threshold double precision NOT NULL CONSTRAINT threshold_range CHECK (threshold BETWEEN 0 AND 1e12),
    min_calls integer NOT NULL DEFAULT 10 CONSTRAINT min_calls_range CHECK (min_calls BETWEEN 1 AND 1000000),
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, agent_id) REFERENCES vrm.agents (user_id, id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS agent_thresholds_agent ON vrm.agent_thresholds (user_id, agent_id);
COMMENT ON INDEX vrm.agent_thresholds_agent IS 'thresholds of an agent';
ALTER TABLE vrm.agent_thresholds ALTER COLUMN user_id SET DEFAULT vrm.uid();
ALTER TABLE vrm.agent_thresholds ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.agent_thresholds IS
    'when to tell the owner of an agent; the operators'' are in vrm.alert_threshold';
COMMENT ON COLUMN vrm.agent_thresholds.user_id IS 'owner';
COMMENT ON COLUMN vrm.agent_thresholds.id IS 'the threshold';
COMMENT ON COLUMN vrm.agent_thresholds.agent_id IS 'the agent: vrm.agents.id; null for each of the owner''s';
COMMENT ON COLUMN vrm.agent_thresholds.measure IS
    'answering_time (p95, ms), failure_rate, transfer_rate (parts of the calls), cost_per_day (whole units of the'
    ' currency), all of the last 24 hours; pass_rate of the last run of a suite';
COMMENT ON COLUMN vrm.agent_thresholds.comparison IS '> for too much, < for too little';
COMMENT ON COLUMN vrm.agent_thresholds.compared_with IS
    'level: the threshold itself; last_week: so many times what it was in the 7 days before';
COMMENT ON COLUMN vrm.agent_thresholds.threshold IS 'how much is too much, or too little';
COMMENT ON COLUMN vrm.agent_thresholds.min_calls IS 'of fewer calls nothing is said';
COMMENT ON COLUMN vrm.agent_thresholds.enabled IS 'whether it is looked at';
COMMENT ON COLUMN vrm.agent_thresholds.created_at IS 'when it was made';
COMMENT ON COLUMN vrm.agent_thresholds.updated_at IS 'when it was last changed';

CREATE TABLE IF NOT EXISTS vrm.agent_alerts (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    threshold_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    measure text NOT NULL,
    value double precision NOT NULL,
    allowed double precision NOT NULL,
    calls bigint NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, agent_id) REFERENCES vrm.agents (user_id, id) ON DELETE CASCADE
);
ALTER TABLE vrm.agent_alerts ALTER COLUMN id SET DEFAULT vrm.uuid7();
CREATE UNIQUE INDEX IF NOT EXISTS agent_alerts_open ON vrm.agent_alerts (user_id, threshold_id, agent_id)
    WHERE resolved_at IS NULL;
CREATE INDEX IF NOT EXISTS agent_alerts_agent ON vrm.agent_alerts (user_id, agent_id);
COMMENT ON TABLE vrm.agent_alerts IS 'what of agents was beyond its owner''s threshold when vrm.maintain() came by';
COMMENT ON INDEX vrm.agent_alerts_open IS 'an alert is open once for each agent';
COMMENT ON INDEX vrm.agent_alerts_agent IS 'alerts about an agent';
COMMENT ON COLUMN vrm.agent_alerts.user_id IS 'owner';
COMMENT ON COLUMN vrm.agent_alerts.id IS 'the alert; ids sort by time';
COMMENT ON COLUMN vrm.agent_alerts.threshold_id IS 'vrm.agent_thresholds.id, which may be gone';
COMMENT ON COLUMN vrm.agent_alerts.agent_id IS 'the agent: vrm.agents.id';
COMMENT ON COLUMN vrm.agent_alerts.measure IS 'what was looked at';
COMMENT ON COLUMN vrm.agent_alerts.value IS 'what was measured when it was first seen';
COMMENT ON COLUMN vrm.agent_alerts.allowed IS 'what it might have been at most, or at least, then';
COMMENT ON COLUMN vrm.agent_alerts.calls IS 'how many calls it was measured by';
COMMENT ON COLUMN vrm.agent_alerts.since IS 'when it was first seen';
COMMENT ON COLUMN vrm.agent_alerts.resolved_at IS 'when it was first seen to be over; null while it lasts';
