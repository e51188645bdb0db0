-- Data quality: checks that come with vrm, running them, making constraints of them ------------------

-- What a table's definition promises.  Constraints that have been validated can still be wrong: rows
-- loaded with triggers off, an index broken by a new collation; such checks are for once a week.
CREATE OR REPLACE FUNCTION vrm_private.catalog_checks(rel regclass DEFAULT NULL)
    RETURNS TABLE (name text, relation regclass, kind text, severity text, columns name[], expression text,
                   refers_to regclass, refers_columns name[], every interval)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH tables AS (
        SELECT c.oid::regclass AS relation
        FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.oid <> 'vrm_private.lockout'::regclass  -- storage of the extension's own, which goes with it
          AND (c.oid = rel
               OR rel IS NULL AND c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace))
    ), fields AS (
        SELECT t.relation, a.attnum, a.attname, a.attnotnull, a.atttypid, y.typcategory, y.typtype,
               pg_get_expr(d.adbin, d.adrelid) AS value
        FROM tables t
        JOIN pg_attribute a ON a.attrelid = t.relation AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type y ON y.oid = a.atttypid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    ), fields_of_keys AS (
        SELECT c.oid, array_agg(o.attname ORDER BY k.position) AS own, array_agg(r.attname ORDER BY k.position) AS other
        FROM tables t
        JOIN pg_constraint c ON c.conrelid = t.relation AND c.contype = 'f' AND c.conparentid = 0
        CROSS JOIN unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, other, position)
        JOIN pg_attribute o ON o.attrelid = c.conrelid AND o.attnum = k.own
        JOIN pg_attribute r ON r.attrelid = c.confrelid AND r.attnum = k.other
        GROUP BY c.oid
    ), conditions AS (
        SELECT f.relation, 'required' AS kind, f.attnum, f.attname,
               CASE WHEN f.typcategory = 'S' AND f.typtype = 'b' THEN format('btrim(%I) <> ''''', f.attname)
                    ELSE format('%I IS NOT NULL', f.attname) END AS condition
        FROM fields f WHERE f.attnotnull
        UNION ALL
        SELECT f.relation, 'required', f.attnum, f.attname, format('%I IS NOT NULL', f.attname)
        FROM fields f JOIN pg_constraint n ON n.conrelid = f.relation AND n.contype = 'n' AND NOT n.convalidated
                                          AND n.conkey = ARRAY[f.attnum]
        WHERE NOT f.attnotnull
        UNION ALL
        SELECT f.relation, 'type', f.attnum, f.attname,
               CASE f.typcategory WHEN 'D' THEN format('isfinite(%I)', f.attname)
                    ELSE format('%I < ''Infinity''', f.attname) END
        FROM fields f
        WHERE f.atttypid IN ('float4'::regtype, 'float8'::regtype)
           OR f.attnotnull AND f.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
        UNION ALL
        SELECT f.relation, 'type', f.attnum, f.attname,
               format('(SELECT %s FROM (SELECT %I) AS d (value))', pg_get_expr(n.conbin, 0), f.attname)
        FROM fields f JOIN pg_constraint n ON n.contypid = f.atttypid AND n.contype = 'c' AND NOT n.convalidated
        UNION ALL
        SELECT f.relation, 'json', f.attnum, f.attname,
               format('jsonb_typeof(%I) IN (''object'', ''array'')', f.attname)
        FROM fields f
        WHERE f.atttypid = 'jsonb'::regtype
          AND NOT EXISTS (SELECT FROM vrm.quality_check q
                          WHERE q.rel = f.relation AND q.origin <> 'catalog' AND f.attname = ANY (q.columns))
        UNION ALL
        SELECT f.relation, 'range', f.attnum, f.attname, format('%I <= now() + ''1 day''', f.attname)
        FROM fields f WHERE f.value IN ('now()', 'clock_timestamp()') AND f.atttypid = 'timestamptz'::regtype
    )
    SELECT format('%s/%s', d.relation, d.kind), d.relation, d.kind,
           CASE d.kind WHEN 'type' THEN 'error' ELSE 'warning' END,
           array_agg(d.attname ORDER BY d.attnum), string_agg(d.condition, ' AND ' ORDER BY d.attnum),
           NULL::regclass, NULL::name[], '7 days'::interval
    FROM conditions d
    GROUP BY d.relation, d.kind
    UNION ALL
    SELECT format('%s/fk/%s', c.conrelid::regclass, array_to_string(k.own, ','))
           || CASE WHEN count(*) OVER (PARTITION BY c.conrelid, k.own) > 1 THEN '/' || c.conname ELSE '' END,
           c.conrelid::regclass, 'fk', 'error',
           k.own, NULL, c.confrelid::regclass, k.other,
           CASE WHEN c.convalidated THEN '7 days' ELSE '1 day' END::interval
    FROM fields_of_keys k JOIN pg_constraint c ON c.oid = k.oid
    UNION ALL
    SELECT format('%s/duplicate/%s', i.indrelid::regclass, r.relname), i.indrelid::regclass, 'duplicate', 'error',
           CASE WHEN i.indexprs IS NULL THEN v.columns ELSE '{}' END,
           CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
                THEN format('CASE WHEN %s THEN ROW(%s) END', coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
                            v.list)
           END, NULL, NULL, '7 days'
    FROM tables t
    JOIN pg_index i ON i.indrelid = t.relation AND i.indisunique AND i.indislive
    JOIN pg_class r ON r.oid = i.indexrelid
    CROSS JOIN LATERAL (SELECT array_agg(a.attname ORDER BY n) AS columns,
                               string_agg(pg_get_indexdef(i.indexrelid, n, true), ', ' ORDER BY n) AS list
                        FROM generate_series(1, i.indnkeyatts::integer) AS n
                        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n - 1]) AS v
    UNION ALL
    SELECT format('%s/range/%s', c.conrelid::regclass, c.conname), c.conrelid::regclass, 'range', 'error', '{}',
           pg_get_expr(c.conbin, c.conrelid), NULL, NULL, '1 day'
    FROM tables t JOIN pg_constraint c ON c.conrelid = t.relation AND c.contype = 'c' AND NOT c.convalidated
    WHERE NOT EXISTS (SELECT FROM vrm.quality_check q WHERE q.rel = t.relation AND q.constraint_name = c.conname)
