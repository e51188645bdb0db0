-- Audit: who did what, by day, and proof that nobody has changed it since --------------------------------

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
    PRIMARY KEY (at, id, class)
) PARTITION BY LIST (class);
CREATE INDEX IF NOT EXISTS audit_log_xid ON vrm.audit_log (xid);
CREATE TABLE IF NOT EXISTS vrm_private.audit_security PARTITION OF vrm.audit_log
    FOR VALUES IN ('security') PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS vrm_private.audit_data PARTITION OF vrm.audit_log
    FOR VALUES IN ('data') PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS vrm_private.audit_security_rest PARTITION OF vrm_private.audit_security DEFAULT;
CREATE TABLE IF NOT EXISTS vrm_private.audit_data_rest PARTITION OF vrm_private.audit_data DEFAULT;
ALTER TABLE vrm.audit_log ALTER COLUMN id SET DEFAULT vrm.uuid7();
ALTER TABLE vrm.audit_log ALTER COLUMN actor SET DEFAULT vrm.uid();
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

-- Written by C++, by the position of the columns; an index would not know of all rows.
CREATE TABLE IF NOT EXISTS vrm_private.audit_journal (
    at timestamptz NOT NULL,
    id uuid NOT NULL,
    action text NOT NULL,
    actor uuid,
    db_role name NOT NULL,
    detail jsonb
);
COMMENT ON TABLE vrm_private.audit_journal IS
    'events on their way to the audit trail; a row belongs to no transaction, so ROLLBACK does not take it back';
COMMENT ON COLUMN vrm_private.audit_journal.at IS 'when';
COMMENT ON COLUMN vrm_private.audit_journal.id IS 'the entry, here and in the audit trail';
COMMENT ON COLUMN vrm_private.audit_journal.action IS 'what';
COMMENT ON COLUMN vrm_private.audit_journal.actor IS 'who was signed in';
COMMENT ON COLUMN vrm_private.audit_journal.db_role IS 'who was connected';
COMMENT ON COLUMN vrm_private.audit_journal.detail IS 'what else there is to say';

CREATE TABLE IF NOT EXISTS vrm_private.audit_seals (
    id bigint PRIMARY KEY,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    class text NOT NULL,
    system bigint NOT NULL,
    era integer NOT NULL,
    horizon xid8 NOT NULL,
    entries bigint NOT NULL,
    root bytea NOT NULL,
    mac bytea NOT NULL,
    ids uuid[],
    leaves bytea[]
);
COMMENT ON TABLE vrm_private.audit_seals IS 'a chain of seals, each over a batch of entries and the seal before it';
COMMENT ON COLUMN vrm_private.audit_seals.id IS 'order, without gaps';
COMMENT ON COLUMN vrm_private.audit_seals.sealed_at IS 'when';
COMMENT ON COLUMN vrm_private.audit_seals.class IS 'class of its entries';
COMMENT ON COLUMN vrm_private.audit_seals.system IS 'identifier of the cluster that made it';
COMMENT ON COLUMN vrm_private.audit_seals.era IS 'era of its entries';
COMMENT ON COLUMN vrm_private.audit_seals.horizon IS
    'all transactions before this one had ended: whatever they wrote is sealed';
COMMENT ON COLUMN vrm_private.audit_seals.entries IS 'how many entries';
COMMENT ON COLUMN vrm_private.audit_seals.root IS 'root of their Merkle tree (RFC 6962)';
COMMENT ON COLUMN vrm_private.audit_seals.mac IS 'keyed hash of all that and of the seal before it';
COMMENT ON COLUMN vrm_private.audit_seals.ids IS
    'the entries in the order of the tree; null once they have been kept long enough';
COMMENT ON COLUMN vrm_private.audit_seals.leaves IS 'their hashes as they were sealed';

REVOKE ALL ON vrm.audit_log, vrm_private.audit_security, vrm_private.audit_data, vrm_private.audit_security_rest,
    vrm_private.audit_data_rest, vrm_private.audit_journal, vrm_private.audit_seals
    FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm.audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.audit_journal ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.audit_seals ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON vrm.audit_log TO authenticated, service_role;
CREATE POLICY "administrators read the audit trail" ON vrm.audit_log
    FOR SELECT TO authenticated
    USING ((SELECT vrm_private.is_admin()));
COMMENT ON POLICY "administrators read the audit trail" ON vrm.audit_log IS 'administrators of the application only';

-- Writing -------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm.audit_event(action text, detail jsonb DEFAULT NULL) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm.audit_log (class, action, detail) VALUES ('security', action, detail) RETURNING id
$$;
COMMENT ON FUNCTION vrm.audit_event(text, jsonb) IS 'writes a security event to the audit trail';

