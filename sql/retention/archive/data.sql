-- The archive: filled, verified, read and taken back from: rows that come with it

SELECT vrm_private.make_archive_partitions();

-- Partitions of an archive that is older than the columns have them without a comment.
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT i.inhrelid::regclass AS relation, a.attname, col_description(p.attrelid, p.attnum) AS comment
                FROM pg_inherits i
                JOIN pg_attribute a ON a.attrelid = i.inhrelid AND a.attname IN ('results_sha256', 'packed_results')
                JOIN pg_attribute p ON p.attrelid = i.inhparent AND p.attname = a.attname
                WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass
                  AND i.inhrelid <> 'vrm_private.test_runs_archive_rest'::regclass
                  AND col_description(a.attrelid, a.attnum) IS NULL LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', part.relation, part.attname, part.comment);
    END LOOP;
END
$$;
