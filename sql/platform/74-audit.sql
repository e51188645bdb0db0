-- Audit: who did what, by day, and proof that nobody has changed it since --------------------------------

CREATE TABLE IF NOT EXISTS vrm.audit_log (
    class text NOT NULL CONSTRAINT class_is_known CHECK (class IN ('security', 'data')),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    id uuid NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    action text NOT NULL CONSTRAINT action_length CHECK (length(action) BETWEEN 1 AND 100),
    actor uuid,
    db_role name NOT NULL DEFAULT session_user,
    relation text,
    old jsonb,
    new jsonb,
    detail jsonb,
    PRIMARY KEY (class, at, id)
) PARTITION BY LIST (class);
CREATE TABLE IF NOT EXISTS vrm_private.audit_security PARTITION OF vrm.audit_log
    FOR VALUES IN ('security') PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS vrm_private.audit_data PARTITION OF vrm.audit_log
    FOR VALUES IN ('data') PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS vrm_private.audit_security_rest PARTITION OF vrm_private.audit_security DEFAULT;
CREATE TABLE IF NOT EXISTS vrm_private.audit_data_rest PARTITION OF vrm_private.audit_data DEFAULT;
ALTER TABLE vrm.audit_log ALTER COLUMN id SET DEFAULT vrm.uuid7();
ALTER TABLE vrm.audit_log ALTER COLUMN actor SET DEFAULT vrm.uid();
COMMENT ON TABLE vrm.audit_log IS 'what happened: security events and changed rows; nobody updates or deletes';
COMMENT ON TABLE vrm_private.audit_security IS 'security events, kept a year, by day';
COMMENT ON TABLE vrm_private.audit_data IS 'changed rows, kept 90 days, by day';
COMMENT ON TABLE vrm_private.audit_security_rest IS 'security events of days without a partition';
COMMENT ON TABLE vrm_private.audit_data_rest IS 'changed rows of days without a partition';
COMMENT ON COLUMN vrm.audit_log.class IS 'how long it is kept: security a year, data 90 days';
COMMENT ON COLUMN vrm.audit_log.at IS 'when';
COMMENT ON COLUMN vrm.audit_log.id IS 'the entry';
COMMENT ON COLUMN vrm.audit_log.xid IS 'transaction that wrote it, by which it is sealed';
COMMENT ON COLUMN vrm.audit_log.action IS 'what: an event''s name, or INSERT, UPDATE, DELETE';
COMMENT ON COLUMN vrm.audit_log.actor IS 'who was signed in';
COMMENT ON COLUMN vrm.audit_log.db_role IS 'who was connected';
COMMENT ON COLUMN vrm.audit_log.relation IS 'table of a changed row';
COMMENT ON COLUMN vrm.audit_log.old IS 'changed columns as they were';
COMMENT ON COLUMN vrm.audit_log.new IS 'changed columns as they are';
COMMENT ON COLUMN vrm.audit_log.detail IS 'what else there is to say; never a secret';

-- Written by C++, by the position of the columns; an index would not know of all rows.
CREATE TABLE IF NOT EXISTS vrm_private.audit_journal (
    at timestamptz NOT NULL,
    id uuid NOT NULL,
    action text NOT NULL,
    actor uuid,
    db_role name NOT NULL,
    detail jsonb
);
COMMENT ON TABLE vrm_private.audit_journal IS
    'events on their way to the audit trail; a row belongs to no transaction, so ROLLBACK does not take it back';
COMMENT ON COLUMN vrm_private.audit_journal.at IS 'when';
COMMENT ON COLUMN vrm_private.audit_journal.id IS 'the entry, here and in the audit trail';
COMMENT ON COLUMN vrm_private.audit_journal.action IS 'what';
COMMENT ON COLUMN vrm_private.audit_journal.actor IS 'who was signed in';
COMMENT ON COLUMN vrm_private.audit_journal.db_role IS 'who was connected';
COMMENT ON COLUMN vrm_private.audit_journal.detail IS 'what else there is to say';

