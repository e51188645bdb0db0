-- What an analytics database gets of calls: run here, where the platform is, with wal_level = logical.
-- psql -v ON_ERROR_STOP=1 -f source.sql; then target.sql there.

-- No row level security for who copies, else the first copy is empty and nobody says so; and no column but these.
CREATE ROLE analytics LOGIN REPLICATION BYPASSRLS;
GRANT USAGE ON SCHEMA vrm TO analytics;
GRANT SELECT ON vrm.call_outcomes TO analytics;
GRANT SELECT (user_id, id, agent_id, direction, created_at, deleted_at) ON vrm.agents TO analytics;
GRANT SELECT (user_id, agent_id, version, direction, created_at) ON vrm.agent_versions TO analytics;
GRANT SELECT (user_id, id, agent_id, started_at, status, duration_ms, sentiment, outcome, outcome_kind, cost_micros,
              currency, agent_ms, customer_ms, interruptions, tool_calls, tool_failures) ON vrm.call_facts TO analytics;
GRANT SELECT (user_id, metric_id, run_id, case_id, judge, is_person, score, passed, at)
    ON vrm.metric_results TO analytics;

-- Every column of a primary key has to be in its list: it is what an UPDATE and a DELETE name the row by.  DELETE
-- is published, so that whoever is erased here is erased there.
CREATE PUBLICATION analytics FOR TABLE
    vrm.call_outcomes,
    vrm.agents (user_id, id, agent_id, direction, created_at, deleted_at),
    vrm.agent_versions (user_id, agent_id, version, direction, created_at),
    vrm.call_facts (user_id, id, agent_id, started_at, status, duration_ms, sentiment, outcome, outcome_kind,
                    cost_micros, currency, agent_ms, customer_ms, interruptions, tool_calls, tool_failures),
    vrm.metric_results (user_id, metric_id, run_id, case_id, judge, is_person, score, passed, at);
