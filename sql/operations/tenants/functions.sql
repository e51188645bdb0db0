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
        ('vrm_private.email_changes', 'stays', 'an address is proved where it was given'),
        ('vrm_private.recovery_requests', 'stays', 'work of the mailer here'),
        ('vrm_private.devices', 'stays', 'their tokens are good for this cluster alone'),
        ('vrm_private.team_invitations', 'stays', 'whoever is invited is invited anew'),
        ('vrm_private.retry_keys', 'stays', 'calls are made again where they were made'),
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
        ('vrm.service_objectives', 'shared', 'a setting'),
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
        ('vrm_private.archive_dictionaries', 'local', 'what many tenants say'),
        ('vrm.cold_archive', 'local', 'work on the rows that were here'),
        ('vrm.archive_compressions', 'local', 'work on the rows that are here'),
        ('vrm.retention_runs', 'local', 'work on the rows that are here'),
        ('vrm.maintenance_failures', 'local', 'work on the rows that are here'),
        ('vrm.storage_samples', 'local', 'disks of this server'),
        ('vrm.backups', 'local', 'backups of this server'),
        ('vrm.backup_repositories', 'local', 'backups of this server'),
        ('vrm.backup_runs', 'local', 'backups of this server'),
        ('vrm_private.archived_stretches', 'local', 'backups of this server'),
        ('vrm_private.archive_positions', 'local', 'backups of this server'),
        ('vrm_private.archive_gaps', 'local', 'backups of this server'),
        ('vrm.restore_points', 'local', 'backups of this server'),
        ('vrm.restore_drills', 'local', 'backups of this server'),
        ('vrm_private.fingerprints', 'local', 'backups of this server'),
        ('vrm.quality_run', 'local', 'findings about the rows that are here'),
        ('vrm.alert_history', 'local', 'alerts of this server'),
        ('vrm_private.call_totals', 'local', 'what happened on this server'),
        ('vrm_private.call_totals_state', 'local', 'what happened on this server'),
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
      AND c.oid NOT IN (SELECT t.relation FROM vrm_private.tables_on_nodes() t)  -- what is on its way to the archive
$$;
COMMENT ON FUNCTION vrm_private.tenant_tables() IS
    'every table of the platform: whether its rows go along with a tenant, which they are, and if not, why';

-- What Citus has refused of a platform that was distributed by hand, as rules over the catalog.
CREATE OR REPLACE FUNCTION vrm_private.distribution_column(relation regclass) RETURNS name
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.attname FROM pg_attribute a
    WHERE a.attrelid = relation AND NOT a.attisdropped AND a.atttypid = 'uuid'::regtype
      AND a.attname = CASE WHEN relation IN ('auth.users'::regclass, 'vrm.user_profiles'::regclass) THEN 'id'
                           ELSE 'user_id' END
$$;
COMMENT ON FUNCTION vrm_private.distribution_column(regclass) IS
    'the column that says whose a row is; null without one';

