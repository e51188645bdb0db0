-- Sealed values and sealed columns

CREATE OR REPLACE FUNCTION vrm_private.sealed_triggers()
    RETURNS TABLE (column_id uuid, relation regclass, column_name name, trigger_name name)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT encode(substr(t.tgargs, 1, 36), 'escape')::uuid, t.tgrelid::regclass, a.attname, t.tgname
    FROM pg_trigger t
    JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = t.tgattr[0]
    WHERE t.tgfoid = to_regprocedure('vrm.bind_sealed()') AND t.tgparentid = 0
$$;
COMMENT ON FUNCTION vrm_private.sealed_triggers() IS 'sealed columns as their triggers know them';
REVOKE EXECUTE ON FUNCTION vrm_private.sealed_triggers() FROM PUBLIC;

-- From the catalogs, so that a column counts that nobody has registered.  Of a domain over vrm.sealed the value can be
-- looked at, of arrays and rows that have one inside (`nested`) the text.  Plain bytea may hold whatever vrm.seal()
-- has returned.
CREATE OR REPLACE FUNCTION vrm_private.sealed_places()
    RETURNS TABLE (relation regclass, column_name name, nested boolean, is_declared boolean, is_writable boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE part (whole, type, is_domain) AS MATERIALIZED (
        SELECT t.oid, t.typbasetype, true FROM pg_type t WHERE t.typtype = 'd'
        UNION ALL
        SELECT t.oid, t.typelem, false FROM pg_type t WHERE t.typcategory = 'A' AND t.typelem <> 0
        UNION ALL
        SELECT c.reltype, a.atttypid, false
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.reltype <> 0 AND a.attnum > 0 AND NOT a.attisdropped
    ), holder (type, nested, is_declared) AS (
        VALUES (to_regtype('vrm.sealed')::oid, false, true), ('bytea'::regtype, false, false)
        UNION
        SELECT p.whole, h.nested OR NOT p.is_domain, h.is_declared
        FROM holder h JOIN part p ON p.type = h.type
        WHERE h.is_declared OR p.is_domain AND p.whole <> to_regtype('vrm.sealed')
    )
    SELECT a.attrelid::regclass, a.attname, bool_or(h.nested), bool_or(h.is_declared),
           c.relkind <> 'm' AND a.attgenerated = ''
    FROM holder h
    JOIN pg_attribute a ON a.atttypid = h.type AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'm', 'p') AND NOT c.relispartition
    WHERE c.relispopulated
      AND (c.relpersistence <> 't' OR c.relnamespace = pg_my_temp_schema())   -- nobody reads those of others
      AND (h.is_declared OR c.relnamespace::regnamespace::text NOT IN ('vrm', 'vrm_private', 'pg_catalog', 'pg_toast'))
    GROUP BY a.attrelid, a.attname, c.relkind, a.attgenerated
$$;
COMMENT ON FUNCTION vrm_private.sealed_places() IS 'every column that can hold sealed values, registered or not';
REVOKE EXECUTE ON FUNCTION vrm_private.sealed_places() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.check_sealable(rel regclass, column_name name, per_subject boolean)
    RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    column_type regtype := (SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
                            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                            WHERE a.attrelid = rel AND a.attname = column_name
                              AND a.attnum > 0 AND NOT a.attisdropped);
    key_types regtype[] := (SELECT array_agg(a.atttypid ORDER BY k.position)
                            FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (attnum, position), pg_attribute a
                            WHERE i.indrelid = rel AND i.indisprimary
                              AND a.attrelid = rel AND a.attnum = k.attnum);
BEGIN
    IF column_type IS NULL THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', column_name, rel
            USING ERRCODE = 'undefined_column',
                  HINT = format('ALTER TABLE %s ADD COLUMN %I vrm.sealed;', rel, column_name);
    END IF;
    IF column_type <> 'bytea'::regtype THEN
        RAISE EXCEPTION 'column "%" of % cannot hold sealed values', column_name, rel
            USING ERRCODE = 'datatype_mismatch',
                  DETAIL = format('Its type is %s, not bytea or a domain over it.', column_type),
                  HINT = format('ALTER TABLE %s ADD COLUMN %I_sealed vrm.sealed;', rel, column_name);
    END IF;
    IF key_types IS NULL THEN
        RAISE EXCEPTION 'table % has no primary key', rel
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Sealed values are bound to the primary key of their row.',
                  HINT = format('ALTER TABLE %s ADD PRIMARY KEY (...);', rel);
    END IF;
    IF cardinality(key_types) > 8
       OR NOT key_types <@ '{uuid,smallint,integer,bigint,text,varchar,bytea}'::regtype[] THEN
        RAISE EXCEPTION 'sealed values cannot be bound to the primary key of %', rel
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = format('Its types are %s.', array_to_string(key_types, ', ')),
                  HINT = 'It may have up to eight columns, of types uuid, smallint, integer, bigint, text, varchar'
                         ' and bytea.';
    END IF;
    IF per_subject AND key_types[1] <> 'uuid'::regtype THEN
        RAISE EXCEPTION 'the primary key of % does not begin with a user', rel
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = format('Its first column is of type %s, not uuid.', key_types[1]),
                  HINT = format('SELECT vrm.seal_column(%L, %L, false);', rel, column_name);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_sealable(regclass, name, boolean) IS
    'raises an error unless the column can be made a sealed one';
REVOKE EXECUTE ON FUNCTION vrm_private.check_sealable(regclass, name, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.seal_column(rel regclass, column_name name, per_subject boolean DEFAULT false)
    RETURNS uuid LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    id uuid := (SELECT t.column_id FROM vrm_private.sealed_triggers() t
                WHERE t.relation = rel AND t.column_name = seal_column.column_name);
    key_columns text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.position)
                         FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (attnum, position), pg_attribute a
                         WHERE i.indrelid = rel AND i.indisprimary
                           AND a.attrelid = rel AND a.attnum = k.attnum);
    trigger_name name := 'vrm_bind_' || left(column_name, 50);
    check_name name := left(column_name, 50) || '_is_bound';
BEGIN
    IF id IS NULL THEN
        PERFORM vrm_private.check_sealable(rel, column_name, per_subject);
        INSERT INTO vrm_private.sealed_columns AS s (column_id, relation, column_name, per_subject)
        VALUES (gen_random_uuid(), rel, column_name, per_subject)
        ON CONFLICT ON CONSTRAINT sealed_columns_relation_column_name_key
            DO UPDATE SET per_subject = s.per_subject
        RETURNING s.column_id, s.per_subject INTO id, seal_column.per_subject;
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STORAGE EXTERNAL', rel, column_name);
        -- late in the alphabet: after triggers that fill in the primary key
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OF %I, %s ON %s FOR EACH ROW'
                       ' EXECUTE FUNCTION vrm.bind_sealed(%L, %L)',
                       trigger_name, column_name, key_columns, rel, id,
                       CASE WHEN per_subject THEN 'subject' ELSE '' END);
        EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', trigger_name, rel,
                       'binds sealed values to their row, under the active key');
    END IF;
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = rel AND conname = check_name) THEN
        EXECUTE format('UPDATE %s SET %I = %2$I WHERE NOT vrm.is_bound(%2$I)', rel, column_name);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (vrm.is_bound(%I))', rel, check_name, column_name);
    END IF;
    RETURN id;
END
$$;
COMMENT ON FUNCTION vrm.seal_column(regclass, name, boolean) IS
    'makes a column hold sealed values, bound to their rows; per_subject: with the key of the user in the primary key';
REVOKE EXECUTE ON FUNCTION vrm.seal_column(regclass, name, boolean) FROM PUBLIC;
