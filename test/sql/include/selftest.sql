-- Functions of the module for tests, test/module/selftest.cpp: they count how many C++ objects live
-- and die on every way out of a function.
\set selftest :modules /selftest
SET LOCAL client_min_messages = warning;
CREATE SCHEMA selftest;
CREATE FUNCTION selftest.probes_born() RETURNS bigint AS :'selftest', 'selftest_probes_born' LANGUAGE C STABLE STRICT;
CREATE FUNCTION selftest.probes_alive() RETURNS bigint AS :'selftest', 'selftest_probes_alive' LANGUAGE C STABLE STRICT;
CREATE FUNCTION selftest.bytes_in_use() RETURNS bigint AS :'selftest',
    'selftest_bytes_in_use' LANGUAGE C VOLATILE STRICT;
CREATE FUNCTION selftest.raise(kind text) RETURNS int AS :'selftest', 'selftest_raise' LANGUAGE C VOLATILE STRICT;
CREATE FUNCTION selftest.divide(dividend int, divisor int) RETURNS int AS :'selftest',
    'selftest_divide' LANGUAGE C VOLATILE STRICT;
CREATE FUNCTION selftest.divide_unguarded(dividend int, divisor int) RETURNS int
    AS :'selftest', 'selftest_divide_unguarded' LANGUAGE C VOLATILE STRICT;
CREATE FUNCTION selftest.context_kept() RETURNS boolean AS :'selftest',
    'selftest_context_kept' LANGUAGE C VOLATILE STRICT;
CREATE FUNCTION selftest.spin(rounds int) RETURNS int AS :'selftest', 'selftest_spin' LANGUAGE C VOLATILE STRICT;
CREATE FUNCTION selftest.hog(how text, megabytes int, extra int) RETURNS bigint AS :'selftest',
    'selftest_hog' LANGUAGE C VOLATILE STRICT;
CREATE FUNCTION selftest.repeat(bytes int) RETURNS text AS :'selftest', 'selftest_repeat' LANGUAGE C VOLATILE STRICT;
CREATE FUNCTION selftest.nested(depth int) RETURNS int AS :'selftest', 'selftest_nested' LANGUAGE C VOLATILE STRICT;
CREATE FUNCTION selftest.signatures() RETURNS text AS :'selftest', 'selftest_signatures' LANGUAGE C STABLE STRICT;
CREATE FUNCTION selftest.native_signatures() RETURNS text AS '$libdir/vrm',
    'vrm_native_signatures' LANGUAGE C STABLE STRICT;

-- SQLSTATE, message, DETAIL and HINT of what `statement` raises, a cancellation included.
CREATE FUNCTION selftest.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS OR query_canceled THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
