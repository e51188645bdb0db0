-- What differs by hand between the platform of 1.0.0 and of 1.1.0.  What is new arrives by vrm.install()
-- afterwards; a row that a DBA has changed stays as it is.

-- Functions are replaced by vrm.install(), their comments are not, which may be a DBA's by now: one that has
-- changed is said again here.

-- platform ---------------------------------------------------------------------------------------

DROP FUNCTION IF EXISTS vrm_private.partition_end(oid);
COMMENT ON FUNCTION vrm_private.make_partition(regclass, name, timestamptz, timestamptz) IS
    'makes a partition unless something takes its times, and moves rows of its range into it; says whether it made one';

-- secrets ----------------------------------------------------------------------------------------

COMMENT ON DOMAIN vrm.sealed IS 'an encrypted value in an envelope, never plaintext';

-- transactions that seal lock the key
DROP FUNCTION IF EXISTS vrm_private.older_than(xid8);
COMMENT ON FUNCTION vrm.key_destroy(bigint) IS
    'destroys a key once no row needs it, nor a transaction that has sealed with it';

-- identity ---------------------------------------------------------------------------------------

ALTER TABLE vrm.user_profiles
    ADD COLUMN IF NOT EXISTS is_organisation boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT organisation_has_name CHECK (NOT is_organisation OR coalesce(full_name, '') <> '');
COMMENT ON COLUMN vrm.user_profiles.full_name IS 'name to show, of a person or of an organisation';
COMMENT ON COLUMN vrm.user_profiles.organization IS
    'company or team: of members one of their organisations, of others what they say';
COMMENT ON COLUMN vrm.user_profiles.role IS
    'what the person may do in the application; manager is also who manages an organisation';
-- the secret of the second factor is read by nobody's client, sealed or not
REVOKE SELECT ON vrm.user_profiles FROM authenticated;
GRANT SELECT (id, email, full_name, avatar_url, organization, role, mfa_enabled, last_login, login_attempts,
              locked_until, created_at, updated_at, deleted_at, is_organisation)
    ON vrm.user_profiles TO authenticated;
COMMENT ON FUNCTION vrm_private.require_user() IS 'the person who calls; 28000 for nobody';
COMMENT ON FUNCTION vrm_private.caller() IS
    'whose rows a function may change: the person who calls, or the organisation that they act for; else an error';

-- audit ------------------------------------------------------------------------------------------

ALTER TABLE vrm.audit_log ADD COLUMN IF NOT EXISTS acting_for uuid;
ALTER TABLE vrm.audit_log ALTER COLUMN actor SET DEFAULT vrm.actor();
ALTER TABLE vrm.audit_log ALTER COLUMN acting_for SET DEFAULT nullif(vrm.uid(), vrm.actor());

-- as make_partition() now gives it to new ones
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN
        SELECT c.oid::regclass FROM pg_class c
        JOIN pg_partition_tree('vrm.logs') t ON t.relid = c.oid AND t.isleaf
        WHERE c.relreplident = 'd' AND c.relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', part);
    END LOOP;
END
$$;

DROP FUNCTION IF EXISTS vrm_private.audit_seal_next(text, bigint, integer, xid8);
ALTER TABLE vrm_private.audit_seals
    ADD COLUMN IF NOT EXISTS ceiling xid8,
    ADD COLUMN IF NOT EXISTS journaled bigint;

-- accounts ---------------------------------------------------------------------------------------

DROP FUNCTION IF EXISTS vrm_private.show_lock(text), vrm_private.hook_answer(text, text, text, boolean),
    vrm_private.refresh_token(uuid, uuid, bigint), vrm_private.start_session(uuid, text, inet, text),
    vrm_private.mfa_ticket(uuid, text), vrm_private.access_token(uuid, uuid, text);
COMMENT ON FUNCTION vrm.hook_custom_access_token(jsonb) IS
    'Supabase Auth hook: puts into the token the role of the profile and the organisation that the user acts for';

