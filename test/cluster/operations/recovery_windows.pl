# vrm.recovery_windows() on a server whose archiving goes on and off, fails, and moves to a standby that is promoted.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $directory = PostgreSQL::Test::Utils::tempdir;
my $node = server('windows', allows_streaming => 1);
$node->append_conf('postgresql.conf', <<"CONF");
archive_mode = on
archive_command = 'test ! -e "$directory/full" && cp "%p" "$directory/%f"'
autovacuum = off
CONF
$node->restart;
database($node, 'app');

sub sql { my ($statement, $on) = @_; return ($on // $node)->safe_psql('app', $statement) }

# A backup of now, as a snapshot of the volume is recorded.
sub backup {
    my ($label) = @_;
    return sql(qq{SELECT vrm.record_backup(jsonb_build_array(jsonb_build_object('label', '$label', 'kind', 'full',
        'started_at', clock_timestamp(), 'finished_at', clock_timestamp())), 'plain')});
}

# Everything that was committed is archived.
sub archived {
    sql('SELECT pg_switch_wal()');
    return $node->poll_query_until('app', q{SELECT exposure_seconds = 0 FROM vrm.rpo()});
}

sub windows { return sql(q{SELECT string_agg(backup || CASE WHEN until > now() - interval '1 minute' THEN ' to now' ELSE '' END, ', '
    ORDER BY since) FROM vrm.recovery_windows()}, @_) }

sub verdict { return sql(q{SELECT status || ': ' || detail FROM vrm.recovery_status() WHERE check_name = 'pitr_window'}) }

# --- archiving that goes on ------------------------------------------------------------------------------------

is(verdict(), 'unknown: no backup was recorded', 'nothing is known yet');
backup('first');
ok(archived(), 'given a backup and an archive that has all');
is(windows(), 'first to now', 'any moment since the backup can be restored');
like(verdict(), qr/^warn: any moment can be restored of .*; nothing has expired yet/, 'which is not long yet');
$node->restart;
backup('second');
archived();
sql('CALL vrm.maintain()');
is(sql('SELECT count(*) FROM vrm_private.archived_stretches'), '1', 'maintenance notes it');
my $seen = sql('SELECT seen_at FROM vrm_private.archived_stretches');
sql('CALL vrm.maintain()');
is(sql('SELECT seen_at FROM vrm_private.archived_stretches'), $seen, 'once an hour, so that an idle server stays idle');
$node->restart;
archived();
is(windows(), 'second to now', 'a restart before anybody has looked begins another window, and one afterwards does not');

# --- the archive fails ---------------------------------------------------------------------------------------------

append_to_file("$directory/full", '');
my $before = sql('SELECT now()');
sql('CREATE TABLE written AS SELECT 1');
sql('SELECT pg_switch_wal()');
ok($node->poll_query_until('app', q{SELECT state = 'broken' FROM vrm.rpo()}), 'given an archive that takes no more');
backup('third');
is(sql("SELECT until BETWEEN '$before' AND (SELECT max(started_at) FROM vrm.backups) FROM vrm.recovery_windows()"), 't',
    'the window ends with what it has taken');
unlink "$directory/full";
ok($node->poll_query_until('app', q{SELECT state <> 'broken' FROM vrm.rpo()}), 'when it works again');
archived();
is(windows(), 'second to now', 'nothing was lost');

# --- a segment that somebody deletes -----------------------------------------------------------------------------

$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
my $tool = "$FindBin::Bin/../../../tools/vrm-backup";
sub listed { return run_command([$tool, '-d', 'app', 'archive', 'plain', '--', 'ls', $directory]) }

sub look {
    sql(q{UPDATE vrm_private.archived_stretches SET seen_at = seen_at - interval '61 minutes'});
    return sql('SELECT vrm_private.see_archiving()');
}
is(join('', listed()), '', 'given an archive that lacks nothing');
is(windows(), 'second to now', 'nothing changes when it is listed');
look();
my $before_it = sql('SELECT clock_timestamp()');
my $lost;
for (1 .. 3) {
    $lost = sql('SELECT pg_walfile_name(pg_current_wal_lsn())') if $_ == 2;
    sql("CREATE TABLE written_$_ AS SELECT 1");
    archived();
}
look();
backup('after');
archived();
unlink "$directory/$lost" or die "$lost: $!\n";
is((listed())[0], "missing: $lost to $lost", 'a segment in the middle is missed');
is(sql("SELECT string_agg(concat_ws(' ', backup, until <= '$before_it'), ', ' ORDER BY since) FROM vrm.recovery_windows()"),
    'second t, after f', 'and no window goes across it');
sql("DELETE FROM vrm_private.archive_gaps; DELETE FROM vrm.backups WHERE label = 'after'");
is(windows(), 'second to now', 'nobody knows of it who has not looked');

# --- who stops a backup ------------------------------------------------------------------------------------------

my ($given, $said, $mute) = ("asked\n", '', '');
my $stopped = IPC::Run::start([$tool, '-d', 'app', 'run', '--', 'sh', '-c', 'read line; echo "$line"; exec sleep 60 >/dev/null 2>&1'],
    '<', \$given, '>', \$said, '2>', \$mute);
$stopped->pump until $said =~ /\n/;
is($said, "asked\n", 'what makes a backup reads what it is given');
$stopped->signal('TERM');
$stopped->finish;
is($stopped->full_result(0) >> 8, 143, 'it is stopped with what ran it');
is(sql('SELECT exit_code FROM vrm.backup_runs ORDER BY id DESC LIMIT 1'), '143', '... which is noted');
is(sql('SELECT vrm_private.backup_run_failed()'), 't', '... as a backup that failed');

# --- a tool that says more than an argument can be long --------------------------------------------------------------

my $bin = PostgreSQL::Test::Utils::tempdir;
my $ours = sql('SELECT system_identifier FROM pg_control_system()');
my $long = 'x' x 200_000;
append_to_file("$bin/pgbackrest", <<"SHELL");
#!/bin/sh
cat <<'JSON'
[{"name": "main", "db": [{"id": 1, "repo-key": 1, "system-id": $ours}], "backup": [], "note": "$long",
  "repo": [{"key": 1, "status": {"code": 2, "message": "no valid backups"}}], "status": {"code": 2}}]
JSON
SHELL
chmod 0755, "$bin/pgbackrest";
is((run_command([$tool, '-d', 'app', 'run', '--', "$bin/pgbackrest", 'backup']))[1], '', 'given a tool with much to tell');
is(sql('SELECT problem FROM vrm.backup_repositories'), 'no valid backups', 'it is recorded');
sql('DELETE FROM vrm.backup_repositories; DELETE FROM vrm.backup_runs');

# --- archiving that is off for a while -------------------------------------------------------------------------------

sql(q{UPDATE vrm_private.archived_stretches SET seen_at = seen_at - interval '61 minutes'});
sql('SELECT vrm_private.see_archiving()');
$node->append_conf('postgresql.conf', 'archive_mode = off');
$node->restart;
backup('unprotected');
like(verdict(), qr/; archive_mode is off$/, 'without archiving the verdict says so');
is(sql(q{SELECT backup, until < (SELECT max(started_at) FROM vrm.backups) FROM vrm.recovery_windows()}), 'second|t',
    'and the window ends where it was seen');
$node->append_conf('postgresql.conf', 'archive_mode = on');
sql(q{UPDATE vrm_private.archived_stretches SET seen_at = seen_at - interval '3 hours'});
$node->restart;
backup('fourth');
archived();
is(sql(q{SELECT string_agg(backup, ' ' ORDER BY since), bool_or(until < (SELECT started_at FROM vrm.backups WHERE label = 'unprotected'))
         FROM vrm.recovery_windows()}), 'second fourth|t', 'when it is on again, there is a gap');

# --- promotion ---------------------------------------------------------------------------------------------------------

sql('SELECT vrm_private.see_archiving()');
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('promoted');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
is(sql('SELECT backup FROM vrm.recovery_windows() ORDER BY since DESC LIMIT 1', $standby), 'fourth', 'a standby knows what its primary has seen');
$node->stop;
$standby->promote;
is(sql('SELECT string_agg(backup, $$ $$ ORDER BY since) FROM vrm.recovery_windows()', $standby), 'second fourth', 'so does who takes over');
sql('SELECT vrm_private.see_archiving()', $standby);
is(sql(q{SELECT string_agg(timeline::text, ' ' ORDER BY since) FROM vrm_private.archived_stretches}, $standby), '1 1 2',
    'whose own archiving begins when it is seen');

$standby->stop;
done_testing();
