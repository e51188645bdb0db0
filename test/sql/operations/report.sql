-- The report: what it shows, that nothing a user has typed gets out of its place, and that the page
-- needs nothing but itself.
BEGIN;
SELECT plan(26);
\ir ../include/people.sql

-- an empty database ------------------------------------------------------------------------------------

SELECT lives_ok($$SELECT xmlparse(DOCUMENT vrm.report())$$, 'a report on nothing is a well-formed page');
SELECT ok(vrm.report() ~ '>nothing yet</text></svg>' AND vrm.report() ~ '<p class="none">Nothing yet'
          AND vrm.report() ~ '>no call yet<',
          'and says that there is nothing yet');
SELECT is((SELECT count(*) FROM regexp_matches(vrm.report(), '<svg ', 'g')), 5::bigint, 'with its five charts');
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
SELECT is(vrm_private.html($$<a b="c" d='e'>&$$), '&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;',
          'five characters are written otherwise');
SELECT is(vrm_private.markdown(E'a|b\n<c> [d](e) `f`'), 'a\|b &lt;c\> \[d\]\(e\) \`f\`', 'in Markdown more of them');

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
                          '<svg [^>]*role="img" aria-labelledby="(chart-[0-9a-f]+)-title \1-desc">\s*<title '
                          'id="\1-title">[^<]+</title>\s*<desc id="\1-desc">[^<]+</desc>', 'g')),
          5::bigint, 'every chart has a title and a description');
SELECT ok(html
          ~ '<title id="chart-[0-9a-f]+-title">Success rate</title>\s*<desc id="chart-[0-9a-f]+-desc">Completed calls '
            'of those', 'of its own') FROM page;
SELECT is((SELECT count(*) FROM page, regexp_matches(html, '>pitr_window<', 'g')), 1::bigint, 'each once') FROM page;
SELECT ok(md ~ E'## Calls per day\n' AND md ~ E'\\| day \\| completed \\| failed \\| cancelled \\|',
          'the same as Markdown') FROM page;
SELECT is((SELECT string_agg(vrm_private.figure(v, 'percent'), ', ' ORDER BY n)
           FROM unnest(ARRAY[0, 0.004, 28.999999999999996, 66.66, 99.96, 99.996, 100]) WITH ORDINALITY AS u (v, n)),
          '0 %, 0.1 %, 29 %, 66.6 %, 99.9 %, 99.9 %, 100 %', 'only all is 100 %, and only nothing is 0 %');
SELECT is((SELECT array_agg(round(s::numeric, 1))
           FROM unnest(ARRAY[vrm_private.chart_scale(7, 'number'), vrm_private.chart_scale(21, 'number'),
                             vrm_private.chart_scale(100, 'seconds'),
          vrm_private.chart_scale(90, 'percent'), vrm_private.chart_scale(3e9, 'bytes')]) AS s),
          ARRAY[2, 10, 30, 25, 1073741824.0], 'scales are round numbers of their unit');
SELECT is(has_function_privilege('authenticated', 'vrm.report(text)', 'EXECUTE')
          OR has_function_privilege('anon', 'vrm.report(text)', 'EXECUTE'), false,
          'it is not for users: it is about all of them');

SELECT * FROM finish();
ROLLBACK;
