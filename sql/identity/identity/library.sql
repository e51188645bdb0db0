-- Identity: who a statement runs for, and whose tokens are believed: members of the extension

-- Who the current statement runs for.  Policies say bare user_id = vrm.uid(): a stable native
-- function gives the planner the tenant's own row estimate, and parallel plans stay possible.
CREATE FUNCTION vrm.uid() RETURNS uuid
    AS 'MODULE_PATHNAME', 'vrm_uid'
    LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION vrm.uid() IS
    'whose rows the transaction is about: the user (claim sub), or the organisation that they act for; NULL for nobody';

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

CREATE FUNCTION vrm.account_problem() RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_account_problem'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.account_problem() IS
    'why the caller may not act now: locked, deleted, anonymous, no member any more ...; null when all is well';

CREATE FUNCTION vrm.policy_support(request internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'vrm_policy_support'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.policy_support(internal) IS
    'tells the planner that a condition which is not about the row is true of all rows';

CREATE FUNCTION vrm.may_act() RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_may_act'
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1 SUPPORT vrm.policy_support;
COMMENT ON FUNCTION vrm.may_act() IS
    'whether vrm.account_problem() is null, looked at once for a statement; for restrictive policies';

CREATE FUNCTION vrm.login(token text) RETURNS uuid
    AS 'MODULE_PATHNAME', 'vrm_login'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.login(text) IS
    'verifies a JSON Web Token and makes its claims the identity for the rest of the transaction';

CREATE FUNCTION vrm.logout() RETURNS void
    AS 'MODULE_PATHNAME', 'vrm_logout'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.logout() IS
    'ends what vrm.login() or vrm.token began, before the transaction does';

GRANT EXECUTE ON FUNCTION
    vrm.uid(), vrm.jwt(), vrm.role(), vrm.aal(), vrm.is_anonymous(), vrm.account_problem(), vrm.may_act(),
    vrm.login(text), vrm.logout()
    TO anon, authenticated, service_role;

CREATE FUNCTION vrm.verify_jwt(token text) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'vrm_verify_jwt'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.verify_jwt(text) IS
    'claims of a token that vrm.login() would accept; changes nothing';
GRANT EXECUTE ON FUNCTION vrm.verify_jwt(text) TO service_role;

-- Whoever may add a key can sign in as anybody: nobody but the owner, until a DBA grants it.
CREATE FUNCTION vrm.jwk_import(jwks jsonb, iss text, aud text DEFAULT NULL) RETURNS integer
    AS 'MODULE_PATHNAME', 'vrm_jwk_import'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.jwk_import(jsonb, text, text) IS
    'adds the keys of a JSON Web Key Set, or replaces them; tokens have to name issuer and audience';

CREATE FUNCTION vrm.jwk_revoke(kid text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_jwk_revoke'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.jwk_revoke(text) IS
    'removes a key: from the next transaction on its tokens are worthless, in every backend';
