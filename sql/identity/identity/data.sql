-- Identity: who a statement runs for, and whose tokens are believed: rows that come with it

SELECT vrm.seal_column('vrm_private.jwt_keys', 'secret');
