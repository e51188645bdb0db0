-- Lockout: what the store counts no ROLLBACK takes back, and it is an ordinary table for the rest.
-- It keeps what these tests count, hence names of their own.
BEGIN;
SELECT plan(95);
\ir ../include/people.sql
SELECT 'u' || gen_random_uuid() AS u \gset
CREATE FUNCTION pg_temp.fail(who text, times int) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(vrm.record_login_attempt(who, false)::text, ' ') FROM generate_series(1, times)
$$;

-- counting -----------------------------------------------------------------------------------------

SELECT is(pg_temp.fail(:'u', 7), 'invalid invalid invalid invalid locked locked locked', 'the fifth failure locks');
SELECT ok(vrm.is_locked(:'u'), 'the account is locked');
SELECT ok(vrm.is_locked(upper(:'u') || ' '), 'however it is spelled');
SELECT ok(NOT vrm.is_locked(:'u' || 'x'), 'and nobody else');
SELECT is((SELECT (locked, failures, pending, consecutive, lock_count)::text FROM vrm.lock_status(:'u')),
          '(t,0,0,5,1)', 'the status tells the whole of it');
SELECT ok((SELECT locked_until BETWEEN clock_timestamp() + '50 seconds' AND clock_timestamp() + '60 seconds'
           FROM vrm.lock_status(:'u')), 'a first lock lasts a minute');
SELECT is((SELECT status::text FROM vrm.begin_attempt(:'u')), 'locked', 'another attempt is refused');
SELECT ok((SELECT ticket IS NULL AND retry_after BETWEEN '50 seconds' AND '1 minute' FROM vrm.begin_attempt(:'u')),
          'with the time to come back after');
SELECT is(vrm.record_login_attempt(:'u', true)::text, 'locked', 'even with the right password');

SELECT is(pg_temp.fail(:'u' || 'b', 4), 'invalid invalid invalid invalid', 'four failures');
SELECT is(vrm.record_login_attempt(:'u' || 'b', true)::text, 'ok', 'a success');
SELECT is((SELECT (failures, consecutive)::text FROM vrm.lock_status(:'u' || 'b')), '(0,0)', 'forgives them');

-- what ROLLBACK does not undo ------------------------------------------------------------------------

SAVEPOINT s;
SELECT pg_temp.fail(:'u' || 'r', 3) \g /dev/null
ROLLBACK TO SAVEPOINT s;
SELECT is((SELECT failures FROM vrm.lock_status(:'u' || 'r')), 3, 'rolled back failures stay');
DO $$ BEGIN PERFORM vrm.record_login_attempt('in-a-handler', false); RAISE 'x'; EXCEPTION WHEN OTHERS THEN NULL; END $$;
SELECT cmp_ok((SELECT consecutive FROM vrm.lock_status('in-a-handler')), '>', 0, 'and those of a failed block');

-- reserve and settle -----------------------------------------------------------------------------------

SET LOCAL vrm.lockout_wait = 0;
CREATE TEMP TABLE held AS SELECT a.* FROM generate_series(1, 7) i, vrm.begin_attempt(:'u' || left('p' || i, 1)) a;
SELECT is((SELECT string_agg(status::text, ' ') FROM held), 'ok ok ok ok ok throttled throttled',
          'no more are let in than could fail');
SELECT is((SELECT (vrm.settle_attempt(ticket, true))::text FROM held LIMIT 1), 'ok', 'a success');
SELECT is((SELECT status::text FROM vrm.begin_attempt(:'u' || 'p')), 'ok', 'makes room for another');
SELECT is((SELECT string_agg(vrm.settle_attempt(ticket, false)::text, ' ') FROM held OFFSET 0),
          'invalid invalid invalid invalid locked', 'and failures lock');
SELECT throws_ok($$SELECT vrm.settle_attempt('\x00', true)$$, '22023', 'the ticket is not valid',
                 'tickets cannot be made up');
SELECT throws_ok($$SELECT vrm.settle_attempt(set_byte(ticket, 10, (get_byte(ticket, 10) + 1) % 256), true)
                 FROM held LIMIT 1$$,
                 '22023', 'the ticket is not valid', 'nor changed');
