-- Keys of users for external services: rows that come with it

SELECT vrm.seal_column('vrm.api_keys', 'key', true);
