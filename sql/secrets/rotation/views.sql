-- Rotating keys: views

CREATE OR REPLACE VIEW vrm.rotation_progress WITH (security_invoker = true) AS
    SELECT * FROM vrm_private.rotation_progress();
REVOKE ALL ON vrm.rotation_progress FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.rotation_progress TO service_role;
COMMENT ON VIEW vrm.rotation_progress IS 'how far CALL vrm.rotate_keys() has come, and how far earlier ones came';
COMMENT ON COLUMN vrm.rotation_progress.key_id IS 'the new key';
COMMENT ON COLUMN vrm.rotation_progress.table_name IS 'table of the sealed column';
COMMENT ON COLUMN vrm.rotation_progress.column_name IS 'the sealed column';
COMMENT ON COLUMN vrm.rotation_progress.rows_done IS 'rows sealed anew';
COMMENT ON COLUMN vrm.rotation_progress.rows_left IS 'rows that nobody can open, or a trigger holds';
COMMENT ON COLUMN vrm.rotation_progress.rows_estimated IS 'rows of the table, as ANALYZE last estimated';
COMMENT ON COLUMN vrm.rotation_progress.started_at IS 'when it began';
COMMENT ON COLUMN vrm.rotation_progress.updated_at IS 'when the last batch was committed';
COMMENT ON COLUMN vrm.rotation_progress.finished_at IS 'when no row was left; null while some are';
