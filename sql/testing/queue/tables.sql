-- Calls that wait for a runner, and runners that have one: types and tables

-- Narrow, and apart from the calls: what is taken leaves it, so that the next runner finds the first
-- waiting call at once, however many are running.
CREATE TABLE IF NOT EXISTS vrm.run_queue (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    run_id uuid NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, run_id)
);
COMMENT ON TABLE vrm.run_queue IS 'calls that wait for a runner: vrm.claim_test_run() takes them';
COMMENT ON COLUMN vrm.run_queue.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.run_queue.run_id IS 'the call; ids sort by time, and so does the queue';
COMMENT ON COLUMN vrm.run_queue.attempts IS 'how often a runner has had it and did not end it';

CREATE TABLE IF NOT EXISTS vrm.run_leases (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    run_id uuid NOT NULL,
    runner text CONSTRAINT runner_length CHECK (length(runner) BETWEEN 1 AND 200),
    attempts integer NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz NOT NULL,
    PRIMARY KEY (user_id, run_id)
);
CREATE INDEX IF NOT EXISTS run_leases_until ON vrm.run_leases (user_id, lease_until);
COMMENT ON TABLE vrm.run_leases IS 'calls that runners have taken, and until when they have to be heard of';
COMMENT ON INDEX vrm.run_leases_until IS 'leases that have ended';
COMMENT ON COLUMN vrm.run_leases.user_id IS 'owner of the call';
COMMENT ON COLUMN vrm.run_leases.run_id IS 'the call';
COMMENT ON COLUMN vrm.run_leases.runner IS 'name that the runner gives itself';
COMMENT ON COLUMN vrm.run_leases.attempts IS 'how many runners have had it, with this one';
COMMENT ON COLUMN vrm.run_leases.claimed_at IS 'when it was taken';
COMMENT ON COLUMN vrm.run_leases.lease_until IS 'when it is given back, unless vrm.extend_lease() is called before';
