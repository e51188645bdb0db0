-- Partitions by time: one is made unless its times are taken, beside whatever a DBA has made.
BEGIN;
SELECT plan(8);
CREATE TABLE public.journal (minutes integer GENERATED ALWAYS AS (seconds / 60) STORED, at timestamptz NOT NULL,
                             seconds integer)
    PARTITION BY RANGE (at);
CREATE TABLE public.journal_rest PARTITION OF public.journal DEFAULT;
CREATE TABLE public.theirs PARTITION OF public.journal FOR VALUES FROM ('2030-01-10') TO ('2030-03-01');
CREATE TABLE public.later PARTITION OF public.journal FOR VALUES FROM ('2040-01-01') TO (MAXVALUE);
INSERT INTO public.journal (at, seconds) VALUES ('2020-01-05', 600);
CREATE FUNCTION pg_temp.month(low timestamptz) RETURNS boolean LANGUAGE sql AS
    $$SELECT vrm_private.make_partition('public.journal', 'journal_' || to_char(low, 'YYYY_MM'), low,
                                        low + interval '1 month')$$;

SELECT ok(pg_temp.month('2020-01-01'), 'a partition is made');
SELECT is((SELECT tableoid::regclass || ' ' || minutes FROM public.journal), 'journal_2020_01 10',
          'rows of its times move over, generated columns and all');
SELECT ok(NOT pg_temp.month('2020-01-01'), 'once');
SELECT ok(NOT pg_temp.month('2030-01-01'), 'not where a partition of a DBA''s takes a part of its times');
SELECT ok(NOT pg_temp.month('2041-01-01'), 'nor where one takes all that is to come');
SELECT ok(pg_temp.month('2030-03-01'), 'but right behind one');
DROP TABLE public.journal_rest;
SELECT ok(pg_temp.month('2021-01-01'), 'also where there is no default partition');
SELECT set_eq($$SELECT unnest(vrm_private.expired_partitions('public.journal', '2030-03-01'))::regclass::text$$,
              '{journal_2020_01,journal_2021_01,theirs}'::text[], 'partitions of whatever name expire');

SELECT * FROM finish();
ROLLBACK;
