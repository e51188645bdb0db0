-- People for tests: they exist in auth.users and act as the database sees them behind PostgREST,
-- with SET ROLE and claims that a trusted login passes on.
SET LOCAL client_min_messages = warning;
SELECT set_config('vrm.trusted_logins', session_user, true) AS trusted \gset

CREATE FUNCTION pg_temp.person(email text) RETURNS uuid LANGUAGE sql AS $$
    INSERT INTO auth.users (id, email) VALUES (vrm.uuid7(), email) RETURNING id
$$;

-- What `statement` gives (first column of the first row as text), or its SQLSTATE, when `who`
-- runs it as an authenticated user; nobody in particular when `who` is null.
CREATE FUNCTION pg_temp.as_role(role_name text, who uuid, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM set_config('request.jwt.claims', CASE WHEN who IS NULL AND role_name <> 'service_role' THEN ''
                           ELSE jsonb_build_object('sub', who, 'role', role_name)::text END, true),
            set_config('role', role_name, true);
    BEGIN
        EXECUTE statement INTO result;
        SET CONSTRAINTS ALL IMMEDIATE;
    EXCEPTION WHEN OTHERS THEN
        result := SQLSTATE;
    END;
    PERFORM set_config('role', 'none', true), set_config('request.jwt.claims', '', true);
    RETURN result;
END
$$;

CREATE FUNCTION pg_temp.as_user(who uuid, statement text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as_role('authenticated', who, statement)
$$;

CREATE FUNCTION pg_temp.as_anon(statement text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as_role('anon', NULL, statement)
$$;

-- What `statement` gives, or its SQLSTATE, when `who` runs it and the token says that they act for `organisation`.
CREATE FUNCTION pg_temp.as_member(who uuid, organisation uuid, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM set_config('request.jwt.claims', jsonb_build_object('sub', who, 'act_as', organisation)::text, true),
            set_config('vrm.acting', '', true), set_config('role', 'authenticated', true);
    BEGIN
        EXECUTE statement INTO result;
        SET CONSTRAINTS ALL IMMEDIATE;
    EXCEPTION WHEN OTHERS THEN
        result := SQLSTATE;
    END;
    PERFORM set_config('role', 'none', true), set_config('request.jwt.claims', '', true);
    RETURN result;
END
$$;

-- The whole message of the error that `statement` raises for `who`: SQLSTATE, message, DETAIL, HINT.
CREATE FUNCTION pg_temp.error_of(who uuid, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text := 'no error';
    detail text;
    hint text;
BEGIN
    PERFORM set_config('request.jwt.claims', jsonb_build_object('sub', who)::text, true),
            set_config('role', 'authenticated', true);
    BEGIN
        EXECUTE statement;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        result := concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
    END;
    PERFORM set_config('role', 'none', true), set_config('request.jwt.claims', '', true);
    RETURN result;
END
$$;
