-- The platform itself: a guard on every table, whichever topic it belongs to

SELECT vrm_private.guard_tables();
