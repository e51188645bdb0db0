# Dashboards keep to their indexes when tables are a hundred times as large: their plans, those of every statement within
# included, with the statistics of such tables.  One tenant has most of the calls, which is where planners go astray.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $node = server('plans');
$node->append_conf('postgresql.conf', <<'CONF');
autovacuum = off
session_preload_libraries = 'auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_nested_statements = on
auto_explain.log_level = log
CONF
$node->restart;
database($node, 'app');
my @people = map { person($node, 'app', "$_\@example.org") } 'busy', map { "small$_" } 1 .. 20;
query($node, 'app', <<"SQL");
SET auto_explain.log_min_duration = -1;
INSERT INTO vrm.agents (user_id, agent_id) SELECT p.id, 'agent ' || n FROM vrm.user_profiles p, generate_series(1, 5) AS n;
INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at, error)
SELECT a.user_id, a.id, CASE WHEN i % 10 = 0 THEN 'failed' ELSE 'completed' END, at, at + interval '1 min', CASE WHEN i % 10 = 0 THEN 'no answer' END
FROM vrm.agents a, LATERAL generate_series(1, CASE a.user_id WHEN '$people[0]' THEN 1500 ELSE 20 END) AS i,
     LATERAL (SELECT now() - i * interval '1 hour' AS at) AS t;
CALL vrm.maintain();
INSERT INTO vrm.test_runs (user_id, agent_id, status, time_limit)
SELECT a.user_id, a.id, 'running', 86400 FROM vrm.agents a, generate_series(1, 10);
INSERT INTO vrm.transcript_turns (user_id, run_id, speaker, message, at)
SELECT r.user_id, r.id, 'Agent', 'Hello', i * interval '1 s' FROM vrm.test_runs r, generate_series(1, 20) AS i WHERE r.status = 'running';
ANALYZE;
UPDATE pg_class SET reltuples = reltuples * 100
WHERE relkind IN ('r', 'i') AND relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace);
SQL

# What the server's log has of plans while somebody asks.
sub plans {
    my ($who, $question) = @_;
    my $from = -s $node->logfile;
    as_user($node, 'app', $who, $question);
    return slurp_file($node->logfile, $from);
}

like(plans($people[1], 'SELECT count(*) FROM (SELECT * FROM vrm.test_runs OFFSET 0) AS r WHERE r.error LIKE $$x%$$'), qr/(Index|Bitmap).*test_runs/,
    'given plans in the log');
my $since = q{now() - interval '30 days', now()};
for my $question ("vrm.call_summary($since)", "vrm.call_series($since, '1 day')", "vrm.call_series($since, '1 day', time_zone => 'Asia/Kolkata')",
    "vrm.agent_performance($since)", "vrm.failure_reasons($since)", 'vrm.live_calls()', 'vrm.user_dashboard()',
    'vrm.call_history(page_size => 20)', "vrm.statistics_by_agent($since)", 'vrm.follow_events(NULL, 100)') {
    for my $who (0, 1) {
        my $log = plans($people[$who], "SELECT count(*) FROM $question");
        my @whole = $log =~ /(Seq Scan on (?:vrm\.)?(?:test_runs|call_facts|call_rollup\w*|run_events|metric_results|transcript_turns)\b.*)/g;
        unlike($log, qr/Function Scan on (?:vrm\.)?piece_statistics/, "$question adds states up where they are stored");
        is(join('; ', @whole), '', "$question reads no table as a whole, for " . ('who has most calls', 'who has few')[$who]);
    }
}

$node->stop;
done_testing();
