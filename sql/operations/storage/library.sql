-- Storage: room on disk, and the trend of its use: members of the extension

-- For vrm.disk(): a role that may name any path could look for files.
CREATE FUNCTION vrm.file_system(path text, OUT total_bytes bigint, OUT free_bytes bigint)
    AS 'MODULE_PATHNAME', 'vrm_file_system'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.file_system(text) IS
    'size of the file system behind a path and what is left of it for an ordinary user; null where it cannot be asked';

-- For vrm_private.table_sizes(), for the same reason.
CREATE FUNCTION vrm.file_sizes(path text) RETURNS TABLE (filenode bigint, bytes bigint)
    AS 'MODULE_PATHNAME', 'vrm_file_sizes'
    LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.file_sizes(text) IS
    'bytes of the files of a directory of a database by what relations call relfilenode; 0 are the others';

CREATE FUNCTION vrm.disk() RETURNS TABLE (path text, total_bytes bigint, free_bytes bigint)
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT vrm.require_grant('vrm.disk()');
    SELECT place.path, room.total_bytes, room.free_bytes
    FROM (SELECT current_setting('data_directory')
          UNION ALL
          SELECT current_setting('data_directory') || '/pg_wal'
          UNION ALL
          SELECT pg_tablespace_location(t.oid) FROM pg_tablespace t
          WHERE t.spcname NOT IN ('pg_default', 'pg_global')) AS place (path),
         LATERAL vrm.file_system(place.path) AS room
$$;
COMMENT ON FUNCTION vrm.disk() IS
    'room on the file systems of the data directory, the WAL and the tablespaces; one may stand behind several paths';
GRANT EXECUTE ON FUNCTION vrm.disk() TO pg_monitor, service_role;

CREATE FUNCTION vrm.growth_a_day(days float8[], amounts float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'vrm_growth_a_day'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vrm.growth_a_day(float8[], float8[]) IS
    'median of what a day added, by samples in order of time (Theil-Sen, near pairs); null with less than a week';
GRANT EXECUTE ON FUNCTION vrm.growth_a_day(float8[], float8[]) TO pg_monitor, service_role;
