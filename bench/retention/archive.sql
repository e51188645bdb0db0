-- What bench/retention/archive.pl measures with: the source document's tables and function, calls to archive,
-- writers that note what they have committed, and somebody who watches how long transactions take.
\set QUIET on
SET client_min_messages = warning;
SELECT setseed(0.5) \g /dev/null

\ir ../lib/cpu.sql

-- The source document's, as it stands there; it does not say what the archive's table looks like.
CREATE TABLE users (id uuid PRIMARY KEY);
CREATE TABLE agents (id uuid PRIMARY KEY);
CREATE TABLE test_runs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid REFERENCES users(id) ON DELETE CASCADE,
  agent_id uuid REFERENCES agents(id) ON DELETE CASCADE,
  test_case_ids jsonb,
  time_limit integer DEFAULT 60,
  outbound_call_params jsonb,
  status text NOT NULL,
  started_at timestamptz DEFAULT now(),
  completed_at timestamptz,
  results jsonb,
  error text
);
CREATE INDEX idx_test_runs_user_id ON test_runs(user_id);
CREATE INDEX idx_test_runs_started_at ON test_runs(started_at);
CREATE INDEX idx_test_runs_status ON test_runs(status);
CREATE INDEX idx_test_runs_agent_id ON test_runs(agent_id);
CREATE INDEX idx_test_runs_user_time ON test_runs(user_id, started_at);
CREATE INDEX idx_test_runs_user_status ON test_runs(user_id, status);
CREATE TABLE test_runs_archive (LIKE test_runs);
CREATE OR REPLACE FUNCTION archive_old_test_runs()
RETURNS void AS $$
BEGIN
  -- Move old records to archive table
  INSERT INTO test_runs_archive
  SELECT * FROM test_runs
  WHERE completed_at < now() - interval '2 years';

  -- Delete archived records
  DELETE FROM test_runs
  WHERE completed_at < now() - interval '2 years';
END;
$$ LANGUAGE plpgsql;

-- Calls: results of about 5.8 KB as stored, which is out of line.
CREATE TABLE document (n integer PRIMARY KEY, results jsonb, digest bytea);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE document ALTER COLUMN results SET COMPRESSION lz4;
    END IF;
END
$$;
INSERT INTO document (n, results)
SELECT n, jsonb_build_object(
           'customer', format('customer%s@example.com', n), 'duration', '2:45', 'sentiment', 'positive', 'actions', 3,
           'transcript', (SELECT jsonb_agg(jsonb_build_object(
                              'speaker', CASE turn % 2 WHEN 0 THEN 'Agent' ELSE 'Customer' END,
                              'message', (SELECT string_agg(substr(md5((random() * 3000)::integer::text), 1, 3
                                                                   + (random() * 6)::integer), ' ')
                                          FROM generate_series(1, 15 + (n + turn) % 5)),
                              'timestamp', format('0:%s', turn)))
                          FROM generate_series(1, 45) AS turn))
FROM generate_series(1, 500) AS n;
UPDATE document SET digest = vrm.document_digest(results);
-- in order of time, as version 7 is
CREATE FUNCTION call_id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT (lpad(to_hex(n), 12, '0') || '7' || substr(md5('call ' || n), 2, 19))::uuid $$;
CREATE VIEW call AS
    SELECT call_id(i) AS id, md5('user ' || i % 100)::uuid AS user_id, 60 AS time_limit,
           'completed' AS status, now() - interval '3 years' + i * interval '1 s' AS started_at,
           now() - interval '3 years' + i * interval '1 s' + interval '2 min' AS completed_at, d.results, d.digest
    FROM generate_series(1, :rows) AS i JOIN document d ON d.n = i % 500 + 1;
INSERT INTO users SELECT md5('user ' || i)::uuid FROM generate_series(0, 99) AS i;
INSERT INTO auth.users (id, email) SELECT id, id || '@example.org' FROM users;

