-- Password resets

CREATE OR REPLACE FUNCTION vrm.request_password_reset(email text, client_ip inet DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    address text := lower(btrim(email));
    reserved record;
BEGIN
    PERFORM vrm_private.require_own_passwords(), vrm_private.require_argument('email', email IS NULL);
    reserved := vrm.lockout_reserve('reset_request', address, vrm_private.network_of_caller(client_ip), NULL);
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
    PERFORM vrm.require_grant('vrm.take_reset_mail(integer)');
    FOR request IN
        WITH taken AS (
            DELETE FROM vrm_private.password_reset_requests
            WHERE id = ANY (ARRAY(SELECT id FROM vrm_private.password_reset_requests
                                  ORDER BY id LIMIT take_reset_mail.max FOR UPDATE SKIP LOCKED))
            RETURNING email)
        -- whose address it is; while nobody has proved it, the account that was made first
        SELECT DISTINCT ON (lower(u.email)) u.id, u.email::text AS address
        FROM taken t JOIN auth.users u ON lower(u.email) = t.email
        WHERE NOT u.is_sso_user AND u.deleted_at IS NULL
        ORDER BY lower(u.email), u.email_confirmed_at IS NULL, u.created_at, u.id
    LOOP
        email := request.address;
        token := request.id || '.' || vrm.random_base32(32);
        expires_at := clock_timestamp() + '1 hour'::interval;
        -- The newest mail is good, and no other: one of them may be in the wrong hands.
        DELETE FROM vrm_private.password_reset_tokens r WHERE r.user_id = request.id;
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
    -- Whoever reads somebody's mail has one factor, not two.  But an address that was never proved belongs
    -- to who reads its mail, and no factor of somebody else's stands in the way.
    IF (SELECT p.mfa_enabled AND u.email_confirmed_at IS NOT NULL
        FROM vrm.user_profiles p JOIN auth.users u ON u.id = p.id WHERE p.id = who) THEN
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
    IF NOT vrm_private.confirm_address(who) THEN
        RETURN false;
    END IF;
    UPDATE auth.users u SET encrypted_password = hash, updated_at = clock_timestamp() WHERE u.id = who;
    PERFORM vrm_private.end_session(s.id) FROM vrm_private.sessions s WHERE s.user_id = who AND s.revoked_at IS NULL;
    PERFORM vrm_private.write_event('password reset', jsonb_build_object('user_id', who));
    -- What guesses have locked; what an administrator has, stays.
    PERFORM vrm.lockout_clear('password', vrm_private.identifier_of(p.email, p.id)), vrm_private.show_locks(ARRAY[who])
    FROM vrm.user_profiles p WHERE p.id = who;
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.consume_password_reset(text, vrm.secret, text) IS
    'sets a new password, once for a token; ends all sessions, and asks for the second factor where there is one';
CREATE OR REPLACE FUNCTION vrm.change_password(old_password vrm.secret, new_password vrm.secret)
    RETURNS vrm.sign_in_status
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    who uuid := vrm_private.person();
    verdict text;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    PERFORM vrm_private.require_strength(new_password);
    verdict := vrm_private.check_own_password(who, 'change of password', old_password);
    IF verdict <> 'ok' THEN
        RETURN verdict::vrm.sign_in_status;
    END IF;
    UPDATE auth.users u SET encrypted_password = vrm.password_hash(new_password), updated_at = clock_timestamp()
    WHERE u.id = who;
    DELETE FROM vrm_private.password_reset_tokens r WHERE r.user_id = who;
    PERFORM vrm_private.end_session(s.id)
    FROM vrm_private.sessions s
    WHERE s.user_id = who AND s.revoked_at IS NULL
      AND s.id IS DISTINCT FROM vrm_private.uuid_in_token(vrm.jwt() ->> 'session_id', 1);
    PERFORM vrm_private.write_event('password changed', jsonb_build_object('user_id', who));
    RETURN 'ok';
END
$$;
COMMENT ON FUNCTION vrm.change_password(vrm.secret, vrm.secret) IS
    'another password for the caller, who knows the old one; ends all other sessions';

REVOKE EXECUTE ON FUNCTION vrm.change_password(vrm.secret, vrm.secret) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.change_password(vrm.secret, vrm.secret) TO authenticated;
REVOKE EXECUTE ON FUNCTION
    vrm_private.reset_token_user(text),
    vrm.request_password_reset(text, inet),
    vrm.take_reset_mail(integer),
    vrm.verify_password_reset(text),
    vrm.consume_password_reset(text, vrm.secret, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.request_password_reset(text, inet),
    vrm.verify_password_reset(text),
    vrm.consume_password_reset(text, vrm.secret, text)
    TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION vrm.take_reset_mail(integer) TO service_role;
