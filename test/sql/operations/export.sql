-- Export of what the platform holds of a person: all of it, nothing of others, no secret, for nobody else;
-- and every column classed, or somebody hears of it.
BEGIN;
SELECT plan(48);
\ir ../include/people.sql
\ir ../include/secrets.sql

SELECT is_empty($$SELECT relation, column_name, fix FROM vrm.export_inventory WHERE class IS NULL$$,
                'every column of the platform is classed; else class it in sql/operations/export/data.sql');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c
                  WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
                  AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                    AND c.relam IN (0, (SELECT oid FROM pg_am WHERE amname = 'heap'))
                    AND NOT EXISTS (SELECT FROM vrm.export_inventory i WHERE i.relation = c.oid)$$,
                    'and every table is there');
SELECT is_empty($$SELECT i.relation, i.column_name FROM vrm.export_inventory i
                JOIN pg_attribute a ON a.attrelid = i.relation AND a.attname = i.column_name
                  WHERE i.class <> 'secret'
                  AND (a.atttypid = 'vrm.sealed'::regtype
                       OR a.attname ~ '(token|code)_hash|password|^secret$|salt|wrapped|private_key')$$,
                'what is sealed or hashed is classed as secret');

-- given: a person with a row in every table, and another one ---------------------------------------------------

SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob,
    pg_temp.person('root@example.org') AS root \gset
UPDATE vrm.user_profiles SET role = 'admin' WHERE id = :'root';
CREATE FUNCTION pg_temp.live(person uuid, name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    agent text := pg_temp.as_user(person, format('SELECT vrm.create_agent(%L)', name || ' agent'));
    run text := pg_temp.as_user(person,
                                format('SELECT vrm.start_test_run(%L, (SELECT array_agg(id) FROM vrm.test_cases))',
                                       agent));
    metric uuid;
BEGIN
    PERFORM pg_temp.as_user(person,
                            format('SELECT vrm.append_transcript(%L, ''Agent'', %L), vrm.record_action(%1$L, %2$L)',
                                   run, name || ' says')),
            pg_temp.as_user(person, format('SELECT vrm.log(''application'', ''info'', %L)', name || ' logs')),
            pg_temp.as_user(person, format('SELECT vrm.store_api_key(''openai'', %L)', 'sk-live-' || name));
    INSERT INTO vrm.metrics (user_id, name, prompt) VALUES (person, name || ' metric', 'x') RETURNING id INTO metric;
    INSERT INTO vrm.metric_results (user_id, metric_id, run_id, score) VALUES (person, metric, run::uuid, 1);
    INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256, data_key)
        VALUES (person, run::uuid, name || '.ogg', 1, sha256('x'), vrm.seal('sk-live'));
    INSERT INTO vrm_private.test_runs_archive (user_id, id, time_limit, status, started_at, completed_at, error)
        VALUES (person, vrm.uuid7(), 60, 'failed', '2020-01-01', '2020-01-02', name || ' archived');
    INSERT INTO vrm_private.sessions (user_id, aal, user_agent) VALUES (person, 'aal1', name || ' browser');
    INSERT INTO vrm_private.recovery_codes VALUES (person, sha256(convert_to(name, 'UTF8')));
    INSERT INTO vrm_private.password_reset_requests (email) VALUES (upper(name) || '@example.org');
    INSERT INTO vrm.audit_log (class, action, actor, detail) VALUES ('security', name || ' did', person, NULL),
        ('security', name || ' signed in', NULL, jsonb_build_object('user_id', person));
    UPDATE vrm.user_profiles SET mfa_secret = vrm.seal('JBSWY3DPEHPK3PXP') WHERE id = person;
END
$$;
SELECT pg_temp.live(:'alice', 'alice'), pg_temp.live(:'bob', 'bob') \g /dev/null
INSERT INTO vrm.audit_log (class, action, actor, detail)
    VALUES ('security', 'role changed by root', :'root', jsonb_build_object('user_id', :'alice'));
CREATE TEMP TABLE export AS SELECT * FROM vrm.export_user_data(:'alice');

-- what comes ---------------------------------------------------------------------------------------------------

SELECT is((SELECT count(*) FROM export WHERE relation = name), wanted::bigint, name)
FROM (VALUES ('auth.users', 1), ('vrm.user_profiles', 1), ('vrm.agents', 1), ('vrm.test_cases', 3),
      ('vrm.test_runs', 1), ('vrm.test_run_cases', 3),
             ('vrm.transcript_turns', 1), ('vrm.run_actions', 1), ('vrm.metrics', 1), ('vrm.metric_results', 1),
             ('vrm.logs', 1), ('vrm.api_keys', 1),
             ('vrm.call_recordings', 1), ('vrm_private.test_runs_archive', 1), ('vrm_private.sessions', 1),
             ('vrm_private.recovery_codes', 1),
             ('vrm_private.password_reset_requests', 1), ('vrm.audit_log', 3), ('vrm_private.audit_journal', 1))
             AS c (name, wanted);
