# vrm.rpc() as a deployment has it: through PgBouncer, on a standby, and with a log that has everything.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::PgBouncer;
use VRM::Server;
use VRM::Tokens;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding=UTF8', '--locale=C.UTF-8'], allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
log_statement = all
log_min_duration_statement = 0
log_parameter_max_length_on_error = -1
CONF
$node->start;
database($node, 'app');
my @token = token_bearers($node, 'app');
query($node, 'app', 'GRANT anon TO client');

# --- the log ---------------------------------------------------------------------------------------

# Sends a statement with parameters, in a session of its own; what the log says of it.
sub logged {
    my ($sql, %parameter) = @_;
    my $script = PostgreSQL::Test::Utils::tempdir() . '/script';
    append_to_file($script, "$sql;\n");
    my $before = -s $node->logfile;
    my @variables = map { ('-D', "$_=$parameter{$_}") } keys %parameter;
    my $failed = system('pgbench', '-n', '-t', 1, '-M', 'extended', '-f', $script, @variables, '-h', $node->host,
        '-p', $node->port, '-U', 'client', 'app');
    return slurp_file($node->logfile, $before);
}
my $arguments = '{"email": "one@example.org", "password": "hunter2 hunter2"}';
my $control = logged('SELECT :arguments::jsonb', arguments => $arguments);
like($control, qr/hunter2/, 'given a log that has the parameters of statements');
my $said = logged("SELECT vrm.rpc(:token, 'nothing', :arguments)", token => $token[0], arguments => $arguments);
like($said, qr/execute .*vrm\.rpc\(\$1, 'nothing', \$2\)/, 'a call is in the log');
unlike($said, qr/hunter2/, 'its arguments are not');
unlike($said, qr/\Q$token[0]\E/, 'nor is its token');
$said = logged("SELECT VRM.RPC_BATCH(:token, :calls)", token => $token[0],
    calls => '[{"function": "log", "arguments": {"message": "hunter2"}}]');
unlike($said, qr/hunter2/, 'nor is a batch');
$said = logged("SELECT vrm.rpc(:token, 'uid'), 1 / :zero::integer", token => $token[0], zero => 0);
like($said, qr/ERROR: +division by zero/, 'given a statement that fails as a whole');
unlike($said, qr/\Q$token[0]\E/, 'its token is not in the log either');

# --- two at once with one key ----------------------------------------------------------------------

# One session begins a call and ends its transaction as told while another one waits with the same key;
# gives what each has got.
sub with_one_key {
    my ($key, $end) = @_;
    my $call = "SELECT coalesce(vrm.rpc('$token[0]', 'create_agent', '{\"agent_id\": \"$key\"}', '$key') ->> 'result', 'none');";
    my ($first, $second) = map { $node->background_psql('app') } 1 .. 2;
    my $given = $first->query("BEGIN; $call");
    $second->query_until(qr/waiting/, "\\echo waiting\n$call\n");
    $node->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT coalesce(vrm.rpc(%'}) or die 'it does not wait';
    $first->query($end);
    my ($gotten) = $second->query('SELECT 1;') =~ /([0-9a-f-]{36}|none)/;
    $_->quit for $first, $second;
    return ($given, $gotten);
}
my ($given, $gotten) = with_one_key('committed', 'COMMIT;');
is($gotten, $given, 'who comes with a key while its call runs gets the answer of that call');
($given, $gotten) = with_one_key('undone', 'ROLLBACK;');
like($gotten, qr/^[0-9a-f-]{36}$/, 'or, when that is undone, an own one');
isnt($gotten, $given, 'which is another one');
is(query($node, 'app', q{SELECT count(*) FROM vrm.agents WHERE agent_id IN ('committed', 'undone')}), '2',
    'each call has happened once');

# --- a standby -------------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
my $seen = query($standby, 'app', "SELECT vrm.rpc('$token[0]', 'user_dashboard') #>> '{result,agents}'");
is($seen, '3', 'a standby answers what only reads');
$seen = query($standby, 'app',
    "SELECT vrm.rpc('$token[0]', 'create_agent', '{\"agent_id\": \"x\"}') #>> '{error,reason}'");
is($seen, 'read_only', 'and says of the rest that it is one');
$standby->stop;

# --- a pooler --------------------------------------------------------------------------------------

SKIP: {
    skip 'pgbouncer is not installed', 4 unless VRM::PgBouncer::program();
    my ($directory, $port, $process) = pgbouncer($node, 'app', 'client');
    my @client = map {
        $node->background_psql('app', on_error_stop => 0, extra_params => ['-d', "host=$directory port=$port dbname=app user=client"])
    } 0 .. 1;
    my $who = "SELECT concat_ws(' ', coalesce(vrm.uid()::text, 'nobody'), current_user, current_setting('role'));";
    my @users = map { query($node, 'app', "SELECT id FROM auth.users WHERE email LIKE '$_\@%'") } qw(one two);
    my ($wrong, $leaks) = (0, 0);
    for my $round (1 .. 50) {
        my $turn = $round % 2;
        my $uid = $client[$turn]->query("SELECT vrm.rpc('$token[$turn]', 'uid') ->> 'result';");
        $wrong++ if $uid ne $users[$turn];
        $leaks++ if $client[1 - $turn]->query($who) ne 'nobody client none';
    }
    is($wrong, 0, 'two clients of one backend are themselves in 50 rounds');
    is($leaks, 0, 'and nobody afterwards');
    my $twice = "BEGIN; SELECT vrm.rpc('$token[0]', 'uid') ->> 'result' AS first \\gset\n"
      . "SELECT concat_ws(' ', :'first', vrm.rpc('$token[1]', 'uid') ->> 'result', coalesce(vrm.uid()::text, 'nobody')); COMMIT;";
    is($client[0]->query($twice), "$users[0] $users[1] nobody", 'one transaction may call for several people');
    is($client[0]->query("SELECT vrm.rpc('$token[0]', 'create_agent', '{\"agent_id\": \"one\"}') #>> '{error,reason}';"),
        'already_exists', 'an error does not break the connection');
    $_->quit for @client;
    $process->kill_kill;
}

$node->stop;
done_testing();
