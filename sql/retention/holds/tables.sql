-- Legal holds: what retention must leave alone: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.legal_holds (
    hold_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    reason text NOT NULL CONSTRAINT reason_length CHECK (length(reason) BETWEEN 1 AND 2000),
    user_id uuid,
    agent_id uuid,
    run_id uuid,
    started tstzrange,
    placed_by name NOT NULL DEFAULT session_user,
    placed_at timestamptz NOT NULL DEFAULT now(),
    released_by name,
    released_at timestamptz,
    CONSTRAINT holds_something CHECK (num_nonnulls(user_id, agent_id, run_id, started) > 0),
    CONSTRAINT released_by_somebody CHECK ((released_by IS NULL) = (released_at IS NULL))
);
CREATE INDEX IF NOT EXISTS legal_holds_in_force ON vrm_private.legal_holds (user_id) WHERE released_at IS NULL;
CREATE INDEX IF NOT EXISTS legal_holds_on_run ON vrm_private.legal_holds (run_id) WHERE released_at IS NULL;
CREATE INDEX IF NOT EXISTS legal_holds_on_agent ON vrm_private.legal_holds (agent_id) WHERE released_at IS NULL;
CREATE INDEX IF NOT EXISTS legal_holds_on_time ON vrm_private.legal_holds USING gist (started)
    WHERE released_at IS NULL AND run_id IS NULL AND user_id IS NULL AND agent_id IS NULL;
COMMENT ON TABLE vrm_private.legal_holds IS 'what must not go, whatever its age; without end until released';
COMMENT ON INDEX vrm_private.legal_holds_in_force IS 'holds that are in force, by person';
COMMENT ON INDEX vrm_private.legal_holds_on_run IS 'the same by call';
COMMENT ON INDEX vrm_private.legal_holds_on_agent IS 'the same by agent';
COMMENT ON INDEX vrm_private.legal_holds_on_time IS 'holds on everything of some time';
COMMENT ON COLUMN vrm_private.legal_holds.hold_id IS 'the hold';
COMMENT ON COLUMN vrm_private.legal_holds.reason IS 'why, for who comes later';
COMMENT ON COLUMN vrm_private.legal_holds.user_id IS 'of this person; null for anybody';
COMMENT ON COLUMN vrm_private.legal_holds.agent_id IS 'calls of this agent; null for any';
COMMENT ON COLUMN vrm_private.legal_holds.run_id IS 'this call; null for any';
COMMENT ON COLUMN vrm_private.legal_holds.started IS 'calls that began within; null for any time';
COMMENT ON COLUMN vrm_private.legal_holds.placed_by IS 'database user who placed it';
COMMENT ON COLUMN vrm_private.legal_holds.placed_at IS 'when';
COMMENT ON COLUMN vrm_private.legal_holds.released_by IS 'database user who released it';
COMMENT ON COLUMN vrm_private.legal_holds.released_at IS 'when; null while in force';

CREATE TABLE IF NOT EXISTS vrm_private.hold_changes (
    id boolean PRIMARY KEY DEFAULT true CONSTRAINT one_row CHECK (id),
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vrm_private.hold_changes IS
    'when a hold was placed last; one row, locked by whoever deletes under a snapshot that may be older';
COMMENT ON COLUMN vrm_private.hold_changes.id IS 'true: there is one row';
COMMENT ON COLUMN vrm_private.hold_changes.changed_at IS 'when';
