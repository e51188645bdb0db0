-- Plain tables for what arrives: the platform itself is not installed here, because the rows that it comes with would
-- be in the way of those that are copied.  Types are plain as well; values travel as text.
-- psql -v ON_ERROR_STOP=1 -v source='host=... dbname=app user=analytics' -f target.sql

CREATE SCHEMA vrm;
CREATE TABLE vrm.call_outcomes (name text PRIMARY KEY, kind text, description text);
CREATE TABLE vrm.agents (
    user_id uuid, id uuid, agent_id text, direction text, created_at timestamptz, deleted_at timestamptz,
    PRIMARY KEY (user_id, id)
);
CREATE TABLE vrm.agent_versions (
    user_id uuid, agent_id uuid, version integer, direction text, created_at timestamptz,
    PRIMARY KEY (user_id, agent_id, version)
);
CREATE TABLE vrm.call_facts (
    user_id uuid, id uuid, agent_id uuid, started_at timestamptz, status text, duration_ms bigint, sentiment text,
    outcome text, outcome_kind text, cost_micros bigint, currency text, agent_ms integer, customer_ms integer,
    interruptions integer, tool_calls integer, tool_failures integer,
    PRIMARY KEY (user_id, id)
);
CREATE TABLE vrm.metric_results (
    user_id uuid, metric_id uuid, run_id uuid, case_id uuid, judge text, is_person boolean, score double precision,
    passed boolean, at timestamptz,
    PRIMARY KEY (user_id, metric_id, run_id, case_id, judge)
);
CREATE INDEX ON vrm.call_facts USING brin (started_at);

CREATE SUBSCRIPTION analytics CONNECTION :'source' PUBLICATION analytics;
