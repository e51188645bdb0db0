-- Recovery windows: what a backup is worth depends on what it stands on and on the WAL after it.  With archiving that
-- goes on and off: test/cluster/operations/recovery_windows.pl.
BEGIN;
SELECT plan(59);
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
     'a f 9-0, b f 3-0', 'each place has windows of its own'),
    (8, '30-10 5-0', 'g full 7', NULL, 'a backup after the last archived WAL begins nothing'))
    AS t (n, stretches, backups, wanted, behaviour),
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
     'a f 9-0', 'chains are within a place'),
    (10, 'f full 9 unarchived, i incr 8 expired, d diff 7', 'd 7-0',
     'a differential one does not stand on an incremental'),
    (11, 'f full 9 unarchived, i incr 8 failed, j incr 7', 'j 7-0',
     'a broken incremental one is nothing that another stands on')) AS t (n, backups, wanted, behaviour),
    LATERAL pg_temp.windows_of('30-0', backups) AS w (found)
ORDER BY n;

SELECT pg_temp.given('30-0', 'f full -1') \g /dev/null
SELECT is_empty('SELECT * FROM vrm_private.usable_backups()', 'what has not ended yet by this clock is not there');

-- the verdict ----------------------------------------------------------------------------------------------------

SELECT is(w.found, wanted, behaviour)
FROM (VALUES
    (1, '30-0', 'f full 20, g full 1', 'ok 20', 'weeks of history'),
    (2, '30-10 5-0', 'f full 20, g full 1', 'warn 1',
     'a gap cuts it short, and it grows again'),
    (3, '30-1', 'f full 20, g full 2', 'fail',
     'what ends before now is no history of now'),
    (4, '', 'f full 20, g full 0.04', 'fail', 'nor is a backup alone'),
    (5, '30-0', 'f full 20 in a, g full 0.8 in b', 'warn 1', 'nor what is where no backup was made since'))
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

-- segments that an archive has lost ---------------------------------------------------------------------------------

-- Given that looks so many days ago saw the archive complete up to a segment, as '15:10, 10:20', and a list of
-- segments, as '1-11 13-30'; what is left of the windows.
CREATE FUNCTION pg_temp.segment(number integer, timeline integer DEFAULT 1) RETURNS text LANGUAGE sql AS
    $$ SELECT lpad(to_hex(timeline), 8, '0') || lpad('', 8, '0') || lpad(upper(to_hex(number)), 8, '0') $$;
CREATE FUNCTION pg_temp.windows_with(looks text, segments text, backups text DEFAULT 'f full 25, g full 5')
    RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.given('30-0', backups);
    DELETE FROM vrm_private.archive_positions;
    INSERT INTO vrm_private.archive_positions (system_identifier, seen_at, until, archived_until)
    SELECT c.system_identifier, now() - l[1]::float8 * interval '1 d', now() - l[1]::float8 * interval '1 d',
           '0/0'::pg_lsn + l[2]::numeric * 16777216
    FROM pg_control_system() AS c, regexp_matches(looks, '([\d.]+):(\d+)', 'g') AS l;
    PERFORM vrm.record_archive(string_agg(pg_temp.segment(n), E'\n'), 'plain')
    FROM regexp_matches(segments, '(\d+)-(\d+)', 'g') AS s, generate_series(s[1]::integer, s[2]::integer) AS n;
    RETURN pg_temp.windows();
