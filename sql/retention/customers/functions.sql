-- Customers: what there is of somebody who called, to be given out or erased

-- The hash finds the calls, the name itself is looked at then: hashes may be of two.  A call without
-- facts is one that has not ended, or whose facts are no longer kept.
CREATE OR REPLACE FUNCTION vrm_private.calls_of_customer(owner uuid, customer text) RETURNS uuid[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH hashed AS MATERIALIZED (
        SELECT f.id FROM vrm.call_facts f
        WHERE f.user_id = owner AND f.customer = vrm.customer_hash(calls_of_customer.customer)
    )
    SELECT coalesce(array_agg(c.id ORDER BY c.id), '{}')
    FROM (SELECT r.id FROM hashed h JOIN vrm.test_runs r ON r.user_id = owner AND r.id = h.id
          WHERE r.results ->> 'customer' = calls_of_customer.customer
          UNION
          SELECT a.id FROM hashed h JOIN vrm_private.test_runs_archive a ON a.user_id = owner AND a.id = h.id
          WHERE vrm_private.archived_results(a.results, a.packed_results) ->> 'customer' = calls_of_customer.customer
          UNION
          SELECT r.id FROM vrm.test_runs r
          WHERE r.user_id = owner
            AND (r.outbound_call_params ->> 'to' = calls_of_customer.customer
                 OR (NOT EXISTS (SELECT FROM vrm.call_facts f WHERE f.user_id = owner AND f.id = r.id)
                     AND r.results ->> 'customer' = calls_of_customer.customer))
          UNION
          SELECT a.id FROM vrm_private.test_runs_archive a
          WHERE a.user_id = owner
            AND (a.outbound_call_params ->> 'to' = calls_of_customer.customer
                 OR (NOT EXISTS (SELECT FROM vrm.call_facts f WHERE f.user_id = owner AND f.id = a.id)
                     AND vrm_private.archived_results(a.results, a.packed_results) ->> 'customer'
                         = calls_of_customer.customer))) AS c
$$;
COMMENT ON FUNCTION vrm_private.calls_of_customer(uuid, text) IS
    'calls of a user, live and archived, with that customer on the line';

-- Reports that have not gone into a call, and say the name somewhere.
CREATE OR REPLACE FUNCTION vrm_private.reports_about(owner uuid, customer text) RETURNS SETOF vrm.call_imports
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.* FROM vrm.call_imports i
    WHERE i.user_id = owner AND i.run_id IS NULL
      AND (strpos(i.payload::text, to_json(customer)::text) > 0 OR strpos(i.raw, customer) > 0)
$$;
COMMENT ON FUNCTION vrm_private.reports_about(uuid, text) IS 'reports in vrm.call_imports that name a customer';

CREATE OR REPLACE FUNCTION vrm.export_customer(customer text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex'
    SET quote_all_identifiers = off SET lc_monetary = 'C' AS $$
DECLARE
    owner uuid := vrm_private.caller();
    calls uuid[];
BEGIN
    PERFORM vrm_private.check_text('customer', customer, 1000, true);
    calls := vrm_private.calls_of_customer(owner, customer);
    PERFORM vrm.audit_journal('exported customer data',
                              jsonb_build_object('user_id', owner, 'calls', cardinality(calls)));
    RETURN jsonb_build_object(
        'customer', customer,
        'calls', (SELECT coalesce(jsonb_agg(to_jsonb(r) - 'user_id' ORDER BY r.started_at, r.id), '[]')
                  FROM vrm.all_test_runs r WHERE r.user_id = owner AND r.id = ANY (calls)),
        'events', (SELECT coalesce(jsonb_agg(to_jsonb(e) - 'user_id' ORDER BY e.id), '[]')
                   FROM vrm.run_events e WHERE e.user_id = owner AND e.run_id = ANY (calls)),
        'turns', (SELECT coalesce(jsonb_agg(to_jsonb(t) - 'user_id' ORDER BY t.id), '[]')
                  FROM vrm.transcript_turns t WHERE t.user_id = owner AND t.run_id = ANY (calls)),
        'recordings', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                   'id', c.id, 'run_id', c.run_id, 'object_key', c.object_key, 'bytes', c.bytes,
                                   'recorded_at', c.recorded_at, 'keep', c.keep) ORDER BY c.id), '[]')
                       FROM vrm.call_recordings c WHERE c.user_id = owner AND c.run_id = ANY (calls)),
        'reports', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'source', i.source, 'payload', i.payload,
                                                                 'raw', i.raw, 'received_at', i.received_at)
                                              ORDER BY i.id), '[]')
                    FROM vrm_private.reports_about(owner, customer) AS i));
END
$$;
COMMENT ON FUNCTION vrm.export_customer(text) IS
    'all that the caller keeps of somebody who called: calls live and archived, events, turns, recordings, reports';

