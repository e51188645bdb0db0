-- Checks that follow from definitions, and constraints that are made of checks.
BEGIN;
SELECT plan(12);
\ir ../include/people.sql

SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
INSERT INTO vrm.metrics (user_id, name, prompt) VALUES (:'alice', 'polite', 'a'), (:'alice', 'friendly', 'b'),
    (:'alice', 'kind', 'c'), (:'bob', ' ', 'd');
CREATE TABLE public.notes (body text, author uuid);
INSERT INTO public.notes VALUES ('a', NULL), ('a', :'alice'), ('', vrm.uuid7());
SELECT vrm.add_quality_check('authors', 'public.notes', 'fk', columns => '{author}', refers_to => 'auth.users',
                             refers_columns => '{id}');
CREATE FUNCTION pg_temp.found(name text, sample integer DEFAULT 5) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', severity, coalesce(failed::text, 'null'), total, jsonb_array_length(sample_keys))
    FROM vrm.run_quality_checks((SELECT rel FROM vrm.quality_check q WHERE q.name = found.name), sample)
        WHERE check_name = name
$$;

SELECT throws_ok($$SELECT vrm.adopt_constraint('no such check')$$, '42704', NULL,
                 'only checks that are there are adopted');
SELECT throws_ok($$SELECT vrm.adopt_constraint('vrm.metrics/duplicate/metrics_name')$$, '0A000', NULL,
                 'and not those for duplicates');
SELECT vrm.add_quality_check('no blank names', 'vrm.metrics', 'custom', E'btrim(name) <> '''' -- blank');
SELECT matches(vrm.adopt_constraint('no blank names'), 'holds for new rows', 'a check becomes a constraint');
SELECT throws_ok(format($$INSERT INTO vrm.metrics (user_id, name, prompt) VALUES (%L, ' ', 'x')$$, :'bob'), '23514',
                 NULL, 'for new rows at once');
SELECT is(pg_temp.found('no blank names'), 'error 1 4 1', 'the old ones stay findings');
SELECT throws_ok($$SELECT vrm.adopt_constraint('no blank names', validate => true)$$, '23514', NULL,
                 'and cannot be validated');
UPDATE vrm.metrics SET name = 'named' WHERE name = ' ';
SELECT is((SELECT hint FROM vrm.run_quality_checks('vrm.metrics') WHERE check_name = 'no blank names'),
          'SELECT vrm.adopt_constraint(''no blank names'', validate => true);', 'until they are mended');
SELECT is(vrm.adopt_constraint('no blank names', validate => true),
          'quality_no_blank_names holds for all rows of vrm.metrics', 'then it is validated');
SELECT is((SELECT count(*) FROM vrm.run_quality_checks('vrm.metrics') WHERE hint ~ 'adopt'
           OR check_name ~ 'quality_no_blank'), 0::bigint, 'and checked once');
UPDATE public.notes SET author = NULL WHERE body = '';
SELECT vrm.adopt_constraint('authors', true) \g /dev/null
SELECT is((SELECT contype::text || ' ' || convalidated FROM pg_constraint WHERE conname = 'quality_authors'), 'f true',
          'a reference becomes a foreign key');
SELECT vrm.add_quality_check('bodies there', 'public.notes', 'required', columns => '{body}');
SELECT vrm.adopt_constraint('bodies there', true) \g /dev/null
SELECT throws_ok($$INSERT INTO public.notes (body) VALUES (NULL)$$, '23514', NULL, 'what is required becomes a CHECK');

CREATE TABLE public.followed (id integer PRIMARY KEY, seen timestamptz NOT NULL);
SELECT vrm.derive_quality_checks('public.followed') \g /dev/null
ALTER TABLE public.followed RENAME COLUMN seen TO read_at;
ALTER TABLE public.followed ADD COLUMN document jsonb;
SELECT set_eq($$SELECT check_name FROM vrm.run_quality_checks('public.followed') WHERE failed = 0$$,
              '{public.followed/duplicate/followed_pkey,public.followed/required,public.followed/type,'
              'public.followed/json}'::text[], 'checks of a table of others follow it when it is changed');

SELECT * FROM finish();
ROLLBACK;
