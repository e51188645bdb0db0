-- Recovery windows: what a backup is worth depends on what it stands on and on the WAL after it.  With archiving that
-- goes on and off: test/cluster/operations/recovery_windows.pl.
BEGIN;
SELECT plan(29);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset

-- Given WAL that was archived from so many to so many days ago, as '30-10 5-0', and backups of so many days ago, as
-- 'f full 20, d diff 8 of f in vault expired'.
CREATE FUNCTION pg_temp.given(stretches text, backups text) RETURNS void LANGUAGE sql AS $$
    DELETE FROM vrm.backups;
    DELETE FROM vrm_private.archived_stretches;
    INSERT INTO vrm_private.archived_stretches
        (since, until, seen_at, archived_until, timeline, system_identifier)
    SELECT now() - s[1]::integer * interval '1 d', now() - s[2]::integer * interval '1 d', now(), '0/0', 1,
           (SELECT c.system_identifier FROM pg_control_system() c)
    FROM regexp_matches(stretches, '(\d+)-(\d+)', 'g') AS s;
    INSERT INTO vrm.backups (source, label, kind, started_at, finished_at, failed, archived, parent, expired_at,
                             repository)
    SELECT 'plain', w[1], w[2], at - interval '1 h', at, b ~ ' failed', CASE WHEN b ~ ' unarchived' THEN false END,
           substring(b from ' of (\w+)'), CASE WHEN b ~ ' expired' THEN now() END,
           coalesce(substring(b from ' in (\w+)'), '')
    FROM regexp_split_to_table(backups, ', ') AS b, regexp_split_to_array(b, ' ') AS w,
         LATERAL (SELECT now() - w[3]::float8 * interval '1 d' AS at) AS t
$$;
CREATE FUNCTION pg_temp.windows() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', nullif(repository, ''), backup,
                                concat(round(extract(epoch FROM now() - since) / 86400), '-',
                                       round(extract(epoch FROM now() - until) / 86400))),
                      ', ' ORDER BY repository, since)
    FROM vrm.recovery_windows()