CREATE TABLE IF NOT EXISTS vrm_private.account_locks (
    user_id uuid PRIMARY KEY REFERENCES vrm.user_profiles (id) ON DELETE CASCADE,
    locked_until timestamptz NOT NULL,
    reason text CONSTRAINT reason_length CHECK (length(reason) <= 2000),
    locked_by uuid,
    locked_at timestamptz NOT NULL DEFAULT now()
);
-- 1.0.0 kept an administrator's lock where those of guesses are; the trail tells which were made by hand.
INSERT INTO vrm_private.account_locks (user_id, locked_until, reason, locked_by, locked_at)
SELECT DISTINCT ON (p.id) p.id, p.locked_until, a.detail ->> 'reason', a.actor, a.at
FROM vrm.user_profiles p
JOIN vrm.audit_log a ON a.action = 'locked by hand' AND a.detail ->> 'user_id' = p.id::text
     AND (a.detail ->> 'until')::timestamptz = p.locked_until
WHERE p.locked_until > now()
ORDER BY p.id, a.at DESC
ON CONFLICT (user_id) DO NOTHING;

-- 1.0.0 counted all in one tree.  Whose entry is whose, keys do not tell: both trees get what matters to
-- either, and forget what is never asked for.
CREATE TABLE IF NOT EXISTS vrm_private.lockout_sessions (
    key uuid NOT NULL,
    window_start timestamptz NOT NULL,
    locked_until timestamptz NOT NULL,
    pending_deadline timestamptz NOT NULL,
    last timestamptz NOT NULL,
    failures integer NOT NULL,
    pending integer NOT NULL,
    consecutive integer NOT NULL,
    lock_count integer NOT NULL,
    value bigint NOT NULL
) USING vrm_lockout;
INSERT INTO vrm_private.lockout_sessions
SELECT * FROM vrm_private.lockout WHERE value <> 0 OR locked_until > now() AND isfinite(locked_until);
CREATE TABLE IF NOT EXISTS vrm_private.lockout_used (
    key uuid NOT NULL,
    window_start timestamptz NOT NULL,
    locked_until timestamptz NOT NULL,
    pending_deadline timestamptz NOT NULL,
    last timestamptz NOT NULL,
    failures integer NOT NULL,
    pending integer NOT NULL,
    consecutive integer NOT NULL,
    lock_count integer NOT NULL,
    value bigint NOT NULL
) USING vrm_lockout;
INSERT INTO vrm_private.lockout_used SELECT * FROM vrm_private.lockout WHERE value <> 0 OR locked_until > now();

-- 1.0.0 asked nobody to prove an address: who could sign in still can.
DO $$
BEGIN
    IF to_regclass('auth.identities') IS NULL THEN
        UPDATE auth.users SET email_confirmed_at = coalesce(created_at, now())
        WHERE email_confirmed_at IS NULL AND encrypted_password IS NOT NULL;
        DROP INDEX IF EXISTS auth.users_email_key;
        CREATE UNIQUE INDEX users_email_key ON auth.users (lower(email))
            WHERE NOT is_sso_user AND email_confirmed_at IS NOT NULL;
        COMMENT ON INDEX auth.users_email_key IS
            'one account per address, once it is proved; single sign-on may share them';
        CREATE INDEX IF NOT EXISTS users_address ON auth.users (lower(email));
        COMMENT ON INDEX auth.users_address IS 'people by address, proved or not';
    END IF;
END
$$;
DROP FUNCTION IF EXISTS vrm.sign_up(text, vrm.secret, text);

ALTER TABLE vrm_private.mfa_tickets
    ADD COLUMN IF NOT EXISTS password_generation text,
    ADD COLUMN IF NOT EXISTS device_id uuid;

DELETE FROM vrm.lockout_policy WHERE kind = 'session';
ALTER TABLE vrm.lockout_policy DROP CONSTRAINT IF EXISTS kind_is_known;
ALTER TABLE vrm.lockout_policy ADD CONSTRAINT kind_is_known
    CHECK (kind IN ('password', 'device', 'totp', 'recovery', 'reset_request', 'ip', 'request_ip', 'sign_up'));

GRANT EXECUTE ON FUNCTION vrm.use_api_key(text) TO vrm_use_api_keys;

COMMENT ON COLUMN vrm.user_profiles.login_attempts IS
    'failures in a row, as maintenance, an administrator or a success has last written them';
COMMENT ON COLUMN vrm.user_profiles.locked_until IS
    'no sign-in before, written as login_attempts is; vrm.account_standing shows both as they are now';
COMMENT ON COLUMN vrm_private.lockout.value IS
    'not used; 1.0.0 kept here what is in lockout_sessions and lockout_used now';
