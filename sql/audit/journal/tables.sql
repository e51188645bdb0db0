-- The audit journal: events that no ROLLBACK takes back: types and tables

-- Written by C++, by the position of the columns; an index would not know of all rows.
CREATE TABLE IF NOT EXISTS vrm_private.audit_journal (
    at timestamptz NOT NULL,
    id uuid NOT NULL,
    action text NOT NULL,
    actor uuid,
    db_role name NOT NULL,
    detail jsonb
);
ALTER TABLE vrm_private.audit_journal REPLICA IDENTITY FULL;  -- or a publication of all tables stops draining
COMMENT ON TABLE vrm_private.audit_journal IS
    'events on their way to the audit trail; a row belongs to no transaction, so ROLLBACK does not take it back';
COMMENT ON COLUMN vrm_private.audit_journal.at IS 'when';
COMMENT ON COLUMN vrm_private.audit_journal.id IS 'the entry, here and in the audit trail';
COMMENT ON COLUMN vrm_private.audit_journal.action IS 'what';
COMMENT ON COLUMN vrm_private.audit_journal.actor IS 'who was signed in';
COMMENT ON COLUMN vrm_private.audit_journal.db_role IS 'who was connected';
COMMENT ON COLUMN vrm_private.audit_journal.detail IS 'what else there is to say';

-- Its sequence is what counts: in a table, so that it comes and goes with one.
CREATE TABLE IF NOT EXISTS vrm_private.audit_journal_count (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
COMMENT ON TABLE vrm_private.audit_journal_count IS
    'empty; its sequence is the number of the last entry of the journal, which ROLLBACK does not take back either';
COMMENT ON COLUMN vrm_private.audit_journal_count.number IS 'numbers that entries have in member journal of detail';
