# Logical replication of tenants' tables into an analytics database: the example that the documentation shows.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

# --- given: a platform with calls, and an empty database --------------------------------------------

my ($source, $target) = (server('source', allows_streaming => 'logical'), server('target'));
database($source, 'app');
$source->safe_psql('app', slurp_file("$FindBin::Bin/../lib/sample.sql"));
$target->safe_psql('postgres', 'CREATE DATABASE analytics');
my $example = "$FindBin::Bin/../../../demo/analytics";
$source->safe_psql('app', slurp_file("$example/source.sql"));
my $place = 'host=' . $source->host . ' port=' . $source->port . ' dbname=app user=analytics';
system_or_bail('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $target->connstr('analytics'), '-v', "source=$place",
    '-f', "$example/target.sql");

my $alice = '00000000-0000-7000-8000-00000000000a';
my %columns = (
    call_outcomes => '*',
    agents => 'user_id, id, agent_id, direction, created_at, deleted_at',
    agent_versions => 'user_id, agent_id, version, direction, created_at',
    call_facts => 'user_id, id, agent_id, started_at, status, duration_ms, sentiment, outcome, outcome_kind, cost_micros,'
      . ' currency, agent_ms, customer_ms, interruptions, tool_calls, tool_failures',
    metric_results => 'user_id, metric_id, run_id, case_id, judge, is_person, score, passed, at');

sub same_rows {
    my ($when) = @_;
    $source->wait_for_catchup('analytics');
    for my $table (sort keys %columns) {
        my $sql = "SELECT $columns{$table} FROM vrm.$table ORDER BY 1, 2, 3";
        is(query($target, 'analytics', $sql), query($source, 'app', $sql), "$when: $table");
    }
    return;
}

# --- copied, then followed --------------------------------------------------------------------------

$target->wait_for_subscription_sync($source, 'analytics', 'analytics');
same_rows('copied');
is(query($source, 'app', "SELECT state FROM vrm.replica_status() WHERE role = 'subscriber' AND slot = 'analytics'"),
    'streaming', 'the source knows who follows it');

my $agent = query($source, 'app', "SELECT id FROM vrm.agents WHERE agent_id = 'reception'");
my $run = as_user($source, 'app', $alice, "SELECT vrm.start_test_run('$agent')");
as_user($source, 'app', $alice, "SELECT vrm.append_transcript('$run', 'Agent', 'Hello!')");
as_user($source, 'app', $alice, "SELECT vrm.complete_test_run('$run', '{\"sentiment\": \"positive\"}')");
as_user($source, 'app', $alice, "SELECT vrm.delete_agent('$agent')");
same_rows('calls that end and agents that go');
is(query($target, 'analytics', "SELECT sentiment FROM vrm.call_facts WHERE id = '$run'"), 'positive', 'the call is there');

$source->safe_psql('app', 'UPDATE vrm.test_runs SET completed_at = completed_at - interval \'3 years\','
      . " started_at = started_at - interval '3 years' WHERE id = '$run'; SELECT vrm.archive_old_test_runs()");
is(query($source, 'app', "SELECT count(*) FROM vrm.test_runs WHERE id = '$run'"), 0, 'a call is archived');
same_rows('its figures stay');
$source->safe_psql('app', 'SELECT vrm.release_hold(hold_id) FROM vrm_private.legal_holds WHERE released_at IS NULL;'
      . " SELECT vrm.erase_user('$alice', 'asked for it')");
same_rows('who is erased here is erased there');
is(query($target, 'analytics', "SELECT count(*) FROM vrm.call_facts WHERE user_id = '$alice'"), 0, 'every figure');

# --- no more than that ------------------------------------------------------------------------------

for my $forbidden ('persona FROM vrm.agents', 'email FROM vrm.user_profiles', 'results FROM vrm.test_runs',
    'key FROM vrm.api_keys', 'rationale FROM vrm.metric_results') {
    like(error_of($source, 'app', "SET ROLE analytics; SELECT $forbidden"), qr/^42501: /, "who copies cannot SELECT $forbidden");
}
is(query($target, 'analytics', "SELECT count(*) FROM pg_stat_subscription_stats WHERE apply_error_count + sync_error_count > 0"),
    0, 'nothing has failed on the way');

done_testing();
