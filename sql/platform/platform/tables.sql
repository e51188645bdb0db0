-- The platform: ordinary objects of the user's database, made by vrm.install(): types and tables

-- The platform: ordinary objects of the user's database, made by vrm.install(), which may run any
-- number of times.  What is already there stays as the DBA left it; what is missing comes (back).
-- Whatever calls the library (defaults, CHECKs, policies, triggers) stands in a statement of its own,
-- after the table: DROP EXTENSION ... CASCADE takes it, and the next CREATE EXTENSION restores it.
CREATE SCHEMA IF NOT EXISTS vrm_private;
COMMENT ON SCHEMA vrm_private IS 'internals of the vrm platform; application roles have no access';
COMMENT ON SCHEMA vrm IS 'data layer of a platform that tests AI voice agents';
GRANT USAGE ON SCHEMA vrm TO anon, authenticated, service_role, pg_monitor;

CREATE TABLE IF NOT EXISTS vrm_private.platform_history (
    id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    version text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE vrm_private.platform_history IS 'versions that the platform has had, newest last';
COMMENT ON COLUMN vrm_private.platform_history.id IS 'order of the versions';
COMMENT ON COLUMN vrm_private.platform_history.version IS 'version of the extension that made it';
COMMENT ON COLUMN vrm_private.platform_history.at IS 'when';
