-- The report: what it shows, that nothing a user has typed gets out of its place, and that the page
-- needs nothing but itself.
BEGIN;
SELECT plan(38);
\ir ../include/people.sql

-- an empty database ------------------------------------------------------------------------------------

SELECT lives_ok($$SELECT xmlparse(DOCUMENT vrm.report())$$, 'a report on nothing is a well-formed page');
SELECT ok(vrm.report() ~ '>nothing yet</text></svg>' AND vrm.report() ~ '<p class="none">Nothing yet'
          AND vrm.report() ~ '>no call yet<',
          'and says that there is nothing yet');
SELECT is((SELECT count(*) FROM regexp_matches(vrm.report(), '<svg ', 'g')), 7::bigint, 'with its seven charts');
SELECT throws_ok($$SELECT vrm.report('pdf')$$, '22023', 'there is no report of format "pdf"',
                 'other formats there are not');

-- what users have typed ----------------------------------------------------------------------------------

SELECT pg_temp.person('alice@example.org') AS alice \gset
SELECT $q$</title></svg><script>alert(1)</script><img src=x onerror=alert(1)> $q$
       || $q$"'&amp; | ![x](http://evil.example) [y](javascript:1) `code` **b**$q$ AS attack \gset
INSERT INTO vrm.agents (user_id, agent_id) VALUES (:'alice', left(:'attack', 200)) RETURNING id AS agent \gset
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, error)
    SELECT :'alice', :'agent', 'failed', now() - n * interval '1 day',
        now() - n * interval '1 day' + interval '90 seconds', :'attack'
    FROM generate_series(1, 3) AS n;
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at)
    SELECT :'alice', :'agent', 'completed', now() - interval '2 days',
        now() - interval '2 days' + interval '65 seconds' FROM generate_series(1, 7);
INSERT INTO vrm.audit_log (class, at, action) SELECT 'security', now() - interval '1 day', a
    FROM unnest(ARRAY['password failed', 'password failed', 'password failed, locked']) AS a;
INSERT INTO vrm.storage_samples (path, day, at, used_bytes, free_bytes)
    SELECT current_setting('data_directory'), d::date, d, 1e9 + n * 1e7,
        1e10 FROM generate_series(now() - interval '20 days', now() - interval '1 day', '1 day')
    WITH ORDINALITY AS g (d, n);
INSERT INTO vrm.quality_run (check_name, relation, severity, failed, total)
    VALUES ('no negative lengths', 'vrm.test_runs', 'error', 3, 10);
INSERT INTO vrm.audit_log (class, at, action) VALUES ('security', now(), 'locked by hand');
INSERT INTO vrm.backups (source, label, kind, started_at, finished_at, failed)
    SELECT 'plain', k || f, k, now() - interval '25 hours', now() - interval '24 hours', f
    FROM (VALUES ('full', false), ('incr', false), ('diff', false), ('full', true)) AS b (k, f);
INSERT INTO vrm.alert_history (alert, severity, metric, value, threshold, since, resolved_at)
    VALUES ('DiskFull', 'critical', 'x', 1, 0, now() - interval '90 days', NULL),
           ('Slow', 'warning', 'x', 1, 0, now() - interval '2 hours', now() - interval '1 hour'),
           ('LongAgo', 'warning', 'x', 1, 0, now() - interval '90 days', now() - interval '80 days');
INSERT INTO vrm.suite_runs (user_id, name, agent_id, agent_version, repeats, min_pass_rate)
    VALUES (:'alice', 'Smoke', :'agent', 1, 2, 0.9) RETURNING id AS suite_run \gset
INSERT INTO vrm.suite_run_cases (user_id, suite_run_id, position, case_id, name)
    VALUES (:'alice', :'suite_run', 1, vrm.uuid7(), 'a case');
INSERT INTO vrm.suite_calls (user_id, suite_run_id, position, repeat, run_id, passed)
    SELECT :'alice', :'suite_run', 1, n, vrm.uuid7(), n = 1 FROM generate_series(1, 2) AS n;
SELECT is(jsonb_path_query_array(vrm.report_data(), '$.tables[*] ? (@.id == "versions").rows[*][1 to 4]'),
          '["version 1", 1, 2, 50.0]', 'how suites went on each version of an agent');
SELECT is(jsonb_path_query(vrm.report_data(), '$.tables[*] ? (@.id == "matrix")') - 'id' - 'title',
          '{"columns": [{"name": "case", "unit": null}, {"name": "version 1", "unit": "percent"}],
            "rows": [["a case", 50]]}', 'and each case');
