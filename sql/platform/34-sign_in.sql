-- Signing up and in, sessions ----------------------------------------------------------------------

CREATE TYPE vrm.sign_in_result AS (
    status vrm.sign_in_status,
    user_id uuid,
    session_id uuid,
    access_token text,
    refresh_token text,
    device_token text,
    mfa_ticket text,
    retry_after interval
);
COMMENT ON TYPE vrm.sign_in_result IS 'answer to a sign-in; a failure is a status, never an error';
COMMENT ON COLUMN vrm.sign_in_result.status IS 'what came of it';
COMMENT ON COLUMN vrm.sign_in_result.user_id IS 'who it is, with status ok';
COMMENT ON COLUMN vrm.sign_in_result.session_id IS 'the session, with status ok';
COMMENT ON COLUMN vrm.sign_in_result.access_token IS 'for vrm.login(), 15 minutes';
COMMENT ON COLUMN vrm.sign_in_result.refresh_token IS 'for vrm.session_refresh(), once, within 30 days';
COMMENT ON COLUMN vrm.sign_in_result.device_token IS 'keep it on the device: its attempts are counted apart';
COMMENT ON COLUMN vrm.sign_in_result.mfa_ticket IS 'for vrm.sign_in_mfa(), with status mfa_required';
COMMENT ON COLUMN vrm.sign_in_result.retry_after IS 'with status locked or throttled';

