# Several complete databases behind one entry, by PL/Proxy: the example that the documentation shows.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

# --- given: an entry and two nodes, each with keys of its own ---------------------------------------

my $entry = server('entry');
plan skip_all => 'PL/Proxy is not installed'
  unless query($entry, 'postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'plproxy'");
my $example = "$FindBin::Bin/../../../demo/plproxy";
my @nodes = map { server("node$_") } 0, 1;
my @masters = ('a:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=', 'b:b3RoZXIgYnl0ZXMsIGFsc28gc2l4dGVlbiBhbmQgbW8=');
for my $i (0, 1) {
    $nodes[$i]->append_conf('postgresql.conf',
        "vrm.master_key_command = 'echo $masters[$i]'\nvrm.secret_literals = allow");
    $nodes[$i]->reload;
    database($nodes[$i], 'app');
    $nodes[$i]->safe_psql('app', q{SELECT vrm.key_create('data'), vrm.key_create('blind_index')});
    $nodes[$i]->safe_psql('app', slurp_file("$example/node.sql"));
}
$entry->safe_psql('postgres', 'CREATE DATABASE app');
my @places = map { 'host=' . $_->host . ' port=' . $_->port . ' dbname=app' } @nodes;
system_or_bail('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $entry->connstr('app'), '-v', "node0=$places[0]", '-v',
    "node1=$places[1]", '-f', "$example/entry.sql");

sub at_entry { return query($entry, 'app', $_[0]) }

# --- tenants live by the hash of their ids ----------------------------------------------------------

at_entry("SELECT place.create_tenant('tenant$_\@example.org', 'correct horse battery')") for 1 .. 12;
my @there = map { query($_, 'app', 'SELECT count(*) FROM auth.users') } @nodes;
is($there[0] + $there[1], 12, 'each tenant lives somewhere');
cmp_ok($there[$_], '>', 0, "node $_ has some") for 0, 1;
for my $i (0, 1) {
    my $ids = query($nodes[$i], 'app', q{SELECT string_agg(quote_literal(id), ',') FROM auth.users});
    is(at_entry("SELECT string_agg(DISTINCT place.node_of(id::uuid)::text, ' ') FROM unnest(ARRAY[$ids]) AS id"), $i,
        'where the entry looks for them');
}
like(error_of($entry, 'app', "SELECT place.create_tenant('TENANT1\@example.org', 'x')"), qr/^23505: /,
    'an address is taken once, wherever its tenant lives');

# --- they sign in and work through the entry --------------------------------------------------------

my ($alice, $status, $token) =
  split /\|/, at_entry("SELECT * FROM place.sign_in('tenant1\@example.org', 'correct horse battery')");
is($status, 'ok', 'a tenant signs in');
is(at_entry("SELECT status FROM place.sign_in('tenant1\@example.org', 'wrong')"), 'invalid', 'with the right password');
is(at_entry("SELECT status FROM place.sign_in('nobody\@example.org', 'wrong')"), 'invalid', 'like anybody');
my $agent = at_entry("SELECT node.create_agent('$alice', '$token', 'reception')");
at_entry("SELECT node.start_call('$alice', '$token', '$agent')") for 1 .. 3;
is(at_entry('SELECT sum(c) FROM node.count_calls() AS c'), 3, 'calls are counted over all nodes');
my ($bob, undef, $bobs) =
  split /\|/, at_entry("SELECT * FROM place.sign_in('tenant2\@example.org', 'correct horse battery')");
isnt(error_of($entry, 'app', "SELECT node.start_call('$alice', '$bobs', '$agent')"), '',
    'nobody works in the name of another');
like(error_of($entry, 'app', "SELECT node.create_agent('$alice', 'forged', 'x')"), qr/token/i, 'or with a forged token');

# --- one moves --------------------------------------------------------------------------------------

my $from = at_entry("SELECT place.node_of('$alice')");
my $to = 1 - $from;
query($nodes[$from], 'app',
    "INSERT INTO vrm.api_keys (user_id, service, key) VALUES ('$alice', 'openai', vrm.seal('sk-live'))");
my $others = query($nodes[$to], 'app', 'SELECT count(*) FROM auth.users');

# The node to go to is not there; then what a move has left there that broke off.
$nodes[$to]->stop;
isnt(error_of($entry, 'app', "CALL place.move('$alice', $to)"), '', 'a move to a node that is down fails');
$nodes[$to]->start;
is(at_entry("SELECT place.node_of('$alice')"), $from, 'and the tenant stays');
at_entry("SELECT node.import_tenant($to, (SELECT jsonb_agg(l) FROM node.export_tenant($from, '$alice', k) AS l), k)"
      . " FROM encode(sha256('k'), 'base64') AS k");
at_entry("CALL place.move('$alice', $to)");
is(at_entry("SELECT place.node_of('$alice')"), $to, 'called again, it goes on, whatever was left there');
is(query($nodes[$from], 'app', "SELECT count(*) FROM auth.users WHERE id = '$alice'"), 0, 'nothing is left behind');
is(query($nodes[$from], 'app', "SELECT count(*) FROM vrm.test_runs WHERE user_id = '$alice'"), 0, 'no call');
is(query($nodes[$to], 'app', 'SELECT count(*) FROM auth.users'), $others + 1, 'one more lives there');
is(at_entry('SELECT sum(c) FROM node.count_calls() AS c'), 3, 'no call is lost or doubled');
is(query($nodes[$to], 'app', "SELECT vrm.reveal_row('vrm.api_keys', 'key', format('(%s,%s)', user_id, id)) FROM vrm.api_keys"),
    'sk-live', 'API keys open there');
at_entry("CALL place.move('$alice', $to)");
is(at_entry('SELECT count(*) FROM place.moved WHERE still_at IS NULL'), 1, 'to move where one is, is nothing');
like(error_of($entry, 'app', "SELECT node.start_call('$alice', '$token', '$agent')"), qr/token|key/i,
    'tokens of the old node are worth nothing');
(undef, $status, $token) =
  split /\|/, at_entry("SELECT * FROM place.sign_in('tenant1\@example.org', 'correct horse battery')");
is($status, 'ok', 'the tenant signs in as ever');
isnt(at_entry("SELECT node.start_call('$alice', '$token', '$agent')"), '', 'and goes on');
at_entry("CALL place.move('$alice', $from)");
is(query($nodes[$from], 'app', "SELECT count(*) FROM vrm.test_runs WHERE user_id = '$alice'"), 4, 'and back');

done_testing();
