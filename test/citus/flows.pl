# The tests of one node, in a database whose whole archive is on nodes, even the month under way and the next: what
# archives, restores, erases, exports, moves, judges and verifies calls does it there, and the rest does not notice.
# VRM_CITUS_FLOWS names some of them: retention/holds.sql,operations/export.sql
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../cluster/lib";
use File::Find;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Nodes;
use VRM::Server;

need_citus();
my $tests = "$FindBin::Bin/../sql";

# What is otherwise there: all of a file, or some of its tests, and why.
my %differs = (
    'operations/doctor.sql' => [[3], 'the test cluster logs statements'],
    'operations/setup.sql' => [[7], 'tokens have an issuer'],
    'operations/tenants.sql' => [[20, 21], 'Citus is installed'],
    'platform/boundary_example.sql' => [[], 'it needs a module of its own'],
    'platform/boundary.sql' => [[], 'it needs a module of its own'],
    'platform/placements.sql' => [[], 'it makes catalogs that Citus has'],
    'retention/archive.sql' => [[33], 'calls go to a node by statements'],
    'retention/compression.sql' => [[], 'months on nodes are not compressed'],
);

my ($here, @workers) = map { node($_) } qw(coordinator left right);
$here->safe_psql('calls', <<'SQL');
SET client_min_messages = warning;
SET citus.enable_ddl_propagation = off;
CREATE EXTENSION pgtap;
CREATE EXTENSION vrm;
ALTER DATABASE calls SET citus.enable_ddl_propagation = off;
SQL
join_nodes($here, @workers);
query($here, 'calls', <<'SQL');
SET client_min_messages = warning;
SELECT vrm_private.prepare_nodes();
SELECT format('SELECT vrm_private.copy_to_nodes(%1$L, 4)', i.inhrelid::regclass),
       format('SELECT vrm_private.leave_to_nodes(%1$L)', i.inhrelid::regclass)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass AND c.relname !~ '_rest$' \gexec
SQL
is(query($here, 'calls', 'SELECT count(*) FROM vrm_private.tables_on_nodes() t, pg_class c'
          . ' WHERE c.oid = t.relation AND c.relispartition'),
    2, 'the archive is on nodes');

# The tests of a file that failed, by number; more than there are when it broke off.
sub failures {
    my ($file) = @_;
    my ($said, $complained) = ('', '');
    IPC::Run::run(
        ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-P', 'pager=off', '-d', $here->connstr('calls'),
            '-f', "$tests/$file"], '>', \$said, '2>', \$complained);
    my ($planned) = $said =~ /^1\.\.(\d+)/m;
    my $ran = () = $said =~ /^(?:not )?ok \d/mg;
    my @failed = $said =~ /^not ok (\d+)/mg;
    if (!defined $planned || $ran != $planned) {
        push @failed, 'broke off';
        diag($complained);
    }
    return @failed;
}

my @files;
find(sub { push @files, $File::Find::name =~ s{^\Q$tests\E/}{}r if /\.sql$/ }, $tests);
@files = sort grep { !m{^include/} } @files;
@files = split /,/, $ENV{VRM_CITUS_FLOWS} if $ENV{VRM_CITUS_FLOWS};
for my $file (@files) {
    my ($expected, $reason) = @{ $differs{$file} // [[], undef] };
  SKIP: {
        skip "$file: $reason", 1 if defined $reason && !@$expected;
        is(join(' ', failures($file)), join(' ', @$expected), $file . (defined $reason ? ": $reason" : ''));
    }
}

$_->stop for $here, @workers;
done_testing();