COMMENT ON TABLE vrm_private.lockout IS
    'attempts at secrets; rows are merged in by INSERT and COPY, changed by functions only, and never rolled back';
COMMENT ON FUNCTION vrm.is_locked(text) IS
    'whether nobody can sign in: too many failures, or an administrator has locked it; works on a standby';
COMMENT ON FUNCTION vrm.lock_account(uuid, timestamptz, text) IS
    'administrators only: until then the account can do nothing, and nobody can sign in to it from any device';
COMMENT ON FUNCTION vrm.unlock_account(text, text) IS
    'administrators only: forgets the failures of an address and every lock; false when there were none';
COMMENT ON FUNCTION vrm.session_refresh(text) IS
    'new tokens for a refresh token; the same within ten seconds, afterwards a second use ends the session for good';
COMMENT ON FUNCTION vrm.request_password_reset(text, inet) IS
    'asks for a mail with a reset token; says and takes the same for everybody, three times an hour';

-- calls ------------------------------------------------------------------------------------------
-- A column of the DBA's own under one of the new names would be taken for the platform's.
DO $$
DECLARE
    taken text := (SELECT min(a.attname) FROM pg_attribute a
                   WHERE a.attrelid = 'vrm.test_runs'::regclass AND a.attname IN
                       ('source', 'external_id', 'direction', 'outcome', 'ended_reason', 'cost', 'currency',
                        'agent_version', 'results_sha256'));
BEGIN
    IF taken IS NOT NULL THEN
        RAISE EXCEPTION 'vrm.test_runs has a column "%" of your own', taken
            USING ERRCODE = 'duplicate_column',
                  DETAIL = 'Version 1.1.0 brings a column of that name.',
                  HINT = format('ALTER TABLE vrm.test_runs RENAME COLUMN %I TO %I;', taken, 'own_' || taken);
    END IF;
END
$$;
ALTER TABLE vrm.test_runs
    ADD COLUMN source text CONSTRAINT source_length CHECK (length(source) BETWEEN 1 AND 200),
    ADD COLUMN external_id text
        CONSTRAINT external_id_length CHECK (length(external_id) BETWEEN 1 AND 1000),
    ADD COLUMN direction vrm.call_direction,
    ADD COLUMN outcome text,
    ADD COLUMN ended_reason text
        CONSTRAINT ended_reason_length CHECK (length(ended_reason) BETWEEN 1 AND 1000),
    ADD COLUMN cost numeric(18, 6) CONSTRAINT cost_range CHECK (cost >= 0 AND cost <> 'NaN'),
    ADD COLUMN currency text CONSTRAINT currency_form CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE vrm.transcript_turns
    ALTER COLUMN message DROP NOT NULL,
    ADD COLUMN end_ms integer,
    ADD COLUMN role text
        CONSTRAINT known_role CHECK (role IN ('agent', 'customer', 'tool', 'system')),
    ADD COLUMN interrupted boolean NOT NULL DEFAULT false,
    ADD COLUMN latency jsonb;
ALTER TABLE vrm.run_actions
    ADD COLUMN arguments jsonb,
    ADD COLUMN result jsonb,
    ADD COLUMN ok boolean,
    ADD COLUMN took integer CONSTRAINT took_not_negative CHECK (took >= 0);
ALTER TABLE vrm_private.test_runs_archive
    ADD COLUMN source text,
    ADD COLUMN external_id text,
    ADD COLUMN direction vrm.call_direction,
    ADD COLUMN outcome text,
    ADD COLUMN ended_reason text,
    ADD COLUMN cost numeric(18, 6),
    ADD COLUMN currency text;
-- The row of a call that ends is updated in place: see vrm.live_runs.
ALTER TABLE vrm.test_runs SET (fillfactor = 85, toast_tuple_target = 512);
DROP INDEX IF EXISTS vrm.test_runs_live, vrm.test_runs_completed_at;
DROP FUNCTION vrm.append_transcript(uuid, text, text, interval), vrm.record_action(uuid, text, text, interval),
    vrm_private.running_call(uuid, uuid), vrm_private.check_offset(interval), vrm_private.clock(interval, integer),
    vrm_private.folded_results(uuid, uuid, jsonb, interval),
    vrm_private.end_call(uuid, uuid, vrm.run_status, jsonb, text);
