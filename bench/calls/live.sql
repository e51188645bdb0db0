-- Many calls at once: whose turns come in, into vrm and into a plain table with the same columns and indexes.
CREATE SCHEMA plain;
CREATE TABLE plain.turns (LIKE vrm.transcript_turns);
ALTER TABLE plain.turns ADD PRIMARY KEY (user_id, run_id, id);
CREATE INDEX ON plain.turns (run_id);

CREATE TABLE live (n integer PRIMARY KEY, run_id uuid NOT NULL);

-- the processor time of all processes of this server that are there or have ended, in seconds
CREATE FUNCTION server_seconds(clock_ticks integer) RETURNS double precision
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    WITH postmaster AS (
        SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1) AS pid
    ), process AS (
        SELECT d.pid, string_to_array(regexp_replace(pg_read_file('/proc/' || d.pid || '/stat', 0, 1000, true), '^.*\) ', ''), ' ')
               AS fields
        FROM pg_ls_dir('/proc') AS d (pid)
        WHERE d.pid ~ '^\d+$'
    )
    -- fields after the name: parent second, utime 12th, stime 13th, those of children that have ended after them
    SELECT sum(p.fields[12]::bigint + p.fields[13]::bigint
               + CASE WHEN p.pid = m.pid THEN p.fields[14]::bigint + p.fields[15]::bigint ELSE 0 END)::double precision
           / clock_ticks
    FROM process AS p, postmaster AS m
    WHERE p.pid = m.pid OR p.fields[2] = m.pid $$;

CREATE FUNCTION plain_turns(first integer, last integer) RETURNS void LANGUAGE sql AS $$
    INSERT INTO plain.turns (user_id, run_id, id, speaker, message, at, role, interrupted)
    SELECT '018f0000-0000-7000-8000-00000000000a', l.run_id, vrm.uuid7(), 'Agent', said.message,
           clock_timestamp() - now(), 'agent', false
    FROM live AS l, LATERAL (SELECT md5(l.n::text) || ' as people say it, and a little longer' AS message) AS said
    WHERE l.n BETWEEN first AND last $$;
