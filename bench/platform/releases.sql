-- What bench/platform/releases.pl makes on both servers before it measures.
SET client_min_messages = warning;
SET vrm.secret_literals = allow;
\ir ../lib/cpu.sql
GRANT EXECUTE ON FUNCTION cpu() TO PUBLIC;
SELECT vrm.key_create('data'), vrm.key_create('blind_index') \g /dev/null

-- lockout: nobody is locked but who is meant to be
UPDATE vrm.lockout_policy
SET threshold = 1000, base_lock = '1 second', max_lock = '1 second', consecutive_cap = 0, attempt_window = '1 second'
WHERE kind = 'password';
SELECT vrm.lockout_lock('password', 'locked', 'infinity') \g /dev/null

-- secrets
CREATE TABLE small AS SELECT md5(i::text) || 'suffix_8' AS plain FROM generate_series(1, 1000) AS i;
CREATE TABLE sample AS SELECT vrm.seal(plain::text::vrm.secret) AS sealed FROM small;
ALTER TABLE sample ALTER sealed SET STORAGE EXTERNAL;
CREATE TABLE large (sealed bytea);
ALTER TABLE large ALTER sealed SET STORAGE EXTERNAL;
INSERT INTO large SELECT vrm.seal(repeat('0123456789abcdef', 65536)::vrm.secret) FROM generate_series(1, 4);
CREATE TABLE bound (id bigint PRIMARY KEY, value vrm.sealed) WITH (autovacuum_enabled = false);
SELECT vrm.seal_column('bound', 'value') \g /dev/null
INSERT INTO bound SELECT i, vrm.seal((md5(i::text) || 'suffix')::vrm.secret) FROM generate_series(1, 20000) AS i;
CREATE TABLE entered (LIKE bound INCLUDING ALL);
SELECT vrm.seal_column('entered', 'value') \g /dev/null

-- identity: a million rows of a thousand people, of which one has made every fourth
CREATE TABLE calls (id bigint PRIMARY KEY, user_id uuid NOT NULL, minutes integer NOT NULL, padding text);
INSERT INTO calls
SELECT i, CASE WHEN i % 4 = 0 THEN '018f0000-0000-7000-8000-00000000000a' ELSE md5((i % 999)::text)::uuid END, i % 60,
       repeat('x', 80)
FROM generate_series(1, 1000000) AS i;
CREATE INDEX calls_of ON calls (user_id, id);
VACUUM (ANALYZE, FREEZE) calls;
GRANT SELECT ON calls TO authenticated;
ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON calls TO authenticated USING (user_id = vrm.uid());
INSERT INTO auth.users (id, email, encrypted_password, email_confirmed_at)
VALUES ('018f0000-0000-7000-8000-00000000000a', 'ann@example.org', vrm.password_hash('correct horse'), now());
CREATE TABLE token AS SELECT (vrm.sign_in('ann@example.org', 'correct horse')).*;
CREATE PROCEDURE refresh(times integer) LANGUAGE plpgsql AS $$
DECLARE
    token text := (vrm.sign_in('ann@example.org', 'correct horse')).refresh_token;
BEGIN
    FOR i IN 1 .. times LOOP
        COMMIT;
        token := (vrm.session_refresh(token)).refresh_token;
        ASSERT token IS NOT NULL;
    END LOOP;
END
$$;

-- audit
CREATE TABLE audited (id int PRIMARY KEY, name text, persona text, settings jsonb, minutes int, price numeric,
                      active boolean, created_at timestamptz, updated_at timestamptz);
INSERT INTO audited
SELECT i, 'agent ' || i, repeat('a kind voice, ', 10), '{"voice": "alloy", "speed": 1.0, "retries": 3}', i, i * 1.5,
       true, now(), now() FROM generate_series(1, 5000) AS i;
SELECT vrm.audit_enable('audited') \g /dev/null
SELECT vrm.audit_maintain() \g /dev/null
CREATE PROCEDURE events(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. times LOOP
        PERFORM vrm.audit_event('benched', '{"user_id": "018f0000-0000-7000-8000-00000000000a", "aal": "aal1"}');
        COMMIT;
    END LOOP;
END
$$;
VACUUM (ANALYZE);
CHECKPOINT;
