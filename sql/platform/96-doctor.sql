-- Doctor: privileges that open what should be closed ------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.doctor_roles()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'roles', 'fail', format('role %s is missing', m.name),
           'Then SELECT vrm.install(); and grant it what it is for.',
           format('CREATE ROLE %I NOLOGIN%s;', m.name, CASE m.name WHEN 'service_role' THEN ' BYPASSRLS' ELSE '' END)
    FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS m (name)
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = m.name)
    UNION ALL
    SELECT 'roles', 'fail', format('role %s has %s: %s', r.rolname, a.attribute, a.why), NULL,
           format('ALTER ROLE %I NO%s;', r.rolname, a.attribute)
    FROM pg_roles r
    CROSS JOIN LATERAL (VALUES
        ('SUPERUSER', r.rolsuper, 'nothing holds it back'),
        ('BYPASSRLS', r.rolbypassrls AND r.rolname <> 'service_role', 'it sees the rows of everybody'),
        ('LOGIN', r.rolcanlogin, 'people connect as their own login and SET ROLE'),
        ('CREATEROLE', r.rolcreaterole, 'it makes itself any other role'),
        ('CREATEDB', r.rolcreatedb, 'it needs no database of its own'),
        ('REPLICATION', r.rolreplication, 'it copies the whole cluster')) AS a (attribute, has, why)
    WHERE r.rolname IN ('anon', 'authenticated', 'service_role') AND a.has
    UNION ALL
    SELECT 'roles', 'fail', 'role service_role lacks BYPASSRLS: it sees no row', NULL,
           'ALTER ROLE service_role BYPASSRLS;'
    FROM pg_roles WHERE rolname = 'service_role' AND NOT rolbypassrls
    UNION ALL
    SELECT 'roles', 'fail',
           format('role %s is a member of %s, and has all its privileges', m.member::regrole, m.roleid::regrole),
           NULL, format('REVOKE %s FROM %s;', m.roleid::regrole, m.member::regrole)
    FROM pg_auth_members m
    WHERE m.member IN (to_regrole('anon'), to_regrole('authenticated'))
    UNION ALL
    SELECT 'server_files', 'warn',
           format('role %s is a member of %s: it can read the master key', m.member::regrole, m.roleid::regrole),
           NULL, format('REVOKE %s FROM %s;', m.roleid::regrole, m.member::regrole)
    FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member AND NOT r.rolsuper
    WHERE m.roleid IN ('pg_read_server_files'::regrole, 'pg_execute_server_program'::regrole)
$$;
COMMENT ON FUNCTION vrm_private.doctor_roles() IS 'for vrm.doctor(): what the roles of applications are';

-- Every privilege on what is in vrm and vrm_private, with the GRANT's own words for the object.
CREATE OR REPLACE FUNCTION vrm_private.granted_privileges()
    RETURNS TABLE (kind text, object text, privilege text, grantee oid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'SCHEMA', quote_ident(n.nspname), a.privilege_type, a.grantee
    FROM pg_namespace n, aclexplode(n.nspacl) AS a
    WHERE n.nspname IN ('vrm', 'vrm_private')
    UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text, a.privilege_type, a.grantee
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) AS a
    WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT 'TABLE', c.oid::regclass::text, format('%s (%I)', a.privilege_type, t.attname), a.grantee
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute t ON t.attrelid = c.oid,
         aclexplode(t.attacl) AS a
    WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 'ROUTINE', p.oid::regprocedure::text, a.privilege_type, a.grantee
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
         aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
    WHERE n.nspname IN ('vrm', 'vrm_private')
$$;
COMMENT ON FUNCTION vrm_private.granted_privileges() IS
    'who was granted what on schemas, tables, columns and functions of ours';

CREATE OR REPLACE FUNCTION vrm_private.doctor_privileges()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH excessive AS (
        SELECT g.*, CASE
            WHEN g.grantee = 0 THEN 'everybody has it'
            WHEN g.kind = 'SCHEMA' AND g.object = 'vrm_private' THEN 'internals are nobody''s to look at'
            WHEN g.kind = 'SCHEMA' AND g.privilege = 'CREATE' THEN 'what it puts there could be taken for ours'
            WHEN g.kind = 'TABLE' AND g.grantee = to_regrole('anon') THEN 'nobody has signed in'
            WHEN g.kind = 'TABLE' AND g.privilege IN ('TRUNCATE', 'TRIGGER') AND g.grantee <> to_regrole('service_role')
                THEN 'row level security does not hold it back' END AS why
        FROM vrm_private.granted_privileges() g
        WHERE g.grantee IN (0, to_regrole('anon'), to_regrole('authenticated'), to_regrole('service_role'))
    )
    SELECT 'grants', 'fail',
           format('%s has %s on %s %s: %s', CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE e.grantee::regrole::text END,
                  e.privilege, lower(e.kind), e.object, e.why),
           NULL,
           format('REVOKE %s ON %s %s FROM %s;', e.privilege, e.kind, e.object,
                  CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE e.grantee::regrole::text END)
    FROM excessive e WHERE e.why IS NOT NULL
    UNION ALL
    SELECT 'row_level_security', 'fail',
           format('%s can be reached by users and has no row level security', c.oid::regclass),
           'Without a policy nobody but its owner and service_role sees a row then.',
           format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', c.oid::regclass)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
      AND c.oid <> 'vrm.test_case_templates'::regclass  -- everybody's, and written by nobody
      AND EXISTS (SELECT FROM vrm_private.granted_privileges() g
                  WHERE g.object = c.oid::regclass::text
                    AND g.grantee IN (to_regrole('anon'), to_regrole('authenticated')))
    UNION ALL
    SELECT 'row_level_security', 'fail',
           format('view %s reads as its owner, whatever policies say', c.oid::regclass), NULL,
           format('ALTER VIEW %s SET (security_invoker = true);', c.oid::regclass)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind = 'v'
      AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) o
                      WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)
    UNION ALL
    SELECT 'search_path', 'fail',
           format('%s runs with its owner''s rights and looks names up where the caller says', p.oid::regprocedure),
           NULL, format('ALTER ROUTINE %s SET search_path = pg_catalog, pg_temp;', p.oid::regprocedure)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND p.prosecdef
      AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS c (entry) WHERE c.entry LIKE 'search\_path=pg_catalog%')
    UNION ALL
    SELECT 'ownership', 'fail',
           format('%s %s belongs to %s, who could have it run anything as superuser', o.kind, o.name, o.owner::regrole),
           'Look at it first: it may have been changed already.',
           format('ALTER %s %s OWNER TO %s;', o.kind, o.name, e.extowner::regrole)
    FROM (SELECT 'SCHEMA' AS kind, quote_ident(n.nspname) AS name, n.nspowner AS owner
          FROM pg_namespace n WHERE n.nspname IN ('vrm', 'vrm_private')
          UNION ALL
          SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
                 c.oid::regclass::text, c.relowner
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind IN ('r', 'p', 'v', 'm')
          UNION ALL
          SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('vrm', 'vrm_private')) AS o
    JOIN pg_roles r ON r.oid = o.owner AND NOT r.rolsuper
    JOIN pg_extension e ON e.extname = 'vrm' AND e.extowner <> o.owner
$$;
COMMENT ON FUNCTION vrm_private.doctor_privileges() IS
    'for vrm.doctor(): privileges, row level security, definer functions and owners';

REVOKE EXECUTE ON FUNCTION
    vrm_private.doctor_roles(), vrm_private.granted_privileges(), vrm_private.doctor_privileges()
    FROM PUBLIC;
