-- Users: a policy on every table of theirs, whichever topic it belongs to

-- On top of what each table's own policies allow, and whoever added the table: only accounts that are
-- neither locked nor deleted, have shown their second factor if they have one, and are no anonymous
-- sign-ins.  The SELECT has the account looked at once for a statement; IS NOT NULL, because the
-- planner takes that to be true of all rows, and a boolean from a subquery of every other one.
DO $$
DECLARE
    tenant regclass;
BEGIN
    FOR tenant IN
        SELECT c.oid::regclass
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('vrm', 'vrm_private')
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id'
        WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT c.relispartition
          AND EXISTS (SELECT FROM pg_policy p
                      WHERE p.polrelid = c.oid AND p.polroles @> ARRAY['authenticated'::regrole::oid])
    LOOP
        IF NOT EXISTS (SELECT FROM pg_policy
                       WHERE polrelid = tenant AND polname = 'accounts in good standing only') THEN
            EXECUTE format('CREATE POLICY "accounts in good standing only" ON %s AS RESTRICTIVE'
                           ' TO authenticated USING'
                           ' ((SELECT CASE WHEN vrm.account_problem() IS NULL THEN 1 END) IS NOT NULL)',
                           tenant);
            EXECUTE format('COMMENT ON POLICY "accounts in good standing only" ON %s IS %L', tenant,
                           'not locked, deleted or anonymous, and aal2 where a second factor is on');
        END IF;
    END LOOP;
END
$$;
