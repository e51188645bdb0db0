-- What would happen is found before it does, and mended by what is said.
BEGIN;
SELECT plan(19);
SET LOCAL client_min_messages = error;

CREATE FUNCTION pg_temp.found(wanted text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(': ', d.status, d.fix_sql), ', ' ORDER BY d.detail) FROM vrm.doctor() d
    WHERE d.check_name = wanted
$$;
SELECT is(pg_temp.found('replica_identities'), 'ok', 'nothing is published');
CREATE PUBLICATION everything FOR ALL TABLES;
SELECT is(pg_temp.found('replica_identities'), 'ok', 'tables of vrm can be published, all of them');
CREATE TABLE vrm.notes (text text);
SELECT is(pg_temp.found('replica_identities'), 'fail: ALTER TABLE vrm.notes REPLICA IDENTITY FULL;',
          'a table of a DBA''s without key');
SELECT throws_ok('DELETE FROM vrm.notes', '55000', NULL, '... cannot be written');
ALTER TABLE vrm.notes REPLICA IDENTITY FULL;
SELECT is(pg_temp.found('replica_identities'), 'ok', '... until the fix has run');
SELECT is(pg_temp.found('standbys'), 'ok', 'without standbys and slots there is nothing to set');

-- plans --------------------------------------------------------------------------------------------

SELECT is(pg_temp.found('planner'), 'ok', 'the planner has what it needs');
CREATE ROLE careless;
SELECT current_database() AS here \gset
ALTER DATABASE :"here" SET enable_indexscan = off;
ALTER ROLE careless SET plan_cache_mode = force_generic_plan;
SELECT is(pg_temp.found('planner'), format('warn: ALTER DATABASE %I SET enable_indexscan = on;,'
          ' warn: ALTER ROLE careless SET plan_cache_mode = auto;', current_database()),
          'switches that are off are found');
ALTER DATABASE :"here" RESET enable_indexscan;
ALTER ROLE careless RESET plan_cache_mode;
ALTER TABLE vrm.notes SET (autovacuum_enabled = off);
INSERT INTO vrm.notes SELECT repeat('x', 2000) FROM generate_series(1, 5000);
SELECT is(pg_temp.found('planner'), 'warn: ANALYZE vrm.notes;', 'so is a large table without statistics');

-- a restore ----------------------------------------------------------------------------------------

DROP PUBLICATION everything;
SELECT is_empty('SELECT * FROM vrm.rehearse_restore(10)', 'what vrm has can be restored');
CREATE FUNCTION pg_temp.stops() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', object, sqlstate), ', ' ORDER BY object) FROM vrm.rehearse_restore(10)
$$;
CREATE TABLE public.rates (currency text PRIMARY KEY, "the rate" numeric NOT NULL);
INSERT INTO public.rates VALUES ('EUR', 1);
CREATE FUNCTION public.is_known(currency text) RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT EXISTS (SELECT FROM rates r WHERE r.currency = $1) $$;
CREATE TABLE public.bills (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, currency text CHECK (public.is_known(currency)),
    amount numeric, twice numeric GENERATED ALWAYS AS (amount * 2) STORED);
SELECT is(pg_temp.stops(), NULL, 'nor does an empty table say what is the matter');
SET LOCAL search_path = public;
INSERT INTO public.bills (currency, amount) VALUES ('EUR', 3);
RESET search_path;
SELECT is(pg_temp.stops(), 'public.bills 42P01', 'but a row does');
ALTER FUNCTION public.is_known(text) SET search_path = public;
SELECT is(pg_temp.stops(), NULL, 'until its function knows where to look');
CREATE DOMAIN public.positive AS integer;
CREATE TABLE public.levels (level public.positive);
INSERT INTO public.levels VALUES (-1);
ALTER DOMAIN public.positive ADD CHECK (VALUE > 0) NOT VALID;
SELECT is(pg_temp.stops(), 'public.levels 23514', 'rows that a type does not take any more');
DELETE FROM public.levels;
CREATE MATERIALIZED VIEW public.summed AS SELECT sum("the rate") FROM public.rates;
CREATE FUNCTION public.count_rates() RETURNS bigint LANGUAGE plpgsql SET search_path = public
    AS $$ BEGIN RETURN (SELECT count(*) FROM rates); END $$;
CREATE MATERIALIZED VIEW public.counted AS SELECT public.count_rates();
ALTER FUNCTION public.count_rates() RESET search_path;
SELECT is(pg_temp.stops(), 'public.counted 42P01', 'and views that have to be filled');
SELECT is(to_regnamespace('vrm_rehearsal')::text, NULL, 'nothing is left of it');
SELECT throws_ok('SELECT vrm.rehearse_restore(' || bad || ')', '22023', NULL, 'no number of rows: ' || bad)
FROM unnest(ARRAY['-1', 'NULL']) AS bad;
SELECT is(has_function_privilege('service_role', 'vrm.rehearse_restore(integer)', 'EXECUTE'), false,
          'it is the owner''s');

SELECT * FROM finish();
ROLLBACK;
