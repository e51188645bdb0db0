-- Passwords: hashes and strength

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

CREATE OR REPLACE FUNCTION vrm_private.require_strength(password vrm.secret) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(vrm.secret_length(password), 0) < 8 THEN
        RAISE EXCEPTION 'the password is too short'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = 'A password must have at least 8 characters.',
                  HINT = 'Choose a longer one; several words are easy to remember.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.require_strength(vrm.secret) IS 'refuses passwords that are too short';
REVOKE EXECUTE ON FUNCTION vrm_private.require_own_passwords(), vrm_private.require_strength(vrm.secret) FROM PUBLIC;

-- Differs whenever the password does, whoever has changed it and how.
CREATE OR REPLACE FUNCTION vrm_private.password_generation(user_id uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT left(encode(sha256(convert_to(u.encrypted_password, 'UTF8')), 'hex'), 16)
    FROM auth.users u WHERE u.id = password_generation.user_id
$$;
COMMENT ON FUNCTION vrm_private.password_generation(uuid) IS
    'what tickets and devices of a person are bound to; null without a password';
REVOKE EXECUTE ON FUNCTION vrm_private.password_generation(uuid) FROM PUBLIC;

-- Of who is in, or has shown another proof.  Counted as attempts of a device of its own: whoever holds a token
-- guesses no further than a stranger, and strangers keep nobody from using their password.
CREATE OR REPLACE FUNCTION vrm_private.check_own_password(who uuid, purpose text, password vrm.secret) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hash text := (SELECT u.encrypted_password FROM auth.users u WHERE u.id = who);
    reserved record := vrm.lockout_reserve('device', 'password of ' || who, NULL, NULL);
    good boolean := false;
    verdict text;
BEGIN
    IF reserved.status <> 'ok' THEN
        RETURN reserved.status;
    END IF;
    BEGIN
        good := coalesce(vrm.password_matches(hash, password), false);
    EXCEPTION
        WHEN invalid_parameter_value THEN
            RAISE LOG 'the password hash of user "%" cannot be used', who;
    END;
    verdict := vrm.lockout_settle(reserved.ticket, good);
    IF NOT good THEN
        PERFORM vrm_private.journal_failure(purpose, verdict, jsonb_build_object('user_id', who));
    END IF;
    RETURN verdict;
END
$$;
COMMENT ON FUNCTION vrm_private.check_own_password(uuid, text, vrm.secret) IS
    'whether somebody knows their password: ok, invalid, locked or throttled';
REVOKE EXECUTE ON FUNCTION vrm_private.check_own_password(uuid, text, vrm.secret) FROM PUBLIC;
