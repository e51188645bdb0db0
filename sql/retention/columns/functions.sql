-- Columns of calls, live and archived: which there are, which both have, and which a DBA has renamed or dropped

CREATE OR REPLACE FUNCTION vrm_private.columns_of(relation regclass)
    RETURNS TABLE (attname name, type oid, atttypmod integer, generated boolean)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT a.attname, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, a.atttypmod,
                        a.attgenerated <> ''
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
END
$$;
COMMENT ON FUNCTION vrm_private.columns_of(regclass) IS 'columns of a table with their types, domains looked through';

-- The platform knows them by their names, which a DBA may change.  Likely is what has the type, and a name that
-- the other table does not know.
CREATE OR REPLACE FUNCTION vrm_private.missing_columns() RETURNS TABLE (relation regclass, missing name, rename text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH tables (relation, other) AS (
        VALUES ('vrm.test_runs'::regclass, 'vrm_private.test_runs_archive'::regclass),
               ('vrm_private.test_runs_archive'::regclass, 'vrm.test_runs'::regclass)
    )
    SELECT t.relation, c.name,
           (SELECT format('ALTER TABLE %s RENAME COLUMN %I TO %I;', t.relation, f.attname, c.name)
            FROM vrm_private.columns_of(t.relation) f
            WHERE f.attname NOT IN ('archived_at', 'extra', 'batch_id', 'packed_results')
              AND NOT EXISTS (SELECT FROM vrm_private.columns_of(t.other) o WHERE o.attname = f.attname)
              AND f.type = (SELECT o.type FROM vrm_private.columns_of(t.other) o WHERE o.attname = c.name)
            ORDER BY f.attname LIMIT 1)
    FROM tables t,
         unnest('{user_id,id,agent_id,test_case_ids,time_limit,outbound_call_params,status,started_at,completed_at,'
                'results,error,source,external_id,direction,outcome,ended_reason,cost,currency,results_sha256,'
                'agent_version,archived_at,extra,batch_id,packed_results}'::name[]) WITH ORDINALITY AS c (name, n)
    WHERE (t.relation = 'vrm_private.test_runs_archive'::regclass
           OR c.name NOT IN ('archived_at', 'extra', 'batch_id', 'packed_results'))
      AND NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = t.relation AND a.attname = c.name AND NOT a.attisdropped)
    ORDER BY t.relation = 'vrm.test_runs'::regclass DESC, c.n
$$;
COMMENT ON FUNCTION vrm_private.missing_columns() IS
    'columns of calls, live or archived, that are not there, and how to rename what seems to be one';

CREATE OR REPLACE FUNCTION vrm_private.check_columns() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone record;
BEGIN
    SELECT * INTO gone FROM vrm_private.missing_columns() LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of % is not there', gone.missing, gone.relation
            USING ERRCODE = 'undefined_column',
                  DETAIL = 'It was renamed or dropped; the platform knows it by this name.',
                  HINT = coalesce(gone.rename,
                                  format('SELECT attname FROM pg_attribute WHERE attrelid = %L::regclass;',
                                         gone.relation));
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_columns() IS 'an error when a column that the platform knows by its name is gone';

-- By name, never by position: a column that came and went must not shift the others.  What is computed
-- anew on each side is not carried over.
CREATE OR REPLACE FUNCTION vrm_private.archive_columns(live regclass, OUT shared name[], OUT extra name[])
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed record;
    differs boolean;
BEGIN
    SELECT array_agg(l.attname ORDER BY l.attname) FILTER (WHERE NOT kept.generated),
           coalesce(array_agg(l.attname ORDER BY l.attname)
                    FILTER (WHERE coalesce(kept.generated, true) AND NOT l.generated), '{}'),
           bool_or((l.type, l.atttypmod) <> (kept.type, kept.atttypmod))
    INTO shared, extra, differs
    FROM vrm_private.columns_of(live) l
    LEFT JOIN vrm_private.columns_of('vrm_private.test_runs_archive') kept
      ON kept.attname = l.attname AND kept.attname NOT IN ('archived_at', 'extra', 'batch_id', 'packed_results');
    IF NOT differs THEN
        RETURN;
    END IF;
    SELECT l.attname AS name, format_type(l.type, l.atttypmod) AS live_type,
           format_type(kept.type, kept.atttypmod) AS kept_type INTO changed
    FROM vrm_private.columns_of(live) l
    JOIN vrm_private.columns_of('vrm_private.test_runs_archive') kept
      ON kept.attname = l.attname AND kept.attname NOT IN ('archived_at', 'extra', 'batch_id', 'packed_results')
    WHERE (l.type, l.atttypmod) <> (kept.type, kept.atttypmod)
    LIMIT 1;
    RAISE EXCEPTION 'column "%" of % has another type than in the archive', changed.name, live
        USING ERRCODE = 'datatype_mismatch',
              DETAIL = format('It is %s here, %s there.', changed.live_type, changed.kept_type),
              HINT = format('ALTER TABLE vrm_private.test_runs_archive ALTER COLUMN %I TYPE %s;', changed.name,
                            changed.live_type);
END
$$;
COMMENT ON FUNCTION vrm_private.archive_columns(regclass) IS
    'columns of a table of calls that the archive has, too, and those it has not; an error when a type differs';

-- Results are covered by the digest that was made of them when the call ended.
CREATE OR REPLACE FUNCTION vrm_private.covered_columns(shared name[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN array_remove(shared, 'results')::text[] || ARRAY['archived_at', 'extra'];
END
$$;
COMMENT ON FUNCTION vrm_private.covered_columns(name[]) IS
    'columns that the digest of an archived call is of, given those that the archive shares with its table';

CREATE OR REPLACE FUNCTION vrm_private.columns_left(columns text[]) RETURNS text[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT c.name FROM unnest(columns) WITH ORDINALITY AS c (name, n)
                 WHERE EXISTS (SELECT FROM vrm_private.columns_of('vrm_private.test_runs_archive') k
                               WHERE k.attname = c.name)
                 ORDER BY c.n);
END
$$;
COMMENT ON FUNCTION vrm_private.columns_left(text[]) IS
    'of the columns that a digest covers, those that the archive still has';

REVOKE EXECUTE ON FUNCTION
    vrm_private.columns_of(regclass), vrm_private.missing_columns(), vrm_private.check_columns(),
    vrm_private.archive_columns(regclass), vrm_private.covered_columns(name[]), vrm_private.columns_left(text[])
    FROM PUBLIC;
