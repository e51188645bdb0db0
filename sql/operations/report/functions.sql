-- Report: what happened and how things are, as data; vrm.report_page() draws it

-- As vrm.maintain() has added them up, or from the facts where those have changed since.  Facts that somebody has
-- loaded beside the trigger are not marked: whoever has facts and no statistics at all is looked at day by day.
CREATE OR REPLACE FUNCTION vrm_private.report_statistics(since date, until date)
    RETURNS TABLE (user_id uuid, agent_id uuid, day date, stats vrm.call_stats)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id, nullif(r.agent_id, '00000000-0000-0000-0000-000000000000'), r.bucket, r.stats::vrm.call_stats
    FROM vrm.user_profiles u
    CROSS JOIN LATERAL (SELECT o.* FROM vrm.call_rollup o
                        WHERE o.user_id = u.id AND o.grain = 'day' AND o.bucket BETWEEN since AND until
                          AND NOT EXISTS (SELECT FROM vrm.call_dirty d
                                          WHERE d.user_id = o.user_id AND d.day = o.bucket AND d.quarter <> -2)
                        OFFSET 0) AS r
    UNION ALL
    SELECT c.user_id, f.agent_id, c.day,
           vrm.call_stats(f.status, f.duration_ms, f.sentiment, f.actions, f.customer, f.bad)
    FROM (SELECT d.user_id, d.day FROM vrm.call_dirty d
          WHERE d.quarter <> -2 AND d.day BETWEEN since AND until
          UNION
          SELECT u.id, d.day::date
          FROM vrm.user_profiles u
          LEFT JOIN LATERAL (SELECT true FROM vrm.call_rollup o
                             WHERE o.user_id = u.id AND o.grain = 'day' AND o.bucket BETWEEN since AND until
                             LIMIT 1) AS made (there) ON true
          CROSS JOIN LATERAL (SELECT FROM vrm.call_facts o
                              WHERE made.there IS NULL AND o.user_id = u.id
                                AND o.started_at >= since::timestamp AT TIME ZONE 'UTC'
                                AND o.started_at < (until + 1)::timestamp AT TIME ZONE 'UTC' LIMIT 1) AS has
          CROSS JOIN generate_series(since, until, interval '1 day') AS d (day)) AS c
    CROSS JOIN LATERAL (SELECT o.* FROM vrm.call_facts o
                        WHERE o.user_id = c.user_id AND o.started_at >= c.day::timestamp AT TIME ZONE 'UTC'
                          AND o.started_at < (c.day + 1)::timestamp AT TIME ZONE 'UTC' OFFSET 0) AS f
    GROUP BY c.user_id, f.agent_id, c.day
$$;
COMMENT ON FUNCTION vrm_private.report_statistics(date, date) IS
    'calls that ended, of each agent of everybody, by day in UTC';

