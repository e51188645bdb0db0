# doc/operations/setup.md is executed as it stands, on a server that has nothing; in the end vrm.setup() and
# vrm.doctor() find nothing more to do but what takes people or time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../cluster/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

for my $tool (qw(pgbackrest openssl)) {
    plan skip_all => "$tool is not installed" unless grep { -x "$_/$tool" } split /:/, $ENV{PATH};
}

my $home = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('nothing');
$node->init(extra => ['--encoding=UTF8', '--locale=C.UTF-8', '--data-checksums'], allows_streaming => 1);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = on\nlog_statement = none\n");
$node->start;
my $data = $node->data_dir;

# What a page for Debian says where there is no Debian: sudo restarts this server, crontab is content.
mkdir "$home/$_" for qw(bin repo log lock spool);
sub program {
    my ($name, $text) = @_;
    append_to_file("$home/bin/$name", "#!/bin/sh\n$text\n");
    chmod 0755, "$home/bin/$name";
}
program('sudo', "pg_ctl -D '$data' -w -l '" . $node->logfile . "' restart >/dev/null");
program('crontab', "[ \"\$1\" = - ] && cat >'$home/crontab'; true");
symlink "$FindBin::Bin/../../tools/vrm-backup", "$home/bin/vrm-backup" or die "symlink: $!\n";
local $ENV{PATH} = "$home/bin:" . $node->config_data('--bindir') . ":$ENV{PATH}";
local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
local $ENV{PGBACKREST_CONFIG} = "$home/pgbackrest.conf";
local $ENV{REPOSITORY} = "$home/repo";
$ENV{PGBACKREST_LOG_PATH} = "$home/log";
$ENV{PGBACKREST_LOCK_PATH} = "$home/lock";
$ENV{PGBACKREST_SPOOL_PATH} = "$home/spool";
$ENV{PGBACKREST_CONFIG_PATH} = $home;
# the server's archive_command looks at its environment, too
$node->restart;

my $page = slurp_file("$FindBin::Bin/../../doc/operations/setup.md");
my @blocks = $page =~ /^```sh\n(.*?)^```$/msg;
is(scalar(@blocks), 4, 'the page has four blocks to run');
my @said;
for my $i (0 .. $#blocks) {
    append_to_file("$home/block$i", "set -eu\n$blocks[$i]");
    my ($out, $error) = run_command(['sh', "$home/block$i"]);
    ok($? == 0, "block $i runs to its end") or diag("$out\n$error");
    note("$error");
    push @said, $out;
}
like($said[2], qr/^master_key: .*^keys: .*^issuer: .*^archive_command: .*^archive_mode: .*^restart: .*^archive: .*^metrics: .*^backup: /ms,
    'the steps come in their order');

sub sql { return $node->safe_psql('app', $_[0]) }

is(sql(q{SELECT string_agg(topic, ' ' ORDER BY step) FROM vrm.setup() WHERE status = 'to do'}), '', 'nothing is left to do')
  or diag($said[2]);
is(sql(q{SELECT string_agg(topic, ' ' ORDER BY step) FROM vrm.setup() WHERE status = 'unknown'}), 'metrics restore',
    'but what takes people');
is(sql(q{SELECT string_agg(check_name || ': ' || detail, E'\n') FROM vrm.doctor() WHERE status IN ('warn', 'fail')}), '',
    'the doctor has nothing to say');
is(sql(q{SELECT string_agg(check_name || ' ' || status, ', ' ORDER BY check_name) FROM vrm.recovery_status()}),
    'full_backup ok, pitr_window warn, rpo ok, rto unknown', 'there is a backup');
is(sql(q{SELECT string_agg(alert, ' ') FROM vrm.alerts()}), '', 'and no alert');
is(sql('SELECT tool, exit_code FROM vrm.backup_runs'), 'pgbackrest|0', 'its run is noted');

# --- a run that fails is told at once ------------------------------------------------------------------

my $failed = sub { return sql(q{SELECT value FROM vrm.monitoring('{backup}') WHERE name = 'vrm_backup_failed'}) };
my ($out, $error) = run_command(['vrm-backup', '-d', 'app', 'run', '--', 'pgbackrest', '--stanza=main', '--type=none', 'backup']);
isnt($? >> 8, 0, 'the exit code is that of the tool');
is($failed->(), '1', '... and BackupFailed is due');
run_command(['vrm-backup', '-d', 'app', 'run', '--', 'sh', '-c', 'exit 0']);
is($failed->(), '1', '... whatever other tools do');
run_command(['vrm-backup', '-d', 'app', 'run', '--', 'pgbackrest', '--stanza=main', '--type=incr', 'backup']);
is($failed->(), '0', '... until the next one goes well');
is(sql(q{SELECT string_agg(kind, ' ' ORDER BY finished_at) FROM vrm.backups}), 'full incr', 'what it has made is known');
($out, $error) = run_command(['vrm-backup', '-d', 'nowhere', 'run', '--', 'echo', 'made']);
is("$? $out", '0 made', 'without a database, a backup is made all the same');
like($error, qr/not recorded/, '... and said not to be recorded');

$node->stop;
done_testing();
