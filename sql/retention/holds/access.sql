-- Legal holds: what retention must leave alone: row security, privileges, triggers

ALTER TABLE vrm_private.legal_holds ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.legal_holds FROM PUBLIC, anon, authenticated;

CREATE TRIGGER refuse_held AFTER DELETE ON vrm.test_runs REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.refuse_held();
COMMENT ON TRIGGER refuse_held ON vrm.test_runs IS 'legal holds are respected';

CREATE TRIGGER refuse_held AFTER DELETE ON vrm.call_recordings REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.refuse_held_recordings();
COMMENT ON TRIGGER refuse_held ON vrm.call_recordings IS 'legal holds are respected';
