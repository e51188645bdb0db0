-- How accounts end: deleted, recovered, erased: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.deleted_accounts (
    user_id uuid PRIMARY KEY REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    email text,
    banned_until timestamptz,
    requested_by uuid,
    requested_at timestamptz NOT NULL DEFAULT now(),
    token_hash bytea CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    token_expires_at timestamptz
);
COMMENT ON TABLE vrm_private.deleted_accounts IS 'what has to be put back when an account is recovered';
COMMENT ON COLUMN vrm_private.deleted_accounts.user_id IS 'the person';
COMMENT ON COLUMN vrm_private.deleted_accounts.email IS 'address, which others may use meanwhile';
COMMENT ON COLUMN vrm_private.deleted_accounts.banned_until IS 'auth.users.banned_until as it was';
COMMENT ON COLUMN vrm_private.deleted_accounts.requested_by IS
    'person who asked, or whom a policy took to have asked; null for the service';
COMMENT ON COLUMN vrm_private.deleted_accounts.requested_at IS 'when';
COMMENT ON COLUMN vrm_private.deleted_accounts.token_hash IS 'SHA-256 of the token by which its owner may recover it';
COMMENT ON COLUMN vrm_private.deleted_accounts.token_expires_at IS 'that token is worthless from then on';

CREATE TABLE IF NOT EXISTS vrm_private.recovery_requests (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE vrm_private.recovery_requests ALTER COLUMN id SET DEFAULT vrm.uuid7();
COMMENT ON TABLE vrm_private.recovery_requests IS
    'recoveries of deleted accounts asked for and not yet taken by the mailer; of anybody, known or not';
COMMENT ON COLUMN vrm_private.recovery_requests.id IS 'the request';
COMMENT ON COLUMN vrm_private.recovery_requests.email IS 'address given';
COMMENT ON COLUMN vrm_private.recovery_requests.requested_at IS 'when';

-- No foreign key, of course: it tells of what is gone.
CREATE TABLE IF NOT EXISTS vrm_private.erasure_ledger (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    user_id uuid NOT NULL,
    relation text NOT NULL,
    row_count bigint NOT NULL,
    reason text NOT NULL,
    erased_by name NOT NULL DEFAULT session_user,
    erased_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE vrm_private.erasure_ledger IS 'proof of erasure: whose rows, how many of what, and why';
COMMENT ON COLUMN vrm_private.erasure_ledger.id IS 'order of the entries';
COMMENT ON COLUMN vrm_private.erasure_ledger.user_id IS 'id that the person had';
COMMENT ON COLUMN vrm_private.erasure_ledger.relation IS 'table that lost rows';
COMMENT ON COLUMN vrm_private.erasure_ledger.row_count IS 'how many';
COMMENT ON COLUMN vrm_private.erasure_ledger.reason IS 'why';
COMMENT ON COLUMN vrm_private.erasure_ledger.erased_by IS 'database user who did it';
COMMENT ON COLUMN vrm_private.erasure_ledger.erased_at IS 'when';
