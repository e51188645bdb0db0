-- Rows like those of vrm.test_runs, the same every time: generated_calls (status, started_at,
-- completed_at, results, customer), 20,000 of them, a few documents in a hundred dirty.
SET LOCAL client_min_messages = warning;
CREATE TABLE generated_calls AS
SELECT n,
       CASE WHEN d.kind < 0.86 THEN 'completed' WHEN d.kind < 0.94 THEN 'failed' WHEN d.kind < 0.98 THEN 'cancelled'
           ELSE 'running' END AS status,
       '2026-01-01 00:00Z'::timestamptz + n * interval '10 minutes' AS started_at,
       CASE WHEN d.kind < 0.98 THEN '2026-01-01 00:00Z'::timestamptz + n * interval '10 minutes'
           + d.seconds * interval '1 second' END AS completed_at,
       CASE WHEN n % 50 = 0
           THEN (ARRAY['[]', '"oops"', 'null', '7', '{"duration": 165}', '{"duration": "99:99:99", "actions": "7"}',
                                        '{"sentiment": null, "actions": 1e300, "customer": 17}', '{}'])[1
                                            + n / 50 % 8]::jsonb
            WHEN n % 50 = 1 THEN NULL
            ELSE jsonb_strip_nulls(jsonb_build_object(
                'customer', 'customer' || (d.who * d.who * 900)::int || '@example.com',
                'duration', (d.seconds::int / 60) || ':' || lpad((d.seconds::int % 60)::text, 2, '0'),
                'sentiment', (ARRAY['positive', 'neutral', 'negative', NULL])[1 + n % 4],
                'actions', n % 13,
                'insights', CASE WHEN n % 7 = 0
                THEN jsonb_build_array(jsonb_build_object('value', repeat('long ', n % 400))) END,
                'transcript', jsonb_build_array(jsonb_build_object('message', repeat('hello ', n % 90)))))
       END AS results
FROM generate_series(1, 20000) AS n,
     LATERAL (SELECT (hashint8extended(n, 1) & 65535) / 65536.0 AS kind,
              (hashint8extended(n, 2) & 65535) / 65536.0 AS who,
                     exp(ln(165) + 0.6 * sqrt(-2 * ln(((hashint8extended(n, 3) & 65535) + 1) / 65536.0))
                                       * cos(2 * pi() * (hashint8extended(n, 4) & 65535) / 65536.0)) AS seconds) AS d;
ANALYZE generated_calls;

-- The same by means of SQL: what fits its type, and whether all of the document does.
CREATE VIEW plain_calls AS
SELECT n, status, started_at, duration, duration_ms, customer, sentiment, actions,
       coalesce(jsonb_typeof(results) <> 'object'
                OR results ? 'duration' AND document_duration IS NULL OR results ? 'customer' AND customer IS NULL
                OR results ? 'sentiment' AND sentiment IS NULL OR results ? 'actions' AND actions IS NULL, false) AS bad
FROM (SELECT c.*, coalesce(document_duration, completed_at - started_at) AS duration,
             floor(extract(epoch FROM coalesce(document_duration, completed_at - started_at)) * 1000)::bigint
             AS duration_ms
      FROM (SELECT g.*,
                   CASE WHEN results ->> 'duration' ~ '^[0-9]{1,4}:[0-5][0-9]$'
                   AND jsonb_typeof(results -> 'duration') = 'string'
                        THEN make_interval(mins => split_part(results ->> 'duration', ':', 1)::int,
                                           secs => split_part(results ->> 'duration', ':', 2)::int)
                   END AS document_duration,
                   CASE WHEN jsonb_typeof(results -> 'customer') = 'string' THEN results ->> 'customer' END AS customer,
                   CASE WHEN results ->> 'sentiment' IN ('positive', 'neutral', 'negative')
                   THEN results ->> 'sentiment' END AS sentiment,
                   CASE WHEN jsonb_typeof(results -> 'actions') = 'number'
                   AND results ->> 'actions' ~ '^[0-9]{1,9}$' THEN (results ->> 'actions')::int END AS actions
            FROM generated_calls g) AS c) AS d;
