-- Metrics that users define: theirs alone.
BEGIN;
SELECT plan(8);
\ir include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice, pg_temp.person('bob@example.org') AS bob \gset

SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm.metrics (name, prompt) VALUES ('politeness', 'Was the agent polite?') RETURNING user_id$$),
          :'alice', 'a metric belongs to who defines it');
SELECT is(pg_temp.as_user(:'alice', $$UPDATE vrm.metrics SET prompt = 'Was the agent kind?' RETURNING prompt$$), 'Was the agent kind?', 'who changes it');
SELECT is(pg_temp.as_user(:'bob', 'SELECT count(*) FROM vrm.metrics'), '0', 'nobody else sees it');
SELECT is(pg_temp.as_user(:'bob', $$DELETE FROM vrm.metrics RETURNING name$$), NULL, 'or deletes it');
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm.metrics (name) VALUES ('x')$$), '23502', 'a metric needs a prompt');
SELECT is(pg_temp.as_user(:'alice', $$INSERT INTO vrm.metrics (name, prompt) VALUES ('', 'x')$$), '23514', 'and a name');
SELECT is(pg_temp.as_user(:'alice', format($$INSERT INTO vrm.metrics (user_id, name, prompt) VALUES (%L, 'x', 'y')$$, :'bob')), '42501',
          'nobody defines one for somebody else');
SELECT is(pg_temp.as_user(:'alice', $$DELETE FROM vrm.metrics RETURNING name$$), 'politeness', 'its owner deletes it');

SELECT * FROM finish();
ROLLBACK;
