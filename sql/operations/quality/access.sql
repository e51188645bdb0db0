-- Data quality: what is checked, and checking it: row security, privileges, triggers

ALTER TABLE vrm.quality_check ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.quality_run ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.quality_check, vrm.quality_run FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON vrm.quality_check, vrm.quality_run TO service_role;

CREATE TRIGGER examine_author BEFORE INSERT OR UPDATE OF rel, kind, columns, expression, refers_to, refers_columns,
        max_age, registered_by ON vrm.quality_check
    FOR EACH ROW EXECUTE FUNCTION vrm_private.examine_author();
COMMENT ON TRIGGER examine_author ON vrm.quality_check IS 'comes first: what is examined next runs as the author';

CREATE TRIGGER examine_quality_check BEFORE INSERT OR UPDATE OF rel, kind, columns, expression, refers_to,
        refers_columns, max_age, registered_by ON vrm.quality_check
    FOR EACH ROW EXECUTE FUNCTION vrm_private.examine_quality_check();
COMMENT ON TRIGGER examine_quality_check ON vrm.quality_check IS
    'nothing is registered that could do harm or cannot run';

CREATE TRIGGER vrm_forget_sample_keys AFTER DELETE ON vrm.user_profiles
    FOR EACH ROW EXECUTE FUNCTION vrm_private.forget_sample_keys();
COMMENT ON TRIGGER vrm_forget_sample_keys ON vrm.user_profiles IS 'what checks have found names nobody who is gone';
