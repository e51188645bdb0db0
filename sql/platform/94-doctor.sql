-- Doctor: settings that endanger data or secrets ---------------------------------------------------

-- Where a setting comes from decides which statement changes it: a value of the database or of a role
-- wins over what ALTER SYSTEM writes, and what stands on the command line over all of them.
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
        ('row_security', 'row_security', '^off$', 'on', 'fail', 'every query of the application is refused'),
        ('identity', 'vrm.session_login', '^on$', 'off', 'fail',
         'behind a pooler, one person''s identity is handed to the next'),
        ('secret_literals', 'vrm.secret_literals', '^allow$', 'warn', 'warn',
         'nobody is told when a secret stands in the text of a statement'),
        ('lockout', 'vrm.lockout_durability', '^async$', 'lock', 'warn', 'a crash may forget that an account is locked')
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

-- Whom the database believes --------------------------------------------------------------------------

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
           m.detail, m.hint, NULL
    FROM vrm.master_key_problem() AS m WHERE m.detail IS NOT NULL
    UNION ALL
    SELECT 'keyring', 'warn', format('there is no active key of purpose "%s"', p.purpose),
           'It needs a master key, see doc/secrets.md.', format('SELECT vrm.key_create(%L);', p.purpose)
    FROM unnest(ARRAY['data', 'blind_index']) AS p (purpose)
    WHERE NOT EXISTS (SELECT FROM vrm_private.keyring k WHERE k.purpose = p.purpose AND k.state = 'active')
$$;
COMMENT ON FUNCTION vrm_private.doctor_identity() IS
    'for vrm.doctor(): whose claims and tokens are believed, and whether sealed values can be opened';

-- What lets strangers in, and what brings data back -------------------------------------------------------

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
    SELECT 'archiving', 'warn', 'archive_mode is off: there is no way back to a moment between two backups',
           CASE WHEN c.possible THEN 'Then restart the server.'
                ELSE 'Set archive_command first, and wal_level: without a command, WAL piles up.' END,
           CASE WHEN c.possible THEN 'ALTER SYSTEM SET archive_mode = on;' END
    FROM (SELECT bool_or(p.reset_val <> '') AND current_setting('wal_level') <> 'minimal' AS possible FROM pg_settings p
          WHERE p.name IN ('archive_command', 'archive_library')) AS c
    WHERE current_setting('archive_mode') = 'off'
    UNION ALL
    SELECT 'archiving', 'fail',
           'archive_mode is on and there is no archive_command: WAL piles up until the disk is full',
           'Set archive_command; the fix lets WAL go. Then restart the server.',
           'ALTER SYSTEM SET archive_mode = off;'
    WHERE current_setting('archive_mode') <> 'off'
      AND NOT EXISTS (SELECT FROM pg_settings p WHERE p.name IN ('archive_command', 'archive_library')
          AND p.reset_val <> '')
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
