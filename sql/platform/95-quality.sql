-- Data quality: what is checked ------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS vrm.quality_check (
    name text PRIMARY KEY CONSTRAINT name_length CHECK (length(name) BETWEEN 1 AND 200),
    rel regclass NOT NULL,
    kind text NOT NULL CONSTRAINT known_kind
        CHECK (kind IN ('fk', 'required', 'type', 'json', 'duplicate', 'range', 'freshness', 'custom')),
    severity text NOT NULL DEFAULT 'error'
        CONSTRAINT known_severity CHECK (severity IN ('error', 'warning', 'info')),
    columns name[] NOT NULL DEFAULT '{}',
    expression text,
    refers_to regclass,
    refers_columns name[],
    max_age interval,
    every interval NOT NULL DEFAULT '1 day' CONSTRAINT every_positive CHECK (every > '0'),
    enabled boolean NOT NULL DEFAULT true,
    hint text,
    origin text NOT NULL DEFAULT 'custom' CONSTRAINT known_origin CHECK (origin IN ('catalog', 'platform', 'custom')),
    registered_by name NOT NULL DEFAULT current_user,
    constraint_name name,
    CONSTRAINT says_what_is_checked
        CHECK (CASE kind WHEN 'fk' THEN refers_to IS NOT NULL AND cardinality(refers_columns) > 0
                                        AND CASE WHEN expression IS NULL THEN cardinality(columns) ELSE 1 END
                                            = cardinality(refers_columns)
                         WHEN 'freshness' THEN cardinality(columns) = 1 AND max_age > '0'
                         WHEN 'required' THEN expression IS NOT NULL OR cardinality(columns) > 0
                         WHEN 'duplicate' THEN expression IS NOT NULL OR cardinality(columns) > 0
                         ELSE expression IS NOT NULL END)
);
COMMENT ON TABLE vrm.quality_check IS 'what vrm.run_quality_checks() looks at; vrm.add_quality_check() adds to it';
COMMENT ON COLUMN vrm.quality_check.name IS 'the check';
COMMENT ON COLUMN vrm.quality_check.rel IS 'table or view that is checked';
COMMENT ON COLUMN vrm.quality_check.kind IS 'fk, required, type, json, duplicate, range, freshness or custom';
COMMENT ON COLUMN vrm.quality_check.severity IS 'error, warning or info';
COMMENT ON COLUMN vrm.quality_check.columns IS 'columns that it is about';
COMMENT ON COLUMN vrm.quality_check.expression IS
    'false where a row is bad, as in a CHECK constraint; of an fk the reference, of duplicates what should be unique';
COMMENT ON COLUMN vrm.quality_check.refers_to IS 'of an fk: table or view that has to have the row';
COMMENT ON COLUMN vrm.quality_check.refers_columns IS 'of an fk: columns there';
COMMENT ON COLUMN vrm.quality_check.max_age IS 'of freshness: how old the newest value may be';
COMMENT ON COLUMN vrm.quality_check.every IS 'how often vrm.maintain() runs it';
COMMENT ON COLUMN vrm.quality_check.enabled IS 'whether it is run at all';
COMMENT ON COLUMN vrm.quality_check.hint IS 'what to do about a finding; null for a query that shows the rows';
COMMENT ON COLUMN vrm.quality_check.origin IS
    'catalog: follows the table''s definition; platform: came with vrm; custom: added by somebody';
COMMENT ON COLUMN vrm.quality_check.registered_by IS 'role that wrote it, with whose rights it runs';
COMMENT ON COLUMN vrm.quality_check.constraint_name IS 'constraint that vrm.adopt_constraint() has made of it';

