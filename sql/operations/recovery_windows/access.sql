-- Recovery windows: from when to when any moment can be brought back: row security, privileges, triggers

REVOKE ALL ON vrm_private.archived_stretches, vrm_private.archive_positions, vrm_private.archive_gaps
    FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.archived_stretches ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.archive_positions ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.archive_gaps ENABLE ROW LEVEL SECURITY;