$$;
COMMENT ON FUNCTION vrm_private.catalog_checks(regclass) IS
    'checks that follow from the definition of a table, or of all tables of the platform';

-- They run as the table's owner, whoever asks for them: his functions may be in its definition.
CREATE OR REPLACE FUNCTION vrm.derive_quality_checks(rel regclass DEFAULT NULL) RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed integer;
BEGIN
    WITH wanted AS MATERIALIZED (
        SELECT c.*, pg_get_userbyid(r.relowner) AS author
        FROM vrm_private.catalog_checks(derive_quality_checks.rel) c JOIN pg_class r ON r.oid = c.relation
    ), obsolete AS (
        DELETE FROM vrm.quality_check q
        WHERE q.origin = 'catalog' AND NOT EXISTS (SELECT FROM wanted w WHERE w.name = q.name)
          AND (q.rel = derive_quality_checks.rel OR derive_quality_checks.rel IS NULL
               AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = q.rel AND c.relnamespace NOT IN
                                   ('vrm'::regnamespace, 'vrm_private'::regnamespace)))
        RETURNING 1
    ), put AS (
        INSERT INTO vrm.quality_check AS q
            (name, rel, kind, severity, columns, expression, refers_to, refers_columns, every, origin, registered_by)
        SELECT w.name, w.relation, w.kind, w.severity, w.columns, w.expression, w.refers_to, w.refers_columns, w.every,
               'catalog', w.author
        FROM wanted w
        WHERE NOT EXISTS (SELECT FROM vrm.quality_check q
                          WHERE q.name = w.name
                            AND (q.origin <> 'catalog'
                                 OR (q.rel, q.columns, q.registered_by) = (w.relation, w.columns, w.author)
                                    AND (q.expression, q.refers_to) IS NOT DISTINCT FROM (w.expression, w.refers_to)))
        ON CONFLICT ON CONSTRAINT quality_check_pkey DO UPDATE
        SET rel = excluded.rel, columns = excluded.columns, expression = excluded.expression,
            refers_to = excluded.refers_to, refers_columns = excluded.refers_columns,
            registered_by = excluded.registered_by
        WHERE q.origin = 'catalog'
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM obsolete) + (SELECT count(*) FROM put) INTO changed;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION vrm.derive_quality_checks(regclass) IS
    'brings checks in line with the definitions, of a table or of all tables of the platform; returns how many changed';

