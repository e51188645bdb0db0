-- Who is who at providers whose subjects are no UUIDs

CREATE OR REPLACE FUNCTION vrm.link_identity(user_id uuid, issuer text, subject text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    linked uuid;
BEGIN
    PERFORM vrm_private.require_service_or_admin();
    PERFORM vrm_private.require_argument('user_id', link_identity.user_id IS NULL),
            vrm_private.check_text('issuer', issuer, 1000, true),
            vrm_private.check_text('subject', subject, 1000, true);
    IF subject ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        RAISE EXCEPTION 'a subject that is a UUID is linked to nobody'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'It is the person''s id itself.',
                  HINT = format('INSERT INTO auth.users (id) VALUES (%L);', subject);
    ELSIF NOT EXISTS (SELECT FROM vrm.user_profiles p WHERE p.id = link_identity.user_id) THEN
        RAISE EXCEPTION 'user "%" does not exist', link_identity.user_id
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, email FROM vrm.user_profiles;';
    END IF;
    INSERT INTO vrm_private.linked_identities (issuer, subject, user_id)
    VALUES (link_identity.issuer, link_identity.subject, link_identity.user_id)
    ON CONFLICT (issuer, subject) DO NOTHING;
    IF FOUND THEN
        PERFORM vrm_private.write_event('identity linked', jsonb_build_object(
            'user_id', link_identity.user_id, 'issuer', link_identity.issuer, 'subject', link_identity.subject));
        RETURN;
    END IF;
    SELECT l.user_id INTO linked FROM vrm_private.linked_identities l
    WHERE (l.issuer, l.subject) = (link_identity.issuer, link_identity.subject);
    IF linked IS DISTINCT FROM link_identity.user_id THEN
        RAISE EXCEPTION 'the subject is linked to another person'
            USING ERRCODE = 'unique_violation',
                  DETAIL = format('Issuer "%s", subject "%s", user "%s".', left(link_identity.issuer, 200),
                                  left(link_identity.subject, 200), linked),
                  HINT = format('SELECT vrm.unlink_identity(%L, %L);', link_identity.issuer, link_identity.subject);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.link_identity(uuid, text, text) IS
    'service and administrators: whom an issuer''s tokens mean, whose claim sub is no UUID';

CREATE OR REPLACE FUNCTION vrm.unlink_identity(issuer text, subject text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    gone uuid;
BEGIN
    PERFORM vrm_private.require_service_or_admin();
    DELETE FROM vrm_private.linked_identities l
    WHERE (l.issuer, l.subject) = (unlink_identity.issuer, unlink_identity.subject)
    RETURNING l.user_id INTO gone;
    IF gone IS NULL THEN
        RETURN false;
    END IF;
    PERFORM vrm_private.write_event('identity unlinked', jsonb_build_object(
        'user_id', gone, 'issuer', unlink_identity.issuer, 'subject', unlink_identity.subject));
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm.unlink_identity(text, text) IS
    'service and administrators: tokens with that subject are nobody''s from now on; false when they were before';

CREATE OR REPLACE FUNCTION vrm.linked_identities(user_id uuid DEFAULT vrm.actor())
    RETURNS TABLE (issuer text, subject text, linked_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF user_id IS DISTINCT FROM vrm.actor() OR user_id IS NULL THEN
        PERFORM vrm_private.require_service_or_admin();
    END IF;
    RETURN QUERY SELECT l.issuer, l.subject, l.linked_at
                 FROM vrm_private.linked_identities l WHERE l.user_id = linked_identities.user_id
                 ORDER BY l.linked_at, l.issuer, l.subject;
END
$$;
COMMENT ON FUNCTION vrm.linked_identities(uuid) IS
    'under which names of other issuers somebody signs in; of oneself, the service and administrators of anybody';

REVOKE EXECUTE ON FUNCTION
    vrm.link_identity(uuid, text, text), vrm.unlink_identity(text, text), vrm.linked_identities(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.link_identity(uuid, text, text), vrm.unlink_identity(text, text), vrm.linked_identities(uuid)
    TO authenticated, service_role;
