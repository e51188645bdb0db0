-- Processor time of this backend in nanoseconds, which other programs on the machine do not blur.
CREATE OR REPLACE FUNCTION cpu() RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
    $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint $$;
