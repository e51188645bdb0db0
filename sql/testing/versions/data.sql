-- Versions of agents: rows that come with it

-- Partitions of an archive that is older than the column have it without a comment.
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN SELECT i.inhrelid::regclass FROM pg_inherits i
                JOIN pg_attribute a ON a.attrelid = i.inhrelid AND a.attname = 'agent_version'
                WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass
                  AND i.inhrelid <> 'vrm_private.test_runs_archive_rest'::regclass
                  AND col_description(a.attrelid, a.attnum) IS NULL LOOP
        EXECUTE format('COMMENT ON COLUMN %s.agent_version IS %L', part, 'version of the agent that it ran with');
    END LOOP;
END
$$;
