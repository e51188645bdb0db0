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

-- Neither SECURITY DEFINER nor a setting of its own: a procedure with one of them cannot commit.
CREATE OR REPLACE PROCEDURE vrm.maintain()
    LANGUAGE plpgsql AS $$
DECLARE
    policy text;
    problem text;
BEGIN
    WHILE vrm.expire_test_runs(100) OPERATOR(pg_catalog.>) 0 LOOP
        COMMIT;
    END LOOP;
    PERFORM vrm_private.expire_cached_results();
    COMMIT;
    CALL vrm.import_calls();
    CALL vrm.index_calls(interval '20 seconds');
    WHILE vrm_private.compact_calls() OPERATOR(pg_catalog.>) 0 LOOP
        COMMIT;
    END LOOP;
    PERFORM vrm_private.make_archive_partitions(), vrm_private.make_log_partitions(), vrm.audit_maintain();
    COMMIT;
    PERFORM vrm_private.forget_sign_ups();
    COMMIT;
    PERFORM vrm_private.show_waiting_locks();  -- reads what the next step moves
    COMMIT;
    PERFORM vrm.audit_drain();
    COMMIT;
    PERFORM vrm.audit_seal();
    COMMIT;
    problem := vrm_private.clock_problem();
    IF problem IS NOT NULL THEN
        RAISE WARNING '%', problem
            USING DETAIL = 'Nothing is deleted for its age.', HINT = 'SELECT * FROM vrm.doctor();';
        RETURN;
    END IF;
    PERFORM vrm_private.see_clock(), vrm.sample_storage(), vrm_private.sample();
    COMMIT;
    FOREACH policy IN ARRAY vrm_private.policies_to_run() LOOP
        CALL vrm.run_retention(policy);
    END LOOP;
    CALL vrm_private.check_quality();
END
$$;
COMMENT ON PROCEDURE vrm.maintain() IS
    'all that has to be done now and then, when its time has come; call it every few minutes, as the platform''s owner';
REVOKE EXECUTE ON PROCEDURE vrm.maintain() FROM PUBLIC;

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
