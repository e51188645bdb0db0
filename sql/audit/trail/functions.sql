-- The audit trail: who did what, by day

-- In a language that plans once for a session; a function in SQL is planned by each statement that calls it.
CREATE OR REPLACE FUNCTION vrm_private.write_event(action text, detail jsonb) RETURNS uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry uuid;
BEGIN
    INSERT INTO vrm.audit_log (class, action, detail) VALUES ('security', write_event.action, write_event.detail)
    RETURNING id INTO entry;
    RETURN entry;
END
$$;
COMMENT ON FUNCTION vrm_private.write_event(text, jsonb) IS
    'writes a security event to the audit trail, for functions that run as their owner';
REVOKE EXECUTE ON FUNCTION vrm_private.write_event(text, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.audit_event(action text, detail jsonb DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry uuid;
BEGIN
    PERFORM vrm.require_grant('vrm.audit_event(text,jsonb)');
    INSERT INTO vrm.audit_log (class, action, detail) VALUES ('security', audit_event.action, audit_event.detail)
    RETURNING id INTO entry;
    RETURN entry;
END
$$;
COMMENT ON FUNCTION vrm.audit_event(text, jsonb) IS 'writes a security event to the audit trail';

CREATE OR REPLACE FUNCTION vrm.audit_enable(rel regclass, exclude text[] DEFAULT '{}', redact text[] DEFAULT '{}')
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unknown text;
BEGIN
    SELECT name INTO unknown FROM unnest(exclude || redact) AS name
    WHERE NOT EXISTS (SELECT FROM pg_attribute
                      WHERE attrelid = rel AND attname = name AND attnum > 0 AND NOT attisdropped);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', unknown, rel
            USING ERRCODE = 'undefined_column', HINT = format('\d %s', rel);
    END IF;
    EXECUTE format('DROP TRIGGER IF EXISTS vrm_audit ON %s', rel);
    EXECUTE format('CREATE TRIGGER vrm_audit AFTER INSERT OR UPDATE OR DELETE ON %s'
                   ' FOR EACH ROW EXECUTE FUNCTION vrm.audit_row(%L, %L)', rel,
                   E'\n' || array_to_string(exclude, E'\n') || E'\n', E'\n' || array_to_string(redact, E'\n') || E'\n');
    EXECUTE format('COMMENT ON TRIGGER vrm_audit ON %s IS %L', rel, 'writes changes to vrm.audit_log');
    PERFORM vrm_private.watch_truncation(rel);
END
$$;
COMMENT ON FUNCTION vrm.audit_enable(regclass, text[], text[]) IS
    'the table''s changes are in the audit trail from now on; of columns to redact the name only';

CREATE OR REPLACE FUNCTION vrm_private.audit_truncate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
BEGIN
    INSERT INTO vrm.audit_log (class, action, relation)
    VALUES ('data', 'TRUNCATE', format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.audit_truncate() IS 'trigger: says in the audit trail that a table was emptied';

-- A trigger for the statement is on one table; partitions, which can be emptied one by one, need their own.
CREATE OR REPLACE FUNCTION vrm_private.watch_truncation(rel regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    watched regclass;
BEGIN
    FOR watched IN
        SELECT c.oid::regclass
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE t.tgname = 'vrm_audit' AND t.tgfoid = 'vrm.audit_row()'::regprocedure AND c.relkind IN ('r', 'p')
          AND (rel IS NULL OR c.oid = rel OR c.oid IN (SELECT p.relid FROM pg_partition_tree(rel) p))
          AND pg_has_role(c.relowner, 'USAGE')
          AND NOT EXISTS (SELECT FROM pg_trigger o WHERE o.tgrelid = c.oid AND o.tgname = 'vrm_audit_truncate')
    LOOP
        EXECUTE format('CREATE TRIGGER vrm_audit_truncate AFTER TRUNCATE ON %s'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION vrm_private.audit_truncate()', watched);
        EXECUTE format('COMMENT ON TRIGGER vrm_audit_truncate ON %s IS %L', watched,
                       'writes to vrm.audit_log that the table was emptied');
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.watch_truncation(regclass) IS
    'a TRUNCATE of an audited table, with its partitions, or of all of them is in the audit trail from now on';

CREATE OR REPLACE FUNCTION vrm.audit_disable(rel regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    watched regclass;
BEGIN
    EXECUTE format('DROP TRIGGER IF EXISTS vrm_audit ON %s', rel);
    FOR watched IN SELECT rel UNION SELECT p.relid FROM pg_partition_tree(rel) p LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS vrm_audit_truncate ON %s', watched);
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.audit_disable(regclass) IS 'the table''s changes are no longer in the audit trail';

CREATE OR REPLACE FUNCTION vrm_private.audit_keep(class text) RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE class WHEN 'data' THEN '90 days'::interval ELSE '365 days'::interval END;
COMMENT ON FUNCTION vrm_private.audit_keep(text) IS 'how long entries of a class are kept';

-- A week of partitions ahead, and none that is older than its class is kept.  Days are those of UTC,
-- whatever the session's time zone is: partitions of two zones would overlap.
CREATE OR REPLACE FUNCTION vrm.audit_maintain() RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    part record;
    gone oid;
    dropped integer := 0;
BEGIN
    FOR part IN
        SELECT 'audit_' || class AS name, ('vrm_private.audit_' || class)::regclass AS parent,
               now() - vrm_private.audit_keep(class) AS cutoff
        FROM unnest('{security,data}'::text[]) AS class
    LOOP
        PERFORM vrm_private.make_partition(part.parent, part.name || to_char(low, '_YYYY_MM_DD'), low,
                                           low + '1 day'::interval)
        FROM generate_series(date_trunc('day', now()), now() + '7 days'::interval, '1 day') AS low;
        CONTINUE WHEN vrm_private.clock_problem() IS NOT NULL;
        FOREACH gone IN ARRAY vrm_private.expired_partitions(part.parent, part.cutoff) LOOP
            EXECUTE format('DROP TABLE %s', gone::regclass);
            dropped := dropped + 1;
        END LOOP;
        EXECUTE format('DELETE FROM vrm_private.%I WHERE at < $1', part.name || '_rest') USING part.cutoff;
    END LOOP;
    PERFORM vrm_private.watch_truncation(NULL);
    -- What a seal says of entries that are gone nobody needs; its root and the chain stay.
    UPDATE vrm_private.audit_seals SET ids = NULL, leaves = NULL
    WHERE ids IS NOT NULL AND sealed_at < now() - vrm_private.audit_keep(class) - '31 days'::interval
      AND vrm_private.clock_problem() IS NULL;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION vrm.audit_maintain() IS
    'makes the partitions of the next seven days and drops those that have been kept long enough; once a day';

REVOKE EXECUTE ON FUNCTION
    vrm.audit_event(text, jsonb),
    vrm.audit_enable(regclass, text[], text[]),
    vrm.audit_disable(regclass),
    vrm_private.audit_truncate(),
    vrm_private.watch_truncation(regclass),
    vrm.audit_maintain(),
    vrm_private.audit_keep(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.audit_event(text, jsonb) TO service_role;
