-- So many queued calls of one owner, as start_suite() leaves them, made without its triggers.
SET client_min_messages = warning;
CREATE EXTENSION vrm;
INSERT INTO auth.users (id, email) VALUES ('018f0000-0000-7000-8000-0000000000a1', 'a@example.org');
INSERT INTO vrm.agents (user_id, id, agent_id)
VALUES ('018f0000-0000-7000-8000-0000000000a1', '018f0000-0000-7000-8000-0000000000b1', 'reception');
SET session_replication_role = replica;  -- those of start_suite() would take minutes
INSERT INTO vrm.test_runs (user_id, id, agent_id, agent_version, test_case_ids, status)
SELECT '018f0000-0000-7000-8000-0000000000a1', vrm.uuid7(), '018f0000-0000-7000-8000-0000000000b1', 1, '[]', 'queued'
FROM generate_series(1, :queued);
INSERT INTO vrm.run_queue (user_id, run_id) SELECT user_id, id FROM vrm.test_runs ORDER BY id;
INSERT INTO vrm.live_runs (user_id, run_id) SELECT user_id, id FROM vrm.test_runs ORDER BY id;
RESET session_replication_role;
VACUUM ANALYZE;
CHECKPOINT;
