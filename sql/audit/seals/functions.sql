-- Seals of the audit trail: proof that nobody has changed it since

CREATE OR REPLACE FUNCTION vrm_private.audit_hash(entry vrm.audit_log) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (entry).acting_for IS NULL
                THEN vrm.audit_leaf(ROW((entry).class, (entry).at, (entry).id, (entry).action, (entry).actor,
                                        (entry).db_role, (entry).relation, (entry).old, (entry).new, (entry).detail))
                ELSE vrm.audit_leaf(ROW((entry).class, (entry).at, (entry).id, (entry).action, (entry).actor,
                                        (entry).db_role, (entry).relation, (entry).old, (entry).new, (entry).detail,
                                        (entry).acting_for)) END;
COMMENT ON FUNCTION vrm_private.audit_hash(vrm.audit_log) IS 'leaf of the Merkle tree: all that an entry says';

-- The next level of a Merkle tree: neighbours together, an odd last one as it is.
CREATE OR REPLACE FUNCTION vrm_private.audit_level(nodes bytea[]) RETURNS bytea[]
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(CASE WHEN i < cardinality(nodes) THEN sha256(E'\\x01'::bytea || nodes[i] || nodes[i + 1])
                          ELSE nodes[i] END ORDER BY i)
    FROM generate_series(1, cardinality(nodes), 2) i
$$;
COMMENT ON FUNCTION vrm_private.audit_level(bytea[]) IS 'one step from the leaves of a Merkle tree to its root';

CREATE OR REPLACE FUNCTION vrm_private.audit_mac_of(seal vrm_private.audit_seals, previous bytea) RETURNS bytea
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.audit_mac(int8send((seal).id) || int8send((extract(epoch FROM (seal).sealed_at) * 1000000)::bigint)
                         || textsend((seal).class) || int8send((seal).system) || int4send((seal).era)
                         || xid8send((seal).horizon) || int8send((seal).entries) || (seal).root
                         || coalesce(xid8send((seal).ceiling) || int8send((seal).journaled), '')
                         || coalesce(previous, ''))
$$;
COMMENT ON FUNCTION vrm_private.audit_mac_of(vrm_private.audit_seals, bytea) IS 'what a seal has to say';

CREATE OR REPLACE FUNCTION vrm_private.journal_number(detail jsonb) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN substring(coalesce(detail ->> 'journal', detail -> -1 ->> 'journal') FROM '^[0-9]{1,18}$')::bigint;
COMMENT ON FUNCTION vrm_private.journal_number(jsonb) IS 'number that an entry had in the journal; null for others';

CREATE OR REPLACE FUNCTION vrm_private.journal_last() RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM vrm_private.audit_journal_count_number_seq
$$;
COMMENT ON FUNCTION vrm_private.journal_last() IS 'number of the last entry that was written to the journal';

CREATE OR REPLACE FUNCTION vrm_private.journal_known() RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest((SELECT max(vrm_private.journal_number(j.detail)) FROM vrm_private.audit_journal j),
                    (SELECT max(vrm_private.journal_number(a.detail)) FROM vrm.audit_log a WHERE a.class = 'security'),
                    (SELECT max(s.journaled) FROM vrm_private.audit_seals s), 0)
$$;
COMMENT ON FUNCTION vrm_private.journal_known() IS 'greatest number of an entry that is there, or was for a seal';

-- The count is read before the rows: one that is written meanwhile is there, and not missed.  What is
-- older than entries are kept may be gone.
CREATE OR REPLACE FUNCTION vrm_private.journal_gaps() RETURNS TABLE (seal_id bigint, at timestamptz)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    counted bigint := greatest(vrm_private.journal_last(),
                               (SELECT max(s.journaled) FROM vrm_private.audit_seals s));
    cutoff timestamptz := now() - vrm_private.audit_keep('security');
    expired bigint := CASE WHEN EXISTS (SELECT FROM vrm_private.audit_seals s WHERE s.sealed_at < cutoff)
                           THEN coalesce((SELECT min(s.journaled) FROM vrm_private.audit_seals s
                                          WHERE s.sealed_at >= cutoff), counted) ELSE 0 END;
