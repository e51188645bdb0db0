-- Partitions by time, of whatever table

-- Rows that lie in the default partition already move over; without that the new one is refused.
CREATE OR REPLACE FUNCTION vrm_private.make_partition(
    parent regclass, part_name name, low timestamptz, high timestamptz
) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.oid = parent);
    age name := (SELECT a.attname FROM pg_partitioned_table p
                 JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
                 WHERE p.partrelid = parent);
    rest regclass := (SELECT nullif(p.partdefid, 0)::regclass FROM pg_partitioned_table p WHERE p.partrelid = parent);
BEGIN
    IF to_regclass(format('%I.%I', schema, part_name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', rest);
    EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING ALL)', schema, part_name, parent);
    EXECUTE format('COMMENT ON TABLE %I.%I IS %L', schema, part_name,
                   format('rows of %s from %s to %s', parent, low, high));
    EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', schema, part_name);
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC, anon, authenticated, service_role', schema, part_name);
    EXECUTE format('WITH moved AS (DELETE FROM %s WHERE %I >= $1 AND %I < $2 RETURNING *)'
                   ' INSERT INTO %I.%I SELECT * FROM moved',
                   rest, age, age, schema, part_name) USING low, high;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
                   parent, schema, part_name, low, high);
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm_private.make_partition(regclass, name, timestamptz, timestamptz) IS
    'makes a partition unless it is there, and moves rows of its range into it; says whether it made one';

CREATE OR REPLACE FUNCTION vrm_private.partition_end(partition oid) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM $r$TO \('([^']*)'\)$r$)::timestamptz
    FROM pg_class c WHERE c.oid = partition
$$;
COMMENT ON FUNCTION vrm_private.partition_end(oid) IS
    'upper bound of a partition by time; null for a default partition';

CREATE OR REPLACE FUNCTION vrm_private.expired_partitions(parent regclass, cutoff timestamptz) RETURNS oid[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(i.inhrelid), '{}') FROM pg_inherits i
    WHERE i.inhparent = parent AND vrm_private.partition_end(i.inhrelid) <= cutoff
$$;
COMMENT ON FUNCTION vrm_private.expired_partitions(regclass, timestamptz) IS
    'partitions all of whose rows are older than the cutoff';
REVOKE EXECUTE ON FUNCTION
    vrm_private.make_partition(regclass, name, timestamptz, timestamptz),
    vrm_private.partition_end(oid),
    vrm_private.expired_partitions(regclass, timestamptz)
    FROM PUBLIC;
