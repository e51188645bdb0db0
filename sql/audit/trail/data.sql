-- The audit trail: who did what, by day: rows that come with it

SELECT vrm_private.watch_truncation(NULL);
SELECT vrm_private.make_audit_partitions();
