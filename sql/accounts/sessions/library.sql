-- Sessions and the tokens they issue: members of the extension

CREATE FUNCTION vrm.token_key_pair(OUT kid text, OUT private_key text, OUT public_key jsonb)
    AS 'MODULE_PATHNAME', 'vrm_token_key_pair'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.token_key_pair() IS 'a new key that signs access tokens (ES256)';

CREATE FUNCTION vrm.sign_jwt(private_key text, kid text, claims text) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_sign_jwt'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.sign_jwt(text, text, text) IS 'a JSON Web Token with these claims (ES256)';

CREATE FUNCTION vrm.session_rotate(session_id text, counter bigint, known bigint) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_session_rotate'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.session_rotate(text, bigint, bigint) IS
    'uses a refresh token for good: first, again within ten seconds, or reused, which ends the session';

CREATE FUNCTION vrm.session_successor(refresh_token text) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_session_successor'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.session_successor(text) IS 'secret part of the refresh token that follows one';