-- A day has its place even when nothing happened on it.
CREATE OR REPLACE FUNCTION vrm_private.report_days(since date, until date)
    RETURNS TABLE (day date, completed bigint, failed bigint, cancelled bigint, success_percent double precision,
                   p50 double precision, p95 double precision, p99 double precision, positive bigint, neutral bigint,
                   negative bigint, attempts bigint, lockouts bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH calls AS (
        SELECT r.day, vrm.rollup(r.stats) AS stats FROM vrm_private.report_statistics(since, until) r GROUP BY r.day
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
           coalesce(s.positive, 0), coalesce(s.neutral, 0), coalesce(s.negative, 0),
           coalesce(a.failures, 0), coalesce(a.locks, 0)
    FROM generate_series(since, until, interval '1 day') AS d (day)
    LEFT JOIN calls c ON c.day = d.day::date
    LEFT JOIN LATERAL vrm.summary(c.stats) AS s ON true
    LEFT JOIN attempt a ON a.day = d.day::date
$$;
COMMENT ON FUNCTION vrm_private.report_days(date, date) IS
    'calls, durations in seconds and attempts to sign in, of everybody, day by day in UTC';

-- Thirty days of samples, then thirty days of what the forecast makes of them.  The end of the disk is shown once
-- it is in sight: on a large disk nothing else could be seen beside it.
CREATE OR REPLACE FUNCTION vrm_private.report_storage(today date)
    RETURNS TABLE (day date, used double precision, forecast double precision, room double precision)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH trend AS MATERIALIZED (SELECT * FROM vrm.storage_forecast())
    SELECT d.day::date,
           CASE WHEN d.day = today THEN coalesce(s.used_bytes, t.used_bytes) ELSE s.used_bytes END,
           CASE WHEN d.day >= today THEN t.used_bytes + t.bytes_per_day * (d.day::date - today) END,
           CASE WHEN t.used_bytes > t.free_bytes THEN t.used_bytes + t.free_bytes END
    FROM generate_series(today - 29, today + 30, interval '1 day') AS d (day)
    CROSS JOIN trend t
    LEFT JOIN vrm.storage_samples s ON s.day = d.day::date AND s.path = current_setting('data_directory')
$$;
COMMENT ON FUNCTION vrm_private.report_storage(date) IS
    'bytes in use of the file system of the data, where that leads, and what there is';

CREATE OR REPLACE FUNCTION vrm_private.report_backups(since date, until date)
    RETURNS TABLE (day date, whole bigint, part bigint, failed bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.day::date, count(*) FILTER (WHERE b.kind = 'full' AND NOT b.failed),
           count(*) FILTER (WHERE b.kind <> 'full' AND NOT b.failed), count(*) FILTER (WHERE b.failed)
    FROM generate_series(since, until, interval '1 day') AS d (day)
    LEFT JOIN vrm.backups b ON b.finished_at >= d.day::timestamp AT TIME ZONE 'UTC'
        AND b.finished_at < (d.day + interval '1 day')::timestamp AT TIME ZONE 'UTC'
    GROUP BY d.day
$$;
COMMENT ON FUNCTION vrm_private.report_backups(date, date) IS 'backups day by day in UTC: full, incremental and failed';

-- In a note, {} stands for a figure.
CREATE OR REPLACE FUNCTION vrm_private.report_figures(since date, until date) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH period AS (
        SELECT vrm.rollup(r.stats) FILTER (WHERE r.day >= since) AS stats,
               vrm.rollup(r.stats) FILTER (WHERE r.day < since) AS before
        FROM vrm_private.report_statistics(since - 30, until) r
    )
    SELECT jsonb_agg(to_jsonb(t) - 'place' ORDER BY t.place)
    FROM period p
    CROSS JOIN vrm.storage_forecast() AS disk
    LEFT JOIN LATERAL vrm.summary(p.stats) AS s ON true
    CROSS JOIN LATERAL (VALUES
        (1, 'calls', 'Calls that ended', coalesce(s.calls, 0)::float8, 'number',
         '{} in the 30 days before', vrm.call_count(p.before)::float8, 'number'),
        (2, 'success_rate', 'Success rate', 100 * s.success_rate, 'percent',
         '{} failed', coalesce(s.failed, 0), 'number'),
        (3, 'p95_duration', '95 % of calls within', extract(epoch FROM s.p95_duration), 'seconds',
         CASE WHEN s.completed > 0 THEN 'half of them within {}' ELSE 'no call yet' END,
         extract(epoch FROM s.p50_duration), 'seconds'),
        (4, 'people', 'People', (SELECT count(*) FROM vrm.user_profiles u
                              WHERE u.deleted_at IS NULL AND NOT u.is_organisation), 'number',
         '{} agents', (SELECT count(*) FROM vrm.agents a WHERE a.deleted_at IS NULL), 'number'),
        (5, 'locked_out', 'Locked out now', vrm_private.locked_out(), 'number', 'people and networks', NULL, NULL),
        (6, 'database_size', 'Database', pg_database_size(current_database()), 'bytes',
         CASE WHEN disk.days_to_full IS NOT NULL THEN 'disk full in {} days' ELSE '{} free on the disk' END,
         coalesce(round(disk.days_to_full), disk.free_bytes),
         CASE WHEN disk.days_to_full IS NOT NULL THEN 'number' ELSE 'bytes' END)
        ) AS t (place, id, name, value, unit, note, note_value, note_unit)
$$;
COMMENT ON FUNCTION vrm_private.report_figures(date, date) IS 'the figures at the head of a report';

CREATE OR REPLACE FUNCTION vrm_private.report_chart(
    id text, kind text, title text, description text, unit text, days jsonb, today date, VARIADIC series jsonb[])
    RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('id', id, 'kind', kind, 'title', title, 'description', description, 'unit', unit,
                              'days', days, 'partial', today, 'series', to_jsonb(array_remove(series, NULL)))
$$;
COMMENT ON FUNCTION vrm_private.report_chart(text, text, text, text, text, jsonb, date, jsonb[]) IS
    'bars or lines over days, of which today is not over; a series is its name, style and values';

CREATE OR REPLACE FUNCTION vrm_private.report_series(name text, style text, "values" jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('name', name, 'style', style, 'values', "values")
$$;
COMMENT ON FUNCTION vrm_private.report_series(text, text, jsonb) IS
    'what a chart shows: style is a class of the style sheet, values has one a day, null where there is none';

CREATE OR REPLACE FUNCTION vrm_private.report_charts(since date, until date) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH d AS (
        SELECT jsonb_agg(day ORDER BY day) AS days,
               jsonb_agg(completed ORDER BY day) AS completed, jsonb_agg(failed ORDER BY day) AS failed,
               jsonb_agg(cancelled ORDER BY day) AS cancelled, jsonb_agg(success_percent ORDER BY day) AS success,
               jsonb_agg(p50 ORDER BY day) AS p50, jsonb_agg(p95 ORDER BY day) AS p95,
               jsonb_agg(p99 ORDER BY day) AS p99, jsonb_agg(positive ORDER BY day) AS positive,
               jsonb_agg(neutral ORDER BY day) AS neutral, jsonb_agg(negative ORDER BY day) AS negative,
               jsonb_agg(attempts ORDER BY day) AS attempts, jsonb_agg(lockouts ORDER BY day) AS lockouts
        FROM vrm_private.report_days(since, until)
    ), s AS (
        SELECT jsonb_agg(day ORDER BY day) AS days, jsonb_agg(used ORDER BY day) AS used,
               jsonb_agg(forecast ORDER BY day) AS forecast, jsonb_agg(room ORDER BY day) AS room,
               count(room) > 0 AS room_in_sight
        FROM vrm_private.report_storage(until)
    ), b AS (
        SELECT jsonb_agg(whole ORDER BY day) AS whole, jsonb_agg(part ORDER BY day) AS part,
               jsonb_agg(failed ORDER BY day) AS failed
        FROM vrm_private.report_backups(since, until)
    )
    SELECT jsonb_build_array(
        vrm_private.report_chart('calls', 'bars', 'Calls per day', 'Calls that ended, by how they ended', 'number',
            d.days, until,
            vrm_private.report_series('completed', 'one', d.completed),
            vrm_private.report_series('failed', 'bad', d.failed),
            vrm_private.report_series('cancelled', 'dim', d.cancelled)),
        vrm_private.report_chart('success_rate', 'lines', 'Success rate',
            'Completed calls of those completed or failed', 'percent', d.days, until,
            vrm_private.report_series('success rate', 'one', d.success)),
        vrm_private.report_chart('durations', 'lines', 'Length of calls',
            'So many of a day''s completed calls were shorter', 'seconds', d.days, until,
            vrm_private.report_series('50 %', 'soft', d.p50),
            vrm_private.report_series('95 %', 'one', d.p95),
            vrm_private.report_series('99 %', 'deep', d.p99)),
        vrm_private.report_chart('sentiment', 'bars', 'Sentiment', 'Calls by how the customer felt', 'number',
            d.days, until,
            vrm_private.report_series('positive', 'good', d.positive),
            vrm_private.report_series('neutral', 'dim', d.neutral),
            vrm_private.report_series('negative', 'bad', d.negative)),
        vrm_private.report_chart('storage', 'lines', 'Storage',
            'In use of the disk that has the data, and where that leads', 'bytes', s.days, NULL,
            vrm_private.report_series('in use', 'one', s.used),
            vrm_private.report_series('forecast', 'ahead', s.forecast),
            CASE WHEN s.room_in_sight THEN vrm_private.report_series('size of the disk', 'limit', s.room) END),
        vrm_private.report_chart('sign_ins', 'bars', 'Failed sign-ins and lockouts',
            'Attempts with a wrong secret, and those that locked', 'number', d.days, until,
            vrm_private.report_series('failed attempts', 'dim', d.attempts),
            vrm_private.report_series('lockouts', 'bad', d.lockouts)),
        vrm_private.report_chart('backups', 'bars', 'Backups', 'Backups that ended, expired ones as well', 'number',
            d.days, until,
            vrm_private.report_series('full', 'one', b.whole),
            vrm_private.report_series('incremental', 'soft', b.part),
            vrm_private.report_series('failed', 'bad', b.failed)))
    FROM d, s, b
$$;
COMMENT ON FUNCTION vrm_private.report_charts(date, date) IS 'the charts of a report, in order';

CREATE OR REPLACE FUNCTION vrm_private.report_agents(since date) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_array(coalesce(a.agent_id, 'no agent'), u.email, s.calls, 100 * s.success_rate,
                                       extract(epoch FROM s.p95_duration))
                     ORDER BY s.calls DESC, a.agent_id, u.email)
    FROM (SELECT r.user_id, r.agent_id, vrm.rollup(r.stats) AS stats
          FROM vrm_private.report_statistics(since, vrm.utc_day(now())) r
          GROUP BY r.user_id, r.agent_id ORDER BY vrm.call_count(vrm.rollup(r.stats)) DESC LIMIT 8) AS g
    CROSS JOIN LATERAL vrm.summary(g.stats) AS s
    LEFT JOIN vrm.agents a ON a.user_id = g.user_id AND a.id = g.agent_id
    LEFT JOIN vrm.user_profiles u ON u.id = g.user_id
$$;
COMMENT ON FUNCTION vrm_private.report_agents(date) IS 'rows of a report: the agents with the most calls';

CREATE OR REPLACE FUNCTION vrm_private.report_alerts(since date) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_array(h.alert, h.severity,
                         to_char(h.since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
                         coalesce(to_char(h.resolved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), 'now'))
                     ORDER BY h.resolved_at IS NOT NULL, h.since DESC, h.id)
    FROM (SELECT * FROM vrm.alert_history a
          WHERE a.resolved_at IS NULL OR a.resolved_at >= report_alerts.since::timestamp AT TIME ZONE 'UTC'
          ORDER BY a.resolved_at IS NOT NULL, a.since DESC, a.id LIMIT 8) AS h
$$;
COMMENT ON FUNCTION vrm_private.report_alerts(date) IS 'rows of a report: alerts, open ones first, then the latest';

CREATE OR REPLACE FUNCTION vrm_private.report_failures(since date) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_array(r.reason, r.calls) ORDER BY r.calls DESC, r.reason)
    FROM (SELECT left(coalesce(t.error, 'unknown'), 200) AS reason, count(*) AS calls
          FROM vrm.test_runs t
          WHERE t.status = 'failed' AND t.started_at >= since::timestamp AT TIME ZONE 'UTC'
          GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8) AS r
$$;
COMMENT ON FUNCTION vrm_private.report_failures(date) IS 'rows of a report: why calls failed';

CREATE OR REPLACE FUNCTION vrm_private.report_suites(since date) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_array(r.name, a.agent_id, 'version ' || r.agent_version, k.calls, k.passed,
                                       100 * r.min_pass_rate, r.day) ORDER BY r.started_at DESC, r.id)
    FROM (SELECT *, to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day FROM vrm.suite_runs s
          WHERE s.started_at >= since::timestamp AT TIME ZONE 'UTC'
          ORDER BY s.started_at DESC, s.id LIMIT 8) AS r
    CROSS JOIN LATERAL (SELECT count(*) AS calls,
                               100 * avg(c.passed::int) AS passed
                        FROM vrm.suite_calls c WHERE c.user_id = r.user_id AND c.suite_run_id = r.id) AS k
    LEFT JOIN vrm.agents a ON a.user_id = r.user_id AND a.id = r.agent_id
$$;
COMMENT ON FUNCTION vrm_private.report_suites(date) IS
    'rows of a report: the latest runs of suites; passed is of the calls that somebody has judged';

CREATE OR REPLACE FUNCTION vrm_private.report_versions(since date) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_array(a.agent_id, 'version ' || v.version, v.runs, v.calls, v.passed)
                     ORDER BY v.last DESC, v.version DESC)
    FROM (SELECT s.user_id, s.agent_id, s.agent_version AS version, count(DISTINCT s.id) AS runs,
                 count(k.passed) AS calls, 100 * avg(k.passed::integer) AS passed,
                 max(max(s.started_at)) OVER (PARTITION BY s.user_id, s.agent_id) AS last
          FROM vrm.suite_runs s
          JOIN vrm.suite_calls k ON k.user_id = s.user_id AND k.suite_run_id = s.id
          WHERE s.started_at >= since::timestamp AT TIME ZONE 'UTC'
          GROUP BY s.user_id, s.agent_id, s.agent_version
          ORDER BY last DESC, version DESC LIMIT 12) AS v
    JOIN vrm.agents a ON a.user_id = v.user_id AND a.id = v.agent_id
