-- What a call with a test case is judged by: triggers

-- No constraint: what 1.0.0 has taken stays, and is looked at when it is next changed or run.
CREATE TRIGGER check_evaluator_metrics BEFORE INSERT ON vrm.test_cases
    FOR EACH ROW WHEN (NEW.evaluator_metrics IS NOT NULL)
    EXECUTE FUNCTION vrm_private.check_evaluator_metrics();
COMMENT ON TRIGGER check_evaluator_metrics ON vrm.test_cases IS 'the shape of evaluator_metrics';
CREATE TRIGGER check_changed_evaluator_metrics BEFORE UPDATE ON vrm.test_cases
    FOR EACH ROW WHEN (NEW.evaluator_metrics IS DISTINCT FROM OLD.evaluator_metrics)
    EXECUTE FUNCTION vrm_private.check_evaluator_metrics();
COMMENT ON TRIGGER check_changed_evaluator_metrics ON vrm.test_cases IS 'the shape of evaluator_metrics';
CREATE TRIGGER check_evaluator_metrics BEFORE INSERT OR UPDATE ON vrm.test_case_templates
    FOR EACH ROW WHEN (NEW.evaluator_metrics IS NOT NULL)
    EXECUTE FUNCTION vrm_private.check_evaluator_metrics();
COMMENT ON TRIGGER check_evaluator_metrics ON vrm.test_case_templates IS 'the shape of evaluator_metrics';
