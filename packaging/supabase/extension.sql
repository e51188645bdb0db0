-- Run by service vrm of compose.yaml once Supabase Auth has made its tables: the extension, the schema
-- that PostgREST exposes, and whom it believes.  Any number of times.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS vrm;
SELECT vrm.make_api() \g /dev/null
SELECT format('ALTER DATABASE %I SET vrm.trusted_logins = authenticator', current_database()) \gexec
ALTER ROLE authenticator SET vrm.http_errors = on;
