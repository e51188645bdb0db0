-- Calls brought in from other platforms: views

CREATE VIEW vrm.import_progress WITH (security_invoker) AS
    SELECT i.user_id, i.source, i.state, count(*) AS reports, min(i.received_at) AS oldest,
           max(i.received_at) AS newest,
           (array_agg(i.reason ORDER BY i.id DESC) FILTER (WHERE i.reason IS NOT NULL))[1] AS latest_reason
    FROM vrm.call_imports i
    GROUP BY i.user_id, i.source, i.state;
COMMENT ON VIEW vrm.import_progress IS 'how far vrm.import_calls() is: reports by source and state';
COMMENT ON COLUMN vrm.import_progress.user_id IS 'owner';
COMMENT ON COLUMN vrm.import_progress.source IS 'source; null while nobody has looked whose they are';
COMMENT ON COLUMN vrm.import_progress.state IS 'state, as in vrm.call_imports';
COMMENT ON COLUMN vrm.import_progress.reports IS 'how many reports';
COMMENT ON COLUMN vrm.import_progress.oldest IS 'when the first of them came';
COMMENT ON COLUMN vrm.import_progress.newest IS 'when the last of them came';
COMMENT ON COLUMN vrm.import_progress.latest_reason IS 'the reason of the last of them that has one';

-- COPY cannot write to a table under row security, but through a view's trigger.
CREATE VIEW vrm.call_import_feed WITH (security_invoker) AS
    SELECT NULL::text AS source, NULL::text AS external_id, NULL::text AS payload, NULL::uuid AS agent_id
    WHERE false;
COMMENT ON VIEW vrm.call_import_feed IS
    'always empty: what is inserted or copied into it goes to vrm.call_imports as the caller''s';
COMMENT ON COLUMN vrm.call_import_feed.source IS 'source; null where it shall be seen from the report';
COMMENT ON COLUMN vrm.call_import_feed.external_id IS 'the call''s id at the source, where the report does not name it';
COMMENT ON COLUMN vrm.call_import_feed.payload IS 'the report, as text';
COMMENT ON COLUMN vrm.call_import_feed.agent_id IS 'agent of the call when the report names none that is known';
CREATE TRIGGER feed_import INSTEAD OF INSERT ON vrm.call_import_feed
    FOR EACH ROW EXECUTE FUNCTION vrm_private.feed_import();
COMMENT ON TRIGGER feed_import ON vrm.call_import_feed IS 'puts what is fed in where it belongs';
REVOKE ALL ON vrm.import_progress, vrm.call_import_feed FROM PUBLIC, anon, authenticated;
GRANT SELECT ON vrm.import_progress TO authenticated, service_role;
GRANT SELECT, INSERT ON vrm.call_import_feed TO authenticated;
