# Behind PgBouncer in transaction mode, with one server connection for all clients, nobody ever
# sees another's rows, whatever the clients set, leave open or break.
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

plan skip_all => 'pgbouncer is not installed' unless VRM::PgBouncer::program();

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
$node->start;
database($node, 'app');

my @token = token_bearers($node, 'app');
my ($first, $second) = map { query($node, 'app', "SELECT id FROM auth.users WHERE email LIKE '$_\@%'") } qw(one two);
my $acme = query($node, 'app', qq{SELECT vrm.rpc('$token[0]', 'create_organisation', '{"name": "Acme"}') ->> 'result'});

# --- given: a real PgBouncer with a pool of one --------------------------------------------------

my ($directory, $port, $process) = pgbouncer($node, 'app', 'client');
my $bouncer = "host=$directory port=$port dbname=app user=client";

sub connected {
    return $node->background_psql('app', on_error_stop => 0, extra_params => ['-d', $bouncer]);
}
my @client = map { connected() } 0 .. 2;
my $who = "SELECT coalesce(vrm.uid()::text, 'nobody')";
my $agents = 'SELECT coalesce(string_agg(agent_id, \',\'), \'none\') FROM vrm.agents';

my @backends = map { scalar $_->query('SELECT pg_backend_pid();') } @client;
is($backends[1], $backends[0], 'two clients share a backend');
is($backends[2], $backends[0], 'and so does the third');

# --- when: they take turns ------------------------------------------------------------------------

my $leaks = 0;
my $wrong = 0;
for my $round (1 .. 50) {
    my $turn = $round % 2;
    my $seen = $client[$turn]->query(
        "BEGIN; SELECT vrm.login('$token[$turn]') \\g /dev/null\n$agents; COMMIT;");
    $wrong++ if $seen ne ($turn ? 'two' : 'one');
    $leaks++ if $client[2]->query("$who;") ne 'nobody';
    $leaks++ if $client[2]->query("$agents;") ne '';  # but an error
    $leaks++ if $client[1 - $turn]->query("$who;") ne 'nobody';
}
is($wrong, 0, 'each sees the own agents in 50 rounds of taking turns');
is($leaks, 0, 'and nobody those of others');

sub in_turn {
    my ($turn, $sql) = @_;
    return $client[$turn]->query("BEGIN; SELECT vrm.login('$token[$turn]') \\g /dev/null\n$sql; COMMIT;");
}
in_turn(0, 'INSERT INTO vrm.call_imports (source, payload) VALUES'
      . qq{ ('vrm', '{"externalId": "c-1", "startedAt": "2026-01-09T10:00:00Z"}'); CALL vrm.import_calls()});
my $brought_in = q{SELECT count(*) || ' ' || count(r.id) FROM vrm.call_imports i LEFT JOIN vrm.test_runs r ON r.id = i.run_id};
is(in_turn(1, $brought_in), '0 0', 'reports that one brings in are not the other\'s');
is(in_turn(0, $brought_in), '1 1', 'and are calls in the next transaction');

# Ways to leave something behind, and what the next client must see.
my $login = "SELECT vrm.login('$token[0]');";
my $set = "SET vrm.token = '$token[0]';";
my $act = "SELECT vrm.act_as('$acme');";
my @legacies = (
    ['a login without a transaction', $login],
    ['SET vrm.token', $set],
    ['SET vrm.token within a transaction', "BEGIN; $set SELECT vrm.uid(); COMMIT;"],
    ['a login that is rolled back', "BEGIN; $login ROLLBACK;"],
    ['a login before an error', "BEGIN; $login SELECT 1/0; ROLLBACK;"],
    ['a login in a savepoint', "BEGIN; SAVEPOINT a; $login RELEASE a; COMMIT;"],
    ['request.jwt.claims for the session', "SET request.jwt.claims = '{\"sub\": \"$first\"}';"],
    ['a forged vrm.identity', "SET vrm.identity = '{\"sub\": \"$first\"}';"],
    ['acting for an organisation', "BEGIN; $login $act COMMIT;"],
    ['acting before an error', "BEGIN; $login $act SELECT 1/0; ROLLBACK;"],
    ['acting in a savepoint', "BEGIN; $login SAVEPOINT a; $act RELEASE a; COMMIT;"],
    ['acting in a transaction that goes on', "BEGIN; $login $act COMMIT AND CHAIN; COMMIT;"],
    ['acting without a transaction', "$login $act"],
    ['a forged vrm.acting', "SET vrm.acting = '$second $acme';"],
    ['a batch that acts for an organisation',
        qq{SELECT vrm.rpc_batch('$token[0]', '[{"function": "act_as", "arguments": {"organisation": "$acme"}}]');}],
    ['a prepared statement', "BEGIN; $login PREPARE mine AS $agents; EXECUTE mine; COMMIT;"],
    ['a commit within a procedure', "DO 'BEGIN PERFORM vrm.login(''$token[0]''); COMMIT; END';"],
);
for my $legacy (@legacies) {
    my ($name, $sql) = @$legacy;
    $client[0]->query($sql);
    is($client[2]->query("$who;"), 'nobody', "$name leaves nobody behind");
    is($client[2]->query("$agents;"), '', "$name leaves no rows behind");
    is($client[2]->query("BEGIN; SELECT vrm.login('$token[1]') \\g /dev/null\n$who; COMMIT;"), $second, "$name makes nobody another");
}
is($client[2]->query('EXECUTE mine;'), '',
    'a statement that somebody else prepared runs for who executes it');

# A client that goes away in the middle of a transaction.
my $gone = connected();
$gone->query("BEGIN; $login");
$gone->quit;
is($client[1]->query("BEGIN; SELECT vrm.login('$token[1]') \\g /dev/null\n$agents; COMMIT;"),
    'two', 'when a client vanishes the next one works on');

$_->quit for @client;
$process->kill_kill;
done_testing();