END
$$;
SELECT is(pg_temp.windows_with(looks, segments, backups), wanted, behaviour)
FROM (VALUES
    (1, '15:10, 10:20', '1-30', 'f full 25, g full 5', 'f 25-0', 'an archive that has all changes nothing'),
    (2, '20:5, 15:10, 10:20, 8:25', '1-11 13-30', 'f full 25, g full 5', 'f 25-15, g 5-0',
     'what was written between the looks around a missing segment is lost'),
    (3, '15:12, 10:13', '1-11 13-30', 'f full 25, g full 5', 'f 25-15, g 5-0',
     'looks count that saw its ends'),
    (4, '15:10, 10:20', '1-11 13-30', 'f full 25, g full 12, h full 5', 'f 25-15, h 5-0',
     'a backup in a gap begins nothing'),
    (5, '15:10, 10:20', '1-11 13-30', 'f full 25, g full 9.98', 'f 25-15', 'nor does one that began in it'),
    (6, '20:5, 18:8, 12:16, 9:22', '1-6 8-18 20-30', 'f full 25, g full 15, h full 5', 'f 25-20, g 15-12, h 5-0',
     'each gap counts'),
    (7, '10:20', '1-11 13-30', 'f full 25, g full 5', 'g 5-0', 'what no look was before is lost from the beginning'),
    (8, '20:5, 15:10', '1-11 13-30', 'f full 25, g full 5', 'f 25-15', 'and what none was after, to the end'),
    (9, '15:10, 10:20', '12-30', 'f full 25, g full 5', 'g 5-0', 'so is what was there before the first segment'),
    (10, '15:12, 10:20', '12-30', 'f full 25, g full 5', 'f 25-0', 'but not what nobody saw there'))
    AS t (n, looks, segments, backups, wanted, behaviour)
ORDER BY n;
SELECT pg_temp.windows_with('15:10, 10:20', '1-11 13-30') \g /dev/null
SELECT is((SELECT bool_and(listed_at = now()) FROM vrm.recovery_windows()), true,
          'windows tell when the archive was listed');
UPDATE vrm_private.archive_positions SET system_identifier = 7;
SELECT is(pg_temp.windows(), NULL, 'looks at another server prove nothing');
SELECT is(pg_temp.windows_with('15:10, 10:20', '1-30'), 'f 25-0', 'the last list counts');
SELECT is((SELECT concat_ws(' ', first_missing, last_missing, segments) FROM vrm.record_archive(format(
              'archive/main/15-1/%1$s/%1$s%2$s-0123456789abcdef0123456789abcdef01234567.gz'
              ' %1$s00000002 %1$s00000003.partial %1$s00000003.00000028.backup %1$s00000005.zst 00000002.history'
              ' %3$s', '0000000100000000', '00000001', pg_temp.segment(9, 2)), 'plain')),
          '000000010000000000000003 000000010000000000000004 2',
          'names are found in any list, other files are none, and a timeline begins where it does');
SELECT is((SELECT concat_ws(' ', first_missing, last_missing, segments)
           FROM vrm.record_archive('0000000100000001000000FE 000000010000000200000002', 'plain')),
          '0000000100000001000000FF 000000010000000200000001 3', 'numbers go on in the next log');
SELECT pg_temp.given('30-0', 'f full 12 in a, f full 14 in b') \g /dev/null
SELECT vrm.record_archive(pg_temp.segment(11) || ' ' || pg_temp.segment(13), 'plain', 'a') \g /dev/null
SELECT is(pg_temp.windows(), 'b f 14-0', 'a list is of one place');
SELECT pg_temp.windows_with('15:5, 10:20', '1-10') \g /dev/null
SELECT vrm.record_archive(string_agg(pg_temp.segment(n, 1 + (n > 8)::integer), ' '), 'plain')
FROM generate_series(1, 30) AS n \g /dev/null
SELECT is(pg_temp.windows(), 'f 25-0', 'a timeline that begins in the middle lacks nothing before that');
SELECT pg_temp.given('30-0', 'f full 12 in a, f full 14 in b') \g /dev/null
DELETE FROM vrm_private.archive_gaps;
SELECT vrm.record_archive(pg_temp.segment(11) || ' ' || pg_temp.segment(13), 'plain', 'a') \g /dev/null
PREPARE of_both AS SELECT vrm.record_archive(pg_temp.segment(1), 'plain');
SELECT throws_ok('of_both', '22023', 'no backup of source "plain" is in repository ""',
                 'which has to be said where there are two');
