-- Privileges as data: what the platform means to have, what there is, and putting it back

-- Every privilege on what is in vrm and vrm_private, with the GRANT's own words for the object.  Whoever may hand
-- one on has two: revoking a privilege from somebody leaves those that others have from them.
CREATE OR REPLACE FUNCTION vrm_private.granted_privileges()
    RETURNS TABLE (kind text, object text, privilege text, grantee oid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH granted AS (
        SELECT 'SCHEMA' AS kind, quote_ident(n.nspname) AS object, '' AS part, a.*
        FROM pg_namespace n, aclexplode(n.nspacl) AS a
        WHERE n.nspname IN ('vrm', 'vrm_private')
        UNION ALL
        SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text, '', a.*
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) AS a
        WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL
        SELECT 'TABLE', c.oid::regclass::text, format(' (%I)', t.attname), a.*
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute t ON t.attrelid = c.oid,
             aclexplode(t.attacl) AS a
        WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        UNION ALL
        SELECT 'TYPE', t.oid::regtype::text, '', a.*
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace,
             aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) AS a
        WHERE n.nspname IN ('vrm', 'vrm_private') AND t.typrelid = 0 AND t.typcategory <> 'A'
        UNION ALL
        SELECT 'ROUTINE', p.oid::regprocedure::text, '', a.*
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
             aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        WHERE n.nspname IN ('vrm', 'vrm_private')
    )
    SELECT g.kind, g.object, o.words || g.privilege_type || g.part, g.grantee
    FROM granted g, unnest(CASE WHEN g.is_grantable THEN ARRAY['', 'GRANT OPTION FOR '] ELSE ARRAY[''] END) AS o (words)
$$;
COMMENT ON FUNCTION vrm_private.granted_privileges() IS
    'who was granted what on schemas, tables, columns and functions of ours';

