# Upgrades: ALTER EXTENSION vrm UPDATE brings newer members, vrm.upgrade() takes the platform after
# them, step by step, all or nothing, and leaves the DBA's changes alone.  Versions 9.0.1 and later are
# made up here, in a copy of the installation; upgrade.pl comes from versions that were released.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Image;
use VRM::Server;
use VRM::Snapshot;

my $lib = "$FindBin::Bin/../lib";
my ($install_path, $extension) = private_image();
my $node = server('steps', install_path => $install_path);
my $current = newest_version($node);

sub sql { return $node->safe_psql(@_) }

sub lines_only_in {
    my ($text, $other) = @_;
    my %there = map { $_ => 1 } split /\n/, $other;
    return [grep { !$there{$_} } split /\n/, $text];
}

# The catalogs without what no two databases share: positions of sequences, ids of sealed columns.
sub shape {
    my ($database) = @_;
    return catalog($node, $database) =~ s/^sequence .*\n//mgr
      =~ s/bind_sealed\('[^']*'/bind_sealed(/gr;
}

sub write_file {
    my ($name, $text) = @_;
    unlink "$extension/$name";
    append_to_file("$extension/$name", $text);
    return;
}

# --- given: today's version with rows and a DBA's changes ------------------------------------------

for my $name (qw(plain customised failing)) {
    database($node, $name);
    sql($name, slurp_file("$lib/sample.sql")) if $name ne 'failing';
}
sql('customised', slurp_file("$lib/customised.sql"));
my $before = shape('customised');
my $old_dump = dump_to($node, 'customised', PostgreSQL::Test::Utils::tempdir() . '/old.sql');

# --- when: versions 9.0.1 and 9.0.2 appear -------------------------------------------------------

my %step = ("$current--9.0.1" => <<'SQL', '9.0.1--9.0.2' => <<'SQL');
ALTER TABLE vrm.agents ADD COLUMN language text;
COMMENT ON COLUMN vrm.agents.language IS 'what it speaks';
UPDATE vrm.agents SET language = 'en';
DROP POLICY "users manage their own metrics" ON vrm.metrics;
COMMENT ON TABLE vrm.run_events IS 'what happened';
SQL
ALTER TABLE vrm.agents ADD COLUMN dialect text;
COMMENT ON COLUMN vrm.agents.dialect IS 'how it speaks';
ALTER TABLE vrm.test_case_templates ADD CONSTRAINT polite CHECK (name NOT LIKE '%damn%');
SQL

my $script = slurp_file("$extension/vrm--$current.sql");
$script =~ s/(COMMENT ON TABLE vrm\.run_events IS\s+').*?(';)/$1what happened$2/sg
  or die 'no comment on run_events';

