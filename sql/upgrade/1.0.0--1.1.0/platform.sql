-- What differs by hand between the platform of 1.0.0 and of 1.1.0.  What is new arrives by vrm.install()
-- afterwards; a row that a DBA has changed stays as it is.

-- platform ---------------------------------------------------------------------------------------

DROP FUNCTION IF EXISTS vrm_private.partition_end(oid);

-- secrets ----------------------------------------------------------------------------------------

COMMENT ON DOMAIN vrm.sealed IS 'an encrypted value in an envelope, never plaintext';

-- identity ---------------------------------------------------------------------------------------

-- audit ------------------------------------------------------------------------------------------

-- accounts ---------------------------------------------------------------------------------------

-- calls ------------------------------------------------------------------------------------------

-- analytics --------------------------------------------------------------------------------------

-- retention --------------------------------------------------------------------------------------

-- operations -------------------------------------------------------------------------------------

-- pages have moved
UPDATE vrm.alert_threshold SET hint = replace(hint, 'doc/' || page.name, 'doc/' || page.district || page.name)
FROM (VALUES ('operations/', 'backup.md'), ('operations/', 'maintenance.md'), ('operations/', 'quality.md'),
             ('accounts/', 'lockout.md'), ('calls/', 'recordings.md')) AS page (district, name)
WHERE strpos(hint, ' doc/' || page.name) > 0;
