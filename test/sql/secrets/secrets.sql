-- Sealed values: what opens, what must not, and what never shows plaintext.
BEGIN;
SELECT plan(112);
\ir ../include/secrets.sql

-- the envelope's structure -------------------------------------------------------------------------

-- key 0x0102030405060708, XAES-256-GCM, unbound; zeros for nonce, ciphertext and tag
CREATE TEMPORARY TABLE example AS
SELECT '\xf9010000'::bytea || '\x0102030405060708'::bytea || decode(repeat('00', 40), 'hex') AS value;

SELECT ok(vrm.is_sealed(value), 'an envelope of an empty plaintext is sealed') FROM example;
SELECT is(vrm.key_of(value), x'0102030405060708'::bigint, 'its key id is big endian') FROM example;
SELECT ok(NOT vrm.is_sealed(substr(value, 1, 51)), 'one byte less is not sealed') FROM example;
SELECT is(vrm.key_of(substr(value, 1, 51)), NULL, 'and has no key') FROM example;
SELECT ok(NOT vrm.is_sealed(set_byte(value, 1, 9)), 'nor is an unknown algorithm') FROM example;
SELECT ok(NOT vrm.is_sealed(set_byte(value, 3, 4)), 'nor are unknown flags') FROM example;
SELECT ok(NOT vrm.is_sealed(''), 'nor is nothing');
SELECT ok(NOT vrm.is_sealed('a key that somebody forgot to seal, and a long one at that'::bytea), 'nor is plaintext');
SELECT is(vrm.is_sealed(NULL), NULL, 'null stays null');
SELECT ok(vrm.is_bound(set_byte(value, 2, 1)) AND NOT vrm.is_bound(value) AND NOT vrm.is_bound(set_byte(value, 2, 2)),
          'binding 1 is bound to a row, others are not') FROM example;

-- out of line and compressed values are read by their head
CREATE TEMPORARY TABLE large (plain bytea, compressed bytea);
ALTER TABLE large ALTER plain SET STORAGE EXTERNAL;
INSERT INTO large
SELECT value || content, value || content
FROM example, (SELECT decode(repeat('00', 1000000), 'hex')) AS filler (content);
SELECT ok(vrm.is_sealed(plain) AND vrm.is_sealed(compressed), 'a large value is sealed') FROM large;
SELECT is(vrm.key_of(plain), vrm.key_of(compressed), 'however it is stored') FROM large;
SELECT ok(has_function_privilege(role, 'vrm.is_sealed(bytea)', 'EXECUTE'),
          'a role that writes sealed columns may run their check')
FROM (VALUES ('anon'), ('authenticated'), ('service_role')) AS writing (role);

-- sealing and revealing ----------------------------------------------------------------------------

SELECT is(vrm.reveal(vrm.seal('a secret')), 'a secret', 'what was sealed opens');
SELECT is(vrm.reveal(vrm.seal('')), '', 'nothing, too');
SELECT is(vrm.reveal(vrm.seal('Größe 日本')), 'Größe 日本', 'any text');
SELECT is(vrm.reveal(vrm.seal(repeat('long', 500000)::vrm.secret)), repeat('long', 500000), 'of any length');
CREATE TEMPORARY TABLE stored AS
SELECT plain, vrm.seal(plain::vrm.secret, 'here') AS value
    FROM (SELECT string_agg(i::text, ' ') FROM generate_series(1, 100000) AS i) AS numbers (plain);
SELECT is((SELECT array_agg(vrm.reveal(value, 'here') = plain) FROM stored, generate_series(1, 2)), ARRAY[true, true],
          'wherever it is stored');
SELECT is(vrm.reveal(vrm.seal('a secret', 'here'), 'here'), 'a secret', 'with its context');
SELECT is(vrm.key_of(vrm.seal('x')), :data_key, 'under the active key');
SELECT is(length(vrm.seal('12345678')), 60, '52 bytes more than the plaintext');
SELECT is(vrm.seal(NULL), NULL, 'null stays null');
SELECT is((SELECT count(DISTINCT vrm.seal('same')) FROM generate_series(1, 1000)), 1000::bigint,
          'no two sealed values are alike');
