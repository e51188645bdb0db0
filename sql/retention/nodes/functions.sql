-- Months of the archive on other nodes.  Each is a table that Citus spreads by tenant; in its place in the archive is a
-- foreign table, which reads and writes that one within the transaction.  So row level security, holds and all that
-- knows the archive stay here and as they are, and nodes need neither this library nor keys.

CREATE OR REPLACE FUNCTION vrm_private.tables_on_nodes() RETURNS TABLE (relation regclass, source regclass)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.ftrelid::regclass, c.oid::regclass
    FROM pg_foreign_table t
    JOIN pg_foreign_server s ON s.oid = t.ftserver AND s.srvname = 'vrm_nodes'
    CROSS JOIN LATERAL (SELECT max(o.option_value) FILTER (WHERE o.option_name = 'schema_name') AS schema,
                               max(o.option_value) FILTER (WHERE o.option_name = 'table_name') AS name
                        FROM pg_options_to_table(t.ftoptions) o) AS place
    LEFT JOIN pg_namespace n ON n.nspname = place.schema
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = place.name
$$;
COMMENT ON FUNCTION vrm_private.tables_on_nodes() IS
    'foreign tables whose rows are on nodes, and the table of each there';

-- Settings that the text of a value depends on are pinned, and it is the text that is hashed: what is binary may
-- differ after a logical restore, as the numbers of enum labels do.  Sums do not depend on the order of rows.
-- Output functions and no cast to text: who owns a table may define one, and it would run as superuser here.
CREATE OR REPLACE FUNCTION vrm_private.rows_of(relation regclass, OUT row_count bigint, OUT digest text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'iso_8601' SET timezone = 'UTC' SET extra_float_digits = 1
    SET bytea_output = 'hex' SET lc_monetary = 'C' SET quote_all_identifiers = off SET row_security = off AS $$
BEGIN
    EXECUTE format('SELECT count(*), coalesce(sum(hashtextextended(textin(record_out(t.*)), 0)), 0)::text'
                   ' FROM ONLY %s AS t', relation)
        INTO row_count, digest;
END
$$;
COMMENT ON FUNCTION vrm_private.rows_of(regclass) IS 'rows of a table, and a digest of them';

CREATE OR REPLACE FUNCTION vrm_private.drop_on_nodes(source regclass) RETURNS void
    LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp SET citus.enable_ddl_propagation = on AS $$
BEGIN
    EXECUTE format('DROP TABLE %s', source);
END
$$;
COMMENT ON FUNCTION vrm_private.drop_on_nodes(regclass) IS 'drops a table that Citus spreads';

CREATE OR REPLACE FUNCTION vrm_private.drop_part(part regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    source regclass := (SELECT t.source FROM vrm_private.tables_on_nodes() t WHERE t.relation = part);
BEGIN
    IF part IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('DROP %s %s',
                   (SELECT CASE c.relkind WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END
                    FROM pg_class c WHERE c.oid = part), part);
    PERFORM vrm_private.drop_on_nodes(source);
END
$$;
COMMENT ON FUNCTION vrm_private.drop_part(regclass) IS 'drops what was a partition, with its rows wherever they are';

-- A foreign table cannot be locked, the one on the nodes can: whoever writes through the one writes the other.
CREATE OR REPLACE FUNCTION vrm_private.lock_part(part regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE',
                   coalesce((SELECT t.source FROM vrm_private.tables_on_nodes() t WHERE t.relation = part), part));
END
$$;
COMMENT ON FUNCTION vrm_private.lock_part(regclass) IS 'locks a partition against changes, wherever its rows are';

-- A foreign table cannot become a partition while the archive has its key, which therefore goes before and comes back
-- after, as one that is not of all partitions.  Months that are going to nodes need none here.
CREATE OR REPLACE FUNCTION vrm_private.drop_archive_key() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key name := (SELECT k.conname FROM pg_constraint k
                 WHERE k.conrelid = 'vrm_private.test_runs_archive'::regclass AND k.contype = 'p');
BEGIN
    IF key IS NOT NULL THEN
        EXECUTE format('ALTER TABLE vrm_private.test_runs_archive DROP CONSTRAINT %I', key);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.drop_archive_key() IS 'drops the primary key of the archive';

CREATE OR REPLACE FUNCTION vrm_private.make_archive_key() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part regclass;
BEGIN
    FOR part IN
        SELECT c.oid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind = 'r'
        WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass
          AND c.oid NOT IN (SELECT vrm_private.partitions_for_nodes())
          AND NOT EXISTS (SELECT FROM pg_index k WHERE k.indrelid = c.oid AND k.indisprimary)
    LOOP
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (user_id, id, archived_at)', part);
    END LOOP;
    ALTER TABLE ONLY vrm_private.test_runs_archive ADD PRIMARY KEY (user_id, id, archived_at);
END
$$;
COMMENT ON FUNCTION vrm_private.make_archive_key() IS
    'makes the primary key of the archive, and of each of its partitions that stays here';

-- What is altered there fires it again, and that does the rest.
CREATE OR REPLACE FUNCTION vrm_private.follow_on_nodes() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET citus.enable_ddl_propagation = on AS $$
DECLARE
    change text;
BEGIN
    LOOP
        SELECT format('ALTER TABLE %s %s', t.source,
                      CASE WHEN NOT c.is_here THEN format('DROP COLUMN %I', c.attname)
                           WHEN c.is_there THEN format('ALTER COLUMN %I TYPE %s', c.attname, c.type)
                           ELSE concat_ws(' ', format('ADD COLUMN %I %s', c.attname, c.type), 'DEFAULT ' || c.value,
                                          CASE WHEN c.is_required THEN 'NOT NULL' END) END) INTO change
        FROM vrm_private.tables_on_nodes() t
        CROSS JOIN LATERAL (
            SELECT attname, h.attname IS NOT NULL AS is_here, s.attname IS NOT NULL AS is_there,
                   h.attnotnull AS is_required, format_type(h.atttypid, h.atttypmod) AS type,
                   (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
                    WHERE d.adrelid = h.attrelid AND d.adnum = h.attnum) AS value
            FROM (SELECT * FROM pg_attribute a
                  WHERE a.attrelid = t.relation AND a.attnum > 0 AND NOT a.attisdropped) AS h
            FULL JOIN (SELECT * FROM pg_attribute a
                       WHERE a.attrelid = t.source AND a.attnum > 0 AND NOT a.attisdropped) AS s USING (attname)
            WHERE (h.atttypid, h.atttypmod) IS DISTINCT FROM (s.atttypid, s.atttypmod)) AS c
        LIMIT 1;
        EXIT WHEN NOT FOUND;
        EXECUTE change;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.follow_on_nodes() IS
    'event trigger: brings columns that were added, dropped or altered to the tables on nodes';

-- Dynamic, since there may be no Citus to name.
CREATE OR REPLACE FUNCTION vrm_private.require_nodes() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    version text := (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'citus');
    node record;
BEGIN
    IF version IS NULL OR split_part(version, '.', 1)::integer < 13 THEN
        RAISE EXCEPTION 'distributing tables over nodes is not supported here'
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = CASE WHEN version IS NULL THEN 'Extension citus is not installed.'
                                ELSE format('Extension citus is %s, and 13 or later is needed.', version) END,
                  HINT = 'With citus in shared_preload_libraries: CREATE EXTENSION citus;';
    END IF;
    EXECUTE 'SELECT count(*) AS others FROM pg_dist_node'
            ' WHERE isactive AND shouldhaveshards AND noderole = ''primary'' AND groupid <> 0' INTO node;
    IF node.others = 0 THEN
        RAISE EXCEPTION 'there is no other node that takes rows'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'SELECT citus_add_node(''node1.example.org'', 5432);';
    END IF;
    FOR node IN EXECUTE
        'SELECT n.nodename, n.nodeport, c.success, c.result'
        ' FROM run_command_on_all_nodes(''SHOW server_version_num'') AS c'
        ' JOIN pg_dist_node n USING (nodeid) ORDER BY 1, 2'
    LOOP
        IF NOT node.success
           OR node.result::integer / 10000 <> current_setting('server_version_num')::integer / 10000 THEN
            RAISE EXCEPTION 'node %:% cannot take rows', node.nodename, node.nodeport
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      DETAIL = CASE WHEN node.success
                                    THEN format('Its server_version_num is %s, that of this node %s.', node.result,
                                                current_setting('server_version_num'))
                                    ELSE format('It says: %s', node.result) END,
                      HINT = 'SELECT * FROM citus_check_cluster_node_health();';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.require_nodes() IS
    'an error, which says what to do, when rows cannot be brought to nodes';

CREATE OR REPLACE FUNCTION vrm_private.prepare_nodes() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET citus.enable_ddl_propagation = off AS $$
BEGIN
    CREATE SCHEMA IF NOT EXISTS vrm_nodes;
    COMMENT ON SCHEMA vrm_nodes IS 'tables of vrm that Citus spreads over nodes: vrm.distribute()';
    IF NOT EXISTS (SELECT FROM pg_foreign_server s WHERE s.srvname = 'vrm_nodes') THEN
        CREATE FOREIGN DATA WRAPPER vrm_nodes HANDLER vrm.nodes_handler;
        COMMENT ON FOREIGN DATA WRAPPER vrm_nodes IS 'tables whose rows Citus spreads over nodes';
        CREATE SERVER vrm_nodes FOREIGN DATA WRAPPER vrm_nodes;
        COMMENT ON SERVER vrm_nodes IS 'the nodes that Citus knows';
        CREATE EVENT TRIGGER vrm_follow_on_nodes ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
            EXECUTE FUNCTION vrm_private.follow_on_nodes();
        COMMENT ON EVENT TRIGGER vrm_follow_on_nodes IS 'columns of the archive are those of its months on nodes';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.prepare_nodes() IS 'makes what foreign tables on nodes need, once';

CREATE OR REPLACE FUNCTION vrm_private.columns_list(relation regclass) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
$$;
COMMENT ON FUNCTION vrm_private.columns_list(regclass) IS 'the columns of a table that are stored, for a statement';

-- Nothing is archived to a month that is over, a day after its end.  What a DBA has made of a partition by hand
-- would be lost with it.
CREATE OR REPLACE FUNCTION vrm_private.partitions_for_nodes() RETURNS SETOF regclass
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.oid::regclass
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind = 'r' AND NOT c.relhasrules
    WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass
      AND upper(vrm_private.partition_bounds(c.oid)) < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgparentid = 0)
      AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
      AND NOT EXISTS (SELECT FROM pg_publication_rel p WHERE p.prrelid = c.oid)
      AND NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND (a.attgenerated <> '' OR a.attidentity <> ''))
    ORDER BY vrm_private.partition_bounds(c.oid)
