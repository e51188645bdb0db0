-- What takes so many takes no more.  Where statistics are of a table that had a row, a plan may execute the
-- subquery that locks "LIMIT n" rows once for each row that it looks at, and each time it locks the next n.
BEGIN;
SELECT plan(5);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
-- Forty wait where one did.
CREATE FUNCTION pg_temp.wait_in(relation regclass, columns text, one text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DELETE FROM %s', relation);
    EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM generate_series(1, 1) AS n', relation, columns, one);
    EXECUTE format('ANALYZE %s', relation);
    EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM generate_series(2, 40) AS n', relation, columns, one);
END
$$;
CREATE FUNCTION pg_temp.left_in(relation regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    result bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s', relation) INTO result;
    RETURN result;
END
$$;

SELECT pg_temp.wait_in('vrm_private.password_reset_requests', 'email', $$'ada' || n || '@example.org'$$) \g /dev/null
SELECT count(*) FROM vrm.take_reset_mail(1) \g /dev/null
SELECT is(pg_temp.left_in('vrm_private.password_reset_requests'), 39::bigint, 'one mail of a reset');

SELECT pg_temp.wait_in('vrm_private.recovery_requests', 'email', $$'ada' || n || '@example.org'$$) \g /dev/null
SELECT count(*) FROM vrm.take_recovery_mail(1) \g /dev/null
SELECT is(pg_temp.left_in('vrm_private.recovery_requests'), 39::bigint, 'one mail of a recovery');

SELECT pg_temp.wait_in('vrm_private.object_purges', 'user_id, object_key', format('%L::uuid, n', :'alice')) \g /dev/null
SELECT is((SELECT count(*) FROM vrm.claim_purges(1)), 1::bigint, 'one object');

SELECT pg_temp.wait_in('vrm_private.search_queue', 'user_id, run_id',
                       format('%L::uuid, vrm.uuid7()', :'alice')) \g /dev/null
SELECT is(vrm_private.index_words(1), 1::bigint, 'the words of one call');

SELECT pg_temp.wait_in('vrm.run_leases', 'user_id, run_id, attempts, lease_until',
                       format($$%L::uuid, vrm.uuid7(), 1, now() - interval '1 hour'$$, :'alice')) \g /dev/null
SELECT vrm_private.give_back(:'alice', 1) \g /dev/null
SELECT is(pg_temp.left_in('vrm.run_leases'), 39::bigint, 'one lease that has ended');

SELECT * FROM finish();
ROLLBACK;
