-- The schema: every column and default of the source document, keys, and
-- comments on everything.
BEGIN;
SELECT plan(19);
\ir ../include/people.sql

CREATE FUNCTION pg_temp.columns(relation regclass) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
                                CASE WHEN a.attnotnull THEN 'not null' END,
                                'default ' || pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attnum)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
$$;

SELECT is(pg_temp.columns('vrm.user_profiles'),
          'id uuid not null, email text, full_name text, avatar_url text, organization text, '
          'role vrm.user_role not null default ''user''::vrm.user_role, mfa_enabled boolean not null default false, '
          'mfa_secret vrm.sealed, last_login timestamp with time zone, login_attempts integer not null default 0, '
          'locked_until timestamp with time zone, created_at timestamp with time zone not null default now(), '
          'updated_at timestamp with time zone not null default now(), deleted_at timestamp with time zone, '
          'is_organisation boolean not null default false',
          'user_profiles');
SELECT is(pg_temp.columns('vrm_private.password_reset_tokens'),
          'user_id uuid not null, id uuid not null default vrm.uuid7(), token_hash bytea not null, '
          'expires_at timestamp with time zone not null, created_at timestamp with time zone not null default now()',
          'password_reset_tokens');
SELECT is(pg_temp.columns('vrm.agents'),
          'user_id uuid not null default vrm.uid(), id uuid not null default vrm.uuid7(), agent_id text not null, '
          'agent_type text, connection_details jsonb, direction vrm.call_direction, persona text, scenario text, '
          'created_at timestamp with time zone not null default now(), updated_at timestamp with time zone not null '
          'default now(), '
          'deleted_at timestamp with time zone', 'agents');
SELECT is(pg_temp.columns('vrm.test_runs'),
          'user_id uuid not null default vrm.uid(), id uuid not null default vrm.uuid7(), agent_id uuid, test_case_ids '
          'jsonb, '
          'time_limit integer not null default 60, outbound_call_params jsonb, status vrm.run_status not null, '
          'started_at timestamp with time zone not null default now(), completed_at timestamp with time zone, results '
          'jsonb, error text, source text, '
          'external_id text, direction vrm.call_direction, outcome text, ended_reason text, cost numeric(18,6), '
          'currency text, results_sha256 bytea, agent_version integer',
          'test_runs');
SELECT is(pg_temp.columns('vrm.test_cases'),
          'user_id uuid not null default vrm.uid(), id uuid not null default vrm.uuid7(), name text not null, '
          'user_persona jsonb, '
          'scenario jsonb, evaluator_metrics jsonb, is_shared boolean not null default false, '
          'created_at timestamp with time zone not null default now(), updated_at timestamp with time zone not null '
          'default now()',
          'test_cases');
SELECT is(pg_temp.columns('vrm.metrics'),
          'user_id uuid not null default vrm.uid(), id uuid not null default vrm.uuid7(), name text not null, prompt '
          'text not null, '
          'created_at timestamp with time zone not null default now(), updated_at timestamp with time zone not null '
          'default now()', 'metrics');
SELECT is(pg_temp.columns('vrm.api_keys'),
          'user_id uuid not null default vrm.uid(), id uuid not null default vrm.uuid7(), service text not null, key '
          'vrm.sealed not null, '
          'key_hint text, description text, created_at timestamp with time zone not null default now(), '
          'last_used_at timestamp with time zone', 'api_keys');
SELECT is(pg_temp.columns('vrm.call_recordings'),
          'user_id uuid not null, id uuid not null default vrm.uuid7(), run_id uuid not null, object_key text not '
          'null, bytes bigint not null, '
          'sha256 bytea not null, data_key vrm.sealed, recorded_at timestamp with time zone not null default now(), '
          'keep interval', 'call_recordings');
SELECT is_empty($$SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'vrm.test_runs'::regclass AND a.attnum > 0
                  AND NOT EXISTS (SELECT FROM pg_attribute b
                                  WHERE b.attrelid = 'vrm_private.test_runs_archive'::regclass
                                  AND b.attname = a.attname AND NOT b.attisdropped)$$,
                'test_runs_archive has the columns of test_runs');

-- keys and indexes --------------------------------------------------------------------------------

SELECT is((SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
           JOIN pg_class c ON c.oid = i.indexrelid
           WHERE t.oid IN ('vrm.test_runs'::regclass, 'vrm.agents'::regclass, 'vrm.metrics'::regclass)),
          'agents_agent_id agents_pkey metrics_name metrics_pkey test_runs_agent test_runs_external_id test_runs_pkey '
          'test_runs_started_at test_runs_user_time',
          'each index is there, and no other');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                AND n.nspname = 'vrm'
                  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id'
                  JOIN pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p'
                  WHERE c.relkind = 'r'
                  AND p.conkey[1] <> a.attnum$$, 'every key of a tenant''s table begins with user_id');
