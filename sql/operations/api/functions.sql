-- API: schema vrm_api, for what makes HTTP and types of a schema

-- What a type of vrm is for clients that know PostgreSQL's own types alone, and how values get there and back.
-- Parameters are texts where results are enumerations, of which generators make unions.
CREATE OR REPLACE FUNCTION vrm_private.plain_type(
    type oid, OUT plain text, OUT from_plain text, OUT shown text, OUT to_shown text
)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH kind AS (
        SELECT t.oid, t.typname AS name, t.typtype AS kind, format_type(t.oid, NULL) AS own,
               t.typtype IN ('e', 'd') OR t.oid IN ('vrm.secret'::regtype, 'inet'::regtype, 'xml'::regtype,
                                                    'name'::regtype, 'xid8'::regtype, 'pg_lsn'::regtype) AS is_text,
               vrm_private.api_words(t.oid) IS NOT NULL AS has_words
        FROM pg_type t WHERE t.oid = type
    )
    SELECT CASE WHEN oid = 'interval'::regtype THEN 'double precision' WHEN oid = 'vrm.call_stats'::regtype THEN 'jsonb'
                WHEN oid = 'bytea'::regtype OR is_text THEN 'text' ELSE own END,
           CASE WHEN oid = 'interval'::regtype THEN 'pg_catalog.make_interval(secs => %s)'
                WHEN oid = 'bytea'::regtype THEN 'pg_catalog.decode(%s, ''hex'')'
                WHEN is_text THEN 'CAST(%s AS ' || own || ')' ELSE '%s' END,
           CASE WHEN oid = 'interval'::regtype THEN 'double precision' WHEN oid = 'vrm.call_stats'::regtype THEN 'jsonb'
                WHEN kind = 'e' THEN own WHEN has_words THEN format('vrm_api.%I', name)
                WHEN oid = 'bytea'::regtype OR is_text THEN 'text' ELSE own END,
           CASE WHEN oid = 'interval'::regtype THEN 'CAST(EXTRACT(epoch FROM %s) AS double precision)'
                WHEN oid = 'vrm.call_stats'::regtype THEN 'vrm.call_stats_json(%s)'
                WHEN oid = 'bytea'::regtype THEN 'pg_catalog.encode(%s, ''hex'')'
                WHEN kind = 'e' THEN '%s'
                WHEN has_words THEN format('CAST(CAST(%%s AS text) AS vrm_api.%I)', name)
                WHEN is_text THEN 'CAST(%s AS text)' ELSE '%s' END
    FROM kind
$$;
COMMENT ON FUNCTION vrm_private.plain_type(oid) IS
    'types that schema vrm_api has instead of another one, for parameters and for what is shown, and expressions';

