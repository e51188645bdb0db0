-- The audit trail: who did what, by day: members of the extension

CREATE FUNCTION vrm.audit_row() RETURNS trigger
    AS 'MODULE_PATHNAME', 'vrm_audit_row'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.audit_row() IS
    'AFTER trigger: writes the columns that have changed to vrm.audit_log; vrm.audit_enable() sets it';

-- What is left out or redacted is told by name.  A column that is renamed goes on under its new one; the name of one
-- that was dropped stays, for a column that takes its place, and is noted, so that no renamed one is taken for it.
CREATE FUNCTION vrm.follow_audited() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    watched record;
    told text[];
    gone text[];
    unknown text[];
BEGIN
    FOR watched IN
        WITH RECURSIVE tree (relid, renamed) AS (
            SELECT c.objid, a.attname::text FROM pg_event_trigger_ddl_commands() c
            LEFT JOIN pg_attribute a ON a.attrelid = c.objid AND a.attnum = c.objsubid AND c.objsubid > 0
            WHERE c.classid = 'pg_class'::regclass
            UNION SELECT i.inhrelid, tree.renamed FROM pg_inherits i JOIN tree ON i.inhparent = tree.relid)
        SELECT t.tgrelid::regclass AS relation, t.tgname AS name, t.tgenabled AS enabled, tree.renamed,
               (ARRAY(SELECT convert_from(decode(part, 'hex'), getdatabaseencoding())
                      FROM regexp_split_to_table(encode(t.tgargs, 'hex'), '(?<=^(..)*)00') AS part))[1:3] AS arguments
        FROM pg_trigger t JOIN tree ON tree.relid = t.tgrelid
        WHERE t.tgfoid = to_regprocedure('vrm.audit_row()') AND t.tgparentid = 0 AND t.tgnargs >= 2
    LOOP
        told := watched.arguments[1:2];
        -- names without a column, and which of them had none before
        SELECT coalesce(array_agg(n.name) FILTER (WHERE n.known), '{}'), array_agg(n.name) FILTER (WHERE NOT n.known)
        INTO gone, unknown
        FROM (SELECT DISTINCT name, strpos(watched.arguments[3], E'\n' || name || E'\n') > 0 AS known
              FROM unnest(string_to_array(told[1] || told[2], E'\n')) AS name
              WHERE name <> '' AND NOT EXISTS (
                  SELECT FROM pg_attribute a WHERE a.attrelid = watched.relation AND a.attname = name)) AS n;
        IF watched.renamed IS NULL THEN
            gone := gone || unknown;
        ELSIF unknown IS NOT NULL THEN
            told[1] := replace(told[1], E'\n' || unknown[1] || E'\n', E'\n' || watched.renamed || E'\n');
            told[2] := replace(told[2], E'\n' || unknown[1] || E'\n', E'\n' || watched.renamed || E'\n');
        END IF;
        told[3] := coalesce(E'\n' || nullif(array_to_string(gone, E'\n'), '') || E'\n', '');
        CONTINUE WHEN told = watched.arguments;
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s'
                       ' FOR EACH ROW EXECUTE FUNCTION vrm.audit_row(%L, %L, %L)', watched.name, watched.relation,
                       told[1], told[2], told[3]);
        IF watched.enabled <> 'O' THEN
            EXECUTE format('ALTER TABLE %s %s TRIGGER %I', watched.relation,
                           CASE watched.enabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS'
                                                ELSE 'ENABLE REPLICA' END, watched.name);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm.follow_audited() IS
    'event trigger: columns that the audit trail leaves out or redacts stay so when they are renamed';
CREATE EVENT TRIGGER vrm_follow_audited ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'ALTER FOREIGN TABLE')
    EXECUTE FUNCTION vrm.follow_audited();
COMMENT ON EVENT TRIGGER vrm_follow_audited IS
    'columns that the audit trail leaves out or redacts stay so when they are renamed';
