-- The rules of retention: which policy a row is of, which rows are old enough, which of these may go
--
-- Functions of one query without settings of their own: the planner sees through them and plans the whole,
-- as it would a view.  Hence every name is qualified.  A row is told by its table and its place in it, since
-- a ctid alone is another row in each partition or child table; no whole row is ever named (r.*), which
-- would fetch and decompress all of it.

CREATE OR REPLACE FUNCTION vrm_private.policy_of_call(status text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE status WHEN 'completed' THEN 'calls.completed' WHEN 'failed' THEN 'calls.failed'
                       WHEN 'cancelled' THEN 'calls.failed' ELSE 'calls.active' END;
COMMENT ON FUNCTION vrm_private.policy_of_call(text) IS 'policy that a call in vrm.test_runs is of';

CREATE OR REPLACE FUNCTION vrm_private.policy_of_account(deleted_at timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN deleted_at IS NULL THEN 'users.inactive' ELSE 'users.deleted' END;
COMMENT ON FUNCTION vrm_private.policy_of_account(timestamptz) IS 'policy that an account is of';

-- Rows that are old enough, a function for each kind: a query over all kinds would lock the tables of all of them
-- even to be planned, so that who locks one table would stop every policy.  user_id, agent_id, run_id and
-- started_at are what a hold may name; call_id and person_id are set where more than a hold keeps a row.
CREATE OR REPLACE FUNCTION vrm_private.old_calls(policy text, cutoff timestamptz, as_of timestamptz)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, agent_id uuid, run_id uuid,
                   started_at timestamptz, call_id uuid, person_id uuid, age timestamptz, bytes bigint)
    LANGUAGE sql STABLE AS $$
    SELECT r.tableoid, r.ctid, r.user_id::text || '/' || r.id, r.user_id, r.agent_id, r.id, r.started_at, r.id,
           NULL::uuid, r.completed_at, (100 + coalesce(pg_column_size(r.results), 0)
             + coalesce(pg_column_size(r.outbound_call_params), 0) + coalesce(pg_column_size(r.error), 0))::bigint
    FROM vrm.test_runs r
    WHERE (policy = 'calls.completed' AND r.status = 'completed'
           OR policy = 'calls.failed' AND r.status IN ('failed', 'cancelled')) AND r.completed_at < cutoff
$$;
COMMENT ON FUNCTION vrm_private.old_calls(text, timestamptz, timestamptz) IS 'rule of retention: calls that have ended';

CREATE OR REPLACE FUNCTION vrm_private.old_recordings(policy text, cutoff timestamptz, as_of timestamptz)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, agent_id uuid, run_id uuid,
                   started_at timestamptz, call_id uuid, person_id uuid, age timestamptz, bytes bigint)
    LANGUAGE sql STABLE AS $$
    SELECT r.tableoid, r.ctid, r.user_id::text || '/' || r.id, r.user_id, t.agent_id, r.run_id, t.started_at,
           NULL::uuid, NULL::uuid, r.recorded_at, r.bytes
    FROM vrm.call_recordings r JOIN vrm.test_runs t ON t.user_id = r.user_id AND t.id = r.run_id
    WHERE CASE WHEN r.keep IS NULL THEN r.recorded_at < cutoff
               ELSE r.recorded_at < vrm_private.retention_cutoff(r.keep, as_of) END
$$;
COMMENT ON FUNCTION vrm_private.old_recordings(text, timestamptz, timestamptz) IS
    'rule of retention: recordings, which may have periods of their own';

-- whole months: statistics of a month would otherwise outlive those of its days
CREATE OR REPLACE FUNCTION vrm_private.old_facts(policy text, cutoff timestamptz, as_of timestamptz)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, agent_id uuid, run_id uuid,
                   started_at timestamptz, call_id uuid, person_id uuid, age timestamptz, bytes bigint)
    LANGUAGE sql STABLE AS $$
    SELECT r.tableoid, r.ctid, r.user_id::text || '/' || r.id, r.user_id, r.agent_id, r.id, r.started_at, NULL::uuid,
           NULL::uuid, r.started_at, 100::bigint
    FROM vrm.call_facts r
    WHERE r.started_at < date_trunc('month', cutoff, 'UTC')
$$;
COMMENT ON FUNCTION vrm_private.old_facts(text, timestamptz, timestamptz) IS 'rule of retention: facts of calls';