-- Who calls is asked on whichever node has the rows that are asked for: those of an organisation lie on its node,
-- the people who act for it would on others.
CREATE OR REPLACE FUNCTION vrm_private.distribution_exceptions()
    RETURNS TABLE (relation regclass, becomes text, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_regclass(e.relation), e.becomes, e.reason
    FROM (VALUES
        ('auth.users', 'reference', 'who calls is asked on every node, and addresses are unique over all'),
        ('vrm.user_profiles', 'reference', 'who calls is asked on every node'),
        ('vrm_private.account_locks', 'reference', 'who calls is asked on every node'),
        ('vrm_private.sessions', 'reference', 'who calls is asked on every node'),
        ('vrm_private.linked_identities', 'reference', 'who calls is asked on every node'),
        ('vrm_private.team_members', 'reference', 'who calls is asked on every node'),
        ('vrm_private.team_invitations', 'reference', 'people of one organisation invite those of others'),
        ('vrm_private.refresh_tokens', 'reference', 'a sign-in is looked for by its token'),
        ('vrm_private.mfa_tickets', 'reference', 'a sign-in is looked for by its token'),
        ('vrm_private.recovery_codes', 'reference', 'part of signing in'),
        ('vrm_private.password_reset_tokens', 'reference', 'part of signing in'),
        ('vrm_private.devices', 'reference', 'part of signing in'),
        ('vrm_private.email_changes', 'reference', 'part of signing in'),
        ('vrm_private.deleted_accounts', 'reference', 'part of signing in'),
        ('vrm_private.audit_journal', 'local', 'part of the audit trail')) AS e (relation, becomes, reason)
    WHERE to_regclass(e.relation) IS NOT NULL
$$;
COMMENT ON FUNCTION vrm_private.distribution_exceptions() IS
    'tables whose place on many nodes no column tells, and why it is that';

CREATE OR REPLACE FUNCTION vrm_private.distribution_fates()
    RETURNS TABLE (relation regclass, becomes text, by_column name, reason text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.relation,
           CASE WHEN t.fate IN ('local', 'unknown') OR many.levels > 1 THEN 'local'
                WHEN e.becomes IS NOT NULL THEN e.becomes
                WHEN t.fate = 'shared' OR k.name IS NULL OR NOT k.is_required THEN 'reference'
                ELSE 'distributed by ' || k.name END,
           k.name,
           CASE WHEN many.levels > 1 THEN 'partitions of partitions cannot be distributed'
                WHEN t.fate IN ('local', 'unknown', 'shared') THEN t.reason
                WHEN e.becomes IS NOT NULL THEN e.reason
                WHEN k.name IS NULL THEN 'no column says whose a row is'
                WHEN NOT k.is_required THEN format('%s may be null', k.name)
                ELSE 'rows of tenants' END
    FROM vrm_private.tenant_tables() t
    LEFT JOIN vrm_private.distribution_exceptions() e ON e.relation = t.relation
    LEFT JOIN LATERAL (SELECT a.attname AS name, a.attnotnull AS is_required FROM pg_attribute a
                       WHERE a.attrelid = t.relation
                         AND a.attname = vrm_private.distribution_column(t.relation)) AS k ON true
    CROSS JOIN LATERAL (SELECT coalesce(max(p.level), 0) AS levels FROM pg_partition_tree(t.relation) p) AS many
$$;
COMMENT ON FUNCTION vrm_private.distribution_fates() IS 'what becomes of each table on many nodes';

CREATE OR REPLACE FUNCTION vrm_private.distribution_obstacles()
    RETURNS TABLE (relation regclass, obstacle text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH fates AS MATERIALIZED (
        SELECT f.*, f.becomes LIKE 'distributed by %' AS is_distributed,
               (SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = f.relation AND a.attname = f.by_column) AS number
        FROM vrm_private.distribution_fates() f
    )
    SELECT f.relation, format('%s %s does not contain %s',
                              CASE WHEN i.indisprimary THEN 'primary key' ELSE 'unique index' END, c.relname,
                              f.by_column)
    FROM fates f JOIN pg_index i ON i.indrelid = f.relation JOIN pg_class c ON c.oid = i.indexrelid
    WHERE f.is_distributed AND i.indisunique AND f.number <> ALL (i.indkey)
    UNION ALL
    SELECT f.relation, format('exclusion constraint %s', k.conname)
    FROM fates f JOIN pg_constraint k ON k.conrelid = f.relation AND k.contype = 'x'
    WHERE f.is_distributed
    UNION ALL
    -- a reference between tenants' tables carries the tenant; one to or from anything else needs the other everywhere
    SELECT f.relation, format('foreign key %s to %s, which becomes %s, %s', k.conname, o.relation, o.becomes,
                              CASE WHEN f.is_distributed AND o.is_distributed THEN 'does not carry ' || f.by_column
                                   ELSE 'from what becomes ' || f.becomes END)
    FROM fates f
    JOIN pg_constraint k ON k.conrelid = f.relation AND k.contype = 'f' AND k.conparentid = 0
    JOIN fates o ON o.relation = k.confrelid
    WHERE CASE WHEN f.is_distributed AND o.is_distributed
               THEN NOT EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS p (own, other)
                                WHERE p.own = f.number AND p.other = o.number)
               ELSE o.is_distributed OR f.is_distributed AND o.becomes <> 'reference' END
    UNION ALL
    SELECT f.relation, format('foreign key %s sets columns to %s when a row goes', k.conname,
                              CASE k.confdeltype WHEN 'n' THEN 'null' ELSE 'their defaults' END)
    FROM fates f JOIN pg_constraint k ON k.conrelid = f.relation AND k.contype = 'f' AND k.conparentid = 0
    WHERE f.is_distributed AND k.confdeltype IN ('n', 'd') AND f.number = ANY (k.conkey)
    UNION ALL
    -- Citus copies the function, and none that it calls
    SELECT f.relation, format('constraint %s calls %s, which has to be on each node', k.conname,
                              d.refobjid::regprocedure)
    FROM fates f
    JOIN pg_constraint k ON k.conrelid = f.relation AND k.contype = 'c'
    JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
                        AND d.refclassid = 'pg_proc'::regclass
    WHERE f.becomes <> 'local'
      AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.classid = d.refclassid AND m.objid = d.refobjid
                                                AND m.deptype = 'e')
    UNION ALL
    SELECT f.relation, format('policy "%s" has a subquery', p.polname)
    FROM fates f JOIN pg_policy p ON p.polrelid = f.relation
    WHERE f.becomes <> 'local'
      AND concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) ~* '\mselect\M'
    UNION ALL
    SELECT f.relation, format('trigger %s has to be dropped and made again%s', t.tgname,
                              CASE WHEN f.becomes = 'reference' THEN ', and runs on each node then' END)
    FROM fates f JOIN pg_trigger t ON t.tgrelid = f.relation AND NOT t.tgisinternal
    WHERE f.becomes <> 'local'
    UNION ALL
    SELECT f.relation, format('column %s holds OIDs, which differ from node to node', a.attname)
    FROM fates f JOIN pg_attribute a ON a.attrelid = f.relation AND a.attnum > 0 AND NOT a.attisdropped
    WHERE f.becomes <> 'local' AND a.atttypid IN ('oid'::regtype, 'regclass'::regtype, 'regproc'::regtype,
                                                  'regprocedure'::regtype, 'regtype'::regtype, 'regrole'::regtype)
    UNION ALL
    SELECT f.relation, format('column %s holds transaction ids, which differ from node to node', a.attname)
    FROM fates f JOIN pg_attribute a ON a.attrelid = f.relation AND a.attnum > 0 AND NOT a.attisdropped
    WHERE f.becomes <> 'local' AND a.atttypid IN ('xid8'::regtype, 'pg_snapshot'::regtype)
    UNION ALL
    SELECT f.relation, format('its storage is %s', m.amname)
    FROM fates f JOIN pg_class c ON c.oid = f.relation JOIN pg_am m ON m.oid = c.relam AND m.amname <> 'heap'
    WHERE f.becomes <> 'local'
