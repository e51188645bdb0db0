-- What identity costs, each measurement next to its peer in the same round.  See identity.pl, which
-- sets the variables and brings the tokens.
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;

-- auth.uid() as Supabase defines it
CREATE OR REPLACE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid
$$;

-- given: a million calls of a thousand people, of which one has made every fourth
CREATE TABLE calls (id bigint PRIMARY KEY, user_id uuid NOT NULL, minutes integer NOT NULL, padding text);
CREATE TABLE notes (call_id bigint NOT NULL, user_id uuid NOT NULL, stars integer NOT NULL);
INSERT INTO calls
SELECT i, CASE WHEN i % 4 = 0 THEN :'user'::uuid ELSE md5((i % 999)::text)::uuid END, i % 60, repeat('x', 80)
FROM generate_series(1, :rows) AS i;
INSERT INTO notes SELECT id, user_id, minutes % 5 FROM calls;
VACUUM (ANALYZE) calls, notes;

CREATE TABLE plain_calls AS TABLE calls;
CREATE TABLE plain_notes AS TABLE notes;
CREATE TABLE few_calls AS SELECT * FROM calls WHERE id % 20 = 0;
VACUUM (ANALYZE) plain_calls, plain_notes, few_calls;

-- one policy a role, so that all read the same pages
CREATE ROLE bench_native; CREATE ROLE bench_select; CREATE ROLE bench_naive;
GRANT authenticated TO bench_native, bench_select, bench_naive;
GRANT SELECT ON calls, notes, plain_calls, plain_notes TO bench_native, bench_select, bench_naive;
GRANT USAGE ON SCHEMA auth TO PUBLIC; GRANT EXECUTE ON FUNCTION auth.uid() TO PUBLIC;
ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY native ON calls TO bench_native USING (user_id = vrm.uid());
CREATE POLICY native ON notes TO bench_native USING (user_id = vrm.uid());
CREATE POLICY sub ON calls TO bench_select USING (user_id = (SELECT auth.uid()));
CREATE POLICY sub ON notes TO bench_select USING (user_id = (SELECT auth.uid()));
CREATE POLICY naive ON calls TO bench_naive USING (user_id = auth.uid());
CREATE POLICY naive ON notes TO bench_naive USING (user_id = auth.uid());

CREATE TABLE measured (what text, peer text, ms double precision);
-- Processor time of this backend, which other programs on the machine do not blur.
CREATE FUNCTION processor_ms() RETURNS double precision LANGUAGE sql VOLATILE AS $$
    SELECT split_part(pg_read_file('/proc/self/schedstat', 0, 100), ' ', 1)::double precision / 1e6
$$;
-- Median of what a peer took.
CREATE FUNCTION took(what text, peer text) RETURNS double precision LANGUAGE sql AS $$
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM measured m
    WHERE m.what = $1 AND m.peer = $2
$$;
-- Runs the peers of one question in turns.
CREATE PROCEDURE compare(what text, rounds int, VARIADIC peers text[]) LANGUAGE plpgsql AS $$
DECLARE
    began double precision;
    spent double precision;
BEGIN
    FOR round IN 0 .. rounds LOOP
        FOR i IN 1 .. cardinality(peers) BY 3 LOOP
            began := processor_ms();
            PERFORM set_config('role', peers[i + 1], false);
            EXECUTE peers[i + 2];
            PERFORM set_config('role', 'none', false);
            spent := processor_ms() - began;
            IF round > 0 THEN  -- the first warms up
                INSERT INTO measured VALUES (what, peers[i], spent);
            END IF;
        END LOOP;
    END LOOP;
END
$$;

SELECT vrm.jwk_import(:'key_set', 'https://bench.example') \g /dev/null
SET vrm.session_login = on;
SELECT vrm.login(:'token') \g /dev/null
SELECT set_config('request.jwt.claims', vrm.jwt()::text, false) \g /dev/null
SET max_parallel_workers_per_gather = 0;

-- --- vrm.uid() for each row ------------------------------------------------------------------------

CALL compare('per row', :rounds,
    'constant', 'none', format('SELECT count(%L::uuid = user_id) FROM plain_calls', :'user'),
    'vrm.uid()', 'none', 'SELECT count(vrm.uid() = user_id) FROM plain_calls');
SELECT vrm.logout() \g /dev/null
SET vrm.trusted_logins = :'superuser';
CALL compare('per row', :rounds,
    'trusted claims', 'none', 'SELECT count(vrm.uid() = user_id) FROM plain_calls');
CALL compare('per row', 1,
    'auth.uid()', 'none', 'SELECT count(auth.uid() = user_id) FROM few_calls');
SET vrm.trusted_logins = '';
SELECT vrm.login(:'token') \g /dev/null

\echo
\echo '== a call for each row, over the same comparison with a constant'
SELECT peer, round(((took('per row', peer) * share - took('per row', 'constant')) * 1e6 / :rows)::numeric) AS "ns per row",
       target
FROM (VALUES ('vrm.uid()', 1, '<= 80'), ('trusted claims', 1, ''), ('auth.uid()', 20, '')) AS peers (peer, share, target);

-- --- row level security against WHERE -----------------------------------------------------------------

