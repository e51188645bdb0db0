-- Lockout: who has failed how often, which no ROLLBACK takes back

CREATE OR REPLACE FUNCTION vrm_private.network_of(client_ip inet) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN host(network(set_masklen(client_ip, CASE family(client_ip) WHEN 4 THEN 32 ELSE 64 END)));
COMMENT ON FUNCTION vrm_private.network_of(inet) IS
    'what is counted as one client: an IPv4 address, or the /64 that an IPv6 customer has';
REVOKE EXECUTE ON FUNCTION vrm_private.network_of(inet) FROM PUBLIC;

-- Whose network counts.  The service says where its callers are.  Anybody else could name a stranger's
-- network and have it throttled, so of them only what the server itself sees counts: where the connection
-- comes from, or, through a gateway in vrm.trusted_logins, the address that the last proxy has added.  What
-- somebody says through a socket of this machine counts apart from what the service says.
CREATE OR REPLACE FUNCTION vrm_private.network_of_caller(client_ip inet) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    forwarded text;
BEGIN
    IF vrm_private.is_service() THEN
        RETURN vrm_private.network_of(client_ip);
    END IF;
    IF session_user <> ALL (string_to_array(replace(current_setting('vrm.trusted_logins', true), ' ', ''), ',')) THEN
        RETURN 'from ' || coalesce(vrm_private.network_of(inet_client_addr()),
                                   'socket ' || vrm_private.network_of(client_ip));
    END IF;
    forwarded := nullif(current_setting('request.headers', true), '')::json ->> 'x-forwarded-for';
    RETURN 'for ' || vrm_private.network_of(btrim(regexp_replace(forwarded, '^.*,', ''))::inet);
EXCEPTION
    WHEN invalid_text_representation THEN
        RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.network_of_caller(inet) IS
    'under what attempts of the caller''s network are counted; null when nothing is known of it';
REVOKE EXECUTE ON FUNCTION vrm_private.network_of_caller(inet) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.time_until(moment timestamptz) RETURNS interval
    LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN isfinite(moment) THEN greatest(moment - clock_timestamp(), '1 second'::interval)
                ELSE '30 days'::interval END
