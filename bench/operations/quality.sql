-- What bench/operations/quality.pl runs in one session: figures as "name|value".
SET client_min_messages = warning;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
CREATE EXTENSION vrm;

-- Processor time of this backend, which other programs on the machine do not blur.
CREATE FUNCTION pg_temp.cpu_us() RETURNS double precision LANGUAGE sql VOLATILE AS $$
    SELECT split_part(pg_read_file('/proc/self/schedstat', 0, 100), ' ', 1)::double precision / 1000
$$;

-- given: results of calls of about 2.6 KB, stored as they are so that no peer pays for unpacking them
CREATE TABLE documents (id integer PRIMARY KEY, results jsonb);
ALTER TABLE documents ALTER COLUMN results SET STORAGE PLAIN;
INSERT INTO documents
SELECT n, jsonb_build_object(
    'customer', 'customer' || n || '@example.com', 'duration', '2:45', 'sentiment', 'positive', 'actions', 3,
    'transcript', (SELECT jsonb_agg(jsonb_build_object(
                       'speaker', CASE t % 2 WHEN 0 THEN 'Agent' ELSE 'Customer' END, 'time', '00:' || lpad(t::text, 2, '0'),
                       'message', left(repeat('Hello, how can I help you today? ', 3), 60 + (n + t) % 30)))
                   FROM generate_series(1, 16) AS t),
    'actionsTaken', (SELECT jsonb_agg(jsonb_build_object('action', 'Retrieved customer profile', 'time', '00:12', 'status', 'success'))
                     FROM generate_series(1, 3)),
    'insights', '[{"type": "sentiment", "value": "positive", "description": "Customer sentiment analysis"}]'::jsonb)
FROM generate_series(1, :documents) AS n;
VACUUM (ANALYZE) documents;

