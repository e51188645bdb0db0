-- What a call with a test case is judged by, as far as its transcript can tell

CREATE OR REPLACE FUNCTION vrm_private.check_evaluator_metrics() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text := vrm.evaluator_metrics_error(NEW.evaluator_metrics);
BEGIN
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'evaluator_metrics of test case "%" are not valid', NEW.name
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = wrong,
                  HINT = 'SELECT vrm.evaluator_metrics_error(...) tells whether a document is valid.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.check_evaluator_metrics() IS 'trigger: refuses a document of another shape';
REVOKE EXECUTE ON FUNCTION vrm_private.check_evaluator_metrics() FROM PUBLIC;
