-- The clock: whether now() can be believed: rows that come with it

INSERT INTO vrm_private.clock DEFAULT VALUES ON CONFLICT DO NOTHING;
