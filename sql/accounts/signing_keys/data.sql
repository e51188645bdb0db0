-- Keys that sign access tokens: rows that come with them

INSERT INTO vrm_private.sealed_contexts (relation, column_name, context)
VALUES ('vrm_private.token_keys', 'private_key', 'convert_to(t.kid, ''UTF8'')')
ON CONFLICT DO NOTHING;
