-- What Barman, WAL-G, CloudNativePG and a backup_manifest say; samples are invented in the shapes of the tools.
BEGIN;
SELECT plan(25);
DELETE FROM vrm.backups;
DELETE FROM vrm.backup_repositories;
SELECT system_identifier AS ours FROM pg_control_system() \gset

CREATE FUNCTION pg_temp.known(tool text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', nullif(b.repository, ''), b.label, b.kind, CASE WHEN b.failed THEN 'failed' END,
                                CASE WHEN b.archived IS FALSE THEN 'without WAL' END,
                                CASE WHEN b.expired_at IS NOT NULL THEN 'expired' END), ', ' ORDER BY b.label)
    FROM vrm.backups b WHERE b.source = tool
$$;

SELECT is(vrm.record_backup('{"pg": [
    {"backup_id": "20260101T010000", "end_time_timestamp": "1767232800", "end_time": "x", "size_bytes": 31000000,
     "wal_size_bytes": 5, "size": "29.6 MiB", "wal_size": "5 B", "status": "DONE",
     "retention_status": "-", "tablespaces": []},
    {"backup_id": "20260102T010000", "end_time_timestamp": "1767319200", "size_bytes": 31000000,
     "status": "WAITING_FOR_WALS", "tablespaces": []},
    {"backup_id": "20260103T010000", "status": "FAILED"}, {"backup_id": "20260104T010000", "status": "STARTED"}],
    "other": []}', 'barman'), 3, 'Barman''s backups are recorded');
SELECT is(pg_temp.known('barman'), 'pg 20260101T010000 full, pg 20260102T010000 full without WAL,'
          ' pg 20260103T010000 full failed', 'with what became of them');
SELECT is((SELECT finished_at FROM vrm.backups WHERE label = '20260101T010000'), '2026-01-01 02:00+00', 'and when');
SELECT is(vrm.record_backup('{"pg": [{"backup_id": "20260103T010000", "status": "FAILED"}]}', 'barman')
          || pg_temp.known('barman'), '1pg 20260101T010000 full expired, pg 20260102T010000 full without WAL expired,'
          ' pg 20260103T010000 full failed', 'what is not listed any more has expired');

SELECT is(vrm.record_backup(format('[
    {"backup_name": "base_000000010000000000000004", "time": "2026-01-01T01:10:00Z",
     "wal_file_name": "000000010000000000000004",
     "start_time": "2026-01-01T01:00:00Z", "finish_time": "2026-01-01T01:10:00Z", "hostname": "db", "data_dir": "/d",
     "pg_version": 150000, "start_lsn": 67108904, "finish_lsn": 67109184, "is_permanent": false,
     "system_identifier": %1$s, "uncompressed_size": 31000000, "compressed_size": 4000000},
    {"backup_name": "base_000000010000000000000006_D_000000010000000000000004", "start_time": "2026-01-02T01:00:00Z",
     "finish_time": "2026-01-02T01:01:00Z", "system_identifier": %1$s},
    {"backup_name": "base_000000010000000000000009", "start_time": "2026-01-02T01:00:00Z",
     "finish_time": "2026-01-02T01:01:00Z", "system_identifier": 1}]', :'ours')::jsonb, 'wal-g'), 2,
          'WAL-G''s, of this server');
SELECT is(pg_temp.known('wal-g'), 'base_000000010000000000000004 full,'
          ' base_000000010000000000000006_D_000000010000000000000004 incr', 'full ones and others');
SELECT is((SELECT bytes FROM vrm.backups WHERE label = 'base_000000010000000000000004'), 31000000::bigint,
          'with their size');

SELECT is(vrm.record_backup('{"apiVersion": "v1", "kind": "List", "items": [
    {"metadata": {"name": "nightly-1"}, "spec": {"cluster": {"name": "app"}, "method": "volumeSnapshot"},
     "status": {"phase": "completed", "startedAt": "2026-01-01T01:00:00Z", "stoppedAt": "2026-01-01T01:02:00Z"}},
    {"metadata": {"name": "nightly-2"}, "spec": {"cluster": {"name": "app"}},
     "status": {"phase": "failed", "startedAt": "2026-01-02T01:00:00Z", "error": "no"}},
    {"metadata": {"name": "nightly-3"}, "spec": {"cluster": {"name": "app"}},
     "status": {"phase": "running", "startedAt": "2026-01-03T01:00:00Z"}}]}', 'cloudnative_pg')
          || pg_temp.known('cloudnative_pg'), '2app nightly-1 full, app nightly-2 full failed',
          'those of CloudNativePG');

