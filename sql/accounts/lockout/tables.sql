-- Lockout: who has failed how often, which no ROLLBACK takes back: types and tables

CREATE TYPE vrm.attempt_kind AS ENUM ('password', 'totp', 'recovery', 'reset_request');
COMMENT ON TYPE vrm.attempt_kind IS 'what is tried; each kind is counted apart';

CREATE TYPE vrm.sign_in_status AS ENUM
    ('ok', 'mfa_required', 'invalid', 'locked', 'throttled', 'unavailable');
COMMENT ON TYPE vrm.sign_in_status IS
    'what came of an attempt; throttled asks to come back later, unavailable is ours to mend';

CREATE TYPE vrm.attempt AS (
    status vrm.sign_in_status,
    ticket bytea,
    retry_after interval
);
COMMENT ON TYPE vrm.attempt IS 'a reserved attempt: with status ok, look at the secret and settle the ticket';
COMMENT ON COLUMN vrm.attempt.status IS 'ok, locked or throttled';
COMMENT ON COLUMN vrm.attempt.ticket IS 'for vrm.settle_attempt(); only with status ok';
COMMENT ON COLUMN vrm.attempt.retry_after IS 'when another attempt makes sense; null with status ok';

-- Read by C++, by the position of the columns.
CREATE TABLE IF NOT EXISTS vrm.lockout_policy (
    kind text PRIMARY KEY CONSTRAINT kind_is_known
        CHECK (kind IN ('password', 'device', 'totp', 'recovery', 'reset_request', 'ip', 'request_ip', 'sign_up')),
    threshold integer NOT NULL CONSTRAINT threshold_range CHECK (threshold BETWEEN 1 AND 1000),
    attempt_window interval NOT NULL CONSTRAINT attempt_window_range
        CHECK (attempt_window >= '1 second' AND attempt_window <= '1 day' AND extract(month FROM attempt_window) = 0),
    base_lock interval NOT NULL CONSTRAINT base_lock_range
        CHECK (base_lock >= '1 second' AND base_lock <= '30 days' AND extract(month FROM base_lock) = 0),
    factor double precision NOT NULL CONSTRAINT factor_range CHECK (factor BETWEEN 1 AND 100),
    max_lock interval NOT NULL CONSTRAINT max_lock_range
        CHECK (max_lock >= '1 second' AND max_lock <= '30 days' AND extract(month FROM max_lock) = 0),
    consecutive_cap integer NOT NULL CONSTRAINT consecutive_cap_range
        CHECK (consecutive_cap BETWEEN 0 AND 10000),
    reservation interval NOT NULL CONSTRAINT reservation_range
        CHECK (reservation BETWEEN '1 second' AND '10 minutes')
);
COMMENT ON TABLE vrm.lockout_policy IS 'how strict to be with each kind of attempt';
COMMENT ON COLUMN vrm.lockout_policy.kind IS 'what is counted apart: a kind of attempt, a known device, a network';
COMMENT ON COLUMN vrm.lockout_policy.threshold IS 'failures in a window that lock';
COMMENT ON COLUMN vrm.lockout_policy.attempt_window IS 'how long failures count';
COMMENT ON COLUMN vrm.lockout_policy.base_lock IS 'length of the first lock';
COMMENT ON COLUMN vrm.lockout_policy.factor IS 'each lock is so many times as long as the one before';
COMMENT ON COLUMN vrm.lockout_policy.max_lock IS 'but no longer than this';
COMMENT ON COLUMN vrm.lockout_policy.consecutive_cap IS
    'failures without a success, over all windows, that lock for good; 0 for no cap';
COMMENT ON COLUMN vrm.lockout_policy.reservation IS
    'an attempt without verdict counts as a failure after this time';

-- Travels with dumps: without it the keys in the store would mean nobody.
CREATE TABLE IF NOT EXISTS vrm_private.lockout_secret (
    id boolean PRIMARY KEY DEFAULT true CONSTRAINT one_row CHECK (id),
    secret bytea NOT NULL CONSTRAINT secret_length CHECK (length(secret) = 32)
);
COMMENT ON TABLE vrm_private.lockout_secret IS 'what the keys in vrm_private.lockout are hashed with';
COMMENT ON COLUMN vrm_private.lockout_secret.id IS 'true: there is one row';
COMMENT ON COLUMN vrm_private.lockout_secret.secret IS '32 random bytes';

CREATE TABLE IF NOT EXISTS vrm_private.lockout (
    key uuid NOT NULL,
    window_start timestamptz NOT NULL,
    locked_until timestamptz NOT NULL,
    pending_deadline timestamptz NOT NULL,
    last timestamptz NOT NULL,
    failures integer NOT NULL,
    pending integer NOT NULL,
    consecutive integer NOT NULL,
    lock_count integer NOT NULL,
    value bigint NOT NULL
) USING vrm_lockout;
COMMENT ON TABLE vrm_private.lockout IS
    'attempts at secrets; rows are merged in by INSERT and COPY, changed by functions only, and never rolled back';