PREPARE of_none AS SELECT vrm.record_archive(pg_temp.segment(1), 'plain', 'c');
SELECT throws_ok('of_none', '22023', 'no backup of source "plain" is in repository "c"', 'and has to have backups');
PREPARE of_nothing AS SELECT vrm.record_archive('15-1', 'plain', 'a');
SELECT throws_ok('of_nothing', '22023', 'the list names no WAL segment', 'a list has to name segments');
SELECT is(pg_temp.windows(), 'b f 14-0', 'or nothing changes');
DELETE FROM vrm_private.archive_gaps;

-- manifests -------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.manifest(name text, lsn text, days integer, label text DEFAULT NULL) RETURNS void
    LANGUAGE sql AS $$
    SELECT vrm.record_backup(jsonb_strip_nulls(jsonb_build_object(
        'System-Identifier', c.system_identifier, 'Manifest-Checksum', name, 'backup_label', label, 'Files',
        jsonb_build_array(jsonb_build_object(
            'Path', CASE WHEN name ~ '^i' THEN 'base/5/INCREMENTAL.1' ELSE 'base/5/1' END,
            'Size', 1, 'Last-Modified', to_char((now() - days * interval '1 d') AT TIME ZONE 'UTC',
                                                'YYYY-MM-DD HH24:MI:SS "GMT"'))),
        'WAL-Ranges', jsonb_build_array(
            jsonb_build_object('Timeline', 2, 'Start-LSN', '0/9000000', 'End-LSN', '0/A000000'),
            jsonb_build_object('Timeline', 1, 'Start-LSN', lsn, 'End-LSN', '0/9000000')))),
        'backup_manifest')
    FROM pg_control_system() AS c
$$;
CREATE FUNCTION pg_temp.manifests_usable() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(substr(label, 10), ' ' ORDER BY finished_at) FROM vrm_private.usable_backups()
$$;
DELETE FROM vrm.backups;
SELECT pg_temp.manifest('full', '0/2000028', 9), pg_temp.manifest('inc1', '0/3000028', 8) \g /dev/null
SELECT is(pg_temp.manifests_usable(), 'full', 'what an incremental backup stands on is not assumed of a manifest');
SELECT pg_temp.manifest('inc1', '0/3000028', 8,
                        E'START WAL LOCATION: 0/3000028 (file x)\nINCREMENTAL FROM LSN: 0/2000028\n'),
       pg_temp.manifest('inc2', '0/4000028', 7, 'INCREMENTAL FROM LSN: 0/3000028'),
       pg_temp.manifest('inc3', '0/5000028', 6, 'INCREMENTAL FROM LSN: 0/3500028') \g /dev/null
SELECT is(pg_temp.manifests_usable(), 'full inc1 inc2', 'its backup_label proves it, or that it stands on another');
UPDATE vrm.backups SET failed = true WHERE label = 'manifest inc1';
SELECT is(pg_temp.manifests_usable(), 'full', 'and a chain is as good as its parts');
DELETE FROM vrm.backups;

-- who may ask ------------------------------------------------------------------------------------------------------

SELECT is(pg_temp.as_user(:'alice', 'SELECT count(*) FROM vrm.recovery_windows()'), '42501', 'users may not ask');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT count(*) FROM vrm.recovery_windows()'), '0', 'monitors may');
SELECT is(pg_temp.as_role('pg_monitor', NULL, 'SELECT count(*) FROM vrm.record_archive($$x$$)'), '42501',
          'but record nothing');
SELECT is(pg_temp.as_role('service_role', NULL, 'SELECT count(*) FROM vrm_private.archived_stretches'), '42501',
          'and nobody touches what proves it');
SELECT lives_ok('SELECT vrm_private.see_archiving()', 'a look');
SELECT is((SELECT count(*) FROM vrm_private.archived_stretches WHERE until > now() - interval '1 minute'), 1::bigint,
          'notes nothing where nothing is archived');

SELECT * FROM finish();
ROLLBACK;
