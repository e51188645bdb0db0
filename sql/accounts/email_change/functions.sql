-- Another address for who is signed in

-- The same for every address, whoever has it: the answer says nothing of others, and a mail says the rest.
CREATE OR REPLACE FUNCTION vrm.change_email(new_email text, password vrm.secret) RETURNS vrm.sign_in_status
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    who uuid := vrm_private.person();
    address text := lower(btrim(new_email));
    verdict text;
    reserved record;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    PERFORM vrm_private.require_address(address);
    verdict := vrm_private.check_own_password(who, 'change of address', password);
    IF verdict <> 'ok' THEN
        RETURN verdict;
    END IF;
    -- counted with the sign-ups that want the address: nobody has more mails sent there by asking here
    reserved := vrm.lockout_reserve('sign_up', address, vrm_private.network_of_caller(NULL), NULL);
    IF reserved.status <> 'ok' THEN
        RETURN 'ok';
    END IF;
    PERFORM vrm.lockout_settle(reserved.ticket, false);
    INSERT INTO vrm_private.email_changes AS c (user_id, old_email, new_email, password_generation)
    SELECT u.id, u.email, address, vrm_private.password_generation(u.id) FROM auth.users u WHERE u.id = who
    ON CONFLICT ON CONSTRAINT email_changes_pkey DO UPDATE
    SET old_email = EXCLUDED.old_email, new_email = EXCLUDED.new_email, token_hash = NULL,
        password_generation = EXCLUDED.password_generation, requested_at = EXCLUDED.requested_at, confirmed_at = NULL;
    PERFORM vrm_private.write_event('change of address requested', jsonb_build_object('user_id', who));
    RETURN 'ok';
END
$$;
COMMENT ON FUNCTION vrm.change_email(text, vrm.secret) IS
    'asks for another address for the caller, who knows the password; it counts once vrm.confirm_email_change() has it';

CREATE OR REPLACE FUNCTION vrm.take_email_change_mail(max integer DEFAULT 100)
    RETURNS TABLE (email text, says vrm.email_change_mail, token text, expires_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    change record;
BEGIN
    PERFORM vrm.require_grant('vrm.take_email_change_mail(integer)');
    PERFORM vrm_private.check_most('max', take_email_change_mail.max);
    FOR change IN
        SELECT c.*, EXISTS (SELECT FROM auth.users u WHERE lower(u.email) = c.new_email AND NOT u.is_sso_user
                            AND u.email_confirmed_at IS NOT NULL) AS is_taken
        FROM vrm_private.email_changes c
        WHERE c.token_hash IS NULL AND (c.confirmed_at IS NOT NULL OR c.requested_at > now() - '1 day'::interval)
        ORDER BY c.requested_at LIMIT take_email_change_mail.max FOR UPDATE SKIP LOCKED
    LOOP
        token := NULL;
        expires_at := NULL;
        IF change.confirmed_at IS NULL THEN
            email := change.new_email;
            says := CASE WHEN change.is_taken THEN 'taken' ELSE 'confirm' END;
            IF NOT change.is_taken THEN
                token := change.user_id || '.' || vrm.random_base32(32);
                expires_at := change.requested_at + '1 day'::interval;
                UPDATE vrm_private.email_changes c SET token_hash = sha256(convert_to(token, 'UTF8'))
                WHERE c.user_id = change.user_id;
            END IF;
            RETURN NEXT;
        END IF;
        IF change.confirmed_at IS NOT NULL OR change.is_taken THEN
            DELETE FROM vrm_private.email_changes c WHERE c.user_id = change.user_id;
        END IF;
        IF change.old_email IS NOT NULL THEN
            email := change.old_email;
            says := CASE WHEN change.confirmed_at IS NULL THEN 'requested' ELSE 'changed' END;
            token := NULL;
            expires_at := NULL;
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.take_email_change_mail(integer) IS
    'for the mailer: whom to tell what of a change of address; the token is for the new one, shown this once';

CREATE OR REPLACE FUNCTION vrm.confirm_email_change(token text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    hash bytea := sha256(convert_to(token, 'UTF8'));
    change vrm_private.email_changes;
    state record;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    SELECT c.* INTO change FROM vrm_private.email_changes c
    WHERE c.user_id = vrm_private.uuid_in_token(token, 1) AND c.token_hash = hash
      AND c.requested_at > clock_timestamp() - '1 day'::interval
      AND c.password_generation = vrm_private.password_generation(c.user_id)
    FOR UPDATE;
    SELECT s.may, s.locked_until INTO state FROM vrm_private.account_state(change.user_id) s;
    -- ROLLBACK brings the token back, but not its use
    IF change.user_id IS NULL OR state.may IS NOT TRUE OR state.locked_until IS NOT NULL
       OR NOT vrm.lockout_advance('reset_request', encode(hash, 'hex'), 1) THEN
        RETURN false;
    END IF;
    BEGIN
        UPDATE auth.users u
        SET email = change.new_email, email_confirmed_at = clock_timestamp(), updated_at = clock_timestamp()
        WHERE u.id = change.user_id;
    EXCEPTION
        WHEN unique_violation THEN
            RETURN false;  -- somebody else has proved it since
    END;
    PERFORM vrm_private.release_address(change.new_email, change.user_id);
    UPDATE vrm_private.email_changes c SET token_hash = NULL, confirmed_at = clock_timestamp()
    WHERE c.user_id = change.user_id;
    DELETE FROM vrm_private.password_reset_tokens r WHERE r.user_id = change.user_id;
    -- what strangers have guessed at the address before it was anybody's
    PERFORM vrm.lockout_clear('password', change.new_email), vrm_private.show_locks(ARRAY[change.user_id]),
            vrm_private.write_event('address changed', jsonb_build_object('user_id', change.user_id));
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.confirm_email_change(text) IS
    'makes the new address the one that counts, with the token from its mail; sessions go on; false otherwise';

CREATE OR REPLACE FUNCTION vrm_private.forget_email_changes() RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM vrm_private.email_changes c
    WHERE c.confirmed_at IS NULL AND c.requested_at < now() - '1 day'::interval
       OR c.confirmed_at < now() - '7 days'::interval
$$;
COMMENT ON FUNCTION vrm_private.forget_email_changes() IS
    'part of maintenance: changes of address that nobody has confirmed within a day, and mails that nobody has taken';

REVOKE EXECUTE ON FUNCTION
    vrm.change_email(text, vrm.secret), vrm.take_email_change_mail(integer), vrm.confirm_email_change(text),
    vrm_private.forget_email_changes()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.change_email(text, vrm.secret) TO authenticated;
GRANT EXECUTE ON FUNCTION vrm.take_email_change_mail(integer) TO service_role;
GRANT EXECUTE ON FUNCTION vrm.confirm_email_change(text) TO anon, authenticated, service_role;
