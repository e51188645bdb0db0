-- Doctor: what is wrong with the installation, and the statement that mends it

-- Where a setting comes from decides which statement changes it: a value of the database or of a role
-- wins over what ALTER SYSTEM writes, and what is on the command line over all of them.
CREATE OR REPLACE FUNCTION vrm_private.setting_values(setting_name text)
    RETURNS TABLE (value text, place text, change text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH special AS (
        SELECT substr(entry, length(setting_name) + 2) AS value, s.setdatabase, s.setrole
        FROM pg_db_role_setting s, unnest(s.setconfig) AS entry
        WHERE starts_with(entry, setting_name || '=')
          AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    )
    SELECT s.value,
           concat_ws(' ', 'of', CASE WHEN s.setrole <> 0 THEN 'role ' || s.setrole::regrole END,
                     CASE WHEN s.setrole <> 0 AND s.setdatabase <> 0 THEN 'in' END,
                     CASE WHEN s.setdatabase <> 0 THEN 'this database' ELSE
                          CASE WHEN s.setrole = 0 THEN 'all roles' END END),
           CASE WHEN s.setrole = 0 AND s.setdatabase <> 0 THEN format('ALTER DATABASE %I', current_database())
                WHEN s.setrole = 0 THEN 'ALTER ROLE ALL'
                WHEN s.setdatabase = 0 THEN format('ALTER ROLE %s', s.setrole::regrole)
                ELSE format('ALTER ROLE %s IN DATABASE %I', s.setrole::regrole, current_database()) END
    FROM special s
    UNION ALL
    SELECT p.reset_val, 'of the server',
           CASE WHEN p.source NOT IN ('command line', 'environment variable', 'client') THEN 'ALTER SYSTEM' END
    FROM pg_settings p
    WHERE p.name = setting_name
      AND NOT EXISTS (SELECT FROM special s WHERE s.setrole IN (0, session_user::regrole::oid))
$$;
COMMENT ON FUNCTION vrm_private.setting_values(text) IS
    'what new sessions of this database get of a setting, and how the statement begins that changes it';

CREATE OR REPLACE FUNCTION vrm_private.doctor_settings()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.check_name, r.status, format('%s is "%s" (%s): %s', r.setting, v.value, v.place, r.why),
           CASE WHEN v.change IS NULL THEN 'It comes from the command line or the environment: start without it.'
                WHEN v.change <> 'ALTER SYSTEM' THEN 'New sessions have it.'
                WHEN p.context = 'postmaster' THEN 'Then restart the server.'
                WHEN r.setting LIKE 'vrm.%' THEN
                    'Then: SELECT pg_reload_conf(); a session that has not used vrm yet needs: LOAD ''vrm''; first.'
                ELSE 'Then: SELECT pg_reload_conf();' END,
           v.change || format(' SET %s = %s;', r.setting, r.good)
    FROM (VALUES
        ('statement_log', 'log_statement', '^(mod|all)$', 'ddl', 'warn',
         'secrets that stand in statements go to the log'),
        ('parameter_log', 'log_parameter_max_length_on_error', '^(?!0$)', '0', 'warn',
         'parameters, among them tokens, go to the log with every error'),
        ('password_encryption', 'password_encryption', '^md5$', '''scram-sha-256''', 'warn',
         'whoever reads the hash of a role''s password can connect with it'),
        ('durability', 'fsync', '^off$', 'on', 'fail', 'a crash of the machine destroys the database'),
        ('durability', 'full_page_writes', '^off$', 'on', 'fail', 'a crash of the machine may destroy the database'),
        ('durability', 'synchronous_commit', '^off$', 'on', 'warn', 'a crash takes what was committed last'),
        ('archiving', 'wal_level', '^minimal$', 'replica', 'warn', 'neither archiving nor a standby is possible'),
        ('autovacuum', 'autovacuum', '^off$', 'on', 'fail', 'tables bloat until the server stops taking writes'),
        ('autovacuum', 'track_counts', '^off$', 'on', 'fail', 'autovacuum does not know what to do'),
        ('triggers', 'session_replication_role', '^replica$', 'origin', 'fail', 'no trigger fires'),
        ('event_triggers', 'event_triggers', '^off$', 'on', 'fail', 'no event trigger fires'),
        ('row_security', 'row_security', '^off$', 'on', 'fail', 'every query of the application is refused'),
        ('identity', 'vrm.session_login', '^on$', 'off', 'fail',
         'behind a pooler, one person''s identity is handed to the next'),
        ('secret_literals', 'vrm.secret_literals', '^allow$', 'warn', 'warn',
         'nobody is told when a secret stands in the text of a statement'),
        ('lockout', 'vrm.lockout_durability', '^async$', 'lock', 'warn', 'a crash may forget that an account is locked')
        UNION ALL
        -- somebody who was looking for a plan has left a switch off
        SELECT 'planner', s.name, format('^(?!%s$)', s.boot_val), s.boot_val, 'warn',
               'dashboards get slower plans, and the slower the more calls there are'
        FROM pg_settings s WHERE s.name ~ '^enable_' AND s.boot_val = 'on' OR s.name = 'plan_cache_mode'
    ) AS r (check_name, setting, bad, good, status, why)
    JOIN pg_settings p ON p.name = r.setting
    CROSS JOIN LATERAL vrm_private.setting_values(r.setting) AS v
    WHERE v.value ~ r.bad

    UNION ALL
    -- by itself it is harmless: parameters are logged with the statements that are
    SELECT 'parameter_log', 'warn',
           format('log_parameter_max_length is "%s" (%s) and statements are logged: parameters, among them tokens,'
                  ' go to the log', v.value, v.place),
           'Then: SELECT pg_reload_conf();', v.change || ' SET log_parameter_max_length = 0;'
    FROM vrm_private.setting_values('log_parameter_max_length') AS v
    WHERE v.value <> '0'
      AND EXISTS (SELECT FROM (VALUES ('log_statement', '^(mod|all)$'), ('log_min_duration_statement', '^[0-9]'),
                                      ('log_min_duration_sample', '^[0-9]'),
                                      ('log_transaction_sample_rate', '[1-9]')) AS l (setting, logs),
                         LATERAL vrm_private.setting_values(l.setting) AS w WHERE w.value ~ l.logs)

    UNION ALL
    SELECT 'configuration', 'fail', format('%s line %s, %s: %s', f.sourcefile, f.sourceline, f.name, f.error),
           'Correct the line, then: SELECT pg_reload_conf();', NULL
    FROM pg_file_settings f
    WHERE f.error IS NOT NULL AND NOT EXISTS (SELECT FROM pg_settings p WHERE p.name = f.name AND p.pending_restart)
    UNION ALL
    SELECT 'configuration', 'warn', format('%s was changed and waits for a restart', p.name),
           'Restart the server.', NULL
    FROM pg_settings p WHERE p.pending_restart
$$;
COMMENT ON FUNCTION vrm_private.doctor_settings() IS 'for vrm.doctor(): settings that endanger data or secrets';

-- On a standby and after a restore there are keys, and a new master key would open none of them.
CREATE OR REPLACE FUNCTION vrm_private.hint_of_lost_master_key(problem text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('The keys of this database are under master key %s: bring its file from where it is kept, or from the'
                  ' primary server, for a new one opens none of them; then: ALTER SYSTEM SET vrm.master_key_file ='
                  ' ''/path/to/vrm-master-key''; SELECT pg_reload_conf();', string_agg(DISTINCT k.kek_id, ', '))
    FROM vrm_private.keyring k WHERE k.state <> 'destroyed' AND problem ~ '^no master key is configured'
    HAVING count(*) > 0
$$;
COMMENT ON FUNCTION vrm_private.hint_of_lost_master_key(text) IS
    'what to do when there is no master key and there are keys under one; null when there is one, or no key';
REVOKE EXECUTE ON FUNCTION vrm_private.hint_of_lost_master_key(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.doctor_identity()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH trusted AS (
        SELECT v.place, v.change, (parse_ident(btrim(entry)))[1] AS login, n AS position
        FROM vrm_private.setting_values('vrm.trusted_logins') AS v,
             string_to_table(v.value, ',') WITH ORDINALITY AS listed (entry, n)
    ), judged AS (
        SELECT t.*, CASE WHEN t.login IN ('anon', 'authenticated') THEN
                              'whoever may connect as it says who they are'
                         WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = t.login) THEN
                              'there is no such role: the next one to be made is trusted' END AS problem
        FROM trusted t
    )
    SELECT 'trusted_logins', CASE WHEN j.login IN ('anon', 'authenticated') THEN 'fail' ELSE 'warn' END,
           format('vrm.trusted_logins (%s) names "%s": %s', j.place, j.login, j.problem),
           'The fix leaves the other names in; then: SELECT pg_reload_conf();',
           j.change || format(' SET vrm.trusted_logins = %L;',
               (SELECT coalesce(string_agg(quote_ident(k.login), ', ' ORDER BY k.position), '')
                FROM judged k WHERE k.place = j.place AND k.problem IS NULL))
    FROM judged j WHERE j.problem IS NOT NULL
    UNION ALL
    SELECT 'identity', 'warn', 'no token is believed and no login is trusted: nobody can sign in',
           'SELECT vrm.jwk_import(keys, issuer); or name the login of your API server in vrm.trusted_logins.',
           CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = 'supabase_auth_admin') THEN
                format('ALTER DATABASE %I SET vrm.trusted_logins ='
                       ' ''authenticator, supabase_admin, supabase_storage_admin, postgres'';', current_database()) END
    WHERE NOT EXISTS (SELECT FROM vrm_private.jwt_keys)
      AND NOT EXISTS (SELECT FROM vrm_private.setting_values('vrm.trusted_logins') AS v WHERE v.value <> '')
    UNION ALL
    SELECT 'master_key', CASE WHEN EXISTS (SELECT FROM vrm_private.keyring k WHERE k.state <> 'destroyed')
                              THEN 'fail' ELSE 'warn' END,
           m.detail, coalesce(vrm_private.hint_of_lost_master_key(m.detail), m.hint), NULL
    FROM vrm.master_key_problem() AS m WHERE m.detail IS NOT NULL
    UNION ALL
    SELECT 'keyring', 'warn', format('there is no active key of purpose "%s"', p.purpose),
           'It needs a master key, see doc/secrets/keys.md.', format('SELECT vrm.key_create(%L);', p.purpose)
    FROM unnest(ARRAY['data', 'blind_index']) AS p (purpose)
    WHERE NOT EXISTS (SELECT FROM vrm_private.keyring k WHERE k.purpose = p.purpose AND k.state = 'active')
    UNION ALL
    SELECT 'keyring', 'fail', format('%s of %s keys do not open with the master key',
                                     count(*) FILTER (WHERE NOT u.usable), count(*)),
           'What is sealed with them cannot be opened, see check master_key; SELECT * FROM vrm.keyring_status;', NULL
    FROM (SELECT vrm.key_usable(k.key_id) AS usable FROM vrm_private.keyring k WHERE k.state <> 'destroyed') AS u
    HAVING count(*) FILTER (WHERE NOT u.usable) > 0
$$;
COMMENT ON FUNCTION vrm_private.doctor_identity() IS
    'for vrm.doctor(): whose claims and tokens are believed, and whether sealed values can be opened';

CREATE OR REPLACE FUNCTION vrm_private.doctor_server()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'ssl', 'warn',
           format('ssl is off and the server listens on %s: passwords and tokens travel in clear',
                  current_setting('listen_addresses')),
           'Put a certificate and its key where ssl_cert_file and ssl_key_file say; with both there this has a fix.'
           ' After the fix: SELECT pg_reload_conf();',
           CASE WHEN EXISTS (SELECT FROM pg_stat_file(current_setting('ssl_cert_file'), true) f WHERE f.size > 0)
                 AND EXISTS (SELECT FROM pg_stat_file(current_setting('ssl_key_file'), true) f WHERE f.size > 0)
                THEN 'ALTER SYSTEM SET ssl = on;' END
    WHERE current_setting('ssl') = 'off' AND current_setting('listen_addresses') <> ''
    UNION ALL
    SELECT 'client_authentication', 'fail',
           format('pg_hba.conf line %s lets %s in from %s without a password', h.line_number,
                  array_to_string(h.user_name, ', '), h.address),
           'Change its method to scram-sha-256, then: SELECT pg_reload_conf();', NULL
    FROM pg_hba_file_rules h
    WHERE h.type <> 'local' AND h.auth_method = 'trust' AND h.address !~ '^(127\.|::1|samehost|localhost)'
    UNION ALL
    SELECT 'password_encryption', 'warn', format('the password of role %I is kept as an MD5 hash', a.rolname),
           format('\password %I', a.rolname), NULL
    FROM pg_authid a WHERE a.rolcanlogin AND a.rolpassword ^@ 'md5'
    UNION ALL
    SELECT 'statement_statistics', 'warn',
           'pg_stat_statements is not preloaded: nobody knows which statements take the time',
           'Then restart the server.',
           format('ALTER SYSTEM SET shared_preload_libraries = %s;',
                  (SELECT string_agg(quote_literal(btrim(library)), ', ')
                   FROM string_to_table(concat_ws(',', nullif(current_setting('shared_preload_libraries'), ''),
                                                  'pg_stat_statements'), ',') AS library))
    WHERE current_setting('shared_preload_libraries') !~ '\mpg_stat_statements\M'
      AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements')
    UNION ALL
    SELECT 'statement_statistics', 'warn', 'pg_stat_statements is preloaded and not installed in this database', NULL,
           'CREATE EXTENSION pg_stat_statements;'
    WHERE current_setting('shared_preload_libraries') ~ '\mpg_stat_statements\M'
      AND NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')
    UNION ALL
    SELECT 'checksums', 'warn', 'pages have no checksums: a disk that lies is not found out',
           'Stop the server, then: pg_checksums --enable', NULL
    WHERE current_setting('data_checksums') = 'off'
$$;
COMMENT ON FUNCTION vrm_private.doctor_server() IS
    'for vrm.doctor(): who may connect, and what backups and statistics depend on';

REVOKE EXECUTE ON FUNCTION
    vrm_private.setting_values(text), vrm_private.doctor_settings(), vrm_private.doctor_identity(),
    vrm_private.doctor_server()
    FROM PUBLIC;

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
          AND g.kind <> 'TYPE' AND g.privilege NOT LIKE 'GRANT OPTION %'
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

REVOKE EXECUTE ON FUNCTION vrm_private.doctor_privileges() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.doctor_objects()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'objects', 'fail', 'missing: ' || m.statement, 'Superusers only; nothing else is changed.',
           'SELECT vrm.install();'
    FROM string_to_table(vrm.missing_from_platform(), E'\n') AS m (statement)
    UNION ALL
    SELECT 'objects', 'fail', format('column "%s" of %s is not there: renamed or dropped', m.missing, m.relation),
           'Nothing that reads or writes it works; the platform knows it by this name.', m.rename
    FROM vrm_private.missing_columns() m
    UNION ALL
    SELECT 'objects', 'fail', format('table %s lacks the policy "accounts in good standing only"', c.oid::regclass),
           'Superusers only; nothing else is changed.', 'SELECT vrm.install();'
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('vrm', 'vrm_private')
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id'
    WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT c.relispartition
      AND EXISTS (SELECT FROM pg_policy p
                  WHERE p.polrelid = c.oid AND p.polroles @> ARRAY['authenticated'::regrole::oid])
      AND NOT EXISTS (SELECT FROM pg_policy p
                      WHERE p.polrelid = c.oid AND p.polname = 'accounts in good standing only')
    UNION ALL
    SELECT 'objects', 'fail', format('column %s.%I takes plaintext: the trigger that binds values to rows is missing',
                                     s.relation, s.column_name),
           'What was written meanwhile is bound to no row: SELECT vrm.is_bound(column) tells.',
           format('SELECT vrm.seal_column(%L, %L, %L);', s.relation, s.column_name, s.per_subject)
    FROM vrm_private.sealed_columns s
    WHERE EXISTS (SELECT FROM pg_class WHERE oid = s.relation)
      AND NOT EXISTS (SELECT FROM vrm_private.sealed_triggers() t WHERE t.column_id = s.column_id)
    UNION ALL
    SELECT 'triggers', 'fail', format('trigger %I of %s is disabled', t.tgname, t.tgrelid::regclass),
           'What was written meanwhile has not gone through it.',
           format('ALTER TABLE %s ENABLE TRIGGER %I;', t.tgrelid::regclass, t.tgname)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace fn ON fn.oid = f.pronamespace
    WHERE (n.nspname IN ('vrm', 'vrm_private') OR fn.nspname IN ('vrm', 'vrm_private'))
      AND t.tgenabled = 'D' AND NOT t.tgisinternal
    UNION ALL
    SELECT 'constraints', 'warn',
           format('constraint %I of %s is NOT VALID: older rows may break it', k.conname, k.conrelid::regclass),
           'SHARE UPDATE EXCLUSIVE lock, one pass over the table.',
           format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', k.conrelid::regclass, k.conname)
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND NOT k.convalidated AND k.conrelid <> 0
      AND pg_get_constraintdef(k.oid) LIKE '% NOT VALID'  -- which one that is not enforced does not become
    UNION ALL
    SELECT 'indexes', 'fail',
           format('index %s is not valid: no query uses it, every write maintains it', i.indexrelid::regclass),
           'Blocks writes meanwhile; REINDEX INDEX CONCURRENTLY does not.',
           format('REINDEX INDEX %s;', i.indexrelid::regclass)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND NOT i.indisvalid AND c.relkind = 'i'
$$;
COMMENT ON FUNCTION vrm_private.doctor_objects() IS 'for vrm.doctor(): what is missing, disabled or not valid';

-- What cannot be looked at, because something that it reads is broken, keeps nothing else from being looked at.
CREATE OR REPLACE FUNCTION vrm_private.doctor_look(look text, checks text[])
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE 'SELECT * FROM vrm_private.' || look;
EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT c, 'unknown', format('it cannot be looked at, SQLSTATE %s: %s', SQLSTATE, SQLERRM),
                        'Mend first what other checks find.', NULL
                 FROM unnest(checks) AS c;
END
$$;
COMMENT ON FUNCTION vrm_private.doctor_look(text, text[]) IS
    'for vrm.doctor(): what a function finds, or that these checks cannot be done';

-- Every check says something: what is wrong, or what was looked at.
CREATE OR REPLACE FUNCTION vrm_private.doctor()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH findings AS MATERIALIZED (
        SELECT l.*
        FROM (VALUES
            ('doctor_settings()', '{archiving,autovacuum,configuration,durability,event_triggers,identity,lockout,'
                                  'parameter_log,password_encryption,planner,row_security,secret_literals,'
                                  'statement_log,triggers}'::text[]),
            ('doctor_server()', '{checksums,client_authentication,password_encryption,ssl,statement_statistics}'),
            ('doctor_archiving()', '{archiving}'),
            ('doctor_identity()', '{identity,keyring,master_key,trusted_logins}'),
            ('doctor_roles()', '{roles,server_files}'),
            ('doctor_privileges()', '{grants,ownership,row_level_security,search_path}'),
            ('doctor_intended()', '{event_triggers,grants,policies,routines,row_level_security,triggers}'),
            ('doctor_structure()', '{columns,constraints,defaults,indexes,views}'),
            ('doctor_bypasses()', '{constraints,row_level_security,rules}'),
            ('doctor_api()', '{api}'),
            ('doctor_publications()', '{publications}'),
            ('doctor_objects()', '{constraints,indexes,objects,triggers}'),
            ('doctor_maintenance()', '{maintenance,retention}'),
            ('doctor_realtime()', '{realtime}'),
            ('doctor_facts((SELECT now() - p.keep FROM vrm.retention_policies p WHERE p.name = ''analytics.facts'''
             ' AND p.enabled))', '{facts}'),
            ('doctor_schedule()', '{maintenance,retention}'),
            ('doctor_replica_identities()', '{replica_identities}'),
            ('doctor_planner()', '{planner}'),
            ('doctor_standbys()', '{standbys}')) AS p (look, checks),
            LATERAL vrm_private.doctor_look(p.look, p.checks) AS l
    )
    -- a standby has settings of its own, and nothing else that could be mended there
    SELECT c.check_name, coalesce(f.status, 'ok'), coalesce(f.detail, c.good),
           CASE WHEN w.elsewhere THEN concat_ws(' ', f.hint, 'On the primary server: ' || f.fix_sql) ELSE f.hint END,
           CASE WHEN w.elsewhere IS NOT TRUE THEN f.fix_sql END
    FROM (VALUES
        (1, 'objects', 'every table, column default, index, policy, trigger and function is there'),
        (2, 'triggers', 'no trigger is disabled'),
        (3, 'event_triggers', 'no event trigger is disabled'),
        (4, 'routines', 'every routine is as it was installed'),
        (5, 'columns', 'every column is there and takes what it should'),
        (6, 'defaults', 'every column gets what it should when nothing is said'),
        (7, 'constraints', 'every constraint is as it was installed, and holds for all rows'),
        (8, 'indexes', 'every index is valid, and every unique one as it was installed'),
        (9, 'views', 'every view shows what it was installed with'),
        (10, 'rules', 'no rule does something else than was written'),
        (11, 'api', 'schema vrm_api is as vrm.make_api() has made it, or is not there'),
        (12, 'maintenance', 'vrm.maintain() is being called'),
        (13, 'retention', 'no retention policy has failed, and no row of one'),
        (14, 'roles', 'the roles of applications have no attribute and no membership that opens more'),
        (15, 'grants', 'every privilege is as it was installed'),
        (16, 'policies', 'every policy says what it was installed with'),
        (17, 'row_level_security', 'every table and view that users reach obeys it'),
        (18, 'search_path', 'every function that runs with its owner''s rights pins it'),
        (19, 'ownership', 'schemas, tables and functions belong to a superuser'),
        (20, 'server_files', 'nobody but superusers reads files of the server'),
        (21, 'identity', 'tokens are believed, or a login is trusted, for a transaction at a time'),
        (22, 'trusted_logins', 'every trusted login is a role, and none that people take'),
        (23, 'master_key', 'the master key can be read, by nobody else, and opens the keyring'),
        (24, 'keyring', 'there are active keys'),
        (25, 'secret_literals', 'a secret in the text of a statement is noticed'),
        (26, 'lockout', 'locks are flushed before the reply'),
        (27, 'statement_log', 'statements of applications are not logged'),
        (28, 'parameter_log', 'parameters are not logged'),
        (29, 'password_encryption', 'passwords of roles are kept as SCRAM verifiers'),
        (30, 'client_authentication', 'nobody gets in from outside without a password'),
        (31, 'ssl', 'connections over the network are encrypted'),
        (32, 'row_security', 'policies are applied'),
        (33, 'durability', 'what is committed stays'),
        (34, 'archiving', 'WAL is archived'),
        (35, 'checksums', 'pages have checksums'),
        (36, 'autovacuum', 'autovacuum runs'),
        (37, 'statement_statistics', 'pg_stat_statements counts'),
        (38, 'publications', 'no publication shows what is nobody''s to be sent'),
        (39, 'replica_identities', 'no publication keeps a table from being written'),
        (40, 'realtime', 'who follows changes of tables gets them, and nothing of others'),
        (41, 'standbys', 'standbys and slots have what they need'),
        (42, 'configuration', 'the configuration files are read as they stand'),
        (43, 'facts', 'statistics know of every call that was looked at'),
        (44, 'planner', 'the planner has its switches on, and statistics of large tables')
    ) AS c (position, check_name, good)
    LEFT JOIN findings f ON f.check_name = c.check_name
    CROSS JOIN LATERAL (SELECT pg_is_in_recovery()
                        AND f.fix_sql !~ '^(ALTER SYSTEM|SELECT \*|SELECT pg_drop_replication_slot)') AS w (elsewhere)
    ORDER BY c.position, f.detail
$$;
COMMENT ON FUNCTION vrm_private.doctor() IS 'for vrm.doctor(): all there is to say about a platform that is there';

REVOKE EXECUTE ON FUNCTION
    vrm_private.doctor_objects(), vrm_private.doctor_look(text, text[]), vrm_private.doctor()
    FROM PUBLIC;
