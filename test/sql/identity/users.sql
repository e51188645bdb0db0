-- Profiles: they follow auth.users, never stand in the way of a sign-up, and only some of their
-- columns are the user's to change.
BEGIN;
SELECT plan(24);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset

SELECT is((SELECT email FROM vrm.user_profiles WHERE id = :'alice'), 'alice@example.org', 'a new user gets a profile');
SELECT is((SELECT role::text FROM vrm.user_profiles WHERE id = :'alice'), 'user', 'as an ordinary user');
INSERT INTO auth.users (id, email, raw_user_meta_data)
    VALUES (vrm.uuid7(), 'carol@example.org', '{"full_name": "Carol", "avatar_url": "https://example.org/c.png"}');
SELECT is((SELECT full_name || ' ' || avatar_url FROM vrm.user_profiles WHERE email = 'carol@example.org'),
          'Carol https://example.org/c.png', 'with name and picture from the sign-up');
INSERT INTO auth.users (id, email) VALUES (vrm.uuid7(), NULL);
SELECT is((SELECT count(*) FROM vrm.user_profiles WHERE email IS NULL), 1::bigint, 'without an address, too');
INSERT INTO auth.users (id, email, is_sso_user) VALUES (vrm.uuid7(), 'alice@example.org', true);
SELECT is((SELECT count(*) FROM vrm.user_profiles WHERE email = 'alice@example.org'), 2::bigint,
          'two accounts may share an address where auth.users lets them');
UPDATE auth.users SET email = 'alice@example.com' WHERE id = :'alice';
SELECT is((SELECT email FROM vrm.user_profiles WHERE id = :'alice'), 'alice@example.com',
          'the profile follows a change of address');

ALTER TABLE vrm.user_profiles ADD CONSTRAINT dba_check CHECK (email NOT LIKE '%@blocked.example');
SET LOCAL client_min_messages = error;
SELECT lives_ok($$INSERT INTO auth.users (id, email) VALUES (vrm.uuid7(), 'x@blocked.example')$$,
                'a profile that cannot be made does not stop the sign-up');
SET LOCAL client_min_messages = warning;
SELECT is((SELECT count(*) FROM auth.users WHERE email = 'x@blocked.example'), 1::bigint, 'the user is there');
ALTER TABLE vrm.user_profiles DROP CONSTRAINT dba_check;
SELECT is(vrm.create_missing_profiles(), 1::bigint, 'the profile can be made later');
SELECT is(vrm.create_missing_profiles(), 0::bigint, 'once');

-- a person leaves, with everything --------------------------------------------------------------

SELECT pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS agent \gset
SELECT pg_temp.as_user(:'bob', format('SELECT vrm.start_test_run(%L)', :'agent')) AS run \gset
SELECT pg_temp.as_user(:'bob', format($$SELECT vrm.append_transcript(%L, 'Agent', 'Hello')$$, :'run')) \g /dev/null
DELETE FROM auth.users WHERE id = :'bob';
SELECT is((SELECT count(*) FROM vrm.user_profiles WHERE id = :'bob') + (SELECT count(*) FROM vrm.agents
    WHERE user_id = :'bob')
          + (SELECT count(*) FROM vrm.test_cases WHERE user_id = :'bob') + (SELECT count(*) FROM vrm.test_runs
              WHERE user_id = :'bob')
          + (SELECT count(*) FROM vrm.transcript_turns WHERE user_id = :'bob') + (SELECT count(*) FROM vrm.run_events
              WHERE user_id = :'bob'),
          0::bigint, 'deleting a user takes everything that was theirs');

-- own profile ------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice',
                          $$UPDATE vrm.user_profiles SET full_name = 'Alice',
                          organization = 'Acme' RETURNING full_name$$),
          'Alice', 'people change their name');
UPDATE vrm.user_profiles SET updated_at = '2000-01-01' WHERE id = :'alice';
SELECT is((SELECT updated_at FROM vrm.user_profiles WHERE id = :'alice'), now(), 'updated_at follows');
SELECT is((SELECT count(*) FROM vrm.user_profiles WHERE full_name = 'Alice'), 1::bigint, 'nobody else''s');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.user_profiles'), '1', 'they see their own profile only');
SELECT is(pg_temp.as_user(:'alice', $$UPDATE vrm.user_profiles SET full_name = repeat('x', 201)$$), '23514',
          'names have a limit');

-- administrators ------------------------------------------------------------------------------------

SELECT pg_temp.person('root@example.org') AS root \gset
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'root';
SELECT cmp_ok(pg_temp.as_user(:'root', 'SELECT count(*) FROM vrm.user_profiles')::int, '>', 3,
              'administrators see all profiles');
SELECT is(pg_temp.as_user(:'root', 'SELECT count(*) FROM vrm.agents'), '0', 'but not what others own');
SELECT is(pg_temp.as_user(:'root', format($$SELECT vrm.set_user_role(%L, 'manager')$$, :'alice')), '',
          'they set the role of others');
SELECT is((SELECT role::text FROM vrm.user_profiles WHERE id = :'alice'), 'manager', 'to what they say');
SELECT is(pg_temp.as_user(:'root', format($$SELECT vrm.set_user_role(%L, 'user')$$, :'root')), '42501',
          'not their own');
SELECT is(pg_temp.as_user(:'root', $$SELECT vrm.set_user_role('00000000-0000-0000-0000-000000000000', 'user')$$),
          'P0002', 'nor nobody''s');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.set_user_role(%L, 'user')$$, :'root')), '42501',
          'a manager does not');
UPDATE vrm.user_profiles SET deleted_at = now() WHERE id = :'root';
SELECT is(pg_temp.as_user(:'root', format($$SELECT vrm.set_user_role(%L, 'user')$$, :'alice')), '42501',
          'nor a deleted administrator');

SELECT * FROM finish();
ROLLBACK;