SELECT is((SELECT count(DISTINCT substr(vrm.seal('same'), 13, 24)) FROM generate_series(1, 300000)), 300000::bigint,
          'no nonce repeats in 300,000 values');
SELECT is(vrm.reveal(vrm.reseal(vrm.seal('again', 'c'), 'c'), 'c'), 'again', 'a value can be sealed anew');

-- what must not open, and looks all the same -------------------------------------------------------

CREATE TEMPORARY TABLE kept AS SELECT vrm.seal('a secret') AS free, vrm.seal('a secret', 'here') AS tied;
SELECT pg_temp.stays_shut('SELECT vrm.reveal(tied) FROM kept', 'a value without its context');
SELECT pg_temp.stays_shut($$SELECT vrm.reveal(tied, 'there') FROM kept$$, 'with another context');
SELECT pg_temp.stays_shut($$SELECT vrm.reveal(free, 'here') FROM kept$$, 'or with one too many');
SELECT pg_temp.stays_shut($$SELECT vrm.reveal(value, 'there') FROM stored$$, 'a long one either');
SELECT pg_temp.stays_shut($$SELECT vrm.reveal('')$$, 'nothing');
SELECT pg_temp.stays_shut($$SELECT vrm.reveal('plaintext')$$, 'plaintext');
SELECT pg_temp.stays_shut('SELECT vrm.reveal(value) FROM example', 'an unknown key');
SELECT is((SELECT count(*) FROM kept, generate_series(0, length(free) * 8 - 1) AS bit
           WHERE pg_temp.failure(format('SELECT vrm.reveal(%L)', set_bit(free, bit, 1 - get_bit(free, bit)))) LIKE
           '22000 | value cannot be opened |%'),
          (SELECT length(free) * 8::bigint FROM kept), 'every flipped bit');
SELECT is((SELECT count(*) FROM kept, generate_series(0, length(free) - 1) AS size
           WHERE pg_temp.failure(format('SELECT vrm.reveal(%L)', substr(free, 1, size))) LIKE
           '22000 | value cannot be opened |%'),
          (SELECT length(free)::bigint FROM kept), 'every truncation');

-- hostile bytes: noise, after more and more bytes of a value that opens
CREATE TEMPORARY TABLE hostile AS
SELECT substr(free, 1, i % 37) || substr(sha512(int4send(i)) || sha512(int4send(-i)), 1, i * 7 % 128) AS value
FROM kept, generate_series(1, 3000) AS i;
SELECT is((SELECT count(*) FROM hostile
           WHERE pg_temp.failure(format('SELECT vrm.reveal(%L)', value)) LIKE '22000 | value cannot be opened |%'),
          3000::bigint, 'nothing opens of what only begins like a sealed value');
SELECT is((SELECT count(*) FROM hostile
           WHERE pg_temp.failure(format('SELECT vrm.reseal(%L)', value)) LIKE '22000 | value cannot be opened |%'),
          3000::bigint, 'or can be sealed anew');
SELECT is((SELECT count(*) FROM hostile
           WHERE vrm.is_sealed(value) IS DISTINCT
           FROM (get_byte(value || '\x00', 0) = 249 AND vrm.key_of(value) IS NOT NULL)), 0::bigint,
          'it is sealed when it begins so and has a key');
SELECT cmp_ok((SELECT count(*) FROM hostile WHERE vrm.is_sealed(value)), '>', 100::bigint, 'which some of it does');

-- type vrm.secret ----------------------------------------------------------------------------------

SELECT is('plaintext'::vrm.secret::text, '<secret>', 'a secret prints as <secret>');
SELECT is(format('%s', row('plaintext'::vrm.secret)), '(<secret>)', 'in rows, too');
SELECT is(convert_from(vrm.secret_send('plaintext'), 'UTF8'), '<secret>', 'and in binary');
SELECT is_empty($$SELECT castsource::regtype, casttarget::regtype FROM pg_cast
                WHERE 'vrm.secret'::regtype IN (castsource, casttarget)$$,
                'no cast leads to or from it');
SELECT throws_ok($$CREATE TABLE pg_temp.holder (a int, b vrm.secret)$$, '0A000', NULL, 'no table has a column of it');
SELECT throws_ok($$CREATE TEMPORARY TABLE holder AS SELECT 'x'::vrm.secret AS b$$, '0A000', NULL,
                 'not from a query either');