$$;
COMMENT ON FUNCTION vrm_private.partitions_for_nodes() IS
    'partitions of the archive that vrm.distribute() has not brought to nodes yet, oldest first';

-- The tables beside a partition: one that Citus spreads, and the foreign table that will take the partition's place.
CREATE OR REPLACE FUNCTION vrm_private.copy_on_nodes(part regclass) RETURNS regclass
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.relation FROM vrm_private.tables_on_nodes() t
    JOIN pg_class c ON c.oid = t.relation AND NOT c.relispartition
    JOIN pg_class s ON s.oid = t.source
    WHERE s.relname = (SELECT p.relname FROM pg_class p WHERE p.oid = part)
$$;
COMMENT ON FUNCTION vrm_private.copy_on_nodes(regclass) IS 'the foreign table that is to take a partition''s place';

CREATE OR REPLACE FUNCTION vrm_private.make_table_on_nodes(part regclass, shards integer) RETURNS regclass
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET citus.enable_ddl_propagation = on AS $$
DECLARE
    name name := (SELECT c.relname FROM pg_class c WHERE c.oid = part);
    beside text := (SELECT min(t.source::text) FROM vrm_private.tables_on_nodes() t);
    made regclass;
BEGIN
    PERFORM vrm_private.drop_on_nodes(to_regclass(format('vrm_nodes.%I', name)));
    EXECUTE format('CREATE TABLE vrm_nodes.%I (LIKE %s INCLUDING ALL)', name, part);
    IF NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = part AND i.indisprimary) THEN
        EXECUTE format('ALTER TABLE vrm_nodes.%I ADD PRIMARY KEY (user_id, id, archived_at)', name);
    END IF;
    EXECUTE format('COMMENT ON TABLE vrm_nodes.%I IS %L', name, format('rows of %s, which Citus spreads', part));
    EXECUTE format('REVOKE ALL ON vrm_nodes.%I FROM PUBLIC, anon, authenticated, service_role', name);
    made := format('vrm_nodes.%I', name);
    IF beside IS NULL THEN
        EXECUTE 'SELECT create_distributed_table($1, ''user_id'', colocate_with => ''none'', shard_count => $2)'
            USING made, shards;
    ELSE
        EXECUTE 'SELECT create_distributed_table($1, ''user_id'', colocate_with => $2)' USING made, beside;
    END IF;
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm_private.make_table_on_nodes(regclass, integer) IS
    'makes a table like a partition that Citus spreads, without its rows';

