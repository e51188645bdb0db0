-- Ids: version 7, unique, and in the order of their making.
BEGIN;
SELECT plan(5);

SELECT matches(vrm.uuid7()::text, '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]', 'version 7, variant of RFC 9562');
CREATE TEMP TABLE made AS SELECT n, vrm.uuid7() AS id FROM generate_series(1, 20000) AS n;
SELECT is((SELECT count(DISTINCT id) FROM made), 20000::bigint, 'no two are the same');
SELECT is((SELECT count(DISTINCT right(id::text, 17)) FROM made), 20000::bigint, 'nor is what is random in them');
-- two of one quarter of a microsecond may change places
SELECT is((SELECT count(*)
           FROM (SELECT left(id::text, 18) < lag(left(id::text, 18)) OVER (ORDER BY n) AS back FROM made) AS o
           WHERE back), 0::bigint, 'they sort in the order of their making');
SELECT cmp_ok(abs(extract(epoch FROM clock_timestamp())
                  - ('x' || translate(left(vrm.uuid7()::text, 13), '-', ''))::bit(48)::bigint / 1000.0), '<',
                  60::numeric,
              'and hold the present');

SELECT * FROM finish();
ROLLBACK;
