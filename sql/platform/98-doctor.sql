-- Doctor: objects and maintenance, and all findings together -----------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.doctor_objects()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'objects', 'fail', 'missing: ' || m.statement, 'Superusers only; nothing else is changed.',
           'SELECT vrm.install();'
    FROM string_to_table(vrm.missing_from_platform(), E'\n') AS m (statement)
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
    WHERE n.nspname IN ('vrm', 'vrm_private') AND t.tgenabled = 'D' AND NOT t.tgisinternal
    UNION ALL
    SELECT 'constraints', 'warn',
           format('constraint %I of %s is NOT VALID: older rows may break it', k.conname, k.conrelid::regclass),
           'SHARE UPDATE EXCLUSIVE lock, one pass over the table.',
           format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', k.conrelid::regclass, k.conname)
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND NOT k.convalidated AND k.conrelid <> 0
    UNION ALL
    SELECT 'indexes', 'fail',
           format('index %s is not valid: no query uses it, every write maintains it', i.indexrelid::regclass),
           'Blocks writes meanwhile; REINDEX INDEX CONCURRENTLY does not.',
           format('REINDEX INDEX %s;', i.indexrelid::regclass)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('vrm', 'vrm_private') AND NOT i.indisvalid AND c.relkind = 'i'
$$;
COMMENT ON FUNCTION vrm_private.doctor_objects() IS 'for vrm.doctor(): what is missing, disabled or not valid';

-- A policy that is due for an hour, or a call that ended itself an hour ago, means that nobody calls.
CREATE OR REPLACE FUNCTION vrm_private.doctor_maintenance()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH last_run AS (
        SELECT p.name, p.every, l.state, l.started_at, l.error
        FROM vrm.retention_policies p
        LEFT JOIN LATERAL (SELECT r.state, r.started_at, r.error FROM vrm.retention_runs r
                           WHERE r.policy = p.name ORDER BY r.run_id DESC LIMIT 1) AS l ON true
        WHERE p.enabled AND p.keep IS NOT NULL
    ), waiting (what, since) AS (
        SELECT format('retention policy "%s" has been due', l.name), l.started_at + l.every
        FROM last_run l WHERE l.state IS NOT NULL AND l.state NOT IN ('running', 'failed')
        UNION ALL
        SELECT 'it has not been called', (SELECT min(h.at) FROM vrm_private.platform_history h)
        WHERE NOT EXISTS (SELECT FROM vrm.retention_runs)
        UNION ALL
        SELECT format('call %s has been over its time limit', r.id), r.started_at + make_interval(secs => r.time_limit)
        FROM vrm.test_runs r WHERE r.status IN ('queued', 'running') AND isfinite(r.started_at)
    )
    (SELECT 'maintenance', 'fail',
            format('nobody calls vrm.maintain(): %s since %s', w.what, to_char(w.since, 'YYYY-MM-DD HH24:MI TZ')),
            'The fix does it once, by itself in a transaction; then see doc/maintenance.md for a schedule.',
            'CALL vrm.maintain();'
     FROM waiting w WHERE w.since < now() - interval '1 hour' ORDER BY w.since LIMIT 1)
    UNION ALL
    SELECT 'maintenance', 'warn', 'pg_cron is here and has no job that calls vrm.maintain()', NULL,
           'SELECT vrm.schedule_maintenance();'
    -- only what is pg_cron's: a view that somebody planted under its name could run anything
    WHERE CASE WHEN EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                            WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'pg_cron'
                              AND d.classid = 'pg_class'::regclass AND d.objid = to_regclass('cron.job')) THEN
               (xpath('count(//command[contains(., "vrm.maintain")])',
                      query_to_xml('SELECT command FROM cron.job WHERE active', false, false, '')))[1]::text = '0' END
    UNION ALL
    SELECT 'retention', 'warn', format('retention policy "%s" failed at %s: %s', l.name,
                                       to_char(l.started_at, 'YYYY-MM-DD HH24:MI TZ'), l.error),
           'Mend what it names; the fix, by itself in a transaction, tries again.',
           format('CALL vrm.run_retention(%L);', l.name)
    FROM last_run l WHERE l.state = 'failed'
$$;
COMMENT ON FUNCTION vrm_private.doctor_maintenance() IS
    'for vrm.doctor(): what is done every few minutes, and what has failed';

-- Every check says something: what is wrong, or what was looked at.
CREATE OR REPLACE FUNCTION vrm_private.doctor()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH findings AS MATERIALIZED (
        SELECT * FROM vrm_private.doctor_settings()
        UNION ALL SELECT * FROM vrm_private.doctor_server()
        UNION ALL SELECT * FROM vrm_private.doctor_identity()
        UNION ALL SELECT * FROM vrm_private.doctor_roles()
        UNION ALL SELECT * FROM vrm_private.doctor_privileges()
        UNION ALL SELECT * FROM vrm_private.doctor_objects()
        UNION ALL SELECT * FROM vrm_private.doctor_maintenance()
    )
    SELECT c.check_name, coalesce(f.status, 'ok'), coalesce(f.detail, c.good), f.hint, f.fix_sql
    FROM (VALUES
        (1, 'objects', 'every table, column default, index, policy, trigger and function is there'),
        (2, 'triggers', 'no trigger is disabled'),
        (3, 'constraints', 'every constraint holds for all rows'),
        (4, 'indexes', 'every index is valid'),
        (5, 'maintenance', 'vrm.maintain() is being called'),
        (6, 'retention', 'no retention policy has failed'),
        (7, 'roles', 'the roles of applications have no attribute and no membership that opens more'),
        (8, 'grants', 'no privilege goes to PUBLIC, to anon, or past row level security'),
        (9, 'row_level_security', 'every table and view that users reach obeys it'),
        (10, 'search_path', 'every function that runs with its owner''s rights pins it'),
        (11, 'ownership', 'schemas, tables and functions belong to a superuser'),
        (12, 'server_files', 'nobody but superusers reads files of the server'),
        (13, 'identity', 'tokens are believed, or a login is trusted, for a transaction at a time'),
        (14, 'trusted_logins', 'every trusted login is a role, and none that people take'),
        (15, 'master_key', 'the master key can be read, and by nobody else'),
        (16, 'keyring', 'there are active keys'),
        (17, 'secret_literals', 'a secret in the text of a statement is noticed'),
        (18, 'lockout', 'locks are flushed before the reply'),
        (19, 'statement_log', 'statements of applications are not logged'),
        (20, 'parameter_log', 'parameters are not logged'),
        (21, 'password_encryption', 'passwords of roles are kept as SCRAM verifiers'),
        (22, 'client_authentication', 'nobody gets in from outside without a password'),
        (23, 'ssl', 'connections over the network are encrypted'),
        (24, 'row_security', 'policies are applied'),
        (25, 'durability', 'what is committed stays'),
        (26, 'archiving', 'WAL is archived'),
        (27, 'checksums', 'pages have checksums'),
        (28, 'autovacuum', 'autovacuum runs'),
        (29, 'statement_statistics', 'pg_stat_statements counts'),
        (30, 'configuration', 'the configuration files are read as they stand')) AS c (position, check_name, good)
    LEFT JOIN findings f ON f.check_name = c.check_name
    ORDER BY c.position, f.detail
$$;
COMMENT ON FUNCTION vrm_private.doctor() IS 'for vrm.doctor(): all there is to say about a platform that is there';

REVOKE EXECUTE ON FUNCTION
    vrm_private.doctor_objects(), vrm_private.doctor_maintenance(), vrm_private.doctor()
    FROM PUBLIC;
GRANT USAGE ON SCHEMA vrm TO pg_monitor;
