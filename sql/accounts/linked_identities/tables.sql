-- Who is who at providers whose subjects are no UUIDs: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.linked_identities (
    issuer text COLLATE "C" CONSTRAINT issuer_length CHECK (octet_length(issuer) BETWEEN 1 AND 1000),
    subject text COLLATE "C" CONSTRAINT subject_length CHECK (octet_length(subject) BETWEEN 1 AND 1000),
    user_id uuid NOT NULL REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    linked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX IF NOT EXISTS linked_identities_user ON vrm_private.linked_identities (user_id);
COMMENT ON TABLE vrm_private.linked_identities IS
    'whom the subject of another issuer''s tokens means, when it is no UUID; read by C++';
COMMENT ON INDEX vrm_private.linked_identities_user IS 'all that mean one person';
COMMENT ON COLUMN vrm_private.linked_identities.issuer IS 'claim iss of the tokens';
COMMENT ON COLUMN vrm_private.linked_identities.subject IS 'claim sub of the tokens';
COMMENT ON COLUMN vrm_private.linked_identities.user_id IS 'the person';
COMMENT ON COLUMN vrm_private.linked_identities.linked_at IS 'when that was said';