$$;
COMMENT ON FUNCTION vrm_private.report_versions(date) IS
    'rows of a report: how suites have gone on versions of agents, those first that were tested last';

-- Of the agent that a suite has tested last, on its last four versions that were tested.
CREATE OR REPLACE FUNCTION vrm_private.report_matrix(since date) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH tested AS (
        SELECT s.user_id, s.agent_id FROM vrm.suite_runs s
        WHERE s.started_at >= since::timestamp AT TIME ZONE 'UTC'
        ORDER BY s.started_at DESC, s.id LIMIT 1
    ), cell AS MATERIALIZED (
        SELECT m.* FROM tested t, vrm_private.version_matrix(t.user_id, t.agent_id) AS m
    ), version AS (
        SELECT l.version FROM (SELECT DISTINCT c.version FROM cell c ORDER BY 1 DESC LIMIT 4) AS l
    ), line AS (
        SELECT k.case_name, jsonb_agg(100 * c.pass_rate ORDER BY v.version) AS rates
        FROM (SELECT DISTINCT ON (c.case_id) c.case_id, c.case_name FROM cell c ORDER BY c.case_id, c.version DESC) AS k
        CROSS JOIN version v
        LEFT JOIN cell c ON c.case_id = k.case_id AND c.version = v.version
        GROUP BY k.case_id, k.case_name
        ORDER BY k.case_name, k.case_id LIMIT 20
    )
    SELECT jsonb_build_object(
        'columns', (SELECT to_jsonb(ARRAY['case']
                                      || array_agg(format('version %s: percent', v.version) ORDER BY v.version))
                    FROM version v),
        'rows', (SELECT jsonb_agg(jsonb_build_array(l.case_name) || l.rates ORDER BY l.case_name) FROM line l))
