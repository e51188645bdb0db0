-- Data quality: what is checked, and checking it

-- An expression is put alone into a SELECT list, the place that vrm.check_expression() has read it for.
CREATE OR REPLACE FUNCTION vrm_private.row_condition(c vrm.quality_check) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN c.kind IN ('fk', 'duplicate', 'freshness') THEN NULL
                WHEN c.expression IS NOT NULL THEN c.expression
                ELSE (SELECT format('num_nulls(%s) = 0', string_agg(format('t.%I', name), ', '))
                      FROM unnest(c.columns) AS name) END
$$;
COMMENT ON FUNCTION vrm_private.row_condition(vrm.quality_check) IS
    'condition that good rows meet; null for checks that need more than the row';

CREATE OR REPLACE FUNCTION vrm_private.row_key(c vrm.quality_check) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(
        (SELECT 'jsonb_build_object('
                || string_agg(format('%L, t.%I', a.attname, a.attname), ', ' ORDER BY k.position) || ')'
         FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, position)
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
         WHERE i.indrelid = c.rel AND i.indisprimary),
        (SELECT 'jsonb_build_object(' || string_agg(format('%L, t.%I', name, name), ', ') || ')'
         FROM unnest(c.columns) AS name WHERE EXISTS (SELECT FROM pg_class r WHERE r.oid = c.rel AND r.relkind = 'v')),
        'jsonb_build_object(''ctid'', t.ctid)')
$$;
COMMENT ON FUNCTION vrm_private.row_key(vrm.quality_check) IS
    'what tells a row of the checked table: its primary key, in a view the check''s columns, else its place';

CREATE OR REPLACE FUNCTION vrm_private.dangling_rows(c vrm.quality_check) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN c.expression IS NULL THEN
            format('SELECT %s AS key FROM %s AS t WHERE num_nulls(%s) = 0'
                   ' AND NOT EXISTS (SELECT FROM %s AS r WHERE %s)',
                   vrm_private.row_key(c), c.rel, string_agg(format('t.%I', own), ', '), c.refers_to,
                   string_agg(format('r.%I = t.%I', other, own), ' AND '))
        -- as text, which is what references in documents are
        ELSE format(E'SELECT v.key FROM (SELECT (%s\n) AS reference, %s AS key FROM %s AS t) AS v'
                    ' WHERE v.reference IS NOT NULL AND NOT EXISTS'
                    ' (SELECT FROM %s AS r WHERE r.%I::text = v.reference::text)',
                    c.expression, vrm_private.row_key(c), c.rel, c.refers_to, c.refers_columns[1]) END
    FROM unnest(c.columns, c.refers_columns) AS pair (own, other)
$$;
COMMENT ON FUNCTION vrm_private.dangling_rows(vrm.quality_check) IS 'query for the keys of rows that refer to nothing';

-- What should be unique, as columns k1, k2, ... with a row's key; rows with a null in it do not count.
CREATE OR REPLACE FUNCTION vrm_private.unique_values(c vrm.quality_check, OUT names text, OUT source text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT n.names, format('(SELECT %s, %s AS key FROM %s AS t) AS b WHERE num_nulls(%s) = 0',
                           coalesce('(' || c.expression || E'\n) AS k1', n.selected), vrm_private.row_key(c), c.rel,
                           n.names)
    FROM (SELECT CASE WHEN c.expression IS NOT NULL THEN 'b.k1'
                      ELSE string_agg(format('b.k%s', position), ', ' ORDER BY position) END,
                 string_agg(format('t.%I AS k%s', name, position), ', ' ORDER BY position)
          FROM unnest(c.columns) WITH ORDINALITY AS u (name, position)) AS n (names, selected)
$$;
COMMENT ON FUNCTION vrm_private.unique_values(vrm.quality_check) IS 'FROM clause of queries that look for duplicates';

CREATE OR REPLACE FUNCTION vrm_private.failing_rows(c vrm.quality_check) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE c.kind
        WHEN 'fk' THEN vrm_private.dangling_rows(c)
        WHEN 'duplicate' THEN (
            SELECT format('SELECT d.key FROM (SELECT b.key, row_number() OVER (PARTITION BY %s) AS number FROM %s) AS d'
                          ' WHERE d.number > 1', u.names, u.source)
            FROM vrm_private.unique_values(c) AS u)
        WHEN 'freshness' THEN
            format('SELECT jsonb_build_object(%L, max(t.%I)) AS key FROM %s AS t'
                   ' HAVING max(t.%2$I) < now() - %4$L::interval',
                   c.columns[1], c.columns[1], c.rel, c.max_age)
        ELSE format(E'SELECT s.key FROM (SELECT (%s\n) AS good, %s AS key FROM %s AS t) AS s WHERE s.good IS FALSE',
                    vrm_private.row_condition(c), vrm_private.row_key(c), c.rel) END
$$;
COMMENT ON FUNCTION vrm_private.failing_rows(vrm.quality_check) IS 'query for the keys of what is wrong, column "key"';

-- Duplicates are counted in groups, which is far less than numbering every row.
CREATE OR REPLACE FUNCTION vrm_private.counting_query(c vrm.quality_check) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE c.kind
        WHEN 'duplicate' THEN (
            SELECT format('SELECT coalesce(sum(g.copies - 1), 0)::text FROM (SELECT count(*) AS copies FROM %s'
                          ' GROUP BY %s HAVING count(*) > 1) AS g', u.source, u.names)
            FROM vrm_private.unique_values(c) AS u)
        ELSE format('SELECT count(*)::text FROM (%s) AS f', vrm_private.failing_rows(c)) END
$$;
COMMENT ON FUNCTION vrm_private.counting_query(vrm.quality_check) IS 'query for how much is wrong';

-- Expressions run with the rights of the role that the row names: whoever writes the row has to be
-- that role, and that role the table's owner.  The first is for a function with the writer's rights,
-- which in vrm.run_quality_checks() is not who called that.
CREATE OR REPLACE FUNCTION vrm_private.examine_author() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user, NEW.registered_by, 'MEMBER') THEN
        RAISE EXCEPTION 'permission denied to register a check of role "%"', NEW.registered_by
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = format('It would run with the rights of "%s", and you are "%s".', NEW.registered_by,
                                  current_user),
                  HINT = format('SET ROLE %I;', NEW.registered_by);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.examine_author() IS
    'trigger: nobody writes a check that runs with rights they do not have';

