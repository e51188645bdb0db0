-- What has to be done now and then: types and tables

-- Rows of steps that fail, and of no others: what goes well must not be a commit that is not archived yet.
CREATE TABLE IF NOT EXISTS vrm.maintenance_failures (
    step text PRIMARY KEY,
    sqlstate text NOT NULL,
    message text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    failures bigint NOT NULL DEFAULT 1
);
COMMENT ON TABLE vrm.maintenance_failures IS 'steps of vrm.maintain() that failed when they were tried last';
COMMENT ON COLUMN vrm.maintenance_failures.step IS 'what it does';
COMMENT ON COLUMN vrm.maintenance_failures.sqlstate IS 'SQLSTATE of the error';
COMMENT ON COLUMN vrm.maintenance_failures.message IS 'the error';
COMMENT ON COLUMN vrm.maintenance_failures.since IS 'when it failed first, after it had gone well';
COMMENT ON COLUMN vrm.maintenance_failures.last_at IS 'when it was tried last';
COMMENT ON COLUMN vrm.maintenance_failures.failures IS 'how often it has failed since';

-- When vrm.maintain() last came by.  Neither a transaction id nor WAL is used for it, so that an idle database has
-- nothing to archive; a crash and a standby forget it.
CREATE UNLOGGED SEQUENCE IF NOT EXISTS vrm_private.maintenance_visit;
COMMENT ON SEQUENCE vrm_private.maintenance_visit IS 'when vrm.maintain() last came by, in seconds since 1970';
CREATE UNLOGGED SEQUENCE IF NOT EXISTS vrm_private.maintenance_unended;
COMMENT ON SEQUENCE vrm_private.maintenance_unended IS
    'when vrm.maintain() came by first of the times since it last came to its end; no value when it has';