CREATE TABLE IF NOT EXISTS vrm_private.audit_seals (
    id bigint PRIMARY KEY,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    entries bigint NOT NULL,
    root bytea NOT NULL,
    mac bytea NOT NULL
);
COMMENT ON TABLE vrm_private.audit_seals IS 'a chain of seals, each over a batch of entries and the seal before it';
COMMENT ON COLUMN vrm_private.audit_seals.id IS 'order, without gaps';
COMMENT ON COLUMN vrm_private.audit_seals.sealed_at IS 'when';
COMMENT ON COLUMN vrm_private.audit_seals.entries IS 'how many entries';
COMMENT ON COLUMN vrm_private.audit_seals.root IS 'root of their Merkle tree (RFC 6962)';
COMMENT ON COLUMN vrm_private.audit_seals.mac IS 'keyed hash of all that and of the seal before it';

CREATE TABLE IF NOT EXISTS vrm_private.audit_leaves (
    seal_id bigint NOT NULL REFERENCES vrm_private.audit_seals (id),
    position bigint NOT NULL,
    class text NOT NULL,
    at timestamptz NOT NULL,
    id uuid NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (seal_id, position)
);
CREATE UNIQUE INDEX IF NOT EXISTS audit_leaves_entry ON vrm_private.audit_leaves (id);
COMMENT ON TABLE vrm_private.audit_leaves IS 'which entry a seal has where in its tree';
COMMENT ON INDEX vrm_private.audit_leaves_entry IS 'the seal of an entry; an entry has one';
COMMENT ON COLUMN vrm_private.audit_leaves.seal_id IS 'the seal';
COMMENT ON COLUMN vrm_private.audit_leaves.position IS 'place among its leaves, from 0';
COMMENT ON COLUMN vrm_private.audit_leaves.class IS 'the entry''s class';
COMMENT ON COLUMN vrm_private.audit_leaves.at IS 'the entry''s time';
COMMENT ON COLUMN vrm_private.audit_leaves.id IS 'the entry';
COMMENT ON COLUMN vrm_private.audit_leaves.hash IS 'hash of the entry as it was sealed';

REVOKE ALL ON vrm.audit_log, vrm_private.audit_security, vrm_private.audit_data, vrm_private.audit_security_rest,
    vrm_private.audit_data_rest, vrm_private.audit_journal, vrm_private.audit_seals, vrm_private.audit_leaves
    FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm.audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.audit_journal ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.audit_seals ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.audit_leaves ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON vrm.audit_log TO authenticated, service_role;
CREATE POLICY "administrators read the audit trail" ON vrm.audit_log
    FOR SELECT TO authenticated
    USING ((SELECT vrm_private.is_admin()));
COMMENT ON POLICY "administrators read the audit trail" ON vrm.audit_log IS 'administrators of the application only';

-- Writing -------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm.audit_event(action text, detail jsonb DEFAULT NULL) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO vrm.audit_log (class, action, detail) VALUES ('security', action, detail) RETURNING id
$$;
COMMENT ON FUNCTION vrm.audit_event(text, jsonb) IS 'writes a security event to the audit trail';

CREATE OR REPLACE FUNCTION vrm.audit_drain() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH taken AS (DELETE FROM vrm_private.audit_journal RETURNING *),
         kept AS (INSERT INTO vrm.audit_log (class, at, id, action, actor, db_role, detail)
                  SELECT 'security', at, id, action, actor, db_role, detail FROM taken
                  RETURNING id)
    SELECT count(*) FROM kept
$$;
COMMENT ON FUNCTION vrm.audit_drain() IS
    'moves what waits in the journal to the audit trail and returns how many entries that was';

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
END
$$;
COMMENT ON FUNCTION vrm.audit_enable(regclass, text[], text[]) IS
    'the table''s changes are in the audit trail from now on; of columns to redact the name only';

