-- The archive: filled, verified, read and taken back from: rows that come with it

SELECT vrm_private.make_archive_partitions();

-- Partitions of an archive that is older than the column have it without a comment.
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN SELECT i.inhrelid::regclass FROM pg_inherits i
                JOIN pg_attribute a ON a.attrelid = i.inhrelid AND a.attname = 'results_sha256'
                WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass
                  AND i.inhrelid <> 'vrm_private.test_runs_archive_rest'::regclass
                  AND col_description(a.attrelid, a.attnum) IS NULL LOOP
        EXECUTE format('COMMENT ON COLUMN %s.results_sha256 IS %L', part, 'vrm.document_digest() of results');
    END LOOP;
END
$$;
