-- Teams: organisations, who belongs to them, and who is invited: types and tables

-- An organisation is an account like any other: its rows are those of user_id, here as everywhere.
CREATE TABLE IF NOT EXISTS vrm_private.team_members (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    member_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    role text NOT NULL CONSTRAINT role_is_known CHECK (role IN ('viewer', 'member', 'manager', 'admin')),
    joined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, member_id),
    CONSTRAINT nobody_belongs_to_themselves CHECK (user_id <> member_id)
);
CREATE INDEX IF NOT EXISTS team_members_member ON vrm_private.team_members (member_id);
COMMENT ON TABLE vrm_private.team_members IS 'who belongs to which organisation; read by C++ for each statement';
COMMENT ON INDEX vrm_private.team_members_member IS 'organisations of a person';
COMMENT ON COLUMN vrm_private.team_members.user_id IS 'the organisation';
COMMENT ON COLUMN vrm_private.team_members.member_id IS 'the person';
COMMENT ON COLUMN vrm_private.team_members.role IS 'viewer, member, manager or admin: what the person may do there';
COMMENT ON COLUMN vrm_private.team_members.joined_at IS 'since when';

CREATE TABLE IF NOT EXISTS vrm_private.team_invitations (
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    email text NOT NULL CONSTRAINT email_length CHECK (length(email) <= 254),
    role text NOT NULL CONSTRAINT role_is_known CHECK (role IN ('viewer', 'member', 'manager', 'admin')),
    token_hash bytea NOT NULL CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    invited_by uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, email)
);
ALTER TABLE vrm_private.team_invitations ALTER COLUMN id SET DEFAULT vrm.uuid7();
CREATE INDEX IF NOT EXISTS team_invitations_email ON vrm_private.team_invitations (email);
CREATE INDEX IF NOT EXISTS team_invitations_invited_by ON vrm_private.team_invitations (invited_by);
COMMENT ON TABLE vrm_private.team_invitations IS 'invitations to organisations; a row is deleted when it is accepted';
COMMENT ON INDEX vrm_private.team_invitations_email IS 'invitations of somebody who is erased';
COMMENT ON INDEX vrm_private.team_invitations_invited_by IS 'invitations by somebody who leaves';
COMMENT ON COLUMN vrm_private.team_invitations.user_id IS 'the organisation';
COMMENT ON COLUMN vrm_private.team_invitations.id IS 'the invitation';
COMMENT ON COLUMN vrm_private.team_invitations.email IS 'who is invited: whoever has proved this address';
COMMENT ON COLUMN vrm_private.team_invitations.role IS 'role that they will have';
COMMENT ON COLUMN vrm_private.team_invitations.token_hash IS 'SHA-256 of the token, which is kept nowhere';
COMMENT ON COLUMN vrm_private.team_invitations.invited_by IS 'member who has invited them';
COMMENT ON COLUMN vrm_private.team_invitations.created_at IS 'when';
COMMENT ON COLUMN vrm_private.team_invitations.expires_at IS 'worthless from then on';
