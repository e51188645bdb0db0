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
