-- Calls for bench/analytics/statistics.pl, the same every time: two years, 200 users of whom the first has every
-- eighth call, ten agents each, log-normal durations, documents of 2 to 6 kB, one in a thousand dirty.
\set QUIET on
SET client_min_messages = warning;
\ir ../lib/cpu.sql

-- from 0 to 1, and an id, that depend on a number alone
CREATE FUNCTION share(n bigint, salt bigint) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT (hashint8extended(n, salt) & 9007199254740991) / 9007199254740992.0::float8 $$;
CREATE FUNCTION id_of(n bigint, salt bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT (lpad(to_hex(hashint8extended(n, salt)), 16, '0') || lpad(to_hex(hashint8extended(n, ~salt)), 16, '0'))::uuid $$;

INSERT INTO auth.users (id) SELECT id_of(n, 1) FROM generate_series(0, 199) AS n;
INSERT INTO vrm.agents (user_id, id, agent_id)
    SELECT id_of(n / 10, 1), id_of(n, 2), 'agent ' || n % 10 FROM generate_series(0, 1999) AS n;

-- what is long in a document, of 1,000 kinds
CREATE TABLE document AS
WITH word AS (
    SELECT array_agg(w) AS list
    FROM regexp_split_to_table('the to i you and a is your it that can my for have on this of be in account we me '
        'not do with are order at what payment was please so just help number need thank if will would like know one '
        'see out card up would get call from today date time email phone charge how could there check let right okay '
        'sure now still when back about any again issue because want did said been they has our service month bill day '
        'confirm address name make change update refund website plan customer system cancel subscription appointment '
        'schedule delivery package tracking insurance agent manager transfer hold apologize understand', ' ') AS w
), sentence AS (
    SELECT n, (SELECT string_agg(list[1 + floor(cardinality(list) * share(n * 64 + k, 3) ^ 1.7)::int], ' ' ORDER BY k)
               FROM generate_series(1, 4 + (14 * share(n, 4))::int) AS k) || '.' AS message
    FROM word, generate_series(0, 4999) AS n
)
SELECT d AS kind, jsonb_build_object(
    'transcript', (SELECT jsonb_agg(jsonb_build_object('speaker', CASE WHEN t % 2 = 0 THEN 'Agent' ELSE 'Customer' END,
                       'message', s.message, 'time', to_char(t * interval '7 seconds', 'MI:SS')) ORDER BY t)
                   FROM generate_series(0, 10 + (30 * share(d, 5))::int) AS t
                   JOIN sentence s ON s.n = floor(5000 * share(d * 64 + t, 6))::int),
    'actionsTaken', (SELECT coalesce(jsonb_agg(jsonb_build_object('action', 'Looked up order ' || a, 'time', '00:1' || a,
                       'status', CASE WHEN share(d * 8 + a, 7) < 0.93 THEN 'success' ELSE 'failed' END)), '[]')
                     FROM generate_series(1, d % 5) AS a),
    'insights', jsonb_build_array(jsonb_build_object('type', 'intent', 'value', 'billing',
                                                     'description', 'Primary intent of the caller'))) AS long
FROM generate_series(0, 999) AS d;
ALTER TABLE document ADD PRIMARY KEY (kind);

-- calls number first to last of so many
CREATE PROCEDURE load(first bigint, last bigint, total bigint) LANGUAGE plpgsql AS $$
BEGIN
    SET session_replication_role = replica;  -- facts are made of all of them at once, later
    FOR batch IN first / 10000 .. last / 10000 LOOP
        INSERT INTO vrm.test_runs (user_id, id, agent_id, status, started_at, completed_at, results, error)
        SELECT id_of(who, 1), id_of(n, 8), id_of(who * 10 + floor(10 * share(n, 9) ^ 1.5)::int, 2), status, started_at,
               CASE WHEN status <> 'running' THEN started_at + seconds * interval '1 second' END,
               CASE WHEN status = 'completed' AND share(n, 16) >= 0.999
                    THEN (ARRAY['[]', '"oops"', '{"duration": "abc", "actions": "7"}', '{"duration": 165, "customer": 17}',
                                '{"duration": "99:99:99", "sentiment": "POSITIVE"}', '{"actions": 1e300, "duration": "-1:30"}'])[1 + n % 6]::jsonb
                    WHEN status = 'completed' THEN d.long || jsonb_build_object(
                        'customer', 'customer' || floor(300000 * share(n, 10) ^ 1.3)::int || '@example.com',
                        'duration', seconds / 60 || ':' || lpad((seconds % 60)::text, 2, '0'),
                        'sentiment', CASE WHEN share(n, 11) < 0.46 THEN 'positive' WHEN share(n, 11) < 0.83 THEN 'neutral' ELSE 'negative' END,
                        'actions', floor(-2.4 * ln(1 - share(n, 12) * 0.99))::int) END,
               CASE WHEN status = 'failed' THEN (ARRAY['webhook timeout', 'line busy', 'rate limited', 'caller hung up'])[1 + n % 4] END
        FROM generate_series(greatest(first, batch * 10000), least(last, batch * 10000 + 9999)) AS n
        CROSS JOIN LATERAL (
                      SELECT floor(200 * share(n, 13) ^ 2.5)::int AS who,
                             '2024-01-01Z'::timestamptz + (n * 730.0 / total) * interval '1 day' AS started_at,
                             CASE WHEN n >= total - 200 THEN 'running' WHEN share(n, 14) < 0.86 THEN 'completed'
                                  WHEN share(n, 14) < 0.94 THEN 'failed' ELSE 'cancelled' END AS status,
                             exp(ln(165) + 0.6 * sqrt(-2 * ln(1 - share(n, 15))) * cos(2 * pi() * share(n, 17)))::int AS seconds) AS c
        JOIN document d ON d.kind = floor(1000 * share(n, 18))::int;
        COMMIT;
    END LOOP;
END
$$;

-- A user who has every so many of the first user's calls and facts, over the same time, and their agents.
CREATE PROCEDURE keep_every(part bigint) LANGUAGE plpgsql AS $$
DECLARE
    fewer uuid := id_of(1000 + part, 1);
BEGIN
    SET session_replication_role = replica;
    INSERT INTO auth.users (id) VALUES (fewer);
    INSERT INTO vrm.user_profiles SELECT (jsonb_populate_record(p, jsonb_build_object('id', fewer))).*
        FROM vrm.user_profiles p WHERE p.id = id_of(0, 1);
    INSERT INTO vrm.agents SELECT (jsonb_populate_record(a, jsonb_build_object('user_id', fewer))).*
        FROM vrm.agents a WHERE a.user_id = id_of(0, 1);
    INSERT INTO vrm.test_runs SELECT (jsonb_populate_record(r, jsonb_build_object('user_id', fewer))).*
        FROM vrm.test_runs r WHERE r.user_id = id_of(0, 1) AND uuid_hash(r.id) % part = 0;
    INSERT INTO vrm.call_facts SELECT (jsonb_populate_record(f, jsonb_build_object('user_id', fewer))).*
        FROM vrm.call_facts f WHERE f.user_id = id_of(0, 1) AND uuid_hash(f.id) % part = 0;
    INSERT INTO vrm.call_dirty (user_id, day)
        SELECT DISTINCT f.user_id, vrm.utc_day(f.started_at) FROM vrm.call_facts f WHERE f.user_id = fewer;
END
$$;
