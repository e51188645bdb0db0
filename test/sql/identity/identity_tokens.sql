-- Tokens: who is believed, who is refused, and how long an identity lasts within a transaction.
BEGIN;
SET LOCAL client_min_messages = error;
\ir ../../data/tokens.sql
\set user '0e6f1b7c-0000-7000-8000-000000000001'
CREATE FUNCTION pg_temp.token(name text) RETURNS text LANGUAGE sql STABLE AS
    'SELECT token FROM believed WHERE believed.name = $1';
CREATE ROLE vrm_client LOGIN NOSUPERUSER IN ROLE authenticated;

SELECT plan((SELECT 4 * count(*)::int FROM refused) + (SELECT 2 * count(*)::int FROM believed) + 72);

-- keys -------------------------------------------------------------------------------------------

SELECT throws_ok($$SELECT vrm.login(pg_temp.token('ES256'))$$, '28000', 'token rejected',
                 'without keys nobody is believed');
SELECT is(vrm.jwk_import(:'key_set', :'issuer', 'authenticated'), 3, 'a key set is imported');
SELECT is(vrm.jwk_import(:'key_set', :'issuer', 'authenticated'), 3, 'and again, as rotation does');
SELECT is((SELECT count(*) FROM vrm_private.jwt_keys), 3::bigint, 'without a row more');
SELECT throws_ok(format('SELECT vrm.jwk_import(%L, %L)', :'key_set', 'https://other.example'),
                 '23505', 'key "rsa" belongs to another issuer', 'another issuer cannot take the kid');
SELECT throws_ok($$SELECT vrm.jwk_import('{"keys": []}', '')$$, '22023', 'issuer must not be empty',
                 'an issuer is needed');
SELECT throws_ok($$SELECT vrm.jwk_import('{"keys": []}', NULL)$$, '22004', NULL, 'also not a null one');
SELECT throws_ok($$SELECT vrm.jwk_import('{}', 'i')$$, '22023', 'invalid key set', 'a set has keys');