CREATE OR REPLACE FUNCTION vrm.audit_disable(rel regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TRIGGER IF EXISTS vrm_audit ON %s', rel);
END
$$;
COMMENT ON FUNCTION vrm.audit_disable(regclass) IS 'the table''s changes are no longer in the audit trail';

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
        FOREACH gone IN ARRAY vrm_private.expired_partitions(part.parent, part.cutoff) LOOP
            EXECUTE format('DROP TABLE %s', gone::regclass);
            dropped := dropped + 1;
        END LOOP;
        EXECUTE format('DELETE FROM vrm_private.%I WHERE at < $1', part.name || '_rest') USING part.cutoff;
    END LOOP;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION vrm.audit_maintain() IS
    'makes the partitions of the next seven days and drops those that have been kept long enough; once a day';

-- Sealing --------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vrm_private.audit_keep(class text) RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE class WHEN 'data' THEN '90 days'::interval ELSE '365 days'::interval END;
COMMENT ON FUNCTION vrm_private.audit_keep(text) IS 'how long entries of a class are kept';

CREATE OR REPLACE FUNCTION vrm_private.audit_hash(entry vrm.audit_log) RETURNS bytea
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
    SELECT sha256('\x00'::bytea || convert_to(jsonb_build_array(
        entry.class, extract(epoch FROM entry.at), entry.id, entry.xid::text, entry.action, entry.actor,
        entry.db_role, entry.relation, entry.old, entry.new, entry.detail)::text, 'UTF8'))
$$;
COMMENT ON FUNCTION vrm_private.audit_hash(vrm.audit_log) IS 'leaf of the Merkle tree: the whole of an entry';

-- The next level of a Merkle tree: neighbours together, an odd last one as it is.
CREATE OR REPLACE FUNCTION vrm_private.audit_level(nodes bytea[]) RETURNS bytea[]
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(CASE WHEN i < cardinality(nodes) THEN sha256('\x01'::bytea || nodes[i] || nodes[i + 1])
                          ELSE nodes[i] END ORDER BY i)
    FROM generate_series(1, cardinality(nodes), 2) i
$$;
COMMENT ON FUNCTION vrm_private.audit_level(bytea[]) IS 'one step from the leaves of a Merkle tree to its root';

CREATE OR REPLACE FUNCTION vrm_private.audit_root(nodes bytea[]) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    WHILE cardinality(nodes) > 1 LOOP
        nodes := vrm_private.audit_level(nodes);
    END LOOP;
    RETURN nodes[1];
END
$$;
COMMENT ON FUNCTION vrm_private.audit_root(bytea[]) IS 'root of the Merkle tree (RFC 6962) over leaves';

CREATE OR REPLACE FUNCTION vrm_private.audit_mac_of(id bigint, sealed_at timestamptz, entries bigint, root bytea,
                                                    previous bytea) RETURNS bytea
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.audit_mac(int8send(id) || int8send((extract(epoch FROM sealed_at) * 1000000)::bigint)
                         || int8send(entries) || root || coalesce(previous, ''))
$$;
COMMENT ON FUNCTION vrm_private.audit_mac_of(bigint, timestamptz, bigint, bytea, bytea) IS 'what a seal has to say';

-- What transactions that still run have written is not visible yet; it gets into a later seal when they
-- commit within a day of the last one, and after that vrm.audit_verify() reports it as not sealed.
CREATE OR REPLACE FUNCTION vrm.audit_seal() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last vrm_private.audit_seals;
    leaves bytea[];
    made vrm_private.audit_seals;
BEGIN
    LOCK TABLE vrm_private.audit_seals IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM vrm_private.audit_seals ORDER BY id DESC LIMIT 1;
    CREATE TEMP TABLE pg_temp.to_seal ON COMMIT DROP AS
        SELECT row_number() OVER (ORDER BY a.at, a.id) - 1 AS position, a.class, a.at, a.id,
               vrm_private.audit_hash(a) AS hash
        FROM vrm.audit_log a
        WHERE a.at > coalesce(last.sealed_at - '1 day'::interval, '-infinity')
          AND NOT EXISTS (SELECT FROM vrm_private.audit_leaves l WHERE l.id = a.id);
    SELECT array_agg(hash ORDER BY position) INTO leaves FROM pg_temp.to_seal;
    IF leaves IS NOT NULL THEN
        made.id := coalesce(last.id, 0) + 1;
        made.sealed_at := clock_timestamp();
        made.entries := cardinality(leaves);
        made.root := vrm_private.audit_root(leaves);
        made.mac := vrm_private.audit_mac_of(made.id, made.sealed_at, made.entries, made.root, last.mac);
        INSERT INTO vrm_private.audit_seals SELECT made.*;
        INSERT INTO vrm_private.audit_leaves SELECT made.id, s.* FROM pg_temp.to_seal s;
    END IF;
    DROP TABLE pg_temp.to_seal;
    RETURN coalesce(made.entries, 0);
END
$$;
COMMENT ON FUNCTION vrm.audit_seal() IS
    'seals what has been written since the last seal and returns how many entries that was';

CREATE OR REPLACE FUNCTION vrm.audit_head() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT id || ':' || encode(mac, 'hex') FROM vrm_private.audit_seals ORDER BY id DESC LIMIT 1
$$;
COMMENT ON FUNCTION vrm.audit_head() IS
    'the newest seal, to be kept elsewhere: whoever has it notices when seals are cut off';

CREATE OR REPLACE FUNCTION vrm.audit_verify(head text DEFAULT NULL)
    RETURNS TABLE (problem text, seal_id bigint, entry_id uuid, at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    -- Entries that have been kept long enough are gone by right; their leaves still prove the rest.
    SELECT CASE WHEN a.id IS NULL THEN 'entry is missing' ELSE 'entry was changed' END, l.seal_id, l.id, l.at
    FROM vrm_private.audit_leaves l
    LEFT JOIN vrm.audit_log a ON a.class = l.class AND a.at = l.at AND a.id = l.id
    WHERE (a.id IS NULL AND l.at > now() - vrm_private.audit_keep(l.class))
       OR vrm_private.audit_hash(a) <> l.hash
    UNION ALL
    SELECT 'entry was added after the seal', NULL, a.id, a.at
    FROM vrm.audit_log a
    WHERE a.at < (SELECT max(sealed_at) FROM vrm_private.audit_seals) - '1 day'::interval
      AND NOT EXISTS (SELECT FROM vrm_private.audit_leaves l WHERE l.id = a.id)
    UNION ALL
    SELECT 'leaves of the seal were changed', s.id, NULL, s.sealed_at
    FROM vrm_private.audit_seals s
    WHERE s.root IS DISTINCT FROM vrm_private.audit_root(ARRAY(
        SELECT l.hash FROM vrm_private.audit_leaves l WHERE l.seal_id = s.id ORDER BY l.position))
       OR s.entries <> (SELECT count(*) FROM vrm_private.audit_leaves l WHERE l.seal_id = s.id)
    UNION ALL
    SELECT 'seal was changed, or the one before it', s.id, NULL, s.sealed_at
    FROM (SELECT *, lag(mac) OVER (ORDER BY id) AS previous, row_number() OVER (ORDER BY id) AS number
          FROM vrm_private.audit_seals) s
    WHERE s.number <> s.id OR s.mac <> vrm_private.audit_mac_of(s.id, s.sealed_at, s.entries, s.root, s.previous)
    UNION ALL
    SELECT 'seals were cut off', split_part(head, ':', 1)::bigint, NULL, NULL
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
    SELECT l.seal_id, l.hash, l.position, s.root INTO seal_id, leaf, leaf_position, root
    FROM vrm_private.audit_leaves l JOIN vrm_private.audit_seals s ON s.id = l.seal_id
    WHERE l.id = audit_proof.id;
    IF seal_id IS NULL THEN
        RETURN;
    END IF;
    nodes := ARRAY(SELECT l.hash FROM vrm_private.audit_leaves l
                   WHERE l.seal_id = audit_proof.seal_id ORDER BY l.position);
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
    vrm.audit_event(text, jsonb), vrm.audit_drain(),
    vrm.audit_enable(regclass, text[], text[]), vrm.audit_disable(regclass),
    vrm.audit_maintain(), vrm_private.audit_keep(text),
    vrm_private.audit_hash(vrm.audit_log), vrm_private.audit_level(bytea[]),
    vrm_private.audit_root(bytea[]), vrm_private.audit_mac_of(bigint, timestamptz, bigint, bytea, bytea),
    vrm.audit_seal(), vrm.audit_head(), vrm.audit_verify(text), vrm.audit_proof(uuid)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    vrm.audit_event(text, jsonb), vrm.audit_drain(), vrm.audit_seal(), vrm.audit_head(), vrm.audit_verify(text),
    vrm.audit_proof(uuid)
    TO service_role;
