-- Partitions by time, of whatever table

CREATE OR REPLACE FUNCTION vrm_private.partition_bounds(partition oid) RETURNS tstzrange
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- MINVALUE and MAXVALUE stand without quotes, and become no bound
    RETURN (SELECT tstzrange(substring(b.text FROM $r$FROM \('([^']*)'$r$)::timestamptz,
                             substring(b.text FROM $r$TO \('([^']*)'$r$)::timestamptz)
            FROM (SELECT pg_get_expr(c.relpartbound, c.oid) AS text FROM pg_class c WHERE c.oid = partition) AS b
            WHERE b.text LIKE 'FOR VALUES FROM%');
END
$$;
COMMENT ON FUNCTION vrm_private.partition_bounds(oid) IS
    'times that a partition by time takes; null for a default partition';

CREATE OR REPLACE FUNCTION vrm_private.make_part(
    parent regclass, model regclass, part_name name, low timestamptz, high timestamptz
) RETURNS regclass
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.oid = model);
    place text := coalesce((SELECT format('TABLESPACE %I', s.spcname) FROM pg_class c
                            JOIN pg_tablespace s ON s.oid = c.reltablespace WHERE c.oid = model), '');
BEGIN
    EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING ALL) %s', schema, part_name, model, place);
    EXECUTE format('COMMENT ON TABLE %I.%I IS %L', schema, part_name,
                   format('rows of %s from %s to %s', parent, low, high));
    EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', schema, part_name);
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC, anon, authenticated, service_role', schema, part_name);
    IF schema = 'vrm' THEN
        PERFORM vrm_private.guard_truncate(format('%I.%I', schema, part_name)::regclass);
    END IF;
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = parent AND c.relreplident = 'f') THEN
        EXECUTE format('ALTER TABLE %I.%I REPLICA IDENTITY FULL', schema, part_name);
    END IF;
    RETURN format('%I.%I', schema, part_name);
END
$$;
COMMENT ON FUNCTION vrm_private.make_part(regclass, regclass, name, timestamptz, timestamptz) IS
    'makes a table that can become a partition, like the partitioned table or one of its partitions';

-- Rows that lie in the default partition already move over; without that the new one is refused.  A
-- DBA may have cut the time otherwise: what a partition of theirs takes, even in part, is left to it
-- and to the default partition.  Who writes a row of now has found the default partition for it, and would fail
-- where that takes it no longer: they wait for the parent, and look again.
CREATE OR REPLACE FUNCTION vrm_private.make_partition(
    parent regclass, part_name name, low timestamptz, high timestamptz
) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.oid = parent);
    age name;
    rest regclass;
    columns text;
BEGIN
    IF to_regclass(format('%I.%I', schema, part_name)) IS NOT NULL
       OR EXISTS (SELECT FROM pg_inherits i
                  WHERE i.inhparent = parent
                    AND vrm_private.partition_bounds(i.inhrelid) && tstzrange(low, high)) THEN
        RETURN false;
    END IF;
    SELECT a.attname, nullif(p.partdefid, 0)::regclass INTO age, rest
    FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partrelid = parent;
    columns := (SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute a
                WHERE a.attrelid = parent AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '');
    IF rest IS NOT NULL AND low <= clock_timestamp() THEN
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', parent);
    END IF;
    IF rest IS NOT NULL THEN
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', rest);
    END IF;
    PERFORM vrm_private.make_part(parent, parent, part_name, low, high);
    IF rest IS NOT NULL THEN
        EXECUTE format('WITH moved AS (DELETE FROM %1$s WHERE %2$I >= $1 AND %2$I < $2 RETURNING %5$s)'
                       ' INSERT INTO %3$I.%4$I (%5$s) OVERRIDING SYSTEM VALUE SELECT %5$s FROM moved',
                       rest, age, schema, part_name, columns) USING low, high;
    END IF;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
                   parent, schema, part_name, low, high);
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm_private.make_partition(regclass, name, timestamptz, timestamptz) IS
    'makes a partition unless something takes its times, and moves rows of its range into it; says whether it made one';

CREATE OR REPLACE FUNCTION vrm_private.expired_partitions(parent regclass, cutoff timestamptz) RETURNS oid[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(i.inhrelid), '{}') FROM pg_inherits i
    WHERE i.inhparent = parent AND upper(vrm_private.partition_bounds(i.inhrelid)) <= cutoff
$$;
COMMENT ON FUNCTION vrm_private.expired_partitions(regclass, timestamptz) IS
    'partitions all of whose rows are older than the cutoff';
REVOKE EXECUTE ON FUNCTION
    vrm_private.partition_bounds(oid),
    vrm_private.make_part(regclass, regclass, name, timestamptz, timestamptz),
    vrm_private.make_partition(regclass, name, timestamptz, timestamptz),
    vrm_private.expired_partitions(regclass, timestamptz)
    FROM PUBLIC;
