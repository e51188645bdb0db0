-- How accounts end: deleted, recovered, erased

CREATE OR REPLACE FUNCTION vrm_private.last_seen(user_id uuid, last_login timestamptz, created_at timestamptz)
    RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest(last_login, created_at, (SELECT u.last_sign_in_at FROM auth.users u WHERE u.id = last_seen.user_id),
                    (SELECT max(greatest(p.last_login, u.last_sign_in_at, m.joined_at))
                     FROM vrm_private.team_members m
                     JOIN vrm.user_profiles p ON p.id = m.member_id JOIN auth.users u ON u.id = m.member_id
                     WHERE m.user_id = last_seen.user_id))
$$;
COMMENT ON FUNCTION vrm_private.last_seen(uuid, timestamptz, timestamptz) IS
    'when a person, or a member of an organisation, has last signed in, here or through Supabase; else its making';

-- Whoever acts for an organisation has its account in hand only as its admin.
CREATE OR REPLACE FUNCTION vrm_private.require_own_account(owner uuid) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF owner IS DISTINCT FROM vrm.uid() OR owner IS NULL THEN
        PERFORM vrm_private.require_service_or_admin();
    ELSIF vrm.uid() <> vrm.actor() THEN
        PERFORM vrm_private.organisation('admin');
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.require_own_account(uuid) IS
    'an error for an account that is neither the caller''s nor that of an organisation that they administer';
