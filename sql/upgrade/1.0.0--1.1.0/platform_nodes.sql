-- Keys that contain the tenant, and policies without subqueries, as many nodes ask for.

ALTER TABLE vrm_private.erasure_ledger
    DROP CONSTRAINT erasure_ledger_pkey,
    ADD PRIMARY KEY (user_id, id);
DROP INDEX IF EXISTS vrm_private.erasure_ledger_user;
ALTER TABLE vrm_private.object_purges
    DROP CONSTRAINT object_purges_pkey,
    ADD PRIMARY KEY (user_id, id);

-- One that a DBA has changed stays as it is.
DO $$
DECLARE
    guarded regclass;
BEGIN
    FOR guarded IN
        SELECT p.polrelid FROM pg_policy p
        WHERE p.polname = 'accounts in good standing only'
          AND regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\s+', ' ', 'g')
              = '(( SELECT CASE WHEN (vrm.account_problem() IS NULL) THEN 1 ELSE NULL::integer END'
                ' AS "case") IS NOT NULL)'
    LOOP
        EXECUTE format('ALTER POLICY "accounts in good standing only" ON %s USING (vrm.may_act())', guarded);
    END LOOP;
END
$$;
