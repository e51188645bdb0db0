-- A diagram of the tables

CREATE OR REPLACE FUNCTION vrm_private.html(value text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT replace(replace(replace(replace(replace(value, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'),
                           '"', '&quot;'), '''', '&#39;')
$$;
COMMENT ON FUNCTION vrm_private.html(text) IS 'text as it stands in HTML and SVG, in attributes, too';

-- By what tables are called: a name says what it is about, and a DBA's own tables are of topic other.
CREATE OR REPLACE FUNCTION vrm_private.er_topic(relation regclass) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN c.relname ~ '^(user_|api_key|lockout_|organisation|member|invitation)' THEN 'people'
                WHEN c.relname ~ '^(call_facts|call_dirty|call_rollup|call_hours|cached_)' THEN 'analytics'
                WHEN c.relname ~ '^(suite|test_case|run_queue|run_leases|test_run_cases|agent_versions)' THEN 'testing'
                WHEN c.relname ~ '^(agents|test_runs|transcript_|run_|live_|call_|speaker_|metric)' THEN 'calls'
                WHEN c.relname ~ '^(retention_|import_words|search_|archive_|cold_)' THEN 'retention'
                WHEN c.relname ~ '^(audit_|logs)' THEN 'audit'
                WHEN c.relname ~ '^(agent_alerts|agent_thresholds|alert_|backup|maintenance_|monitoring_|quality_|'
                                  'restore_|service_|storage_)'
                THEN 'operations' ELSE 'other' END
    FROM pg_class c WHERE c.oid = relation
$$;
COMMENT ON FUNCTION vrm_private.er_topic(regclass) IS 'what a table of schema vrm is about, for vrm.er_diagram()';

-- What the tables are and how they hang together, read off the catalog: with whatever a DBA has added.
CREATE OR REPLACE FUNCTION vrm_private.er_columns(topic text DEFAULT NULL)
    RETURNS TABLE (relation regclass, name text, place smallint, type text, key text, note text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.oid::regclass, a.attname::text, a.attnum,
           CASE format_type(a.atttypid, NULL) WHEN 'timestamp with time zone' THEN 'timestamptz'
                WHEN 'double precision' THEN 'float8' ELSE regexp_replace(format_type(a.atttypid, NULL), '^.*\.',
                    '') END,
           concat_ws(', ', CASE WHEN EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p'
                                             AND a.attnum = ANY (k.conkey)) THEN 'PK' END,
                     CASE WHEN EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'
                                       AND a.attnum = ANY (k.conkey)) THEN 'FK' END),
           col_description(c.oid, a.attnum)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'vrm'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND (er_columns.topic IS NULL OR vrm_private.er_topic(c.oid) = er_columns.topic)
$$;
COMMENT ON FUNCTION vrm_private.er_columns(text) IS
    'columns of the tables of schema vrm, or of a topic of them, partitions left out';

CREATE OR REPLACE FUNCTION vrm_private.er_references(topic text DEFAULT NULL)
    RETURNS TABLE (child regclass, parent regclass, columns text, needed boolean, one boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.conrelid::regclass, k.confrelid::regclass,
           (SELECT string_agg(a.attname, ', ' ORDER BY u.n) FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, n)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum),
           (SELECT bool_and(a.attnotnull) FROM pg_attribute a WHERE a.attrelid = k.conrelid
               AND a.attnum = ANY (k.conkey)),
           EXISTS (SELECT FROM pg_constraint u WHERE u.conrelid = k.conrelid AND u.contype IN ('p', 'u')
                   AND u.conkey <@ k.conkey)
    FROM pg_constraint k
    WHERE k.contype = 'f' AND k.conparentid = 0
      AND k.conrelid IN (SELECT relation FROM vrm_private.er_columns(er_references.topic))
$$;
COMMENT ON FUNCTION vrm_private.er_references(text) IS
    'foreign keys of these tables; needed: never null; one: at most one row points to another';

CREATE OR REPLACE FUNCTION vrm_private.er_mermaid(topic text, keys_only boolean) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(E'\n', 'erDiagram',
        (SELECT string_agg(e.entity, E'\n' ORDER BY e.relation::text)
         FROM (SELECT c.relation,
             format(E'    %s {\n%s\n    }', regexp_replace(split_part(c.relation::text, '.', 2), '\W', '_', 'g'),
                      string_agg(concat_ws(' ', '       ', regexp_replace(c.type, '[^\w\[\]()]', '_', 'g'),
                                           regexp_replace(c.name, '\W', '_', 'g'), nullif(c.key, ''),
                                           CASE WHEN NOT keys_only THEN
                                               format('"%s"', translate(c.note, E'"\n', ''' ')) END),
                                 E'\n' ORDER BY c.place)
                          FILTER (WHERE c.key <> '' OR NOT keys_only)) AS entity
               FROM vrm_private.er_columns(topic) c GROUP BY c.relation) AS e),
        (SELECT string_agg(format('    %s %s--%s %s : "%s"', regexp_replace(replace(r.parent::text, 'vrm.', ''), '\W',
            '_', 'g'),
                                  CASE WHEN r.needed THEN '||' ELSE '|o' END, CASE WHEN r.one THEN 'o|' ELSE 'o{' END,
                                  regexp_replace(replace(r.child::text, 'vrm.', ''), '\W', '_', 'g'),
                                      translate(r.columns, '"', '''')), E'\n'
                           ORDER BY r.parent::text, r.child::text, r.columns)
         FROM vrm_private.er_references(topic) r), '')
$$;
COMMENT ON FUNCTION vrm_private.er_mermaid(text, boolean) IS 'vrm.er_diagram() in the language of Mermaid';

CREATE OR REPLACE FUNCTION vrm_private.er_dot(topic text, keys_only boolean) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(E'\n', 'digraph vrm {', '    rankdir = LR; node [shape = plain, fontname = "sans-serif"];',
        (SELECT string_agg(format(E'    subgraph cluster_%1$s { label = "%1$s"; style = rounded;\n%2$s\n    }', t.name,
                                  t.nodes), E'\n' ORDER BY t.name)
         FROM (SELECT vrm_private.er_topic(e.relation) AS name,
                      string_agg(e.node, E'\n' ORDER BY e.relation::text) AS nodes
         FROM (SELECT c.relation,
             format('    %s [label = <<table border="0" cellborder="1" cellspacing="0" cellpadding="4">'
                                         '<tr><td bgcolor="#dce9f8"><b>%s</b></td></tr>%s</table>>];',
                                             to_json(c.relation::text),
                      vrm_private.html(c.relation::text),
                      string_agg(format('<tr><td align="left">%s %s%s</td></tr>', vrm_private.html(c.name),
                          vrm_private.html(c.type),
                                        vrm_private.html(' ' || nullif(c.key, ''))), '' ORDER BY c.place)
                          FILTER (WHERE c.key <> '' OR NOT keys_only)) AS node
               FROM vrm_private.er_columns(topic) c GROUP BY c.relation) AS e GROUP BY 1) AS t),
        (SELECT string_agg(format('    %s -> %s [label = %s%s];', to_json(r.child::text), to_json(r.parent::text),
            to_json(r.columns),
                                  CASE WHEN r.needed THEN '' ELSE ', style = dashed' END),
                                      E'\n' ORDER BY r.child::text, r.columns)
         FROM vrm_private.er_references(topic) r), '}', '')
$$;
COMMENT ON FUNCTION vrm_private.er_dot(text, boolean) IS 'vrm.er_diagram() in the language of Graphviz';

CREATE OR REPLACE FUNCTION vrm.er_diagram(
    format text DEFAULT 'mermaid', topic text DEFAULT NULL, keys_only boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.er_diagram(text,text,boolean)');
    IF format IS NULL OR format NOT IN ('mermaid', 'dot') THEN
        RAISE EXCEPTION 'there is no diagram of format "%"', format
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'SELECT vrm.er_diagram(''mermaid''), or ''dot'' for Graphviz.';
    ELSIF topic <> 'other' AND NOT EXISTS (SELECT FROM vrm_private.er_columns(topic)) THEN
        RAISE EXCEPTION 'there is no table of topic "%"', topic
            USING ERRCODE = 'invalid_parameter_value',
                DETAIL = 'Topics are people, calls, testing, analytics, retention, audit, operations and other.',
                HINT = 'SELECT vrm.er_diagram(topic => ''calls'');';
    END IF;
    RETURN CASE format WHEN 'dot' THEN vrm_private.er_dot(topic, coalesce(keys_only, false))
                       ELSE vrm_private.er_mermaid(topic, coalesce(keys_only, false)) END;
END
$$;
COMMENT ON FUNCTION vrm.er_diagram(text, text, boolean) IS
    'the tables of schema vrm and their foreign keys as a diagram, all or those of a topic: mermaid or dot';
REVOKE EXECUTE ON FUNCTION
    vrm.er_diagram(text, text, boolean), vrm_private.html(text),
    vrm_private.er_topic(regclass),
    vrm_private.er_columns(text),
    vrm_private.er_references(text),
    vrm_private.er_mermaid(text, boolean),
    vrm_private.er_dot(text, boolean)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.er_diagram(text, text, boolean) TO service_role, pg_monitor;
