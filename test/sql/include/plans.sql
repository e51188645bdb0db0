-- pg_temp.plan_of() gives the plan of a query as one text; `run` also runs it, and tells what happened.
CREATE FUNCTION pg_temp.plan_of(query text, run boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    plan text := '';
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (ANALYZE %s, COSTS OFF, TIMING OFF, SUMMARY OFF) %s', run::text, query) LOOP
        plan := plan || line || E'\n';
    END LOOP;
    RETURN plan;
END
$$;
