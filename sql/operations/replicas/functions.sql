-- Replicas: how far behind they are, and waiting for them

-- A standby that hears nothing cannot know what it misses.  It has been up to date when its last message came, or,
-- once the connection is gone, when what it replayed last was committed; the walsender sends something every
-- wal_sender_timeout / 2 even when nothing happens, and the receiver asks every wal_receiver_timeout / 2.
CREATE OR REPLACE FUNCTION vrm_private.standby_state(
    OUT state text, OUT received pg_lsn, OUT replayed pg_lsn, OUT lag_bytes numeric, OUT lag_seconds double precision,
    OUT slot text
)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    receiver record;
    last_commit double precision := coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()),
                                             'Infinity');
    sent pg_lsn;
    silent double precision;
    patience double precision;
BEGIN
    replayed := pg_last_wal_replay_lsn();
    SELECT r.status, r.latest_end_lsn, r.last_msg_receipt_time, r.slot_name INTO receiver FROM pg_stat_wal_receiver r;
    received := pg_last_wal_receive_lsn();
    sent := greatest(received, receiver.latest_end_lsn);
    slot := receiver.slot_name;
    -- What has come this instant is replayed in the next; on an idle server the last commit is long ago all the same.
    FOR i IN 1 .. 10 LOOP
        EXIT WHEN replayed >= sent OR receiver.status IS DISTINCT FROM 'streaming'
            OR pg_get_wal_replay_pause_state() <> 'not paused';
        PERFORM pg_sleep(0.01);
        replayed := pg_last_wal_replay_lsn();
    END LOOP;
    received := greatest(received, replayed);
    SELECT coalesce(nullif(s.setting::double precision / 1000, 0), 60) / 2 + 10 INTO patience
    FROM pg_settings s WHERE s.name = 'wal_receiver_timeout';
    silent := extract(epoch FROM clock_timestamp() - receiver.last_msg_receipt_time);
    state := CASE WHEN receiver.status IS DISTINCT FROM 'streaming' OR silent IS NULL THEN 'cut off'
                  WHEN silent > patience THEN 'silent'
                  WHEN pg_get_wal_replay_pause_state() <> 'not paused' THEN 'paused'
                  WHEN replayed < sent THEN 'behind'
                  ELSE 'streaming' END;
    lag_seconds := greatest(CASE state WHEN 'streaming' THEN 0 WHEN 'cut off' THEN last_commit
                                       WHEN 'silent' THEN CASE WHEN replayed < received THEN last_commit ELSE silent END
                                       ELSE CASE WHEN replayed < sent THEN last_commit ELSE 0 END END, 0);
    lag_bytes := CASE WHEN state IN ('cut off', 'silent') THEN 'NaN'
                      ELSE greatest(pg_wal_lsn_diff(sent, replayed), 0) END;
END
$$;
COMMENT ON FUNCTION vrm_private.standby_state() IS
    'what this standby knows of itself; seconds are at most that many, bytes are NaN where nobody can tell';

