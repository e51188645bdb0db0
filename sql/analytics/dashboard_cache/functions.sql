-- Dashboards by name, from a cache for those who ask over and over

-- An entry shows all calls whose transactions had begun when it was made: one that was open then, and has brought
-- an event since, makes it out of date; what began later is as new as the caller says to do without.
-- The latest event is looked up before the dashboard is made: what the own transaction does in between makes it
-- out of date at once.  An entry that somebody else is just writing is left to them, so that nobody waits.
CREATE OR REPLACE FUNCTION vrm.dashboard(
    name text,
    arguments jsonb DEFAULT '{}',
    max_age interval DEFAULT '0'
) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dashboards CONSTANT text[] := '{agent_performance,call_history,call_series,call_summary,failure_reasons,live_calls,'
                                  'metric_summary,user_dashboard}';
    caller uuid := vrm.uid();
    asked text := concat_ws(' ', name, arguments, current_setting('TimeZone'), current_setting('DateStyle'),
                            current_setting('IntervalStyle'));
    cached boolean := max_age > '0' AND caller IS NOT NULL AND length(asked) <= 600 AND NOT pg_is_in_recovery();
    event uuid;
    seen pg_snapshot := pg_current_snapshot();
    asked_for pg_proc;
    given text[];
    named text;
    cast_alone text;
    made jsonb;
BEGIN
    IF name = ANY (dashboards) IS NOT TRUE OR jsonb_typeof(arguments) = 'object' IS NOT TRUE
       OR max_age BETWEEN '0' AND '1 hour' IS NOT TRUE THEN
        RAISE EXCEPTION 'a dashboard needs a name, an object of arguments and an age of at most an hour'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got "%s", %s, %s.', left(name, 100), coalesce(left(arguments::text, 100), 'null'),
                                  coalesce(max_age::text, 'null')),
                  HINT = format('Dashboards are %s.', array_to_string(dashboards, ', '));
    END IF;
    IF cached THEN
        event := (SELECT e.id FROM vrm.run_events e WHERE e.user_id = caller ORDER BY e.id DESC LIMIT 1);
        SELECT r.result INTO made
        FROM vrm.cached_results r
        WHERE r.user_id = caller AND r.query = asked AND r.made_at > clock_timestamp() - max_age
          AND NOT EXISTS (SELECT FROM vrm.run_events e
                          WHERE e.user_id = caller AND e.xid >= pg_snapshot_xmin(r.snapshot)
                            AND e.xid < pg_snapshot_xmax(r.snapshot) AND e.xid <> r.made_by
                            AND NOT pg_visible_in_snapshot(e.xid, r.snapshot))
          AND NOT EXISTS (SELECT FROM vrm.run_events e
                          WHERE e.user_id = caller AND e.xid = r.made_by
                            AND (r.last_event IS NULL OR e.id > r.last_event));
        IF FOUND THEN
            PERFORM vrm.count_cached_result(true);
            RETURN made;
        END IF;
        PERFORM vrm.count_cached_result(false);
    END IF;

    SELECT p.* INTO asked_for FROM pg_proc p
    WHERE p.pronamespace = 'vrm'::regnamespace AND p.proname = dashboard.name || '_json';
    given := ARRAY(SELECT jsonb_object_keys(arguments));
    IF NOT given <@ coalesce(asked_for.proargnames, '{}')
       OR NOT coalesce(asked_for.proargnames[:asked_for.pronargs - asked_for.pronargdefaults], '{}') <@ given THEN
        RAISE EXCEPTION 'dashboard "%" has other arguments', name
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(nullif(left(array_to_string(given, ', '), 200), ''), 'none')),
                  HINT = format('They are %s.', coalesce(nullif(pg_get_function_arguments(asked_for.oid), ''), 'none'));
    END IF;
    SELECT string_agg(format('%I => %s', a.key, v.literal), ', '),
           string_agg(format('CAST(%s AS %s)', v.literal, format_type(asked_for.proargtypes[p.place - 1], NULL)), ', ')
    INTO named, cast_alone
    FROM jsonb_each(arguments) AS a, array_position(asked_for.proargnames, a.key) AS p (place),
         LATERAL (SELECT quote_nullable(CASE jsonb_typeof(a.value)
                      WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text(a.value))::text
                      ELSE a.value #>> '{}' END) AS literal) AS v;
    BEGIN
        EXECUTE coalesce('SELECT ' || cast_alone, 'SELECT');
    EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'an argument of dashboard "%" is not valid', name
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = upper(left(SQLERRM, 1)) || substr(left(SQLERRM, 200), 2) || '.',
                  HINT = format('They are %s.', pg_get_function_arguments(asked_for.oid));
    END;
    EXECUTE format('SELECT vrm.%I(%s)', name || '_json', named) INTO made;

    -- a stricter isolation level would fail where somebody has just written the same
    IF cached AND vrm.may_write() AND NOT current_setting('transaction_read_only')::boolean
       AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
       AND pg_try_advisory_xact_lock(hashtextextended(asked, uuid_hash_extended(caller, 0))) THEN
        INSERT INTO vrm.cached_results AS r (user_id, query, result, last_event, made_at, snapshot, made_by)
        VALUES (caller, asked, made, event, clock_timestamp(), seen, pg_current_xact_id())
        ON CONFLICT (user_id, query) DO UPDATE
        SET result = excluded.result, last_event = excluded.last_event, made_at = excluded.made_at,
            snapshot = excluded.snapshot, made_by = excluded.made_by;
    END IF;
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm.dashboard(text, jsonb, interval) IS
    'a dashboard as a document, by name: vrm.NAME_json(arguments); with max_age one made so long ago at most';

-- Sequences count without a lock, and whatever becomes of the transaction.
CREATE OR REPLACE FUNCTION vrm.count_cached_result(hit boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT current_setting('transaction_read_only')::boolean THEN
        PERFORM CASE WHEN hit THEN nextval('vrm_private.cached_results_found')
                     ELSE nextval('vrm_private.cached_results_made') END;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.count_cached_result(boolean) IS
    'counts dashboards that somebody put up with some age of, those from the cache and those made, for monitoring';

CREATE OR REPLACE FUNCTION vrm.forget_cached_results() RETURNS bigint
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (DELETE FROM vrm.cached_results r WHERE r.user_id = vrm.uid() RETURNING 1)
    SELECT count(*) FROM gone
$$;
COMMENT ON FUNCTION vrm.forget_cached_results() IS
    'has the caller''s dashboards made anew whatever age they ask for; returns how many were kept';

CREATE OR REPLACE FUNCTION vrm_private.expire_cached_results() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
        DELETE FROM vrm.cached_results r WHERE r.made_at < clock_timestamp() - interval '1 hour' RETURNING 1
    )
    SELECT count(*) FROM gone
$$;
COMMENT ON FUNCTION vrm_private.expire_cached_results() IS
    'deletes results that are too old for anybody; returns their number';

REVOKE EXECUTE ON FUNCTION
    vrm.dashboard(text, jsonb, interval), vrm.count_cached_result(boolean), vrm.forget_cached_results(),
    vrm_private.expire_cached_results() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.dashboard(text, jsonb, interval), vrm.count_cached_result(boolean), vrm.forget_cached_results()
    TO authenticated;
