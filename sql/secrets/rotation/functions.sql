-- Rotating keys

CREATE OR REPLACE FUNCTION vrm_private.rotation_progress()
    RETURNS TABLE (key_id bigint, table_name regclass, column_name name, rows_done bigint, rows_left bigint,
                   rows_estimated bigint, started_at timestamptz, updated_at timestamptz, finished_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.key_id, s.relation, s.column_name, r.rows_done, r.rows_left, greatest(c.reltuples::bigint, 0),
           r.started_at, r.updated_at, r.finished_at
    FROM vrm_private.key_rotations r
    JOIN vrm_private.sealed_columns s USING (column_id)
    JOIN pg_class c ON c.oid = s.relation
    ORDER BY r.started_at, s.relation, s.column_name
$$;
COMMENT ON FUNCTION vrm_private.rotation_progress() IS 'what vrm.rotation_progress shows';
REVOKE EXECUTE ON FUNCTION vrm_private.rotation_progress() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm_private.rotation_progress() TO service_role;

-- The active key when values of other keys are still being sealed anew with it; else a new key.
CREATE OR REPLACE FUNCTION vrm_private.begin_rotation() RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    target bigint;
BEGIN
    SELECT r.key_id INTO target
    FROM vrm_private.key_rotations r JOIN vrm_private.keyring k ON k.key_id = r.key_id AND k.state = 'active'
    WHERE r.finished_at IS NULL
    LIMIT 1;
    IF target IS NULL THEN
        target := vrm.key_create('data');
        INSERT INTO vrm_private.key_rotations (key_id, column_id)
        SELECT target, s.column_id FROM vrm_private.sealed_columns s JOIN pg_class c ON c.oid = s.relation;
    END IF;
    RETURN target;
END
$$;
COMMENT ON FUNCTION vrm_private.begin_rotation() IS 'the key that rotation leads to: resumes, or makes one';
REVOKE EXECUTE ON FUNCTION vrm_private.begin_rotation() FROM PUBLIC;

-- Walks on by the primary key, so that a batch costs the same wherever it is.  Rows are replaced past
-- the executor; where an UPDATE would do more, or others are to be waited for, the column's trigger
-- seals anew whatever is not under the active key.  Returns false at the end of the table.
CREATE OR REPLACE FUNCTION vrm_private.rotate_batch(target bigint, sealed_column uuid, batch integer, waiting boolean)
    RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place record;
    walk record;
    after text;
    rows_meant text;
    batch_end text[];
    changed bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM vrm_private.keyring k WHERE k.key_id = target AND k.state = 'active') THEN
        RAISE EXCEPTION 'key % is no longer the active one', target
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Another key was made while values were being sealed anew with it.',
                  HINT = 'CALL vrm.rotate_keys();';
    END IF;
    SELECT s.relation, s.column_name, r.last_key INTO STRICT place
    FROM vrm_private.key_rotations r JOIN vrm_private.sealed_columns s USING (column_id)
    WHERE r.key_id = target AND r.column_id = sealed_column
    FOR UPDATE OF r;

    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.position) AS columns,
           string_agg(format('%I::text', a.attname), ', ' ORDER BY k.position) AS texts,
           string_agg(format('%%1$s[%s]::%s', k.position, format_type(a.atttypid, a.atttypmod)), ', '
                      ORDER BY k.position) AS parameters
    INTO STRICT walk
    FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (attnum, position), pg_attribute a
    WHERE i.indrelid = place.relation AND i.indisprimary AND a.attrelid = i.indrelid AND a.attnum = k.attnum;

    after := CASE WHEN place.last_key IS NULL THEN 'true'
                  ELSE format('(%s) > (%s)', walk.columns, format(walk.parameters, '$1')) END;
    EXECUTE format('SELECT ARRAY[%s] FROM %s WHERE %s ORDER BY %s OFFSET %s LIMIT 1',
                   walk.texts, place.relation, after, walk.columns, batch - 1)
        INTO batch_end USING place.last_key;
    rows_meant := format('%s AND %s', after,
                         CASE WHEN batch_end IS NULL THEN 'true'
                              ELSE format('(%s) <= (%s)', walk.columns, format(walk.parameters, '$2')) END);
    IF NOT waiting THEN
        EXECUTE format('SELECT vrm.reseal_rows(%L, %L, $3, ARRAY(SELECT ctid FROM %s WHERE %s))',
                       place.relation, place.column_name, place.relation, rows_meant)
            INTO changed USING place.last_key, batch_end, target;
    END IF;
    IF changed IS NULL THEN
        EXECUTE format('UPDATE %s SET %I = %2$I WHERE %s AND vrm.key_of(%2$I) <> $3'
                       ' AND vrm.opens_at(tableoid, %2$L, ctid)',
                       place.relation, place.column_name, rows_meant)
            USING place.last_key, batch_end, target;
        GET DIAGNOSTICS changed = ROW_COUNT;
    END IF;

    UPDATE vrm_private.key_rotations r
    SET last_key = batch_end, rows_done = rows_done + changed, updated_at = clock_timestamp()
    WHERE r.key_id = target AND r.column_id = sealed_column;
    RETURN batch_end IS NOT NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.rotate_batch(bigint, uuid, integer, boolean) IS
    'seals the next rows of a column with the active key, waiting for others or not; false at the end of the table';
