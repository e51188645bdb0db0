-- Report: what happened and how things are, on one page

-- A day has its place even when nothing happened on it.
CREATE OR REPLACE FUNCTION vrm_private.report_days(since date, until date)
    RETURNS TABLE (day date, completed bigint, failed bigint, cancelled bigint, success_percent double precision,
                   p50 double precision, p95 double precision, p99 double precision, attempts bigint, lockouts bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH calls AS (
        SELECT vrm.utc_day(f.started_at) AS day,
               vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad) AS stats
        FROM vrm.call_facts f
        WHERE f.started_at >= since::timestamp AT TIME ZONE 'UTC'
            AND f.started_at < (until + 1)::timestamp AT TIME ZONE 'UTC'
        GROUP BY 1
    ), attempt AS (
        SELECT vrm.utc_day(a.at) AS day, count(*) FILTER (WHERE a.action LIKE '% failed') AS failures,
               count(*) FILTER (WHERE a.action LIKE '% failed, locked' OR a.action = 'locked by hand') AS locks
        FROM vrm.audit_log a
        WHERE a.class = 'security' AND a.at >= since::timestamp AT TIME ZONE 'UTC'
          AND (a.action LIKE '% failed' OR a.action LIKE '% failed, locked' OR a.action = 'locked by hand')
        GROUP BY 1
    )
    SELECT d.day::date, coalesce(s.completed, 0), coalesce(s.failed, 0), coalesce(s.cancelled, 0), 100 * s.success_rate,
           extract(epoch FROM s.p50_duration), extract(epoch FROM s.p95_duration), extract(epoch FROM s.p99_duration),
           coalesce(a.failures, 0), coalesce(a.locks, 0)
    FROM generate_series(since, until, interval '1 day') AS d (day)
    LEFT JOIN calls c ON c.day = d.day::date
    LEFT JOIN LATERAL vrm.summary(c.stats) AS s ON true
    LEFT JOIN attempt a ON a.day = d.day::date
$$;
COMMENT ON FUNCTION vrm_private.report_days(date, date) IS
    'calls, durations in seconds and attempts to sign in, of everybody, day by day in UTC';

-- Thirty days of samples, then thirty days of what the forecast makes of them.
CREATE OR REPLACE FUNCTION vrm_private.report_storage(today date)
    RETURNS TABLE (day date, used double precision, forecast double precision)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH trend AS MATERIALIZED (SELECT * FROM vrm.storage_forecast())
    SELECT d.day::date,
           CASE WHEN d.day = today THEN coalesce(s.used_bytes, t.used_bytes) ELSE s.used_bytes END,
           CASE WHEN d.day >= today THEN t.used_bytes + t.bytes_per_day * (d.day::date - today) END
    FROM generate_series(today - 29, today + 30, interval '1 day') AS d (day)
    CROSS JOIN trend t
    LEFT JOIN vrm.storage_samples s ON s.day = d.day::date AND s.path = current_setting('data_directory')
$$;
COMMENT ON FUNCTION vrm_private.report_storage(date) IS
    'bytes in use of the file system of the data, and where that leads';

