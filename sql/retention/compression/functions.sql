-- Archived calls, compressed: partitions are rewritten with their results packed by zstd

-- Not a member, which the view would go with at DROP EXTENSION ... CASCADE, and with it all that refers to the view.
-- Without settings of its own, so that it becomes a part of the query.
CREATE OR REPLACE FUNCTION vrm_private.archived_results(results jsonb, packed_results bytea) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(results, vrm.unpack_results(packed_results))
$$;
COMMENT ON FUNCTION vrm_private.archived_results(jsonb, bytea) IS 'results of an archived call, compressed or not';

REVOKE EXECUTE ON FUNCTION vrm_private.archived_results(jsonb, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm_private.archived_results(jsonb, bytea) TO authenticated, service_role;

CREATE OR REPLACE FUNCTION vrm_private.unpacked(call vrm_private.test_runs_archive)
    RETURNS vrm_private.test_runs_archive
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF call.packed_results IS NOT NULL THEN
        call.results := vrm.unpack_results(call.packed_results);
        call.packed_results := NULL;
    END IF;
    RETURN call;
END
$$;
COMMENT ON FUNCTION vrm_private.unpacked(vrm_private.test_runs_archive) IS 'an archived call as it was archived';

-- Batches of 1.0.0 have digests of results, others of the digest of these.
CREATE OR REPLACE FUNCTION vrm_private.archived_digest(call vrm_private.test_runs_archive, columns text[])
    RETURNS bytea
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF call.packed_results IS NOT NULL AND 'results' = ANY (columns) THEN
        call := vrm_private.unpacked(call);
    END IF;
    RETURN vrm.row_digest(call, columns);
END
$$;
COMMENT ON FUNCTION vrm_private.archived_digest(vrm_private.test_runs_archive, text[]) IS
    'vrm.row_digest() of an archived call, packed or not';

CREATE OR REPLACE FUNCTION vrm_private.has_its_results(call vrm_private.test_runs_archive, columns text[])
    RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(CASE WHEN call.packed_results IS NOT NULL
                         THEN vrm.packed_digest(call.packed_results) = call.results_sha256
                         ELSE 'results' = ANY (columns) OR vrm.document_digest(call.results) = call.results_sha256 END,
                    false);
END
$$;
COMMENT ON FUNCTION vrm_private.has_its_results(vrm_private.test_runs_archive, text[]) IS
    'whether results that vrm.row_digest() of an archived call does not cover are those of their digest';

CREATE OR REPLACE FUNCTION vrm.make_archive_dictionary(tenants_at_least integer DEFAULT 10) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    said record;
    made integer;
BEGIN
    PERFORM vrm.require_grant('vrm.make_archive_dictionary(integer)');
    IF tenants_at_least >= 5 IS NOT TRUE THEN
        RAISE EXCEPTION 'a dictionary is made of what at least five users say'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s: it would hold what can be told to be of somebody.',
                                  coalesce(tenants_at_least::text, 'null')),
                  HINT = 'SELECT vrm.make_archive_dictionary();';
    END IF;
    SELECT * INTO said FROM vrm.phrases_of_tenants(tenants_at_least, 200);
    IF said.tenants < tenants_at_least THEN
        RAISE EXCEPTION 'calls of % users are too few for a dictionary', said.tenants
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('Phrases of at least %s are looked for.', tenants_at_least),
                  HINT = 'CALL vrm.compress_archive();  -- with the one that is built in';
    END IF;
    INSERT INTO vrm_private.archive_dictionaries (content, content_sha256, tenants_at_least, tenants, messages)
    VALUES (said.content, sha256(said.content), tenants_at_least, said.tenants, said.messages)
    RETURNING dictionary INTO made;
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm.make_archive_dictionary(integer) IS
    'makes a dictionary of what calls of at least so many users say, for vrm.compress_archive(); returns its number';

-- Nothing is archived to a month that is over, a day after its end.  What a DBA has made of a partition by hand
-- would be lost with it.
CREATE OR REPLACE FUNCTION vrm_private.partitions_to_compress() RETURNS SETOF regclass
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.oid::regclass
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind = 'r' AND NOT c.relhasrules
    WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass
      AND upper(vrm_private.partition_bounds(c.oid)) < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM vrm.archive_compressions d WHERE d.partition_name = c.relname)
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgparentid = 0)
      AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
      AND NOT EXISTS (SELECT FROM pg_publication_rel p WHERE p.prrelid = c.oid)
    ORDER BY vrm_private.partition_bounds(c.oid)
