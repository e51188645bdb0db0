-- The entry in front of several complete databases: where each tenant lives, and functions that go there.
-- psql -v ON_ERROR_STOP=1 -v node0='host=... dbname=app' -v node1='host=... dbname=app' -f entry.sql

CREATE EXTENSION plproxy;
CREATE SERVER nodes FOREIGN DATA WRAPPER plproxy
    OPTIONS (modular_mapping '1', p0 :'node0', p1 :'node1');
CREATE USER MAPPING FOR PUBLIC SERVER nodes OPTIONS (user 'entry');
GRANT USAGE ON FOREIGN SERVER nodes TO PUBLIC;

CREATE SCHEMA node;
CREATE SCHEMA place;

-- A hash has a slot, and a slot a node: with a third node, slots move one by one.
CREATE TABLE place.slots (slot integer PRIMARY KEY, node integer NOT NULL);
INSERT INTO place.slots SELECT s, s % 2 FROM generate_series(0, 1023) AS s;
-- Tenants that do not live where their slot is; and where they have not been erased yet, with what they were.
CREATE TABLE place.moved (user_id uuid PRIMARY KEY, node integer NOT NULL, still_at integer, digest text);
-- Whose an address is, which is known before the node is.
CREATE TABLE place.addresses (email_sha256 bytea PRIMARY KEY, user_id uuid NOT NULL UNIQUE);

CREATE FUNCTION place.node_of(user_id uuid) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT m.node FROM place.moved m WHERE m.user_id = node_of.user_id),
                    (SELECT s.node FROM place.slots s
                     WHERE s.slot = uuid_hash_extended(node_of.user_id, 0) & 1023))
$$;

CREATE FUNCTION place.tenant_of(email text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT a.user_id FROM place.addresses a WHERE a.email_sha256 = sha256(convert_to(lower(email), 'UTF8'))
$$;

-- The way to where the tenant lives ---------------------------------------------------------------

CREATE FUNCTION node.create_tenant(user_id uuid, email text, password text) RETURNS uuid
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON place.node_of(user_id); $$;
CREATE FUNCTION node.sign_in(user_id uuid, email text, password text) RETURNS TABLE (status text, access_token text)
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON place.node_of(user_id); $$;
CREATE FUNCTION node.create_agent(user_id uuid, token text, name text) RETURNS uuid
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON place.node_of(user_id); $$;
CREATE FUNCTION node.start_call(user_id uuid, token text, agent_id uuid) RETURNS uuid
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON place.node_of(user_id); $$;
CREATE FUNCTION node.count_calls() RETURNS SETOF bigint
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON ALL; $$;

CREATE FUNCTION node.export_tenant(at_node integer, user_id uuid, transfer_key text) RETURNS SETOF jsonb
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON at_node; $$;
CREATE FUNCTION node.import_tenant(at_node integer, lines jsonb, transfer_key text) RETURNS bigint
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON at_node; $$;
CREATE FUNCTION node.tenant_digest(at_node integer, user_id uuid) RETURNS text
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON at_node; $$;
CREATE FUNCTION node.lock_tenant(at_node integer, user_id uuid, until timestamptz) RETURNS void
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON at_node; $$;
CREATE FUNCTION node.unlock_tenant(at_node integer, user_id uuid) RETURNS boolean
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON at_node; $$;
CREATE FUNCTION node.leave_tenant(at_node integer, user_id uuid, digest text) RETURNS bigint
    LANGUAGE plproxy AS $$ CLUSTER 'nodes'; RUN ON at_node; $$;

-- What the application calls ----------------------------------------------------------------------

-- The address first: a second one of the same waits here, and fails.
CREATE FUNCTION place.create_tenant(email text, password text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    made uuid := gen_random_uuid();
BEGIN
    INSERT INTO place.addresses VALUES (sha256(convert_to(lower(email), 'UTF8')), made);
    RETURN node.create_tenant(made, email, password);
END
$$;

CREATE FUNCTION place.sign_in(email text, password text) RETURNS TABLE (user_id uuid, status text, access_token text)
    LANGUAGE sql AS $$
    -- an address that nobody has goes somewhere, too: there it is hashed for and counted like any other
    SELECT t.id, s.status, s.access_token
    FROM (SELECT coalesce(place.tenant_of(email), md5(lower(email))::uuid) AS id) AS t,
         LATERAL node.sign_in(t.id, email, password) AS s
$$;

-- Every node commits by itself, so each step may be the last for a while: CALL it again.  The entry sends people to
-- the new place before they are erased at the old one, and only when what has arrived is what was there.
CREATE PROCEDURE place.move(user_id uuid, to_node integer) LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    from_node integer := place.node_of(user_id);
    transfer_key text := encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64');
    sent text;
    left_over text;
    old record;
BEGIN
    IF from_node <> to_node THEN
        PERFORM node.lock_tenant(from_node, user_id, now() + interval '1 hour');
        left_over := node.tenant_digest(to_node, user_id);
        IF left_over IS NOT NULL THEN
            PERFORM node.leave_tenant(to_node, user_id, left_over);
        END IF;
        sent := node.tenant_digest(from_node, user_id);
        PERFORM node.import_tenant(
            to_node, (SELECT jsonb_agg(l) FROM node.export_tenant(from_node, user_id, transfer_key) AS l),
            transfer_key);
        IF node.tenant_digest(to_node, user_id) IS DISTINCT FROM sent THEN
            RAISE EXCEPTION 'what has arrived is not what was sent' USING HINT = 'Call it again.';
        END IF;
        INSERT INTO place.moved VALUES (user_id, to_node, from_node, sent)
        ON CONFLICT ON CONSTRAINT moved_pkey DO UPDATE
        SET node = excluded.node, still_at = excluded.still_at, digest = excluded.digest;
        COMMIT;
    END IF;
    SELECT m.still_at, m.digest INTO old FROM place.moved m WHERE m.user_id = move.user_id AND m.still_at IS NOT NULL;
    IF FOUND THEN
        IF node.tenant_digest(old.still_at, user_id) IS NOT NULL THEN
            PERFORM node.leave_tenant(old.still_at, user_id, old.digest);
        END IF;
        PERFORM node.unlock_tenant(to_node, user_id);
        UPDATE place.moved m SET still_at = NULL, digest = NULL WHERE m.user_id = move.user_id;
    END IF;
END
$$;
