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
    PERFORM vrm.require_grant('vrm.audit_event(text,jsonb)'), vrm_private.check_text('action', action, 100, true);
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
    PERFORM vrm_private.require_argument('rel', rel IS NULL),
            vrm_private.require_argument('exclude', exclude IS NULL OR array_position(exclude, NULL) > 0),
            vrm_private.require_argument('redact', redact IS NULL OR array_position(redact, NULL) > 0);
    SELECT name INTO unknown FROM unnest(exclude || redact) AS name
    WHERE NOT EXISTS (SELECT FROM pg_attribute
                      WHERE attrelid = rel AND attname = name AND attnum > 0 AND NOT attisdropped);
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', unknown, rel
            USING ERRCODE = 'undefined_column', HINT = format(E'\\d %s', rel);
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
    PERFORM vrm_private.require_argument('rel', rel IS NULL);
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
-- Whoever reads the trail for long, as pg_dump does, keeps a lock from being given; behind one that waited for it
-- everybody else would wait who writes to the trail, and that is who signs in.
CREATE OR REPLACE FUNCTION vrm_private.make_audit_partitions() RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
    SET lock_timeout = '100ms' AS $$
BEGIN
    RETURN (
        SELECT count(*)::integer
        FROM unnest('{security,data}'::text[]) AS class,
             generate_series(date_trunc('day', now()), now() + '7 days'::interval, '1 day') AS low
        WHERE vrm_private.make_partition(('vrm_private.audit_' || class)::regclass,
                                         'audit_' || class || to_char(low, '_YYYY_MM_DD'), low,
                                         low + '1 day'::interval));
END
$$;
COMMENT ON FUNCTION vrm_private.make_audit_partitions() IS
    'makes partitions of the audit trail for the next seven days; returns how many it made';

-- One at a time: in one transaction it would hold the locks of one class while it waits for those of the other.
CREATE OR REPLACE FUNCTION vrm_private.drop_audit_partition() RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
    SET lock_timeout = '100ms' AS $$
DECLARE
    gone oid := (SELECT e.partition
                 FROM unnest('{security,data}'::text[]) AS class,
                      unnest(vrm_private.expired_partitions(('vrm_private.audit_' || class)::regclass,
                                                            now() - vrm_private.audit_keep(class))) AS e (partition)
                 WHERE vrm_private.clock_problem() IS NULL
                 LIMIT 1);
BEGIN
    IF gone IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('DROP TABLE %s', gone::regclass);
    RETURN 1;
END
$$;
COMMENT ON FUNCTION vrm_private.drop_audit_partition() IS
    'drops a partition of the audit trail that has been kept long enough; returns how many it dropped';

CREATE OR REPLACE FUNCTION vrm_private.tidy_audit_trail() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    class text;
BEGIN
    PERFORM vrm_private.watch_truncation(NULL);
    IF vrm_private.clock_problem() IS NOT NULL THEN
        RETURN;
    END IF;
    FOREACH class IN ARRAY '{security,data}'::text[] LOOP
        EXECUTE format('DELETE FROM vrm_private.%I WHERE at < $1', 'audit_' || class || '_rest')
        USING now() - vrm_private.audit_keep(class);
    END LOOP;
    -- What a seal says of entries that are gone nobody needs; its root and the chain stay.
    UPDATE vrm_private.audit_seals s SET ids = NULL, leaves = NULL
    WHERE s.ids IS NOT NULL AND s.sealed_at < now() - vrm_private.audit_keep(s.class) - '31 days'::interval;
END
$$;
COMMENT ON FUNCTION vrm_private.tidy_audit_trail() IS
    'deletes what is old of the rest of the audit trail and of its seals, and watches tables that are new';

CREATE OR REPLACE FUNCTION vrm.audit_maintain() RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dropped integer := 0;
BEGIN
    PERFORM vrm_private.make_audit_partitions();
    WHILE vrm_private.drop_audit_partition() > 0 LOOP
        dropped := dropped + 1;
    END LOOP;
    PERFORM vrm_private.tidy_audit_trail();
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
    vrm_private.make_audit_partitions(),
    vrm_private.drop_audit_partition(),
    vrm_private.tidy_audit_trail(),
    vrm.audit_maintain(),
    vrm_private.audit_keep(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.audit_event(text, jsonb) TO service_role;
