-- The audit journal: events that no ROLLBACK takes back

CREATE OR REPLACE FUNCTION vrm.audit_drain() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.audit_drain()');
    WITH taken AS (DELETE FROM vrm_private.audit_journal RETURNING *),
         kept AS (INSERT INTO vrm.audit_log (class, at, id, action, actor, db_role, detail, acting_for)
                  SELECT 'security', at, id, action, actor, db_role, detail,
                         -- a member that the server writes itself; who calls for others may put anything there
                         substring(coalesce(detail ->> 'acting_for', detail -> -1 ->> 'acting_for')
                                   FROM '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$')::uuid
                  FROM taken
                  RETURNING id)
    SELECT count(*) FROM kept
$$;
COMMENT ON FUNCTION vrm.audit_drain() IS
    'moves what waits in the journal to the audit trail and returns how many entries that was';
REVOKE EXECUTE ON FUNCTION vrm.audit_drain() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.audit_drain() TO service_role;
