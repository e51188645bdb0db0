-- What would happen: to writes under publications, and to standbys

-- PostgreSQL refuses to UPDATE or DELETE rows that a publication cannot tell apart, whoever writes them.
CREATE OR REPLACE FUNCTION vrm_private.doctor_replica_identities()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'replica_identities', 'fail',
           format('publication %I has table %s, which has no replica identity: no row of it can be changed or deleted',
                  min(p.pubname), c.oid::regclass),
           'With the fix whole rows go to the log of changes.',
           format('ALTER TABLE %s REPLICA IDENTITY FULL;', c.oid::regclass)
    FROM pg_publication p
    JOIN LATERAL pg_get_publication_tables(p.pubname::text) t ON true
    JOIN LATERAL (SELECT f.relid FROM pg_partition_tree(t.relid) f WHERE f.isleaf
                  UNION SELECT t.relid) AS leaf ON true
    JOIN pg_class c ON c.oid = leaf.relid AND c.relkind = 'r'
        AND c.relam = (SELECT m.oid FROM pg_am m WHERE m.amname = 'heap')  -- attempts are written past publications
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('vrm', 'vrm_private', 'auth')
    WHERE (p.pubupdate OR p.pubdelete)
      AND (c.relreplident = 'n'
           OR c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
           OR c.relreplident = 'i' AND NOT EXISTS (SELECT FROM pg_index i
                                                   WHERE i.indrelid = c.oid AND i.indisreplident))
    GROUP BY c.oid
$$;
COMMENT ON FUNCTION vrm_private.doctor_replica_identities() IS
    'for vrm.doctor(): tables that a publication keeps from being written';

-- A standby that is not told what to keep loses its way, and one that replays everything cancels queries.
CREATE OR REPLACE FUNCTION vrm_private.doctor_standbys()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'standbys', 'warn',
           format('standby "%s" has no slot, wal_keep_size is 0 and nothing is archived: it has to be made anew when it'
                  ' falls behind', r.application_name),
           'Then: SELECT pg_reload_conf(); or give it a slot: primary_slot_name.',
           'ALTER SYSTEM SET wal_keep_size = ''1GB'';'
    FROM pg_stat_replication r
    WHERE NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid)
      AND current_setting('wal_keep_size') = '0' AND current_setting('archive_mode') = 'off'
    UNION ALL
    SELECT 'standbys', 'warn', 'hot_standby_feedback is off: queries here end when the primary vacuums what they read',
           'Then: SELECT pg_reload_conf(); rows stay a little longer on the primary then.',
           'ALTER SYSTEM SET hot_standby_feedback = on;'
    WHERE pg_is_in_recovery() AND current_setting('hot_standby_feedback') = 'off'
      AND current_setting('max_standby_streaming_delay') <> '-1'
    UNION ALL
    SELECT 'standbys', 'warn',
           format('slot %I holds back WAL without a limit, and nobody reads from it', s.slot_name),
           'Then: SELECT pg_reload_conf(); or bring its reader back, or drop it.',
           'ALTER SYSTEM SET max_slot_wal_keep_size = ''10GB'';'
    FROM pg_replication_slots s
    WHERE NOT s.active AND s.restart_lsn IS NOT NULL AND current_setting('max_slot_wal_keep_size') = '-1'
$$;
COMMENT ON FUNCTION vrm_private.doctor_standbys() IS 'for vrm.doctor(): settings that standbys and slots need';

REVOKE EXECUTE ON FUNCTION vrm_private.doctor_replica_identities(), vrm_private.doctor_standbys() FROM PUBLIC;
