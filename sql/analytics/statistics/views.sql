-- Calls as rows and as statistics: views

-- The customer alone is not in the facts: asking for that column unpacks the results.
CREATE VIEW vrm.calls WITH (security_invoker) AS
    SELECT r.user_id,
           r.id,
           r.agent_id,
           a.agent_id AS agent,
           r.status,
           r.started_at,
           r.completed_at,
           f.duration_ms * interval '1 millisecond' AS duration,
           CASE WHEN jsonb_typeof(r.results -> 'customer') = 'string' THEN r.results ->> 'customer' END AS customer,
           f.sentiment::vrm.sentiment AS sentiment,
           f.actions,
           r.error,
           r.source,
           r.external_id,
           r.direction,
           r.outcome,
           r.ended_reason,
           r.cost,
           r.currency,
           r.agent_version
    FROM vrm.test_runs r
    LEFT JOIN vrm.agents a ON a.user_id = r.user_id AND a.id = r.agent_id
    LEFT JOIN vrm.call_facts f ON f.user_id = r.user_id AND f.id = r.id;
COMMENT ON VIEW vrm.calls IS 'calls with their results as typed columns; what does not fit a type is null';
COMMENT ON COLUMN vrm.calls.user_id IS 'owner';
COMMENT ON COLUMN vrm.calls.id IS 'the call';
COMMENT ON COLUMN vrm.calls.agent_id IS 'agent that took or made it';
COMMENT ON COLUMN vrm.calls.agent IS 'name of the agent';
COMMENT ON COLUMN vrm.calls.status IS 'state of the call';
COMMENT ON COLUMN vrm.calls.started_at IS 'when it began';
COMMENT ON COLUMN vrm.calls.completed_at IS 'when it ended; null while it runs';
COMMENT ON COLUMN vrm.calls.duration IS 'how long it took: what its results say, else by the clock';
COMMENT ON COLUMN vrm.calls.customer IS 'who was on the line, as its results say';
COMMENT ON COLUMN vrm.calls.sentiment IS 'how the customer felt';
COMMENT ON COLUMN vrm.calls.actions IS 'how many actions its results say there were';
COMMENT ON COLUMN vrm.calls.error IS 'why it failed';
COMMENT ON COLUMN vrm.calls.source IS 'platform that had the call; null for one that was made here';
COMMENT ON COLUMN vrm.calls.external_id IS 'its id there';
COMMENT ON COLUMN vrm.calls.direction IS 'who called whom, seen from the agent';
COMMENT ON COLUMN vrm.calls.outcome IS 'what became of it';
COMMENT ON COLUMN vrm.calls.ended_reason IS 'why it ended';
COMMENT ON COLUMN vrm.calls.cost IS 'what it cost';
COMMENT ON COLUMN vrm.calls.currency IS 'currency that the cost is in';
COMMENT ON COLUMN vrm.calls.agent_version IS 'version of the agent that it ran with';
REVOKE ALL ON vrm.calls FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.calls TO authenticated, service_role;
