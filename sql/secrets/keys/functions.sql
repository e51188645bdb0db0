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

CREATE OR REPLACE FUNCTION vrm.key_destroy(key_id bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    doomed vrm_private.keyring;
    place record;
    count bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a key cannot be destroyed in a % transaction', current_setting('transaction_isolation')
            USING ERRCODE = 'active_sql_transaction',
                  DETAIL = 'It would not see what others have sealed meanwhile.',
                  HINT = format('BEGIN ISOLATION LEVEL READ COMMITTED; SELECT vrm.key_destroy(%s); COMMIT;',
                                key_destroy.key_id);
    END IF;
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

    -- Whoever seals locks the key.  When it is free their rows are committed, and what counts them sees all.
    IF NOT vrm.key_lock(key_destroy.key_id) THEN
        RAISE EXCEPTION 'key % may still be in use', key_destroy.key_id
            USING ERRCODE = 'object_in_use',
                  DETAIL = 'A transaction that has sealed with it has not ended.',
                  HINT = 'Try again when it has; SELECT * FROM pg_locks WHERE locktype = ''object'''
                         ' AND classid = ''vrm_private.keyring''::regclass;';
    END IF;

    FOR place IN
        SELECT relation, column_name FROM vrm_private.sealed_triggers()
        UNION
        SELECT relation, column_name FROM vrm_private.sealed_places()
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
    'destroys a key once no row needs it, nor a transaction that has sealed with it';
REVOKE EXECUTE ON FUNCTION vrm.key_destroy(bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.shred_subject(subject uuid) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.shred_subject(uuid)');
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
    DELETE FROM vrm_private.subject_keys s WHERE s.subject = OLD.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.shred_deleted_user() IS 'trigger of user_profiles: no key outlives its user';
REVOKE EXECUTE ON FUNCTION vrm_private.shred_deleted_user() FROM PUBLIC;
