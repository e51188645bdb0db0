-- The diagram: every table and every foreign key.
BEGIN;
SELECT plan(14);
\ir ../include/people.sql

CREATE TABLE vrm."odd ""name""" (id int PRIMARY KEY, "a b" text, agent_user uuid, agent uuid,
                                 FOREIGN KEY (agent_user, agent) REFERENCES vrm.agents (user_id, id));
COMMENT ON COLUMN vrm."odd ""name"""."a b" IS 'says "hello"';
CREATE TEMP TABLE line AS SELECT l FROM regexp_split_to_table(vrm.er_diagram(), '\n') AS l;
SELECT is_empty($$SELECT l FROM line WHERE l NOT IN ('erDiagram', '') AND l !~ '^    \w+ \{$' AND l <> '    }'
                  AND l !~ '^        [\w\[\]()]+ \w+( (PK|FK|PK, FK))? "[^"]*"$'
                  AND l !~ '^        [\w\[\]()]+ \w+( (PK|FK|PK, FK))?$'
                  AND l !~ '^    \w+ (\|\||\|o)--(o\||o\{) \w+ : "[^"]+"$'$$, 'every line is one of Mermaid''s');
SELECT is((SELECT count(*) FROM line WHERE l ~ '\{$'),
          (SELECT count(*) FROM pg_class WHERE relnamespace = 'vrm'::regnamespace AND relkind IN ('r', 'p')
           AND NOT relispartition),
          'every table is in it');
SELECT is((SELECT count(*) FROM line WHERE l ~ ' : "'),
          (SELECT count(*) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'f'
           AND k.conparentid = 0
           AND c.relnamespace = 'vrm'::regnamespace AND NOT c.relispartition), 'and every foreign key');
SELECT ok(EXISTS (SELECT FROM line WHERE l = '    agents |o--o{ _odd___name___ : "agent_user, agent"')
          AND EXISTS (SELECT FROM line WHERE l = '    auth_users ||--o| user_profiles : "id"'),
          'with how many of what');
SELECT ok(vrm.er_diagram('dot') ~ '^digraph vrm \{'
          AND vrm.er_diagram('dot') ~ '"vrm.test_runs" -> "vrm.agents" \[label = "user_id, agent_id"',
          'or in the language of Graphviz');
CREATE TEMP TABLE topic AS
    SELECT t, vrm.er_diagram(topic => t) AS drawn
    FROM unnest('{people,calls,testing,analytics,retention,audit,operations,other}'::text[]) AS t;
SELECT is((SELECT string_agg(l, ' ' ORDER BY l COLLATE "C") FROM topic, regexp_split_to_table(drawn, '\n') AS l
           WHERE l ~ '\{$'),
          (SELECT string_agg(l, ' ' ORDER BY l COLLATE "C") FROM line WHERE l ~ '\{$'), 'topics have each table once');
SELECT is((SELECT string_agg(l, ' ') FROM topic, regexp_split_to_table(drawn, '\n') AS l
           WHERE t = 'other' AND l ~ '\{$'),
          '    _odd___name___ {', 'and nothing of the platform''s is of topic other');
SELECT ok(drawn ~ '    test_runs \{' AND drawn !~ '    backups \{' AND drawn ~ 'agents .* test_runs',
          'a topic is about something')
FROM topic WHERE t = 'calls';
SELECT is_empty($$SELECT l FROM regexp_split_to_table(vrm.er_diagram(keys_only => true), '\n') AS l
                  WHERE l ~ '^        ' AND l !~ ' (PK|FK|PK, FK)$'$$, 'a diagram of keys has no other columns');
SELECT matches(vrm.er_diagram('dot', 'calls', true), 'subgraph cluster_calls \{.*"vrm.test_runs" \[',
               'with a frame around topics');
SELECT throws_ok($$SELECT vrm.er_diagram(topic => 'weather')$$, '22023', 'there is no table of topic "weather"',
                 'other topics there are not');
SELECT throws_ok($$SELECT vrm.er_diagram('png')$$, '22023', 'there is no diagram of format "png"',
                 'other formats there are not');
DROP TABLE vrm."odd ""name""";
SELECT is(vrm.er_diagram(topic => 'other'), E'erDiagram\n', 'which may be empty');
SELECT throws_ok('SELECT vrm.er_diagram(NULL)', '22023', NULL, 'null is none');

SELECT * FROM finish();
ROLLBACK;
