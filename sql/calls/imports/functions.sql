-- Calls brought in from other platforms: functions

-- Whatever is changed about a report has it read again.
CREATE OR REPLACE FUNCTION vrm_private.take_report() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mended text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.state := 'new';
        NEW.reason := NULL;
        NEW.note := NULL;
    END IF;
    IF NEW.raw IS NULL AND NEW.payload IS NULL THEN
        RAISE EXCEPTION 'a report that is to be read needs a payload'
            USING ERRCODE = 'check_violation',
                  DETAIL = 'Both payload and raw are null.',
                  HINT = 'INSERT INTO vrm.call_imports (source, payload) VALUES (''vapi'', ''{"message": ...}'');';
    ELSIF NEW.raw IS NULL THEN
        RETURN NEW;
    END IF;
    mended := vrm.mended_json(NEW.raw);
    IF mended <> NEW.raw THEN
        NEW.note := 'NUL or lone surrogate replaced';
    END IF;
    NEW.payload := mended::jsonb;
    NEW.raw := NULL;
    RETURN NEW;
EXCEPTION
    WHEN data_exception THEN
        NEW.payload := NULL;
        NEW.state := 'refused';
        NEW.reason := left('raw: ' || SQLERRM, 1000);
        RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.take_report() IS
    'trigger: turns raw text into a payload, and has what was corrected read again';

-- An agent of the owner under one of the names that a report gives it.
CREATE OR REPLACE FUNCTION vrm_private.agent_named(owner uuid, names jsonb) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.id FROM vrm.agents a
    WHERE a.user_id = owner AND a.deleted_at IS NULL
      AND a.agent_id IN (names ->> 'id', names ->> 'name', names ->> 'number')
    ORDER BY a.agent_id = names ->> 'id' DESC NULLS LAST, a.agent_id = names ->> 'name' DESC NULLS LAST
    LIMIT 1
$$;
COMMENT ON FUNCTION vrm_private.agent_named(uuid, jsonb) IS 'agent that a report means by id, name or number';

