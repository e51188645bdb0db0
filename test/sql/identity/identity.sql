-- Who the current statement runs for: what claims say, whose claims count, and every way of
-- forging them that an ordinary connection has.
BEGIN;
SET LOCAL client_min_messages = error;

CREATE ROLE vrm_forger LOGIN NOSUPERUSER IN ROLE authenticated;
CREATE ROLE vrm_gateway LOGIN NOSUPERUSER IN ROLE authenticated;
GRANT USAGE ON SCHEMA vrm TO authenticated;
GRANT CREATE ON SCHEMA public TO vrm_forger;

-- The library is not loaded yet, so the settings are names that nobody has claimed: an ordinary
-- user may set them, and loading the library must throw the values away.
SET SESSION AUTHORIZATION vrm_forger;
SET vrm.identity = '{"sub": "11111111-1111-1111-1111-111111111111"}';
SET LOCAL vrm.trusted_logins = 'vrm_forger';
SET request.jwt.claims = '{"sub": "11111111-1111-1111-1111-111111111111"}';
CREATE TEMP TABLE before_load AS SELECT vrm.uid() AS uid;
GRANT SELECT ON before_load TO PUBLIC;
RESET request.jwt.claims;
RESET SESSION AUTHORIZATION;

SELECT plan(56);

SELECT is(uid, NULL, 'settings made before the library was loaded are thrown away') FROM before_load;
SELECT is(current_setting('vrm.identity'), '', 'and leave no text behind');

-- nobody -----------------------------------------------------------------------------------------

SELECT is(vrm.uid(), NULL, 'without claims there is no user');
SELECT is(vrm.jwt(), NULL, 'nor claims');
SELECT is(vrm.role(), NULL, 'nor a role');
SELECT is(vrm.aal(), NULL, 'nor an assurance level');
SELECT is(vrm.is_anonymous(), false, 'nobody is not an anonymous user either');

-- claims that C++ has verified, here put in place by a superuser ---------------------------------

SET LOCAL vrm.identity = '{"sub": "11111111-1111-1111-1111-111111111111", "role": "authenticated",
    "aal": "aal2", "is_anonymous": true, "exp": 4102444800, "app_metadata": {"plan": "team"}}';
