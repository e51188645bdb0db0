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
    state text;
    why text;
BEGIN
    BEGIN
        EXECUTE statement INTO done;
    EXCEPTION WHEN OTHERS THEN
        state := SQLSTATE;
        why := SQLERRM;
        RAISE WARNING 'step "%" of vrm.maintain() failed: %', step, why
            USING ERRCODE = state, HINT = 'SELECT * FROM vrm.maintenance_failures;';
    END;
    -- what was done stays done, and others are done, when somebody has locked where it is noted
    PERFORM set_config('lock_timeout', '200ms', true);
    BEGIN
        IF state IS NULL THEN
            DELETE FROM vrm.maintenance_failures f WHERE f.step = maintenance_step.step;
        ELSE
            INSERT INTO vrm.maintenance_failures AS f (step, sqlstate, message)
            VALUES (maintenance_step.step, state, why)
            ON CONFLICT ON CONSTRAINT maintenance_failures_pkey DO UPDATE
                SET sqlstate = excluded.sqlstate, message = excluded.message, last_at = now(),
                    failures = f.failures + 1;
        END IF;
    EXCEPTION WHEN lock_not_available THEN
        RAISE WARNING 'how step "%" of vrm.maintain() went cannot be noted: %', step, SQLERRM
            USING ERRCODE = 'lock_not_available',
                  HINT = 'SELECT * FROM pg_locks WHERE relation = ''vrm.maintenance_failures''::regclass;';
    END;
    RETURN coalesce(done, 0);
END
$$;
COMMENT ON FUNCTION vrm_private.maintenance_step(text, text) IS
    'for vrm.maintain(): runs a statement that gives a number, and returns it; 0 when it fails, which is noted';

-- In batches, each in its own transaction, until nothing is left or time is up: there may always be more.
CREATE OR REPLACE PROCEDURE vrm_private.maintenance_batches(step text, statement text)
    LANGUAGE plpgsql AS $$
DECLARE
    until timestamptz := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) pg_catalog.interval '30 seconds';
BEGIN
    WHILE vrm_private.maintenance_step(step, statement) OPERATOR(pg_catalog.>) 0
          AND pg_catalog.clock_timestamp() OPERATOR(pg_catalog.<) until LOOP
        COMMIT;
    END LOOP;
    COMMIT;
END
$$;
COMMENT ON PROCEDURE vrm_private.maintenance_batches(text, text) IS
    'for vrm.maintain(): runs a step until it has nothing left to do, for half a minute at most';

-- Neither SECURITY DEFINER nor a setting of its own: a procedure with one of them cannot commit.
CREATE OR REPLACE PROCEDURE vrm.maintain()
    LANGUAGE plpgsql AS $$
DECLARE
    step pg_catalog.text[];
    clock bigint;
