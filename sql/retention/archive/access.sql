-- The archive: filled, verified, read and taken back from: row security, privileges, triggers

ALTER TABLE vrm_private.test_runs_archive ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.test_runs_archive_rest ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.test_runs_archive, vrm_private.test_runs_archive_rest FROM PUBLIC, anon, authenticated;

-- Read through the view: without USAGE on vrm_private nobody can name the table itself.
GRANT SELECT ON vrm_private.test_runs_archive TO authenticated, service_role;
CREATE POLICY "users read their own archived test runs" ON vrm_private.test_runs_archive
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read their own archived test runs" ON vrm_private.test_runs_archive IS 'own rows only';

-- The name sorts behind a DBA's, whose trigger may change the results.  Replicas of a session and subscribers
-- change calls, too.
CREATE TRIGGER zz_digest_results BEFORE INSERT OR UPDATE ON vrm.test_runs
    FOR EACH ROW WHEN (NEW.completed_at IS NOT NULL) EXECUTE FUNCTION vrm.digest_results();
ALTER TABLE vrm.test_runs ENABLE ALWAYS TRIGGER zz_digest_results;
COMMENT ON TRIGGER zz_digest_results ON vrm.test_runs IS 'the digest of a call is made when it ends';

ALTER TABLE vrm_private.archive_manifest ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.archive_removals ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.archive_manifest, vrm_private.archive_removals FROM PUBLIC, anon, authenticated;

-- the name sorts behind those of the foreign keys' triggers: the live calls go first
CREATE TRIGGER forget_archived AFTER DELETE ON vrm.user_profiles
    FOR EACH ROW EXECUTE FUNCTION vrm_private.forget_archived();
COMMENT ON TRIGGER forget_archived ON vrm.user_profiles IS 'the archived calls of a person go with the person';

CREATE TRIGGER refuse_held_change AFTER DELETE OR UPDATE ON vrm_private.test_runs_archive
    FOR EACH ROW EXECUTE FUNCTION vrm_private.refuse_held_change();
COMMENT ON TRIGGER refuse_held_change ON vrm_private.test_runs_archive IS
    'archived calls stay as they are while they are held';
CREATE TRIGGER refuse_held_truncate BEFORE TRUNCATE ON vrm_private.test_runs_archive
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.refuse_held_truncate();
COMMENT ON TRIGGER refuse_held_truncate ON vrm_private.test_runs_archive IS 'legal holds are respected';

-- before anything of the person goes, since batches and holds take this lock first
CREATE TRIGGER wait_for_retention BEFORE DELETE ON vrm.user_profiles
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.wait_for_retention();
COMMENT ON TRIGGER wait_for_retention ON vrm.user_profiles IS 'accounts go between batches of retention';