CREATE OR REPLACE FUNCTION vrm_private.make_foreign_table(part regclass, source regclass) RETURNS regclass
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name name := (SELECT c.relname FROM pg_class c WHERE c.oid = source);
    made text := format('vrm_private.%I', left(name, 57) || '_nodes');
    one record;
BEGIN
    EXECUTE (SELECT format('CREATE FOREIGN TABLE %s (%s) SERVER vrm_nodes OPTIONS (schema_name %L, table_name %L)',
                           made,
                           string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                                                'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
                                                CASE WHEN a.attnotnull THEN 'NOT NULL' END), ', ' ORDER BY a.attnum),
                           'vrm_nodes', name)
             FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = part AND a.attnum > 0 AND NOT a.attisdropped);
    EXECUTE format('COMMENT ON FOREIGN TABLE %s IS %L', made, obj_description(part, 'pg_class'));
    FOR one IN SELECT a.attname, col_description(a.attrelid, a.attnum) AS says FROM pg_attribute a
               WHERE a.attrelid = part AND a.attnum > 0 AND NOT a.attisdropped LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', made, one.attname, one.says);
    END LOOP;
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, anon, authenticated, service_role', made);
    RETURN made;
END
$$;
COMMENT ON FUNCTION vrm_private.make_foreign_table(regclass, regclass) IS
    'makes a foreign table like a partition, of the rows of a table that Citus spreads';

