-- vrm.call_stats: every figure against plain SQL, the same bytes whatever the plan, and no harm done
-- by hostile documents and states.
BEGIN;
SELECT plan(185);
\ir ../include/generated_calls.sql
SELECT vrm.call_stats(status, started_at, completed_at, results) AS stats FROM generated_calls \gset

-- figures against an oracle ---------------------------------------------------------------------------

SELECT is((:'stats'::vrm.call_stats::jsonb #>> path)::numeric, expected::numeric, array_to_string(path, '.'))
FROM (SELECT count(*) AS calls, count(*) FILTER (WHERE status = 'running') AS running,
      count(*) FILTER (WHERE status = 'completed') AS completed,
             count(*) FILTER (WHERE status = 'failed') AS failed,
             count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
             count(duration) FILTER (WHERE status = 'completed') AS durations,
             round(avg(duration_ms) FILTER (WHERE status = 'completed') / 1000, 6) AS average,
             round(stddev(duration_ms) FILTER (WHERE status = 'completed') / 1000, 6) AS stddev,
             min(duration_ms) FILTER (WHERE status = 'completed') / 1000.0 AS least,
             max(duration_ms) FILTER (WHERE status = 'completed') / 1000.0 AS most,
             count(*) FILTER (WHERE sentiment = 'positive') AS positive,
             count(*) FILTER (WHERE sentiment = 'neutral') AS neutral,
             count(*) FILTER (WHERE sentiment = 'negative') AS negative, sum(actions) AS actions,
             count(*) FILTER (WHERE bad) AS bad
      FROM plain_calls) AS o,
LATERAL (VALUES ('{calls}'::text[], calls::text), ('{running}', running::text), ('{queued}', '0'),
         ('{completed}', completed::text), ('{failed}', failed::text),
         ('{cancelled}', cancelled::text), ('{duration,calls}', durations::text), ('{duration,average}', average::text),
         ('{duration,stddev}', stddev::text), ('{duration,min}', least::text), ('{duration,max}', most::text),
         ('{sentiment,positive}', positive::text), ('{sentiment,neutral}', neutral::text),
         ('{sentiment,negative}', negative::text),
         ('{actions}', actions::text), ('{bad}', bad::text)) AS figure (path, expected);
SELECT cmp_ok(count(*) FILTER (WHERE bad), '>', 100::bigint, 'dirty documents are among them') FROM plain_calls;
SELECT cmp_ok(abs(vrm.distinct_customers(:'stats') / count(DISTINCT customer)::numeric - 1), '<', 0.05,
              'distinct customers within three standard errors')
FROM plain_calls;
SELECT is(vrm.distinct_customers(vrm.call_stats(status, started_at, completed_at, results)),
          (SELECT count(DISTINCT customer) FROM plain_calls WHERE n <= 300), 'up to 256 of them are counted exactly')
FROM generated_calls WHERE n <= 300;
SELECT is(vrm.success_rate(:'stats')::numeric(20, 15),
          (count(*) FILTER (WHERE status = 'completed')::numeric / count(*)
           FILTER (WHERE status IN ('completed', 'failed')))::numeric(20, 15),
          'success rate')
FROM plain_calls;

CREATE TEMP TABLE quantiles AS
SELECT fraction, percentile_disc(fraction) WITHIN GROUP (ORDER BY duration_ms) / 1000.0 AS exact,
       extract(epoch FROM vrm.duration_quantile(:'stats', fraction)) AS found
FROM plain_calls, unnest(ARRAY[0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]::float8[])
    AS fraction
WHERE status = 'completed' GROUP BY fraction;
SELECT cmp_ok(abs(found - exact), '<=', 0.0005 * exact,
              'quantile ' || fraction || ' is percentile_disc() within 0.05 %') FROM quantiles;
SELECT is(vrm.duration_quantile(vrm.call_stats('completed', duration_ms / 1000 * 1000, NULL, NULL, NULL), 0.95),
          make_interval(secs => percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms / 1000)),
          'and exact for whole seconds')
FROM plain_calls WHERE status = 'completed';
SELECT is(vrm.duration_quantile(:'stats', '{0,0.5,1}'::float8[]),
          ARRAY[vrm.duration_quantile(:'stats', 0), vrm.duration_quantile(:'stats', 0.5),
                vrm.duration_quantile(:'stats', 1)], 'several quantiles at once');
SELECT cmp_ok(abs(vrm.duration_rank(:'stats', '3 minutes') - avg((duration_ms <= 180000)::int)::float8), '<',
              0.002::float8, 'share of calls up to three minutes')
FROM plain_calls WHERE status = 'completed' AND duration IS NOT NULL;
SELECT throws_ok(format('SELECT vrm.duration_quantile(%L, %s)', :'stats', bad), '22003', NULL, 'no quantile ' || bad)
FROM unnest(ARRAY['-0.1', '1.1', '''NaN''::float8']) AS bad;
SELECT results_eq(format('SELECT calls, p50_duration, max_duration, customers, bad FROM vrm.summary(%L)', :'stats'),
                  format($$SELECT vrm.call_count(s), vrm.duration_quantile(s, 0.5), vrm.duration_quantile(s, 1),
                         vrm.distinct_customers(s), (s::jsonb ->> 'bad')::bigint
                           FROM (SELECT %L::vrm.call_stats) AS one (s)$$, :'stats'),
                           'the summary has the same figures as columns');

-- any plan, the same bytes --------------------------------------------------------------------------------

SELECT is(vrm.call_stats(status, started_at, completed_at, results)::text, :'stats', 'backwards')
FROM (SELECT * FROM generated_calls ORDER BY n DESC) AS backwards;
SELECT is(vrm.rollup(s)::text, :'stats', 'in 1, 7 and 5000 parts: ' || parts)
FROM (SELECT parts, vrm.call_stats(status, started_at, completed_at, results) AS s
      FROM generated_calls, unnest(ARRAY[1, 7, 5000]) AS parts GROUP BY parts, n % parts) AS part GROUP BY parts;
CREATE TABLE stored AS SELECT n % 100 AS part, vrm.call_stats(status, started_at, completed_at, results) AS s
    FROM generated_calls GROUP BY 1;
SELECT is(vrm.rollup(s)::text, :'stats', 'by way of a table') FROM stored;
SELECT is(vrm.call_stats(status, duration_ms, sentiment, actions, vrm.customer_hash(customer), bad)::text, :'stats',
          'from columns') FROM plain_calls;
SELECT is(vrm.call_stats(status, duration_ms, sentiment, actions, vrm.customer_hash(customer))::jsonb - 'bad',
          :'stats'::vrm.call_stats::jsonb - 'bad',
          'without a column for bad documents') FROM plain_calls;
SELECT ok(s OPERATOR(vrm.=) :'stats'::vrm.call_stats AND NOT s OPERATOR(vrm.=) n, 'equality')
    FROM (SELECT vrm.rollup(s), vrm.rollup(NULL) FROM stored) AS one (s, n);
ALTER TABLE generated_calls SET (parallel_workers = 2);
ALTER TABLE stored SET (parallel_workers = 2);
\ir ../include/plans.sql
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT matches(pg_temp.plan_of('SELECT vrm.call_stats(status, started_at, completed_at, results) FROM generated_calls',
                               run => true), 'Partial Aggregate', 'the plan can be parallel');
-- not within is(), which is no function for parallel workers
SELECT vrm.call_stats(status, started_at, completed_at, results)::text AS parallel FROM generated_calls \gset
SELECT is(:'parallel'::text, :'stats', 'by parallel workers');
SELECT matches(pg_temp.plan_of('SELECT vrm.rollup(s) FROM stored', run => true), 'Partial Aggregate',
               'so can that of a rollup');
SELECT vrm.rollup(s)::text AS parallel FROM stored \gset
SELECT is(:'parallel'::text, :'stats', 'a rollup by parallel workers');
SELECT vrm.duration_sketch(extract(epoch FROM completed_at - started_at)::float8)::text AS parallel
    FROM generated_calls \gset
SELECT vrm.call_stats(status, duration_ms, sentiment, actions, vrm.customer_hash(customer), bad)::text AS from_facts
    FROM plain_calls \gset
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT is(:'parallel', vrm.duration_sketch(extract(epoch FROM completed_at - started_at)::float8)::text,
          'a sketch by parallel workers') FROM generated_calls;
SELECT is(:'from_facts'::text, :'stats', 'facts by parallel workers');
SELECT is((SELECT array_agg(vrm.call_count(s))
           FROM (SELECT vrm.call_stats(status, duration_ms, sentiment, actions, NULL) OVER (ORDER BY n) AS s
                 FROM plain_calls WHERE n <= 5) AS x),
          '{1,2,3,4,5}', 'as a window function it gives each row its own');

-- nothing and null -------------------------------------------------------------------------------------------

SELECT vrm.call_stats(status, started_at, completed_at, results) AS nothing FROM generated_calls WHERE false \gset
SELECT is(state::text, :'nothing', 'nothing is the same: ' || name)
FROM (SELECT vrm.rollup(NULL), 'rollup of null' UNION ALL SELECT vrm.rollup(s), 'rollup of no rows' FROM stored
      WHERE false
      UNION ALL SELECT vrm.duration_sketch(NULL), 'sketch of null' UNION ALL SELECT vrm.rollup(:'nothing'),
      'rollup of nothing') AS n (state, name);
SELECT is(vrm.call_count(:'nothing'), 0::bigint, 'no calls are 0');
SELECT is(vrm.distinct_customers(:'nothing'), 0::bigint, 'and no customers');
SELECT is(vrm.success_rate(:'nothing'), NULL, 'a rate of nothing is null');
SELECT is(vrm.duration_quantile(:'nothing', 0.5), NULL, 'so is a quantile');
SELECT is(vrm.duration_rank(:'nothing', '1 minute'), NULL, 'and a rank');
SELECT is(vrm.call_stats(NULL, NULL, NULL, NULL)::jsonb -> 'calls', '1', 'a call of nulls is a call');
SELECT is(vrm.call_stats(NULL, NULL, NULL, NULL)::jsonb -> 'bad', '0', 'and no bad one');
SELECT is((vrm.duration_sketch(d)::jsonb #>> '{duration,calls}') || ' ' || (vrm.duration_sketch(d)::jsonb ->> 'bad'),
          '2 5', 'durations that make no sense are bad')
FROM unnest(ARRAY[0, 1.5, -1, 'NaN', 'Infinity', '-Infinity', 1e300]::float8[]) AS d;
SELECT is((vrm.call_stats('completed', d, NULL, NULL, NULL)::jsonb ->> 'bad')::int, 3, 'also in columns')
    FROM unnest(ARRAY[-1, 9223372036854775807, -9223372036854775808, 5]) AS d;
SELECT is((vrm.call_stats('completed', 5, s, a, NULL)::jsonb ->> 'bad')::int, 2, 'as are sentiments and actions')
    FROM (VALUES ('furious', 1), ('neutral', -1), ('neutral', 1)) AS c (s, a);
SELECT is(vrm.call_stats('completed', a, b, NULL)::jsonb #>> '{duration,calls}', expected,
          format('the clock: %s to %s', a, b))
FROM (VALUES ('-infinity'::timestamptz, '2026-01-01'::timestamptz, '0'), ('2026-01-01', 'infinity', '0'),
      ('4713-01-01 BC', '294276-01-01', '0'),
             ('2026-01-02', '2026-01-01', '0'), ('2026-01-01', '2026-01-01', '1'), (NULL, '2026-01-01', '0'))
             AS t (a, b, expected) GROUP BY a, b, expected;

-- hostile documents --------------------------------------------------------------------------------------------

CREATE TEMP TABLE hostile (document jsonb, bad int);
INSERT INTO hostile VALUES
    ('{}', 0), ('{"duration": "2:45"}', 0), ('{"duration": "9999:59:59"}', 0), ('{"actions": 0}', 0),
        ('{"actions": 2147483647}', 0), ('{"actions": 3.0}', 0),
    ('{"customer": ""}', 0), ('{"customer": "\u00e9\u4e16"}', 0), ('{"sentiment": "neutral"}', 0),
        ('{"a": {"duration": 5}}', 0), ('{"Duration": 5}', 0), ('{"durations": 5}', 0),
    ('[]', 1), ('[{"duration": "2:45"}]', 1), ('"2:45"', 1), ('null', 1), ('true', 1), ('12', 1), ('1e1000', 1),
    ('{"duration": "abc"}', 1), ('{"duration": ""}', 1), ('{"duration": "-1:30"}', 1), ('{"duration": "99:99:99"}', 1),
        ('{"duration": "1:60"}', 1),
    ('{"duration": 165}', 1), ('{"duration": null}', 1), ('{"duration": ["2:45"]}', 1), ('{"duration": {"m": 2}}', 1),
        ('{"duration": true}', 1),
    ('{"duration": " 2:45"}', 1), ('{"duration": "2:45:"}', 1), ('{"duration": "1e3:00"}', 1),
        ('{"duration": "99999999999999999999:00"}', 1),
    ('{"actions": -1}', 1), ('{"actions": 2147483648}', 1), ('{"actions": 1e300}', 1), ('{"actions": 0.5}', 1),
        ('{"actions": "3"}', 1), ('{"actions": null}', 1),
    ('{"actions": [1]}', 1), ('{"actions": false}', 1), ('{"actions": -0.0001}', 1), ('{"actions": 1e-16000}', 1),
        ('{"actions": 100000000000000000000}', 1),
    ('{"sentiment": "POSITIVE"}', 1), ('{"sentiment": ""}', 1), ('{"sentiment": null}', 1), ('{"sentiment": 1}', 1),
        ('{"sentiment": ["positive"]}', 1),
    ('{"customer": 17}', 1), ('{"customer": null}', 1), ('{"customer": {}}', 1), ('{"customer": [[[[[[]]]]]]}', 1);
INSERT INTO hostile
    SELECT jsonb_build_object('actions', repeat('x', 100000)), 1
    UNION ALL SELECT jsonb_build_object('duration', repeat('1:', 100000)), 1
    UNION ALL SELECT jsonb_build_object('customer', repeat('c', 1000000)), 0
    UNION ALL SELECT jsonb_build_object('sentiment', (SELECT jsonb_agg(n) FROM generate_series(1, 20000) AS n)), 1
    UNION ALL SELECT jsonb_object_agg('k' || n, n) || '{"duration": "x"}', 1 FROM generate_series(1, 5000) AS n
    UNION ALL SELECT jsonb_object_agg('key-of-some-length-' || n, n) || '{"sentiment": "x"}',
        1 FROM generate_series(1, 5000) AS n
    UNION ALL SELECT jsonb_build_object('actions', 3, 'a', repeat('x', n), 'sentiment', 'furious'),
        1 FROM generate_series(440, 500, 4) AS n
    UNION ALL SELECT jsonb_build_object('insights', repeat('x', n), 'sentiment', 'positive'),
        0 FROM generate_series(440, 500, 4) AS n
    UNION ALL SELECT (repeat('{"duration": ', 500) || '1' || repeat('}', 500))::jsonb, 1;
SELECT is((vrm.call_stats('completed', NULL, NULL, document)::jsonb ->> 'bad')::int, bad, left(document::text, 60))
FROM hostile WHERE length(document::text) < 300 GROUP BY document, bad ORDER BY bad, document;
SELECT is((vrm.call_stats('completed', NULL, NULL, document)::jsonb ->> 'bad')::int, sum(bad)::int,
          'large ones in memory')
FROM hostile WHERE length(document::text) >= 300;
CREATE TABLE stored_hostile AS TABLE hostile;
SELECT is((vrm.call_stats('completed', NULL, NULL, document)::jsonb ->> 'bad')::int, sum(bad)::int, 'and stored ones')
    FROM stored_hostile;
ALTER TABLE stored_hostile ALTER document SET STORAGE external;
UPDATE stored_hostile SET document = document || '{}';
SELECT is((vrm.call_stats('completed', NULL, NULL, document)::jsonb ->> 'bad')::int, sum(bad)::int,
          'uncompressed, too') FROM stored_hostile;
ALTER TABLE stored_hostile ALTER document SET STORAGE extended, ALTER document SET COMPRESSION lz4;
UPDATE stored_hostile SET document = document || '{}';
SELECT is((vrm.call_stats('completed', NULL, NULL, document)::jsonb ->> 'bad')::int, sum(bad)::int,
          'or compressed with lz4') FROM stored_hostile;
-- ten documents of ten chunks each
CREATE TABLE long_document (document jsonb COMPRESSION lz4);
INSERT INTO long_document SELECT jsonb_build_object('actions', d, 'sentiment', 'neutral', 'transcript',
                                                    (SELECT string_agg(md5(d || '.' || n), '')
                                                     FROM generate_series(1, 700) AS n))
                                                     FROM generate_series(1, 10) AS d;
CREATE FUNCTION pg_temp.chunks_read() RETURNS bigint LANGUAGE sql AS
    $$ SELECT pg_stat_get_xact_tuples_returned(i.indexrelid) FROM pg_class c
        JOIN pg_index i ON i.indrelid = c.reltoastrelid WHERE c.relname = 'long_document' $$;
SELECT pg_temp.chunks_read() AS read \gset
SELECT is((vrm.call_stats('completed', NULL, NULL, document)::jsonb ->> 'actions'), '55',
          'long documents, which are stored out of line') FROM long_document;
SELECT is(pg_temp.chunks_read() - :read, 10::bigint, 'one chunk is read of each');
SELECT is(count(vrm.call_duration(document)) || ' ' || count(vrm.call_customer(document)) || ' '
          || count(vrm.call_sentiment(document)) || ' ' || count(vrm.call_actions(document)),
          '2 3 17 19', 'and they have no more figures than fit') FROM stored_hostile;
SELECT is(vrm.call_actions(jsonb_build_object('actions', n)), n::int, 'actions: ' || n)
    FROM unnest(ARRAY[0, 7, 9999, 10000, 10001, 20000000, 2147483647, 100000000]) AS n;
SELECT is(count((vrm.transcript_stats(document)).turns), (SELECT count(*) FROM hostile),
          'a transcript is asked for in vain, not in error') FROM hostile;

-- transcripts ----------------------------------------------------------------------------------------------------

SELECT results_eq($$SELECT * FROM vrm.transcript_stats('{"transcript": [
        {"speaker": "Agent", "message": "Hello!  How can I help?", "time": "00:00"},
        {"speaker": "Customer", "message": "My order.", "time": "00:06"},
        {"speaker": "Agent", "message": "One moment.", "time": "00:08"}, 7,
        {"speaker": "Agent", "message": "Done.", "time": "00:20"}, {}],
        "actionsTaken": [{"action": "a", "status": "success"}, {"action": "b", "status": "failure"},
                         {"action": "c"}]}')$$,
    $$VALUES (5, 3, 8, 2, 0.9::float8, '12 seconds'::interval, 0.5::float8)$$,
    'turns, words, talk share, longest gap, success of actions');
SELECT results_eq($$SELECT turns, agent_talk_share, longest_gap, action_success FROM vrm.transcript_stats('{}')$$,
    $$VALUES (0, NULL::float8, NULL::interval, NULL::float8)$$, 'without a transcript there is no share');

-- hostile states ------------------------------------------------------------------------------------------------------

SELECT vrm.duration_sketch(1)::text AS sound \gset
SELECT is(:'sound',
          '\x0100' || '000001000000' || '000000' || '00000000' || '01' || 'e807e807' || 'e807' || 'c0843d' || 'e80701'
          || '00', 'a sound state');
-- who asks first, or loads a file and passes over what is wrong in it, is told without an ERROR
SELECT current_setting('server_version_num')::int >= 160000 AS can_ask \gset
\if :can_ask
SELECT is(pg_input_is_valid('\x02', 'vrm.call_stats') OR NOT pg_input_is_valid(:'sound', 'vrm.call_stats'), false,
          'pg_input_is_valid() tells states from others');
\else
SELECT skip('pg_input_is_valid() came with PostgreSQL 16', 1);
\endif
CREATE TEMPORARY TABLE loaded (stats vrm.call_stats, status vrm.run_status, sentiment vrm.sentiment);
SELECT current_setting('server_version_num')::int >= 170000 AS can_pass_over \gset
\if :can_pass_over
SELECT format($$printf '%%s,%%s,%%s\n' '%1$s' completed positive '\x02' completed positive
                '%1$s' finished positive '%1$s' completed glad$$, :'sound') AS lines \gset
SELECT replace(:'lines', E'\n', ' ') AS lines \gset
COPY loaded FROM PROGRAM :'lines' (FORMAT csv, ON_ERROR ignore);
SELECT results_eq('SELECT stats::text, status::text, sentiment::text FROM loaded',
                  format($$VALUES (%L, 'completed', 'positive')$$, :'sound'),
                  'COPY passes over a wrong state, a wrong status and a word that is none');
\else
SELECT skip('COPY ... (ON_ERROR ignore) came with PostgreSQL 17', 1);
\endif
SELECT throws_ok(format('SELECT %L::vrm.call_stats', bad), '22P03', 'invalid call statistics',
                 'no state: ' || left(bad, 60))
FROM unnest(ARRAY['', 'x', '\x', '\x0', '\xzz', '\x01', '\x02' || repeat('00', 16), '\x0104' || repeat('00', 15),
                  '\x01' || repeat('00', 17),
                  '\x0101' || repeat('00', 15), '\x0100' || repeat('ff', 4000),
                  '\x0100ffffffffffffff7f' || repeat('00', 14),
                  '\x01008000' || repeat('00', 15), '\x0100' || repeat('00', 13) || '00' || '010100000000000000',
                  replace(:'sound', 'e80701', 'e80700'), replace(:'sound', 'e80701', 'e907'),
                  replace(:'sound', 'e80701', 'e80702'), replace(:'sound', 'c0843d', 'c0843e'),
                  replace(:'sound', 'e807e807e807', 'e807e807e907'), replace(:'sound', 'e807e807', 'e907e807'),
                  replace(:'sound', 'e807e807', 'e807e907'),
                  replace(:'sound', '01e807', '02e807'), replace(:'sound', '01e807', 'ffffffff07e807'),
                  replace(:'sound', '000001000000', '000000000000'),
                  replace(:'sound', 'e807e807e807', 'e807ffffffffffff7fe807'), left(:'sound', -2), :'sound' || '00',
                  replace(:'sound', '000001000000000000', '000001000000020000'),
                  '\x0100' || '000002000000' || '000000' || '00000000' || '02' || 'e807e807' || 'd00f' || '80897a'
                  || 'e80701' || '0001' || '00',
                  left(:'stats', 2000)]) AS bad;
SELECT is(vrm.call_stats_send(:'stats')::text, :'stats', 'the binary form has the same bytes');
-- through COPY BINARY, which frames the bytes of a bytea in the same way
SELECT current_setting('data_directory') || '/call_stats.copy' AS file \gset
CREATE TABLE received (s vrm.call_stats);
COPY (SELECT :'stats'::vrm.call_stats) TO :'file' (FORMAT binary);
COPY received FROM :'file' (FORMAT binary);
SELECT is(s::text, :'stats', 'which comes in again') FROM received;
CREATE FUNCTION pg_temp.receive(bytes bytea, file text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', bytes, file);
    EXECUTE format('COPY received FROM %L (FORMAT binary)', file);
END
$$;
SELECT throws_ok(format('SELECT pg_temp.receive(%L, %L)', bad, :'file'), '22P03', 'invalid call statistics',
                 'not in binary form: ' || left(bad, 60))
FROM unnest(ARRAY['\x', '\x02' || repeat('00', 16), :'sound' || '00', left(:'stats', 2000),
                  '\x0100' || repeat('ff', 4000)]) AS bad;
COPY (SELECT) TO PROGRAM 'rm -f "$PWD/call_stats.copy"';
SELECT is(pg_typeof(s)::text || ' ' || (s::text = :'stats'), 'vrm.call_stats true',
          'a state passes through text unchanged') FROM (SELECT :'stats'::vrm.call_stats AS s) AS one;
SELECT throws_ok(format('SELECT vrm.rollup(%L) FROM generate_series(1, 2)',
                        '\x01000000808080808020' || repeat('00', 12)), '22003', 'call statistics out of range',
                 'more calls than can be counted are an error');

SELECT * FROM finish();
ROLLBACK;