-- Turns of calls that are running have a role like those to come.
UPDATE vrm.transcript_turns SET role = coalesce(vrm.speaker_role(speaker), 'customer') WHERE role IS NULL;

COMMENT ON COLUMN vrm.transcript_turns.message IS 'what was said; null when nothing was before the interruption';
COMMENT ON COLUMN vrm.transcript_turns.at IS 'when the speaker began, since the start of the call';
COMMENT ON COLUMN vrm_private.test_runs_archive.source IS 'platform that had the call';
COMMENT ON COLUMN vrm_private.test_runs_archive.external_id IS 'its id there';
COMMENT ON COLUMN vrm_private.test_runs_archive.direction IS 'who called whom, seen from the agent';
COMMENT ON COLUMN vrm_private.test_runs_archive.outcome IS 'what became of it';
COMMENT ON COLUMN vrm_private.test_runs_archive.ended_reason IS 'why it ended';
COMMENT ON COLUMN vrm_private.test_runs_archive.cost IS 'what it cost';
COMMENT ON COLUMN vrm_private.test_runs_archive.currency IS 'currency that the cost is in';
CREATE INDEX IF NOT EXISTS test_runs_archive_external_id
    ON vrm_private.test_runs_archive (user_id, source, external_id) WHERE external_id IS NOT NULL;
COMMENT ON INDEX vrm_private.test_runs_archive_external_id IS 'archived calls by their id at their source';
-- Partitions have the comments of the table, which they were made like.
DO $$
DECLARE
    part regclass;
    comment record;
BEGIN
    FOR part IN SELECT i.inhrelid FROM pg_inherits i
                WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass
                  AND i.inhrelid <> 'vrm_private.test_runs_archive_rest'::regclass LOOP
        FOR comment IN
            SELECT format('COMMENT ON COLUMN %s.%I IS %L', part, a.attname,
                          col_description(a.attrelid, a.attnum)) AS sql
            FROM pg_attribute a
            WHERE a.attrelid = 'vrm_private.test_runs_archive'::regclass AND a.attname IN
                ('source', 'external_id', 'direction', 'outcome', 'ended_reason', 'cost', 'currency')
            UNION ALL
            SELECT format('COMMENT ON INDEX %s IS %L', i.inhrelid::regclass, obj_description(i.inhparent, 'pg_class'))
            FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
            WHERE i.inhparent = 'vrm_private.test_runs_archive_external_id'::regclass AND x.indrelid = part
        LOOP
            EXECUTE comment.sql;
        END LOOP;
    END LOOP;
END
$$;

COMMENT ON FUNCTION vrm_private.queue_purges() IS 'trigger: objects of deleted recordings are to be deleted';
DROP TRIGGER IF EXISTS record_first_status ON vrm.test_runs;
-- 1.0.0 let deleted agents share a name with others, by an index that ON CONFLICT does not find.
UPDATE vrm.agents SET agent_id = format('%s (deleted %s)', left(agent_id, 153), id) WHERE deleted_at IS NOT NULL;
DROP INDEX IF EXISTS vrm.agents_agent_id;
COMMENT ON COLUMN vrm.agents.agent_id IS 'the owner''s name for it; ends in "(deleted)" once it is';
-- Names of metrics and test cases say which one is meant.  Of several the oldest keeps its name, the others get a
-- number or, where that is taken or does not fit, their id.
DO $$
DECLARE
    owned text;
BEGIN
    FOREACH owned IN ARRAY '{metrics,test_cases}'::text[] LOOP
        EXECUTE format(
            'UPDATE vrm.%1$I AS t SET name = CASE'
            '  WHEN length(t.name) > 190 OR EXISTS (SELECT FROM vrm.%1$I o WHERE o.user_id = t.user_id'
            '                                        AND o.name = format(''%%s (%%s)'', t.name, d.number))'
            '  THEN format(''%%s (%%s)'', left(t.name, 160), t.id) ELSE format(''%%s (%%s)'', t.name, d.number) END'
            ' FROM (SELECT user_id, id,'
            '              row_number() OVER (PARTITION BY user_id, name ORDER BY created_at, id) AS number'
            '       FROM vrm.%1$I) AS d'
            ' WHERE d.number > 1 AND t.user_id = d.user_id AND t.id = d.id', owned);
        EXECUTE format('ALTER TABLE vrm.%I ADD CONSTRAINT %I UNIQUE (user_id, name)', owned, owned || '_name');
    END LOOP;
