-- Keys: their state, rotating and destroying them ------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.keyring_status()
    RETURNS TABLE (key_id bigint, purpose text, state text, master_key_id text, usable boolean,
                   created_at timestamptz, destroyed_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.key_id, k.purpose, k.state, k.kek_id, k.wrapped IS NOT NULL AND vrm.key_usable(k.key_id),
           k.created_at, k.destroyed_at
    FROM vrm_private.keyring k
    ORDER BY k.created_at, k.key_id
$$;
COMMENT ON FUNCTION vrm_private.keyring_status() IS 'what vrm.keyring_status shows';
REVOKE EXECUTE ON FUNCTION vrm_private.keyring_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm_private.keyring_status() TO service_role;

CREATE OR REPLACE VIEW vrm.keyring_status WITH (security_invoker = true) AS
    SELECT * FROM vrm_private.keyring_status();
REVOKE ALL ON vrm.keyring_status FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.keyring_status TO service_role;
COMMENT ON VIEW vrm.keyring_status IS 'the keys of this database, and whether their master key is there';
COMMENT ON COLUMN vrm.keyring_status.key_id IS 'what vrm.key_of() of a value names';
COMMENT ON COLUMN vrm.keyring_status.purpose IS 'data: seals values; blind_index: keyed hashes';
COMMENT ON COLUMN vrm.keyring_status.state IS 'active: seals and opens; decrypt_only: opens; destroyed';
COMMENT ON COLUMN vrm.keyring_status.master_key_id IS 'the master key that wraps it';
COMMENT ON COLUMN vrm.keyring_status.usable IS 'the master key is there and right';
COMMENT ON COLUMN vrm.keyring_status.created_at IS 'when it was made or imported';
COMMENT ON COLUMN vrm.keyring_status.destroyed_at IS 'when it was destroyed';

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

CREATE OR REPLACE VIEW vrm.rotation_progress WITH (security_invoker = true) AS
    SELECT * FROM vrm_private.rotation_progress();
REVOKE ALL ON vrm.rotation_progress FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.rotation_progress TO service_role;
COMMENT ON VIEW vrm.rotation_progress IS 'how far CALL vrm.rotate_keys() has come, and how far earlier ones came';
COMMENT ON COLUMN vrm.rotation_progress.key_id IS 'the new key';
COMMENT ON COLUMN vrm.rotation_progress.table_name IS 'table of the sealed column';
COMMENT ON COLUMN vrm.rotation_progress.column_name IS 'the sealed column';
COMMENT ON COLUMN vrm.rotation_progress.rows_done IS 'rows sealed anew';
COMMENT ON COLUMN vrm.rotation_progress.rows_left IS 'rows that nobody can open, or a trigger holds';
COMMENT ON COLUMN vrm.rotation_progress.rows_estimated IS 'rows of the table, as ANALYZE last estimated';
COMMENT ON COLUMN vrm.rotation_progress.started_at IS 'when it began';
COMMENT ON COLUMN vrm.rotation_progress.updated_at IS 'when the last batch was committed';
COMMENT ON COLUMN vrm.rotation_progress.finished_at IS 'when no row was left; null while some are';

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

CREATE OR REPLACE FUNCTION vrm_private.count_needing(key_id bigint, rel regclass, column_name name) RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found bigint;
BEGIN
    EXECUTE format('SELECT count(*) FILTER (WHERE NOT %s) FROM %s t WHERE vrm.key_of(t.%I) = $1',
                   vrm_private.forgotten_condition(rel, column_name), rel, column_name)
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
        RAISE EXCEPTION 'a batch has at least one row'
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
END
$$;
COMMENT ON PROCEDURE vrm.rotate_keys(integer) IS
    'makes a new key and seals every value of the sealed columns with it, in batches; call it again after a crash';
REVOKE EXECUTE ON PROCEDURE vrm.rotate_keys(integer) FROM PUBLIC;

-- Sessions that may have sealed, or may yet seal, with a key that was switched off by `switched`.
CREATE OR REPLACE FUNCTION vrm_private.older_than(switched xid8) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT holder
    FROM (SELECT format('session %s', pid) AS holder,
                 greatest(age(backend_xmin), age(backend_xid)) AS age
          FROM pg_stat_activity
          WHERE pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'
          UNION ALL
          SELECT format('prepared transaction "%s"', gid), age(transaction) FROM pg_prepared_xacts
          UNION ALL
          SELECT format('replication slot "%s"', slot_name), age(xmin) FROM pg_replication_slots) AS open
    WHERE age >= age(switched::xid)
    ORDER BY age DESC
    LIMIT 1
$$;
COMMENT ON FUNCTION vrm_private.older_than(xid8) IS
    'a session or the like whose snapshot does not show this transaction; null when there is none';
REVOKE EXECUTE ON FUNCTION vrm_private.older_than(xid8) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.key_destroy(key_id bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    doomed vrm_private.keyring;
    holder text;
    place record;
    count bigint;
BEGIN
    LOCK TABLE vrm_private.keyring IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO doomed FROM vrm_private.keyring k WHERE k.key_id = key_destroy.key_id;
    IF doomed.state IS DISTINCT FROM 'decrypt_only' THEN
        RAISE EXCEPTION 'key % cannot be destroyed', key_destroy.key_id
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = CASE doomed.state WHEN 'active' THEN 'It is the active key.'
                                             WHEN 'destroyed' THEN 'It is destroyed already.'
                                             ELSE 'There is no such key.' END,
                  HINT = CASE doomed.state WHEN 'active' THEN 'CALL vrm.rotate_keys();'
                                           ELSE 'SELECT * FROM vrm.keyring_status;' END;
    END IF;

    holder := vrm_private.older_than(doomed.switched_xid);
    IF holder IS NOT NULL THEN
        RAISE EXCEPTION 'key % may still be in use', key_destroy.key_id
            USING ERRCODE = 'object_in_use',
                  DETAIL = format('A snapshot of %s is older than the switch to another key.', holder),
                  HINT = 'Try again when it has ended; SELECT * FROM '
                      || CASE WHEN holder LIKE 'session%' THEN 'pg_stat_activity WHERE backend_xmin IS NOT NULL;'
                              WHEN holder LIKE 'prepared%' THEN 'pg_prepared_xacts;'
                              ELSE 'pg_replication_slots;' END;
    END IF;

    FOR place IN
        SELECT relation, column_name FROM vrm_private.sealed_triggers()
        UNION
        SELECT a.attrelid::regclass, a.attname
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'm', 'p') AND NOT c.relispartition
        WHERE a.atttypid = to_regtype('vrm.sealed') AND NOT a.attisdropped
        ORDER BY 1, 2
    LOOP
        count := vrm_private.count_needing(key_destroy.key_id, place.relation, place.column_name);
        IF count > 0 THEN
            RAISE EXCEPTION 'key % is still needed', key_destroy.key_id
                USING ERRCODE = 'object_in_use',
                      DETAIL = format('%s values of column "%s" of %s are sealed with it.',
                                      count, place.column_name, place.relation),
                      HINT = 'CALL vrm.rotate_keys(); what it cannot open is to be mended or set to null, '
                             'and values outside sealed columns are for vrm.reseal()';
        END IF;
    END LOOP;

    UPDATE vrm_private.keyring k
    SET state = 'destroyed', wrapped = NULL, destroyed_at = now()
    WHERE k.key_id = key_destroy.key_id;
END
$$;
COMMENT ON FUNCTION vrm.key_destroy(bigint) IS
    'destroys a key once no row and no snapshot needs it';
REVOKE EXECUTE ON FUNCTION vrm.key_destroy(bigint) FROM PUBLIC;

-- Users who are to be forgotten ------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm.shred_subject(subject uuid) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH shredded AS (
        DELETE FROM vrm_private.subject_keys s WHERE s.subject = shred_subject.subject RETURNING 1)
    SELECT EXISTS (SELECT FROM shredded)
$$;
COMMENT ON FUNCTION vrm.shred_subject(uuid) IS
    'makes all sealed values of a user unreadable, here and on replicas; false when there were none';
REVOKE EXECUTE ON FUNCTION vrm.shred_subject(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.shred_subject(uuid) TO service_role;

CREATE OR REPLACE FUNCTION vrm_private.shred_deleted_user() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.shred_subject(OLD.id);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.shred_deleted_user() IS 'trigger of user_profiles: no key outlives its user';
REVOKE EXECUTE ON FUNCTION vrm_private.shred_deleted_user() FROM PUBLIC;
