-- Privileges as data: what the platform means to have, what there is, and putting it back

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

CREATE OR REPLACE FUNCTION vrm_private.present_state()
    RETURNS TABLE (kind text, object text, name text, definition text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
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
    SELECT 'routine', p.oid::regprocedure::text, 'routine', md5(pg_get_functiondef(p.oid))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND p.prokind IN ('f', 'p')
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
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
          AND d.objid = CASE kind WHEN 'ROUTINE' THEN to_regprocedure(object) END)
$$;
COMMENT ON FUNCTION vrm_private.is_member(text, text) IS 'whether a routine is a member of the extension';

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
              AND NOT vrm_private.is_member(g.kind, g.object)
            UNION
            SELECT format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass)
            FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('vrm', 'vrm_private')
            UNION
            SELECT format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', p.oid::regprocedure)
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname IN ('vrm', 'vrm_private') AND p.prokind IN ('f', 'p')
              AND NOT vrm_private.is_member('ROUTINE', p.oid::regprocedure::text)
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
        seen := (SELECT jsonb_agg(to_jsonb(s)) FROM vrm_private.present_state() s
                 WHERE s.kind <> 'privilege'
                    OR NOT vrm_private.is_member(split_part(s.object, ' ', 1), vrm_private.after_word(s.object)));
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
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fresh boolean := NOT EXISTS (SELECT FROM vrm_private.platform_history);
    spelling text := vrm_private.spelling();
BEGIN
    IF EXISTS (SELECT FROM vrm_private.intended i WHERE i.noted_by = spelling) THEN
        RETURN;
    END IF;
    DELETE FROM vrm_private.intended;
    IF fresh THEN
        INSERT INTO vrm_private.intended SELECT s.*, spelling FROM vrm_private.present_state() s;
    ELSE
        INSERT INTO vrm_private.intended SELECT s.*, spelling FROM vrm_private.shipped_state() s;
        UPDATE vrm_private.intended SET definition = 'ENABLE'
        WHERE kind IN ('trigger', 'event trigger') AND definition IN ('DISABLE', 'ENABLE REPLICA');
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.note_intended() IS
    'for vrm.install(): notes what privileges, policies, triggers and functions are meant to be';

-- What a publication shows, no policy hides.  Those that doc/secrets/keys.md gives to a subscriber it names one
-- by one; hashes of passwords and tokens, and secrets that counters are keyed with, are nobody's.
CREATE OR REPLACE FUNCTION vrm_private.doctor_publications()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH shown AS (
        SELECT p.oid, p.pubname, p.puballtables, s.relid,
               EXISTS (SELECT FROM pg_publication_rel r WHERE (r.prpubid, r.prrelid) = (p.oid, s.relid)) AS by_name
        FROM pg_publication p CROSS JOIN LATERAL pg_get_publication_tables(p.pubname) AS s
        JOIN pg_class c ON c.oid = s.relid
        WHERE c.relnamespace = 'vrm_private'::regnamespace OR s.relid = 'auth.users'::regclass
    ), secret AS (
        SELECT * FROM shown s
        WHERE NOT s.by_name
           OR s.relid <> ALL ('{vrm_private.keyring,vrm_private.subject_keys,vrm_private.token_keys,
                                vrm_private.jwt_keys,vrm_private.sessions,vrm_private.account_locks,
                                vrm_private.linked_identities}'::regclass[])
    )
    SELECT 'publications', 'warn',
           format('publication "%s" shows %s, which %s for subscribers', s.pubname,
                  concat_ws(' and ', min(s.relid::regclass::text), nullif(count(*) - 1, 0) || ' tables more'),
                  CASE count(*) WHEN 1 THEN 'is not' ELSE 'are not' END),
           format('Publish the tables that somebody reads: CREATE PUBLICATION %I FOR TABLE vrm.run_events;',
                  left(s.pubname, 50) || '_tables'),
           CASE WHEN bool_and(s.by_name)
                THEN format('ALTER PUBLICATION %I DROP TABLE %s;', s.pubname,
                            string_agg(s.relid::regclass::text, ', ' ORDER BY s.relid)) END
    FROM secret s GROUP BY s.pubname
$$;
COMMENT ON FUNCTION vrm_private.doctor_publications() IS
    'for vrm.doctor(): publications that show what nobody should be sent';

