-- Words of calls: rows that come with it

-- Calls of before are indexed as if they had just ended.
WITH made AS (
    INSERT INTO vrm_private.search (enabled) VALUES (true) ON CONFLICT (id) DO NOTHING RETURNING 1
)
INSERT INTO vrm_private.search_queue (user_id, run_id)
SELECT r.user_id, r.id FROM vrm.all_test_runs r
WHERE r.completed_at IS NOT NULL AND EXISTS (SELECT FROM made)
ON CONFLICT (user_id, run_id) DO NOTHING;
