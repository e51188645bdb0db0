-- Whose the rows of each table are: no table is forgotten when a tenant moves, and what stands in the way of many
-- nodes does not grow unseen.
BEGIN;
SELECT plan(23);
\ir ../include/people.sql
\ir ../include/secrets.sql

SELECT is_empty($$SELECT relation, reason FROM vrm_private.tenant_tables() WHERE fate = 'unknown'$$,
                'of each table it is known; else add it to vrm_private.tenant_exceptions()');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c
                  WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
                    AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                    AND NOT EXISTS (SELECT FROM vrm_private.tenant_tables() t WHERE t.relation = c.oid)$$,
                'all tables are looked at');
SELECT is_empty($$SELECT e.relation FROM vrm_private.tenant_exceptions() e GROUP BY e.relation HAVING count(*) > 1$$,
                'each once');
SELECT is_empty($$SELECT p.relation
                  FROM vrm_private.export_paths() p JOIN vrm_private.tenant_tables() t USING (relation)
                  WHERE t.fate NOT IN ('moves', 'stays')$$,
                'what people are given of themselves goes along, or a line says that it stays');
SELECT is_empty($$SELECT t.relation, f.confrelid::regclass FROM vrm_private.tenant_tables() t
                  JOIN pg_constraint f ON f.conrelid = t.relation AND f.contype = 'f' AND f.conparentid = 0
                  JOIN vrm_private.tenant_tables() o ON o.relation = f.confrelid
                  WHERE t.fate = 'moves' AND o.fate NOT IN ('moves', 'shared')$$,
                'what goes along refers to nothing that stays');

-- a table that somebody adds
SELECT pg_temp.person('alice@example.org') AS alice \gset
CREATE TABLE vrm.new_one (id integer PRIMARY KEY);
CREATE TABLE vrm.new_two (user_id uuid NOT NULL, at timestamptz);
INSERT INTO vrm.new_two VALUES (:'alice', 'infinity');
SELECT results_eq($$SELECT relation::text, fate FROM vrm_private.tenant_tables()
                    WHERE relation::text ~ 'new_' ORDER BY 1$$,
                  $$VALUES ('vrm.new_one', 'unknown'), ('vrm.new_two', 'moves')$$,
                  'a new table with a user_id goes along, one without is noticed');
CREATE TEMP TABLE line AS SELECT vrm.export_tenant(:'alice') AS l;
SELECT is((SELECT l -> 'row' ->> 'at' FROM line WHERE l ->> 'relation' = 'vrm.new_two'), 'infinity', 'with its rows');
SELECT is((SELECT l ->> 'reason' FROM line WHERE l ->> 'left_out' = 'vrm.new_one'),
          'nobody has said whose its rows are',
          'and each export says of the other that it is left out');
CREATE ROLE tenants_somebody;
ALTER TABLE vrm.new_two OWNER TO tenants_somebody;
SELECT is((SELECT fate FROM vrm_private.tenant_tables() WHERE relation = 'vrm.new_two'::regclass), 'unknown',
          'a table of somebody whose code an import would run is left out, too');
ALTER TABLE vrm.new_two OWNER TO CURRENT_USER;
CREATE DOMAIN theirs AS text;
ALTER DOMAIN theirs OWNER TO tenants_somebody;
ALTER TABLE vrm.new_two ADD COLUMN note theirs;
SELECT matches(pg_temp.failure(format('SELECT * FROM vrm.export_tenant(%L)', :'alice')),
               '^0A000 \| tenants cannot move while column "note" of vrm\.new_two', 'a type of theirs is refused');
DROP TABLE vrm.new_one, vrm.new_two;

-- many nodes
SELECT set_eq('SELECT DISTINCT becomes FROM vrm.distribute_plan()',
              ARRAY['distributed by user_id', 'local'], 'each table has a place');
SELECT results_eq($$SELECT table_name, obstacles FROM vrm.distribute_plan() WHERE becomes <> 'local'$$,
                  $$VALUES ('vrm_private.test_runs_archive', '{}'::text[])$$, 'the archive can go, and goes alone');
