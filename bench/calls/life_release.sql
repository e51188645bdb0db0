-- A call's life by functions that 1.0.0 has, too: turns one by one, as a voice platform sends them, or all of them in
-- the document that ends it.
INSERT INTO auth.users (id, email) VALUES ('018f0000-0000-7000-8000-00000000000a', 'ann@example.org');
INSERT INTO vrm.agents (user_id, agent_id) VALUES ('018f0000-0000-7000-8000-00000000000a', 'reception');

CREATE PROCEDURE sign_in() LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims', '{"sub": "018f0000-0000-7000-8000-00000000000a", "role": "authenticated"}', true) $$;

CREATE FUNCTION message(call integer, turn integer) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT 'turn ' || turn || ' of call ' || call || ': ' || md5(call || '/' || turn) || ' as people say it' $$;

CREATE PROCEDURE lives(calls integer, turns integer, one_by_one boolean) LANGUAGE plpgsql AS $$
DECLARE
    agent uuid := (SELECT id FROM vrm.agents WHERE user_id = '018f0000-0000-7000-8000-00000000000a' LIMIT 1);
    run uuid;
    document jsonb;
BEGIN
    FOR n IN 1..calls LOOP
        CALL sign_in();
        run := vrm.start_test_run(agent, time_limit => 600);
        COMMIT;
        document := '{"sentiment": "positive", "duration": "3:00"}';
        IF one_by_one THEN
            FOR turn IN 1..turns LOOP
                CALL sign_in();
                PERFORM vrm.append_transcript(run, 'Agent', message(n, turn), turn * interval '3.14 s');
                COMMIT;
            END LOOP;
        ELSE
            document := document || jsonb_build_object('transcript', (
                SELECT jsonb_agg(jsonb_build_object('speaker', 'Agent', 'message', message(n, t),
                                                    'time', to_char(t * interval '3.14 s', 'FMMI:SS')))
                FROM generate_series(1, turns) AS t));
        END IF;
        CALL sign_in();
        PERFORM vrm.complete_test_run(run, document);
        COMMIT;
    END LOOP;
END
$$;
