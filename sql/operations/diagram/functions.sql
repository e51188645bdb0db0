-- A diagram of the tables

CREATE OR REPLACE FUNCTION vrm_private.html(value text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT replace(replace(replace(replace(replace(value, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'),
                           '"', '&quot;'), '''', '&#39;')
$$;
COMMENT ON FUNCTION vrm_private.html(text) IS 'text as it stands in HTML and SVG, in attributes, too';

-- What the tables are and how they hang together, read off the catalog: with whatever a DBA has added.
CREATE OR REPLACE FUNCTION vrm_private.er_columns()
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
$$;
COMMENT ON FUNCTION vrm_private.er_columns() IS 'columns of the tables of schema vrm, partitions left out';

CREATE OR REPLACE FUNCTION vrm_private.er_references()
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
      AND k.conrelid IN (SELECT relation FROM vrm_private.er_columns())
$$;
COMMENT ON FUNCTION vrm_private.er_references() IS
    'foreign keys of these tables; needed: never null; one: at most one row points to another';

CREATE OR REPLACE FUNCTION vrm_private.er_mermaid() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(E'\n', 'erDiagram',
        (SELECT string_agg(e.entity, E'\n' ORDER BY e.relation::text)
         FROM (SELECT c.relation,
             format(E'    %s {\n%s\n    }', regexp_replace(split_part(c.relation::text, '.', 2), '\W', '_', 'g'),
                      string_agg(concat_ws(' ', '       ', regexp_replace(c.type, '[^\w\[\]()]', '_', 'g'),
                                           regexp_replace(c.name, '\W', '_', 'g'), nullif(c.key, ''),
                                           format('"%s"', translate(c.note, E'"\n', ''' '))),
                                               E'\n' ORDER BY c.place)) AS entity
               FROM vrm_private.er_columns() c GROUP BY c.relation) AS e),
        (SELECT string_agg(format('    %s %s--%s %s : "%s"', regexp_replace(replace(r.parent::text, 'vrm.', ''), '\W',
            '_', 'g'),
                                  CASE WHEN r.needed THEN '||' ELSE '|o' END, CASE WHEN r.one THEN 'o|' ELSE 'o{' END,
                                  regexp_replace(replace(r.child::text, 'vrm.', ''), '\W', '_', 'g'),
                                      translate(r.columns, '"', '''')), E'\n'
                           ORDER BY r.parent::text, r.child::text, r.columns)
         FROM vrm_private.er_references() r), '')
$$;
COMMENT ON FUNCTION vrm_private.er_mermaid() IS 'vrm.er_diagram() in the language of Mermaid';

CREATE OR REPLACE FUNCTION vrm_private.er_dot() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(E'\n', 'digraph vrm {', '    rankdir = LR; node [shape = plain, fontname = "sans-serif"];',
        (SELECT string_agg(e.node, E'\n' ORDER BY e.relation::text)
         FROM (SELECT c.relation,
             format('    %s [label = <<table border="0" cellborder="1" cellspacing="0" cellpadding="4">'
                                         '<tr><td bgcolor="#dce9f8"><b>%s</b></td></tr>%s</table>>];',
                                             to_json(c.relation::text),
                      vrm_private.html(c.relation::text),
                      string_agg(format('<tr><td align="left">%s %s%s</td></tr>', vrm_private.html(c.name),
                          vrm_private.html(c.type),
                                        vrm_private.html(' ' || nullif(c.key, ''))), '' ORDER BY c.place)) AS node
               FROM vrm_private.er_columns() c GROUP BY c.relation) AS e),
        (SELECT string_agg(format('    %s -> %s [label = %s%s];', to_json(r.child::text), to_json(r.parent::text),
            to_json(r.columns),
                                  CASE WHEN r.needed THEN '' ELSE ', style = dashed' END),
                                      E'\n' ORDER BY r.child::text, r.columns)
         FROM vrm_private.er_references() r), '}', '')
$$;
COMMENT ON FUNCTION vrm_private.er_dot() IS 'vrm.er_diagram() in the language of Graphviz';

CREATE OR REPLACE FUNCTION vrm.er_diagram(format text DEFAULT 'mermaid') RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm.require_grant('vrm.er_diagram(text)');
    IF format IS NULL OR format NOT IN ('mermaid', 'dot') THEN
        RAISE EXCEPTION 'there is no diagram of format "%"', format
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'SELECT vrm.er_diagram(''mermaid''), or ''dot'' for Graphviz.';
    END IF;
    RETURN CASE format WHEN 'dot' THEN vrm_private.er_dot() ELSE vrm_private.er_mermaid() END;
END
$$;
COMMENT ON FUNCTION vrm.er_diagram(text) IS
    'the tables of schema vrm and their foreign keys as a diagram: mermaid or dot';
REVOKE EXECUTE ON FUNCTION
    vrm.er_diagram(text), vrm_private.html(text),
    vrm_private.er_columns(),
    vrm_private.er_references(),
    vrm_private.er_mermaid(),
    vrm_private.er_dot()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.er_diagram(text) TO service_role, pg_monitor;
