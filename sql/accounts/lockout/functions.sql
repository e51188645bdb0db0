-- Lockout: who has failed how often, which no ROLLBACK takes back

CREATE OR REPLACE FUNCTION vrm_private.network_of(client_ip inet) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN host(network(set_masklen(client_ip, CASE family(client_ip) WHEN 4 THEN 32 ELSE 64 END)));
COMMENT ON FUNCTION vrm_private.network_of(inet) IS
    'what is counted as one client: an IPv4 address, or the /64 that an IPv6 customer has';
REVOKE EXECUTE ON FUNCTION vrm_private.network_of(inet) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.begin_attempt(identifier text, kind vrm.attempt_kind DEFAULT 'password',
                                             client_ip inet DEFAULT NULL, device_token text DEFAULT NULL)
    RETURNS vrm.attempt
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reserved record;
    result vrm.attempt;
BEGIN
    reserved := vrm.lockout_reserve(kind::text, lower(btrim(identifier)),
                                    vrm_private.network_of(client_ip), device_token);
    result.status := reserved.status;
    result.ticket := reserved.ticket;
    IF reserved.until > clock_timestamp() THEN
        result.retry_after := CASE WHEN isfinite(reserved.until) THEN reserved.until - clock_timestamp()
                                   ELSE '30 days'::interval END;
    ELSIF reserved.status <> 'ok' THEN
        result.retry_after := '1 second';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION vrm.begin_attempt(text, vrm.attempt_kind, inet, text) IS
    'before a secret is looked at: status ok and a ticket, or locked or throttled';

-- A failure, where the caller's ROLLBACK does not reach; every way to fail ends here.
CREATE OR REPLACE FUNCTION vrm_private.journal_failure(kind text, verdict text, detail jsonb) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.audit_journal(kind || CASE verdict WHEN 'locked' THEN ' failed, locked' ELSE ' failed' END, detail)
$$;
COMMENT ON FUNCTION vrm_private.journal_failure(text, text, jsonb) IS
    'writes a failed attempt to the journal of the audit trail';
