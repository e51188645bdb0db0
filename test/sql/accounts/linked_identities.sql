-- Providers whose subjects are no UUIDs: whom their tokens mean is said once, and unknown ones are an error.
BEGIN;
SELECT plan(37);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob,
       pg_temp.person('root@example.org') AS root \gset
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'root';
SELECT kid, private_key, public_key FROM vrm.token_key_pair() \gset
SELECT vrm.jwk_import(jsonb_build_object('keys', jsonb_build_array(:'public_key'::jsonb)), 'https://idp.example/')
    \g /dev/null
CREATE FUNCTION pg_temp.link(who uuid, subject text) RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT vrm.link_identity(%L, ''https://idp.example/'', %L)', who, subject)
$$;
CREATE FUNCTION pg_temp.token(key text, kid text, subject text) RETURNS text LANGUAGE sql AS $$
    SELECT vrm.sign_jwt(key, kid, jsonb_build_object('iss', 'https://idp.example/', 'sub', subject, 'aal', 'aal2',
                                                     'role', 'authenticated', 'exp', 4102444800)::text)
$$;
SELECT pg_temp.token(:'private_key', :'kid', 'auth0|1') AS alices,
       pg_temp.token(:'private_key', :'kid', 'auth0|2') AS bobs \gset

-- nobody is linked -------------------------------------------------------------------------------

SELECT is(pg_temp.failure(format('SELECT vrm.login(%L)', :'alices')),
          '28000 | the subject of the token is linked to nobody | Issuer "https://idp.example/", subject "auth0|1". | '
          'The service or an administrator: SELECT vrm.link_identity(user_id, issuer, subject);',
          'a subject that nobody is linked to is refused, and told');
SELECT is(vrm.uid(), NULL, 'and is nobody');
SELECT is(vrm.login(pg_temp.token(:'private_key', :'kid', :'bob')), :'bob', 'a UUID is the person''s id as ever');
SELECT vrm.logout();

-- linking ----------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'root', pg_temp.link(:'alice', 'auth0|1')), '', 'an administrator links a person');
SELECT is(vrm.login(:'alices'), :'alice', 'whom the token means from then on');
SELECT is((SELECT concat_ws(' ', vrm.uid(), vrm.jwt() ->> 'sub', vrm.jwt() ->> 'external_sub', vrm.role(), vrm.aal())),
          concat_ws(' ', :'alice', :'alice', 'auth0|1', 'authenticated', 'aal2'),
          'with the person''s id as subject, and the issuer''s beside it');
SELECT is(vrm.account_problem(), NULL, 'and may act');
SELECT is(vrm.verify_jwt(:'alices') ->> 'sub', :'alice', 'which is what vrm.verify_jwt says');
SELECT vrm.logout();
SELECT is(pg_temp.as_user(:'root', pg_temp.link(:'alice', 'auth0|1')), '', 'saying it twice is no error');
SELECT is(pg_temp.as_user(:'root', pg_temp.link(:'bob', 'auth0|1')), '23505', 'somebody else cannot have it');
SELECT is(pg_temp.as_role('service_role', NULL, pg_temp.link(:'bob', 'auth0|2')), '', 'the service links, too');
SELECT is(vrm.login(:'bobs'), :'bob', 'each subject its person');
SELECT vrm.logout();
SELECT is(pg_temp.as_user(:'alice', pg_temp.link(:'alice', 'x')),
          '42501', 'users link nobody, not even themselves');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.unlink_identity('https://idp.example/', 'auth0|2')$$), '42501',
          'nor unlink');
SELECT is(pg_temp.as_anon(format($$SELECT vrm.link_identity(%L, 'i', 'x')$$, :'alice')), '42501', 'nor does anon');
SELECT throws_ok(format('SELECT vrm.link_identity(%L, %L, %L)', who, issuer, subject), code, NULL, what)
FROM (VALUES (:'alice', 'i', :'bob', '22023', 'a UUID is not linked'),
             (:'alice', '', 'x', '22023', 'an issuer has a name'),
             (:'alice', 'i', NULL, '22023', 'and so has a subject'),
             (:'alice', 'i', repeat('x', 1001), '22023', 'of limits'),
             (NULL, 'i', 'x', '22004', 'a person is needed'),
             ('018f0000-0000-7000-8000-0000000000ff', 'i', 'x', 'P0002', 'who exists'))
     AS v (who, issuer, subject, code, what);
SELECT is(pg_temp.as_user(:'alice', 'SELECT string_agg(subject, '','') FROM vrm.linked_identities()'), 'auth0|1',
          'people see their own');
SELECT is(pg_temp.as_user(:'alice', format('SELECT count(*) FROM vrm.linked_identities(%L)', :'bob')), '42501',
          'and nobody else''s');
SELECT is(pg_temp.as_user(:'root', format('SELECT string_agg(subject, '','') FROM vrm.linked_identities(%L)', :'bob')),
          'auth0|2', 'administrators do');
SELECT is((SELECT string_agg(detail ->> 'subject', ' ' ORDER BY at, id) FROM vrm.audit_log
           WHERE action = 'identity linked'), 'auth0|1 auth0|2', 'the trail has each link once');

-- claims of a middleware -------------------------------------------------------------------------

SELECT set_config('request.jwt.claims', '{"iss": "https://idp.example/", "sub": "auth0|1", "aal": "aal2"}', true);
SELECT is(vrm.uid(), :'alice', 'claims of a trusted login are taken likewise');
SELECT is(vrm.jwt() ->> 'external_sub', 'auth0|1', 'with the same claims');
SELECT set_config('request.jwt.claims', '{"iss": "https://other.example/", "sub": "auth0|1"}', true);
SELECT is(vrm.uid(), NULL, 'by their issuer');
SELECT is(vrm.account_problem(), 'the subject of the token is linked to nobody', 'who is unknown is told why');
SELECT is(vrm.jwt() ->> 'sub', 'auth0|1', 'and keeps what was claimed');
SELECT throws_ok('SELECT vrm_private.caller()', '28000', 'the subject of the token is linked to nobody',
                 'as functions say');
SELECT set_config('request.jwt.claims', '{"iss": "https://idp.example/", "sub": "auth0|2"}', true);
SELECT is(vrm.uid(), :'bob', 'one after the other');

-- unlinking --------------------------------------------------------------------------------------

DELETE FROM vrm_private.linked_identities WHERE subject = 'auth0|2';
SELECT is(vrm.uid(), NULL, 'unlinked is nobody with the next statement');
SELECT set_config('request.jwt.claims', '', true);
SELECT throws_ok(format('SELECT vrm.login(%L)', :'bobs'), '28000', 'the subject of the token is linked to nobody',
                 'and no token that was verified before goes on');
SELECT is(pg_temp.as_user(:'root', $$SELECT vrm.unlink_identity('https://idp.example/', 'auth0|2')$$), 'false',
          'there is nothing to unlink');
SELECT vrm.link_identity(:'bob', 'https://idp.example/', 'auth0|2') \g /dev/null
SELECT is(pg_temp.as_user(:'root', $$SELECT vrm.unlink_identity('https://idp.example/', 'auth0|2')$$), 'true',
          'but what there is administrators unlink');
DELETE FROM auth.users WHERE id = :'alice';
SELECT throws_ok(format('SELECT vrm.login(%L)', :'alices'), '28000', NULL, 'a link goes with the person');

SELECT * FROM finish();
ROLLBACK;