-- What vrm knows of its tables beyond their definition.  What a DBA has changed of it, stays; but a view
-- that was dropped and made again is another one.
INSERT INTO vrm.quality_check AS q
    (name, rel, kind, severity, columns, expression, refers_to, refers_columns, max_age, hint, origin)
SELECT d.rel || '/' || d.kind || '/' || d.name, d.rel::regclass, d.kind, d.severity, d.columns::name[], d.expression,
       d.refers_to::regclass, d.refers_columns::name[], d.max_age::interval, d.hint, 'platform'
FROM (VALUES
    ('vrm.test_runs', 'json', 'results', 'error', '{results}', 'vrm.valid_results(results)', NULL, NULL, NULL,
     'SELECT user_id, id, vrm.results_error(results) FROM vrm.test_runs WHERE NOT vrm.valid_results(results);'),
    ('vrm.agents', 'json', 'connection_details', 'error', '{connection_details}',
     'vrm.valid_connection_details(connection_details)', NULL, NULL, NULL,
     'SELECT user_id, id, vrm.connection_details_error(connection_details) FROM vrm.agents'
     ' WHERE NOT vrm.valid_connection_details(connection_details);'),
    ('vrm_private.test_runs_archive', 'json', 'results', 'warning', '{results}', 'vrm.valid_results(results)',
     NULL, NULL, NULL, NULL),
    ('vrm.test_runs', 'type', 'test_case_ids', 'error', '{test_case_ids}',
     $e$jsonb_typeof(test_case_ids) = 'array' AND NOT jsonb_path_exists(test_case_ids, '$[*] ? (@.type() != "string" ||
        !(@ like_regex "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" flag "i"))')$e$, NULL, NULL, NULL, NULL),
    ('vrm.test_runs', 'fk', 'test_case_ids', 'info', '{test_case_ids}',
     $e$jsonb_array_elements_text(CASE WHEN jsonb_typeof(test_case_ids) = 'array' THEN test_case_ids END)$e$,
     'vrm.test_cases', '{id}', NULL, NULL),
    ('vrm.test_runs', 'required', 'results', 'warning', '{results}', $e$status <> 'completed' OR results IS NOT NULL$e$,
     NULL, NULL, NULL, NULL),
    ('vrm.test_runs', 'required', 'error', 'warning', '{error}', $e$status <> 'failed' OR btrim(error) <> ''$e$,
     NULL, NULL, NULL, NULL),
    ('vrm.test_runs', 'fk', 'facts', 'warning', '{id}',
     $e$CASE WHEN completed_at > now() - '30 days'::interval THEN id END$e$,
     'vrm.call_facts', '{id}', NULL, 'SELECT vrm_private.rebuild_facts();'),
    ('vrm_private.test_runs_archive', 'type', 'status', 'error', '{status}',
     $e$status IN ('completed', 'failed', 'cancelled')$e$, NULL, NULL, NULL, NULL),
    ('vrm_private.test_runs_archive', 'range', 'completed_at', 'error', '{completed_at}', 'completed_at >= started_at',
     NULL, NULL, NULL, NULL),
    ('vrm_private.test_runs_archive', 'fk', 'user_id', 'error', '{user_id}', NULL, 'vrm.user_profiles', '{id}',
     NULL, NULL),
    ('vrm_private.test_runs_archive', 'fk', 'agent_id', 'warning', '{user_id,agent_id}', NULL, 'vrm.agents',
     '{user_id,id}', NULL, NULL),
    ('vrm.metric_results', 'fk', 'run_id', 'info', '{user_id,run_id}', NULL, 'vrm.all_test_runs', '{user_id,id}',
     NULL, NULL),
    ('auth.users', 'fk', 'profile', 'error', '{id}', NULL, 'vrm.user_profiles', '{id}', NULL,
     'SELECT vrm.create_missing_profiles();'),
    ('vrm.user_profiles', 'required', 'email', 'info', '{email}', 'deleted_at IS NOT NULL OR email IS NOT NULL',
     NULL, NULL, NULL, NULL),
    ('vrm.user_profiles', 'type', 'email', 'warning', '{email}', $e$email LIKE '_%@_%'$e$, NULL, NULL, NULL, NULL),
    ('vrm.user_profiles', 'duplicate', 'email', 'warning', '{email}',
     'CASE WHEN deleted_at IS NULL THEN lower(email) END', NULL, NULL, NULL, NULL),
    ('vrm.test_cases', 'duplicate', 'name', 'info', '{user_id,name}', NULL, NULL, NULL, NULL, NULL),
    ('vrm.metrics', 'duplicate', 'name', 'info', '{user_id,name}', NULL, NULL, NULL, NULL, NULL),
    ('vrm.call_recordings', 'duplicate', 'object_key', 'error', '{object_key}', NULL, NULL, NULL, NULL, NULL),
    ('vrm.retention_runs', 'freshness', 'started_at', 'warning', '{started_at}', NULL, NULL, NULL, '3 days',
     'CALL vrm.maintain();')
    ) AS d (rel, kind, name, severity, columns, expression, refers_to, refers_columns, max_age, hint)
ON CONFLICT ON CONSTRAINT quality_check_pkey DO UPDATE
SET rel = excluded.rel, refers_to = excluded.refers_to
WHERE q.origin = 'platform' AND (q.rel, q.refers_to) IS DISTINCT FROM (excluded.rel, excluded.refers_to);

-- Running -----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.fix_of(c vrm.quality_check, failed bigint) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN failed > 0 THEN coalesce(c.hint, 'SELECT * FROM ' || c.rel || ' AS t WHERE NOT (' || i.condition || ');',
                                      vrm_private.failing_rows(c) || ';')
        WHEN failed = 0 AND EXISTS (SELECT FROM pg_constraint n
                                    WHERE n.conrelid = c.rel AND n.conname = c.constraint_name AND NOT n.convalidated)
        THEN format('SELECT vrm.adopt_constraint(%L, validate => true);', c.name) END
    -- a comment in it would hide the end of the line
    FROM (SELECT CASE WHEN strpos(d, '--') = 0 THEN d END FROM vrm_private.row_condition(c) AS d) AS i (condition)
$$;
COMMENT ON FUNCTION vrm_private.fix_of(vrm.quality_check, bigint) IS
    'what to do about the result of a check; null for nothing';

-- All conditions on rows in one scan: the number of rows, then how many fail each condition.
CREATE OR REPLACE FUNCTION vrm_private.count_rows(rel regclass, author name, conditions text[]) RETURNS bigint[]
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.restricted_query(author, format(
        'SELECT ARRAY[count(*)%s]::text FROM (SELECT %s FROM %s AS t) AS s',
        coalesce(string_agg(format(', count(*) FILTER (WHERE s.c%s IS FALSE)', n), '' ORDER BY n), ''),
        coalesce(string_agg(format(E'(%s\n) AS c%s', condition, n), ', ' ORDER BY n), ''), rel))::bigint[]
    FROM unnest(conditions) WITH ORDINALITY AS u (condition, n)
$$;
COMMENT ON FUNCTION vrm_private.count_rows(regclass, name, text[]) IS
    'rows of a table, and how many fail each of the conditions, in one scan';

CREATE OR REPLACE FUNCTION vrm_private.run_check(c vrm.quality_check, counted bigint, sample integer)
    RETURNS vrm.quality_run
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result vrm.quality_run;
BEGIN
    result.check_name := c.name;
    result.relation := c.rel::text;
    result.severity := c.severity;
    result.failed := coalesce(counted, vrm.restricted_query(c.registered_by, vrm_private.counting_query(c))::bigint);
    IF result.failed > 0 AND sample > 0 THEN
        result.sample_keys := vrm.restricted_query(c.registered_by, format(
            'SELECT jsonb_agg(k.key)::text FROM (%s LIMIT %s) AS k', vrm_private.failing_rows(c), sample));
    END IF;
    RETURN result;
EXCEPTION
    WHEN OTHERS THEN
        result.failed := NULL;
        result.sample_keys := NULL;
        result.error := format('%s: %s', SQLSTATE, SQLERRM);
        RETURN result;
END
$$;
COMMENT ON FUNCTION vrm_private.run_check(vrm.quality_check, bigint, integer) IS
    'result of a check; an error is a result, too';

-- When one condition raises an error, they are counted one by one.
CREATE OR REPLACE FUNCTION vrm_private.check_relation(rel regclass, names text[], sample integer)
    RETURNS TABLE (result vrm.quality_run, fix text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    author name;
    c vrm.quality_check;
    counted text[];
    conditions text[];
    counts bigint[];
BEGIN
    FOR author IN SELECT DISTINCT q.registered_by FROM vrm.quality_check q WHERE q.rel = rel LOOP
        SELECT array_agg(q.name ORDER BY q.name), array_agg(vrm_private.row_condition(q) ORDER BY q.name)
        INTO counted, conditions
        FROM vrm.quality_check q
        WHERE q.rel = rel AND q.registered_by = author AND q.enabled AND (names IS NULL OR q.name = ANY (names))
          AND vrm_private.row_condition(q) IS NOT NULL;
        BEGIN
            counts := vrm_private.count_rows(rel, author, conditions);
        EXCEPTION
            WHEN OTHERS THEN
                BEGIN
                    counts := (vrm_private.count_rows(rel, author, '{}'))[1:1];
                EXCEPTION
                    WHEN OTHERS THEN
                        counts := NULL;
                END;
        END;
        FOR c IN
            SELECT q.* FROM vrm.quality_check q
            WHERE q.rel = rel AND q.registered_by = author AND q.enabled AND (names IS NULL OR q.name = ANY (names))
            ORDER BY q.name
        LOOP
            result := vrm_private.run_check(c, counts[1 + array_position(counted, c.name)], sample);
            result.total := counts[1];
            fix := CASE WHEN result.error IS NULL THEN vrm_private.fix_of(c, result.failed)
                        WHEN NOT EXISTS (SELECT FROM pg_class r WHERE r.oid = rel)
                        THEN format('DELETE FROM vrm.quality_check WHERE name = %L;', c.name)
                        ELSE result.error END;
            IF current_setting('transaction_read_only') = 'off' THEN
                INSERT INTO vrm.quality_run (check_name, relation, severity, failed, total, sample_keys, error)
                VALUES (result.check_name, result.relation, result.severity, result.failed, result.total,
                        result.sample_keys, result.error);
            END IF;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.check_relation(regclass, text[], integer) IS
    'runs checks of a table, all or those named, and writes down what came of them';

CREATE OR REPLACE FUNCTION vrm.run_quality_checks(rel regclass DEFAULT NULL, sample integer DEFAULT 5)
    RETURNS TABLE (check_name text, severity text, relation regclass, failed bigint, total bigint, sample_keys jsonb,
                   hint text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    one regclass;
BEGIN
    IF current_setting('transaction_read_only') = 'off' THEN
        PERFORM vrm.derive_quality_checks();
    END IF;
    FOR one IN
        SELECT DISTINCT q.rel FROM vrm.quality_check q WHERE q.rel = rel OR rel IS NULL ORDER BY 1
    LOOP
        RETURN QUERY
            SELECT (r.result).check_name, (r.result).severity, one, (r.result).failed, (r.result).total,
                   (r.result).sample_keys, r.fix
            FROM vrm_private.check_relation(one, NULL, sample) AS r;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.run_quality_checks(regclass, integer) IS
    'runs the checks of a table or of all: how many rows fail (null: an error), keys of some, and what to do';

CREATE OR REPLACE FUNCTION vrm_private.checks_to_run(rel regclass) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(q.name)
    FROM vrm.quality_check q
    WHERE q.enabled AND (q.rel = checks_to_run.rel OR checks_to_run.rel IS NULL)
      AND NOT EXISTS (SELECT FROM vrm.quality_run r
                      WHERE r.check_name = q.name AND r.at > clock_timestamp() - q.every)
$$;
COMMENT ON FUNCTION vrm_private.checks_to_run(regclass) IS 'checks of a table whose time has come; null for none';

CREATE OR REPLACE FUNCTION vrm_private.relations_to_check() RETURNS regclass[]
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF vrm_private.checks_to_run(NULL) IS NULL
       OR NOT pg_try_advisory_xact_lock(hashtextextended('vrm.quality_check', 0)) THEN
        RETURN '{}';
    END IF;
    PERFORM vrm.derive_quality_checks();
    DELETE FROM vrm.quality_run r WHERE r.at < clock_timestamp() - '90 days'::interval;
    RETURN ARRAY(SELECT DISTINCT q.rel FROM vrm.quality_check q
                 WHERE q.name = ANY (vrm_private.checks_to_run(NULL)) ORDER BY 1);
END
$$;
COMMENT ON FUNCTION vrm_private.relations_to_check() IS
    'for vrm.maintain(): tables with checks whose time has come; also drops what is older than 90 days';

CREATE OR REPLACE FUNCTION vrm_private.check_when_due(rel regclass) RETURNS bigint
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) FROM vrm_private.check_relation(rel, coalesce(vrm_private.checks_to_run(rel), '{}'), 5)
    WHERE pg_try_advisory_xact_lock(hashtextextended('vrm.quality_check', 0))
$$;
COMMENT ON FUNCTION vrm_private.check_when_due(regclass) IS
    'runs checks of a table whose time has come, unless somebody is at it; returns how many';

-- A transaction for each table, so that none holds back VACUUM for long.
CREATE OR REPLACE PROCEDURE vrm_private.check_quality()
    LANGUAGE plpgsql AS $$
DECLARE
    relation pg_catalog.regclass;
BEGIN
    FOREACH relation IN ARRAY vrm_private.relations_to_check() LOOP
        COMMIT;
        PERFORM vrm_private.check_when_due(relation);
    END LOOP;
    COMMIT;
END
$$;
COMMENT ON PROCEDURE vrm_private.check_quality() IS 'for vrm.maintain(): runs the checks whose time has come';

-- From a check to a constraint ----------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.constraint_for(c vrm.quality_check) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF c.kind = 'fk' AND c.expression IS NULL THEN
        RETURN (SELECT format('FOREIGN KEY (%s) REFERENCES %s (%s)', string_agg(quote_ident(own), ', '), c.refers_to,
                              string_agg(quote_ident(other), ', '))
                FROM unnest(c.columns, c.refers_columns) AS k (own, other));
    ELSIF c.kind NOT IN ('fk', 'duplicate', 'freshness') THEN
        RETURN (SELECT format(E'CHECK ((%s\n))', coalesce(c.expression,
                                                          string_agg(format('%I IS NOT NULL', name), ' AND ')))
                FROM unnest(c.columns) AS name);
    END IF;
    RAISE EXCEPTION 'no constraint can be made of check "%"', c.name
        USING ERRCODE = 'feature_not_supported',
              DETAIL = CASE c.kind WHEN 'duplicate' THEN 'A unique index cannot be made first and validated later.'
                            ELSE format('No constraint says what this check of kind "%s" does.', c.kind) END,
              HINT = CASE c.kind WHEN 'duplicate'
                          THEN format('When the check finds nothing: CREATE UNIQUE INDEX CONCURRENTLY ON %s (%s);',
                                      c.rel, coalesce('(' || c.expression || ')', array_to_string(c.columns, ', ')))
                          ELSE 'Leave it to vrm.maintain(), which runs it.' END;
END
$$;
COMMENT ON FUNCTION vrm_private.constraint_for(vrm.quality_check) IS
    'definition of the constraint that says what a check does';

-- lock_timeout: behind a statement that waits for a table, everybody else waits.
-- standard_conforming_strings: the expression must mean what vrm.check_expression() has read.
CREATE OR REPLACE FUNCTION vrm.adopt_constraint(check_name text, validate boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s'
    SET standard_conforming_strings = on AS $$
DECLARE
    c vrm.quality_check;
    valid boolean;
BEGIN
    SELECT * INTO c FROM vrm.quality_check q WHERE q.name = adopt_constraint.check_name FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'quality check "%" does not exist', coalesce(check_name, 'null')
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM vrm.quality_check;';
    END IF;
    SELECT n.convalidated INTO valid FROM pg_constraint n WHERE n.conrelid = c.rel AND n.conname = c.constraint_name;
    IF NOT FOUND THEN
        c.constraint_name := left('quality_' || regexp_replace(c.name, '\W+', '_', 'g'), 63);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', c.rel, c.constraint_name,
                       vrm_private.constraint_for(c));
        EXECUTE format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.constraint_name, c.rel,
                       'from quality check ' || c.name);
        UPDATE vrm.quality_check q SET constraint_name = c.constraint_name WHERE q.name = c.name;
        valid := false;
    END IF;
    IF validate AND NOT valid THEN
        EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', c.rel, c.constraint_name);
        valid := true;
    END IF;
    RETURN CASE WHEN valid THEN format('%s holds for all rows of %s', c.constraint_name, c.rel)
                ELSE format('%s holds for new rows of %s; when the check finds nothing:'
                            ' SELECT vrm.adopt_constraint(%L, validate => true);',
                            c.constraint_name, c.rel, c.name) END;
END
$$;
COMMENT ON FUNCTION vrm.adopt_constraint(text, boolean) IS
    'makes a constraint of a check: at once for new rows, and with validate for those that are there';

REVOKE EXECUTE ON FUNCTION
    vrm_private.catalog_checks(regclass), vrm.derive_quality_checks(regclass),
    vrm_private.fix_of(vrm.quality_check, bigint), vrm_private.count_rows(regclass, name, text[]),
    vrm_private.run_check(vrm.quality_check, bigint, integer), vrm_private.check_relation(regclass, text[], integer),
    vrm.run_quality_checks(regclass, integer), vrm_private.checks_to_run(regclass), vrm_private.relations_to_check(),
    vrm_private.check_when_due(regclass), vrm_private.constraint_for(vrm.quality_check),
    vrm.adopt_constraint(text, boolean)
    FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE vrm_private.check_quality() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.run_quality_checks(regclass, integer) TO service_role;
