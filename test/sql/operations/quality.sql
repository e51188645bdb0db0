-- Data quality: what the checks find and where, that one broken check stops no other, and whose rights they
-- have.
BEGIN;
SELECT plan(97);
\ir ../include/people.sql

-- what is checked without anybody having asked ------------------------------------------------------

CREATE TEMP VIEW platform_table AS
    SELECT c.oid::regclass AS rel FROM pg_class c
    WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace) AND c.relkind IN ('r', 'p')
        AND NOT c.relispartition
      AND c.relam IN (0, (SELECT oid FROM pg_am WHERE amname = 'heap'));
SELECT is_empty($$SELECT t.rel, k.kind FROM platform_table t CROSS
                JOIN unnest('{required,duplicate}'::text[]) AS k (kind)
                  WHERE EXISTS (SELECT FROM pg_constraint p WHERE p.conrelid = t.rel AND p.contype = 'p')
                    AND NOT EXISTS (SELECT FROM vrm.quality_check q WHERE q.rel = t.rel AND q.kind = k.kind)$$,
                'every table with a key is checked for required fields and for duplicates');
SELECT is_empty($$SELECT c.conrelid::regclass, c.conname FROM pg_constraint c
                JOIN platform_table t ON t.rel = c.conrelid
                  WHERE c.contype = 'f' AND c.conparentid = 0
                    AND NOT EXISTS (SELECT FROM vrm.quality_check q WHERE q.rel = t.rel AND q.kind = 'fk'
                                    AND q.refers_to = c.confrelid
                                      AND q.columns = ARRAY(SELECT a.attname
                                                            FROM unnest(c.conkey) WITH ORDINALITY AS k (attnum, n)
                                                            JOIN pg_attribute a ON a.attrelid = c.conrelid
                                                            AND a.attnum = k.attnum ORDER BY n))$$,
                'every foreign key is');
SELECT is_empty($$SELECT t.rel, a.attname FROM platform_table t JOIN pg_attribute a ON a.attrelid = t.rel
                AND a.attnum > 0 AND NOT a.attisdropped
                  WHERE (a.atttypid = 'jsonb'::regtype OR a.attnotnull AND a.atttypid = 'timestamptz'::regtype)
                    AND NOT EXISTS (SELECT FROM vrm.quality_check q WHERE q.rel = t.rel AND q.kind IN ('type', 'json')
                                    AND a.attname = ANY (q.columns))$$,
                'and every document and time for its type');
SELECT is((SELECT array_agg(DISTINCT kind ORDER BY kind) FROM vrm.quality_check),
          '{duplicate,fk,freshness,json,range,required,type}',
          'all kinds but those of the DBA come with the platform');
SELECT is_empty($$SELECT check_name, failed, hint FROM vrm.run_quality_checks() WHERE failed IS DISTINCT FROM 0$$,
                'a new database has nothing wrong');
SELECT is((SELECT count(*) FROM vrm.quality_run), (SELECT count(*) FROM vrm.quality_check),
          'and each check left a line in the history');

-- given: rows that no constraint has kept out -----------------------------------------------------------

SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent \gset
SELECT pg_temp.as_user(:'alice', format('SELECT vrm.start_test_run(%L)', :'agent')) AS run \gset
SELECT id AS test_case FROM vrm.test_cases WHERE user_id = :'alice' LIMIT 1 \gset
INSERT INTO vrm.test_runs (user_id, status, completed_at, results, error) VALUES
    (:'alice', 'completed', now(), '{"duration": 165}', NULL), (:'alice', 'completed', now(), NULL, NULL),
        (:'alice', 'failed', now(), NULL, ' ');
INSERT INTO vrm.metrics (user_id, name, prompt) VALUES (:'alice', 'polite', 'a'), (:'alice', 'friendly', 'a'),
    (:'alice', 'kind', 'a'), (:'bob', ' ', 'd');
SELECT vrm.add_quality_check('same prompt', 'vrm.metrics', 'duplicate', severity => 'info',
                             columns => '{user_id,prompt}', every => '1 day') \g /dev/null
