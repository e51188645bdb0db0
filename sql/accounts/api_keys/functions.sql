-- Keys of users for external services

CREATE OR REPLACE FUNCTION vrm_private.refuse_api_key(service text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'there is no API key for this service'
        USING ERRCODE = 'no_data_found',
              DETAIL = format('Service "%s".', left(service, 200)),
              HINT = 'SELECT * FROM vrm.list_api_keys();';
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_api_key(text) IS 'error of the functions that look for a key';
REVOKE EXECUTE ON FUNCTION vrm_private.refuse_api_key(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.store_key_of(owner uuid, service text, key vrm.secret, description text)
    RETURNS uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    stored uuid;
BEGIN
    IF service IS NULL OR key IS NULL THEN
        RAISE EXCEPTION 'an API key needs a service and a key'
            USING ERRCODE = 'null_value_not_allowed',
                  DETAIL = CASE WHEN service IS NULL THEN 'The service is null.' ELSE 'The key is null.' END,
                  HINT = 'SELECT vrm.store_api_key(''openai'', $1);';
    END IF;
    PERFORM vrm_private.check_text('service', service, 200, true),
            vrm_private.check_text('description', description, 2000, false);
    INSERT INTO vrm.api_keys AS k (user_id, id, service, key, key_hint, description)
    VALUES (owner, vrm.uuid7(), store_key_of.service, vrm.seal(store_key_of.key),
            vrm.secret_hint(store_key_of.key), store_key_of.description)
    ON CONFLICT (user_id, service) DO NOTHING
    RETURNING k.id INTO stored;
    IF stored IS NULL THEN
        RAISE EXCEPTION 'there is an API key for this service already'
            USING ERRCODE = 'unique_violation',
                  DETAIL = format('Service "%s".', left(service, 200)),
                  HINT = format('SELECT vrm.replace_api_key(%L, $1);', left(service, 200));
    END IF;
    RETURN stored;
END
$$;
COMMENT ON FUNCTION vrm_private.store_key_of(uuid, text, vrm.secret, text) IS 'keeps a key of a user, sealed';

CREATE OR REPLACE FUNCTION vrm.store_api_key(service text, key vrm.secret, description text DEFAULT NULL)
    RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.store_key_of(vrm_private.caller(), service, key, description)
$$;
COMMENT ON FUNCTION vrm.store_api_key(text, vrm.secret, text) IS
    'keeps the caller''s key for a service, sealed; pass it as a parameter, never as a literal';

CREATE OR REPLACE FUNCTION vrm.store_api_key(service text, key vrm.secret, description text, user_id uuid)
    RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.store_key_of(vrm_private.served(user_id), service, key, description)
$$;
COMMENT ON FUNCTION vrm.store_api_key(text, vrm.secret, text, uuid) IS
    'for services: keeps a user''s key for a service, sealed';

CREATE OR REPLACE FUNCTION vrm_private.open_key_of(owner uuid, service text) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    used vrm.api_keys;
BEGIN
    UPDATE vrm.api_keys k SET last_used_at = now()
    WHERE k.user_id = owner AND k.service = open_key_of.service
    RETURNING k.* INTO used;
    IF NOT FOUND THEN
        PERFORM vrm_private.refuse_api_key(service);
    END IF;
    INSERT INTO vrm.api_key_uses (user_id, id, api_key_id, service, used_by)
    VALUES (owner, vrm.uuid7(), used.id, open_key_of.service,
            coalesce(nullif(current_setting('role'), 'none'), session_user));
    RETURN vrm.reveal_row(used, 'key');
END
$$;
COMMENT ON FUNCTION vrm_private.open_key_of(uuid, text) IS 'opens a key of a user and leaves a row in vrm.api_key_uses';

CREATE OR REPLACE FUNCTION vrm.use_api_key(service text) RETURNS text
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.use_api_key(text)');
    SELECT vrm_private.open_key_of(vrm_private.caller(), service)
$$;
COMMENT ON FUNCTION vrm.use_api_key(text) IS
    'opens the caller''s key for a service and leaves a row in vrm.api_key_uses';

CREATE OR REPLACE FUNCTION vrm.use_api_key(service text, user_id uuid) RETURNS text
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.open_key_of(vrm_private.served(user_id), service)
$$;
COMMENT ON FUNCTION vrm.use_api_key(text, uuid) IS
    'for services: opens a user''s key for a service and leaves a row in vrm.api_key_uses';

CREATE OR REPLACE FUNCTION vrm.list_api_keys()
    RETURNS TABLE (service text, hint text, description text, created_at timestamptz, last_used_at timestamptz)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.service, '…' || k.key_hint, k.description, k.created_at, k.last_used_at
    FROM vrm.api_keys k
    WHERE k.user_id = vrm.uid()
    ORDER BY k.service
$$;
COMMENT ON FUNCTION vrm.list_api_keys() IS
    'the caller''s API keys: service, last four characters, when stored and last used';

CREATE OR REPLACE FUNCTION vrm.replace_api_key(service text, key vrm.secret) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF key IS NULL THEN
        RAISE EXCEPTION 'an API key needs a service and a key'
            USING ERRCODE = 'null_value_not_allowed', DETAIL = 'The key is null.',
                  HINT = 'SELECT vrm.delete_api_key(service);';
    END IF;
    UPDATE vrm.api_keys k
    SET key = vrm.seal(replace_api_key.key), key_hint = vrm.secret_hint(replace_api_key.key),
        created_at = now(), last_used_at = NULL
    WHERE k.user_id = vrm_private.caller() AND k.service = replace_api_key.service;
    IF NOT FOUND THEN
        PERFORM vrm_private.refuse_api_key(service);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.replace_api_key(text, vrm.secret) IS
    'puts another key in the place of the caller''s key for a service';

CREATE OR REPLACE FUNCTION vrm.delete_api_key(service text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM vrm.api_keys k
    WHERE k.user_id = vrm_private.caller() AND k.service = delete_api_key.service;
    IF NOT FOUND THEN
        PERFORM vrm_private.refuse_api_key(service);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.delete_api_key(text) IS 'deletes the caller''s key for a service';

REVOKE EXECUTE ON FUNCTION vrm_private.store_key_of(uuid, text, vrm.secret, text), vrm_private.open_key_of(uuid, text),
    vrm.store_api_key(text, vrm.secret, text, uuid), vrm.use_api_key(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.store_api_key(text, vrm.secret, text, uuid), vrm.use_api_key(text, uuid) TO service_role;
REVOKE EXECUTE ON FUNCTION vrm.store_api_key(text, vrm.secret, text), vrm.use_api_key(text),
    vrm.list_api_keys(), vrm.replace_api_key(text, vrm.secret), vrm.delete_api_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.store_api_key(text, vrm.secret, text),
    vrm.list_api_keys(), vrm.replace_api_key(text, vrm.secret), vrm.delete_api_key(text)
    TO authenticated, service_role;

-- A browser stores keys; what calls the service opens them.
-- With vrm_use_api_keys it opens the keys of who has signed in, and nothing else; vrm_reveal opens everything.
GRANT EXECUTE ON FUNCTION vrm.use_api_key(text) TO service_role, vrm_reveal, vrm_use_api_keys;
