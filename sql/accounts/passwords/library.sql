-- Passwords: hashes and strength: members of the extension

-- What signing in is made of.  Nobody is granted any of it.
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