# Writes what a release consists of: the install script, and the way there from the one before.
sub release {
    my ($from, $version, $addition, @steps) = @_;
    $script =~ s/(?=\$platform\$ \$library\$;)/$addition/ or die 'no end of the platform';
    my $values = join '', map { sprintf "    ('%s', '%s', \$platform\$%s\$platform\$),\n",
          split(/--/), $step{$_} } @steps;
    my $install = $script =~ s/vrm\.platform_steps.*?\(VALUES\n\K/$values/sr;
    my ($members) = $install =~ /(CREATE FUNCTION vrm\.platform_steps.*?\$library\$;)/s;
    my ($platform) = $install =~ /(CREATE FUNCTION vrm\.platform_script.*?\$library\$;)/s;
    write_file("vrm--$version.sql", $install);
    write_file("vrm--$from--$version.sql",
        "$members\n$platform\n" =~ s/^CREATE FUNCTION/CREATE OR REPLACE FUNCTION/mgr);
    my $control = slurp_file("$extension/vrm.control");
    write_file('vrm.control', $control =~ s/(?<=default_version = ')[^']*/$version/r);
    return;
}

release($current, '9.0.1', <<'SQL', "$current--9.0.1");
ALTER TABLE vrm.agents ADD COLUMN IF NOT EXISTS language text;
COMMENT ON COLUMN vrm.agents.language IS 'what it speaks';
CREATE TABLE IF NOT EXISTS vrm.languages (name text PRIMARY KEY);
COMMENT ON TABLE vrm.languages IS 'new in 9.0.1';
SELECT vrm_private.guard_tables();  -- as the pass for all tables does, which comes after tables
SQL

# --- 9.0.1: what is new comes, what the DBA did stays --------------------------------------------

sql('customised', 'ALTER EXTENSION vrm UPDATE');
is(sql('customised', 'SELECT vrm.platform_version()'), $current,
    'ALTER EXTENSION leaves the platform alone');
is(error_of($node, 'customised', 'SELECT vrm.install()'),
    "55000: the platform is at version $current"
      . ' | DETAIL:  The members of the extension are at version 9.0.1.'
      . ' | HINT:  SELECT vrm.upgrade();', 'vrm.install() says what to do');
is(sql('customised', 'SELECT vrm.upgrade()'), '9.0.1', 'vrm.upgrade() takes it along');
is(sql('customised', 'SELECT vrm.platform_version()'), '9.0.1', 'which is recorded');
is(sql('customised', 'SELECT DISTINCT language FROM vrm.agents'), 'en', 'the step has run');

my $after = shape('customised');
is_deeply([map { s/^(\w+ \S+( \d+ \w+)?).*/$1/r } @{ lines_only_in($before, $after) }],
    ['extension vrm', 'policy vrm.metrics', 'relation vrm.run_events',
        'routine vrm.platform_script()', 'routine vrm.platform_steps()'],
    'of what the DBA had, only what the step replaces has changed')
  or diag(join "\n", @{ lines_only_in($before, $after) });
ok((grep { /^relation vrm\.languages r .*new in 9\.0\.1/ } @{ lines_only_in($after, $before) }),
    'vrm.install() has made what is new');
is(sql('customised', 'SELECT vrm.upgrade()'), '9.0.1', 'another vrm.upgrade() finds nothing to do');
same_text(shape('customised'), $after, 'and does nothing');
my $history = q{SELECT string_agg(version, ' ' ORDER BY id) FROM vrm_private.platform_history};
is(sql('customised', $history),
    "$current 9.0.1", 'the history has each version once');

sql('plain', 'ALTER EXTENSION vrm UPDATE; SELECT vrm.upgrade()');
database($node, 'fresh');
is(sql('fresh', 'SELECT vrm.platform_version()'), '9.0.1', 'given a database new with 9.0.1');
same_text(shape('plain'), shape('fresh'), 'the upgraded one has the same catalogs');

# --- 9.0.2: a step that fails --------------------------------------------------------------------

release('9.0.1', '9.0.2', <<'SQL', "$current--9.0.1", '9.0.1--9.0.2');
ALTER TABLE vrm.agents ADD COLUMN IF NOT EXISTS dialect text;
COMMENT ON COLUMN vrm.agents.dialect IS 'how it speaks';
ALTER TABLE vrm.test_case_templates ADD CONSTRAINT polite CHECK (name NOT LIKE '%damn%');
SQL

sql('failing', "INSERT INTO vrm.test_case_templates (name) VALUES ('damn it')");
sql('failing', 'ALTER EXTENSION vrm UPDATE');
my ($shape, $rows) = (shape('failing'), rows($node, 'failing'));
like(error_of($node, 'failing', 'SELECT vrm.upgrade()'),
    qr/^23514: check constraint "polite" of relation "test_case_templates" is violated/,
    'a row of the DBA is in the way of the second step');
same_text(shape('failing'), $shape,
    'then everything is as it was, the first step undone');
same_text(rows($node, 'failing'), $rows, 'every row, too');
is(sql('failing', 'SELECT vrm.platform_version()'), $current, 'and the version');
sql('failing', "DELETE FROM vrm.test_case_templates WHERE name LIKE '%damn%'");
is(sql('failing', 'SELECT vrm.upgrade()'), '9.0.2', 'without it both steps run');
is(sql('failing', $history), "$current 9.0.1 9.0.2", 'one after the other');

# --- an older platform under newer members -------------------------------------------------------

my $said = '';
sql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
ok(IPC::Run::run(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $old_dump, '-d',
            $node->connstr('restored')], '>', \my $out, '2>', \$said),
    'a dump of today is restored where 9.0.2 is installed') or diag($said);
is(sql('restored', 'SELECT vrm.platform_version()'), $current, 'with its platform');
is(sql('restored', 'SELECT vrm.upgrade()'), '9.0.2', 'which is upgraded');
is(sql('restored', 'SELECT DISTINCT language FROM vrm.agents'), 'en', 'rows and all');

$said = '';
$node->psql('plain', 'SET client_min_messages = error; DROP EXTENSION vrm CASCADE;'
      . ' RESET client_min_messages; CREATE EXTENSION vrm', stderr => \$said, on_error_die => 1);
like($said, qr/NOTICE:  platform of vrm 9\.0\.2 installed/,
    'CREATE EXTENSION upgrades a platform that DROP EXTENSION CASCADE has left');
database($node, 'newest');
same_text(shape('plain'), shape('newest'), 'to the same catalogs as in a new database');

# --- no way there --------------------------------------------------------------------------------

release('9.0.2', '9.0.3', '', "$current--9.0.1", '9.0.1--9.0.2');
sql('plain', 'ALTER EXTENSION vrm UPDATE');
is(error_of($node, 'plain', 'SELECT vrm.upgrade()'),
    '55000: there is no upgrade of the platform from version 9.0.2 to 9.0.3'
      . ' | DETAIL:  The members of the extension are at version 9.0.3.'
      . ' | HINT:  Install the files of a newer vrm, then: ALTER EXTENSION vrm UPDATE;',
    'a release without its step is refused');

done_testing();