-- a list of some says nothing of the others
SELECT vrm.record_backup('{"other": [{"backup_id": "20260105T010000",
                                      "end_time_timestamp": "1767578400", "status": "DONE"}]}', 'barman') \g /dev/null
SELECT is((SELECT string_agg(b.repository, ' ' ORDER BY b.label) FROM vrm.backups b
           WHERE b.source = 'barman' AND b.expired_at IS NULL), 'pg other',
          'another server of Barman''s has its own list');
SELECT vrm.record_backup('{"items": [{"metadata": {"name": "n-1"}, "spec": {"cluster": {"name": "other"}},
     "status": {"phase": "completed", "startedAt": "2026-01-03T01:00:00Z"}}]}', 'cloudnative_pg') \g /dev/null
SELECT is(pg_temp.known('cloudnative_pg'), 'other n-1 full, app nightly-1 full, app nightly-2 full failed',
          'so has another cluster');
SELECT vrm.record_backup('{"kind": "Backup", "metadata": {"name": "nightly-4"}, "spec": {"cluster": {"name": "app"}},
     "status": {"phase": "completed", "startedAt": "2026-01-04T01:00:00Z"}}', 'cloudnative_pg') \g /dev/null
SELECT is(pg_temp.known('cloudnative_pg'),
          'other n-1 full, app nightly-1 full, app nightly-2 full failed, app nightly-4 full',
          'one backup may come by itself');
SELECT vrm.record_backup('{"items": []}', 'cloudnative_pg') \g /dev/null
SELECT is((SELECT count(*) FROM vrm.backups WHERE source = 'cloudnative_pg' AND expired_at IS NULL), 0::bigint,
          'none at all is none');
SELECT vrm.record_backup('[{"backup_name": "base_000000010000000000000002", "modified": "2026-01-01T01:10:00Z"},
    {"backup_name": "base_000000010000000000000008", "time": "2026-01-03T01:10:00Z",
     "start_time": "2026-01-03T01:00:00Z", "finish_time": "0001-01-01T00:00:00Z"}]', 'wal-g') \g /dev/null
SELECT is((SELECT string_agg((finished_at - started_at)::text, ' ' ORDER BY label) FROM vrm.backups
           WHERE source = 'wal-g' AND expired_at IS NULL), '00:00:00 00:10:00', 'WAL-G may leave the details out');

SELECT is(vrm.record_backup(format('{"PostgreSQL-Backup-Manifest-Version": 2, "System-Identifier": %s, "Files": [
    {"Path": "base/5/INCREMENTAL.1259", "Size": 100, "Last-Modified": "2026-01-01 01:00:00 GMT"},
    {"Path": "PG_VERSION", "Size": 3, "Last-Modified": "2026-01-01 00:59:00 GMT"}], "WAL-Ranges": [],
    "Manifest-Checksum": "0123456789abcdef0123456789abcdef"}', :'ours')::jsonb, 'backup_manifest')
          || pg_temp.known('backup_manifest'), '1manifest 0123456789abcdef incr', 'that of a backup_manifest');

-- Barman 3.11 and later name the type, and not what an incremental one stands on
SELECT vrm.record_backup('{"_INFO": ["a message"], "typed": [
    {"backup_id": "20260201T010000", "backup_type": "full", "end_time_timestamp": "1769911200", "status": "DONE"},
    {"backup_id": "20260202T010000", "backup_type": "incremental", "end_time_timestamp": "1769997600",
     "status": "DONE"},
    {"backup_id": "20260203T010000", "backup_type": "rsync", "end_time_timestamp": "1770084000", "status": "DONE"}]}',
    'barman') \g /dev/null
SELECT is((SELECT string_agg(b.kind, ' ' ORDER BY b.label) FROM vrm.backups b WHERE b.repository = 'typed'),
          'full incr full', 'an incremental backup of Barman''s is none that is full');