$$;
COMMENT ON FUNCTION vrm_private.time_until(timestamptz) IS 'when to come back; 30 days when a lock does not end';
REVOKE EXECUTE ON FUNCTION vrm_private.time_until(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.begin_attempt(identifier text, kind vrm.attempt_kind DEFAULT 'password',
                                             client_ip inet DEFAULT NULL, device_token text DEFAULT NULL)
    RETURNS vrm.attempt
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    by_hand timestamptz := CASE WHEN begin_attempt.kind = 'password' THEN vrm_private.locked_by_hand(identifier) END;
    reserved record;
    result vrm.attempt;
BEGIN
    PERFORM vrm.require_grant('vrm.begin_attempt(text,vrm.attempt_kind,inet,text)');
    PERFORM vrm_private.require_argument('identifier', identifier IS NULL);
    PERFORM vrm_private.require_argument('kind', kind IS NULL);
    IF by_hand IS NOT NULL THEN
        result.status := 'locked';
        result.retry_after := vrm_private.time_until(by_hand);
        RETURN result;
    END IF;
    reserved := vrm.lockout_reserve(kind::text, lower(btrim(identifier)),
                                    vrm_private.network_of(client_ip),
                                    vrm_private.known_device(lower(btrim(identifier)), device_token));
    result.status := reserved.status;
    result.ticket := reserved.ticket;
    IF reserved.until > clock_timestamp() THEN
        result.retry_after := vrm_private.time_until(reserved.until);
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
    verdict text;
    subject record;
BEGIN
    PERFORM vrm.require_grant('vrm.settle_attempt(bytea,boolean)');
    verdict := vrm.lockout_settle(ticket, success);
    PERFORM vrm_private.require_argument('success', success IS NULL AND ticket IS NOT NULL);
    IF verdict <> 'ok' THEN
        subject := vrm.lockout_ticket(ticket);
        PERFORM vrm_private.journal_failure(subject.kind, verdict, jsonb_build_object('key', subject.key));
    END IF;
    RETURN verdict::vrm.sign_in_status;
END
$$;
COMMENT ON FUNCTION vrm.settle_attempt(bytea, boolean) IS
    'after a secret was looked at: ok, invalid, or locked when that was the last attempt';

-- Who is counted under an identifier: an address, or the id of somebody without one.
CREATE OR REPLACE FUNCTION vrm_private.accounts_of(identifier text) RETURNS SETOF uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.id FROM vrm.user_profiles p WHERE lower(p.email) = lower(btrim(identifier))
    UNION ALL
    SELECT p.id FROM vrm.user_profiles p WHERE p.id = vrm_private.uuid_in_token(lower(btrim(identifier)), 1)
$$;
COMMENT ON FUNCTION vrm_private.accounts_of(text) IS 'accounts that an identifier of attempts stands for, mostly one';
REVOKE EXECUTE ON FUNCTION vrm_private.accounts_of(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.locked_by_hand(identifier text) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT max(l.locked_until)
    FROM vrm_private.account_locks l
    WHERE l.user_id IN (SELECT vrm_private.accounts_of(identifier)) AND l.locked_until > clock_timestamp()
$$;
COMMENT ON FUNCTION vrm_private.locked_by_hand(text) IS
    'until when an administrator has locked who goes by the identifier; null when nobody has';
REVOKE EXECUTE ON FUNCTION vrm_private.locked_by_hand(text) FROM PUBLIC;

-- Under what a person's passwords are counted.
CREATE OR REPLACE FUNCTION vrm_private.identifier_of(email text, id uuid) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT lower(btrim(coalesce(email, id::text)))
$$;
COMMENT ON FUNCTION vrm_private.identifier_of(text, uuid) IS 'address, or the id of somebody without one';
REVOKE EXECUTE ON FUNCTION vrm_private.identifier_of(text, uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.standing_now(user_id uuid, OUT login_attempts integer,
                                                    OUT locked_until timestamptz, OUT locked_by_hand_until timestamptz,
                                                    OUT last_login timestamptz)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.consecutive, CASE WHEN s.locked THEN s.until END,
           (SELECT l.locked_until FROM vrm_private.account_locks l
            WHERE l.user_id = p.id AND l.locked_until > clock_timestamp()),
           p.last_login
    FROM vrm.user_profiles p, vrm.lockout_state('password', vrm_private.identifier_of(p.email, p.id)) s
    WHERE p.id = standing_now.user_id AND (p.id = vrm.actor() OR vrm_private.is_operator())
$$;
COMMENT ON FUNCTION vrm_private.standing_now(uuid) IS
    'what is counted of a person; of oneself, operators of anybody';
REVOKE EXECUTE ON FUNCTION vrm_private.standing_now(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm_private.standing_now(uuid) TO authenticated, service_role;

-- The truth is in the store.  Not for a guesser's transaction, which would hold the row of its victim.
CREATE OR REPLACE FUNCTION vrm_private.show_locks(people uuid[]) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE vrm.user_profiles p
    SET login_attempts = now.failures, locked_until = now.until
    FROM (SELECT q.id, s.consecutive AS failures,
                 greatest(CASE WHEN s.locked THEN s.until END,
                          (SELECT l.locked_until FROM vrm_private.account_locks l
                           WHERE l.user_id = q.id AND l.locked_until > clock_timestamp())) AS until
          FROM vrm.user_profiles q, vrm.lockout_state('password', vrm_private.identifier_of(q.email, q.id)) s
          WHERE q.id = ANY (people)) AS now
    WHERE p.id = now.id AND (p.login_attempts, p.locked_until) IS DISTINCT FROM (now.failures, now.until)
$$;
COMMENT ON FUNCTION vrm_private.show_locks(uuid[]) IS
    'copies what is counted to login_attempts and locked_until of profiles';
REVOKE EXECUTE ON FUNCTION vrm_private.show_locks(uuid[]) FROM PUBLIC;

-- Those whose failures wait in the journal, and those who are shown as locked; who is busy comes next time.
CREATE OR REPLACE FUNCTION vrm_private.show_waiting_locks() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.show_locks(ARRAY(
        SELECT p.id
        FROM vrm.user_profiles p
        WHERE p.login_attempts > 0 OR p.locked_until IS NOT NULL
           OR p.id IN (SELECT vrm_private.uuid_in_token(j.detail ->> 'user_id', 1)
                       FROM vrm_private.audit_journal j WHERE j.action LIKE 'password failed%')
        ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED));
END
$$;
COMMENT ON FUNCTION vrm_private.show_waiting_locks() IS 'part of maintenance: brings what profiles show up to date';
REVOKE EXECUTE ON FUNCTION vrm_private.show_waiting_locks() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.record_login_attempt(identifier text, success boolean, client_ip inet DEFAULT NULL)
    RETURNS vrm.sign_in_status
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reserved record;
    result text;
BEGIN
    PERFORM vrm.require_grant('vrm.record_login_attempt(text,boolean,inet)');
    PERFORM vrm_private.require_argument('identifier', identifier IS NULL);
    PERFORM vrm_private.require_argument('success', success IS NULL);
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
    IF result = 'ok' AND vrm_private.locked_by_hand(identifier) IS NOT NULL THEN
        RETURN 'locked';
    END IF;
    RETURN result::vrm.sign_in_status;
END
$$;
COMMENT ON FUNCTION vrm.record_login_attempt(text, boolean, inet) IS
    'counts an attempt that somebody else has judged: ok, invalid, locked or throttled';

CREATE OR REPLACE FUNCTION vrm_private.locked_out() RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT count(*)
        FROM (SELECT locked_until FROM vrm_private.lockout
              UNION ALL SELECT locked_until FROM vrm_private.lockout_requests) l
        WHERE l.locked_until > clock_timestamp());
END
$$;
COMMENT ON FUNCTION vrm_private.locked_out() IS 'how many identifiers and networks are locked now';
REVOKE EXECUTE ON FUNCTION vrm_private.locked_out() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.is_locked(identifier text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.is_locked(text)');
    PERFORM vrm_private.require_argument('identifier', identifier IS NULL);
    RETURN (vrm.lockout_state('password', lower(btrim(identifier)))).locked
        OR vrm_private.locked_by_hand(identifier) IS NOT NULL;
END
$$;
COMMENT ON FUNCTION vrm.is_locked(text) IS
    'whether nobody can sign in: too many failures, or an administrator has locked it; works on a standby';

CREATE OR REPLACE FUNCTION vrm.lock_status(identifier text, OUT locked boolean, OUT locked_until timestamptz,
                                           OUT failures integer, OUT pending integer,
                                           OUT consecutive integer, OUT lock_count integer)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.lock_status(text)');
    PERFORM vrm_private.require_argument('identifier', identifier IS NULL);
    SELECT s.locked OR h.until IS NOT NULL, greatest(CASE WHEN s.locked THEN s.until END, h.until),
           s.failures, s.pending, s.consecutive, s.lock_count
    INTO locked, locked_until, failures, pending, consecutive, lock_count
    FROM vrm.lockout_state('password', lower(btrim(identifier))) s,
         (SELECT vrm_private.locked_by_hand(identifier)) AS h (until);
END
$$;
COMMENT ON FUNCTION vrm.lock_status(text) IS
    'what is counted of an identifier, whether or not there is such a user; works on a standby';

CREATE OR REPLACE FUNCTION vrm.unlock_account(identifier text, reason text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    people uuid[];
    cleared boolean;
BEGIN
    IF NOT vrm_private.is_operator() THEN
        RAISE EXCEPTION 'permission denied to unlock an account'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Ask an administrator of the application.';
    END IF;
    PERFORM vrm_private.require_argument('identifier', identifier IS NULL);
    people := ARRAY(SELECT vrm_private.accounts_of(identifier));
    DELETE FROM vrm_private.account_locks l WHERE l.user_id = ANY (people);
    cleared := FOUND;
    cleared := vrm.lockout_clear('password', lower(btrim(identifier))) OR cleared;
    PERFORM vrm_private.show_locks(people),
            vrm_private.write_event('unlocked', jsonb_build_object('identifier', identifier, 'reason', reason));
    RETURN cleared;
END
$$;
COMMENT ON FUNCTION vrm.unlock_account(text, text) IS
    'administrators only: forgets the failures of an address and every lock; false when there were none';

CREATE OR REPLACE FUNCTION vrm.lock_account(user_id uuid, until timestamptz, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT vrm_private.is_operator() THEN
        RAISE EXCEPTION 'permission denied to lock an account'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Ask an administrator of the application.';
    END IF;
    PERFORM vrm_private.require_argument('user_id', lock_account.user_id IS NULL),
            vrm_private.require_argument('until', until IS NULL);
    IF NOT EXISTS (SELECT FROM vrm.user_profiles p WHERE p.id = lock_account.user_id) THEN
        RAISE EXCEPTION 'user "%" does not exist', lock_account.user_id
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, email FROM vrm.user_profiles;';
    END IF;
    INSERT INTO vrm_private.account_locks AS l (user_id, locked_until, reason, locked_by)
    VALUES (lock_account.user_id, until, left(lock_account.reason, 2000), vrm.uid())
    ON CONFLICT (user_id) DO UPDATE
    SET locked_until = EXCLUDED.locked_until, reason = EXCLUDED.reason, locked_by = EXCLUDED.locked_by,
        locked_at = EXCLUDED.locked_at;
    PERFORM vrm_private.show_locks(ARRAY[lock_account.user_id]),
            vrm_private.write_event('locked by hand', jsonb_build_object(
                'user_id', lock_account.user_id, 'until', until, 'reason', lock_account.reason));
END
$$;
COMMENT ON FUNCTION vrm.lock_account(uuid, timestamptz, text) IS
    'administrators only: until then the account can do nothing, and nobody can sign in to it from any device';

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
