-- Recovery windows: what a backup is worth depends on what it stands on and on the WAL after it.  With archiving that
-- goes on and off: test/cluster/operations/recovery_windows.pl.
BEGIN;
SELECT plan(29);
\ir ../include/people.sql
SELECT pg_temp.person('alice@example.org') AS alice \gset

-- Given WAL that was archived from so long to so long ago, and backups.
CREATE FUNCTION pg_temp.given(stretches text, backups jsonb) RETURNS void LANGUAGE sql AS $$
    DELETE FROM vrm.backups;
    DELETE FROM vrm_private.archived_stretches;
    INSERT INTO vrm_private.archived_stretches (since, until, seen_at, archived_until, timeline, system_identifier)
    SELECT now() - s[1]::interval, now() - s[2]::interval, now() - s[2]::interval, '0/0', 1,
           (SELECT c.system_identifier FROM pg_control_system() c)
    FROM regexp_matches(stretches, '(\d+ \w+)-(\d+ \w+)', 'g') AS s;
    INSERT INTO vrm.backups (source, label, kind, started_at, finished_at, failed, archived, parent, expired_at, repository)
    SELECT 'plain', b.label, b.kind, now() - b.ago - '1 h'::interval, now() - b.ago, coalesce(b.failed, false), b.archived, b.parent,
           CASE WHEN b.expired THEN now() END, coalesce(b.place, '')
    FROM jsonb_to_recordset(backups) AS b (label text, kind text, ago interval, failed boolean, archived boolean, parent text,
                                           expired boolean, place text)
$$;
CREATE FUNCTION pg_temp.windows() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', nullif(repository, ''), backup, round(extract(epoch FROM now() - since) / 86400) || '-'
                                || round(extract(epoch FROM now() - until) / 86400)), ', ' ORDER BY repository, since)
    FROM vrm.recovery_windows()
