-- Calls ("test runs"): tables, states, policies ---------------------------------------------------

CREATE TABLE IF NOT EXISTS vrm.test_runs (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    agent_id uuid,
    test_case_ids jsonb,
    time_limit integer NOT NULL DEFAULT 60 CONSTRAINT time_limit_range CHECK (time_limit BETWEEN 1 AND 86400),
    outbound_call_params jsonb
        CONSTRAINT outbound_call_params_is_object CHECK (jsonb_typeof(outbound_call_params) = 'object'),
    status vrm.run_status NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    results jsonb CONSTRAINT results_size CHECK (pg_column_size(results) <= 16777216),
    error text CONSTRAINT error_length CHECK (length(error) <= 20000),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, agent_id) REFERENCES vrm.agents (user_id, id),
    CONSTRAINT final_when_completed
        CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL)),
    CONSTRAINT completed_after_start CHECK (completed_at >= started_at)
);
ALTER TABLE vrm.test_runs ALTER COLUMN user_id SET DEFAULT vrm.uid();
ALTER TABLE vrm.test_runs ALTER COLUMN id SET DEFAULT vrm.uuid7();
CREATE INDEX IF NOT EXISTS test_runs_user_time ON vrm.test_runs (user_id, started_at);
CREATE INDEX IF NOT EXISTS test_runs_agent ON vrm.test_runs (user_id, agent_id, id);
CREATE INDEX IF NOT EXISTS test_runs_live ON vrm.test_runs (user_id, started_at)
    WHERE status IN ('queued', 'running');
CREATE INDEX IF NOT EXISTS test_runs_completed_at ON vrm.test_runs USING brin (completed_at);

-- reads are about twice as fast as with pglz, where the server was built with it
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE vrm.test_runs ALTER COLUMN results SET COMPRESSION lz4;
    END IF;
END
$$;

COMMENT ON TABLE vrm.test_runs IS 'calls of agents: one row a call';
COMMENT ON INDEX vrm.test_runs_user_time IS 'a user''s calls by time';
COMMENT ON INDEX vrm.test_runs_agent IS 'calls of one agent, in order';
COMMENT ON INDEX vrm.test_runs_live IS 'calls that are queued or running';
COMMENT ON INDEX vrm.test_runs_completed_at IS 'calls of all users by age: operators, archival';
COMMENT ON COLUMN vrm.test_runs.user_id IS 'owner';
COMMENT ON COLUMN vrm.test_runs.id IS 'the call';
COMMENT ON COLUMN vrm.test_runs.agent_id IS 'agent that took or made it: vrm.agents.id';
COMMENT ON COLUMN vrm.test_runs.test_case_ids IS 'array of ids of test cases; vrm.test_run_cases holds them as rows';
COMMENT ON COLUMN vrm.test_runs.time_limit IS 'seconds that the call may run';
COMMENT ON COLUMN vrm.test_runs.outbound_call_params IS 'whom to call and how: an object';
COMMENT ON COLUMN vrm.test_runs.status IS 'queued, running, completed, failed or cancelled';
COMMENT ON COLUMN vrm.test_runs.started_at IS 'when it was queued, then when it began to run';
COMMENT ON COLUMN vrm.test_runs.completed_at IS 'when it ended; null as long as it has not';
COMMENT ON COLUMN vrm.test_runs.results IS 'transcript, actions, insights, in the shape of vrm.results_error()';
COMMENT ON COLUMN vrm.test_runs.error IS 'why it failed';
COMMENT ON CONSTRAINT final_when_completed ON vrm.test_runs IS 'a final state has an end, and only that';

