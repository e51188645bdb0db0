# CREATE and DROP EXTENSION: what comes, what stays, who may, and what is refused because somebody
# was there before.
use strict;
use warnings;
use File::Spec;
use FindBin;
use IPC::Run;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;
use VRM::Snapshot;

my $node = server('extension');
my $version = newest_version($node);
my $lib = "$FindBin::Bin/../lib";
my $superuser = getpwuid $<;

sub sql { return $node->safe_psql(@_) }

# --- another database makes roles meanwhile, which both find missing ---------------------------------

my $other = IPC::Run::start(['psql', '-Xq', '-d', $node->connstr('postgres'), '-c', 'BEGIN',
        '-c', 'CREATE ROLE anon NOLOGIN', '-c', 'CREATE ROLE vrm_reveal NOLOGIN', '-c', 'SELECT pg_sleep(2)',
        '-c', 'COMMIT'], '<', File::Spec->devnull, '>', File::Spec->devnull);
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(2)'})
  or die 'nobody makes roles';
sql('postgres', 'CREATE DATABASE meanwhile');
is(error_of($node, 'meanwhile', 'CREATE EXTENSION vrm'), '', 'roles that come meanwhile are taken as they are');
$other->finish;
sql('postgres', 'DROP DATABASE meanwhile; DROP ROLE anon, authenticated, service_role, vrm_reveal, vrm_use_api_keys');

sub fresh {
    my ($name) = @_;
    sql('postgres', "CREATE DATABASE $name");
    return $name;
}

# What statements say beside their results: notices and hints.
sub said {
    my ($database, $sql) = @_;
    my $said = '';
    $node->psql($database, $sql, stderr => \$said, on_error_die => 1);
    return $said;
}

