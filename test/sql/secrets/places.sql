-- Every sealed value, wherever it is: rotation reaches it, or says that it does not, and no key goes that one needs.
BEGIN;
SELECT plan(22);
\ir ../include/secrets.sql

-- What CALL vrm.rotate_keys() does with columns that nobody has registered.
CREATE FUNCTION pg_temp.rotate() RETURNS bigint LANGUAGE plpgsql SET client_min_messages = 'error' AS $$
DECLARE
    target bigint := vrm.key_create('data');
BEGIN
    PERFORM vrm_private.reseal_contexts(target);
    RETURN target;
END
$$;
SELECT vrm.key_create('data') AS first \gset
CREATE TABLE plain_column (id int PRIMARY KEY, secret vrm.sealed);
INSERT INTO plain_column VALUES (1, vrm.seal('bound to nothing')), (2, vrm.seal('bound to a context', 'x')), (3, NULL);
CREATE DOMAIN webhook_secret AS vrm.sealed;
CREATE TABLE with_domain (secret webhook_secret);
INSERT INTO with_domain VALUES (vrm.seal('in a domain'));
CREATE TABLE generated (secret vrm.sealed, same vrm.sealed GENERATED ALWAYS AS (secret) STORED);
INSERT INTO generated VALUES (vrm.seal('and computed from it'));
CREATE MATERIALIZED VIEW never_filled AS SELECT secret FROM plain_column WITH NO DATA;

SELECT pg_temp.rotate() AS second \gset
SELECT results_eq('SELECT id, vrm.key_of(secret) FROM plain_column ORDER BY id',
                  format('VALUES (1, %s), (2, %s), (3, NULL)', :second, :first),
                  'a column that nobody has registered rotates, but for what is bound to a context');
SELECT is((SELECT vrm.reveal(secret) FROM plain_column WHERE id = 1), 'bound to nothing', 'its value is the same');
SELECT is((SELECT vrm.reveal(secret, 'x') FROM plain_column WHERE id = 2), 'bound to a context', 'so is the other');
SELECT is((SELECT vrm.key_of(secret) FROM with_domain), :second, 'so does one of a domain over vrm.sealed');
SELECT is((SELECT vrm.key_of(same) FROM generated), :second, 'and one that is computed');

SELECT throws_ok(format('SELECT vrm.key_destroy(%s)', :first), '55006', format('key %s is still needed', :first),
                 'a value that is bound keeps the key');
DELETE FROM plain_column WHERE id = 2;

-- Whether vrm.key_destroy() finds the one value in a place.
CREATE FUNCTION pg_temp.keeps(place text, definition text, value text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    key bigint := vrm.key_create('data');
    detail text;
BEGIN
    EXECUTE definition;
    EXECUTE format('INSERT INTO place SELECT %s', value);
    PERFORM vrm.key_create('data');
    BEGIN
        PERFORM vrm.key_destroy(key);
        RETURN NEXT fail(format('a value in %s keeps its key', place));
    EXCEPTION WHEN object_in_use THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
        RETURN NEXT is(detail, '1 values of column "v" of public.place are sealed with it.',
                       format('a value in %s keeps its key', place));
    END;
    DROP TABLE place;
    RETURN NEXT lives_ok(format('SELECT vrm.key_destroy(%s)', key), 'which goes when the value has gone');
END
$$;
CREATE TYPE endpoint AS (url text, secret vrm.sealed);
SET bytea_output = 'escape';
SELECT pg_temp.keeps('a domain', 'CREATE TABLE place (v webhook_secret)', $$vrm.seal('x')$$);
SELECT pg_temp.keeps('an array', 'CREATE TABLE place (v vrm.sealed[])', $$ARRAY[NULL, vrm.seal('x')]::vrm.sealed[]$$);
SELECT pg_temp.keeps('a row', 'CREATE TABLE place (v endpoint)', $$('u', vrm.seal('x'))::endpoint$$);
SELECT pg_temp.keeps('an array of rows', 'CREATE TABLE place (v endpoint[])',
                     $$ARRAY[('u', vrm.seal('x'))::endpoint]$$);
SELECT pg_temp.keeps('a row of a table', 'CREATE TABLE place (v plain_column)', $$(1, vrm.seal('x'))::plain_column$$);
SELECT pg_temp.keeps('plain bytea', 'CREATE TABLE place (v bytea)', $$vrm.seal('x') UNION ALL SELECT '\x00'$$);
SELECT pg_temp.keeps('a partition', 'CREATE TABLE place (v vrm.sealed, n int) PARTITION BY LIST (n);'
                     ' CREATE TABLE part PARTITION OF place DEFAULT', $$vrm.seal('x'), 1$$);
RESET bytea_output;

-- A value that nobody can open stands in the way of none beside it.
INSERT INTO plain_column
SELECT 4, overlay(vrm.seal('damaged') PLACING '\x00' FROM 45) UNION ALL SELECT 5, vrm.seal('sound');
SELECT pg_temp.rotate() AS third \gset
SELECT results_eq('SELECT id FROM plain_column WHERE vrm.key_of(secret) = ' || :third
                  || ' ORDER BY id', 'VALUES (1), (5)', 'what opens rotates, what does not stays');
SELECT is((SELECT count(*) FROM vrm_private.sealed_places() p
           WHERE p.relation = 'never_filled'::regclass), 0::bigint, 'a view that was never filled is not read');
SELECT * FROM finish();
ROLLBACK;