CREATE TEMP TABLE page AS SELECT vrm.report() AS html, vrm.report('md') AS md;

SELECT lives_ok('SELECT xmlparse(DOCUMENT html) FROM page', 'the page is well-formed, whatever it shows');
SELECT ok(html ~ '&lt;/title&gt;&lt;/svg&gt;&lt;script&gt;alert\(1\)&lt;/script&gt;&lt;img src=x onerror',
          'names of agents and reasons are shown as they were typed') FROM page;
SELECT is((SELECT array_agg(DISTINCT e[1]) FROM page, regexp_matches(html, '<([a-zA-Z!]+)', 'g') AS e WHERE e[1] NOT IN
           ('!DOCTYPE', 'html', 'head', 'meta', 'title', 'style', 'body', 'main', 'header', 'footer', 'section', 'div',
            'span', 'p', 'ul', 'li', 'i', 'h', 'bdi', 'code',
            'figure', 'figcaption', 'details', 'summary', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'svg', 'desc',
            'line', 'text', 'rect', 'path', 'circle')),
          NULL, 'there are elements of the page and no others: no script, no image, no link');
SELECT is((SELECT array_agg(DISTINCT a[1]) FROM page,
           regexp_matches(html, '<[a-zA-Z]+ [^>]*?\m(on[a-z]+|href|src|action)="', 'g') AS a), NULL,
          'no attribute runs or loads anything');
SELECT ok(html !~ '(url\(|@import|https?://(?!evil))'
          AND html ~ 'content="default-src ''none''; style-src ''unsafe-inline''"',
          'nothing comes from elsewhere, and the page forbids it') FROM page;
SELECT ok(md !~ '<(script|img)' AND md ~ '!\\\[x\\\]' OR md ~ '\\!\\\[x\\\]\\\(http',
          'in Markdown it makes no image, link or element') FROM page;
SELECT is((SELECT count(DISTINCT length(regexp_replace(l, '\\\|', '', 'g'))
                        - length(replace(regexp_replace(l, '\\\|', '', 'g'), '|', '')))
           FROM page, regexp_split_to_table(substring(md FROM '## Why calls failed\n\n(.*?)\n\n'), '\n') AS l
           WHERE l <> ''), 1::bigint, 'and no column of a table');
SELECT is(vrm.report_page('{"tables": [{"columns": [{"name": "<b>", "unit": "<i>"}], "rows": [["<u>"]]}]}')
              ~ '<(b|i|u)>', false, 'whatever the data says');
SELECT throws_ok($$SELECT vrm.report_page('{}', 'html', 'p {} </style><script>')$$, '22023',
                 'style sheet would end its element', 'a style sheet stays one');
SELECT throws_ok($$SELECT vrm.report_page('[]')$$, '22023', 'data of a report must be an object',
                 'what is no report is not drawn');

-- what it shows ---------------------------------------------------------------------------------------------

SELECT ok(html ~ '>70 %</div><div class="note">3 failed<', 'the success rate') FROM page;
SELECT ok(html ~ format('<title>%s: 7 completed</title>',
                        to_char(now() AT TIME ZONE 'UTC' - interval '2 days', 'FMMon DD')),
          'calls per day, readable without seeing them') FROM page;
SELECT ok(html ~ '<title>[A-Z][a-z]{2} \d\d: 1:05 50 %</title>', 'how long calls are') FROM page;
SELECT ok(html ~ ': 2 failed attempts</title>' AND html ~ ': 1 lockouts</title>', 'attempts and lockouts') FROM page;
SELECT ok(html ~ '<path class="line ahead" d="M[0-9.,]+ L' AND html ~ 'disk full in|free on the disk',
          'storage and its forecast') FROM page;
SELECT ok(html ~ '<h2>Health</h2>' AND html ~ '<h2>Recovery</h2>' AND html ~ '<h2>Installation</h2>'
          AND html ~ '3 of 10 rows of vrm.test_runs' AND html ~ '<span class="badge (warn|fail)">', 'verdicts')
          FROM page;
SELECT is((SELECT count(*) FROM page,
           regexp_matches(html,
                          '<svg [^>]*role="img" aria-labelledby="(chart-[a-z_0-9]+)-title \1-desc">\s*<title '
                          'id="\1-title">[^<]+</title>\s*<desc id="\1-desc">[^<]+</desc>', 'g')),
          7::bigint, 'every chart has a title and a description');
SELECT ok(html ~ ('<title id="chart-success_rate-title">Success rate</title>\s*'
                  '<desc id="chart-success_rate-desc">Completed calls of those'), 'of its own') FROM page;