BEGIN
    PERFORM vrm_private.note_visit();
    FOREACH step SLICE 1 IN ARRAY ARRAY[
        ARRAY['calls past their time limit', 'SELECT vrm.expire_test_runs(100)'],
        ARRAY['imports', 'SELECT vrm_private.import_batch(1000)'],
        ARRAY['search', 'SELECT vrm_private.index_words()'],
        ARRAY['statistics', 'SELECT vrm_private.compact_calls(30)'],
        ARRAY['old entries of the audit trail', 'SELECT vrm_private.drop_audit_partition()']] LOOP
        CALL vrm_private.maintenance_batches(step[1], step[2]);
    END LOOP;
    FOREACH step SLICE 1 IN ARRAY ARRAY[
        ARRAY['metrics about calls', 'SELECT vrm_private.count_calls()'],
        ARRAY['cached dashboards', 'SELECT 0 FROM vrm_private.expire_cached_results()'],
        ARRAY['keys of calls', 'SELECT vrm_private.forget_retry_keys()'],
        ARRAY['partitions of the archive', 'SELECT 0 FROM vrm_private.make_archive_partitions()'],
        ARRAY['partitions of logs', 'SELECT 0 FROM vrm_private.make_log_partitions()'],
        ARRAY['partitions of the audit trail', 'SELECT 0 FROM vrm_private.make_audit_partitions()'],
        ARRAY['audit trail', 'SELECT 0 FROM vrm_private.tidy_audit_trail()'],
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
    -- 1 is well, 2 is not, and 0 is that it cannot be told
    clock := vrm_private.maintenance_step('what time it is',
        'SELECT 1 + (vrm_private.clock_problem() IS NOT NULL)::integer');
    COMMIT;
    IF clock OPERATOR(pg_catalog.=) 2 THEN
        RAISE WARNING '%', vrm_private.clock_problem()
            USING DETAIL = 'Nothing is deleted for its age.', HINT = 'SELECT * FROM vrm.doctor();';
        PERFORM vrm_private.note_end();
        RETURN;
    END IF;
    FOREACH step SLICE 1 IN ARRAY ARRAY[
        ARRAY['clock', 'SELECT 0 FROM vrm_private.see_clock()'],
        ARRAY['storage samples', 'SELECT 0 FROM vrm.sample_storage()'],
        ARRAY['archiving', 'SELECT 0 FROM vrm_private.see_archiving()'],
        ARRAY['alerts about agents', 'SELECT vrm_private.note_agent_alerts()'],
        ARRAY['alerts', 'SELECT 0 FROM vrm_private.sample()']] LOOP
        PERFORM vrm_private.maintenance_step(step[1], step[2]);
        COMMIT;
    END LOOP;
    CALL vrm_private.check_quality();
    PERFORM vrm_private.note_end();  -- what retention has not done it tells itself
    IF clock OPERATOR(pg_catalog.=) 1
       AND vrm_private.maintenance_step('policies of retention',
           'SELECT cardinality(vrm_private.policies_to_run())') OPERATOR(pg_catalog.>) 0 THEN
        CALL vrm.run_due_retention();
    END IF;
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

-- Whether anybody calls it ------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.note_visit() RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT setval('vrm_private.maintenance_visit', extract(epoch FROM clock_timestamp())::bigint),
           CASE WHEN pg_sequence_last_value('vrm_private.maintenance_unended') IS NULL
                THEN setval('vrm_private.maintenance_unended', extract(epoch FROM clock_timestamp())::bigint) END
$$;
COMMENT ON FUNCTION vrm_private.note_visit() IS 'part of vrm.maintain(): notes that it came by, without writing WAL';

CREATE OR REPLACE FUNCTION vrm_private.note_end() RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT setval('vrm_private.maintenance_unended', 1, false)
$$;
COMMENT ON FUNCTION vrm_private.note_end() IS 'part of vrm.maintain(): notes that it came to its end';

-- A statement_timeout, or whoever cancels it each time, lets the first steps be done and never the last ones.
CREATE OR REPLACE FUNCTION vrm_private.unended_since() RETURNS timestamptz
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT s.at FROM to_timestamp(pg_sequence_last_value('vrm_private.maintenance_unended')) AS s (at)
            WHERE s.at < now() - interval '1 hour');
END
$$;
COMMENT ON FUNCTION vrm_private.unended_since() IS
    'since when vrm.maintain() has been called and has not once come to its end; null for less than an hour';

-- What runs for hours is at work, not absent.
CREATE OR REPLACE FUNCTION vrm_private.last_visit() RETURNS timestamptz
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN NULL;
    END IF;
    RETURN greatest(to_timestamp(pg_sequence_last_value('vrm_private.maintenance_visit')),
                    (SELECT max(coalesce(r.last_batch_at, r.started_at)) FROM vrm.retention_runs r
                     WHERE r.state = 'running' AND r.started_at <= now()));
END
$$;
COMMENT ON FUNCTION vrm_private.last_visit() IS
    'when vrm.maintain() last came by; null on a standby, and when nobody knows: never, or not since a crash';

CREATE OR REPLACE FUNCTION vrm_private.visits_since() RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest(pg_postmaster_start_time(), (SELECT min(h.at) FROM vrm_private.platform_history h))
$$;
COMMENT ON FUNCTION vrm_private.visits_since() IS 'from when on vrm.maintain() would be known to have come by';

CREATE OR REPLACE FUNCTION vrm_private.visit_age() RETURNS double precision
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN pg_is_in_recovery() THEN 'NaN'
                ELSE greatest(extract(epoch FROM clock_timestamp()
                                      - coalesce(vrm_private.unended_since(), vrm_private.last_visit(),
                                                 vrm_private.visits_since())), 0) END
$$;
COMMENT ON FUNCTION vrm_private.visit_age() IS
    'seconds since vrm.maintain() last came by, or, for who never comes to the end, since that began; NaN on a standby';

