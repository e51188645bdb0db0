-- Quality checks that follow from a table's definition, and constraints made of checks

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
          -- storage of the extension's own holds keyed hashes, of nobody
          AND c.relam <> (SELECT m.oid FROM pg_am m WHERE m.amname = 'vrm_lockout')
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

-- They run as the table's owner, whoever asks for them: the owner's functions may be in its definition.
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
    IF derive_quality_checks.rel IS NULL THEN  -- tables of others that have such checks are followed, too
        changed := changed + (SELECT coalesce(sum(vrm.derive_quality_checks(o.rel)), 0)
                              FROM (SELECT DISTINCT q.rel FROM vrm.quality_check q JOIN pg_class c ON c.oid = q.rel
                                    WHERE q.origin = 'catalog' AND c.relnamespace NOT IN
                                          ('vrm'::regnamespace, 'vrm_private'::regnamespace)) AS o);
    END IF;
    RETURN changed;
END
$$;
COMMENT ON FUNCTION vrm.derive_quality_checks(regclass) IS
    'brings checks in line with the definitions, of a table or of all tables of the platform; returns how many changed';

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
    vrm_private.catalog_checks(regclass),
    vrm.derive_quality_checks(regclass),
    vrm_private.constraint_for(vrm.quality_check),
    vrm.adopt_constraint(text, boolean)
    FROM PUBLIC;