END
$$;
-- ON CONFLICT DO UPDATE of mappers of objects: policies keep ids, times and owners from being chosen
GRANT INSERT (id, created_at, updated_at, deleted_at), UPDATE (user_id) ON vrm.agents TO authenticated;
GRANT INSERT (id, created_at, updated_at), UPDATE (user_id) ON vrm.test_cases, vrm.metrics TO authenticated;
-- Events of 1.0.0 come first, in the order of their ids: 3 is the first of all transactions.
ALTER TABLE vrm.run_events ADD COLUMN IF NOT EXISTS xid xid8 NOT NULL DEFAULT '3';
ALTER TABLE vrm.run_events ALTER COLUMN xid SET DEFAULT pg_current_xact_id(),
    DROP CONSTRAINT run_events_pkey, ADD CONSTRAINT run_events_pkey PRIMARY KEY (user_id, xid, id);
COMMENT ON TABLE vrm.run_events IS
    'one row per change of a call''s state, append-only: real-time readers follow it, by cursor or replication';
COMMENT ON COLUMN vrm.run_events.id IS 'the event';
-- analytics --------------------------------------------------------------------------------------
-- counts days, no longer marks: the argument has another name
DROP FUNCTION IF EXISTS vrm_private.compact_calls(integer);
-- Marks name quarters of an hour.  What is there goes on to answer for whole days; vrm.maintain() makes the quarters
-- of all days that have facts.
ALTER TABLE vrm.call_dirty
    ADD COLUMN quarter integer NOT NULL DEFAULT -1 CONSTRAINT known_quarter CHECK (quarter BETWEEN -2 AND 95),
    DROP CONSTRAINT call_dirty_pkey, ADD CONSTRAINT call_dirty_pkey PRIMARY KEY (user_id, day, quarter, id);
ALTER TABLE vrm.call_rollup SET (toast_tuple_target = 8160);
ALTER TABLE vrm.call_rollup
    DROP CONSTRAINT known_grain,
    ADD CONSTRAINT known_grain
        CHECK (grain IN ('parts', 'day', 'month', 'user_parts', 'user_day', 'user_month'));
INSERT INTO vrm.call_rollup (user_id, grain, bucket, agent_id, stats)
SELECT r.user_id, 'user_day', r.bucket, '00000000-0000-0000-0000-000000000000',
       vrm.rollup(r.stats::vrm.call_stats)::bytea
FROM vrm.call_rollup r WHERE r.grain = 'day' GROUP BY r.user_id, r.bucket;
INSERT INTO vrm.call_dirty (user_id, day, quarter)
SELECT DISTINCT f.user_id, vrm.utc_day(f.started_at), -2 FROM vrm.call_facts f;
COMMENT ON TABLE vrm.call_dirty IS
    'days and quarters whose facts have changed since vrm.call_rollup was made of them, once for each change';
COMMENT ON TABLE vrm.call_rollup IS
    'statistics of each agent and each user by month, day and quarter of an hour, made by vrm.maintain()';
COMMENT ON COLUMN vrm.call_rollup.grain IS
    'month, day, or the quarters of an hour of a day, of an agent; with user_ before it, of all agents';
COMMENT ON COLUMN vrm.call_rollup.stats IS
    'a value of type vrm.call_stats: stats::vrm.call_stats; of quarters of an hour, for vrm.part_of_day()';
COMMENT ON FUNCTION vrm.dashboard(text, jsonb, interval) IS
    'a dashboard as a document, by name: vrm.NAME_json(arguments); with max_age one made so long ago at most';
TRUNCATE vrm.cached_results;
ALTER TABLE vrm.cached_results
    ADD COLUMN IF NOT EXISTS snapshot pg_snapshot NOT NULL,
    ADD COLUMN IF NOT EXISTS made_by xid8 NOT NULL;
ALTER TABLE vrm.call_facts
    ADD COLUMN outcome text,
    ADD COLUMN outcome_kind text CONSTRAINT known_kind CHECK (outcome_kind IN ('contained', 'transferred', 'other')),
    ADD COLUMN cost_micros bigint,
    ADD COLUMN currency text,
    ADD COLUMN agent_ms integer,
    ADD COLUMN customer_ms integer,
    ADD COLUMN interruptions integer,
    ADD COLUMN answers bytea CONSTRAINT answers_length CHECK (length(answers) <= 1800),
    ADD COLUMN tool_calls integer,
    ADD COLUMN tool_failures integer;