SELECT is(vrm.settle_attempt(NULL, true), NULL, 'null is nobody''s ticket');
SELECT throws_ok(statement, '22004', name || ' must not be null', statement)
FROM (VALUES ('SELECT vrm.begin_attempt(NULL)', 'identifier'), ($$SELECT vrm.begin_attempt('x', NULL)$$, 'kind'),
             ($$SELECT vrm.settle_attempt('\x00', NULL)$$, 'success'),
             ('SELECT vrm.record_login_attempt(NULL, true)', 'identifier'),
             ($$SELECT vrm.record_login_attempt('x', NULL)$$, 'success'),
             ('SELECT vrm.is_locked(NULL)', 'identifier'), ('SELECT vrm.lock_status(NULL)', 'identifier'),
             ('SELECT vrm.unlock_account(NULL)', 'identifier'),
             ($$SELECT vrm.lock_account(NULL, now(), 'x')$$, 'user_id'),
             ('SELECT vrm.request_password_reset(NULL)', 'email'),
             ($$SELECT vrm.lockout_reserve('password', NULL, NULL, NULL)$$, 'identifier'),
             ($$SELECT vrm.lockout_state(NULL, 'x')$$, 'kind'),
             ($$SELECT vrm.lockout_clear('password', NULL)$$, 'identifier'),
             ($$SELECT vrm.lockout_lock('password', 'x', NULL)$$, 'until'),
             ($$SELECT vrm.lockout_advance('totp', 'x', NULL)$$, 'value'))
     AS v (statement, name);

-- kinds, networks and devices are counted apart ----------------------------------------------------------

SELECT is((SELECT status::text FROM vrm.begin_attempt(:'u', 'totp')), 'ok', 'codes are counted apart from passwords');
SELECT is((SELECT string_agg((vrm.begin_attempt(:'u', 'reset_request')).status::text, ' ') FROM generate_series(1, 4)),
          'ok ok ok throttled', 'three reset requests');
UPDATE vrm.lockout_policy SET threshold = 2 WHERE kind = 'ip';
SELECT is((SELECT string_agg(vrm.record_login_attempt(:'u' || 'ip' || i, false, '192.0.2.7')::text, ' ')
           FROM generate_series(1, 3) i), 'invalid invalid throttled', 'a network fails at many accounts');
SELECT is(vrm.record_login_attempt(:'u' || 'ip9', false, '192.0.2.8')::text, 'invalid',
          'another network does not suffer');
SELECT is((SELECT pending FROM vrm.lock_status(:'u' || 'ip3')), 0,
          'an attempt refused for its network reserves nothing');
SELECT is(vrm_private.network_of('2001:db8::1:2:3:4'), '2001:db8::', 'of IPv6 a customer''s network counts');
SELECT pg_temp.person(:'u') AS owner \gset
SELECT vrm.lockout_device_token(:'u', vrm_private.remember_device(:'owner', NULL)) AS device \gset
SELECT is((SELECT status::text FROM vrm.begin_attempt(:'u', device_token => :'device')), 'ok',
          'a device that is known gets in while others are locked out');
SELECT is((SELECT status::text FROM vrm.begin_attempt(:'u' || 'p', device_token => :'device')), 'locked',
          'to its own account only');
SELECT is((SELECT status::text FROM vrm.begin_attempt(:'u', device_token => 'forged')), 'locked',
          'and not by a forged token');

-- policy -----------------------------------------------------------------------------------------------

UPDATE vrm.lockout_policy SET threshold = 2, base_lock = '10 minutes' WHERE kind = 'password';
SELECT is(pg_temp.fail(:'u' || 'q', 3), 'invalid locked locked', 'a changed policy holds at once');
SELECT ok((SELECT locked_until > clock_timestamp() + '9 minutes' FROM vrm.lock_status(:'u' || 'q')), 'all of it');
UPDATE vrm.lockout_policy SET threshold = 1000, consecutive_cap = 3 WHERE kind = 'password';
SELECT is(pg_temp.fail(:'u' || 'c', 4), 'invalid invalid locked locked', 'a cap locks');
SELECT is((SELECT locked_until FROM vrm.lock_status(:'u' || 'c')), 'infinity'::timestamptz, 'for good');
SELECT throws_ok($$UPDATE vrm.lockout_policy SET threshold = 0$$, '23514', NULL, 'a threshold is at least one');
SELECT throws_ok($$UPDATE vrm.lockout_policy SET attempt_window = '1 month'$$, '23514', NULL, 'months have no length');
SELECT throws_ok($$INSERT INTO vrm.lockout_policy SELECT 'guess', threshold, attempt_window, base_lock, factor,
                 max_lock,
                   consecutive_cap, reservation FROM vrm.lockout_policy LIMIT 1$$, '23514', NULL, 'kinds are known');

-- administrators --------------------------------------------------------------------------------------------