CALL compare('scan', :rounds,
    'WHERE', 'none', format('SELECT sum(minutes) FROM plain_calls WHERE user_id = %L', :'user'),
    'vrm.uid()', 'bench_native', 'SELECT sum(minutes) FROM calls',
    '(SELECT auth.uid())', 'bench_select', 'SELECT sum(minutes) FROM calls');
CALL compare('join', :rounds,
    'WHERE', 'none', format('SELECT sum(stars) FROM plain_calls c JOIN plain_notes n ON n.call_id = c.id
                             WHERE c.user_id = %1$L AND n.user_id = %1$L', :'user'),
    'vrm.uid()', 'bench_native', 'SELECT sum(stars) FROM calls c JOIN notes n ON n.call_id = c.id',
    '(SELECT auth.uid())', 'bench_select', 'SELECT sum(stars) FROM calls c JOIN notes n ON n.call_id = c.id');
CALL compare('scan', 1, 'auth.uid()', 'bench_naive', 'SELECT sum(minutes) FROM calls');

\echo
\echo '== row level security, as a multiple of the same query with WHERE and without policies'
SELECT what AS query, peer, round(took(what, peer)::numeric, 1) AS ms,
       round((took(what, peer) / took(what, 'WHERE'))::numeric, 2) AS ratio,
       CASE WHEN peer = 'vrm.uid()' THEN '<= 1.15' ELSE '' END AS target
FROM measured WHERE what IN ('scan', 'join') GROUP BY what, peer ORDER BY what DESC, 4;

-- --- plans ----------------------------------------------------------------------------------------------

\echo
\echo '== the planner knows the tenant, and plans in parallel'
SET max_parallel_workers_per_gather = 2;
SET role = bench_native;
EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) SELECT sum(minutes) FROM calls;
SET role = bench_select;
EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) SELECT sum(minutes) FROM calls;
RESET role;
SET max_parallel_workers_per_gather = 0;

-- --- tokens ---------------------------------------------------------------------------------------------

CREATE TABLE tokens (algorithm text, token text);
\copy tokens FROM pstdin
VACUUM (ANALYZE) tokens;
SET vrm.session_login = off;
CALL compare('cached', :rounds,
    'nothing', 'none', format('SELECT count(md5(%L || i)) FROM generate_series(1, 20000) AS i', 'x'),
    'vrm.login()', 'none', format('SELECT count(md5(%L || i)), count(vrm.login(%L)) FROM generate_series(1, 20000) AS i', 'x', :'token'));
\echo
\echo '== vrm.login() with a token that this backend has seen'
SELECT round(((took('cached', 'vrm.login()') - took('cached', 'nothing')) / 20)::numeric, 2) AS "us per login", '<= 5' AS target;

-- --- acting for an organisation ----------------------------------------------------------------------

INSERT INTO auth.users (id, email) VALUES (:'user', 'bench@example.org') RETURNING id AS person \gset
SET vrm.trusted_logins = :'superuser';
BEGIN;
SELECT set_config('request.jwt.claims', format('{"sub": "%s"}', :'person'), true) \g /dev/null
SELECT vrm.create_organisation('Bench') AS bench \gset
COMMIT;
BEGIN;
SELECT set_config('request.jwt.claims', format('{"sub": "%s"}', :'person'), true) \g /dev/null
CALL compare('acting', :rounds,
    'nothing', 'none', 'SELECT count(CASE WHEN i % 2 = 0 THEN i END) FROM generate_series(1, 20000) AS i',
    'set_config()', 'none', $$SELECT count(set_config('bench.acting', (i % 2)::text, true)) FROM generate_series(1, 20000) AS i$$,
    'vrm.act_as()', 'none', format('SELECT count(vrm.act_as(CASE WHEN i %% 2 = 0 THEN %L::uuid END)) FROM generate_series(1, 20000) AS i', :'bench'));
COMMIT;
SET vrm.trusted_logins = '';
\echo
\echo '== vrm.act_as(), each time for somebody else'
SELECT peer, round(((took('acting', peer) - took('acting', 'nothing')) / 20)::numeric, 2) AS us, target
FROM (VALUES ('set_config()', ''), ('vrm.act_as()', '<= 1')) AS peers (peer, target);

-- 80 tokens in turns are more than the cache of 64 holds
CALL compare('first', :rounds,
    'RS256', 'none', $$SELECT count(vrm.verify_jwt(token)) FROM tokens, generate_series(1, 5) WHERE algorithm = 'RS256'$$,
    'ES256', 'none', $$SELECT count(vrm.verify_jwt(token)) FROM tokens, generate_series(1, 5) WHERE algorithm = 'ES256'$$,
    'EdDSA', 'none', $$SELECT count(vrm.verify_jwt(token)) FROM tokens, generate_series(1, 5) WHERE algorithm = 'EdDSA'$$);
\echo
\echo '== a token that has not been seen, as a multiple of what OpenSSL itself takes'
SELECT peer AS algorithm, round((took('first', peer) * 1000 / 400)::numeric, 1) AS us, openssl,
       round((took('first', peer) * 1000 / 400 / openssl)::numeric, 2) AS ratio
FROM (VALUES ('RS256', :openssl_rsa), ('ES256', :openssl_ecdsa), ('EdDSA', :openssl_ed25519)) AS peers (peer, openssl);
