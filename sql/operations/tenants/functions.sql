-- Whose the rows of each table are

-- What has no column user_id, or has one and yet does not go along.  A table of the platform that is neither
-- here nor has that column belongs to nobody knows whom: it is named in each export, and a test fails.
--   stays    rows of tenants that mean something here only
--   shared   of the installation: the same wherever it is installed
--   local    what this server has done and seen
CREATE OR REPLACE FUNCTION vrm_private.tenant_exceptions() RETURNS TABLE (relation regclass, fate text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_regclass(e.relation), e.fate, e.reason
    FROM (VALUES
        ('vrm_private.sessions', 'stays', 'tokens are signed with keys of this database: people sign in anew'),
        ('vrm_private.refresh_tokens', 'stays', 'they belong to sessions, which stay'),
        ('vrm_private.mfa_tickets', 'stays', 'a sign-in is finished where it began'),
        ('vrm_private.password_reset_tokens', 'stays', 'whoever has asked for a reset asks again'),
        ('vrm_private.password_reset_requests', 'stays', 'work of the mailer here'),
        ('vrm_private.sign_ups', 'stays', 'an address is proved where it was given'),
        ('vrm_private.subject_keys', 'stays', 'they derive keys of this database; the other makes its own'),
        ('vrm_private.object_purges', 'stays', 'work of the object store here'),
        ('vrm.cached_results', 'stays', 'computed anew'),
        ('vrm.retention_refused', 'stays', 'the other database finds out itself'),
        ('vrm_private.erasure_ledger', 'stays', 'proof of what was erased here'),
        ('vrm.audit_log', 'stays', 'sealed with the entries of others, as proof of what happened here'),
        ('vrm_private.audit_journal', 'stays', 'part of the audit trail, which stays'),
        ('vrm_private.keyring', 'shared', 'keys of the database'),
        ('vrm_private.lockout_secret', 'shared', 'a key of the database'),
        ('vrm_private.jwt_keys', 'shared', 'keys of the issuers that are trusted'),
        ('vrm_private.token_keys', 'shared', 'keys that sign tokens'),
        ('vrm_private.sealed_columns', 'shared', 'part of the schema'),
        ('vrm_private.sealed_contexts', 'shared', 'part of the schema'),
        ('vrm_private.column_classes', 'shared', 'part of the schema'),
        ('vrm_private.intended', 'shared', 'part of the schema'),
        ('vrm_private.search', 'shared', 'a setting'),
        ('vrm.lockout_policy', 'shared', 'a setting'),
        ('vrm.retention_policies', 'shared', 'a setting'),
        ('vrm.test_case_templates', 'shared', 'a setting'),
        ('vrm.call_outcomes', 'shared', 'a setting'),
        ('vrm.speaker_roles', 'shared', 'a setting'),
        ('vrm.quality_check', 'shared', 'a setting'),
        ('vrm.monitoring_metrics', 'shared', 'a setting'),
        ('vrm.alert_threshold', 'shared', 'a setting'),
        ('vrm_private.lockout', 'local', 'attempts that were counted here'),
        ('vrm_private.lockout_requests', 'local', 'attempts that were counted here'),
        ('vrm_private.lockout_sessions', 'local', 'attempts that were counted here'),
        ('vrm_private.lockout_used', 'local', 'attempts that were counted here'),
        ('vrm_private.platform_history', 'local', 'what was installed here'),
        ('vrm_private.clock', 'local', 'the clock of this server'),
        ('vrm_private.key_rotations', 'local', 'work on the rows that are here'),
        ('vrm_private.audit_journal_count', 'local', 'part of the audit trail'),
        ('vrm_private.audit_seals', 'local', 'part of the audit trail'),
        ('vrm_private.hold_changes', 'local', 'a lock'),
        ('vrm_private.archive_manifest', 'local', 'batches of many tenants'),
        ('vrm_private.archive_removals', 'local', 'batches of many tenants'),
        ('vrm.retention_runs', 'local', 'work on the rows that are here'),
        ('vrm.maintenance_failures', 'local', 'work on the rows that are here'),
        ('vrm.storage_samples', 'local', 'disks of this server'),
        ('vrm.backups', 'local', 'backups of this server'),
        ('vrm.backup_repositories', 'local', 'backups of this server'),
        ('vrm.restore_points', 'local', 'backups of this server'),
        ('vrm.restore_drills', 'local', 'backups of this server'),
        ('vrm_private.fingerprints', 'local', 'backups of this server'),
        ('vrm.quality_run', 'local', 'findings about the rows that are here'),
        ('vrm.alert_history', 'local', 'alerts of this server'),
        ('vrm_private.monitoring_state', 'local', 'samples of this server')) AS e (relation, fate, reason)
    WHERE to_regclass(e.relation) IS NOT NULL
$$;
COMMENT ON FUNCTION vrm_private.tenant_exceptions() IS 'tables whose rows do not go along with a tenant, and why';

-- The condition is on a row "r", $1 the tenant.  What is not owned by a superuser has defaults, checks and
-- triggers of somebody whose code an import would run as one.
CREATE OR REPLACE FUNCTION vrm_private.tenant_tables()
    RETURNS TABLE (relation regclass, fate text, condition text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.oid::regclass,
           CASE WHEN e.fate IS NOT NULL THEN e.fate WHEN w.condition IS NULL THEN 'unknown'
                WHEN NOT o.rolsuper THEN 'unknown' ELSE 'moves' END,
           w.condition,
           coalesce(e.reason, CASE WHEN w.condition IS NULL THEN 'nobody has said whose its rows are'
                                   WHEN NOT o.rolsuper THEN 'it belongs to no superuser' END)
    FROM pg_class c
    JOIN pg_roles o ON o.oid = c.relowner
    LEFT JOIN vrm_private.tenant_exceptions() e ON e.relation = c.oid
    CROSS JOIN LATERAL (SELECT CASE
        WHEN c.oid IN ('auth.users'::regclass, 'vrm.user_profiles'::regclass) THEN 'r.id = $1'
        -- a case that another tenant shares stays with that tenant
        WHEN c.oid = 'vrm.test_run_cases'::regclass THEN 'r.user_id = $1 AND r.case_user_id = $1'
        WHEN c.oid = 'vrm_private.legal_holds'::regclass
        THEN 'coalesce(r.user_id, (SELECT g.user_id FROM vrm.agents AS g WHERE g.user_id = $1 AND g.id = r.agent_id),'
             ' (SELECT l.user_id FROM vrm.test_runs AS l WHERE l.user_id = $1 AND l.id = r.run_id),'
             ' (SELECT a.user_id FROM vrm_private.test_runs_archive AS a WHERE a.user_id = $1 AND a.id = r.run_id'
             '  LIMIT 1)) = $1'
        WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'user_id'
                                                  AND a.atttypid = 'uuid'::regtype AND NOT a.attisdropped)
        THEN 'r.user_id = $1' END) AS w (condition)
    WHERE (c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace) OR c.oid = 'auth.users'::regclass)
      AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
$$;
COMMENT ON FUNCTION vrm_private.tenant_tables() IS
    'every table of the platform: whether its rows go along with a tenant, which they are, and if not, why';

REVOKE EXECUTE ON FUNCTION vrm_private.tenant_exceptions(), vrm_private.tenant_tables() FROM PUBLIC;
