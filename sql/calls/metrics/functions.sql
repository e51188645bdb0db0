-- Users' own metrics, and what judges have said of calls

CREATE OR REPLACE FUNCTION vrm.record_metric_result(
    metric_id uuid,
    run_id uuid,
    score double precision DEFAULT NULL,
    passed boolean DEFAULT NULL,
    rationale text DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
BEGIN
    PERFORM vrm_private.check_text('rationale', rationale, 20000, false);
    -- larger ones would have no mean
    IF score IS NULL AND passed IS NULL OR score NOT BETWEEN -1e100 AND 1e100 THEN
        RAISE EXCEPTION 'a result needs a score from -1e100 to 1e100, or a verdict'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got score %s.', coalesce(score::text, 'null')),
                  HINT = 'For example: score => 0.8, passed => true.';
    END IF;
    PERFORM FROM vrm.metrics m WHERE m.user_id = owner AND m.id = record_metric_result.metric_id FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'metric "%" does not exist', coalesce(metric_id::text, 'null')
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, name FROM vrm.metrics;';
    END IF;
    PERFORM FROM vrm.test_runs r WHERE r.user_id = owner AND r.id = record_metric_result.run_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'test run "%" does not exist', coalesce(run_id::text, 'null')
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, agent, status FROM vrm.call_history();';
    END IF;
    INSERT INTO vrm.metric_results AS m (user_id, metric_id, run_id, score, passed, rationale)
    VALUES (owner, record_metric_result.metric_id, record_metric_result.run_id, record_metric_result.score,
            record_metric_result.passed, record_metric_result.rationale)
    ON CONFLICT ON CONSTRAINT metric_results_pkey DO UPDATE
    SET score = excluded.score, passed = excluded.passed, rationale = excluded.rationale, at = now();
END
$$;
COMMENT ON FUNCTION vrm.record_metric_result(uuid, uuid, double precision, boolean, text) IS
    'keeps what a judge says of one of the caller''s calls by a metric; a later verdict replaces an earlier one';

CREATE OR REPLACE FUNCTION vrm.metric_summary(
    metric_id uuid,
    since timestamptz DEFAULT '-infinity',
    until timestamptz DEFAULT 'infinity',
    OUT results bigint, OUT mean double precision, OUT stddev double precision, OUT lowest double precision,
    OUT median double precision, OUT highest double precision, OUT pass_rate numeric, OUT distribution jsonb,
    OUT trend_per_day double precision
)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH judged AS MATERIALIZED (
        SELECT m.score, m.passed, extract(epoch FROM m.at) / 86400 AS day
        FROM vrm.metric_results m
        WHERE m.user_id = vrm.uid() AND m.metric_id = metric_summary.metric_id AND m.at >= since AND m.at < until
          AND (m.is_person OR NOT EXISTS (
                  SELECT FROM vrm.metric_results p
                  WHERE p.user_id = m.user_id AND p.metric_id = m.metric_id AND p.run_id = m.run_id
                    AND p.case_id = m.case_id AND p.is_person))
    ), extent AS (
        SELECT min(j.score) AS low, max(j.score) AS high FROM judged j
    ), bars AS (
        SELECT b.number, count(j.score) AS results
        FROM extent e CROSS JOIN generate_series(1, 10) AS b (number)
        LEFT JOIN judged j ON b.number = CASE WHEN e.high > e.low
                                         THEN least(1 + floor((j.score - e.low) / (e.high - e.low) * 10), 10)
                                         ELSE 1 END
        WHERE e.low IS NOT NULL
        GROUP BY b.number
    )
    SELECT count(*), avg(j.score), stddev(j.score), min(j.score),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY j.score), max(j.score),
           round(count(*) FILTER (WHERE j.passed)::numeric / nullif(count(j.passed), 0), 3),
           (SELECT jsonb_agg(b.results ORDER BY b.number) FROM bars b),
           regr_slope(j.score, j.day::double precision)
    FROM judged j
$$;
COMMENT ON FUNCTION vrm.metric_summary(uuid, timestamptz, timestamptz) IS
    'results of a metric over a time, without those overruled; distribution has ten bars from lowest to highest score';

CREATE OR REPLACE FUNCTION vrm.metric_summary_json(
    metric_id uuid, since timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity'
) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_jsonb(s) FROM vrm.metric_summary(metric_id, since, until) s
$$;
COMMENT ON FUNCTION vrm.metric_summary_json(uuid, timestamptz, timestamptz) IS 'vrm.metric_summary() as a document';

REVOKE EXECUTE ON FUNCTION
    vrm.record_metric_result(uuid, uuid, double precision, boolean, text),
    vrm.metric_summary(uuid, timestamptz, timestamptz), vrm.metric_summary_json(uuid, timestamptz, timestamptz)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.record_metric_result(uuid, uuid, double precision, boolean, text),
    vrm.metric_summary(uuid, timestamptz, timestamptz), vrm.metric_summary_json(uuid, timestamptz, timestamptz)
    TO authenticated;
