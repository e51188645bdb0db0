-- Teams: organisations, who belongs to them, and who is invited: row security, privileges, triggers

REVOKE ALL ON vrm_private.team_members, vrm_private.team_invitations FROM PUBLIC, anon, authenticated, service_role;
ALTER TABLE vrm_private.team_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE vrm_private.team_invitations ENABLE ROW LEVEL SECURITY;

CREATE TRIGGER announce_change AFTER INSERT OR UPDATE OR DELETE ON vrm_private.team_members
    FOR EACH ROW EXECUTE FUNCTION vrm.announce_change();
ALTER TABLE vrm_private.team_members ENABLE ALWAYS TRIGGER announce_change;  -- for what a subscription brings, too
COMMENT ON TRIGGER announce_change ON vrm_private.team_members IS 'makes backends forget the members they have read';
CREATE TRIGGER withdraw_invitations AFTER UPDATE OF role OR DELETE ON vrm_private.team_members
    FOR EACH ROW EXECUTE FUNCTION vrm_private.withdraw_invitations();
COMMENT ON TRIGGER withdraw_invitations ON vrm_private.team_members IS 'nobody is invited by who may not invite them';
CREATE TRIGGER show_membership AFTER INSERT OR UPDATE OF role OR DELETE ON vrm_private.team_members
    FOR EACH ROW EXECUTE FUNCTION vrm_private.show_membership();
COMMENT ON TRIGGER show_membership ON vrm_private.team_members IS 'keeps organization and role of the profile';
CREATE TRIGGER check_organization BEFORE UPDATE OF organization ON vrm.user_profiles
    FOR EACH ROW WHEN (NEW.organization IS DISTINCT FROM OLD.organization)
    EXECUTE FUNCTION vrm_private.check_organization();
COMMENT ON TRIGGER check_organization ON vrm.user_profiles IS 'members name an organisation of theirs';
CREATE TRIGGER show_name AFTER UPDATE OF full_name ON vrm.user_profiles
    FOR EACH ROW WHEN (NEW.is_organisation AND NEW.full_name <> OLD.full_name)
    EXECUTE FUNCTION vrm_private.show_name();
COMMENT ON TRIGGER show_name ON vrm.user_profiles IS 'profiles of members follow the name of the organisation';
