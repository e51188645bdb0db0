-- What vrm.setup() says of each step; test/backup/setup.pl does all of it.
BEGIN;
SELECT plan(13);
\ir ../include/people.sql
CREATE ROLE watcher LOGIN;

CREATE FUNCTION pg_temp.said(wanted text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws('; ', s.status, s.shell, s.sql) FROM vrm.setup() s WHERE s.topic = wanted
$$;
SELECT is_empty($$SELECT topic FROM vrm.setup() WHERE status NOT IN ('done', 'to do', 'unknown')
                  OR detail IS NULL OR why IS NULL
                  OR (status = 'to do') <> (coalesce(shell, sql) IS NOT NULL) AND status <> 'unknown'
                  OR shell IS NOT NULL AND sql IS NOT NULL$$, 'what is to be done can be run, in one way');
SELECT is_empty($$SELECT topic FROM vrm.setup() GROUP BY topic HAVING count(*) > 1$$, 'each step is there once');
SELECT alike(pg_temp.said('archive_command'), 'to do; ALTER SYSTEM SET archive_command = %', 'first a command');
SELECT is(pg_temp.said('archive_mode'), NULL, 'before that, nobody is told to turn archiving on');
SELECT is(pg_temp.said('metrics'), 'to do; CREATE ROLE prometheus LOGIN IN ROLE pg_monitor;', 'a role for an exporter');
GRANT pg_monitor TO watcher;
SELECT alike(pg_temp.said('metrics'), 'unknown; psql %exporter_config%', 'then its queries');
SELECT is(pg_temp.said('issuer'), 'to do; SELECT vrm.rotate_token_key();', 'somebody has to sign tokens');
SELECT alike(pg_temp.said('restore'), 'unknown; CALL vrm.pre_deploy(%', 'a restore is for people');
SELECT alike(pg_temp.said('master_key'), 'to do; umask 077; %openssl rand%', 'a new server gets a master key');
SET LOCAL vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=';
SELECT vrm.key_create('data') \g /dev/null
RESET vrm.master_key_command;
SELECT alike(pg_temp.said('master_key'), 'to do; SELECT detail, hint FROM vrm.doctor()%',
             'and one that has keys gets none, which would not open them');
SELECT is(vrm_private.shell_word('app-1') || ' ' || vrm_private.shell_word('my "app"''s'), $$app-1 'my "app"'\''s'$$,
          'names become words of a shell');
SELECT is_empty($$SELECT topic FROM vrm.setup()
                  WHERE strpos(shell, '-d ') > 0 AND strpos(shell, '-d '
                        || vrm_private.shell_word(current_database())) = 0$$,
                'so does that of the database');
SELECT is(pg_temp.as_user(NULL, 'SELECT topic FROM vrm.setup()'), '42501', 'it is not for users');

SELECT * FROM finish();
ROLLBACK;
