-- The tour, continued: three years pass for some calls, and an account goes and comes back; in a
-- transaction that is rolled back, so that the tour can be shown again.
BEGIN;
UPDATE vrm.test_runs
SET started_at = started_at - interval '3 years', completed_at = completed_at - interval '3 years'
WHERE id IN (SELECT id FROM vrm.test_runs WHERE status IN ('completed', 'failed') ORDER BY id LIMIT 40);

\echo '16. Three years on, for 40 calls.  SELECT * FROM vrm.retention_preview(); and it is done:'
\echo
SELECT policy_name AS policy, due_rows AS due, held_rows AS held, plan
FROM vrm.retention_preview() WHERE policy_name IN ('calls.completed', 'calls.failed');
SELECT vrm.archive_old_test_runs() AS archived \gset
SELECT count(*) FILTER (WHERE ok) AS verified, count(*) FILTER (WHERE NOT ok) AS changed
FROM vrm.verify_archive() \gset
SELECT vrm.restore_from_archive(ARRAY[min(id::text)]::uuid[]) AS restored
FROM vrm_private.test_runs_archive \gset
SELECT :archived AS archived, :verified AS "batches verified", :changed AS "changed since",
       :restored AS restored, count(*) AS "calls, live and archived" FROM vrm.all_test_runs;

\echo '17. Ben deletes his account and asks for it back within 30 days.'
\echo
SELECT id AS ben FROM demo.person WHERE name = 'ben' \gset
CREATE TEMPORARY VIEW ben AS
    SELECT u.email, p.deleted_at IS NOT NULL AS deleted,
           (SELECT count(*) FROM vrm.all_test_runs r WHERE r.user_id = p.id) AS calls
    FROM auth.users u JOIN vrm.user_profiles p USING (id) JOIN demo.person d USING (id)
    WHERE d.name = 'ben';
SELECT vrm.delete_account(:'ben') \g /dev/null
SELECT 'deleted' AS "is", 'deleted+...' || right(email, 8) AS address, deleted, calls FROM ben \g
SELECT vrm.recover_account(:'ben') \g /dev/null
SELECT 'recovered' AS "is", email AS address, deleted, calls FROM ben \g
ROLLBACK;