CREATE TABLE IF NOT EXISTS vrm.quality_run (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    check_name text NOT NULL,
    relation text NOT NULL,
    severity text NOT NULL,
    failed bigint,
    total bigint,
    sample_keys jsonb,
    error text,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT counted_or_failed CHECK ((failed IS NULL) = (error IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS quality_run_check ON vrm.quality_run (check_name, at);
COMMENT ON TABLE vrm.quality_run IS 'what checks have found, kept for 90 days';
COMMENT ON INDEX vrm.quality_run_check IS 'history of a check; when it last ran';
COMMENT ON COLUMN vrm.quality_run.id IS 'order of the results';
COMMENT ON COLUMN vrm.quality_run.check_name IS 'the check, which may be gone';
COMMENT ON COLUMN vrm.quality_run.relation IS 'table that it looked at';
COMMENT ON COLUMN vrm.quality_run.severity IS 'its severity then';
COMMENT ON COLUMN vrm.quality_run.failed IS 'how many rows were bad; null when it could not be run';
COMMENT ON COLUMN vrm.quality_run.total IS 'rows of the table';
COMMENT ON COLUMN vrm.quality_run.sample_keys IS 'primary keys of a few of the bad rows';
COMMENT ON COLUMN vrm.quality_run.error IS 'why it could not be run';
COMMENT ON COLUMN vrm.quality_run.at IS 'when';

ALTER TABLE vrm.quality_check ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.quality_run ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.quality_check, vrm.quality_run FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON vrm.quality_check, vrm.quality_run TO service_role;

-- From checks to queries ---------------------------------------------------------------------------
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

-- Registering -----------------------------------------------------------------------------------------

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
COMMENT ON FUNCTION vrm_private.examine_author() IS 'trigger: nobody writes a check that runs with rights he has not';
CREATE TRIGGER examine_author BEFORE INSERT OR UPDATE OF rel, kind, columns, expression, refers_to, refers_columns,
        max_age, registered_by ON vrm.quality_check
    FOR EACH ROW EXECUTE FUNCTION vrm_private.examine_author();
COMMENT ON TRIGGER examine_author ON vrm.quality_check IS 'comes first: what is examined next runs as the author';

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
    'trigger: a check is one expression that its table''s owner has written and PostgreSQL understands';
CREATE TRIGGER examine_quality_check BEFORE INSERT OR UPDATE OF rel, kind, columns, expression, refers_to,
        refers_columns, max_age, registered_by ON vrm.quality_check
    FOR EACH ROW EXECUTE FUNCTION vrm_private.examine_quality_check();
COMMENT ON TRIGGER examine_quality_check ON vrm.quality_check IS
    'nothing is registered that could do harm or cannot run';

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
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm.quality_check
        (name, rel, kind, expression, columns, refers_to, refers_columns, max_age, severity, every, hint)
    VALUES (name, rel, kind, expression, columns, refers_to, refers_columns, max_age, severity, every, hint)
    ON CONFLICT ON CONSTRAINT quality_check_pkey DO UPDATE
    SET rel = excluded.rel, kind = excluded.kind, expression = excluded.expression, columns = excluded.columns,
        refers_to = excluded.refers_to, refers_columns = excluded.refers_columns, max_age = excluded.max_age,
        severity = excluded.severity, every = excluded.every, hint = excluded.hint,
        origin = 'custom', registered_by = excluded.registered_by, constraint_name = NULL
$$;
COMMENT ON FUNCTION
    vrm.add_quality_check(text, regclass, text, text, name[], regclass, name[], interval, text, interval, text) IS
    'the table''s owner adds a check, or changes one; it runs with his rights and reads only';

REVOKE EXECUTE ON FUNCTION
    vrm_private.row_condition(vrm.quality_check), vrm_private.row_key(vrm.quality_check),
    vrm_private.dangling_rows(vrm.quality_check), vrm_private.unique_values(vrm.quality_check),
    vrm_private.failing_rows(vrm.quality_check), vrm_private.counting_query(vrm.quality_check),
    vrm_private.examine_author(), vrm_private.examine_quality_check(),
    vrm.add_quality_check(text, regclass, text, text, name[], regclass, name[], interval, text, interval, text)
    FROM PUBLIC;
