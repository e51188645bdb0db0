-- Another address for who is signed in: types and tables

CREATE TYPE vrm.email_change_mail AS ENUM ('confirm', 'taken', 'requested', 'changed');
COMMENT ON TYPE vrm.email_change_mail IS 'what a mail about a change of address says';

CREATE TABLE IF NOT EXISTS vrm_private.email_changes (
    user_id uuid PRIMARY KEY REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    old_email text,
    new_email text NOT NULL,
    token_hash bytea CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    password_generation text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz
);
COMMENT ON TABLE vrm_private.email_changes IS
    'changes of address that wait for their mail: one a person, forgotten after a day';
COMMENT ON COLUMN vrm_private.email_changes.user_id IS 'whose';
COMMENT ON COLUMN vrm_private.email_changes.old_email IS 'address until then, which is told';
COMMENT ON COLUMN vrm_private.email_changes.new_email IS 'address from then on';
COMMENT ON COLUMN vrm_private.email_changes.token_hash IS
    'SHA-256 of the token in the mail to the new address; null until the mailer has it';
COMMENT ON COLUMN vrm_private.email_changes.password_generation IS 'worthless with any other password';
COMMENT ON COLUMN vrm_private.email_changes.requested_at IS 'when it was asked for';
COMMENT ON COLUMN vrm_private.email_changes.confirmed_at IS
    'when the new address was proved; the old one is still to be told';
