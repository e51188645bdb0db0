-- Partitions of the archive in files outside of the database, which tools/vrm-archive writes and reads

CREATE OR REPLACE FUNCTION vrm_private.gone_on_purpose(batch_id bigint, purged_at timestamptz) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce('purged on ' || purged_at::date,
                    (SELECT 'in cold storage since ' || c.exported_at::date FROM vrm.cold_archive c
                     WHERE c.imported_at IS NULL AND gone_on_purpose.batch_id = ANY (c.batches)))
$$;
COMMENT ON FUNCTION vrm_private.gone_on_purpose(bigint, timestamptz) IS
    'why the calls of a batch are not in the archive; null when they should be';

CREATE OR REPLACE FUNCTION vrm_private.archive_part(partition_name text) RETURNS regclass
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part regclass := (SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                      WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass
                        AND c.relname = archive_part.partition_name
                        AND vrm_private.partition_bounds(c.oid) IS NOT NULL);
BEGIN
    IF part IS NULL THEN
        RAISE EXCEPTION 'the archive has no partition "%"', partition_name
            USING ERRCODE = 'undefined_table',
                  HINT = 'SELECT relid FROM pg_partition_tree(''vrm_private.test_runs_archive'') WHERE isleaf;';
    END IF;
    RETURN part;
END
$$;
COMMENT ON FUNCTION vrm_private.archive_part(text) IS 'a partition of the archive by its name, but the default one';