CREATE OR REPLACE FUNCTION vrm_private.report_tiles(since date, until date)
    RETURNS TABLE (name text, value text, note text)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH period (stats, before) AS (
        SELECT vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad)
                   FILTER (WHERE vrm.utc_day(f.started_at) >= since),
               count(*) FILTER (WHERE vrm.utc_day(f.started_at) < since)
        FROM vrm.call_facts f
        WHERE f.started_at >= (since - 30)::timestamp AT TIME ZONE 'UTC'
    )
    SELECT t.* FROM period p LEFT JOIN LATERAL vrm.summary(p.stats) AS s ON true, LATERAL (VALUES
        ('Calls', vrm_private.figure(coalesce(s.calls, 0), 'number'),
         format('%s in the 30 days before', vrm_private.figure(p.before, 'number'))),
        ('Success rate', coalesce(vrm_private.figure(100 * s.success_rate, 'percent'), '–'),
         format('%s failed', vrm_private.figure(coalesce(s.failed, 0), 'number'))),
        ('95 % of calls within', coalesce(vrm_private.figure(extract(epoch FROM s.p95_duration), 'seconds'), '–'),
         CASE WHEN s.completed > 0
              THEN format('half of them within %s', vrm_private.figure(extract(epoch FROM s.p50_duration), 'seconds'))
              ELSE 'no call yet' END),
        ('People', vrm_private.figure((SELECT count(*) FROM vrm.user_profiles u
                                               WHERE u.deleted_at IS NULL AND NOT u.is_organisation), 'number'),
         format('%s agents', vrm_private.figure((SELECT count(*) FROM vrm.agents a WHERE a.deleted_at IS NULL),
             'number'))),
        ('Locked out now', vrm_private.figure(vrm_private.locked_out(), 'number'),
         'people and networks'),
        ('Database', pg_size_pretty(pg_database_size(current_database())),
         (SELECT CASE WHEN f.days_to_full IS NOT NULL
                      THEN format('disk full in %s days', round(f.days_to_full::numeric))
                      ELSE format('%s free on the disk', pg_size_pretty(f.free_bytes)) END
          FROM vrm.storage_forecast() f))) AS t (name, value, note)
$$;
COMMENT ON FUNCTION vrm_private.report_tiles(date, date) IS 'the figures at the head of a report';

-- A chart is its kind, title, description, unit, labels and series.
CREATE OR REPLACE FUNCTION vrm_private.report_charts(since date, until date)
    RETURNS TABLE (kind text, title text, description text, unit text, labels text[], series jsonb)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH d AS (
        SELECT array_agg(to_char(day, 'FMMon DD') ORDER BY day) AS days,
               jsonb_agg(completed ORDER BY day) AS completed, jsonb_agg(failed ORDER BY day) AS failed,
               jsonb_agg(cancelled ORDER BY day) AS cancelled, jsonb_agg(success_percent ORDER BY day) AS success,
               jsonb_agg(p50 ORDER BY day) AS p50, jsonb_agg(p95 ORDER BY day) AS p95,
                   jsonb_agg(p99 ORDER BY day) AS p99,
               jsonb_agg(attempts ORDER BY day) AS attempts, jsonb_agg(lockouts ORDER BY day) AS lockouts
        FROM vrm_private.report_days(since, until)
    ), s AS (
        SELECT array_agg(to_char(day, 'FMMon DD') ORDER BY day) AS days, jsonb_agg(used ORDER BY day) AS used,
               jsonb_agg(forecast ORDER BY day) AS forecast
        FROM vrm_private.report_storage(until)
    )
    SELECT c.* FROM d, s, LATERAL (VALUES
        ('bars', 'Calls per day', 'Calls that ended, by how they ended', 'number', d.days, jsonb_build_array(
            jsonb_build_object('name', 'completed', 'style', 'one', 'values', d.completed),
            jsonb_build_object('name', 'failed', 'style', 'bad', 'values', d.failed),
            jsonb_build_object('name', 'cancelled', 'style', 'dim', 'values', d.cancelled))),
        ('lines', 'Success rate', 'Completed calls of those completed or failed', 'percent', d.days, jsonb_build_array(
            jsonb_build_object('name', 'success rate', 'style', 'one', 'values', d.success))),
        ('lines', 'Length of calls', 'So many of a day''s completed calls were shorter', 'seconds', d.days,
            jsonb_build_array(
            jsonb_build_object('name', '50 %', 'style', 'soft', 'values', d.p50),
            jsonb_build_object('name', '95 %', 'style', 'one', 'values', d.p95),
            jsonb_build_object('name', '99 %', 'style', 'deep', 'values', d.p99))),
        ('lines', 'Storage', 'In use of the disk that has the data, and where that leads', 'bytes', s.days,
            jsonb_build_array(
            jsonb_build_object('name', 'in use', 'style', 'one', 'values', s.used),
            jsonb_build_object('name', 'forecast', 'style', 'ahead', 'values', s.forecast))),
        ('bars', 'Failed sign-ins and lockouts', 'Attempts with a wrong secret, and those that locked', 'number',
            d.days, jsonb_build_array(
            jsonb_build_object('name', 'failed attempts', 'style', 'dim', 'values', d.attempts),
            jsonb_build_object('name', 'lockouts', 'style', 'bad', 'values', d.lockouts)))
        ) AS c (kind, title, description, unit, labels, series)
