# vrm.rpo(): what would be lost now is counted from the oldest commit that the archive has not, to the
# second: nothing on an idle server however long ago the archiver had work, and rising while it fails.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $directory = PostgreSQL::Test::Utils::tempdir;
my $switch = "$directory/works";
my $node = server('archiving', allows_streaming => 1);
$node->append_conf('postgresql.conf', <<"CONF");
archive_mode = on
archive_command = 'test -e "$switch" && cp "%p" "$directory/%f"'
autovacuum = off
CONF
$node->restart;
database($node, 'app');
$node->safe_psql('app', 'CREATE TABLE note (at timestamptz); CREATE TABLE load (filler text)');

sub sql { return $node->safe_psql('app', $_[0]) }

sub rpo { return sql('SELECT ' . ($_[0] // 'state') . ' FROM vrm.rpo()') }

sub becomes {
    my ($state, $name) = @_;
    ok($node->poll_query_until('app', "SELECT state = '$state' FROM vrm.rpo()"), $name)
      or diag(rpo('rpo'));
    return;
}

# Writes a row and gives the moment, of the server's clock, before the commit and after it.
sub write_row {
    return split /\|/, sql('SELECT clock_timestamp() AS before \gset' . "\n"
          . 'INSERT INTO note VALUES (now());' . "\n"
          . q{SELECT :'before', clock_timestamp()});
}

# Whether the exposure is the age of the commit that lies between two moments.
sub since {
    my ($before, $after) = @_;
    return rpo(qq{oldest_unarchived BETWEEN '$before' AND '$after'
                  AND exposure_seconds BETWEEN extract(epoch FROM statement_timestamp() - '$after'::timestamptz)
                                       AND extract(epoch FROM clock_timestamp() - '$before'::timestamptz)});
}

sub repair { append_to_file($switch, '') }

# --- nothing archived yet --------------------------------------------------------------------------

# The archiver has failed on a segment already where what was installed fills one.
is(rpo(q{state IN ('exposed', 'broken') AND exposure_seconds > 0}), 't',
    'before the first segment is archived all of it would be lost');

# --- idle ------------------------------------------------------------------------------------------

repair();
sql('SELECT pg_switch_wal()');
becomes('idle', 'archived: idle');
is(rpo('exposure_seconds, unarchived_bytes, waiting_segments'), '0|0|0', '... and nothing exposed');
sql('CHECKPOINT');
is(rpo('state, exposure_seconds'), 'idle|0', 'a checkpoint, the WAL of an idle server, is nothing to lose');

# --- the first write after that ----------------------------------------------------------------------

my @first = write_row();
is(rpo(), 'exposed', 'the first write after it exposes');
is(since(@first), 't', '... as long as it is ago');
is(sql(q{SELECT extract(epoch FROM clock_timestamp() - last_archived_time) > exposure_seconds
         FROM pg_stat_archiver, vrm.rpo()}), 't', '... and not as long as nothing was archived');
write_row();
is(since(@first), 't', 'the next one changes nothing');

# --- broken ------------------------------------------------------------------------------------------

unlink $switch or die "$switch: $!";
sql('SELECT pg_switch_wal()');
becomes('broken', 'an archiver that fails: broken');
is(since(@first), 't', '... exposed since the first write that is not archived');
write_row();
sql('SELECT pg_switch_wal()');
is(rpo('state, waiting_segments'), 'broken|2', '... and segments pile up');
is(since(@first), 't', '... but the oldest commit counts');
like(rpo('detail'), qr/^the archiver failed on [0-9A-F]{24} at 20/, '... with what failed');

# --- repaired ----------------------------------------------------------------------------------------

repair();
my @second = write_row();
sql('SELECT pg_switch_wal()');  # wakes the archiver
becomes('idle', 'repaired: idle again');
is(rpo('exposure_seconds'), '0', '... with nothing exposed');

# --- what is no commit -------------------------------------------------------------------------------

my $session = $node->background_psql('app');
$session->query_safe('BEGIN; INSERT INTO note VALUES (now());');
is(rpo('state, exposure_seconds, unarchived_bytes > 0'), 'idle|0|t', 'what is not committed cannot be lost');
$session->query_safe('COMMIT');
is(rpo(), 'exposed', '... until it is committed');

# --- too much to look through --------------------------------------------------------------------------

sql('SELECT pg_switch_wal()');
becomes('idle', 'given an idle server');
unlink $switch or die "$switch: $!";
$session->query_safe(q{BEGIN; INSERT INTO load SELECT repeat('x', 1900) FROM generate_series(1, 40000)});
is(rpo(q{oldest_unarchived = (SELECT last_archived_time FROM pg_stat_archiver), unarchived_bytes > 67108864}), 't|t',
    'where there is no commit in 64 MB the last segment archived counts');
$session->query_safe('ROLLBACK');
$session->quit;
repair();

# --- statistics reset, files removed -------------------------------------------------------------------

sql('SELECT pg_switch_wal()');
becomes('idle', 'given an idle server');
sql(q{SELECT pg_stat_reset_shared('archiver')});
is(rpo('state, exposure_seconds'), 'idle|0', 'without statistics the files tell');
@first = write_row();
is(since(@first), 't', '... with the next write, too');

# --- who asks, and where -----------------------------------------------------------------------------

sql('CREATE ROLE watcher LOGIN IN ROLE pg_monitor');
is($node->safe_psql('app', 'SELECT state FROM vrm.rpo()', extra_params => ['-U', 'watcher']), 'exposed',
    'a monitoring role asks');
like(error_of($node, 'app', "SET ROLE authenticated;\nSELECT vrm.rpo();"), qr/^42501: /, 'users do not');

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
is($standby->safe_psql('app', 'SELECT state, exposure_seconds IS NULL FROM vrm.rpo()'), 'standby|t',
    'a standby says that it does not know');
like(error_of($standby, 'app', 'SELECT * FROM vrm.wal_position()'), qr/^25006: a standby does not know .*Connect to the primary/,
    '... and what it is made of says so, too');

# --- off ---------------------------------------------------------------------------------------------

$node->append_conf('postgresql.conf', "archive_command = ''\n");
$node->restart;
write_row();
sql('SELECT pg_switch_wal()');
is(rpo('state, detail'), 'broken|archive_command is not set', 'no command, no archive');
$node->append_conf('postgresql.conf', 'archive_mode = off');
$node->restart;
is(rpo('state, exposure_seconds IS NULL'), 'off|t', 'without archiving there is no exposure to tell');

# --- another timeline ----------------------------------------------------------------------------------

$standby->promote;
$standby->poll_query_until('app', 'SELECT NOT pg_is_in_recovery()');
isnt($standby->safe_psql('app', 'SELECT state FROM vrm.rpo()'), 'standby', 'a standby that was promoted knows');
$standby->safe_psql('app', 'INSERT INTO note VALUES (now())');
is($standby->safe_psql('app', 'SELECT state FROM vrm.rpo()'), 'exposed', '... that what comes then is not archived');
$standby->safe_psql('app', 'SELECT pg_switch_wal()');
ok($standby->poll_query_until('app', q{SELECT state = 'idle' FROM vrm.rpo()}), '... until it is');

$node->stop;
$standby->stop;
done_testing();
