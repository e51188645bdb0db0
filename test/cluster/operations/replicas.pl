# Replicas: how far behind they say they are while they follow, stand still and are cut off; waiting for
# what was written; and what a promoted one knows of attempts and keys.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

# --- given: a primary with a locked account and a sealed value, and a standby with a slot -----------

my $primary = server('primary', allows_streaming => 1);
$primary->append_conf('postgresql.conf', <<'SETTINGS');
vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='
vrm.secret_literals = allow
wal_receiver_timeout = 10min
SETTINGS
$primary->reload;
database($primary, 'app');
$primary->safe_psql('app', <<'SQL');
SELECT vrm.key_create('data'), vrm.key_create('blind_index');
CREATE TABLE vault (id bigint PRIMARY KEY, secret vrm.sealed);
SELECT vrm.seal_column('vault', 'secret');
INSERT INTO vault VALUES (1, vrm.seal('sesame'));
CREATE TABLE written (n integer);
SELECT pg_create_physical_replication_slot('standby');
SQL
my $alice = person($primary, 'app', 'alice@example.org');
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "primary_slot_name = 'standby'\nwal_receiver_status_interval = 1s");
$standby->start;
my $guess = "SELECT status FROM vrm.sign_in('alice\@example.org', 'wrong horse')";
$primary->safe_psql('app', $guess) for 1 .. 5;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

sub metric {
    my ($node, $name) = @_;
    return query($node, 'app', "SELECT value FROM vrm.monitoring('{replication}') WHERE name = 'vrm_replication_$name'");
}

sub status {
    my ($node, $columns, $role) = @_;
    return query($node, 'app', "SELECT $columns FROM vrm.replica_status() WHERE role = '$role'");
}

# Writes a row on the primary; gives where it is in the WAL.
sub write_row {
    query($primary, 'app', 'INSERT INTO written VALUES (1)');
    return query($primary, 'app', 'SELECT pg_current_wal_insert_lsn()');
}

# --- following --------------------------------------------------------------------------------------

my $there = write_row();
is(query($standby, 'app', "SELECT vrm.wait_for('$there', '3 min')"), 't', 'the standby gets there');
is(query($standby, 'app', 'SELECT count(*) FROM written'), 1, 'and shows what was written');
is(query($primary, 'app', "SELECT vrm.wait_for('$there', '0')"), 't', 'the primary is there already');
ok($standby->poll_query_until('app', "SELECT (state, lag_bytes, lag) = ('streaming', 0, '0') FROM vrm.replica_status()"),
    'the standby says that it is up to date');
ok($primary->poll_query_until('app', "SELECT (state, lag_bytes) = ('streaming', 0) FROM vrm.replica_status() WHERE role = 'standby'"),
    'so does its primary of it');
is(status($primary, 'slot', 'standby'), 'standby', 'with its slot');
is(metric($standby, 'lag_seconds') . metric($standby, 'lag_bytes'), '00', 'and so do the metrics');

# --- what can be mended there -----------------------------------------------------------------------------

is(query($standby, 'app', q{SELECT count(*) FROM vrm.doctor() WHERE fix_sql !~ '^ALTER SYSTEM'}), '0',
    'on a standby the doctor has fixes for settings alone');
is(query($standby, 'app', q{SELECT status FROM vrm.doctor() WHERE check_name = 'maintenance'}), 'unknown',
    'and does not say that somebody calls vrm.maintain()');
is(query($standby, 'app', q{SELECT count(*) FROM vrm.setup() WHERE sql ~ 'CREATE|CALL|_create|rotate'}), '0', 'nor does vrm.setup()');

my $copy = IPC::Run::start(['pg_basebackup', '-c', 'fast', '-X', 'none', '--max-rate', '32k', '-D', $primary->basedir . '/copy', '-d', $primary->connstr]);
ok($primary->poll_query_until('app', q{SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'backup')}), 'given a backup that is being made');
is(query($primary, 'app', q{SELECT count(*) FROM vrm.doctor() WHERE check_name = 'standbys' AND detail ~ 'basebackup'}), '0', 'it is no standby');
$copy->kill_kill;

# --- standing still ---------------------------------------------------------------------------------

