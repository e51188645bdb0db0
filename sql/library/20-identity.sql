-- Identity -------------------------------------------------------------------------------------
-- Who the current statement runs for.  Policies say bare user_id = vrm.uid(): a stable native
-- function gives the planner the tenant's own row estimate, and parallel plans stay possible.

CREATE FUNCTION vrm.uid() RETURNS uuid
    AS 'MODULE_PATHNAME', 'vrm_uid'
    LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.uid() IS
    'user of the current transaction (claim sub); NULL for nobody and after expiry';

CREATE FUNCTION vrm.jwt() RETURNS jsonb
    AS 'MODULE_PATHNAME', 'vrm_jwt'
    LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.jwt() IS
    'all claims of the current transaction; NULL for nobody';

CREATE FUNCTION vrm.role() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_role'
    LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.role() IS
    'claim role, which is a database role and not the role in user_profiles';

CREATE FUNCTION vrm.aal() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_aal'
    LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.aal() IS
    'claim aal: aal1 after a password, aal2 after a second factor';

CREATE FUNCTION vrm.is_anonymous() RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_is_anonymous'
    LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.is_anonymous() IS
    'whether the user signed in without an account (claim is_anonymous)';

GRANT EXECUTE ON FUNCTION vrm.uid(), vrm.jwt(), vrm.role(), vrm.aal(), vrm.is_anonymous()
    TO anon, authenticated, service_role;
