-- Lockout: who has failed how often, which no ROLLBACK takes back: views

CREATE OR REPLACE VIEW vrm.account_standing WITH (security_invoker = true) AS
SELECT p.id AS user_id, p.email, s.login_attempts, s.locked_until, s.locked_by_hand_until, s.last_login
FROM vrm.user_profiles p, vrm_private.standing_now(p.id) s;
COMMENT ON VIEW vrm.account_standing IS
    'failures, locks and last sign-in of people as they are now; profiles show them as of the last maintenance';
COMMENT ON COLUMN vrm.account_standing.user_id IS 'the person';
COMMENT ON COLUMN vrm.account_standing.email IS 'address';
COMMENT ON COLUMN vrm.account_standing.login_attempts IS 'failures since the last success';
COMMENT ON COLUMN vrm.account_standing.locked_until IS 'no sign-in before, for too many failures; null when not locked';
COMMENT ON COLUMN vrm.account_standing.locked_by_hand_until IS 'the account does nothing before; null when not locked';
COMMENT ON COLUMN vrm.account_standing.last_login IS 'last successful sign-in';
