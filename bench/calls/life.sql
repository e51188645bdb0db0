-- A call's life by hand-written SQL on plain tables with the same columns and two indexes each, and by vrm's
-- functions; processor time of each step in this backend.
CREATE SCHEMA plain;
CREATE TABLE plain.test_runs (LIKE vrm.test_runs);
ALTER TABLE plain.test_runs ADD PRIMARY KEY (user_id, id);
CREATE INDEX ON plain.test_runs (user_id, started_at);
CREATE TABLE plain.turns (LIKE vrm.transcript_turns);
ALTER TABLE plain.turns ADD PRIMARY KEY (user_id, run_id, id);
CREATE INDEX ON plain.turns (run_id);

CREATE TABLE took (way text, step text, ns bigint);

CREATE PROCEDURE sign_in() LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims', '{"sub": "018f0000-0000-7000-8000-00000000000a", "role": "authenticated"}', true) $$;

CREATE FUNCTION message(number integer, turn integer) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT 'turn ' || turn || ' of call ' || number || ': ' || md5(number || '/' || turn) || ' as people say it' $$;

-- single appends in one transaction each, as a voice platform makes them
CREATE PROCEDURE plain_lives(calls integer, turns integer) LANGUAGE plpgsql AS $$
DECLARE
    me uuid := '018f0000-0000-7000-8000-00000000000a';
    agent uuid := (SELECT id FROM vrm.agents WHERE user_id = me LIMIT 1);
    run uuid;
    began bigint;
    start_ns bigint := 0;
    append_ns bigint := 0;
    end_ns bigint := 0;
    said text;
BEGIN
    FOR n IN 1..calls LOOP
        began := cpu();
        run := vrm.uuid7();
        INSERT INTO plain.test_runs (user_id, id, agent_id, time_limit, status, started_at)
        VALUES (me, run, agent, 600, 'running', now());
        start_ns := start_ns + cpu() - began;
        COMMIT;
        FOR turn IN 1..turns LOOP
            said := message(n, turn);
            began := cpu();
            INSERT INTO plain.turns (user_id, run_id, id, speaker, message, at, role, interrupted)
            VALUES (me, run, vrm.uuid7(), 'Agent', said, turn * interval '3.14 s', 'agent', false);
            append_ns := append_ns + cpu() - began;
            COMMIT;
        END LOOP;
        began := cpu();
        UPDATE plain.test_runs r
        SET status = 'completed', completed_at = clock_timestamp(), results = jsonb_build_object(
                'sentiment', 'positive', 'duration', '1:00', 'actions', 0, 'actionsTaken', '[]'::jsonb, 'insights', '[]'::jsonb,
                'transcript', (SELECT jsonb_agg(jsonb_build_object('speaker', t.speaker, 'message', t.message, 'role', t.role,
                                                                   'ms', (extract(epoch FROM t.at) * 1000)::bigint,
                                                                   'interrupted', t.interrupted,
                                                                   'time', to_char(t.at, 'MI:SS')) ORDER BY t.at, t.id)
                               FROM plain.turns t WHERE t.user_id = me AND t.run_id = run))
        WHERE r.user_id = me AND r.id = run;
        DELETE FROM plain.turns t WHERE t.user_id = me AND t.run_id = run;
        end_ns := end_ns + cpu() - began;
        COMMIT;
    END LOOP;
    INSERT INTO took VALUES ('plain', 'start', start_ns / calls), ('plain', 'append', append_ns / calls),
        ('plain', 'end', end_ns / calls);
END
$$;

CREATE PROCEDURE vrm_lives(calls integer, turns integer, together boolean) LANGUAGE plpgsql AS $$
DECLARE
    agent uuid := (SELECT id FROM vrm.agents WHERE user_id = '018f0000-0000-7000-8000-00000000000a' LIMIT 1);
    run uuid;
    began bigint;
    start_ns bigint := 0;
    append_ns bigint := 0;
    end_ns bigint := 0;
    said text;
    all_turns jsonb;
BEGIN
    FOR n IN 1..calls LOOP
        CALL sign_in();
        began := cpu();
        run := vrm.start_test_run(agent, time_limit => 600);
        start_ns := start_ns + cpu() - began;
        COMMIT;
        IF together THEN
            CALL sign_in();
            all_turns := (SELECT jsonb_agg(jsonb_build_object('speaker', 'Agent', 'message', message(n, t), 'ms', t * 3140))
                          FROM generate_series(1, turns) AS t);
            began := cpu();
            PERFORM vrm.append_turns(run, all_turns);
            append_ns := append_ns + cpu() - began;
            COMMIT;
        ELSE
            FOR turn IN 1..turns LOOP
                CALL sign_in();
                said := message(n, turn);
                began := cpu();
                PERFORM vrm.append_transcript(run, 'Agent', said, turn * interval '3.14 s');
                append_ns := append_ns + cpu() - began;
                COMMIT;
            END LOOP;
        END IF;
        CALL sign_in();
        began := cpu();
        PERFORM vrm.complete_test_run(run, '{"sentiment": "positive", "duration": "1:00"}');
        end_ns := end_ns + cpu() - began;
        COMMIT;
    END LOOP;
    INSERT INTO took
    SELECT CASE WHEN together THEN 'together' ELSE 'single' END, step, ns / calls
    FROM (VALUES ('start', start_ns), ('append', append_ns), ('end', end_ns)) AS v (step, ns);
END
$$;

-- one step of a life, for pgbench
CREATE FUNCTION plain_start() RETURNS uuid LANGUAGE sql AS $$
    INSERT INTO plain.test_runs (user_id, id, agent_id, time_limit, status, started_at)
    SELECT a.user_id, vrm.uuid7(), a.id, 600, 'running', now() FROM vrm.agents a LIMIT 1
    RETURNING id
$$;

CREATE FUNCTION plain_turns(run uuid, turns integer) RETURNS void LANGUAGE sql AS $$
    INSERT INTO plain.turns (user_id, run_id, id, speaker, message, at, role, interrupted)
    SELECT '018f0000-0000-7000-8000-00000000000a', run, vrm.uuid7(), 'Agent', message(1, t), t * interval '3.14 s',
           'agent', false
    FROM generate_series(1, turns) AS t
$$;

CREATE FUNCTION plain_end(run uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE plain.test_runs r
    SET status = 'completed', completed_at = clock_timestamp(), results = jsonb_build_object(
            'sentiment', 'positive', 'duration', '1:00', 'actions', 0, 'actionsTaken', '[]'::jsonb, 'insights', '[]'::jsonb,
            'transcript', (SELECT jsonb_agg(jsonb_build_object('speaker', t.speaker, 'message', t.message, 'role', t.role,
                                                               'ms', (extract(epoch FROM t.at) * 1000)::bigint,
                                                               'interrupted', t.interrupted,
                                                               'time', to_char(t.at, 'MI:SS')) ORDER BY t.at, t.id)
                           FROM plain.turns t WHERE t.run_id = run))
    WHERE r.user_id = '018f0000-0000-7000-8000-00000000000a' AND r.id = run;
    DELETE FROM plain.turns t WHERE t.user_id = '018f0000-0000-7000-8000-00000000000a' AND t.run_id = run
$$;

CREATE FUNCTION turns_of(turns integer) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_agg(jsonb_build_object('speaker', 'Agent', 'message', message(1, t), 'ms', t * 3140))
    FROM generate_series(1, turns) AS t
$$;