-- Who deletes from the partition or restores from it waits meanwhile, who reads does not.  What an interrupted call
-- has left is made anew.
CREATE OR REPLACE FUNCTION vrm_private.copy_to_nodes(part regclass, shards integer) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns text := vrm_private.columns_list(part);
    source regclass;
BEGIN
    PERFORM vrm_private.require_read_committed('bringing the archive to nodes');
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    PERFORM vrm_private.lock_part(part);
    PERFORM vrm_private.drop_part(vrm_private.copy_on_nodes(part));
    source := vrm_private.make_table_on_nodes(part, shards);
    EXECUTE format('INSERT INTO %s (%s) SELECT %2$s FROM ONLY %s', source, columns, part);
    PERFORM vrm_private.make_foreign_table(part, source);
END
$$;
COMMENT ON FUNCTION vrm_private.copy_to_nodes(regclass, integer) IS 'copies the rows of a partition to nodes';

-- Others are let pass in between, and nobody waits for long behind one who does.
CREATE OR REPLACE FUNCTION vrm_private.lock_archive_between_readers() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '50ms' AS $$
BEGIN
    FOR attempt IN 1 .. 100 LOOP
        BEGIN
            LOCK TABLE ONLY vrm_private.test_runs_archive IN ACCESS EXCLUSIVE MODE;
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
COMMENT ON FUNCTION vrm_private.lock_archive_between_readers() IS
    'locks the archive against readers, when there are none for a moment';