SET LOCAL session_replication_role = replica;
INSERT INTO vrm.agents (user_id, agent_id) VALUES (vrm.uuid7(), 'of nobody');
UPDATE vrm.test_runs SET test_case_ids = jsonb_build_array(:'test_case', vrm.uuid7()) WHERE id = :'run';
UPDATE vrm.test_runs SET test_case_ids = '[7]' WHERE error = ' ';
UPDATE vrm.user_profiles SET email = 'alice@EXAMPLE.org', created_at = 'infinity' WHERE id = :'bob';
DELETE FROM vrm.call_facts WHERE id IN (SELECT id FROM vrm.test_runs WHERE error = ' ');
SET LOCAL session_replication_role = origin;
UPDATE vrm.test_runs SET started_at = now() + interval '30 days' WHERE id = :'run';
INSERT INTO vrm.logs (class, level, message, data) VALUES ('application', 'info', 'x', '"a mere string"');

CREATE FUNCTION pg_temp.found(name text, sample integer DEFAULT 5) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', severity, coalesce(failed::text, 'null'), total, jsonb_array_length(sample_keys))
    FROM vrm.run_quality_checks((SELECT rel FROM vrm.quality_check q WHERE q.name = found.name), sample)
        WHERE check_name = name
$$;
SELECT is(pg_temp.found(name), expected, 'severity, failed, total and number of samples: ' || what)
FROM (VALUES ('vrm.agents/fk/user_id', 'error 1 2 1',
              'a row whose owner does not exist, though the foreign key is valid'),
             ('vrm.test_runs/fk/test_case_ids', 'info 2 4 2', 'ids in a document that refer to nothing'),
             ('vrm.test_runs/type/test_case_ids', 'error 1 4 1', 'ids that are none'),
             ('vrm.test_runs/json/results', 'error 1 4 1', 'results of another shape'),
             ('vrm.test_runs/required/results', 'warning 1 4 1', 'a completed call without results'),
             ('vrm.test_runs/required/error', 'warning 1 4 1', 'a failed call that does not say why'),
             ('vrm.test_runs/range', 'warning 1 4 1', 'a call of next month'),
             ('vrm.user_profiles/type', 'error 1 2 1', 'a time that is none'),
             ('vrm.user_profiles/duplicate/email', 'warning 1 2 1', 'addresses that differ in case'),
             ('same prompt', 'info 2 4 2', 'prompts that are there three times'),
             ('vrm.metrics/required', 'warning 1 4 1', 'a name of spaces'),
             ('vrm.logs/json', 'warning 1 1 1', 'a document that is a mere string'),
             ('vrm.test_runs/fk/facts', 'warning 1 4 1', 'a call that the statistics lack'),
             ('vrm.metrics/fk/user_id', 'error 0 4', 'nothing')) AS c (name, expected, what);
SELECT is((SELECT sample_keys FROM vrm.run_quality_checks('vrm.test_runs') WHERE check_name = 'vrm.test_runs/range'),
          jsonb_build_array(jsonb_build_object('user_id', :'alice', 'id', :'run')),
          'a sample is the primary key of the row');
SELECT is(pg_temp.found('same prompt', 1), 'info 2 4 1', 'there are as many samples as were asked for');
SELECT is(pg_temp.found('same prompt', -1), 'info 2 4', 'or none');
SELECT is((SELECT array_agg(DISTINCT relation::text) FROM vrm.run_quality_checks('vrm.metrics')), '{vrm.metrics}',
          'a table can be checked by itself');

