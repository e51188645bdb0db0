-- Signing up and in

-- Not an error, which would take back what was counted: PostgREST is told its status by a setting.
CREATE OR REPLACE FUNCTION vrm_private.refused(status text, until timestamptz) RETURNS vrm.sign_in_result
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result vrm.sign_in_result;
BEGIN
    result.status := status;
    IF status IN ('locked', 'throttled') THEN
        result.retry_after := vrm_private.time_until(coalesce(until, clock_timestamp()));
        IF current_setting('vrm.http_errors')::boolean THEN
            PERFORM set_config('response.status', '429', true);
        END IF;
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION vrm_private.refused(text, timestamptz) IS 'the answer to an attempt that failed';

-- What may have happened to an account since its password was looked at, or since its session began.
CREATE OR REPLACE FUNCTION vrm_private.account_state(user_id uuid, OUT may boolean, OUT locked_until timestamptz)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT u.deleted_at IS NULL AND p.deleted_at IS NULL AND NOT p.is_organisation
               AND coalesce(u.banned_until <= clock_timestamp(), true),
           (SELECT l.locked_until FROM vrm_private.account_locks l
            WHERE l.user_id = u.id AND l.locked_until > clock_timestamp())
    INTO may, account_state.locked_until
    FROM auth.users u JOIN vrm.user_profiles p ON p.id = u.id
    WHERE u.id = account_state.user_id;
END
$$;
COMMENT ON FUNCTION vrm_private.account_state(uuid) IS
    'whether an account is a person''s, neither deleted nor banned, and until when an administrator has locked it';