CREATE OR REPLACE FUNCTION vrm_private.erased_id(external_id text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'erased ' || encode(sha256(convert_to(external_id, 'UTF8')), 'hex')
$$;
COMMENT ON FUNCTION vrm_private.erased_id(text) IS 'what is left of a call''s id at its source once the call is erased';

CREATE OR REPLACE FUNCTION vrm_private.count_words(owner uuid, source text, words jsonb) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm.import_words (user_id, source, field, word, seen)
    SELECT owner, count_words.source, w.pair ->> 0, left(w.pair ->> 1, 200), count(*)
    FROM jsonb_array_elements(words) AS w (pair)
    GROUP BY 3, 4 ORDER BY 3, 4
    ON CONFLICT (user_id, source, field, word)
        DO UPDATE SET seen = import_words.seen + excluded.seen, last_at = now()
$$;
COMMENT ON FUNCTION vrm_private.count_words(uuid, text, jsonb) IS 'notes words of a report that no vocabulary knows';

-- The reports that are the first ones of their call and whole, which nearly all are, in one statement.
-- What is left over comes back and is looked at one by one.  What belongs together is found by IN, which is
-- hashed however many the planner expects; with joins it compares each with each, as it expects one.  Planned for
-- each batch, as the table grows; as a setting of the function that would reach the triggers of every row.
CREATE OR REPLACE FUNCTION vrm_private.import_fresh(
    users uuid[], ids uuid[], OUT left_users uuid[], OUT left_ids uuid[]
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE $batch$
    WITH read AS MATERIALIZED (
        SELECT i.user_id, i.id, i.agent_id, i.received_at, i.note, r.*, vrm.uuid7(r.started_at) AS run_id
        FROM unnest($1, $2) AS n (user_id, id)
        JOIN vrm.call_imports i ON i.user_id = n.user_id AND i.id = n.id
        CROSS JOIN LATERAL vrm.read_report(i.source, i.payload, i.external_id, i.received_at) AS r
    ), fresh AS (
        SELECT r.* FROM read r
        WHERE r.what = 'call' AND r.unknown IS NULL
          AND (r.outcome IS NULL OR EXISTS (SELECT FROM vrm.call_outcomes o WHERE o.name = r.outcome))
          AND NOT EXISTS (SELECT FROM vrm.call_imports k
                          WHERE k.user_id = r.user_id AND k.source = r.found_source AND k.external_id = r.found_id
                            AND k.state IN ('imported', 'pending'))
          AND NOT EXISTS (SELECT FROM vrm.call_imports k
                          WHERE k.user_id = r.user_id AND k.source = r.found_source
                            AND k.external_id = 'erased ' || encode(sha256(convert_to(r.found_id, 'UTF8')), 'hex')
                            AND k.state = 'imported')
    ), made AS (
        INSERT INTO vrm.test_runs (user_id, id, agent_id, time_limit, status, started_at, completed_at, results,
                                   error, source, external_id, direction, outcome, ended_reason, cost, currency)
        SELECT f.user_id, f.run_id,
               coalesce((SELECT a.id FROM vrm.agents a
                         WHERE a.user_id = f.user_id AND a.deleted_at IS NULL
                           AND a.agent_id = f.results #>> '{agent,id}'),
                        (SELECT a.id FROM vrm.agents a
                         WHERE a.user_id = f.user_id AND a.deleted_at IS NULL
                           AND a.agent_id = f.results #>> '{agent,name}'),
                        (SELECT a.id FROM vrm.agents a
                         WHERE a.user_id = f.user_id AND a.deleted_at IS NULL
                           AND a.agent_id = f.results #>> '{agent,number}'),
                        f.agent_id),
               greatest(1, least(86400, ceil(extract(epoch FROM f.ended_at - f.started_at))))::integer,
               coalesce(f.status, 'completed'), f.started_at, f.ended_at, f.results, f.error, f.found_source,
               f.found_id, f.direction::vrm.call_direction, f.outcome, f.ended_reason, f.cost::numeric, f.currency
        FROM fresh f
        ON CONFLICT (user_id, source, external_id) WHERE external_id IS NOT NULL DO NOTHING
        RETURNING user_id, id, status, started_at, completed_at
    ), events AS (
        INSERT INTO vrm.run_events (user_id, run_id, status, at)
        SELECT m.user_id, m.id, e.status, e.at
        FROM made m CROSS JOIN LATERAL (VALUES ('running', m.started_at), (m.status, m.completed_at)) AS e (status, at)
    ), done AS (
        UPDATE vrm.call_imports i
        SET state = CASE WHEN r.is_made THEN 'imported' ELSE r.what END,
            source = coalesce(r.found_source, i.source),
            external_id = coalesce(r.found_id, i.external_id),
            run_id = CASE WHEN r.is_made THEN r.run_id END,
            reason = r.reason,
            note = nullif(concat_ws('; ', r.note, r.notes), ''),
            clock = coalesce(r.clock, r.received_at),
            payload = CASE WHEN NOT r.is_made THEN i.payload END
        FROM (SELECT s.user_id, s.id, s.what, s.found_source, s.found_id, s.run_id, s.reason, s.note, s.notes, s.clock,
                     s.received_at, s.run_id IN (SELECT m.id FROM made m) AS is_made
              FROM read s OFFSET 0) AS r
        WHERE i.user_id = r.user_id AND i.id = r.id AND (r.is_made OR r.what IN ('ignored', 'refused'))
        RETURNING i.user_id, i.id
    )
    SELECT array_agg(r.user_id ORDER BY r.id), array_agg(r.id ORDER BY r.id)
    FROM read r WHERE (r.user_id, r.id) NOT IN (SELECT d.user_id, d.id FROM done d)
    $batch$ INTO left_users, left_ids USING users, ids;
END
$$;
COMMENT ON FUNCTION vrm_private.import_fresh(uuid[], uuid[]) IS
    'makes calls of new reports, where that is all there is to do; tells which need a closer look';

-- A part and its call that come at one moment do not see each other.
CREATE OR REPLACE FUNCTION vrm_private.join_parts(owner uuid, most integer) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT p.user_id, p.id FROM vrm.call_imports p
                WHERE p.state = 'pending' AND (owner IS NULL OR p.user_id = owner)
                  AND (EXISTS (SELECT FROM vrm.call_imports k
                               WHERE k.user_id = p.user_id AND k.source = p.source AND k.external_id = p.external_id
                                 AND k.state = 'imported')
                       OR EXISTS (SELECT FROM vrm.test_runs t
                                  WHERE t.user_id = p.user_id AND t.source = p.source
                                    AND t.external_id = p.external_id AND t.completed_at IS NOT NULL))
                ORDER BY p.user_id, p.source, p.external_id, p.clock LIMIT most FOR NO KEY UPDATE SKIP LOCKED LOOP
        PERFORM vrm_private.import_one(part.user_id, part.id);
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.join_parts(uuid, integer) IS 'parts that wait though their call is there go into it';

CREATE OR REPLACE FUNCTION vrm_private.import_batch(most integer) RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := CASE WHEN vrm_private.is_service() THEN NULL ELSE vrm_private.caller() END;
    taken integer;
    users uuid[];
    ids uuid[];
BEGIN
    IF most IS NULL OR most NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'batch must be between 1 and 100000'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(most::text, 'null')),
                  HINT = 'CALL vrm.import_calls();';
    END IF;
    SELECT array_agg(t.user_id ORDER BY t.id), array_agg(t.id ORDER BY t.id) INTO users, ids
    FROM (SELECT i.user_id, i.id FROM vrm.call_imports i
          WHERE i.state = 'new' AND (owner IS NULL OR i.user_id = owner)
          ORDER BY i.user_id, i.id LIMIT most FOR NO KEY UPDATE SKIP LOCKED) AS t;
    taken := coalesce(cardinality(ids), 0);
    IF taken = 0 THEN
        PERFORM vrm_private.join_parts(owner, most);
        RETURN 0;
    END IF;
    BEGIN
        SELECT f.left_users, f.left_ids INTO users, ids FROM vrm_private.import_fresh(users, ids) AS f;
    EXCEPTION
        WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
            NULL;  -- one of them does not fit into a row: which one, and why, is found out one by one
    END;
    FOR n IN 1 .. coalesce(cardinality(ids), 0) LOOP
        PERFORM vrm_private.import_one(users[n], ids[n]);
    END LOOP;
    RETURN taken;
END
$$;
COMMENT ON FUNCTION vrm_private.import_batch(integer) IS
    'makes calls of so many new reports of the caller, or for the service of all; returns how many it has looked at';

CREATE OR REPLACE FUNCTION vrm_private.import_one(owner uuid, import_id uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problem text;
BEGIN
    PERFORM vrm_private.import_report(owner, import_id);
EXCEPTION
    WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded
         OR object_not_in_prerequisite_state OR object_in_use THEN
        GET STACKED DIAGNOSTICS problem = PG_EXCEPTION_DETAIL;
        UPDATE vrm.call_imports i
        SET state = 'refused', reason = left(concat_ws(': ', SQLERRM, nullif(problem, '')), 1000)
        WHERE i.user_id = owner AND i.id = import_id;
END
$$;
COMMENT ON FUNCTION vrm_private.import_one(uuid, uuid) IS
    'makes a call of one report; what cannot be made one stays with its reason';

-- Under the names that call_imports.sets uses; what is a guess, empty or only counted is left out.
CREATE OR REPLACE FUNCTION vrm_private.report_fields(report jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(f.key, f.value), '{}')
    FROM jsonb_each(
        (report -> 'results') - '{actions,precision,redacted}'::text[]
        || jsonb_build_object('completed_at', report -> 'ended_at', 'status', report -> 'status',
                              'ended_reason', report -> 'ended_reason', 'outcome', report -> 'outcome',
                              'direction', report -> 'direction', 'cost', (report ->> 'cost')::numeric,
                              'currency', report -> 'currency', 'error', report -> 'error')) AS f
    WHERE f.value NOT IN ('null', '[]', '{}', '""')
      AND NOT (f.key IN ('completed_at', 'duration') AND (report -> 'is_guess')::boolean)
$$;
COMMENT ON FUNCTION vrm_private.report_fields(jsonb) IS 'what a report says of a call, by the field';

CREATE OR REPLACE FUNCTION vrm_private.call_fields(call vrm.test_runs) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.report_fields(jsonb_build_object(
        'results', coalesce(call.results, '{}'), 'ended_at', call.completed_at, 'status', call.status,
        'ended_reason', call.ended_reason, 'outcome', call.outcome, 'direction', call.direction,
        'cost', call.cost, 'currency', call.currency, 'error', call.error, 'is_guess', false))
$$;
COMMENT ON FUNCTION vrm_private.call_fields(vrm.test_runs) IS 'what is known of a call, by the field';

CREATE OR REPLACE FUNCTION vrm_private.insert_imported(owner uuid, agent_id uuid, report jsonb) RETURNS uuid
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH made AS (
        INSERT INTO vrm.test_runs (user_id, id, agent_id, time_limit, status, started_at, completed_at, results,
                                   error, source, external_id, direction, outcome, ended_reason, cost, currency)
        SELECT owner, vrm.uuid7(r.started_at),
               coalesce(vrm_private.agent_named(owner, r.results -> 'agent'), insert_imported.agent_id),
               greatest(1, least(86400, ceil(extract(epoch FROM r.ended_at - r.started_at))))::integer,
               coalesce(r.status, 'completed'), r.started_at, r.ended_at, r.results, r.error, r.found_source,
               r.found_id, r.direction::vrm.call_direction, r.outcome, r.ended_reason, r.cost, r.currency
        FROM jsonb_to_record(report) AS r (
            started_at timestamptz, ended_at timestamptz, status text, results jsonb, error text, found_source text,
            found_id text, direction text, outcome text, ended_reason text, cost numeric, currency text)
        ON CONFLICT (user_id, source, external_id) WHERE external_id IS NOT NULL DO NOTHING
        RETURNING id, status, started_at, completed_at
    ), events AS (
        INSERT INTO vrm.run_events (user_id, run_id, status, at)
        SELECT owner, m.id, e.status, e.at
        FROM made m CROSS JOIN LATERAL (VALUES ('running', m.started_at), (m.status, m.completed_at)) AS e (status, at)
    )
    SELECT m.id FROM made m
$$;
COMMENT ON FUNCTION vrm_private.insert_imported(uuid, uuid, jsonb) IS
    'makes a call of a report, with events of its own times; null when there is a call of that id already';

-- Lays a report over a call, field by field: the newer one by the source's clock counts, the older one
-- only fills what is empty.  Words of a redacted transcript are not brought back.
CREATE OR REPLACE FUNCTION vrm_private.amend_imported(import vrm.call_imports, report jsonb, call vrm.test_runs)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    said jsonb := vrm_private.report_fields(report);
    known jsonb := vrm_private.call_fields(call);
    fresh jsonb;
    laid_over jsonb;
    taken text[];
    changed text[];
BEGIN
    IF call.results -> 'redacted' = 'true' AND report -> 'results' -> 'redacted' IS DISTINCT FROM 'true' THEN
        said := said - 'transcript';
    END IF;
    SELECT array_agg(f.key), array_agg(f.key) FILTER (WHERE known -> f.key IS DISTINCT FROM f.value)
    INTO taken, changed
    FROM jsonb_each(said) AS f
    LEFT JOIN LATERAL (SELECT min(k.clock) AS clock FROM vrm.call_imports k
                       WHERE k.user_id = import.user_id AND k.source = import.source
                         AND k.external_id = import.external_id AND k.id <> import.id
                         AND (f.key = ANY (k.sets) OR k.state = 'imported' AND k.sets IS NULL)) AS holder ON true
    WHERE NOT known ? f.key OR holder.clock IS NULL OR holder.clock < import.clock
       OR (holder.clock = import.clock AND known -> f.key <> f.value);
    IF changed IS NOT NULL THEN
        fresh := (SELECT coalesce(jsonb_object_agg(r.key, r.value), '{}')
                  FROM jsonb_each(report -> 'results') AS r
                  WHERE r.key = ANY (changed) OR (r.key = 'actions' AND 'actionsTaken' = ANY (changed))
                     OR (r.key IN ('precision', 'redacted') AND 'transcript' = ANY (changed)));
        laid_over := CASE WHEN 'transcript' = ANY (changed) THEN call.results - '{precision,redacted}'::text[]
                          ELSE coalesce(call.results, '{}') END || fresh;
        IF pg_column_size(laid_over) > 16777216 THEN  -- as constraint results_size says
            RAISE EXCEPTION 'results are too large'
                USING ERRCODE = 'program_limit_exceeded',
                      DETAIL = format('With this report they would have %s bytes, at most 16777216 are kept.',
                                      pg_column_size(laid_over)),
                      HINT = 'Leave out what is kept elsewhere, such as audio or raw model output.';
        END IF;
        UPDATE vrm.test_runs t
        SET completed_at = CASE WHEN 'completed_at' = ANY (changed)
                                THEN (said ->> 'completed_at')::timestamptz ELSE t.completed_at END,
            status = CASE WHEN 'status' = ANY (changed) THEN said ->> 'status' ELSE t.status END,
            ended_reason = CASE WHEN 'ended_reason' = ANY (changed)
                                THEN said ->> 'ended_reason' ELSE t.ended_reason END,
            outcome = CASE WHEN 'outcome' = ANY (changed) THEN said ->> 'outcome' ELSE t.outcome END,
            direction = CASE WHEN 'direction' = ANY (changed)
                             THEN (said ->> 'direction')::vrm.call_direction ELSE t.direction END,
            cost = CASE WHEN 'cost' = ANY (changed) THEN (said ->> 'cost')::numeric ELSE t.cost END,
            currency = CASE WHEN 'cost' = ANY (changed) THEN said ->> 'currency' ELSE t.currency END,
            error = CASE WHEN 'error' = ANY (changed) THEN said ->> 'error' ELSE t.error END,
            agent_id = coalesce(t.agent_id, vrm_private.agent_named(t.user_id, said -> 'agent'), import.agent_id),
            results = laid_over
        WHERE t.user_id = call.user_id AND t.id = call.id;
    END IF;
    UPDATE vrm.call_imports k
    SET sets = ARRAY(SELECT f FROM unnest(coalesce(k.sets, ARRAY(SELECT jsonb_object_keys(known)))) AS f
                     WHERE f <> ALL (taken))
    WHERE k.user_id = import.user_id AND k.source = import.source AND k.external_id = import.external_id
      AND k.id <> import.id AND (k.sets && taken OR k.state = 'imported' AND k.sets IS NULL AND taken IS NOT NULL);
    UPDATE vrm.call_imports i
    SET sets = coalesce(taken, '{}'), run_id = call.id, payload = NULL, reason = NULL,
        state = CASE WHEN changed IS NULL THEN 'duplicate' ELSE 'amended' END
    WHERE i.user_id = import.user_id AND i.id = import.id;
    RETURN CASE WHEN changed IS NULL THEN 'duplicate' ELSE 'amended' END;
END
$$;
COMMENT ON FUNCTION vrm_private.amend_imported(vrm.call_imports, jsonb, vrm.test_runs) IS
    'merges a later, or an older, report into a call; says whether that amended it';

CREATE OR REPLACE FUNCTION vrm_private.import_report(owner uuid, import_id uuid) RETURNS uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    import vrm.call_imports;
    report jsonb;
    run uuid;
    call vrm.test_runs;
    part uuid;
    id_there text;
BEGIN
    SELECT i.* INTO import FROM vrm.call_imports i WHERE i.user_id = owner AND i.id = import_id FOR NO KEY UPDATE;
    SELECT to_jsonb(r) INTO report
    FROM vrm.read_report(import.source, import.payload, import.external_id, import.received_at) AS r;
    IF report ->> 'outcome' IS NOT NULL
       AND NOT EXISTS (SELECT FROM vrm.call_outcomes o WHERE o.name = report ->> 'outcome') THEN
        report := jsonb_set(report, '{unknown}', coalesce(nullif(report -> 'unknown', 'null'), '[]')
                            || jsonb_build_array(jsonb_build_array('outcome', report -> 'outcome')))
                  || '{"outcome": null}';
    END IF;
    IF jsonb_typeof(report -> 'unknown') = 'array' THEN
        PERFORM vrm_private.count_words(owner, report ->> 'found_source', report -> 'unknown');
    END IF;
    -- to be pending brings the call out of the archive, if it is there: trigger fetch_archived
    UPDATE vrm.call_imports i
    SET source = coalesce(report ->> 'found_source', i.source),
        external_id = coalesce(report ->> 'found_id', i.external_id),
        state = CASE WHEN report ->> 'what' IN ('ignored', 'refused') THEN report ->> 'what' ELSE 'pending' END,
        reason = report ->> 'reason',
        note = nullif(concat_ws('; ', i.note, report ->> 'notes'), ''),
        clock = coalesce((report ->> 'clock')::timestamptz, i.received_at)
    WHERE i.user_id = owner AND i.id = import_id
    RETURNING i.* INTO import;
    IF import.state <> 'pending' THEN
        RETURN NULL;
    END IF;

    -- One id after the other: with IN the planner reads all of the tenant's reports while statistics are behind.
    FOREACH id_there IN ARRAY ARRAY[import.external_id, vrm_private.erased_id(import.external_id)] LOOP
        SELECT i.run_id INTO run FROM vrm.call_imports i
        WHERE i.user_id = owner AND i.source = import.source AND i.external_id = id_there AND i.state = 'imported'
        FOR NO KEY UPDATE;
        EXIT WHEN FOUND;
    END LOOP;
    IF run IS NULL AND report ->> 'what' = 'call' THEN
        run := vrm_private.insert_imported(owner, import.agent_id, report);
        IF run IS NOT NULL THEN
            UPDATE vrm.call_imports i SET state = 'imported', run_id = run, payload = NULL
            WHERE i.user_id = owner AND i.id = import_id;
            FOR part IN SELECT i.id FROM vrm.call_imports i
                        WHERE i.user_id = owner AND i.source = import.source AND i.external_id = import.external_id
                          AND i.state = 'pending' ORDER BY i.clock, i.id LOOP
                PERFORM vrm_private.import_one(owner, part);
            END LOOP;
            RETURN run;
        END IF;
    END IF;
    IF run IS NULL THEN  -- a call that no report has made: an application has told its id
        SELECT t.id INTO run FROM vrm.test_runs t
        WHERE t.user_id = owner AND t.source = import.source AND t.external_id = import.external_id
          AND t.completed_at IS NOT NULL;
        IF NOT FOUND THEN
            RETURN NULL;  -- stays pending
        END IF;
    END IF;
    SELECT t.* INTO call FROM vrm.test_runs t WHERE t.user_id = owner AND t.id = run FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        UPDATE vrm.call_imports i SET state = 'ignored', reason = 'the call was deleted'
        WHERE i.user_id = owner AND i.id = import_id;
        RETURN NULL;
    END IF;
    PERFORM vrm_private.amend_imported(import, report, call);
    RETURN run;
END
$$;
COMMENT ON FUNCTION vrm_private.import_report(uuid, uuid) IS
    'makes a call of one report, amends the one that is there, or lets it wait; returns the call';

CREATE OR REPLACE FUNCTION vrm_private.import_call_of(owner uuid, source text, payload jsonb, agent_id uuid)
    RETURNS uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    import uuid;
    run uuid;
    problem text;
BEGIN
    IF payload IS NULL THEN
        RAISE EXCEPTION 'payload must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'SELECT vrm.import_call(''vapi'', ''{"message": ...}'');';
    END IF;
    PERFORM vrm_private.check_text('source', source, 200, true);
    IF agent_id IS NOT NULL AND NOT EXISTS (SELECT FROM vrm.agents a
                                            WHERE a.user_id = owner AND a.id = import_call_of.agent_id) THEN
        RAISE EXCEPTION 'agent "%" does not exist', agent_id
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, agent_id FROM vrm.agents WHERE deleted_at IS NULL;';
    END IF;
    INSERT INTO vrm.call_imports (user_id, source, payload, agent_id)
    VALUES (owner, import_call_of.source, import_call_of.payload, import_call_of.agent_id)
    RETURNING id INTO import;
    run := vrm_private.import_report(owner, import);
    SELECT i.reason INTO problem FROM vrm.call_imports i
    WHERE i.user_id = owner AND i.id = import AND i.state = 'refused';
    IF FOUND THEN
        RAISE EXCEPTION 'call report cannot be read'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = problem,
                  HINT = 'What each source sends is in doc/calls/imports.md; a report put into vrm.call_imports'
                         ' stays there until it is right.';
    END IF;
    RETURN run;
END
$$;
COMMENT ON FUNCTION vrm_private.import_call_of(uuid, text, jsonb, uuid) IS
    'makes a call of a user of a report of another platform, or amends it';

CREATE OR REPLACE FUNCTION vrm.import_call(source text, payload jsonb, agent_id uuid DEFAULT NULL) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.import_call_of(vrm_private.caller(), source, payload, agent_id)
$$;
COMMENT ON FUNCTION vrm.import_call(text, jsonb, uuid) IS
    'makes a call of the caller of a report of another platform, or amends it; null when it waits, or is not of a call';

CREATE OR REPLACE FUNCTION vrm.import_call(source text, payload jsonb, agent_id uuid, user_id uuid) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.import_call_of(vrm_private.served(user_id), source, payload, agent_id)
$$;
COMMENT ON FUNCTION vrm.import_call(text, jsonb, uuid, uuid) IS
    'for services: makes a call of a user of a report of another platform, or amends it';

CREATE OR REPLACE FUNCTION vrm_private.feed_import() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF btrim(NEW.payload, E' \t\r\n') <> '' IS NOT TRUE THEN
        RETURN NULL;  -- an empty line, of which COPY has a null
    END IF;
    INSERT INTO vrm.call_imports (user_id, source, external_id, raw, agent_id)
    VALUES (vrm_private.caller(), NEW.source, NEW.external_id, NEW.payload, NEW.agent_id);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.feed_import() IS 'trigger: rows of vrm.call_import_feed are the caller''s reports';

REVOKE EXECUTE ON FUNCTION
    vrm_private.take_report(), vrm_private.agent_named(uuid, jsonb), vrm_private.erased_id(text),
    vrm_private.count_words(uuid, text, jsonb),
    vrm_private.import_fresh(uuid[], uuid[]), vrm_private.join_parts(uuid, integer),
    vrm_private.import_batch(integer), vrm_private.import_one(uuid, uuid),
    vrm_private.report_fields(jsonb), vrm_private.call_fields(vrm.test_runs),
    vrm_private.insert_imported(uuid, uuid, jsonb),
    vrm_private.amend_imported(vrm.call_imports, jsonb, vrm.test_runs),
    vrm_private.import_report(uuid, uuid), vrm.import_call(text, jsonb, uuid), vrm_private.feed_import(),
    vrm_private.import_call_of(uuid, text, jsonb, uuid), vrm.import_call(text, jsonb, uuid, uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.import_call(text, jsonb, uuid, uuid) TO service_role;
GRANT EXECUTE ON FUNCTION vrm.import_call(text, jsonb, uuid) TO authenticated;
