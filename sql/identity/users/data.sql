-- Users: Supabase's auth schema or the same shape, profiles, roles: rows that come with it

SELECT vrm.create_missing_profiles();

SELECT vrm.seal_column('vrm.user_profiles', 'mfa_secret', true);