BEGIN
    RETURN QUERY
    WITH numbers AS (
        SELECT vrm_private.journal_number(e.detail) AS number, e.at
        FROM (SELECT a.detail, a.at FROM vrm.audit_log a WHERE a.class = 'security'
              UNION ALL SELECT j.detail, j.at FROM vrm_private.audit_journal j) AS e
        UNION ALL SELECT expired, NULL
        UNION ALL SELECT counted + 1, NULL)
    SELECT (SELECT min(s.id) FROM vrm_private.audit_seals s WHERE s.journaled > g.before), g.at
    FROM (SELECT n.number, n.at, lag(n.number) OVER (ORDER BY n.number, n.at) AS before
          FROM numbers n WHERE n.number BETWEEN expired AND counted + 1) AS g
    WHERE g.number > g.before + 1;
END
$$;
COMMENT ON FUNCTION vrm_private.journal_gaps() IS
    'where entries of the journal have vanished: the first seal afterwards, and the time of the next entry';

-- A dump that is restored in another cluster meets transaction ids that mean nothing there, hence eras.
-- At the beginning of one, what is not sealed yet is taken over into it, before all that follows.
CREATE OR REPLACE FUNCTION vrm_private.audit_era(OUT system bigint, OUT era integer)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    last vrm_private.audit_seals;
BEGIN
    SELECT c.system_identifier INTO system FROM pg_control_system() c;
    SELECT * INTO last FROM vrm_private.audit_seals s ORDER BY s.id DESC LIMIT 1;
    era := coalesce(last.era, 1);
    IF last.id IS NOT NULL AND last.system <> system THEN
        era := era + 1;
        -- It also waits for those who still write with the era before.
        EXECUTE format('ALTER TABLE vrm.audit_log ALTER COLUMN era SET DEFAULT %s', era);
        -- A dump has read the count later than the journal.
        PERFORM setval('vrm_private.audit_journal_count_number_seq', greatest(vrm_private.journal_known(), 1));
        UPDATE vrm.audit_log a SET era = audit_era.era, xid = '0'
        WHERE NOT EXISTS (SELECT FROM vrm_private.audit_seals s, unnest(s.ids) AS sealed WHERE sealed = a.id);
    ELSIF last.id IS NULL THEN
        UPDATE vrm.audit_log a SET xid = '0'
        WHERE a.xid >= pg_snapshot_xmax(pg_current_snapshot());
    END IF;
END
$$;
COMMENT ON FUNCTION vrm_private.audit_era(OUT bigint, OUT integer) IS
    'this cluster and the era of its entries; begins a new one after a restore';

-- One seal over what transactions up to the horizon have written; a backlog makes several.  Generic plans, because
-- the trail has a partition for each day: planning for them all takes longer than looking into those of a class.
CREATE OR REPLACE FUNCTION vrm_private.audit_seal_next(
    class text, system bigint, era integer, horizon xid8, sealed_at timestamptz, ceiling xid8, journaled bigint
) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_variable
DECLARE
    since xid8;
    previous vrm_private.audit_seals;
    made vrm_private.audit_seals;
