-- Suites of test cases and their runs: row security, privileges, triggers

CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.suites
    FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON vrm.suites IS 'keeps updated_at';

CREATE TRIGGER check_metrics BEFORE INSERT OR UPDATE ON vrm.suites
    FOR EACH ROW WHEN (NEW.metrics IS NOT NULL)
    EXECUTE FUNCTION vrm_private.check_suite_metrics();
COMMENT ON TRIGGER check_metrics ON vrm.suites IS 'the shape of metrics';

CREATE TRIGGER check_cases BEFORE INSERT OR UPDATE OF case_ids ON vrm.suites
    FOR EACH ROW EXECUTE FUNCTION vrm_private.check_suite_cases();
COMMENT ON TRIGGER check_cases ON vrm.suites IS 'cases that there are, each once';

CREATE TRIGGER check_values BEFORE INSERT OR UPDATE ON vrm.suites
    FOR EACH ROW EXECUTE FUNCTION vrm_private.check_suite_values();
COMMENT ON TRIGGER check_values ON vrm.suites IS 'numbers that make sense';

ALTER TABLE vrm.suites ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.suite_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.suite_run_cases ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.suite_calls ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.suites, vrm.suite_runs, vrm.suite_run_cases, vrm.suite_calls FROM PUBLIC, anon, authenticated;
GRANT SELECT, DELETE,
      INSERT (user_id, id, name, case_ids, repeats, metrics, min_pass_rate, min_pass_hat_k, max_answering_time,
              created_at, updated_at),
      UPDATE (user_id, name, case_ids, repeats, metrics, min_pass_rate, min_pass_hat_k, max_answering_time)
    ON vrm.suites TO authenticated;
GRANT SELECT, DELETE ON vrm.suite_runs TO authenticated;
GRANT SELECT ON vrm.suite_run_cases, vrm.suite_calls TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.suites, vrm.suite_runs, vrm.suite_run_cases, vrm.suite_calls
    TO service_role;

CREATE POLICY "users manage their own suites" ON vrm.suites
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users manage their own suites" ON vrm.suites IS 'own rows only';
CREATE POLICY "ids and times are the server's" ON vrm.suites AS RESTRICTIVE FOR INSERT TO authenticated
    WITH CHECK (id > vrm.uuid7(statement_timestamp() - interval '10 ms') AND substr(id::text, 15, 1) = '7'
                AND created_at = now() AND updated_at = now());
COMMENT ON POLICY "ids and times are the server's" ON vrm.suites IS
    'who inserts may name such columns, and choose none';
CREATE POLICY "users see and delete their runs of suites" ON vrm.suite_runs
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users see and delete their runs of suites" ON vrm.suite_runs IS 'own rows only';
CREATE POLICY "users read the cases of their runs" ON vrm.suite_run_cases
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read the cases of their runs" ON vrm.suite_run_cases IS 'own rows only';
CREATE POLICY "users read what became of their runs" ON vrm.suite_calls
    FOR SELECT TO authenticated
    USING (user_id = vrm.uid());
COMMENT ON POLICY "users read what became of their runs" ON vrm.suite_calls IS 'own rows only';
