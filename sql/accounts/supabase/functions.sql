-- Hooks of Supabase Auth, which keeps and checks the passwords there; the lockout is ours

CREATE OR REPLACE FUNCTION vrm_private.hook_rejection() RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('decision', 'reject', 'should_logout_user', false,
                              'message', 'Too many attempts. Try again later.')
$$;
COMMENT ON FUNCTION vrm_private.hook_rejection() IS 'the answer that rejects a sign-in';

-- An error would reach the user as one of the server's, and Supabase Auth would look at no password at
-- all; an event that cannot be counted is refused instead.
CREATE OR REPLACE FUNCTION vrm_private.hook_answer(kind text, event jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who uuid := vrm_private.uuid_in_token(lower(event ->> 'user_id'), 1);
    identifier text := who::text;
    by_hand timestamptz;
    reserved record;
    verdict text;
BEGIN
    IF who IS NULL THEN
        RETURN vrm_private.hook_rejection();
    END IF;
    IF hook_answer.kind = 'password' THEN
        SELECT vrm_private.identifier_of(u.email, u.id) INTO identifier FROM auth.users u WHERE u.id = who;
    END IF;
    reserved := vrm.lockout_reserve(kind, coalesce(identifier, who::text), NULL, NULL);
    verdict := reserved.status;
    IF verdict = 'ok' THEN
        verdict := vrm.lockout_settle(reserved.ticket, coalesce(event -> 'valid' = 'true'::jsonb, false));
        IF verdict <> 'ok' THEN
            PERFORM vrm_private.journal_failure(kind, verdict, jsonb_build_object('user_id', who));
        END IF;
    END IF;
    SELECT l.locked_until INTO by_hand
    FROM vrm_private.account_locks l WHERE l.user_id = who AND l.locked_until > clock_timestamp();
    IF verdict IN ('ok', 'invalid') AND by_hand IS NULL THEN
        RETURN jsonb_build_object('decision', 'continue');
    END IF;
    RETURN vrm_private.hook_rejection();
EXCEPTION
    WHEN OTHERS THEN
        RAISE WARNING 'an attempt could not be counted: %', SQLERRM;
        RETURN vrm_private.hook_rejection();
END
$$;
COMMENT ON FUNCTION vrm_private.hook_answer(text, jsonb) IS
    'counts an attempt that Supabase Auth has judged, and answers it; raises nothing';

CREATE OR REPLACE FUNCTION vrm.hook_password_verification_attempt(event jsonb) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.hook_password_verification_attempt(jsonb)');
    SELECT vrm_private.hook_answer('password', event)
$$;
COMMENT ON FUNCTION vrm.hook_password_verification_attempt(jsonb) IS
    'Supabase Auth hook: counts password attempts and rejects them while the account is locked';

CREATE OR REPLACE FUNCTION vrm.hook_mfa_verification_attempt(event jsonb) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.hook_mfa_verification_attempt(jsonb)');
    SELECT vrm_private.hook_answer('totp', event)
$$;
COMMENT ON FUNCTION vrm.hook_mfa_verification_attempt(jsonb) IS
    'Supabase Auth hook: counts attempts at second factors and rejects them while the factor is locked';

REVOKE EXECUTE ON FUNCTION
    vrm_private.hook_rejection(), vrm_private.hook_answer(text, jsonb), vrm.hook_password_verification_attempt(jsonb),
    vrm.hook_mfa_verification_attempt(jsonb)
    FROM PUBLIC;

-- Supabase Auth asks this before it signs an access token (Authentication, Hooks).
CREATE OR REPLACE FUNCTION vrm.hook_custom_access_token(event jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who uuid := vrm_private.uuid_in_token(lower(event ->> 'user_id'), 1);
    chosen uuid := vrm_private.uuid_in_token(lower(event #>> '{claims,user_metadata,act_as}'), 1);
    profile vrm.user_profiles;
BEGIN
    PERFORM vrm.require_grant('vrm.hook_custom_access_token(jsonb)');
    IF who IS NULL OR jsonb_typeof(event -> 'claims') IS DISTINCT FROM 'object' THEN
        RETURN '{"error": {"http_code": 400, "message": "the event names no user, or has no claims"}}';
    END IF;
    SELECT p.* INTO profile FROM vrm.user_profiles p WHERE p.id = who;
    IF profile.deleted_at IS NOT NULL THEN
        RETURN '{"error": {"http_code": 403, "message": "the account is deleted"}}';
    ELSIF EXISTS (SELECT FROM vrm_private.account_locks l WHERE l.user_id = who AND l.locked_until > now()) THEN
        RETURN '{"error": {"http_code": 403, "message": "the account is locked"}}';
    END IF;
    event := jsonb_set(event, '{claims,user_role}', to_jsonb(coalesce(profile.role, 'user')::text));
    -- What people say of themselves chooses; the table of members says whether they may, now and for each statement.
    IF EXISTS (SELECT FROM vrm_private.team_members m WHERE m.user_id = chosen AND m.member_id = who) THEN
        RETURN jsonb_set(event, '{claims,act_as}', to_jsonb(chosen));
    END IF;
    RETURN event #- '{claims,act_as}';
END
$$;
COMMENT ON FUNCTION vrm.hook_custom_access_token(jsonb) IS
    'Supabase Auth hook: puts into the token the role of the profile and the organisation that the user acts for';
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
