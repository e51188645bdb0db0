# Real clients sign in: psycopg2 and node-postgres through PgBouncer, PostGraphile on its own.
# NODE_PATH names the npm packages of package.json; without them the parts that need them are skipped.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../cluster/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::PgBouncer;
use VRM::Server;
use VRM::Tokens;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
$node->append_conf('postgresql.conf',
    "vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='\n");
$node->start;
database($node, 'app');

my @token = token_bearers($node, 'app');
query($node, 'app', <<'SQL');
SELECT vrm.key_create('data');
GRANT anon TO client;
CREATE ROLE mailer LOGIN IN ROLE service_role;
SQL

# What a client prints, as a hash.
sub client {
    my (@command) = @_;
    my ($stdout, $stderr) = ('', '');
    IPC::Run::run [@command], '<', \undef, '>', \$stdout, '2>', \$stderr;
    diag($stderr) if $stderr ne '';
    return { $stdout =~ /^(.+?): ?(.*)$/mg };
}

my $node_is_there = $ENV{NODE_PATH} && -d "$ENV{NODE_PATH}/pg";

SKIP: {
    skip 'pgbouncer is not installed', 22 unless VRM::PgBouncer::program();
    my ($directory, $port, $process) = pgbouncer($node, 'app', 'client');

  SKIP: {
        skip 'psycopg2 is not installed', 6
          if system('/usr/bin/python3 -c "import psycopg2" 2>/dev/null') != 0;
        my $said = client('/usr/bin/python3', "$FindBin::Bin/psycopg2_client.py",
            "host=$directory port=$port dbname=app user=client", @token);
        is($said->{'first sees'}, 'one', 'psycopg2: the first person sees the own agents');
        is($said->{'second sees'}, 'two', 'psycopg2: so does the second');
        is($said->{afterwards}, 'None', 'psycopg2: afterwards there is nobody');
        is($said->{'a forgotten login'}, 'nobody is signed in', 'psycopg2: a login that is forgotten is an error');
        is($said->{'a bad token'}, 'token rejected None None', 'psycopg2: a bad token is an error');
        is($said->{'after making one'}, '2', 'psycopg2: the API is there');
    }

  SKIP: {
        skip 'the npm package pg is not installed', 6 unless $node_is_there;
        my $said = client('node', "$FindBin::Bin/node_postgres.cjs",
            "postgresql://client\@/app?host=$directory&port=$port", @token);
        is($said->{'first sees'}, 'one', 'node-postgres: the first person sees the own agents');
        is($said->{'second sees'}, 'two', 'node-postgres: so does the second');
        is($said->{'nobody sees'}, 'nobody is signed in', 'node-postgres: who does not sign in is told so');
        is($said->{'a bad token'}, '28000 token rejected undefined undefined',
            'node-postgres: a bad token is an error');
        is($said->{afterwards}, 'null', 'node-postgres: afterwards there is nobody');
        is(keys %$said, 5, 'node-postgres: nothing else was said');
    }
  SKIP: {
        skip 'the npm packages pg and postgres are not installed', 10
          unless $node_is_there && -d "$ENV{NODE_PATH}/postgres";
        my ($host, $server_port) = ($node->host, $node->port);
        my $said = client('node', "$FindBin::Bin/flow.cjs", "postgresql://client\@/app?host=$directory&port=$port",
            "postgresql://mailer\@/app?host=$host&port=$server_port");
        for my $name ('node-postgres', 'postgres.js') {
            is($said->{"$name answers a repeated call"}, 'true', "$name: a call that is sent again happens once");
            is($said->{"$name calls"}, 'completed 1 30', "$name: from signing up to a dashboard");
            is($said->{"$name exports"}, 'true', "$name: to everything there is of somebody");
            is($said->{"$name afterwards"}, 'session_ended', "$name: and out");
            cmp_ok($said->{"$name round trips"}, '<=', 20, "$name: in 20 round trips at most");
        }
    }
    $process->kill_kill;
}

$ENV{GRAPHILE_ENV} = 'production';
SKIP: {
    skip 'the npm package postgraphile is not installed', 7
      unless $node_is_there && -d "$ENV{NODE_PATH}/postgraphile";
    query($node, 'app', 'SELECT vrm.make_api()');
    my ($host, $port) = ($node->host, $node->port);
    my $said = client('node', "$FindBin::Bin/postgraphile.cjs",
        "postgresql://client\@/app?host=$host&port=$port", @token);
    is($said->{missing}, 'nothing', 'PostGraphile: nothing is missing for its type');
    is($said->{'first sees'}, 'one', 'PostGraphile: the first person sees the own agents');
    is($said->{'second sees'}, 'two', 'PostGraphile: so does the second');
    is($said->{'nobody sees'}, 'nobody is signed in', 'PostGraphile: who does not sign in is told so');
    is($said->{'a bad token'}, 'token rejected', 'PostGraphile: a bad token is an error');
    is($said->{made}, 'string', 'PostGraphile: functions are mutations');
    is($said->{'second sees then'}, 'by GraphQL,two', 'PostGraphile: which do what they say');
}

$node->stop;
done_testing();