ALTER TABLE vrm.call_facts ALTER COLUMN answers SET STORAGE PLAIN;
-- They come back with the columns that statistics read, and with the facts of all calls made anew.
DROP INDEX IF EXISTS vrm.call_facts_user_time;
DROP TRIGGER IF EXISTS record_facts ON vrm.test_runs;
DROP FUNCTION vrm.call_summary(timestamptz, timestamptz, uuid[], boolean),
    vrm.call_series(timestamptz, timestamptz, interval, text, uuid[]), vrm.agent_performance(timestamptz, timestamptz);
-- retention --------------------------------------------------------------------------------------
-- Owners recover what they have deleted, with a token from a mail.
ALTER TABLE vrm_private.deleted_accounts
    ADD COLUMN IF NOT EXISTS token_hash bytea CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
    ADD COLUMN IF NOT EXISTS token_expires_at timestamptz;
COMMENT ON COLUMN vrm_private.deleted_accounts.requested_by IS
    'person who asked, or whom a policy took to have asked; null for the service';
DROP FUNCTION IF EXISTS vrm_private.delete_account(uuid);
-- testing ----------------------------------------------------------------------------------------
-- Several judges may say something of one call.  What there is keeps its place, under a name of its own.
ALTER TABLE vrm.metric_results
    ADD COLUMN case_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    ADD COLUMN judge text NOT NULL DEFAULT 'unnamed' CONSTRAINT judge_length CHECK (length(judge) BETWEEN 1 AND 200),
    ADD COLUMN is_person boolean NOT NULL DEFAULT false;
ALTER TABLE vrm.metric_results
    DROP CONSTRAINT metric_results_pkey,
    ADD CONSTRAINT metric_results_pkey PRIMARY KEY (user_id, metric_id, run_id, case_id, judge);
COMMENT ON TABLE vrm.metric_results IS 'what judges and people have said of calls by metrics, each once';
-- rules are functions that are parsed when they are made, no texts
DROP FUNCTION IF EXISTS vrm_private.retention_rules(), vrm_private.hold_on(text, text, text, text),
    vrm_private.held_partitions(regclass, timestamptz), vrm_private.retention_blocks(bigint),
    vrm_private.retention_batch(bigint, bigint, bigint, bigint, bigint),
    vrm_private.drop_batch(vrm.retention_runs, tid, tid, bigint),
    vrm_private.delete_batch(vrm.retention_runs, tid, tid, bigint),
    vrm_private.archive_batch(vrm.retention_runs, tid, tid, bigint),
    vrm_private.archive_by_statements(vrm.retention_runs, tid, tid, bigint),
    vrm_private.users_batch(vrm.retention_runs, tid, tid, bigint),
    vrm_private.archive_columns(), vrm_private.columns_of(regclass), vrm_private.archive_partition(timestamptz, name[]);
COMMENT ON COLUMN vrm.retention_policies.name IS 'the policy, by the names of the rules';
COMMENT ON INDEX vrm_private.legal_holds_in_force IS 'holds that are in force, by person';
ALTER TABLE vrm.retention_policies
    ADD COLUMN IF NOT EXISTS referenced text NOT NULL DEFAULT 'hold'
        CONSTRAINT referenced_known CHECK (referenced IN ('hold', 'obey foreign keys'));
GRANT UPDATE (referenced) ON vrm.retention_policies TO service_role;
-- 360 days have passed for a year
ALTER TABLE vrm.retention_policies DROP CONSTRAINT IF EXISTS keep_not_below_floor;
UPDATE vrm.retention_policies p SET keep = p.min_keep
WHERE EXISTS (SELECT FROM generate_series('2023-01-01'::timestamp, '2026-12-31', '1 day') AS day
              WHERE day - p.keep > day - p.min_keep);
COMMENT ON FUNCTION vrm_private.last_seen(uuid, timestamptz, timestamptz) IS
    'when a person, or a member of an organisation, has last signed in, here or through Supabase; else its making';
COMMENT ON FUNCTION vrm.delete_account(uuid) IS
    'deletes the account of the caller or their organisation, for administrators another: erased after 30 days';
