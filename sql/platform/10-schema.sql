-- Types ----------------------------------------------------------------------------------------

CREATE TYPE vrm.user_role AS ENUM ('user', 'manager', 'admin');
COMMENT ON TYPE vrm.user_role IS 'what a person may do in the application; not a database role';

CREATE TYPE vrm.call_direction AS ENUM ('inbound', 'outbound');
COMMENT ON TYPE vrm.call_direction IS 'who calls whom, seen from the agent';

CREATE TYPE vrm.sentiment AS ENUM ('positive', 'neutral', 'negative');
COMMENT ON TYPE vrm.sentiment IS 'how the customer felt about a call';

-- text and not an enum: comparing text is LEAKPROOF, so an index on it is searched under RLS
CREATE DOMAIN vrm.run_status AS text
    CONSTRAINT known_status CHECK (VALUE IN ('queued', 'running', 'completed', 'failed', 'cancelled'));
COMMENT ON DOMAIN vrm.run_status IS
    'state of a call: queued, running, then completed, failed or cancelled for good';
COMMENT ON CONSTRAINT known_status ON DOMAIN vrm.run_status IS 'the five states of a call';

CREATE DOMAIN vrm.sealed AS bytea;
COMMENT ON DOMAIN vrm.sealed IS 'an encrypted value in an envelope (doc/secrets.md); never plaintext';
ALTER DOMAIN vrm.sealed ADD CONSTRAINT is_sealed CHECK (vrm.is_sealed(VALUE));
COMMENT ON CONSTRAINT is_sealed ON DOMAIN vrm.sealed IS 'no plaintext, whoever writes';