-- In a transaction after that of the copy: nobody looks for rows on a node that has not committed them yet.
CREATE OR REPLACE FUNCTION vrm_private.leave_to_nodes(part regclass) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    bounds tstzrange := vrm_private.partition_bounds(part);
    name name := (SELECT c.relname FROM pg_class c WHERE c.oid = part);
    made regclass := vrm_private.copy_on_nodes(part);
BEGIN
    PERFORM vrm_private.require_read_committed('bringing the archive to nodes');
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    PERFORM vrm_private.lock_part(part);
    IF made IS NULL OR vrm_private.rows_of(part) IS DISTINCT FROM vrm_private.rows_of(made) THEN
        RETURN false;
    END IF;
    EXECUTE format('ALTER FOREIGN TABLE %s ADD CONSTRAINT within_bounds'
                   ' CHECK (archived_at IS NOT NULL AND archived_at >= %L AND archived_at < %L)',
                   made, lower(bounds), upper(bounds));
    PERFORM vrm_private.lock_archive_between_readers();
    PERFORM vrm_private.drop_archive_key();
    PERFORM vrm_private.replace_partition(part, made, lower(bounds), upper(bounds));
    PERFORM vrm_private.make_archive_key();
    EXECUTE format('ALTER FOREIGN TABLE %s RENAME TO %I', made, name);
    RETURN true;
END
$$;
COMMENT ON FUNCTION vrm_private.leave_to_nodes(regclass) IS
    'puts the foreign table in a partition''s place if nodes have its rows; false when something has changed meanwhile';

CREATE OR REPLACE FUNCTION vrm_private.take_from_nodes(part regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    bounds tstzrange := vrm_private.partition_bounds(part);
    name name := (SELECT c.relname FROM pg_class c WHERE c.oid = part);
    columns text := vrm_private.columns_list(part);
    made regclass;
    one record;
BEGIN
    PERFORM vrm_private.require_read_committed('taking the archive back from nodes');
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    PERFORM vrm_private.lock_part(part);
    made := vrm_private.make_part('vrm_private.test_runs_archive', 'vrm_private.test_runs_archive',
                                  left(name, 58) || '_here', lower(bounds), upper(bounds));
    EXECUTE format('INSERT INTO %s (%s) SELECT %2$s FROM %s', made, columns, part);
    IF vrm_private.rows_of(part) IS DISTINCT FROM vrm_private.rows_of(made) THEN
        RAISE EXCEPTION 'rows of % came otherwise than they are on nodes', part USING ERRCODE = 'data_corrupted';
    END IF;
    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT within_bounds'
                   ' CHECK (archived_at IS NOT NULL AND archived_at >= %L AND archived_at < %L)',
                   made, lower(bounds), upper(bounds));
    PERFORM vrm_private.replace_partition_between_readers(part, made, bounds);
    EXECUTE format('ALTER TABLE %s RENAME TO %I', made, name);
    FOR one IN SELECT c.oid::regclass AS index, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
               WHERE i.indrelid = made AND c.relname LIKE left(name, 58) || '\_here\_%' LOOP
        EXECUTE format('ALTER INDEX %s RENAME TO %I', one.index,
                       name || substr(one.relname, length(left(name, 58) || '_here') + 1));
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.take_from_nodes(regclass) IS
    'puts a table with the rows that nodes have in the place of a foreign table, and drops those there';

-- An index that all partitions have joined is valid by itself.
CREATE OR REPLACE FUNCTION vrm_private.complete_archive_key() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    whole regclass := (SELECT i.indexrelid FROM pg_index i
                       WHERE i.indrelid = 'vrm_private.test_runs_archive'::regclass AND i.indisprimary);
    part regclass;
BEGIN
    FOR part IN SELECT i.indexrelid FROM pg_inherits p JOIN pg_index i ON i.indrelid = p.inhrelid AND i.indisprimary
                WHERE p.inhparent = 'vrm_private.test_runs_archive'::regclass
                  AND NOT EXISTS (SELECT FROM pg_inherits a WHERE a.inhrelid = i.indexrelid) LOOP
        EXECUTE format('ALTER INDEX %s ATTACH PARTITION %s', whole, part);
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.complete_archive_key() IS 'lets the keys of all partitions be one of the archive again';

