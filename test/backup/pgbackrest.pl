# A drill with pgBackRest: full backup, restore point, damage, restore by name, verified row for row; and
# what makes one fail that looks as if it had gone well.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../cluster/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my ($pgbackrest) = grep { -x } map { "$_/pgbackrest" } split /:/, $ENV{PATH};
plan skip_all => 'pgBackRest is not installed: apt-get install pgbackrest' unless $pgbackrest;

# --- given: a server whose WAL pgBackRest archives ---------------------------------------------------

my $home = PostgreSQL::Test::Utils::tempdir;
my $node = server('production', allows_streaming => 1);
mkdir "$home/$_" for qw(repo log lock spool);
append_to_file("$home/pgbackrest.conf", <<"CONF");
[global]
repo1-path=$home/repo
repo1-retention-full=2
log-path=$home/log
lock-path=$home/lock
spool-path=$home/spool
log-level-console=warn
start-fast=y
compress-level=1
[drill]
pg1-path=@{[$node->data_dir]}
pg1-port=@{[$node->port]}
pg1-socket-path=@{[$node->host]}
CONF
my @pgbackrest = ($pgbackrest, "--config=$home/pgbackrest.conf", '--stanza=drill');
$node->append_conf('postgresql.conf', <<"CONF");
archive_mode = on
archive_command = '@pgbackrest archive-push "%p"'
CONF
$node->restart;
database($node, 'app');
$node->safe_psql('app', slurp_file("$FindBin::Bin/../cluster/lib/sample.sql"));

sub sql { return $node->safe_psql('app', $_[0]) }

sub record {
    my ($info) = run_command([@pgbackrest, 'info', '--output=json']);
    $info =~ s/'/''/g;
    return sql("SELECT vrm.record_backup('$info')");
}

sub status {
    return sql(q{SELECT string_agg(check_name || ' ' || status, ', ' ORDER BY check_name) FROM vrm.recovery_status()});
}

sql('DELETE FROM vrm.backups; DELETE FROM vrm.backup_repositories; DELETE FROM vrm.restore_drills; DELETE FROM vrm.restore_points');
my ($out, $said);
my $able = IPC::Run::run([@pgbackrest, 'stanza-create'], '>', \$out, '2>&1');
plan skip_all => 'this pgBackRest is older than this PostgreSQL' if !$able && $out =~ /unexpected control version/;
ok($able, 'pgBackRest has a stanza') or diag($out);
sql('SELECT pg_switch_wal()');  # wakes an archiver that has failed before there was a stanza
ok($node->poll_query_until('app', q{SELECT state <> 'broken' FROM vrm.rpo()}), '... and the archiver works');
is(status(), 'full_backup unknown, pitr_window unknown, rpo ok, rto unknown', 'nothing is known yet');
command_ok([@pgbackrest, '--type=full', 'backup'], '... and a full backup');
is(record(), '1', 'which vrm hears of');
is(sql(q{SELECT source, kind, failed, bytes > 1000000, finished_at > now() - interval '1 hour', expired_at IS NULL
         FROM vrm.backups}), 'pgbackrest|full|f|t|t|t', '... as it is');
is(record() . sql('SELECT count(*) FROM vrm.backups'), '11', '... once, however often it is told');

# --- a restore point, then damage ----------------------------------------------------------------------

is($node->psql('app', q{CALL vrm.pre_deploy('release-7')}, stdout => \$out, stderr => \$said), 0, 'before a deployment')
  or diag($said);
my $point = sql('SELECT name FROM vrm.restore_points WHERE archived_at IS NOT NULL');
like($said, qr/NOTICE:  restore point "\Q$point\E" is in the archive/, 'there is a restore point in the archive');
is(sql("SELECT count(*) > 20, bool_and(ok) FROM vrm.verify_restore('$point')"), 't|t', '... as things are');

my $before = sql('SELECT * FROM vrm.fingerprint()');
sql(<<'SQL');
CREATE TABLE public.migrated AS SELECT 1;
DELETE FROM vrm.transcript_turns;
UPDATE vrm.user_profiles SET full_name = 'Mallory';
DROP TABLE vrm.metric_results CASCADE;
SQL
is(sql(qq{SELECT string_agg(relation || ': ' || detail, ', ' ORDER BY relation) FROM vrm.verify_restore('$point')
          WHERE relation ~ '(turns|profiles|metric_results)\$'}),
    'vrm.metric_results: the table is missing, vrm.transcript_turns: rows missing: 1, vrm.user_profiles: rows were changed',
    'the damage is named');

# --- restore -----------------------------------------------------------------------------------------

# Restores to `target` beside the server; gives it, not yet started.
sub restore {
    my ($name, $target) = @_;
    my $restored = PostgreSQL::Test::Cluster->new($name);
    command_ok([@pgbackrest, '--pg1-path=' . $restored->data_dir, '--type=name', "--target=$target",
            '--target-action=promote', '--archive-mode=off', 'restore'], "$name: restored");
    my $port = $restored->port;
    append_to_file($restored->data_dir . '/postgresql.conf', "port = $port\n");
    return $restored;
}

my $began = time;
my $restored = restore('restored', $point);
$restored->start;
ok($restored->poll_query_until('app', 'SELECT NOT pg_is_in_recovery()'), '... to a server that is in use again');
is($restored->safe_psql('app', "SELECT count(*) FILTER (WHERE NOT ok), count(*) > 20 FROM vrm.verify_restore('$point')"),
    '0|t', 'row for row what was there');
is($restored->safe_psql('app', 'SELECT * FROM vrm.fingerprint()'), $before, '... by another count, too');
is($restored->safe_psql('app', q{SELECT to_regclass('public.migrated') IS NULL}), 't', '... and nothing of what came after');
$restored->safe_psql('app', q{UPDATE vrm.agents SET persona = 'changed' WHERE agent_id = 'sales'});
is($restored->safe_psql('app', "SELECT relation, detail FROM vrm.verify_restore('$point') WHERE NOT ok ORDER BY relation"),
    "vrm.agent_versions|rows too many: 1\nvrm.agents|rows were changed", 'one column of one row would be seen, and the version it makes');
is($restored->safe_psql('app', 'SELECT state FROM vrm.rpo()'), 'off', 'what is restored archives nothing by itself');
$restored->stop;

sql(qq{SELECT vrm.record_restore_drill(to_timestamp($began), now(), true,
           (SELECT label FROM vrm.backups), '$point')});
is(status(), 'full_backup ok, pitr_window warn, rpo ok, rto ok', 'the objectives are met, but for a week of history');

# --- traps -------------------------------------------------------------------------------------------

my $lost = restore('lost', 'no-such-point');
my ($started) = IPC::Run::run(['pg_ctl', '-w', '-D', $lost->data_dir, '-l', $lost->logfile, 'start'], '>', \$out, '2>', \$said);
my $log = '';
for (1 .. 600) {
    $log = slurp_file($lost->logfile);
    last if $log =~ /recovery ended before configured recovery target was reached/;
    select(undef, undef, undef, 0.1);
}
like($log, qr/FATAL:  recovery ended before configured recovery target was reached/,
    'an unknown restore point ends the server' . ($started ? ', though pg_ctl says that it has started' : ''));

# --- what expires --------------------------------------------------------------------------------------

command_ok([@pgbackrest, '--type=full', '--repo1-retention-full=1', 'backup'], 'the next backup, of one that is kept');
record();
is(sql('SELECT count(*), count(expired_at) FROM vrm.backups'), '2|1', '... makes the other one expire');

$node->stop;
done_testing();
