-- What bench/analytics/statistics.pl measures: the same 17 figures of one user's calls by different means, texts of
-- queries with :user in them.  Results are compared: column exact must be the same everywhere.
\set QUIET on
SET client_min_messages = warning;
-- The first user's calls by themselves: spread over all pages of vrm.test_runs, reading the pages would
-- take most of the time, whatever is done with them.
CREATE TABLE raw (LIKE vrm.test_runs INCLUDING STORAGE INCLUDING COMPRESSION);
INSERT INTO raw SELECT * FROM vrm.test_runs WHERE user_id = id_of(0, 1) ORDER BY started_at;
VACUUM ANALYZE raw;
CREATE TABLE query (name text PRIMARY KEY, body text);

-- one detoasting for each member, as anybody would write it
INSERT INTO query VALUES ('members', $$
    SELECT status, started_at, completed_at, results -> 'duration' AS d, results -> 'customer' AS c,
           results -> 'sentiment' AS s, results -> 'actions' AS a
    FROM raw WHERE user_id = :user OFFSET 0$$);
-- one for all of them; the few documents that are no objects are short, and known without unpacking them
INSERT INTO query VALUES ('record', $$
    SELECT status, started_at, completed_at, j.d, j.c, j.s, j.a
    FROM raw, LATERAL (SELECT duration AS d, customer AS c, sentiment AS s, actions AS a
        FROM jsonb_to_record(CASE WHEN pg_column_size(results) > 60 THEN results ELSE '{}' END)
             AS r (duration jsonb, customer jsonb, sentiment jsonb, actions jsonb)) AS j
    WHERE user_id = :user OFFSET 0$$);
