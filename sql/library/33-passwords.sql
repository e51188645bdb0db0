-- Passwords, codes and tokens ----------------------------------------------------------------------
-- What sql/platform/34-sign_in.sql is made of.  Nobody is granted any of it.

CREATE FUNCTION vrm.password_hash(password vrm.secret) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_password_hash'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.password_hash(vrm.secret) IS
    'hash of a password to store: Argon2id as a PHC string';

CREATE FUNCTION vrm.password_matches(hash text, password vrm.secret) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_password_matches'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.password_matches(text, vrm.secret) IS
    'whether the hash, Argon2id or bcrypt, is of this password; refuses hashes that cost too much';

CREATE FUNCTION vrm.password_is_outdated(hash text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_password_is_outdated'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.password_is_outdated(text) IS
    'whether the hash should be made anew at the next sign-in';

CREATE FUNCTION vrm.secret_length(secret vrm.secret) RETURNS integer
    AS 'MODULE_PATHNAME', 'vrm_secret_length'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.secret_length(vrm.secret) IS 'number of characters';

CREATE FUNCTION vrm.random_base32(bytes integer DEFAULT 20) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_random_base32'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.random_base32(integer) IS
    'so many random bytes in base32: secrets for authenticators, recovery codes, tokens';

CREATE FUNCTION vrm.totp_step(secret text, code text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_totp_step'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.totp_step(text, text) IS
    'time step that a one-time code (RFC 6238) belongs to, the current one or a neighbour; else null';

CREATE FUNCTION vrm.totp_code(secret text, at timestamptz DEFAULT now()) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_totp_code'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.totp_code(text, timestamptz) IS 'the code that an authenticator shows then';

CREATE FUNCTION vrm.totp_uri(secret text, issuer text, account text) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_totp_uri'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.totp_uri(text, text, text) IS
    'otpauth:// address that authenticators read from a QR code';

CREATE FUNCTION vrm.token_key_pair(OUT kid text, OUT private_key text, OUT public_key jsonb)
    AS 'MODULE_PATHNAME', 'vrm_token_key_pair'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.token_key_pair() IS 'a new key that signs access tokens (ES256)';

CREATE FUNCTION vrm.sign_jwt(private_key text, kid text, claims text) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_sign_jwt'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.sign_jwt(text, text, text) IS 'a JSON Web Token with these claims (ES256)';
