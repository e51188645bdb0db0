-- Following events: each once and in order by a cursor, none of a transaction that is open, nobody else's.
BEGIN;
SELECT plan(16);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
INSERT INTO vrm.run_events (user_id, id, run_id, status, xid)
SELECT who, ('018f0000-0000-7000-8000-00000000000' || n)::uuid, vrm.uuid7(), 'running', xid::xid8
FROM (VALUES (:'alice'::uuid, 1, '5'), (:'alice', 2, '4'), (:'alice', 3, '4'), (:'alice', 4, '40'), (:'bob', 5, '4'))
     AS e (who, n, xid);
-- the last digits of the events that `who` gets, and the cursor after them
CREATE FUNCTION pg_temp.follow(who uuid, cursor text, most integer) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.as_user(who,
                           format($q$SELECT string_agg(right(event_id::text, 1),
                            '' ORDER BY n) || ' ' || max(next_cursor)
        FILTER (WHERE n = last) FROM (SELECT *, count(*) OVER () AS last
        FROM vrm.follow_events(%L, %L) WITH ORDINALITY AS f (event_id, run_id, status, at, next_cursor, n)) AS f$q$,
        cursor, most))
$$;
SELECT is(pg_temp.follow(:'alice', NULL, 100), '2314 40/018f0000-0000-7000-8000-000000000004',
          'events come by transaction, then by id');
SELECT is(pg_temp.follow(:'alice', '', 1), '2 4/018f0000-0000-7000-8000-000000000002', 'as many as asked for');
SELECT is(pg_temp.follow(:'alice', '4/018f0000-0000-7000-8000-000000000002', 2),
          '31 5/018f0000-0000-7000-8000-000000000001',
          'those after the cursor, within a transaction and beyond it');
SELECT is(pg_temp.follow(:'alice', '40/018f0000-0000-7000-8000-000000000004', 2), NULL, 'none when all are read');
SELECT is(pg_temp.follow(:'bob', NULL, 100), '5 4/018f0000-0000-7000-8000-000000000005', 'nobody sees those of others');
INSERT INTO vrm.run_events (user_id, id, run_id, status)
VALUES (:'alice', '018f0000-0000-7000-8000-000000000006', vrm.uuid7(), 'running');
SELECT is((SELECT xid FROM vrm.run_events WHERE id = '018f0000-0000-7000-8000-000000000006'), pg_current_xact_id(),
          'an event has the transaction that writes it');
SELECT is(pg_temp.follow(:'alice', '40/018f0000-0000-7000-8000-000000000004', 2), NULL,
          'which is given out when no open transaction can precede it');
SELECT is(pg_temp.follow(:'alice', cursor, most), '22023', format('refused: %s, %s', cursor, most))
FROM (VALUES ('x', 1), ('4', 1), ('4/4', 1), ('-4/018f0000-0000-7000-8000-000000000002', 1),
             ('4/018f0000-0000-7000-8000-000000000002'' OR true', 1), (NULL, 0), (NULL, NULL), (NULL, 10001))
             AS b (cursor, most);
SELECT is(pg_temp.as_user(NULL, 'SELECT vrm.follow_events()'), '28000', 'nobody follows nothing');
SELECT * FROM finish();
ROLLBACK;