INSERT INTO query VALUES ('typed', $$
    SELECT status, CASE WHEN jsonb_typeof(s) = 'string' THEN s #>> '{}' END AS sentiment,
           CASE WHEN jsonb_typeof(c) = 'string' THEN c #>> '{}' END AS customer,
           CASE WHEN jsonb_typeof(a) = 'number' AND a::numeric BETWEEN 0 AND 2147483647 THEN a::numeric END AS actions,
           CASE WHEN jsonb_typeof(d) = 'string' AND d #>> '{}' ~ '^[0-9]{1,4}:[0-5][0-9]$'
                THEN (split_part(d #>> '{}', ':', 1)::bigint * 60 + split_part(d #>> '{}', ':', 2)::bigint) * 1000
                ELSE floor(extract(epoch FROM completed_at - started_at) * 1000)::bigint END AS duration_ms
    FROM (:source) AS raw OFFSET 0$$);
INSERT INTO query VALUES ('facts', $$
    SELECT status, sentiment, customer, actions, duration_ms FROM vrm.call_facts WHERE user_id = :user$$);

INSERT INTO query VALUES ('figures', $$
    SELECT concat_ws(' ', count(*) FILTER (WHERE status <> 'running'), count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'failed'),
                     count(*) FILTER (WHERE status = 'cancelled'),
                     round(avg(duration_ms) FILTER (WHERE status = 'completed'), 3),
                     round(stddev(duration_ms) FILTER (WHERE status = 'completed'), 3),
                     min(duration_ms) FILTER (WHERE status = 'completed'), max(duration_ms) FILTER (WHERE status = 'completed'),
                     count(*) FILTER (WHERE sentiment = 'positive'), count(*) FILTER (WHERE sentiment = 'neutral'),
                     count(*) FILTER (WHERE sentiment = 'negative'), sum(actions)) AS exact,
           :estimates AS estimates
    FROM (:source) AS typed$$);
INSERT INTO query VALUES ('exact estimates', $$
    concat_ws(' ', percentile_disc('{0.5,0.95,0.99}'::float8[]) WITHIN GROUP (ORDER BY duration_ms)
                       FILTER (WHERE status = 'completed'), count(DISTINCT customer))$$);
INSERT INTO query VALUES ('sketched estimates', $$
    concat_ws(' ', tdigest_percentile(duration_ms, 100, '{0.5,0.95,0.99}'::float8[]) FILTER (WHERE status = 'completed'),
                   round(hll_cardinality(hll_add_agg(:hashed))::numeric))$$);
INSERT INTO query VALUES ('native figures', $$
    SELECT concat_ws(' ', f.calls - f.running, f.completed, f.failed, f.cancelled,
                     round(extract(epoch FROM f.average_duration) * 1000, 3), round(extract(epoch FROM f.stddev_duration) * 1000, 3),
                     floor(extract(epoch FROM f.min_duration) * 1000), floor(extract(epoch FROM f.max_duration) * 1000),
                     f.positive, f.neutral, f.negative, f.actions) AS exact,
           concat_ws(' ', ARRAY[extract(epoch FROM f.p50_duration), extract(epoch FROM f.p95_duration),
                                extract(epoch FROM f.p99_duration)]::text, f.customers) AS estimates
    FROM (:source) AS all_of_it (stats), vrm.summary(stats) AS f$$);

-- Puts the texts together: what stands for a colon and a name.
CREATE FUNCTION text_of(name text, VARIADIC parts text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    made text := (SELECT q.body FROM query q WHERE q.name = text_of.name);
BEGIN
    FOR i IN 1 .. cardinality(parts) BY 2 LOOP
        made := replace(made, parts[i], parts[i + 1]);
    END LOOP;
    RETURN made;
END
$$;
INSERT INTO query
SELECT 'raw: ' || means, text_of('figures', ':estimates', text_of(estimates), ':source', text_of('typed', ':source', text_of(source)),
                                 ':hashed', 'hll_hash_text(customer)')
FROM (VALUES ('ordinary SQL', 'members', 'exact estimates'), ('SQL, tdigest, hll', 'members', 'sketched estimates'),
             ('best SQL', 'record', 'exact estimates')) AS raw (means, source, estimates);
INSERT INTO query
SELECT 'facts: ' || means, text_of('figures', ':estimates', text_of(estimates), ':source', text_of('facts'), ':hashed', 'hll_hash_bigint(customer)')
FROM (VALUES ('exact SQL', 'exact estimates'), ('SQL, tdigest, hll', 'sketched estimates')) AS facts (means, estimates);
INSERT INTO query VALUES
    ('raw: native', text_of('native figures', ':source', $$
        SELECT vrm.call_stats(status, started_at, completed_at, results) FROM raw WHERE user_id = :user$$)),
    ('facts: native', text_of('native figures', ':source', $$
        SELECT vrm.call_stats(status, duration_ms, sentiment, actions, customer, bad) FROM vrm.call_facts WHERE user_id = :user$$)),
    ('facts: count + avg', $$
        SELECT count(*)::text AS exact, avg(duration_ms)::text AS estimates FROM vrm.call_facts WHERE user_id = :user$$);

-- Milliseconds of CPU that a query takes.  The kernel accounts by ticks of some milliseconds: what is quick
-- runs over and over, until that matters no more, and so has been planned when it counts.
CREATE FUNCTION took(query text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    spent bigint;
    times integer := 1;
BEGIN
    LOOP
        before := cpu();
        FOR i IN 1 .. times LOOP
            EXECUTE query;
        END LOOP;
        spent := cpu() - before;
        EXIT WHEN spent > 120000000;
        times := times * 4;
    END LOOP;
    RETURN spent / 1e6 / times;
END
$$;

-- Runs one of them for a user, after it has run for nobody; milliseconds of CPU, and what it said.
CREATE FUNCTION measured(name text, of_user uuid, OUT ms double precision, OUT exact text, OUT estimates text)
    LANGUAGE plpgsql AS $$
DECLARE
    body text := (SELECT q.body FROM query q WHERE q.name = measured.name);
BEGIN
    EXECUTE replace(body, ':user', quote_literal(id_of(-1, 1))) INTO exact, estimates;
    body := replace(body, ':user', quote_literal(of_user));
    ms := took(body);
    EXECUTE body INTO exact, estimates;
END
$$;

-- Microseconds of CPU of a query that somebody signed in asks.
CREATE FUNCTION asked(who uuid, query text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    us double precision;
BEGIN
    PERFORM set_config('request.jwt.claims', jsonb_build_object('sub', who, 'role', 'authenticated')::text, false);
    SET ROLE authenticated;
    us := took(query) * 1000;
    RESET ROLE;
    RETURN us;
END
$$;

-- Microseconds of CPU to complete a call of 20 turns; what was made for it is rolled back.
CREATE FUNCTION completion(who uuid, calls integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    runs uuid[];
    run uuid;
    before bigint;
    took double precision;
BEGIN
    WITH made AS (
        INSERT INTO vrm.test_runs (user_id, status, started_at) SELECT who, 'running', now() FROM generate_series(1, calls) RETURNING id
    )
    SELECT array_agg(id) INTO runs FROM made;
    INSERT INTO vrm.transcript_turns (user_id, run_id, speaker, message, at)
        SELECT who, r.id, 'Agent', repeat('one moment please ', 5), n * interval '1 millisecond'
        FROM unnest(runs) AS r (id), generate_series(1, 20) AS n;
    PERFORM set_config('request.jwt.claims', jsonb_build_object('sub', who, 'role', 'authenticated')::text, true);
    SET LOCAL ROLE authenticated;
    before := cpu();
    FOREACH run IN ARRAY runs LOOP
        PERFORM vrm.complete_test_run(run, '{"sentiment": "positive", "customer": "c@example.com"}');
    END LOOP;
    took := (cpu() - before) / 1e3 / calls;
    RESET ROLE;
    RETURN took;
END
$$;

-- What many would do instead: one row of counters for each agent and day.
CREATE TABLE counter (agent_id uuid, day date, calls bigint, PRIMARY KEY (agent_id, day));
CREATE FUNCTION count_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter VALUES (NEW.agent_id, NEW.started_at::date, 1)
    ON CONFLICT (agent_id, day) DO UPDATE SET calls = counter.calls + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_call AFTER INSERT ON vrm.test_runs FOR EACH ROW EXECUTE FUNCTION count_call();
ALTER TABLE vrm.test_runs DISABLE TRIGGER count_call;