SELECT throws_ok($$ALTER TABLE kept ADD COLUMN b vrm.secret$$, '0A000', NULL, 'nor later');
SELECT throws_ok($$CREATE TYPE pg_temp.holder AS (b vrm.secret)$$, '0A000', NULL, 'nor within a type');
SELECT throws_ok($$CREATE TABLE pg_temp.holder (b vrm.secret[])$$, '0A000', NULL, 'nor in an array');
SELECT throws_ok($$CREATE DOMAIN pg_temp.holder AS vrm.secret$$, '0A000', NULL, 'nor under another name');
SELECT is(vrm.secret_hint('0123456789abcdef'), 'cdef', 'the hint of a secret is its end');
SELECT is(vrm.secret_hint('0123456789abcde'), NULL, 'if it is long enough to do without');

SET LOCAL vrm.secret_literals = error;
SELECT throws_ok($$SELECT vrm.seal('a literal secret')$$, '22023', NULL,
                 'a literal is refused when the setting says so');
SELECT is(vrm.reveal(vrm.seal(repeat('ab', 4)::vrm.secret)), 'ab' || 'abab' || 'ab', 'what is computed is none');
SET LOCAL vrm.secret_literals = allow;

-- blind index --------------------------------------------------------------------------------------

SELECT is(vrm.blind_index(id, 'alice'), vrm.blind_index(id, 'alice'), 'equal values have equal indexes')
FROM (VALUES ('00000000-0000-0000-0000-00000000000a'::uuid)) AS columns (id);
SELECT isnt(vrm.blind_index(id, 'alice'), vrm.blind_index(id, 'alicf'), 'others have others')
FROM (VALUES ('00000000-0000-0000-0000-00000000000a'::uuid)) AS columns (id);
SELECT isnt(vrm.blind_index('00000000-0000-0000-0000-00000000000a', 'alice'),
            vrm.blind_index('00000000-0000-0000-0000-00000000000b', 'alice'), 'columns cannot be compared');
SELECT vrm.blind_index('00000000-0000-0000-0000-00000000000a', 'alice') AS old_index,
    vrm.key_create('blind_index') AS new_key \gset
SELECT is(vrm.blind_probe('00000000-0000-0000-0000-00000000000a', 'alice'),
          ARRAY[vrm.blind_index('00000000-0000-0000-0000-00000000000a', 'alice'), :old_index],
          'after a new key, probes find values of both');

-- sealed columns -----------------------------------------------------------------------------------

CREATE TABLE pg_temp.vault (owner uuid, number int, label text, content bytea, other bytea,
                            PRIMARY KEY (owner, number, label));
INSERT INTO vault VALUES ('00000000-0000-0000-0000-000000000001', 0, 'early', vrm.seal('before'));
SELECT isnt(vrm.seal_column('vault', 'content', true), NULL, 'a column is made a sealed one');
SELECT is(vrm.seal_column('vault', 'content', true), vrm.seal_column('vault', 'content'), 'once');
INSERT INTO vault VALUES ('00000000-0000-0000-0000-000000000001', 1, 'a, "b"', vrm.seal('first')),
                         ('00000000-0000-0000-0000-000000000001', 2, '', vrm.seal('second')),
                         ('00000000-0000-0000-0000-000000000002', 1, 'x', vrm.seal('third')),
                         ('00000000-0000-0000-0000-000000000002', 2, 'x', NULL);
CREATE TEMP VIEW opened AS SELECT number, owner,
    vrm.reveal_row(v, 'content') AS content FROM vault v;
SELECT is((SELECT array_agg(content ORDER BY owner, number) FROM opened),
          ARRAY['before', 'first', 'second', 'third', NULL], 'every row opens, those from before as well');
SELECT ok(bool_and(vrm.is_bound(content)), 'bound to its row') FROM vault;
SELECT pg_temp.stays_shut('SELECT vrm.reveal(content) FROM vault WHERE number = 1',
                          'no value of it opens as a free one');
SELECT pg_temp.stays_shut('UPDATE vault v SET content = w.content FROM vault w WHERE v.number = 1 AND w.number = 2 AND '
                          'w.content IS NOT NULL',
                          'a value copied from another row');
