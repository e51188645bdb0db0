-- Dashboards by name, from a cache for those who ask over and over: row security, privileges, triggers

ALTER TABLE vrm.cached_results ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.cached_results FROM PUBLIC, anon, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.cached_results TO authenticated;
CREATE POLICY "users keep their own results" ON vrm.cached_results
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users keep their own results" ON vrm.cached_results IS 'own rows only';
