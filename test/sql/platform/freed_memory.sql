-- What a query frees stays with the process: the next one does not fault it in again, page by page.
BEGIN;
SELECT plan(2);

-- Sums of several groups, each with memory of its own, are more than glibc would keep.
CREATE FUNCTION pg_temp.faults() RETURNS bigint LANGUAGE sql AS $$
    SELECT split_part(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\) ', ''), ' ', 8)::bigint
$$;
CREATE FUNCTION pg_temp.add_up() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (SELECT vrm.duration_sketch(60 + g % 3600) AS s FROM generate_series(1, 12000) AS g
                          GROUP BY g % 12) AS a WHERE vrm.call_count(a.s) > 0
$$;
SELECT is(pg_temp.add_up(), 12::bigint, 'statistics of twelve groups');
-- The least of some rounds: whoever is short of memory takes pages away now and then.
CREATE FUNCTION pg_temp.least_faults() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    least bigint;
BEGIN
    FOR i IN 1 .. 10 LOOP
        before := pg_temp.faults();
        PERFORM pg_temp.add_up();
        least := least(least, pg_temp.faults() - before);
    END LOOP;
    RETURN least;
END
$$;
SELECT CASE WHEN pg_read_file('/proc/self/maps') ~ '[/.](libasan|vgpreload)' THEN skip('its malloc is another', 1)
            ELSE cmp_ok(pg_temp.least_faults(), '<', 30::bigint, 'once made, they hardly need a new page') END;

SELECT * FROM finish();
ROLLBACK;