SELECT throws_ok($$SELECT vrm.record_backup('{"typed": ["20260201T010000"]}', 'barman')$$, '22023',
                 'the list of backups of source "barman" cannot be read', 'a list without details expires nothing');
SELECT vrm.record_backup('[
    {"backup_name": "base_000000010000000000000012", "time": "2026-02-01T01:10:00Z", "storage_name": "default"},
    {"backup_name": "base_000000010000000000000012", "time": "2026-02-01T01:10:00Z", "storage_name": "second"},
    {"backup_name": "base_000000010000000000000014_D_000000010000000000000012", "time": "2026-02-02T01:10:00Z",
     "storage_name": "second"}]', 'wal-g') \g /dev/null
SELECT is((SELECT string_agg(concat_ws(' on ', b.label, b.parent), ', ' ORDER BY b.label) FROM vrm.backups b
           WHERE b.source = 'wal-g' AND b.expired_at IS NULL),
          'base_000000010000000000000012, base_000000010000000000000012 in second, '
          'base_000000010000000000000014_D_000000010000000000000012 in second on'
          ' base_000000010000000000000012 in second',
          'copies in several storages of WAL-G are told apart');
SELECT vrm.record_backup('{"kind": "Backup", "metadata": {"name": "nightly-5",
     "creationTimestamp": "2026-01-05T01:00:00Z"}, "spec": {"cluster": {"name": "app"}},
     "status": {"phase": "failed", "error": "no primary"}}', 'cloudnative_pg') \g /dev/null
SELECT is((SELECT b.started_at FROM vrm.backups b WHERE b.label = 'nightly-5' AND b.failed), '2026-01-05 01:00+00',
          'what CloudNativePG could not begin has failed');

-- pgBackRest does not say whose a stanza is of which it can read nothing
SELECT vrm.record_backup(format('[{"name": "main", "db": [{"id": 1, "repo-key": 1, "system-id": %s}], "backup": [],
    "repo": [{"key": 1, "status": {"code": 0}}], "status": {"code": 0}}]', :'ours')::jsonb) \g /dev/null
SELECT vrm.record_backup('[{"name": "main", "db": [], "backup": [], "status": {"code": 99, "message": "other"},
    "repo": [{"key": 1, "status": {"code": 99, "message": "[FileOpenError] gone"}}]}]') \g /dev/null
SELECT is((SELECT r.problem FROM vrm.backup_repositories r WHERE r.repository = 'main/1'), '[FileOpenError] gone',
          'the only repository may be the one that cannot be read');
SELECT throws_ok($$SELECT vrm.record_backup('[{"name": "mai", "db": [], "backup": [], "repo": [],
                 "status": {"code": 1, "message": "missing stanza path"}}]')$$, '22023',
                 'no stanza belongs to this server', 'which is not said of a stanza of another name');
SELECT throws_ok('SELECT vrm.end_backup_run(vrm.begin_backup_run(''x''), NULL)', '22004',
                 'a backup ends with an exit code', 'a run ends with an exit code');

-- as a double the identifier of a server has other last digits, but for one in about a thousand
SELECT to_char(:'ours'::double precision, 'FM9999999999999999999') AS rounded \gset
PREPARE rounded AS SELECT vrm.record_backup(format('[{"name": "main", "db": [{"id": 1, "system-id": %s}], "repo": [],
    "backup": []}]', :'rounded')::jsonb);
SELECT CASE WHEN :'rounded' = :'ours' THEN pass('nothing is lost')
       ELSE throws_like('rounded', 'system identifier % was rounded on its way',
                        'one that was rounded is said to be') END;
SELECT throws_ok($$SELECT vrm.record_backup('[{"name": "main", "db": [{"id": 1, "system-id": 5}], "repo": [],
                 "backup": []}]')$$, '22023', 'no stanza belongs to this server', 'that of another is not');
SELECT throws_ok($$SELECT vrm.record_backup('[]', 'barman')$$, '22023', 'a list of backups has to be a JSON object',
                 'Barman''s is an object');

-- objectives are the thresholds of the alerts
UPDATE vrm.alert_threshold SET threshold = 3600 WHERE alert = 'BackupOverdue';
SELECT is((SELECT limit_value FROM vrm.recovery_status() WHERE check_name = 'full_backup'), 3600::float8,
          'objectives are rows');

SELECT * FROM finish();
ROLLBACK;