$$;
COMMENT ON FUNCTION vrm_private.distribution_obstacles() IS
    'what stands in the way of distributing a table, by what Citus refuses';

CREATE OR REPLACE FUNCTION vrm.distribute_plan()
    RETURNS TABLE (table_name text, becomes text, reason text, obstacles text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.distribute_plan()');
    SELECT f.relation::text, p.becomes, p.reason,
           ARRAY(SELECT o.obstacle FROM vrm_private.distribution_obstacles() o
                 WHERE o.relation = f.relation AND (f.is_archive AND o.obstacle LIKE 'trigger %') IS NOT TRUE
                 ORDER BY 1)
    FROM (SELECT d.*, d.relation = 'vrm_private.test_runs_archive'::regclass AS is_archive
          FROM vrm_private.distribution_fates() d) AS f
    CROSS JOIN LATERAL (SELECT
        CASE WHEN f.is_archive THEN f.becomes ELSE 'local' END,
        CASE WHEN f.is_archive
             THEN (SELECT format('months that are over: %s of them are on nodes, %s with %s are not yet',
                                 (SELECT count(*) FROM vrm_private.tables_on_nodes()), count(*),
                                 pg_size_pretty(coalesce(sum(pg_total_relation_size(m)), 0)))
                   FROM vrm_private.partitions_for_nodes() AS m)
             WHEN f.becomes = 'local' THEN f.reason
             ELSE format('stays here; without the obstacles it could become %s: %s', f.becomes, f.reason) END)
        AS p (becomes, reason)
    ORDER BY 2, 1
$$;
COMMENT ON FUNCTION vrm.distribute_plan() IS
    'what vrm.distribute() does with each table, and what is in the way of more; works on one node, changes nothing';

REVOKE EXECUTE ON FUNCTION
    vrm_private.tenant_exceptions(), vrm_private.tenant_tables(), vrm_private.distribution_column(regclass),
    vrm_private.distribution_exceptions(), vrm_private.distribution_fates(), vrm_private.distribution_obstacles(),
    vrm.distribute_plan()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.distribute_plan() TO service_role;
