-- Signing up and in: types and tables

CREATE TYPE vrm.sign_in_result AS (
    status vrm.sign_in_status,
    user_id uuid,
    session_id uuid,
    access_token text,
    refresh_token text,
    device_token text,
    mfa_ticket text,
    retry_after interval
);
COMMENT ON TYPE vrm.sign_in_result IS 'answer to a sign-in; a failure is a status, never an error';
COMMENT ON COLUMN vrm.sign_in_result.status IS 'what came of it';
COMMENT ON COLUMN vrm.sign_in_result.user_id IS 'who it is, with status ok';
COMMENT ON COLUMN vrm.sign_in_result.session_id IS 'the session, with status ok';
COMMENT ON COLUMN vrm.sign_in_result.access_token IS 'for vrm.login(), 15 minutes';
COMMENT ON COLUMN vrm.sign_in_result.refresh_token IS 'for vrm.session_refresh(), once, within 30 days';
COMMENT ON COLUMN vrm.sign_in_result.device_token IS 'keep it on the device: its attempts are counted apart';
COMMENT ON COLUMN vrm.sign_in_result.mfa_ticket IS 'for vrm.sign_in_mfa(), with status mfa_required';
COMMENT ON COLUMN vrm.sign_in_result.retry_after IS 'with status locked or throttled';

CREATE TABLE IF NOT EXISTS vrm_private.sign_ups (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    password_hash text NOT NULL,
    full_name text CONSTRAINT full_name_length CHECK (length(full_name) <= 200),
    account_id uuid,
    token_hash bytea CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    requested_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE vrm_private.sign_ups ALTER COLUMN id SET DEFAULT vrm.uuid7();
CREATE INDEX IF NOT EXISTS sign_ups_email ON vrm_private.sign_ups (email);
COMMENT ON TABLE vrm_private.sign_ups IS
    'sign-ups whose address is not proved yet; forgotten after a day, with the account that was made for them';
COMMENT ON INDEX vrm_private.sign_ups_email IS 'all that want one address';
COMMENT ON COLUMN vrm_private.sign_ups.id IS 'the sign-up; sorts by time';
COMMENT ON COLUMN vrm_private.sign_ups.email IS 'address given';
COMMENT ON COLUMN vrm_private.sign_ups.password_hash IS 'of the password that goes with it';
COMMENT ON COLUMN vrm_private.sign_ups.full_name IS 'name given';
COMMENT ON COLUMN vrm_private.sign_ups.account_id IS 'the account that was made for it; null when the address had one';
COMMENT ON COLUMN vrm_private.sign_ups.token_hash IS 'SHA-256 of the token in the mail; null until the mailer has it';
COMMENT ON COLUMN vrm_private.sign_ups.requested_at IS 'when';
