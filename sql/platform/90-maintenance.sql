-- What has to be done now and then: CALL vrm.maintain(); every few minutes ---------------------------

-- Neither SECURITY DEFINER nor a setting of its own: a procedure with one of them cannot commit.
CREATE OR REPLACE PROCEDURE vrm.maintain()
    LANGUAGE plpgsql AS $$
BEGIN
    WHILE vrm_private.compact_calls() OPERATOR(pg_catalog.>) 0 LOOP
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE vrm.maintain() IS
    'brings the statistics of changed days up to date; call it every few minutes, as the platform''s owner';
REVOKE EXECUTE ON PROCEDURE vrm.maintain() FROM PUBLIC;
