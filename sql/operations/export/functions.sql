-- What the platform holds of a person, for that person

-- The platform's tables; those that lead to a person by foreign keys, in any schema but Supabase's; and
-- those that somebody has classed.
CREATE OR REPLACE FUNCTION vrm_private.export_inventory()
    RETURNS TABLE (relation regclass, column_name name, class text, names_person boolean, fix text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE tables (oid) AS (
        SELECT c.oid FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
          -- storage of the extension's own holds keyed hashes, of nobody
          AND c.relam <> (SELECT m.oid FROM pg_am m WHERE m.amname = 'vrm_lockout')
          AND (c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace) OR c.oid = 'auth.users'::regclass
               OR EXISTS (SELECT FROM vrm_private.column_classes k WHERE k.rel = c.oid))
        UNION
        SELECT f.conrelid
        FROM tables t
        JOIN pg_constraint f ON f.confrelid = t.oid AND f.contype = 'f' AND f.conparentid = 0
        JOIN pg_class c ON c.oid = f.conrelid AND NOT c.relispartition AND c.relnamespace <> 'auth'::regnamespace
    )
    SELECT t.oid::regclass, a.attname, k.class, coalesce(k.names_person, false),
           CASE WHEN k.class IS NULL
                THEN format('SELECT vrm.classify_column(%L, %L, ''personal'');', t.oid::regclass, a.attname) END
    FROM tables t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN vrm_private.column_classes k ON k.rel = t.oid AND k.column_name = a.attname
$$;
COMMENT ON FUNCTION vrm_private.export_inventory() IS 'what vrm.export_inventory shows';

CREATE OR REPLACE FUNCTION vrm.classify_column(
    rel regclass, column_name name, class text, names_person boolean DEFAULT false
) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = rel AND a.attname = classify_column.column_name
                                                AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', column_name, rel
            USING ERRCODE = 'undefined_column', HINT = format('\d %s', rel);
    END IF;
    IF names_person AND NOT EXISTS (SELECT FROM pg_attribute a
                                    WHERE a.attrelid = rel AND a.attname = classify_column.column_name
                                      AND a.atttypid = 'uuid'::regtype) THEN
        RAISE EXCEPTION 'column "%" of relation "%" cannot name a person', column_name, rel
            USING ERRCODE = 'datatype_mismatch', DETAIL = 'Ids of people are of type uuid.',
                  HINT = format('SELECT vrm.classify_column(%L, %L, %L);', rel, column_name, class);
    END IF;
    INSERT INTO vrm_private.column_classes (rel, column_name, class, names_person)
    VALUES (classify_column.rel, classify_column.column_name, classify_column.class, classify_column.names_person)
    ON CONFLICT ON CONSTRAINT column_classes_pkey DO UPDATE
    SET class = excluded.class, names_person = excluded.names_person;
END
$$;
COMMENT ON FUNCTION vrm.classify_column(regclass, name, text, boolean) IS
    'says what a column is to the person whose row it is: personal, secret, system or third_party';

