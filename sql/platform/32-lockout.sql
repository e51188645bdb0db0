-- Lockout: who has failed how often, which no ROLLBACK takes back -------------------------------------

CREATE TYPE vrm.attempt_kind AS ENUM ('password', 'totp', 'recovery', 'reset_request');
COMMENT ON TYPE vrm.attempt_kind IS 'what is tried; each kind is counted apart';

CREATE TYPE vrm.sign_in_status AS ENUM
    ('ok', 'mfa_required', 'invalid', 'locked', 'throttled', 'unavailable');
COMMENT ON TYPE vrm.sign_in_status IS
    'what came of an attempt; throttled asks to come back later, unavailable is ours to mend';

CREATE TYPE vrm.attempt AS (
    status vrm.sign_in_status,
    ticket bytea,
    retry_after interval
);
COMMENT ON TYPE vrm.attempt IS 'a reserved attempt: with status ok, look at the secret and settle the ticket';
COMMENT ON COLUMN vrm.attempt.status IS 'ok, locked or throttled';
COMMENT ON COLUMN vrm.attempt.ticket IS 'for vrm.settle_attempt(); only with status ok';
COMMENT ON COLUMN vrm.attempt.retry_after IS 'when another attempt makes sense; null with status ok';

-- Read by C++, by the position of the columns.
CREATE TABLE IF NOT EXISTS vrm.lockout_policy (
    kind text PRIMARY KEY CONSTRAINT kind_is_known
        CHECK (kind IN ('password', 'device', 'totp', 'recovery', 'reset_request', 'ip', 'session')),
    threshold integer NOT NULL CONSTRAINT threshold_range CHECK (threshold BETWEEN 1 AND 1000),
    attempt_window interval NOT NULL CONSTRAINT attempt_window_range
        CHECK (attempt_window >= '1 second' AND attempt_window <= '1 day' AND extract(month FROM attempt_window) = 0),
    base_lock interval NOT NULL CONSTRAINT base_lock_range
        CHECK (base_lock >= '1 second' AND base_lock <= '30 days' AND extract(month FROM base_lock) = 0),
    factor double precision NOT NULL CONSTRAINT factor_range CHECK (factor BETWEEN 1 AND 100),
    max_lock interval NOT NULL CONSTRAINT max_lock_range
        CHECK (max_lock >= '1 second' AND max_lock <= '30 days' AND extract(month FROM max_lock) = 0),
    consecutive_cap integer NOT NULL CONSTRAINT consecutive_cap_range
        CHECK (consecutive_cap BETWEEN 0 AND 10000),
    reservation interval NOT NULL CONSTRAINT reservation_range
        CHECK (reservation BETWEEN '1 second' AND '10 minutes')
);
COMMENT ON TABLE vrm.lockout_policy IS 'how strict to be with each kind of attempt';
COMMENT ON COLUMN vrm.lockout_policy.kind IS 'what is counted apart: a kind of attempt, a known device, a network';
COMMENT ON COLUMN vrm.lockout_policy.threshold IS 'failures in a window that lock';
COMMENT ON COLUMN vrm.lockout_policy.attempt_window IS 'how long failures count';
COMMENT ON COLUMN vrm.lockout_policy.base_lock IS 'length of the first lock';
COMMENT ON COLUMN vrm.lockout_policy.factor IS 'each lock is so many times as long as the one before';
COMMENT ON COLUMN vrm.lockout_policy.max_lock IS 'but no longer than this';
COMMENT ON COLUMN vrm.lockout_policy.consecutive_cap IS
    'failures without a success, over all windows, that lock for good; 0 for no cap';
COMMENT ON COLUMN vrm.lockout_policy.reservation IS
    'an attempt without verdict counts as a failure after this time';

-- The defaults of doc/lockout.md; a row that is there stays as it is.
INSERT INTO vrm.lockout_policy VALUES
    ('password', 5, '15 minutes', '1 minute', 2, '1 day', 100, '30 seconds'),
    ('device', 5, '15 minutes', '1 minute', 2, '1 day', 0, '30 seconds'),
    ('totp', 5, '15 minutes', '1 minute', 2, '1 day', 0, '30 seconds'),
    ('recovery', 5, '15 minutes', '1 minute', 2, '1 day', 0, '30 seconds'),
    ('reset_request', 3, '1 hour', '1 hour', 1, '1 hour', 0, '30 seconds'),
    ('ip', 100, '5 minutes', '5 minutes', 1, '5 minutes', 0, '30 seconds'),
    ('session', 1, '1 second', '30 days', 1, '30 days', 0, '30 seconds')
    ON CONFLICT (kind) DO NOTHING;

CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE ON vrm.lockout_policy
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
COMMENT ON TRIGGER announce_change ON vrm.lockout_policy IS 'makes backends forget the policy they have read';

-- Travels with dumps: without it the keys in the store would mean nobody.
CREATE TABLE IF NOT EXISTS vrm_private.lockout_secret (
    id boolean PRIMARY KEY DEFAULT true CONSTRAINT one_row CHECK (id),
    secret bytea NOT NULL CONSTRAINT secret_length CHECK (length(secret) = 32)
);
COMMENT ON TABLE vrm_private.lockout_secret IS 'what the keys in vrm_private.lockout are hashed with';
COMMENT ON COLUMN vrm_private.lockout_secret.id IS 'true: there is one row';
COMMENT ON COLUMN vrm_private.lockout_secret.secret IS '32 random bytes';
INSERT INTO vrm_private.lockout_secret (secret)
    SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
    ON CONFLICT DO NOTHING;
CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE ON vrm_private.lockout_secret
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
COMMENT ON TRIGGER announce_change ON vrm_private.lockout_secret IS 'makes backends forget the secret they have read';

CREATE TABLE IF NOT EXISTS vrm_private.lockout (
    key uuid NOT NULL,
    window_start timestamptz NOT NULL,
    locked_until timestamptz NOT NULL,
    pending_deadline timestamptz NOT NULL,
    last timestamptz NOT NULL,
    failures integer NOT NULL,
    pending integer NOT NULL,
    consecutive integer NOT NULL,
    lock_count integer NOT NULL,
    value bigint NOT NULL
) USING vrm_lockout;
COMMENT ON TABLE vrm_private.lockout IS
    'the counter store; rows are merged in by INSERT and COPY, changed by functions only, and never rolled back';
COMMENT ON COLUMN vrm_private.lockout.key IS 'keyed hash of kind and identifier, whether or not there is such a user';
COMMENT ON COLUMN vrm_private.lockout.window_start IS 'failures are counted since';
COMMENT ON COLUMN vrm_private.lockout.locked_until IS 'no attempt before; -infinity when never locked';
COMMENT ON COLUMN vrm_private.lockout.pending_deadline IS 'open reservations then count as failures';
COMMENT ON COLUMN vrm_private.lockout.last IS 'last change';
COMMENT ON COLUMN vrm_private.lockout.failures IS 'failures in this window';
COMMENT ON COLUMN vrm_private.lockout.pending IS 'reservations without a verdict yet';
COMMENT ON COLUMN vrm_private.lockout.consecutive IS 'failures since the last success';
COMMENT ON COLUMN vrm_private.lockout.lock_count IS 'locks since the last success';
COMMENT ON COLUMN vrm_private.lockout.value IS 'what must not go back: last TOTP step, refresh counter';

REVOKE ALL ON vrm.lockout_policy, vrm_private.lockout_secret, vrm_private.lockout
    FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON vrm.lockout_policy TO service_role;
ALTER TABLE vrm.lockout_policy ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.lockout_secret ENABLE ROW LEVEL SECURITY;

-- What applications call --------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.network_of(client_ip inet) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN host(network(set_masklen(client_ip, CASE family(client_ip) WHEN 4 THEN 32 ELSE 64 END)));
COMMENT ON FUNCTION vrm_private.network_of(inet) IS
    'what is counted as one client: an IPv4 address, or the /64 that an IPv6 customer has';
REVOKE EXECUTE ON FUNCTION vrm_private.network_of(inet) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.is_operator() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.is_admin()
        OR pg_has_role(coalesce(nullif(current_setting('role'), 'none'), session_user), 'service_role', 'MEMBER')
$$;
COMMENT ON FUNCTION vrm_private.is_operator() IS
    'whether an administrator of the application or the service itself is calling';
REVOKE EXECUTE ON FUNCTION vrm_private.is_operator() FROM PUBLIC;

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
