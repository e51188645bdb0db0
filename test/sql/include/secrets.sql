-- A master key for tests, and keys under it; all of it goes with the transaction.
SET LOCAL vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=';
SET LOCAL vrm.secret_literals = allow;
SELECT vrm.key_create('data') AS data_key, vrm.key_create('blind_index') AS index_key \gset

-- SQLSTATE, message, DETAIL and HINT of the error that `statement` raises.
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;

-- Whether `statement` fails as every value does that does not open, not more and not less.
CREATE FUNCTION pg_temp.stays_shut(statement text, name text) RETURNS text LANGUAGE sql AS $$
    SELECT is(pg_temp.failure(statement),
              '22000 | value cannot be opened | It is not a sealed value, was changed, belongs elsewhere, or its key '
              'is unknown or destroyed.',
              name)
$$;
