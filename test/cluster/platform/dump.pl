# Dump and restore: whatever pg_dump can write comes back the same, the DBA's changes included, and
# nothing happens to the rows on the way.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;
use VRM::Snapshot;

my $node = server('source');
my $directory = PostgreSQL::Test::Utils::tempdir;
my $lib = "$FindBin::Bin/../lib";

# --- given: a database with rows in every table, and a DBA's hand in it ---------------------------

database($node, 'original');
my ($empty, $warnings);
$node->psql('original', slurp_file("$lib/sample.sql"), stdout => \$empty, stderr => \$warnings,
    on_error_die => 1);
is($empty, 'none', 'every table has a row; else lib/sample.sql must learn to fill it')
  or diag($warnings);
$node->safe_psql('original', slurp_file("$lib/customised.sql"));

my $catalog = catalog($node, 'original');
my $rows = rows($node, 'original');
my $text = dump_text($node, 'original');

# What doctor says of privileges, tables, views and functions.
sub findings {
    my ($server, $database) = @_;
    return $server->safe_psql($database, q{SELECT concat_ws(' ', check_name, status, detail) FROM vrm.doctor()
        WHERE status <> 'ok' AND detail NOT LIKE 'session_replication_role %' AND check_name IN ('objects', 'triggers', 'routines', 'columns', 'defaults', 'constraints',
              'indexes', 'views', 'rules', 'api', 'roles', 'policies', 'row_level_security', 'grants') ORDER BY 1});
}
my $findings = findings($node, 'original');
is(join("\n", grep { !/^grants/ } split /\n/, $findings), <<'FINDINGS' =~ s/\n\z//r, 'of which doctor says what was changed, not what was added');
constraints warn constraint short_calls of vrm.test_runs is NOT VALID: older rows may break it
defaults info the default of column time_limit of vrm.test_runs is 90, vrm means 60
policies fail policy "users manage their own metrics" of vrm.metrics is missing, or not what vrm means
policies info policy "auditors see all" of vrm.agents is not of vrm
triggers fail trigger set_updated_at of vrm.metrics is disabled
FINDINGS

like($catalog, qr/^member function vrm\.uid\(\)$/m, 'library functions are members');
unlike($catalog,
    qr/^member (?!event )(\S+ )*(table|view|sequence|schema|policy|trigger|constraint) /m,
    'nothing that holds rows or guards them is a member');
unlike($catalog, qr/^member function vrm\.create_agent/m, 'functions on tables are not');
like($rows, qr/^vrm\.test_runs [1-9]/m, 'calls are among the rows');

# --- when: it is restored ------------------------------------------------------------------------

sub identical {
    my ($database, $how) = @_;
    same_text(catalog($node, $database), $catalog, "$how: the same catalogs");
    same_text(rows($node, $database), $rows, "$how: the same rows");
    same_text(dump_text($node, $database), $text, "$how: the same dump");
    same_text(findings($node, $database), $findings, "$how: the same findings of doctor");
    return;
}

sub fresh {
    my ($name) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
    return $name;
}

# Restores a plain dump; gives whether that went well and what psql said.
sub restore_plain {
    my ($file, $database, @options) = @_;
    my ($stdout, $stderr);
    my $ok = IPC::Run::run ['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', @options, '-f', $file,
        '-d', $node->connstr($database)], '>', \$stdout, '2>', \$stderr;
    return ($ok, $stderr);
}

sub restores {
    my ($how, $database, $file, @options) = @_;
    command_ok(['pg_restore', '--exit-on-error', @options, '-d', $node->connstr(fresh($database)),
            $file], "$how: restored");
    identical($database, $how);
    return;
}

{
    my $file = dump_to($node, 'original', "$directory/plain.sql");
    my ($ok, $said) = restore_plain($file, fresh('plain'));
    ok($ok, 'plain: restored') or diag($said);
    like($said, qr/NOTICE:  a dump is being restored: it brings the platform of vrm/,
        'plain: CREATE EXTENSION says that it leaves the platform to the dump');
    identical('plain', 'plain');

    ($ok, $said) = restore_plain($file, fresh('one'), '--single-transaction');
    ok($ok, 'plain in one transaction: restored') or diag($said);
    identical('one', 'plain in one transaction');
}
{
    my $file = dump_to($node, 'original', "$directory/rls.sql", '--enable-row-security');
    my ($ok, $said) = restore_plain($file, fresh('rls'));
    ok($ok, 'plain with row security: restored') or diag($said);
    identical('rls', 'plain with row security');
}
{
    my $file = dump_to($node, 'original', "$directory/inserts.sql", '--column-inserts');
    my ($ok, $said) = restore_plain($file, fresh('inserts'));
    ok($ok, 'INSERTs: restored') or diag($said);
    identical('inserts', 'INSERTs');
}

my $custom = dump_to($node, 'original', "$directory/custom", '-Fc');
restores('custom', 'custom', $custom);
restores('custom by three workers', 'custom3', $custom, '-j3');
restores('custom with row security', 'customrls',
    dump_to($node, 'original', "$directory/customrls", '-Fc', '--enable-row-security'),
    '-j3', '--enable-row-security');
restores('directory by three workers', 'directory',
    dump_to($node, 'original', "$directory/directory", '-Fd', '-j3'), '-j3');

# --- then: nothing fired while the rows came back ------------------------------------------------

for my $what (
    ['updated_at stays', 'SELECT id, updated_at FROM vrm.user_profiles ORDER BY id'],
    ['no state is recorded again', 'SELECT count(*) FROM vrm.run_events'],
    ['no profile is made again', 'SELECT id, created_at FROM vrm.user_profiles ORDER BY id'],
    ['deleted templates stay deleted', 'SELECT name FROM vrm.test_case_templates ORDER BY name'])
{
    my ($name, $sql) = @$what;
    is($node->safe_psql('custom3', $sql), $node->safe_psql('original', $sql), $name);
}

my $alice = $node->safe_psql('original', "SELECT id FROM auth.users WHERE email LIKE 'alice%'");
is(as_user($node, 'custom3', $alice, 'SELECT calls FROM vrm.user_dashboard()'), '12',
    'what is restored works: a user sees her calls');
is($node->safe_psql('custom3', "ALTER TABLE vrm.run_events DISABLE TRIGGER complain; "
          . "SELECT vrm.install()"), newest_version($node), 'and vrm.install() finds nothing amiss');
same_text(rows($node, 'custom3'), $rows, 'nor changes a row');

# --- schema and data apart -----------------------------------------------------------------------

{
    my $schema = dump_to($node, 'original', "$directory/schema.sql", '--schema-only');
    my ($ok, $said) = restore_plain($schema, fresh('apart'));
    ok($ok, 'schema only: restored') or diag($said);
    is($node->safe_psql('apart', 'SELECT count(*) FROM vrm.user_profiles'), '0',
        'schema only: no row');
    # Rows that come alone find the triggers in place.  pg_dump's --disable-triggers would enable
    # them all afterwards, even one that the DBA had disabled.
    my $data = dump_to($node, 'original', "$directory/data.sql", '--data-only');
    local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
    ($ok, $said) = restore_plain($data, 'apart');
    ok($ok, 'data only: restored after it') or diag($said);
    $node->safe_psql('apart', 'REFRESH MATERIALIZED VIEW public.calls_by_agent');
    identical('apart', 'schema, then data');
}

# --- why vrm.install_platform = auto is the default ----------------------------------------------

{
    fresh('eager');
    $node->safe_psql('postgres', 'ALTER DATABASE eager SET vrm.install_platform = always');
    my ($ok, $said) = restore_plain("$directory/plain.sql", 'eager');
    ok(!$ok, 'always: a platform made by CREATE EXTENSION meets the one that the dump brings');
    like($said, qr/ERROR:  (schema "auth" is there|\S+ "\S+" already exists)/,
        'always: and the restore says so');
}

# --- to another server, roles and all ------------------------------------------------------------

{
    my $other = server('target');
    my $roles = "$directory/roles.sql";
    my $superuser = getpwuid $<;
    system_or_bail('pg_dumpall', '--roles-only', '--no-role-passwords', '-f', $roles, '-d',
        $node->connstr('postgres'));
    my $statements = slurp_file($roles);
    $statements =~ s/^(CREATE ROLE "?\Q$superuser\E"?;|\\(un)?restrict .*)\n//mg;
    like($statements, qr/^CREATE ROLE service_role;$/m, 'pg_dumpall has our roles');
    $other->safe_psql('postgres', $statements);
    $other->safe_psql('postgres', 'CREATE DATABASE moved TEMPLATE template0');
    command_ok(['pg_restore', '--exit-on-error', '-d', $other->connstr('moved'), $custom],
        'another server: restored');
    same_text(catalog($other, 'moved'), $catalog, 'another server: the same catalogs');
    same_text(rows($other, 'moved'), $rows, 'another server: the same rows');
    my $sql = 'SELECT rolname, rolsuper, rolcanlogin, rolbypassrls FROM pg_roles'
      . " WHERE rolname IN ('anon', 'authenticated', 'service_role', 'auditor') ORDER BY 1";
    is($other->safe_psql('postgres', $sql), $node->safe_psql('postgres', $sql),
        'another server: the same roles');
}

done_testing();