CREATE OR REPLACE FUNCTION vrm_private.examine_quality_check() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unknown text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class r
                   WHERE r.oid = NEW.rel AND pg_has_role(NEW.registered_by, r.relowner, 'USAGE')) THEN
        RAISE EXCEPTION 'must be owner of relation %', NEW.rel
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = format('"%s" is not.', NEW.registered_by),
                  HINT = 'Ask the owner to register the check.';
    END IF;
    SELECT name INTO unknown FROM unnest(NEW.columns) AS name
    WHERE NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = NEW.rel AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', unknown, NEW.rel
            USING ERRCODE = 'undefined_column', HINT = format('\d %s', NEW.rel);
    END IF;
    PERFORM vrm.check_expression(NEW.expression);
    -- planned, but for LIMIT 0 not executed: types and names are right, as they are when made from the catalog
    IF NEW.origin <> 'catalog' THEN
        PERFORM vrm.restricted_query(NEW.registered_by, vrm_private.counting_query(NEW) || ' LIMIT 0');
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.examine_quality_check() IS
    'trigger: a check must be a single expression that its table''s owner has written and PostgreSQL understands';

CREATE OR REPLACE FUNCTION vrm.add_quality_check(
    name text,
    rel regclass,
    kind text,
    expression text DEFAULT NULL,
    columns name[] DEFAULT '{}',
    refers_to regclass DEFAULT NULL,
    refers_columns name[] DEFAULT NULL,
    max_age interval DEFAULT NULL,
    severity text DEFAULT 'error',
    every interval DEFAULT '1 day',
    hint text DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text := CASE
        WHEN length(name) BETWEEN 1 AND 200 IS NOT TRUE THEN 'name: must be a text of 1 to 200 characters'
        WHEN rel IS NULL THEN 'rel: must be a table or a view'
        WHEN kind IN ('fk', 'required', 'type', 'json', 'duplicate', 'range', 'freshness', 'custom') IS NOT TRUE
            THEN format('kind: there is none that is called %s', quote_nullable(left(kind, 100)))
        WHEN severity IN ('error', 'warning', 'info') IS NOT TRUE
            THEN format('severity: must be error, warning or info, got %s', quote_nullable(left(severity, 100)))
        WHEN every > '0' IS NOT TRUE THEN format('every: must be longer than 0, got %s', quote_nullable(every))
        WHEN columns IS NULL THEN 'columns: must not be null'
        WHEN kind = 'fk' AND (refers_to IS NULL OR cardinality(refers_columns) > 0 IS NOT TRUE
                              OR expression IS NULL AND cardinality(columns) <> cardinality(refers_columns)
                              OR expression IS NOT NULL AND cardinality(refers_columns) <> 1)
            THEN 'fk: needs refers_to, and as many refers_columns as columns'
        WHEN kind = 'freshness' AND (cardinality(columns) = 1 AND max_age > '0') IS NOT TRUE
            THEN 'freshness: needs one column and a max_age that is longer than 0'
        WHEN kind IN ('required', 'duplicate') AND expression IS NULL AND cardinality(columns) = 0
            THEN format('%s: needs columns or an expression', kind)
        WHEN kind NOT IN ('fk', 'freshness', 'required', 'duplicate') AND expression IS NULL
            THEN format('%s: needs an expression', kind)
    END;
BEGIN
    -- who may not write any is told that instead
    IF wrong IS NOT NULL AND NOT row_security_active('vrm.quality_check') THEN
        RAISE EXCEPTION 'quality check is not valid'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = wrong || '.',
                  HINT = 'SELECT name, rel, kind, columns, expression, max_age, every FROM vrm.quality_check;';
    END IF;
    INSERT INTO vrm.quality_check
        (name, rel, kind, expression, columns, refers_to, refers_columns, max_age, severity, every, hint)
    VALUES (name, rel, kind, expression, columns, refers_to, refers_columns, max_age, severity, every, hint)
    ON CONFLICT ON CONSTRAINT quality_check_pkey DO UPDATE
    SET rel = excluded.rel, kind = excluded.kind, expression = excluded.expression, columns = excluded.columns,
        refers_to = excluded.refers_to, refers_columns = excluded.refers_columns, max_age = excluded.max_age,
        severity = excluded.severity, every = excluded.every, hint = excluded.hint,
        origin = 'custom', registered_by = excluded.registered_by, constraint_name = NULL;
END
$$;
COMMENT ON FUNCTION
    vrm.add_quality_check(text, regclass, text, text, name[], regclass, name[], interval, text, interval, text) IS
    'the table''s owner adds a check, or changes one; it runs with that owner''s rights and only reads';

REVOKE EXECUTE ON FUNCTION
    vrm_private.row_condition(vrm.quality_check), vrm_private.row_key(vrm.quality_check),
    vrm_private.dangling_rows(vrm.quality_check), vrm_private.unique_values(vrm.quality_check),
    vrm_private.failing_rows(vrm.quality_check), vrm_private.counting_query(vrm.quality_check),
    vrm_private.examine_author(), vrm_private.examine_quality_check(),
    vrm.add_quality_check(text, regclass, text, text, name[], regclass, name[], interval, text, interval, text)
    FROM PUBLIC;

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
    PERFORM vrm.require_grant('vrm.run_quality_checks(regclass,integer)');
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
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT array_agg(q.name)
        FROM vrm.quality_check q
        WHERE q.enabled AND (q.rel = checks_to_run.rel OR checks_to_run.rel IS NULL)
          AND NOT EXISTS (SELECT FROM vrm.quality_run r
                          WHERE r.check_name = q.name AND r.at > clock_timestamp() - q.every));
