-- What would happen: to writes under publications, to standbys, and to a dump that is restored

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
    WHERE r.state <> 'backup' AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid)
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

-- A restore brings the rows and no statistics.
CREATE OR REPLACE FUNCTION vrm_private.doctor_planner()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'planner', 'warn',
           format('table %s has %s and no statistics: plans are made as for a small one', c.oid::regclass,
                  pg_size_pretty(t.bytes)),
           'After a restore: vacuumdb --all --analyze-in-stages makes them for all tables.',
           format('ANALYZE %s;', c.oid::regclass)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('vrm', 'vrm_private', 'auth')
    CROSS JOIN LATERAL (SELECT pg_relation_size(c.oid) AS bytes OFFSET 0) AS t
    WHERE c.relkind = 'r' AND c.reltuples < 0 AND t.bytes > 8 * 1024 * 1024
$$;
COMMENT ON FUNCTION vrm_private.doctor_planner() IS
    'for vrm.doctor(): missing statistics that lead planners astray';

-- pg_restore runs every definition with an empty search_path, and every row anew through types, checks and indexes:
-- so does this with some rows, each table in a schema that is gone afterwards.
CREATE OR REPLACE FUNCTION vrm_private.rehearse_table(source regclass, sample integer) RETURNS void
    LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    name text := source::text;  -- with its schema, as search_path says
    columns text;
    dumped text;
BEGIN
    SELECT pg_catalog.string_agg(pg_catalog.format('%I', a.attname), ', ' ORDER BY a.attnum),
           pg_catalog.string_agg(pg_catalog.format('(dumped.row).%I', a.attname), ', ' ORDER BY a.attnum)
    INTO columns, dumped
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    EXECUTE pg_catalog.format('CREATE TABLE vrm_rehearsal.restored (LIKE %s INCLUDING ALL)', name);
    IF columns IS NOT NULL THEN
        EXECUTE pg_catalog.format(
            'INSERT INTO vrm_rehearsal.restored (%1$s) OVERRIDING SYSTEM VALUE SELECT %2$s'
            ' FROM (SELECT CAST(CAST(t AS text) AS %3$s) AS row FROM %3$s AS t LIMIT %4$s) AS dumped',
            columns, dumped, name, sample);
    END IF;
    DROP TABLE vrm_rehearsal.restored;
END
$$;
COMMENT ON FUNCTION vrm_private.rehearse_table(regclass, integer) IS
    'makes a table and some of its rows anew as a restore does; an error where that does not work';

CREATE OR REPLACE FUNCTION vrm_private.rehearse_view(source regclass, is_filled boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    EXECUTE 'CREATE VIEW vrm_rehearsal.restored AS ' || pg_catalog.pg_get_viewdef(source);
    IF is_filled THEN
        EXECUTE 'CREATE TABLE vrm_rehearsal.filled AS SELECT * FROM vrm_rehearsal.restored LIMIT 1';
        DROP TABLE vrm_rehearsal.filled;
    END IF;
    DROP VIEW vrm_rehearsal.restored;
END
$$;
COMMENT ON FUNCTION vrm_private.rehearse_view(regclass, boolean) IS
    'makes a view anew as a restore does, and reads a row of it where that has to be filled';

CREATE OR REPLACE FUNCTION vrm.rehearse_restore(sample integer DEFAULT 100)
    RETURNS TABLE (object text, sqlstate text, problem text, hint text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_variable
DECLARE
    relation record;
BEGIN
    IF sample BETWEEN 0 AND 1000000 IS NOT TRUE THEN
        RAISE EXCEPTION 'a rehearsal takes 0 to 1000000 rows of each table'
            USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Got %s.', coalesce(sample::text, 'null')),
                  HINT = 'SELECT * FROM vrm.rehearse_restore(1000);';
    END IF;
    CREATE SCHEMA vrm_rehearsal;
    FOR relation IN
        SELECT c.oid::regclass AS name, c.relkind
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'vrm_rehearsal')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                                    AND d.deptype = 'e')
        ORDER BY c.relkind IN ('v', 'm'), n.nspname, c.relname LOOP
        BEGIN
            IF relation.relkind IN ('r', 'p') THEN
                PERFORM vrm_private.rehearse_table(relation.name, sample);
            ELSE
                PERFORM vrm_private.rehearse_view(relation.name, relation.relkind = 'm');
            END IF;
        EXCEPTION WHEN OTHERS THEN
            RETURN QUERY SELECT relation.name::text, SQLSTATE, SQLERRM,
                CASE WHEN SQLSTATE IN ('42883', '42P01', '42704', '42703')
                     THEN 'A function that it calls looks names up where the caller says: ALTER FUNCTION name'
                          ' SET search_path = pg_catalog, public;'
                     ELSE 'A restore stops here: mend the rows or the definition, then: SELECT * FROM'
                          ' vrm.rehearse_restore();' END;
        END;
    END LOOP;
    DROP SCHEMA vrm_rehearsal;
END
$$;
COMMENT ON FUNCTION vrm.rehearse_restore(integer) IS
    'makes every table, some of its rows and every view anew as a restore of a dump does: what would fail, and why';
REVOKE EXECUTE ON FUNCTION
    vrm_private.rehearse_table(regclass, integer), vrm_private.rehearse_view(regclass, boolean),
    vrm.rehearse_restore(integer)
    FROM PUBLIC;

-- What a publication shows, no policy hides.  Those that doc/secrets/keys.md gives to a subscriber it names one
-- by one; hashes of passwords and tokens, and secrets that counters are keyed with, are nobody's.
CREATE OR REPLACE FUNCTION vrm_private.doctor_publications()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH shown AS (
        SELECT p.oid, p.pubname, p.puballtables, s.relid,
               EXISTS (SELECT FROM pg_publication_rel r WHERE (r.prpubid, r.prrelid) = (p.oid, s.relid)) AS by_name
        FROM pg_publication p CROSS JOIN LATERAL pg_get_publication_tables(p.pubname) AS s
        JOIN pg_class c ON c.oid = s.relid
        WHERE c.relnamespace = 'vrm_private'::regnamespace OR s.relid = 'auth.users'::regclass
    ), secret AS (
        SELECT * FROM shown s
        WHERE NOT s.by_name
           OR s.relid <> ALL ('{vrm_private.keyring,vrm_private.subject_keys,vrm_private.token_keys,
                                vrm_private.jwt_keys,vrm_private.sessions,vrm_private.account_locks,
                                vrm_private.linked_identities}'::regclass[])
    )
    SELECT 'publications', 'warn',
           format('publication "%s" shows %s, which %s for subscribers', s.pubname,
                  concat_ws(' and ', min(s.relid::regclass::text), nullif(count(*) - 1, 0) || ' tables more'),
                  CASE count(*) WHEN 1 THEN 'is not' ELSE 'are not' END),
           format('Publish the tables that somebody reads: CREATE PUBLICATION %I FOR TABLE vrm.run_events;',
                  left(s.pubname, 50) || '_tables'),
           CASE WHEN bool_and(s.by_name)
                THEN format('ALTER PUBLICATION %I DROP TABLE %s;', s.pubname,
                            string_agg(s.relid::regclass::text, ', ' ORDER BY s.relid)) END
    FROM secret s GROUP BY s.pubname
$$;
COMMENT ON FUNCTION vrm_private.doctor_publications() IS
    'for vrm.doctor(): publications that show what nobody should be sent';

REVOKE EXECUTE ON FUNCTION
    vrm_private.doctor_replica_identities(), vrm_private.doctor_standbys(), vrm_private.doctor_planner(),
    vrm_private.doctor_publications()
    FROM PUBLIC;
