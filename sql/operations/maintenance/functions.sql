-- What has to be done now and then: CALL vrm.maintain(); every few minutes

-- What runs now: never run, not run through, or run longer ago than the policy says.  However long
-- nobody has called, one call catches up; what failed waits behind the others.  Runs of the future,
-- noted when the clock was wrong, have not happened.
CREATE OR REPLACE FUNCTION vrm_private.policies_to_run() RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(p.name ORDER BY last.started_at NULLS FIRST, p.name), '{}')
    FROM vrm.retention_policies p
    LEFT JOIN LATERAL (SELECT r.state, r.started_at FROM vrm.retention_runs r
                       WHERE r.policy = p.name AND r.started_at <= clock_timestamp()
                       ORDER BY r.run_id DESC LIMIT 1) AS last ON true
    WHERE p.enabled AND p.keep IS NOT NULL
      AND (last.state IS NULL OR last.state <> 'done' OR last.started_at + p.every <= clock_timestamp())
$$;
COMMENT ON FUNCTION vrm_private.policies_to_run() IS 'retention policies whose time has come, longest waiting first';
REVOKE EXECUTE ON FUNCTION vrm_private.policies_to_run() FROM PUBLIC;

-- What fails is rolled back by itself, noted and tried again by the next call.  Whoever holds a lock for long
-- makes a step fail: one that waited would have everybody else wait behind it.
CREATE OR REPLACE FUNCTION vrm_private.maintenance_step(step text, statement text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    done bigint;
BEGIN
    EXECUTE statement INTO done;
    DELETE FROM vrm.maintenance_failures f WHERE f.step = maintenance_step.step;
    RETURN coalesce(done, 0);
EXCEPTION WHEN OTHERS THEN
    INSERT INTO vrm.maintenance_failures AS f (step, sqlstate, message)
    VALUES (maintenance_step.step, SQLSTATE, SQLERRM)
    ON CONFLICT ON CONSTRAINT maintenance_failures_pkey DO UPDATE
        SET sqlstate = excluded.sqlstate, message = excluded.message, last_at = now(), failures = f.failures + 1;
    RAISE WARNING 'step "%" of vrm.maintain() failed: %', step, SQLERRM
        USING ERRCODE = SQLSTATE, HINT = 'SELECT * FROM vrm.maintenance_failures;';
    RETURN 0;
END
$$;
COMMENT ON FUNCTION vrm_private.maintenance_step(text, text) IS
    'for vrm.maintain(): runs a statement that gives a number, and returns it; 0 when it fails, which is noted';

-- In batches, each in its own transaction, until nothing is left or time is up: there may always be more.
CREATE OR REPLACE PROCEDURE vrm_private.maintenance_batches(step text, statement text)
    LANGUAGE plpgsql AS $$
DECLARE
    until timestamptz := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) pg_catalog.interval '1 minute';
BEGIN
    WHILE vrm_private.maintenance_step(step, statement) OPERATOR(pg_catalog.>) 0
          AND pg_catalog.clock_timestamp() OPERATOR(pg_catalog.<) until LOOP
        COMMIT;
    END LOOP;
    COMMIT;
END
$$;
COMMENT ON PROCEDURE vrm_private.maintenance_batches(text, text) IS
    'for vrm.maintain(): runs a step until it has nothing left to do, for a minute at most';

-- Neither SECURITY DEFINER nor a setting of its own: a procedure with one of them cannot commit.
CREATE OR REPLACE PROCEDURE vrm.maintain()
    LANGUAGE plpgsql AS $$
DECLARE
    step pg_catalog.text[];
    policy text;
    problem text;