SELECT is(vrm.uid(), '11111111-1111-1111-1111-111111111111', 'uid is the claim sub');
SELECT is(vrm.role(), 'authenticated', 'role is the claim role');
SELECT is(vrm.aal(), 'aal2', 'aal is the claim aal');
SELECT is(vrm.is_anonymous(), true, 'is_anonymous is the claim is_anonymous');
SELECT is(vrm.jwt() #>> '{app_metadata,plan}', 'team', 'jwt has all claims');

SAVEPOINT before;
SET LOCAL vrm.identity = '{"sub": "22222222-2222-2222-2222-222222222222"}';
SELECT is(vrm.uid(), '22222222-2222-2222-2222-222222222222', 'a savepoint may change the identity');
SELECT is(vrm.jwt(), '{"sub": "22222222-2222-2222-2222-222222222222"}', 'and the claims with it');
SELECT is(vrm.role(), NULL, 'nothing of the identity before is left');
ROLLBACK TO SAVEPOINT before;
SELECT is(vrm.uid(), '11111111-1111-1111-1111-111111111111', 'rolling back brings the identity back');
SELECT is(vrm.jwt() ->> 'aal', 'aal2', 'and the claims with it');

SET LOCAL ROLE authenticated;
SELECT is(vrm.uid(), '11111111-1111-1111-1111-111111111111', 'SET ROLE does not change the identity');
RESET ROLE;

SET LOCAL vrm.identity = '{"sub": "11111111-1111-1111-1111-111111111111", "exp": 1000000000}';
SELECT is(vrm.uid(), NULL, 'an expired identity is nobody');
SELECT is(vrm.jwt(), NULL, 'and has no claims');
SET LOCAL vrm.identity = '{"sub": "auth0|5f7c8ec7c33c6c004bbafe82"}';
SELECT is(vrm.uid(), NULL, 'a sub that is no UUID is no user');
SELECT is(vrm.jwt() ->> 'sub', 'auth0|5f7c8ec7c33c6c004bbafe82', 'but is among the claims');

-- a prepared statement that outlives an identity -------------------------------------------------

PREPARE who AS SELECT vrm.uid();
SET LOCAL plan_cache_mode = force_generic_plan;
SET LOCAL vrm.identity = '{"sub": "11111111-1111-1111-1111-111111111111"}';
SELECT results_eq('who', $$VALUES ('11111111-1111-1111-1111-111111111111'::uuid)$$, 'a prepared statement');
SET LOCAL vrm.identity = '{"sub": "22222222-2222-2222-2222-222222222222"}';
SELECT results_eq('who', $$VALUES ('22222222-2222-2222-2222-222222222222'::uuid)$$, 'follows the identity');
DEALLOCATE who;

CREATE FUNCTION pg_temp.twice() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    first uuid := vrm.uid();
    second uuid;
BEGIN
    PERFORM set_config('vrm.identity', '{"sub": "33333333-3333-3333-3333-333333333333"}', true);
    FOR i IN 1 .. 2 LOOP
        second := vrm.uid();
        PERFORM set_config('vrm.identity', '', true);
    END LOOP;
    RETURN concat_ws(' ', first, coalesce(second::text, 'nobody'));
END
$$;
SELECT is(pg_temp.twice(), '22222222-2222-2222-2222-222222222222 nobody',
          'an expression in a loop of PL/pgSQL follows the identity');

CREATE FUNCTION pg_temp.with_settings() RETURNS uuid LANGUAGE sql SET search_path = pg_catalog AS
    'SELECT vrm.uid()';
SET LOCAL vrm.identity = '{"sub": "44444444-4444-4444-4444-444444444444"}';
SELECT is(pg_temp.with_settings(), '44444444-4444-4444-4444-444444444444',
          'a function with a SET clause sees the identity');

-- parallel workers --------------------------------------------------------------------------------

CREATE TABLE public.owned (user_id uuid, padding text);
INSERT INTO public.owned
SELECT CASE WHEN i % 4 = 0 THEN '44444444-4444-4444-4444-444444444444'::uuid ELSE gen_random_uuid() END,
    repeat('x', 200)
FROM generate_series(1, 4000) AS i;
ANALYZE public.owned;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_leader_participation = off;
\ir ../include/plans.sql
SELECT matches(pg_temp.plan_of('SELECT count(*) FROM public.owned WHERE user_id = vrm.uid()', run => true),
               'Workers Launched: [1-9]', 'a filter on vrm.uid() runs in parallel workers');
SELECT is((SELECT count(*) FROM public.owned WHERE user_id = vrm.uid()), 1000::bigint,
          'and they know who it is for');
SET LOCAL vrm.identity = '';
SET LOCAL vrm.trusted_logins = 'postgres, vrm_gateway';
SET LOCAL request.jwt.claims = '{"sub": "44444444-4444-4444-4444-444444444444"}';
SET SESSION AUTHORIZATION vrm_gateway;
SELECT is(vrm.uid(), '44444444-4444-4444-4444-444444444444', 'a trusted login is believed');
RESET SESSION AUTHORIZATION;
GRANT SELECT ON public.owned TO vrm_gateway;
SET SESSION AUTHORIZATION vrm_gateway;
SELECT is((SELECT count(*) FROM public.owned WHERE user_id = vrm.uid()), 1000::bigint,
          'also in parallel workers');

-- trusted claims ---------------------------------------------------------------------------------

SET LOCAL ROLE authenticated;
SELECT is(vrm.uid(), '44444444-4444-4444-4444-444444444444',
          'and as the role it has switched to');
SET LOCAL request.jwt.claims = '{"sub": "55555555-5555-5555-5555-555555555555", "role": "authenticated"}';
SELECT is(vrm.uid(), '55555555-5555-5555-5555-555555555555', 'changed claims count at once');
SELECT is(vrm.jwt() ->> 'role', 'authenticated', 'all of them');
SET LOCAL request.jwt.claims = '{"sub": "55555555-5555-5555-5555-555555555555", "exp": 1000000000}';
SELECT is(vrm.uid(), NULL, 'expired claims are nobody''s');
SET LOCAL request.jwt.claims = '{"sub": "55555555-5555-5555-5555-555555555555", "exp": "never"}';
SELECT is(vrm.uid(), NULL, 'claims that do not say when they expire in a number are nobody''s');
SET LOCAL request.jwt.claims
    = '{"sub": "55555555-5555-5555-5555-555555555555", "sub": "44444444-4444-4444-4444-444444444444"}';
SELECT is(vrm.uid(), NULL, 'claims that name two users are nobody''s');
SET LOCAL request.jwt.claims
    = '{"sub": "55555555-5555-5555-5555-555555555555", "\u0073ub": "44444444-4444-4444-4444-444444444444"}';
SELECT is(vrm.uid(), NULL, 'also when the second is written with an escape');
SET LOCAL request.jwt.claims = 'nonsense';
SELECT is(vrm.uid(), NULL, 'claims that cannot be read are nobody''s');
SET LOCAL request.jwt.claims = '';
SELECT is(vrm.uid(), NULL, 'empty claims are nobody''s');
SET LOCAL request.jwt.claims = '{"sub": "55555555-5555-5555-5555-555555555555"}';
RESET SESSION AUTHORIZATION;
SET LOCAL vrm.identity = '{"sub": "11111111-1111-1111-1111-111111111111"}';
SELECT is(vrm.uid(), '11111111-1111-1111-1111-111111111111', 'verified claims go before trusted ones');
SET LOCAL vrm.identity = '';
ALTER ROLE vrm_gateway RENAME TO vrm_gatekeeper;
SET SESSION AUTHORIZATION vrm_gatekeeper;
SELECT is(vrm.uid(), NULL, 'a trusted login that is renamed is no longer trusted');
RESET SESSION AUTHORIZATION;

-- forging ----------------------------------------------------------------------------------------

SET SESSION AUTHORIZATION vrm_forger;
SET request.jwt.claims = '{"sub": "55555555-5555-5555-5555-555555555555"}';
SELECT is(vrm.uid(), NULL, 'request.jwt.claims of a login that is not trusted are nobody''s');
SET LOCAL ROLE authenticated;
SELECT is(vrm.uid(), NULL, 'nor does SET ROLE make it trusted');
RESET ROLE;
SELECT throws_ok($$SET vrm.identity = '{"sub": "55555555-5555-5555-5555-555555555555"}'$$,
                 '42501', NULL, 'SET');
SELECT throws_ok($$SET LOCAL vrm.identity = '{"sub": "55555555-5555-5555-5555-555555555555"}'$$,
                 '42501', NULL, 'SET LOCAL');
SELECT throws_ok($$SELECT set_config('vrm.identity', '{"sub": "55555555-5555-5555-5555-555555555555"}', true)$$,
                 '42501', NULL, 'set_config');
SELECT throws_ok($$UPDATE pg_settings SET setting = '{}' WHERE name = 'vrm.identity'$$,
                 '42501', NULL, 'UPDATE of pg_settings');
SELECT throws_ok($$ALTER ROLE vrm_forger SET vrm.identity = '{}'$$,
                 '42501', NULL, 'ALTER ROLE ... SET on oneself');
SELECT throws_ok($$CREATE FUNCTION public.forged() RETURNS uuid
                 LANGUAGE sql SET vrm.identity = '{}' AS 'SELECT vrm.uid()'$$,
                 '42501', NULL, 'SET clause of a function');
SELECT throws_ok($$SET vrm.trusted_logins = 'vrm_forger'$$,
                 '42501', NULL, 'making oneself trusted');
SELECT throws_ok($$ALTER ROLE vrm_forger SET vrm.trusted_logins = 'vrm_forger'$$,
                 '42501', NULL, 'making oneself trusted from the next login on');
SELECT throws_ok($$SET vrm.identify = '{}'$$, '42602', NULL, 'a setting of our prefix that nobody has defined');
RESET SESSION AUTHORIZATION;

SELECT throws_ok($$ALTER ROLE vrm_forger SET vrm.identity = '{"sub": "55555555-5555-5555-5555-555555555555"}'$$,
                 '42501', NULL, 'not even a superuser can leave an identity in a catalog');
SELECT throws_ok($$SET LOCAL vrm.identity = '["sub"]'$$, '22P02', NULL, 'claims are a JSON object');
SELECT throws_ok($$SET LOCAL vrm.identity = '{"sub": "1", "sub": "2"}'$$, '22P02', NULL,
                 'duplicate members are refused');
SELECT throws_ok($$SET LOCAL vrm.trusted_logins = 'a b'$$, '22023', NULL,
                 'vrm.trusted_logins is a list');

SELECT * FROM finish();
ROLLBACK;
