# The real things on loopback: postgres_exporter reads a server as a member of pg_monitor, Prometheus
# reads the exporter and judges by vrm.prometheus_rules(), Alertmanager is told.  At rest nobody is;
# then each kind of trouble that the platform has to notice is made, noticed and mended.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../cluster/lib", "$FindBin::Bin/lib";
use Test::More;
use VRM::Alerting;
use VRM::Server;

my $absent = VRM::Alerting::absent();
plan skip_all => "not installed: $absent" if $absent;

# --- a server that is watched --------------------------------------------------------------------------

my $node = server('watched', has_archiving => 1, allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
max_connections = 30
shared_preload_libraries = 'pg_stat_statements'
CONF
$node->restart;
database($node, 'app');

sub sql { return query($node, 'app', $_[0]) }

sql(<<'SQL');
CREATE EXTENSION pg_stat_statements;
CREATE ROLE watcher LOGIN IN ROLE pg_monitor;
UPDATE vrm.alert_threshold SET hold = '0';
-- the disk of who runs this test is their own business, until it is made ours
UPDATE vrm.alert_threshold SET threshold = 2 WHERE metric = 'vrm_storage_disk_used_ratio';
SQL
my $good_command = sql('SHOW archive_command');
sql('CREATE TABLE change (x text)');
sql('SELECT pg_switch_wal()');
$node->poll_query_until('app', 'SELECT archived_count > 0 FROM pg_stat_archiver') or die "nothing is archived\n";

my $alerting = VRM::Alerting->new($node, 'app', 'watcher');

# --- at rest ---------------------------------------------------------------------------------------------

my $measured = q{count by (__name__) ({__name__=~"vrm_.+"})};
my $registered = sql(q{SELECT string_agg(name, ' ' ORDER BY name COLLATE "C") FROM (SELECT DISTINCT name FROM vrm.monitoring()) AS s});
ok($alerting->eventually(sub { join(' ', sort map { $_->{metric}{__name__} } $alerting->ask($measured)) eq $registered }),
    'every metric arrives at Prometheus');
is(($alerting->ask('vrm_statements_recorded'))[0]{value}[1], '1', 'pg_stat_statements is read');
$alerting->evaluated;
is(join(' ', $alerting->firing), '', 'at rest no alert fires');
is(sql('SELECT count(*) FROM vrm.alerts()'), '0', 'nor is there one in the database');

# --- too many connections --------------------------------------------------------------------------------

my @sessions = map { $alerting->session('SELECT 1') } 1 .. 24;
ok($alerting->fires('HighConnectionCount'), 'connections: the alert fires');
is(sql(q{SELECT count(*) FROM vrm.alerts() WHERE alert = 'HighConnectionCount'}), '1', 'and is in the database');
$_->finish for @sessions;
ok($alerting->resolves('HighConnectionCount'), 'and ends with them');

# --- a statement that takes too long -----------------------------------------------------------------------

sql(q{UPDATE vrm.alert_threshold SET threshold = 2 WHERE alert = 'SlowQuery'});
$alerting->new_rules;
my $slow = $alerting->session('SELECT pg_sleep(3600)');
ok($alerting->fires('SlowQuery'), 'slow query: the alert fires');
is(sql(q{SELECT count(*) FROM vrm.alerts() WHERE alert = 'SlowQuery'}), '1', 'and is in the database');
sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3600)%' AND pid <> pg_backend_pid()});
ok($alerting->resolves('SlowQuery'), 'and ends when it is cancelled');
$slow->finish;

# --- what is long, and is not slow --------------------------------------------------------------------------

my $longest = q{SELECT value FROM vrm.monitoring('{statements}') WHERE name = 'vrm_statements_longest_seconds'};
my $procedure = $alerting->session('DO $$ BEGIN LOOP PERFORM pg_sleep(0.1); COMMIT; END LOOP; END $$');
$node->poll_query_until('app', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'DO %' AND query_start < clock_timestamp() - interval '3 s'})
  or die "the procedure does not run\n";
