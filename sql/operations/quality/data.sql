-- Data quality: what is checked, and checking it: rows that come with it

-- What vrm knows of its tables beyond their definition.  What a DBA has changed of it, stays; but a view
-- that was dropped and made again is another one.
INSERT INTO vrm.quality_check AS q
    (name, rel, kind, severity, columns, expression, refers_to, refers_columns, max_age, hint, origin)
SELECT d.rel || '/' || d.kind || '/' || d.name, d.rel::regclass, d.kind, d.severity, d.columns::name[], d.expression,
       d.refers_to::regclass, d.refers_columns::name[], d.max_age::interval, d.hint, 'platform'
FROM (VALUES
    ('vrm.test_runs', 'json', 'results', 'error', '{results}', 'vrm.valid_results(results)', NULL, NULL, NULL,
     'SELECT user_id, id, vrm.results_error(results) FROM vrm.test_runs WHERE NOT vrm.valid_results(results);'),
    ('vrm.agents', 'json', 'connection_details', 'error', '{connection_details}',
     'vrm.valid_connection_details(connection_details)', NULL, NULL, NULL,
     'SELECT user_id, id, vrm.connection_details_error(connection_details) FROM vrm.agents'
     ' WHERE NOT vrm.valid_connection_details(connection_details);'),
    ('vrm_private.test_runs_archive', 'json', 'results', 'warning', '{results}', 'vrm.valid_results(results)',
     NULL, NULL, NULL, NULL),
    ('vrm.test_runs', 'type', 'test_case_ids', 'error', '{test_case_ids}',
     $e$jsonb_typeof(test_case_ids) = 'array' AND NOT jsonb_path_exists(test_case_ids, '$[*] ? (@.type() != "string" ||
        !(@ like_regex "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" flag "i"))')$e$, NULL, NULL, NULL, NULL),
    ('vrm.test_runs', 'fk', 'test_case_ids', 'info', '{test_case_ids}',
     $e$jsonb_array_elements_text(CASE WHEN jsonb_typeof(test_case_ids) = 'array' THEN test_case_ids END)$e$,
     'vrm.test_cases', '{id}', NULL, NULL),
    ('vrm.test_runs', 'required', 'results', 'warning', '{results}', $e$status <> 'completed' OR results IS NOT NULL$e$,
     NULL, NULL, NULL, NULL),
    ('vrm.test_runs', 'required', 'error', 'warning', '{error}', $e$status <> 'failed' OR btrim(error) <> ''$e$,
     NULL, NULL, NULL, NULL),
    ('vrm.test_runs', 'fk', 'facts', 'warning', '{id}',
     $e$CASE WHEN completed_at > now() - '30 days'::interval THEN id END$e$,
     'vrm.call_facts', '{id}', NULL, 'SELECT vrm_private.rebuild_facts();'),
    ('vrm_private.test_runs_archive', 'type', 'status', 'error', '{status}',
     $e$status IN ('completed', 'failed', 'cancelled')$e$, NULL, NULL, NULL, NULL),
    ('vrm_private.test_runs_archive', 'range', 'completed_at', 'error', '{completed_at}', 'completed_at >= started_at',
     NULL, NULL, NULL, NULL),
    ('vrm_private.test_runs_archive', 'fk', 'user_id', 'error', '{user_id}', NULL, 'vrm.user_profiles', '{id}',
     NULL, NULL),
    ('vrm_private.test_runs_archive', 'fk', 'agent_id', 'warning', '{user_id,agent_id}', NULL, 'vrm.agents',
     '{user_id,id}', NULL, NULL),
    ('vrm.metric_results', 'fk', 'run_id', 'info', '{user_id,run_id}', NULL, 'vrm.all_test_runs', '{user_id,id}',
     NULL, NULL),
    ('auth.users', 'fk', 'profile', 'error', '{id}', NULL, 'vrm.user_profiles', '{id}', NULL,
     'SELECT vrm.create_missing_profiles();'),
    ('vrm.user_profiles', 'required', 'email', 'info', '{email}',
     'is_organisation OR deleted_at IS NOT NULL OR email IS NOT NULL', NULL, NULL, NULL, NULL),
    ('vrm.user_profiles', 'type', 'email', 'warning', '{email}', $e$email LIKE '_%@_%'$e$, NULL, NULL, NULL, NULL),
    ('vrm.user_profiles', 'duplicate', 'email', 'warning', '{email}',
     'CASE WHEN deleted_at IS NULL THEN lower(email) END', NULL, NULL, NULL, NULL),
    ('vrm.call_recordings', 'duplicate', 'object_key', 'error', '{object_key}', NULL, NULL, NULL, NULL, NULL),
    ('vrm.retention_runs', 'freshness', 'started_at', 'warning', '{started_at}', NULL, NULL, NULL, '3 days',
     'CALL vrm.maintain();')
    ) AS d (rel, kind, name, severity, columns, expression, refers_to, refers_columns, max_age, hint)
ON CONFLICT ON CONSTRAINT quality_check_pkey DO UPDATE
SET rel = excluded.rel, refers_to = excluded.refers_to
WHERE q.origin = 'platform' AND (q.rel, q.refers_to) IS DISTINCT FROM (excluded.rel, excluded.refers_to);
