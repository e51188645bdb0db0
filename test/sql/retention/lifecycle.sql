-- Accounts end: deleted at once, recoverable for 30 days, then erased with everything of theirs.
BEGIN;
SELECT plan(51);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob,
    pg_temp.person('root@example.org') AS root \gset
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'root';
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS run \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.log('application', 'info', 'hello')$$) \g /dev/null
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at)
    VALUES (:'alice', :'agent', 'completed', '2020-01-01', '2020-01-01');
SELECT vrm.archive_old_test_runs() \g /dev/null
CREATE FUNCTION pg_temp.account(who uuid) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', u.email, u.deleted_at IS NOT NULL, u.banned_until > now(), p.email, p.deleted_at IS NOT NULL)
    FROM auth.users u JOIN vrm.user_profiles p USING (id) WHERE id = who
$$;

-- deleting
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.delete_account(%L)', :'alice')), '42501',
          'nobody deletes somebody else''s account');
SELECT is(pg_temp.as_user(NULL, 'SELECT vrm.delete_account()'), '42501', 'nor nobody any');
SELECT is(pg_temp.as_user(NULL, format('SELECT vrm.delete_account(%L)', :'alice')), '42501', 'nor nobody somebody''s');
SELECT is(pg_temp.account(:'alice'), 'alice@example.org f alice@example.org f', 'an account as it is');
SELECT is(pg_temp.as_user(:'alice', 'SELECT vrm.delete_account()'), '', 'a person deletes her own');
SELECT is(pg_temp.account(:'alice'), 'deleted+' || :'alice' || '@invalid t t t',
          'it is marked, and has another address');
SELECT is(pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('again')$$), '42501',
          'whoever still has a token can do nothing with it');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.test_runs'), '0', 'nor see anything');
SELECT is((SELECT vrm.hook_custom_access_token(jsonb_build_object('user_id', :'alice', 'claims',
    '{}'::jsonb)) #>> '{error,http_code}'), '403',
          'no new token is made out');
SELECT lives_ok(format('SELECT vrm.delete_account(%L)', :'alice'), 'deleting twice is no error');
SELECT is((SELECT count(*) FROM vrm_private.deleted_accounts), 1::bigint, 'and no second time');
SELECT throws_ok('SELECT vrm.delete_account(vrm.uuid7())', 'P0002', NULL, 'deleting nobody is one');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT vrm.delete_account(vrm.uuid7())'), 'P0002',
          'the service may try');

-- the address is free
SELECT lives_ok($$SELECT pg_temp.person('Alice@example.org')$$, 'the address can be registered again');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.recover_account(%L)', :'alice')), '42501',
          'a deleted account does not recover itself');
SELECT is(pg_temp.as_user(:'bob', format('SELECT vrm.recover_account(%L)', :'alice')), '42501',
          'nor does another user recover it');
SELECT is(pg_temp.as_user(:'root', format('SELECT vrm.recover_account(%L)', :'alice')), '23505',
          'an address that is taken is not given back');
SELECT is(pg_temp.as_user(:'root', format('SELECT vrm.recover_account(%L, %L)', :'alice', 'alice2@example.org')), '',
          'with another one an administrator recovers it');
SELECT is(pg_temp.account(:'alice'), 'alice2@example.org f alice2@example.org f', 'it is as before');
SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.all_test_runs'), '2', 'with all calls');
SELECT is(pg_temp.as_role('service_role', NULL, format('SELECT vrm.recover_account(%L)', :'alice')), 'P0002',
          'what lives cannot be recovered');
DELETE FROM auth.users WHERE email = 'Alice@example.org';
UPDATE auth.users SET banned_until = '2001-01-01' WHERE id = :'alice';
SELECT is(pg_temp.as_role('service_role', NULL, format('SELECT vrm.delete_account(%L)', :'alice')), '',
          'the service deletes it again');
SELECT is(pg_temp.as_role('service_role', NULL, format('SELECT vrm.recover_account(%L)', :'alice')), '',
          'and recovers it');
SELECT is((SELECT banned_until FROM auth.users WHERE id = :'alice'), '2001-01-01'::timestamptz, 'with the ban it had');

