-- Lockout: who has failed how often, which no ROLLBACK takes back: members of the extension

-- The counter store and what C++ does with it; functions.sql puts enums around it.
CREATE FUNCTION vrm.lockout_handler(request internal) RETURNS table_am_handler
    AS 'MODULE_PATHNAME', 'vrm_lockout_handler'
    LANGUAGE C STRICT;
COMMENT ON FUNCTION vrm.lockout_handler(internal) IS 'implements access method vrm_lockout';

CREATE ACCESS METHOD vrm_lockout TYPE TABLE HANDLER vrm.lockout_handler;
COMMENT ON ACCESS METHOD vrm_lockout IS
    'counters that belong to no transaction: ROLLBACK takes nothing back, a crash forgets nothing';

CREATE FUNCTION vrm.lockout_reserve(kind text, identifier text, network text, device_token text,
                                    OUT status text, OUT ticket bytea, OUT until timestamptz)
    AS 'MODULE_PATHNAME', 'vrm_lockout_reserve'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.lockout_reserve(text, text, text, text) IS
    'reserves an attempt before the secret is looked at: ok, locked or throttled';

CREATE FUNCTION vrm.lockout_settle(ticket bytea, success boolean) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_lockout_settle'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.lockout_settle(bytea, boolean) IS
    'says what came of a reserved attempt: ok, invalid or, when that was the last one, locked';

CREATE FUNCTION vrm.lockout_ticket(ticket bytea, OUT kind text, OUT key uuid)
    AS 'MODULE_PATHNAME', 'vrm_lockout_ticket'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.lockout_ticket(bytea) IS
    'what a ticket is for: the kind of attempt, and the key in vrm_private.lockout';

CREATE FUNCTION vrm.lockout_state(kind text, identifier text, OUT locked boolean, OUT until timestamptz,
                                  OUT failures integer, OUT pending integer, OUT consecutive integer,
                                  OUT lock_count integer, OUT value bigint)
    AS 'MODULE_PATHNAME', 'vrm_lockout_state'
    LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION vrm.lockout_state(text, text) IS
    'what is counted of an identifier, known or not; works on a standby';

CREATE FUNCTION vrm.lockout_clear(kind text, identifier text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_lockout_clear'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.lockout_clear(text, text) IS
    'forgets failures and locks of an identifier; false when there were none';

CREATE FUNCTION vrm.lockout_lock(kind text, identifier text, until timestamptz) RETURNS void
    AS 'MODULE_PATHNAME', 'vrm_lockout_lock'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.lockout_lock(text, text, timestamptz) IS
    'locks an identifier until then, and no longer if it was locked for longer';

CREATE FUNCTION vrm.lockout_advance(kind text, identifier text, value bigint) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_lockout_advance'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.lockout_advance(text, text, bigint) IS
    'moves a counter forward for good; false when it has been there: the code or token is used';

CREATE FUNCTION vrm.lockout_device_token(identifier text, device uuid) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_lockout_device_token'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.lockout_device_token(text, uuid) IS
    'the token by which a device is known again; good for one identifier in one cluster';

CREATE FUNCTION vrm.lockout_device(device_token text, identifier text) RETURNS uuid
    AS 'MODULE_PATHNAME', 'vrm_lockout_device'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.lockout_device(text, text) IS
    'the device that a token was given to; null when it is for another identifier or from another cluster';

CREATE FUNCTION vrm.check_lockout_store() RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_check_lockout_store'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.check_lockout_store() IS
    'looks at every page of the lockout store and returns the number of entries; XX001 for damage';

GRANT EXECUTE ON FUNCTION
    vrm.lockout_reserve(text, text, text, text), vrm.lockout_settle(bytea, boolean),
    vrm.lockout_state(text, text), vrm.check_lockout_store()
    TO service_role;
