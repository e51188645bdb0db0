-- Seals of the audit trail: proof that nobody has changed it since: types and tables

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
    leaves bytea[],
    ceiling xid8,
    journaled bigint
);
CREATE INDEX IF NOT EXISTS audit_seals_sealed_at ON vrm_private.audit_seals (sealed_at);
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
COMMENT ON COLUMN vrm_private.audit_seals.ceiling IS
    'no transaction from this one on had begun to write: what such a one says of times before is invented';
COMMENT ON COLUMN vrm_private.audit_seals.journaled IS 'number of the last entry of the journal';
COMMENT ON INDEX vrm_private.audit_seals_sealed_at IS 'the first seal after an entry''s time';
