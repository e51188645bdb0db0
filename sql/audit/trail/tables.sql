-- The audit trail: who did what, by day: types and tables

CREATE TABLE IF NOT EXISTS vrm.audit_log (
    class text NOT NULL CONSTRAINT class_is_known CHECK (class IN ('security', 'data')),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    id uuid NOT NULL,
    action text NOT NULL CONSTRAINT action_length CHECK (length(action) BETWEEN 1 AND 100),
    actor uuid,
    db_role text NOT NULL DEFAULT session_user,
    relation text,
    old jsonb,
    new jsonb,
    detail jsonb,
    era integer NOT NULL DEFAULT 1,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    acting_for uuid,
    PRIMARY KEY (at, id, class)
) PARTITION BY LIST (class);
CREATE INDEX IF NOT EXISTS audit_log_xid ON vrm.audit_log (xid);
CREATE INDEX IF NOT EXISTS audit_log_acting_for ON vrm.audit_log (acting_for, at) WHERE acting_for IS NOT NULL;
CREATE TABLE IF NOT EXISTS vrm_private.audit_security PARTITION OF vrm.audit_log
    FOR VALUES IN ('security') PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS vrm_private.audit_data PARTITION OF vrm.audit_log
    FOR VALUES IN ('data') PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS vrm_private.audit_security_rest PARTITION OF vrm_private.audit_security DEFAULT;
CREATE TABLE IF NOT EXISTS vrm_private.audit_data_rest PARTITION OF vrm_private.audit_data DEFAULT;
ALTER TABLE vrm.audit_log ALTER COLUMN id SET DEFAULT vrm.uuid7();
ALTER TABLE vrm.audit_log ALTER COLUMN actor SET DEFAULT vrm.actor();
ALTER TABLE vrm.audit_log ALTER COLUMN acting_for SET DEFAULT nullif(vrm.uid(), vrm.actor());
COMMENT ON TABLE vrm.audit_log IS 'what happened: security events and changed rows; nobody updates or deletes';
COMMENT ON TABLE vrm_private.audit_security IS 'security events, kept a year, by day';
COMMENT ON TABLE vrm_private.audit_data IS 'changed rows, kept 90 days, by day';
COMMENT ON TABLE vrm_private.audit_security_rest IS 'security events of days without a partition';
COMMENT ON TABLE vrm_private.audit_data_rest IS 'changed rows of days without a partition';
COMMENT ON COLUMN vrm.audit_log.class IS 'how long it is kept: security a year, data 90 days';
COMMENT ON COLUMN vrm.audit_log.at IS 'when';
COMMENT ON COLUMN vrm.audit_log.id IS 'the entry';
COMMENT ON COLUMN vrm.audit_log.action IS 'what: an event''s name, or INSERT, UPDATE, DELETE';
COMMENT ON COLUMN vrm.audit_log.actor IS 'who was signed in';
COMMENT ON COLUMN vrm.audit_log.db_role IS 'who was connected';
COMMENT ON COLUMN vrm.audit_log.relation IS 'table of a changed row';
COMMENT ON COLUMN vrm.audit_log.old IS 'changed columns as they were';
COMMENT ON COLUMN vrm.audit_log.new IS 'changed columns as they are';
COMMENT ON COLUMN vrm.audit_log.detail IS 'what else there is to say; never a secret';
COMMENT ON COLUMN vrm.audit_log.era IS 'cluster that counted xid; the next one after a restore elsewhere';
COMMENT ON COLUMN vrm.audit_log.xid IS 'transaction that wrote it, by which it is sealed';
COMMENT ON INDEX vrm.audit_log_xid IS 'entries in the order in which they are sealed';
COMMENT ON COLUMN vrm.audit_log.acting_for IS 'organisation that the actor acted for; null for themselves';
COMMENT ON INDEX vrm.audit_log_acting_for IS 'what was done for an organisation, by time';
