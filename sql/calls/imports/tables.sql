-- Calls brought in from other platforms: tables

CREATE TABLE IF NOT EXISTS vrm.call_imports (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    source text CONSTRAINT source_length CHECK (length(source) BETWEEN 1 AND 200),
    external_id text CONSTRAINT external_id_length CHECK (length(external_id) BETWEEN 1 AND 1000),
    payload jsonb,
    raw text,
    agent_id uuid,
    state text NOT NULL DEFAULT 'new' CONSTRAINT known_state CHECK (state IN
        ('new', 'pending', 'imported', 'amended', 'duplicate', 'ignored', 'refused')),
    reason text,
    note text,
    run_id uuid,
    clock timestamptz,
    sets text[],
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, agent_id) REFERENCES vrm.agents (user_id, id) ON DELETE SET NULL (agent_id),
    CONSTRAINT report_when_new CHECK (payload IS NOT NULL OR state NOT IN ('new', 'pending')),
    CONSTRAINT call_when_done CHECK ((run_id IS NOT NULL) = (state IN ('imported', 'amended', 'duplicate')))
);
ALTER TABLE vrm.call_imports ALTER COLUMN user_id SET DEFAULT vrm.uid();
ALTER TABLE vrm.call_imports ALTER COLUMN id SET DEFAULT vrm.uuid7();
CREATE INDEX IF NOT EXISTS call_imports_new ON vrm.call_imports (user_id, id) WHERE state = 'new';
CREATE INDEX IF NOT EXISTS call_imports_external_id ON vrm.call_imports (user_id, source, external_id)
    WHERE external_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS call_imports_agent ON vrm.call_imports (user_id, agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS call_imports_pending ON vrm.call_imports (user_id, source, external_id)
    WHERE state = 'pending';
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))
        AND EXISTS (SELECT FROM pg_attribute
                    WHERE attrelid = 'vrm.call_imports'::regclass AND attname = 'payload' AND attcompression = '') THEN
        ALTER TABLE vrm.call_imports ALTER COLUMN payload SET COMPRESSION lz4;
    END IF;
END
$$;
COMMENT ON TABLE vrm.call_imports IS
    'reports of calls that other platforms had; users insert their own, and vrm.import_calls() makes calls of them';
COMMENT ON INDEX vrm.call_imports_new IS 'reports that nobody has looked at';
COMMENT ON INDEX vrm.call_imports_external_id IS 'reports of one call';
COMMENT ON INDEX vrm.call_imports_agent IS 'reports that name an agent: for when it goes';
COMMENT ON INDEX vrm.call_imports_pending IS 'parts that wait for their call';
COMMENT ON CONSTRAINT report_when_new ON vrm.call_imports IS 'there is something to be read';
COMMENT ON CONSTRAINT call_when_done ON vrm.call_imports IS 'a report that has gone into a call knows which';
COMMENT ON COLUMN vrm.call_imports.user_id IS 'owner';
COMMENT ON COLUMN vrm.call_imports.id IS 'the report; ids sort in the order of arrival';
COMMENT ON COLUMN vrm.call_imports.source IS
    'vrm, vapi, retell, elevenlabs, livekit, connect or twilio; null: whose it is shall be seen from the report';
COMMENT ON COLUMN vrm.call_imports.external_id IS
    'the call''s id at the source; taken from the report where it is there';
COMMENT ON COLUMN vrm.call_imports.payload IS 'the report; emptied once it has gone into a call';
COMMENT ON COLUMN vrm.call_imports.raw IS
    'instead of payload, for feeds whose JSON may hold what jsonb refuses: NUL, lone surrogates';
COMMENT ON COLUMN vrm.call_imports.agent_id IS 'agent of the call when the report names none that is known';
COMMENT ON COLUMN vrm.call_imports.state IS
    'new; then imported (made a call), amended or duplicate (of one), pending (waits for its call), ignored, refused';
COMMENT ON COLUMN vrm.call_imports.reason IS 'why it is pending, ignored or refused: JSON pointer and what is wrong';
COMMENT ON COLUMN vrm.call_imports.note IS 'what was mended or left out';
COMMENT ON COLUMN vrm.call_imports.run_id IS 'the call that it went into';
COMMENT ON COLUMN vrm.call_imports.clock IS
    'the moment that the source says it is of: of two reports the newer one counts';
COMMENT ON COLUMN vrm.call_imports.sets IS
    'what of the call is as this report says; null while nothing else than this report has set any of it';
COMMENT ON COLUMN vrm.call_imports.received_at IS 'when it came';

CREATE TABLE IF NOT EXISTS vrm.import_words (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    source text NOT NULL,
    field text NOT NULL,
    word text NOT NULL,
    seen bigint NOT NULL DEFAULT 1,
    last_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, source, field, word)
);
COMMENT ON TABLE vrm.import_words IS 'words in reports that no vocabulary knows, counted, so that new ones are seen';
COMMENT ON COLUMN vrm.import_words.user_id IS 'owner of the reports';
COMMENT ON COLUMN vrm.import_words.source IS 'source that uses it';
COMMENT ON COLUMN vrm.import_words.field IS 'where it stood: role, sentiment, outcome, direction';
COMMENT ON COLUMN vrm.import_words.word IS 'the word, its first 200 characters';
COMMENT ON COLUMN vrm.import_words.seen IS 'how often';
COMMENT ON COLUMN vrm.import_words.last_at IS 'when it was last seen';