BEGIN
    FOREACH step SLICE 1 IN ARRAY ARRAY[
        ARRAY['calls past their time limit', 'SELECT vrm.expire_test_runs(100)'],
        ARRAY['imports', 'SELECT vrm_private.import_batch(1000)'],
        ARRAY['search', 'SELECT vrm_private.index_words()'],
        ARRAY['statistics', 'SELECT vrm_private.compact_calls(30)']] LOOP
        CALL vrm_private.maintenance_batches(step[1], step[2]);
    END LOOP;
    FOREACH step SLICE 1 IN ARRAY ARRAY[
        ARRAY['metrics about calls', 'SELECT vrm_private.count_calls()'],
        ARRAY['cached dashboards', 'SELECT 0 FROM vrm_private.expire_cached_results()'],
        ARRAY['keys of calls', 'SELECT vrm_private.forget_retry_keys()'],
        ARRAY['partitions of the archive', 'SELECT 0 FROM vrm_private.make_archive_partitions()'],
        ARRAY['partitions of logs', 'SELECT 0 FROM vrm_private.make_log_partitions()'],
        ARRAY['audit trail', 'SELECT 0 FROM vrm.audit_maintain()'],
        ARRAY['sign-ups that nobody confirmed', 'SELECT 0 FROM vrm_private.forget_sign_ups()'],
        ARRAY['changes of address', 'SELECT 0 FROM vrm_private.forget_email_changes()'],
        ARRAY['requests to recover accounts', 'SELECT 0 FROM vrm_private.forget_recovery_requests()'],
        ARRAY['devices', 'SELECT 0 FROM vrm_private.forget_devices()'],
        ARRAY['invitations that nobody accepted', 'SELECT 0 FROM vrm_private.forget_invitations()'],
        -- reads what the next step moves
        ARRAY['locks', 'SELECT 0 FROM vrm_private.show_waiting_locks()'],
        ARRAY['journal', 'SELECT 0 FROM vrm.audit_drain()'],
        ARRAY['seals', 'SELECT 0 FROM vrm.audit_seal()']] LOOP
        PERFORM vrm_private.maintenance_step(step[1], step[2]);
        COMMIT;
    END LOOP;
    problem := vrm_private.clock_problem();
    IF problem IS NOT NULL THEN
        RAISE WARNING '%', problem
            USING DETAIL = 'Nothing is deleted for its age.', HINT = 'SELECT * FROM vrm.doctor();';
        RETURN;
    END IF;
    FOREACH step SLICE 1 IN ARRAY ARRAY[
        ARRAY['clock', 'SELECT 0 FROM vrm_private.see_clock()'],
        ARRAY['storage samples', 'SELECT 0 FROM vrm.sample_storage()'],
        ARRAY['alerts', 'SELECT 0 FROM vrm_private.sample()']] LOOP
        PERFORM vrm_private.maintenance_step(step[1], step[2]);
        COMMIT;
    END LOOP;
    CALL vrm_private.check_quality();
    FOREACH policy IN ARRAY vrm_private.policies_to_run() LOOP
        CALL vrm.run_retention(policy);
    END LOOP;
END
$$;
COMMENT ON PROCEDURE vrm.maintain() IS
    'all that has to be done now and then, when its time has come; call it every few minutes, as the platform''s owner';
REVOKE EXECUTE ON FUNCTION vrm_private.maintenance_step(text, text) FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE vrm.maintain(), vrm_private.maintenance_batches(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.schedule_maintenance(schedule text DEFAULT '*/5 * * * *') RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    job bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        RAISE EXCEPTION 'pg_cron is not installed in this database'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Something has to call vrm.maintain() every few minutes.',
                  HINT = format('CREATE EXTENSION pg_cron; or, where it is in another database:'
                                ' SELECT cron.schedule_in_database(''vrm'', %L, ''CALL vrm.maintain()'', %L);'
                                ' or a systemd timer, see doc/operations/maintenance.md.',
                                schedule, current_database());
    END IF;
    -- CALL by itself: in a transaction with anything else it could not commit
    EXECUTE 'SELECT cron.schedule(''vrm'', $1, ''CALL vrm.maintain()'')' INTO job USING schedule;
    RETURN format('job %s: CALL vrm.maintain() at %s', job, schedule);
END
$$;
COMMENT ON FUNCTION vrm.schedule_maintenance(text) IS
    'lets pg_cron call vrm.maintain(), every five minutes by default; says what to do when there is no pg_cron';
REVOKE EXECUTE ON FUNCTION vrm.schedule_maintenance(text) FROM PUBLIC;