SELECT is((SELECT data ->> 'error' FROM export WHERE relation = 'vrm_private.test_runs_archive'), 'alice archived',
          'with what is in them');
SELECT is((SELECT pk FROM export WHERE relation = 'vrm.user_profiles'), jsonb_build_object('id', :'alice'),
          'and the keys');
SELECT is_empty(format($$SELECT * FROM export WHERE to_jsonb(export)::text ~ 'bob|root@|%s|%s'$$, :'bob', :'root'),
                'nothing of others, nor who of them did something');
SELECT is((SELECT string_agg(e.relation || '.' || d.key, ' ' ORDER BY e.relation, d.key)
           FROM (SELECT DISTINCT ON (relation) * FROM export) AS e, jsonb_each_text(e.data) AS d
           WHERE d.value = '<secret>'),
          'vrm.api_keys.key vrm.call_recordings.data_key vrm.user_profiles.mfa_secret '
          'vrm_private.recovery_codes.code_hash vrm_private.subject_keys.salt',
          'of secrets that there are some');
SELECT is_empty($$SELECT e.relation, d.key FROM export e,
                jsonb_each(e.data) AS d JOIN vrm.export_inventory i ON i.column_name = d.key
                  WHERE i.relation = e.relation::regclass AND i.class <> 'personal'
                  AND d.value NOT IN ('null', '"<secret>"')$$, 'and not what they are');
SELECT is((SELECT count(*) + 1 FROM vrm.export_user_data(:'bob')), (SELECT count(*) FROM export),
          'another person has as much, but for what root did');

-- who may ---------------------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice', 'SELECT count(DISTINCT relation) FROM vrm.export_user_data()')::bigint,
          (SELECT count(DISTINCT relation) FROM export), 'people export themselves');
SELECT is(pg_temp.error_of(:'alice', format('SELECT * FROM vrm.export_user_data(%L)', :'bob')),
          pg_temp.error_of(:'alice', 'SELECT * FROM vrm.export_user_data(vrm.uuid7())'),
          'others look to them as if they did not exist');
SELECT matches(pg_temp.error_of(:'alice', format('SELECT * FROM vrm.export_user_data(%L)', :'bob')), '^42501 ',
               'and are refused');
SELECT is(pg_temp.as_user(:'root', format('SELECT count(*) > 20 FROM vrm.export_user_data(%L)', :'bob')), 'true',
          'administrators export anybody');
SELECT is(pg_temp.as_role('service_role', NULL, format('SELECT count(*) > 20 FROM vrm.export_user_data(%L)', :'bob')),
          'true', 'so does the service');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) FROM vrm.export_user_data(vrm.uuid7())'), 'P0002',
          'which hears of who does not exist');
SELECT is(pg_temp.as_anon('SELECT count(*) FROM vrm.export_user_data()'), '42501', 'anon exports nobody');
SAVEPOINT before;
SELECT count(*) AS entries FROM vrm_private.audit_journal WHERE action = 'exported user data' \gset
SELECT count(*) FROM vrm.export_user_data(:'bob') \g /dev/null
ROLLBACK TO before;
SELECT is((SELECT count(*) - :entries FROM vrm_private.audit_journal WHERE action = 'exported user data'), 1::bigint,
          'each export is in the audit trail, and ROLLBACK does not take it out');

-- columns and tables of a DBA -------------------------------------------------------------------------------------

ALTER TABLE vrm.agents ADD COLUMN cost_center text DEFAULT 'C 42';
CREATE TABLE public.invoices (id integer PRIMARY KEY, user_id uuid, agent_id uuid, approved_by uuid,
                              FOREIGN KEY (user_id, agent_id) REFERENCES vrm.agents (user_id, id));
CREATE TABLE public.lines (id integer PRIMARY KEY, invoice_id integer REFERENCES public.invoices (id), what text);
INSERT INTO public.invoices SELECT 1, user_id, id, :'root' FROM vrm.agents WHERE user_id = :'alice';
INSERT INTO public.lines VALUES (7, 1, 'a call');
SELECT is((SELECT failed || ' ' || hint FROM vrm.run_quality_checks('vrm.export_inventory')),
          '8 SELECT fix FROM vrm.export_inventory WHERE class IS NULL;',
          'columns that nobody has classed are a finding');
SELECT is((SELECT count(*) FROM vrm.export_user_data(:'alice') WHERE to_jsonb(export_user_data)::text ~ 'C 42|a call'),
          0::bigint, 'and are not exported');
