-- Dashboards: a first page and one for each family, with units and thresholds in both directions.
BEGIN;
SELECT plan(11);
\ir ../include/people.sql

CREATE TEMPORARY TABLE page AS
    SELECT p.page, vrm.grafana_dashboard(p.page)::jsonb AS dashboard
    FROM (SELECT 'overview' UNION SELECT family FROM vrm.monitoring_metrics) AS p (page);
CREATE TEMPORARY VIEW panel AS
    SELECT d.page, panel ->> 'title' AS title, panel -> 'fieldConfig' -> 'defaults' AS shown
    FROM page d, jsonb_array_elements(d.dashboard -> 'panels') AS panel;
CREATE FUNCTION pg_temp.colours(wanted text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', s ->> 'value', s ->> 'color'), ', ' ORDER BY n)
    FROM panel p, jsonb_array_elements(p.shown #> '{thresholds,steps}') WITH ORDINALITY AS s (s, n)
    WHERE p.title = wanted
$$;

SELECT is((SELECT count(*) FROM panel WHERE page = 'overview'), 12::bigint, 'the first page has twelve graphs');
SELECT is((SELECT count(*) FROM panel WHERE page <> 'overview'), (SELECT count(*) FROM vrm.monitoring_metrics),
          'each metric is on a page');
SELECT is_empty('SELECT title FROM panel GROUP BY title HAVING count(*) > 1', 'no two titles are the same');
SELECT is_empty($$SELECT title FROM panel WHERE coalesce(shown ->> 'unit', '') = ''$$, 'each has a unit');
SELECT is((SELECT count(DISTINCT dashboard ->> 'uid') FROM page), (SELECT count(*) FROM page),
          'pages have their own id');
SELECT is((SELECT jsonb_array_length(dashboard -> 'links') FROM page WHERE page = 'overview') + 1,
          (SELECT count(*)::integer FROM page), 'and links to the others');
SELECT is(pg_temp.colours('connections used ratio'), 'green, 0.8 orange, 0.95 red', 'too much is red');
SELECT is(pg_temp.colours('storage full in seconds'), 'orange, 1209600 green', 'so is too little');
UPDATE vrm.alert_threshold SET enabled = true WHERE alert = 'StandbyMissing';
UPDATE page SET dashboard = vrm.grafana_dashboard(page)::jsonb WHERE page = 'replication';
SELECT is(pg_temp.colours('replication standbys'), 'red, 1 green', 'a threshold that is enabled is shown');
INSERT INTO vrm.alert_threshold (alert, metric, comparison, threshold, severity, summary, hint)
VALUES ('FullSoon', 'vrm_storage_full_in_seconds', '<', 86400, 'critical', 'a disk is full tomorrow', 'Add room.');
UPDATE page SET dashboard = vrm.grafana_dashboard(page)::jsonb WHERE page = 'storage';
SELECT is(pg_temp.colours('storage full in seconds'), 'red, 86400 orange, 1209600 green', 'two of them are two steps');
SELECT throws_ok($$SELECT vrm.grafana_dashboard('weather')$$, '22023', 'there is no page "weather" of dashboards',
                 'other pages there are not');

SELECT * FROM finish();
ROLLBACK;
