# What a DBA does to retention's own tables, and others to calls, while a run is under way or a hold is given.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Calls;
use VRM::Server;

my $node = server('dba');
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }

# Starts a run in a session of its own.
sub begin_run {
    my ($policy) = @_;
    my $session = $node->background_psql('app', on_error_stop => 0);
    $session->query_until(qr/begun/, "\\echo begun\nCALL vrm.run_retention('$policy');\n");
    return $session;
}

# --- the log of runs is emptied while one of them runs -------------------------------------------------

old_calls($node, 'app', $alice, 500);
sql(q{UPDATE vrm.retention_policies SET batch_rows = 10, batch_target = '1 ms', nice_ratio = 50});
my $run = begin_run('calls.completed');
$node->poll_query_until('app', 'SELECT count(*) > 0 FROM vrm_private.test_runs_archive');
my $offset = -s $node->logfile;
sql('TRUNCATE vrm.retention_runs CASCADE');
ok($node->wait_for_log(qr/ERROR:  retention run \d+ is not in the log/, $offset), 'a run whose row is gone ends with an error');
eval { $run->quit };
is(sql('SELECT 1'), '1', '... and the server goes on');
sql(q{UPDATE vrm.retention_policies SET batch_rows = 100, batch_target = '100 ms', nice_ratio = 0});
sql(q{CALL vrm.run_retention()});
is(sql('SELECT count(*) FROM vrm.test_runs'), '0', '... as does the next run');

$node->stop;
done_testing();
