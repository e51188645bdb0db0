-- History: pages of calls that neither lose nor repeat one.
BEGIN;
SELECT plan(22);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent,
       pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('sales')$$) AS second_agent,
       pg_temp.as_user(:'bob', $$SELECT vrm.create_agent('other')$$) AS bobs_agent \gset

-- twelve calls of Alice, a minute apart, dirty documents among them; one of Bob
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, results, error)
SELECT :'alice', CASE WHEN n <= 10 THEN :'agent'::uuid ELSE :'second_agent'::uuid END, status,
       '2026-03-01 10:00Z'::timestamptz + n * interval '1 minute',
       CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN '2026-03-01 10:00Z'::timestamptz
           + (n + 0.5) * interval '1 minute' END,
       results::jsonb, CASE WHEN status = 'failed' THEN 'line dropped' END
FROM (VALUES (1, 'completed', '{"duration": "2:00", "sentiment": "positive", "customer": "c1", "actions": 3}'),
             (2, 'completed', '{"duration": "4:00", "sentiment": "negative"}'),
             (3, 'completed', '{"duration": "1:00:00", "sentiment": "positive"}'),
             (4, 'completed', '{"duration": "abc", "sentiment": "furious", "actions": "three"}'),
             (5, 'completed', '{"duration": "99:99:99", "actions": -1}'),
             (6, 'completed', '[]'),
             (7, 'failed', NULL), (8, 'failed', '{}'), (9, 'cancelled', NULL),
             (10, 'running', NULL), (11, 'queued', NULL), (12, 'completed', NULL)) AS call (n, status, results);
INSERT INTO vrm.test_runs (user_id, agent_id, status) VALUES (:'bob', :'bobs_agent', 'running');

CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;

CREATE FUNCTION pg_temp.pages(page_size int, filter jsonb DEFAULT '{}') RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    place text;
    page record;
    pages text[] := '{}';
BEGIN
    LOOP
        SELECT string_agg(to_char(h.started_at AT TIME ZONE 'UTC', 'FMMI'), ' ' ORDER BY h.row) AS minutes,
               (array_agg(h.next_cursor ORDER BY h.row DESC))[1] AS next INTO page
        FROM (SELECT row_number() OVER () AS row, started_at, next_cursor
              FROM vrm.call_history(filter, place, page_size)) AS h;
        EXIT WHEN page.minutes IS NULL;
        pages := pages || page.minutes;
        place := page.next;
    END LOOP;
    RETURN pages;
END
$$;
SELECT is(pg_temp.of_alice('SELECT pg_temp.pages(5)'), '{"12 11 10 9 8","7 6 5 4 3","2 1"}',
          'pages follow each other, newest first');
SELECT is(pg_temp.of_alice('SELECT pg_temp.pages(12)'), '{"12 11 10 9 8 7 6 5 4 3 2 1"}', 'a page may hold all');
SELECT is(pg_temp.of_alice($$SELECT pg_temp.pages(2, '{"status": "failed"}')$$), '{"8 7"}', 'of one status');
SELECT is(pg_temp.of_alice(format($$SELECT pg_temp.pages(5, '{"agent_id": "%s"}')$$, :'second_agent')), '{"12 11"}',
          'of one agent');
SELECT is(pg_temp.of_alice($$SELECT pg_temp.pages(5,
                                                  '{"since": "2026-03-01 10:03Z", "until": "2026-03-01 10:06Z"}')$$),
          '{"5 4 3"}', 'of one time');
UPDATE vrm.test_runs SET started_at = '2026-03-01 10:01Z' WHERE user_id = :'alice'
    AND started_at <= '2026-03-01 10:06Z';
SELECT is(array_length(string_to_array(array_to_string(pg_temp.of_alice('SELECT pg_temp.pages(2)')::text[], ' '), ' '),
                       1), 12,
          'calls of the very same moment are neither lost nor shown twice');
SELECT is(pg_temp.of_alice($$SELECT count(*) FROM vrm.call_history('{"status": null}')$$), '12',
          'a null filters nothing');

SELECT is(pg_temp.of_alice(format('SELECT count(*) FROM vrm.call_history(%s)', bad)), '22023',
          'history refuses ' || bad)
FROM unnest(ARRAY['page_size => 0', 'page_size => 1001', 'page_size => NULL', 'cursor => ''abc''', 'cursor => ''1.2''',
                  '''{"state": "failed"}''', '''{"status": "done"}''', '''{"agent_id": "x"}''',
                  '''{"since": "yesterdayish"}''', '''[]''']) AS bad;
SELECT is(split_part(pg_temp.error_of(:'alice', $$SELECT vrm.call_history('{"state": "failed"}')$$), ' | ', 3),
          'There is no "state" to filter by.', 'the error names the key');

-- whenever calls began: an infinite moment, and one whose microseconds no bigint holds, count nowhere
SELECT pg_temp.person('old@example.org') AS old \gset
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, error)
SELECT :'old', 'failed', at, at, 'when'
FROM unnest('{4713-01-01 00:00:00.000001Z BC,0001-01-01 00:00Z,2026-01-01 00:00Z,'
            '9999-12-31 23:59:59.999999Z,294246-12-31 23:59:59.999999Z,294276-12-31 00:00Z,'
            'infinity,-infinity}'::timestamptz[]) AS at;
CREATE FUNCTION pg_temp.turned() RETURNS timestamptz[] LANGUAGE plpgsql AS $$
DECLARE
    page record;
    place text;
    seen timestamptz[];
BEGIN
    LOOP
        SELECT h.started_at, h.next_cursor INTO page FROM vrm.call_history(cursor => place, page_size => 1) h;
        EXIT WHEN NOT FOUND OR cardinality(seen) > 20;
        place := page.next_cursor;
        seen := seen || page.started_at;
    END LOOP;
    RETURN seen;
END
$$;
SELECT is(pg_temp.as_user(:'old', 'SELECT pg_temp.turned()')::timestamptz[], '{294246-12-31 23:59:59.999999Z,'
          '9999-12-31 23:59:59.999999Z,2026-01-01 00:00Z,0001-01-01 00:00Z,4713-01-01 00:00:00.000001Z BC,-infinity}'
          ::timestamptz[], 'pages go on to the microsecond through all of time');
SELECT is(pg_temp.as_user(:'old', 'SELECT last_call_at FROM vrm.user_dashboard()')::timestamptz,
          '294246-12-31 23:59:59.999999Z', 'nor is an infinite moment when somebody called last');
SELECT is(pg_temp.as_user(:'old', format('SELECT count(*) FROM vrm.call_history(cursor => %L)', c || '.' || :'old')),
          '22023', 'a cursor beyond time is not valid: ' || c)
FROM unnest('{9999999999999999999,-999999999999999999}'::text[]) AS c;

SELECT * FROM finish();
ROLLBACK;