$$;
COMMENT ON FUNCTION vrm_private.report_matrix(date) IS
    'columns and rows of a report: part of the calls that passed, by case and version';

CREATE OR REPLACE FUNCTION vrm_private.report_sizes() RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_array(t.name, t.tuples::bigint, t.bytes) ORDER BY t.bytes DESC, t.name)
    FROM (SELECT p.root::text AS name, sum(greatest(c.reltuples, 0)) AS tuples,
                 sum(pg_total_relation_size(c.oid)) AS bytes
          FROM pg_class c
          CROSS JOIN LATERAL (SELECT coalesce(pg_partition_root(c.oid), c.oid::regclass) AS root) AS p
          JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('vrm', 'vrm_private', 'auth')
          WHERE c.relkind IN ('r', 'm')
          GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 8) AS t
$$;
COMMENT ON FUNCTION vrm_private.report_sizes() IS 'rows of a report: the largest tables';

-- A column with a unit holds numbers.
CREATE OR REPLACE FUNCTION vrm_private.report_tables(since date) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_object('id', t.id, 'title', t.title, 'rows', coalesce(t.body, '[]'), 'columns',
               (SELECT jsonb_agg(jsonb_build_object('name', c[1], 'unit', c[2]) ORDER BY n)
                FROM unnest(t.columns) WITH ORDINALITY AS u (said, n), string_to_array(said, ': ') AS c))
           ORDER BY t.place)
    FROM (SELECT vrm_private.report_matrix(since) AS matrix) AS m
    CROSS JOIN LATERAL (VALUES
        (0, 'alerts', 'Alerts', ARRAY['alert', 'severity', 'from', 'to'], vrm_private.report_alerts(since)),
        (1, 'agents', 'Busiest agents',
         ARRAY['agent', 'owner', 'calls: number', 'success rate: percent', '95 % within: seconds'],
         vrm_private.report_agents(since)),
        (2, 'suites', 'Suites',
         ARRAY['suite', 'agent', 'as', 'calls: number', 'passed: percent', 'needed: percent', 'started'],
         vrm_private.report_suites(since)),
        (3, 'versions', 'Versions', ARRAY['agent', 'as', 'runs: number', 'calls: number', 'passed: percent'],
         vrm_private.report_versions(since)),
        (4, 'failures', 'Why calls failed', ARRAY['reason', 'calls: number'], vrm_private.report_failures(since)),
        (5, 'sizes', 'Largest tables', ARRAY['table', 'rows, roughly: number', 'size: bytes'],
         vrm_private.report_sizes()),
        (6, 'matrix', 'Cases and versions', ARRAY(SELECT jsonb_array_elements_text(m.matrix -> 'columns')),
         m.matrix -> 'rows')) AS t (place, id, title, columns, body)