SELECT is((SELECT count(*) FROM page, regexp_matches(html, '>pitr_window<', 'g')), 1::bigint, 'each once') FROM page;
SELECT ok(md ~ E'## Calls per day\n' AND md ~ E'\\| day \\| completed \\| failed \\| cancelled \\|',
          'the same as Markdown') FROM page;
SELECT is((SELECT array_agg(e[1] ORDER BY n) FROM page, split_part(html, 'chart-backups-desc">', 3) AS drawn,
           regexp_matches(drawn, ': (\d [a-z]+)</title></rect>', 'g') WITH ORDINALITY AS f (e, n)),
          ARRAY['1 full', '2 incremental', '1 failed'], 'backups of each kind');
SELECT is((SELECT array_agg(a ->> 0 ORDER BY n) FROM jsonb_array_elements(vrm.report_data() #> '{tables,0,rows}')
           WITH ORDINALITY AS r (a, n)), ARRAY['DiskFull', 'Slow'], 'alerts, the open ones first');
SELECT ok(md ~ '\n\| suite \| .*\n\| Smoke \| .*version 1 \| 2 \| 50 % \| 90 % \|', 'runs of suites') FROM page;
SELECT ok(html ~ format('<rect class="bad partial" [^>]*><title>%s, so far: 1 lockouts',
                        to_char(now() AT TIME ZONE 'UTC', 'FMMon DD')), 'today is not over') FROM page;
SELECT is(vrm.report_data() #> '{figures,1}',
          '{"id": "success_rate", "name": "Success rate", "value": 70, "unit": "percent",
            "note": "{} failed", "note_value": 3, "note_unit": "number"}', 'figures are numbers in the data');
-- a cache of the catalog may be written anew in between
SELECT cmp_ok(abs((vrm.report_data() #> '{figures,5,value}')::bigint - pg_database_size(current_database())), '<',
              1000000::bigint, 'not of megabytes alone');
SELECT is(split_part(vrm.report(), '<div class="tiles">', 1),
          split_part(vrm.report_page(vrm.report_data(), 'html', vrm_private.report_style()), '<div class="tiles">', 1),
          'the page is drawn from the data, with its style sheet');
SELECT ok(vrm_private.report_style() ~ '^\s*/\*.*\*/\s*:root \{.*\n\}\s*$', 'the style sheet is the whole file');
SELECT is((SELECT count(*) FROM unnest(ARRAY['vrm.report(text)', 'vrm.report_data()']) AS f,
                                unnest(ARRAY['authenticated', 'anon']) AS r
           WHERE has_function_privilege(r, f, 'EXECUTE')), 0::bigint, 'it is not for users: it is about all of them');

-- what is added up already, and what has changed since ------------------------------------------------------

PREPARE shown AS
    SELECT d #> '{figures,0}' AS calls, d #> '{tables,1}' AS agents,
           jsonb_path_query_array(d, '$.charts[*] ? (@.id like_regex "calls|rate|dur|sent")') AS charts
    FROM vrm.report_data() AS d;
CREATE TEMP TABLE of_facts AS EXECUTE shown;
SELECT vrm_private.compact_calls(30);
DELETE FROM vrm.call_facts WHERE started_at > now() - interval '60 hours';
SELECT results_eq('shown', 'TABLE of_facts', 'a report reads statistics, not facts, where those are up to date');
INSERT INTO vrm.call_dirty (user_id, day) SELECT :'alice', vrm.utc_day(now() - interval '2 days');
SELECT is((SELECT sum(r.completed) FROM vrm_private.report_days(vrm.utc_day(now()) - 29, vrm.utc_day(now())) r),
          0::numeric, 'and facts of days that have changed');

-- facts that were loaded beside the trigger, of somebody who has no statistics at all
SELECT pg_temp.person('loaded@example.org') AS loaded \gset
INSERT INTO vrm.call_facts (user_id, id, started_at, status, duration_ms)
SELECT :'loaded', vrm.uuid7(), now() - n * interval '1 day', CASE n WHEN 1 THEN 'failed' ELSE 'completed' END, 60000
FROM generate_series(1, 5) n;
INSERT INTO vrm.call_dirty (user_id, day) VALUES (:'loaded', vrm.utc_day(now() - interval '3 days'));
SELECT is((SELECT vrm.call_count(vrm.rollup(r.stats))
           FROM vrm_private.report_statistics(vrm.utc_day(now()) - 30, vrm.utc_day(now())) r
           WHERE r.user_id = :'loaded'), 5::bigint, 'what was loaded without a mark is counted, each call once');

SELECT * FROM finish();
ROLLBACK;