CREATE FUNCTION pg_temp.complaint(jwk text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM vrm.jwk_import(format('{"keys": [%s]}', jwk)::jsonb, 'i');
    RETURN NULL;
EXCEPTION WHEN invalid_parameter_value OR feature_not_supported THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN detail;
END
$$;
SELECT is(pg_temp.complaint('{"kid": "k", "kty": "EC", "crv": "P-521"}'),
          'Key 1 (kid "k"): Member "crv" is not "P-256".', 'a bad key is named, and its member');
SELECT is(pg_temp.complaint('{"kty": "EC"}'), 'Key 1: Member "kid" is missing.', 'one without kid by its place');
SELECT matches(pg_temp.complaint('{"kid": "k", "kty": "OKP", "crv": "Ed25519", "x": '
                                 '"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "AA"}'),
               '"d" holds a private key', 'a private key is refused');
SELECT is((SELECT count(*) FROM vrm_private.jwt_keys), 3::bigint, 'and nothing of a bad set is kept');

-- believed ---------------------------------------------------------------------------------------

SET SESSION AUTHORIZATION vrm_client;
SELECT is(vrm.login(token), (CASE name WHEN 'no user' THEN NULL
                                       WHEN 'second user' THEN '0e6f1b7c-0000-7000-8000-000000000002'
                                       ELSE :'user' END)::uuid,
          'believed: ' || name) FROM believed ORDER BY name;
SELECT is(vrm.login(token), vrm.login(token), 'and again, now from the cache: ' || name) FROM believed ORDER BY name;
SELECT is(vrm.login(pg_temp.token('ES256')), :'user', 'login returns the user');
SELECT is(vrm.uid(), :'user', 'who is vrm.uid() from then on');
SELECT is(vrm.role(), 'authenticated', 'role comes from the token');
SELECT is(vrm.jwt() ->> 'iss', 'https://issuer.example', 'so do all claims');
SELECT is(vrm.aal(), 'aal1', 'and the assurance level');
SELECT lives_ok($$SELECT vrm.login(pg_temp.token('second factor'))$$, 'another token in the same transaction');
SELECT is(vrm.aal(), 'aal2', 'takes the place of the first');
SELECT lives_ok($$SELECT vrm.logout()$$, 'logging out');
SELECT is(vrm.uid(), NULL, 'leaves nobody');

-- savepoints -------------------------------------------------------------------------------------

SELECT vrm.login(pg_temp.token('ES256'));
SAVEPOINT before;
SELECT vrm.login(pg_temp.token('second user'));
SELECT is(vrm.uid(), '0e6f1b7c-0000-7000-8000-000000000002', 'a login after a savepoint');
ROLLBACK TO SAVEPOINT before;
SELECT is(vrm.uid(), :'user', 'goes with the savepoint');
SAVEPOINT before;
SELECT vrm.login(pg_temp.token('second user'));
RELEASE SAVEPOINT before;
SELECT is(vrm.uid(), '0e6f1b7c-0000-7000-8000-000000000002', 'or stays with it');
SELECT vrm.logout();

CREATE FUNCTION pg_temp.try_login(token text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    PERFORM vrm.login(token);
    RETURN 'believed';
EXCEPTION WHEN invalid_authorization_specification THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN detail || hint;
END
$$;

-- refused ----------------------------------------------------------------------------------------

SELECT throws_ok(format('SELECT vrm.login(%L)', token), '28000', 'token rejected', 'refused: ' || name)
FROM refused ORDER BY name;
SELECT is(pg_temp.try_login(token), '', 'without a reason for the client: ' || name) FROM refused ORDER BY name;
SELECT is(vrm.uid(), NULL, 'a refused token makes nobody');

CREATE FUNCTION pg_temp.lazily(token text) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('vrm.token', token, true);
    RETURN vrm.uid();
END
$$;
SELECT throws_ok(format('SELECT pg_temp.lazily(%L)', token), '28000', 'token rejected',
                 'refused as vrm.token: ' || name)
FROM refused WHERE token <> '' ORDER BY name;
SELECT is(pg_temp.lazily(''), NULL, 'an empty vrm.token is none');
SELECT vrm.login(pg_temp.token('ES256'));
SELECT is(pg_temp.try_login(token) || vrm.uid(), :'user', 'and the identity before it stays: ' || name)
FROM refused ORDER BY name;
SELECT vrm.logout();

-- vrm.token --------------------------------------------------------------------------------------

SELECT set_config('vrm.token', pg_temp.token('RS256'), true);
SELECT is(vrm.uid(), :'user', 'vrm.token is verified when it is needed');
SELECT is(vrm.jwt() ->> 'sub', :'user', 'and its claims are at hand');
SELECT set_config('vrm.token', pg_temp.token('second user'), true);
SELECT is(vrm.uid(), '0e6f1b7c-0000-7000-8000-000000000002', 'another one counts at once');
SELECT is(vrm.jwt() ->> 'sub', '0e6f1b7c-0000-7000-8000-000000000002', 'with its own claims');
SELECT vrm.login(pg_temp.token('ES256'));
SELECT is(vrm.uid(), :'user', 'a login goes before it');
SELECT vrm.logout();
SELECT is(vrm.uid(), NULL, 'logging out ends both');
SAVEPOINT before;
SELECT set_config('vrm.token', pg_temp.token('RS256'), true);
SELECT is(vrm.uid(), :'user', 'a token after a savepoint');
ROLLBACK TO SAVEPOINT before;
SELECT is(vrm.uid(), NULL, 'goes with the savepoint');
SELECT throws_ok($$ALTER ROLE vrm_client SET vrm.token = 'x'$$, '42501', NULL, 'no token waits in a catalog');

-- DISCARD and its like ---------------------------------------------------------------------------

SELECT vrm.login(pg_temp.token('ES256'));
RESET ALL;
SELECT is(vrm.uid(), NULL, 'RESET ALL ends an identity');
SELECT vrm.login(pg_temp.token('ES256'));
RESET work_mem;
SELECT is(vrm.uid(), :'user', 'RESET of something else does not');
SET LOCAL ROLE authenticated;
SELECT is(vrm.uid(), :'user', 'nor does SET ROLE');
SELECT is(vrm.login(pg_temp.token('second user')), '0e6f1b7c-0000-7000-8000-000000000002',
          'login works as another role');
RESET ROLE;
SELECT is(vrm.uid(), '0e6f1b7c-0000-7000-8000-000000000002', 'and outlasts it');
SELECT vrm.logout();

-- functions --------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.login_inside() RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS
    $$SELECT vrm.login(token) FROM believed WHERE name = 'ES256'$$;
SELECT pg_temp.login_inside();
SELECT is(vrm.uid(), :'user', 'a login within a function with a SET clause lasts');
SELECT vrm.logout();
SELECT throws_ok($$CREATE FUNCTION pg_temp.forged() RETURNS uuid LANGUAGE sql SET vrm.identity
                 FROM CURRENT AS 'SELECT vrm.uid()'$$,
                 '42501', NULL, 'SET ... FROM CURRENT keeps no identity for later');

PREPARE who AS SELECT vrm.uid();
SELECT vrm.login(pg_temp.token('ES256'));
SELECT results_eq('who', format('SELECT %L::uuid', :'user'), 'a prepared statement sees a login');
SELECT vrm.login(pg_temp.token('second user'));
SELECT results_eq('who', $$SELECT '0e6f1b7c-0000-7000-8000-000000000002'::uuid$$, 'and the next');
SELECT vrm.logout();
SELECT results_eq('who', $$SELECT NULL::uuid$$, 'and nobody');
DEALLOCATE who;

-- who may do what --------------------------------------------------------------------------------

SELECT throws_ok(format('SELECT vrm.jwk_import(%L, %L)', :'key_set', 'i'), '42501', NULL, 'users import no keys');
SELECT throws_ok($$SELECT vrm.jwk_revoke('ec')$$, '42501', NULL, 'nor do they revoke any');
SELECT throws_ok($$SELECT vrm.verify_jwt('a.b.c')$$, '42501', NULL, 'nor verify tokens for others');
SELECT throws_ok('TABLE vrm_private.jwt_keys', '42501', NULL, 'nor read the keys');
SELECT throws_ok('SET vrm.clock_skew = 600', '42501', NULL, 'nor turn the clock');
SELECT throws_ok('SET vrm.max_token_bytes = 1000000', '42501', NULL, 'nor ask for larger tokens');
SELECT throws_ok('SET vrm.session_login = on', '42501', NULL, 'nor have identities outlive transactions');
RESET SESSION AUTHORIZATION;

SET LOCAL ROLE service_role;
SELECT is(vrm.verify_jwt(pg_temp.token('ES256')) ->> 'sub', :'user', 'verify_jwt shows the claims');
SELECT is(vrm.uid(), NULL, 'and makes nobody anybody');
SELECT throws_ok($$SELECT vrm.verify_jwt('a.b.c')$$, '28000', 'token rejected', 'a bad token is refused there too');
RESET ROLE;

-- clocks and sizes -------------------------------------------------------------------------------

SET LOCAL vrm.max_token_bytes = 256;
SELECT throws_ok($$SELECT vrm.login(pg_temp.token('RS256'))$$, '28000', NULL, 'size is looked at before the cache');
SET LOCAL vrm.max_token_bytes = 8192;

-- revocation -------------------------------------------------------------------------------------

SELECT vrm.login(pg_temp.token('ES256'));
SELECT is(vrm.jwk_revoke('ec'), true, 'a key is revoked');
SELECT is(vrm.jwk_revoke('ec'), false, 'once');
SELECT throws_ok($$SELECT vrm.login(pg_temp.token('ES256'))$$, '28000', NULL,
                 'and tokens that were believed before are worthless');
SELECT is(vrm.login(pg_temp.token('RS256')), :'user', 'those of other keys are not');
SELECT vrm.logout();
SELECT set_config('vrm.token', pg_temp.token('RS256'), true);
SELECT is(vrm.uid(), :'user', 'a lazy token that was verified');
DELETE FROM vrm_private.jwt_keys WHERE kid = 'rsa';
SELECT throws_ok('SELECT vrm.uid()', '28000', 'token rejected', 'is refused once its key is gone');
SELECT set_config('vrm.token', '', true);
SELECT throws_ok($$SELECT vrm.login(pg_temp.token('RS256'))$$, '28000', NULL, 'a DELETE by hand counts just as well');
SELECT lives_ok($$SELECT vrm.login(token) FROM believed WHERE name = 'EdDSA'$$, 'the last key is still there');

-- shared secrets ---------------------------------------------------------------------------------

SELECT throws_ok(format('SELECT vrm.jwk_import(%L, %L)', :'secret_set', 'i'), '55000', NULL,
                 'without a keyring a shared secret cannot be kept');
\ir ../include/secrets.sql
SELECT is(vrm.jwk_import(:'secret_set', :'issuer', 'authenticated'), 1, 'with one it can');
SELECT matches((SELECT to_jsonb(k)::text FROM vrm_private.jwt_keys k WHERE kid = 'shared'), '"public_key": null',
               'it is no public key');
SELECT is(vrm.is_bound(secret), true, 'it is sealed and bound to its row') FROM vrm_private.jwt_keys
    WHERE kid = 'shared';
SET SESSION AUTHORIZATION vrm_client;
SELECT is(vrm.login(:'hs256_token'), :'user', 'its tokens are believed, by a role that may open nothing');
SELECT throws_ok(format('SELECT vrm.login(%L)', :'hs256_forged'), '28000', 'token rejected', 'guesses are not');
RESET SESSION AUTHORIZATION;
SELECT is(vrm.jwk_import(:'secret_set', :'issuer', 'authenticated'), 1, 'a shared secret is imported again');
SET SESSION AUTHORIZATION vrm_client;
SELECT is(vrm.login(:'hs256_token'), :'user', 'and works on');
SELECT set_config('vrm.token', :'hs256_token', true);
SELECT is(vrm.uid(), :'user', 'also lazily');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
ROLLBACK;
