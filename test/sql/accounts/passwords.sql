-- Passwords: Argon2id, bcrypt that is verified, and hashes that would cost too much.
BEGIN;
SELECT plan(17);
\ir ../include/people.sql
\ir ../include/secrets.sql
SELECT 'u' || gen_random_uuid() || '@example.org' AS mail \gset

SELECT vrm.password_hash('correct horse') AS hash \gset
SELECT alike(:'hash'::text, '$argon2id$v=19$m=19456,t=2,p=1$%', 'a hash is Argon2id, as a PHC string');
SELECT isnt(vrm.password_hash('correct horse'), :'hash'::text, 'with a salt of its own');
SELECT ok(vrm.password_matches(:'hash', 'correct horse'), 'it matches its password');
SELECT ok(NOT vrm.password_matches(:'hash', 'correct horsf'), 'and no other');
SELECT ok(vrm.password_matches('$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.', ''), 'bcrypt is verified');
SELECT ok(vrm.password_matches('$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a', 'U*U*U')
          AND vrm.password_matches('$2y$05$CCCCCCCCCCCCCCCCCCCCC.WrAwgFxicHZ3kL7zMvXYXHKosDn8ot2', 'correct horse'), 'in its dialects');
SELECT ok(NOT vrm.password_matches('$2y$05$CCCCCCCCCCCCCCCCCCCCC.WrAwgFxicHZ3kL7zMvXYXHKosDn8ot2', 'correct horsf'), 'strictly');
SELECT ok(vrm.password_is_outdated('$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.'), 'and outdated');
SELECT ok(NOT vrm.password_is_outdated(:'hash'), 'ours is not');
SELECT throws_ok(format('SELECT vrm.password_matches(%L, %L)', hostile, 'x'), '22023', 'the password hash cannot be used', name)
FROM (VALUES ('$2b$31$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.', 'bcrypt of cost 31 is refused'),
             ('$2b$15$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.', 'and of 15'),
             ('$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'huge memory'),
             ('$argon2id$v=19$m=19456,t=4294967295,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'endless passes'),
             ('$argon2id$v=19$m=19456,t=2,p=99$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'many lanes'),
             ('$argon2id$v=19$m=0,t=0,p=0$$', 'nothing at all'), ('$1$abc$def', 'MD5'), ('', 'no hash')) AS v (hostile, name);

SELECT * FROM finish();
ROLLBACK;
