-- Hooks of Supabase Auth, which keeps and checks the passwords there; the lockout is ours

CREATE OR REPLACE FUNCTION vrm_private.hook_answer(kind text, identifier text, user_id text, valid boolean)
    RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reserved record := vrm.lockout_reserve(kind, identifier, NULL, NULL);
    verdict text := reserved.status;
BEGIN
    IF verdict = 'ok' THEN
        verdict := vrm.lockout_settle(reserved.ticket, valid);
        IF verdict <> 'ok' THEN
            PERFORM vrm_private.journal_failure(kind, verdict, jsonb_build_object('user_id', user_id));
        END IF;
    END IF;
    IF verdict IN ('ok', 'invalid') THEN
        RETURN jsonb_build_object('decision', 'continue');
    END IF;
    RETURN jsonb_build_object('decision', 'reject', 'should_logout_user', false,
                              'message', 'Too many attempts. Try again later.');
END
$$;
COMMENT ON FUNCTION vrm_private.hook_answer(text, text, text, boolean) IS
    'counts an attempt that Supabase Auth has judged, and answers it';

CREATE OR REPLACE FUNCTION vrm.hook_password_verification_attempt(event jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    address text;
    answer jsonb;
BEGIN
    SELECT lower(btrim(coalesce(u.email, u.id::text))) INTO address
    FROM auth.users u WHERE u.id = (event ->> 'user_id')::uuid;
    answer := vrm_private.hook_answer('password', coalesce(address, event ->> 'user_id'),
                                      event ->> 'user_id', coalesce((event ->> 'valid')::boolean, false));
    IF answer ->> 'decision' = 'reject' OR (event ->> 'valid')::boolean THEN
        PERFORM vrm_private.show_lock(address);
    END IF;
    RETURN answer;
END
$$;
COMMENT ON FUNCTION vrm.hook_password_verification_attempt(jsonb) IS
    'Supabase Auth hook: counts password attempts and rejects them while the account is locked';

CREATE OR REPLACE FUNCTION vrm.hook_mfa_verification_attempt(event jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN vrm_private.hook_answer('totp', event ->> 'user_id', event ->> 'user_id',
                                   coalesce((event ->> 'valid')::boolean, false));
END
$$;
COMMENT ON FUNCTION vrm.hook_mfa_verification_attempt(jsonb) IS
    'Supabase Auth hook: counts attempts at second factors and rejects them while the factor is locked';

REVOKE EXECUTE ON FUNCTION
    vrm_private.hook_answer(text, text, text, boolean), vrm.hook_password_verification_attempt(jsonb),
    vrm.hook_mfa_verification_attempt(jsonb)
    FROM PUBLIC;

-- Supabase Auth asks this before it signs an access token (Authentication, Hooks).
CREATE OR REPLACE FUNCTION vrm.hook_custom_access_token(event jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    profile vrm.user_profiles;
BEGIN
    SELECT p.* INTO profile FROM vrm.user_profiles p WHERE p.id = (event ->> 'user_id')::uuid;
    IF profile.deleted_at IS NOT NULL THEN
        RETURN '{"error": {"http_code": 403, "message": "the account is deleted"}}';
    END IF;
    RETURN jsonb_set(event, '{claims,user_role}', to_jsonb(coalesce(profile.role, 'user')::text));
END
$$;
COMMENT ON FUNCTION vrm.hook_custom_access_token(jsonb) IS
    'Supabase Auth hook: puts the role of the profile into the token as claim user_role';
REVOKE EXECUTE ON FUNCTION vrm.hook_custom_access_token(jsonb) FROM PUBLIC, anon, authenticated;

CREATE OR REPLACE FUNCTION vrm_private.admit_supabase_auth() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regrole('supabase_auth_admin') IS NULL THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA vrm TO supabase_auth_admin;
    GRANT EXECUTE ON FUNCTION vrm.hook_password_verification_attempt(jsonb), vrm.hook_mfa_verification_attempt(jsonb),
        vrm.hook_custom_access_token(jsonb) TO supabase_auth_admin;
END
$$;
COMMENT ON FUNCTION vrm_private.admit_supabase_auth() IS
    'for vrm.install(): lets Supabase Auth call its hooks, where there is its role';
REVOKE EXECUTE ON FUNCTION vrm_private.admit_supabase_auth() FROM PUBLIC;
