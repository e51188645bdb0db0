-- Second factors: members of the extension

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