BEGIN
    -- One call seals both classes up to the same horizon, also one of which there is nothing.
    SELECT coalesce(max(s.horizon::text::bigint), 0)::text::xid8 INTO since
    FROM vrm_private.audit_seals s WHERE s.era = era AND (s.class = class OR s.sealed_at <> sealed_at);
    SELECT coalesce((SELECT a.xid FROM vrm.audit_log a
                     WHERE a.class = class AND a.era = era AND a.xid > since AND a.xid < horizon
                     ORDER BY a.xid OFFSET 100000 LIMIT 1), horizon) INTO made.horizon;
    SELECT count(*), array_agg(e.id), array_agg(e.leaf), vrm.merkle_root(string_agg(e.leaf, ''))
    INTO made.entries, made.ids, made.leaves, made.root
    FROM (SELECT a.id, vrm_private.audit_hash(a) AS leaf FROM vrm.audit_log a
          WHERE a.class = class AND a.era = era AND a.xid >= since AND a.xid < made.horizon
          ORDER BY a.xid, a.id) e;
    IF made.entries > 0 THEN
        SELECT * INTO previous FROM vrm_private.audit_seals s ORDER BY s.id DESC LIMIT 1;
        made.id := coalesce(previous.id, 0) + 1;
        made.sealed_at := sealed_at;
        made.ceiling := ceiling;
        made.journaled := journaled;
        made.class := class;
        made.system := system;
        made.era := era;
        made.mac := vrm_private.audit_mac_of(made, previous.mac);
        INSERT INTO vrm_private.audit_seals SELECT made.*;
    END IF;
    RETURN made.entries;
END
$$;
COMMENT ON FUNCTION vrm_private.audit_seal_next(text, bigint, integer, xid8, timestamptz, xid8, bigint) IS
    'makes the next seal of a class, unless there is nothing to seal; returns how many entries it has';

-- Sealed is what transactions have written before which all have ended: then none can commit late among
-- them, and whatever appears there afterwards was added by force.
CREATE OR REPLACE FUNCTION vrm.audit_seal() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now_is record;
    sealed_at timestamptz;
    seen pg_snapshot;
    journaled bigint;
    class text;
    sealed bigint;
    total bigint := 0;
BEGIN
    PERFORM vrm.require_grant('vrm.audit_seal()');
    LOCK TABLE vrm_private.audit_seals IN SHARE ROW EXCLUSIVE MODE;
    now_is := vrm_private.audit_era();
    journaled := vrm_private.journal_last();
    -- The time before the snapshot, so that whoever is not in it writes later.
    sealed_at := CASE current_setting('transaction_isolation') WHEN 'read committed' THEN clock_timestamp()
                                                               ELSE now() END;
    seen := pg_current_snapshot();
    FOREACH class IN ARRAY '{security,data}'::text[] LOOP
        LOOP
            sealed := vrm_private.audit_seal_next(class, now_is.system, now_is.era, pg_snapshot_xmin(seen),
                                                  sealed_at, pg_snapshot_xmax(seen), journaled);
            EXIT WHEN sealed = 0;
            total := total + sealed;
        END LOOP;
    END LOOP;
    RETURN total;
END
$$;
COMMENT ON FUNCTION vrm.audit_seal() IS
    'seals what was written before any transaction that still runs, and returns how many entries that was';

CREATE OR REPLACE FUNCTION vrm.audit_head() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.audit_head()');
    SELECT id || ':' || encode(mac, 'hex') FROM vrm_private.audit_seals ORDER BY id DESC LIMIT 1
$$;
COMMENT ON FUNCTION vrm.audit_head() IS
    'the newest seal, to be kept elsewhere: whoever has it notices when seals are cut off';

