-- Every way out of a C++ function runs its destructors and reports the right error.
BEGIN;
SELECT plan(42);
\ir ../include/selftest.sql

CREATE FUNCTION pg_temp.ends_with(statement text, error text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    born bigint := selftest.probes_born();
BEGIN
    RETURN NEXT is(selftest.error_of(statement), error, statement);
    RETURN NEXT ok(selftest.probes_born() > born AND selftest.probes_alive() = 0, 'all its objects are destroyed');
END
$$;

-- exceptions of C++ become ERRORs --------------------------------------------------------------------

SELECT pg_temp.ends_with($$SELECT selftest.raise('vrm')$$, '28P01 | core says no | the detail | the hint');
SELECT pg_temp.ends_with($$SELECT selftest.raise('bad_alloc')$$, '53200 | out of memory');
SELECT pg_temp.ends_with($$SELECT selftest.raise('length_error')$$, '54000 | too long');
SELECT pg_temp.ends_with($$SELECT selftest.raise('invalid_argument')$$, '22023 | bad argument');
SELECT pg_temp.ends_with($$SELECT selftest.raise('out_of_range')$$, '22003 | index 7 of 1');
SELECT pg_temp.ends_with($$SELECT selftest.raise('system_error')$$, '58030 | open: No such file or directory');
SELECT pg_temp.ends_with($$SELECT selftest.raise('runtime_error')$$, 'XX000 | 100% %s broken');
SELECT pg_temp.ends_with($$SELECT selftest.raise('int')$$, 'XX000 | unknown C++ exception');
SELECT pg_temp.ends_with($$SELECT selftest.raise('struct')$$, 'XX000 | unknown C++ exception');
SELECT pg_temp.ends_with($$SELECT selftest.raise('nothing')$$, 'no error');

-- ERRORs of PostgreSQL pass through C++ as exceptions ---------------------------------------------------

SELECT pg_temp.ends_with('SELECT selftest.divide(1, 0)', '22012 | division by zero');
SELECT pg_temp.ends_with('SELECT selftest.divide(6, 3)', 'no error');
SELECT pg_temp.ends_with('SELECT selftest.nested(5)', '22012 | division by zero');
SELECT ok(selftest.context_kept(), 'who catches one goes on in the memory context of before');

-- cancellation ----------------------------------------------------------------------------------------

SET LOCAL statement_timeout = '200ms';
SELECT pg_temp.ends_with('SELECT selftest.spin(1000000)', '57014 | canceling statement due to statement timeout');
RESET statement_timeout;

-- out of memory, in malloc, in a memory context, in PostgreSQL -----------------------------------------------

SELECT pg_temp.ends_with($$SELECT selftest.hog('new', 1000, 64)$$, '53200 | out of memory');
SELECT pg_temp.ends_with($$SELECT selftest.hog('pmr', 1000, 64)$$, '53200 | out of memory');
SELECT is(left(selftest.error_of($$SELECT selftest.hog('guarded palloc', 1000, 64)$$), 21), '53200 | out of memory',
          'PostgreSQL''s own');
SELECT ok(selftest.probes_alive() = 0, 'all its objects are destroyed');
SELECT pg_temp.ends_with($$SELECT selftest.hog('pmr', 10, 64)$$, 'no error');

-- a thousand errors leave nothing behind ---------------------------------------------------------------------

CREATE FUNCTION pg_temp.error_contexts() RETURNS bigint LANGUAGE sql AS
    $$ SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'pg::error' $$;
SELECT count(selftest.error_of('SELECT selftest.divide(1, 0)')) FROM generate_series(1, 1000) \g /dev/null
SELECT is(pg_temp.error_contexts(), 0::bigint, 'no copy of an ERROR outlives its report');

SELECT count(selftest.error_of($$SELECT selftest.raise('vrm')$$)) FROM generate_series(1, 100) \g /dev/null
SELECT selftest.bytes_in_use() AS before \gset
SELECT count(selftest.error_of($$SELECT selftest.raise('vrm')$$)) FROM generate_series(1, 5000) \g /dev/null
SELECT cmp_ok(selftest.bytes_in_use() - :before, '<', 5000 * 100::bigint,
              'nor does an exception, of 200 bytes and more');

-- the counter itself: without the guard, destructors do not run --------------------------------------------------

SELECT selftest.error_of('SELECT selftest.divide_unguarded(1, 0)') \g /dev/null
SELECT is(selftest.probes_alive(), 1::bigint, 'an ERROR without the guard is seen to leak');

SELECT is(selftest.error_of('SELECT vrm.set_updated_at()'),
          '39P01 | the function can only be called as a row trigger | CREATE TRIGGER ... FOR EACH ROW EXECUTE FUNCTION '
          '...',
          'a trigger function is no ordinary function');
CREATE TEMP TABLE without_column (x int);
CREATE TRIGGER touch BEFORE UPDATE ON without_column FOR EACH ROW EXECUTE FUNCTION vrm.set_updated_at();
INSERT INTO without_column VALUES (1);
SELECT is(split_part(selftest.error_of('UPDATE without_column SET x = 2'), ' | ', 2),
          'column "updated_at" does not exist',
          'a trigger says what its table lacks');

SELECT * FROM finish();
ROLLBACK;