CREATE FUNCTION pg_temp.runs(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'runs';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END
$$;
SELECT ok((SELECT count(*) FROM vrm.run_quality_checks() WHERE failed > 0) > 10, 'there is much to find');
SELECT is_empty($$SELECT check_name FROM vrm.run_quality_checks() WHERE failed > 0 AND hint IS NULL$$,
                'each finding has a hint');
SELECT is_empty($$SELECT hint,
                pg_temp.runs(hint) FROM (SELECT hint FROM vrm.run_quality_checks() WHERE failed > 0 OFFSET 0) AS f
                  WHERE pg_temp.runs(hint) <> 'runs'$$, 'that can be run');
SELECT is(pg_temp.found('vrm.test_runs/fk/facts'), 'warning 0 4', 'and mends what can be mended');

SELECT count(*) AS results FROM vrm.quality_run \gset
SAVEPOINT reading;
SET LOCAL transaction_read_only = on;
SELECT count(*) AS checks FROM vrm.run_quality_checks() WHERE total IS NOT NULL \gset
ROLLBACK TO reading;
SELECT is(:checks || ' ' || (SELECT count(*) - :results FROM vrm.quality_run),
          (SELECT count(*) FROM vrm.quality_check) || ' 0',
          'where nothing can be written, as on a standby, checks run and leave no history');

-- checks of the DBA's own ------------------------------------------------------------------------------------

SELECT lives_ok($$SELECT vrm.add_quality_check('short prompts', 'vrm.metrics', 'custom', 'length(prompt) > 2 -- words',
                                               severity => 'info', hint => 'SELECT 1;')$$,
                'a check is an expression that good rows meet');
SELECT is(pg_temp.found('short prompts'), 'info 4 4 4', 'and found, comment and all');
SELECT is((SELECT hint FROM vrm.run_quality_checks('vrm.metrics') WHERE check_name = 'short prompts'), 'SELECT 1;',
          'with the hint that was given');
SELECT vrm.add_quality_check('short prompts', 'vrm.metrics', 'custom', 'length(prompt) > 0');
SELECT is(pg_temp.found('short prompts'), 'error 0 4', 'adding it again changes it');
SELECT vrm.add_quality_check('lively', 'vrm.metrics', 'freshness', columns => '{created_at}', max_age => '1 hour');
SELECT is(pg_temp.found('lively'), 'error 0 4', 'fresh is what has a new row');
ALTER TABLE vrm.metrics DISABLE TRIGGER set_updated_at;
UPDATE vrm.metrics SET created_at = now() - interval '2 hours';
SELECT is(pg_temp.found('lively'), 'error 1 4 1', 'and stale what has not');
CREATE TABLE public.notes (body text, author uuid, tags jsonb);
INSERT INTO public.notes VALUES ('a', NULL, '[]'), ('a', :'alice', '7'), ('', vrm.uuid7(), NULL);
SELECT vrm.add_quality_check('authors', 'public.notes', 'fk', columns => '{author}', refers_to => 'auth.users',
                             refers_columns => '{id}');
SELECT is(pg_temp.found('authors'), 'error 1 3 1', 'any table can be checked, and null refers to nothing');
SELECT matches((SELECT sample_keys::text FROM vrm.run_quality_checks('public.notes')), '^\[\{"ctid": "\(0,3\)"\}\]$',
               'without a primary key a sample tells the place');
SELECT vrm.add_quality_check('bodies', 'public.notes', 'required', columns => '{body,author}');
SELECT is(pg_temp.found('bodies'), 'error 1 3 1', 'required are columns that are not null');
SELECT vrm.add_quality_check('twice', 'public.notes', 'duplicate', expression => 'body');
SELECT is(pg_temp.found('twice'), 'error 1 3 1', 'a duplicate is the same expression');
SELECT vrm.add_quality_check('one call an agent', 'vrm.test_runs', 'duplicate', columns => '{agent_id}');
SELECT is(pg_temp.found('one call an agent'), 'error 0 4', 'null is no duplicate of null');
CREATE UNIQUE INDEX ON public.notes ((upper(body)), author) WHERE author IS NOT NULL;
ALTER TABLE public.notes ADD CONSTRAINT person FOREIGN KEY (author) REFERENCES auth.users NOT VALID,
    ADD CONSTRAINT profile FOREIGN KEY (author) REFERENCES vrm.user_profiles NOT VALID;
ALTER TABLE public.notes ADD CONSTRAINT tagged CHECK (jsonb_typeof(tags) = 'array') NOT VALID;
SELECT cmp_ok(vrm.derive_quality_checks('public.notes'), '>', 1, 'checks follow from the definition of any table');
SELECT is(pg_temp.found('public.notes/range/tagged'), 'error 1 3 1',
          'a constraint that was never validated is checked');
SELECT is(pg_temp.found('public.notes/duplicate/notes_upper_author_idx'), 'error 0 3', 'so is an index on expressions');
SELECT is(pg_temp.found('public.notes/fk/author/' || name), 'error 1 3 1',
          format('and so is the foreign key %s, one of two from a column', name))
FROM unnest('{person,profile}'::text[]) AS name;
SELECT is(vrm.derive_quality_checks('public.notes'), 0, 'once');
ALTER TABLE public.notes DROP COLUMN tags;
SELECT is(vrm.derive_quality_checks('public.notes'), 2, 'and what is no longer defined is no longer checked');
UPDATE vrm.quality_check SET enabled = false WHERE name = 'vrm.metrics/required';
SELECT is(pg_temp.found('vrm.metrics/required'), NULL, 'a check can be switched off');
SELECT vrm.derive_quality_checks();
SELECT is((SELECT enabled FROM vrm.quality_check WHERE name = 'vrm.metrics/required'), false, 'and stays off');

-- one broken check stops no other ------------------------------------------------------------------------------

SELECT vrm.add_quality_check('divides', 'vrm.metrics', 'custom', '1 / (length(prompt) - 1) > 0');
SELECT vrm.add_quality_check('divides, too', 'vrm.metrics', 'duplicate', '1 / (length(prompt) - 1)');
SELECT is(pg_temp.found('divides'), 'error null 4', 'what cannot be counted is null');
SELECT is((SELECT hint FROM vrm.run_quality_checks('vrm.metrics') WHERE check_name = 'divides, too'),
          '22012: division by zero', 'and the hint says why');
SELECT is(pg_temp.found('same prompt'), 'info 2 4 2', 'the others find what they found');
SELECT is(pg_temp.found('short prompts'), 'error 0 4', 'those of the same scan, too');
CREATE TABLE public.fleeting (x integer);
SELECT vrm.add_quality_check('fleeting', 'public.fleeting', 'custom', 'x > 0');
DROP TABLE public.fleeting;
SELECT matches((SELECT hint FROM vrm.run_quality_checks() WHERE check_name = 'fleeting'),
               '^DELETE FROM vrm.quality_check WHERE name = ''fleeting'';$',
               'the check of a table that is gone says how to be rid of it');
SELECT is((SELECT array_agg(DISTINCT check_name) FROM vrm.quality_run WHERE error IS NOT NULL),
          '{divides,"divides, too",fleeting}',
          'the history has errors, too');

-- all conditions on rows in one scan --------------------------------------------------------------------------

SELECT pg_stat_get_xact_numscans('vrm.test_case_templates'::regclass) AS scans \gset
SELECT vrm.add_quality_check('t' || n, 'vrm.test_case_templates', 'custom', 'length(name) > ' || n)
    FROM generate_series(-5, 0) AS n \g /dev/null
SELECT count(*) AS checks FROM vrm.run_quality_checks('vrm.test_case_templates')
    WHERE check_name NOT LIKE '%duplicate%' \gset
SELECT is(pg_stat_get_xact_numscans('vrm.test_case_templates'::regclass) - :scans, 2::bigint,
          'one scan for ' || :checks || ' checks, and one for duplicates');

-- whose rights ------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.error_as(role_name text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text := 'no error';
BEGIN
    PERFORM set_config('role', role_name, true);
    BEGIN
        EXECUTE statement;
    EXCEPTION WHEN OTHERS THEN
        result := SQLSTATE;
    END;
    PERFORM set_config('role', 'none', true);
    RETURN result;
END
$$;
SELECT is(pg_temp.error_as('authenticated', 'SELECT * FROM vrm.run_quality_checks()'), '42501', 'users run no checks');
SELECT is(pg_temp.error_as('authenticated', 'SELECT * FROM vrm.quality_run'), '42501', 'nor read what was found');
SELECT is(pg_temp.error_as('service_role', 'SELECT * FROM vrm.run_quality_checks(''vrm.metrics'')'), 'no error',
          'the service does');
SELECT is(pg_temp.error_as('service_role', $$SELECT vrm.add_quality_check('x', 'vrm.metrics', 'custom', 'true')$$),
          '42501', 'but adds none');
SELECT is(pg_temp.error_as('service_role',
                           $$INSERT INTO vrm.quality_check (name, rel, kind, expression)
                           VALUES ('x', 'vrm.metrics', 'custom', 'true')$$), '42501', 'nor into the table');
SELECT throws_ok(format('SELECT vrm.add_quality_check(%s)', bad), '22023', 'quality check is not valid',
                 'no check: ' || bad)
FROM unnest(ARRAY['NULL, ''vrm.metrics'', ''custom'', ''true''', '''x'', NULL, ''custom'', ''true''',
                  '''x'', ''vrm.metrics'', ''odd'', ''true''', '''x'', ''vrm.metrics'', ''custom''',
                  '''x'', ''vrm.metrics'', ''required''', '''x'', ''vrm.metrics'', ''fk'', columns => ''{name}''',
                  '''x'', ''vrm.metrics'', ''freshness'', columns => ''{created_at}''',
                  '''x'', ''vrm.metrics'', ''custom'', ''true'', severity => ''odd''',
                  '''x'', ''vrm.metrics'', ''custom'', ''true'', every => ''-1 day''']) AS bad;
SELECT throws_ok(format($$SELECT vrm.add_quality_check('x', 'vrm.metrics', 'custom', %L)$$, bad), state, NULL,
                 'no expression: ' || bad)
FROM (VALUES ('true) FROM vrm.agents WHERE (true', '42601'), ('true), (false', '42601'),
      ('true) UNION SELECT (true', '42601'), ('true); DROP TABLE vrm.metrics; SELECT (true', '42601'),
             ('(true', '42601'), ('', '42601'), ('no_such_column', '42703'), ('name', '42804'),
             ('count(*) > 0', '42803')) AS b (bad, state);
-- a table's owner who is not a superuser, and may register checks
CREATE ROLE keeper;
GRANT USAGE ON SCHEMA vrm TO keeper;
GRANT EXECUTE ON FUNCTION vrm.add_quality_check(text, regclass, text, text, name[], regclass, name[], interval, text,
                                                interval, text) TO keeper;
GRANT SELECT, INSERT, UPDATE ON vrm.quality_check TO keeper;
CREATE POLICY keepers ON vrm.quality_check TO keeper USING (true);
GRANT SELECT ON vrm.test_case_templates TO keeper;
ALTER TABLE public.notes OWNER TO keeper;
CREATE SCHEMA kept AUTHORIZATION keeper;
CREATE FUNCTION kept.who() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN current_user; END $$;
CREATE FUNCTION kept.writes() RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.notes (body) VALUES ('planted'); RETURN true; END $$;
CREATE FUNCTION kept.escapes() RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('role', 'none', true); RETURN true; END $$;
CREATE FUNCTION kept.unlocks() RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('transaction_read_only', 'off', true); RETURN kept.writes(); END $$;
SELECT is(pg_temp.error_as('keeper',
                           $$SELECT vrm.add_quality_check('mine', 'public.notes', 'custom',
                                                          'kept.who() = ''keeper''')$$), 'no error',
          'the owner of a table registers checks');
SELECT is(pg_temp.found('mine'), 'error 0 3', 'and they run as the owner, whoever runs them');
SELECT is(pg_temp.error_as('keeper',
                           $$SELECT vrm.add_quality_check('theirs', 'vrm.test_case_templates', 'custom', 'true')$$),
          '42501', 'on tables of others an owner registers none');
SELECT is(pg_temp.error_as('keeper',
                           format($$INSERT INTO vrm.quality_check (name, rel, kind, expression, registered_by)
                                  VALUES ('x', 'public.notes', 'custom', 'true', %L)$$, current_user)),
          '42501', 'nor in the name of another');
SELECT is(pg_temp.error_as('keeper',
                           $$UPDATE vrm.quality_check SET expression = 'kept.who() = ''x'''
                           WHERE name = 'vrm.test_runs/json/results'$$), '42501', 'nor into checks of others');
-- From 19 on, literals are always read one way.
SELECT current_setting('server_version_num')::integer < 190000 AS read_otherwise \gset
\if :read_otherwise
SET LOCAL standard_conforming_strings = off;
SELECT is(pg_temp.error_as('keeper', $$SELECT vrm.add_quality_check('trap', 'public.notes', 'custom',
    $e$body <> '\')) NOT VALID; ALTER ROLE keeper SUPERUSER; ALTER TABLE public.notes ADD CHECK ((true --'$e$)$$),
    '42601',
    'nor an expression that ends elsewhere where literals are read otherwise');
SET LOCAL standard_conforming_strings = on;
\else
SELECT pass('nor an expression that ends elsewhere, as literals are read one way');
\endif
CREATE TABLE kept.orders (id integer PRIMARY KEY);
INSERT INTO kept.orders VALUES (1);
ALTER TABLE kept.orders ADD CONSTRAINT asks CHECK (kept.who() = 'keeper') NOT VALID, OWNER TO keeper;
SELECT vrm.derive_quality_checks('kept.orders') \g /dev/null
SELECT is(pg_temp.found('kept.orders/range/asks'), 'error 0 1',
          'checks of the table''s definition run as its owner, too');
SELECT pg_temp.error_as('keeper',
                        format($$SELECT vrm.add_quality_check(%L, 'public.notes', 'custom', 'kept.%s()')$$, f, f))
                        FROM unnest('{writes,escapes,unlocks}'::text[]) AS f \g /dev/null
SELECT pg_temp.error_as('keeper',
                        $$SELECT vrm.add_quality_check('peeks', 'public.notes', 'custom',
                                                       'EXISTS (SELECT FROM auth.users)')$$) AS peeks \gset
SELECT is((SELECT array_agg(check_name || ' ' || left(hint, 5) ORDER BY check_name)
           FROM vrm.run_quality_checks('public.notes') WHERE failed IS NULL AND check_name !~ '/fk/'),
          '{"escapes 42501","unlocks 25001","writes 25006"}',
          'a check changes nothing, and does not become anybody else');
SELECT is((SELECT array_agg(check_name || ' ' || left(hint, 5) ORDER BY check_name)
           FROM vrm.run_quality_checks('public.notes') WHERE failed IS NULL AND check_name ~ '/fk/'),
          '{"public.notes/fk/author/person 42501","public.notes/fk/author/profile 42501"}',
          'and when a table changes hands, the checks of its definition run as its new owner');
SELECT is(:'peeks'::text, '42501', 'nor reads what its owner may not');
SELECT is((SELECT count(*) FROM public.notes), 3::bigint, 'and has changed nothing');
SELECT is(current_setting('transaction_read_only') || current_user || current_setting('row_security'),
          'off' || session_user || 'on', 'the session is as it was');

-- as part of maintenance ---------------------------------------------------------------------------------------------

SELECT is(vrm_private.check_when_due('vrm.metrics'), 0::bigint, 'what has just run is not run again');
DELETE FROM vrm.quality_run WHERE check_name = 'same prompt';
UPDATE vrm.quality_run SET at = at - interval '2 days';
SELECT is(vrm_private.relations_to_check() @> '{vrm.metrics,vrm.test_runs}', true,
          'a day later the daily ones are due');
SELECT is((SELECT array_agg(q.name) FROM vrm.quality_check q WHERE q.rel = 'vrm.metrics'::regclass
           AND q.every > '1 day' AND q.name = ANY (vrm_private.checks_to_run('vrm.metrics'))),
          NULL, 'the weekly ones are not');
SELECT cmp_ok(vrm_private.check_when_due('vrm.metrics'), '>', 0::bigint, 'and run');
UPDATE vrm.quality_run SET at = at - interval '90 days';
SELECT vrm_private.prepare_checks() \g /dev/null
SELECT is((SELECT count(*) FROM vrm.quality_run), 0::bigint, 'the history goes back 90 days');

ALTER TABLE vrm.metrics ADD COLUMN since timestamptz NOT NULL DEFAULT now();
SELECT is(pg_temp.error_as('service_role', $$SELECT FROM vrm.run_quality_checks('vrm.metrics')$$), 'no error',
          'who may run checks may do so when a definition has changed');

SELECT * FROM finish();
ROLLBACK;