cmp_ok(sql($longest), '<', 3, 'a procedure is as old as its last COMMIT');
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO %'});
my $aborted = $alerting->session('BEGIN; SELECT 1 / 0');
ok($node->poll_query_until('app', q{SELECT value = 1 FROM vrm.monitoring('{connections}')
    WHERE name = 'vrm_connections_client_sessions' AND labels = '{"state": "idle_in_transaction_aborted"}'}), 'a transaction that failed and stays open is told');
$aborted->finish;

# --- storage -----------------------------------------------------------------------------------------------

sql(q{UPDATE vrm.alert_threshold SET enabled = true, threshold = pg_database_size('app') + 10e6 WHERE alert = 'DatabaseTooLarge'});
$alerting->new_rules;
$alerting->evaluated;
is(join(' ', $alerting->firing), '', 'storage: below the threshold nothing fires');
sql(q{CREATE TABLE large AS SELECT repeat('x', 1000) FROM generate_series(1, 20000)});
ok($alerting->fires('DatabaseTooLarge'), 'beyond it the alert fires');
sql('DROP TABLE large');
ok($alerting->resolves('DatabaseTooLarge'), 'and ends once there is room');

sql(q{UPDATE vrm.alert_threshold SET threshold = 0.000001 WHERE alert = 'StorageThresholdExceeded'});
$alerting->new_rules;
ok($alerting->fires('StorageThresholdExceeded'), 'when more is used of the disk than the threshold, the alert fires');
sql(q{UPDATE vrm.alert_threshold SET threshold = 2 WHERE alert = 'StorageThresholdExceeded'});
$alerting->new_rules;
ok($alerting->resolves('StorageThresholdExceeded'), 'and ends when it is less');

# --- backup ------------------------------------------------------------------------------------------------

sub archive_with {
    my ($command) = @_;
    sql("ALTER SYSTEM SET archive_command = '" . $command =~ s/'/''/gr . "'");
    sql('SELECT pg_reload_conf()');
    $node->poll_query_until('app', "SELECT current_setting('archive_command') = '" . $command =~ s/'/''/gr . "'");
    sql("INSERT INTO change VALUES ('x'); SELECT pg_switch_wal()");
}
archive_with('false');
ok($alerting->fires('WalArchivingFailed'), 'backup: when WAL cannot be archived the alert fires');
archive_with($good_command);
ok($alerting->resolves('WalArchivingFailed'), 'and ends when it can');

sub record_backup {
    my ($label, $failed) = @_;
    sql(qq{SELECT vrm.record_backup(jsonb_build_array(jsonb_build_object('label', '$label', 'kind', 'full',
        'started_at', now(), 'finished_at', now(), 'failed', $failed)), 'plain')});
}
record_backup('monday', 'true');
ok($alerting->fires('BackupFailed'), 'when a backup has failed the alert fires');
is(sql(q{SELECT count(*) FROM vrm.alerts() WHERE alert = 'BackupFailed'}), '1', 'and is in the database');
record_backup('tuesday', 'false');
ok($alerting->resolves('BackupFailed'), 'and ends with the next one that is good');

# --- what holds a lock -------------------------------------------------------------------------------------

my $holder = $alerting->session('BEGIN; LOCK TABLE vrm.test_runs');
$node->poll_query_until('app', q{SELECT count(*) > 0 FROM pg_locks WHERE relation = 'vrm.test_runs'::regclass AND granted AND mode = 'AccessExclusiveLock'});
my $families = query($node, 'app', q{SET client_min_messages = error; SET ROLE watcher;
    SELECT string_agg(DISTINCT family, ' ' ORDER BY family) FROM vrm.monitoring() JOIN vrm.monitoring_metrics USING (name)});
is($families, 'agents backup calls connections maintenance replication statements storage', 'a lock on a table costs the families that read it');
cmp_ok(sql(q{SELECT value FROM vrm.monitoring('{connections}') WHERE name = 'vrm_connections_longest_idle_in_transaction_seconds'}), '>', 0,
    'and is told as an idle transaction');
$holder->finish;

$alerting->evaluated;
is(join(' ', $alerting->firing), '', 'in the end no alert fires');
$alerting->stop;
$node->stop;
done_testing();