REVOKE EXECUTE ON FUNCTION vrm_private.account_state(uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.require_address(address text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- no backslash, which a session can give another meaning (standard_conforming_strings)
    IF address IS NULL OR address !~ '^[^@[:space:]]+@[^@[:space:]]+$' OR length(address) > 254 THEN
        RAISE EXCEPTION 'the address is not valid'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give it as somebody@example.org.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.require_address(text) IS 'refuses what is no address';
REVOKE EXECUTE ON FUNCTION vrm_private.require_address(text) FROM PUBLIC;

-- The same for every address, whoever has it: a hash, a row that waits, and a mail.  An account is made when
-- none is seen; it does nothing, and an index that leaves it out makes nobody wait for a stranger's transaction.
CREATE OR REPLACE FUNCTION vrm.sign_up(email text, password vrm.secret, full_name text DEFAULT NULL,
                                       client_ip inet DEFAULT NULL)
    RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    address text := lower(btrim(email));
    hash text;
    reserved record;
    made uuid;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    PERFORM vrm_private.require_strength(password);
    PERFORM vrm_private.require_address(address);
    reserved := vrm.lockout_reserve('sign_up', address, vrm_private.network_of_caller(client_ip), NULL);
    IF reserved.status <> 'ok' THEN
        RETURN vrm.uuid7();
    END IF;
    PERFORM vrm.lockout_settle(reserved.ticket, false);  -- every sign-up counts
    hash := vrm.password_hash(password);
    INSERT INTO auth.users (id, email, encrypted_password, raw_user_meta_data)
    SELECT vrm.uuid7(), address, hash, jsonb_strip_nulls(jsonb_build_object('full_name', left(full_name, 200)))
    WHERE NOT EXISTS (SELECT FROM auth.users u WHERE lower(u.email) = address AND NOT u.is_sso_user)
    RETURNING id INTO made;
    INSERT INTO vrm_private.sign_ups (email, password_hash, full_name, account_id)
    VALUES (address, hash, left(full_name, 200), made);
    -- To say that an address is taken would say who has an account.
    RETURN coalesce(made, vrm.uuid7());
END
$$;
COMMENT ON FUNCTION vrm.sign_up(text, vrm.secret, text, inet) IS
    'asks for an account, which is good once vrm.confirm_sign_up() has proved the address; answers the same for all';

CREATE OR REPLACE FUNCTION vrm.take_sign_up_mail(max integer DEFAULT 100)
    RETURNS TABLE (email text, token text, expires_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    waiting record;
BEGIN
    PERFORM vrm.require_grant('vrm.take_sign_up_mail(integer)');
    PERFORM vrm_private.check_most('max', take_sign_up_mail.max);
    FOR waiting IN
        SELECT s.id, s.email, s.requested_at,
               EXISTS (SELECT FROM auth.users u WHERE lower(u.email) = s.email AND NOT u.is_sso_user
                       AND u.email_confirmed_at IS NOT NULL) AS known
        FROM vrm_private.sign_ups s WHERE s.token_hash IS NULL
        ORDER BY s.id LIMIT take_sign_up_mail.max FOR UPDATE SKIP LOCKED
    LOOP
        email := waiting.email;
        token := NULL;
        expires_at := NULL;
        IF waiting.known THEN
            DELETE FROM vrm_private.sign_ups s WHERE s.id = waiting.id;
        ELSE
            token := waiting.id || '.' || vrm.random_base32(32);
            expires_at := waiting.requested_at + '1 day'::interval;
            UPDATE vrm_private.sign_ups s SET token_hash = sha256(convert_to(token, 'UTF8')) WHERE s.id = waiting.id;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.take_sign_up_mail(integer) IS
    'for the mailer: whom to send which token, shown this once; without a token, tell them that they have an account';

CREATE OR REPLACE FUNCTION vrm_private.release_address(address text, owner uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM auth.users u
    USING vrm_private.sign_ups s
    WHERE s.email = address AND u.id = s.account_id AND u.id <> owner AND u.email_confirmed_at IS NULL;
    DELETE FROM vrm_private.sign_ups s WHERE s.email = address;
END
$$;
COMMENT ON FUNCTION vrm_private.release_address(text, uuid) IS
    'others who wanted an address, and the accounts made for them, go once somebody has proved it';
REVOKE EXECUTE ON FUNCTION vrm_private.release_address(text, uuid) FROM PUBLIC;

-- An address belongs to whoever reads its mail: others who wanted it, and what they have left, go.
CREATE OR REPLACE FUNCTION vrm_private.confirm_address(owner uuid) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    address text;
BEGIN
    UPDATE auth.users u SET email_confirmed_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE u.id = owner AND u.email_confirmed_at IS NULL
    RETURNING lower(u.email) INTO address;
    IF FOUND THEN
        UPDATE vrm.user_profiles p SET mfa_enabled = false, mfa_secret = NULL WHERE p.id = owner;
        DELETE FROM vrm_private.recovery_codes r WHERE r.user_id = owner;
        PERFORM vrm_private.release_address(address, owner);
    END IF;
    RETURN true;
EXCEPTION
    WHEN unique_violation THEN
        RETURN false;  -- somebody else was faster
END
$$;
COMMENT ON FUNCTION vrm_private.confirm_address(uuid) IS
    'whoever has the account has shown that the mailbox is theirs; false when another account has the address';

CREATE OR REPLACE FUNCTION vrm.confirm_sign_up(token text, password vrm.secret) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    wanted record;
    owner uuid;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    SELECT s.id, s.email, s.password_hash, s.full_name INTO wanted
    FROM vrm_private.sign_ups s
    WHERE s.id = vrm_private.uuid_in_token(token, 1) AND s.token_hash = sha256(convert_to(token, 'UTF8'))
      AND s.requested_at > clock_timestamp() - '1 day'::interval;
    -- Who did not sign up does not know the password: a mail that somebody else asked for opens nothing.
    IF wanted.id IS NULL OR NOT coalesce(vrm.password_matches(wanted.password_hash, password), false) THEN
        RETURN false;
    END IF;
    SELECT u.id INTO owner FROM auth.users u
    WHERE lower(u.email) = wanted.email AND NOT u.is_sso_user AND u.email_confirmed_at IS NULL AND u.deleted_at IS NULL
    ORDER BY u.created_at, u.id LIMIT 1;
    IF owner IS NULL THEN
        owner := vrm.uuid7();
        INSERT INTO auth.users (id, email) VALUES (owner, wanted.email);
    END IF;
    UPDATE auth.users u
    SET encrypted_password = wanted.password_hash,
        raw_user_meta_data = jsonb_strip_nulls(jsonb_build_object('full_name', wanted.full_name))
    WHERE u.id = owner;
    UPDATE vrm.user_profiles p SET full_name = wanted.full_name WHERE p.id = owner;
    RETURN vrm_private.confirm_address(owner);
END
$$;
COMMENT ON FUNCTION vrm.confirm_sign_up(text, vrm.secret) IS
    'opens the account of a sign-up, with the token from the mail and the password that was chosen; false otherwise';

CREATE OR REPLACE FUNCTION vrm_private.forget_sign_ups() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old uuid[] := ARRAY(SELECT s.id FROM vrm_private.sign_ups s
                        WHERE s.requested_at < now() - '1 day'::interval FOR UPDATE SKIP LOCKED);
BEGIN
    DELETE FROM auth.users u
    USING vrm_private.sign_ups s
    WHERE s.id = ANY (old) AND u.id = s.account_id AND u.email_confirmed_at IS NULL;
    DELETE FROM vrm_private.sign_ups s WHERE s.id = ANY (old);
END
$$;
COMMENT ON FUNCTION vrm_private.forget_sign_ups() IS
    'part of maintenance: sign-ups that nobody has confirmed within a day, and the accounts made for them';
REVOKE EXECUTE ON FUNCTION vrm.take_sign_up_mail(integer), vrm.confirm_sign_up(text, vrm.secret),
    vrm_private.confirm_address(uuid), vrm_private.forget_sign_ups()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.take_sign_up_mail(integer) TO service_role;
GRANT EXECUTE ON FUNCTION vrm.confirm_sign_up(text, vrm.secret) TO anon, authenticated, service_role;

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
    reserved := vrm.lockout_reserve('password', address, vrm_private.network_of_caller(client_ip),
                                    vrm_private.known_device(address, device_token));
    IF reserved.status <> 'ok' THEN
        RETURN vrm_private.refused(reserved.status, reserved.until);
    END IF;

    SELECT u.id, u.encrypted_password AS hash, p.mfa_enabled INTO account
    FROM auth.users u JOIN vrm.user_profiles p ON p.id = u.id
    WHERE lower(u.email) = address AND NOT u.is_sso_user AND u.email_confirmed_at IS NOT NULL;
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
        result.mfa_ticket := vrm_private.mfa_ticket(account.id, user_agent, vrm.lockout_device(device_token, address));
        RETURN result;
    ELSIF account.mfa_enabled THEN
        verdict := vrm_private.check_code(account.id, totp);
        IF verdict <> 'ok' THEN
            RETURN vrm_private.refused(verdict, NULL);
        END IF;
    END IF;
    RETURN vrm_private.start_session(account.id, CASE WHEN account.mfa_enabled THEN 'aal2' ELSE 'aal1' END,
                                     client_ip, user_agent, vrm.lockout_device(device_token, address));
END
$$;
COMMENT ON FUNCTION vrm.sign_in(text, vrm.secret, text, inet, text, text) IS
    'a session with its tokens, or the status that says why not; unknown users are answered like known ones';
REVOKE EXECUTE ON FUNCTION
    vrm_private.refused(text, timestamptz),
    vrm.sign_up(text, vrm.secret, text, inet),
    vrm.sign_in(text, vrm.secret, text, inet, text, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.sign_up(text, vrm.secret, text, inet),
    vrm.sign_in(text, vrm.secret, text, inet, text, text)
    TO anon, authenticated, service_role;