-- A domain over text that is a list of words would be any text for generators.
CREATE OR REPLACE FUNCTION vrm_private.api_words(type oid) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(w.word[1] ORDER BY w.place)
    FROM pg_constraint c,
         regexp_matches(pg_get_constraintdef(c.oid), '''([^'']*)''::text', 'g') WITH ORDINALITY AS w (word, place)
    WHERE c.contypid = type AND pg_get_constraintdef(c.oid) ~ '= ANY \(ARRAY\['
$$;
COMMENT ON FUNCTION vrm_private.api_words(oid) IS 'words that a domain is; null for other types';
REVOKE EXECUTE ON FUNCTION vrm_private.api_words(oid) FROM PUBLIC;

-- Programs that make mutations of tables call them create, update and delete, too; a log is kept for itself.
CREATE OR REPLACE FUNCTION vrm_private.api_name(name name) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN name = 'log' THEN 'write_log'
                ELSE regexp_replace(regexp_replace(name, '^create_', 'add_'), '^delete_', 'remove_') END
$$;
COMMENT ON FUNCTION vrm_private.api_name(name) IS 'what a function of vrm is called in vrm_api';

-- Not what says who calls, computes figures of figures, or is there as a row already.
CREATE OR REPLACE FUNCTION vrm_private.api_functions() RETURNS SETOF pg_proc
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.*
    FROM pg_proc p
    WHERE p.pronamespace = 'vrm'::regnamespace AND p.prokind = 'f' AND p.provolatile <> 'i'
      AND p.proname <> ALL ('{login,logout,rpc,rpc_batch,uid,jwt,role,aal,is_anonymous,uuid7,build_info,seal,
                              is_archiving,piece_statistics,read_report,require_grant,
                              statistics_pieces,unpack_results}'::name[])
      AND p.proname NOT LIKE '%\_json'
      AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) AS a (type) JOIN pg_type t ON t.oid = a.type
                      WHERE t.typtype = 'p' OR t.oid IN ('vrm.call_stats'::regtype, 'tid'::regtype))
      AND (p.prorettype IN ('void'::regtype, 'record'::regtype)
           OR (SELECT t.typtype FROM pg_type t WHERE t.oid = p.prorettype) <> 'p')
      AND (has_function_privilege('anon', p.oid, 'EXECUTE')
           OR has_function_privilege('authenticated', p.oid, 'EXECUTE'))
$$;
COMMENT ON FUNCTION vrm_private.api_functions() IS 'functions of vrm that vrm_api has';

-- What a function of vrm gives: the columns of its rows, or one value without a name.
CREATE OR REPLACE FUNCTION vrm_private.result_columns(function pg_proc)
    RETURNS TABLE (place bigint, name text, type oid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.place, function.proargnames[a.place], a.type
    FROM unnest(function.proallargtypes, function.proargmodes) WITH ORDINALITY AS a (type, mode, place)
    WHERE a.mode IN ('o', 't')
    UNION ALL
    SELECT c.attnum, c.attname, c.atttypid
    FROM pg_type t JOIN pg_attribute c ON c.attrelid = t.typrelid AND c.attnum > 0 AND NOT c.attisdropped
    WHERE t.oid = function.prorettype AND t.typtype = 'c'
$$;
COMMENT ON FUNCTION vrm_private.result_columns(pg_proc) IS 'columns of what a function gives; none for a single value';

CREATE OR REPLACE FUNCTION vrm_private.api_default(function oid, place integer, type oid) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted text := pg_get_function_arg_default(function, place);
    given text;
    plain record := vrm_private.plain_type(type);
BEGIN
    IF wanted IS NULL THEN
        RETURN '';
    ELSIF plain.from_plain = '%s' THEN
        RETURN ' DEFAULT ' || wanted;
    END IF;
    EXECUTE format('SELECT CAST(%s AS text)', format(plain.to_shown, wanted)) INTO given;
    RETURN format(' DEFAULT %L', given);
END
$$;
COMMENT ON FUNCTION vrm_private.api_default(oid, integer, oid) IS 'DEFAULT of an argument, as its plain type has it';

-- OUT arguments have no name as a whole, and generators know nothing of their types.
CREATE OR REPLACE FUNCTION vrm_private.make_api_row(function pg_proc, columns text) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text := format('vrm_api.%I', coalesce(
        (SELECT t.typname FROM pg_type t WHERE t.oid = function.prorettype AND t.typtype = 'c'),
        function.proname || '_result'));
BEGIN
    IF to_regtype(name) IS NULL THEN
        EXECUTE format('CREATE TYPE %s AS (%s)', name, columns);
        EXECUTE format('COMMENT ON TYPE %s IS %L', name, 'what functions such as ' || function.proname || ' give');
    END IF;
    RETURN name;
END
$$;
COMMENT ON FUNCTION vrm_private.make_api_row(pg_proc, text) IS
    'the type of the one row that a function of vrm_api gives';
REVOKE EXECUTE ON FUNCTION vrm_private.make_api_row(pg_proc, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.make_api_function(function pg_proc) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text := vrm_private.api_name(function.proname);
    parameters text;
    signature text;
    call text;
    result text;
    body text;
    grantees text;
BEGIN
    SELECT string_agg(format('%I %s%s', a.name, p.plain,
                             vrm_private.api_default(function.oid, a.place::integer, a.type)), ', ' ORDER BY a.place),
           string_agg(p.plain, ', ' ORDER BY a.place),
           format('vrm.%I(%s)', function.proname,
                  string_agg(format('%I => ', a.name) || format(p.from_plain, '$' || a.place), ', ' ORDER BY a.place))
    INTO parameters, signature, call
    FROM unnest(function.proargtypes::oid[], function.proargnames[:function.pronargs]) WITH ORDINALITY
             AS a (type, name, place),
         vrm_private.plain_type(a.type) AS p;
    SELECT string_agg(format('%I %s', c.name, p.shown), ', ' ORDER BY c.place),
           format('SELECT %s FROM %s AS r',
                  string_agg(format(p.to_shown, format('r.%I', c.name)), ', ' ORDER BY c.place), call)
    INTO result, body
    FROM vrm_private.result_columns(function) AS c, vrm_private.plain_type(c.type) AS p;
    IF result IS NULL THEN
        SELECT CASE WHEN function.proretset THEN 'SETOF ' ELSE '' END || p.shown,
               'SELECT ' || format(p.to_shown, call)
        INTO result, body FROM vrm_private.plain_type(function.prorettype) AS p;
    ELSIF function.proretset THEN
        result := format('TABLE (%s)', result);
    ELSE
        result := vrm_private.make_api_row(function, result);
    END IF;
    EXECUTE format('CREATE FUNCTION vrm_api.%I(%s) RETURNS %s LANGUAGE sql %s AS %L', name, parameters, result,
                   CASE function.provolatile WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END, body);
    EXECUTE format('COMMENT ON FUNCTION vrm_api.%I(%s) IS %L', name, signature,
                   obj_description(function.oid, 'pg_proc'));
    EXECUTE format('REVOKE EXECUTE ON FUNCTION vrm_api.%I(%s) FROM PUBLIC', name, signature);
    SELECT string_agg(r, ', ') INTO grantees FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS r
    WHERE has_function_privilege(r, function.oid, 'EXECUTE');
    EXECUTE format('GRANT EXECUTE ON FUNCTION vrm_api.%I(%s) TO %s', name, signature, grantees);
END
$$;
COMMENT ON FUNCTION vrm_private.make_api_function(pg_proc) IS
    'makes the function of vrm_api for one of vrm, for the same roles';

-- What is sealed helps nobody.
CREATE OR REPLACE FUNCTION vrm_private.api_columns(relation regclass)
    RETURNS TABLE (number smallint, name name, expression text, is_column boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.attnum, a.attname,
           format(p.to_shown, format('t.%I', a.attname)), p.to_shown = '%s'
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL vrm_private.plain_type(a.atttypid) AS p
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid <> 'vrm.sealed'::regtype
      AND has_column_privilege('authenticated', relation, a.attnum, 'SELECT')
$$;
COMMENT ON FUNCTION vrm_private.api_columns(regclass) IS
    'columns of a view of vrm_api, how they are made, and whether they are columns of the table just so';

-- What users may read of a table, and write of it, no more: the view runs as who asks, under the table's policies.
CREATE OR REPLACE FUNCTION vrm_private.make_api_view(relation regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name name := (SELECT c.relname FROM pg_class c WHERE c.oid = relation);
    columns text := (SELECT string_agg(format('%s AS %I', c.expression, c.name), ', ' ORDER BY c.number)
                     FROM vrm_private.api_columns(relation) AS c);
    verb text;
    written text;
BEGIN
    EXECUTE format('CREATE VIEW vrm_api.%I WITH (security_invoker = true) AS SELECT %s FROM %s AS t', name, columns,
                   relation);
    EXECUTE format('COMMENT ON VIEW vrm_api.%I IS %L', name, obj_description(relation, 'pg_class'));
    EXECUTE format('REVOKE ALL ON vrm_api.%I FROM PUBLIC, anon, authenticated, service_role', name);
    EXECUTE format('GRANT SELECT ON vrm_api.%I TO authenticated, service_role', name);
    FOREACH verb IN ARRAY ARRAY['INSERT', 'UPDATE'] LOOP
        SELECT string_agg(quote_ident(c.name), ', ') INTO written
        FROM vrm_private.api_columns(relation) AS c
        WHERE c.is_column AND has_column_privilege('authenticated', relation, c.number, verb);
        IF written IS NOT NULL THEN
            EXECUTE format('GRANT %s (%s) ON vrm_api.%I TO authenticated', verb, written, name);
        END IF;
    END LOOP;
    IF has_table_privilege('authenticated', relation, 'DELETE') THEN
        EXECUTE format('GRANT DELETE ON vrm_api.%I TO authenticated', name);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.make_api_view(regclass) IS 'makes the view of vrm_api for a table or view of vrm';

-- POST /test_runs queues a call.  In the view the state is an enumeration, which PostgreSQL cannot write through, and
-- what programs name without a value is for the table to fill in.
CREATE OR REPLACE FUNCTION vrm_private.insert_call() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    given jsonb := (SELECT '{"status": "queued"}' || coalesce(jsonb_object_agg(g.key, g.value), '{}')
                    FROM jsonb_each(to_jsonb(NEW)) AS g WHERE g.value <> 'null');
    columns text;
    chosen text;
    owner uuid;
    made uuid;
BEGIN
    SELECT string_agg(quote_ident(k), ', ') FILTER (WHERE p.granted),
           string_agg(quote_ident(k), ', ') FILTER (WHERE NOT p.granted)
    INTO columns, chosen
    FROM jsonb_object_keys(given) AS k, has_column_privilege('vrm.test_runs', k, 'INSERT') AS p (granted);
    IF chosen IS NOT NULL OR given ->> 'status' NOT IN ('queued', 'running') THEN
        RAISE EXCEPTION 'a new call is queued or running and has no end'
            USING ERRCODE = CASE WHEN chosen IS NULL THEN 'invalid_parameter_value' ELSE 'insufficient_privilege' END,
                  DETAIL = coalesce('Not chosen by who makes it: ' || chosen || '.',
                                    format('Got status "%s".', given ->> 'status')),
                  HINT = 'SELECT vrm_api.complete_test_run(run_id, results); ends one, SELECT'
                         ' vrm_api.import_call(source, payload); brings in one that has ended.';
    END IF;
    EXECUTE format('INSERT INTO vrm.test_runs (%1$s) SELECT %1$s FROM jsonb_populate_record(NULL::vrm.test_runs, $1)'
                   ' RETURNING user_id, id', columns)
    INTO owner, made USING given;
    SELECT * INTO NEW FROM vrm_api.test_runs t WHERE t.user_id = owner AND t.id = made;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION vrm_private.insert_call() IS
    'trigger: a row of the view of calls is a new call, queued unless it runs';
REVOKE EXECUTE ON FUNCTION vrm_private.insert_call() FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.take_api_calls() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CREATE TRIGGER insert_call INSTEAD OF INSERT ON vrm_api.test_runs
        FOR EACH ROW EXECUTE FUNCTION vrm_private.insert_call();
    COMMENT ON TRIGGER insert_call ON vrm_api.test_runs IS 'POST queues a call';
    -- mappers of objects name them all; the trigger refuses what is not theirs
    GRANT INSERT ON vrm_api.test_runs TO authenticated;
END
$$;
COMMENT ON FUNCTION vrm_private.take_api_calls() IS 'makes the view of calls in vrm_api take new ones';
REVOKE EXECUTE ON FUNCTION vrm_private.take_api_calls() FROM PUBLIC;

-- What a call has, be it tied by a foreign key or not: it outlives some of it, some outlives it, and what keys lead to
-- generators of types do not see behind views.  PostgREST embeds it: GET /test_runs?select=id,run_events(status,at).
-- PostGraphile, which has one name for both a view and a function, takes that of the comment.
CREATE OR REPLACE FUNCTION vrm_private.make_api_relations() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relation record;
BEGIN
    FOR relation IN
        SELECT * FROM (VALUES
            ('run_events', 'of.user_id = $1.user_id AND of.run_id = $1.id', 4, 'changes of the call''s state'),
            ('metric_results', 'of.user_id = $1.user_id AND of.run_id = $1.id', 4,
             'what judges and people say of the call'),
            ('agent_versions',
             'of.user_id = $1.user_id AND of.agent_id = $1.agent_id AND of.version = $1.agent_version', 1,
             'what the agent was when the call began'),
            ('transcript_turns', 'of.user_id = $1.user_id AND of.run_id = $1.id', 100, 'what was said, until it ends'),
            ('run_actions', 'of.user_id = $1.user_id AND of.run_id = $1.id', 10, 'what the agent did, until it ends'),
            ('call_recordings', 'of.user_id = $1.user_id AND of.run_id = $1.id', 2, 'recordings of the call'),
            ('agents', 'of.user_id = $1.user_id AND of.id = $1.agent_id', 1, 'the agent'),
            ('test_cases', '(of.user_id, of.id) IN (SELECT l.case_user_id, l.case_id FROM vrm.test_run_cases AS l'
             ' WHERE l.user_id = $1.user_id AND l.run_id = $1.id)', 4, 'test cases of the call'))
            AS r (name, condition, number, comment)
    LOOP
        EXECUTE format('CREATE FUNCTION vrm_api.%1$I(vrm_api.test_runs) RETURNS SETOF vrm_api.%1$I LANGUAGE sql STABLE'
                       ' ROWS %2$s AS %3$L', relation.name, relation.number,
                       format('SELECT of.* FROM vrm_api.%I AS of WHERE %s', relation.name, relation.condition));
        EXECUTE format('COMMENT ON FUNCTION vrm_api.%I(vrm_api.test_runs) IS %L', relation.name,
                       format(E'@name test_runs_%s\n%s', relation.name, relation.comment));
        EXECUTE format('REVOKE EXECUTE ON FUNCTION vrm_api.%I(vrm_api.test_runs) FROM PUBLIC', relation.name);
        EXECUTE format('GRANT EXECUTE ON FUNCTION vrm_api.%I(vrm_api.test_runs) TO authenticated, service_role',
                       relation.name);
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.make_api_relations() IS
    'makes the functions of vrm_api by which PostgREST embeds in calls what they have';
REVOKE EXECUTE ON FUNCTION vrm_private.make_api_relations() FROM PUBLIC;

-- Who may do what is part of what a thing is.
CREATE OR REPLACE FUNCTION vrm_private.present_api()
    RETURNS TABLE (kind text, object text, name text, definition text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
    WITH present AS (
        SELECT n.nspname::text AS object, n.nspowner AS owner, '' AS definition, n.nspacl AS privileges
        FROM pg_namespace n WHERE n.nspname = 'vrm_api'
        UNION ALL
        SELECT c.oid::regclass::text, c.relowner,
               concat(c.relkind, c.reloptions, CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END,
                      (SELECT string_agg(vrm_private.sorted_privileges(a.attacl) || a.attname, ',' ORDER BY a.attnum)
                       FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped),
                      (SELECT string_agg(concat(pg_get_triggerdef(t.oid), t.tgenabled), ',' ORDER BY t.tgname)
                       FROM pg_trigger t WHERE t.tgrelid = c.oid),
                      (SELECT string_agg(pg_get_ruledef(w.oid), ',' ORDER BY w.rulename)
                       FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename <> '_RETURN')),
               c.relacl
        FROM pg_class c
        WHERE c.relnamespace = to_regnamespace('vrm_api') AND c.relkind IN ('v', 'r', 'm', 'f', 'p')
        UNION ALL
        SELECT p.oid::regprocedure::text, p.proowner,
               CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END, p.proacl
        FROM pg_proc p WHERE p.pronamespace = to_regnamespace('vrm_api')
    )
    SELECT 'api', p.object, 'api',
           md5(concat_ws(' ', p.owner::regrole, p.definition, vrm_private.sorted_privileges(p.privileges)))
    FROM present p
$$;
COMMENT ON FUNCTION vrm_private.present_api() IS 'what is in schema vrm_api, in the words of vrm_private.intended';

CREATE OR REPLACE FUNCTION vrm_private.sorted_privileges(privileges aclitem[]) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(string_agg(concat_ws(' ', vrm_private.role_name(a.grantee), a.privilege_type, a.is_grantable), ', '
                               ORDER BY vrm_private.role_name(a.grantee), a.privilege_type, a.is_grantable), '')
    FROM aclexplode(privileges) AS a
$$;
COMMENT ON FUNCTION vrm_private.sorted_privileges(aclitem[]) IS
    'privileges by grantee, whatever order they were granted in';
REVOKE EXECUTE ON FUNCTION vrm_private.sorted_privileges(aclitem[]) FROM PUBLIC;

-- Enumerations are what views and functions of it are made of, and cannot be changed below them but by a name.
CREATE OR REPLACE FUNCTION vrm_private.doctor_api()
    RETURNS TABLE (check_name text, status text, detail text, hint text, fix_sql text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'api', 'fail', format('%s of schema vrm_api is %s', coalesce(i.object, p.object),
                                 CASE WHEN i.object IS NULL THEN 'none that vrm.make_api() has made'
                                      WHEN p.object IS NULL THEN 'gone' ELSE 'not as vrm.make_api() has made it' END),
           'The fix makes all of the schema anew.', 'SELECT vrm.make_api();'
    FROM (SELECT * FROM vrm_private.intended n
          WHERE n.kind = 'api' AND n.noted_by = (SELECT vrm_private.spelling())) AS i
    FULL JOIN vrm_private.present_api() p ON p.object = i.object
    WHERE i.definition IS DISTINCT FROM p.definition AND to_regnamespace('vrm_api') IS NOT NULL
      AND EXISTS (SELECT FROM vrm_private.intended n
                  WHERE n.kind = 'api' AND n.noted_by = (SELECT vrm_private.spelling()))
$$;
COMMENT ON FUNCTION vrm_private.doctor_api() IS 'for vrm.doctor(): what is in schema vrm_api and not as it was made';

-- Without CASCADE: what a DBA has put on it is an error that names it.
CREATE OR REPLACE FUNCTION vrm.make_api() RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    mark CONSTANT text := 'made of schema vrm by vrm.make_api(), which replaces what is in it';
    made record;
    number bigint;
BEGIN
    IF to_regnamespace('vrm_api') IS NULL THEN
        CREATE SCHEMA vrm_api;
        EXECUTE format('COMMENT ON SCHEMA vrm_api IS %L', mark);
    ELSIF obj_description(to_regnamespace('vrm_api'), 'pg_namespace') IS DISTINCT FROM mark
          OR NOT EXISTS (SELECT FROM pg_namespace n JOIN pg_namespace v ON v.nspowner = n.nspowner
                         WHERE n.nspname = 'vrm_api' AND v.nspname = 'vrm') THEN
        RAISE EXCEPTION 'schema "vrm_api" is somebody else''s'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'ALTER SCHEMA vrm_api RENAME TO vrm_api_of_something_else;';
    END IF;
    FOR made IN SELECT p.oid::regprocedure AS routine FROM pg_proc p WHERE p.pronamespace = 'vrm_api'::regnamespace LOOP
        EXECUTE format('DROP FUNCTION %s', made.routine);
    END LOOP;
    FOR made IN SELECT c.oid::regclass AS view FROM pg_class c
                WHERE c.relnamespace = 'vrm_api'::regnamespace AND c.relkind = 'v' LOOP
        EXECUTE format('DROP VIEW %s', made.view);
    END LOOP;
    FOR made IN SELECT t.oid::regtype AS type FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
                WHERE t.typnamespace = 'vrm_api'::regnamespace AND (t.typtype = 'e' OR c.relkind = 'c') LOOP
        EXECUTE format('DROP TYPE %s', made.type);
    END LOOP;
    FOR made IN SELECT DISTINCT vrm_private.role_name(a.grantee) AS grantee
                FROM pg_namespace n, aclexplode(n.nspacl) AS a
                WHERE n.nspname = 'vrm_api' AND a.grantee <> n.nspowner LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA vrm_api FROM %s CASCADE', made.grantee);
    END LOOP;
    GRANT USAGE ON SCHEMA vrm_api TO anon, authenticated, service_role;
    FOR made IN SELECT t.typname AS name, obj_description(t.oid, 'pg_type') AS comment,
                       string_agg(quote_literal(w.word), ', ' ORDER BY w.place) AS words
                FROM pg_type t, unnest(vrm_private.api_words(t.oid)) WITH ORDINALITY AS w (word, place)
                WHERE t.typnamespace = 'vrm'::regnamespace AND t.typtype = 'd' GROUP BY t.oid LOOP
        EXECUTE format('CREATE TYPE vrm_api.%I AS ENUM (%s)', made.name, made.words);
        EXECUTE format('COMMENT ON TYPE vrm_api.%I IS %L', made.name, made.comment);
    END LOOP;
    PERFORM vrm_private.make_api_view(c.oid)
    FROM pg_class c
    WHERE c.relnamespace = 'vrm'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
      AND c.relname <> ALL ('{cached_results,call_dirty,call_facts,call_rollup,live_runs,import_words,
                              import_progress,call_import_feed,run_leases,run_queue,profiles}'::name[])
      AND has_any_column_privilege('authenticated', c.oid, 'SELECT');
    PERFORM vrm_private.make_api_function(f) FROM vrm_private.api_functions() AS f;
    PERFORM vrm_private.take_api_calls();
    PERFORM vrm_private.make_api_relations();
    DELETE FROM vrm_private.intended i WHERE i.kind = 'api';
    INSERT INTO vrm_private.intended SELECT p.*, vrm_private.spelling() FROM vrm_private.present_api() p;
    SELECT count(*) INTO number FROM pg_proc p WHERE p.pronamespace = 'vrm_api'::regnamespace;
    RETURN number;
END
$$;
COMMENT ON FUNCTION vrm.make_api() IS
    'makes schema vrm_api, or makes it anew: views and functions with plain types for HTTP and generators of code';
REVOKE EXECUTE ON FUNCTION
    vrm_private.plain_type(oid), vrm_private.api_name(name), vrm_private.api_functions(),
    vrm_private.result_columns(pg_proc), vrm_private.api_default(oid, integer, oid),
    vrm_private.make_api_function(pg_proc), vrm_private.api_columns(regclass), vrm_private.make_api_view(regclass),
    vrm.make_api(), vrm_private.present_api(), vrm_private.doctor_api()
    FROM PUBLIC;