$$;
COMMENT ON FUNCTION vrm_private.report_tables(date) IS 'the lists of a report, in order';

-- Worst first; what is well is counted and not listed.
CREATE OR REPLACE FUNCTION vrm_private.report_verdicts() RETURNS jsonb
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
    SELECT jsonb_agg(to_jsonb(t) - 'place' ORDER BY t.place)
    FROM (SELECT v.place, v.title, count(*) FILTER (WHERE v.status = 'ok') AS well,
                 count(*) FILTER (WHERE v.status <> 'ok') AS not_well,
                 coalesce(jsonb_agg(jsonb_build_object('status', v.status, 'check', v.check_name, 'detail', v.detail,
                                                       'remedy', v.remedy)
                                    ORDER BY array_position(ARRAY['fail', 'warn'], v.status), v.check_name)
                              FILTER (WHERE v.status <> 'ok'), '[]') AS rows
          FROM verdict v
          GROUP BY v.place, v.title) AS t
$$;
COMMENT ON FUNCTION vrm_private.report_verdicts() IS
    'what vrm.health_check(), vrm.recovery_status() and vrm.doctor() say';

CREATE OR REPLACE FUNCTION vrm.report_data() RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
DECLARE
    until constant date := vrm.utc_day(now());
    since constant date := until - 29;
