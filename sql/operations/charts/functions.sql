-- What a report is made of: escaping, charts, tables

CREATE OR REPLACE FUNCTION vrm_private.html(value text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT replace(replace(replace(replace(replace(value, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'),
                           '"', '&quot;'), '''', '&#39;')
$$;
COMMENT ON FUNCTION vrm_private.html(text) IS 'text as it stands in HTML and SVG, in attributes, too';

CREATE OR REPLACE FUNCTION vrm_private.markdown(value text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT regexp_replace(replace(replace(regexp_replace(value, '\s+', ' ', 'g'), '&', '&amp;'), '<', '&lt;'),
                          '([\\`*_{}\[\]()#+!|~>])', '\\\1', 'g')
$$;
COMMENT ON FUNCTION vrm_private.markdown(text) IS 'text as it stands in a cell of a Markdown table';

-- Figures as people read them.  Percentages are cut, not rounded, and what is there is not 0: the two ends
-- say all and nothing.
CREATE OR REPLACE FUNCTION vrm_private.figure(value double precision, unit text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE unit
        WHEN 'bytes' THEN CASE WHEN value = 0 THEN '0' ELSE pg_size_pretty(value::numeric) END
        WHEN 'seconds' THEN trunc(round(value::numeric) / 60) || to_char(round(value::numeric) % 60, '":"FM00')
        WHEN 'percent' THEN CASE WHEN value::numeric % 1 = 0 THEN trunc(value::numeric)
                                 WHEN value BETWEEN 0 AND 0.1 THEN 0.1
                                 WHEN value BETWEEN 99.9 AND 100 THEN 99.9
                                 ELSE trunc(value::numeric, 1) END || ' %'
        ELSE rtrim(to_char(value, 'FM999G999G999G990D99'), '.,') END
$$;
COMMENT ON FUNCTION vrm_private.figure(double precision, text) IS
    'a number in a unit: bytes, seconds, percent, or anything else for a plain number';

CREATE OR REPLACE FUNCTION vrm_private.chart_scale(highest double precision, unit text)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE unit
        WHEN 'percent' THEN CASE WHEN highest IS NOT NULL THEN 25 END
        WHEN 'seconds' THEN coalesce((SELECT min(s) FROM unnest(ARRAY[15, 30, 60, 120, 300, 600, 1800, 3600,
            14400]) AS s
                                      WHERE s * 4 >= highest), highest / 4)
        WHEN 'bytes' THEN (SELECT min(m * 1024.0 ^ k) FROM generate_series(0, 6) AS k, unnest(ARRAY[1, 2, 5, 10, 20,
            50, 100, 200, 500]) AS m
                           WHERE m * 1024.0 ^ k * 4 >= highest)
        ELSE (SELECT min(m * 10.0 ^ k) FROM generate_series(0, 12) AS k, unnest(ARRAY[1, 2, 5]) AS m
              WHERE m * 10.0 ^ k * 4 >= highest) END
$$;
COMMENT ON FUNCTION vrm_private.chart_scale(double precision, text) IS
    'distance of the lines of a chart, so that four of them reach over the highest value';

-- series: [{"name": ..., "style": class of the style sheet, "values": [...]}], a value for each label.
-- Bars are stacked; lines have gaps where values are null.
CREATE OR REPLACE FUNCTION vrm_private.svg_chart(
    kind text, title text, description text, labels text[], series jsonb, unit text DEFAULT 'number')
    RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    id constant text := 'chart-' || left(md5(title), 8);
    count_of constant integer := cardinality(labels);
    slot constant double precision := 420.0 / greatest(count_of, 1);
    every constant integer := greatest(1, ceil(count_of / 5.0));
    step double precision;
    top double precision;
    body text;
BEGIN
    SELECT vrm_private.chart_scale(nullif(max(of_label.height), 0), unit) INTO step
    FROM (SELECT CASE kind WHEN 'bars' THEN sum(v.value::float8) ELSE max(v.value::float8) END AS height
          FROM jsonb_array_elements(series) AS s, jsonb_array_elements_text(s -> 'values') WITH ORDINALITY AS v (value,
              i)
          GROUP BY v.i) AS of_label;
    top := coalesce(step, 1) * 4;
    -- y grows downwards: 0 is at 186, the top at 16
    SELECT string_agg(format('<line class="%s" x1="52" x2="472" y1="%s" y2="%2$s"/>'
                             '<text class="tick" x="46" y="%s" text-anchor="end">%s</text>',
                             CASE k WHEN 0 THEN 'axis' ELSE 'grid' END, 186 - k * 42.5, 190 - k * 42.5,
                             vrm_private.figure(k * top / 4, unit)), E'\n') INTO body
    FROM generate_series(0, 4) AS k WHERE step IS NOT NULL AND (k * top / 4 = trunc(k * top / 4) OR unit <> 'number');
    body := concat_ws(E'\n', body,
        (SELECT string_agg(format('<text class="tick" x="%s" y="206" text-anchor="middle">%s</text>',
                                  round((52 + (i - 0.5) * slot)::numeric, 1), vrm_private.html(labels[i])), E'\n')
         FROM generate_series(1, count_of) AS i WHERE (count_of - i) % every = every / 2),
        CASE kind WHEN 'bars' THEN vrm_private.svg_bars(labels, series, unit, slot, 170 / top)
                  ELSE vrm_private.svg_lines(labels, series, unit, slot, 170 / top) END);
    RETURN format(E'<svg viewBox="0 0 480 214" role="img" aria-labelledby="%1$s-title %1$s-desc">\n'
                  '<title id="%1$s-title">%2$s</title>\n<desc id="%1$s-desc">%3$s</desc>\n%4$s\n%5$s</svg>',
                  id, vrm_private.html(title), vrm_private.html(description), body,
                  CASE WHEN step IS
                      NULL THEN '<text class="none" x="262" y="105" text-anchor="middle">nothing yet</text>' END);
END
$$;
COMMENT ON FUNCTION vrm_private.svg_chart(text, text, text, text[], jsonb, text) IS
    'a chart of bars or lines as an inline SVG that takes its colours from the page';

CREATE OR REPLACE FUNCTION vrm_private.svg_bars(
    labels text[], series jsonb, unit text, slot double precision, scale double precision) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(format('<rect class="%s" x="%s" y="%s" width="%s" height="%s"><title>%s: %s %s</title></rect>',
                             vrm_private.html(b.style), round((52 + (b.i - 1) * slot + slot * 0.14)::numeric, 1),
                             round((186 - (b.below + b.value) * scale)::numeric, 1), round((slot * 0.72)::numeric, 1),
                             round(greatest(b.value * scale - CASE WHEN b.below > 0 THEN 1.2 ELSE 0 END, 0.8)::numeric,
                                 1),
                             vrm_private.html(labels[b.i]), vrm_private.figure(b.value, unit),
                                 vrm_private.html(b.name)), E'\n')
    FROM (SELECT s.value ->> 'name' AS name, s.value ->> 'style' AS style, v.i::integer AS i, v.value::float8 AS value,
                 coalesce(sum(v.value::float8) OVER (PARTITION BY v.i ORDER BY s.n
                                                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS below
          FROM jsonb_array_elements(series) WITH ORDINALITY AS s (value, n),
               jsonb_array_elements_text(s.value -> 'values') WITH ORDINALITY AS v (value, i)) AS b
    WHERE b.value > 0
$$;
COMMENT ON FUNCTION vrm_private.svg_bars(text[], jsonb, text, double precision, double precision) IS
    'the bars of a chart, one on the other';

CREATE OR REPLACE FUNCTION vrm_private.svg_lines(
    labels text[], series jsonb, unit text, slot double precision, scale double precision) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH point AS (
        SELECT s.n, s.value ->> 'name' AS name, s.value ->> 'style' AS style, v.i::integer AS i,
               v.value::float8 AS value,
               round((52 + (v.i - 0.5) * slot)::numeric, 1) AS x, round((186 - v.value::float8 * scale)::numeric,
                   1) AS y,
               lag(v.value) OVER (PARTITION BY s.n ORDER BY v.i) IS NULL AS starts
        FROM jsonb_array_elements(series) WITH ORDINALITY AS s (value, n),
             jsonb_array_elements_text(s.value -> 'values') WITH ORDINALITY AS v (value, i)
    )
    SELECT string_agg(drawn.line, E'\n' ORDER BY drawn.layer, drawn.n, drawn.i)
    FROM (SELECT 1 AS layer, n, 0 AS i,
                 format('<path class="line %s" d="%s"/>', vrm_private.html(style),
                        string_agg(concat(CASE WHEN starts THEN 'M' ELSE 'L' END, x, ',', y), ' ' ORDER BY i)) AS line
          FROM point WHERE value IS NOT NULL GROUP BY n, style
          UNION ALL
          SELECT 2, n, i, format('<circle class="dot %s" cx="%s" cy="%s" r="2.6"><title>%s: %s %s</title></circle>',
                                 vrm_private.html(style), x, y, vrm_private.html(labels[i]),
                                 vrm_private.figure(value, unit), vrm_private.html(name))
          FROM point WHERE value IS NOT NULL) AS drawn
$$;
COMMENT ON FUNCTION vrm_private.svg_lines(text[], jsonb, text, double precision, double precision) IS
    'the lines of a chart, with a dot for each value';

CREATE OR REPLACE FUNCTION vrm_private.report_table(format text, headings text[], body jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN body IS NULL AND format = 'md' THEN E'Nothing yet.\n'
        WHEN body IS NULL THEN '<p class="none">Nothing yet.</p>'
        WHEN format = 'md' THEN
            concat('| ', array_to_string(headings, ' | '), E' |\n|', repeat('---|', cardinality(headings)), E'\n',
                   (SELECT string_agg(concat('| ', (SELECT string_agg(coalesce(vrm_private.markdown(cell), ''),
                       ' | ' ORDER BY m)
                                                    FROM jsonb_array_elements_text(line) WITH ORDINALITY AS c (cell,
                                                        m)), ' |'),
                                      E'\n' ORDER BY n)
                    FROM jsonb_array_elements(body) WITH ORDINALITY AS l (line, n)), E'\n')
        ELSE concat('<div class="scroll"><table', CASE WHEN headings[1] = 'status' THEN ' class="verdicts"' END,
                    E'>\n<thead><tr>',
                    (SELECT string_agg(format('<th scope="col">%s</th>', vrm_private.html(h)), '' ORDER BY n)
                     FROM unnest(headings) WITH ORDINALITY AS u (h, n)), E'</tr></thead>\n<tbody>\n',
                    (SELECT string_agg(concat('<tr>', (SELECT string_agg(
                                CASE WHEN headings[m] = 'status' THEN
                                         format('<td><span class="badge %s">%1$s</span></td>', vrm_private.html(cell))
                                     WHEN cell ~ '^[-+]?[0-9][0-9.,: %]*( [kMGTP]?B| bytes)?$' THEN
                                         format('<td class="number">%s</td>', vrm_private.html(cell))
                                     WHEN headings[m] = 'check' THEN
                                         format('<td class="word">%s</td>', vrm_private.html(cell))
                                     WHEN headings[m] = 'what to do' THEN
                                         format('<td><code>%s</code></td>', vrm_private.html(cell))
                                     ELSE format('<td><bdi>%s</bdi></td>', vrm_private.html(cell)) END, '' ORDER BY m)
                            FROM jsonb_array_elements_text(line) WITH ORDINALITY AS c (cell, m)), '</tr>'),
                                E'\n' ORDER BY n)
                     FROM jsonb_array_elements(body) WITH ORDINALITY AS l (line, n)), E'\n</tbody></table></div>') END
$$;
COMMENT ON FUNCTION vrm_private.report_table(text, text[], jsonb) IS
    'rows, each an array of texts, as a table in html or md; everything in them is escaped';

-- The same figures for who cannot see the chart, or wants to copy them.
CREATE OR REPLACE FUNCTION vrm_private.chart_table(format text, labels text[], series jsonb, unit text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm_private.report_table(format, ARRAY['day'] || ARRAY(SELECT s ->> 'name'
           FROM jsonb_array_elements(series) AS s),
        (SELECT jsonb_agg(to_jsonb(ARRAY[labels[i]] || ARRAY(
                    SELECT coalesce(vrm_private.figure((s -> 'values' ->> (i - 1))::float8, unit), '')
                    FROM jsonb_array_elements(series) WITH ORDINALITY AS e (s, n) ORDER BY n)) ORDER BY i)
         FROM generate_series(1, cardinality(labels)) AS i
         WHERE EXISTS (SELECT FROM jsonb_array_elements(series) AS s WHERE (s -> 'values' ->> (i - 1))::float8 <> 0)))
$$;
COMMENT ON FUNCTION vrm_private.chart_table(text, text[], jsonb, text) IS
    'the figures of a chart as a table, days without any left out';

REVOKE EXECUTE ON FUNCTION
    vrm_private.html(text), vrm_private.markdown(text), vrm_private.figure(double precision, text),
    vrm_private.chart_scale(double precision, text),
    vrm_private.svg_chart(text, text, text, text[], jsonb, text),
    vrm_private.svg_bars(text[], jsonb, text, double precision, double precision),
    vrm_private.svg_lines(text[], jsonb, text, double precision, double precision),
    vrm_private.chart_table(text, text[], jsonb, text), vrm_private.report_table(text, text[], jsonb)
    FROM PUBLIC;