REVOKE EXECUTE ON FUNCTION vrm_private.rotate_batch(bigint, uuid, integer, boolean) FROM PUBLIC;

-- A condition on rows `t`: nobody can open the value, since its subject's key is destroyed.
CREATE OR REPLACE FUNCTION vrm_private.forgotten_condition(rel regclass, column_name name) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((
        SELECT format('CASE WHEN vrm.is_sealed(t.%1$I) AND get_byte(substr(t.%1$I, 1, 4), 3) & 1 = 1 THEN NOT EXISTS'
                      ' (SELECT FROM vrm_private.subject_keys s WHERE s.subject = t.%2$I) ELSE false END',
                      s.column_name, a.attname)
        FROM vrm_private.sealed_columns s
        JOIN pg_index i ON i.indrelid = s.relation AND i.indisprimary
        JOIN pg_attribute a ON a.attrelid = s.relation AND a.attnum = i.indkey[0]
        WHERE s.relation = rel AND s.column_name = forgotten_condition.column_name AND s.per_subject), 'false')
$$;
COMMENT ON FUNCTION vrm_private.forgotten_condition(regclass, name) IS
    'SQL that tells which values of a column nobody can open because a user is forgotten';
REVOKE EXECUTE ON FUNCTION vrm_private.forgotten_condition(regclass, name) FROM PUBLIC;

-- What an array or a row holds is found in its text: eight bytes that name a key are nothing else by chance.
CREATE OR REPLACE FUNCTION vrm_private.holds_value_of(value anyelement, keys bigint[]) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 3
    SET bytea_output = 'hex' SET quote_all_identifiers = off SET lc_monetary = 'C' AS $$
    SELECT value::text ~ string_agg('xf9[0-9a-f]{6}' || lpad(to_hex(k), 16, '0'), '|') FROM unnest(keys) AS k
$$;
COMMENT ON FUNCTION vrm_private.holds_value_of(anyelement, bigint[]) IS
    'whether something inside of a value is sealed with one of the keys';