-- Unpacked, so that a file can be read without a dictionary.
CREATE OR REPLACE FUNCTION vrm.cold_calls(partition_name text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' SET lc_monetary = 'C'
    SET quote_all_identifiers = off AS $$
BEGIN
    RETURN QUERY
    SELECT to_jsonb(vrm_private.unpacked(a.*))::text FROM vrm_private.test_runs_archive a
    WHERE a.tableoid = vrm_private.archive_part(partition_name);
END
$$;
COMMENT ON FUNCTION vrm.cold_calls(text) IS 'the calls of a partition of the archive, a line of JSON each';

CREATE OR REPLACE FUNCTION vrm_private.lines_digest(digests bytea[]) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(coalesce(string_agg(d, '' ORDER BY d), '')) FROM unnest(digests) AS d
$$;
COMMENT ON FUNCTION vrm_private.lines_digest(bytea[]) IS 'digest of a set of lines, given that of each';

CREATE OR REPLACE FUNCTION vrm.cold_manifest(partition_name text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' SET lc_monetary = 'C'
    SET quote_all_identifiers = off AS $$
DECLARE
    bounds tstzrange := vrm_private.partition_bounds(vrm_private.archive_part(partition_name));
BEGIN
    RETURN (SELECT jsonb_build_object(
                'version', 1, 'partition', partition_name, 'from', lower(bounds), 'to', upper(bounds),
                'calls', count(*),
                'sha256', encode(vrm_private.lines_digest(array_agg(sha256(convert_to(l, 'UTF8')))), 'hex'),
                'batches', (SELECT coalesce(jsonb_agg(to_jsonb(m) || jsonb_build_object(
                                       'removed', (SELECT count(*) FROM vrm_private.archive_removals r
                                                   WHERE r.batch_id = m.batch_id)) ORDER BY m.batch_id), '[]')
                            FROM vrm_private.archive_manifest m WHERE m.archived_at <@ bounds))
            FROM vrm.cold_calls(partition_name) AS l);
END
$$;
COMMENT ON FUNCTION vrm.cold_manifest(text) IS 'what tells whether a file has the calls of a partition of the archive';

CREATE OR REPLACE FUNCTION vrm_private.require_intact(batches bigint[]) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong record;
BEGIN
    SELECT v.* INTO wrong
    FROM (SELECT DISTINCT m.run_id FROM vrm_private.archive_manifest m WHERE m.batch_id = ANY (batches)) AS r,
         vrm.verify_archive(r.run_id) AS v
    WHERE NOT v.ok AND v.batch_id = ANY (batches)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'batch % of the archive is not what was archived', wrong.batch_id
            USING ERRCODE = 'data_corrupted', DETAIL = wrong.detail || '.',
                  HINT = 'SELECT * FROM vrm.verify_archive() WHERE NOT ok;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.require_intact(bigint[]) IS 'an error when batches of the archive do not verify';

CREATE OR REPLACE FUNCTION vrm.drop_cold_partition(partition_name text, lines_sha256 bytea) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part regclass := vrm_private.archive_part(partition_name);
    bounds tstzrange := vrm_private.partition_bounds(part);
    manifest jsonb;
    held uuid;
    batches bigint[];
BEGIN
    PERFORM vrm_private.require_read_committed('taking a partition out of the archive');
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    PERFORM vrm_private.lock_part(part);
    SELECT a.id INTO held FROM vrm_private.test_runs_archive a,
                               vrm_private.holds_on(a.user_id, a.agent_id, a.id, a.started_at) h
    WHERE a.tableoid = part LIMIT 1;
    IF held IS NOT NULL THEN
        RAISE EXCEPTION 'test run "%" is under a legal hold', held
            USING ERRCODE = 'object_in_use', DETAIL = 'Nothing was taken out of the archive.',
                  HINT = 'SELECT * FROM vrm_private.legal_holds WHERE released_at IS NULL;';
    END IF;
    manifest := vrm.cold_manifest(partition_name);
    batches := ARRAY(SELECT (b ->> 'batch_id')::bigint FROM jsonb_array_elements(manifest -> 'batches') AS b);
    PERFORM vrm_private.require_intact(batches);
    IF manifest ->> 'sha256' IS DISTINCT FROM encode(lines_sha256, 'hex')
       OR EXISTS (SELECT FROM vrm_private.test_runs_archive a
                  WHERE a.tableoid = part AND (a.batch_id = ANY (batches)) IS NOT TRUE) THEN
        RAISE EXCEPTION 'partition "%" has other calls than the file', partition_name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Calls were erased, restored or brought in meanwhile, or are of no batch.',
                  HINT = 'Remove the files, SELECT * FROM vrm.verify_archive() WHERE NOT ok; and export it once more.';
    END IF;
    PERFORM vrm_private.replace_partition_between_readers(part, NULL, bounds);
    INSERT INTO vrm.cold_archive AS c (partition_name, low, high, calls, lines_sha256, batches)
    VALUES (drop_cold_partition.partition_name, lower(bounds), upper(bounds), (manifest ->> 'calls')::bigint,
            drop_cold_partition.lines_sha256, batches)
    ON CONFLICT ON CONSTRAINT cold_archive_pkey DO UPDATE
        SET calls = excluded.calls, lines_sha256 = excluded.lines_sha256, batches = excluded.batches,
            exported_at = excluded.exported_at, imported_at = NULL;
END
$$;
COMMENT ON FUNCTION vrm.drop_cold_partition(text, bytea) IS
    'drops a partition of the archive whose calls are in a file, and remembers where they went';

-- Lines are compared with what was exported, and calls with the manifest.  Whoever was erased meanwhile does not
-- come back.
CREATE OR REPLACE FUNCTION vrm.import_cold_calls(partition_name text, lines regclass) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' SET lc_monetary = 'C'
    SET quote_all_identifiers = off AS $$
DECLARE
    known vrm.cold_archive;
    digest bytea;
    columns text := (SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute a
                     WHERE a.attrelid = 'vrm_private.test_runs_archive'::regclass AND a.attnum > 0
                       AND NOT a.attisdropped AND a.attgenerated = '');
    calls text := format('%s l CROSS JOIN LATERAL'
                         ' jsonb_populate_record(NULL::vrm_private.test_runs_archive, l.line::jsonb) AS c', lines);
    came bigint;
BEGIN
    PERFORM vrm_private.require_read_committed('bringing calls back to the archive');
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    SELECT * INTO known FROM vrm.cold_archive c
    WHERE c.partition_name = import_cold_calls.partition_name AND c.imported_at IS NULL;
    IF known IS NULL THEN
        RAISE EXCEPTION 'partition "%" is not in cold storage', partition_name
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT partition_name, exported_at, imported_at FROM vrm.cold_archive;';
    END IF;
    EXECUTE format('SELECT vrm_private.lines_digest(array_agg(sha256(convert_to(l.line, ''UTF8'')))) FROM %s l', lines)
        INTO digest;
    IF digest IS DISTINCT FROM known.lines_sha256 THEN
        RAISE EXCEPTION 'calls are not those that were exported'
            USING ERRCODE = 'data_corrupted',
                  DETAIL = format('Their SHA-256 is %s, that of partition "%s" %s.', encode(digest, 'hex'),
                                  partition_name, encode(known.lines_sha256, 'hex')),
                  HINT = 'SELECT * FROM vrm.cold_archive;';
    END IF;
    IF NOT vrm_private.make_partition('vrm_private.test_runs_archive', partition_name::name, known.low, known.high) THEN
        RAISE EXCEPTION 'partition "%" cannot be made', partition_name
            USING ERRCODE = 'duplicate_table', DETAIL = 'Another one has its name or its times.',
                  HINT = 'SELECT relid FROM pg_partition_tree(''vrm_private.test_runs_archive'') WHERE isleaf;';
    END IF;
    EXECUTE format('INSERT INTO vrm_private.test_runs_archive (%1$s) OVERRIDING SYSTEM VALUE SELECT %1$s FROM %2$s',
                   columns, calls || ' WHERE EXISTS (SELECT FROM vrm.user_profiles p WHERE p.id = c.user_id)');
    GET DIAGNOSTICS came = ROW_COUNT;
    EXECUTE 'INSERT INTO vrm_private.archive_removals (batch_id, row_sha256, reason)'
            ' SELECT m.batch_id, vrm.row_digest(c.*, m.columns), ''erased'' FROM ' || calls ||
            ' JOIN vrm_private.archive_manifest m ON m.batch_id = c.batch_id'
            ' WHERE NOT EXISTS (SELECT FROM vrm.user_profiles p WHERE p.id = c.user_id)';
    UPDATE vrm.cold_archive c SET imported_at = clock_timestamp()
    WHERE c.partition_name = import_cold_calls.partition_name;
    PERFORM vrm_private.require_intact(known.batches);
    RETURN came;
END
$$;
COMMENT ON FUNCTION vrm.import_cold_calls(text, regclass) IS
    'brings the calls of a partition back to the archive from a table with a column "line"; returns how many';

REVOKE EXECUTE ON FUNCTION
    vrm_private.gone_on_purpose(bigint, timestamptz), vrm_private.archive_part(text), vrm.cold_calls(text),
    vrm_private.lines_digest(bytea[]), vrm.cold_manifest(text), vrm_private.require_intact(bigint[]),
    vrm.drop_cold_partition(text, bytea), vrm.import_cold_calls(text, regclass)
    FROM PUBLIC;