CREATE OR REPLACE FUNCTION vrm_private.forget_nodes() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET citus.enable_ddl_propagation = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_foreign_server s WHERE s.srvname = 'vrm_nodes') THEN
        RETURN;
    END IF;
    -- copies that an interrupted call has left
    PERFORM vrm_private.drop_part(t.relation) FROM vrm_private.tables_on_nodes() t;
    PERFORM vrm_private.drop_on_nodes(c.oid) FROM pg_class c
    WHERE c.relnamespace = 'vrm_nodes'::regnamespace AND c.relkind = 'r';
    DROP SCHEMA vrm_nodes;
    DROP EVENT TRIGGER vrm_follow_on_nodes;
    DROP SERVER vrm_nodes;
    DROP FOREIGN DATA WRAPPER vrm_nodes;
    PERFORM vrm_private.complete_archive_key();
END
$$;
COMMENT ON FUNCTION vrm_private.forget_nodes() IS
    'drops what vrm.distribute() has made, when no rows are on nodes any more';

-- Neither SECURITY DEFINER nor a setting of its own: a procedure with one of them cannot commit.
CREATE OR REPLACE PROCEDURE vrm.distribute(shards integer DEFAULT 32)
    LANGUAGE plpgsql AS $$
DECLARE
    part pg_catalog.regclass;
BEGIN
    IF shards IS NULL OR shards NOT BETWEEN 1 AND 64000 THEN
        RAISE EXCEPTION 'there have to be 1 to 64000 shards'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = pg_catalog.format('%s were asked for.', coalesce(shards::pg_catalog.text, 'null')),
                  HINT = 'CALL vrm.distribute(32);';
    END IF;
    PERFORM vrm_private.require_nodes();
    COMMIT;
    PERFORM vrm_private.prepare_nodes();
    COMMIT;
    LOOP
        part := (SELECT p FROM vrm_private.partitions_for_nodes() p LIMIT 1);
        EXIT WHEN part IS NULL;
        IF NOT vrm_private.leave_to_nodes(part) THEN
            PERFORM vrm_private.copy_to_nodes(part, shards);
        END IF;
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE vrm.distribute(integer) IS
    'brings months of the archive that are over to nodes, a transaction a step; again, those that are over since';

CREATE OR REPLACE PROCEDURE vrm.undistribute()
    LANGUAGE plpgsql AS $$
DECLARE
    part pg_catalog.regclass;
BEGIN
    LOOP
        part := (SELECT t.relation FROM vrm_private.tables_on_nodes() t
                 JOIN pg_catalog.pg_class c ON c.oid = t.relation AND c.relispartition ORDER BY 1 LIMIT 1);
        EXIT WHEN part IS NULL;
        PERFORM vrm_private.take_from_nodes(part);
        COMMIT;
    END LOOP;
    PERFORM vrm_private.forget_nodes();
END
$$;
COMMENT ON PROCEDURE vrm.undistribute() IS
    'takes back what vrm.distribute() has brought to nodes, a transaction a month';

REVOKE EXECUTE ON FUNCTION
    vrm_private.tables_on_nodes(), vrm_private.rows_of(regclass), vrm_private.drop_on_nodes(regclass),
    vrm_private.follow_on_nodes(),
    vrm_private.drop_part(regclass), vrm_private.lock_part(regclass),
    vrm_private.drop_archive_key(),
    vrm_private.make_archive_key(), vrm_private.complete_archive_key(), vrm_private.lock_archive_between_readers(),
    vrm_private.require_nodes(), vrm_private.prepare_nodes(), vrm_private.columns_list(regclass),
    vrm_private.partitions_for_nodes(), vrm_private.copy_on_nodes(regclass),
    vrm_private.make_table_on_nodes(regclass, integer), vrm_private.make_foreign_table(regclass, regclass),
    vrm_private.copy_to_nodes(regclass, integer), vrm_private.leave_to_nodes(regclass),
    vrm_private.take_from_nodes(regclass), vrm_private.forget_nodes()
    FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE vrm.distribute(integer), vrm.undistribute() FROM PUBLIC;