-- a page shows where the words are
DROP FUNCTION IF EXISTS vrm.call_history_json(jsonb, text, integer), vrm.call_history(jsonb, text, integer);
-- operations -------------------------------------------------------------------------------------
-- pages have moved
UPDATE vrm.alert_threshold SET hint = replace(hint, 'doc/' || page.name, 'doc/' || page.district || page.name)
FROM (VALUES ('operations/', 'backup.md'), ('operations/', 'maintenance.md'), ('operations/', 'quality.md'),
             ('accounts/', 'lockout.md'), ('calls/', 'recordings.md')) AS page (district, name)
WHERE strpos(hint, ' doc/' || page.name) > 0;
-- without a command, archiving fills the disk
UPDATE vrm.alert_threshold
SET hint = 'Set up pgBackRest, Barman or WAL-G, set archive_command, and only then archive_mode:'
           ' doc/operations/backup.md.',
    fix_sql = 'SELECT name, setting FROM pg_settings WHERE name ~ ''^(archive_(mode|command|library)|wal_level)$'''
WHERE alert = 'WalArchivingOff' AND fix_sql = 'ALTER SYSTEM SET archive_mode = on';
-- backups are told apart by where they are kept
DROP FUNCTION IF EXISTS vrm_private.pgbackrest_backups(jsonb);
ALTER TABLE vrm.backups
    ADD COLUMN IF NOT EXISTS repository text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS archived boolean,
    ADD COLUMN IF NOT EXISTS parent text,
    ADD COLUMN IF NOT EXISTS start_lsn pg_lsn, ADD COLUMN IF NOT EXISTS parent_lsn pg_lsn,
    DROP CONSTRAINT backups_pkey,
    ADD CONSTRAINT backups_pkey PRIMARY KEY (source, repository, label);
COMMENT ON FUNCTION vrm.record_backup(jsonb, text) IS
    'takes what a tool says of its backups as JSON, or a plain list; returns how many backups it names';
-- a report is data that the library draws
DROP FUNCTION IF EXISTS vrm_private.markdown(text), vrm_private.figure(double precision, text),
    vrm_private.chart_scale(double precision, text), vrm_private.svg_chart(text, text, text, text[], jsonb, text),
    vrm_private.svg_bars(text[], jsonb, text, double precision, double precision),
    vrm_private.svg_lines(text[], jsonb, text, double precision, double precision),
    vrm_private.report_table(text, text[], jsonb), vrm_private.chart_table(text, text[], jsonb, text),
    vrm_private.report_days(date, date), vrm_private.report_storage(date), vrm_private.report_tiles(date, date),
    vrm_private.report_charts(date, date), vrm_private.report_tables(date, date), vrm_private.report_verdicts(),
    vrm_private.report_html(date, date), vrm_private.report_md(date, date);
COMMENT ON FUNCTION vrm_private.relations_to_check() IS 'for vrm.maintain(): tables with checks whose time has come';
-- diagrams of a topic, or of keys only
DROP FUNCTION IF EXISTS vrm.er_diagram(text), vrm_private.er_columns(), vrm_private.er_references(),
    vrm_private.er_mermaid(), vrm_private.er_dot();
-- runs of tools are known
UPDATE vrm.alert_threshold SET fix_sql = 'SELECT * FROM vrm.backup_runs ORDER BY id DESC LIMIT 5'
WHERE alert = 'BackupFailed' AND fix_sql = 'SELECT * FROM vrm.backups ORDER BY finished_at DESC LIMIT 5';
-- every visit of vrm.maintain() is noted, not the first of a day
UPDATE vrm.alert_threshold
SET threshold = 900, hint = 'SELECT vrm.schedule_maintenance(), or a systemd timer: doc/operations/maintenance.md. With'
    ' pg_cron, vrm.doctor() says how its last call went.'
WHERE alert = 'MaintenanceOverdue' AND threshold = 90000;
-- metrics about agents and calls, of which some are histograms; dashboards are pages
ALTER TABLE vrm.monitoring_metrics
    DROP CONSTRAINT family_is_known,
    ADD CONSTRAINT family_is_known CHECK (family IN
        ('connections', 'statements', 'storage', 'replication', 'backup', 'maintenance', 'jobs', 'agents', 'calls')),
    DROP CONSTRAINT type_is_known,
    ADD CONSTRAINT type_is_known CHECK (type IN ('gauge', 'counter', 'histogram'));