SELECT is((SELECT confdeltype FROM pg_constraint WHERE conrelid = 'vrm.test_runs'::regclass
           AND confrelid = 'vrm.agents'::regclass),
          'a'::"char", 'deleting an agent does not erase its history');

-- updated_at follows every change, wherever there is one -------------------------------------------

INSERT INTO auth.users (id) VALUES ('018f0000-0000-7000-8000-000000000001');
INSERT INTO vrm.agents (user_id, agent_id) VALUES ('018f0000-0000-7000-8000-000000000001', 'a');
DELETE FROM vrm.test_cases;
INSERT INTO vrm.test_cases (user_id, name) VALUES ('018f0000-0000-7000-8000-000000000001', 'a');
INSERT INTO vrm.metrics (user_id, name, prompt) VALUES ('018f0000-0000-7000-8000-000000000001', 'a', 'b');
CREATE FUNCTION pg_temp.touched(relation regclass) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    touched boolean;
BEGIN
    EXECUTE format('UPDATE %s SET updated_at = ''2000-01-01'' RETURNING updated_at = now()',
                   relation) INTO STRICT touched;
    RETURN touched;
END
$$;
SELECT is((SELECT array_agg(relation::text)
           FROM unnest(ARRAY['vrm.user_profiles', 'vrm.agents', 'vrm.test_cases', 'vrm.metrics']::regclass[])
           AS relation WHERE pg_temp.touched(relation)),
          '{vrm.user_profiles,vrm.agents,vrm.test_cases,vrm.metrics}', 'nobody sets updated_at, it sets itself');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                AND a.attname = 'updated_at'
                  WHERE c.relnamespace = 'vrm'::regnamespace AND c.relkind = 'r'
                    AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid
                                    AND t.tgfoid = 'vrm.set_updated_at'::regproc)$$,
                'on every table that has one');

-- comments -----------------------------------------------------------------------------------------

CREATE TEMP VIEW documented AS
    SELECT 'pg_class'::regclass AS classid, c.oid AS objid, 0 AS objsubid, c.oid::regclass::text AS name, n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, 0, c.oid::regclass::text, n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'i' AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
      AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid)
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, a.attnum, c.oid::regclass || '.' || a.attname, n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        AND a.attnum > 0
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'c') AND NOT a.attisdropped AND NOT c.relispartition
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, p.oid::regprocedure::text, n.nspname FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, t.oid::regtype::text,
        n.nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('b', 'd', 'e') AND t.typelem = 0
       OR t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')
    UNION ALL
    SELECT 'pg_policy'::regclass, p.oid, 0, p.polname || ' on ' || p.polrelid::regclass, n.nspname
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid, 0, t.tgname || ' on ' || t.tgrelid::regclass, n.nspname
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND t.tgparentid = 0
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, 0, k.conname || ' on ' || k.contypid::regtype, n.nspname
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE k.contypid <> 0 AND k.contype = 'c'
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid, 0, o.oid::regoperator::text, n.nspname FROM pg_operator o
        JOIN pg_namespace n ON n.oid = o.oprnamespace
    UNION ALL
    SELECT 'pg_opclass'::regclass, o.oid, 0, o.opcname, n.nspname FROM pg_opclass o
        JOIN pg_namespace n ON n.oid = o.opcnamespace
    UNION ALL
    SELECT 'pg_namespace'::regclass, n.oid, 0, n.nspname, n.nspname FROM pg_namespace n
    UNION ALL
    -- what has no schema is ours as a member of the extension
    SELECT d.classid, d.objid, 0, pg_describe_object(d.classid, d.objid, 0),
        'vrm' FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vrm'
    WHERE d.deptype = 'e' AND d.classid IN ('pg_cast'::regclass, 'pg_am'::regclass, 'pg_event_trigger'::regclass);
SELECT is_empty($$SELECT name FROM documented d WHERE nspname IN ('vrm', 'vrm_private', 'auth')
                  AND NOT EXISTS (SELECT FROM pg_description x
                                  WHERE (x.classoid, x.objoid, x.objsubid) = (d.classid, d.objid, d.objsubid))$$,
                'everything has a comment');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                  WHERE n.nspname IN ('vrm', 'vrm_private') AND p.pronargs > 0
                    AND (p.proargnames IS NULL OR '' = ANY (p.proargnames[1:p.pronargs]))$$,
                    'every argument has a name');

SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                  WHERE n.nspname = 'vrm'
                  AND (p.prorettype = 'record'::regtype AND p.proallargtypes IS NULL OR '' = ANY (p.proargnames))$$,
                'and every column that a function returns');
LOAD 'vrm';
SELECT is_empty($$SELECT name FROM pg_settings WHERE name LIKE 'vrm.%' AND coalesce(short_desc, '') = ''$$,
                'every setting says what it does');
SELECT cmp_ok((SELECT count(*) FROM pg_settings WHERE name LIKE 'vrm.%'), '>', 10::bigint, 'and there are settings');

SELECT * FROM finish();
ROLLBACK;
