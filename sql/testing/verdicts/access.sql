-- Verdicts on calls: triggers

-- Ordinary calls have no cases, and pay nothing.
CREATE TRIGGER judge_ended_call AFTER UPDATE OF status, results ON vrm.test_runs
    FOR EACH ROW
    WHEN (NEW.completed_at IS NOT NULL AND NEW.test_case_ids IS NOT NULL AND NEW.test_case_ids <> '[]'
          AND (OLD.status IS DISTINCT FROM NEW.status OR OLD.results IS DISTINCT FROM NEW.results))
    EXECUTE FUNCTION vrm_private.judge_ended_call();
COMMENT ON TRIGGER judge_ended_call ON vrm.test_runs IS 'calls of suites are judged when they end';

CREATE TRIGGER judge_again AFTER INSERT OR UPDATE OR DELETE ON vrm.metric_results
    FOR EACH ROW EXECUTE FUNCTION vrm_private.judge_again();
COMMENT ON TRIGGER judge_again ON vrm.metric_results IS 'what is said of a call of a suite counts at once';

-- as vrm.audit_enable() does; what judges write in words is theirs and the call's
CREATE TRIGGER vrm_audit AFTER INSERT OR UPDATE OR DELETE ON vrm.metric_results
    FOR EACH ROW EXECUTE FUNCTION vrm.audit_row(E'\n\n', E'\nrationale\n');
COMMENT ON TRIGGER vrm_audit ON vrm.metric_results IS 'writes changes to vrm.audit_log';
