-- Keys that contain the tenant, as many nodes ask for.

ALTER TABLE vrm_private.erasure_ledger
    DROP CONSTRAINT erasure_ledger_pkey,
    ADD PRIMARY KEY (user_id, id);
DROP INDEX IF EXISTS vrm_private.erasure_ledger_user;
ALTER TABLE vrm_private.object_purges
    DROP CONSTRAINT object_purges_pkey,
    ADD PRIMARY KEY (user_id, id);