$$;
CREATE FUNCTION pg_temp.windows_of(stretches text, backups text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.given(stretches, backups::jsonb);
    RETURN pg_temp.windows();
END
$$;
CREATE FUNCTION pg_temp.verdict_of(stretches text, backups text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.given(stretches, backups::jsonb);
    RETURN (SELECT concat_ws(' ', status, round(value / 86400)) FROM vrm.recovery_status() WHERE check_name = 'pitr_window');
END
$$;

-- what the archive proves ------------------------------------------------------------------------------------

SELECT is_empty('SELECT * FROM vrm.recovery_windows()', 'without backups nothing can be restored');
SELECT is(w.found, wanted, behaviour)
FROM (VALUES
    (1, '30 d-0 d', '[{"label": "f", "kind": "full", "ago": "20 d"}, {"label": "g", "kind": "full", "ago": "1 d"}]', 'f 20-0',
     'a window begins with the first backup and ends with the archive'),
    (2, '30 d-10 d 5 d-0 d', '[{"label": "f", "kind": "full", "ago": "20 d"}, {"label": "g", "kind": "full", "ago": "1 d"}]',
     'f 20-10, g 1-0', 'where WAL was not archived there is a gap, until the next backup'),
    (3, '30 d-10 d 5 d-0 d', '[{"label": "f", "kind": "full", "ago": "20 d"}, {"label": "g", "kind": "full", "ago": "7 d"}]',
     'f 20-10', 'a backup of the gap begins nothing'),
    (4, '30 d-0 d', '[{"label": "f", "kind": "full", "ago": "31 d"}]', NULL, 'nor does one from before'),
    (5, '', '[{"label": "f", "kind": "full", "ago": "1 d"}]', NULL, 'without archived WAL there is no window'),
    (6, '30 d-0 d', '[{"label": "f", "kind": "full", "ago": "9 d", "failed": true}, {"label": "g", "kind": "full", "ago": "8 d", "archived": false},
                      {"label": "h", "kind": "full", "ago": "7 d", "expired": true}, {"label": "i", "kind": "full", "ago": "6 d"}]', 'i 6-0',
     'what is broken, lacks its WAL or is gone does not count'),
    (7, '30 d-0 d', '[{"label": "f", "kind": "full", "ago": "9 d", "place": "a"}, {"label": "f", "kind": "full", "ago": "3 d", "place": "b"}]',
     'a f 9-0, b f 3-0', 'each place has windows of its own')) AS t (n, stretches, backups, wanted, behaviour),
    LATERAL pg_temp.windows_of(stretches, backups) AS w (found)
ORDER BY n;
SELECT pg_temp.given('30 d-0 d', '[{"label": "f", "kind": "full", "ago": "20 d"}]') \g /dev/null
UPDATE vrm_private.archived_stretches SET system_identifier = 7;
SELECT is(pg_temp.windows(), NULL, 'what was archived of another server proves nothing');

-- chains -------------------------------------------------------------------------------------------------------

SELECT is(w.found, wanted, behaviour)
FROM (VALUES
    (1, '[{"label": "f", "kind": "full", "ago": "9 d", "archived": false}, {"label": "d", "kind": "diff", "ago": "8 d"}]', 'd 8-0',
     'a differential backup needs the files of its full one, not the WAL'),
    (2, '[{"label": "f", "kind": "full", "ago": "9 d", "expired": true}, {"label": "d", "kind": "diff", "ago": "8 d"},
          {"label": "g", "kind": "full", "ago": "3 d"}]', 'g 3-0', 'it goes with its full one, and not to the next'),
    (3, '[{"label": "f", "kind": "full", "ago": "9 d", "archived": false}, {"label": "d", "kind": "diff", "ago": "8 d", "failed": true},
          {"label": "e", "kind": "diff", "ago": "7 d"}]', 'e 7-0', 'a broken differential one is nothing that another stands on'),
    (4, '[{"label": "f", "kind": "full", "ago": "9 d", "archived": false}, {"label": "i", "kind": "incr", "ago": "8 d", "expired": true},
          {"label": "j", "kind": "incr", "ago": "7 d"}]', NULL, 'an incremental one needs each between it and the full one'),
    (5, '[{"label": "f", "kind": "full", "ago": "9 d", "archived": false}, {"label": "i", "kind": "incr", "ago": "8 d", "expired": true},
          {"label": "j", "kind": "incr", "ago": "7 d", "parent": "f"}]', 'j 7-0', 'unless its tool says what it stands on'),
    (6, '[{"label": "f", "kind": "full", "ago": "9 d"}, {"label": "j", "kind": "incr", "ago": "7 d", "parent": "x"}]', 'f 9-0',
     'what stands on nothing that is known is nothing'),
    (7, '[{"label": "j", "kind": "incr", "ago": "7 d"}]', NULL, 'nor is what has no full one before it'),
    (8, '[{"label": "i", "kind": "incr", "ago": "8 d", "parent": "j"}, {"label": "j", "kind": "incr", "ago": "7 d", "parent": "i"}]', NULL,
     'or what stands on itself'),
    (9, '[{"label": "f", "kind": "full", "ago": "9 d", "place": "a"}, {"label": "i", "kind": "incr", "ago": "8 d", "place": "b", "parent": "f"}]',
     'a f 9-0', 'chains are within a place')) AS t (n, backups, wanted, behaviour),
    LATERAL pg_temp.windows_of('30 d-0 d', backups) AS w (found)
ORDER BY n;

-- the verdict ----------------------------------------------------------------------------------------------------

SELECT is(w.found, wanted, behaviour)
FROM (VALUES
    (1, '30 d-0 d', '[{"label": "f", "kind": "full", "ago": "20 d"}, {"label": "g", "kind": "full", "ago": "1 d"}]', 'ok 20', 'weeks of history'),
    (2, '30 d-10 d 5 d-0 d', '[{"label": "f", "kind": "full", "ago": "20 d"}, {"label": "g", "kind": "full", "ago": "1 d"}]', 'warn 1',
     'a gap cuts it short, and it grows again'),
    (3, '30 d-1 d', '[{"label": "f", "kind": "full", "ago": "20 d"}, {"label": "g", "kind": "full", "ago": "2 d"}]', 'fail',
     'what ends before now is no history of now'),
    (4, '', '[{"label": "f", "kind": "full", "ago": "20 d"}, {"label": "g", "kind": "full", "ago": "1 h"}]', 'fail', 'nor is a backup alone'))
    AS t (n, stretches, backups, wanted, behaviour),
    LATERAL pg_temp.verdict_of(stretches, backups) AS w (found)
ORDER BY n;
SELECT pg_temp.given('30 d-10 d 5 d-0 d', '[{"label": "f", "kind": "full", "ago": "20 d"}, {"label": "g", "kind": "full", "ago": "1 d"}]') \g /dev/null
SELECT matches((SELECT detail FROM vrm.recovery_status() WHERE check_name = 'pitr_window'),
               '^any moment can be restored of \d{4}-\d\d-\d\d \d\d:\d\d \w+ to [^,]+, and [^,]+ to .*; archive_mode is off$',
               'the windows are told');

-- tools say what a backup stands on ------------------------------------------------------------------------------

DELETE FROM vrm.backups;
SELECT vrm.record_backup('[{"backup_name": "base_000000010000000000000004", "start_time": "2026-01-01T00:00:00Z", "finish_time": "2026-01-01T00:10:00Z"},
    {"backup_name": "base_000000010000000000000006_D_000000010000000000000004", "start_time": "2026-01-02T00:00:00Z",
     "finish_time": "2026-01-02T00:10:00Z"}]', 'wal-g') AS wal_g,
       vrm.record_backup('{"main": [{"backup_id": "20260101T010000", "status": "DONE", "end_time_timestamp": "1767229800"},
    {"backup_id": "20260102T010000", "status": "DONE", "end_time_timestamp": "1767316200", "parent_backup_id": "20260101T010000"}]}', 'barman') AS barman,
       vrm.record_backup('[{"label": "p", "kind": "incr", "started_at": "2026-01-01", "finished_at": "2026-01-02", "parent": "o"}]', 'plain') AS plain,
       vrm.record_backup(jsonb_build_array(jsonb_build_object('name', 'main', 'db', jsonb_build_array(jsonb_build_object('id', 1, 'system-id',
           (SELECT system_identifier FROM pg_control_system()))), 'backup', '[{"label": "F_I", "type": "incr", "prior": "F", "database": {"id": 1},
           "timestamp": {"start": 1767229800, "stop": 1767229900}}]'::jsonb))) AS pgbackrest \gset
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