REVOKE EXECUTE ON FUNCTION vrm_private.require_own_account(uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.delete_account(owner uuid, asked_by uuid) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM vrm.user_profiles p WHERE p.id = owner AND p.deleted_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO vrm_private.deleted_accounts (user_id, email, banned_until, requested_by)
    SELECT u.id, u.email, u.banned_until, asked_by FROM auth.users u WHERE u.id = owner;
    -- a real moment, because clients of auth.users may not know infinity
    UPDATE auth.users u
    SET email = 'deleted+' || u.id || '@invalid', banned_until = now() + interval '100 years', deleted_at = now()
    WHERE u.id = owner;
    UPDATE vrm.user_profiles p SET deleted_at = now(), email = NULL WHERE p.id = owner;
    DELETE FROM vrm_private.password_reset_tokens t WHERE t.user_id = owner;
    DELETE FROM vrm_private.email_changes c WHERE c.user_id = owner;
    UPDATE vrm_private.sessions s SET revoked_at = coalesce(s.revoked_at, now()) WHERE s.user_id = owner;
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm_private.delete_account(uuid, uuid) IS
    'marks an account as deleted and sets its address free; false when it was deleted already';

CREATE OR REPLACE FUNCTION vrm.delete_account(user_id uuid DEFAULT vrm.uid()) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.require_own_account(user_id);
    IF user_id = vrm.actor() THEN
        -- all of them, in one order, before the next statement sees who is left
        PERFORM vrm_private.lock_team(m.user_id)
        FROM (SELECT t.user_id FROM vrm_private.team_members t WHERE t.member_id = delete_account.user_id
              ORDER BY t.user_id) AS m;
        PERFORM vrm_private.keep_last_admin(m.user_id, m.member_id)
        FROM vrm_private.team_members m JOIN vrm.user_profiles o ON o.id = m.user_id AND o.deleted_at IS NULL
        WHERE m.member_id = delete_account.user_id;
    END IF;
    PERFORM vrm_private.delete_account(user_id, vrm.actor());
    IF NOT EXISTS (SELECT FROM vrm.user_profiles p WHERE p.id = delete_account.user_id) THEN
        RAISE EXCEPTION 'user "%" does not exist', coalesce(user_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, email FROM vrm.user_profiles;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.delete_account(uuid) IS
    'deletes the account of the caller or their organisation, for administrators another: erased after 30 days';

CREATE OR REPLACE FUNCTION vrm_private.put_back_account(owner uuid, email text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept vrm_private.deleted_accounts;
    address text;
BEGIN
    DELETE FROM vrm_private.deleted_accounts d WHERE d.user_id = owner RETURNING * INTO kept;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no deleted account of user "%"', coalesce(owner::text, 'null')
            USING ERRCODE = 'no_data_found',
                  DETAIL = 'It was never deleted, or is erased.',
                  HINT = 'Those that can come back: SELECT user_id, requested_at FROM vrm_private.deleted_accounts;';
    END IF;
    address := coalesce(put_back_account.email, kept.email);
    IF EXISTS (SELECT FROM auth.users u WHERE lower(u.email) = lower(address) AND NOT u.is_sso_user
               AND NOT EXISTS (SELECT FROM vrm_private.sign_ups s WHERE s.account_id = u.id)) THEN
        RAISE EXCEPTION 'the address of user "%" belongs to another account by now', owner
            USING ERRCODE = 'unique_violation',
                  HINT = format('An administrator may: SELECT vrm.recover_account(%L, ''another address'');', owner);
    END IF;
    UPDATE vrm.user_profiles p SET deleted_at = NULL WHERE p.id = owner;
    UPDATE auth.users u SET email = address, banned_until = kept.banned_until, deleted_at = NULL
    WHERE u.id = owner;
END
$$;
COMMENT ON FUNCTION vrm_private.put_back_account(uuid, text) IS
    'puts a deleted account back as it was, or with another address';

CREATE OR REPLACE FUNCTION vrm.recover_account(user_id uuid, email text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.require_service_or_admin();
    PERFORM vrm_private.put_back_account(user_id, email);
END
$$;
COMMENT ON FUNCTION vrm.recover_account(uuid, text) IS
    'service and administrators: puts a deleted account back as it was, or with another address';

CREATE OR REPLACE FUNCTION vrm.request_account_recovery(email text, client_ip inet DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    address text := lower(btrim(email));
    reserved record;
BEGIN
    PERFORM vrm_private.require_own_passwords(), vrm_private.require_argument('email', email IS NULL);
    reserved := vrm.lockout_reserve('reset_request', 'recover ' || address,
                                    vrm_private.network_of_caller(client_ip), NULL);
    IF reserved.status = 'ok' THEN
        PERFORM vrm.lockout_settle(reserved.ticket, false);  -- every request counts
        INSERT INTO vrm_private.recovery_requests (email) VALUES (left(address, 254));
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.request_account_recovery(text, inet) IS
    'asks for a mail by which a deleted account comes back; says and takes the same for everybody, three times an hour';

-- What an administrator or the service has deleted is not for its owner to bring back.
CREATE OR REPLACE FUNCTION vrm.take_recovery_mail(max integer DEFAULT 100)
    RETURNS TABLE (email text, token text, expires_at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    request record;
BEGIN
    PERFORM vrm.require_grant('vrm.take_recovery_mail(integer)');
    FOR request IN
        WITH taken AS (
            DELETE FROM vrm_private.recovery_requests
            WHERE id = ANY (ARRAY(SELECT id FROM vrm_private.recovery_requests
                                  ORDER BY id LIMIT take_recovery_mail.max FOR UPDATE SKIP LOCKED))
            RETURNING email)
        SELECT DISTINCT ON (lower(d.email)) d.user_id, d.email
        FROM taken t JOIN vrm_private.deleted_accounts d ON lower(d.email) = t.email
        WHERE d.requested_by = d.user_id
        ORDER BY lower(d.email), d.requested_at DESC, d.user_id
    LOOP
        email := request.email;
        token := request.user_id || '.' || vrm.random_base32(32);
        expires_at := clock_timestamp() + '1 hour'::interval;
        UPDATE vrm_private.deleted_accounts d
        SET token_hash = sha256(convert_to(token, 'UTF8')), token_expires_at = take_recovery_mail.expires_at
        WHERE d.user_id = request.user_id;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.take_recovery_mail(integer) IS
    'for the mailer: who may recover a deleted account with which token; it is shown this once';

-- Somebody else may have the address by now, so the mail alone is not enough.
CREATE OR REPLACE FUNCTION vrm.recover_own_account(token text, password vrm.secret, totp text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    hash bytea := sha256(convert_to(token, 'UTF8'));
    kept vrm_private.deleted_accounts;
BEGIN
    PERFORM vrm_private.require_own_passwords();
    SELECT d.* INTO kept FROM vrm_private.deleted_accounts d
    WHERE d.user_id = vrm_private.uuid_in_token(token, 1) AND d.token_hash = hash
      AND d.token_expires_at > clock_timestamp() AND coalesce(d.banned_until <= clock_timestamp(), true)
      AND NOT EXISTS (SELECT FROM vrm_private.account_locks l
                      WHERE l.user_id = d.user_id AND l.locked_until > clock_timestamp());
    IF kept.user_id IS NULL
       OR vrm_private.check_own_password(kept.user_id, 'recovery of an account', password) <> 'ok' THEN
        RETURN false;
    END IF;
    IF (SELECT p.mfa_enabled FROM vrm.user_profiles p WHERE p.id = kept.user_id)
       AND (totp IS NULL OR vrm_private.check_code(kept.user_id, totp) <> 'ok') THEN
        RETURN false;
    END IF;
    -- ROLLBACK brings the token back, but not its use
    IF NOT vrm.lockout_advance('reset_request', encode(hash, 'hex'), 1) THEN
        RETURN false;
    END IF;
    PERFORM vrm_private.put_back_account(kept.user_id, NULL),
            vrm_private.write_event('account recovered', jsonb_build_object('user_id', kept.user_id));
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.recover_own_account(text, vrm.secret, text) IS
    'puts back an account that its owner has deleted, with the token from the mail, the password and the second factor';

CREATE OR REPLACE FUNCTION vrm_private.forget_recovery_requests() RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM vrm_private.recovery_requests q WHERE q.requested_at < now() - '1 day'::interval
$$;
COMMENT ON FUNCTION vrm_private.forget_recovery_requests() IS 'part of maintenance: requests that no mailer has taken';

-- However a person goes: an erasure, somebody with Supabase's dashboard, a DELETE of the profile.  Counted
-- first, because afterwards nobody can; what no foreign key takes along is deleted then and there.  Whatever
-- table has a user_id is asked, also those that come later.
CREATE OR REPLACE FUNCTION vrm_private.note_erasure(owner uuid, reason text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    holder record;
    there bigint;
    erased bigint := 0;
BEGIN
    FOR holder IN
        SELECT c.oid::regclass AS relation,
               format(CASE WHEN c.oid = 'vrm_private.test_runs_archive'::regclass  -- goes by a trigger
                             OR EXISTS (SELECT FROM pg_constraint f
                                        WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confdeltype = 'c')
                           THEN 'SELECT count(*) FROM %s WHERE %I = $1'
                           ELSE 'WITH gone AS (DELETE FROM %s WHERE %I = $1 RETURNING 1) SELECT count(*) FROM gone' END,
                      c.oid::regclass, a.attname) AS statement
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
             AND (a.attname = 'user_id' OR (c.oid, a.attname) = ('vrm.user_profiles'::regclass, 'id')
                  OR (c.oid, a.attname) = ('vrm_private.team_members'::regclass, 'member_id'))
        WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
          AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.oid NOT IN ('vrm_private.erasure_ledger'::regclass, 'vrm_private.legal_holds'::regclass,
                            'vrm_private.object_purges'::regclass)
        ORDER BY 1
    LOOP
        EXECUTE holder.statement INTO there USING owner;
        erased := erased + there;
        INSERT INTO vrm_private.erasure_ledger (user_id, relation, row_count, reason)
        SELECT owner, holder.relation, there, note_erasure.reason WHERE there > 0;
    END LOOP;
    RETURN erased;
END
$$;
COMMENT ON FUNCTION vrm_private.note_erasure(uuid, text) IS
    'entries in the ledger of what there is of a person; returns the number of rows';

CREATE OR REPLACE FUNCTION vrm_private.note_deletion() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- by an erasure they were made in this transaction
    IF NOT EXISTS (SELECT FROM vrm_private.erasure_ledger l WHERE l.user_id = OLD.id AND l.erased_at = now()) THEN
        PERFORM vrm_private.note_erasure(OLD.id, 'deleted from auth.users or vrm.user_profiles');
    END IF;
    DELETE FROM vrm_private.password_reset_requests q WHERE lower(q.email) = lower(OLD.email);
    DELETE FROM vrm_private.team_invitations i WHERE i.email = lower(OLD.email);
    RETURN OLD;
END
$$;
COMMENT ON FUNCTION vrm_private.note_deletion() IS 'trigger: whoever goes is in the ledger';

CREATE OR REPLACE FUNCTION vrm_private.note_truncation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person uuid;
BEGIN
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    PERFORM vrm_private.await_holds();
    SELECT h.user_id INTO person FROM vrm_private.legal_holds h JOIN vrm.user_profiles p ON p.id = h.user_id
    WHERE h.released_at IS NULL LIMIT 1;
    IF FOUND THEN
        PERFORM vrm_private.raise_held('user', person);
    END IF;
    FOR person IN SELECT p.id FROM vrm.user_profiles p LOOP
        PERFORM vrm_private.note_erasure(person, 'TRUNCATE of auth.users or vrm.user_profiles'),
                vrm_private.note_removals('erased', owner => person);
        DELETE FROM vrm_private.test_runs_archive a WHERE a.user_id = person;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.note_truncation() IS 'trigger: so is everybody, when all go';

-- Nobody is asked who is erased: the next in rank takes their place, and what nobody belongs to is deleted.
CREATE OR REPLACE FUNCTION vrm_private.keep_organisation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    next record;
BEGIN
    PERFORM FROM vrm.user_profiles p WHERE p.id = OLD.user_id AND p.deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND OR EXISTS (SELECT FROM vrm_private.team_members m
                            WHERE m.user_id = OLD.user_id AND m.role = 'admin') THEN
        RETURN NULL;
    END IF;
    SELECT m.member_id, m.role INTO next
    FROM vrm_private.team_members m JOIN vrm.user_profiles p ON p.id = m.member_id
    WHERE m.user_id = OLD.user_id
    ORDER BY p.deleted_at IS NOT NULL, vrm_private.team_rank(m.role) DESC, m.joined_at, m.member_id
    LIMIT 1;
    IF FOUND THEN
        UPDATE vrm_private.team_members m SET role = 'admin'
        WHERE m.user_id = OLD.user_id AND m.member_id = next.member_id;
        PERFORM vrm_private.team_event(OLD.user_id, 'role of member changed', jsonb_build_object(
            'member_id', next.member_id, 'role', 'admin', 'before', next.role, 'after', OLD.member_id));
    ELSE
        PERFORM vrm_private.delete_account(OLD.user_id, NULL),
                vrm_private.team_event(OLD.user_id, 'organisation deleted', '{"reason": "nobody belongs to it"}');
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.keep_organisation() IS
    'trigger: an organisation whose last admin is erased gets another, or is deleted';

-- Nearly everything hangs on auth.users by foreign keys, or on user_profiles by triggers: the archive,
-- the keys of sealed values, the objects of recordings.
CREATE OR REPLACE FUNCTION vrm_private.erase(owner uuid, reason text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    erased bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    erased := vrm_private.note_erasure(owner, reason);
    DELETE FROM vrm_private.password_reset_requests q
    USING auth.users u WHERE u.id = owner AND lower(q.email) = lower(u.email);
    DELETE FROM vrm_private.team_invitations i USING auth.users u WHERE u.id = owner AND i.email = lower(u.email);
    DELETE FROM auth.users u WHERE u.id = owner;
    DELETE FROM vrm.call_dirty d WHERE d.user_id = owner;  -- marked as the calls went
    RETURN erased;
END
$$;
COMMENT ON FUNCTION vrm_private.erase(uuid, text) IS
    'removes everything of a person, with entries in the ledger; returns the number of rows';

CREATE OR REPLACE FUNCTION vrm.erase_user(user_id uuid, reason text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.require_service_or_admin();
    PERFORM vrm_private.require_read_committed('erasing a user');
    PERFORM vrm_private.check_text('reason', reason, 2000, true);
    PERFORM FROM auth.users u WHERE u.id = erase_user.user_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user "%" does not exist', coalesce(user_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, email FROM vrm.user_profiles;';
    END IF;
    RETURN vrm_private.erase(user_id, reason);
END
$$;
COMMENT ON FUNCTION vrm.erase_user(uuid, text) IS
    'service and administrators: removes a person and everything of theirs at once and for good; returns the rows';

-- Each person in a subtransaction: one who has to stay keeps nobody else.
CREATE OR REPLACE FUNCTION vrm_private.users_batch(
    run vrm.retention_runs, again boolean, only_in oid, after tid, last tid, most bigint, most_bytes bigint,
    OUT rows_done bigint, OUT rows_seen bigint, OUT bytes_done bigint, OUT reached tid
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    people uuid[];
    person record;
BEGIN
    rows_done := 0;
    SELECT array_agg(b.person_id), count(*), max(b.place) FILTER (WHERE b.is_limit) INTO people, rows_seen, reached
    FROM vrm_private.rows_of_batch(run, again, only_in, after, last, most, most_bytes) b;
    FOR person IN
        SELECT s.id, s.relation
        FROM (SELECT p.id, p.tableoid AS relation FROM vrm.user_profiles p
              WHERE p.id = ANY (people) AND vrm_private.policy_of_account(p.deleted_at) = run.policy
              FOR UPDATE OF p SKIP LOCKED) AS s
    LOOP
        BEGIN
            IF run.policy = 'users.deleted' THEN
                PERFORM vrm_private.erase(person.id, 'deleted more than the kept time ago');
            ELSE
                PERFORM vrm_private.delete_account(person.id, person.id);  -- as if they had asked
            END IF;
            rows_done := rows_done + 1;
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
                RAISE;
            WHEN OTHERS THEN
                PERFORM vrm_private.refuse_row(run, person.id::text, person.relation, person.id, SQLSTATE, SQLERRM);
        END;
    END LOOP;
    bytes_done := 200 * rows_done;
END
$$;
COMMENT ON FUNCTION vrm_private.users_batch(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint) IS
    'deletes accounts that are inactive, erases those that are deleted, between two places of their table';

REVOKE EXECUTE ON FUNCTION
    vrm_private.last_seen(uuid, timestamptz, timestamptz),
    vrm_private.delete_account(uuid, uuid),
    vrm.delete_account(uuid),
    vrm_private.put_back_account(uuid, text),
    vrm.recover_account(uuid, text),
    vrm.request_account_recovery(text, inet),
    vrm.take_recovery_mail(integer),
    vrm.recover_own_account(text, vrm.secret, text),
    vrm_private.forget_recovery_requests(),
    vrm_private.note_erasure(uuid, text),
    vrm_private.note_deletion(),
    vrm_private.note_truncation(),
    vrm_private.keep_organisation(),
    vrm_private.erase(uuid, text),
    vrm.erase_user(uuid, text),
    vrm_private.users_batch(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.delete_account(uuid), vrm.recover_account(uuid, text), vrm.erase_user(uuid, text)
    TO authenticated, service_role;
GRANT EXECUTE ON FUNCTION vrm.request_account_recovery(text, inet), vrm.recover_own_account(text, vrm.secret, text)
    TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION vrm.take_recovery_mail(integer) TO service_role;