$$;
CREATE FUNCTION pg_temp.windows_of(stretches text, backups text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.given(stretches, backups);
    RETURN pg_temp.windows();
END
$$;
CREATE FUNCTION pg_temp.verdict_of(stretches text, backups text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.given(stretches, backups);
    RETURN (SELECT concat_ws(' ', status, round(value / 86400)) FROM vrm.recovery_status()
            WHERE check_name = 'pitr_window');
END
$$;

-- what the archive proves ------------------------------------------------------------------------------------

SELECT is_empty('SELECT * FROM vrm.recovery_windows()', 'without backups nothing can be restored');
SELECT is(w.found, wanted, behaviour)
FROM (VALUES
    (1, '30-0', 'f full 20, g full 1', 'f 20-0',
     'a window begins with the first backup and ends with the archive'),
    (2, '30-10 5-0', 'f full 20, g full 1',
     'f 20-10, g 1-0', 'where WAL was not archived there is a gap, until the next backup'),
    (3, '30-10 5-0', 'f full 20, g full 7',
     'f 20-10', 'a backup of the gap begins nothing'),
    (4, '30-0', 'f full 31', NULL, 'nor does one from before'),
    (5, '', 'f full 1', NULL, 'without archived WAL there is no window'),
    (6, '30-0', 'f full 9 failed, g full 8 unarchived, h full 7 expired, i full 6', 'i 6-0',
     'what is broken, lacks its WAL or is gone does not count'),
    (7, '30-0', 'f full 9 in a, f full 3 in b',
     'a f 9-0, b f 3-0', 'each place has windows of its own')) AS t (n, stretches, backups, wanted, behaviour),
    LATERAL pg_temp.windows_of(stretches, backups) AS w (found)
ORDER BY n;
SELECT pg_temp.given('30-0', 'f full 20') \g /dev/null
UPDATE vrm_private.archived_stretches SET system_identifier = 7;
SELECT is(pg_temp.windows(), NULL, 'what was archived of another server proves nothing');

-- chains -------------------------------------------------------------------------------------------------------

SELECT is(w.found, wanted, behaviour)
FROM (VALUES
    (1, 'f full 9 unarchived, d diff 8', 'd 8-0',
     'a differential backup needs the files of its full one, not the WAL'),
    (2, 'f full 9 expired, d diff 8, g full 3', 'g 3-0', 'it goes with its full one, and not to the next'),
    (3, 'f full 9 unarchived, d diff 8 failed, e diff 7', 'e 7-0',
     'a broken differential one is nothing that another stands on'),
    (4, 'f full 9 unarchived, i incr 8 expired, j incr 7', NULL,
     'an incremental one needs each between it and the full one'),
    (5, 'f full 9 unarchived, i incr 8 expired, j incr 7 of f', 'j 7-0', 'unless its tool says what it stands on'),
    (6, 'f full 9, j incr 7 of x', 'f 9-0',
     'what stands on nothing that is known is nothing'),
    (7, 'j incr 7', NULL, 'nor is what has no full one before it'),
    (8, 'i incr 8 of j, j incr 7 of i', NULL,
     'or what stands on itself'),
    (9, 'f full 9 in a, i incr 8 of f in b',
     'a f 9-0', 'chains are within a place')) AS t (n, backups, wanted, behaviour),
    LATERAL pg_temp.windows_of('30-0', backups) AS w (found)
ORDER BY n;

-- the verdict ----------------------------------------------------------------------------------------------------

SELECT is(w.found, wanted, behaviour)
FROM (VALUES
    (1, '30-0', 'f full 20, g full 1', 'ok 20', 'weeks of history'),
    (2, '30-10 5-0', 'f full 20, g full 1', 'warn 1',
     'a gap cuts it short, and it grows again'),
    (3, '30-1', 'f full 20, g full 2', 'fail',
     'what ends before now is no history of now'),
    (4, '', 'f full 20, g full 0.04', 'fail', 'nor is a backup alone'))
    AS t (n, stretches, backups, wanted, behaviour),
    LATERAL pg_temp.verdict_of(stretches, backups) AS w (found)
ORDER BY n;
SELECT pg_temp.given('30-10 5-0', 'f full 20, g full 1') \g /dev/null
SELECT matches((SELECT detail FROM vrm.recovery_status() WHERE check_name = 'pitr_window'),
               '^any moment can be restored of \d{4}-\d\d-\d\d \d\d:\d\d \w+ to [^,]+, and [^,]+ to .*;'
               ' archive_mode is off$',
               'the windows are told');

-- tools say what a backup stands on ------------------------------------------------------------------------------

DELETE FROM vrm.backups;
SELECT vrm.record_backup('[
    {"backup_name": "base_000000010000000000000004", "start_time": "2026-01-01T00:00:00Z",
     "finish_time": "2026-01-01T00:10:00Z"},
    {"backup_name": "base_000000010000000000000006_D_000000010000000000000004",
     "start_time": "2026-01-02T00:00:00Z", "finish_time": "2026-01-02T00:10:00Z"}]', 'wal-g') AS wal_g,
       vrm.record_backup('{"main": [
    {"backup_id": "20260101T010000", "status": "DONE", "end_time_timestamp": "1767229800"},
    {"backup_id": "20260102T010000", "status": "DONE", "end_time_timestamp": "1767316200",
     "parent_backup_id": "20260101T010000"}]}', 'barman') AS barman,
       vrm.record_backup('[{"label": "p", "kind": "incr", "started_at": "2026-01-01", "finished_at": "2026-01-02",
     "parent": "o"}]', 'plain') AS plain,
       vrm.record_backup(jsonb_build_array(jsonb_build_object(
           'name', 'main', 'db', jsonb_build_array(jsonb_build_object('id', 1, 'system-id', c.system_identifier)),
           'backup', '[{"label": "F_I", "type": "incr", "prior": "F", "database": {"id": 1},
                        "timestamp": {"start": 1767229800, "stop": 1767229900}}]'::jsonb))) AS pgbackrest
FROM pg_control_system() AS c \gset
SELECT is((SELECT string_agg(concat_ws(' ', source, kind, parent), ', ' ORDER BY source, label) FROM vrm.backups),
          'barman full, barman incr 20260101T010000, pgbackrest incr F, plain incr o, wal-g full, '
          'wal-g incr base_000000010000000000000004', 'each in its own way');

-- who may ask ------------------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.recovery_windows()'), '42501', 'users may not ask');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT count(*) FROM vrm.recovery_windows()'), '0', 'monitors may');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) FROM vrm_private.archived_stretches'), '42501',
          'and nobody touches what proves it');
SELECT lives_ok('SELECT vrm_private.see_archiving()', 'a look');
SELECT is((SELECT count(*) FROM vrm_private.archived_stretches WHERE until > now() - interval '1 minute'), 1::bigint,
          'notes nothing where nothing is archived');

SELECT * FROM finish();
ROLLBACK;