SELECT set_eq($$SELECT table_name || ': ' || o FROM vrm.distribute_plan(), unnest(obstacles) AS o
                WHERE o !~ '^(trigger|policy|column) ' AND table_name <> 'auth.users'$$,
              ARRAY['vrm.call_imports: foreign key call_imports_user_id_agent_id_fkey sets columns to null'
                    ' when a row goes',
                    'vrm.suite_runs: foreign key suite_runs_user_id_suite_id_fkey sets columns to null when a row goes',
                    'vrm.retention_policies: constraint keep_not_below_floor calls '
                    'vrm_private.is_as_long(interval,interval), which has to be on each node',
                    'vrm.run_events: unique index run_events_id does not contain user_id',
                    'vrm.test_run_cases: foreign key test_run_cases_case_user_id_case_id_fkey to vrm.test_cases, '
                    'which becomes distributed by user_id, does not carry user_id'],
              'keys and foreign keys carry the tenant, but for these; a new table has to follow');
SELECT set_eq($$SELECT table_name || ': ' || o FROM vrm.distribute_plan(), unnest(obstacles) AS o
                WHERE o ~ '^policy '$$,
              ARRAY['vrm.user_profiles: policy "users read their own profile" has a subquery'],
              'no policy has a subquery, but for one');
SELECT set_eq($$SELECT table_name || ': ' || o FROM vrm.distribute_plan(), unnest(obstacles) AS o
                WHERE o ~ '^column '$$,
              ARRAY['vrm.quality_check: column rel holds OIDs, which differ from node to node',
                    'vrm.quality_check: column refers_to holds OIDs, which differ from node to node',
                    'vrm_private.column_classes: column rel holds OIDs, which differ from node to node',
                    'vrm_private.sealed_columns: column relation holds OIDs, which differ from node to node',
                    'vrm_private.sealed_contexts: column relation holds OIDs, which differ from node to node',
                    'vrm.cached_results: column made_by holds transaction ids, which differ from node to node',
                    'vrm.cached_results: column snapshot holds transaction ids, which differ from node to node',
                    'vrm_private.keyring: column switched_xid holds transaction ids, which differ from node to node',
                    'vrm.run_events: column xid holds transaction ids, which differ from node to node'],
              'what means something on one node only is named');
SELECT is_empty($$SELECT e.relation FROM vrm_private.distribution_exceptions() e
                  GROUP BY e.relation HAVING count(*) > 1
                  UNION ALL
                  SELECT e.relation FROM vrm_private.distribution_exceptions() e
                  JOIN vrm_private.tenant_tables() t USING (relation) WHERE t.fate IN ('local', 'shared')$$,
                'a place is said once');
SELECT is_empty($$SELECT relation FROM vrm_private.distribution_fates()
                  WHERE becomes ~ '^distributed' AND relation NOT IN
                  (SELECT relation FROM vrm_private.tenant_tables() WHERE fate IN ('moves', 'stays'))$$,
                'only rows of tenants are distributed');
CREATE TABLE vrm.new_three (user_id uuid NOT NULL, id uuid PRIMARY KEY, agent uuid UNIQUE,
                            EXCLUDE USING btree (id WITH =));
SELECT is_empty($$SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'RowExclusiveLock'
                  AND relation = 'vrm_private.sealed_columns'::regclass$$,
                'to make a table locks no other, as whoever makes shards of that one has it locked');
SELECT is((SELECT obstacles FROM vrm.distribute_plan() WHERE table_name = 'vrm.new_three'),
          ARRAY['exclusion constraint new_three_id_excl', 'primary key new_three_pkey does not contain user_id',
                'unique index new_three_agent_key does not contain user_id'], 'rules are rules');
SELECT matches(pg_temp.failure('CALL vrm.distribute()'),
               '^0A000 \| distributing tables over nodes is not supported here \| Extension citus is not installed\.'
               ' \| With citus in shared_preload_libraries: CREATE EXTENSION citus;$', 'without Citus it says so');
SELECT lives_ok('CALL vrm.undistribute()', 'there is nothing to take back');
SELECT matches(pg_temp.failure('CALL vrm.distribute(0)'), '^22023 \| .* \| CALL vrm\.distribute\(32\);$',
               'shards are counted');
SELECT is(ARRAY[pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.distribute_plan()'),
                pg_temp.as_role('service_role', NULL, 'SELECT count(*) > 50 FROM vrm.distribute_plan()')],
          ARRAY['42501', 'true'], 'the plan is for the service');
SELECT finish();
ROLLBACK;