CREATE TABLE IF NOT EXISTS vrm.test_run_cases (
    user_id uuid NOT NULL,
    run_id uuid NOT NULL,
    position integer NOT NULL,
    case_user_id uuid NOT NULL,
    case_id uuid NOT NULL,
    PRIMARY KEY (user_id, run_id, position),
    FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs (user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (case_user_id, case_id) REFERENCES vrm.test_cases (user_id, id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS test_run_cases_case ON vrm.test_run_cases (case_user_id, case_id);
COMMENT ON TABLE vrm.test_run_cases IS 'test cases of a call: test_runs.test_case_ids as rows';
COMMENT ON INDEX vrm.test_run_cases_case IS 'calls that used a case';
COMMENT ON COLUMN vrm.test_run_cases.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.test_run_cases.run_id IS 'the call';
COMMENT ON COLUMN vrm.test_run_cases.position IS 'place in test_case_ids, from 1';
COMMENT ON COLUMN vrm.test_run_cases.case_user_id IS 'owner of the case: somebody else when it is shared';
COMMENT ON COLUMN vrm.test_run_cases.case_id IS 'the case';

CREATE TABLE IF NOT EXISTS vrm.transcript_turns (
    user_id uuid NOT NULL,
    run_id uuid NOT NULL,
    id uuid NOT NULL,
    speaker text NOT NULL CONSTRAINT speaker_length CHECK (length(speaker) BETWEEN 1 AND 200),
    message text NOT NULL CONSTRAINT message_length CHECK (length(message) <= 100000),
    at interval NOT NULL CONSTRAINT at_not_negative CHECK (at >= '0'),
    PRIMARY KEY (user_id, run_id, id),
    FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs (user_id, id) ON DELETE CASCADE
);
ALTER TABLE vrm.transcript_turns ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.transcript_turns IS
    'what was said in calls that are still running; folded into test_runs.results at their end';
COMMENT ON COLUMN vrm.transcript_turns.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.transcript_turns.run_id IS 'the call';
COMMENT ON COLUMN vrm.transcript_turns.id IS 'the turn; ids sort in the order of arrival';
COMMENT ON COLUMN vrm.transcript_turns.speaker IS 'who spoke';
COMMENT ON COLUMN vrm.transcript_turns.message IS 'what was said';
COMMENT ON COLUMN vrm.transcript_turns.at IS 'time since the start of the call';

CREATE TABLE IF NOT EXISTS vrm.run_actions (
    user_id uuid NOT NULL,
    run_id uuid NOT NULL,
    id uuid NOT NULL,
    action text NOT NULL CONSTRAINT action_length CHECK (length(action) BETWEEN 1 AND 2000),
    status text NOT NULL CONSTRAINT status_length CHECK (length(status) BETWEEN 1 AND 200),
    at interval NOT NULL CONSTRAINT at_not_negative CHECK (at >= '0'),
    PRIMARY KEY (user_id, run_id, id),
    FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs (user_id, id) ON DELETE CASCADE
);
ALTER TABLE vrm.run_actions ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.run_actions IS
    'what agents did in calls that are still running; folded into test_runs.results at their end';
COMMENT ON COLUMN vrm.run_actions.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.run_actions.run_id IS 'the call';
COMMENT ON COLUMN vrm.run_actions.id IS 'the action; ids sort in the order of arrival';
COMMENT ON COLUMN vrm.run_actions.action IS 'what was done';
COMMENT ON COLUMN vrm.run_actions.status IS 'how it went: success, failure, ...';
COMMENT ON COLUMN vrm.run_actions.at IS 'time since the start of the call';

-- No foreign key to the call: the events of an archived call stay.
CREATE TABLE IF NOT EXISTS vrm.run_events (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    status vrm.run_status NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm.run_events ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.run_events IS
    'one row a change of a call''s state, append-only: what real-time readers follow, by id or replication';
COMMENT ON COLUMN vrm.run_events.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.run_events.id IS 'the event; read on from the last id seen';
COMMENT ON COLUMN vrm.run_events.run_id IS 'the call';
COMMENT ON COLUMN vrm.run_events.status IS 'state that it entered';
COMMENT ON COLUMN vrm.run_events.at IS 'when';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_publication WHERE pubname = 'supabase_realtime')
       AND NOT EXISTS (SELECT FROM pg_publication_tables
                       WHERE pubname = 'supabase_realtime' AND schemaname = 'vrm' AND tablename = 'run_events') THEN
        ALTER PUBLICATION supabase_realtime ADD TABLE vrm.run_events;
    END IF;
END
$$;

-- States -----------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.check_status_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (OLD.status, NEW.status) IN (('queued', 'running'), ('queued', 'failed'), ('queued', 'cancelled'),
                                    ('running', 'completed'), ('running', 'failed'), ('running', 'cancelled')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a call that is % cannot become %', OLD.status, NEW.status
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'A call is queued, then running, then completed, failed or cancelled for good.',
              HINT = 'Start another call: SELECT vrm.start_test_run(...);';
END
$$;
COMMENT ON FUNCTION vrm_private.check_status_change() IS 'trigger: lets calls change state only forward';
REVOKE EXECUTE ON FUNCTION vrm_private.check_status_change() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.record_status() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vrm.run_events (user_id, run_id, status) VALUES (NEW.user_id, NEW.id, NEW.status);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.record_status() IS 'trigger: one row in vrm.run_events a change of state';
REVOKE EXECUTE ON FUNCTION vrm_private.record_status() FROM PUBLIC;

-- A case of somebody else that is not shared looks like one that does not exist.
CREATE OR REPLACE FUNCTION vrm_private.link_test_cases() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text;
BEGIN
    IF jsonb_typeof(NEW.test_case_ids) <> 'array' OR jsonb_array_length(NEW.test_case_ids) > 100
       OR EXISTS (SELECT FROM jsonb_array_elements(NEW.test_case_ids) AS e (item)
                  WHERE jsonb_typeof(item) <> 'string'
                     OR item #>> '{}' !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$') THEN
        RAISE EXCEPTION 'test_case_ids must be an array of at most 100 ids of test cases'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', left(NEW.test_case_ids::text, 200)),
                  HINT = 'SELECT jsonb_agg(id) FROM vrm.test_cases;';
    END IF;
    DELETE FROM vrm.test_run_cases WHERE user_id = NEW.user_id AND run_id = NEW.id;
    WITH asked AS (
        SELECT id::uuid, position
        FROM jsonb_array_elements_text(NEW.test_case_ids) WITH ORDINALITY AS e (id, position)
    ), visible AS (
        SELECT a.id, a.position, c.user_id
        FROM asked a JOIN vrm.test_cases c ON c.id = a.id AND (c.user_id = NEW.user_id OR c.is_shared)
    ), linked AS (
        INSERT INTO vrm.test_run_cases (user_id, run_id, position, case_user_id, case_id)
        SELECT NEW.user_id, NEW.id, v.position, v.user_id, v.id FROM visible v
    )
    SELECT min(a.id::text) INTO missing
    FROM asked a WHERE NOT EXISTS (SELECT FROM visible v WHERE v.position = a.position);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'test case "%" does not exist', missing
            USING ERRCODE = 'foreign_key_violation',
                  HINT = 'SELECT id, name FROM vrm.test_cases;';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.link_test_cases() IS 'trigger: keeps vrm.test_run_cases in step with test_case_ids';
REVOKE EXECUTE ON FUNCTION vrm_private.link_test_cases() FROM PUBLIC;

CREATE TRIGGER check_status_change BEFORE UPDATE OF status ON vrm.test_runs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION vrm_private.check_status_change();
COMMENT ON TRIGGER check_status_change ON vrm.test_runs IS 'states change only forward';
CREATE TRIGGER link_test_cases AFTER INSERT ON vrm.test_runs
    FOR EACH ROW WHEN (NEW.test_case_ids IS NOT NULL AND NEW.test_case_ids <> '[]')
    EXECUTE FUNCTION vrm_private.link_test_cases();
COMMENT ON TRIGGER link_test_cases ON vrm.test_runs IS 'keeps vrm.test_run_cases in step';
CREATE TRIGGER relink_test_cases AFTER UPDATE OF test_case_ids ON vrm.test_runs
    FOR EACH ROW WHEN (OLD.test_case_ids IS DISTINCT FROM NEW.test_case_ids)
    EXECUTE FUNCTION vrm_private.link_test_cases();
COMMENT ON TRIGGER relink_test_cases ON vrm.test_runs IS 'keeps vrm.test_run_cases in step';
CREATE TRIGGER record_first_status AFTER INSERT ON vrm.test_runs
    FOR EACH ROW EXECUTE FUNCTION vrm_private.record_status();
COMMENT ON TRIGGER record_first_status ON vrm.test_runs IS 'one event a state';
CREATE TRIGGER record_status AFTER UPDATE OF status ON vrm.test_runs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION vrm_private.record_status();
COMMENT ON TRIGGER record_status ON vrm.test_runs IS 'one event a state';

-- Who may do what: states and results change only through the functions of 55-calls.sql -------

ALTER TABLE vrm.test_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.test_run_cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.transcript_turns ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.run_actions ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.run_events ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.test_runs, vrm.test_run_cases, vrm.transcript_turns, vrm.run_actions, vrm.run_events
    FROM PUBLIC, anon, authenticated;
GRANT SELECT, DELETE,
      INSERT (user_id, agent_id, test_case_ids, time_limit, outbound_call_params, status)
    ON vrm.test_runs TO authenticated;
GRANT SELECT ON vrm.test_run_cases, vrm.transcript_turns, vrm.run_actions, vrm.run_events TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON vrm.test_runs, vrm.test_run_cases, vrm.transcript_turns, vrm.run_actions, vrm.run_events
    TO service_role;

CREATE POLICY "users access their own test runs" ON vrm.test_runs
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users access their own test runs" ON vrm.test_runs IS 'own rows only';
CREATE POLICY "users read the cases of their test runs" ON vrm.test_run_cases
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the cases of their test runs" ON vrm.test_run_cases IS 'own rows only';
CREATE POLICY "users read the turns of their calls" ON vrm.transcript_turns
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the turns of their calls" ON vrm.transcript_turns IS 'own rows only';
CREATE POLICY "users read the actions of their calls" ON vrm.run_actions
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the actions of their calls" ON vrm.run_actions IS 'own rows only';
CREATE POLICY "users read the events of their calls" ON vrm.run_events
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the events of their calls" ON vrm.run_events IS 'own rows only';