COMMENT ON COLUMN vrm.monitoring_metrics.type IS
    'gauge; counter: only grows, until the server''s statistics are reset; or histogram, of several series';
DROP FUNCTION IF EXISTS vrm.grafana_dashboard(), vrm_private.grafana_panel(vrm.monitoring_metrics),
    vrm_private.exporter_queries();
COMMENT ON FUNCTION vrm.exporter_config(text) IS
    'a file that makes an exporter, prometheus or alertmanager work with this database';
-- a standby that is cut off says so
UPDATE vrm.monitoring_metrics SET help = new.help
FROM (VALUES ('vrm_backup_failed',
              'whether the last backup that was recorded, or the last run of a tool, has failed: 1 or 0'),
             ('vrm_jobs_maintenance_age_seconds',
              'time since vrm.maintain() last came by, or since nobody knows; NaN on a standby'),
             ('vrm_replication_lag_seconds',
              'how far replay is behind at most: of the standby that is last, on a standby its own'),
             ('vrm_replication_lag_bytes', 'the same in bytes of WAL; NaN on a standby that is cut off'))
    AS new (name, help)
WHERE monitoring_metrics.name = new.name;
-- comments that have changed
COMMENT ON FUNCTION vrm.metric_summary(uuid, timestamptz, timestamptz) IS
    'results of a metric over a time, without those overruled; distribution has ten bars from lowest to highest score';
COMMENT ON FUNCTION vrm_private.examine_quality_check() IS
    'trigger: a check must be a single expression that its table''s owner has written and PostgreSQL understands';
COMMENT ON COLUMN vrm_private.sealed_columns.per_subject IS
    'the first column of the primary key is a user, who has a key of their own';
COMMENT ON TABLE vrm.test_runs IS 'calls of agents: one row per call';
COMMENT ON TABLE vrm.retention_policies IS 'how long things are kept; every row of a kind matches exactly one policy';
COMMENT ON TABLE vrm.retention_runs IS 'the log of retention: one row per run of a policy';
COMMENT ON COLUMN vrm.retention_runs.error IS 'why it failed: SQLSTATE and message';
COMMENT ON TABLE vrm_private.archive_manifest IS
    'what each batch has archived: digests to compare every row with, each row chained to the one before';
COMMENT ON TABLE vrm_private.erasure_ledger IS 'proof of erasure: whose rows, how many of what, and why';
COMMENT ON FUNCTION vrm.seal_column(regclass, name, boolean) IS
    'makes a column hold sealed values, bound to their rows; per_subject: with the key of the user in the primary key';
COMMENT ON FUNCTION vrm.session_revoke(uuid) IS
    'ends one of the caller''s sessions, for administrators anybody''s; false when there is none';
COMMENT ON FUNCTION vrm.record_metric_result(uuid, uuid, double precision, boolean, text) IS
    'keeps what a judge says of one of the caller''s calls by a metric; a later verdict replaces an earlier one';
COMMENT ON FUNCTION vrm.forget_cached_results() IS
    'has the caller''s dashboards made anew whatever age they ask for; returns how many were kept';
COMMENT ON FUNCTION vrm.verify_archive(bigint) IS
    'compares the archived rows of a run, or of all, with the manifest: one row per batch';
COMMENT ON FUNCTION vrm.verify_restore(text) IS
    'in a database restored to a restore point: compares each table with its fingerprint, those that differ first';
COMMENT ON FUNCTION vrm.record_restore_drill(timestamptz, timestamptz, boolean, text, text, text) IS
    'on the server in use: notes how long a trial restore took, and whether everything was there';
COMMENT ON FUNCTION vrm_private.examine_author() IS
    'trigger: nobody writes a check that runs with rights they do not have';
COMMENT ON FUNCTION
    vrm.add_quality_check(text, regclass, text, text, name[], regclass, name[], interval, text, interval, text) IS
    'the table''s owner adds a check, or changes one; it runs with that owner''s rights and only reads';
COMMENT ON FUNCTION vrm.monitoring(text[]) IS 'measures the metrics of some families, or of all: one row per series';
COMMENT ON FUNCTION vrm.export_user_data(uuid) IS
    'all that is kept about the caller, or for service and administrators about anybody, row by row, without secrets';