BEGIN
    RETURN jsonb_build_object(
        'database', current_database(), 'since', since, 'until', until,
        'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
        'made_by', format('vrm %s on PostgreSQL %s', vrm.version(), current_setting('server_version')),
        'figures', vrm_private.report_figures(since, until), 'charts', vrm_private.report_charts(since, until),
        'tables', vrm_private.report_tables(since), 'verdicts', vrm_private.report_verdicts());
END
$$;
COMMENT ON FUNCTION vrm.report_data() IS
    'the last 30 days and how things are, in numbers; vrm.report_page() makes a page of it';

CREATE OR REPLACE FUNCTION vrm.report(format text DEFAULT 'html') RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.report(text)');
    IF format IS NULL OR format NOT IN ('html', 'md') THEN
        RAISE EXCEPTION 'there is no report of format "%"', format
            USING ERRCODE = 'invalid_parameter_value', HINT = 'SELECT vrm.report(''html''), or ''md'' for Markdown.';
    END IF;
    RETURN vrm.report_page(vrm.report_data(), format, vrm_private.report_style());
END
$$;
COMMENT ON FUNCTION vrm.report(text) IS
    'the last 30 days and how things are, on one page: html, which needs nothing but itself, or md';

REVOKE EXECUTE ON FUNCTION
    vrm.report_data(), vrm.report(text), vrm_private.report_statistics(date, date),
    vrm_private.report_days(date, date), vrm_private.report_backups(date, date), vrm_private.report_alerts(date),
    vrm_private.report_storage(date), vrm_private.report_figures(date, date),
    vrm_private.report_chart(text, text, text, text, text, jsonb, date, jsonb[]),
    vrm_private.report_series(text, text, jsonb), vrm_private.report_charts(date, date),
    vrm_private.report_agents(date), vrm_private.report_failures(date), vrm_private.report_suites(date),
    vrm_private.report_versions(date), vrm_private.report_matrix(date), vrm_private.report_sizes(),
    vrm_private.report_tables(date), vrm_private.report_verdicts()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.report_data(), vrm.report(text) TO service_role;
