-- Keys: the keyring, subjects' keys, destroying and shredding

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
