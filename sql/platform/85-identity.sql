-- Identity: whose tokens are believed ------------------------------------------------------------

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
REVOKE ALL ON vrm_private.jwt_keys FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.jwt_keys ENABLE ROW LEVEL SECURITY;

COMMENT ON TABLE vrm_private.jwt_keys IS
    'keys that sign tokens; read by C++, written through vrm.jwk_import() and vrm.jwk_revoke()';
COMMENT ON COLUMN vrm_private.jwt_keys.kid IS 'id of the key, by which tokens name it';
COMMENT ON COLUMN vrm_private.jwt_keys.algorithm IS 'the only algorithm its tokens may be signed with';
COMMENT ON COLUMN vrm_private.jwt_keys.public_key IS 'JSON Web Key with its public members only';
COMMENT ON COLUMN vrm_private.jwt_keys.secret IS 'of HS256 the shared secret, sealed';
COMMENT ON COLUMN vrm_private.jwt_keys.issuer IS 'what claim iss of its tokens has to be';
COMMENT ON COLUMN vrm_private.jwt_keys.audience IS 'what claim aud has to be or hold; null for anything';
COMMENT ON COLUMN vrm_private.jwt_keys.created_at IS 'when it was imported';

SELECT vrm.seal_column('vrm_private.jwt_keys', 'secret');

CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE ON vrm_private.jwt_keys
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
COMMENT ON TRIGGER announce_change ON vrm_private.jwt_keys IS 'makes backends forget the keys they have read';

-- Who may act --------------------------------------------------------------------------------------

-- On top of what each table's own policies allow, and whoever added the table: only accounts that are
-- neither locked nor deleted, have shown their second factor if they have one, and are no anonymous
-- sign-ins.  The SELECT has the account looked at once for a statement; IS NOT NULL, because the
-- planner takes that to be true of all rows, and a boolean from a subquery of every other one.
DO $$
DECLARE
    tenant regclass;
BEGIN
    FOR tenant IN
        SELECT c.oid::regclass
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('vrm', 'vrm_private')
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id'
        WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT c.relispartition
          AND EXISTS (SELECT FROM pg_policy p
                      WHERE p.polrelid = c.oid AND p.polroles @> ARRAY['authenticated'::regrole::oid])
    LOOP
        IF NOT EXISTS (SELECT FROM pg_policy
                       WHERE polrelid = tenant AND polname = 'accounts in good standing only') THEN
            EXECUTE format('CREATE POLICY "accounts in good standing only" ON %s AS RESTRICTIVE'
                           ' TO authenticated USING'
                           ' ((SELECT CASE WHEN vrm.account_problem() IS NULL THEN 1 END) IS NOT NULL)',
                           tenant);
            EXECUTE format('COMMENT ON POLICY "accounts in good standing only" ON %s IS %L', tenant,
                           'not locked, deleted or anonymous, and aal2 where a second factor is on');
        END IF;
    END LOOP;
END
$$;

-- Everybody sees the own profile, so that an application can say what is wrong.
CREATE POLICY "accounts in good standing only" ON vrm.user_profiles
    AS RESTRICTIVE FOR UPDATE TO authenticated
    USING ((SELECT CASE WHEN vrm.account_problem() IS NULL THEN 1 END) IS NOT NULL);
COMMENT ON POLICY "accounts in good standing only" ON vrm.user_profiles IS
    'not locked, deleted or anonymous, and aal2 where a second factor is on';

-- Supabase Auth asks this before it signs an access token (Authentication, Hooks).
CREATE OR REPLACE FUNCTION vrm.hook_custom_access_token(event jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    profile vrm.user_profiles;
BEGIN
    SELECT p.* INTO profile FROM vrm.user_profiles p WHERE p.id = (event ->> 'user_id')::uuid;
    IF profile.deleted_at IS NOT NULL THEN
        RETURN '{"error": {"http_code": 403, "message": "the account is deleted"}}';
    END IF;
    RETURN jsonb_set(event, '{claims,user_role}', to_jsonb(coalesce(profile.role, 'user')::text));
END
$$;
COMMENT ON FUNCTION vrm.hook_custom_access_token(jsonb) IS
    'Supabase Auth hook: puts the role of the profile into the token as claim user_role';
REVOKE EXECUTE ON FUNCTION vrm.hook_custom_access_token(jsonb) FROM PUBLIC, anon, authenticated;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'supabase_auth_admin') THEN
        GRANT USAGE ON SCHEMA vrm TO supabase_auth_admin;
        GRANT EXECUTE ON FUNCTION vrm.hook_custom_access_token(jsonb) TO supabase_auth_admin;
    END IF;
END
$$;
