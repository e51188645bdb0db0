-- Tenants on their way to another database

-- Left out is what the other database fills in: numbers of its own, transaction ids, the batch of the archive.
CREATE OR REPLACE FUNCTION vrm_private.tenant_columns(only_of regclass DEFAULT NULL)
    RETURNS TABLE (relation regclass, name name, type text, is_sealed boolean, is_required boolean, place bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH columns AS MATERIALIZED (
        SELECT t.relation, a.*
        FROM vrm_private.tenant_tables() t
        JOIN pg_attribute a ON a.attrelid = t.relation AND a.attnum > 0 AND NOT a.attisdropped
        WHERE t.fate = 'moves' AND (only_of IS NULL OR t.relation = only_of)
          AND a.attgenerated = '' AND a.attidentity = ''
          AND a.atttypid NOT IN ('xid8'::regtype, 'pg_snapshot'::regtype)
          AND NOT (t.relation = 'vrm_private.test_runs_archive'::regclass
                   AND a.attname IN ('batch_id', 'packed_results'))
    ), types AS MATERIALIZED (
        SELECT d.oid, vrm_private.is_trusted_type(d.oid) AS is_trusted
        FROM (SELECT DISTINCT c.atttypid FROM columns c) AS d (oid)
    )
    SELECT c.relation, c.attname, format_type(c.atttypid, c.atttypmod), s.column_id IS NOT NULL, c.attnotnull,
           row_number() OVER (PARTITION BY c.relation ORDER BY c.attnum)
    FROM columns c
    JOIN types y ON y.oid = c.atttypid
    LEFT JOIN vrm_private.sealed_triggers() s ON s.relation = c.relation AND s.column_name = c.attname
    WHERE y.is_trusted OR vrm_private.refuse_type(c.relation, c.attname)
$$;
COMMENT ON FUNCTION vrm_private.tenant_columns(regclass) IS 'columns of the rows that go along with a tenant';

CREATE OR REPLACE FUNCTION vrm_private.refuse_type(relation regclass, column_name name) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'tenants cannot move while column "%" of % is there', column_name, relation
        USING ERRCODE = 'feature_not_supported',
              DETAIL = 'Its type belongs to somebody who is no superuser, and the code of types would run as one.',
              HINT = format('ALTER TABLE %s ALTER COLUMN %I TYPE text;', relation, column_name);
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_type(regclass, name) IS 'the error of vrm_private.tenant_columns()';

-- What a sealed value is bound to on its way: where it belongs.
CREATE OR REPLACE FUNCTION vrm_private.transfer_context(relation regclass, column_name name, key text[]) RETURNS bytea
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT convert_to(jsonb_build_array('vrm.tenant/1', relation::text, column_name, to_jsonb(key))::text, 'UTF8')
$$;
COMMENT ON FUNCTION vrm_private.transfer_context(regclass, name, text[]) IS
    'context that a sealed value of a row is authenticated with while it moves';

-- Values are text as output functions write it: every type comes back exactly, jsonb null as well.  $2 is the
-- transfer key; to compare, it is enough that something is sealed.
CREATE OR REPLACE FUNCTION vrm_private.tenant_query(
    purpose text, only_of regclass DEFAULT NULL, further text DEFAULT 'true'
) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH keys AS (
        SELECT i.indrelid AS relation, format('ARRAY[%s]', string_agg(format('r.%I::text', a.attname), ', '
                                                                      ORDER BY p.place)) AS key
        FROM pg_index i
        CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS p (attnum, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.attnum
        WHERE i.indisprimary
        GROUP BY i.indrelid
    ), columns AS (
        SELECT c.relation, string_agg(quote_literal(c.name), ', ' ORDER BY c.place) AS names,
               string_agg(CASE WHEN (c.relation, c.name) = ('vrm_private.test_runs_archive'::regclass, 'results')
                               -- the other database has other dictionaries
                               THEN 'vrm_private.archived_results(r.results, r.packed_results)::text'
                               WHEN NOT c.is_sealed THEN format('r.%I::text', c.name)
                               WHEN purpose = 'compare' THEN format('CASE WHEN r.%I IS NOT NULL THEN ''sealed'' END',
                                                                    c.name)
                               WHEN purpose = 'open' THEN format(
                                   'encode(vrm.seal_for_transfer(r.tableoid, %L, r.ctid, $2,'
                                   ' vrm_private.transfer_context(%2$L, %1$L, %3$s)), ''base64'')',
                                   c.name, c.relation, k.key)
                               ELSE 'NULL' END, ', ' ORDER BY c.place) AS sources,
               coalesce(bool_or(c.is_sealed AND c.is_required), false) AND purpose = 'leave' AS is_left
        FROM vrm_private.tenant_columns(only_of) c LEFT JOIN keys k ON k.relation = c.relation
        GROUP BY c.relation
    )
    SELECT string_agg(format('SELECT %L::text, jsonb_object(ARRAY[%s], ARRAY[%s]) FROM %s AS r WHERE %s AND %s',
                             t.relation, c.names, c.sources, t.relation, t.condition,
                             CASE WHEN c.is_left THEN 'false' ELSE further END), E'\nUNION ALL\n'
                      ORDER BY t.relation::text)
    FROM vrm_private.tenant_tables() t JOIN columns c ON c.relation = t.relation
    WHERE t.fate = 'moves'
$$;
COMMENT ON FUNCTION vrm_private.tenant_query(text, regclass, text) IS
    'query for the rows of a tenant, $1: relation and values; sealed ones to open with $2, to compare or to leave';

CREATE OR REPLACE FUNCTION vrm_private.tenant_digest(relation text, value jsonb, sealed text[]) RETURNS numeric
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT hashtextextended(relation || ' ' || (value || coalesce(
        (SELECT jsonb_object_agg(s, 'sealed') FROM unnest(sealed) AS s WHERE value ->> s IS NOT NULL), '{}'))::text, 0)
$$;
COMMENT ON FUNCTION vrm_private.tenant_digest(text, jsonb, text[]) IS
    'digest of a row of a tenant, which the keys of a database do not change';

CREATE OR REPLACE FUNCTION vrm_private.require_tenant(owner uuid) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM auth.users u WHERE u.id = owner) THEN
        RAISE EXCEPTION 'user "%" does not exist', coalesce(owner::text, 'null')
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, email FROM vrm.user_profiles;';
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.require_tenant(uuid) IS 'an error when there is no such tenant';

CREATE OR REPLACE FUNCTION vrm.tenant_fingerprint(user_id uuid)
    RETURNS TABLE (relation text, row_count bigint, digest text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 3
    SET quote_all_identifiers = off SET lc_monetary = 'C'
    SET bytea_output = 'hex' SET row_security = off AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.tenant_fingerprint(uuid)');
    PERFORM vrm_private.require_tenant(user_id);
    RETURN QUERY EXECUTE format(
        'SELECT t.relation, count(*), sum(vrm_private.tenant_digest(t.relation, t.value, NULL))::text'
        ' FROM (%s) AS t (relation, value) GROUP BY t.relation ORDER BY t.relation',
        vrm_private.tenant_query('compare')) USING user_id;
END
$$;
COMMENT ON FUNCTION vrm.tenant_fingerprint(uuid) IS
    'rows of a tenant by table, and a digest of them that is the same in the database that the tenant moves to';

-- What is not among the lines is said in lines.
CREATE OR REPLACE FUNCTION vrm_private.tenant_left_out(owner uuid, keeps_sealed boolean)
    RETURNS TABLE (relation text, row_count bigint, reason text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT t.relation::text AS name, t.reason, t.condition
        FROM vrm_private.tenant_tables() t
        WHERE t.fate = 'unknown' OR t.fate = 'stays'
        UNION ALL
        SELECT c.relation::text, format('%s is sealed and no transfer key was given', c.name),
               t.condition || format(' AND r.%I IS NOT NULL', c.name)
        FROM vrm_private.tenant_columns() c JOIN vrm_private.tenant_tables() t ON t.relation = c.relation
        WHERE c.is_sealed AND NOT keeps_sealed
        UNION ALL
        SELECT 'vrm.test_run_cases', 'the case belongs to another tenant', 'r.user_id = $1 AND r.case_user_id <> $1'
        UNION ALL
        SELECT 'vrm_private.legal_holds', 'it holds a time, whoever''s calls: place it there, too',
               'r.released_at IS NULL AND num_nonnulls(r.user_id, r.agent_id, r.run_id) = 0 AND $1 IS NOT NULL'
        UNION ALL
        SELECT DISTINCT f.conrelid::regclass::text, 'a table of the application', NULL
        FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid
        WHERE f.contype = 'f' AND f.conparentid = 0
          AND f.confrelid IN (SELECT t.relation FROM vrm_private.tenant_tables() t WHERE t.fate = 'moves')
          AND c.relnamespace NOT IN ('vrm'::regnamespace, 'vrm_private'::regnamespace, 'auth'::regnamespace)
        ORDER BY 1, 2
    LOOP
        relation := part.name;
        reason := part.reason;
        row_count := NULL;
        IF part.condition IS NOT NULL THEN
            EXECUTE format('SELECT count(*) FROM %s AS r WHERE %s', part.name, part.condition)
                INTO row_count USING owner;
        END IF;
        IF row_count IS DISTINCT FROM 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.tenant_left_out(uuid, boolean) IS
    'what an export of a tenant does not contain; no count where nobody can tell whose the rows are';

-- A key or a value that does not fit is no error of the statement, kilobytes of it, which would be its context.
CREATE OR REPLACE FUNCTION vrm_private.raise_alone(state text, message text, detail text, hint text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION vrm_private.raise_alone(text, text, text, text) IS 'raises an error without what it came from';

-- One query, hence one snapshot.  The entry in the audit trail comes first and outlives a ROLLBACK.
CREATE OR REPLACE FUNCTION vrm.export_tenant(user_id uuid, transfer_key vrm.secret DEFAULT NULL)
    RETURNS SETOF jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 3
    SET quote_all_identifiers = off SET lc_monetary = 'C'
    SET bytea_output = 'hex' SET row_security = off AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    PERFORM vrm.require_grant('vrm.export_tenant(uuid,vrm.secret)');
    PERFORM vrm_private.require_tenant(user_id);
    PERFORM vrm.audit_journal('exported a tenant', jsonb_build_object('user_id', user_id));
    BEGIN
        RETURN QUERY EXECUTE format(
            'WITH row_of AS MATERIALIZED (%s), sealed AS ('
            '    SELECT c.relation::text, array_agg(c.name::text) AS names FROM vrm_private.tenant_columns() c'
            '    WHERE c.is_sealed GROUP BY c.relation)'
            ' SELECT jsonb_build_object(''format'', ''vrm.tenant/1'', ''user_id'', $1, ''exported_at'', now(),'
            '        ''version'', (SELECT e.extversion FROM pg_extension e WHERE e.extname = ''vrm''))'
            ' UNION ALL'
            ' SELECT jsonb_build_object(''relation'', t.relation, ''row'', t.value) FROM row_of AS t (relation, value)'
            ' UNION ALL'
            ' SELECT jsonb_build_object(''left_out'', l.relation, ''rows'', l.row_count, ''reason'', l.reason)'
            ' FROM vrm_private.tenant_left_out($1, $2 IS NOT NULL) l'
            ' UNION ALL'
            ' SELECT jsonb_build_object(''rows'', count(*), ''digest'','
            '                           sum(vrm_private.tenant_digest(t.relation, t.value, s.names))::text)'
            ' FROM row_of AS t (relation, value) LEFT JOIN sealed s ON s.relation = t.relation',
            vrm_private.tenant_query(CASE WHEN transfer_key IS NULL THEN 'leave' ELSE 'open' END))
            USING user_id, transfer_key;
    EXCEPTION WHEN data_exception THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        PERFORM vrm_private.raise_alone(SQLSTATE, SQLERRM, detail, hint);
    END;
END
$$;
COMMENT ON FUNCTION vrm.export_tenant(uuid, vrm.secret) IS
    'all that another database needs to go on with a tenant, a line a row; sealed values under the transfer key only';

CREATE OR REPLACE FUNCTION vrm_private.refuse_lines(problem text, how text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'these are not the lines of a tenant'
        USING ERRCODE = 'invalid_parameter_value', DETAIL = problem, HINT = how;
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_lines(text, text) IS 'the error of an import that cannot begin';

-- Whose lines they are, once they are known to be whole and to fit.
CREATE OR REPLACE FUNCTION vrm_private.check_tenant_lines(lines jsonb, has_key boolean) RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    here text := (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'vrm');
    again constant text := 'SELECT vrm.export_tenant($1, $2);';
    header jsonb;
    footer jsonb;
    found record;
    stranger text;
BEGIN
    IF jsonb_typeof(lines) IS DISTINCT FROM 'array' THEN
        PERFORM vrm_private.refuse_lines('They have to be an array of what vrm.export_tenant() gives.', again);
    END IF;
    SELECT l INTO header FROM jsonb_array_elements(lines) AS l WHERE l ->> 'format' = 'vrm.tenant/1';
    SELECT l INTO footer FROM jsonb_array_elements(lines) AS l WHERE l ? 'digest';
    IF header IS NULL OR footer IS NULL THEN
        PERFORM vrm_private.refuse_lines(CASE WHEN header IS NULL THEN 'The first line, with the format, is missing.'
                                              ELSE 'The last line, with the digest, is missing.' END, again);
    ELSIF header ->> 'version' IS DISTINCT FROM here THEN
        PERFORM vrm_private.refuse_lines(format('They are of version %s, and this is %s.', header ->> 'version', here),
                                         'ALTER EXTENSION vrm UPDATE;');
    END IF;
    SELECT c.relation || '.' || c.name INTO stranger
    FROM (SELECT DISTINCT l ->> 'relation' AS relation, k AS name
          FROM jsonb_array_elements(lines) AS l,
               jsonb_object_keys(CASE jsonb_typeof(l -> 'row') WHEN 'object' THEN l -> 'row' ELSE '{}' END) AS k
          WHERE l ? 'relation') AS c
    WHERE NOT EXISTS (SELECT FROM vrm_private.tenant_columns() t
                      WHERE t.relation::text = c.relation AND t.name = c.name)
    LIMIT 1;
    IF stranger IS NOT NULL THEN
        PERFORM vrm_private.refuse_lines(format('Column "%s" is not one of this database.', stranger),
                                         'ALTER TABLE ... ADD COLUMN ..., as it is where the tenant comes from');
    END IF;
    SELECT count(*) AS rows, sum(vrm_private.tenant_digest(l ->> 'relation', l -> 'row', s.names))::text AS digest,
           coalesce(bool_or(EXISTS (SELECT FROM unnest(s.names) AS n WHERE l -> 'row' ->> n IS NOT NULL)), false)
               AS sealed
    INTO found
    FROM jsonb_array_elements(lines) AS l
    LEFT JOIN (SELECT c.relation::text, array_agg(c.name::text) AS names FROM vrm_private.tenant_columns() c
               WHERE c.is_sealed GROUP BY c.relation) AS s ON s.relation = l ->> 'relation'
    WHERE l ? 'relation';
    IF (found.rows::text, found.digest) IS DISTINCT FROM (footer ->> 'rows', footer ->> 'digest') THEN
        PERFORM vrm_private.refuse_lines(format('There are %s rows of %s, or values were changed.', found.rows,
                                                footer ->> 'rows'), again);
    ELSIF found.sealed AND NOT has_key THEN
        PERFORM vrm_private.refuse_lines('Values are sealed under a transfer key, and none was given.',
                                         'SELECT vrm.import_tenant($1, transfer_key => $2);');
    END IF;
    RETURN (header ->> 'user_id')::uuid;
END
$$;
COMMENT ON FUNCTION vrm_private.check_tenant_lines(jsonb, boolean) IS
    'raises an error unless these are the lines of a tenant that can come here; returns the tenant';

CREATE OR REPLACE FUNCTION vrm_private.refuse_known_tenant(owner uuid, lines jsonb) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    address text := (SELECT l -> 'row' ->> 'email' FROM jsonb_array_elements(lines) AS l
                     WHERE l ->> 'relation' = 'auth.users');
BEGIN
    IF EXISTS (SELECT FROM auth.users u WHERE u.id = owner) THEN
        RAISE EXCEPTION 'user "%" exists already', owner
            USING ERRCODE = 'unique_violation', DETAIL = 'A tenant is imported whole, never merged.',
                  HINT = format('SELECT * FROM vrm.tenant_fingerprint(%L);', owner);
    ELSIF EXISTS (SELECT FROM auth.users u WHERE lower(u.email) = lower(address)) THEN
        RAISE EXCEPTION 'the address of user "%" belongs to another account here', owner
            USING ERRCODE = 'unique_violation',
                  HINT = format('SELECT id FROM auth.users WHERE lower(email) = lower(%L);', address);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.refuse_known_tenant(uuid, jsonb) IS 'an error when the tenant, or the address, is here';

-- The INSERT of the rows of one table; $1 are the lines, $2 the transfer key.
CREATE OR REPLACE FUNCTION vrm_private.tenant_insert(target regclass) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH key AS (
        SELECT string_agg(format('%L, l -> ''row'' -> %1$L', a.attname), ', ' ORDER BY p.place) AS members,
               string_agg(format('l -> ''row'' ->> %L', a.attname), ', ' ORDER BY p.place) AS texts
        FROM pg_index i
        CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS p (attnum, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.attnum
        WHERE i.indisprimary AND i.indrelid = target
    )
    SELECT format('INSERT INTO %s (%s) SELECT %s FROM jsonb_array_elements($1) AS l WHERE l ->> ''relation'' = %L',
                  target, string_agg(quote_ident(c.name), ', ' ORDER BY c.place),
                  string_agg(CASE WHEN c.is_sealed THEN format(
                                      'vrm.seal_from_transfer(%L, %L, jsonb_populate_record(NULL::%s,'
                                      ' jsonb_build_object(%s)), decode(l -> ''row'' ->> %2$L, ''base64''), $2,'
                                      ' vrm_private.transfer_context(%1$L, %2$L, ARRAY[%5$s]))',
                                      target, c.name, target, key.members, key.texts)
                                  ELSE format('(l -> ''row'' ->> %L)::%s', c.name, c.type) END, ', ' ORDER BY c.place),
                  target)
    FROM vrm_private.tenant_columns(target) c CROSS JOIN key
$$;
COMMENT ON FUNCTION vrm_private.tenant_insert(regclass) IS 'statement that puts the rows of a tenant into a table';

-- Archived calls come as a batch for each moment at which calls were archived there.
CREATE OR REPLACE FUNCTION vrm_private.record_imported_batches(owner uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    covered text[] := vrm_private.covered_columns((vrm_private.archive_columns('vrm.test_runs')).shared);
    run bigint;
    batch record;
    number bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM vrm_private.test_runs_archive a WHERE a.user_id = owner) THEN
        RETURN;
    END IF;
    INSERT INTO vrm.retention_runs (policy, state, cutoff, as_of, finished_at, rows_done)
    SELECT 'imported tenant', 'done', now(), now(), clock_timestamp(), count(*)
    FROM vrm_private.test_runs_archive a WHERE a.user_id = owner
    RETURNING run_id INTO run;
    UPDATE vrm_private.test_runs_archive a SET results_sha256 = vrm.document_digest(a.results) WHERE a.user_id = owner;
    FOR batch IN
        SELECT a.archived_at, count(*) AS row_count, min(a.completed_at) AS oldest, max(a.completed_at) AS newest,
               sum(pg_column_size(a.*)) AS bytes, array_agg(vrm.row_digest(a.*, covered)) AS digests
        FROM vrm_private.test_runs_archive a WHERE a.user_id = owner
        GROUP BY a.archived_at ORDER BY a.archived_at
    LOOP
        number := nextval(pg_get_serial_sequence('vrm_private.archive_manifest', 'batch_id'));
        UPDATE vrm_private.test_runs_archive a SET batch_id = number
        WHERE a.user_id = owner AND a.archived_at = batch.archived_at;
        PERFORM vrm_private.record_batch(number, run, batch.row_count, batch.archived_at, batch.oldest, batch.newest,
                                         batch.bytes, covered,
                                         (SELECT sha256(string_agg(d, '' ORDER BY d)) FROM unnest(batch.digests) AS d));
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.record_imported_batches(uuid) IS
    'gives archived calls that have come batches of the manifest, which vrm.verify_archive() holds them to';

-- Triggers, and with them foreign keys, stay silent during an import; what refers to something is looked at here.
CREATE OR REPLACE FUNCTION vrm_private.check_tenant_references(owner uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reference record;
    broken boolean;
BEGIN
    FOR reference IN
        SELECT f.conname, f.conrelid::regclass AS relation, f.confrelid::regclass AS other, t.condition,
               string_agg(format('r.%I IS NOT NULL', o.attname), ' AND ') AS is_set,
               string_agg(format('o.%I = r.%I', x.attname, o.attname), ' AND ') AS matches
        FROM vrm_private.tenant_tables() t
        JOIN pg_constraint f ON f.conrelid = t.relation AND f.contype = 'f' AND f.conparentid = 0
        CROSS JOIN unnest(f.conkey, f.confkey) AS k (own, other)
        JOIN pg_attribute o ON o.attrelid = f.conrelid AND o.attnum = k.own
        JOIN pg_attribute x ON x.attrelid = f.confrelid AND x.attnum = k.other
        WHERE t.fate = 'moves'
        GROUP BY f.oid, f.conname, f.conrelid, f.confrelid, t.condition
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s AS r WHERE %s AND %s'
                       ' AND NOT EXISTS (SELECT FROM %s AS o WHERE %s))',
                       reference.relation, reference.condition, reference.is_set, reference.other, reference.matches)
            INTO broken USING owner;
        IF broken THEN
            RAISE EXCEPTION 'rows of the tenant in % refer to something that is not in %', reference.relation,
                reference.other
                USING ERRCODE = 'foreign_key_violation', DETAIL = format('Constraint "%s".', reference.conname),
                      HINT = format('TABLE %s;', reference.other);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.check_tenant_references(uuid) IS 'an error when a row of the tenant refers to nothing';

CREATE OR REPLACE FUNCTION vrm.import_tenant(lines jsonb, transfer_key vrm.secret DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET session_replication_role = replica
    SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 3
    SET quote_all_identifiers = off SET lc_monetary = 'C'
    SET bytea_output = 'hex' SET row_security = off AS $$
DECLARE
    owner uuid;
    footer jsonb;
    last_hold bigint := (SELECT coalesce(max(h.hold_id), 0) FROM vrm_private.legal_holds h);
    target regclass;
    found record;
    detail text;
    hint text;
BEGIN
    PERFORM vrm.require_grant('vrm.import_tenant(jsonb,vrm.secret)');
    owner := vrm_private.check_tenant_lines(lines, transfer_key IS NOT NULL);
    footer := (SELECT l FROM jsonb_array_elements(lines) AS l WHERE l ? 'digest');
    PERFORM vrm_private.require_read_committed('importing a tenant');
    PERFORM pg_advisory_xact_lock(vrm_private.retention_lock());
    PERFORM vrm_private.refuse_known_tenant(owner, lines);
    BEGIN
        FOR target IN
            SELECT t.relation FROM vrm_private.tenant_tables() t
            WHERE t.fate = 'moves'
              AND t.relation::text IN (SELECT l ->> 'relation' FROM jsonb_array_elements(lines) AS l)
            ORDER BY t.relation
        LOOP
            EXECUTE vrm_private.tenant_insert(target) USING lines, transfer_key;
        END LOOP;
    EXCEPTION WHEN data_exception THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        PERFORM vrm_private.raise_alone(SQLSTATE, SQLERRM, detail, hint);
    END;
    PERFORM vrm_private.record_imported_batches(owner), vrm_private.check_tenant_references(owner);
    -- holds outlive an erasure: whoever comes back finds their own
    EXECUTE format('SELECT sum(t.sign) AS rows,'
                   ' sum(t.sign * vrm_private.tenant_digest(t.relation, t.value, NULL))::text AS digest'
                   ' FROM (SELECT *, 1 FROM (%s) AS n UNION ALL SELECT *, -1 FROM (%s) AS o)'
                   ' AS t (relation, value, sign)',
                   vrm_private.tenant_query('compare'),
                   vrm_private.tenant_query('compare', 'vrm_private.legal_holds', format('r.hold_id <= %s', last_hold)))
        INTO found USING owner;
    IF (found.rows::text, found.digest) IS DISTINCT FROM (footer ->> 'rows', footer ->> 'digest') THEN
        RAISE EXCEPTION 'what has come of user "%" is not what was sent', owner
            USING ERRCODE = 'data_exception',
                  DETAIL = format('%s rows of %s belong to the tenant, or values read differently here.', found.rows,
                                  footer ->> 'rows'),
                  HINT = format('SELECT * FROM vrm.tenant_fingerprint(%L);', owner);
    END IF;
    PERFORM vrm.audit_event('imported a tenant', jsonb_build_object('user_id', owner, 'rows', found.rows));
    RETURN found.rows;
END
$$;
COMMENT ON FUNCTION vrm.import_tenant(jsonb, vrm.secret) IS
    'takes what vrm.export_tenant() gave in another database, as an array, all of it or nothing; returns the rows';

CREATE OR REPLACE FUNCTION vrm.keep_objects(user_id uuid) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.keep_objects(uuid)');
    WITH kept AS (DELETE FROM vrm_private.object_purges p WHERE p.user_id = keep_objects.user_id RETURNING 1)
    SELECT count(*) FROM kept
$$;
COMMENT ON FUNCTION vrm.keep_objects(uuid) IS
    'with vrm.erase_user(), in one transaction: objects of recordings stay, because the person''s calls are elsewhere';

REVOKE EXECUTE ON FUNCTION
    vrm_private.tenant_columns(regclass), vrm_private.refuse_type(regclass, name),
    vrm_private.transfer_context(regclass, name, text[]),
    vrm_private.tenant_query(text, regclass, text), vrm_private.tenant_digest(text, jsonb, text[]),
    vrm_private.require_tenant(uuid), vrm_private.raise_alone(text, text, text, text),
    vrm.tenant_fingerprint(uuid), vrm_private.tenant_left_out(uuid, boolean), vrm.export_tenant(uuid, vrm.secret),
    vrm_private.refuse_lines(text, text), vrm_private.check_tenant_lines(jsonb, boolean),
    vrm_private.refuse_known_tenant(uuid, jsonb), vrm_private.tenant_insert(regclass),
    vrm_private.record_imported_batches(uuid), vrm_private.check_tenant_references(uuid),
    vrm.import_tenant(jsonb, vrm.secret), vrm.keep_objects(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.tenant_fingerprint(uuid), vrm.export_tenant(uuid, vrm.secret),
    vrm.import_tenant(jsonb, vrm.secret), vrm.keep_objects(uuid)
    TO service_role;