-- inactive users
SELECT is((SELECT due_rows FROM vrm.retention_preview('users.inactive')), 0::bigint, 'new accounts are not inactive');
UPDATE auth.users SET last_sign_in_at = now() - interval '1 year' WHERE id = :'alice';
SELECT pg_temp.person('carol@example.org') AS carol \gset
UPDATE vrm.user_profiles SET last_login = now() - interval '1 year' WHERE id = :'carol';
UPDATE vrm.user_profiles SET created_at = '2015-01-01';
SELECT vrm.place_hold('case', user_id => :'bob') AS hold \gset
SELECT is((SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('users.inactive')), '0 2',
          'administrators and what is held stay, and who signed in, here or elsewhere');
SELECT throws_ok(format('SELECT vrm.erase_user(%L, ''test'')', :'bob'), '55006', NULL,
                 'a hold keeps a person from being erased');
SELECT vrm.release_hold(:hold) \g /dev/null
SELECT is(vrm.retention_step((vrm_private.begin_retention_run('users.inactive')).run_id, 0, 1000, 100), 1::bigint,
          'who did not come for three years is deleted');
SELECT is((SELECT string_agg(user_id || ' ' || (requested_by = user_id), ', ') FROM vrm_private.deleted_accounts),
          :'bob' || ' true', 'so that who comes back may recover it');
SELECT is(pg_temp.account(:'bob'), 'deleted+' || :'bob' || '@invalid t t t', 'as if by request');
SELECT is((SELECT no_policy + several_policies FROM vrm.retention_coverage() WHERE target = 'vrm.user_profiles'),
          0::bigint, 'every account matches one policy');

-- after 30 days
SELECT is((SELECT due_rows FROM vrm.retention_preview('users.deleted')), 0::bigint, 'nobody is erased at once');
UPDATE vrm.user_profiles SET deleted_at = now() - interval '31 days' WHERE id = :'bob';
SELECT is(vrm.retention_step((vrm_private.begin_retention_run('users.deleted')).run_id, 0, 1000, 100), 1::bigint,
          'but after 30 days');
SELECT is((SELECT count(*) FROM auth.users WHERE id = :'bob'), 0::bigint, 'for good');
SELECT is((SELECT reason FROM vrm_private.erasure_ledger WHERE user_id = :'bob' AND relation = 'vrm.user_profiles'),
          'deleted more than the kept time ago', 'the ledger says why');

-- erasing
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.erase_user(%L, ''x'')', :'alice')), '42501',
          'users do not erase, not even themselves');
