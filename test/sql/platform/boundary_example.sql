-- A module that is made of src/boundary and thirty lines of its own works.
BEGIN;
SELECT plan(5);
\set example :modules /example
CREATE FUNCTION pg_temp.average(numbers float8[]) RETURNS float8 AS :'example', 'example_average' LANGUAGE C STRICT;
CREATE FUNCTION pg_temp.greet(name text) RETURNS text AS :'example', 'example_greet' LANGUAGE C;

SELECT is(pg_temp.average(ARRAY[1, 2, 6]), 3::float8, 'arrays are views');
SELECT throws_ok('SELECT pg_temp.average(ARRAY[]::float8[])', '22023', 'there is no average of nothing',
                 'an exception is an ERROR');
SELECT throws_ok('SELECT pg_temp.average(ARRAY[1, NULL])', '22004', NULL, 'nulls that nobody expects are, too');
SELECT is(pg_temp.greet('vrm'), 'Hello, vrm!', 'text goes in and comes out');
SELECT is(pg_temp.greet(NULL), 'Hello, stranger!', 'null is an empty optional');

SELECT * FROM finish();
ROLLBACK;
