-- Supabase's guide for custom schemas grants everything to anon and authenticated: what does not rest on grants.
BEGIN;
SELECT plan(36);
\ir ../include/no_autovacuum.sql
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT pg_temp.person('mallory@example.org') AS mallory, pg_temp.person('bob@example.org') AS bob,
       pg_temp.person('ann@example.org') AS ann \gset
SELECT pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('sales')$$) AS bobs_agent \gset
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'ann';
SELECT vrm.audit_enable('vrm.metrics');
CREATE ROLE vrm_test_mailer;
GRANT USAGE ON SCHEMA vrm TO vrm_test_mailer;
GRANT EXECUTE ON FUNCTION vrm.take_reset_mail(integer) TO vrm_test_mailer;

-- A value for each type of argument, so that no function is skipped for being STRICT.
CREATE FUNCTION pg_temp.plain() RETURNS vrm.secret LANGUAGE sql AS $$SELECT 'secret'::vrm.secret$$;
CREATE FUNCTION pg_temp.some_value(type oid) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN format('ARRAY[]::%s', t.oid::regtype)
                ELSE format(CASE t.typname
                            WHEN 'record' THEN 'ROW(1)' WHEN 'uuid' THEN 'gen_random_uuid()'
                            WHEN 'jsonb' THEN '''{}''::jsonb' WHEN 'bool' THEN 'true' WHEN 'tid' THEN '''(0,1)''::tid'
                            WHEN 'timestamptz' THEN 'now()' WHEN 'interval' THEN '''1 day''::interval'
                            WHEN 'regclass' THEN '''vrm.metrics''::regclass' WHEN 'pg_lsn' THEN '''0/1''::pg_lsn'
                            WHEN 'secret' THEN 'pg_temp.plain()' WHEN 'inet' THEN '''192.0.2.1''::inet'
                            WHEN 'attempt_kind' THEN '''password''::vrm.attempt_kind'
                            WHEN 'call_stats' THEN 'NULL::vrm.call_stats' WHEN 'bytea' THEN '''\x00''::bytea'
                            WHEN 'name' THEN '''id''::name' WHEN 'text' THEN '''data''' ELSE '1::%s' END,
                            t.oid::regtype) END
    FROM pg_type t WHERE t.oid = type
$$;

-- What neither role is meant to call, and what computes without reading, writing or opening anything of others.
CREATE TEMP TABLE closed AS
    SELECT p.oid, p.oid::regprocedure::text AS routine, p.proname AS name, p.prosecdef AS definer,
           format(CASE p.prokind WHEN 'p' THEN 'CALL %s(%s)' ELSE 'SELECT * FROM %s(%s)' END, p.oid::regproc,
                  (SELECT string_agg(CASE WHEN p.provariadic <> 0 AND a.n = p.pronargs THEN 'VARIADIC ' ELSE '' END
                                     || pg_temp.some_value(a.type), ', ' ORDER BY a.n)
                   FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, n))) AS call
    FROM pg_proc p
    WHERE p.pronamespace = 'vrm'::regnamespace AND p.prokind IN ('f', 'p')
      AND NOT has_function_privilege('anon', p.oid, 'EXECUTE')
      AND NOT has_function_privilege('authenticated', p.oid, 'EXECUTE')
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'fdw_handler'::regtype)
      AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT 'cstring'::regtype = ANY (p.proargtypes);
CREATE TEMP TABLE harmless AS
    SELECT name, reason FROM (VALUES
        ('{add_run,add_call,add_fact,add_duration,add_part,merge_stats,finish_stats,merge_parts,merge_piece,'
         'replace_parts}'::name[],
         'adds up what the caller has'),
        ('{call_stats_out}',
         'adds up what the caller has'),
        ('{growth_a_day,merkle_root,audit_leaf,row_digest,document_digest,packed_digest,tuple_block,wal_segment_start,'
         'check_expression,report_page}',
         'computes from its arguments'),
        ('{secret_out,secret_send,secret_hint,secret_length,password_is_outdated,sign_jwt}',
         'says of a secret what its owner knows'),
        ('{totp_step,totp_code,totp_uri,random_base32,token_key_pair}', 'what any authenticator does'),
        ('{seal_random}', 'seals, as vrm.seal() does for all who may write sealed values'),
        ('{lockout_ticket}', 'what a ticket says of itself'),
        ('{verify_jwt}', 'says what vrm.login() says to everybody'),
        ('{platform_script,platform_steps}', 'the text that is in the package'),
        ('{set_aside_default_privileges}', 'changes defaults of the role that calls'),
        ('{adopt_constraint}', 'sees no check: row level security'),
        ('{schedule_maintenance}', 'schedules as the role that calls, where pg_cron is')) AS groups (names, reason),
        unnest(names) AS name;

GRANT USAGE ON SCHEMA vrm TO anon, authenticated, service_role;
GRANT ALL ON ALL TABLES IN SCHEMA vrm TO anon, authenticated, service_role;
GRANT ALL ON ALL ROUTINES IN SCHEMA vrm TO anon, authenticated, service_role;
GRANT ALL ON ALL SEQUENCES IN SCHEMA vrm TO anon, authenticated, service_role;

-- functions -------------------------------------------------------------------------------------

SELECT cmp_ok((SELECT count(*) FROM closed), '>', 120::bigint, 'there is what neither role is meant to call');
SELECT is_empty($$SELECT c.routine, pg_temp.as_anon(c.call) FROM closed c
                  WHERE c.name NOT IN (SELECT name FROM harmless)
                    AND pg_temp.as_anon(c.call) IS DISTINCT FROM '42501'$$,
                'anon is refused by each of them that does more than compute');
SELECT is_empty(format($$SELECT c.routine, pg_temp.as_user(%1$L, c.call) FROM closed c
                         WHERE c.name NOT IN (SELECT name FROM harmless)
                           AND pg_temp.as_user(%1$L, c.call) IS DISTINCT FROM '42501'$$, :'mallory'),
                'and so is authenticated');
SELECT is_empty($$SELECT routine FROM closed JOIN harmless USING (name) WHERE definer$$,
                'none that computes has rights of its owner');
SELECT is_empty($$SELECT name FROM harmless WHERE name NOT IN (SELECT name FROM closed)$$,
                'each of which is there');
SELECT is(pg_temp.error_of(:'mallory', 'SELECT vrm.take_reset_mail()'),
          '42501 | permission denied for function vrm.take_reset_mail(integer) | It administers; that PUBLIC, anon '
          'or authenticated were granted it says nothing. | A role of its own may be granted it: GRANT EXECUTE ON '
          'ROUTINE vrm.take_reset_mail(integer) TO somebody; what is too wide goes with: SELECT * FROM vrm.repair();',
          'the error says what to do');

SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) FROM vrm.take_reset_mail()'), '0',
          'the service goes on administering');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT vrm.report() LIKE ''<%'''), 'true',
          'with what its functions call for it');
