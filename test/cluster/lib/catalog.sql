-- Everything that the catalogs say about the objects of vrm, auth and public, one line each, without
-- OIDs: two databases with the same lines behave alike.
SET search_path = pg_catalog;

CREATE FUNCTION pg_temp.privileges(acl aclitem[], kind "char", owner oid) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat(CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, ' ',
                             privilege_type, CASE WHEN is_grantable THEN ' *' END), ', '
                      ORDER BY grantee = 0, grantee::regrole::text, privilege_type)
    FROM aclexplode(coalesce(acl, acldefault(kind, owner)))
$$;

CREATE TEMPORARY VIEW home AS
    SELECT oid FROM pg_namespace WHERE nspname IN ('vrm', 'vrm_private', 'auth', 'public');

CREATE TEMPORARY VIEW line (line) AS
SELECT concat_ws(' ', 'schema', nspname, nspowner::regrole, pg_temp.privileges(nspacl, 'n', nspowner),
                 obj_description(oid, 'pg_namespace'))
FROM pg_namespace WHERE oid IN (SELECT oid FROM home)
UNION ALL
SELECT concat_ws(' ', 'relation', oid::regclass, relkind, relowner::regrole, relpersistence, relispartition,
                 'rls', relrowsecurity, relforcerowsecurity, relreplident,
                 ARRAY(SELECT o FROM unnest(reloptions) AS o ORDER BY o),
                 pg_temp.privileges(relacl, CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner),
                 obj_description(oid, 'pg_class'), pg_get_partkeydef(oid),
                 pg_get_expr(relpartbound, oid),
                 CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END,
                 CASE WHEN relkind IN ('i', 'I') THEN pg_get_indexdef(oid) END)
FROM pg_class WHERE relnamespace IN (SELECT oid FROM home)
UNION ALL
SELECT concat_ws(' ', 'column', attrelid::regclass,
                 row_number() OVER (PARTITION BY attrelid ORDER BY attnum), attname,
                 format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attstorage,
                 attcompression, coalesce(attstattarget, -1),
                 -- some builds keep a version of their own there
                 (SELECT string_agg(o, ',') FROM unnest(attoptions) AS o WHERE o NOT LIKE 'pg\_attver=%'),
                 pg_get_expr(adbin, adrelid),
                 pg_temp.privileges(attacl, 'c', relowner), col_description(attrelid, attnum))
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace IN (SELECT oid FROM home) AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT concat_ws(' ', 'constraint', nullif(conrelid, 0)::regclass, nullif(contypid, 0)::regtype, conname,
                 pg_get_constraintdef(oid), convalidated, conislocal, coninhcount,
                 obj_description(oid, 'pg_constraint'))
FROM pg_constraint WHERE connamespace IN (SELECT oid FROM home)
UNION ALL
SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), tgenabled, obj_description(t.oid, 'pg_trigger'))
FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
WHERE relnamespace IN (SELECT oid FROM home) AND NOT tgisinternal
UNION ALL
SELECT concat_ws(' ', 'policy', polrelid::regclass, polname, polcmd, polpermissive,
                 (SELECT string_agg(r.rolname, ',' ORDER BY r.rolname) FROM pg_roles r WHERE r.oid = ANY (polroles)),
                 pg_get_expr(polqual, polrelid), 'CHECK', pg_get_expr(polwithcheck, polrelid),
                 obj_description(p.oid, 'pg_policy'))
FROM pg_policy p
UNION ALL
SELECT concat_ws(' ', 'routine', p.oid::regprocedure, prokind, proowner::regrole, pg_get_function_result(p.oid),
                 pg_get_function_arguments(p.oid), provolatile, proparallel, proisstrict, prosecdef,
                 proleakproof, procost, prorows, proconfig, prosupport, probin, md5(prosrc),
                 pg_temp.privileges(proacl, 'f', proowner), obj_description(p.oid, 'pg_proc'))
