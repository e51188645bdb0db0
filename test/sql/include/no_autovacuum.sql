-- For tests that grant on tables and then change them in one transaction: autovacuum waits for who has granted on a
-- table, and who wants to change it waits for autovacuum.
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN SELECT oid FROM pg_class
                WHERE relkind IN ('r', 'p') AND relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
    LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', part);
    END LOOP;
END
$$;