CREATE OR REPLACE FUNCTION vrm.audit_drain() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH taken AS (DELETE FROM vrm_private.audit_journal RETURNING *),
         kept AS (INSERT INTO vrm.audit_log (class, at, id, action, actor, db_role, detail)
                  SELECT 'security', at, id, action, actor, db_role, detail FROM taken
                  RETURNING id)
    SELECT count(*) FROM kept
$$;
COMMENT ON FUNCTION vrm.audit_drain() IS
    'moves what waits in the journal to the audit trail and returns how many entries that was';

CREATE OR REPLACE FUNCTION vrm.audit_enable(rel regclass, exclude text[] DEFAULT '{}', redact text[] DEFAULT '{}')
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unknown text;
BEGIN
    SELECT name INTO unknown FROM unnest(exclude || redact) AS name
    WHERE NOT EXISTS (SELECT FROM pg_attribute
                      WHERE attrelid = rel AND attname = name AND attnum > 0 AND NOT attisdropped);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', unknown, rel
            USING ERRCODE = 'undefined_column', HINT = format('\d %s', rel);
    END IF;
    EXECUTE format('DROP TRIGGER IF EXISTS vrm_audit ON %s', rel);
    EXECUTE format('CREATE TRIGGER vrm_audit AFTER INSERT OR UPDATE OR DELETE ON %s'
                   ' FOR EACH ROW EXECUTE FUNCTION vrm.audit_row(%L, %L)', rel,
                   E'\n' || array_to_string(exclude, E'\n') || E'\n', E'\n' || array_to_string(redact, E'\n') || E'\n');
    EXECUTE format('COMMENT ON TRIGGER vrm_audit ON %s IS %L', rel, 'writes changes to vrm.audit_log');
END
$$;
COMMENT ON FUNCTION vrm.audit_enable(regclass, text[], text[]) IS
    'the table''s changes are in the audit trail from now on; of columns to redact the name only';

CREATE OR REPLACE FUNCTION vrm.audit_disable(rel regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TRIGGER IF EXISTS vrm_audit ON %s', rel);
END
$$;
COMMENT ON FUNCTION vrm.audit_disable(regclass) IS 'the table''s changes are no longer in the audit trail';

CREATE OR REPLACE FUNCTION vrm_private.audit_keep(class text) RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE class WHEN 'data' THEN '90 days'::interval ELSE '365 days'::interval END;
COMMENT ON FUNCTION vrm_private.audit_keep(text) IS 'how long entries of a class are kept';

-- A week of partitions ahead, and none that is older than its class is kept.  Days are those of UTC,
-- whatever the session's time zone is: partitions of two zones would overlap.
CREATE OR REPLACE FUNCTION vrm.audit_maintain() RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    part record;
    gone oid;
    dropped integer := 0;
BEGIN
    FOR part IN
        SELECT 'audit_' || class AS name, ('vrm_private.audit_' || class)::regclass AS parent,
               now() - vrm_private.audit_keep(class) AS cutoff
        FROM unnest('{security,data}'::text[]) AS class
    LOOP
        PERFORM vrm_private.make_partition(part.parent, part.name || to_char(low, '_YYYY_MM_DD'), low,
                                           low + '1 day'::interval)
        FROM generate_series(date_trunc('day', now()), now() + '7 days'::interval, '1 day') AS low;
        FOREACH gone IN ARRAY vrm_private.expired_partitions(part.parent, part.cutoff) LOOP
            EXECUTE format('DROP TABLE %s', gone::regclass);
            dropped := dropped + 1;
        END LOOP;
        EXECUTE format('DELETE FROM vrm_private.%I WHERE at < $1', part.name || '_rest') USING part.cutoff;
    END LOOP;
    -- What a seal says of entries that are gone nobody needs; its root and the chain stay.
    UPDATE vrm_private.audit_seals SET ids = NULL, leaves = NULL
    WHERE ids IS NOT NULL AND sealed_at < now() - vrm_private.audit_keep(class) - '31 days'::interval;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION vrm.audit_maintain() IS
    'makes the partitions of the next seven days and drops those that have been kept long enough; once a day';

REVOKE EXECUTE ON FUNCTION
    vrm.audit_event(text, jsonb), vrm.audit_drain(), vrm.audit_enable(regclass, text[], text[]),
    vrm.audit_disable(regclass), vrm.audit_maintain(), vrm_private.audit_keep(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.audit_event(text, jsonb), vrm.audit_drain() TO service_role;
