-- sealed values: the structure of the envelope as SQL sees it
BEGIN;
SELECT plan(14);

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
SELECT ok(NOT vrm.is_sealed('a key that somebody forgot to seal, and a long one at that'::bytea),
          'nor is plaintext');
SELECT is(vrm.is_sealed(NULL), NULL, 'null stays null');

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

SELECT * FROM finish();
ROLLBACK;
