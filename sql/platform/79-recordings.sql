-- Recordings leave the object store, too ------------------------------------------------------------

-- However a row of call_recordings goes (its period, its call, its owner), the object's name stays
-- here until the object store's client says that the object is gone.
CREATE TABLE IF NOT EXISTS vrm_private.object_purges (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    user_id uuid NOT NULL,
    object_key text NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz,
    attempts integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE vrm_private.object_purges IS 'objects that have to be deleted from the object store';
COMMENT ON COLUMN vrm_private.object_purges.id IS 'for vrm.confirm_purge()';
COMMENT ON COLUMN vrm_private.object_purges.user_id IS 'owner, who may be gone';
COMMENT ON COLUMN vrm_private.object_purges.object_key IS 'name in the object store';
COMMENT ON COLUMN vrm_private.object_purges.queued_at IS 'when its recording was deleted here';
COMMENT ON COLUMN vrm_private.object_purges.claimed_until IS 'a client is at it until then; afterwards another may be';
COMMENT ON COLUMN vrm_private.object_purges.attempts IS 'how many clients have claimed it';
ALTER TABLE vrm_private.object_purges ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.object_purges FROM PUBLIC, anon, authenticated;

CREATE OR REPLACE FUNCTION vrm_private.queue_purges() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held uuid;
BEGIN
    EXECUTE format('SELECT g.id FROM gone g JOIN vrm.test_runs t ON t.user_id = g.user_id AND t.id = g.run_id'
                   ' WHERE %s LIMIT 1',
                   vrm_private.hold_on('t.user_id', 't.agent_id', 't.id', 't.started_at')) INTO held;
    IF held IS NOT NULL THEN
        RAISE EXCEPTION 'recording "%" is under a legal hold', held
            USING ERRCODE = 'object_in_use',
                  DETAIL = 'It cannot be deleted before the hold is released.',
                  HINT = 'Ask who keeps the database: SELECT vrm.release_hold(...);';
    END IF;
    INSERT INTO vrm_private.object_purges (user_id, object_key) SELECT g.user_id, g.object_key FROM gone g;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.queue_purges() IS
    'trigger: objects of recordings that are deleted shall go, unless a legal hold keeps them';
CREATE TRIGGER queue_purges AFTER DELETE ON vrm.call_recordings REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.queue_purges();
COMMENT ON TRIGGER queue_purges ON vrm.call_recordings IS 'the object goes with its row';

CREATE OR REPLACE FUNCTION vrm.claim_purges(n integer DEFAULT 100)
    RETURNS TABLE (id bigint, object_key text)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE vrm_private.object_purges p
    SET claimed_until = now() + interval '5 minutes', attempts = p.attempts + 1
    WHERE p.id IN (SELECT q.id FROM vrm_private.object_purges q
                   WHERE q.claimed_until IS NULL OR q.claimed_until < now()
                   ORDER BY q.id LIMIT greatest(n, 0) FOR UPDATE SKIP LOCKED)
    RETURNING p.id, p.object_key
$$;
COMMENT ON FUNCTION vrm.claim_purges(integer) IS
    'gives so many objects to delete to one client, for five minutes';

CREATE OR REPLACE FUNCTION vrm.confirm_purge(id bigint) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (DELETE FROM vrm_private.object_purges p WHERE p.id = confirm_purge.id RETURNING 1)
    SELECT EXISTS (SELECT FROM gone)
$$;
COMMENT ON FUNCTION vrm.confirm_purge(bigint) IS
    'the object is deleted from the object store; false when that was confirmed before';

REVOKE EXECUTE ON FUNCTION vrm_private.queue_purges(), vrm.claim_purges(integer), vrm.confirm_purge(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.claim_purges(integer), vrm.confirm_purge(bigint) TO service_role;

-- Partitions of logs ---------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.make_log_partitions() RETURNS integer
    LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
    SELECT count(*)::integer
    FROM (SELECT 'vrm.logs_application'::regclass AS parent, low, low + interval '1 day' AS high,
                 to_char(low, '"logs_application_"YYYY_MM_DD') AS name
          FROM generate_series(date_trunc('day', now()), now() + interval '7 days', '1 day') AS low
          UNION ALL
          SELECT format('vrm.logs_%s', class)::regclass, low, low + interval '1 month',
                 format('logs_%s_%s', class, to_char(low, 'YYYY_MM'))
          FROM unnest('{error,analytics}'::text[]) AS class,
               generate_series(date_trunc('month', now()), now() + interval '1 month', '1 month') AS low) AS wanted
    WHERE vrm_private.make_partition(wanted.parent, wanted.name, wanted.low, wanted.high)
$$;
COMMENT ON FUNCTION vrm_private.make_log_partitions() IS
    'makes partitions of vrm.logs for the next days and months; returns how many it made';
REVOKE EXECUTE ON FUNCTION vrm_private.make_log_partitions() FROM PUBLIC;
SELECT vrm_private.make_log_partitions();