-- An export has a superuser's rights.  Casts are looked up by type, whatever the search_path is, and who
-- owns a table may give its columns types of their own: such values are exported as their text.
CREATE OR REPLACE FUNCTION vrm_private.is_trusted_type(type oid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE part (oid) AS (
        SELECT type
        UNION
        SELECT inner_type.oid
        FROM part p JOIN pg_type t ON t.oid = p.oid,
             LATERAL (SELECT t.typelem UNION ALL SELECT t.typbasetype
                      UNION ALL SELECT a.atttypid FROM pg_attribute a
                                WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
                 AS inner_type (oid)
        WHERE inner_type.oid <> 0
    )
    SELECT bool_and(r.rolsuper) FROM part p JOIN pg_type t ON t.oid = p.oid JOIN pg_roles r ON r.oid = t.typowner
$$;
COMMENT ON FUNCTION vrm_private.is_trusted_type(oid) IS
    'whether a type, and what it is made of, belongs to superusers, so that nobody else makes casts of it';

-- How rows lead to a person ($1): by a column that names the person, else along foreign keys of columns that are
-- personal, one path each.  "r" is the row, in each query its own.
CREATE OR REPLACE FUNCTION vrm_private.export_paths() RETURNS TABLE (relation regclass, condition text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE direct AS (
        SELECT k.rel AS relation, format('r.%I = $1', k.column_name) AS condition
        FROM vrm_private.column_classes k
        JOIN pg_attribute a ON a.attrelid = k.rel AND a.attname = k.column_name AND NOT a.attisdropped
        WHERE k.names_person AND a.atttypid = 'uuid'::regtype
        UNION ALL
        SELECT s.relation::regclass, s.condition
        FROM (VALUES ('vrm.audit_log',
                      'coalesce(r.detail ->> ''user_id'', r.acting_for::text, r.actor::text) = $1::text'),
                     ('vrm_private.audit_journal',
                      'coalesce(r.detail ->> ''user_id'', r.detail ->> ''acting_for'', r.actor::text) = $1::text'),
                     ('vrm_private.password_reset_requests',
                      'lower(r.email) = (SELECT lower(u.email) FROM auth.users AS u WHERE u.id = $1)'),
                     ('vrm_private.team_invitations',
                      'r.email = (SELECT lower(u.email) FROM auth.users AS u WHERE u.id = $1)')
             ) AS s (relation, condition)
    ), keys AS (
        SELECT f.conrelid, f.confrelid, string_agg(format('r.%I', o.attname), ', ' ORDER BY p.n) AS own,
               string_agg(format('r.%I', t.attname), ', ' ORDER BY p.n) AS other
        FROM pg_constraint f
        CROSS JOIN unnest(f.conkey, f.confkey) WITH ORDINALITY AS p (own, other, n)
        JOIN pg_attribute o ON o.attrelid = f.conrelid AND o.attnum = p.own
        JOIN pg_attribute t ON t.attrelid = f.confrelid AND t.attnum = p.other
        LEFT JOIN vrm_private.column_classes k ON k.rel = f.conrelid AND k.column_name = o.attname
        WHERE f.contype = 'f' AND f.conparentid = 0
          AND NOT EXISTS (SELECT FROM direct d WHERE d.relation = f.conrelid)
        GROUP BY f.oid, f.conrelid, f.confrelid
        HAVING bool_and(coalesce(k.class = 'personal', false) AND vrm_private.is_trusted_type(o.atttypid)
                        AND vrm_private.is_trusted_type(t.atttypid))
    ), paths (relation, condition, seen) AS (
        SELECT d.relation, d.condition, ARRAY[d.relation] FROM direct d
        UNION ALL
        SELECT k.conrelid::regclass,
               format('(%s) IN (SELECT %s FROM %s AS r WHERE %s)', k.own, k.other, k.confrelid::regclass, p.condition),
               p.seen || k.conrelid::regclass
        FROM paths p JOIN keys k ON k.confrelid = p.relation AND k.conrelid <> ALL (p.seen)
        WHERE cardinality(p.seen) < 6
    )
    SELECT p.relation, p.condition FROM paths p
$$;
COMMENT ON FUNCTION vrm_private.export_paths() IS
    'which rows are a person''s: conditions on a row "r", $1 the person; a table may have several';

-- Columns that a DBA has added to vrm.test_runs are there as they are classed there.
CREATE OR REPLACE FUNCTION vrm_private.exportable_extra(extra jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_object_agg(e.key, CASE k.class WHEN 'secret' THEN '"<secret>"' ELSE e.value END)
    FROM jsonb_each(extra) AS e
    JOIN vrm_private.column_classes k ON k.rel = 'vrm.test_runs'::regclass AND k.column_name = e.key
    WHERE k.class IN ('personal', 'secret')
$$;
COMMENT ON FUNCTION vrm_private.exportable_extra(jsonb) IS
    'of the columns that an archived call had more, those to be exported';

CREATE OR REPLACE FUNCTION vrm_private.export_query() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH columns AS (
        SELECT k.rel,
               string_agg(CASE WHEN k.class <> 'secret' AND NOT vrm_private.is_trusted_type(a.atttypid)
                               THEN format('nullif(concat(r.%I), '''') AS %1$I', a.attname)
                               WHEN k.class = 'secret'
                               THEN format('CASE WHEN r.%I IS NOT NULL THEN ''<secret>'' END AS %1$I', a.attname)
                               WHEN (k.rel, a.attname) = ('vrm_private.test_runs_archive'::regclass, 'extra')
                               THEN 'vrm_private.exportable_extra(r.extra) AS extra'
                               WHEN (k.rel, a.attname) = ('vrm_private.test_runs_archive'::regclass, 'results')
                               THEN 'vrm_private.archived_results(r.results, r.packed_results) AS results'
                               ELSE format('r.%I', a.attname) END, ', ' ORDER BY a.attnum) AS list,
               string_agg(format(CASE WHEN vrm_private.is_trusted_type(a.atttypid) THEN 'r.%I'
                                      ELSE 'concat(r.%I) AS %1$I' END, a.attname), ', ' ORDER BY a.attnum)
                   FILTER (WHERE k.class = 'personal' AND a.attnum = ANY (i.indkey)) AS key
        FROM vrm_private.column_classes k
        JOIN pg_attribute a ON a.attrelid = k.rel AND a.attname = k.column_name AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_index i ON i.indrelid = k.rel AND i.indisprimary
        WHERE k.class IN ('personal', 'secret')
        GROUP BY k.rel
    ), branches AS (
        SELECT p.relation,
               -- UNION only where a row may come on several ways: it compares whole documents
               string_agg(format('SELECT %L, %s, (SELECT to_jsonb(d) FROM (SELECT %s) AS d) FROM %s AS r WHERE %s',
                                 p.relation,
                                 coalesce('(SELECT to_jsonb(k) FROM (SELECT ' || c.key || ') AS k)', 'NULL::jsonb'),
                                 c.list, p.relation, p.condition), ' UNION ' ORDER BY p.condition) AS query
        FROM vrm_private.export_paths() p JOIN columns c ON c.rel = p.relation
        GROUP BY p.relation
    )
    SELECT string_agg('(' || b.query || ')', E'\nUNION ALL\n' ORDER BY b.relation::text) FROM branches b
$$;
COMMENT ON FUNCTION vrm_private.export_query() IS 'query for all that is exported of a person, $1: relation, key, data';

-- One query, hence one snapshot.  The entry in the audit trail comes first and outlives a ROLLBACK.
CREATE OR REPLACE FUNCTION vrm.export_user_data(user_id uuid DEFAULT vrm.uid())
    RETURNS TABLE (relation text, pk jsonb, data jsonb)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex'
    SET quote_all_identifiers = off SET lc_monetary = 'C' AS $$
BEGIN
    PERFORM vrm_private.require_own_account(user_id);
    IF NOT EXISTS (SELECT FROM auth.users u WHERE u.id = export_user_data.user_id) THEN
        RAISE EXCEPTION 'user "%" does not exist', coalesce(user_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, email FROM vrm.user_profiles;';
    END IF;
    PERFORM vrm.audit_journal('exported user data', jsonb_build_object('user_id', user_id));
    RETURN QUERY EXECUTE vrm_private.export_query() USING user_id;
END
$$;
COMMENT ON FUNCTION vrm.export_user_data(uuid) IS
    'all that is kept about the caller, or for service and administrators about anybody, row by row, without secrets';
REVOKE EXECUTE ON FUNCTION
    vrm_private.export_inventory(), vrm.classify_column(regclass, name, text, boolean),
    vrm_private.is_trusted_type(oid), vrm_private.export_paths(), vrm_private.exportable_extra(jsonb),
    vrm_private.export_query(), vrm.export_user_data(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm_private.export_inventory() TO service_role;
GRANT EXECUTE ON FUNCTION vrm.export_user_data(uuid) TO authenticated, service_role;
