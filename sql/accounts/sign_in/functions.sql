-- Signing up and in

CREATE OR REPLACE FUNCTION vrm_private.refused(status text, until timestamptz) RETURNS vrm.sign_in_result
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT status::vrm.sign_in_status, NULL::uuid, NULL::uuid, NULL::text, NULL::text, NULL::text, NULL::text,
           CASE WHEN status IN ('locked', 'throttled')
                THEN vrm_private.time_until(coalesce(until, clock_timestamp())) END
$$;
COMMENT ON FUNCTION vrm_private.refused(text, timestamptz) IS 'the answer to an attempt that failed';

-- What may have happened to an account since its password was looked at, or since its session began.
CREATE OR REPLACE FUNCTION vrm_private.account_state(user_id uuid, OUT may boolean, OUT locked_until timestamptz)
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.deleted_at IS NULL AND p.deleted_at IS NULL AND coalesce(u.banned_until <= clock_timestamp(), true),
           (SELECT l.locked_until FROM vrm_private.account_locks l
            WHERE l.user_id = u.id AND l.locked_until > clock_timestamp())
    FROM auth.users u JOIN vrm.user_profiles p ON p.id = u.id
    WHERE u.id = account_state.user_id
$$;
COMMENT ON FUNCTION vrm_private.account_state(uuid) IS
    'whether an account is neither deleted nor banned, and until when an administrator has locked it';
REVOKE EXECUTE ON FUNCTION vrm_private.account_state(uuid) FROM PUBLIC;

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
    state record;
    good boolean := false;
    verdict text;
    result vrm.sign_in_result;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    PERFORM vrm_private.token_key();  -- what is missing shall be missing before the password counts
    IF address IS NULL THEN
        RETURN vrm_private.refused('invalid', NULL);
    END IF;
    reserved := vrm.lockout_reserve('password', address, vrm_private.network_of_caller(client_ip), device_token);
    IF reserved.status <> 'ok' THEN
        RETURN vrm_private.refused(reserved.status, reserved.until);
    END IF;

    SELECT u.id, u.encrypted_password AS hash, p.mfa_enabled INTO account
    FROM auth.users u JOIN vrm.user_profiles p ON p.id = u.id
    WHERE lower(u.email) = address AND NOT u.is_sso_user;
    BEGIN
        good := vrm.password_matches(coalesce(account.hash, dummy), password);
    EXCEPTION
        WHEN invalid_parameter_value THEN
            RAISE LOG 'the password hash of user "%" cannot be used', account.id;
    END;
    SELECT s.may, s.locked_until INTO state FROM vrm_private.account_state(account.id) s;
    good := coalesce(good AND state.may, false);
    verdict := vrm.lockout_settle(reserved.ticket, good);
    IF NOT good THEN
        PERFORM vrm_private.journal_failure('password', verdict, jsonb_build_object(
            'user_id', account.id, 'key', (vrm.lockout_ticket(reserved.ticket)).key, 'client_ip', client_ip));
        RETURN vrm_private.refused(verdict, (vrm.lockout_state('password', address)).until);
    END IF;
    -- Who has the password may know; for everybody else it is wrong, as ever.
    IF state.locked_until IS NOT NULL THEN
        RETURN vrm_private.refused('locked', state.locked_until);
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
REVOKE EXECUTE ON FUNCTION
    vrm_private.refused(text, timestamptz),
    vrm.sign_up(text, vrm.secret, text),
    vrm.sign_in(text, vrm.secret, text, inet, text, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.sign_up(text, vrm.secret, text),
    vrm.sign_in(text, vrm.secret, text, inet, text, text)
    TO anon, authenticated, service_role;