END
$$;
COMMENT ON FUNCTION vrm_private.checks_to_run(regclass) IS 'checks of a table whose time has come; null for none';

CREATE OR REPLACE FUNCTION vrm_private.prepare_checks() RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF vrm_private.checks_to_run(NULL) IS NOT NULL
       AND pg_try_advisory_xact_lock(hashtextextended('vrm.quality_check', 0)) THEN
        PERFORM vrm.derive_quality_checks();
        DELETE FROM vrm.quality_run r WHERE r.at < clock_timestamp() - '90 days'::interval;
    END IF;
    RETURN 0;
END
$$;
COMMENT ON FUNCTION vrm_private.prepare_checks() IS
    'for vrm.maintain(): registers checks that constraints ask for, and drops results older than 90 days';

CREATE OR REPLACE FUNCTION vrm_private.relations_to_check() RETURNS regclass[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    RETURN (
        SELECT ARRAY(SELECT DISTINCT q.rel FROM unnest(vrm_private.checks_to_run(NULL)) AS due (name)
                     JOIN vrm.quality_check q ON q.name = due.name ORDER BY 1));
END
$$;
COMMENT ON FUNCTION vrm_private.relations_to_check() IS
    'for vrm.maintain(): tables with checks whose time has come';

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
    due boolean := vrm_private.maintenance_step('what there is to check',
        'SELECT cardinality(vrm_private.relations_to_check())') OPERATOR(pg_catalog.>) 0;
BEGIN
    -- with nothing to do, what has failed before is over
    PERFORM vrm_private.maintenance_step('quality checks',
        CASE WHEN due THEN 'SELECT vrm_private.prepare_checks()' ELSE 'SELECT 0' END);
    COMMIT;
    IF NOT due THEN
        RETURN;
    END IF;
    FOREACH relation IN ARRAY vrm_private.relations_to_check() LOOP
        PERFORM vrm_private.maintenance_step(
            pg_catalog.format('quality checks of %s', relation),
            pg_catalog.format('SELECT vrm_private.check_when_due(%L::regclass)', relation));
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE vrm_private.check_quality() IS 'for vrm.maintain(): runs the checks whose time has come';
REVOKE EXECUTE ON FUNCTION
    vrm_private.fix_of(vrm.quality_check, bigint),
    vrm_private.count_rows(regclass, name, text[]),
    vrm_private.run_check(vrm.quality_check, bigint, integer),
    vrm_private.check_relation(regclass, text[], integer),
    vrm.run_quality_checks(regclass, integer),
    vrm_private.checks_to_run(regclass),
    vrm_private.prepare_checks(),
    vrm_private.relations_to_check(),
    vrm_private.check_when_due(regclass)
    FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE vrm_private.check_quality() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.run_quality_checks(regclass, integer) TO service_role;

CREATE OR REPLACE FUNCTION vrm_private.forget_sample_keys() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE vrm.quality_run q SET sample_keys = NULL
    WHERE q.sample_keys @> jsonb_build_array(jsonb_build_object('user_id', OLD.id))
       OR q.sample_keys @> jsonb_build_array(jsonb_build_object('id', OLD.id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.forget_sample_keys() IS
    'trigger of user_profiles: what checks have found names nobody who is gone';
REVOKE EXECUTE ON FUNCTION vrm_private.forget_sample_keys() FROM PUBLIC;