CREATE PROCEDURE load_calls(target regclass) LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE test_runs, test_runs_archive, vrm_private.test_runs_archive, vrm_private.archive_manifest,
        vrm_private.archive_removals, vrm.archive_compressions, vrm.retention_runs;
    TRUNCATE vrm.test_runs CASCADE;
    SET LOCAL session_replication_role = replica;
    -- a call of the platform has its digest since it ended
    EXECUTE format('INSERT INTO %s (id, user_id, time_limit, status, started_at, completed_at, results%s)'
                   ' SELECT id, user_id, time_limit, status, started_at, completed_at, results%s FROM call', target,
                   CASE WHEN target = 'vrm.test_runs'::regclass THEN ', results_sha256' END,
                   CASE WHEN target = 'vrm.test_runs'::regclass THEN ', digest' END);
END
$$;
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN SELECT c.oid FROM pg_class c WHERE c.relkind = 'r'
                    AND c.oid::regclass::text ~ '^(test_runs|vrm.test_runs|vrm_private.test_runs_archive)' LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false, toast.autovacuum_enabled = false)', relation);
    END LOOP;
END
$$;

-- Moves calls as a batch does, with or without digests; returns the nanoseconds of it.
CREATE FUNCTION move_sample(number bigint, with_digests boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := cpu();
    moved bigint;
BEGIN
    SELECT m.row_count INTO STRICT moved
    FROM (SELECT array_agg(s.ctid) AS places FROM (SELECT ctid FROM vrm.test_runs LIMIT number) AS s) AS due,
         LATERAL (SELECT (vrm_private.archive_columns('vrm.test_runs')).shared) AS names,
         vrm.archive_rows('vrm.test_runs', vrm_private.archive_partition('vrm.test_runs', now(), names.shared),
                          due.places, CASE WHEN with_digests THEN vrm_private.covered_columns(names.shared)
                                           ELSE '{}' END, now(), 1) AS m;
    IF moved <> number THEN
        RAISE EXCEPTION '% calls were moved', moved;
    END IF;
    RETURN cpu() - before;
END
$$;

-- Compresses what has been archived, as is done when its month is over.
CREATE FUNCTION compress() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    part regclass := (SELECT max(tableoid) FROM vrm_private.test_runs_archive);
BEGIN
    PERFORM vrm_private.compress_partition(part);
    RETURN (SELECT packed_rows FROM vrm.archive_compressions);
END
$$;
CREATE FUNCTION archive_size() RETURNS bigint LANGUAGE sql AS
    'SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = ''vrm_private.test_runs_archive''::regclass';

-- Reads so many calls one by one, wherever they are, as clients do; returns the nanoseconds of one.
CREATE FUNCTION read_calls(number bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := cpu();
    size bigint;
BEGIN
    FOR i IN 1 .. number LOOP
        SELECT length(r.results::text) INTO STRICT size FROM vrm.all_test_runs r
        WHERE r.user_id = md5('user ' || i % 100)::uuid AND r.id = call_id(i);
    END LOOP;
    RETURN (cpu() - before) / number;
END
$$;
CREATE FUNCTION digest_calls(number bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := cpu();
BEGIN
    PERFORM count(vrm.document_digest(c.results)) FROM (SELECT results FROM call LIMIT number) AS c;
    RETURN (cpu() - before) / number;
END
$$;

CREATE TABLE journal (id uuid NOT NULL, version integer NOT NULL);
CREATE TABLE watched (what text, longest interval);

-- The longest transaction of one backend, looked at every 5 ms until it idles.
CREATE PROCEDURE watch(name text, backend integer) LANGUAGE plpgsql AS $$
DECLARE
    longest interval := '0';
    took interval;
    seen boolean := false;
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT clock_timestamp() - a.xact_start INTO took FROM pg_stat_activity a WHERE a.pid = backend AND a.state = 'active';
        EXIT WHEN seen AND NOT FOUND;
        seen := seen OR FOUND;
        longest := greatest(longest, took);
        PERFORM pg_sleep(0.005);
    END LOOP;
    INSERT INTO watched VALUES (name, longest);
END
$$;
UPDATE vrm.retention_policies SET nice_ratio = 0 WHERE name LIKE 'calls.%';
