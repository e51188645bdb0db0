-- From nothing to green: what a server still lacks, in the order in which it is given

CREATE OR REPLACE FUNCTION vrm_private.preload_wanted() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH now_there AS (
        SELECT btrim(l, ' "') AS library, n
        FROM string_to_table(current_setting('shared_preload_libraries'), ',') WITH ORDINALITY AS l (l, n)
        WHERE l <> ''
    ), missing AS (
        SELECT e.name::text AS library FROM pg_available_extensions e
        WHERE e.name IN ('pg_stat_statements', 'pg_cron') AND e.name::text NOT IN (SELECT t.library FROM now_there t)
    )
    SELECT string_agg(quote_literal(w.library), ', ' ORDER BY w.n, w.library)
    FROM (SELECT t.library, t.n FROM now_there t UNION ALL SELECT m.library, 1000 FROM missing m) AS w
    WHERE EXISTS (SELECT FROM missing)
$$;
COMMENT ON FUNCTION vrm_private.preload_wanted() IS
    'what shared_preload_libraries should be; null when nothing that there is lacks';

-- What needs a restart is an error in there until then.
CREATE OR REPLACE FUNCTION vrm_private.file_setting(setting_name text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT f.setting FROM pg_file_settings f WHERE f.name = setting_name
    ORDER BY f.seqno DESC LIMIT 1
$$;
COMMENT ON FUNCTION vrm_private.file_setting(text) IS
    'what the files say of a setting, before the server has read them';

-- Keys, issuer, archiving, statistics: what the database itself has to be told.
CREATE OR REPLACE FUNCTION vrm_private.setup_server()
    RETURNS TABLE (step integer, topic text, done boolean, detail text, shell text, sql text, why text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH place AS (
        SELECT regexp_replace(current_setting('data_directory'), '/[^/]+/?$', '') || '/vrm-master-key' AS key_file
    ), command AS (
        SELECT coalesce(nullif(vrm_private.file_setting('archive_command'), ''),
                        nullif(vrm_private.file_setting('archive_library'), '')) AS in_file,
               EXISTS (SELECT FROM pg_settings s WHERE s.name IN ('archive_command', 'archive_library')
                       AND s.reset_val <> '') AS is_set
    )
    SELECT 10, 'master_key', m.detail IS NULL, coalesce(m.detail, 'the master key can be read'),
           CASE WHEN m.detail ~ '^no master key is configured' AND lost IS NULL THEN
               format('umask 077; set -C; echo "$(date +%%F):$(openssl rand -base64 32)" > %s;'
                      ' psql -X -d %s -c "LOAD ''vrm''" -c %s -c "SELECT pg_reload_conf()"',
                      vrm_private.shell_word(p.key_file), vrm_private.shell_word(current_database()),
                      vrm_private.shell_word(format('ALTER SYSTEM SET vrm.master_key_file = %L', p.key_file))) END,
           CASE WHEN lost IS NOT NULL THEN
                    'SELECT detail, hint FROM vrm.doctor() WHERE check_name = ''master_key'';'
                WHEN m.detail !~ '^no master key is configured' THEN 'SELECT * FROM vrm.master_key_problem();' END,
           'secrets are sealed under keys that are wrapped by it; keep a copy where backups of the database are not'
    FROM vrm.master_key_problem() m, place p, vrm_private.hint_of_lost_master_key(m.detail) AS lost
    UNION ALL
    SELECT 20, 'keys', k.missing IS NULL, coalesce('there is no active key of purpose ' || k.purposes,
                                                   'there are active keys'),
           NULL, 'SELECT ' || k.missing || ';', 'without them nothing can be sealed: no API key, no second factor'
    FROM (SELECT string_agg(format('vrm.key_create(%L)', p), ', ') AS missing, string_agg(p, ', ') AS purposes
          FROM unnest('{data,blind_index}'::text[]) AS p
          WHERE NOT EXISTS (SELECT FROM vrm_private.keyring k WHERE k.purpose = p AND k.state = 'active')) AS k
    UNION ALL
    SELECT 30, 'issuer', i.there, CASE WHEN i.there THEN 'tokens are believed, or a login is trusted'
                                       ELSE 'no token is believed and no login is trusted' END,
           NULL, 'SELECT vrm.rotate_token_key();',
           'nobody can sign in before; for tokens of another issuer: SELECT vrm.jwk_import(keys, issuer); instead'
    FROM (SELECT EXISTS (SELECT FROM vrm_private.jwt_keys)
                 OR EXISTS (SELECT FROM vrm_private.setting_values('vrm.trusted_logins') v WHERE v.value <> ''))
         AS i (there)
    UNION ALL
    SELECT 40, 'preload',
           coalesce(w.libraries = (SELECT string_agg(quote_literal(btrim(l, ' "')), ', ')
                                   FROM string_to_table(vrm_private.file_setting('shared_preload_libraries'), ',')
                                        AS l),
                    w.libraries IS NULL),
           'shared_preload_libraries is ' || quote_literal(current_setting('shared_preload_libraries')),
           NULL,
           format('ALTER SYSTEM SET shared_preload_libraries = %s;', w.libraries)
           || CASE WHEN w.libraries ~ 'pg_cron' AND current_setting('cron.database_name', true) IS NULL THEN
                  format(E'\nSET cron.database_name = %1$L; SET cron.use_background_workers = on;\n'
                         'ALTER SYSTEM SET cron.database_name = %1$L;\n'
                         'ALTER SYSTEM SET cron.use_background_workers = on;', current_database()) ELSE '' END,
           'pg_stat_statements tells which statements take the time, pg_cron calls vrm.maintain(); with background'
           ' workers it needs no login, which pg_hba.conf of Debian refuses'
    FROM vrm_private.preload_wanted() AS w (libraries)
    UNION ALL
    SELECT 50, 'archive_command', c.is_set OR c.in_file IS NOT NULL,
           CASE WHEN c.is_set THEN 'there is a command' ELSE 'archive_command is not set' END, NULL,
           E'ALTER SYSTEM SET archive_command = ''pgbackrest --stanza=main archive-push "%p"'';\n'
           'ALTER SYSTEM SET archive_timeout = ''5min'';\nSELECT pg_reload_conf();',
           'pgbackrest.conf comes first: doc/operations/setup.md; without the archive all since the last backup is lost'
    FROM command c
    UNION ALL
    -- never before the command: WAL would pile up until the disk is full
    SELECT 60, 'archive_mode', current_setting('archive_mode') <> 'off'
                               OR coalesce(vrm_private.file_setting('archive_mode'), 'off') <> 'off',
           'archive_mode is ' || current_setting('archive_mode'), NULL,
           CASE current_setting('wal_level') WHEN 'minimal' THEN E'ALTER SYSTEM SET wal_level = replica;\n' ELSE '' END
           || 'ALTER SYSTEM SET archive_mode = on;', 'WAL is what is archived'
    FROM command c WHERE c.is_set
    UNION ALL
    SELECT 70, 'restart', r.settings IS NULL, coalesce('changed and waiting for a restart: ' || r.settings,
                                                       'nothing waits for a restart'),
           'sudo systemctl restart postgresql', NULL, 'these settings are read when the server starts'
    FROM (SELECT string_agg(DISTINCT f.name, ', ') AS settings
          FROM pg_file_settings f JOIN pg_settings s ON s.name = f.name AND s.context = 'postmaster'
          WHERE s.pending_restart
             OR f.name IN ('archive_mode', 'shared_preload_libraries', 'wal_level')
                AND s.source NOT IN ('command line', 'override')
                AND vrm_private.file_setting(f.name) IS DISTINCT FROM s.reset_val) AS r
    UNION ALL
    SELECT 80, 'extensions', e.missing IS NULL, coalesce('not in this database: ' || e.names,
                                                         'they are in this database'),
           NULL, e.missing, 'they are loaded, and belong to the database that vrm is in'
    FROM (SELECT string_agg(format('CREATE EXTENSION %I;', l), E'\n') AS missing, string_agg(l, ', ') AS names
          FROM unnest('{pg_stat_statements,pg_cron}'::text[]) AS l
          WHERE current_setting('shared_preload_libraries') ~ ('\m' || l || '\M')
            AND (l <> 'pg_cron' OR current_setting('cron.database_name', true) = current_database())
            AND NOT EXISTS (SELECT FROM pg_extension x WHERE x.extname = l)) AS e
$$;
COMMENT ON FUNCTION vrm_private.setup_server() IS 'for vrm.setup(): keys, issuer and settings of the server';

-- What has to go on by itself from then on.
CREATE OR REPLACE FUNCTION vrm_private.setup_upkeep()
    RETURNS TABLE (step integer, topic text, status text, detail text, shell text, sql text, why text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH recovery AS MATERIALIZED (SELECT * FROM vrm.recovery_status()),
    visits AS (
        SELECT coalesce(v.at > now() - interval '15 minutes', false) AS lately,
               EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') AS cron,
               EXISTS (SELECT FROM vrm_private.cron_runs()) AS has_job,
               format('psql -Xq -d %s -c "CALL vrm.maintain()"', vrm_private.shell_word(current_database())) AS call
        FROM vrm_private.last_visit() AS v (at)
    )
    SELECT 90, 'archive',
           CASE WHEN a.last_failed_time > coalesce(a.last_archived_time, '-infinity') OR a.archived_count = 0
                THEN 'to do' ELSE 'done' END,
           CASE WHEN a.last_archived_time IS NULL THEN 'no segment has been archived yet'
                ELSE format('the last segment was archived at %s', a.last_archived_time) END,
           'pgbackrest --stanza=main stanza-create; pgbackrest --stanza=main check', NULL,
           'a command that was never seen to work does not count'
    FROM pg_stat_archiver a WHERE current_setting('archive_mode') <> 'off'
    UNION ALL
    SELECT 100, 'schedule', CASE WHEN v.lately THEN 'done' WHEN v.has_job THEN 'unknown' ELSE 'to do' END,
           CASE WHEN v.lately THEN 'vrm.maintain() is being called'
                WHEN v.has_job THEN 'there is a job, and it has not been seen to work: SELECT * FROM vrm.doctor();'
                ELSE 'nobody calls vrm.maintain()' END,
           CASE WHEN NOT v.cron AND NOT v.has_job THEN
               format('(crontab -l 2>/dev/null; echo %s) | crontab -; %s',
                      vrm_private.shell_word('*/5 * * * * ' || replace(v.call, '%', '\%')), v.call) END,
           CASE WHEN v.cron AND NOT v.has_job THEN 'SELECT vrm.schedule_maintenance();'
                WHEN v.has_job THEN 'CALL vrm.maintain();' END,
           'nothing keeps itself in order; a timer of systemd does as well: doc/operations/maintenance.md'
    FROM visits v
    UNION ALL
    SELECT 110, 'metrics', CASE WHEN w.sessions > 0 THEN 'done' WHEN w.roles = 0 THEN 'to do' ELSE 'unknown' END,
           CASE WHEN w.sessions > 0 THEN 'somebody reads them'
                WHEN w.roles = 0 THEN 'there is no role for an exporter' ELSE 'nobody reads them now' END,
           CASE WHEN w.roles > 0 THEN
               format('psql -XAt -d %s -c "SELECT vrm.exporter_config(''postgres_exporter'')" > vrm-queries.yml',
                      vrm_private.shell_word(current_database())) END,
           CASE WHEN w.roles = 0 THEN 'CREATE ROLE prometheus LOGIN IN ROLE pg_monitor;' END,
           'alerts need them; how they get into Prometheus: doc/operations/operations.md'
    FROM (SELECT count(DISTINCT r.oid) AS roles, count(a.pid) AS sessions
          FROM pg_roles r LEFT JOIN pg_stat_activity a ON a.usesysid = r.oid
          WHERE r.rolcanlogin AND NOT r.rolsuper AND pg_has_role(r.oid, 'pg_monitor', 'MEMBER')) AS w
    UNION ALL
    SELECT 120, 'backup', CASE r.status WHEN 'ok' THEN 'done' ELSE 'to do' END, r.detail,
           'vrm-backup -d ' || vrm_private.shell_word(current_database())
           || ' run -- pgbackrest --stanza=main --type=full backup', NULL,
           'once a day, by cron or a timer: it records what came of it'
    FROM recovery r WHERE r.check_name = 'full_backup'
    UNION ALL
    SELECT 130, 'restore', CASE r.status WHEN 'ok' THEN 'done' ELSE 'unknown' END, r.detail, NULL,
           CASE WHEN r.status <> 'ok' THEN 'CALL vrm.pre_deploy(''drill'');' END,
           'a backup that was never restored is a hope: restore to this point as doc/operations/backup.md shows'
    FROM recovery r WHERE r.check_name = 'rto'
$$;
COMMENT ON FUNCTION vrm_private.setup_upkeep() IS 'for vrm.setup(): what has to go on by itself from then on';

CREATE OR REPLACE FUNCTION vrm.setup()
    RETURNS TABLE (step integer, topic text, status text, detail text, shell text, sql text, why text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM vrm.require_grant('vrm.setup()');
    RETURN QUERY
        WITH steps AS (
            SELECT s.step, s.topic, CASE WHEN s.done THEN 'done' ELSE 'to do' END AS status, s.detail, s.shell, s.sql,
                   s.why
            FROM vrm_private.setup_server() s
            UNION ALL
            SELECT * FROM vrm_private.setup_upkeep()
            UNION ALL
            SELECT 140, 'doctor', CASE WHEN d.bad = 0 THEN 'done' ELSE 'unknown' END,
                   format('vrm.doctor() has %s findings that fail, %s that warn and %s that are not known yet', d.bad,
                          d.poor, d.unknown),
                   NULL, 'SELECT check_name, status, detail, hint, fix_sql FROM vrm.doctor() WHERE status <> ''ok'';',
                   'read them one by one: each says what it is about, and the statement that mends it'
            FROM (SELECT count(*) FILTER (WHERE d.status = 'fail') AS bad,
                         count(*) FILTER (WHERE d.status = 'warn') AS poor,
                         count(*) FILTER (WHERE d.status = 'unknown') AS unknown FROM vrm.doctor() d) AS d
            UNION ALL
            SELECT 5, 'standby', 'unknown', 'this is a standby: what is written is set up on its primary server', NULL,
                   NULL, 'it gets with the WAL all but its files and settings'
        )
        SELECT s.step, s.topic, s.status, s.detail, CASE WHEN s.status <> 'done' THEN s.shell END,
               CASE WHEN s.status <> 'done' THEN s.sql END, s.why
        FROM steps s
        WHERE CASE WHEN pg_is_in_recovery() THEN
                  s.topic IN ('standby', 'master_key', 'preload', 'archive_command', 'archive_mode', 'restart',
                              'doctor')
              ELSE s.topic <> 'standby' END
        ORDER BY s.step;
END
$$;
COMMENT ON FUNCTION vrm.setup() IS
    'what a server still lacks, in order: what to run in a shell or as SQL, and why; it does nothing itself';

REVOKE EXECUTE ON FUNCTION
    vrm_private.preload_wanted(), vrm_private.file_setting(text), vrm_private.setup_server(),
    vrm_private.setup_upkeep(), vrm.setup()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.setup() TO pg_monitor;