-- Of a standby that has not answered for longer than wal_receiver_status_interval, twice, the time since then counts.
CREATE OR REPLACE FUNCTION vrm_private.standbys()
    RETURNS TABLE (name text, is_subscriber boolean, state text, received pg_lsn, replayed pg_lsn, lag_bytes numeric,
                   lag_seconds double precision, slot text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH here AS (
        SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn
    )
    SELECT r.application_name, coalesce(s.slot_type = 'logical', false), r.state, r.flush_lsn, r.replay_lsn,
           greatest(pg_wal_lsn_diff(here.lsn, r.replay_lsn), 0),
           greatest(extract(epoch FROM r.replay_lag),
                    CASE WHEN r.replay_lsn < here.lsn AND r.reply_time < clock_timestamp() - interval '20 s'
                         THEN extract(epoch FROM clock_timestamp() - r.reply_time) END, 0)::double precision,
           s.slot_name::text
    FROM here CROSS JOIN pg_stat_replication r
    LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
    WHERE r.state <> 'backup'
    UNION ALL
    SELECT s.slot_name, s.slot_type = 'logical', 'cut off', NULL, s.restart_lsn,
           greatest(pg_wal_lsn_diff(here.lsn, s.restart_lsn), 0), 'NaN', s.slot_name::text
    FROM here CROSS JOIN pg_replication_slots s
    WHERE NOT s.active AND s.restart_lsn IS NOT NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.standbys() IS
    'what this server knows of those that follow it; of those that have a slot also when they are gone';

CREATE OR REPLACE FUNCTION vrm.replica_status()
    RETURNS TABLE (name text, role text, state text, received pg_lsn, replayed pg_lsn, lag_bytes numeric,
                   lag interval, slot text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.replica_status()');
    SELECT r.name, r.role, r.state, r.received, r.replayed,
           nullif(r.lag_bytes, 'NaN'),
           CASE WHEN r.lag_seconds NOT IN ('NaN', 'Infinity') THEN make_interval(secs => r.lag_seconds) END, r.slot
    FROM (SELECT 'this server' AS name, 'primary' AS role, 'writing' AS state, NULL::pg_lsn AS received,
                 pg_current_wal_lsn() AS replayed, 0::numeric AS lag_bytes, 0::double precision AS lag_seconds,
                 NULL::text AS slot
          WHERE NOT pg_is_in_recovery()
          UNION ALL
          SELECT 'this server', 'standby', s.* FROM vrm_private.standby_state() s WHERE pg_is_in_recovery()
          UNION ALL
          SELECT f.name, CASE WHEN f.is_subscriber THEN 'subscriber' ELSE 'standby' END, f.state, f.received,
                 f.replayed, f.lag_bytes, f.lag_seconds, f.slot
          FROM vrm_private.standbys() f) AS r
$$;
COMMENT ON FUNCTION vrm.replica_status() IS
    'this server first, then those that follow it: how far behind, as an upper bound; null where nobody can tell';

REVOKE EXECUTE ON FUNCTION vrm_private.standby_state(), vrm_private.standbys(), vrm.replica_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.replica_status() TO service_role;

-- Supabase Realtime decodes with wal2json, which minor releases of 2026 let nobody use who is not told to.  It hands
-- what replication says of deleted rows to every subscriber, whatever row security says.
CREATE OR REPLACE FUNCTION vrm_private.doctor_realtime()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH trusted AS (
        SELECT s.setting, regexp_split_to_array(replace(s.setting, '"', ''), '\s*,\s*') AS libraries
        FROM pg_settings s WHERE s.name = 'output_plugin_libraries'
    )
    SELECT 'realtime', 'warn', 'output_plugin_libraries does not name wal2json, which decodes for Supabase Realtime',
           'Then: SELECT pg_reload_conf();',
           format('ALTER SYSTEM SET output_plugin_libraries = %s;',
                  (SELECT string_agg(quote_literal(l), ', ')
                   FROM unnest(nullif(t.libraries, '{""}') || 'wal2json'::text) AS l))
    FROM trusted t
    WHERE 'wal2json' <> ALL (t.libraries)
      AND (EXISTS (SELECT FROM pg_publication p WHERE p.pubname = 'supabase_realtime')
           OR EXISTS (SELECT FROM pg_replication_slots s WHERE s.plugin = 'wal2json'))
    UNION ALL
    SELECT 'realtime', 'warn', format('every subscriber of %s is told whose the deleted rows of %s were', p.pubname,
                                      c.oid::regclass),
           'Of vrm, vrm.run_events is made to be followed.',
           format('ALTER PUBLICATION %I DROP TABLE %s;', p.pubname, c.oid::regclass)
    FROM pg_publication p
    JOIN pg_publication_rel r ON r.prpubid = p.oid
    JOIN pg_class c ON c.oid = r.prrelid AND c.relnamespace = 'vrm'::regnamespace
    WHERE p.pubname = 'supabase_realtime' AND p.pubdelete
      AND (c.relreplident = 'f'
           OR EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
                      WHERE i.indrelid = c.oid AND a.attname = 'user_id'
                        AND CASE c.relreplident WHEN 'i' THEN i.indisreplident ELSE i.indisprimary END))
$$;
COMMENT ON FUNCTION vrm_private.doctor_realtime() IS
    'for vrm.doctor(): whether changes can be followed through Supabase Realtime, and what they tell';
REVOKE EXECUTE ON FUNCTION vrm_private.doctor_realtime() FROM PUBLIC;

-- In plpgsql as those of monitoring.
CREATE OR REPLACE FUNCTION vrm_private.measure_replication()
    RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    own_seconds double precision;
    own_bytes numeric;
BEGIN
    IF pg_is_in_recovery() THEN
        SELECT s.lag_seconds, s.lag_bytes INTO own_seconds, own_bytes FROM vrm_private.standby_state() s;
    END IF;
    RETURN QUERY SELECT f.name, f.labels, f.value::double precision FROM (
    WITH followers AS (
        SELECT count(*) FILTER (WHERE f.state = 'streaming') AS streaming, max(f.lag_seconds) AS seconds,
               max(f.lag_bytes) AS bytes
        FROM vrm_private.standbys() f WHERE f.state <> 'cut off'
    ), slot AS (
        SELECT count(s.slot_name) AS slots, count(*) FILTER (WHERE NOT s.active) AS inactive,
               count(*) FILTER (WHERE s.wal_status = 'lost') AS lost,
               coalesce(max(pg_wal_lsn_diff(vrm_private.wal_position(), s.restart_lsn)), 0) AS retained
        FROM pg_replication_slots s
    )
    SELECT m.name, '{}'::jsonb, m.value
    FROM followers CROSS JOIN slot,
         LATERAL (VALUES
             ('vrm_replication_in_recovery', pg_is_in_recovery()::integer::double precision),
             ('vrm_replication_standbys', followers.streaming),
             ('vrm_replication_lag_seconds', coalesce(greatest(own_seconds, followers.seconds), 0)),
             ('vrm_replication_lag_bytes', coalesce(greatest(own_bytes, followers.bytes), 0)),
             ('vrm_replication_slots', slot.slots),
             ('vrm_replication_slots_inactive', slot.inactive),
             ('vrm_replication_slots_lost', slot.lost),
             ('vrm_replication_slot_retained_bytes', greatest(slot.retained, 0))) AS m (name, value)
    ) AS f (name, labels, value);
END
$$;
COMMENT ON FUNCTION vrm_private.measure_replication() IS 'the family replication of vrm.monitoring_metrics';
REVOKE EXECUTE ON FUNCTION vrm_private.measure_replication() FROM PUBLIC;
