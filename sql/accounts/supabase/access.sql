-- Hooks of Supabase Auth, which keeps and checks the passwords there: row security, privileges, triggers

SELECT vrm_private.admit_supabase_auth();
