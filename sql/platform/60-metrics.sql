-- Users' own metrics -----------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS vrm.metrics (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL CONSTRAINT name_length CHECK (length(name) BETWEEN 1 AND 200),
    prompt text NOT NULL CONSTRAINT prompt_length CHECK (length(prompt) BETWEEN 1 AND 20000),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id)
);
ALTER TABLE vrm.metrics ALTER COLUMN user_id SET DEFAULT vrm.uid();
ALTER TABLE vrm.metrics ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm.metrics IS 'what users judge their calls by: a name and the prompt of the judge';
COMMENT ON COLUMN vrm.metrics.user_id IS 'owner';
COMMENT ON COLUMN vrm.metrics.id IS 'the metric';
COMMENT ON COLUMN vrm.metrics.name IS 'name to show';
COMMENT ON COLUMN vrm.metrics.prompt IS 'what the judge is asked about a call';
COMMENT ON COLUMN vrm.metrics.created_at IS 'when it was made';
COMMENT ON COLUMN vrm.metrics.updated_at IS 'when it was last changed';

CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.metrics
    FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
COMMENT ON TRIGGER set_updated_at ON vrm.metrics IS 'keeps updated_at';

ALTER TABLE vrm.metrics ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.metrics FROM PUBLIC, anon, authenticated;
GRANT SELECT, DELETE, INSERT (user_id, name, prompt), UPDATE (name, prompt) ON vrm.metrics TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON vrm.metrics TO service_role;
CREATE POLICY "users manage their own metrics" ON vrm.metrics
    FOR ALL TO authenticated
    USING (user_id = vrm.uid())
    WITH CHECK (user_id = vrm.uid());
COMMENT ON POLICY "users manage their own metrics" ON vrm.metrics IS 'own rows only';