SELECT pg_temp.person(:'u' || '@example.org') AS alice, pg_temp.person(:'u' || 'root@example.org') AS root \gset
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'root';
SELECT is(pg_temp.fail(:'u' || '@example.org', 3), 'invalid invalid locked', 'a user is locked');
SELECT is((SELECT (login_attempts, locked_until)::text FROM vrm.user_profiles WHERE id = :'alice'), '(0,)',
          'her profile is not written while somebody guesses');
SELECT is(pg_temp.as_user(:'alice', 'SELECT (login_attempts, locked_until)::text FROM vrm.account_standing'),
          '(3,infinity)',
          'a view shows the lock');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm_private.standing_now(%L)', :'root')), '42501',
          'and nothing but it');
SELECT is(pg_temp.as_user(:'root',
                          format('SELECT locked_until FROM vrm.account_standing WHERE user_id = %L', :'alice')),
          'infinity',
          'to administrators, of everybody');
SELECT vrm_private.show_waiting_locks();
SELECT is((SELECT (login_attempts, locked_until)::text FROM vrm.user_profiles WHERE id = :'alice'), '(3,infinity)',
          'maintenance brings it to the profile');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.unlock_account(%L)', :'u' || '@example.org')), '42501',
          'users do not unlock themselves');
SELECT is(pg_temp.as_user(:'root', format('SELECT vrm.unlock_account(%L)', :'u' || '@example.org')), 'true',
          'administrators do');
SELECT is((SELECT (login_attempts, locked_until)::text FROM vrm.user_profiles WHERE id = :'alice'), '(0,)',
          'the profile follows');
SELECT ok(NOT vrm.is_locked(:'u' || '@example.org'), 'the account is open');
SELECT is(pg_temp.as_user(:'root', format($$SELECT vrm.lock_account(%L, '2100-01-01Z', 'left')$$, :'alice')), '',
          'and lock');
SELECT is((SELECT locked_until FROM vrm.user_profiles WHERE id = :'alice'), '2100-01-01Z'::timestamptz,
          'as long as they like');
SELECT ok(vrm.is_locked(:'u' || '@example.org')
          AND (SELECT locked AND locked_until = '2100-01-01Z' FROM vrm.lock_status(:'u' || '@example.org')),
          'everybody who asks is told');
SELECT is((SELECT status::text FROM vrm.begin_attempt(:'u' || '@example.org')), 'locked', 'no password is looked at');
SELECT is((SELECT status::text
           FROM vrm.begin_attempt(:'u' || '@example.org',
                                  device_token => vrm.lockout_device_token(
                                      :'u' || '@example.org', vrm_private.remember_device(:'alice', NULL)))),
          'locked', 'from a known device neither');
SELECT is(vrm.record_login_attempt(:'u' || '@example.org', true)::text, 'locked', 'nor a right one of use');
SELECT is(pg_temp.as_user(:'root', format('SELECT vrm.lock_account(%L, NULL, NULL)', :'alice')), '22004',
          'a lock has an end');
SELECT is(pg_temp.as_user(:'root', format('SELECT vrm.unlock_account(%L)', :'u' || '@example.org')), 'true',
          'administrators lift it');
SELECT ok(NOT vrm.is_locked(:'u' || '@example.org'), 'then it is gone');
SELECT is(pg_temp.as_user(:'alice', format($$SELECT vrm.lock_account(%L, '2100-01-01Z', 'x')$$, :'root')), '42501',
          'users do not');
SELECT is(pg_temp.as_user(:'root', $$SELECT vrm.lock_account(vrm.uuid7(), '2100-01-01Z', 'x')$$), 'P0002',
          'nobody cannot be locked');
SELECT is(pg_temp.as_user(:'alice', format('SELECT vrm.is_locked(%L)', :'u')), '42501', 'nor ask about others');
SELECT is(pg_temp.as_role('service_role', NULL, format('SELECT vrm.is_locked(%L)', :'u')), 'true', 'the service may');

-- an ordinary table to read, dump and restore ------------------------------------------------------------------

SELECT ok(vrm.check_lockout_store() = (SELECT count(*) FROM vrm_private.lockout), 'SELECT sees every entry');
INSERT INTO vrm_private.lockout VALUES ('00000000-0000-4000-8000-000000000001', now(), 'infinity', now(), now(), 1, 0,
                                        1, 1, 5);
INSERT INTO vrm_private.lockout VALUES ('00000000-0000-4000-8000-000000000001', now(), '-infinity', now(), now(), 2, 0,
                                        0, 0, 3);
