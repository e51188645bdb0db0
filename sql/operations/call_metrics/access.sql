-- What the metrics about calls are: row security, privileges, triggers

REVOKE ALL ON vrm_private.call_totals, vrm_private.call_totals_state, vrm.service_objectives
    FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.service_objectives TO pg_monitor;
ALTER TABLE vrm_private.call_totals ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.call_totals_state ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.service_objectives ENABLE ROW LEVEL SECURITY;
CREATE POLICY "monitors read all" ON vrm.service_objectives FOR SELECT TO pg_monitor USING (true);
COMMENT ON POLICY "monitors read all" ON vrm.service_objectives IS 'nothing of a tenant is in it';

CREATE TRIGGER check_objective
    BEFORE INSERT OR UPDATE ON vrm.service_objectives
    FOR EACH ROW EXECUTE FUNCTION vrm_private.check_objective();
COMMENT ON TRIGGER check_objective ON vrm.service_objectives IS 'an objective must be one that can be measured';