sub without {
    my ($text, @patterns) = @_;
    for my $pattern (@patterns) { $text =~ s/^$pattern\n//mg }
    return $text;
}

# Lines of one text that the other does not have.
sub missing_from {
    my ($text, $lines) = @_;
    my %there = map { $_ => 1 } split /\n/, $text;
    return [grep { !$there{$_} } split /\n/, $lines];
}

# --- roles ---------------------------------------------------------------------------------------

my $attributes = <<'SQL';
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,
       rolreplication, rolbypassrls
FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') ORDER BY 1
SQL

is(sql('postgres', $attributes), '', 'given a server without our roles');
like(said(fresh('first'), 'CREATE EXTENSION vrm'), qr/NOTICE:  platform of vrm \Q$version\E installed$/m,
    'CREATE EXTENSION alone installs everything, and says so');
is(sql('postgres', $attributes),
    "anon|f|t|f|f|f|f|f\nauthenticated|f|t|f|f|f|f|f\nservice_role|f|t|f|f|f|f|t",
    'missing roles are created, and only service_role bypasses row level security');

sql('postgres', 'DROP DATABASE first; DROP ROLE anon, authenticated, service_role');
sql('postgres', 'CREATE ROLE anon LOGIN NOINHERIT; CREATE ROLE authenticated CREATEDB;'
      . ' CREATE ROLE service_role NOBYPASSRLS');
my $roles = sql('postgres', $attributes);
database($node, 'second');
is(sql('postgres', $attributes), $roles, 'roles that are there are never altered');
sql('second', 'SET client_min_messages = error; DROP EXTENSION vrm CASCADE');
is(sql('postgres', $attributes), $roles, 'nor dropped with the extension');
sql('postgres', 'ALTER ROLE service_role BYPASSRLS; ALTER ROLE anon NOLOGIN INHERIT;'
      . ' ALTER ROLE authenticated NOCREATEDB');

# --- DROP EXTENSION ------------------------------------------------------------------------------

database($node, 'plain');
sql('plain', slurp_file("$lib/sample.sql"));
my $catalog = catalog($node, 'plain');
my $rows = rows($node, 'plain');
my $alice = sql('plain', "SELECT id FROM auth.users WHERE email LIKE 'alice%'");

like(error_of($node, 'plain', 'DROP EXTENSION vrm'), qr/^2BP01: cannot drop extension vrm because/,
    'DROP EXTENSION refuses as long as there is a platform');
same_text(catalog($node, 'plain'), $catalog, 'and has dropped nothing');

my $recreate = 'SET client_min_messages = error; DROP EXTENSION vrm CASCADE; CREATE EXTENSION vrm';
sql('plain', 'SET client_min_messages = error; DROP EXTENSION IF EXISTS vrm CASCADE');
# Only the counters of failed attempts live in storage of the extension's own, and go with it;
# call_rollup holds states of a type of the extension's, which are computed anew from call_facts.
my @gone = (qr/vrm_private\.lockout\w* .*/, qr/vrm\.call_(?:facts|dirty|rollup) .*/);
like($rows, qr/^vrm_private\.lockout [1-9]/m, 'given counters of failed attempts');
same_text(without(rows($node, 'plain'), @gone), without($rows, @gone),
    'DROP EXTENSION CASCADE takes no row');
my $taken = missing_from(catalog($node, 'plain'), $catalog);
for my $kind ('policy vrm.agents', 'trigger CREATE TRIGGER set_updated_at',
    'constraint - vrm.sealed', 'constraint vrm.agents connection_details_shape',
    'column vrm.agents 2 id')
{
    my $pattern = $kind =~ s/- /.*/r;
    ok((grep { /^$pattern/ } @$taken), "it does take: $kind");
}
sql('plain', 'CREATE EXTENSION vrm');
same_text(catalog($node, 'plain'), $catalog, 'CREATE EXTENSION brings all of it back');
same_text(without(rows($node, 'plain'), @gone), without($rows, @gone), 'and adds no row');
is(as_user($node, 'plain', $alice, 'SELECT calls FROM vrm.user_dashboard()'), '12',
    'the user has her calls again');

# --- vrm.install() over a DBA's changes ----------------------------------------------------------

sql('plain', slurp_file("$lib/customised.sql"));
my $customised = catalog($node, 'plain');
$rows = rows($node, 'plain');
is(sql('plain', 'SELECT vrm.install()'), $version, 'vrm.install() may run again');
same_text(catalog($node, 'plain'), $customised, 'it leaves everything as the DBA made it');
same_text(rows($node, 'plain'), $rows, 'and every row');

sql('plain', <<'SQL');
DROP POLICY "users manage their own agents" ON vrm.agents;
DROP TRIGGER record_status ON vrm.test_runs;
ALTER TABLE vrm.agents ALTER COLUMN user_id DROP DEFAULT, DROP CONSTRAINT connection_details_shape;
DROP FUNCTION vrm.start_test_run;
DROP VIEW vrm.all_test_runs;
DROP INDEX vrm.test_runs_started_at;
SELECT vrm.install();
SQL
same_text(catalog($node, 'plain'), $customised, 'it repairs what is missing');

sql('plain', $recreate);
same_text(rows($node, 'plain'), $rows, 'after DROP CASCADE and CREATE no row is lost');
is_deeply([map { s/ (\(|f ).*//r } sort @{ missing_from(catalog($node, 'plain'), $customised) }],
    ['column public.invoices 1 id uuid t   p  -1 vrm.uuid7()',
        'column vrm.api_keys 4 key vrm.sealed t   p  -1 the key, sealed',
        'policy vrm.metrics users manage their own metrics * t authenticated',
        'routine vrm.platform_version()',
        'routine vrm.uuid7()',
        'trigger CREATE TRIGGER set_updated_at BEFORE UPDATE ON vrm.metrics FOR EACH ROW EXECUTE'
          . ' FUNCTION vrm.set_updated_at() D keeps updated_at'],
    'lost is what the DBA hung on the library itself, no more');

# --- somebody was here before --------------------------------------------------------------------

sql('postgres', 'CREATE ROLE mallory LOGIN');

# Makes a database in which mallory may do as she likes, and lets her prepare it.
sub prepared {
    my ($name, $sql) = @_;
    fresh($name);
    sql('postgres', "GRANT CREATE ON DATABASE $name TO mallory");
    sql($name, "SET ROLE mallory; $sql");
    return $name;
}

sub is_refused {
    my ($database, $pattern, $name) = @_;
    my $error = error_of($node, $database, 'CREATE EXTENSION vrm');
    like($error, $pattern, "$name is refused");
    is(sql($database, 'SELECT count(*) FROM pg_extension WHERE extname = \'vrm\''), '0',
        "$name: nothing is left behind");
    my ($hint) = $error =~ /HINT:.*?(ALTER .*;)/;
    return $hint // '';
}

for my $schema ('vrm', 'vrm_private') {
    my $database = prepared("taken_$schema", "CREATE SCHEMA $schema");
    my $hint = is_refused($database,
        qr/^42501: schema "$schema" belongs to an ordinary user \| .*"mallory"/,
        "a schema $schema that an ordinary user made");
    is($hint, "ALTER SCHEMA $schema OWNER TO $superuser;", "the hint for $schema can be run");
    sql($database, $hint);
    is(error_of($node, $database, 'CREATE EXTENSION vrm'), '', "and then CREATE EXTENSION works");
}

# Whatever the installation reads or keeps would run, or be altered, in the superuser's name.
my $trap = <<'SQL';
CREATE FUNCTION %s.grab() RETURNS text LANGUAGE plpgsql AS
    $$BEGIN ALTER ROLE mallory SUPERUSER; RETURN 'any'; END$$;
SQL
is_refused(prepared('trap_view', 'CREATE SCHEMA vrm_private;' . sprintf($trap, 'vrm_private')
          . 'CREATE VIEW vrm_private.platform_history AS'
          . ' SELECT vrm_private.grab() AS version, now() AS at, 1 AS id'),
    qr/^42501: schema "vrm_private" belongs to an ordinary user/, 'a view in place of the history');
{
    my $database = prepared('trap_function', 'SELECT');
    sql($database, 'CREATE SCHEMA vrm_private;'
          . ' GRANT CREATE, USAGE ON SCHEMA vrm_private TO mallory');
    sql($database, 'SET ROLE mallory; CREATE FUNCTION vrm_private.keep_profile() RETURNS trigger'
          . ' LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$');
    is_refused($database,
        qr/^42501: function vrm_private.keep_profile\(\) belongs to an ordinary user/,
        'a function that an ordinary user could replace later');
}
{
    my $database = prepared('trap_table', 'SELECT');
    sql($database, 'CREATE SCHEMA vrm; GRANT CREATE, USAGE ON SCHEMA vrm TO mallory');
    sql($database, 'SET ROLE mallory; CREATE TABLE vrm.agents (user_id uuid, id uuid)');
    is_refused($database, qr/^42501: table vrm.agents belongs to an ordinary user/,
        'a table that an ordinary user could put triggers on');
}
is_refused(prepared('trap_auth', 'CREATE SCHEMA auth;' . sprintf($trap, 'auth') . <<'SQL'),
CREATE TYPE auth.address AS (a text);
CREATE FUNCTION auth.to_text(auth.address) RETURNS text LANGUAGE sql AS 'SELECT auth.grab()';
CREATE CAST (auth.address AS text) WITH FUNCTION auth.to_text AS ASSIGNMENT;
CREATE TABLE auth.users (
    id uuid PRIMARY KEY, email auth.address, encrypted_password text, phone text, raw_user_meta_data jsonb,
    raw_app_meta_data jsonb, is_sso_user boolean, is_anonymous boolean, last_sign_in_at timestamptz,
    banned_until timestamptz, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz);
INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), '(x)');
SQL
    qr/^42501: schema "auth" belongs to an ordinary user/,
    'a schema auth that an ordinary user made');
is(sql('postgres', "SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'"), 'f',
    'nothing of it has run as the superuser');

# --- who may -------------------------------------------------------------------------------------

sql('postgres', 'CREATE DATABASE hers OWNER mallory');
like(error_of($node, 'hers', 'SET SESSION AUTHORIZATION mallory; CREATE EXTENSION vrm'),
    qr/^42501: /, 'the owner of a database who is no superuser cannot CREATE EXTENSION');
sql('hers', 'SET client_min_messages = error; CREATE EXTENSION IF NOT EXISTS vrm;'
      . ' GRANT USAGE ON SCHEMA vrm TO mallory;'
      . ' GRANT EXECUTE ON FUNCTION vrm.install(), vrm.upgrade() TO mallory');
for my $sql ('SELECT vrm.install()', 'SELECT vrm.upgrade()', 'DROP EXTENSION vrm CASCADE',
    'ALTER EXTENSION vrm UPDATE', 'ALTER SCHEMA vrm OWNER TO mallory',
    'ALTER SCHEMA vrm_private OWNER TO mallory', 'CREATE TABLE vrm.mine (id int)',
    'CREATE TABLE vrm_private.mine (id int)', 'DROP TABLE vrm.agents CASCADE',
    'SELECT * FROM vrm_private.platform_history', 'ALTER FUNCTION vrm.uid() OWNER TO mallory')
{
    like(error_of($node, 'hers', "SET SESSION AUTHORIZATION mallory; $sql"), qr/^42501: /,
        "nor may she: $sql");
}
for my $function ('vrm.install()', 'vrm.upgrade()') {
    like(error_of($node, 'hers', "SET SESSION AUTHORIZATION mallory; SELECT $function"),
        qr/^42501: permission denied to change the platform of vrm/, "$function asks first");
}
sql('hers', 'ALTER SCHEMA vrm OWNER TO mallory');
like(error_of($node, 'hers', 'SELECT vrm.install()'),
    qr/^42501: schema "vrm" belongs to an ordinary user \| .*ALTER SCHEMA vrm OWNER TO/,
    'vrm.install() refuses to put anything into a schema that was given away');

# --- vrm.install_platform ------------------------------------------------------------------------

my $tables = 'SELECT count(*) FROM pg_class'
  . " WHERE relnamespace = 'vrm'::regnamespace AND relkind = 'r'";
my $hint = qr/\nHINT:  SELECT vrm\.install\(\);/;
for my $case (
    ['never', 'vrm.install_platform = never',
        qr/NOTICE:  the platform of vrm is not installed$hint/],
    ['auto, in a session that looks like a restore', 'row_security = off',
        qr/NOTICE:  a dump is being restored: it brings the platform of vrm$hint/])
{
    my ($name, $setting, $notice) = @$case;
    my $database = fresh('without_' . $name =~ s/\W.*//r);
    like(said($database, "SET $setting; CREATE EXTENSION vrm"), $notice,
        "$name: says that there is no platform");
    is(sql($database, "$tables"), '0', "$name: there is no table");
    is(sql($database, 'SELECT vrm.platform_version() IS NULL'), 't', "$name: nor a version");
    is(sql($database, 'SELECT vrm.install()'), $version, "$name: vrm.install() makes it");
    cmp_ok(sql($database, "$tables"), '>', 5, "$name: with its tables");
}
like(said(fresh('always'),
        'SET row_security = off; SET vrm.install_platform = always; CREATE EXTENSION vrm'),
    qr/NOTICE:  platform of vrm \Q$version\E installed/,
    'always: installs whatever the session looks like');
is(sql('always', 'SELECT vrm.platform_version()'), $version, 'vrm.platform_version() tells');
unlike(said('always', 'SELECT vrm.install()'), qr/already exists|NOTICE/,
    'vrm.install() does its work quietly');

done_testing();
