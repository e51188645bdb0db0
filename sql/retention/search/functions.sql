-- Words of calls: how they are indexed and found

-- A call of more words than anybody says in a day is searched up to there.  Without a search_path of their
-- own functions of one line are a part of the statement that calls them, whose is pinned.
CREATE OR REPLACE FUNCTION vrm_private.spoken(results jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(string_agg(t.turn ->> 'message', E'\n' ORDER BY t.place), 600000)
    FROM jsonb_array_elements(CASE jsonb_typeof(results -> 'transcript')
                              WHEN 'array' THEN results -> 'transcript' ELSE '[]' END)
         WITH ORDINALITY AS t (turn, place)
$$;
COMMENT ON FUNCTION vrm_private.spoken(jsonb) IS 'what was said in a call, a line per turn';

-- The parser takes "202-555-0142" for 202, -555 and -0142.  Characters that nobody says stand for the signs,
-- so that an excerpt can have them back.
CREATE OR REPLACE FUNCTION vrm_private.without_signs(said text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(regexp_replace(said, '-(?=\d)', E'\x1f', 'g'), '\+(?=\d)', E'\x1e', 'g')
$$;
COMMENT ON FUNCTION vrm_private.without_signs(text) IS 'a text whose numbers have no signs, for the parser of words';

CREATE OR REPLACE FUNCTION vrm_private.joined_numbers(said text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT n.digits)
    FROM regexp_matches(said, '(\d+(?:[ .()-]{1,2}\d+)+)', 'g') AS m (groups),
         LATERAL (SELECT regexp_replace(m.groups[1], '\D', '', 'g') AS digits) AS n
    WHERE length(n.digits) BETWEEN 5 AND 20
$$;
COMMENT ON FUNCTION vrm_private.joined_numbers(text) IS
    'numbers that are written in groups of digits, in one piece each';

-- Each word stands in two of them, and no word 255 times: phrases of up to 120 words are whole in one.
CREATE OR REPLACE FUNCTION vrm_private.stretches(spoken text) RETURNS TABLE (place bigint, said text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p.place, p.said || coalesce(' ' || lead(p.said) OVER (ORDER BY p.place), '')
    FROM (SELECT (w.place - 1) / 120 AS place, string_agg(w.word, ' ' ORDER BY w.place) AS said
          FROM string_to_table(translate(spoken, E'\n\r\t', '   '), ' ') WITH ORDINALITY AS w (word, place)
          WHERE w.word <> ''
          GROUP BY 1) AS p
$$;
COMMENT ON FUNCTION vrm_private.stretches(text) IS 'a text in overlapping pieces, for phrases in long calls';

CREATE OR REPLACE FUNCTION vrm_private.search_config(owner uuid, agent_id uuid) RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT c.config FROM vrm.search_configs c
                     WHERE c.user_id = owner AND c.agent_id = search_config.agent_id), 'simple')
$$;
COMMENT ON FUNCTION vrm_private.search_config(uuid, uuid) IS 'text search configuration for calls of an agent';

-- A tsvector keeps 255 places of a word, and places up to 16,383; then phrases are no longer found, and
-- what is excluded as a phrase is.  Such a call has the lexeme "long:call" and no places at all: whoever looks
-- for a phrase reads what was said.
CREATE OR REPLACE FUNCTION vrm_private.call_lexemes(config text, owner uuid, customer text, spoken text)
    RETURNS tsvector
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text[] := array_remove(ARRAY['user:' || owner, 'customer:' || vrm.customer_hash(customer)], NULL)
                    || vrm_private.joined_numbers(spoken);
    said text := vrm_private.without_signs(coalesce(spoken, ''));
    words tsvector;
BEGIN
    IF length(said) <= 50000 THEN
        words := to_tsvector(config::regconfig, said);
        -- less than 255 words and what parts them
        IF length(said) < 510
           OR NOT EXISTS (SELECT FROM unnest(words) AS u WHERE cardinality(u.positions) >= 255
                                                            OR u.positions[cardinality(u.positions)] >= 16383) THEN
            RETURN array_to_tsvector(known) || words;
        END IF;
    END IF;
    LOOP
        BEGIN
            words := strip(to_tsvector(config::regconfig, said));
            RETURN array_to_tsvector(known || 'long:call'::text) || words;
        EXCEPTION WHEN program_limit_exceeded THEN
            said := left(said, length(said) / 2);  -- hundreds of thousands of words, each another one
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.call_lexemes(text, uuid, text, text) IS
    'what a call is found by';

-- Words, "phrases", beginnings* and -exclusions.
CREATE OR REPLACE FUNCTION vrm_private.search_parts(config text, words text)
    RETURNS TABLE (sought tsquery, is_excluded boolean, is_phrase boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text[];
BEGIN
    FOR part IN SELECT regexp_matches(words, '(-?)(?:"([^"]*)"|([^\s"]+))', 'g') LOOP
        IF part[2] IS NOT NULL THEN
            sought := phraseto_tsquery(config::regconfig, vrm_private.without_signs(part[2]));
        ELSIF rtrim(part[3], '*') = '' THEN
            CONTINUE;
        ELSIF part[3] LIKE '%*' THEN
            sought := to_tsquery(config::regconfig, '''' || replace(replace(
                vrm_private.without_signs(rtrim(part[3], '*')), '\', '\\'), '''', '''''') || ''':*');
        ELSIF part[3] ~ '^\+?\(?\d+([.()-]{1,2}\d+)+$' THEN  -- in groups, or in one piece
            sought := phraseto_tsquery(config::regconfig, vrm_private.without_signs(part[3]))
                      || plainto_tsquery('simple', regexp_replace(part[3], '\D', '', 'g'));
        ELSE
            sought := plainto_tsquery(config::regconfig, vrm_private.without_signs(part[3]));
        END IF;
        is_excluded := part[1] = '-';
        is_phrase := sought::text ~ ' <(-|\d+)> ';
        IF numnode(sought) > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION vrm_private.search_parts(text, text) IS
    'what somebody looks for: words, "phrases", beginnings*, -what must not be there';

-- All of them have to be there.  Of a long call only what can be told without places: the words of phrases.
CREATE OR REPLACE FUNCTION vrm_private.search_query(config text, words text, is_long boolean DEFAULT false)
    RETURNS tsquery
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
    one tsquery;
    wanted tsquery;
BEGIN
    FOR part IN SELECT * FROM vrm_private.search_parts(config, words) LOOP
        CONTINUE WHEN is_long AND part.is_phrase AND part.is_excluded;
        one := part.sought;
        IF is_long AND part.is_phrase THEN
            one := regexp_replace(one::text, ' <(-|\d+)> ', ' & ', 'g')::tsquery;
        END IF;
        one := CASE WHEN part.is_excluded THEN !! one ELSE one END;
        wanted := coalesce(wanted && one, one);
    END LOOP;
    RETURN wanted;
END
$$;
COMMENT ON FUNCTION vrm_private.search_query(text, text, boolean) IS
    'what somebody looks for, as a query of calls, or of long calls; null when that is nothing';

-- It is asked where lexemes have said what they can.
CREATE OR REPLACE FUNCTION vrm_private.has_phrases(config text, words text, spoken text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH said AS MATERIALIZED (
        SELECT array_to_tsvector(coalesce(vrm_private.joined_numbers(s.said), '{}'))
               || to_tsvector(config::regconfig, vrm_private.without_signs(s.said)) AS lexemes
        FROM vrm_private.stretches(spoken) AS s
    )
    SELECT coalesce(bool_and(p.is_excluded <> EXISTS (SELECT FROM said WHERE said.lexemes @@ p.sought)), true)
    FROM vrm_private.search_parts(config, words) AS p
    WHERE p.is_phrase
$$;
COMMENT ON FUNCTION vrm_private.has_phrases(text, text, text) IS
    'whether a long call has the phrases that somebody looks for, and none of those excluded';

CREATE OR REPLACE FUNCTION vrm_private.is_found(
    config text, owner uuid, customer text, spoken text, query tsquery, phrases text
)
    RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lexemes tsvector := vrm_private.call_lexemes(config, owner, customer, spoken);
BEGIN
    RETURN lexemes @@ query
           AND CASE WHEN phrases IS NOT NULL AND lexemes @@ $q$'long:call'$q$
               THEN vrm_private.has_phrases(config, phrases, spoken) ELSE true END;
END
$$;
COMMENT ON FUNCTION vrm_private.is_found(text, uuid, text, text, tsquery, text) IS
    'whether a call that is not indexed is one that somebody looks for';

-- Calls that wait to be indexed, and those that run, are read themselves: nobody is ever behind.
CREATE OR REPLACE FUNCTION vrm_private.found_calls(owner uuid, words text, customer text) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lexicon text;
    long constant tsquery := $q$'long:call'$q$;
    whose tsquery := ('''user:' || owner || '''')::tsquery;
    query tsquery;
    phrases boolean;
    found uuid[] := '{}';
    indexed boolean := coalesce((SELECT s.enabled FROM vrm_private.search s), false);
BEGIN
    IF customer IS NOT NULL THEN
        whose := whose && ('''customer:' || vrm.customer_hash(customer) || '''')::tsquery;
    END IF;
    FOR lexicon IN SELECT 'simple' UNION SELECT c.config FROM vrm.search_configs c WHERE c.user_id = owner LOOP
        query := whose;
        IF words IS NOT NULL THEN
            IF vrm_private.search_query(lexicon, words) IS NULL THEN
                CONTINUE;  -- nothing but words that this configuration leaves out
            END IF;
            query := query && vrm_private.search_query(lexicon, words);
        END IF;
        phrases := EXISTS (SELECT FROM vrm_private.search_parts(lexicon, words) AS p WHERE p.is_phrase);
        IF phrases THEN
            query := (!! long && query)
                     || (whose && long && coalesce(vrm_private.search_query(lexicon, words, true), long));
        END IF;
        IF indexed THEN
            found := found || ARRAY(
                SELECT w.run_id FROM vrm_private.call_words w
                WHERE w.words @@ query AND w.user_id = owner AND w.config = lexicon
                  AND NOT EXISTS (SELECT FROM vrm_private.search_queue q
                                  WHERE q.user_id = owner AND q.run_id = w.run_id)
                  AND CASE WHEN phrases AND w.words @@ long THEN vrm_private.has_phrases(
                          lexicon, found_calls.words,
                          (SELECT vrm_private.spoken(r.results) FROM vrm.all_test_runs r
                           WHERE r.user_id = owner AND r.id = w.run_id)) ELSE true END);
        END IF;
        found := found || ARRAY(
            SELECT r.id FROM vrm.all_test_runs r
            WHERE r.user_id = owner AND r.completed_at IS NOT NULL
              AND (NOT indexed OR r.id IN (SELECT q.run_id FROM vrm_private.search_queue q WHERE q.user_id = owner))
              AND vrm_private.search_config(owner, r.agent_id) = lexicon
              AND vrm_private.is_found(lexicon, owner, r.results ->> 'customer', vrm_private.spoken(r.results), query,
                                       CASE WHEN phrases THEN words END))
            || ARRAY(
            SELECT r.id FROM vrm.test_runs r
            WHERE r.user_id = owner AND r.status IN ('queued', 'running')
              AND vrm_private.search_config(owner, r.agent_id) = lexicon
              AND vrm_private.is_found(lexicon, owner, r.outbound_call_params ->> 'to',
                                       vrm_private.spoken_so_far(owner, r.id), query,
                                       CASE WHEN phrases THEN words END));
    END LOOP;
    RETURN found;
END
$$;
COMMENT ON FUNCTION vrm_private.found_calls(uuid, text, text) IS
    'calls of a user in which that was said, with that customer: live, running and archived';

CREATE OR REPLACE FUNCTION vrm_private.spoken_so_far(owner uuid, run_id uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT left(string_agg(t.message, E'\n' ORDER BY t.at, t.id), 600000)
    FROM vrm.transcript_turns t WHERE t.user_id = owner AND t.run_id = spoken_so_far.run_id
$$;
COMMENT ON FUNCTION vrm_private.spoken_so_far(uuid, uuid) IS 'what was said in a call that runs';

-- What is looked for in one piece stands in groups of digits in the call: they are looked for one after another.
CREATE OR REPLACE FUNCTION vrm_private.with_groups(wanted tsquery, config text, words text, spoken text)
    RETURNS tsquery
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number record;
BEGIN
    FOR number IN
        SELECT DISTINCT n.written,
               quote_literal(w.digits[1]) || CASE w.digits[2] WHEN '*' THEN ':*' ELSE '' END AS typed
        FROM regexp_matches(words, '(\d{5,20})(\*?)', 'g') AS w (digits),
             LATERAL (SELECT m.groups[1] AS written, regexp_replace(m.groups[1], '\D', '', 'g') AS digits
                      FROM regexp_matches(spoken, '(\d+(?:[ .()-]{1,2}\d+)+)', 'g') AS m (groups)) AS n
        WHERE n.digits = w.digits[1] OR w.digits[2] = '*' AND starts_with(n.digits, w.digits[1])
    LOOP
        wanted := ts_rewrite(wanted, number.typed::tsquery,
                            number.typed::tsquery || phraseto_tsquery(config::regconfig,
                                                                      vrm_private.without_signs(number.written)));
    END LOOP;
    RETURN wanted;
END
$$;
COMMENT ON FUNCTION vrm_private.with_groups(tsquery, text, text, text) IS
    'a query that finds numbers in one piece where they are written in groups, for an excerpt';

-- As HTML: what was said is escaped first.  Of a long call the first stretch that has a phrase is shown.
CREATE OR REPLACE FUNCTION vrm_private.excerpt(config text, words text, spoken text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH shown AS (
        SELECT coalesce(CASE WHEN length(spoken) > 50000 THEN (
                   SELECT s.said FROM vrm_private.stretches(spoken) AS s, vrm_private.search_parts(config, words) AS p
                   WHERE p.is_phrase AND NOT p.is_excluded
                     AND to_tsvector(config::regconfig, vrm_private.without_signs(s.said)) @@ p.sought
                   ORDER BY s.place LIMIT 1) END, spoken) AS stretch
    )
    SELECT translate(ts_headline(
               config::regconfig,
               vrm_private.without_signs(replace(replace(replace(stretch, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')),
               vrm_private.with_groups(vrm_private.search_query(config, words), config, words, stretch),
               'StartSel=<b>, StopSel=</b>, MaxFragments=2, MaxWords=20, MinWords=5, FragmentDelimiter=" ... "'),
           E'\x1f\x1e', '-+')
    FROM shown
$$;
COMMENT ON FUNCTION vrm_private.excerpt(text, text, text) IS 'where in a call the words are, as HTML with <b>';

-- The caller is pinned here and not by a policy: @@ is not leakproof, so a policy would come first and
-- no index be used.
CREATE OR REPLACE FUNCTION vrm.search_calls(
    filter jsonb,
    place_at timestamptz DEFAULT 'infinity',
    place_id uuid DEFAULT 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    page_size integer DEFAULT 50
)
    RETURNS TABLE (id uuid, agent text, status text, started_at timestamptz, duration interval, customer text,
                   sentiment vrm.sentiment, actions integer, error text, next_cursor text, excerpt text,
                   agent_version integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    owner uuid := vrm_private.reader();
    words text := filter ->> 'text';
    wanted text := filter ->> 'customer';
    found uuid[];
BEGIN
    PERFORM vrm_private.check_most('page_size', page_size);
    BEGIN
        PERFORM (filter ->> 'since')::timestamptz, (filter ->> 'until')::timestamptz, (filter ->> 'agent_id')::uuid;
    EXCEPTION
        WHEN data_exception THEN
            RAISE EXCEPTION 'filter is not valid'
                USING ERRCODE = 'invalid_parameter_value', DETAIL = SQLERRM || '.',
                      HINT = 'For example: ''{"text": "refund", "since": "2026-01-01"}''.';
    END;
    IF length(words) > 1000 THEN
        RAISE EXCEPTION 'text must have at most 1000 characters'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got %s characters.', length(words)),
                  HINT = 'Look for some of its words.';
    END IF;
    IF words IS NOT NULL AND vrm_private.search_query('simple', words) IS NULL THEN
        RAISE EXCEPTION 'there is nothing to look for in "text"'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('Got "%s".', left(words, 100)),
                  HINT = 'For example: ''{"text": "refund \"last week\" appoint* -cancel"}''.';
    END IF;
    found := vrm_private.found_calls(owner, words, wanted);
    RETURN QUERY
        SELECT p.id, a.agent_id, p.status, p.started_at,
               coalesce(f.duration_ms * interval '1 millisecond', vrm.call_duration(p.results)),
               CASE WHEN jsonb_typeof(p.results -> 'customer') = 'string' THEN p.results ->> 'customer' END,
               vrm.call_sentiment(p.results)::vrm.sentiment, vrm.call_actions(p.results), p.error,
               CASE WHEN isfinite(p.started_at) THEN (extract(epoch FROM p.started_at) * 1000000)::bigint::text
                    ELSE '-infinity' END || '.' || p.id,
               CASE WHEN words IS NOT NULL THEN vrm_private.excerpt(
                   vrm_private.search_config(owner, p.agent_id), words,
                   CASE WHEN p.completed_at IS NULL THEN vrm_private.spoken_so_far(owner, p.id)
                        ELSE vrm_private.spoken(p.results) END) END,
               p.agent_version
        FROM (SELECT r.* FROM unnest(found) AS n (id)
              JOIN vrm.all_test_runs r ON r.user_id = owner AND r.id = n.id
              WHERE (r.started_at, r.id) < (place_at, place_id)
                AND r.started_at >= coalesce((filter ->> 'since')::timestamptz, '-infinity')
                AND r.started_at < least((filter ->> 'until')::timestamptz, '294247-01-01 00:00Z')
                AND (filter ->> 'status' IS NULL OR r.status = filter ->> 'status')
                AND (filter ->> 'agent_id' IS NULL OR r.agent_id = (filter ->> 'agent_id')::uuid)
                AND (filter ->> 'sentiment' IS NULL OR vrm.call_sentiment(r.results) = filter ->> 'sentiment')
                AND (filter ->> 'error' IS NULL OR strpos(lower(r.error), lower(filter ->> 'error')) > 0)
                AND (wanted IS NULL OR r.results ->> 'customer' = wanted OR r.outbound_call_params ->> 'to' = wanted)
              ORDER BY r.started_at DESC, r.id DESC
              LIMIT page_size) AS p
        LEFT JOIN vrm.agents a ON a.user_id = owner AND a.id = p.agent_id
        LEFT JOIN vrm.call_facts f ON f.user_id = owner AND f.id = p.id
        ORDER BY p.started_at DESC, p.id DESC;
END
$$;
COMMENT ON FUNCTION vrm.search_calls(jsonb, timestamptz, uuid, integer) IS
    'a page of the caller''s calls in which something was said or with a customer: what vrm.call_history() asks';

CREATE OR REPLACE FUNCTION vrm_private.queue_search() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vrm_private.search_queue (user_id, run_id)
    SELECT n.user_id, n.id FROM fresh n, vrm_private.search s
    WHERE s.enabled AND n.completed_at IS NOT NULL AND n.results IS NOT NULL
    ON CONFLICT (user_id, run_id) DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.queue_search() IS 'trigger: the words of calls that have ended are to be indexed';

CREATE OR REPLACE FUNCTION vrm_private.requeue_search() RETURNS trigger
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'vrm_requeue_search';
COMMENT ON FUNCTION vrm_private.requeue_search() IS
    'trigger: the words of a call that ends, or changes, are to be indexed';

CREATE OR REPLACE FUNCTION vrm_private.forget_words() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT vrm.is_archiving() THEN
        DELETE FROM vrm_private.call_words w WHERE w.user_id = OLD.user_id AND w.run_id = OLD.id;
        DELETE FROM vrm_private.search_queue q WHERE q.user_id = OLD.user_id AND q.run_id = OLD.id;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION vrm_private.forget_words() IS 'trigger: the words of a call go with it, but not into the archive';

CREATE OR REPLACE FUNCTION vrm_private.index_words(most integer DEFAULT 500) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    indexed bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM vrm_private.search_queue) THEN
        RETURN 0;
    END IF;
    WITH waiting AS MATERIALIZED (
        SELECT w.user_id, w.run_id FROM vrm_private.search_queue w LIMIT most FOR UPDATE SKIP LOCKED
    ), taken AS (
        DELETE FROM vrm_private.search_queue q USING waiting w
        WHERE q.user_id = w.user_id AND q.run_id = w.run_id
        RETURNING q.user_id, q.run_id
    ), read AS (
        SELECT r.user_id, r.id, r.results, vrm_private.search_config(r.user_id, r.agent_id) AS config
        FROM taken t JOIN vrm.all_test_runs r ON r.user_id = t.user_id AND r.id = t.run_id
    ), written AS (
        INSERT INTO vrm_private.call_words (user_id, run_id, config, words)
        SELECT r.user_id, r.id, r.config,
               vrm_private.call_lexemes(r.config, r.user_id, r.results ->> 'customer', vrm_private.spoken(r.results))
        FROM read r
        ON CONFLICT (user_id, run_id) DO UPDATE SET config = excluded.config, words = excluded.words
    )
    SELECT count(*) INTO indexed FROM taken;
    RETURN indexed;
END
$$;
COMMENT ON FUNCTION vrm_private.index_words(integer) IS 'indexes the words of so many calls; returns how many it took';

-- Neither SECURITY DEFINER nor a setting of its own: a procedure with one of them cannot commit.
CREATE OR REPLACE PROCEDURE vrm.index_calls(at_most interval DEFAULT NULL)
    LANGUAGE plpgsql AS $$
DECLARE
    until timestamptz := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+)
        GREATEST(LEAST(at_most, pg_catalog.interval '100 years'), pg_catalog.interval '0');  -- null is no less
BEGIN
    WHILE pg_catalog.clock_timestamp() OPERATOR(pg_catalog.<) until
          AND vrm_private.index_words() OPERATOR(pg_catalog.>) 0 LOOP
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE vrm.index_calls(interval) IS
    'indexes the words of calls that wait for it, in batches that commit, for at most that long';

CREATE OR REPLACE FUNCTION vrm.set_search(enabled boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM vrm_private.require_argument('enabled', set_search.enabled IS NULL);
    INSERT INTO vrm_private.search (enabled) VALUES (set_search.enabled)
    ON CONFLICT (id) DO UPDATE SET enabled = excluded.enabled;
    IF enabled THEN
        INSERT INTO vrm_private.search_queue (user_id, run_id)
        SELECT r.user_id, r.id FROM vrm.all_test_runs r
        WHERE r.completed_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM vrm_private.call_words w WHERE w.user_id = r.user_id AND w.run_id = r.id)
        ON CONFLICT (user_id, run_id) DO NOTHING;
    ELSE
        TRUNCATE vrm_private.search_queue, vrm_private.call_words;
    END IF;
END
$$;
COMMENT ON FUNCTION vrm.set_search(boolean) IS
    'turns the index of words on or off in this database; without it whoever searches reads every call';

CREATE OR REPLACE FUNCTION vrm.set_search_config(agent_id uuid, config text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner uuid := vrm_private.caller();
BEGIN
    IF NOT EXISTS (SELECT FROM vrm.agents a WHERE a.user_id = owner AND a.id = set_search_config.agent_id) THEN
        RAISE EXCEPTION 'agent "%" does not exist', coalesce(agent_id::text, 'null')
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT id, agent_id FROM vrm.agents WHERE deleted_at IS NULL;';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_ts_config c
                   WHERE c.cfgname = config AND c.cfgnamespace = 'pg_catalog'::regnamespace) THEN
        RAISE EXCEPTION 'text search configuration "%" does not exist', coalesce(config, 'null')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'SELECT cfgname FROM pg_ts_config;';
    END IF;
    INSERT INTO vrm.search_configs (user_id, agent_id, config)
    VALUES (owner, set_search_config.agent_id, set_search_config.config)
    ON CONFLICT ON CONSTRAINT search_configs_pkey DO UPDATE SET config = excluded.config;
    INSERT INTO vrm_private.search_queue (user_id, run_id)
    SELECT owner, r.id FROM vrm.all_test_runs r, vrm_private.search s
    WHERE r.user_id = owner AND r.agent_id = set_search_config.agent_id AND r.completed_at IS NOT NULL AND s.enabled
    ON CONFLICT ON CONSTRAINT search_queue_pkey DO NOTHING;
END
$$;
COMMENT ON FUNCTION vrm.set_search_config(uuid, text) IS
    'says in which language an agent''s calls are: a text search configuration such as english';

REVOKE EXECUTE ON FUNCTION
    vrm_private.spoken(jsonb), vrm_private.without_signs(text), vrm_private.joined_numbers(text),
    vrm_private.stretches(text), vrm_private.search_config(uuid, uuid),
    vrm_private.call_lexemes(text, uuid, text, text), vrm_private.search_parts(text, text),
    vrm_private.search_query(text, text, boolean), vrm_private.has_phrases(text, text, text),
    vrm_private.is_found(text, uuid, text, text, tsquery, text), vrm_private.found_calls(uuid, text, text),
    vrm_private.spoken_so_far(uuid, uuid),
    vrm_private.with_groups(tsquery, text, text, text), vrm_private.excerpt(text, text, text),
    vrm.search_calls(jsonb, timestamptz, uuid, integer),
    vrm_private.queue_search(), vrm_private.requeue_search(), vrm_private.forget_words(),
    vrm_private.index_words(integer), vrm.set_search(boolean),
    vrm.set_search_config(uuid, text)
    FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE vrm.index_calls(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vrm.search_calls(jsonb, timestamptz, uuid, integer), vrm.set_search_config(uuid, text)
    TO authenticated;