-- A grant beyond what is meant: on an object of ours, or on a partition, which has none.
CREATE OR REPLACE FUNCTION vrm_private.doctor_intended()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH present AS MATERIALIZED (
        SELECT * FROM vrm_private.present_state()
    ), intended AS MATERIALIZED (
        SELECT * FROM vrm_private.intended i WHERE i.noted_by = vrm_private.spelling()
    ), ours AS MATERIALIZED (
        SELECT DISTINCT CASE i.kind WHEN 'privilege' THEN vrm_private.after_word(i.object) ELSE i.object END AS object
        FROM intended i WHERE i.kind IN ('privilege', 'row security', 'routine')
        UNION
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relispartition AND EXISTS (SELECT FROM intended)
    ), further AS (
        SELECT p.*, split_part(p.name, ' ', 1) AS grantee, vrm_private.after_word(p.name) AS privilege
        FROM present p
        JOIN ours o ON o.object = vrm_private.after_word(p.object)
        LEFT JOIN intended i ON (i.kind, i.object, i.name) = (p.kind, p.object, p.name)
        WHERE p.kind = 'privilege' AND i.kind IS NULL
    ), lacking AS (
        SELECT i.* FROM intended i
        LEFT JOIN present p ON (p.kind, p.object, p.name) = (i.kind, i.object, i.name)
        WHERE i.kind = 'privilege' AND p.kind IS NULL
    ), there AS MATERIALIZED (
        SELECT p.object FROM present p WHERE p.kind IN ('row security', 'routine')
        UNION
        SELECT vrm_private.after_word(p.object) FROM present p WHERE p.kind = 'privilege'
    )
    SELECT 'grants',
           CASE WHEN f.grantee IN ('PUBLIC', 'anon', 'authenticated', 'service_role') THEN 'fail' ELSE 'warn' END,
           format('%s has %s on %s, which vrm does not give', f.grantee, f.privilege, f.object),
           'Every role that has it can do what only functions and policies of vrm should.',
           format('REVOKE %s ON %s FROM %s;', f.privilege, f.object, f.grantee)
           -- a privilege on the table takes those on its columns along when it goes
           || coalesce((SELECT string_agg(format(' %s;', i.definition), '' ORDER BY i.name) FROM intended i
                        WHERE i.kind = 'privilege' AND i.object = f.object
                          AND i.name LIKE f.grantee || ' ' || f.privilege || ' (%'), '')
    FROM further f
    UNION ALL
    SELECT 'grants', 'warn', format('%s on %s is missing', i.name, i.object),
           'Something that applications call will fail.', i.definition || ';'
    FROM lacking i JOIN there t ON t.object = vrm_private.after_word(i.object)
    UNION ALL
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
    SELECT 'triggers', 'fail', format('trigger %I of %s is not enabled as it should be', i.name, i.object),
           'What was written meanwhile has not gone through it.',
           format('ALTER TABLE %s %s TRIGGER %I;', i.object, i.definition, i.name)
    FROM intended i JOIN present p ON (p.kind, p.object, p.name) = (i.kind, i.object, i.name)
    WHERE i.kind = 'trigger' AND p.definition <> i.definition AND p.definition <> 'DISABLE'
    UNION ALL
    SELECT 'event_triggers', 'fail', format('event trigger %I is not enabled as it should be', i.name),
           'What was created meanwhile has not gone through it.',
           format('ALTER EVENT TRIGGER %I %s;', i.name, i.definition)
    FROM intended i JOIN present p ON (p.kind, p.object, p.name) = (i.kind, i.object, i.name)
    WHERE i.kind = 'event trigger' AND p.definition <> i.definition
    UNION ALL
    SELECT 'event_triggers', 'fail', format('event trigger %I is gone', i.name),
           'It comes back with the members of the extension.', NULL
    FROM intended i
    WHERE i.kind = 'event trigger'
      AND NOT EXISTS (SELECT FROM present p WHERE (p.kind, p.object, p.name) = (i.kind, i.object, i.name))
    UNION ALL
    SELECT 'event_triggers', 'fail', 'event_triggers is off: no event trigger fires', NULL,
           'ALTER SYSTEM RESET event_triggers; SELECT pg_reload_conf();'
    WHERE current_setting('event_triggers', true) = 'off'
    UNION ALL
    SELECT 'routines', 'warn', format('routine %s is not as vrm has made it', i.object),
           'The fix makes all of them anew; superusers only.', 'SELECT vrm.install();'
    FROM intended i JOIN present p ON (p.kind, p.object, p.name) = (i.kind, i.object, i.name)
    WHERE i.kind = 'routine' AND p.definition <> i.definition

    UNION ALL
    SELECT * FROM vrm_private.doctor_publications()
$$;
COMMENT ON FUNCTION vrm_private.doctor_intended() IS
    'for vrm.doctor(): privileges, policies, triggers and functions that are not as they were installed';

CREATE OR REPLACE FUNCTION vrm.repair() RETURNS TABLE (check_name text, statement text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    finding record;
BEGIN
    IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
        RAISE EXCEPTION 'permission denied to repair the platform of vrm'
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = 'Its objects belong to the superuser who installed them.',
                  HINT = 'As a superuser: SELECT * FROM vrm.repair();';
    END IF;
    FOR finding IN
        SELECT DISTINCT d.check_name, d.fix_sql FROM vrm.doctor() d
        WHERE d.fix_sql IS NOT NULL AND d.check_name IN
              ('objects', 'grants', 'policies', 'row_level_security', 'triggers', 'event_triggers', 'search_path',
               'routines')
        ORDER BY d.check_name, d.fix_sql
    LOOP
        EXECUTE finding.fix_sql;
        check_name := finding.check_name;
        statement := finding.fix_sql;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.repair() IS
    'puts privileges, policies, triggers and functions back as they were installed; returns what it executed';

REVOKE EXECUTE ON FUNCTION
    vrm_private.granted_privileges(), vrm_private.after_word(text), vrm_private.role_name(oid),
    vrm_private.policy_definition(oid), vrm_private.present_state(), vrm_private.spelling(),
    vrm_private.is_member(text, text),
    vrm_private.shipped_state(), vrm_private.note_intended(), vrm_private.doctor_publications(),
    vrm_private.doctor_intended(), vrm.repair()
    FROM PUBLIC;
