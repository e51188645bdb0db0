-- What bench/secrets/secrets.pl runs to see whether a failure tells by its time why a value does not open:
-- for each kind of wrong value the chance that it takes longer than a wrong tag, 0.5 being none.
\set QUIET on
SET client_min_messages = warning;
SET vrm.secret_literals = allow;
CREATE TEMP TABLE failing (what text, value bytea, context bytea);
CREATE TEMP TABLE took (what text, us bigint);
INSERT INTO failing
WITH sealed AS (SELECT vrm.seal(repeat('s', 40)::vrm.secret, 'here') AS value),
     wrong AS (SELECT value, set_byte(value, length(value) - 1, get_byte(value, length(value) - 1) # 1) AS tag,
                      set_byte(value, 11, get_byte(value, 11) # 1) AS key, set_byte(value, 40, get_byte(value, 40) # 1) AS text
               FROM sealed)
SELECT 'wrong tag', tag, 'here'::bytea FROM wrong
UNION ALL SELECT 'the same once more', tag, 'here'::bytea FROM wrong
UNION ALL SELECT 'changed text', text, 'here' FROM wrong
UNION ALL SELECT 'another context', value, 'that' FROM wrong
UNION ALL SELECT 'no context', value, '' FROM wrong
UNION ALL SELECT 'unknown key', key, 'here' FROM wrong
UNION ALL SELECT 'destroyed key', overlay(value PLACING int8send(:destroyed) FROM 5), 'here' FROM wrong;

DO $$
DECLARE
    attempt record;
    began timestamptz;
BEGIN
    FOR round IN 1 .. 20000 LOOP
        -- each time in another order, so that no kind has the same one before it
        FOR attempt IN SELECT * FROM failing ORDER BY md5(what || round) LOOP
            BEGIN
                began := clock_timestamp();
                PERFORM vrm.reveal(attempt.value, attempt.context);
                RAISE 'it opened';
            EXCEPTION WHEN data_exception THEN
                INSERT INTO took VALUES (attempt.what, extract(microsecond FROM clock_timestamp() - began));
            END;
        END LOOP;
    END LOOP;
END
$$;

\pset format unaligned
\pset tuples_only on
WITH counts AS (SELECT what, us, count(*) AS times FROM took GROUP BY what, us)
SELECT k.what, round(sum(k.times * r.times * CASE WHEN k.us > r.us THEN 1 WHEN k.us = r.us THEN 0.5 ELSE 0 END)
                     / sum(k.times * r.times), 3)
FROM counts k, counts r
WHERE r.what = 'wrong tag' AND k.what <> r.what
GROUP BY k.what;
