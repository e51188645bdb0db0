-- What SQL declares of every native function is what C++ implements.
BEGIN;
SELECT plan(3);
\ir ../include/selftest.sql

CREATE TEMP VIEW implemented AS
    SELECT l[1] AS symbol, l[2]::bool AS strict, array_to_string(l[3:], ' ') AS types
    FROM regexp_split_to_table(rtrim(selftest.native_signatures() || selftest.signatures(), E'\n'), '\n') AS line,
         regexp_split_to_array(line, ' ') AS l;
CREATE TEMP VIEW declared AS
    SELECT p.oid::regprocedure::text AS name, p.prosrc AS symbol, p.proisstrict AS strict,
           concat_ws(' ', p.prorettype, nullif(p.proargtypes::text, '')) AS types, n.nspname
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
        AND l.lanname = 'c'
    WHERE n.nspname IN ('vrm', 'vrm_private', 'selftest');

SELECT cmp_ok((SELECT count(*) FROM implemented), '>', 15::bigint, 'C++ tells its signatures');
-- The name of a native type is not known to C++ at compile time, its OID even less.
SELECT is_empty($$SELECT d.name, d.types, i.types AS implemented FROM declared d LEFT JOIN implemented i USING (symbol)
                  WHERE i.symbol IS NULL
                     OR NOT i.types
                     ~ ('^' || regexp_replace(d.types, '\m(' || (SELECT coalesce(string_agg(oid::text, '|'), 'none')
                            FROM pg_type WHERE typnamespace = 'vrm'::regnamespace) || ')\M', '\\d+', 'g') || '$')
                     OR i.types <> '2279' AND i.strict IS DISTINCT FROM d.strict$$,
                'every declared function has the arguments, result and strictness that C++ implements');
SELECT is_empty($$SELECT symbol FROM implemented EXCEPT SELECT symbol FROM declared$$,
                'every implemented function is declared');

SELECT * FROM finish();
ROLLBACK;
