-- Dashboards by name, from a cache for those who ask over and over: types and tables

-- Off unless a caller names an age to put up with: figures made in advance are fast enough for
-- nearly everybody.  An entry holds for its user alone, until it is older than they ask for.  Unlogged: it is gone
-- after a crash and cannot be read on a standby, where all is made anew.
CREATE UNLOGGED TABLE IF NOT EXISTS vrm.cached_results (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    query text NOT NULL CONSTRAINT query_length CHECK (length(query) <= 600),
    result jsonb,
    last_event uuid,
    made_at timestamptz NOT NULL,
    snapshot pg_snapshot NOT NULL,
    made_by xid8 NOT NULL,
    PRIMARY KEY (user_id, query)
);
COMMENT ON TABLE vrm.cached_results IS 'what vrm.dashboard() has made for callers who put up with some age; unlogged';
COMMENT ON COLUMN vrm.cached_results.user_id IS 'who may see it';
COMMENT ON COLUMN vrm.cached_results.query IS 'dashboard, arguments, and the settings that show in a result';
COMMENT ON COLUMN vrm.cached_results.result IS 'the dashboard';
COMMENT ON COLUMN vrm.cached_results.last_event IS 'latest of the user''s vrm.run_events when it was made';
COMMENT ON COLUMN vrm.cached_results.made_at IS 'when it was made';
COMMENT ON COLUMN vrm.cached_results.snapshot IS 'what had been committed: an event of any other transaction is new';
COMMENT ON COLUMN vrm.cached_results.made_by IS 'transaction that made it, whose own events it saw up to last_event';

CREATE UNLOGGED SEQUENCE IF NOT EXISTS vrm_private.cached_results_found MINVALUE 0;
CREATE UNLOGGED SEQUENCE IF NOT EXISTS vrm_private.cached_results_made MINVALUE 0;
COMMENT ON SEQUENCE vrm_private.cached_results_found IS 'dashboards that came from the cache, since the last crash';
COMMENT ON SEQUENCE vrm_private.cached_results_made IS 'dashboards that were made for it, since the last crash';