SELECT throws_ok(format('SELECT vrm.erase_user(%L, '''')', :'alice'), '22023', NULL, 'erasing needs a reason');
SELECT throws_ok('SELECT vrm.erase_user(vrm.uuid7(), ''test'')', 'P0002', NULL, 'and somebody');
SELECT is(pg_temp.as_user(:'root', format('SELECT vrm.erase_user(%L, ''asked by letter'') > 5', :'alice')), 'true',
          'an administrator erases a person');
SELECT is((SELECT string_agg(relation || ' ' || row_count, ', ' ORDER BY relation) FROM vrm_private.erasure_ledger
           WHERE user_id = :'alice' AND relation IN ('vrm.agents', 'vrm.test_runs', 'vrm.logs', 'vrm.user_profiles',
                                                     'vrm_private.test_runs_archive')),
          'vrm.agents 1, vrm.logs 1, vrm.test_runs 1, vrm.user_profiles 1, vrm_private.test_runs_archive 1',
          'the ledger tells what there was');
CREATE FUNCTION pg_temp.left_of(who uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    place record;
    found boolean;
    result text := '';
BEGIN
    FOR place IN SELECT c.oid::regclass AS relation FROM pg_class c
                 WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace, 'auth'::regnamespace)
                   AND c.relkind = 'r' ORDER BY 1 LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s r WHERE strpos(r::text, $1) > 0)', place.relation) INTO found
            USING who::text;
        IF found THEN
            result := result || ' ' || place.relation;
        END IF;
    END LOOP;
    RETURN ltrim(result);
END
$$;
SELECT is(pg_temp.left_of(:'alice'), 'vrm_private.erasure_ledger',
          'nothing is left of her in any table but the ledger');
SELECT is((SELECT bool_and(ok) FROM vrm.verify_archive()), true, 'the archive can still be verified');

-- whoever deletes
SELECT pg_temp.person('dora@example.org') AS dora, pg_temp.person('emil@example.org') AS emil \gset
SELECT pg_temp.as_user(:'dora', $$SELECT vrm.log('application', 'info', 'hello')$$) \g /dev/null
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
    VALUES (:'dora', 'completed', '2020-01-01', '2020-01-01');
CREATE TABLE vrm.of_a_dba (user_id uuid);
INSERT INTO vrm.of_a_dba VALUES (:'dora');
DELETE FROM auth.users WHERE id = :'dora';
SELECT is((SELECT string_agg(relation || ' ' || row_count, ', ' ORDER BY relation) FROM vrm_private.erasure_ledger
           WHERE user_id = :'dora' AND relation IN ('vrm.test_runs', 'vrm.logs', 'vrm.of_a_dba', 'vrm.user_profiles')),
          'vrm.logs 1, vrm.of_a_dba 1, vrm.test_runs 1, vrm.user_profiles 1',
          'who is deleted from auth.users is in the ledger');
SELECT vrm_private.compact_calls() \g /dev/null
SELECT is(pg_temp.left_of(:'dora'), 'vrm_private.erasure_ledger', 'and nowhere else once statistics are made anew');
DROP TABLE vrm.of_a_dba;
DELETE FROM vrm.user_profiles WHERE id = :'emil';
SELECT is((SELECT reason FROM vrm_private.erasure_ledger WHERE user_id = :'emil' AND relation = 'vrm.user_profiles'),
          'deleted from auth.users or vrm.user_profiles', 'so is whose profile is deleted');
SELECT is((SELECT count(*) FROM (SELECT FROM vrm_private.erasure_ledger GROUP BY user_id, relation HAVING count(*) > 1)
           AS twice), 0::bigint, 'nobody twice');

-- whatever tables come
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                AND a.attname = 'user_id' AND NOT a.attisdropped
                  WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
                  AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                    AND c.oid::regclass::text NOT IN ('vrm_private.erasure_ledger', 'vrm_private.legal_holds',
                                                      'vrm_private.object_purges',
                                                      'vrm.logs', 'vrm.call_dirty', 'vrm_private.test_runs_archive',
                                                      'vrm.run_queue', 'vrm.run_leases')
                    AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f'
                                    AND f.confdeltype = 'c'
                                    AND a.attnum = ANY (f.conkey))$$,
                'every table with a user_id loses its rows with the person');
SELECT is((SELECT count(*) FROM vrm_private.deleted_accounts), 0::bigint, 'nobody is left half deleted');

-- all at once
SELECT pg_temp.person('last@example.org') AS last \gset
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
VALUES (:'last', 'failed', now() - interval '3 years', now() - interval '3 years');
SELECT vrm.archive_old_test_runs() \g /dev/null
SELECT vrm.place_hold('case 3', user_id => :'last') AS hold \gset
SELECT throws_ok('TRUNCATE auth.users CASCADE', '55006', format('user "%s" is under a legal hold', :'last'),
                 'a table with somebody in it who is held cannot be emptied');
SELECT vrm.release_hold(:hold) \g /dev/null
TRUNCATE auth.users CASCADE;
SELECT is((SELECT string_agg(relation || ' ' || reason, ', ' ORDER BY relation) FROM vrm_private.erasure_ledger
           WHERE user_id = :'last' AND relation IN ('vrm.user_profiles', 'vrm_private.test_runs_archive')),
          'vrm.user_profiles TRUNCATE of auth.users or vrm.user_profiles,'
          ' vrm_private.test_runs_archive TRUNCATE of auth.users or vrm.user_profiles',
          'whoever goes with it is in the ledger');
SELECT is((SELECT count(*) FROM vrm_private.test_runs_archive WHERE user_id = :'last'), 0::bigint,
          'and not in the archive');
SELECT * FROM finish();
ROLLBACK;
