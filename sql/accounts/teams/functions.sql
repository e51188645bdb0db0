-- Teams: organisations, who belongs to them, and who is invited

CREATE OR REPLACE FUNCTION vrm_private.team_rank(role text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_position('{viewer,member,manager,admin}'::text[], role)
$$;
COMMENT ON FUNCTION vrm_private.team_rank(text) IS 'roles by what they may do, from 1; null for an unknown one';

CREATE OR REPLACE FUNCTION vrm_private.check_team_role(role text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF vrm_private.team_rank(role) IS NULL THEN
        RAISE EXCEPTION 'a role is viewer, member, manager or admin'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(quote_literal(left(role, 100)), 'null')),
                  HINT = 'Each may do what those before it may, and more: doc/accounts/teams.md.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_team_role(text) IS 'an error for an unknown role';

-- The account is asked first: that brings word of changes, so that the role is the one of now.
CREATE OR REPLACE FUNCTION vrm_private.organisation(minimum text) RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problem text := vrm.account_problem();
    role text := vrm.team_role();
BEGIN
    IF vrm.actor() IS NULL OR problem IS NOT NULL THEN
        PERFORM vrm_private.refuse_caller(problem);
    ELSIF role IS NULL THEN
        RAISE EXCEPTION 'the caller acts for no organisation'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'SELECT vrm.act_as(organisation_id) FROM vrm.organisations();';
    ELSIF vrm_private.team_rank(role) < vrm_private.team_rank(minimum) THEN
        RAISE EXCEPTION 'permission denied to a % of the organisation', role
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = format('The least role for it is %s.', minimum),
                  HINT = 'SELECT email, role FROM vrm.members(); tells whom to ask.';
    END IF;
    RETURN vrm.uid();
END
$$;
COMMENT ON FUNCTION vrm_private.organisation(text) IS
    'the organisation that the caller acts for, with at least this role; else an error';

CREATE OR REPLACE FUNCTION vrm_private.lock_team(organisation uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM vrm.user_profiles p WHERE p.id = organisation FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION vrm_private.lock_team(uuid) IS 'one change of members after the other: the last admin stays';

-- Asked again under the lock: somebody may just have changed the caller's own role.
CREATE OR REPLACE FUNCTION vrm_private.locked_organisation(minimum text) RETURNS uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.lock_team(vrm_private.organisation(minimum));
    RETURN vrm_private.organisation(minimum);
END
$$;
COMMENT ON FUNCTION vrm_private.locked_organisation(text) IS
    'the organisation that the caller acts for, whose members nobody else changes now';

CREATE OR REPLACE FUNCTION vrm_private.team_event(organisation uuid, action text, detail jsonb) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm.audit_log (class, action, detail, acting_for) VALUES ('security', action, detail, organisation)
$$;
COMMENT ON FUNCTION vrm_private.team_event(uuid, text, jsonb) IS
    'writes an event of an organisation to the audit trail, also of who does not act for it';

CREATE OR REPLACE FUNCTION vrm_private.refuse_member(member uuid) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'there is no such member'
        USING ERRCODE = 'no_data_found',
              DETAIL = format('Member "%s".', member),
              HINT = 'SELECT member_id, email FROM vrm.members();';
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_member(uuid) IS 'error of the functions that look for a member';

CREATE OR REPLACE FUNCTION vrm_private.is_last_admin(organisation uuid, member uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM vrm_private.team_members m
                   WHERE m.user_id = organisation AND m.member_id = member AND m.role = 'admin')
       AND NOT EXISTS (SELECT FROM vrm_private.team_members m
                       JOIN vrm.user_profiles p ON p.id = m.member_id AND p.deleted_at IS NULL
                       WHERE m.user_id = organisation AND m.member_id <> member AND m.role = 'admin')
$$;
COMMENT ON FUNCTION vrm_private.is_last_admin(uuid, uuid) IS 'whether nobody else administers the organisation';

CREATE OR REPLACE FUNCTION vrm_private.keep_last_admin(organisation uuid, member uuid) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF vrm_private.is_last_admin(organisation, member) THEN
        RAISE EXCEPTION 'the last admin of an organisation stays'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Organisation "%s".', organisation),
                  HINT = 'SELECT vrm.set_member_role(member, ''admin''); or delete it: doc/accounts/teams.md.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.keep_last_admin(uuid, uuid) IS 'an error for who administers an organisation alone';

CREATE OR REPLACE FUNCTION vrm_private.withdraw_invitations() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    may_give integer := CASE WHEN TG_OP = 'UPDATE' AND NEW.role IN ('manager', 'admin')
                             THEN vrm_private.team_rank(NEW.role) ELSE 0 END;
BEGIN
    DELETE FROM vrm_private.team_invitations i
    WHERE i.user_id = OLD.user_id AND i.invited_by = OLD.member_id AND vrm_private.team_rank(i.role) > may_give;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.withdraw_invitations() IS
    'trigger: invitations of who may not make them any more are worthless';

-- Profiles show where people belong: an organisation of theirs, and that they manage one.
CREATE OR REPLACE FUNCTION vrm_private.show_membership() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    member uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.member_id ELSE NEW.member_id END;
    names text[];
    manages boolean;
BEGIN
    SELECT array_agg(o.full_name ORDER BY m.joined_at, m.user_id), bool_or(m.role IN ('manager', 'admin'))
    INTO names, manages
    FROM vrm_private.team_members m JOIN vrm.user_profiles o ON o.id = m.user_id
    WHERE m.member_id = member;
    UPDATE vrm.user_profiles p
    SET organization = CASE WHEN p.organization = ANY (names) THEN p.organization ELSE names[1] END,
        role = CASE WHEN p.role = 'user' AND manages THEN 'manager'
                    WHEN p.role = 'manager' AND TG_OP <> 'INSERT' AND manages IS NOT TRUE THEN 'user'
                    ELSE p.role END::vrm.user_role
    WHERE p.id = member;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.show_membership() IS
    'trigger: organization of a profile is an organisation of the person, role manager who manages one';

CREATE OR REPLACE FUNCTION vrm_private.check_organization() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names text[] := ARRAY(SELECT o.full_name
                          FROM vrm_private.team_members m JOIN vrm.user_profiles o ON o.id = m.user_id
                          WHERE m.member_id = NEW.id);
BEGIN
    IF cardinality(names) > 0 AND NEW.organization <> ALL (names) THEN
        RAISE EXCEPTION 'organization must be an organisation of the person'
            USING ERRCODE = 'check_violation',
                  DETAIL = format('Got "%s".', left(NEW.organization, 200)),
                  HINT = 'SELECT name FROM vrm.organisations();';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.check_organization() IS 'trigger: members name an organisation of theirs';

CREATE OR REPLACE FUNCTION vrm_private.show_name() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE vrm.user_profiles p SET organization = NEW.full_name
    FROM vrm_private.team_members m
    WHERE m.user_id = NEW.id AND p.id = m.member_id AND p.organization = OLD.full_name;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.show_name() IS 'trigger: profiles of members follow the name of their organisation';

-- Supabase Auth reads some columns as texts that must not be null, whoever has made the row.
CREATE OR REPLACE FUNCTION vrm_private.make_organisation(name text) RETURNS uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made uuid := vrm.uuid7();
    empty text[] := ARRAY(SELECT a.attname FROM pg_attribute a
                          WHERE a.attrelid = 'auth.users'::regclass AND NOT a.attisdropped AND a.attgenerated = ''
                            AND a.attname IN ('confirmation_token', 'recovery_token', 'email_change',
                                              'email_change_token_new', 'email_change_token_current', 'phone_change',
                                              'phone_change_token', 'reauthentication_token'));
BEGIN
    EXECUTE format('INSERT INTO auth.users (id, raw_app_meta_data, raw_user_meta_data %s) VALUES ($1, $2, $3 %s)',
                   (SELECT string_agg(format(', %I', e), '') FROM unnest(empty) AS e),
                   repeat(', ''''', cardinality(empty)))
    USING made, '{"is_organisation": true}'::jsonb, jsonb_build_object('full_name', name);
    IF NOT EXISTS (SELECT FROM vrm.user_profiles p WHERE p.id = made AND p.is_organisation) THEN
        RAISE EXCEPTION 'the organisation has no profile'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Look at trigger vrm_keep_profile of auth.users: SELECT * FROM vrm.doctor();';
    END IF;
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm_private.make_organisation(text) IS 'an account that nobody signs in to; returns its id';

CREATE OR REPLACE FUNCTION vrm.create_organisation(name text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    founder uuid := vrm_private.person();
    made uuid;
BEGIN
    PERFORM vrm_private.check_text('name', name, 200, true);
    IF (SELECT count(*) FROM vrm_private.team_members m WHERE m.member_id = founder AND m.role = 'admin') >= 100 THEN
        RAISE EXCEPTION 'nobody administers more than 100 organisations'
            USING ERRCODE = 'program_limit_exceeded',
                  HINT = 'SELECT organisation_id, name FROM vrm.organisations(); those deleted count for 30 days.';
    END IF;
    made := vrm_private.make_organisation(name);
    INSERT INTO vrm_private.team_members (user_id, member_id, role) VALUES (made, founder, 'admin');
    PERFORM vrm_private.team_event(made, 'organisation created', jsonb_build_object('name', name));
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm.create_organisation(text) IS
    'an account that people own together, with the caller as its first admin; returns its id';

CREATE OR REPLACE FUNCTION vrm.organisations()
    RETURNS TABLE (organisation_id uuid, name text, role text, joined_at timestamptz, acted_for boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.user_id, o.full_name, m.role, m.joined_at, m.user_id IS NOT DISTINCT FROM vrm.uid()
    FROM vrm_private.team_members m JOIN vrm.user_profiles o ON o.id = m.user_id AND o.deleted_at IS NULL
    WHERE m.member_id = vrm.actor()
    ORDER BY m.joined_at, m.user_id
$$;
COMMENT ON FUNCTION vrm.organisations() IS 'organisations that the person who calls belongs to';

CREATE OR REPLACE FUNCTION vrm.members()
    RETURNS TABLE (member_id uuid, email text, full_name text, role text, joined_at timestamptz, last_login timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    organisation uuid := vrm_private.organisation('viewer');
    manages boolean := vrm.team_role() IN ('manager', 'admin');
BEGIN
    RETURN QUERY
    SELECT m.member_id, p.email, p.full_name, m.role, m.joined_at, CASE WHEN manages THEN p.last_login END
    FROM vrm_private.team_members m JOIN vrm.user_profiles p ON p.id = m.member_id
    WHERE m.user_id = organisation
    ORDER BY vrm_private.team_rank(m.role) DESC, m.joined_at, m.member_id;
END
$$;
COMMENT ON FUNCTION vrm.members() IS
    'members of the organisation that the caller acts for; managers also see when each has last signed in';

CREATE OR REPLACE FUNCTION vrm.invite(email text, role text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    organisation uuid := vrm_private.organisation('manager');
    address text := lower(btrim(email));
    invitation uuid := vrm.uuid7();
    token text := concat_ws('.', organisation, invitation, vrm.random_base32(32));
BEGIN
    PERFORM vrm_private.check_team_role(role);
    PERFORM vrm_private.require_address(address);
    -- what it takes to give a role is at least that role
    PERFORM vrm_private.organisation(role);
    IF (SELECT count(*) FROM vrm_private.team_invitations i WHERE i.user_id = organisation) >= 1000 THEN
        RAISE EXCEPTION 'the organisation has 1000 open invitations'
            USING ERRCODE = 'program_limit_exceeded',
                  HINT = 'SELECT vrm.revoke_invitation(id) FROM vrm.invitations();';
    END IF;
    INSERT INTO vrm_private.team_invitations AS i (user_id, id, email, role, token_hash, invited_by, expires_at)
    VALUES (organisation, invitation, address, role, sha256(convert_to(token, 'UTF8')), vrm.actor(),
            now() + '7 days'::interval)
    ON CONFLICT ON CONSTRAINT team_invitations_user_id_email_key DO UPDATE
    SET id = excluded.id, role = excluded.role, token_hash = excluded.token_hash, invited_by = excluded.invited_by,
        created_at = now(), expires_at = excluded.expires_at;
    PERFORM vrm_private.team_event(organisation, 'member invited',
                                   jsonb_build_object('invitation_id', invitation, 'role', role));
    RETURN token;
END
$$;
COMMENT ON FUNCTION vrm.invite(text, text) IS
    'for managers: invites an address to the organisation; returns the token to be mailed there, good for a week';

CREATE OR REPLACE FUNCTION vrm.invitations()
    RETURNS TABLE (id uuid, email text, role text, invited_by text, created_at timestamptz, expires_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    organisation uuid := vrm_private.organisation('manager');
BEGIN
    RETURN QUERY
    SELECT i.id, i.email, i.role, p.email, i.created_at, i.expires_at
    FROM vrm_private.team_invitations i JOIN vrm.user_profiles p ON p.id = i.invited_by
    WHERE i.user_id = organisation AND i.expires_at > now()
    ORDER BY i.id;
END
$$;
COMMENT ON FUNCTION vrm.invitations() IS 'for managers: invitations to the organisation that nobody has accepted yet';

CREATE OR REPLACE FUNCTION vrm.revoke_invitation(id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    organisation uuid := vrm_private.organisation('manager');
BEGIN
    DELETE FROM vrm_private.team_invitations i WHERE i.user_id = organisation AND i.id = revoke_invitation.id;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM vrm_private.team_event(organisation, 'invitation withdrawn', jsonb_build_object('invitation_id', id));
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.revoke_invitation(uuid) IS
    'for managers: an invitation is worthless from now on; false when there is none';

-- Whoever finds somebody's mail has a token and no address: it takes both.
CREATE OR REPLACE FUNCTION vrm.accept(token text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    who uuid := vrm_private.person();
    organisation uuid := vrm_private.uuid_in_token(token, 1);
    invitation vrm_private.team_invitations;
BEGIN
    PERFORM vrm_private.lock_team(organisation);
    DELETE FROM vrm_private.team_invitations i
    USING auth.users u, vrm.user_profiles o
    WHERE i.user_id = organisation AND i.id = vrm_private.uuid_in_token(token, 2)
      AND i.token_hash = sha256(convert_to(token, 'UTF8')) AND i.expires_at > clock_timestamp()
      AND u.id = who AND lower(u.email) = i.email AND u.email_confirmed_at IS NOT NULL
      AND o.id = i.user_id AND o.deleted_at IS NULL
    RETURNING i.* INTO invitation;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such invitation'
            USING ERRCODE = 'no_data_found',
                  DETAIL = 'It has expired, was used or withdrawn, or is for an address that you have not proved.',
                  HINT = 'Sign in with the address that it was mailed to, or ask for another.';
    END IF;
    INSERT INTO vrm_private.team_members AS m (user_id, member_id, role) VALUES (organisation, who, invitation.role)
    ON CONFLICT ON CONSTRAINT team_members_pkey DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'you are a member of the organisation already'
            USING ERRCODE = 'unique_violation',
                  HINT = 'An admin changes roles: SELECT vrm.set_member_role(member, role);';
    END IF;
    PERFORM vrm_private.team_event(organisation, 'member joined', jsonb_build_object(
        'member_id', who, 'role', invitation.role, 'invited_by', invitation.invited_by));
    RETURN organisation;
END
$$;
COMMENT ON FUNCTION vrm.accept(text) IS
    'makes the person who calls a member, with the token of an invitation to their address; returns the organisation';

CREATE OR REPLACE FUNCTION vrm.set_member_role(member uuid, role text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    organisation uuid := vrm_private.locked_organisation('admin');
    before text;
BEGIN
    PERFORM vrm_private.check_team_role(role);
    SELECT m.role INTO before FROM vrm_private.team_members m WHERE m.user_id = organisation AND m.member_id = member;
    IF NOT FOUND THEN
        PERFORM vrm_private.refuse_member(member);
    ELSIF before = role THEN
        RETURN;
    END IF;
    PERFORM vrm_private.keep_last_admin(organisation, member);
    UPDATE vrm_private.team_members m SET role = role WHERE m.user_id = organisation AND m.member_id = member;
    PERFORM vrm_private.team_event(organisation, 'role of member changed', jsonb_build_object(
        'member_id', member, 'role', role, 'before', before));
END
$$;
COMMENT ON FUNCTION vrm.set_member_role(uuid, text) IS 'for admins: another role for a member; counts at once';

CREATE OR REPLACE FUNCTION vrm_private.end_membership(organisation uuid, member uuid, action text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.keep_last_admin(organisation, member);
    PERFORM vrm_private.team_event(organisation, action, jsonb_build_object('member_id', member));
    DELETE FROM vrm_private.team_members m WHERE m.user_id = organisation AND m.member_id = member;
END
$$;
COMMENT ON FUNCTION vrm_private.end_membership(uuid, uuid, text) IS 'a member is none any more; the last admin stays';

CREATE OR REPLACE FUNCTION vrm.remove_member(member uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    organisation uuid := vrm_private.locked_organisation('manager');
    role text;
BEGIN
    SELECT m.role INTO role FROM vrm_private.team_members m WHERE m.user_id = organisation AND m.member_id = member;
    IF NOT FOUND THEN
        PERFORM vrm_private.refuse_member(member);
    ELSIF role IN ('manager', 'admin') AND member <> vrm.actor() THEN
        PERFORM vrm_private.organisation('admin');
    END IF;
    PERFORM vrm_private.end_membership(organisation, member, 'member removed');
END
$$;
COMMENT ON FUNCTION vrm.remove_member(uuid) IS
    'for managers: a viewer or member is none any more, for admins anybody; counts at once, in open transactions too';

CREATE OR REPLACE FUNCTION vrm.leave(organisation uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    who uuid := vrm_private.require_user();
BEGIN
    PERFORM vrm_private.lock_team(organisation);
    IF NOT EXISTS (SELECT FROM vrm_private.team_members m WHERE m.user_id = organisation AND m.member_id = who) THEN
        RAISE EXCEPTION 'not a member of the organisation'
            USING ERRCODE = 'no_data_found',
                  DETAIL = format('Organisation "%s".', organisation),
                  HINT = 'SELECT organisation_id, name FROM vrm.organisations();';
    END IF;
    PERFORM vrm_private.end_membership(organisation, who, 'member left');
END
$$;
COMMENT ON FUNCTION vrm.leave(uuid) IS 'the person who calls is no member of the organisation any more';

CREATE OR REPLACE FUNCTION vrm.member_activity(
    since timestamptz DEFAULT now() - '30 days'::interval,
    until timestamptz DEFAULT 'infinity',
    member uuid DEFAULT NULL,
    most integer DEFAULT 100
) RETURNS TABLE (at timestamptz, member_id uuid, email text, action text, relation text, old jsonb, new jsonb,
                 detail jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    organisation uuid := vrm_private.organisation('manager');
BEGIN
    IF since IS NULL OR until IS NULL OR most BETWEEN 1 AND 10000 IS NOT TRUE THEN
        RAISE EXCEPTION 'an activity has a time and a number of entries from 1 to 10000'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s to %s, %s.', coalesce(since::text, 'null'), coalesce(until::text, 'null'),
                                  coalesce(most::text, 'null')),
                  HINT = 'SELECT * FROM vrm.member_activity(now() - ''1 day''::interval, most => 1000);';
    END IF;
    RETURN QUERY
    SELECT a.at, a.actor, p.email, a.action, a.relation, a.old, a.new, a.detail
    FROM vrm.audit_log a LEFT JOIN vrm.user_profiles p ON p.id = a.actor
    WHERE a.acting_for = organisation AND a.at >= since AND a.at < until
      AND (member IS NULL OR a.actor = member)
    ORDER BY a.at DESC, a.id DESC
    LIMIT most;
END
$$;
COMMENT ON FUNCTION vrm.member_activity(timestamptz, timestamptz, uuid, integer) IS
    'for managers: what members have done for the organisation, as the audit trail tells it, latest first';

-- For clients that cannot call vrm.act_as() in each transaction, such as those of PostgREST.
CREATE OR REPLACE FUNCTION vrm.session_act_as(organisation uuid DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    session record;
BEGIN
    -- whatever the token that is used says
    PERFORM vrm.act_as(organisation);
    SELECT s.user_id, s.id, s.aal INTO session
    FROM vrm_private.sessions s
    WHERE s.user_id = vrm_private.person() AND s.id = vrm_private.uuid_in_token(vrm.jwt() ->> 'session_id', 1)
      AND vrm.jwt() ->> 'iss' = 'vrm' AND s.revoked_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no session of this database''s'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'With tokens of another issuer: SELECT vrm.act_as(organisation); or claim act_as.';
    END IF;
    RETURN vrm_private.access_token(session.user_id, session.id, session.aal, organisation);
END
$$;
COMMENT ON FUNCTION vrm.session_act_as(uuid) IS
    'an access token of the caller''s session that acts for the organisation, or for the person without one';

CREATE OR REPLACE FUNCTION vrm_private.forget_invitations() RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM vrm_private.team_invitations i WHERE i.expires_at < now()
$$;
COMMENT ON FUNCTION vrm_private.forget_invitations() IS
    'part of maintenance: invitations that nobody has accepted in time';

REVOKE EXECUTE ON FUNCTION
    vrm_private.team_rank(text), vrm_private.check_team_role(text), vrm_private.organisation(text),
    vrm_private.lock_team(uuid), vrm_private.locked_organisation(text), vrm_private.team_event(uuid, text, jsonb),
    vrm_private.refuse_member(uuid), vrm_private.is_last_admin(uuid, uuid), vrm_private.keep_last_admin(uuid, uuid),
    vrm_private.withdraw_invitations(), vrm_private.show_membership(), vrm_private.check_organization(),
    vrm_private.show_name(), vrm_private.make_organisation(text), vrm.create_organisation(text), vrm.organisations(),
    vrm.members(), vrm.invite(text, text), vrm.invitations(), vrm.revoke_invitation(uuid), vrm.accept(text),
    vrm.set_member_role(uuid, text), vrm_private.end_membership(uuid, uuid, text), vrm.remove_member(uuid),
    vrm.leave(uuid), vrm.member_activity(timestamptz, timestamptz, uuid, integer), vrm.session_act_as(uuid),
    vrm_private.forget_invitations()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.create_organisation(text), vrm.organisations(), vrm.members(), vrm.invite(text, text), vrm.invitations(),
    vrm.revoke_invitation(uuid), vrm.accept(text), vrm.set_member_role(uuid, text), vrm.remove_member(uuid),
    vrm.leave(uuid), vrm.member_activity(timestamptz, timestamptz, uuid, integer), vrm.session_act_as(uuid)
    TO authenticated, service_role;
