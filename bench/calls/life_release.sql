-- A call's life by functions that 1.0.0 has, too: turns one by one, as a voice platform sends them.
INSERT INTO auth.users (id, email) VALUES ('018f0000-0000-7000-8000-00000000000a', 'ann@example.org');
INSERT INTO vrm.agents (user_id, agent_id) VALUES ('018f0000-0000-7000-8000-00000000000a', 'reception');

CREATE PROCEDURE sign_in() LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims', '{"sub": "018f0000-0000-7000-8000-00000000000a", "role": "authenticated"}', true) $$;

CREATE PROCEDURE lives(calls integer, turns integer) LANGUAGE plpgsql AS $$
DECLARE
    agent uuid := (SELECT id FROM vrm.agents WHERE user_id = '018f0000-0000-7000-8000-00000000000a' LIMIT 1);
    run uuid;
BEGIN
    FOR n IN 1..calls LOOP
        CALL sign_in();
        run := vrm.start_test_run(agent, time_limit => 600);
        COMMIT;
        FOR turn IN 1..turns LOOP
            CALL sign_in();
            PERFORM vrm.append_transcript(run, 'Agent', 'turn ' || turn || ' of call ' || n || ': ' || md5(n || '/' || turn)
                                               || ' as people say it', turn * interval '3.14 s');
            COMMIT;
        END LOOP;
        CALL sign_in();
        PERFORM vrm.complete_test_run(run, '{"sentiment": "positive", "duration": "1:00"}');
        COMMIT;
    END LOOP;
END
$$;
