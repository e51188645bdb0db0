-- Acting: for whom a person acts, themselves or an organisation: members of the extension

CREATE FUNCTION vrm.actor() RETURNS uuid
    AS 'MODULE_PATHNAME', 'vrm_actor'
    LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.actor() IS
    'person who has signed in, also while they act for an organisation; NULL for nobody and after expiry';

CREATE FUNCTION vrm.team_role() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_team_role'
    LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.team_role() IS
    'role in the organisation that the caller acts for: viewer, member, manager or admin; NULL for themselves';

CREATE FUNCTION vrm.may_write() RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_may_write'
    LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1 SUPPORT vrm.policy_support;
COMMENT ON FUNCTION vrm.may_write() IS
    'false while the caller acts as a viewer of an organisation; for restrictive policies';

CREATE FUNCTION vrm.act_as(organisation uuid) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_act_as'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.act_as(uuid) IS
    'acts for an organisation of the caller''s until the transaction ends, by NULL for themselves; returns the role';

GRANT EXECUTE ON FUNCTION vrm.actor(), vrm.team_role(), vrm.may_write() TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION vrm.act_as(uuid) TO authenticated, service_role;