$$;
COMMENT ON FUNCTION vrm_private.report_charts(date, date) IS 'the charts of a report, in order';

-- What is listed: rows are arrays of texts.
CREATE OR REPLACE FUNCTION vrm_private.report_tables(since date, until date)
    RETURNS TABLE (title text, headings text[], body jsonb)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'Busiest agents', ARRAY['agent', 'calls', 'success rate', '95 % within'],
           (SELECT jsonb_agg(to_jsonb(ARRAY[coalesce(a.agent_id, 'no agent'), vrm_private.figure(s.calls, 'number'),
                                            coalesce(vrm_private.figure(100 * s.success_rate, 'percent'), ''),
                                            coalesce(vrm_private.figure(extract(epoch FROM s.p95_duration), 'seconds'),
                                                '')])
                             ORDER BY s.calls DESC, a.agent_id)
            FROM (SELECT f.user_id, f.agent_id,
                         vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad) AS stats
                  FROM vrm.call_facts f WHERE f.started_at >= since::timestamp AT TIME ZONE 'UTC'
                  GROUP BY f.user_id, f.agent_id ORDER BY count(*) DESC LIMIT 8) AS g
            CROSS JOIN LATERAL vrm.summary(g.stats) AS s
            LEFT JOIN vrm.agents a ON a.user_id = g.user_id AND a.id = g.agent_id)
    UNION ALL
    SELECT 'Why calls failed', ARRAY['reason', 'calls'],
           (SELECT jsonb_agg(to_jsonb(ARRAY[r.reason, vrm_private.figure(r.calls, 'number')]) ORDER BY r.calls DESC,
               r.reason)
            FROM (SELECT left(coalesce(t.error, 'unknown'), 200) AS reason, count(*) AS calls
                  FROM vrm.test_runs t
                  WHERE t.status = 'failed' AND t.started_at >= since::timestamp AT TIME ZONE 'UTC'
                  GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8) AS r)
    UNION ALL
    SELECT 'Largest tables', ARRAY['table', 'rows, roughly', 'size'],
           (SELECT jsonb_agg(to_jsonb(ARRAY[t.name, vrm_private.figure(t.tuples, 'number'), pg_size_pretty(t.bytes)])
                             ORDER BY t.bytes DESC, t.name)
            FROM (SELECT p.root::text AS name, sum(greatest(c.reltuples, 0)) AS tuples,
                         sum(pg_total_relation_size(c.oid)) AS bytes
                  FROM pg_class c
                  CROSS JOIN LATERAL (SELECT coalesce(pg_partition_root(c.oid), c.oid::regclass) AS root) AS p
                  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('vrm', 'vrm_private', 'auth')
                  WHERE c.relkind IN ('r', 'm')
                  GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 8) AS t)
$$;
COMMENT ON FUNCTION vrm_private.report_tables(date, date) IS 'the lists of a report, in order';

