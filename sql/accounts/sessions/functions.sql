-- Sessions and the tokens they issue

CREATE OR REPLACE FUNCTION vrm_private.token_key(OUT kid text, OUT private_key text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made record;
    known record;
    plain vrm.secret;
BEGIN
    SELECT k.kid, k.private_key AS sealed INTO known
    FROM vrm_private.token_keys k ORDER BY k.created_at DESC LIMIT 1;
    -- Several who come first at once make one each, and all are good: waiting for each other they would wait for
    -- a guesser's transaction, too.
    IF known.kid IS NULL THEN
        made := vrm.token_key_pair();
        plain := made.private_key;
        INSERT INTO vrm_private.token_keys (kid, private_key)
        VALUES (made.kid, vrm.seal(plain, convert_to(made.kid, 'UTF8')));
        PERFORM vrm.jwk_import(jsonb_build_object('keys', jsonb_build_array(made.public_key)), 'vrm', 'authenticated');
        kid := made.kid;
        private_key := made.private_key;
    ELSE
        kid := known.kid;
        private_key := vrm.reveal(known.sealed, convert_to(known.kid, 'UTF8'));
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.token_key() IS 'the key that signs access tokens; made at the first sign-in';

CREATE OR REPLACE FUNCTION vrm_private.uuid_in_token(token text, part integer) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN split_part(token, '.', part) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                THEN split_part(token, '.', part)::uuid END
$$;
COMMENT ON FUNCTION vrm_private.uuid_in_token(text, integer) IS 'an id in a token; null when there is none';

CREATE OR REPLACE FUNCTION vrm_private.access_token(user_id uuid, session_id uuid, aal text, act_as uuid DEFAULT NULL)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key record := vrm_private.token_key();
    claims jsonb;
BEGIN
    SELECT jsonb_build_object('iss', 'vrm', 'aud', 'authenticated', 'sub', p.id, 'role', 'authenticated',
                              'email', p.email, 'user_role', p.role, 'aal', access_token.aal,
                              'session_id', access_token.session_id, 'is_anonymous', false,
                              'iat', floor(extract(epoch FROM clock_timestamp())),
                              'exp', floor(extract(epoch FROM clock_timestamp())) + 900)
           || CASE WHEN act_as IS NULL THEN '{}' ELSE jsonb_build_object('act_as', act_as) END
    INTO claims FROM vrm.user_profiles p WHERE p.id = access_token.user_id;
    RETURN vrm.sign_jwt(key.private_key, key.kid, claims::text);
END
$$;
COMMENT ON FUNCTION vrm_private.access_token(uuid, uuid, text, uuid) IS 'a token for vrm.login(), good for 15 minutes';

CREATE OR REPLACE FUNCTION vrm_private.refresh_token(user_id uuid, session_id uuid, counter bigint, secret text)
    RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    token text := concat_ws('.', refresh_token.user_id, refresh_token.session_id, refresh_token.counter, secret);
BEGIN
    INSERT INTO vrm_private.refresh_tokens (user_id, session_id, counter, token_hash)
    VALUES (refresh_token.user_id, refresh_token.session_id, refresh_token.counter, sha256(convert_to(token, 'UTF8')))
    ON CONFLICT DO NOTHING;
    RETURN token;
END
$$;
COMMENT ON FUNCTION vrm_private.refresh_token(uuid, uuid, bigint, text) IS
    'a refresh token of a session, kept as its hash';

-- A token counts while its device is remembered: not after the password has changed, not for longer than 90 days
-- after it was last used to sign in, and not when twenty others have been since.
CREATE OR REPLACE FUNCTION vrm_private.known_device(address text, device_token text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT device_token
    FROM auth.users u
    JOIN vrm_private.devices d ON d.user_id = u.id AND d.id = vrm.lockout_device(device_token, address)
    WHERE lower(u.email) = address AND d.expires_at > clock_timestamp()
      AND d.password_generation = coalesce(vrm_private.password_generation(u.id), '')
    LIMIT 1
$$;
COMMENT ON FUNCTION vrm_private.known_device(text, text) IS
    'the token, when the device is one of that person; else null';

CREATE OR REPLACE FUNCTION vrm_private.remember_device(user_id uuid, device uuid) RETURNS uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known uuid;
BEGIN
    INSERT INTO vrm_private.devices AS d (user_id, id, password_generation, expires_at)
    VALUES (remember_device.user_id, coalesce(device, gen_random_uuid()),
            coalesce(vrm_private.password_generation(remember_device.user_id), ''),
            clock_timestamp() + '90 days'::interval)
    ON CONFLICT ON CONSTRAINT devices_pkey DO UPDATE
    SET password_generation = EXCLUDED.password_generation, expires_at = EXCLUDED.expires_at
    RETURNING d.id INTO known;
    DELETE FROM vrm_private.devices d
    WHERE d.user_id = remember_device.user_id
      AND d.id IN (SELECT o.id FROM vrm_private.devices o WHERE o.user_id = remember_device.user_id
                   ORDER BY o.expires_at DESC, o.id OFFSET 20);
    RETURN known;
END
$$;
COMMENT ON FUNCTION vrm_private.remember_device(uuid, uuid) IS
    'notes where somebody has signed in, on a device of before or a new one; of each person the last twenty';

CREATE OR REPLACE FUNCTION vrm_private.forget_devices() RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM vrm_private.devices d WHERE d.expires_at < now()
$$;
COMMENT ON FUNCTION vrm_private.forget_devices() IS 'part of maintenance: devices that nobody has used for 90 days';
REVOKE EXECUTE ON FUNCTION vrm_private.known_device(text, text), vrm_private.remember_device(uuid, uuid),
    vrm_private.forget_devices() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.start_session(user_id uuid, aal text, client_ip inet, user_agent text,
                                                     device uuid)
    RETURNS vrm.sign_in_result
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result vrm.sign_in_result;
    address text;
BEGIN
    INSERT INTO vrm_private.sessions (user_id, aal, client_ip, user_agent)
    VALUES (start_session.user_id, start_session.aal, start_session.client_ip, left(start_session.user_agent, 500))
    RETURNING id INTO result.session_id;
    UPDATE auth.users SET last_sign_in_at = clock_timestamp() WHERE id = start_session.user_id;
    UPDATE vrm.user_profiles
    SET last_login = clock_timestamp(), login_attempts = 0, locked_until = NULL
    WHERE id = start_session.user_id
    RETURNING email INTO address;
    -- In the journal, because a guess that was right is what a guesser would rather see undone.
    PERFORM vrm.audit_journal('signed in', jsonb_build_object(
        'user_id', start_session.user_id, 'aal', start_session.aal, 'session_id', result.session_id));
    result.status := 'ok';
    result.user_id := start_session.user_id;
    result.access_token := vrm_private.access_token(start_session.user_id, result.session_id, start_session.aal);
    result.refresh_token := vrm_private.refresh_token(start_session.user_id, result.session_id, 0,
                                                      vrm.random_base32(32));
    result.device_token := vrm.lockout_device_token(
        lower(btrim(address)), vrm_private.remember_device(start_session.user_id, start_session.device));
    RETURN result;
END
$$;
COMMENT ON FUNCTION vrm_private.start_session(uuid, text, inet, text, uuid) IS
    'what every successful sign-in ends with';

-- Ends a session where no ROLLBACK reaches, for as long as a refresh token could live.
CREATE OR REPLACE FUNCTION vrm_private.end_session(session_id uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.lockout_lock('session', end_session.session_id::text, clock_timestamp() + '30 days'::interval);
    UPDATE vrm_private.sessions SET revoked_at = clock_timestamp()
    WHERE id = end_session.session_id AND revoked_at IS NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.end_session(uuid) IS
    'no token of the session refreshes it any more, whatever is rolled back';

CREATE OR REPLACE FUNCTION vrm.session_refresh(refresh_token text) RETURNS vrm.sign_in_result
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    whose CONSTANT uuid := vrm_private.uuid_in_token(session_refresh.refresh_token, 1);
    which CONSTANT uuid := vrm_private.uuid_in_token(session_refresh.refresh_token, 2);
    given record;
    state record;
    result vrm.sign_in_result;
BEGIN
    PERFORM vrm_private.token_key();  -- where there is none to sign with, the token is not spent
    SELECT t.user_id, t.session_id, t.counter, s.aal,
           s.revoked_at IS NULL AND s.refreshed_at > clock_timestamp() - '30 days'::interval AS alive,
           (SELECT max(n.counter) FROM vrm_private.refresh_tokens n
            WHERE n.user_id = t.user_id AND n.session_id = t.session_id) AS newest
    INTO given
    FROM vrm_private.refresh_tokens t
    JOIN vrm_private.sessions s ON s.user_id = t.user_id AND s.id = t.session_id
    WHERE t.user_id = whose AND t.session_id = which
      AND t.token_hash = sha256(convert_to(session_refresh.refresh_token, 'UTF8'));
    SELECT s.may, s.locked_until INTO state FROM vrm_private.account_state(given.user_id) s;
    IF given.session_id IS NULL OR NOT given.alive OR state.may IS NOT TRUE THEN
        RETURN vrm_private.refused('invalid', NULL);
    ELSIF state.locked_until IS NOT NULL THEN
        RETURN vrm_private.refused('locked', state.locked_until);
    END IF;
    CASE vrm.session_rotate(given.session_id::text, given.counter, given.newest)
        WHEN 'first', 'again' THEN
            NULL;
        WHEN 'reused' THEN
            -- It was stolen, by this caller or from whoever had it.
            PERFORM vrm_private.end_session(given.session_id),
                    vrm.audit_journal('refresh token used twice', jsonb_build_object(
                        'user_id', given.user_id, 'session_id', given.session_id));
            RETURN vrm_private.refused('invalid', NULL);
        ELSE
            RETURN vrm_private.refused('invalid', NULL);
    END CASE;
    UPDATE vrm_private.sessions SET refreshed_at = clock_timestamp()
    WHERE user_id = given.user_id AND id = given.session_id;
    result.status := 'ok';
    result.user_id := given.user_id;
    result.session_id := given.session_id;
    result.access_token := vrm_private.access_token(given.user_id, given.session_id, given.aal);
    result.refresh_token := vrm_private.refresh_token(given.user_id, given.session_id, given.counter + 1,
                                                      vrm.session_successor(session_refresh.refresh_token));
    RETURN result;
END
$$;
COMMENT ON FUNCTION vrm.session_refresh(text) IS
    'new tokens for a refresh token; the same within ten seconds, afterwards a second use ends the session for good';

CREATE OR REPLACE FUNCTION vrm.session_revoke(session_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    operator boolean := vrm_private.is_operator();
BEGIN
    PERFORM FROM vrm_private.sessions s
    WHERE s.id = session_revoke.session_id AND s.revoked_at IS NULL AND (s.user_id = vrm.actor() OR operator);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM vrm_private.end_session(session_revoke.session_id);
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.session_revoke(uuid) IS
    'ends one of the caller''s sessions, for administrators anybody''s; false when there is none';

CREATE OR REPLACE FUNCTION vrm.session_revoke_all(user_id uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ended integer;
BEGIN
    IF session_revoke_all.user_id IS DISTINCT FROM vrm.actor() AND NOT vrm_private.is_operator() THEN
        RAISE EXCEPTION 'permission denied to end the sessions of somebody else'
            USING ERRCODE = 'insufficient_privilege', HINT = 'Ask an administrator of the application.';
    END IF;
    SELECT count(vrm_private.end_session(s.id)) INTO ended
    FROM vrm_private.sessions s WHERE s.user_id = session_revoke_all.user_id AND s.revoked_at IS NULL;
    RETURN ended;
END
$$;
COMMENT ON FUNCTION vrm.session_revoke_all(uuid) IS 'ends all sessions of a user and returns how many';
REVOKE EXECUTE ON FUNCTION
    vrm_private.token_key(),
    vrm_private.access_token(uuid, uuid, text, uuid),
    vrm_private.refresh_token(uuid, uuid, bigint, text),
    vrm_private.start_session(uuid, text, inet, text, uuid),
    vrm_private.uuid_in_token(text, integer),
    vrm_private.end_session(uuid),
    vrm.session_refresh(text),
    vrm.session_revoke(uuid),
    vrm.session_revoke_all(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.session_refresh(text) TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION vrm.session_revoke(uuid), vrm.session_revoke_all(uuid) TO authenticated, service_role;
