
-- Which routines were there before: what a DBA has granted on them stays.
SELECT set_config('install.members', coalesce(string_agg(d.objid::text, ' '), ''), true)
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vrm'
WHERE d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e';

