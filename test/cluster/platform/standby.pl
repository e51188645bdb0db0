# Standby and crash: whatever only reads works on a hot standby, whatever writes says why it cannot,
# and no call that was committed is lost when the primary dies.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;
use VRM::Snapshot;

# --- given: a primary with calls, and a standby that follows it ----------------------------------

my $primary = server('primary', allows_streaming => 1);
database($primary, 'calls');
$primary->safe_psql('calls', slurp_file("$FindBin::Bin/../lib/sample.sql"));
$primary->safe_psql('calls', 'DELETE FROM vrm.cached_results');  # unlogged: a crash may take it

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

my $alice = $primary->safe_psql('calls', "SELECT id FROM auth.users WHERE email LIKE 'alice%'");
my $agent = $primary->safe_psql('calls', "SELECT id FROM vrm.agents WHERE agent_id = 'reception'");
my $live = $primary->safe_psql('calls',
    "SELECT run_id FROM vrm.transcript_turns WHERE user_id = '$alice'");
as_user($primary, 'calls', $alice, "SELECT vrm.append_transcript('$live', 'Agent', 'one moment')");
$primary->wait_for_catchup($standby);
is($standby->safe_psql('calls', 'SELECT pg_is_in_recovery()'), 't', 'the standby is one');

# --- reading -------------------------------------------------------------------------------------

for my $sql (
    'SELECT vrm.uid(), vrm.role(), vrm.aal(), vrm.jwt()',
    'SELECT * FROM vrm.user_dashboard()',
    'SELECT * FROM vrm.call_history(page_size => 2)',
    q{SELECT * FROM vrm.agent_performance(now() - interval '1 day', now() + interval '1 day')},
    'SELECT id, agent, status, turns, last_message FROM vrm.live_calls()',
    'SELECT * FROM vrm.calls ORDER BY id',
    'SELECT * FROM vrm.all_test_runs ORDER BY id',
    'SELECT message FROM vrm.transcript_turns ORDER BY id')
{
    my $expected = as_user($primary, 'calls', $alice, $sql);
    isnt($expected, '', "on the primary there is something to see: $sql");
    is(as_user($standby, 'calls', $alice, $sql), $expected, 'and the standby shows the same');
}

# Whatever later topics add: a function that says it only reads must be able to run here.
my $readers = $primary->safe_psql('calls', <<'SQL');
SELECT format('SELECT count(*) FROM %s() AS f', p.oid::regproc)
FROM pg_proc p
WHERE p.pronamespace = 'vrm'::regnamespace AND p.provolatile <> 'v' AND p.prokind = 'f'
  AND p.pronargs = p.pronargdefaults AND p.prorettype <> 'trigger'::regtype
  AND has_function_privilege('authenticated', p.oid, 'EXECUTE')
UNION ALL
SELECT format('SELECT count(*) FROM %s', c.oid::regclass)
FROM pg_class c
WHERE c.relnamespace = 'vrm'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
  AND c.relpersistence = 'p'  -- unlogged tables cannot be read there
  AND has_table_privilege('authenticated', c.oid, 'SELECT')
