-- Second factors

-- Who turns a factor on or off, or has yet to show one: anybody whose account may act otherwise.
CREATE OR REPLACE FUNCTION vrm_private.factor_owner() RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who uuid := vrm_private.require_user();
    problem text := vrm.account_problem();
BEGIN
    IF problem <> 'the second factor is missing' THEN
        RAISE EXCEPTION '%', problem
            USING ERRCODE = 'insufficient_privilege', HINT = 'SELECT vrm.account_problem(); tells when it is gone.';
    END IF;
    RETURN who;
END
$$;
COMMENT ON FUNCTION vrm_private.factor_owner() IS 'the caller, who may lack a second factor and nothing else';
REVOKE EXECUTE ON FUNCTION vrm_private.factor_owner() FROM PUBLIC;

-- Nothing for sessions of others, such as Supabase's, which promote themselves.
CREATE OR REPLACE FUNCTION vrm_private.promote_session() RETURNS uuid
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE vrm_private.sessions s SET aal = 'aal2'
    WHERE s.user_id = vrm.actor() AND s.id = vrm_private.uuid_in_token(vrm.jwt() ->> 'session_id', 1)
      AND vrm.jwt() ->> 'iss' = 'vrm' AND s.revoked_at IS NULL
    RETURNING s.id
$$;
COMMENT ON FUNCTION vrm_private.promote_session() IS 'the caller''s session has shown both factors; its id';
REVOKE EXECUTE ON FUNCTION vrm_private.promote_session() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.mfa_ticket(user_id uuid, user_agent text, device uuid) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ticket text := vrm.random_base32(32);
BEGIN
    DELETE FROM vrm_private.mfa_tickets t WHERE t.user_id = mfa_ticket.user_id AND t.expires_at < clock_timestamp();
    INSERT INTO vrm_private.mfa_tickets (token_hash, user_id, user_agent, expires_at, password_generation, device_id)
    VALUES (sha256(convert_to(ticket, 'UTF8')), mfa_ticket.user_id, left(mfa_ticket.user_agent, 500),
            clock_timestamp() + '5 minutes'::interval, vrm_private.password_generation(mfa_ticket.user_id), device);
    RETURN ticket;
END
$$;
COMMENT ON FUNCTION vrm_private.mfa_ticket(uuid, text, uuid) IS 'proof, for five minutes, that the password was right';

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
        SELECT vrm.totp_step(vrm.reveal_row(p, 'mfa_secret'), typed) INTO step
        FROM vrm.user_profiles p WHERE p.id = check_code.user_id;
        good := step IS NOT NULL AND vrm.lockout_advance('totp', check_code.user_id::text, step);
    ELSE
        DELETE FROM vrm_private.recovery_codes r
        WHERE r.user_id = check_code.user_id AND r.code_hash = hash;
        -- ROLLBACK brings the row back, but not the use.
        good := FOUND AND vrm.lockout_advance('recovery', encode(hash, 'hex'), 1);
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
    state record;
    verdict text;
BEGIN
    SELECT t.user_id, t.user_agent, t.device_id INTO given
    FROM vrm_private.mfa_tickets t
    WHERE t.token_hash = sha256(convert_to(sign_in_mfa.mfa_ticket, 'UTF8')) AND t.expires_at > clock_timestamp()
      AND t.password_generation = vrm_private.password_generation(t.user_id);
    IF given.user_id IS NULL OR code IS NULL THEN
        RETURN vrm_private.refused('invalid', NULL);
    END IF;
    SELECT s.may, s.locked_until INTO state FROM vrm_private.account_state(given.user_id) s;
    IF state.may IS NOT TRUE OR state.locked_until IS NOT NULL THEN
        RETURN vrm_private.refused(CASE WHEN state.may THEN 'locked' ELSE 'invalid' END, state.locked_until);
    END IF;
    verdict := vrm_private.check_code(given.user_id, code);
    IF verdict <> 'ok' THEN
        RETURN vrm_private.refused(verdict, NULL);
    END IF;
    DELETE FROM vrm_private.mfa_tickets t WHERE t.token_hash = sha256(convert_to(sign_in_mfa.mfa_ticket, 'UTF8'));
    RETURN vrm_private.start_session(given.user_id, 'aal2', client_ip, given.user_agent, given.device_id);
END
$$;
COMMENT ON FUNCTION vrm.sign_in_mfa(text, text, inet) IS
    'the second half of a sign-in: a code of the authenticator or a recovery code';