-- Whatever has to do with calls has their id in "run_id", tables of the DBA included.
CREATE OR REPLACE FUNCTION vrm_private.delete_calls(owner uuid, calls uuid[], reason text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held uuid;
    holder regclass;
    there bigint;
    deleted bigint;
BEGIN
    PERFORM vrm_private.require_read_committed('deleting calls');
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    SELECT t.id INTO held
    FROM (SELECT r.user_id, r.agent_id, r.id, r.started_at FROM vrm.test_runs r
          UNION ALL
          SELECT a.user_id, a.agent_id, a.id, a.started_at FROM vrm_private.test_runs_archive a) AS t,
         vrm_private.holds_on(t.user_id, t.agent_id, t.id, t.started_at) AS h
    WHERE t.user_id = owner AND t.id = ANY (calls)
    LIMIT 1;
    IF held IS NOT NULL THEN
        RAISE EXCEPTION 'test run "%" is under a legal hold', held
            USING ERRCODE = 'object_in_use',
                  DETAIL = 'Nothing was deleted.',
                  HINT = 'Ask the database administrator: SELECT vrm.release_hold(...);';
    END IF;
    FOR holder IN
        SELECT c.oid FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'run_id' AND a.atttypid = 'uuid'::regtype
        JOIN pg_attribute u ON u.attrelid = c.oid AND u.attname = 'user_id' AND u.atttypid = 'uuid'::regtype
        WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
          AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          -- of vrm.live_runs a trigger takes the rows along
          AND c.oid NOT IN ('vrm.call_imports'::regclass, 'vrm.live_runs'::regclass,
                            'vrm_private.legal_holds'::regclass)
        ORDER BY c.oid::regclass::text
    LOOP
        EXECUTE format('WITH gone AS (DELETE FROM %s WHERE user_id = $1 AND run_id = ANY ($2) RETURNING 1)'
                       ' SELECT count(*) FROM gone', holder) INTO there USING owner, calls;
        INSERT INTO vrm_private.erasure_ledger (user_id, relation, row_count, reason)
        SELECT owner, holder, there, delete_calls.reason WHERE there > 0;
    END LOOP;
    PERFORM vrm_private.note_removals('erased', ids => calls);
    WITH gone AS (
        DELETE FROM vrm_private.test_runs_archive a WHERE a.user_id = owner AND a.id = ANY (calls) RETURNING 1
    ), noted AS (
        INSERT INTO vrm_private.erasure_ledger (user_id, relation, row_count, reason)
        SELECT owner, 'vrm_private.test_runs_archive', count(*), delete_calls.reason FROM gone HAVING count(*) > 0
    )
    SELECT count(*) INTO deleted FROM gone;
    WITH gone AS (
        DELETE FROM vrm.test_runs r WHERE r.user_id = owner AND r.id = ANY (calls) RETURNING 1
    ), noted AS (
        INSERT INTO vrm_private.erasure_ledger (user_id, relation, row_count, reason)
        SELECT owner, 'vrm.test_runs', count(*), delete_calls.reason FROM gone HAVING count(*) > 0
    )
    SELECT deleted + count(*) INTO deleted FROM gone;
    -- those of live calls have gone with them
    WITH gone AS (
        DELETE FROM vrm.call_facts f WHERE f.user_id = owner AND f.id = ANY (calls) RETURNING f.started_at
    )
    INSERT INTO vrm.call_dirty (user_id, day) SELECT DISTINCT owner, vrm.utc_day(g.started_at) FROM gone g;
    DELETE FROM vrm.cached_results c WHERE c.user_id = owner;
    RETURN deleted;
END
$$;
COMMENT ON FUNCTION vrm_private.delete_calls(uuid, uuid[], text) IS
    'deletes calls, live and archived, and all that hangs on them, with entries in the ledger; returns how many calls';

CREATE OR REPLACE FUNCTION vrm.erase_customer(customer text, reason text DEFAULT 'asked by the customer') RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
    calls uuid[];
    erased bigint;
BEGIN
    PERFORM vrm_private.check_text('customer', customer, 1000, true),
            vrm_private.check_text('reason', reason, 2000, true);
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    calls := vrm_private.calls_of_customer(owner, customer);
    erased := vrm_private.delete_calls(owner, calls, reason);
    WITH gone AS (
        DELETE FROM vrm.call_imports i
        WHERE i.user_id = owner AND i.id IN (SELECT r.id FROM vrm_private.reports_about(owner, customer) AS r)
        RETURNING 1
    )
    INSERT INTO vrm_private.erasure_ledger (user_id, relation, row_count, reason)
    SELECT owner, 'vrm.call_imports', count(*), erase_customer.reason FROM gone HAVING count(*) > 0;
    -- a hash is left of the id, so that a report that comes late does not bring the call back
    UPDATE vrm.call_imports i
    SET external_id = vrm_private.erased_id(i.external_id), note = NULL, reason = NULL
    WHERE i.user_id = owner AND i.run_id = ANY (calls);
    PERFORM vrm.audit_journal('erased customer data', jsonb_build_object('user_id', owner, 'calls', erased));
    RETURN erased;
END
$$;
COMMENT ON FUNCTION vrm.erase_customer(text, text) IS
    'deletes all that the caller keeps of somebody who called, unless a legal hold keeps it; returns how many calls';

CREATE OR REPLACE FUNCTION vrm.delete_test_run(run_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
BEGIN
    IF vrm_private.delete_calls(owner, ARRAY[run_id], 'deleted by its owner') = 0 THEN
        RAISE EXCEPTION 'test run "%" does not exist', coalesce(run_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, started_at, archived_at FROM vrm.all_test_runs;';
    END IF;
    PERFORM vrm.audit_journal('deleted test run', jsonb_build_object('user_id', owner, 'run_id', run_id));
END
$$;
COMMENT ON FUNCTION vrm.delete_test_run(uuid) IS
    'deletes one call of the caller, live or archived, and all that hangs on it, unless a legal hold keeps it';

REVOKE EXECUTE ON FUNCTION
    vrm_private.calls_of_customer(uuid, text), vrm_private.reports_about(uuid, text), vrm.export_customer(text),
    vrm_private.delete_calls(uuid, uuid[], text), vrm.erase_customer(text, text), vrm.delete_test_run(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.export_customer(text), vrm.erase_customer(text, text), vrm.delete_test_run(uuid)
    TO authenticated;
