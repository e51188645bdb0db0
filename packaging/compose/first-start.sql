-- What the server of compose.yaml is given when it starts for the first time: the extensions, a role
-- that exporters read with, and one that PgBouncer asks for passwords with.
\set metrics `cat /run/secrets/metrics`
\set pgbouncer `cat /run/secrets/pgbouncer`
\set app `cat /run/secrets/app`
SET client_min_messages = warning;
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION vrm;
CREATE ROLE prometheus LOGIN PASSWORD :'metrics' IN ROLE pg_monitor;
CREATE ROLE pgbouncer LOGIN PASSWORD :'pgbouncer';

-- The passwords of applications, never those of superusers.
CREATE SCHEMA pgbouncer;
REVOKE ALL ON SCHEMA pgbouncer FROM PUBLIC;
GRANT USAGE ON SCHEMA pgbouncer TO pgbouncer;
CREATE FUNCTION pgbouncer.look_up(wanted name, OUT name text, OUT password text) RETURNS SETOF record
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT rolname, rolpassword FROM pg_authid
    WHERE rolname = wanted AND rolcanlogin AND NOT rolsuper AND NOT rolreplication
$$;
COMMENT ON FUNCTION pgbouncer.look_up IS 'asked by PgBouncer as its auth_query';
REVOKE ALL ON FUNCTION pgbouncer.look_up FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pgbouncer.look_up TO pgbouncer;

-- The application's login, which tells by a token who it asks for.
CREATE ROLE app LOGIN NOINHERIT PASSWORD :'app';
GRANT anon, authenticated TO app;