-- Worst first; what is well is counted and not listed.
CREATE OR REPLACE FUNCTION vrm_private.report_verdicts()
    RETURNS TABLE (title text, well bigint, not_well bigint, body jsonb)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH verdict AS (
        SELECT 1 AS place, 'Health' AS title, h.check_name, h.status, h.detail, coalesce(h.fix_sql, h.hint) AS remedy
        FROM vrm.health_check() h
        WHERE h.check_name NOT IN (SELECT r.check_name FROM vrm.recovery_status() r)  -- it asks that, too
        UNION ALL
        SELECT 2, 'Recovery', r.check_name, r.status, r.detail, r.hint FROM vrm.recovery_status() r
        UNION ALL
        SELECT 3, 'Data quality', l.check_name,
               CASE WHEN l.failed = 0 THEN 'ok'
                    WHEN l.severity = 'error' OR l.failed IS NULL THEN 'fail' ELSE 'warn' END,
               coalesce(l.error, format('%s of %s rows of %s, at %s', l.failed, l.total, l.relation,
                                        to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))),
               format('SELECT * FROM vrm.run_quality_checks(%L);', l.relation)
        FROM (SELECT DISTINCT ON (r.check_name) r.*
              FROM vrm.quality_run r ORDER BY r.check_name, r.at DESC, r.id DESC) AS l
        UNION ALL
        SELECT 4, 'Installation', d.check_name, d.status, d.detail, coalesce(d.fix_sql, d.hint) FROM vrm.doctor() d
    )
    SELECT v.title, count(*) FILTER (WHERE v.status = 'ok'), count(*) FILTER (WHERE v.status <> 'ok'),
           jsonb_agg(to_jsonb(ARRAY[v.status, v.check_name, v.detail, coalesce(v.remedy, '')])
                     ORDER BY array_position(ARRAY['fail', 'warn'], v.status),
                         v.check_name) FILTER (WHERE v.status <> 'ok')
    FROM verdict v
    GROUP BY v.place, v.title ORDER BY v.place
$$;
COMMENT ON FUNCTION vrm_private.report_verdicts() IS
    'what vrm.health_check(), vrm.recovery_status() and vrm.doctor() say';

CREATE OR REPLACE FUNCTION vrm_private.report_style() RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT $css$
:root { color-scheme: light dark; --page: #f6f6f3; --card: #fff; --ink: #14140f; --soft-ink: #55544f; --faint:
  #8a8880; --grid: #e8e7e1; --axis: #c4c3bb; --border: rgba(20, 20, 10, .1); --one: #2a78d6; --soft: #8bb9ee; --deep:
  #15457f; --bad: #d9403f; --dim: #b9b8b0; --good: #0b7d25; --warn: #9a5b00; --good-tint: #e3f4e5; --warn-tint:
  #fdf0d8; --bad-tint: #fde6e4; }
@media (prefers-color-scheme: dark) { :root { --page: #0f0f0e; --card: #1a1a18; --ink: #f4f4f0; --soft-ink: #c0bfb7;
  --faint: #8d8b84; --grid: #2b2b28; --axis: #45443f; --border: rgba(255, 255, 255, .1); --one: #4a93ea; --soft:
  #2c5c98; --deep: #b5d4f8; --bad: #ec6a68; --dim: #66655f; --good: #5cc873; --warn: #eeb04a; --good-tint: #15301a;
  --warn-tint: #362812; --bad-tint: #3b1b1a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI",
  "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 48px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -.01em; }
h2 { font-size: 16px; line-height: 1.3; margin: 0; }
header p, .note, figcaption p, footer { color: var(--soft-ink); margin: 0; }
.note, footer { font-size: 13px; }
.tiles, .charts { display: grid; gap: 16px; margin-top: 16px; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); margin-top: 24px; }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); }
.tile, figure, .list { background: var(--card); border: 1px solid var(--border); border-radius: 10px; padding: 16px
  18px; margin: 0; min-width: 0; }
.tile .name { font-size: 13px; color: var(--soft-ink); }
.tile .value { font-size: 27px; font-weight: 600; line-height: 1.25; }
figcaption p { font-size: 13px; }
figure svg { display: block; width: 100%; height: auto; margin-top: 10px; overflow: visible; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; list-style: none; margin: 6px 0 0; padding: 0; font-size:
  13px; color: var(--soft-ink); }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; vertical-align:
  -1px; }