CREATE OR REPLACE FUNCTION vrm.mfa_enrol(label text DEFAULT NULL, OUT factor_id uuid, OUT secret text,
                                         OUT otpauth_uri text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made text := vrm.random_base32(20);
    plain vrm.secret := made;
    address text;
BEGIN
    UPDATE vrm.user_profiles SET mfa_secret = vrm.seal(plain)
    WHERE id = vrm_private.factor_owner() AND NOT mfa_enabled
    RETURNING id, email INTO factor_id, address;
    IF factor_id IS NULL THEN
        RAISE EXCEPTION 'a second factor is in use'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'SELECT vrm.mfa_disable(code); with one of its codes.';
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
    who uuid := vrm_private.factor_owner();
BEGIN
    IF NOT EXISTS (SELECT FROM vrm.user_profiles WHERE id = who AND mfa_secret IS NOT NULL AND NOT mfa_enabled)
       OR code !~ '^[0-9 ]+$' OR vrm_private.check_code(who, code) <> 'ok' THEN
        RETURN false;
    END IF;
    UPDATE vrm.user_profiles SET mfa_enabled = true WHERE id = who;
    -- The code has shown the second factor: whoever turns it on stays in.
    PERFORM vrm_private.promote_session(),
            vrm_private.write_event('second factor enabled', jsonb_build_object('user_id', who));
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.mfa_confirm(text) IS
    'turns the second factor on, once a code shows that the authenticator has it';

CREATE OR REPLACE FUNCTION vrm.session_step_up(code text) RETURNS vrm.sign_in_result
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who uuid := vrm_private.factor_owner();
    verdict text;
    result vrm.sign_in_result;
BEGIN
    IF code IS NULL OR NOT EXISTS (SELECT FROM vrm.user_profiles p WHERE p.id = who AND p.mfa_enabled) THEN
        RETURN vrm_private.refused('invalid', NULL);
    END IF;
    verdict := vrm_private.check_code(who, code);
    IF verdict <> 'ok' THEN
        RETURN vrm_private.refused(verdict, NULL);
    END IF;
    result.session_id := vrm_private.promote_session();
    IF result.session_id IS NULL THEN
        RETURN vrm_private.refused('invalid', NULL);
    END IF;
    result.status := 'ok';
    result.user_id := who;
    result.access_token := vrm_private.access_token(who, result.session_id, 'aal2');
    RETURN result;
END
$$;
COMMENT ON FUNCTION vrm.session_step_up(text) IS
    'shows the second factor in a session that began without it, and gives an access token that says so';

CREATE OR REPLACE FUNCTION vrm.mfa_disable(code text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who uuid := vrm_private.factor_owner();
BEGIN
    IF NOT EXISTS (SELECT FROM vrm.user_profiles WHERE id = who AND mfa_enabled)
       OR code IS NULL OR vrm_private.check_code(who, code) <> 'ok' THEN
        RETURN false;
    END IF;
    UPDATE vrm.user_profiles SET mfa_enabled = false, mfa_secret = NULL WHERE id = who;
    DELETE FROM vrm_private.recovery_codes WHERE user_id = who;
    PERFORM vrm_private.write_event('second factor disabled', jsonb_build_object('user_id', who));
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.mfa_disable(text) IS 'turns the second factor off, with a code of it or a recovery code';

CREATE OR REPLACE FUNCTION vrm.mfa_recovery_codes(code text) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who uuid := vrm_private.factor_owner();
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
    RETURN QUERY SELECT regexp_replace(m, '(.{4})(?=.)', E'\\1-', 'g') FROM unnest(made) m;
END
$$;
COMMENT ON FUNCTION vrm.mfa_recovery_codes(text) IS
    'ten new recovery codes, shown this once; the old ones are worthless then';
REVOKE EXECUTE ON FUNCTION
    vrm_private.mfa_ticket(uuid, text, uuid),
    vrm_private.check_code(uuid, text),
    vrm.sign_in_mfa(text, text, inet),
    vrm.mfa_enrol(text),
    vrm.mfa_confirm(text),
    vrm.session_step_up(text),
    vrm.mfa_disable(text),
    vrm.mfa_recovery_codes(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.sign_in_mfa(text, text, inet) TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION vrm.mfa_enrol(text), vrm.mfa_confirm(text), vrm.session_step_up(text), vrm.mfa_disable(text),
    vrm.mfa_recovery_codes(text)
    TO authenticated;
