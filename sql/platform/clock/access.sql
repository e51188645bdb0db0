-- The clock: whether now() can be believed: row security, privileges, triggers

ALTER TABLE vrm_private.clock ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.clock FROM PUBLIC, anon, authenticated;
