# Seals of the audit trail where time and place are difficult: transactions that commit late, and a dump
# that is restored in a cluster whose transaction ids are far behind.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;
use VRM::Snapshot;

my $node = server('primary');
my $database = database($node, 'trail');

# Waits until so many entries have been sealed: an autovacuum's transaction holds seals up, too.
sub sealed {
    my ($on, $wanted) = @_;
    my $total = 0;
    for (1 .. 100) {
        $total += query($on, $database, 'SELECT vrm.audit_seal()');
        return $total if $total >= $wanted;
        select undef, undef, undef, 0.1;
    }
    return $total;
}

sub problems {
    my ($on) = @_;
    return query($on, $database, "SELECT coalesce(string_agg(problem, ', '), 'none') FROM vrm.audit_verify()");
}

# --- given a transaction that commits late, when others are sealed, then it is not left out --------

my $late = $node->background_psql($database);
$late->query_safe("BEGIN; SELECT vrm.audit_event('late')");
query($node, $database, "SELECT vrm.audit_event('early')");
is(query($node, $database, 'SELECT vrm.audit_seal()'), 0, 'nothing is sealed that began after one that runs');
$late->query_safe('COMMIT');
is(sealed($node, 2), 2, 'when it has committed both are');
is(problems($node), 'none', 'and nothing is missing or too much');

$late->query_safe("BEGIN; SELECT vrm.audit_event('rolled back'), vrm.audit_journal('kept', NULL)");
query($node, $database, 'SELECT vrm.audit_drain()');
$late->query_safe('ROLLBACK');
is(sealed($node, 1), 1, 'of what is rolled back the journal alone is sealed');
is(query($node, $database, 'SELECT vrm.audit_seal()'), 0, 'once');
$late->quit;

# --- given a dump with entries under seals and one that waits, when it is restored elsewhere --------

query($node, $database, "SELECT vrm.audit_event('waiting')");
my $head = query($node, $database, 'SELECT vrm.audit_head()');
my $dump = dump_to($node, $database, PostgreSQL::Test::Utils::tempdir . '/trail.sql');
my $behind = server('behind');
query($behind, 'postgres', "CREATE DATABASE $database");
$behind->command_ok(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $behind->connstr($database), '-f', $dump],
    'the trail is restored in a cluster');
# Its ids are made to be far behind those of the dump, as those of a new cluster are.
query($behind, $database, "UPDATE vrm.audit_log SET xid = '1000000'");
query($behind, $database, "SELECT vrm.audit_event('new')");
is(problems($behind), 'none', 'nothing is wrong before the first seal there');
is(sealed($behind, 2), 2, 'what waited is sealed with what is new');
query($behind, $database, "SELECT vrm.audit_event('newer')");
is(sealed($behind, 1), 1, 'then the next');
is(query($behind, $database, "SELECT count(*) FROM vrm.audit_verify('$head')"), 0, 'the old head is still one');
is(query($behind, $database, 'SELECT min(era) || max(era)::text FROM vrm_private.audit_seals'), '12',
    'a new era has begun');
query($behind, $database,
    "INSERT INTO vrm.audit_log (class, action, era, xid) VALUES ('security', 'made up', 1, '999')");
is(problems($behind), 'entry was added after the seal', 'and nobody adds to the one before');

$behind->stop;
$node->stop;
done_testing();
