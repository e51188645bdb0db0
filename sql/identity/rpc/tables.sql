-- RPC: a function of the API in one statement, whoever calls: types and tables

-- Written by C++ for vrm.rpc().  The answer of a call, and of its arguments no more than whether they are the same.
CREATE TABLE IF NOT EXISTS vrm_private.retry_keys (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    actor_id uuid NOT NULL,
    key text NOT NULL,
    function text NOT NULL,
    arguments bytea NOT NULL,
    answer jsonb,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, actor_id, key),
    CONSTRAINT key_length CHECK (length(key) BETWEEN 1 AND 200)
);
CREATE INDEX IF NOT EXISTS retry_keys_made_at ON vrm_private.retry_keys (made_at);
COMMENT ON TABLE vrm_private.retry_keys IS
    'calls that came with a key and, when they come again within a day, are answered and not made again';
COMMENT ON INDEX vrm_private.retry_keys_made_at IS 'keys that are over';
COMMENT ON COLUMN vrm_private.retry_keys.user_id IS 'for whom: the person who called, or an organisation';
COMMENT ON COLUMN vrm_private.retry_keys.actor_id IS 'the person who called';
COMMENT ON COLUMN vrm_private.retry_keys.key IS 'the key, as the client made it';
COMMENT ON COLUMN vrm_private.retry_keys.function IS 'function that was called';
COMMENT ON COLUMN vrm_private.retry_keys.arguments IS 'SHA-256 of its arguments';
COMMENT ON COLUMN vrm_private.retry_keys.answer IS 'what it gave; null for nothing';
COMMENT ON COLUMN vrm_private.retry_keys.made_at IS 'when';
