-- Legal holds: what retention must leave alone: row security, privileges, triggers

ALTER TABLE vrm_private.legal_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.hold_changes ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.legal_holds, vrm_private.hold_changes FROM PUBLIC, anon, authenticated;

CREATE TRIGGER refuse_held AFTER DELETE ON vrm.test_runs REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.refuse_held();
COMMENT ON TRIGGER refuse_held ON vrm.test_runs IS 'legal holds are respected';

CREATE TRIGGER refuse_held_change AFTER UPDATE ON vrm.test_runs
    FOR EACH ROW
    WHEN (OLD.completed_at IS NOT NULL AND OLD.* *<> NEW.*
          OR OLD.status = NEW.status
             AND (OLD.user_id <> NEW.user_id OR OLD.agent_id IS DISTINCT FROM NEW.agent_id OR OLD.id <> NEW.id
                  OR OLD.started_at <> NEW.started_at))
    EXECUTE FUNCTION vrm_private.refuse_held_change();
COMMENT ON TRIGGER refuse_held_change ON vrm.test_runs IS 'calls that have ended stay as they are while they are held';
CREATE TRIGGER refuse_held_truncate BEFORE TRUNCATE ON vrm.test_runs
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.refuse_held_truncate();
COMMENT ON TRIGGER refuse_held_truncate ON vrm.test_runs IS 'legal holds are respected';

CREATE TRIGGER refuse_held AFTER DELETE ON vrm.call_recordings REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.refuse_held_recordings();
COMMENT ON TRIGGER refuse_held ON vrm.call_recordings IS 'legal holds are respected';
CREATE TRIGGER refuse_held_change AFTER UPDATE ON vrm.call_recordings
    FOR EACH ROW WHEN (OLD.* *<> NEW.*) EXECUTE FUNCTION vrm_private.refuse_held_change();
COMMENT ON TRIGGER refuse_held_change ON vrm.call_recordings IS 'recordings of held calls stay as they are';
CREATE TRIGGER refuse_held_truncate BEFORE TRUNCATE ON vrm.call_recordings
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.refuse_held_truncate();
COMMENT ON TRIGGER refuse_held_truncate ON vrm.call_recordings IS 'legal holds are respected';
