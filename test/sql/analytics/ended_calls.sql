-- What a call leaves when it begins and ends is written past the executor, and is what statements would write;
-- whatever a DBA has hung on the tables is heeded.
BEGIN;
SELECT plan(16);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset
SELECT pg_temp.as_user(:'alice', $$SELECT vrm.create_agent('reception')$$) AS agent \gset
CREATE FUNCTION pg_temp.of_alice(query text) RETURNS text LANGUAGE sql AS
    $$ SELECT pg_temp.as_user((SELECT id FROM auth.users WHERE email = 'alice@example.org'), query) $$;
CREATE FUNCTION pg_temp.started() RETURNS uuid LANGUAGE sql AS
    $$ SELECT pg_temp.of_alice(format('SELECT vrm.start_test_run(%L)', id))::uuid FROM vrm.agents $$;
CREATE FUNCTION pg_temp.ended(run uuid) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.of_alice(format($q$SELECT vrm.complete_test_run(%L, '{"outcome": "transferred", "cost": 0.123456,
        "currency": "EUR", "sentiment": "negative", "customer": "c@example.org", "transcript": [
            {"role": "customer", "message": "hi", "ms": 0, "endMs": 900},
            {"role": "agent", "message": "yes?", "ms": 1500, "endMs": 2500, "interrupted": true}],
        "actionsTaken": [{"action": "look", "ok": false, "ms": 100}]}')$q$, run)) $$;

SELECT pg_temp.started() AS run \gset
SELECT is((SELECT count(*) FROM vrm.live_runs), 1::bigint, 'a call that begins is live');
SELECT is(pg_temp.ended(:'run'), '', 'it ends');
SELECT is((SELECT concat_ws(' ', status, sentiment, outcome, outcome_kind, cost_micros, currency, agent_ms,
                            customer_ms, interruptions, vrm.answering_times(answers), tool_calls, tool_failures, bad)
           FROM vrm.call_facts), 'completed negative transferred transferred 123456 EUR 1000 900 1 {600} 1 1 f',
          'with a fact of all that is known');
SELECT is(vrm_private.rebuild_facts(), 0::bigint, 'which is that of a statement');
SELECT is((SELECT count(*) FROM vrm.live_runs), 0::bigint, 'it is no longer live');
SELECT is((SELECT string_agg(concat_ws(' ', day = vrm.utc_day(r.started_at),
                                       quarter = floor(extract(epoch FROM r.started_at)::bigint % 86400 / 900)), ', ')
           FROM vrm.call_dirty d, vrm.test_runs r), 't t', 'its quarter of an hour is marked');
SELECT is((SELECT string_agg(status, ' ' ORDER BY id) FROM vrm.run_events), 'running completed',
          'both events are there');
SELECT is((SELECT string_agg(run_id::text, ' ') FROM vrm_private.search_queue), :'run',
          'its words are to be indexed');
SELECT pg_temp.of_alice(format($$SELECT vrm.amend_test_run(%L, '{"sentiment": "positive"}')$$, :'run')) \g /dev/null
SELECT is((SELECT string_agg(sentiment, ' ') FROM vrm.call_facts), 'positive', 'an amendment replaces the fact');
SELECT pg_temp.started() AS run \gset
INSERT INTO vrm.call_facts (user_id, id, started_at, status) VALUES (:'alice', :'run', now(), 'failed');
INSERT INTO vrm_private.search_queue VALUES (:'alice', :'run');
SELECT is(pg_temp.ended(:'run'), '', 'what was there before is in nobody''s way');
SELECT is((SELECT status::text FROM vrm.call_facts WHERE id = :'run'), 'completed', 'and is replaced');

-- what a DBA has hung on the tables
CREATE TABLE public.noticed (relation text);
CREATE FUNCTION public.notice() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS
    'BEGIN INSERT INTO public.noticed VALUES (TG_RELID::regclass || '' '' || lower(TG_OP)); RETURN NULL; END';
SELECT format('CREATE TRIGGER zz_notice AFTER INSERT OR DELETE ON %s FOR EACH ROW'
              ' EXECUTE FUNCTION public.notice()', name)
FROM unnest('{vrm.call_facts,vrm.call_dirty,vrm.live_runs,vrm.run_events,vrm_private.search_queue}'::text[]) AS name
\gexec
ALTER TABLE vrm.call_facts ADD COLUMN note text DEFAULT 'as given';
SELECT is(pg_temp.ended(pg_temp.started()), '', 'where a DBA has triggers calls begin and end as well');
SELECT is((SELECT string_agg(relation, ', ' ORDER BY relation) FROM public.noticed),
          'vrm.call_dirty insert, vrm.call_facts insert, vrm.live_runs delete, vrm.live_runs insert, '
          'vrm.run_events insert, vrm.run_events insert, vrm_private.search_queue insert', 'each of them is called');
SELECT is((SELECT count(note) FROM vrm.call_facts), 3::bigint, 'columns of a DBA have their defaults');
ALTER TABLE vrm.call_facts ADD CONSTRAINT about_cost CHECK (cost_micros < 0) NOT VALID;
SELECT is(pg_temp.ended(pg_temp.started()), '23514', 'and checks hold');
ALTER TABLE vrm.call_facts DROP CONSTRAINT about_cost;
ALTER TABLE vrm.run_events ADD CONSTRAINT about_status CHECK (status <> 'completed') NOT VALID;
SELECT is(pg_temp.ended(pg_temp.started()), '23514', 'of events, too');

SELECT finish();
ROLLBACK;
