-- What bench/audit/trail.sh runs: rows changed under either trigger, then events and their seals.
\set QUIET on
SET client_min_messages = warning;
\ir ../lib/cpu.sql

-- The peer: who, when, what, and the changed columns, old and new, as jsonb.
CREATE TABLE peer_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid bigint NOT NULL DEFAULT txid_current(),
    db_role text NOT NULL DEFAULT session_user,
    client_addr inet DEFAULT inet_client_addr(),
    application text DEFAULT current_setting('application_name'),
    query text DEFAULT current_query(),
    relation text NOT NULL,
    action text NOT NULL,
    old jsonb,
    new jsonb
);
CREATE FUNCTION peer_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    changed text[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(a.key) INTO changed
        FROM jsonb_each(after) a JOIN jsonb_each(before) b ON a.key = b.key AND a.value IS DISTINCT FROM b.value;
        IF changed IS NULL THEN
            RETURN NULL;
        END IF;
        SELECT jsonb_object_agg(e.key, e.value) INTO before FROM jsonb_each(before) e WHERE e.key = ANY (changed);
        SELECT jsonb_object_agg(e.key, e.value) INTO after FROM jsonb_each(after) e WHERE e.key = ANY (changed);
    END IF;
    INSERT INTO peer_log (relation, action, old, new)
    VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, TG_OP, before, after);
    RETURN NULL;
END
$$;

CREATE TABLE plain (id int PRIMARY KEY, name text, persona text, settings jsonb, minutes int, price numeric,
                    active boolean, created_at timestamptz, updated_at timestamptz);
INSERT INTO plain SELECT i, 'agent ' || i, repeat('a kind voice, ', 10), '{"voice": "alloy", "speed": 1.0, "retries": 3}',
                         i, i * 1.5, true, now(), now() FROM generate_series(1, :rows) i;
CREATE TABLE native (LIKE plain INCLUDING ALL);
CREATE TABLE peer (LIKE plain INCLUDING ALL);
INSERT INTO native TABLE plain;
INSERT INTO peer TABLE plain;
SELECT vrm.audit_enable('native') \g /dev/null
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON peer FOR EACH ROW EXECUTE FUNCTION peer_audit();
SELECT vrm.audit_maintain() \g /dev/null
CREATE PROCEDURE change(relation regclass, INOUT cost bigint) LANGUAGE plpgsql AS $$
DECLARE
    began bigint;
BEGIN
    EXECUTE format('TRUNCATE peer_log');
    began := cpu();
    EXECUTE format('UPDATE %s SET minutes = minutes + 1, updated_at = clock_timestamp()', relation);
    cost := cpu() - began;
    COMMIT;
END
$$;
CREATE TABLE took (what text, ns bigint);
CREATE PROCEDURE measure(rounds int) LANGUAGE plpgsql AS $$
DECLARE
    relation text;
    cost bigint;
BEGIN
    FOR round IN 1 .. rounds LOOP
        FOREACH relation IN ARRAY '{plain,native,peer}'::text[] LOOP
            CALL change(relation, cost);
            INSERT INTO took VALUES (relation, cost);
            COMMIT;
        END LOOP;
    END LOOP;
END
$$;
CALL measure(1);
TRUNCATE took;
VACUUM plain, native, peer;
CALL measure(5);
CREATE VIEW middle AS SELECT what, percentile_disc(0.5) WITHIN GROUP (ORDER BY ns) AS ns FROM took GROUP BY what;
SELECT 'trigger', what, round(ns / 1000.0 / :rows, 2) FROM middle ORDER BY ns;
SELECT 'row ratio', round((max(ns) FILTER (WHERE what = 'peer') - max(ns) FILTER (WHERE what = 'plain'))::numeric
                          / (max(ns) FILTER (WHERE what = 'native') - max(ns) FILTER (WHERE what = 'plain')), 2) FROM middle;

-- Sealing: events, each in a transaction of its own, and then the seal over them.
SELECT vrm.audit_seal() \g /dev/null
CREATE TABLE sealing (writing bigint, sealing bigint, entries bigint);
CREATE PROCEDURE seal(rounds int, events int) LANGUAGE plpgsql AS $$
DECLARE
    began bigint;
    written bigint;
    sealed bigint;
BEGIN
    FOR round IN 1 .. rounds LOOP
        began := cpu();
        FOR i IN 1 .. events LOOP
            PERFORM vrm.audit_event('benched', '{"user_id": "018f0000-0000-7000-8000-00000000000a", "aal": "aal1"}');
            COMMIT;
        END LOOP;
        written := cpu() - began;
        began := cpu();
        sealed := vrm.audit_seal();
        INSERT INTO sealing VALUES (written, cpu() - began, sealed);
        COMMIT;
    END LOOP;
END
$$;
CALL seal(1, 2000);
TRUNCATE sealing;
CALL seal(5, 5000);
SELECT 'seal', round(percentile_disc(0.5) WITHIN GROUP (ORDER BY writing) / 5000 / 1000.0, 2),
       round(percentile_disc(0.5) WITHIN GROUP (ORDER BY sealing) / 5000 / 1000.0, 2),
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY 100.0 * sealing / writing))::numeric, 2), min(entries)
FROM sealing;
SELECT 'problems', count(*) FROM vrm.audit_verify();
