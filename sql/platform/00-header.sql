-- The platform: ordinary objects of the user's database, made by vrm.install(), which may run any
-- number of times.  What is already there stays as the DBA left it; what is missing comes (back).

CREATE SCHEMA IF NOT EXISTS vrm_private;
COMMENT ON SCHEMA vrm_private IS 'internals of the vrm platform; application roles have no access';
