-- what SQL declares of every native function is what C++ implements
WITH native AS (
    SELECT l[1] AS symbol, l[2]::bool AS strict, l[3:]::oid[] AS types
    FROM regexp_split_to_table(rtrim(vrm.native_signatures(), E'\n'), '\n') AS line,
         regexp_split_to_array(line, ' ') AS l)
SELECT p.oid::regprocedure AS declared, p.proisstrict AS strict, symbol,
       types::regtype[] AS implemented, native.strict AS implemented_strict
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'c'
JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vrm'
LEFT JOIN native ON symbol = p.prosrc
WHERE (array_to_string(types, ' '), native.strict)
        IS DISTINCT FROM (concat_ws(' ', p.prorettype, nullif(p.proargtypes::text, '')), p.proisstrict)
  AND NOT 'internal'::regtype = ANY (p.proargtypes);
