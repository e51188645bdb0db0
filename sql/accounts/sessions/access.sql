-- Sessions and the tokens they issue: row security, privileges, triggers

REVOKE ALL ON vrm_private.token_keys, vrm_private.sessions, vrm_private.refresh_tokens
    FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.token_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.refresh_tokens ENABLE ROW LEVEL SECURITY;