-- Only what is pg_cron's is read: a view that somebody planted under its name could run anything.
CREATE OR REPLACE FUNCTION vrm_private.cron_runs()
    RETURNS TABLE (job bigint, status text, message text, at timestamptz)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
        WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'pg_cron'
          AND d.classid = 'pg_class'::regclass
          AND d.objid IN (to_regclass('cron.job'), to_regclass('cron.job_run_details'))) = 2 THEN
        RETURN QUERY EXECUTE
            'SELECT j.jobid, d.status, d.return_message, d.start_time FROM cron.job j'
            ' LEFT JOIN LATERAL (SELECT r.status, r.return_message, r.start_time FROM cron.job_run_details r'
            '                    WHERE r.jobid = j.jobid ORDER BY r.runid DESC LIMIT 1) AS d ON true'
            ' WHERE j.active AND j.database = current_database() AND strpos(j.command, ''vrm.maintain'') > 0';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.cron_runs() IS
    'jobs of pg_cron that call vrm.maintain() here, and how the last run of each went; none where pg_cron is elsewhere';

-- A policy that is due for an hour, or a call that ended itself an hour ago, means that nobody calls.
CREATE OR REPLACE FUNCTION vrm_private.doctor_maintenance()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH last_run AS (
        SELECT p.name, p.every, l.state, l.started_at, l.error
        FROM vrm.retention_policies p
        LEFT JOIN LATERAL (SELECT r.state, r.started_at, r.error FROM vrm.retention_runs r
                           WHERE r.policy = p.name AND r.started_at <= now()
                           ORDER BY r.run_id DESC LIMIT 1) AS l ON true
        WHERE p.enabled AND p.keep IS NOT NULL
    ), waiting (what, since) AS (
        SELECT format('retention policy "%s" has been due', l.name), l.started_at + l.every
        FROM last_run l WHERE l.state IS NOT NULL AND l.state NOT IN ('running', 'failed')
        UNION ALL
        SELECT format('call %s has been over its time limit', r.id), r.started_at + make_interval(secs => r.time_limit)
        FROM vrm.live_runs l JOIN vrm.test_runs r ON r.user_id = l.user_id AND r.id = l.run_id
        WHERE r.status IN ('queued', 'running') AND isfinite(r.started_at)
    )
    (SELECT 'maintenance', 'fail',
            format('nobody calls vrm.maintain(): %s since %s', w.what, to_char(w.since, 'YYYY-MM-DD HH24:MI TZ')),
            'The fix does it once, by itself in a transaction; then see doc/operations/maintenance.md for a schedule.',
            'CALL vrm.maintain();'
     FROM waiting w WHERE w.since < now() - interval '1 hour' ORDER BY w.since LIMIT 1)
    UNION ALL
    SELECT 'maintenance', 'fail',
           format('step "%s" of vrm.maintain() has failed since %s, the last time with SQLSTATE %s: %s', f.step,
                  to_char(f.since, 'YYYY-MM-DD HH24:MI TZ'), f.sqlstate, f.message),
           'Mend what it names; the fix, by itself in a transaction, tries again. The other steps are done.',
           'CALL vrm.maintain();'
    FROM vrm.maintenance_failures f
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
    UNION ALL
    SELECT 'retention', 'warn', format('%s rows of policy "%s" could not go, the last with SQLSTATE %s: %s', count(*),
                                       f.policy, max(f.sqlstate), max(f.message)),
           'Each run tries them again by themselves; the fix shows them all.',
           format('SELECT * FROM vrm.retention_refused WHERE policy = %L;', f.policy)
    FROM vrm.retention_refused f GROUP BY f.policy
    UNION ALL
    SELECT 'retention', 'warn', format('%s runs are noted in the future, the last at %s', count(*),
                                       to_char(max(r.started_at), 'YYYY-MM-DD HH24:MI TZ')),
           'The clock was wrong then: they count as not having happened; the fix takes them out of the log.',
           'DELETE FROM vrm.retention_runs r WHERE r.started_at > now() AND NOT EXISTS (SELECT FROM'
           ' vrm_private.archive_manifest m WHERE m.run_id = r.run_id);'
    FROM vrm.retention_runs r
    WHERE r.started_at > now() + interval '1 minute'
      AND NOT EXISTS (SELECT FROM vrm_private.archive_manifest m WHERE m.run_id = r.run_id)
    HAVING count(*) > 0
    UNION ALL
    SELECT 'maintenance', 'fail', vrm_private.clock_problem(),
           'Nothing is deleted for its age meanwhile. Set the clock; or, when it is right, say so with the fix, outside'
           ' a transaction.', 'SET vrm.max_clock_step = -1; CALL vrm.maintain();'
    WHERE vrm_private.clock_problem() IS NOT NULL
