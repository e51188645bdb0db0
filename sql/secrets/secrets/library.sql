-- Sealed values and sealed columns: members of the extension

-- Whoever has this role may open sealed values; no role has it until a DBA grants it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'vrm_reveal') THEN
        CREATE ROLE vrm_reveal NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another database has made it meanwhile
END
$$;

-- The carrier of plaintext: masked where the text arrives, so that nothing on the way can show it.
CREATE TYPE vrm.secret;

CREATE FUNCTION vrm.secret_in(plaintext cstring) RETURNS vrm.secret
    AS 'MODULE_PATHNAME', 'vrm_secret_in'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.secret_in(cstring) IS 'masks a text under a key of this session';

CREATE FUNCTION vrm.secret_out(secret vrm.secret) RETURNS cstring
    AS 'MODULE_PATHNAME', 'vrm_secret_out'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.secret_out(vrm.secret) IS 'always <secret>';

CREATE FUNCTION vrm.secret_receive(message internal) RETURNS vrm.secret
    AS 'MODULE_PATHNAME', 'vrm_secret_receive'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.secret_receive(internal) IS 'masks a text that a driver sends in binary';

CREATE FUNCTION vrm.secret_send(secret vrm.secret) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_secret_send'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.secret_send(vrm.secret) IS 'always <secret>';

CREATE TYPE vrm.secret (
    INPUT = vrm.secret_in,
    OUTPUT = vrm.secret_out,
    RECEIVE = vrm.secret_receive,
    SEND = vrm.secret_send,
    STORAGE = extended
);
COMMENT ON TYPE vrm.secret IS
    'plaintext on its way into a function: prints as <secret>, has no casts, cannot be stored';

CREATE FUNCTION vrm.secret_hint(secret vrm.secret) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_secret_hint'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.secret_hint(vrm.secret) IS
    'last four characters of a secret of 16 bytes or more, else null';

-- A column would hold what no other session can read.  Renamed columns are followed here, too.
CREATE FUNCTION vrm.watch_columns() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    secret oid[] := ARRAY[to_regtype('vrm.secret'), to_regtype('vrm.secret[]')];
    offender record;
BEGIN
    -- Who depends on the type is found by an index; what a command has made is dear to name.
    IF EXISTS (SELECT FROM pg_depend d
               WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid = ANY (secret) AND d.deptype = 'n'
                 AND d.classid IN ('pg_class'::regclass, 'pg_type'::regclass)) THEN
        SELECT c.object_identity INTO offender
        FROM pg_event_trigger_ddl_commands() c
        LEFT JOIN pg_type t ON t.oid = c.objid AND c.classid = 'pg_type'::regclass
        LEFT JOIN pg_attribute a
               ON a.attrelid = CASE c.classid WHEN 'pg_class'::regclass THEN c.objid ELSE t.typrelid END
              AND NOT a.attisdropped
        WHERE a.atttypid = ANY (secret) OR t.typbasetype = ANY (secret)
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION '% cannot hold a vrm.secret', offender.object_identity
                USING ERRCODE = 'feature_not_supported',
                      DETAIL = 'Only the session that made it can read it.',
                      HINT = 'Store vrm.seal($1) in a column of type vrm.sealed.';
        END IF;
    END IF;
    -- what has no sealed column touches no table here: the lock would be in the way of who makes shards of it
    IF tg_tag = 'ALTER TABLE' AND to_regclass('vrm_private.sealed_columns') IS NOT NULL
       AND EXISTS (SELECT FROM pg_event_trigger_ddl_commands() c
                   JOIN pg_trigger t ON t.tgrelid = c.objid AND t.tgfoid = to_regprocedure('vrm.bind_sealed()')
                   WHERE c.classid = 'pg_class'::regclass)
       AND to_regprocedure('vrm_private.sealed_triggers()') IS NOT NULL THEN
        UPDATE vrm_private.sealed_columns s SET column_name = b.column_name
        FROM vrm_private.sealed_triggers() b
        WHERE b.column_id = s.column_id AND b.column_name <> s.column_name;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.watch_columns() IS
    'event trigger: refuses columns of type vrm.secret, follows sealed columns that are renamed';

CREATE EVENT TRIGGER vrm_watch_columns ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'CREATE VIEW',
                 'CREATE MATERIALIZED VIEW', 'CREATE TYPE', 'ALTER TYPE', 'CREATE DOMAIN', 'CREATE FOREIGN TABLE')
    EXECUTE FUNCTION vrm.watch_columns();
COMMENT ON EVENT TRIGGER vrm_watch_columns IS
    'refuses columns of type vrm.secret, follows sealed columns that are renamed';

