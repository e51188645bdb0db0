#!/usr/bin/perl
# Measures what vrm.rpc() costs over calling the function itself, in processor time of the backend, and
# what it saves: one round trip against BEGIN, login, call and COMMIT, and how many a flow from signing up
# to an export takes.
# usage: bench/identity/rpc.pl [CALLS [ROUNDS]], on the server that PGHOST and PGPORT name
use strict;
use warnings;
use File::Basename;
use File::Temp;
use lib dirname(__FILE__) . '/../lib';
use Bench;

my $calls = $ARGV[0] // 2000;
my $rounds = $ARGV[1] // 7;
my $database = 'vrm_bench_rpc';

system('dropdb', '--if-exists', $database);
system('createdb', $database) == 0 or die "createdb failed\n";
$ENV{PGDATABASE} = $database;

# --- given: somebody with a call that runs ---------------------------------------------------------

sql('CREATE EXTENSION vrm',
    $trust_issuer,
    q{INSERT INTO auth.users (id, email) VALUES ('018f0000-0000-7000-8000-00000000000a', 'alice@example.org')},
    q{CREATE FUNCTION processor_ms() RETURNS double precision LANGUAGE sql VOLATILE AS $$
      SELECT split_part(pg_read_file('/proc/self/schedstat', 0, 100), ' ', 1)::double precision / 1e6 $$});
my $agent = (sql("SELECT vrm.rpc('$token', 'create_agent', '{\"agent_id\": \"reception\"}') ->> 'result'"))[-1];

# Milliseconds of processor for each of two expressions, medians of rounds in turns.
sub compare {
    my ($raw, $rpc) = @_;
    my $block = <<"SQL";
DO \$\$
DECLARE
    token CONSTANT text := '$token';
    run uuid;
    began double precision;
    spent double precision[] := '{}';
BEGIN
    FOR round IN 0 .. 2 * $rounds + 1 LOOP
        PERFORM vrm.login(token);
        SET LOCAL ROLE authenticated;
        run := vrm.start_test_run('$agent', time_limit => 3600);
        PERFORM vrm.begin_test_run(run);
        IF round % 2 = 1 THEN RESET ROLE; PERFORM vrm.logout(); END IF;
        began := NULL;
        FOR i IN 0 .. $calls LOOP
            IF i = 1 THEN RESET ROLE; began := processor_ms(); IF round % 2 = 0 THEN SET LOCAL ROLE authenticated; END IF; END IF;
            IF round % 2 = 0 THEN PERFORM $raw; ELSE PERFORM $rpc; END IF;
        END LOOP;
        RESET ROLE;
        spent := spent || (processor_ms() - began) / $calls;
        PERFORM vrm.login(token);
    END LOOP;
    RAISE WARNING 'spent %', spent;
END
\$\$
SQL
    my $script = File::Temp->new;
    print {$script} $block;
    $script->flush;
    my $said = qx(psql -Xq -v ON_ERROR_STOP=1 -f $script 2>&1);
    my ($list) = $said =~ /spent \{(.*)\}/ or die $said;
    my @spent = split /,/, $list;
    my @raw = map { $spent[2 * $_] } 1 .. $rounds;
    my @rpc = map { $spent[2 * $_ + 1] } 1 .. $rounds;
    return (median(@raw), median(@rpc));
}

# --- processor time --------------------------------------------------------------------------------

my %question = (
    'vrm.uid()' => ['vrm.uid()', q{vrm.rpc(token, 'uid')}],
    'append_transcript' => [
        q{vrm.append_transcript(run, 'Agent', 'Hello, how can I help you?')},
        q{vrm.rpc(token, 'append_transcript', jsonb_build_object('run_id', run, 'speaker', 'Agent',
                                                                 'message', 'Hello, how can I help you?'))}],
    'call_history' => [q{jsonb_agg(to_jsonb(h)) FROM vrm.call_history(page_size => 20) AS h}, q{vrm.rpc(token, 'call_history', '{"page_size": 20}')}]);
for my $name (sort keys %question) {
    my ($raw, $rpc) = compare(@{ $question{$name} });
    printf "%-20s raw %.4f ms, by rpc %.4f ms, ratio %.2f\n", $name, $raw, $rpc, $rpc / ($raw || 'inf');
    target("vrm.rpc() over $name", $rpc - $raw, 0.08, 'ms');
}

# --- round trips -----------------------------------------------------------------------------------

sub latency {
    my ($script) = @_;
    my $file = File::Temp->new;
    print {$file} $script;
    $file->flush;
    my @said = output('pgbench', '-n', '-M', 'prepared', '-T', 3, '-f', $file, '-D', "token=$token");
    my ($ms) = map { /^latency average = ([\d.]+)/ ? $1 : () } @said;
    return $ms;
}
my $four = latency("BEGIN;\nSELECT vrm.login(:token);\nSELECT vrm.uid();\nCOMMIT;\n");
my $one = latency("SELECT vrm.rpc(:token, 'uid');\n");
printf "%-20s four round trips %.3f ms, one %.3f ms\n", 'vrm.uid()', $four, $one;
target('one round trip, of what four take', $one / $four, 0.5, '');

# --- from signing up to an export ------------------------------------------------------------------

my @settings = (q{SET vrm.master_key_command = 'echo example:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='},
    'SET vrm.secret_literals = allow');
sql(@settings, q{SELECT vrm.key_create('data')});
my $trips = 0;

# One statement of an application's: what is at a path of its answer, which must not be an error.
sub trip {
    my ($bearer, $call, $path) = @_;
    $trips++;
    my $said = sql(@settings, "SELECT CASE WHEN a ? 'result' THEN coalesce(a #>> '$path', 'null') ELSE 'error: ' || a::text END
                               FROM vrm.$call AS a");
    die "$call: $said\n" if $said =~ /^error: /;
    return $said;
}
sub one { my ($bearer, $function, $arguments, $path) = @_; return trip($bearer, "rpc($bearer, '$function', '$arguments')", $path // '{result}') }
sub batch { my ($bearer, $calls, $path) = @_; return trip($bearer, "rpc_batch($bearer, '$calls')", $path // '{result}') }

my $who = '"email": "erin@example.org", "password": "correct horse"';
one('NULL', 'sign_up', qq({$who}));
my $mailed = sql(@settings, 'SELECT token FROM vrm.take_sign_up_mail()');
one('NULL', 'confirm_sign_up', qq({"token": "$mailed", "password": "correct horse"}));
my ($token_of_erin, $session) = split / /, one('NULL', 'sign_in', qq({$who}), '{result}') =~ s/.*"session_id": "(.*?)".*"access_token": "(.*?)".*/$2 $1/r;
my $erin = "'$token_of_erin'";
my $made = batch($erin, '[{"function": "create_agent", "arguments": {"agent_id": "reception"}},
    {"function": "store_api_key", "arguments": {"service": "openai", "key": "sk-live-0123456789abcdef"}}]', '{result,0}');
my $run = one($erin, 'start_test_run', qq({"agent_id": "$made"}));
one($erin, 'begin_test_run', qq({"run_id": "$run"}));
one($erin, 'append_turns', qq({"run_id": "$run", "turns": [{"speaker": "Agent", "message": "Hello", "at": $_}]})) for 1 .. 3;
one($erin, 'complete_test_run', qq({"run_id": "$run"}));
batch($erin, '[{"function": "call_history"}, {"function": "user_dashboard"}]');
one($erin, 'export_user_data', '{}');
one($erin, 'session_revoke', qq({"session_id": "$session"}));
target('round trips from signing up to an export and out', $trips, 20, '');
targets();
system('dropdb', $database);
