-- Lockout: who has failed how often, which no ROLLBACK takes back: rows that come with it

-- The defaults of doc/accounts/lockout.md; a row that is there stays as it is.
INSERT INTO vrm.lockout_policy VALUES
    ('password', 5, '15 minutes', '1 minute', 2, '1 day', 100, '30 seconds'),
    ('device', 5, '15 minutes', '1 minute', 2, '1 day', 0, '30 seconds'),
    ('totp', 5, '15 minutes', '1 minute', 2, '1 day', 0, '30 seconds'),
    ('recovery', 5, '15 minutes', '1 minute', 2, '1 day', 0, '30 seconds'),
    ('reset_request', 3, '1 hour', '1 hour', 1, '1 hour', 0, '30 seconds'),
    ('ip', 100, '5 minutes', '5 minutes', 1, '5 minutes', 0, '30 seconds'),
    ('request_ip', 100, '5 minutes', '5 minutes', 1, '5 minutes', 0, '30 seconds'),
    ('sign_up', 3, '1 hour', '1 hour', 1, '1 hour', 0, '30 seconds')
    ON CONFLICT (kind) DO NOTHING;

INSERT INTO vrm_private.lockout_secret (secret)
    SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
    ON CONFLICT DO NOTHING;
