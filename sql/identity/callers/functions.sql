-- Callers: who is asking, and what they hand over

CREATE OR REPLACE FUNCTION vrm_private.is_admin() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM vrm.user_profiles
                   WHERE id = vrm.uid() AND id = vrm.actor() AND role = 'admin')
       AND vrm.account_problem() IS NULL
$$;
COMMENT ON FUNCTION vrm_private.is_admin() IS 'whether the caller administers the application';
REVOKE EXECUTE ON FUNCTION vrm_private.is_admin() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm_private.is_admin() TO authenticated;

CREATE OR REPLACE FUNCTION vrm_private.is_operator() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.is_admin()
        OR pg_has_role(coalesce(nullif(current_setting('role'), 'none'), session_user), 'service_role', 'MEMBER')
$$;
COMMENT ON FUNCTION vrm_private.is_operator() IS
    'whether an administrator of the application or the service itself is calling';
REVOKE EXECUTE ON FUNCTION vrm_private.is_operator() FROM PUBLIC;

-- What concerns a person alone, such as a second factor, is theirs whomever they act for.
CREATE OR REPLACE FUNCTION vrm_private.require_user() RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF vrm.actor() IS NULL THEN
        RAISE EXCEPTION 'nobody is signed in'
            USING ERRCODE = 'invalid_authorization_specification', HINT = 'SELECT vrm.login(access_token);';
    END IF;
    RETURN vrm.actor();
END
$$;
COMMENT ON FUNCTION vrm_private.require_user() IS 'the person who calls; 28000 for nobody';
REVOKE EXECUTE ON FUNCTION vrm_private.require_user() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.refuse_caller(problem text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF vrm.actor() IS NULL OR problem IS NULL THEN
        RAISE EXCEPTION '%', coalesce(problem, 'nobody is signed in')
            USING ERRCODE = 'invalid_authorization_specification',
                  HINT = 'Sign in within the transaction; SELECT vrm.uid(); tells whom the database sees.';
    END IF;
    RAISE EXCEPTION '%', problem
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'SELECT vrm.account_problem(); tells when it is gone.';
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_caller(text) IS 'error of the functions that ask who calls';

-- Every function of the API that writes begins with this: who calls?
CREATE OR REPLACE FUNCTION vrm_private.caller() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    caller uuid := vrm.uid();
    problem text := vrm.account_problem();
BEGIN
    IF caller IS NULL OR problem IS NOT NULL THEN
        PERFORM vrm_private.refuse_caller(problem);
    ELSIF NOT vrm.may_write() THEN
        RAISE EXCEPTION 'a viewer changes nothing'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Ask a manager of the organisation for another role.';
    END IF;
    RETURN caller;
END
$$;
COMMENT ON FUNCTION vrm_private.caller() IS
    'whose rows a function may change: the person who calls, or the organisation that they act for; else an error';

-- A STABLE function, which PostgreSQL lets write nothing, begins with this instead.
CREATE OR REPLACE FUNCTION vrm_private.reader() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reader uuid := vrm.uid();
    problem text := vrm.account_problem();
BEGIN
    IF reader IS NULL OR problem IS NOT NULL THEN
        PERFORM vrm_private.refuse_caller(problem);
    END IF;
    RETURN reader;
END
$$;
COMMENT ON FUNCTION vrm_private.reader() IS 'whose rows a function may read, viewers included; else an error';

-- And what is about the person's own account with this.
CREATE OR REPLACE FUNCTION vrm_private.person() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person uuid := vrm.actor();
    problem text := vrm.account_problem();
BEGIN
    IF person IS NULL OR problem IS NOT NULL THEN
        PERFORM vrm_private.refuse_caller(problem);
    END IF;
    RETURN person;
END
$$;
COMMENT ON FUNCTION vrm_private.person() IS 'the person who calls, whomever they act for; else an error';
REVOKE EXECUTE ON FUNCTION
    vrm_private.refuse_caller(text), vrm_private.caller(), vrm_private.reader(), vrm_private.person() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.check_text(name text, value text, maximum integer, required boolean)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF value IS NULL AND required OR value = '' AND required OR length(value) > maximum THEN
        RAISE EXCEPTION '% must be a text of % to % characters', name, required::integer, maximum
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s.', coalesce(length(value) || ' characters', 'null')),
                  HINT = 'The limits are in doc/data-architecture.md.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_text(text, text, integer, boolean) IS
    'an error when an argument is too long, or missing where it is required';
REVOKE EXECUTE ON FUNCTION vrm_private.check_text(text, text, integer, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.is_service() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.actor() IS NULL
           AND CASE current_setting('role') WHEN 'service_role' THEN true
                    WHEN 'none' THEN pg_has_role(session_user, 'service_role', 'USAGE')
                    ELSE pg_has_role(current_setting('role'), 'service_role', 'USAGE') END
$$;
COMMENT ON FUNCTION vrm_private.is_service() IS
    'whether the service calls, and for nobody; for functions that run as their owner';

-- A service has no account of its own; what it does for somebody is as good as that account is.
CREATE OR REPLACE FUNCTION vrm_private.served(user_id uuid) RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problem text;
BEGIN
    IF NOT vrm_private.is_service() THEN
        RAISE EXCEPTION 'permission denied to act for somebody else'
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'Only a service does, and only while nobody is signed in.',
                  HINT = 'Call it as service_role, by a token whose claim role is service_role and which has no sub.';
    END IF;
    SELECT CASE WHEN p.deleted_at IS NOT NULL OR u.deleted_at IS NOT NULL THEN 'the account is deleted'
                WHEN u.banned_until > now() THEN 'the account is banned'
                WHEN EXISTS (SELECT FROM vrm_private.account_locks l
                             WHERE l.user_id = p.id AND l.locked_until > now()) THEN 'the account is locked'
                ELSE '' END
    INTO problem
    FROM vrm.user_profiles p JOIN auth.users u ON u.id = p.id WHERE p.id = served.user_id;
    IF problem IS NULL THEN
        RAISE EXCEPTION 'user "%" does not exist', user_id
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, email FROM vrm.user_profiles;';
    ELSIF problem <> '' THEN
        RAISE EXCEPTION '%', problem
            USING ERRCODE = 'insufficient_privilege', HINT = 'Nothing is done for the account until that is over.';
    END IF;
    RETURN user_id;
END
$$;
COMMENT ON FUNCTION vrm_private.served(uuid) IS
    'the user that a service acts for; an error when it is no service, or the account may not act';
REVOKE EXECUTE ON FUNCTION vrm_private.served(uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.require_service_or_admin() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT (vrm_private.is_service() OR vrm_private.is_admin()) THEN
        RAISE EXCEPTION 'permission denied for somebody else''s account'
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Ask an administrator of the application.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.require_service_or_admin() IS 'an error for ordinary users';
REVOKE EXECUTE ON FUNCTION vrm_private.is_service(), vrm_private.require_service_or_admin() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.require_argument(name text, is_null boolean) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF is_null THEN
        RAISE EXCEPTION '% must not be null', name USING ERRCODE = 'null_value_not_allowed';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.require_argument(text, boolean) IS 'an error that names the argument, when it is null';

CREATE OR REPLACE FUNCTION vrm_private.check_most(name text, value bigint) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF value < 0 THEN
        RAISE EXCEPTION '% must not be negative', name
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Got %s.', value),
                  HINT = 'Null, or a number that is large enough, is for all.';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_most(text, bigint) IS
    'an error for how many there may be at most when it is negative';
REVOKE EXECUTE ON FUNCTION
    vrm_private.require_argument(text, boolean), vrm_private.check_most(text, bigint)
    FROM PUBLIC;