CREATE OR REPLACE FUNCTION vrm_private.audit_now(OUT era integer, OUT is_here boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(max(s.era) + (s.system <> c.system_identifier)::integer, 1),
           coalesce(s.system = c.system_identifier, false)
    FROM pg_control_system() c LEFT JOIN vrm_private.audit_seals s
         ON s.id = (SELECT max(l.id) FROM vrm_private.audit_seals l)
    GROUP BY s.system, c.system_identifier
$$;
COMMENT ON FUNCTION vrm_private.audit_now(OUT integer, OUT boolean) IS
    'the newest era that entries can be of, and whether it has a seal of this cluster';
REVOKE EXECUTE ON FUNCTION vrm_private.audit_now(OUT integer, OUT boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm_private.seal_of_head(head text) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF head !~ '^[0-9]{1,18}:[0-9a-f]{32}$' THEN
        RAISE EXCEPTION 'invalid head of the audit trail'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('It is a number, a colon and 32 hexadecimal digits; this is "%s".', left(head, 100)),
                  HINT = 'SELECT vrm.audit_head(); gives one.';
    END IF;
    RETURN split_part(head, ':', 1)::bigint;
END
$$;
COMMENT ON FUNCTION vrm_private.seal_of_head(text) IS 'number of the seal that a head names';
REVOKE EXECUTE ON FUNCTION vrm_private.seal_of_head(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION vrm.audit_verify(head text DEFAULT NULL)
    RETURNS TABLE (problem text, seal_id bigint, entry_id uuid, at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.audit_verify(text)');
    WITH sealed AS MATERIALIZED (
        SELECT s.id AS seal_id, s.class, l.id, l.leaf
        FROM vrm_private.audit_seals s, unnest(s.ids, s.leaves) AS l (id, leaf))
    -- Entries that have been kept long enough are gone by right; their leaves still prove the rest.
    SELECT CASE WHEN a.id IS NULL THEN 'entry is missing' ELSE 'entry was changed' END, l.seal_id, l.id,
           coalesce(a.at, vrm_private.moment_of(l.id))
    FROM sealed l LEFT JOIN vrm.audit_log a ON a.class = l.class AND a.id = l.id
    WHERE (a.id IS NULL AND vrm_private.moment_of(l.id) > now() - vrm_private.audit_keep(l.class))
       OR vrm_private.audit_hash(a) IS DISTINCT FROM l.leaf AND a.id IS NOT NULL
    UNION ALL
    SELECT 'entry was added after the seal', NULL, a.id, a.at
    FROM vrm.audit_log a
    JOIN (SELECT s.era, max(s.horizon::text::bigint)::text::xid8 AS horizon, max(s.system) AS system
          FROM vrm_private.audit_seals s GROUP BY s.era) AS done ON done.era = a.era
    WHERE (a.xid < done.horizon AND done.system = (SELECT c.system_identifier FROM pg_control_system() c)
           OR a.era < (SELECT max(s.era) FROM vrm_private.audit_seals s))
      AND a.at > now() - vrm_private.audit_keep(a.class)
      AND NOT EXISTS (SELECT FROM sealed l WHERE l.id = a.id)
    UNION ALL
    -- A transaction that began to write after a seal knows of nothing from long before it; only the
    -- journal does, whose entries have their numbers.
    SELECT 'entry is older than the transaction that wrote it', s.id, a.id, a.at
    FROM vrm.audit_log a
    CROSS JOIN LATERAL (SELECT s.id, s.system, s.era, s.ceiling, s.journaled FROM vrm_private.audit_seals s
                        WHERE s.sealed_at > a.at + '1 minute'::interval
                        ORDER BY s.sealed_at LIMIT 1) AS s
    -- What a new era has taken over has no transaction; all else was written after its first seal.
    WHERE s.ceiling IS NOT NULL AND a.xid <> '0' AND s.era < a.era
       OR s.ceiling IS NOT NULL AND s.era = a.era AND a.xid <> '0'
      AND CASE WHEN vrm_private.journal_number(a.detail) IS NULL THEN a.xid >= s.ceiling
               ELSE vrm_private.journal_number(a.detail) > s.journaled END
    UNION ALL
    SELECT 'entry is of no transaction that there was', NULL, a.id, a.at
    FROM vrm.audit_log a, vrm_private.audit_now() AS n
    WHERE a.era NOT BETWEEN 1 AND n.era
       OR n.is_here AND a.era = n.era AND a.xid >= pg_snapshot_xmax(pg_current_snapshot())
          AND a.xid IS DISTINCT FROM pg_current_xact_id_if_assigned()
    UNION ALL
    SELECT 'entries of the journal are missing', g.seal_id, NULL, g.at FROM vrm_private.journal_gaps() g
    UNION ALL
    SELECT 'leaves of the seal were changed', s.id, NULL, s.sealed_at
    FROM vrm_private.audit_seals s
    WHERE CASE WHEN s.leaves IS NOT NULL
               THEN cardinality(s.leaves) <> s.entries OR cardinality(s.ids) IS DISTINCT FROM s.entries
                    OR s.root <> vrm.merkle_root((SELECT string_agg(l.leaf, '' ORDER BY l.n)
                                                  FROM unnest(s.leaves) WITH ORDINALITY AS l (leaf, n)))
               ELSE s.sealed_at > now() - vrm_private.audit_keep(s.class) END
    UNION ALL
    SELECT 'seal was changed, or the one before it', s.id, NULL, s.sealed_at
    FROM (SELECT t.id, t.sealed_at, vrm_private.audit_mac_of(t, lag(t.mac) OVER (ORDER BY t.id)) AS expected, t.mac,
                 row_number() OVER (ORDER BY t.id) AS number
          FROM vrm_private.audit_seals t) s
    WHERE s.number <> s.id OR s.mac <> s.expected
    UNION ALL
    SELECT 'seals were cut off', vrm_private.seal_of_head(head), NULL, NULL
    WHERE head IS NOT NULL AND NOT EXISTS (
        SELECT FROM vrm_private.audit_seals s WHERE s.id || ':' || encode(s.mac, 'hex') = head)
$$;
COMMENT ON FUNCTION vrm.audit_verify(text) IS
    'what is wrong with the audit trail and where; with a head that was kept elsewhere also what was cut off';

CREATE OR REPLACE FUNCTION vrm.audit_proof(id uuid)
    RETURNS TABLE (seal_id bigint, root bytea, leaf bytea, leaf_position bigint, path bytea[],
                   left_sides boolean[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    nodes bytea[];
    place bigint;
    sibling bigint;
BEGIN
    PERFORM vrm.require_grant('vrm.audit_proof(uuid)');
    -- It is in one of the first seals that were made after the entry.
    SELECT s.id, s.root, s.leaves, array_position(s.ids, audit_proof.id) - 1
    INTO seal_id, root, nodes, leaf_position
    FROM vrm_private.audit_seals s
    WHERE s.sealed_at >= vrm_private.moment_of(audit_proof.id) - '1 minute'::interval
      AND audit_proof.id = ANY (s.ids)
    ORDER BY s.id LIMIT 1;
    IF seal_id IS NULL THEN
        RETURN;
    END IF;
    leaf := nodes[leaf_position + 1];
    place := leaf_position;
    path := '{}';
    left_sides := '{}';
    WHILE cardinality(nodes) > 1 LOOP
        sibling := CASE WHEN place % 2 = 0 THEN place + 1 ELSE place - 1 END;
        IF sibling < cardinality(nodes) THEN
            path := path || nodes[sibling + 1];
            left_sides := left_sides || (sibling < place);
        END IF;
        nodes := vrm_private.audit_level(nodes);
        place := place / 2;
    END LOOP;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION vrm.audit_proof(uuid) IS
    'proof that an entry is under a seal: what to hash its leaf with, from which side, up to the root';

REVOKE EXECUTE ON FUNCTION
    vrm_private.audit_hash(vrm.audit_log),
    vrm_private.audit_level(bytea[]),
    vrm_private.audit_mac_of(vrm_private.audit_seals, bytea),
    vrm_private.audit_era(),
    vrm_private.audit_seal_next(text, bigint, integer, xid8, timestamptz, xid8, bigint),
    vrm_private.journal_number(jsonb),
    vrm_private.journal_last(),
    vrm_private.journal_known(),
    vrm_private.journal_gaps(),
    vrm.audit_seal(),
    vrm.audit_head(),
    vrm.audit_verify(text),
    vrm.audit_proof(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.audit_seal(), vrm.audit_head(), vrm.audit_verify(text), vrm.audit_proof(uuid)
    TO service_role;
