-- The last statement of install and update scripts.
DO $$
BEGIN
    EXECUTE current_setting('install.default_privileges');
END
$$;