-- The same shape in jsonpath, which cannot count characters; it is spared that.
CREATE FUNCTION pg_temp.by_jsonpath(r jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $f$
    SELECT r @@ $p$(!exists($.customer) || $.customer.type() == "string")
        && (!exists($.duration) || $.duration like_regex "^([0-9]{1,4}|[0-9]{1,4}:[0-5][0-9]):[0-5][0-9]$$")
        && (!exists($.sentiment) || $.sentiment == "positive" || $.sentiment == "neutral" || $.sentiment == "negative")
        && (!exists($.actions) || ($.actions.type() == "number" && $.actions >= 0 && $.actions.floor() == $.actions))
        && (!exists($.transcript) || ($.transcript.type() == "array" && !exists($.transcript[*] ? (!exists(@.speaker) || !exists(@.message)
            || !exists(@.time) || @.speaker.type() != "string" || @.message.type() != "string" || @.time.type() != "string"))))
        && (!exists($.actionsTaken) || ($.actionsTaken.type() == "array" && !exists($.actionsTaken[*] ? (!exists(@.action) || !exists(@.time)
            || !exists(@.status) || @.action.type() != "string" || @.time.type() != "string" || @.status.type() != "string"))))
        && (!exists($.insights) || ($.insights.type() == "array" && !exists($.insights[*] ? (!exists(@.type) || !exists(@.value)
            || !exists(@.description) || @.type.type() != "string" || @.value.type() != "string" || @.description.type() != "string"))))$p$
$f$;
CREATE FUNCTION pg_temp.has_strings(list jsonb, names text[]) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    item jsonb;
    name text;
BEGIN
    IF list IS NULL THEN RETURN true; END IF;
    IF jsonb_typeof(list) <> 'array' THEN RETURN false; END IF;
    FOR item IN SELECT jsonb_array_elements(list) LOOP
        FOREACH name IN ARRAY names LOOP
            IF jsonb_typeof(item -> name) IS DISTINCT FROM 'string' THEN RETURN false; END IF;
        END LOOP;
    END LOOP;
    RETURN true;
END
$$;
CREATE FUNCTION pg_temp.by_plpgsql(r jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN coalesce(jsonb_typeof(r -> 'customer'), 'string') = 'string'
       AND coalesce(r ->> 'duration' ~ '^([0-9]{1,4}|[0-9]{1,4}:[0-5][0-9]):[0-5][0-9]$', true)
       AND coalesce(r ->> 'sentiment' IN ('positive', 'neutral', 'negative'), true)
       AND coalesce(jsonb_typeof(r -> 'actions') = 'number' AND (r ->> 'actions')::numeric BETWEEN 0 AND 2147483647, true)
       AND pg_temp.has_strings(r -> 'transcript', '{speaker,message,time}')
       AND pg_temp.has_strings(r -> 'actionsTaken', '{action,time,status}')
       AND pg_temp.has_strings(r -> 'insights', '{type,value,description}');
END
$$;

CREATE TABLE pg_temp.measured (what text, round integer, us double precision);
CREATE PROCEDURE pg_temp.measure(what text, round integer, query text) LANGUAGE plpgsql AS $$
DECLARE
    began double precision := pg_temp.cpu_us();
    spent double precision;
BEGIN
    EXECUTE query;
    spent := pg_temp.cpu_us() - began;
    IF round > 0 THEN  -- the first warms up
        INSERT INTO measured VALUES (what, round, spent);
    END IF;
END
$$;

-- each peer finds all documents good, else it would not have done the work
SELECT 1 / (count(*) = :documents)::integer FROM documents
WHERE vrm.valid_results(results) AND pg_temp.by_jsonpath(results) AND pg_temp.by_plpgsql(results) \g /dev/null

SELECT format('CALL pg_temp.measure(%L, %s, %L)', what, round, 'SELECT count(' || expression || ') FROM documents')
FROM generate_series(0, :rounds) AS round,
     (VALUES (1, 'scan', 'results'), (2, 'validator', 'vrm.valid_results(results)'), (3, 'jsonpath', 'pg_temp.by_jsonpath(results)'),
             (4, 'plpgsql', 'pg_temp.by_plpgsql(results)')) AS peers (place, what, expression)
ORDER BY round, place \gexec

SELECT 'bytes', round(avg(pg_column_size(results))) FROM documents;
SELECT m.what, percentile_cont(0.5) WITHIN GROUP (ORDER BY (m.us - s.us) / :documents)
FROM measured m JOIN measured s ON s.what = 'scan' AND s.round = m.round
WHERE m.what <> 'scan' GROUP BY m.what;

-- The checks of calls: all conditions on rows at once, and each by a query of its own.
INSERT INTO auth.users (id) VALUES ('018f0000-0000-7000-8000-000000000001');
ALTER TABLE vrm.test_runs DISABLE TRIGGER USER;
INSERT INTO vrm.test_runs (user_id, id, status, started_at, completed_at, test_case_ids, results)
SELECT '018f0000-0000-7000-8000-000000000001', vrm.uuid7(), 'completed', now() - interval '1 day', now() - interval '1 day', '[]', results
FROM documents;
ALTER TABLE vrm.test_runs ENABLE TRIGGER USER;
VACUUM (ANALYZE) vrm.test_runs;
CREATE TEMP TABLE conditions AS
SELECT vrm_private.row_condition(q) AS condition FROM vrm.quality_check q
WHERE q.rel = 'vrm.test_runs'::regclass AND vrm_private.row_condition(q) IS NOT NULL;
SELECT 'checks', count(*) FROM conditions;
CREATE PROCEDURE pg_temp.one_by_one() LANGUAGE plpgsql AS $$
DECLARE
    condition text;
BEGIN
    FOR condition IN SELECT c.condition FROM conditions c LOOP
        PERFORM vrm_private.count_rows('vrm.test_runs', current_user, ARRAY[condition]);
    END LOOP;
END
$$;
SELECT format('CALL pg_temp.measure(%L, %s, %L)', what, round, query)
FROM generate_series(0, :rounds) AS round,
     (VALUES (1, 'fused', 'SELECT vrm_private.count_rows(''vrm.test_runs'', current_user, (SELECT array_agg(condition) FROM conditions))'),
             (2, 'single', 'CALL pg_temp.one_by_one()')) AS peers (place, what, query)
ORDER BY round, place \gexec
SELECT what, percentile_cont(0.5) WITHIN GROUP (ORDER BY us) / 1000 FROM measured WHERE what IN ('fused', 'single') GROUP BY what;
