-- What bench/secrets/secrets.pl runs in one session: CPU of this backend, without the scan, per call.
\set QUIET on
SET client_min_messages = warning;
SET vrm.secret_literals = allow;
SET jit = off;
SET max_parallel_workers_per_gather = 0;

\ir ../lib/cpu.sql

CREATE TABLE pg_temp.measured (what text, size integer, ns double precision);
CREATE TEMP TABLE sample (plain text, bytes bytea, sealed bytea, cbc bytea, pgp bytea);
ALTER TABLE sample ALTER plain SET STORAGE EXTERNAL, ALTER bytes SET STORAGE EXTERNAL,
    ALTER sealed SET STORAGE EXTERNAL, ALTER cbc SET STORAGE EXTERNAL, ALTER pgp SET STORAGE EXTERNAL;

-- One call of `expression` on each row, `repeat` times over, in nanoseconds each.
CREATE FUNCTION pg_temp.time_of(expression text, repeat integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    calls bigint;
BEGIN
    before := cpu();
    EXECUTE format('SELECT count(%s) FROM sample, generate_series(1, %s) AS again', expression, repeat) INTO calls;
    RETURN (cpu() - before)::double precision / calls;
END
$$;

CREATE FUNCTION pg_temp.measure(size integer, count integer, repeat integer, with_pgp boolean) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    task record;
    scan double precision;
    -- what is not called for is not fetched: large values would come with the call
    fetched text := CASE WHEN size > 2000 THEN 'get_byte(%s, 0)' ELSE '%s' END;
BEGIN
    TRUNCATE sample;
    INSERT INTO sample (plain)
    SELECT substr(string_agg(md5(random()::text), ''), 1, size)
    FROM generate_series(1, count) AS row, generate_series(0, size / 32) AS part
    GROUP BY row;
    UPDATE sample SET bytes = plain::bytea, sealed = vrm.seal(plain::vrm.secret),
        cbc = encrypt(plain::bytea, '0123456789abcdef0123456789abcdef', 'aes-cbc');
    IF with_pgp THEN
        UPDATE sample SET pgp = pgp_sym_encrypt(plain, 'password', 'cipher-algo=aes256, compress-algo=0');
    END IF;
    FOR task IN
        SELECT * FROM (VALUES
            ('vrm.seal', format('vrm.seal(%L::vrm.secret)', (SELECT plain FROM sample LIMIT 1)), '1', repeat),
            ('vrm.seal of a column', 'vrm.seal(plain::vrm.secret)', format(fetched, 'bytes'), repeat),
            ('unmasking', format('vrm.secret_hint(%L::vrm.secret)', (SELECT plain FROM sample LIMIT 1)), '1', repeat),
            ('vrm.reveal', 'vrm.reveal(sealed)', format(fetched, 'sealed'), repeat),
            ('copying', 'sealed || ''''', format(fetched, 'sealed'), repeat),
            ('vrm.blind_index', 'vrm.blind_index(''00000000-0000-0000-0000-000000000001'', plain)', format(fetched, 'bytes'), repeat),
            ('pgcrypto encrypt, aes-cbc', 'encrypt(bytes, ''0123456789abcdef0123456789abcdef'', ''aes-cbc'')', format(fetched, 'bytes'), repeat),
            ('pgcrypto decrypt, aes-cbc', 'decrypt(cbc, ''0123456789abcdef0123456789abcdef'', ''aes-cbc'')', format(fetched, 'cbc'), repeat),
            ('pgcrypto pgp_sym_encrypt', 'pgp_sym_encrypt(plain, ''password'', ''cipher-algo=aes256, compress-algo=0'')', 'plain', 1),
            ('pgcrypto pgp_sym_decrypt', 'pgp_sym_decrypt(pgp, ''password'')', 'pgp', 1))
            AS tasks (what, expression, scanned, times)
        WHERE with_pgp OR what NOT LIKE '%pgp%'
    LOOP
        scan := pg_temp.time_of(task.scanned, task.times);
        INSERT INTO measured VALUES (task.what, size, pg_temp.time_of(task.expression, task.times) - scan);
    END LOOP;
    INSERT INTO measured VALUES ('OpenSSL alone, to seal', size, bare_evp(true, size, count * repeat)),
                                ('OpenSSL alone, to open', size, bare_evp(false, size, count * repeat));
END
$$;

SELECT pg_temp.measure(40, 1000, 1000, round % 3 = 0), pg_temp.measure(256, 1000, 200, false),
       pg_temp.measure(8192, 200, 100, false), pg_temp.measure(1048576, 10, 10, false)
FROM generate_series(0, :rounds - 1) AS round \g /dev/null

\pset format unaligned
\pset tuples_only on
SELECT what, size, percentile_cont(0.5) WITHIN GROUP (ORDER BY ns) FROM measured GROUP BY 1, 2;