SELECT fix FROM vrm.export_inventory WHERE class IS NULL AND column_name <> 'approved_by' \gexec
SELECT vrm.classify_column('public.invoices', 'approved_by', 'third_party') \g /dev/null
SELECT is((SELECT failed FROM vrm.run_quality_checks('vrm.export_inventory')), 0::bigint,
          'until the SQL of the hint has been run');
SELECT is((SELECT string_agg(relation || ' ' || coalesce(data ->> 'cost_center', data ->> 'what', data ->> 'id'),
                             ', ' ORDER BY relation) FROM vrm.export_user_data(:'alice')
           WHERE relation IN ('public.invoices', 'public.lines', 'vrm.agents')),
          'public.invoices 1, public.lines a call, vrm.agents C 42', 'then they are, along the foreign keys');
SELECT is((SELECT count(*) FROM vrm.export_user_data(:'alice') WHERE data::text ~ :'root'), 0::bigint,
          'without what is about others');
CREATE TABLE public.reviews (id integer PRIMARY KEY, reviewer uuid REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
                             what text);
INSERT INTO public.reviews VALUES (1, :'alice', 'of somebody');
SELECT vrm.classify_column('public.reviews', name, CASE name WHEN 'reviewer' THEN 'third_party' ELSE 'personal' END)
    FROM unnest('{id,reviewer,what}'::name[]) AS name \g /dev/null
SELECT is((SELECT count(*) FROM vrm.export_user_data(:'alice') WHERE relation = 'public.reviews'), 0::bigint,
          'a reference that is about others makes no row a person''s');
SELECT throws_ok($$SELECT vrm.classify_column('vrm.agents', 'no_such', 'personal')$$, '42703', NULL,
                 'only columns that are there are classed');
-- whoever owns a table, and is not a superuser, may give its columns types of their own, with casts
CREATE ROLE shopkeeper;
CREATE SCHEMA shop AUTHORIZATION shopkeeper;
CREATE TABLE shop.notes (id integer PRIMARY KEY, user_id uuid, what text);
INSERT INTO shop.notes VALUES (1, :'alice', 'fine');
ALTER TABLE shop.notes OWNER TO shopkeeper;
SELECT vrm.classify_column('shop.notes', name, 'personal', name = 'user_id')
    FROM unnest('{id,user_id,what}'::name[]) AS name \g /dev/null
SET LOCAL ROLE shopkeeper;
CREATE TYPE shop.mood AS ENUM ('fine');
CREATE TYPE shop.person AS (id uuid);
CREATE FUNCTION shop.planted(shop.mood) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RETURN to_json(current_user); END $$;
CREATE CAST (shop.mood AS json) WITH FUNCTION shop.planted(shop.mood);
CREATE FUNCTION shop.planted(shop.person) RETURNS uuid LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'ran as %',
    current_user; END $$;
CREATE CAST (shop.person AS uuid) WITH FUNCTION shop.planted(shop.person) AS IMPLICIT;
ALTER TABLE shop.notes ALTER COLUMN what TYPE shop.mood[] USING ARRAY[what]::shop.mood[];
RESET ROLE;
SELECT is((SELECT data ->> 'what' FROM vrm.export_user_data(:'alice') WHERE relation = 'shop.notes'), '{fine}',
          'an export runs no casts of others');
ALTER TABLE shop.notes ALTER COLUMN user_id TYPE shop.person USING ROW(user_id)::shop.person;
SELECT lives_ok(format('SELECT FROM vrm.export_user_data(%L)', :'alice'), 'nor to find out whose a row is');
DROP SCHEMA shop CASCADE;
DROP TABLE public.lines, public.invoices;

-- what is exported is what is erased ---------------------------------------------------------------------------------

SELECT vrm.run_quality_checks('vrm.metrics') \g /dev/null
UPDATE vrm.quality_run SET sample_keys = jsonb_build_array(jsonb_build_object('user_id', :'alice', 'id', vrm.uuid7()));
SELECT vrm.erase_user(:'alice', 'test') \g /dev/null
CREATE FUNCTION pg_temp.left_of(person uuid) RETURNS TABLE (relation text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT relation FROM (%s) AS e (relation, pk, data)', vrm_private.export_query())
        USING person;
END
$$;
-- the object's name goes when the object store has confirmed; the trail of who did what is kept for a year
SELECT is((SELECT array_agg(DISTINCT relation ORDER BY relation) FROM pg_temp.left_of(:'alice')),
          '{vrm.audit_log,vrm_private.audit_journal,vrm_private.object_purges}',
          'after erasure nothing is left but the audit trail and objects on their way out');
SELECT is((SELECT array_agg(email) FROM vrm_private.password_reset_requests), '{BOB@example.org}',
          'no request for a reset');
SELECT is_empty(format($$SELECT * FROM vrm.quality_run WHERE sample_keys::text ~ %L$$, :'alice'),
                'nor in what checks have found');

SELECT * FROM finish();
ROLLBACK;