$$;
COMMENT ON FUNCTION vrm_private.doctor_maintenance() IS
    'for vrm.doctor(): what is done every few minutes, and what has failed';

CREATE OR REPLACE FUNCTION vrm_private.doctor_schedule()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'maintenance', CASE WHEN v.late THEN 'fail' ELSE 'unknown' END,
           CASE WHEN v.late THEN format('nobody calls vrm.maintain(): it has not been called since %s',
                                        to_char(coalesce(v.at, v.since), 'YYYY-MM-DD HH24:MI TZ'))
                ELSE 'vrm.maintain() has not been called yet' END,
           'The fix does it once, by itself in a transaction; then see doc/operations/maintenance.md for a schedule.',
           'CALL vrm.maintain();'
    FROM (SELECT s.at, s.since, coalesce(s.at, s.since) < now() - interval '15 minutes' AS late
          FROM (SELECT vrm_private.last_visit() AS at, vrm_private.visits_since() AS since) AS s) AS v
    WHERE NOT pg_is_in_recovery() AND (v.late OR v.at IS NULL)
    UNION ALL
    SELECT 'maintenance', 'unknown', 'this is a standby: its primary server knows whether vrm.maintain() is called',
           'On the primary server: SELECT * FROM vrm.doctor();', NULL
    WHERE pg_is_in_recovery()
    UNION ALL
    SELECT 'maintenance', 'fail',
           format('vrm.maintain() is called and has not come to its end since %s',
                  to_char(u.at, 'YYYY-MM-DD HH24:MI TZ')),
           'Something cancels it, as a statement_timeout of its role or of the database does. The fix runs all of it,'
           ' outside a transaction; then: ALTER ROLE its_role IN DATABASE this_one SET statement_timeout = 0;',
           'SET statement_timeout = 0; CALL vrm.maintain();'
    FROM vrm_private.unended_since() AS u (at)
    WHERE u.at IS NOT NULL
    UNION ALL
    SELECT 'maintenance', CASE WHEN r.status = 'failed' THEN 'fail' ELSE 'unknown' END,
           CASE WHEN r.status = 'failed' THEN
                    format('job %s of pg_cron, which calls vrm.maintain(), failed at %s: %s', r.job,
                           to_char(r.at, 'YYYY-MM-DD HH24:MI TZ'), r.message)
                ELSE format('job %s of pg_cron has not called vrm.maintain() yet', r.job) END,
           CASE WHEN r.fix IS NULL THEN 'SELECT * FROM cron.job_run_details ORDER BY runid DESC LIMIT 5;'
                ELSE 'pg_cron signs in over loopback without a password, which pg_hba.conf of Debian refuses: with the'
                     ' fix it needs no login. Then restart the server.' END,
           CASE WHEN r.status = 'failed' THEN r.fix END
    FROM (SELECT c.*, CASE WHEN current_setting('cron.use_background_workers', true) = 'off'
                                AND c.message ~ 'connection'
                           THEN 'ALTER SYSTEM SET cron.use_background_workers = on;' END AS fix
          FROM vrm_private.cron_runs() c) AS r
    WHERE r.status IS NULL OR r.status = 'failed'
    UNION ALL
    SELECT 'retention', 'unknown', 'no retention policy has run yet',
           'vrm.maintain() runs them when their time has come.', 'CALL vrm.maintain();'
    WHERE NOT EXISTS (SELECT FROM vrm.retention_runs r WHERE r.started_at <= now())
$$;
COMMENT ON FUNCTION vrm_private.doctor_schedule() IS
    'for vrm.doctor(): whether vrm.maintain() is called, and what is not known yet';

REVOKE EXECUTE ON FUNCTION
    vrm_private.note_visit(), vrm_private.note_end(), vrm_private.unended_since(), vrm_private.last_visit(),
    vrm_private.visits_since(), vrm_private.visit_age(),
    vrm_private.cron_runs(), vrm_private.doctor_maintenance(), vrm_private.doctor_schedule()
    FROM PUBLIC;
