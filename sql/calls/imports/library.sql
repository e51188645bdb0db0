-- Calls brought in from other platforms: members of the extension

CREATE FUNCTION vrm.read_report(
    source text,
    payload jsonb,
    external_id text,
    arrived timestamptz,
    OUT what text,
    OUT reason text,
    OUT found_source text,
    OUT found_id text,
    OUT started_at timestamptz,
    OUT ended_at timestamptz,
    OUT is_guess boolean,
    OUT status text,
    OUT ended_reason text,
    OUT outcome text,
    OUT direction text,
    OUT cost text,
    OUT currency text,
    OUT error text,
    OUT results jsonb,
    OUT clock timestamptz,
    OUT notes text,
    OUT unknown jsonb
)
    AS 'MODULE_PATHNAME', 'vrm_read_report'
    LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION vrm.read_report(text, jsonb, text, timestamptz) IS
    'what a report of another platform says of a call; "what" is call, part, ignored or refused, with the reason';
GRANT EXECUTE ON FUNCTION vrm.read_report(text, jsonb, text, timestamptz) TO authenticated, service_role;

CREATE FUNCTION vrm.mended_json(payload text) RETURNS text
    AS 'MODULE_PATHNAME', 'vrm_mended_json'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.mended_json(text) IS
    'JSON without what jsonb cannot hold: NUL and lone surrogates are replaced by U+FFFD';
GRANT EXECUTE ON FUNCTION vrm.mended_json(text) TO authenticated, service_role;

CREATE PROCEDURE vrm.import_calls(batch integer DEFAULT 1000)
    AS 'MODULE_PATHNAME', 'vrm_import_calls'
    LANGUAGE C;
COMMENT ON PROCEDURE vrm.import_calls(integer) IS
    'makes calls of the reports in vrm.call_imports, in batches that commit; the caller''s, or for the service all';
GRANT EXECUTE ON PROCEDURE vrm.import_calls(integer) TO authenticated, service_role;
