-- Keys that sign access tokens

-- The key before goes on proving its tokens, which live for 15 minutes; older ones go.
CREATE OR REPLACE FUNCTION vrm.rotate_token_key() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made record;
    plain vrm.secret;
    old text;
BEGIN
    PERFORM vrm.require_grant('vrm.rotate_token_key()');
    LOCK TABLE vrm_private.token_keys IN SHARE ROW EXCLUSIVE MODE;
    FOR old IN
        SELECT k.kid FROM vrm_private.token_keys k
        WHERE EXISTS (SELECT FROM vrm_private.token_keys newer
                      WHERE newer.created_at > k.created_at
                        AND newer.created_at < clock_timestamp() - '1 hour'::interval)
    LOOP
        PERFORM vrm.jwk_revoke(old);
        DELETE FROM vrm_private.token_keys k WHERE k.kid = old;
    END LOOP;
    made := vrm.token_key_pair();
    plain := made.private_key;
    INSERT INTO vrm_private.token_keys (kid, private_key, created_at)
    VALUES (made.kid, vrm.seal(plain, convert_to(made.kid, 'UTF8')), clock_timestamp());
    PERFORM vrm.jwk_import(jsonb_build_object('keys', jsonb_build_array(made.public_key)), 'vrm', 'authenticated');
    PERFORM vrm_private.write_event('token key rotated', jsonb_build_object('kid', made.kid));
    RETURN made.kid;
END
$$;
COMMENT ON FUNCTION vrm.rotate_token_key() IS
    'makes the key that signs access tokens from now on, and returns its id; tokens of the one before stay good';
REVOKE EXECUTE ON FUNCTION vrm.rotate_token_key() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.rotate_token_key() TO service_role;

CREATE OR REPLACE FUNCTION vrm.jwks() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('keys', coalesce(jsonb_agg(
               j.public_key || jsonb_build_object('kid', j.kid, 'alg', j.algorithm, 'use', 'sig')
               ORDER BY j.created_at DESC, j.kid), '[]'))
    FROM vrm_private.jwt_keys j
    WHERE j.issuer = 'vrm' AND j.public_key IS NOT NULL
$$;
COMMENT ON FUNCTION vrm.jwks() IS
    'public keys of our access tokens as a JSON Web Key Set (RFC 7517), for servers that check them';
REVOKE EXECUTE ON FUNCTION vrm.jwks() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.jwks() TO anon, authenticated, service_role;