-- of nobody's calls in particular, hence under no hold
CREATE OR REPLACE FUNCTION vrm_private.old_rollups(policy text, cutoff timestamptz, as_of timestamptz)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, agent_id uuid, run_id uuid,
                   started_at timestamptz, call_id uuid, person_id uuid, age timestamptz, bytes bigint)
    LANGUAGE sql STABLE AS $$
    SELECT r.tableoid, r.ctid, concat_ws('/', r.user_id, r.grain, r.bucket, r.agent_id), NULL::uuid, NULL::uuid,
           NULL::uuid, NULL::timestamptz, NULL::uuid, NULL::uuid, r.bucket::timestamp AT TIME ZONE 'UTC',
           (50 + pg_column_size(r.stats))::bigint
    FROM vrm.call_rollup r
    WHERE r.bucket < (date_trunc('month', cutoff, 'UTC') AT TIME ZONE 'UTC')::date
$$;
COMMENT ON FUNCTION vrm_private.old_rollups(text, timestamptz, timestamptz) IS
    'rule of retention: statistics made of facts';

CREATE OR REPLACE FUNCTION vrm_private.old_accounts(policy text, cutoff timestamptz, as_of timestamptz)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, agent_id uuid, run_id uuid,
                   started_at timestamptz, call_id uuid, person_id uuid, age timestamptz, bytes bigint)
    LANGUAGE sql STABLE AS $$
    SELECT r.tableoid, r.ctid, r.id::text, NULL::uuid, NULL::uuid, NULL::uuid, NULL::timestamptz, NULL::uuid, r.id,
           s.seen, 200::bigint
    FROM vrm.user_profiles r,
         LATERAL (SELECT CASE WHEN r.deleted_at IS NULL
                              THEN vrm_private.last_seen(r.id, r.last_login, r.created_at)
                              ELSE r.deleted_at END AS seen) AS s
    WHERE vrm_private.policy_of_account(r.deleted_at) = policy AND s.seen < cutoff
$$;
COMMENT ON FUNCTION vrm_private.old_accounts(text, timestamptz, timestamptz) IS
    'rule of retention: accounts, inactive or deleted';

-- what has no partition that could be dropped
CREATE OR REPLACE FUNCTION vrm_private.old_logs(policy text, cutoff timestamptz, as_of timestamptz)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, agent_id uuid, run_id uuid,
                   started_at timestamptz, call_id uuid, person_id uuid, age timestamptz, bytes bigint)
    LANGUAGE sql STABLE AS $$
    SELECT r.tableoid, r.ctid, r.tableoid::regclass || r.ctid::text, r.user_id, NULL::uuid, NULL::uuid, r.at,
           NULL::uuid, NULL::uuid, r.at, (100 + coalesce(pg_column_size(r.data), 0))::bigint
    FROM vrm.logs r
    WHERE r.class = substr(policy, 6) AND r.at < cutoff
      AND EXISTS (SELECT FROM pg_catalog.pg_partitioned_table p WHERE p.partdefid = r.tableoid)
$$;
COMMENT ON FUNCTION vrm_private.old_logs(text, timestamptz, timestamptz) IS 'rule of retention: logs of a class';

-- A policy of a district that retention does not know brings a function, vrm_private.old_POLICY(cutoff), which
-- gives the rows of one table that are older, and what a hold may name of them; they are deleted.
CREATE OR REPLACE FUNCTION vrm_private.rule_of(policy text) RETURNS regprocedure
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_regprocedure(format('vrm_private.%I(timestamptz)', 'old_' || replace(policy, '.', '_')))
$$;
COMMENT ON FUNCTION vrm_private.rule_of(text) IS 'the function that a policy has brought; null when its rules are here';

