-- Users: a policy on every table of theirs, whichever topic it belongs to

SELECT vrm_private.guard_tenants();
