# Archiving while servers die: a backend killed, the whole server, a file system that is full, a primary
# whose standby takes over.  What was committed stays, each call is in one place, the next run goes on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use VRM::Calls;
use VRM::Server;

my $node = server('crash', allows_streaming => 1);
$node->append_conf('postgresql.conf', "restart_after_crash = on\nfsync = on\n");
$node->restart;
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }

my $slowly = q{UPDATE vrm.retention_policies SET nice_ratio = 3, batch_rows = 10, batch_target = '5 ms'};
my $quickly = q{UPDATE vrm.retention_policies SET nice_ratio = 0, batch_rows = 200, batch_target = '100 ms'};
sql("CREATE EXTENSION amcheck; $slowly");

# Starts a run that goes on until something ends it; gives the process of psql.
sub run_until {
    my ($batches) = @_;
    my $said = '';
    my $run = IPC::Run::start(['psql', '-X', '-q', '-d', $node->connstr('app'), '-c',
            "CALL vrm.run_retention('calls.completed')"], '>', \$said, '2>', \$said);
    # of this run, not of one that was killed and has not been noticed yet
    $node->poll_query_until('app', "SELECT count(*) = 1 FROM vrm.retention_progress p
        JOIN pg_stat_activity a ON a.pid = p.pid AND a.query LIKE 'CALL%' WHERE p.batches >= $batches");
    return $run;
}

my $check_indexes = q{SELECT count(bt_index_check(i.indexrelid, true)) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree'
    WHERE c.relkind = 'i' AND i.indrelid::regclass::text ~ '^vrm(_private)?[.].*(runs|archive|pg_toast)'};
my $check_heaps = q{SELECT count(*) FROM unnest('{vrm.test_runs,vrm_private.archive_manifest,vrm.retention_runs}'::regclass[]
    || (SELECT array_agg(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'vrm_private.test_runs_archive'::regclass)) AS r,
    verify_heapam(r)};

sub is_whole {
    my ($expected, $how) = @_;
    is(all_calls($node, 'app'), $expected, "$how: each call is there once, with its content");
    is(sql('SELECT coalesce(bool_and(ok), true) FROM vrm.verify_archive()'), 't', "$how: the archive is as the manifest says");
    cmp_ok(sql($check_indexes), '>', 5, "$how: indexes are sound");
    is(sql($check_heaps), '0', "$how: tables are sound");
    return;
}

# --- kill -9 -------------------------------------------------------------------------------------------

old_calls($node, 'app', $alice, 3000);
my $calls = all_calls($node, 'app');
for my $how ('a backend', 'the server') {
    my $run = run_until(5);
    my $done = sql('SELECT max(rows_done) FROM vrm.retention_progress');
    if ($how eq 'a backend') {
        until_restarted($node, 'app', sub { kill 'KILL', sql('SELECT max(pid) FROM vrm.retention_progress') });
    } else {
        # All of them: backends whose postmaster alone dies would finish the run.
        my @processes = split /\n/, sql("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()");
        $node->kill9;
        kill 'KILL', @processes;
        usleep(50_000) while grep { kill 0, $_ } @processes;
        $node->start;
    }
    eval { $run->finish };
    cmp_ok(sql('SELECT count(*) FROM vrm_private.test_runs_archive'), '>=', $done, "$how killed: what was committed stays");
    is_whole($calls, "$how killed");
}
sql($quickly);
sql('CALL vrm.run_retention()');
is(sql(q{SELECT string_agg(policy || ' ' || state, ', ' ORDER BY run_id) FROM vrm.retention_runs WHERE policy LIKE 'calls.%'}),
    'calls.completed interrupted, calls.completed interrupted, calls.completed done, calls.failed done',
    'the log tells which runs died, and the next one has done the rest');
is(sql('SELECT count(*) FROM vrm.test_runs'), '0', 'nothing is left to do');
is_whole($calls, 'after it all');

# --- a full file system ----------------------------------------------------------------------------------

# A limit on the size of files stands for it: the server meets it in the same place, when it extends one.
SKIP: {
    my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
    sql('CHECKPOINT');
    my $size = sql(q{SELECT max(pg_relation_size(c.reltoastrelid)) FROM pg_class c WHERE c.relname LIKE 'test_runs_archive%' AND c.relkind = 'r'});
    skip 'prlimit is not installed', 6 if system('prlimit --version >/dev/null 2>&1') != 0;
    old_calls($node, 'app', $alice, 3000);
    $calls = all_calls($node, 'app');
    my $limit = 16 * 1024 * 1024 + 8192;
    $limit = $size + 2 * 1024 * 1024 if $size + 2 * 1024 * 1024 > $limit;
    system_or_bail('prlimit', '--pid', $postmaster, "--fsize=$limit:unlimited");
    like(error_of($node, 'app', 'CALL vrm.run_retention()'), qr/could not (extend|write)/, 'full: the run fails');
    system_or_bail('prlimit', '--pid', $postmaster, '--fsize=unlimited:unlimited');
    is_whole($calls, 'full');
    sql('CALL vrm.run_retention()');
    is(sql('SELECT count(*) FROM vrm.test_runs'), '0', 'full: when there is room again, the next run does the rest');
}

# --- a standby takes over ----------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
old_calls($node, 'app', $alice, 1500);
$calls = all_calls($node, 'app');
$node->wait_for_catchup($standby);
like(error_of($standby, 'app', 'CALL vrm.run_retention()'), qr/^25006: cannot run on a standby/, 'a standby is no place for it');
is($standby->safe_psql('app', 'SELECT count(*) > 0 FROM vrm.retention_preview()'), 't', 'but can preview');
is($standby->safe_psql('app', 'SELECT bool_and(ok) FROM vrm.verify_archive()'), 't', '... and verify');

# It is late because nothing is replayed there.
$standby->safe_psql('app', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('app', q{SELECT pg_get_wal_replay_pause_state() = 'paused'});
sql(q{UPDATE vrm.retention_policies SET nice_ratio = 0, batch_rows = 10, batch_target = '1 ms', max_lag = '10 ms'});
my $late = run_until(1);
ok($node->poll_query_until('app', q{SELECT count(*) = 1 FROM vrm.retention_progress p JOIN pg_stat_activity a USING (pid)
    WHERE a.wait_event = 'Extension'}), 'a run waits for a standby that is late');
cmp_ok(sql('SELECT rows_done FROM vrm.retention_progress'), '<', 1000, '... having done little before');
cmp_ok(sql('SELECT vrm_private.replica_lag_ms()'), '>', 10, '... as long as that is so');
$standby->safe_psql('app', 'SELECT pg_wal_replay_resume()');
ok($node->poll_query_until('app', 'SELECT count(*) = 0 FROM vrm.retention_progress'), '... and goes on when it has caught up');
$late->finish;
is(sql('SELECT count(*) FROM vrm.test_runs'), '300', '... to the end');

old_calls($node, 'app', $alice, 1500);
$calls = all_calls($node, 'app');
sql($slowly);
my $run = run_until(5);
$node->stop('immediate');
eval { $run->finish };
$standby->promote;
$node = $standby;
is_whole($calls, 'promoted');
sql($quickly);
sql('CALL vrm.run_retention()');
is(sql('SELECT count(*) FROM vrm.test_runs'), '0', 'promoted: the next run does the rest');
is_whole($calls, 'promoted and done');
$node->stop;
done_testing();