CREATE OR REPLACE FUNCTION vrm_private.covered_by_rules() RETURNS TABLE (target text, policy text, rows bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.relation::regclass::text, p.name, count(*)
    FROM vrm.retention_policies p, vrm_private.old_rows(p.name, 'infinity', 'infinity') AS r
    WHERE vrm_private.rule_of(p.name) IS NOT NULL
    GROUP BY 1, 2
$$;
COMMENT ON FUNCTION vrm_private.covered_by_rules() IS
    'rows of tables that policies with a function of their own are about';

CREATE OR REPLACE FUNCTION vrm_private.old_rows_query(policy text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN rule IS NULL THEN format('SELECT r.* FROM vrm_private.%I($1, $2, $3) r', kind)
        ELSE format('SELECT r.relation, r.place, r.row_key, r.user_id, r.agent_id, r.run_id, r.started_at,'
                    ' NULL::uuid AS call_id, NULL::uuid AS person_id, r.started_at AS age, r.bytes'
                    ' FROM %s($2) r', rule::regproc) END
    FROM vrm_private.rule_of(policy) AS rule,
         LATERAL (SELECT CASE WHEN policy LIKE 'calls.%' THEN 'old_calls'
                              WHEN policy LIKE 'users.%' THEN 'old_accounts'
                              WHEN policy LIKE 'logs.%' THEN 'old_logs'
                              WHEN policy = 'recordings' THEN 'old_recordings'
                              WHEN policy = 'analytics.facts' THEN 'old_facts'
                              WHEN policy = 'analytics.rollups' THEN 'old_rollups' END AS kind) AS known
    WHERE num_nonnulls(rule, kind) > 0
$$;
COMMENT ON FUNCTION vrm_private.old_rows_query(text) IS
    'query for the rows of a policy ($1) that are older than a cutoff ($2) at a moment ($3), whether they may go or'
    ' not; null when it takes partitions only';

-- Each kind of hold is a join of its own: taken together in one condition they would be held against
-- every row one by one.  They come from functions that promise many rows, so that they are hashed even
-- when nobody has analysed the table since it was empty.  What there is none of is not asked for: most
-- batches would spend more on planning these joins than on the rows.  No hold comes within a batch, which has
-- vrm_private.retention_lock(), nor a foreign key to calls, whose table it has locked.
CREATE OR REPLACE FUNCTION vrm_private.due_rows_query(policy text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    kind text;
    rows text := 'SELECT r.relation, r.place, r.row_key, r.user_id, r.call_id, r.person_id, r.age, r.bytes FROM ('
                  || vrm_private.old_rows_query(policy)
                  || ') r WHERE ($5 IS NULL OR r.relation = $5) AND r.place > $6 AND r.place <= $7';
BEGIN
    IF EXISTS (SELECT FROM vrm.retention_refused f WHERE f.policy = policy) THEN
        rows := rows || ' AND NOT EXISTS (SELECT FROM vrm_private.refused_rows($1, $4) f'
                       '                    WHERE f.row_key = r.row_key)';
    END IF;
    FOREACH kind IN ARRAY vrm_private.kinds_of_holds() LOOP
        rows := rows || CASE kind
            WHEN 'time' THEN ' AND NOT coalesce((SELECT range_agg(h.started)'
                             '                   FROM vrm_private.holds_in_force(''time'') h) @> r.started_at, false)'
            ELSE format(' AND NOT EXISTS (SELECT FROM vrm_private.holds_in_force(%L) h'
                        '                 WHERE %s AND (h.started IS NULL OR h.started @> r.started_at))', kind,
                        CASE kind WHEN 'run' THEN 'h.run_id = r.run_id AND (h.user_id IS NULL OR h.user_id = r.user_id)'
                                                  ' AND (h.agent_id IS NULL OR h.agent_id = r.agent_id)'
                                  WHEN 'user' THEN 'h.user_id = r.user_id'
                                                   ' AND (h.agent_id IS NULL OR h.agent_id = r.agent_id)'
                                  ELSE 'h.agent_id = r.agent_id' END) END;
    END LOOP;
    -- a call stays as long as one of its recordings does, or what nobody has folded into its results,
    -- or what an application hangs on it
    IF policy LIKE 'calls.%' THEN
        rows := rows || ' AND NOT EXISTS (SELECT FROM vrm.call_recordings c'
                       '                    WHERE c.user_id = r.user_id AND c.run_id = r.call_id)'
                       ' AND NOT EXISTS (SELECT FROM vrm.transcript_turns t'
                       '                 WHERE t.user_id = r.user_id AND t.run_id = r.call_id)'
                       ' AND NOT EXISTS (SELECT FROM vrm.run_actions a'
                       '                 WHERE a.user_id = r.user_id AND a.run_id = r.call_id)';
        IF EXISTS (SELECT FROM vrm_private.foreign_references('vrm.test_runs'))
           OR EXISTS (SELECT FROM vrm_private.foreign_references('vrm.test_run_cases')) THEN
            rows := rows || ' AND NOT EXISTS (SELECT FROM vrm_private.referenced_calls($1, $5, $6, $7) x'
                           '                    WHERE x.user_id = r.user_id AND x.run_id = r.call_id)';
        END IF;
    END IF;
    -- an account stays as long as anything of the person is held
    IF policy LIKE 'users.%' THEN
        rows := rows || ' AND NOT EXISTS (SELECT FROM vrm_private.held_people($1, $2) x'
                       '                    WHERE x.person_id = r.person_id)';
    END IF;
    RETURN rows;
END
$$;
COMMENT ON FUNCTION vrm_private.due_rows_query(text) IS
    'query for the rows that a run of a policy takes, with the arguments of vrm_private.due_rows()';

CREATE OR REPLACE FUNCTION vrm_private.old_rows(policy text, cutoff timestamptz, as_of timestamptz)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, agent_id uuid, run_id uuid,
                   started_at timestamptz, call_id uuid, person_id uuid, age timestamptz, bytes bigint)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    query text := vrm_private.old_rows_query(policy);
BEGIN
    IF query IS NOT NULL THEN
        RETURN QUERY EXECUTE query USING policy, cutoff, as_of;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.old_rows(text, timestamptz, timestamptz) IS
    'rows of a policy that are older than the cutoff, whether they may go or not; what goes by partitions is not here';

-- "again" looks also at what was refused before.
CREATE OR REPLACE FUNCTION vrm_private.due_rows(
    policy text, cutoff timestamptz, as_of timestamptz, again boolean DEFAULT false, only_in oid DEFAULT NULL,
    after tid DEFAULT '(0,0)', last tid DEFAULT '(4294967294,65535)'
)
    RETURNS TABLE (relation oid, place tid, row_key text, user_id uuid, call_id uuid, person_id uuid, age timestamptz,
                   bytes bigint)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    query text := vrm_private.due_rows_query(policy);
BEGIN
    IF query IS NOT NULL THEN
        RETURN QUERY EXECUTE query USING policy, cutoff, as_of, again, only_in, after, last;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.due_rows(text, timestamptz, timestamptz, boolean, oid, tid, tid) IS
    'rows that a run of a policy takes, in all tables or between two places of one';

CREATE OR REPLACE FUNCTION vrm_private.refused_rows(policy text, again boolean) RETURNS TABLE (row_key text)
    LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT again THEN
        RETURN QUERY SELECT f.row_key FROM vrm.retention_refused f WHERE f.policy = refused_rows.policy;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.refused_rows(text, boolean) IS
    'keys of the rows of a policy that could not go; none when they are to be tried again';

-- Everything that an application, or a DBA, hangs on the rows of a table, its children and partitions.  Found by the
-- triggers that do the work: pg_constraint has no index by the table that is referred to.  As arrays, which are
-- looked up by index: each batch asks several times.
CREATE OR REPLACE FUNCTION vrm_private.foreign_references(target regclass)
    RETURNS TABLE (referred regclass, relation regclass, on_delete "char", condition text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    family oid[] := ARRAY(WITH RECURSIVE family (oid) AS (
                              SELECT target::oid
                              UNION
                              SELECT i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.oid)
                          SELECT f.oid FROM family f);
    keys oid[] := ARRAY(SELECT DISTINCT t.tgconstraint FROM pg_trigger t
                        WHERE t.tgrelid = ANY (family) AND t.tgconstraint <> 0);
BEGIN
    RETURN QUERY
        SELECT k.confrelid::regclass, k.conrelid::regclass, k.confdeltype,
               (SELECT string_agg(format('x.%I = r.%I', a.attname, b.attname), ' AND ')
                FROM unnest(k.conkey, k.confkey) AS pair (referring, referred)
                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.referring
                JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.referred)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE k.oid = ANY (keys) AND k.confrelid = ANY (family) AND k.contype = 'f' AND k.conparentid = 0
          AND k.conrelid::regclass::text <> ALL ('{vrm.test_run_cases,vrm.transcript_turns,vrm.run_actions,'
                                                 'vrm.call_recordings}')
          AND (target = 'vrm.test_runs'::regclass OR target = 'vrm.test_run_cases'::regclass
               OR c.relnamespace::regnamespace::text <> ALL ('{vrm,vrm_private,auth}'));
END
$$;
COMMENT ON FUNCTION vrm_private.foreign_references(regclass) IS
    'foreign keys to a table that are not the platform''s, as a condition on its row "r" and theirs "x"';

-- Made up as it runs: nobody knows the tables of an application beforehand.
CREATE OR REPLACE FUNCTION vrm_private.referenced(
    target regclass, user_column name, id_column name, actions "char"[], only_in oid, after tid, last tid
)
    RETURNS TABLE (user_id uuid, id uuid)
    LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    statement text := (
        SELECT string_agg(format('SELECT r.%I, r.%I FROM %s r JOIN %s x ON %s WHERE $1 IS NULL'
                                 ' OR r.tableoid = $1 AND r.ctid > $2 AND r.ctid <= $3',
                                 user_column, id_column, f.referred, f.relation, f.condition), ' UNION ')
        FROM vrm_private.foreign_references(target) f WHERE f.on_delete = ANY (actions));
BEGIN
    IF statement IS NOT NULL THEN
        RETURN QUERY EXECUTE statement USING only_in, after, last;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.referenced(regclass, name, name, "char"[], oid, tid, tid) IS
    'rows of a table that foreign keys of an application refer to, with some of the actions ON DELETE';

-- Archiving is not deleting: what a foreign key would do then, CASCADE or SET NULL, is not meant, unless
-- the policy says so.
CREATE OR REPLACE FUNCTION vrm_private.referenced_calls(policy text, only_in oid, after tid, last tid)
    RETURNS TABLE (user_id uuid, run_id uuid)
    LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actions "char"[] := CASE (SELECT p.referenced FROM vrm.retention_policies p WHERE p.name = policy)
                        WHEN 'obey foreign keys' THEN '{a,r}' ELSE '{a,r,c,n,d}' END;
BEGIN
    IF policy LIKE 'calls.%' THEN
        RETURN QUERY
            SELECT x.user_id, x.id
            FROM vrm_private.referenced('vrm.test_runs', 'user_id', 'id', actions, only_in, after, last) x;
        RETURN QUERY
            SELECT x.user_id, x.id
            FROM vrm_private.referenced('vrm.test_run_cases', 'user_id', 'run_id', actions, NULL, NULL, NULL) x;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.referenced_calls(text, oid, tid, tid) IS
    'calls that a foreign key of an application refers to, itself or through their test cases';

CREATE OR REPLACE FUNCTION vrm_private.held_people(policy text, cutoff timestamptz) RETURNS TABLE (person_id uuid)
    LANGUAGE plpgsql STABLE ROWS 10000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF policy NOT LIKE 'users.%' THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT h.user_id FROM vrm_private.legal_holds h WHERE h.released_at IS NULL AND h.user_id IS NOT NULL
        UNION ALL
        SELECT p.id FROM vrm.user_profiles p WHERE policy = 'users.inactive' AND p.role = 'admin';
    IF policy <> 'users.deleted' THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT p.id FROM vrm.user_profiles p
        WHERE p.deleted_at < cutoff
          AND (EXISTS (SELECT FROM vrm.test_runs t, vrm_private.holds_on(t.user_id, t.agent_id, t.id, t.started_at) h
                       WHERE t.user_id = p.id)
               OR EXISTS (SELECT FROM vrm_private.test_runs_archive t,
                                      vrm_private.holds_on(t.user_id, t.agent_id, t.id, t.started_at) h
                          WHERE t.user_id = p.id));
    -- what would refuse to let the person go
    RETURN QUERY SELECT x.id FROM vrm_private.referenced('auth.users', 'id', 'id', '{a,r}', NULL, NULL, NULL) x;
    RETURN QUERY SELECT x.id FROM vrm_private.referenced('vrm.user_profiles', 'id', 'id', '{a,r}', NULL, NULL, NULL) x;
END
$$;
COMMENT ON FUNCTION vrm_private.held_people(text, timestamptz) IS
    'accounts that must stay: holds on them or their calls, administrators, foreign keys of an application';

CREATE OR REPLACE FUNCTION vrm_private.due_partitions(policy text, cutoff timestamptz, again boolean DEFAULT false)
    RETURNS TABLE (relation oid, row_count bigint, bytes bigint, oldest timestamptz, held boolean)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent regclass := vrm_private.partitions_of(policy);
    expired oid[] := vrm_private.expired_partitions(parent, cutoff);
    is_archive boolean := policy = 'archive';
BEGIN
    IF expired = '{}' THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT e.relation, coalesce(s.row_count, 0), coalesce(s.bytes, 0), s.oldest, coalesce(s.held, false)'
        ' OR EXISTS (SELECT FROM vrm.retention_refused f'
        '            WHERE NOT $3 AND f.policy = $4 AND f.row_key = e.relation::regclass::text)'
        ' FROM unnest($1) AS e (relation)'
        ' LEFT JOIN (SELECT r.tableoid AS relation, count(*) AS row_count, sum(100 + coalesce(%s, 0))::bigint AS bytes,'
        '                   min(r.%I) AS oldest, bool_or(EXISTS (SELECT FROM vrm_private.holds_on(%s))) AS held'
        '            FROM %s r WHERE r.%2$I < $2 GROUP BY r.tableoid) AS s ON s.relation = e.relation',
        CASE WHEN is_archive THEN 'pg_column_size(r.results), pg_column_size(r.packed_results)'
             ELSE 'pg_column_size(r.data)' END,
        CASE WHEN is_archive THEN 'archived_at' ELSE 'at' END,
        CASE WHEN is_archive THEN 'r.user_id, r.agent_id, r.id, r.started_at' ELSE 'r.user_id, NULL, NULL, r.at' END,
        parent) USING expired, cutoff, again, policy;
END
$$;
COMMENT ON FUNCTION vrm_private.due_partitions(text, timestamptz, boolean) IS
    'partitions of a policy all of whose rows are older than the cutoff; held tells which must stay';

-- In the order of their places, so that the next batch can go on where one has ended.
CREATE OR REPLACE FUNCTION vrm_private.rows_of_batch(
    run vrm.retention_runs, again boolean, only_in oid, after tid, last tid, most bigint, most_bytes bigint
)
    RETURNS TABLE (relation oid, place tid, person_id uuid, bytes bigint, is_limit boolean)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    query text := vrm_private.due_rows_query(run.policy);
BEGIN
    IF query IS NULL THEN
        RETURN;
    END IF;
    -- Doubles, since sums of bigint are numeric, many times as dear; OFFSET, or what sizes are made of would be
    -- sorted, too.
    RETURN QUERY EXECUTE format(
        'SELECT s.relation, s.place, s.person_id, s.bytes, s.number = $8 OR coalesce(s.size >= $9, false)'
        ' FROM (SELECT d.relation, d.place, d.person_id, d.bytes, row_number() OVER in_order AS number,'
        '              sum(d.bytes::double precision) OVER in_order AS size'
        '       FROM (SELECT r.relation, r.place, r.person_id, r.bytes FROM (%s) r OFFSET 0) AS d'
        '       WINDOW in_order AS (ORDER BY d.relation, d.place ROWS UNBOUNDED PRECEDING)) AS s'
        ' WHERE $9 IS NULL OR s.size - s.bytes < $9'
        ' ORDER BY s.relation, s.place LIMIT $8', query)
        USING run.policy, run.cutoff, run.as_of, again, only_in, after, last, most, most_bytes::double precision;
END
$$;
COMMENT ON FUNCTION vrm_private.rows_of_batch(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint) IS
    'due rows between two places, at most so many and not many more bytes; is_limit tells the row that they ended with';

-- A trigger that returns nothing would have rows counted as gone, or moved, that are not.
CREATE OR REPLACE FUNCTION vrm_private.check_taken(relation regclass, wanted bigint, taken bigint) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF taken < wanted THEN
        RAISE EXCEPTION 'a trigger of % has let nothing happen to % of % rows', relation, wanted - taken, wanted
            USING ERRCODE = 'triggered_action_exception',
                  DETAIL = 'It returned null.',
                  HINT = format('SELECT tgname, tgfoid::regproc FROM pg_trigger WHERE tgrelid = %L::regclass;',
                                relation);
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.check_taken(regclass, bigint, bigint) IS 'an error when a trigger has kept rows';

-- Plain deletion, by triggers of the table itself where something else has to follow.  Each is one
-- statement, and so sees one snapshot: a place cannot become another row's from looking to deleting.  It is
-- about the whole family of a child or partition, since it is the eldest whose triggers see the statement.
CREATE OR REPLACE FUNCTION vrm_private.delete_rows(
    run vrm.retention_runs, again boolean, only_in oid, after tid, last tid, most bigint, most_bytes bigint,
    OUT rows_done bigint, OUT rows_seen bigint, OUT bytes_done bigint, OUT reached tid
)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    family oid := coalesce(only_in, (SELECT b.relation
                                     FROM vrm_private.rows_of_batch(run, again, only_in, after, last, 1, NULL) b));
    eldest oid := family;
    -- one class: what is locked in another is none of its concern
    branch text := CASE WHEN run.policy LIKE 'logs.%' THEN format(' AND r.class = %L', substr(run.policy, 6))
                        ELSE '' END;
    mine bigint;
BEGIN
    IF family IS NULL THEN
        SELECT 0, 0, 0 INTO rows_done, rows_seen, bytes_done;
        RETURN;
    END IF;
    WHILE eldest IS NOT NULL LOOP
        family := eldest;
        eldest := (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = family AND i.inhseqno = 1);
    END LOOP;
    EXECUTE format(
        'WITH due AS (SELECT b.relation, b.place, b.bytes, b.is_limit'
        '             FROM vrm_private.rows_of_batch($1, $2, $3, $4, $5, $6, $7) b),'
        ' mine AS (SELECT r.tableoid AS relation, r.ctid AS place, d.bytes'
        '          FROM %1$s r JOIN due d ON r.tableoid = d.relation AND r.ctid = d.place%2$s'
        '          FOR UPDATE OF r SKIP LOCKED),'
        ' gone AS (DELETE FROM %1$s r USING mine m WHERE r.tableoid = m.relation AND r.ctid = m.place%2$s'
        '          RETURNING m.bytes)'
        ' SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM mine), count(*),'
        '        (SELECT coalesce(sum(g.bytes), 0)::bigint FROM gone g), max(d.place) FILTER (WHERE d.is_limit)'
        ' FROM due d', family::regclass, branch)
    INTO rows_done, mine, rows_seen, bytes_done, reached
    USING run, again, only_in, after, last, most, most_bytes;
    PERFORM vrm_private.check_taken(family, mine, rows_done);
END
$$;
COMMENT ON FUNCTION vrm_private.delete_rows(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint) IS
    'deletes the rows that are due between two places';

CREATE OR REPLACE FUNCTION vrm_private.partitions_of(policy text) RETURNS regclass
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN policy = 'archive' THEN to_regclass('vrm_private.test_runs_archive')
                WHEN policy LIKE 'logs.%' THEN to_regclass('vrm.logs_' || substr(policy, 6)) END
$$;
COMMENT ON FUNCTION vrm_private.partitions_of(text) IS
    'table whose partitions a policy drops; null when it takes rows only';

REVOKE EXECUTE ON FUNCTION
    vrm_private.policy_of_call(text),
    vrm_private.policy_of_account(timestamptz),
    vrm_private.rule_of(text),
    vrm_private.covered_by_rules(),
    vrm_private.old_calls(text, timestamptz, timestamptz),
    vrm_private.old_recordings(text, timestamptz, timestamptz),
    vrm_private.old_facts(text, timestamptz, timestamptz),
    vrm_private.old_rollups(text, timestamptz, timestamptz),
    vrm_private.old_accounts(text, timestamptz, timestamptz),
    vrm_private.old_logs(text, timestamptz, timestamptz),
    vrm_private.old_rows_query(text),
    vrm_private.due_rows_query(text),
    vrm_private.check_taken(regclass, bigint, bigint),
    vrm_private.delete_rows(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint),
    vrm_private.old_rows(text, timestamptz, timestamptz),
    vrm_private.due_rows(text, timestamptz, timestamptz, boolean, oid, tid, tid),
    vrm_private.refused_rows(text, boolean),
    vrm_private.foreign_references(regclass),
    vrm_private.referenced(regclass, name, name, "char"[], oid, tid, tid),
    vrm_private.referenced_calls(text, oid, tid, tid),
    vrm_private.held_people(text, timestamptz),
    vrm_private.due_partitions(text, timestamptz, boolean),
    vrm_private.rows_of_batch(vrm.retention_runs, boolean, oid, tid, tid, bigint, bigint),
    vrm_private.partitions_of(text)
    FROM PUBLIC;
