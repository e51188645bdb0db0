-- What a DBA may do to the platform: none of it may be lost in a dump, a restore or a repair.

CREATE ROLE auditor;
ALTER TYPE vrm.user_role ADD VALUE 'owner' AFTER 'manager';
UPDATE vrm.user_profiles SET role = 'owner' WHERE email = 'bob@example.org';

ALTER TABLE vrm.agents ADD COLUMN cost_center text DEFAULT 'none',
    ADD CONSTRAINT cost_center_length CHECK (length(cost_center) < 10);
UPDATE vrm.agents SET cost_center = 'C 42' WHERE agent_id = 'sales';
COMMENT ON COLUMN vrm.agents.cost_center IS 'who pays';
CREATE INDEX agents_cost_center ON vrm.agents (cost_center) WHERE deleted_at IS NULL;
CREATE STATISTICS vrm.agents_correlated (dependencies) ON user_id, agent_type FROM vrm.agents;
ALTER TABLE vrm.agents FORCE ROW LEVEL SECURITY;
GRANT SELECT ON vrm.agents TO auditor;
GRANT SELECT (user_id, id, status) ON vrm.test_runs TO auditor WITH GRANT OPTION;
CREATE POLICY "auditors see all" ON vrm.agents FOR SELECT TO auditor USING (true);
ALTER POLICY "users manage their own metrics" ON vrm.metrics USING (user_id = vrm.uid() AND name <> 'hidden');

ALTER TABLE vrm.test_runs ADD CONSTRAINT short_calls CHECK (time_limit < 80000) NOT VALID;
ALTER TABLE vrm.test_runs ALTER COLUMN time_limit SET DEFAULT 90;
ALTER TABLE vrm.test_runs SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE vrm.api_keys ALTER COLUMN key SET STORAGE PLAIN;
ALTER TABLE vrm.metrics DISABLE TRIGGER set_updated_at;
DELETE FROM vrm.test_case_templates WHERE name LIKE '%friendly%';
COMMENT ON TABLE vrm.agents IS 'our agents';
COMMENT ON FUNCTION vrm.live_calls() IS 'what runs now';

GRANT USAGE ON SCHEMA vrm TO auditor;
REVOKE EXECUTE ON FUNCTION vrm.cancel_test_run(uuid) FROM authenticated;
REVOKE EXECUTE ON FUNCTION vrm.delete_agent(uuid) FROM authenticated;
GRANT EXECUTE ON FUNCTION vrm.delete_agent(uuid) TO auditor;
GRANT EXECUTE ON FUNCTION vrm.platform_version() TO auditor;
REVOKE EXECUTE ON FUNCTION vrm.uuid7() FROM anon;

-- tables and views of the DBA's own that lean on ours
CREATE TABLE public.invoices (
    id uuid PRIMARY KEY DEFAULT vrm.uuid7(),
    number integer GENERATED ALWAYS AS IDENTITY (START WITH 1000),
    user_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    document vrm.sealed,
    FOREIGN KEY (user_id, agent_id) REFERENCES vrm.agents (user_id, id)
);
INSERT INTO public.invoices (user_id, agent_id) SELECT user_id, id FROM vrm.agents ORDER BY agent_id;
CREATE VIEW public.long_calls WITH (security_invoker) AS SELECT id, agent, duration FROM vrm.calls WHERE duration > '1 hour';
CREATE MATERIALIZED VIEW public.calls_by_agent AS SELECT agent_id, count(*) FROM vrm.test_runs GROUP BY agent_id;
CREATE PUBLICATION changes FOR TABLE vrm.run_events, public.invoices;
CREATE FUNCTION public.complain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a trigger fired on %', TG_TABLE_NAME;
END
$$;
-- goes off as soon as anything writes to a call, as nothing must during a restore
CREATE TRIGGER complain BEFORE INSERT OR UPDATE OR DELETE ON vrm.run_events
    FOR EACH ROW EXECUTE FUNCTION public.complain();
