-- What the platform holds of a person, for that person: row security, privileges, triggers

ALTER TABLE vrm_private.column_classes ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON vrm_private.column_classes FROM PUBLIC, anon, authenticated, service_role;