SELECT is((SELECT (locked_until, failures, consecutive, lock_count, value)::text FROM vrm_private.lockout
           WHERE key = '00000000-0000-4000-8000-000000000001'), '(infinity,2,1,1,5)', 'INSERT merges to the stricter');
SELECT throws_ok($$INSERT INTO vrm_private.lockout
                 VALUES (gen_random_uuid(), now(), now(), now(), now(), -1, 0, 0, 0, 0)$$,
                 '22003', NULL, 'counters have a range');
SELECT throws_ok('UPDATE vrm_private.lockout SET failures = 0', '0A000', NULL, 'UPDATE is refused');
SELECT throws_ok('DELETE FROM vrm_private.lockout', '0A000', NULL, 'and DELETE');
SELECT throws_ok('CREATE INDEX ON vrm_private.lockout (key)', '0A000', NULL, 'and an index');
SELECT throws_ok('ALTER TABLE vrm_private.lockout ADD COLUMN note text', '0A000', NULL, 'and another column');
SELECT throws_ok('ALTER TABLE vrm_private.lockout_requests ADD COLUMN note integer DEFAULT 1', '0A000', NULL,
                 'in any tree');
SELECT throws_ok('ALTER TABLE vrm_private.lockout DROP COLUMN value', '0A000', NULL, 'and one less');
SELECT throws_ok('ALTER TABLE vrm_private.lockout ALTER COLUMN failures TYPE bigint', '42P16', NULL,
                 'and one of another type');
SELECT throws_ok('SELECT * FROM vrm_private.lockout FOR UPDATE', '0A000', NULL, 'and row locks');
SELECT throws_ok('SELECT * FROM vrm_private.lockout TABLESAMPLE system (10)', '0A000', NULL, 'and samples');
SELECT throws_ok('CREATE TABLE pg_temp.t (LIKE vrm_private.lockout) USING vrm_lockout', '0A000', NULL,
                 'a temporary store is none');
SELECT throws_ok('CREATE TABLE vrm_private.t (a int) USING vrm_lockout', '42P16', NULL, 'and one of other columns');
SELECT lives_ok('ANALYZE vrm_private.lockout', 'ANALYZE is welcome');
CREATE TEMP TABLE forward AS SELECT row_number() OVER () AS n, key FROM vrm_private.lockout;
DECLARE entries SCROLL CURSOR FOR SELECT key FROM vrm_private.lockout;
MOVE FORWARD ALL IN entries \g /dev/null
CREATE FUNCTION pg_temp.backward() RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    at refcursor := 'entries';
    key uuid;
BEGIN
    LOOP
        FETCH BACKWARD FROM at INTO key;
        EXIT WHEN NOT FOUND;
        RETURN NEXT key;
    END LOOP;
END
$$;
SELECT results_eq('SELECT * FROM pg_temp.backward()', 'SELECT key FROM forward ORDER BY n DESC',
                  'FETCH BACKWARD goes backward');
MOVE 2 IN entries \g /dev/null
FETCH BACKWARD 1 FROM entries \gset
SELECT is(:'key'::uuid, (SELECT key FROM forward WHERE n = 1), 'and turns anywhere');
CLOSE entries;

-- A dump reads while others sign in: pages split, and half of what they hold moves to pages that are added.
CREATE FUNCTION pg_temp.missed() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before CONSTANT uuid[] := ARRAY(SELECT key FROM vrm_private.lockout_requests);
    seen uuid[] := '{}';
    at CURSOR FOR SELECT key FROM vrm_private.lockout_requests;
    key uuid;
BEGIN
    OPEN at;
    FETCH at INTO key;
    PERFORM vrm.lockout_lock('ip', 'more ' || i, 'infinity') FROM generate_series(1, 3000) AS i;
    WHILE key IS NOT NULL LOOP
        seen := seen || key;
        FETCH at INTO key;
    END LOOP;
    RETURN (SELECT count(*) FROM unnest(before) AS b (key) WHERE b.key <> ALL (seen));
END
$$;
SELECT count(vrm.lockout_lock('ip', 'network ' || i, 'infinity')) AS locks FROM generate_series(1, 300) AS i \gset
SELECT is(pg_temp.missed(), 0::bigint, 'a scan misses nothing that moves meanwhile');

SET LOCAL transaction_read_only = on;
SELECT throws_ok(format('SELECT vrm.begin_attempt(%L)', :'u'), '25006',
                 'sign-in is not possible in a read-only transaction',
                 'what cannot be counted is not tried');
SELECT ok(vrm.is_locked(:'u'), 'but can be asked for');

SELECT * FROM finish();
ROLLBACK;