CREATE OR REPLACE FUNCTION vrm_private.after_word(phrase text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT substr(phrase, strpos(phrase, ' ') + 1)
$$;
COMMENT ON FUNCTION vrm_private.after_word(text) IS 'what comes after the first word';

CREATE OR REPLACE FUNCTION vrm_private.role_name(role oid) RETURNS text
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END
$$;
COMMENT ON FUNCTION vrm_private.role_name(oid) IS 'a role as GRANT wants it; PUBLIC for everybody';

-- A policy as the statement that makes it, as PostgreSQL spells it.
CREATE OR REPLACE FUNCTION vrm_private.policy_definition(policy oid) RETURNS text
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat(format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.polname, p.polrelid::regclass,
                         CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                         CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                       WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                         (SELECT string_agg(vrm_private.role_name(r.role), ', ' ORDER BY vrm_private.role_name(r.role))
                          FROM unnest(p.polroles) AS r (role))),
                  ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                  ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    FROM pg_policy p WHERE p.oid = policy
$$;
COMMENT ON FUNCTION vrm_private.policy_definition(oid) IS 'the statement that makes a policy anew';

-- What the fix has to say in full.  Triggers that people set on whatever they like are theirs.  Nothing but its own
-- text makes a member of the extension anew; what the platform's script makes, it makes again.
CREATE OR REPLACE FUNCTION vrm_private.present_triggers()
    RETURNS TABLE (kind text, object text, name text, definition text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off SET intervalstyle = postgres
    SET datestyle = 'ISO' SET timezone = 'UTC' SET bytea_output = hex SET extra_float_digits = 1
    SET lc_monetary = 'C' AS $$
    SELECT 'trigger', t.tgrelid::regclass::text, t.tgname,
           CASE t.tgenabled WHEN 'O' THEN 'ENABLE' WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA'
                            ELSE 'DISABLE' END
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace fn ON fn.oid = f.pronamespace
    WHERE fn.nspname IN ('vrm', 'vrm_private') AND NOT t.tgisinternal AND t.tgparentid = 0
    UNION ALL
    SELECT 'event trigger', t.evtevent, t.evtname,
           CASE t.evtenabled WHEN 'O' THEN 'ENABLE' WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA'
                             ELSE 'DISABLE' END
    FROM pg_event_trigger t JOIN pg_proc f ON f.oid = t.evtfoid JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE n.nspname IN ('vrm', 'vrm_private')
    UNION ALL
    SELECT 'trigger definition', t.tgrelid::regclass::text, t.tgname::text,
           replace(pg_get_triggerdef(t.oid), 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER')
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace fn ON fn.oid = f.pronamespace
    WHERE n.nspname IN ('vrm', 'vrm_private', 'auth') AND fn.nspname IN ('vrm', 'vrm_private')
      AND f.proname NOT IN ('audit_row', 'audit_truncate', 'bind_sealed')
      AND NOT t.tgisinternal AND NOT c.relispartition
    UNION ALL
    SELECT 'event trigger definition', t.evtevent, t.evtname,
           format('CREATE EVENT TRIGGER %I ON %s%s EXECUTE FUNCTION %s; ALTER EXTENSION vrm ADD EVENT TRIGGER %1$I',
                  t.evtname, t.evtevent,
                  (SELECT format(' WHEN TAG IN (%s)', string_agg(quote_literal(tag), ', ' ORDER BY tag))
                   FROM unnest(t.evttags) AS tag), t.evtfoid::regprocedure)
    FROM pg_event_trigger t JOIN pg_depend d ON (d.classid, d.objid) = ('pg_event_trigger'::regclass, t.oid)
    JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vrm'
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
$$;
COMMENT ON FUNCTION vrm_private.present_triggers() IS
    'triggers and event triggers that call vrm''s functions: whether they are enabled, and what makes those of vrm';

CREATE OR REPLACE FUNCTION vrm_private.present_definitions()
    RETURNS TABLE (kind text, object text, name text, definition text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off SET intervalstyle = postgres
    SET datestyle = 'ISO' SET timezone = 'UTC' SET bytea_output = hex SET extra_float_digits = 1
    SET lc_monetary = 'C' AS $$
    SELECT 'member', p.oid::regprocedure::text, 'member', left(pg_get_functiondef(p.oid), -1)  -- ends with a newline
    FROM pg_proc p JOIN pg_depend d ON (d.classid, d.objid) = ('pg_proc'::regclass, p.oid)
    JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vrm'
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND p.prokind IN ('f', 'p')
$$;
COMMENT ON FUNCTION vrm_private.present_definitions() IS
    'members of the extension as the statements that make them, in the words of vrm_private.intended';

CREATE OR REPLACE FUNCTION vrm_private.owner_of_sequence(sequence oid) RETURNS regclass
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.refobjid FROM pg_depend d
    WHERE (d.classid, d.refclassid) = ('pg_class'::regclass, 'pg_class'::regclass) AND d.objid = sequence
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
$$;
COMMENT ON FUNCTION vrm_private.owner_of_sequence(oid) IS 'the table of a sequence that a column has; null otherwise';

CREATE OR REPLACE FUNCTION vrm_private.present_objects() RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT quote_ident(n.nspname) FROM pg_namespace n WHERE n.nspname IN ('vrm', 'vrm_private')
    UNION ALL
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT c.relispartition
      AND vrm_private.owner_of_sequence(c.oid) IS NULL
    UNION ALL
    SELECT t.oid::regtype::text FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND t.typrelid = 0 AND t.typcategory <> 'A'
    UNION ALL
    SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('vrm', 'vrm_private')
$$;
COMMENT ON FUNCTION vrm_private.present_objects() IS
    'what can be granted, in vrm and vrm_private, but for partitions and sequences of columns';

CREATE OR REPLACE FUNCTION vrm_private.present_state()
    RETURNS TABLE (kind text, object text, name text, definition text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off SET intervalstyle = postgres
    SET datestyle = 'ISO' SET timezone = 'UTC' SET bytea_output = hex SET extra_float_digits = 1
    SET lc_monetary = 'C' AS $$
    SELECT 'privilege', g.kind || ' ' || g.object, vrm_private.role_name(g.grantee) || ' ' || g.privilege,
           format('GRANT %s ON %s %s TO %s', g.privilege, g.kind, g.object, vrm_private.role_name(g.grantee))
    FROM vrm_private.granted_privileges() g
    WHERE g.grantee <> (SELECT e.extowner FROM pg_extension e WHERE e.extname = 'vrm')
    UNION
    SELECT 'policy', p.polrelid::regclass::text, p.polname, vrm_private.policy_definition(p.oid)
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('vrm', 'vrm_private')
    UNION ALL
    SELECT 'row security', c.oid::regclass::text, 'row security', 'ENABLE'
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind IN ('r', 'p') AND c.relrowsecurity
    UNION ALL
    SELECT * FROM vrm_private.present_triggers()
    UNION ALL
    SELECT 'routine', p.oid::regprocedure::text, 'routine', md5(pg_get_functiondef(p.oid))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND p.prokind IN ('f', 'p')
    UNION ALL
    SELECT * FROM vrm_private.present_definitions()
    UNION ALL
    SELECT 'object', o.object, 'object', 'is there' FROM vrm_private.present_objects() AS o (object)
$$;
COMMENT ON FUNCTION vrm_private.present_state() IS
    'privileges, policies, triggers and functions as they are now, in the words of vrm_private.intended';

-- What PostgreSQL and this version of vrm would make of it; other versions may spell the same differently.
CREATE OR REPLACE FUNCTION vrm_private.spelling() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('vrm %s on PostgreSQL %s', vrm.version(), current_setting('server_version_num')::integer / 10000)
$$;
COMMENT ON FUNCTION vrm_private.spelling() IS 'versions whose definitions can be compared';

CREATE OR REPLACE FUNCTION vrm_private.is_member(kind text, object text) RETURNS boolean
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vrm'
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
          AND CASE kind WHEN 'ROUTINE' THEN d.classid = 'pg_proc'::regclass AND d.objid = to_regprocedure(object)
                        WHEN 'TYPE' THEN d.classid = 'pg_type'::regclass AND d.objid = to_regtype(object) END)
$$;
COMMENT ON FUNCTION vrm_private.is_member(text, text) IS 'whether a routine or type is a member of the extension';

-- Takes back every privilege on what the platform's script makes, executes the script's own GRANTs and policies,
-- looks at what came of it, and undoes all of that: an upgraded database may have been changed before.
CREATE OR REPLACE FUNCTION vrm_private.shipped_state()
    RETURNS TABLE (kind text, object text, name text, definition text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    script text := vrm.platform_script();
    statement text;
    seen jsonb;
BEGIN
    BEGIN
        FOR statement IN
            SELECT format('REVOKE %s ON %s %s FROM %s CASCADE', regexp_replace(g.privilege, '^.*$', 'ALL'), g.kind,
                          g.object, vrm_private.role_name(g.grantee))
            FROM vrm_private.granted_privileges() g
            WHERE g.grantee <> (SELECT e.extowner FROM pg_extension e WHERE e.extname = 'vrm')
              AND NOT (g.kind = 'ROUTINE' AND vrm_private.is_member(g.kind, g.object))
            UNION
            SELECT format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass)
            FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('vrm', 'vrm_private')
            UNION
            SELECT format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', p.oid::regprocedure)
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname IN ('vrm', 'vrm_private') AND p.prokind IN ('f', 'p')
              AND NOT vrm_private.is_member('ROUTINE', p.oid::regprocedure::text)
            UNION
            SELECT format('GRANT USAGE ON TYPE %s TO PUBLIC', t.oid::regtype)
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
            WHERE n.nspname IN ('vrm', 'vrm_private') AND t.typrelid = 0 AND t.typcategory <> 'A'
            ORDER BY 1 DESC  -- REVOKE before GRANT
        LOOP
            EXECUTE statement;
        END LOOP;
        FOR statement IN
            SELECT m[1] FROM regexp_matches(script, '^((?:GRANT|REVOKE|CREATE POLICY) [^;]*);', 'gw') AS m
        LOOP
            EXECUTE statement;
        END LOOP;
        PERFORM vrm_private.guard_tenants(), vrm_private.admit_supabase_auth();
        -- what neither the script nor the extension makes is not ours
        seen := (SELECT jsonb_agg(to_jsonb(s)) FROM vrm_private.present_state() s
                 WHERE CASE WHEN s.kind = 'privilege' AND s.object LIKE 'ROUTINE %'
                            THEN NOT vrm_private.is_member('ROUTINE', vrm_private.after_word(s.object))
                            WHEN s.kind = 'object'
                            THEN strpos(script, split_part(s.object, '(', 1)) > 0
                                 OR vrm_private.is_member(CASE WHEN s.object LIKE '%(%' THEN 'ROUTINE' ELSE 'TYPE' END,
                                                          s.object)
                            ELSE true END);
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        NULL;
    END;
    RETURN QUERY SELECT s.kind, s.object, s.name, s.definition
                 FROM jsonb_to_recordset(seen) AS s (kind text, object text, name text, definition text);
    -- members have no statements of their own here, but PostgreSQL notes what their script granted
    RETURN QUERY SELECT 'privilege', 'ROUTINE ' || i.objoid::regprocedure,
                        vrm_private.role_name(a.grantee) || ' ' || a.privilege_type,
                        format('GRANT %s ON ROUTINE %s TO %s', a.privilege_type, i.objoid::regprocedure,
                               vrm_private.role_name(a.grantee))
                 FROM pg_init_privs i, aclexplode(i.initprivs) AS a
                 WHERE i.classoid = 'pg_proc'::regclass AND i.objsubid = 0
                   AND a.grantee <> (SELECT e.extowner FROM pg_extension e WHERE e.extname = 'vrm')
                   AND vrm_private.is_member('ROUTINE', i.objoid::regprocedure::text);
END
$$;
COMMENT ON FUNCTION vrm_private.shipped_state() IS
    'privileges and policies as the platform''s script makes them, whatever they are now';

CREATE OR REPLACE FUNCTION vrm_private.note_intended() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off SET intervalstyle = postgres
    SET datestyle = 'ISO' SET timezone = 'UTC' SET bytea_output = hex SET extra_float_digits = 1
    SET lc_monetary = 'C' AS $$
DECLARE
    fresh boolean := NOT EXISTS (SELECT FROM vrm_private.platform_history);
    spelling text := vrm_private.spelling();
BEGIN
    IF EXISTS (SELECT FROM vrm_private.intended i WHERE i.noted_by = spelling) THEN
        RETURN;
    END IF;
    DELETE FROM vrm_private.intended;
    IF fresh THEN
        INSERT INTO vrm_private.intended SELECT s.*, spelling FROM vrm_private.present_state() s
                                         UNION ALL SELECT s.*, spelling FROM vrm_private.present_structure() s;
    ELSE
        INSERT INTO vrm_private.intended SELECT s.*, spelling FROM vrm_private.shipped_state() s
                                         UNION ALL SELECT s.*, spelling FROM vrm_private.shipped_structure() s;
        UPDATE vrm_private.intended SET definition = 'ENABLE'
        WHERE kind IN ('trigger', 'event trigger') AND definition IN ('DISABLE', 'ENABLE REPLICA');
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.note_intended() IS
    'for vrm.install(): notes what privileges, policies, triggers, functions, tables and views are meant to be';

-- A grant beyond what is meant: on an object of ours, or on a partition or a sequence of its own, which has none.
CREATE OR REPLACE FUNCTION vrm_private.doctor_intended_grants()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH present AS MATERIALIZED (
        SELECT g.kind || ' ' || g.object AS object, g.object AS bare, r.grantee, g.privilege
        FROM vrm_private.granted_privileges() g, LATERAL vrm_private.role_name(g.grantee) AS r (grantee)
        WHERE g.grantee <> (SELECT e.extowner FROM pg_extension e WHERE e.extname = 'vrm')
    ), intended AS MATERIALIZED (
        SELECT i.kind, i.object, i.name, i.definition FROM vrm_private.intended i
        WHERE i.noted_by = (SELECT vrm_private.spelling()) AND i.kind IN ('privilege', 'object')
    ), ours AS MATERIALIZED (
        SELECT i.object FROM intended i WHERE i.kind = 'object'
        UNION
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('vrm', 'vrm_private') AND EXISTS (SELECT FROM intended)
          AND (c.relispartition OR c.relkind = 'S' AND vrm_private.owner_of_sequence(c.oid)::text IN (
                                                       SELECT i.object FROM intended i WHERE i.kind = 'object'))
    ), further AS (
        SELECT p.* FROM present p
        JOIN ours o ON o.object = p.bare
        WHERE (p.object, p.grantee || ' ' || p.privilege) NOT IN (
                  SELECT i.object, i.name FROM intended i WHERE i.kind = 'privilege')
    )
    SELECT 'grants',
           CASE WHEN f.grantee IN ('PUBLIC', 'anon', 'authenticated', 'service_role') THEN 'fail' ELSE 'warn' END,
           format('%s has %s on %s, which vrm does not give', f.grantee, f.privilege, f.object),
           'Every role that has it can do what only functions and policies of vrm should.',
           format('REVOKE %s ON %s FROM %s%s;', f.privilege, f.object, f.grantee,
                  CASE WHEN EXISTS (SELECT FROM present p
                                    WHERE (p.object, p.grantee) = (f.object, f.grantee)
                                      AND p.privilege IN (f.privilege, 'GRANT OPTION FOR ' || f.privilege)
                                      AND starts_with(p.privilege, 'GRANT OPTION')) THEN ' CASCADE' END)
           -- a privilege on the table takes those on its columns along when it goes
           || coalesce((SELECT string_agg(format(' %s;', i.definition), '' ORDER BY i.name) FROM intended i
                        WHERE i.kind = 'privilege' AND i.object = f.object
                          AND i.name LIKE f.grantee || ' ' || f.privilege || ' (%'), '')
    FROM further f
    UNION ALL
    SELECT 'grants', 'warn', format('%s on %s is missing', i.name, i.object),
           'Something that applications call will fail.', i.definition || ';'
    FROM intended i
    WHERE i.kind = 'privilege'
      AND (i.object, i.name) NOT IN (SELECT p.object, p.grantee || ' ' || p.privilege FROM present p)
      AND CASE split_part(i.object, ' ', 1) WHEN 'ROUTINE' THEN to_regprocedure(vrm_private.after_word(i.object))::oid
          WHEN 'TYPE' THEN to_regtype(vrm_private.after_word(i.object))::oid
          WHEN 'SCHEMA' THEN to_regnamespace(vrm_private.after_word(i.object))::oid
          ELSE to_regclass(vrm_private.after_word(i.object))::oid END IS NOT NULL
    UNION ALL
    SELECT 'grants', 'warn', format('what vrm means to have is not noted for %s: nothing is compared',
                                    vrm_private.spelling()),
           'Superusers only; looks at what the platform''s script makes and notes it.', 'SELECT vrm.install();'
    WHERE NOT EXISTS (SELECT FROM intended)
$$;
COMMENT ON FUNCTION vrm_private.doctor_intended_grants() IS
    'for vrm.doctor(): privileges that are not as they were installed';

-- What will be granted on what comes later, and what lets somebody set settings that decide who they are.
CREATE OR REPLACE FUNCTION vrm_private.doctor_wider_grants()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH wider AS (
        SELECT a.grantee, a.privilege_type,
               format('on every %s that %s makes in schema %s', w.one, d.defaclrole::regrole, n.nspname) AS whereof,
               format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %I REVOKE', d.defaclrole::regrole, n.nspname)
                   AS statement, w.many AS what
        FROM pg_default_acl d JOIN pg_namespace n ON n.oid = d.defaclnamespace
        JOIN (VALUES ('r', 'table', 'TABLES'), ('S', 'sequence', 'SEQUENCES'), ('f', 'routine', 'ROUTINES'),
                     ('T', 'type', 'TYPES')) AS w (kind, one, many) ON w.kind = d.defaclobjtype::text,
             aclexplode(d.defaclacl) AS a
        WHERE n.nspname IN ('vrm', 'vrm_private') AND a.grantee <> d.defaclrole
        UNION ALL
        SELECT a.grantee, a.privilege_type, 'on setting ' || p.parname, 'REVOKE', 'PARAMETER ' || p.parname
        FROM pg_parameter_acl p LEFT JOIN pg_settings s ON s.name = p.parname, aclexplode(p.paracl) AS a
        WHERE (p.parname IN ('session_replication_role', 'event_triggers')
               OR p.parname LIKE 'vrm.%' AND s.context IS DISTINCT FROM 'user')
          AND NOT coalesce((SELECT r.rolsuper FROM pg_roles r WHERE r.oid = a.grantee), false)
        UNION ALL
        SELECT a.grantee, a.privilege_type, 'on table auth.users', 'REVOKE', 'TABLE auth.users'
        FROM pg_class c, aclexplode(c.relacl) AS a
        WHERE c.oid = 'auth.users'::regclass AND a.grantee IN (0, to_regrole('anon'), to_regrole('authenticated'))
    )
    SELECT 'grants',
           CASE WHEN g.grantee IN ('PUBLIC', 'anon', 'authenticated', 'service_role') THEN 'fail' ELSE 'warn' END,
           format('%s has %s %s, which vrm does not give', g.grantee, w.privilege_type, w.whereof),
           'Every role that has it can do what only functions and policies of vrm should.',
           format('%s %s ON %s FROM %s%s;', w.statement, w.privilege_type, w.what, g.grantee,
                  CASE w.statement WHEN 'REVOKE' THEN ' CASCADE' END)
    FROM wider w, LATERAL vrm_private.role_name(w.grantee) AS g (grantee)
$$;
COMMENT ON FUNCTION vrm_private.doctor_wider_grants() IS
    'for vrm.doctor(): default privileges in our schemas, settings that others may set, hashes that others may read';

CREATE OR REPLACE FUNCTION vrm_private.doctor_intended_triggers()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH present AS MATERIALIZED (
        SELECT * FROM vrm_private.present_triggers()
    ), compared AS MATERIALIZED (
        SELECT i.*, p.definition AS present FROM vrm_private.intended i
        LEFT JOIN present p ON (p.kind, p.object, p.name) = (i.kind, i.object, i.name)
        WHERE i.noted_by = (SELECT vrm_private.spelling()) AND i.kind LIKE '%trigger%'
          AND p.definition IS DISTINCT FROM i.definition
    )
    SELECT 'triggers', 'fail', format('trigger %I of %s is not enabled as it should be', c.name, c.object),
           'What was written meanwhile has not gone through it.',
           format('ALTER TABLE %s %s TRIGGER %I;', c.object, c.definition, c.name)
    FROM compared c WHERE c.kind = 'trigger' AND c.present <> 'DISABLE'
    UNION ALL
    SELECT 'triggers', 'fail', format('trigger %I of %s is missing, or not what vrm means', c.name, c.object),
           coalesce('Now: ' || c.present, 'Or it calls another function.'), c.definition || ';'
    FROM compared c WHERE CASE c.kind WHEN 'trigger definition' THEN to_regclass(c.object) END IS NOT NULL
    UNION ALL
    -- those of partitions follow their table's
    SELECT 'triggers', 'fail', format('trigger %I of %s is not enabled as that of %s', t.tgname, t.tgrelid::regclass,
                                      o.tgrelid::regclass),
           'What was written meanwhile has not gone through it.',
           format('ALTER TABLE %s ENABLE%s TRIGGER %I;', t.tgrelid::regclass,
                  CASE o.tgenabled WHEN 'A' THEN ' ALWAYS' WHEN 'R' THEN ' REPLICA' END, t.tgname)
    FROM pg_trigger t JOIN pg_trigger o ON o.oid = t.tgparentid AND o.tgenabled <> t.tgenabled AND o.tgenabled <> 'D'
    JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND t.tgenabled <> 'D'
    UNION ALL
    SELECT 'event_triggers', 'fail', format('event trigger %I is not enabled as it should be', c.name),
           'What was created meanwhile has not gone through it.',
           format('ALTER EVENT TRIGGER %I %s;', c.name, c.definition)
    FROM compared c WHERE c.kind = 'event trigger' AND c.present IS NOT NULL
    UNION ALL
    SELECT 'event_triggers', 'fail', format('event trigger %I is gone, or not what vrm means', c.name),
           coalesce('Now: ' || c.present, 'What was created meanwhile has not gone through it.'),
           concat(CASE WHEN c.present <> '' THEN format('ALTER EXTENSION vrm DROP EVENT TRIGGER %I; ', c.name) END,
                  CASE WHEN EXISTS (SELECT FROM pg_event_trigger t WHERE t.evtname = c.name)
                       THEN format('DROP EVENT TRIGGER %I; ', c.name) END, c.definition, ';')
    FROM compared c WHERE c.kind = 'event trigger definition'
$$;
COMMENT ON FUNCTION vrm_private.doctor_intended_triggers() IS
    'for vrm.doctor(): triggers and event triggers that are not as they were installed';

CREATE OR REPLACE FUNCTION vrm_private.doctor_intended()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH present AS MATERIALIZED (
        SELECT * FROM vrm_private.present_state()
    ), intended AS MATERIALIZED (
        SELECT * FROM vrm_private.intended i WHERE i.noted_by = (SELECT vrm_private.spelling())
    )
    SELECT 'policies', 'fail', format('policy "%s" of %s is missing, or not what vrm means', i.name, i.object),
           coalesce('Now: ' || p.definition, 'It was dropped.'),
           format('DROP POLICY IF EXISTS %I ON %s; %s;', i.name, i.object, i.definition)
    FROM intended i LEFT JOIN present p ON (p.kind, p.object, p.name) = (i.kind, i.object, i.name)
    WHERE p.definition IS DISTINCT FROM i.definition
      AND CASE i.kind WHEN 'policy' THEN to_regclass(i.object) END IS NOT NULL
    UNION ALL
    SELECT 'policies', 'info', format('policy "%s" of %s is not of vrm', p.name, p.object),
           'Permissive policies add up: look at what it lets through.', NULL
    FROM present p
    WHERE p.kind = 'policy' AND EXISTS (SELECT FROM intended i WHERE i.kind = 'row security' AND i.object = p.object)
      AND NOT EXISTS (SELECT FROM intended i WHERE (i.kind, i.object, i.name) = (p.kind, p.object, p.name))
    UNION ALL
    SELECT 'row_level_security', 'fail', format('row level security of %s is off', i.object),
           'Policies of it say nothing then.', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', i.object)
    FROM intended i
    -- a foreign table can have none
    WHERE (SELECT c.relkind FROM pg_class c
           WHERE c.oid = CASE i.kind WHEN 'row security' THEN to_regclass(i.object) END) <> 'f'
      AND NOT EXISTS (SELECT FROM present p WHERE (p.kind, p.object) = (i.kind, i.object))
    UNION ALL
    SELECT 'routines', 'warn', format('routine %s is not as vrm has made it', i.object),
           'The fix makes all of them anew; superusers only.', 'SELECT vrm.install();'
    FROM intended i JOIN present p ON (p.kind, p.object, p.name) = (i.kind, i.object, i.name)
    WHERE i.kind = 'routine' AND p.definition <> i.definition
      AND NOT EXISTS (SELECT FROM intended m WHERE m.kind = 'member' AND m.object = i.object)
    UNION ALL
    SELECT 'routines', 'fail', format('routine %s of the extension is gone, or not as vrm has made it', i.object),
           'Superusers only.',
           concat(i.definition, ';',
                  CASE WHEN p.kind IS NULL THEN format(' ALTER EXTENSION vrm ADD ROUTINE %s;', i.object) END)
    FROM intended i LEFT JOIN present p ON (p.kind, p.object) = (i.kind, i.object)
    WHERE i.kind = 'member' AND p.definition IS DISTINCT FROM i.definition
    UNION ALL
    SELECT * FROM vrm_private.doctor_intended_triggers()
    UNION ALL
    SELECT * FROM vrm_private.doctor_intended_grants()
    UNION ALL
    SELECT * FROM vrm_private.doctor_wider_grants()
$$;
COMMENT ON FUNCTION vrm_private.doctor_intended() IS
    'for vrm.doctor(): privileges, policies, triggers and functions that are not as they were installed';

REVOKE EXECUTE ON FUNCTION
    vrm_private.granted_privileges(), vrm_private.after_word(text), vrm_private.role_name(oid),
    vrm_private.policy_definition(oid), vrm_private.present_triggers(), vrm_private.present_definitions(),
    vrm_private.owner_of_sequence(oid), vrm_private.present_objects(), vrm_private.present_state(),
    vrm_private.spelling(),
    vrm_private.is_member(text, text), vrm_private.shipped_state(), vrm_private.note_intended(),
    vrm_private.doctor_intended_grants(), vrm_private.doctor_wider_grants(), vrm_private.doctor_intended_triggers(),
    vrm_private.doctor_intended()
    FROM PUBLIC;