SELECT pg_temp.stays_shut($$INSERT INTO vault SELECT owner, 9, label, content FROM vault WHERE number = 1$$,
                          'a value inserted into another row');
SELECT pg_temp.stays_shut($$INSERT INTO vault
                          VALUES ('00000000-0000-0000-0000-000000000001', 9, 'x', vrm.seal('x', 'context'))$$,
                          'a value with another context');
SELECT isnt(vrm.seal_column('vault', 'other'), NULL, 'a table may have several');
SELECT pg_temp.stays_shut('UPDATE vault SET other = content WHERE number = 1', 'a value copied from another column');
SELECT is((SELECT count(*) FROM hostile
           WHERE pg_temp.failure(format($$INSERT INTO vault
                                        VALUES ('00000000-0000-0000-0000-000000000001', 9, 'x', %L)$$, value))
                                        ~ '^(22000 [|] value cannot|23514)'),
          3000::bigint, 'nothing else is let in');
SELECT throws_ok($$UPDATE vault SET content = 'plaintext'$$, '23514', NULL, 'plaintext is refused');
UPDATE vault SET number = number + 10;
UPDATE vault SET label = label || '!', owner = '00000000-0000-0000-0000-000000000003' WHERE number = 11;
SELECT is((SELECT array_agg(content ORDER BY number, content) FROM opened),
          ARRAY['before', 'first', 'third', 'second', NULL], 'values follow when the primary key changes');

