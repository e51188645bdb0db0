-- Second factors and password resets ---------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS vrm_private.mfa_tickets (
    token_hash bytea PRIMARY KEY CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    user_agent text CONSTRAINT user_agent_length CHECK (length(user_agent) <= 500),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE vrm_private.mfa_tickets IS 'sign-ins that wait for their second factor';
COMMENT ON COLUMN vrm_private.mfa_tickets.token_hash IS 'SHA-256 of the ticket';
COMMENT ON COLUMN vrm_private.mfa_tickets.user_id IS 'whose password was right';
COMMENT ON COLUMN vrm_private.mfa_tickets.user_agent IS 'with what';
COMMENT ON COLUMN vrm_private.mfa_tickets.expires_at IS 'worthless from then on';

CREATE TABLE IF NOT EXISTS vrm_private.recovery_codes (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    code_hash bytea NOT NULL CONSTRAINT code_hash_is_sha256 CHECK (length(code_hash) = 32),
    PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE vrm_private.recovery_codes IS
    'codes for those who have lost their authenticator; a used one is deleted';
COMMENT ON COLUMN vrm_private.recovery_codes.user_id IS 'whose';
COMMENT ON COLUMN vrm_private.recovery_codes.code_hash IS 'SHA-256 of 80 random bits';

CREATE TABLE IF NOT EXISTS vrm_private.password_reset_requests (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE vrm_private.password_reset_requests ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm_private.password_reset_requests IS
    'resets asked for and not yet taken by the mailer; of anybody, known or not';
COMMENT ON COLUMN vrm_private.password_reset_requests.id IS 'the request';
COMMENT ON COLUMN vrm_private.password_reset_requests.email IS 'address given';
COMMENT ON COLUMN vrm_private.password_reset_requests.requested_at IS 'when';

REVOKE ALL ON vrm_private.mfa_tickets, vrm_private.recovery_codes, vrm_private.password_reset_requests
    FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.mfa_tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.password_reset_requests ENABLE ROW LEVEL SECURITY;

-- Codes ------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.mfa_ticket(user_id uuid, user_agent text) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ticket text := vrm.random_base32(32);
BEGIN
    DELETE FROM vrm_private.mfa_tickets t WHERE t.user_id = mfa_ticket.user_id AND t.expires_at < clock_timestamp();
    INSERT INTO vrm_private.mfa_tickets (token_hash, user_id, user_agent, expires_at)
    VALUES (sha256(convert_to(ticket, 'UTF8')), mfa_ticket.user_id, left(mfa_ticket.user_agent, 500),
            clock_timestamp() + '5 minutes'::interval);
    RETURN ticket;
END
$$;
COMMENT ON FUNCTION vrm_private.mfa_ticket(uuid, text) IS 'proof, for five minutes, that the password was right';

-- A code of the authenticator or a recovery code.  The step of a used code is kept where ROLLBACK does
-- not reach, so nobody who reads it over a shoulder, or rolls back, uses it again.
CREATE OR REPLACE FUNCTION vrm_private.check_code(user_id uuid, code text) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    typed text := upper(translate(code, ' -', ''));
    kind text := CASE WHEN typed ~ '^[0-9]{6}$' THEN 'totp' ELSE 'recovery' END;
    hash bytea := sha256(convert_to(typed, 'UTF8'));
    reserved record := vrm.lockout_reserve(kind, check_code.user_id::text, NULL, NULL);
    step bigint;
    verdict text;
    good boolean := false;
BEGIN
    IF reserved.status <> 'ok' THEN
        RETURN reserved.status;
    END IF;
    IF kind = 'totp' THEN
        step := vrm.totp_step(vrm.reveal_row('vrm.user_profiles', 'mfa_secret', check_code.user_id::text), typed);
        good := coalesce(vrm.lockout_advance('totp', check_code.user_id::text, step), false);
    ELSE
        DELETE FROM vrm_private.recovery_codes r
        WHERE r.user_id = check_code.user_id AND r.code_hash = hash;
        -- ROLLBACK brings the row back, but not the use; a lock that does not end is never forgotten.
        good := FOUND AND vrm.lockout_advance('recovery', encode(hash, 'hex'), 1);
        IF good THEN
            PERFORM vrm.lockout_lock('recovery', encode(hash, 'hex'), 'infinity');
        END IF;
    END IF;
    verdict := vrm.lockout_settle(reserved.ticket, good);
    IF verdict <> 'ok' THEN
        PERFORM vrm_private.journal_failure(kind, verdict, jsonb_build_object('user_id', check_code.user_id));
    END IF;
    RETURN verdict;
END
$$;
COMMENT ON FUNCTION vrm_private.check_code(uuid, text) IS 'ok, invalid, locked or throttled';

CREATE OR REPLACE FUNCTION vrm.sign_in_mfa(mfa_ticket text, code text, client_ip inet DEFAULT NULL)
    RETURNS vrm.sign_in_result
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key record := vrm_private.token_key();
    given record;
    verdict text;
BEGIN
    SELECT t.user_id, t.user_agent INTO given
    FROM vrm_private.mfa_tickets t
    WHERE t.token_hash = sha256(convert_to(sign_in_mfa.mfa_ticket, 'UTF8')) AND t.expires_at > clock_timestamp();
    IF given.user_id IS NULL OR code IS NULL THEN
        RETURN vrm_private.refused('invalid', NULL);
    END IF;
    verdict := vrm_private.check_code(given.user_id, code);
    IF verdict <> 'ok' THEN
        RETURN vrm_private.refused(verdict, NULL);
    END IF;
    DELETE FROM vrm_private.mfa_tickets t WHERE t.token_hash = sha256(convert_to(sign_in_mfa.mfa_ticket, 'UTF8'));
    RETURN vrm_private.start_session(given.user_id, 'aal2', client_ip, given.user_agent);
END
$$;
COMMENT ON FUNCTION vrm.sign_in_mfa(text, text, inet) IS
    'the second half of a sign-in: a code of the authenticator or a recovery code';

-- Enrolment ---------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.require_user() RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF vrm.uid() IS NULL THEN
        RAISE EXCEPTION 'nobody is signed in'
            USING ERRCODE = 'invalid_authorization_specification', HINT = 'SELECT vrm.login(access_token);';
    END IF;
    RETURN vrm.uid();
END
$$;
COMMENT ON FUNCTION vrm_private.require_user() IS 'the caller; 28000 for nobody';

CREATE OR REPLACE FUNCTION vrm.mfa_enrol(label text DEFAULT NULL, OUT factor_id uuid, OUT secret text,
                                         OUT otpauth_uri text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made text := vrm.random_base32(20);
    plain vrm.secret := made;
    address text;
BEGIN
    UPDATE vrm.user_profiles SET mfa_secret = vrm.seal(plain)
    WHERE id = vrm_private.require_user() AND NOT mfa_enabled
    RETURNING id, email INTO factor_id, address;
    IF factor_id IS NULL THEN
        RAISE EXCEPTION 'a second factor is in use'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'SELECT vrm.mfa_disable(code); with a code of it.';
    END IF;
    secret := made;
    otpauth_uri := vrm.totp_uri(made, 'vrm', coalesce(label, address, factor_id::text));
END
$$;
COMMENT ON FUNCTION vrm.mfa_enrol(text) IS
    'a secret for an authenticator, shown this once; vrm.mfa_confirm() turns it on';

CREATE OR REPLACE FUNCTION vrm.mfa_confirm(code text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who uuid := vrm_private.require_user();
BEGIN
    IF NOT EXISTS (SELECT FROM vrm.user_profiles WHERE id = who AND mfa_secret IS NOT NULL AND NOT mfa_enabled)
       OR code !~ '^[0-9 ]+$' OR vrm_private.check_code(who, code) <> 'ok' THEN
        RETURN false;
    END IF;
    UPDATE vrm.user_profiles SET mfa_enabled = true WHERE id = who;
    PERFORM vrm.audit_event('second factor enabled', jsonb_build_object('user_id', who));
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.mfa_confirm(text) IS
    'turns the second factor on, once a code shows that the authenticator has it';

CREATE OR REPLACE FUNCTION vrm.mfa_disable(code text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who uuid := vrm_private.require_user();
BEGIN
    IF NOT EXISTS (SELECT FROM vrm.user_profiles WHERE id = who AND mfa_enabled)
       OR code IS NULL OR vrm_private.check_code(who, code) <> 'ok' THEN
        RETURN false;
    END IF;
    UPDATE vrm.user_profiles SET mfa_enabled = false, mfa_secret = NULL WHERE id = who;
    DELETE FROM vrm_private.recovery_codes WHERE user_id = who;
    PERFORM vrm.audit_event('second factor disabled', jsonb_build_object('user_id', who));
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.mfa_disable(text) IS 'turns the second factor off, with a code of it or a recovery code';

CREATE OR REPLACE FUNCTION vrm.mfa_recovery_codes(code text) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who uuid := vrm_private.require_user();
    made text[];
BEGIN
    IF NOT EXISTS (SELECT FROM vrm.user_profiles WHERE id = who AND mfa_enabled)
       OR code IS NULL OR vrm_private.check_code(who, code) <> 'ok' THEN
        RETURN;
    END IF;
    made := ARRAY(SELECT vrm.random_base32(10) FROM generate_series(1, 10));
    DELETE FROM vrm_private.recovery_codes WHERE user_id = who;
    INSERT INTO vrm_private.recovery_codes (user_id, code_hash)
    SELECT who, sha256(convert_to(m, 'UTF8')) FROM unnest(made) m;
    RETURN QUERY SELECT regexp_replace(m, '(.{4})(?=.)', '\1-', 'g') FROM unnest(made) m;
END
$$;
COMMENT ON FUNCTION vrm.mfa_recovery_codes(text) IS
    'ten new recovery codes, shown this once; the old ones are worthless then';

-- Password reset ------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm.request_password_reset(email text, client_ip inet DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    address text := lower(btrim(email));
    reserved record;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    reserved := vrm.lockout_reserve('reset_request', address, NULL, NULL);
    IF reserved.status = 'ok' THEN
        PERFORM vrm.lockout_settle(reserved.ticket, false);  -- every request counts
        INSERT INTO vrm_private.password_reset_requests (email) VALUES (left(address, 254));
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.request_password_reset(text, inet) IS
    'asks for a mail with a reset token; says and takes the same for everybody, three times an hour';

CREATE OR REPLACE FUNCTION vrm.take_reset_mail(max integer DEFAULT 100)
    RETURNS TABLE (email text, token text, expires_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    request record;
BEGIN
    FOR request IN
        WITH taken AS (
            DELETE FROM vrm_private.password_reset_requests
            WHERE id IN (SELECT id FROM vrm_private.password_reset_requests
                         ORDER BY id LIMIT take_reset_mail.max FOR UPDATE SKIP LOCKED)
            RETURNING email)
        SELECT DISTINCT u.id, u.email::text AS address
        FROM taken t JOIN auth.users u ON lower(u.email) = t.email
        WHERE NOT u.is_sso_user AND u.deleted_at IS NULL
    LOOP
        email := request.address;
        token := request.id || '.' || vrm.random_base32(32);
        expires_at := clock_timestamp() + '1 hour'::interval;
        DELETE FROM vrm_private.password_reset_tokens r
        WHERE r.user_id = request.id AND r.expires_at < clock_timestamp();
        INSERT INTO vrm_private.password_reset_tokens (user_id, token_hash, expires_at)
        VALUES (request.id, sha256(convert_to(token, 'UTF8')), expires_at);
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.take_reset_mail(integer) IS 'for the mailer: whom to send which token; it is shown this once';

CREATE OR REPLACE FUNCTION vrm_private.reset_token_user(token text) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.user_id FROM vrm_private.password_reset_tokens r
    WHERE r.user_id = vrm_private.uuid_in_token(token, 1)
      AND r.token_hash = sha256(convert_to(token, 'UTF8')) AND r.expires_at > clock_timestamp()
      AND (vrm.lockout_state('reset_request', encode(r.token_hash, 'hex'))).value = 0
$$;
COMMENT ON FUNCTION vrm_private.reset_token_user(text) IS 'whose password the token resets; null for none';

CREATE OR REPLACE FUNCTION vrm.verify_password_reset(token text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.reset_token_user(token) IS NOT NULL
$$;
COMMENT ON FUNCTION vrm.verify_password_reset(text) IS 'whether the token would be taken';

CREATE OR REPLACE FUNCTION vrm.consume_password_reset(token text, new_password vrm.secret, totp text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    who uuid;
    hash text;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    PERFORM vrm_private.require_strength(new_password);
    who := vrm_private.reset_token_user(token);
    IF who IS NULL THEN
        RETURN false;
    END IF;
    -- Whoever reads somebody's mail has one factor, not two.
    IF (SELECT p.mfa_enabled FROM vrm.user_profiles p WHERE p.id = who) THEN
        IF totp IS NULL OR vrm_private.check_code(who, totp) <> 'ok' THEN
            RETURN false;
        END IF;
    END IF;
    hash := vrm.password_hash(new_password);
    DELETE FROM vrm_private.password_reset_tokens r
    WHERE r.user_id = who AND r.token_hash = sha256(convert_to(token, 'UTF8'));
    -- ROLLBACK brings the token back, but not its use, which is remembered for longer than it is good.
    IF NOT FOUND OR NOT vrm.lockout_advance('reset_request', encode(sha256(convert_to(token, 'UTF8')), 'hex'), 1) THEN
        RETURN false;  -- somebody else was faster
    END IF;
    DELETE FROM vrm_private.password_reset_tokens r WHERE r.user_id = who;
    UPDATE auth.users u SET encrypted_password = hash, updated_at = clock_timestamp() WHERE u.id = who;
    PERFORM vrm_private.end_session(s.id) FROM vrm_private.sessions s WHERE s.user_id = who AND s.revoked_at IS NULL;
    PERFORM vrm.audit_event('password reset', jsonb_build_object('user_id', who));
    PERFORM vrm.lockout_clear('password', lower(btrim(p.email))), vrm_private.show_lock(p.email)
    FROM vrm.user_profiles p WHERE p.id = who;
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.consume_password_reset(text, vrm.secret, text) IS
    'sets a new password, once for a token; ends all sessions, and asks for the second factor where there is one';

REVOKE EXECUTE ON FUNCTION
    vrm_private.mfa_ticket(uuid, text), vrm_private.check_code(uuid, text), vrm_private.require_user(),
    vrm_private.reset_token_user(text), vrm.sign_in_mfa(text, text, inet), vrm.mfa_enrol(text), vrm.mfa_confirm(text),
    vrm.mfa_disable(text), vrm.mfa_recovery_codes(text), vrm.request_password_reset(text, inet),
    vrm.take_reset_mail(integer), vrm.verify_password_reset(text), vrm.consume_password_reset(text, vrm.secret, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.sign_in_mfa(text, text, inet), vrm.request_password_reset(text, inet), vrm.verify_password_reset(text),
    vrm.consume_password_reset(text, vrm.secret, text)
    TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION vrm.mfa_enrol(text), vrm.mfa_confirm(text), vrm.mfa_disable(text),
    vrm.mfa_recovery_codes(text)
    TO authenticated;
GRANT EXECUTE ON FUNCTION vrm.take_reset_mail(integer) TO service_role;
