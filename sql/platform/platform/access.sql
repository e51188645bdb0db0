-- The platform: ordinary objects of the user's database, made by vrm.install(): row security, privileges, triggers

REVOKE ALL ON vrm_private.platform_history FROM PUBLIC, anon, authenticated;
