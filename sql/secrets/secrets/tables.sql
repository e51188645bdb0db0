-- Sealed values and sealed columns: types and tables

CREATE DOMAIN vrm.sealed AS bytea;
COMMENT ON DOMAIN vrm.sealed IS 'an encrypted value in an envelope, never plaintext';
ALTER DOMAIN vrm.sealed ADD CONSTRAINT is_sealed CHECK (vrm.is_sealed(VALUE));
COMMENT ON CONSTRAINT is_sealed ON DOMAIN vrm.sealed IS 'no plaintext, whoever writes';

CREATE TABLE IF NOT EXISTS vrm_private.sealed_columns (
    column_id uuid PRIMARY KEY,
    relation regclass NOT NULL,
    column_name name NOT NULL,
    per_subject boolean NOT NULL,
    UNIQUE (relation, column_name)
);
COMMENT ON TABLE vrm_private.sealed_columns IS
    'columns whose values are bound to their rows; their triggers are made again from here';
COMMENT ON COLUMN vrm_private.sealed_columns.column_id IS
    'part of what values are bound to: survives renaming, dump and restore';
COMMENT ON COLUMN vrm_private.sealed_columns.relation IS 'the table';
COMMENT ON COLUMN vrm_private.sealed_columns.column_name IS 'the column';
COMMENT ON COLUMN vrm_private.sealed_columns.per_subject IS
    'the first column of the primary key is a user, who has a key of their own';