REVOKE EXECUTE ON FUNCTION vrm_private.journal_failure(text, text, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.settle_attempt(ticket bytea, success boolean) RETURNS vrm.sign_in_status
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    verdict text := vrm.lockout_settle(ticket, success);
    subject record;
BEGIN
    IF verdict <> 'ok' THEN
        subject := vrm.lockout_ticket(ticket);
        PERFORM vrm_private.journal_failure(subject.kind, verdict, jsonb_build_object('key', subject.key));
    END IF;
    RETURN verdict::vrm.sign_in_status;
END
$$;
COMMENT ON FUNCTION vrm.settle_attempt(bytea, boolean) IS
    'after a secret was looked at: ok, invalid, or locked when that was the last attempt';

-- The profile shows what people look for there; the truth is in the store.
CREATE OR REPLACE FUNCTION vrm_private.show_lock(identifier text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state record := vrm.lockout_state('password', lower(btrim(identifier)));
BEGIN
    UPDATE vrm.user_profiles p
    SET login_attempts = state.consecutive,
        locked_until = CASE WHEN state.locked THEN state.until END
    WHERE lower(p.email) = lower(btrim(identifier))
      AND (p.login_attempts, p.locked_until)
          IS DISTINCT FROM (state.consecutive, CASE WHEN state.locked THEN state.until END);
END
$$;
COMMENT ON FUNCTION vrm_private.show_lock(text) IS
    'copies a lock to login_attempts and locked_until of the profile; called at transitions only';
REVOKE EXECUTE ON FUNCTION vrm_private.show_lock(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.record_login_attempt(identifier text, success boolean, client_ip inet DEFAULT NULL)
    RETURNS vrm.sign_in_status
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reserved record;
    result text;
BEGIN
    reserved := vrm.lockout_reserve('password', lower(btrim(identifier)),
                                    vrm_private.network_of(client_ip), NULL);
    IF reserved.status <> 'ok' THEN
        RETURN reserved.status::vrm.sign_in_status;
    END IF;
    result := vrm.lockout_settle(reserved.ticket, success);
    IF result <> 'ok' THEN
        PERFORM vrm_private.journal_failure('password', result, jsonb_build_object(
            'key', (vrm.lockout_ticket(reserved.ticket)).key, 'client_ip', client_ip,
            'user_id', (SELECT id FROM vrm.user_profiles WHERE lower(email) = lower(btrim(identifier)) LIMIT 1)));
    END IF;
    IF result <> 'invalid' THEN
        PERFORM vrm_private.show_lock(identifier);
    END IF;
    RETURN result::vrm.sign_in_status;
END
$$;
COMMENT ON FUNCTION vrm.record_login_attempt(text, boolean, inet) IS
    'counts an attempt that somebody else has judged: ok, invalid, locked or throttled';

CREATE OR REPLACE FUNCTION vrm.is_locked(identifier text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (vrm.lockout_state('password', lower(btrim(identifier)))).locked;
END
$$;
COMMENT ON FUNCTION vrm.is_locked(text) IS
    'whether a password would be refused without a look at it; works on a standby';

CREATE OR REPLACE FUNCTION vrm.lock_status(identifier text, OUT locked boolean, OUT locked_until timestamptz,
                                           OUT failures integer, OUT pending integer,
                                           OUT consecutive integer, OUT lock_count integer)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.locked, CASE WHEN s.locked THEN s.until END, s.failures, s.pending, s.consecutive, s.lock_count
    FROM vrm.lockout_state('password', lower(btrim(identifier))) s
$$;
COMMENT ON FUNCTION vrm.lock_status(text) IS
    'what is counted of an identifier, whether or not there is such a user; works on a standby';

CREATE OR REPLACE FUNCTION vrm.unlock_account(identifier text, reason text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cleared boolean;
BEGIN
    IF NOT vrm_private.is_operator() THEN
        RAISE EXCEPTION 'permission denied to unlock an account'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Ask an administrator of the application.';
    END IF;
    cleared := vrm.lockout_clear('password', lower(btrim(identifier)));
    PERFORM vrm_private.show_lock(identifier),
            vrm.audit_event('unlocked', jsonb_build_object('identifier', identifier, 'reason', reason));
    RETURN cleared;
END
$$;
COMMENT ON FUNCTION vrm.unlock_account(text, text) IS
    'administrators only: forgets the failures and the lock of an address; false when there were none';

CREATE OR REPLACE FUNCTION vrm.lock_account(user_id uuid, until timestamptz, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    address text;
BEGIN
    IF NOT vrm_private.is_operator() THEN
        RAISE EXCEPTION 'permission denied to lock an account'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Ask an administrator of the application.';
    END IF;
    SELECT email INTO address FROM vrm.user_profiles WHERE id = lock_account.user_id;
    IF address IS NULL THEN
        RAISE EXCEPTION 'user "%" has no address to lock', lock_account.user_id
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, email FROM vrm.user_profiles;';
    END IF;
    PERFORM vrm.lockout_lock('password', lower(btrim(address)), until);
    PERFORM vrm_private.show_lock(address),
            vrm.audit_event('locked by hand', jsonb_build_object('user_id', lock_account.user_id, 'until', until,
                                                                 'reason', reason));
END
$$;
COMMENT ON FUNCTION vrm.lock_account(uuid, timestamptz, text) IS
    'administrators only: nobody signs in to the account with a password before then';

REVOKE EXECUTE ON FUNCTION
    vrm.begin_attempt(text, vrm.attempt_kind, inet, text), vrm.settle_attempt(bytea, boolean),
    vrm.record_login_attempt(text, boolean, inet), vrm.is_locked(text), vrm.lock_status(text),
    vrm.unlock_account(text, text), vrm.lock_account(uuid, timestamptz, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.begin_attempt(text, vrm.attempt_kind, inet, text), vrm.settle_attempt(bytea, boolean),
    vrm.record_login_attempt(text, boolean, inet), vrm.is_locked(text), vrm.lock_status(text)
    TO service_role;
GRANT EXECUTE ON FUNCTION vrm.unlock_account(text, text), vrm.lock_account(uuid, timestamptz, text)
    TO authenticated, service_role;