FROM pg_proc p WHERE pronamespace IN (SELECT oid FROM home)
UNION ALL
SELECT concat_ws(' ', 'type', t.oid::regtype, typtype, typowner::regrole, typnotnull, typdefault,
                 format_type(nullif(typbasetype, 0), typtypmod),
                 (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
                 pg_temp.privileges(typacl, 'T', typowner), obj_description(t.oid, 'pg_type'))
FROM pg_type t WHERE typnamespace IN (SELECT oid FROM home) AND typtype IN ('e', 'd', 'r', 'b') AND typcategory <> 'A'
UNION ALL
SELECT concat_ws(' ', 'aggregate', aggfnoid::regprocedure, aggtransfn, aggfinalfn, aggcombinefn, aggserialfn,
                 aggdeserialfn, aggmtransfn, aggfinalextra, aggfinalmodify, aggtranstype::regtype, agginitval)
FROM pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid WHERE pronamespace IN (SELECT oid FROM home)
UNION ALL
SELECT concat_ws(' ', 'operator', o.oid::regoperator, oprowner::regrole, oprcode, oprcom::regoperator,
                 oprnegate::regoperator, oprrest, oprjoin, oprcanmerge, oprcanhash,
                 obj_description(o.oid, 'pg_operator'))
FROM pg_operator o WHERE oprnamespace IN (SELECT oid FROM home)
UNION ALL
SELECT concat_ws(' ', 'operator class', opcname, amname, opcintype::regtype, opckeytype::regtype, opcdefault,
                 opcowner::regrole, obj_description(c.oid, 'pg_opclass'),
                 (SELECT string_agg(concat_ws(' ', amopstrategy, amopopr::regoperator), ', ' ORDER BY amopstrategy, amopopr::regoperator::text)
                  FROM pg_amop WHERE amopfamily = opcfamily),
                 (SELECT string_agg(concat_ws(' ', amprocnum, amproc), ', ' ORDER BY amprocnum, amproc::text)
                  FROM pg_amproc WHERE amprocfamily = opcfamily))
FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE opcnamespace IN (SELECT oid FROM home)
UNION ALL
SELECT concat_ws(' ', 'cast', castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext, castmethod,
                 obj_description(oid, 'pg_cast'))
FROM pg_cast WHERE oid >= 16384
UNION ALL
SELECT concat_ws(' ', 'access method', amname, amhandler, amtype, obj_description(oid, 'pg_am'))
FROM pg_am WHERE oid >= 16384
UNION ALL
SELECT concat_ws(' ', 'event trigger', evtname, evtevent, evtowner::regrole, evtfoid::regprocedure, evtenabled, evttags,
                 obj_description(oid, 'pg_event_trigger'))
FROM pg_event_trigger
UNION ALL
SELECT concat_ws(' ', 'sequence', schemaname, sequencename, data_type, start_value, increment_by, last_value)
FROM pg_sequences WHERE schemaname IN (SELECT nspname FROM pg_namespace JOIN home USING (oid))
UNION ALL
SELECT concat_ws(' ', 'statistics', pg_get_statisticsobjdef(oid))
FROM pg_statistic_ext WHERE stxnamespace IN (SELECT oid FROM home)
UNION ALL
SELECT concat_ws(' ', 'publication', pubname, schemaname, tablename) FROM pg_publication_tables
UNION ALL
SELECT concat_ws(' ', 'default privileges', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype,
                 defaclacl)
FROM pg_default_acl
UNION ALL
SELECT concat_ws(' ', 'extension', extname, extversion, extnamespace::regnamespace, extowner::regrole)
FROM pg_extension
UNION ALL
SELECT concat_ws(' ', 'member', member.type, member.identity)
FROM pg_depend CROSS JOIN pg_identify_object(classid, objid, objsubid) AS member
WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
UNION ALL
SELECT concat_ws(' ', 'initial privileges', member.type, member.identity,
                 pg_temp.privileges(initprivs, 'f', 10))
FROM pg_init_privs CROSS JOIN pg_identify_object(classoid, objoid, objsubid) AS member
WHERE (classoid, objoid) IN (SELECT classid, objid FROM pg_depend WHERE deptype = 'e');

SELECT replace(line, E'\n', ' ') FROM line ORDER BY line COLLATE "C";
