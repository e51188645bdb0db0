# On Supabase the schema auth is there already, and belongs to supabase_auth_admin: vrm adds a
# trigger and foreign keys to auth.users, touches nothing else, and never stands in the way of a
# sign-up.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;
use VRM::Snapshot;

my $node = server('supabase');

sub sql { return $node->safe_psql(@_) }

# What the catalogs say of schema auth, but for what vrm is known to add.
sub auth_catalog {
    my ($database) = @_;
    return join "\n", grep { / auth\.|^schema auth / && !/vrm[._]/ } split /\n/,
      catalog($node, $database);
}

# --- given: a database as Supabase makes it ------------------------------------------------------

my $supabase = <<'SQL';
CREATE SCHEMA auth AUTHORIZATION supabase_auth_admin;
GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
SET ROLE supabase_auth_admin;
CREATE TABLE auth.users (
    instance_id uuid,
    id uuid NOT NULL PRIMARY KEY,
    aud varchar(255),
    role varchar(255),
    email varchar(255),
    encrypted_password varchar(255),
    email_confirmed_at timestamptz,
    invited_at timestamptz,
    confirmation_token varchar(255),
    last_sign_in_at timestamptz,
    raw_app_meta_data jsonb,
    raw_user_meta_data jsonb,
    is_super_admin boolean,
    created_at timestamptz,
    updated_at timestamptz,
    phone text UNIQUE DEFAULT NULL,
    banned_until timestamptz,
    is_sso_user boolean NOT NULL DEFAULT false,
    deleted_at timestamptz,
    is_anonymous boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX users_email_partial_key ON auth.users (email) WHERE NOT is_sso_user;
COMMENT ON TABLE auth.users IS 'Auth: Stores user login data within a secure schema.';
ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
CREATE TABLE auth.identities (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
    provider text NOT NULL
);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS
    $$SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid$$;
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS
    $$SELECT nullif(current_setting('request.jwt.claim.role', true), '')$$;
CREATE FUNCTION auth.email() RETURNS text LANGUAGE sql STABLE AS
    $$SELECT nullif(current_setting('request.jwt.claim.email', true), '')$$;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS
    $$SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb$$;
INSERT INTO auth.users (id, email, raw_user_meta_data)
VALUES ('00000000-0000-7000-8000-000000000001', 'early@example.org', '{"full_name": "Early Bird"}'),
       ('00000000-0000-7000-8000-000000000002', NULL, NULL);
RESET ROLE;
CREATE PUBLICATION supabase_realtime;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO anon, authenticated;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO anon, authenticated;
SQL
sql('postgres', 'CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS;'
      . ' CREATE ROLE supabase_auth_admin NOINHERIT CREATEROLE LOGIN; CREATE DATABASE app');
sql('app', $supabase);
my $before = auth_catalog('app');
my $defaults = 'SELECT defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, defaclacl'
  . ' FROM pg_default_acl ORDER BY 1, 2, 3';
my $default_privileges = sql('app', $defaults);
like($before, qr/^relation auth\.users r supabase_auth_admin/m, 'auth.users belongs to its admin');

# --- when: vrm is installed ----------------------------------------------------------------------

sql('app', 'SET client_min_messages = warning; CREATE EXTENSION vrm');
same_text(auth_catalog('app'), $before, 'nothing in schema auth has changed');
is(sql('app', "SELECT string_agg(tgname, ' ') FROM pg_trigger"
          . " WHERE tgrelid = 'auth.users'::regclass AND NOT tgisinternal"),
    'vrm_keep_profile', 'but for one trigger');
is(sql('app', "SELECT string_agg(DISTINCT conrelid::regclass::text, ' ') FROM pg_constraint"
          . " WHERE confrelid = 'auth.users'::regclass AND connamespace <> 'auth'::regnamespace"),
    'vrm.user_profiles vrm_private.password_reset_tokens', 'and the foreign keys of our tables');
is(sql('app', 'SELECT id, email, full_name FROM vrm.user_profiles ORDER BY id'),
    "00000000-0000-7000-8000-000000000001|early\@example.org|Early Bird\n"
      . '00000000-0000-7000-8000-000000000002||',
    'those who had signed up before have profiles');
is(sql('app', 'SELECT schemaname, tablename FROM pg_publication_tables'
          . " WHERE pubname = 'supabase_realtime'"),
    'vrm|run_events', 'real-time readers get the events of calls');
sql('app', 'SELECT vrm.install()');
same_text(auth_catalog('app'), $before, 'vrm.install() leaves schema auth alone, too');

is(sql('app', $defaults), $default_privileges, 'nor have the default privileges');
is(sql('app', <<'SQL'), '', 'which open nothing');
SELECT c.oid::regclass, r, p
FROM pg_class c, unnest('{anon,authenticated}'::text[]) AS r,
     unnest('{TRUNCATE,TRIGGER,REFERENCES}'::text[]) AS p
WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
  AND c.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege(r, c.oid, p)
ORDER BY 1, 2, 3
SQL
is(sql('app', <<'SQL'), '', 'anonymous users may read and write no table');
SELECT c.oid::regclass, p
FROM pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS p
WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
  AND c.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege('anon', c.oid, p)
ORDER BY 1, 2
SQL
is(sql('app', <<'SQL'), '', 'and nobody runs internals of the platform');
SELECT coalesce(p.oid::regprocedure::text, 'no function ' || name), r
FROM unnest('{anon,authenticated}'::text[]) AS r
CROSS JOIN unnest('{install,upgrade,expire_test_runs,create_missing_profiles,keep_profile}'::text[]) AS name
LEFT JOIN pg_proc p ON p.proname = name
    AND p.pronamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
WHERE p.oid IS NULL OR has_function_privilege(r, p.oid, 'EXECUTE')
UNION ALL
SELECT p.oid::regprocedure::text, 'anon'
FROM pg_proc p
WHERE p.pronamespace = 'vrm_private'::regnamespace AND has_function_privilege('anon', p.oid, 'EXECUTE')
ORDER BY 1, 2
SQL

# --- signing up ----------------------------------------------------------------------------------

# What Supabase's auth server does, under its own role.
sub sign_up {
    my ($id, $values) = @_;
    my $uuid = sprintf '00000000-0000-7000-8000-%012d', $id;
    my $said = '';
    my $result = $node->psql('app', 'SET SESSION AUTHORIZATION supabase_auth_admin;'
          . " INSERT INTO auth.users (id, email, raw_user_meta_data) VALUES ('$uuid', $values)",
        stderr => \$said);
    return ($result, $said, $uuid);
}

sub profile {
    my ($uuid) = @_;
    return sql('app', "SELECT email, full_name, length(full_name) FROM vrm.user_profiles"
          . " WHERE id = '$uuid'");
}

my ($result, $said, $uuid) = sign_up(10, q{'new@example.org', '{"full_name": "New One"}'});
is("$result$said", '0', 'somebody signs up through supabase_auth_admin');
is(profile($uuid), 'new@example.org|New One|7', 'and has a profile');
sql('app', 'SET SESSION AUTHORIZATION supabase_auth_admin;'
      . " UPDATE auth.users SET email = 'newer\@example.org' WHERE id = '$uuid'");
is(profile($uuid), 'newer@example.org|New One|7', 'which follows a change of address');
sql('app', 'SET SESSION AUTHORIZATION supabase_auth_admin;'
      . " UPDATE auth.users SET last_sign_in_at = now() WHERE id = '$uuid'");
is(error_of($node, 'app', 'SET SESSION AUTHORIZATION supabase_auth_admin;'
          . " DELETE FROM auth.users WHERE id = '$uuid'"), '', 'who is deleted is deleted');
is(profile($uuid), '', 'with the profile');

($result, $said, $uuid) = sign_up(11, q{NULL, NULL});
is("$result$said", '0', 'nobody needs an address');
($result, $said, $uuid) = sign_up(12, q{'early@example.net', '["not", "an", "object"]'});
is("$result$said", '0', 'or sensible metadata');
is(profile($uuid), 'early@example.net||', 'to have a profile');
($result, $said, $uuid) = sign_up(13,
    q{'long@example.org', jsonb_build_object('full_name', repeat('x', 999))});
is("$result$said", '0', 'or a short name');
is(profile($uuid), 'long@example.org|' . 'x' x 200 . '|200', 'which is cut');

# Whatever a DBA does to our table, people can sign up.
my $number = 20;
for my $break ('ALTER TABLE vrm.user_profiles ADD COLUMN required text NOT NULL DEFAULT NULL',
    'ALTER TABLE vrm.user_profiles RENAME TO renamed',
    'ALTER TABLE vrm.user_profiles RENAME COLUMN email TO mail')
{
    sql('postgres', 'DROP DATABASE IF EXISTS kept; ALTER DATABASE app RENAME TO kept;'
          . ' CREATE DATABASE app TEMPLATE kept');
    sql('app', 'DELETE FROM vrm.user_profiles');
    sql('app', "SET client_min_messages = error; $break");
    ($result, $said, $uuid) = sign_up($number++, q{'any@example.org', NULL});
    is($result, 0, "people sign up after: $break");
    like($said, qr/WARNING:  no profile was made for user "$uuid"/, 'with a warning in the log');
    is(sql('app', "SELECT count(*) FROM auth.users WHERE id = '$uuid'"), '1', 'and they are there');
    sql('postgres', 'DROP DATABASE app; ALTER DATABASE kept RENAME TO app');
}
sql('app', 'DELETE FROM vrm.user_profiles');
is(sql('app', 'SELECT vrm.create_missing_profiles() > 0'), 't', 'missing profiles are made later');

# --- dump and DROP ------------------------------------------------------------------------------

sql('app', 'SET client_min_messages = error; DROP EXTENSION vrm CASCADE; CREATE EXTENSION vrm');
same_text(auth_catalog('app'), $before, 'schema auth survives DROP EXTENSION CASCADE');
is(sql('app', "SELECT vrm.uid() IS NULL AND auth.uid() IS NULL"), 't', 'and so do its functions');

# --- half a schema auth --------------------------------------------------------------------------

sql('postgres', 'CREATE DATABASE half');
sql('half', 'CREATE SCHEMA auth; CREATE TABLE auth.keys (id int)');
like(error_of($node, 'half', 'CREATE EXTENSION vrm'),
    qr/^55000: schema "auth" is there, but has no table "users" \| .*ALTER SCHEMA auth RENAME TO/,
    'a schema auth of another kind is refused');
is(sql('half', "SELECT string_agg(relname, ' ') FROM pg_class"
          . " WHERE relnamespace = 'auth'::regnamespace"), 'keys', 'and left alone');
sql('half', 'ALTER SCHEMA auth RENAME TO auth_of_something_else');
is(error_of($node, 'half', 'CREATE EXTENSION vrm'), '', 'its hint can be followed');

done_testing();
