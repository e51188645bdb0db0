-- What has to be done now and then: row security and privileges

REVOKE ALL ON vrm.maintenance_failures FROM PUBLIC, anon, authenticated;
REVOKE ALL ON SEQUENCE vrm_private.maintenance_visit, vrm_private.maintenance_unended
    FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON vrm.maintenance_failures TO pg_monitor, service_role;
ALTER TABLE vrm.maintenance_failures ENABLE ROW LEVEL SECURITY;
CREATE POLICY "monitors read all" ON vrm.maintenance_failures FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.maintenance_failures IS 'nothing of a tenant is in it';