CREATE TABLE IF NOT EXISTS vrm_private.token_keys (
    kid text PRIMARY KEY,
    private_key vrm.sealed NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vrm_private.token_keys IS 'keys that sign our access tokens; the newest one does';
COMMENT ON COLUMN vrm_private.token_keys.kid IS 'id of the key, in vrm_private.jwt_keys, too';
COMMENT ON COLUMN vrm_private.token_keys.private_key IS 'the key in PEM, sealed with its kid as context';
COMMENT ON COLUMN vrm_private.token_keys.created_at IS 'when it was made';

CREATE TABLE IF NOT EXISTS vrm_private.sessions (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    aal text NOT NULL CONSTRAINT aal_is_known CHECK (aal IN ('aal1', 'aal2')),
    client_ip inet,
    user_agent text CONSTRAINT user_agent_length CHECK (length(user_agent) <= 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm_private.sessions ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm_private.sessions IS 'who is signed in; refreshed or gone within 30 days';
COMMENT ON COLUMN vrm_private.sessions.user_id IS 'whose';
COMMENT ON COLUMN vrm_private.sessions.id IS 'the session, claim session_id of its tokens';
COMMENT ON COLUMN vrm_private.sessions.aal IS 'aal1 after a password, aal2 after a second factor';
COMMENT ON COLUMN vrm_private.sessions.client_ip IS 'where from';
COMMENT ON COLUMN vrm_private.sessions.user_agent IS 'with what';
COMMENT ON COLUMN vrm_private.sessions.created_at IS 'since when';
COMMENT ON COLUMN vrm_private.sessions.refreshed_at IS 'when its refresh token was last used';
COMMENT ON COLUMN vrm_private.sessions.revoked_at IS 'when it was ended; null while it lives';

CREATE TABLE IF NOT EXISTS vrm_private.refresh_tokens (
    user_id uuid NOT NULL,
    session_id uuid NOT NULL,
    counter bigint NOT NULL,
    token_hash bytea NOT NULL CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    PRIMARY KEY (user_id, session_id, counter),
    FOREIGN KEY (user_id, session_id) REFERENCES vrm_private.sessions (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE vrm_private.refresh_tokens IS
    'refresh tokens given out; used ones stay, so that a second use is noticed';
COMMENT ON COLUMN vrm_private.refresh_tokens.user_id IS 'whose';
COMMENT ON COLUMN vrm_private.refresh_tokens.session_id IS 'of which session';
COMMENT ON COLUMN vrm_private.refresh_tokens.counter IS 'how many came before it';
COMMENT ON COLUMN vrm_private.refresh_tokens.token_hash IS 'SHA-256 of the token, which is kept nowhere';

REVOKE ALL ON vrm_private.token_keys, vrm_private.sessions, vrm_private.refresh_tokens
    FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.token_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.refresh_tokens ENABLE ROW LEVEL SECURITY;

-- What must fail, fails before a secret is looked at ----------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.require_own_passwords() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('auth.identities') IS NOT NULL THEN
        RAISE EXCEPTION 'passwords belong to Supabase Auth here'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Schema "auth" is that of Supabase, whose own service keeps and checks passwords.',
                  HINT = 'Sign in through Supabase Auth; vrm.hook_password_verification_attempt is its hook.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.require_own_passwords() IS 'refuses where Supabase Auth keeps the passwords';

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
    IF known.kid IS NULL THEN
        LOCK TABLE vrm_private.token_keys IN SHARE ROW EXCLUSIVE MODE;
        SELECT k.kid, k.private_key AS sealed INTO known
        FROM vrm_private.token_keys k ORDER BY k.created_at DESC LIMIT 1;
    END IF;
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

-- Sessions ----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.uuid_in_token(token text, part integer) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN split_part(token, '.', part) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                THEN split_part(token, '.', part)::uuid END
$$;
COMMENT ON FUNCTION vrm_private.uuid_in_token(text, integer) IS 'an id in a token; null when there is none';

CREATE OR REPLACE FUNCTION vrm_private.access_token(user_id uuid, session_id uuid, aal text) RETURNS text
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
    INTO claims FROM vrm.user_profiles p WHERE p.id = access_token.user_id;
    RETURN vrm.sign_jwt(key.private_key, key.kid, claims::text);
END
$$;
COMMENT ON FUNCTION vrm_private.access_token(uuid, uuid, text) IS 'a token for vrm.login(), good for 15 minutes';

CREATE OR REPLACE FUNCTION vrm_private.refresh_token(user_id uuid, session_id uuid, counter bigint) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    token text := concat_ws('.', refresh_token.user_id, refresh_token.session_id, refresh_token.counter,
                            vrm.random_base32(32));
BEGIN
    INSERT INTO vrm_private.refresh_tokens (user_id, session_id, counter, token_hash)
    VALUES (refresh_token.user_id, refresh_token.session_id, refresh_token.counter, sha256(convert_to(token, 'UTF8')));
    RETURN token;
END
$$;
COMMENT ON FUNCTION vrm_private.refresh_token(uuid, uuid, bigint) IS 'the next refresh token of a session';

CREATE OR REPLACE FUNCTION vrm_private.start_session(user_id uuid, aal text, client_ip inet, user_agent text)
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
    PERFORM vrm.audit_event('signed in', jsonb_build_object('user_id', start_session.user_id, 'aal', start_session.aal,
                                                            'session_id', result.session_id));
    result.status := 'ok';
    result.user_id := start_session.user_id;
    result.access_token := vrm_private.access_token(start_session.user_id, result.session_id, start_session.aal);
    result.refresh_token := vrm_private.refresh_token(start_session.user_id, result.session_id, 0);
    result.device_token := vrm.lockout_device_token(lower(btrim(address)));
    RETURN result;
END
$$;
COMMENT ON FUNCTION vrm_private.start_session(uuid, text, inet, text) IS 'what every successful sign-in ends with';

CREATE OR REPLACE FUNCTION vrm_private.refused(status text, until timestamptz) RETURNS vrm.sign_in_result
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT status::vrm.sign_in_status, NULL::uuid, NULL::uuid, NULL::text, NULL::text, NULL::text, NULL::text,
           CASE WHEN status IN ('locked', 'throttled')
                THEN CASE WHEN until > clock_timestamp() AND isfinite(until) THEN until - clock_timestamp()
                          WHEN until > clock_timestamp() THEN '30 days'::interval
                          ELSE '1 second'::interval END
           END
$$;
COMMENT ON FUNCTION vrm_private.refused(text, timestamptz) IS 'the answer to an attempt that failed';

-- Ends a session where no ROLLBACK reaches, for as long as a refresh token could live.
CREATE OR REPLACE FUNCTION vrm_private.end_session(session_id uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.lockout_lock('session', end_session.session_id::text, clock_timestamp() + '31 days'::interval);
    UPDATE vrm_private.sessions SET revoked_at = clock_timestamp()
    WHERE id = end_session.session_id AND revoked_at IS NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.end_session(uuid) IS
    'no token of the session refreshes it any more, whatever is rolled back';

-- What people call ---------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.require_strength(password vrm.secret) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(vrm.secret_length(password), 0) < 8 THEN
        RAISE EXCEPTION 'the password is too short'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'A password has 8 characters at least.',
                  HINT = 'Choose a longer one; several words are easy to remember.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.require_strength(vrm.secret) IS 'refuses passwords that are too short';

CREATE OR REPLACE FUNCTION vrm.sign_up(email text, password vrm.secret, full_name text DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    address text := lower(btrim(email));
    made uuid;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    PERFORM vrm_private.require_strength(password);
    IF address IS NULL OR address !~ '^[^@\s]+@[^@\s]+$' OR length(address) > 254 THEN
        RAISE EXCEPTION 'the address is not valid'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give it as somebody@example.org.';
    END IF;
    INSERT INTO auth.users (id, email, encrypted_password, raw_user_meta_data)
    VALUES (vrm.uuid7(), address, vrm.password_hash(password),
            jsonb_strip_nulls(jsonb_build_object('full_name', left(full_name, 200))))
    ON CONFLICT DO NOTHING
    RETURNING id INTO made;
    -- To say that an address is taken would say who has an account.
    RETURN coalesce(made, vrm.uuid7());
END
$$;
COMMENT ON FUNCTION vrm.sign_up(text, vrm.secret, text) IS
    'makes an account; for an address that is taken the answer is the same, and nothing is made';

CREATE OR REPLACE FUNCTION vrm.sign_in(email text, password vrm.secret, totp text DEFAULT NULL,
                                       client_ip inet DEFAULT NULL, user_agent text DEFAULT NULL,
                                       device_token text DEFAULT NULL)
    RETURNS vrm.sign_in_result
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    address text := lower(btrim(email));
    -- A hash of nothing that anybody knows, at the same cost.
    dummy CONSTANT text := '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$'
                           || 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    reserved record;
    account record;
    good boolean := false;
    verdict text;
    result vrm.sign_in_result;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    PERFORM vrm_private.token_key();  -- what is missing shall be missing before the password counts
    reserved := vrm.lockout_reserve('password', address, vrm_private.network_of(client_ip), device_token);
    IF reserved.status <> 'ok' THEN
        RETURN vrm_private.refused(reserved.status, reserved.until);
    END IF;

    SELECT u.id, u.encrypted_password AS hash, p.mfa_enabled,
           u.deleted_at IS NULL AND p.deleted_at IS NULL AND coalesce(u.banned_until <= clock_timestamp(), true) AS may
    INTO account
    FROM auth.users u JOIN vrm.user_profiles p ON p.id = u.id
    WHERE lower(u.email) = address AND NOT u.is_sso_user;
    BEGIN
        good := vrm.password_matches(coalesce(account.hash, dummy), password);
    EXCEPTION
        WHEN invalid_parameter_value THEN
            RAISE LOG 'the password hash of user "%" cannot be used', account.id;
    END;
    good := coalesce(good AND account.may, false);
    verdict := vrm.lockout_settle(reserved.ticket, good);
    IF NOT good THEN
        PERFORM vrm_private.journal_failure('password', verdict, jsonb_build_object(
            'user_id', account.id, 'key', (vrm.lockout_ticket(reserved.ticket)).key, 'client_ip', client_ip));
        IF verdict = 'locked' THEN
            PERFORM vrm_private.show_lock(address);
        END IF;
        RETURN vrm_private.refused(verdict, (vrm.lockout_state('password', address)).until);
    END IF;

    IF vrm.password_is_outdated(account.hash) THEN
        UPDATE auth.users SET encrypted_password = vrm.password_hash(password) WHERE id = account.id;
    END IF;
    IF account.mfa_enabled AND totp IS NULL THEN
        result.status := 'mfa_required';
        result.mfa_ticket := vrm_private.mfa_ticket(account.id, user_agent);
        RETURN result;
    ELSIF account.mfa_enabled THEN
        verdict := vrm_private.check_code(account.id, totp);
        IF verdict <> 'ok' THEN
            RETURN vrm_private.refused(verdict, NULL);
        END IF;
    END IF;
    RETURN vrm_private.start_session(account.id, CASE WHEN account.mfa_enabled THEN 'aal2' ELSE 'aal1' END,
                                     client_ip, user_agent);
END
$$;
COMMENT ON FUNCTION vrm.sign_in(text, vrm.secret, text, inet, text, text) IS
    'a session with its tokens, or the status that says why not; unknown users are answered like known ones';

CREATE OR REPLACE FUNCTION vrm.session_refresh(refresh_token text) RETURNS vrm.sign_in_result
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key record := vrm_private.token_key();
    given record;
    result vrm.sign_in_result;
BEGIN
    SELECT t.user_id, t.session_id, t.counter, s.aal,
           s.revoked_at IS NULL AND s.refreshed_at > clock_timestamp() - '30 days'::interval AS alive,
           p.deleted_at IS NULL AND coalesce(u.banned_until <= clock_timestamp(), true) AS may
    INTO given
    FROM vrm_private.refresh_tokens t
    JOIN vrm_private.sessions s ON s.user_id = t.user_id AND s.id = t.session_id
    JOIN vrm.user_profiles p ON p.id = t.user_id JOIN auth.users u ON u.id = t.user_id
    WHERE t.user_id = vrm_private.uuid_in_token(session_refresh.refresh_token, 1)
      AND t.session_id = vrm_private.uuid_in_token(session_refresh.refresh_token, 2)
      AND t.token_hash = sha256(convert_to(session_refresh.refresh_token, 'UTF8'));
    IF given.session_id IS NULL OR NOT given.alive OR NOT given.may
       OR (vrm.lockout_state('session', given.session_id::text)).locked THEN
        RETURN vrm_private.refused('invalid', NULL);
    END IF;
    -- A token that comes a second time was stolen, by this caller or from him.
    IF NOT vrm.lockout_advance('session', given.session_id::text, given.counter + 1) THEN
        PERFORM vrm_private.end_session(given.session_id),
                vrm.audit_journal('refresh token used twice', jsonb_build_object(
                    'user_id', given.user_id, 'session_id', given.session_id));
        RETURN vrm_private.refused('invalid', NULL);
    END IF;
    UPDATE vrm_private.sessions SET refreshed_at = clock_timestamp()
    WHERE user_id = given.user_id AND id = given.session_id;
    result.status := 'ok';
    result.user_id := given.user_id;
    result.session_id := given.session_id;
    result.access_token := vrm_private.access_token(given.user_id, given.session_id, given.aal);
    result.refresh_token := vrm_private.refresh_token(given.user_id, given.session_id, given.counter + 1);
    RETURN result;
END
$$;
COMMENT ON FUNCTION vrm.session_refresh(text) IS
    'new tokens for a refresh token, once; a second use ends the session, and ROLLBACK does not undo that';

CREATE OR REPLACE FUNCTION vrm.session_revoke(session_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    operator boolean := vrm_private.is_operator();
BEGIN
    PERFORM FROM vrm_private.sessions s
    WHERE s.id = session_revoke.session_id AND s.revoked_at IS NULL AND (s.user_id = vrm.uid() OR operator);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM vrm_private.end_session(session_revoke.session_id);
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.session_revoke(uuid) IS
    'ends a session of one''s own, administrators anybody''s; false when there is none';

CREATE OR REPLACE FUNCTION vrm.session_revoke_all(user_id uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ended integer;
BEGIN
    IF session_revoke_all.user_id IS DISTINCT FROM vrm.uid() AND NOT vrm_private.is_operator() THEN
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
    vrm_private.require_own_passwords(), vrm_private.token_key(), vrm_private.access_token(uuid, uuid, text),
    vrm_private.refresh_token(uuid, uuid, bigint), vrm_private.start_session(uuid, text, inet, text),
    vrm_private.uuid_in_token(text, integer), vrm_private.refused(text, timestamptz),
    vrm_private.end_session(uuid), vrm_private.require_strength(vrm.secret),
    vrm.sign_up(text, vrm.secret, text), vrm.sign_in(text, vrm.secret, text, inet, text, text),
    vrm.session_refresh(text), vrm.session_revoke(uuid), vrm.session_revoke_all(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.sign_up(text, vrm.secret, text), vrm.sign_in(text, vrm.secret, text, inet, text, text),
    vrm.session_refresh(text)
    TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION vrm.session_revoke(uuid), vrm.session_revoke_all(uuid) TO authenticated, service_role;
