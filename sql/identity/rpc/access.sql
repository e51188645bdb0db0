-- RPC: a function of the API in one statement, whoever calls: row security, privileges, triggers

REVOKE ALL ON vrm_private.retry_keys FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.retry_keys ENABLE ROW LEVEL SECURITY;