SELECT is(pg_temp.as_role('vrm_test_mailer', NULL, 'SELECT count(*) FROM vrm.take_reset_mail()'), '0',
          'and so does a role that was granted a function by name');
GRANT authenticated TO vrm_test_mailer;
SELECT is(pg_temp.as_role('vrm_test_mailer', NULL, 'SELECT count(*) FROM vrm.take_reset_mail()'), '0',
          'whatever else it is');
SELECT is(pg_temp.as_role('vrm_test_mailer', NULL, 'SELECT count(*) FROM vrm.take_sign_up_mail()'), '42501',
          'by that function only');
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA vrm FROM service_role;
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) FROM vrm.take_reset_mail()'), '42501',
          'a grant that is gone is not remembered');
GRANT ALL ON ALL ROUTINES IN SCHEMA vrm TO service_role;

-- accounts --------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'mallory', format('UPDATE vrm.user_profiles SET %s WHERE id = vrm.uid()', change)), '42501',
          'a user cannot SET ' || change)
FROM unnest(ARRAY['role = ''admin''', 'login_attempts = 7', 'locked_until = now()', 'mfa_enabled = true',
                  'mfa_secret = vrm.seal(''x'')', 'last_login = now()', 'email = ''bob@example.org''',
                  'deleted_at = now()', 'id = vrm.uuid7()', 'created_at = now() + interval ''1 day''']) AS change;