-- VOLATILE: the planner would fold an immutable function and give many rows one nonce.  RESTRICTED, all
-- that seal: a worker's lock on the key goes when the worker does, which is before the transaction ends.
CREATE FUNCTION vrm.seal(plaintext vrm.secret, context bytea DEFAULT '') RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_seal'
    LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.seal(vrm.secret, bytea) IS
    'encrypts under the active key; with a context, the value opens with that context only';

CREATE FUNCTION vrm.seal_random() RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_seal_random'
    LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.seal_random() IS 'seals 32 random bytes, in base64, that nobody has seen';

-- STABLE: EXPLAIN would show what an immutable function reveals.
CREATE FUNCTION vrm.reveal(value bytea, context bytea DEFAULT '') RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_reveal'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.reveal(bytea, bytea) IS 'opens what vrm.seal() sealed with the same context';

CREATE FUNCTION vrm.reveal_row(table_row record, column_name name) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_reveal_row_itself'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.reveal_row(record, name) IS
    'opens the sealed column of a row, if its table has that row and the caller may see it there';

CREATE FUNCTION vrm.reveal_row(rel regclass, column_name name, pk text) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_reveal_row'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.reveal_row(regclass, name, text) IS
    'opens the sealed column of the row with this primary key, which of several columns reads (a,b)';

CREATE FUNCTION vrm.reseal(value bytea, context bytea DEFAULT '') RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_reseal'
    LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.reseal(bytea, bytea) IS
    'seals a value anew under the active key, for values outside sealed columns';

CREATE FUNCTION vrm.is_sealed(value bytea) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_is_sealed'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.is_sealed(bytea) IS
    'whether the value has the structure of a sealed value; reads its first bytes only';

CREATE FUNCTION vrm.is_bound(value bytea) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_is_bound'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.is_bound(bytea) IS
    'whether the value is sealed for one column of one row; reads its first bytes only';

CREATE FUNCTION vrm.bind_sealed() RETURNS trigger
    AS 'MODULE_PATHNAME', 'vrm_bind_sealed'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.bind_sealed() IS
    'trigger of sealed columns: binds what is written to its row, under the active key';

CREATE FUNCTION vrm.opens_at(rel regclass, column_name name, place tid) RETURNS boolean
    AS 'MODULE_PATHNAME', 'vrm_opens_at'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vrm.opens_at(regclass, name, tid) IS
    'whether the sealed column of the row at this place opens, so that rotation can seal it anew';

-- Values on their way to another database, which has its own keys: both are given the transfer key.
CREATE FUNCTION vrm.seal_for_transfer(rel regclass, column_name name, place tid, transfer_key vrm.secret, context bytea)
    RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_seal_for_transfer'
    LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION vrm.seal_for_transfer(regclass, name, tid, vrm.secret, bytea) IS
    'what the sealed column of the row at this place holds, sealed under a key that another database is given, too';

CREATE FUNCTION vrm.seal_from_transfer(
    rel regclass, column_name name, row_value record, value bytea, transfer_key vrm.secret, context bytea
) RETURNS bytea
    AS 'MODULE_PATHNAME', 'vrm_seal_from_transfer'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION vrm.seal_from_transfer(regclass, name, record, bytea, vrm.secret, bytea) IS
    'such a value as the sealed column of this row can hold it here';

-- The CHECKs of domain vrm.sealed and of sealed columns run as the role that writes.
GRANT EXECUTE ON FUNCTION vrm.is_sealed(bytea), vrm.is_bound(bytea) TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION vrm.seal(vrm.secret, bytea) TO authenticated, service_role, vrm_reveal;
GRANT EXECUTE ON FUNCTION vrm.reveal(bytea, bytea), vrm.reveal_row(record, name),
    vrm.reveal_row(regclass, name, text)
    TO vrm_reveal;
GRANT EXECUTE ON FUNCTION vrm.reseal(bytea, bytea) TO service_role, vrm_reveal;

CREATE FUNCTION vrm.blind_index(column_id uuid, value text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'vrm_blind_index'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.blind_index(uuid, text) IS
    'keyed hash of a value to store beside its sealed form, so that equal values can be found';

CREATE FUNCTION vrm.blind_probe(column_id uuid, value text) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'vrm_blind_probe'
    LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.blind_probe(uuid, text) IS
    'blind indexes of a value under every key in use: WHERE index = ANY (vrm.blind_probe(...))';

GRANT EXECUTE ON FUNCTION vrm.blind_index(uuid, text), vrm.blind_probe(uuid, text)
    TO service_role, vrm_reveal;
