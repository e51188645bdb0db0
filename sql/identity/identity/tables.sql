-- Identity: who a statement runs for, and whose tokens are believed: types and tables

CREATE TABLE IF NOT EXISTS vrm_private.jwt_keys (
    kid text COLLATE "C" PRIMARY KEY,
    algorithm text NOT NULL
        CONSTRAINT algorithm_is_known CHECK (algorithm IN ('HS256', 'RS256', 'ES256', 'EdDSA')),
    public_key jsonb,
    secret vrm.sealed,
    issuer text NOT NULL CONSTRAINT issuer_is_named CHECK (issuer <> ''),
    audience text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT key_fits_algorithm
        CHECK ((algorithm = 'HS256') = (public_key IS NULL) AND (algorithm = 'HS256') = (secret IS NOT NULL))
);
COMMENT ON TABLE vrm_private.jwt_keys IS
    'keys that sign tokens; read by C++, written through vrm.jwk_import() and vrm.jwk_revoke()';
COMMENT ON COLUMN vrm_private.jwt_keys.kid IS 'id of the key, by which tokens name it';
COMMENT ON COLUMN vrm_private.jwt_keys.algorithm IS 'the only algorithm its tokens may be signed with';
COMMENT ON COLUMN vrm_private.jwt_keys.public_key IS 'JSON Web Key with its public members only';
COMMENT ON COLUMN vrm_private.jwt_keys.secret IS 'of HS256 the shared secret, sealed';
COMMENT ON COLUMN vrm_private.jwt_keys.issuer IS 'what claim iss of its tokens has to be';
COMMENT ON COLUMN vrm_private.jwt_keys.audience IS 'what claim aud has to be or hold; null for anything';
COMMENT ON COLUMN vrm_private.jwt_keys.created_at IS 'when it was imported';