$$;
COMMENT ON FUNCTION vrm_private.partitions_to_compress() IS
    'partitions of the archive that vrm.compress_archive() has not packed yet, oldest first';

-- Checked before, so that nobody waits while it is attached.
CREATE OR REPLACE FUNCTION vrm_private.replace_partition(
    part regclass, made regclass, low timestamptz, high timestamptz
) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '50ms' AS $$
DECLARE
    parent regclass := (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = part);
BEGIN
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent, part);
    PERFORM vrm_private.drop_part(part);
    IF made IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', parent, made, low, high);
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT within_bounds', made);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.replace_partition(regclass, regclass, timestamptz, timestamptz) IS
    'puts a table, or nothing, in the place of a partition, or gives up after a moment of waiting for others';

CREATE OR REPLACE FUNCTION vrm_private.replace_partition_between_readers(part regclass, made regclass, bounds tstzrange)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    FOR attempt IN 1 .. 100 LOOP
        BEGIN
            PERFORM vrm_private.replace_partition(part, made, lower(bounds), upper(bounds));
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            IF attempt = 100 THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.05);
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.replace_partition_between_readers(regclass, regclass, tstzrange) IS
    'vrm_private.replace_partition() until it succeeds, for some seconds: others are let pass in between';

-- One transaction: whoever deletes from the archive or restores from it waits, who reads does not, but for the
-- moment of the exchange.  Rows are the same, so that holds are kept.
CREATE OR REPLACE FUNCTION vrm_private.compress_partition(part regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    bounds tstzrange := vrm_private.partition_bounds(part);
    began timestamptz := clock_timestamp();
    number integer := (SELECT coalesce(max(d.dictionary), 0) FROM vrm_private.archive_dictionaries d);
    before bigint;
    made regclass;
    packed record;
BEGIN
    PERFORM vrm_private.require_read_committed('compressing the archive');
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    PERFORM vrm_private.check_clock();
    PERFORM vrm_private.lock_part(part);
    before := pg_total_relation_size(part);
    made := vrm_private.make_part('vrm_private.test_runs_archive', part,
                                  (SELECT left(c.relname, 58) || '_zstd' FROM pg_class c WHERE c.oid = part),
                                  lower(bounds), upper(bounds));
    SELECT p.* INTO packed FROM vrm.pack_archive(part, made, number) p;
    EXECUTE format('ANALYZE %s', made);
    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT within_bounds'
                   ' CHECK (archived_at IS NOT NULL AND archived_at >= %L AND archived_at < %L)',
                   made, lower(bounds), upper(bounds));
    PERFORM vrm_private.replace_partition_between_readers(part, made, bounds);
    INSERT INTO vrm.archive_compressions (partition_name, dictionary, row_count, packed_rows, bytes_before,
                                          bytes_after, began_at)
    SELECT c.relname, number, packed.row_count, packed.packed_rows, before,
           pg_total_relation_size(made), began
    FROM pg_class c WHERE c.oid = made;
END
$$;
COMMENT ON FUNCTION vrm_private.compress_partition(regclass) IS
    'replaces a partition of the archive by one with the same calls, their results packed';

-- Neither SECURITY DEFINER nor a setting of its own: a procedure with one of them cannot commit.
CREATE OR REPLACE PROCEDURE vrm.compress_archive()
    LANGUAGE plpgsql AS $$
DECLARE
    part pg_catalog.regclass;
BEGIN
    LOOP
        part := (SELECT p FROM vrm_private.partitions_to_compress() p LIMIT 1);
        EXIT WHEN part IS NULL;
        PERFORM vrm_private.compress_partition(part);
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE vrm.compress_archive() IS
    'rewrites the archive''s partitions of months that are over with their calls compressed, each in a transaction';

REVOKE EXECUTE ON FUNCTION
    vrm_private.unpacked(vrm_private.test_runs_archive),
    vrm_private.archived_digest(vrm_private.test_runs_archive, text[]),
    vrm_private.has_its_results(vrm_private.test_runs_archive, text[]),
    vrm.make_archive_dictionary(integer), vrm_private.partitions_to_compress(),
    vrm_private.replace_partition(regclass, regclass, timestamptz, timestamptz),
    vrm_private.replace_partition_between_readers(regclass, regclass, tstzrange),
    vrm_private.compress_partition(regclass)
    FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE vrm.compress_archive() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.make_archive_dictionary(integer) TO service_role;
