-- Legal holds: what retention must leave alone: rows that come with it

INSERT INTO vrm_private.hold_changes DEFAULT VALUES ON CONFLICT DO NOTHING;