ORDER BY 1
SQL
my @readers = split /\n/, $readers;
cmp_ok(scalar @readers, '>', 30, 'there are functions and tables that are read');
for my $sql (@readers) {
    next if $sql =~ /vrm\.(members|invitations|member_activity)\(/;  # of organisations: accounts/teams.pl
    is(error_as_user($standby, 'calls', $alice, $sql), '', "the standby can: $sql");
}

# --- watching it ---------------------------------------------------------------------------------

is($standby->safe_psql('calls', 'SELECT count(DISTINCT vrm_private.metric_of(name)) FROM vrm.monitoring()'),
    $primary->safe_psql('calls', 'SELECT count(*) FROM vrm.monitoring_metrics'), 'the standby measures every metric');
is($standby->safe_psql('calls', q{SELECT value FROM vrm.monitoring('{replication}') WHERE name = 'vrm_replication_in_recovery'}), '1',
    'says that it is one');
is($standby->safe_psql('calls', q{SELECT value FROM vrm.monitoring('{replication}') WHERE name = 'vrm_replication_lag_seconds'}), '0',
    'and that it is not behind, however long nothing has happened');
is($primary->safe_psql('calls', q{SELECT value FROM vrm.monitoring('{replication}') WHERE name = 'vrm_replication_standbys'}), '1',
    'the primary knows it');
isnt($standby->safe_psql('calls', 'SELECT count(*) FROM vrm.health_check()'), '0', 'there are verdicts on a standby, too');

# --- writing -------------------------------------------------------------------------------------

for my $sql (
    "SELECT vrm.create_agent('another')",
    "SELECT vrm.delete_agent('$agent')",
    "SELECT vrm.start_test_run('$agent')",
    "SELECT vrm.append_transcript('$live', 'Agent', 'hello')",
    "SELECT vrm.record_action('$live', 'waited')",
    "SELECT vrm.complete_test_run('$live')",
    "SELECT vrm.fail_test_run('$live', 'line went dead')",
    "SELECT vrm.cancel_test_run('$live')",
    "INSERT INTO vrm.metrics (name, prompt) VALUES ('n', 'p')")
{
    like(error_as_user($standby, 'calls', $alice, $sql),
        qr/^25006: cannot execute .* in a read-only transaction/, "the standby cannot: $sql");
}
for my $sql ('SELECT vrm.install()', 'SELECT vrm.expire_test_runs()',
    'SELECT vrm.create_missing_profiles()')
{
    like(error_of($standby, 'calls', $sql), qr/^25006: /, "nor can its superuser: $sql");
}

# --- the primary dies ----------------------------------------------------------------------------

my $done = as_user($primary, 'calls', $alice, "SELECT vrm.start_test_run('$agent')");
as_user($primary, 'calls', $alice, "SELECT vrm.append_transcript('$done', 'Agent', 'Hello!')");
as_user($primary, 'calls', $alice, "SELECT vrm.complete_test_run('$done')");
my $committed = rows($primary, 'calls');

my $session = $primary->background_psql('calls', on_error_stop => 0);
my $claims = qq({"sub": "$alice"});
my $seen = $session->query(<<"SQL");
BEGIN;
SELECT set_config('request.jwt.claims', '$claims', true),
       set_config('role', 'authenticated', true) \\g /dev/null
SELECT vrm.append_transcript('$live', 'Agent', 'never to be committed') \\g /dev/null
SELECT count(*) FROM vrm.transcript_turns WHERE message LIKE 'never%';
SQL
like($seen, qr/^1$/m, 'given a turn that is not yet committed');
$primary->stop('immediate');
$primary->start;
eval { $session->quit };

same_text(rows($primary, 'calls'), $committed,
    'after a crash there is every row that was committed, and no other');
is(as_user($primary, 'calls', $alice, "SELECT status FROM vrm.test_runs WHERE id = '$done'"),
    'completed', 'the call that had ended has ended');
is(as_user($primary, 'calls', $alice,
        "SELECT results -> 'transcript' -> 0 ->> 'message' FROM vrm.test_runs WHERE id = '$done'"),
    'Hello!', 'with what was said in it');
as_user($primary, 'calls', $alice,
    "SELECT vrm.append_transcript('$live', 'Agent', 'sorry, I was away')");
is(as_user($primary, 'calls', $alice, 'SELECT last_message FROM vrm.live_calls() LIMIT 1'),
    'sorry, I was away', 'and the one that was running goes on');

# --- the standby takes over ----------------------------------------------------------------------

$primary->wait_for_catchup($standby);
$committed = rows($primary, 'calls');
$primary->stop('immediate');
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
same_text(rows($standby, 'calls'), $committed, 'the promoted standby has every row');
as_user($standby, 'calls', $alice, "SELECT vrm.complete_test_run('$live')");
is(as_user($standby, 'calls', $alice, "SELECT status, results -> 'transcript' -> -1 ->> 'message'"
          . " FROM vrm.test_runs WHERE id = '$live'"),
    'completed|sorry, I was away', 'and the running call ends there');
is(error_as_user($standby, 'calls', $alice, "SELECT vrm.start_test_run('$agent')"), '',
    'where new calls begin');
is($standby->safe_psql('calls', 'SELECT vrm.install()'), newest_version($standby), 'its platform is whole');

done_testing();