SELECT is(pg_temp.as_user(:'mallory', 'UPDATE vrm.user_profiles SET full_name = ''Mal'', organization = ''M'' '
                                      'WHERE id = vrm.uid() RETURNING full_name'), 'Mal', 'but what is theirs to set');
SELECT is(pg_temp.as_user(:'mallory', 'UPDATE vrm.user_profiles SET role = ''user'', full_name = ''Al'' '
                                      'WHERE id = vrm.uid() RETURNING full_name'), 'Al', 'and what changes nothing');
SELECT is(pg_temp.as_role('service_role', NULL, format('UPDATE vrm.user_profiles SET role = ''manager'' WHERE id = %L '
                                                       'RETURNING role', :'bob')), 'manager', 'the service may');
SELECT is(pg_temp.as_user(:'ann', format('SELECT vrm.set_user_role(%L, ''admin'')', :'bob')), '',
          'and administrators, by the function for it');
SELECT is(pg_temp.as_user(:'mallory', 'SELECT factor_id = vrm.uid() FROM vrm.mfa_enrol()'), 'true',
          'functions for users write what users cannot');
SELECT is(pg_temp.as_user(:'ann', format('SELECT vrm.lock_account(%L, now() + interval ''1 day'', ''x'')', :'bob')), '',
          'and call what only the service may');

-- tables ----------------------------------------------------------------------------------------

CREATE TEMP TABLE tables AS
    SELECT c.oid::regclass::text AS name FROM pg_class c
    WHERE c.relnamespace = 'vrm'::regnamespace AND c.relkind IN ('r', 'p');
SELECT is_empty($$SELECT name, state FROM tables,
                         pg_temp.as_anon(format('TRUNCATE %s CASCADE', name)) AS state
                  WHERE state IS DISTINCT FROM '42501'$$, 'anon empties no table');
SELECT is_empty(format($$SELECT name, state FROM tables,
                                pg_temp.as_user(%L, format('TRUNCATE %%s CASCADE', name)) AS state
                         WHERE state IS DISTINCT FROM '42501'$$, :'mallory'),
                'nor does authenticated');
SELECT vrm_private.make_partition('vrm.logs_error', 'logs_error_test', '2001-01-01', '2001-02-01');
GRANT ALL ON vrm.logs_error_test TO anon;
SELECT is(pg_temp.as_anon('TRUNCATE vrm.logs_error_test'), '42501', 'nor a partition that was made later');
SELECT lives_ok('TRUNCATE vrm.logs_error_test', 'whose owner may');
SELECT is(pg_temp.as_user(:'mallory', 'CREATE TRIGGER planted BEFORE INSERT ON vrm.agents FOR EACH ROW '
                                      'EXECUTE FUNCTION suppress_redundant_updates_trigger()'), '42501',
          'no client plants a trigger, which would run as whoever writes the table');
SET LOCAL ROLE service_role;
SELECT lives_ok('CREATE TRIGGER added BEFORE UPDATE ON vrm.agents FOR EACH ROW '
                'EXECUTE FUNCTION suppress_redundant_updates_trigger()', 'the service may');
RESET ROLE;
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c
                  WHERE c.relnamespace = 'vrm'::regnamespace AND c.relkind IN ('r', 'p', 'v')
                    AND pg_temp.as_anon(format('SELECT count(*) FROM %s', c.oid::regclass)) NOT IN ('0', '42501')$$,
                'anon reads no row of any table or view');
SELECT is(pg_temp.as_user(:'mallory', format('SELECT count(*) FROM vrm.agents WHERE id = %L', :'bobs_agent')), '0',
          'and users none of somebody else');

SELECT * FROM finish();
ROLLBACK;
