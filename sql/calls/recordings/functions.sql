-- Recordings of calls, and their leaving the object store

CREATE OR REPLACE FUNCTION vrm_private.register_recording_of(
    owner uuid, run_id uuid, object_key text, bytes bigint, sha256 bytea
)
    RETURNS uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    registered uuid;
BEGIN
    IF num_nulls(run_id, object_key, bytes, sha256) > 0 THEN
        RAISE EXCEPTION 'a recording needs a call, an object, a size and a SHA-256'
            USING ERRCODE = 'null_value_not_allowed', DETAIL = 'One of them is null.',
                  HINT = 'SELECT vrm.register_recording(run_id, ''recordings/1.ogg'', 48213, sha256(content));';
    END IF;
    PERFORM vrm_private.check_text('object_key', object_key, 1024, true);
    IF bytes < 0 OR length(sha256) <> 32 THEN
        RAISE EXCEPTION 'a recording has a size that is not negative and a SHA-256 of 32 bytes'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got a size of %s and %s bytes of SHA-256.', bytes, length(sha256)),
                  HINT = 'SELECT vrm.register_recording(run_id, ''recordings/1.ogg'', 48213, sha256(content));';
    END IF;
    INSERT INTO vrm.call_recordings AS c (user_id, id, run_id, object_key, bytes, sha256, data_key)
    VALUES (owner, vrm.uuid7(), register_recording_of.run_id, register_recording_of.object_key,
            register_recording_of.bytes, register_recording_of.sha256, vrm.seal_random())
    RETURNING c.id INTO registered;
    RETURN registered;
EXCEPTION
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'the call does not exist'
            USING ERRCODE = 'no_data_found',
                  DETAIL = format('Call "%s".', run_id),
                  HINT = 'SELECT id FROM vrm.test_runs;';
END
$$;
COMMENT ON FUNCTION vrm_private.register_recording_of(uuid, uuid, text, bigint, bytea) IS
    'notes where the recording of a user''s call is stored and makes a key to encrypt it with';

CREATE OR REPLACE FUNCTION vrm.register_recording(run_id uuid, object_key text, bytes bigint, sha256 bytea)
    RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.register_recording_of(vrm_private.caller(), run_id, object_key, bytes, sha256)
$$;
COMMENT ON FUNCTION vrm.register_recording(uuid, text, bigint, bytea) IS
    'notes where the recording of a caller''s call is stored and makes a key to encrypt it with';

CREATE OR REPLACE FUNCTION vrm.register_recording(
    run_id uuid, object_key text, bytes bigint, sha256 bytea, user_id uuid
)
    RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.register_recording_of(vrm_private.served(user_id), run_id, object_key, bytes, sha256)
$$;
COMMENT ON FUNCTION vrm.register_recording(uuid, text, bigint, bytea, uuid) IS
    'for services: notes where the recording of a user''s call is stored and makes a key to encrypt it with';

CREATE OR REPLACE FUNCTION vrm_private.recording_key_of(owner uuid, recording_id uuid) RETURNS bytea
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key text := (SELECT vrm.reveal_row(r, 'data_key') FROM vrm.call_recordings r
                 WHERE r.user_id = owner AND r.id = recording_id);
BEGIN
    IF key IS NULL THEN
        RAISE EXCEPTION 'the recording does not exist'
            USING ERRCODE = 'no_data_found',
                  DETAIL = format('Recording "%s".', recording_id),
                  HINT = 'SELECT id, object_key FROM vrm.call_recordings;';
    END IF;
    RETURN decode(key, 'base64');
END
$$;
COMMENT ON FUNCTION vrm_private.recording_key_of(uuid, uuid) IS 'the key of a recording of a user''s';

CREATE OR REPLACE FUNCTION vrm.recording_key(recording_id uuid) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.recording_key_of(vrm_private.reader(), recording_id)
$$;
COMMENT ON FUNCTION vrm.recording_key(uuid) IS
    'the 32 bytes that a recording of the caller''s is encrypted with, for AES-256-GCM or the like';

CREATE OR REPLACE FUNCTION vrm.recording_key(recording_id uuid, user_id uuid) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.recording_key_of(vrm_private.served(user_id), recording_id)
$$;
COMMENT ON FUNCTION vrm.recording_key(uuid, uuid) IS
    'for services: the 32 bytes that a recording of a user''s is encrypted with';

REVOKE EXECUTE ON FUNCTION vrm_private.register_recording_of(uuid, uuid, text, bigint, bytea),
    vrm_private.recording_key_of(uuid, uuid), vrm.register_recording(uuid, text, bigint, bytea, uuid),
    vrm.recording_key(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.register_recording(uuid, text, bigint, bytea, uuid), vrm.recording_key(uuid, uuid)
    TO service_role;
REVOKE EXECUTE ON FUNCTION vrm.register_recording(uuid, text, bigint, bytea), vrm.recording_key(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.register_recording(uuid, text, bigint, bytea), vrm.recording_key(uuid)
    TO authenticated, service_role;

CREATE OR REPLACE FUNCTION vrm_private.queue_purges() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vrm_private.object_purges (user_id, object_key) SELECT g.user_id, g.object_key FROM gone g;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.queue_purges() IS
    'trigger: objects of deleted recordings are to be deleted';

CREATE OR REPLACE FUNCTION vrm.claim_purges(n integer DEFAULT 100)
    RETURNS TABLE (id bigint, object_key text)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.claim_purges(integer)');
    UPDATE vrm_private.object_purges p
    SET claimed_until = now() + interval '5 minutes', attempts = p.attempts + 1
    WHERE p.id = ANY (ARRAY(SELECT q.id FROM vrm_private.object_purges q
                            WHERE q.claimed_until IS NULL OR q.claimed_until < now()
                            ORDER BY q.id LIMIT greatest(n, 0) FOR UPDATE SKIP LOCKED))
    RETURNING p.id, p.object_key
$$;
COMMENT ON FUNCTION vrm.claim_purges(integer) IS
    'gives so many objects to delete to one client, for five minutes';

CREATE OR REPLACE FUNCTION vrm.confirm_purge(id bigint) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.confirm_purge(bigint)');
    WITH gone AS (DELETE FROM vrm_private.object_purges p WHERE p.id = confirm_purge.id RETURNING 1)
    SELECT EXISTS (SELECT FROM gone)
$$;
COMMENT ON FUNCTION vrm.confirm_purge(bigint) IS
    'the object is deleted from the object store; false when that was confirmed before';

REVOKE EXECUTE ON FUNCTION vrm_private.queue_purges(), vrm.claim_purges(integer), vrm.confirm_purge(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.claim_purges(integer), vrm.confirm_purge(bigint) TO service_role;