COMMENT ON COLUMN vrm_private.lockout.key IS 'keyed hash of kind and identifier, whether or not there is such a user';
COMMENT ON COLUMN vrm_private.lockout.window_start IS 'failures are counted since';
COMMENT ON COLUMN vrm_private.lockout.locked_until IS 'no attempt before; -infinity when never locked';
COMMENT ON COLUMN vrm_private.lockout.pending_deadline IS 'open reservations then count as failures';
COMMENT ON COLUMN vrm_private.lockout.last IS 'last change';
COMMENT ON COLUMN vrm_private.lockout.failures IS 'failures in this window';
COMMENT ON COLUMN vrm_private.lockout.pending IS 'reservations without a verdict yet';
COMMENT ON COLUMN vrm_private.lockout.consecutive IS 'failures since the last success';
COMMENT ON COLUMN vrm_private.lockout.lock_count IS 'locks since the last success';
COMMENT ON COLUMN vrm_private.lockout.value IS
    'not used; 1.0.0 kept here what is in lockout_sessions and lockout_used now';

CREATE TABLE IF NOT EXISTS vrm_private.lockout_requests (
    key uuid NOT NULL,
    window_start timestamptz NOT NULL,
    locked_until timestamptz NOT NULL,
    pending_deadline timestamptz NOT NULL,
    last timestamptz NOT NULL,
    failures integer NOT NULL,
    pending integer NOT NULL,
    consecutive integer NOT NULL,
    lock_count integer NOT NULL,
    value bigint NOT NULL
) USING vrm_lockout;
COMMENT ON TABLE vrm_private.lockout_requests IS
    'what anybody makes for nothing, networks and requests of mails: of fixed size, and quick to forget';
COMMENT ON COLUMN vrm_private.lockout_requests.key IS 'keyed hash of kind and identifier';
COMMENT ON COLUMN vrm_private.lockout_requests.window_start IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_requests.locked_until IS 'no more before';
COMMENT ON COLUMN vrm_private.lockout_requests.pending_deadline IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_requests.last IS 'last change';
COMMENT ON COLUMN vrm_private.lockout_requests.failures IS 'requests or failures in this window';
COMMENT ON COLUMN vrm_private.lockout_requests.pending IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_requests.consecutive IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_requests.lock_count IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_requests.value IS 'not used';

CREATE TABLE IF NOT EXISTS vrm_private.lockout_sessions (
    key uuid NOT NULL,
    window_start timestamptz NOT NULL,
    locked_until timestamptz NOT NULL,
    pending_deadline timestamptz NOT NULL,
    last timestamptz NOT NULL,
    failures integer NOT NULL,
    pending integer NOT NULL,
    consecutive integer NOT NULL,
    lock_count integer NOT NULL,
    value bigint NOT NULL
) USING vrm_lockout;
COMMENT ON TABLE vrm_private.lockout_sessions IS
    'refresh counters of sessions and their ends, for as long as a session can live';
COMMENT ON COLUMN vrm_private.lockout_sessions.key IS 'keyed hash of kind and identifier';
COMMENT ON COLUMN vrm_private.lockout_sessions.window_start IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_sessions.locked_until IS
    'ended till then, when it would have died; -infinity while it lives';
COMMENT ON COLUMN vrm_private.lockout_sessions.pending_deadline IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_sessions.last IS 'last change';
COMMENT ON COLUMN vrm_private.lockout_sessions.failures IS 'not used';
COMMENT ON COLUMN vrm_private.lockout_sessions.pending IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_sessions.consecutive IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_sessions.lock_count IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_sessions.value IS 'refresh tokens used';

CREATE TABLE IF NOT EXISTS vrm_private.lockout_used (
    key uuid NOT NULL,
    window_start timestamptz NOT NULL,
    locked_until timestamptz NOT NULL,
    pending_deadline timestamptz NOT NULL,
    last timestamptz NOT NULL,
    failures integer NOT NULL,
    pending integer NOT NULL,
    consecutive integer NOT NULL,
    lock_count integer NOT NULL,
    value bigint NOT NULL
) USING vrm_lockout;
COMMENT ON TABLE vrm_private.lockout_used IS
    'codes and tokens that are good once';
COMMENT ON COLUMN vrm_private.lockout_used.key IS 'keyed hash of kind and identifier';
COMMENT ON COLUMN vrm_private.lockout_used.window_start IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_used.locked_until IS 'infinity for what has no other end';
COMMENT ON COLUMN vrm_private.lockout_used.pending_deadline IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_used.last IS 'last change';
COMMENT ON COLUMN vrm_private.lockout_used.failures IS 'not used';
COMMENT ON COLUMN vrm_private.lockout_used.pending IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_used.consecutive IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_used.lock_count IS 'as in vrm_private.lockout';
COMMENT ON COLUMN vrm_private.lockout_used.value IS 'last step or use';
