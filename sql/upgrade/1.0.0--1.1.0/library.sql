-- What differs by hand between the members of 1.0.0 and of 1.1.0.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'vrm_use_api_keys') THEN
        CREATE ROLE vrm_use_api_keys NOLOGIN;
        COMMENT ON ROLE vrm_use_api_keys IS 'may open API keys of the person who has signed in';
    END IF;
END
$$;
GRANT USAGE ON SCHEMA vrm TO vrm_use_api_keys;
