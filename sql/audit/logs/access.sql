-- Logs of the application, by class and day: row security, privileges, triggers

ALTER TABLE vrm.logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.logs_application ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.logs_error ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.logs_analytics ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.logs_application_rest ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.logs_error_rest ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm.logs_analytics_rest ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm.logs, vrm.logs_application, vrm.logs_error, vrm.logs_analytics, vrm.logs_application_rest,
    vrm.logs_error_rest, vrm.logs_analytics_rest FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.logs TO service_role;
