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

-- identity ---------------------------------------------------------------------------------------

-- audit ------------------------------------------------------------------------------------------

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

-- accounts ---------------------------------------------------------------------------------------

-- calls ------------------------------------------------------------------------------------------

-- A column of the DBA's own under one of the new names would be taken for the platform's.
DO $$
DECLARE
    taken text := (SELECT min(a.attname) FROM pg_attribute a
                   WHERE a.attrelid = 'vrm.test_runs'::regclass AND a.attname IN
                       ('source', 'external_id', 'direction', 'outcome', 'ended_reason', 'cost', 'currency',
                        'agent_version'));
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
DROP VIEW vrm.all_test_runs, vrm.calls;
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

COMMENT ON FUNCTION vrm_private.queue_purges() IS
    'trigger: objects of recordings that are deleted shall go';
DROP TRIGGER IF EXISTS record_first_status ON vrm.test_runs;

-- analytics --------------------------------------------------------------------------------------

-- retention --------------------------------------------------------------------------------------

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
ALTER TABLE vrm.retention_policies DROP CONSTRAINT IF EXISTS keep_not_below_floor;

-- operations -------------------------------------------------------------------------------------

-- pages have moved
UPDATE vrm.alert_threshold SET hint = replace(hint, 'doc/' || page.name, 'doc/' || page.district || page.name)
FROM (VALUES ('operations/', 'backup.md'), ('operations/', 'maintenance.md'), ('operations/', 'quality.md'),
             ('accounts/', 'lockout.md'), ('calls/', 'recordings.md')) AS page (district, name)
WHERE strpos(hint, ' doc/' || page.name) > 0;