REVOKE EXECUTE ON FUNCTION vrm_private.holds_value_of(anyelement, bigint[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.count_needing(key_id bigint, rel regclass, column_name name) RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nested boolean := EXISTS (SELECT FROM vrm_private.sealed_places() p
                              WHERE p.relation = rel AND p.column_name = count_needing.column_name AND p.nested);
    found bigint;
BEGIN
    EXECUTE format('SELECT count(*) FILTER (WHERE NOT %s) FROM %s t WHERE %s',
                   vrm_private.forgotten_condition(rel, column_name), rel,
                   CASE WHEN nested THEN format('vrm_private.holds_value_of(t.%I, ARRAY[$1])', column_name)
                        ELSE format('vrm.is_sealed(t.%1$I) AND vrm.key_of(t.%1$I) = $1', column_name) END)
        INTO found USING key_id;
    RETURN found;
END
$$;
COMMENT ON FUNCTION vrm_private.count_needing(bigint, regclass, name) IS
    'how many values of a column are sealed with a key, but for those of forgotten users';
REVOKE EXECUTE ON FUNCTION vrm_private.count_needing(bigint, regclass, name) FROM PUBLIC;

-- What is not under the key that rotation leads to.
CREATE OR REPLACE FUNCTION vrm_private.count_rest(target bigint, rel regclass, column_name name,
                                                  OUT to_do bigint, OUT remaining bigint, OUT forgotten bigint)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('SELECT count(*) FILTER (WHERE vrm.opens_at(t.tableoid, %1$L, t.ctid)), count(*),'
                   ' count(*) FILTER (WHERE %2$s)'
                   ' FROM %3$s t WHERE t.%1$I IS NOT NULL AND vrm.key_of(t.%1$I) IS DISTINCT FROM $1',
                   column_name, vrm_private.forgotten_condition(rel, column_name), rel)
        INTO to_do, remaining, forgotten USING target;
END
$$;
COMMENT ON FUNCTION vrm_private.count_rest(bigint, regclass, name) IS
    'how many values of a column are not under a key: those that open, all, those of forgotten users';
REVOKE EXECUTE ON FUNCTION vrm_private.count_rest(bigint, regclass, name) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.reseal_or_keep(value bytea, context bytea) RETURNS bytea
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN vrm.reseal(value, context);
EXCEPTION WHEN data_exception THEN
    RETURN value;
END
$$;
COMMENT ON FUNCTION vrm_private.reseal_or_keep(bytea, bytea) IS
    'a value sealed anew under the active key; as it is when it does not open';
REVOKE EXECUTE ON FUNCTION vrm_private.reseal_or_keep(bytea, bytea) FROM PUBLIC;

-- One statement for a column.  Whose values are bound to nothing (third byte) needs no context to be sealed anew.
CREATE OR REPLACE FUNCTION vrm_private.reseal_column(target bigint, rel regclass, column_name name, context text)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('UPDATE %1$s t SET %2$I = vrm_private.reseal_or_keep(t.%2$I, %3$s)'
                   ' WHERE vrm.key_of(t.%2$I) <> $1 AND %4$s',
                   rel, column_name, coalesce(context, quote_literal('')),
                   CASE WHEN context IS NULL THEN format('get_byte(substr(t.%I, 1, 3), 2) = 0', column_name)
                        ELSE 'true' END) USING target;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN   -- a trigger or a constraint of somebody's table; rotation goes on elsewhere
    RETURN SQLERRM;
END
$$;
COMMENT ON FUNCTION vrm_private.reseal_column(bigint, regclass, name, text) IS
    'seals with a key what a column holds under another; what was in the way, if anything';
REVOKE EXECUTE ON FUNCTION vrm_private.reseal_column(bigint, regclass, name, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.reseal_contexts(target bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place record;
    remaining_condition text;
    remaining bigint;
    problem text;
BEGIN
    FOR place IN
        SELECT p.relation, p.column_name, p.nested, p.is_writable, s.context
        FROM vrm_private.sealed_places() p
        LEFT JOIN vrm_private.sealed_contexts s USING (relation, column_name)
        WHERE p.is_declared
          AND NOT EXISTS (SELECT FROM vrm_private.sealed_triggers() t
                          WHERE t.relation = p.relation AND t.column_name = p.column_name)
        ORDER BY p.is_writable DESC, p.relation, p.column_name
    LOOP
        problem := CASE WHEN place.is_writable AND NOT place.nested THEN
                       vrm_private.reseal_column(target, place.relation, place.column_name, place.context) END;
        remaining_condition := CASE WHEN place.nested THEN
            format('vrm_private.holds_value_of(t.%I, %L)', place.column_name,
                   (SELECT coalesce(array_agg(k.key_id), '{}') FROM vrm_private.keyring k
                    WHERE k.purpose = 'data' AND k.key_id <> target))
            ELSE format('vrm.key_of(t.%I) <> %s', place.column_name, target) END;
        EXECUTE format('SELECT count(*) FROM %s t WHERE %s', place.relation, remaining_condition) INTO remaining;
        IF remaining > 0 THEN
            RAISE WARNING '% values of column "%" of % could not be sealed anew', remaining, place.column_name,
                place.relation
                USING ERRCODE = 'data_exception',
                      DETAIL = coalesce(problem, CASE
                          WHEN place.nested THEN 'They are parts of arrays or rows.'
                          WHEN NOT place.is_writable THEN 'Nobody can write them.'
                          WHEN place.context IS NULL THEN 'Nobody has said what they are bound to.'
                          ELSE 'They cannot be opened.' END),
                      HINT = format('SELECT * FROM %s t WHERE %s;', place.relation, remaining_condition);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.reseal_contexts(bigint) IS
    'seals with a key what is bound to nothing or to known contexts, and warns of what stays';
REVOKE EXECUTE ON FUNCTION vrm_private.reseal_contexts(bigint) FROM PUBLIC;

CREATE OR REPLACE PROCEDURE vrm.rotate_keys(batch integer DEFAULT 5000)
    LANGUAGE plpgsql AS $$
DECLARE
    target bigint;
    place record;
    rest record;
    before bigint;
    waiting boolean;
BEGIN
    IF batch IS NULL OR batch < 1 THEN
        RAISE EXCEPTION 'a batch must have at least one row'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'CALL vrm.rotate_keys(5000);';
    END IF;
    target := vrm_private.begin_rotation();
    COMMIT;
    FOR place IN
        SELECT r.column_id, s.relation, s.column_name
        FROM vrm_private.key_rotations r
        JOIN vrm_private.sealed_columns s ON s.column_id OPERATOR(pg_catalog.=) r.column_id
        JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) s.relation
        WHERE r.key_id OPERATOR(pg_catalog.=) target AND r.finished_at IS NULL
    LOOP
        waiting := false;
        before := NULL;
        LOOP
            WHILE vrm_private.rotate_batch(target, place.column_id, batch, waiting) LOOP
                COMMIT;
            END LOOP;
            COMMIT;
            -- what others were writing, or sealed with the old key behind our back
            waiting := true;
            rest := vrm_private.count_rest(target, place.relation, place.column_name);
            EXIT WHEN rest.to_do OPERATOR(pg_catalog.=) 0 OR rest.to_do OPERATOR(pg_catalog.=) before;
            before := rest.to_do;
        END LOOP;
        IF rest.remaining OPERATOR(pg_catalog.>) rest.forgotten THEN
            RAISE WARNING '% values of column "%" of % could not be sealed anew',
                rest.remaining OPERATOR(pg_catalog.-) rest.forgotten, place.column_name, place.relation
                USING ERRCODE = 'data_exception',
                      DETAIL = 'They cannot be opened, or a trigger holds them; they stay as they are.',
                      HINT = pg_catalog.format('SELECT * FROM %s WHERE vrm.key_of(%I) IS DISTINCT FROM %s;',
                                               place.relation, place.column_name, target);
        END IF;
        UPDATE vrm_private.key_rotations
        SET finished_at = pg_catalog.clock_timestamp(), rows_left = rest.remaining
        WHERE key_id OPERATOR(pg_catalog.=) target AND column_id OPERATOR(pg_catalog.=) place.column_id;
        COMMIT;
    END LOOP;
    PERFORM vrm_private.reseal_contexts(target);
    COMMIT;
END
$$;
COMMENT ON PROCEDURE vrm.rotate_keys(integer) IS
    'makes a new key and seals every value of the sealed columns with it, in batches; call it again after a crash';
REVOKE EXECUTE ON PROCEDURE vrm.rotate_keys(integer) FROM PUBLIC;
