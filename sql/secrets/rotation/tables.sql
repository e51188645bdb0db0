-- Rotating keys: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.key_rotations (
    key_id bigint NOT NULL REFERENCES vrm_private.keyring (key_id) ON DELETE CASCADE,
    column_id uuid NOT NULL REFERENCES vrm_private.sealed_columns (column_id) ON DELETE CASCADE,
    last_key text[],
    rows_done bigint NOT NULL DEFAULT 0,
    rows_left bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (key_id, column_id)
);
CREATE INDEX IF NOT EXISTS key_rotations_column ON vrm_private.key_rotations (column_id);
COMMENT ON INDEX vrm_private.key_rotations_column IS 'what is known of a column that goes';
COMMENT ON TABLE vrm_private.key_rotations IS 'how far the columns have come to a new key';
COMMENT ON COLUMN vrm_private.key_rotations.key_id IS 'the new key';
COMMENT ON COLUMN vrm_private.key_rotations.column_id IS 'the sealed column';
COMMENT ON COLUMN vrm_private.key_rotations.last_key IS 'primary key of the last row that was visited';
COMMENT ON COLUMN vrm_private.key_rotations.rows_done IS 'rows sealed anew';
COMMENT ON COLUMN vrm_private.key_rotations.rows_left IS 'rows that could not be sealed anew, when it ended';
COMMENT ON COLUMN vrm_private.key_rotations.started_at IS 'when it began';
COMMENT ON COLUMN vrm_private.key_rotations.updated_at IS 'when the last batch was committed';
COMMENT ON COLUMN vrm_private.key_rotations.finished_at IS 'when no row was left';

CREATE TABLE IF NOT EXISTS vrm_private.sealed_contexts (
    relation regclass NOT NULL,
    column_name name NOT NULL,
    context text NOT NULL,
    PRIMARY KEY (relation, column_name)
);
COMMENT ON TABLE vrm_private.sealed_contexts IS
    'columns of few values that are bound to a context, not to their rows; rotation seals them anew, too';
COMMENT ON COLUMN vrm_private.sealed_contexts.relation IS 'the table';
COMMENT ON COLUMN vrm_private.sealed_contexts.column_name IS 'the column';
COMMENT ON COLUMN vrm_private.sealed_contexts.context IS 'SQL of the context, of the row t';
