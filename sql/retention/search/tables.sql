-- Words of calls: an index of what was said, in calls live and archived

CREATE TABLE IF NOT EXISTS vrm_private.search (
    id boolean PRIMARY KEY DEFAULT true CONSTRAINT one_row CHECK (id),
    enabled boolean NOT NULL
);
COMMENT ON TABLE vrm_private.search IS 'whether words are indexed in this database: vrm.set_search()';
COMMENT ON COLUMN vrm_private.search.id IS 'there is one row';
COMMENT ON COLUMN vrm_private.search.enabled IS 'whether calls that end are indexed';

-- The owner and the customer are lexemes as well: one index serves each tenant alone, and its answer is
-- the intersection, whatever words others use.
CREATE TABLE IF NOT EXISTS vrm_private.call_words (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    run_id uuid NOT NULL,
    config text NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (user_id, run_id)
);
CREATE INDEX IF NOT EXISTS call_words_words ON vrm_private.call_words USING gin (words);
COMMENT ON TABLE vrm_private.call_words IS 'what was said in calls that have ended, live or archived';
COMMENT ON INDEX vrm_private.call_words_words IS 'calls of an owner by what was said';
COMMENT ON COLUMN vrm_private.call_words.user_id IS 'owner';
COMMENT ON COLUMN vrm_private.call_words.run_id IS 'the call';
COMMENT ON COLUMN vrm_private.call_words.config IS 'text search configuration that the words were read by';
COMMENT ON COLUMN vrm_private.call_words.words IS 'words of the transcript, and the owner and the customer';

CREATE TABLE IF NOT EXISTS vrm_private.search_queue (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    run_id uuid NOT NULL,
    PRIMARY KEY (user_id, run_id)
);
COMMENT ON TABLE vrm_private.search_queue IS
    'calls whose words are not in vrm_private.call_words, or no longer: whoever searches reads them, too';
COMMENT ON COLUMN vrm_private.search_queue.user_id IS 'owner';
COMMENT ON COLUMN vrm_private.search_queue.run_id IS 'the call';

CREATE TABLE IF NOT EXISTS vrm.search_configs (
    user_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    config text NOT NULL,
    PRIMARY KEY (user_id, agent_id),
    FOREIGN KEY (user_id, agent_id) REFERENCES vrm.agents (user_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE vrm.search_configs IS 'agents whose calls are not read by the text search configuration "simple"';
COMMENT ON COLUMN vrm.search_configs.user_id IS 'owner';
COMMENT ON COLUMN vrm.search_configs.agent_id IS 'the agent';
COMMENT ON COLUMN vrm.search_configs.config IS 'text search configuration: english, german, ...';