query($standby, 'app', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('app', "SELECT pg_get_wal_replay_pause_state() = 'paused'");
my $next = write_row();
is(query($standby, 'app', "SELECT vrm.wait_for('$next', '50 ms')"), 'f', 'what is not replayed is waited for in vain');
is(query($standby, 'app', "SELECT vrm.wait_for('$next', '0')"), 'f', 'or only looked for');
is(query($standby, 'app', "SELECT vrm.wait_for('$there', '0')"), 't', 'what was before is there');
like(error_of($standby, 'app', "SET statement_timeout = '200ms'; SELECT vrm.wait_for('$next', '1 h')"),
    qr/^57014: /, 'whoever waits can be interrupted');
like(error_of($standby, 'app', "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT vrm.wait_for('$next', '1 s')"),
    qr/^25001: .*READ COMMITTED/, 'and does not wait for what the transaction would not see');
like(error_of($standby, 'app', "SELECT vrm.wait_for('$next', '-1 s')"), qr/^22023: .*negative/, 'time runs forward');
like(error_of($standby, 'app', "SELECT vrm.wait_for(NULL)"), qr/^22004: lsn/, 'a null is no place');
like(error_of($standby, 'app', "SELECT vrm.wait_for('$next', NULL)"), qr/^22004: timeout/, 'nor a time');
$standby->poll_query_until('app', "SELECT received >= '$next' FROM vrm.replica_status()");
is(status($standby, "state, lag_bytes > 0, lag > '0'", 'standby'), 'paused|t|t', 'it says that it is behind');
cmp_ok(metric($standby, 'lag_seconds'), '>', 0, 'in seconds');
ok($primary->poll_query_until('app', "SELECT lag_bytes > 0 FROM vrm.replica_status() WHERE role = 'standby'"),
    'the primary sees it, too');

my $waiting = $standby->background_psql('app');
$waiting->query_until(qr/go/, "\\echo go\nSELECT 'waited: ' || vrm.wait_for('$next', '3 min');\n");
query($standby, 'app', 'SELECT pg_wal_replay_resume()');
$waiting->quit;
is(query($standby, 'app', "SELECT vrm.wait_for('$next', '3 min')"), 't', 'until it goes on');

# --- cut off ----------------------------------------------------------------------------------------

my $connection = query($standby, 'app', 'SHOW primary_conninfo');
query($standby, 'app', "ALTER SYSTEM SET primary_conninfo = 'host=/nowhere'");
$standby->reload;
$standby->poll_query_until('app', 'SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)');
$primary->poll_query_until('app', 'SELECT NOT EXISTS (SELECT FROM pg_stat_replication)');
my $missed = write_row();
is(status($standby, "state, lag_bytes IS NULL, lag > '0'", 'standby'), 'cut off|t|t',
    'a standby that is cut off says so, and does not know what it misses');
cmp_ok(metric($standby, 'lag_seconds'), '>', 0, 'it is behind');
is(metric($standby, 'lag_bytes'), 'NaN', 'by nobody knows how much');
is(status($primary, 'name, state, lag_bytes > 0, lag IS NULL', 'standby'), 'standby|cut off|t|t',
    'the primary knows by its slot');
is(query($standby, 'app', "SELECT vrm.wait_for('$missed', '50 ms')"), 'f', 'what it missed does not come');
query($standby, 'app', "ALTER SYSTEM SET primary_conninfo = '" . $connection =~ s/'/''/gr . "'");
$standby->reload;
is(query($standby, 'app', "SELECT vrm.wait_for('$missed', '3 min')"), 't', 'until the connection is back');

# --- a crash of the primary -------------------------------------------------------------------------

$primary->stop('immediate');
is(status($standby, "lag > '0'", 'standby'), 't', 'nobody is up to date with a primary that is gone');
$primary->start;
my $after = write_row();
is(query($standby, 'app', "SELECT vrm.wait_for('$after', '3 min')"), 't', 'the standby follows again');
ok($primary->poll_query_until('app', "SELECT value = 0 FROM vrm.monitoring('{replication}')"
          . " WHERE name = 'vrm_replication_lag_bytes'"),
    'a primary that has recovered from a crash is not behind itself');

# --- promotion --------------------------------------------------------------------------------------

is(query($standby, 'app', "SELECT vrm.is_locked('alice\@example.org')"), 't', 'the standby knows who is locked out');
is(query($standby, 'app', "SELECT vrm.reveal_row('vault', 'secret', '1')"), 'sesame', 'and opens sealed values');
my $far = query($primary, 'app', "SELECT pg_current_wal_insert_lsn() + 1e9");
my $hoping = $standby->background_psql('app', on_error_stop => 0);
$hoping->query_until(qr/go/, "\\echo go\nSELECT 'waited: ' || vrm.wait_for('$far', '1 h');\n");
$primary->stop;
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
like($hoping->query('SELECT 1'), qr/waited: false/, 'whoever waits for what a promoted server will never have is told');
$hoping->quit;
is(status($standby, 'state, lag_bytes', 'primary'), 'writing|0', 'the standby is the primary');
is(query($standby, 'app', "SELECT vrm.wait_for('$far', '1 min')"), 'f', 'it does not wait for itself');
is(query($standby, 'app', $guess), 'locked', 'the account is locked');
query($standby, 'app', "SELECT vrm.unlock_account('alice\@example.org')");
query($standby, 'app', $guess) for 1 .. 5;
is(query($standby, 'app', $guess), 'locked', 'attempts are counted on');
query($standby, 'app', "INSERT INTO vault VALUES (2, vrm.seal('open'))");
is(query($standby, 'app', "SELECT vrm.reveal_row('vault', 'secret', '2')"), 'open', 'values are sealed');

done_testing();