-- an earlier value of the same row, which somebody has kept
CREATE ROLE vrm_test_writer;
CREATE TABLE notes (id int, part int, sealed vrm.sealed, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE notes_1 PARTITION OF notes FOR VALUES IN (1);
CREATE TABLE notes_2 PARTITION OF notes FOR VALUES IN (2);
SELECT vrm.seal_column('notes', 'sealed') \g /dev/null
GRANT USAGE ON SCHEMA vrm TO vrm_test_writer;
GRANT EXECUTE ON FUNCTION vrm.seal(vrm.secret, bytea), vrm.is_bound(bytea), vrm.is_sealed(bytea) TO vrm_test_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO vrm_test_writer;
CREATE FUNCTION pg_temp.notes() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(id || ' ' || vrm.reveal_row('notes', 'sealed', row(id, part)::text), ', ' ORDER BY id) FROM notes
$$;
INSERT INTO notes VALUES (1, 1, vrm.seal('at first'));
SELECT sealed AS earlier FROM notes \gset
SET LOCAL ROLE vrm_test_writer;
UPDATE notes SET sealed = vrm.seal('later') WHERE id = 1;
SELECT is(pg_temp.failure(format('UPDATE notes SET sealed = %L WHERE id = 1', :'earlier')),
          '42501 | a sealed value that is bound to a row cannot be put back | It may be an earlier value of the row; '
          'only the owner of the table restores those. | Write vrm.seal($1).',
          'an earlier value of a row is not put back');
SELECT throws_ok(format('WITH gone AS (DELETE FROM notes WHERE id = 1) INSERT INTO notes VALUES (1, 2, %L)',
                        :'earlier'), '42501', NULL, 'nor inserted');
SELECT throws_ok(format('INSERT INTO notes VALUES (1, 1, %L) ON CONFLICT (id, part) '
                        'DO UPDATE SET sealed = excluded.sealed', :'earlier'), '42501', NULL, 'nor by ON CONFLICT');
SELECT throws_ok(format('INSERT INTO notes VALUES (1, 1, vrm.seal(''x'')) ON CONFLICT (id, part) '
                        'DO UPDATE SET sealed = %L', :'earlier'), '42501', NULL, 'in whichever half');
UPDATE notes SET sealed = sealed;
INSERT INTO notes SELECT i, 1, vrm.seal(('put ' || i)::vrm.secret) FROM generate_series(1, 3) AS i
ON CONFLICT (id, part) DO UPDATE SET sealed = excluded.sealed;
UPDATE notes SET part = 2 WHERE id > 1;
RESET ROLE;
SELECT is(pg_temp.notes(), '1 put 1, 2 put 2, 3 put 3',
          'who writes what is new writes as ever, to other partitions, too');
UPDATE notes SET sealed = :'earlier' WHERE id = 1;
SELECT is(pg_temp.notes(), '1 at first, 2 put 2, 3 put 3', 'the owner restores what a backup has');

ALTER TABLE vault RENAME label TO tag;
ALTER TABLE vault RENAME content TO inside;
SELECT is(vrm.reveal_row('vault', 'inside', '(00000000-0000-0000-0000-000000000001,10,early)'), 'before',
          'names may change');
SELECT is((SELECT column_name FROM vrm_private.sealed_columns s WHERE relation = 'vault'::regclass AND per_subject),
          'inside', 'the register follows');
SELECT is(vrm.reveal_row('vault', 'inside', '(00000000-0000-0000-0000-000000000009,10,early)'), NULL,
          'no row, no value');
SELECT throws_ok($$SELECT vrm.reveal_row('vault', 'inside', '10')$$, '22023', NULL,
                 'a primary key has as many values as columns');
SELECT throws_ok($$SELECT vrm.reveal_row('vault', 'tag', '(a,b,c)')$$, '55000', NULL,
                 'only sealed columns are revealed');
SELECT throws_ok($$SELECT vrm.reveal_row(1, 'inside', '10')$$, '42P01', 'relation with OID 1 does not exist',
                 'of a table that there is');
SELECT throws_ok($$SELECT vrm.archive_rows('vrm.test_runs', 0, '{}', '{}', now(), 1)$$, '42P01',
                 'relation with OID 0 does not exist', 'which is told by whatever opens one');
SELECT throws_ok($$SELECT vrm.require_grant(0)$$, '42883', 'routine with OID 0 does not exist', 'and of routines');
SELECT throws_ok($$SELECT vrm.reveal_row('vault', 'inside', '(not a uuid,10,x)')$$, '22P02', NULL,
                 'keys are of their types');
SELECT is((SELECT count(*) FROM vault v WHERE vrm.reveal_row(v, 'inside')
               IS DISTINCT FROM vrm.reveal_row('vault', 'inside', row(owner, number, tag)::text)), 0::bigint,
          'a row is named by itself or by its primary key');
SELECT throws_ok($$SELECT vrm.reveal_row(v, 'tag') FROM vault v$$, '55000', NULL, 'by itself for sealed columns, too');

-- rows that are not in the table -------------------------------------------------------------------

SELECT v::text AS early FROM vault v WHERE number = 10 \gset
SELECT is(vrm.reveal_row(:'early'::vault, 'inside'), 'before', 'a row says no more than that there is one like it');
SELECT is((SELECT array_agg(vrm.reveal_row(row(w.owner, w.number, w.tag, v.inside, NULL)::vault, 'inside'))
           FROM vault v, vault w WHERE v.number = 10 AND w.number <> 10), array_fill(NULL::text, ARRAY[4]),
          'a value beside the key of another row does not open');
SELECT is((SELECT array_agg(vrm.reveal_row(f, 'inside'))
           FROM (SELECT (row(v.owner, k.number, v.tag, v.inside, NULL)::vault).*
                 FROM vault v, unnest(ARRAY[0, 99, NULL]) AS k (number) WHERE v.number = 10) AS g,
                LATERAL (SELECT row(g.*)::vault AS f) AS forged), array_fill(NULL::text, ARRAY[3]),
          'nor beside one that no row has');
SELECT throws_ok($$SELECT vrm.reveal_row(row(owner, number, tag, inside, other), 'inside') FROM vault$$, '42809',
                 'row is not of a table', 'columns alone are no row of a table');
CREATE TYPE pg_temp.alike AS (owner uuid, number int, label text, inside bytea, other bytea);
SELECT throws_ok($$SELECT vrm.reveal_row(row(owner, number, tag, inside, other)::pg_temp.alike, 'inside') FROM vault$$,
                 '42809', NULL, 'nor are those of another type');
CREATE TEMP VIEW looking_alike AS SELECT * FROM vault;
SELECT throws_ok('SELECT vrm.reveal_row(l, $$inside$$) FROM looking_alike l', '55000', NULL, 'or of a view');
UPDATE vault SET inside = vrm.seal('after') WHERE number = 10;
SELECT is(vrm.reveal_row(:'early'::vault, 'inside'), NULL, 'what a row has held does not open from a copy of it');
WITH changed AS (UPDATE vault v SET inside = vrm.seal('before') WHERE number = 10
                 RETURNING vrm.reveal_row(v, 'inside') AS said)
SELECT is(said, NULL, 'nor what the query itself has just written') FROM changed;
SELECT v::text AS early FROM vault v WHERE number = 10 \gset

CREATE ROLE revealing_reader IN ROLE vrm_reveal, authenticated;
ALTER TABLE vault ENABLE ROW LEVEL SECURITY;
CREATE POLICY second ON vault TO revealing_reader USING (number = 12);
SET LOCAL ROLE revealing_reader;
SELECT throws_ok(format('SELECT vrm.reveal_row(%L::vault, ''inside'')', :'early'), '42501',
                 'permission denied for table vault', 'whoever may not read the table learns nothing by a row of it');
RESET ROLE;
GRANT SELECT (number, tag, inside) ON vault TO revealing_reader;
SET LOCAL ROLE revealing_reader;
SELECT throws_ok(format('SELECT vrm.reveal_row(%L::vault, ''inside'')', :'early'), '42501',
                 'permission denied for table vault', 'nor by some of its columns');
RESET ROLE;
GRANT SELECT ON vault TO revealing_reader;
SET LOCAL ROLE revealing_reader;
SELECT is(vrm.reveal_row(:'early'::vault, 'inside'), NULL, 'nor past a policy');
SELECT is((SELECT array_agg(vrm.reveal_row(v, 'inside') ORDER BY owner) FROM vault v), ARRAY['second', NULL],
          'which lets others through');
RESET ROLE;
SELECT is(vrm.reveal_row(:'early'::vault, 'inside'), 'before', 'a plan that is kept follows the role');
ALTER TABLE vault DISABLE ROW LEVEL SECURITY;

SELECT throws_ok($$SELECT vrm.seal_column('vault', 'tag')$$, '42804', NULL, 'only bytea can be sealed');
SELECT throws_ok($$SELECT vrm.seal_column('vault', 'nothing')$$, '42703',
                 'column "nothing" of relation "vault" does not exist', 'the column has to be there');
SELECT throws_ok($$SELECT vrm.seal_column('kept', 'free')$$, '55000', NULL, 'only tables with a primary key');

-- users who are forgotten --------------------------------------------------------------------------

SELECT ok(vrm.shred_subject('00000000-0000-0000-0000-000000000003'), 'a user''s key is destroyed');
SELECT is((SELECT array_agg(DISTINCT pg_temp.failure(format('SELECT vrm.reveal_row(''vault'', ''inside'', %L)',
                                                            row(owner, number, tag)::text)))
           FROM vault WHERE owner = '00000000-0000-0000-0000-000000000003'),
          ARRAY['22000 | value cannot be opened | It is not a sealed value, was changed, belongs elsewhere, or its key '
                'is unknown or destroyed.'],
          'what it sealed is noise');
SELECT lives_ok($$UPDATE vault SET inside = inside, tag = tag$$, 'which an UPDATE that leaves them alone may keep');
SELECT pg_temp.stays_shut($$UPDATE vault SET number = number + 1
                          WHERE owner = '00000000-0000-0000-0000-000000000003'$$, 'but not under another primary key');
SELECT pg_temp.stays_shut($$UPDATE vault SET inside = set_byte(inside, 40, get_byte(inside, 40) # 1)
                          WHERE owner = '00000000-0000-0000-0000-000000000003'$$, 'nor as other noise');
SELECT is((SELECT array_agg(vrm.opens_at('vault', 'inside', ctid) ORDER BY owner, number) FROM vault),
          ARRAY[true, true, true, false, false], 'rotation is told');
SELECT is(ARRAY[vrm.opens_at('vault', 'tag', '(0,1)'), vrm.opens_at(0, 'tag', '(0,1)'),
                vrm.opens_at('vault', 'inside', '(0,1)')], ARRAY[false, true, true],
          'of columns that are not sealed, unknown tables and old versions as well');
SELECT is((SELECT count(*) FROM vault WHERE owner < '00000000-0000-0000-0000-000000000003'
           AND vrm.reveal_row('vault', 'inside', row(owner, number, tag)::text) IS NOT NULL), 2::bigint,
           'others'' are not');

SELECT * FROM finish();
ROLLBACK;
