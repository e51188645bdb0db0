-- Calls come back from the archive: triggers

CREATE TRIGGER fetch_archived AFTER UPDATE OF state ON vrm.call_imports
    FOR EACH ROW WHEN (NEW.state = 'pending' AND NEW.external_id IS NOT NULL)
    EXECUTE FUNCTION vrm_private.fetch_archived();
COMMENT ON TRIGGER fetch_archived ON vrm.call_imports IS 'archived calls are amended, too';