i.one, i.ahead { background: var(--one); }
i.soft { background: var(--soft); }
i.deep { background: var(--deep); }
i.bad { background: var(--bad); }
i.dim { background: var(--dim); }
.legend i.ahead { background: repeating-linear-gradient(90deg, var(--one) 0 3px, transparent 3px 5px); }
.grid { stroke: var(--grid); }
.axis { stroke: var(--axis); }
.tick { fill: var(--faint); font-size: 11.5px; }
svg .none { fill: var(--faint); font-size: 14px; }
rect.one { fill: var(--one); }
rect.bad { fill: var(--bad); }
rect.dim { fill: var(--dim); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.dot { stroke: transparent; stroke-width: 8; }
.line.one, .line.ahead { stroke: var(--one); }
.line.soft { stroke: var(--soft); }
.line.deep { stroke: var(--deep); }
.line.ahead { stroke-dasharray: 2 5; }
.dot.one { fill: var(--one); }
.dot.soft { fill: var(--soft); }
.dot.deep { fill: var(--deep); }
.dot.ahead { fill: transparent; }
details { margin-top: 8px; font-size: 13px; }
summary { cursor: pointer; color: var(--soft-ink); }
.scroll { overflow-x: auto; margin-top: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--soft-ink); white-space: nowrap; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--grid); vertical-align: top; }
tbody tr:last-child td { border-bottom: 0; }
td { overflow-wrap: break-word; } td.word { white-space: nowrap; }
td.number { white-space: nowrap; }
code { font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.badge { display: inline-block; white-space: nowrap;
  padding: 0 9px; border-radius: 9px; font-size: 12.5px; font-weight: 600; background:
  var(--grid); color: var(--soft-ink); }
.badge.ok { background: var(--good-tint); color: var(--good); }
.badge.warn { background: var(--warn-tint); color: var(--warn); }
.badge.fail { background: var(--bad-tint); color: var(--bad); }
section.list { margin-top: 16px; }
.charts section.list { margin-top: 0; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 4px 12px; }
.none { color: var(--faint); }
footer { margin-top: 24px; }
@media (max-width: 560px) {
  .verdicts thead { display: none; }
  .verdicts tr { display: block; padding: 8px 0; border-bottom: 1px solid var(--grid); }
  .verdicts td { display: block; padding: 2px 0; border: 0; }
}
@media (max-width: 560px) { main { padding: 20px 12px 32px; }
.tiles { grid-template-columns: 1fr 1fr; gap: 10px; }
.charts { gap: 10px; }
.tile, figure, .list { padding: 12px 13px; }
.tile .value { font-size: 22px; }
.tick { font-size: 14px; } }
@media print { body { background: #fff; }
details { display: none; }
figure, .list { break-inside: avoid; } }
$css$ $$;
COMMENT ON FUNCTION vrm_private.report_style() IS 'the style sheet of a report: light and dark, wide and narrow';

REVOKE EXECUTE ON FUNCTION
    vrm_private.report_days(date, date), vrm_private.report_storage(date), vrm_private.report_tiles(date, date),
    vrm_private.report_charts(date, date), vrm_private.report_tables(date, date), vrm_private.report_verdicts(),
    vrm_private.report_style()
    FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.report_html(since date, until date) RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH verdict AS MATERIALIZED (SELECT * FROM vrm_private.report_verdicts())
    SELECT concat_ws(E'\n',
        '<!DOCTYPE html>', '<html lang="en">', '<head>', '<meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        '<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''"/>',
        format('<title>vrm: %s</title>', vrm_private.html(current_database())),
        format('<style>%s</style>', vrm_private.report_style()), '</head>', '<body>', '<main>',
        format('<header><h1><bdi>%s</bdi></h1><p>%s to %s, days in UTC</p></header>',
            vrm_private.html(current_database()),
               to_char(since, 'FMMonth FMDD'), to_char(until, 'FMMonth FMDD, YYYY')),
        '<div class="tiles">',
        (SELECT string_agg(format('<div class="tile"><div class="name">%s</div><div class="value">%s</div>'
                                  '<div class="note">%s</div></div>',
                                  vrm_private.html(t.name), vrm_private.html(t.value), vrm_private.html(t.note)), E'\n')
         FROM vrm_private.report_tiles(since, until) t),
        '</div>', '<div class="charts">',
        (SELECT string_agg(format(E'<figure><figcaption><h2>%s</h2><p>%s</p>%s</figcaption>\n%s\n'
                                  '<details><summary>Figures</summary>%s</details></figure>',
                                  vrm_private.html(c.title), vrm_private.html(c.description),
                                  CASE WHEN jsonb_array_length(c.series) > 1 THEN
                                      (SELECT concat('<ul class="legend">',
                                          string_agg(format('<li><i class="%s"></i>%s</li>',
                                                  vrm_private.html(s ->> 'style'), vrm_private.html(s ->> 'name')),
                                                      '' ORDER BY n), '</ul>')
                                       FROM jsonb_array_elements(c.series) WITH ORDINALITY AS e (s, n)) END,
                                  vrm_private.svg_chart(c.kind, c.title, c.description, c.labels, c.series, c.unit),
                                  vrm_private.chart_table('html', c.labels, c.series, c.unit)), E'\n')
         FROM vrm_private.report_charts(since, until) AS c (kind, title, description, unit, labels, series)),
        (SELECT string_agg(format('<section class="list"><h2>%s</h2>%s</section>', vrm_private.html(t.title),
                                  vrm_private.report_table('html', t.headings, t.body)), E'\n')
         FROM vrm_private.report_tables(since, until) t),
        '</div>',
        (SELECT string_agg(format('<section class="list"><div class="head"><h2>%s</h2>'
                                  '<span class="note">%s well, %s not</span></div>%s</section>',
                                  vrm_private.html(v.title), v.well, v.not_well,
                                  CASE WHEN v.body IS NOT NULL THEN
                                      vrm_private.report_table('html', ARRAY['status', 'check', 'what it is',
                                          'what to do'], v.body) END), E'\n')
         FROM verdict v),
        format('<footer>vrm %s on PostgreSQL %s, %s UTC</footer>', vrm.version(), current_setting('server_version'),
               to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
        '</main>', '</body>', '</html>', '')
$$;
COMMENT ON FUNCTION vrm_private.report_html(date, date) IS 'vrm.report() as a page that needs nothing but itself';

CREATE OR REPLACE FUNCTION vrm_private.report_md(since date, until date) RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(E'\n',
        format(E'# %s\n\n%s to %s, days in UTC.\n', vrm_private.markdown(current_database()), since, until),
        vrm_private.report_table('md', ARRAY['', 'value', ''],
            (SELECT jsonb_agg(to_jsonb(ARRAY[t.name, t.value, t.note])) FROM vrm_private.report_tiles(since, until) t)),
        (SELECT string_agg(format(E'## %s\n\n%s.\n\n%s', vrm_private.markdown(c.title),
            vrm_private.markdown(c.description),
                                  vrm_private.chart_table('md', c.labels, c.series, c.unit)), E'\n')
         FROM vrm_private.report_charts(since, until) c),
        (SELECT string_agg(format(E'## %s\n\n%s', vrm_private.markdown(t.title),
                                  vrm_private.report_table('md', t.headings, t.body)), E'\n')
         FROM vrm_private.report_tables(since, until) t),
        (SELECT string_agg(format(E'## %s\n\n%s well, %s not.\n\n%s', vrm_private.markdown(v.title), v.well, v.not_well,
                                  CASE WHEN v.body IS NOT NULL THEN
                                      vrm_private.report_table('md', ARRAY['status', 'check', 'what it is',
                                          'what to do'], v.body) END), E'\n')
         FROM vrm_private.report_verdicts() v))
$$;
COMMENT ON FUNCTION vrm_private.report_md(date, date) IS 'vrm.report() as Markdown';

CREATE OR REPLACE FUNCTION vrm.report(format text DEFAULT 'html') RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    today constant date := vrm.utc_day(now());
BEGIN
    IF format IS NULL OR format NOT IN ('html', 'md') THEN
        RAISE EXCEPTION 'there is no report of format "%"', format
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT vrm.report(''html''), or ''md'' for Markdown.';
    END IF;
    RETURN CASE format WHEN 'md' THEN vrm_private.report_md(today - 29, today)
                       ELSE vrm_private.report_html(today - 29, today) END;
END
$$;
COMMENT ON FUNCTION vrm.report(text) IS
    'the last 30 days and how things are, on one page: html, which needs nothing but itself, or md';
REVOKE EXECUTE ON FUNCTION
    vrm.report(text),
    vrm_private.report_html(date, date),
    vrm_private.report_md(date, date)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.report(text) TO service_role;
