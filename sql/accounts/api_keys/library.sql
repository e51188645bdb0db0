-- Keys of users for external services: members of the extension

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'vrm_use_api_keys') THEN
        CREATE ROLE vrm_use_api_keys NOLOGIN;
        COMMENT ON ROLE vrm_use_api_keys IS 'may open API keys of the person who has signed in';
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another database has made it meanwhile
END
$$;
GRANT USAGE ON SCHEMA vrm TO vrm_use_api_keys;
