# Statistics of calls under concurrent writers and a compactor: at every instant readers see exactly
# what adding up the calls would give; what is archived stays in them; all of it runs on a standby.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $node = server('analytics', allows_streaming => 1);
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }

sub start {
    my ($sql) = @_;
    my $output = '';
    my $handle = IPC::Run::start(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d',
            $node->connstr('app')], '<', \$sql, '>', \$output, '2>&1');
    return { handle => $handle, output => \$output };
}

sub finish {
    my ($running) = @_;
    my $ok = IPC::Run::finish($running->{handle});
    chomp ${ $running->{output} };
    return ($ok, ${ $running->{output} });
}

# --- given: writers that begin, end, move and delete calls, a transaction each --------------------

sub writer {
    my ($seed) = @_;
    return <<"SQL";
SET application_name = 'writer';
SELECT setseed($seed) \\g /dev/null
DO \$\$
DECLARE
    moment timestamptz;
BEGIN
    FOR i IN 1..400 LOOP
        moment := '2026-01-25 00:00Z'::timestamptz + random() * interval '10 days';
        CASE WHEN random() < 0.6 THEN
            INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
            VALUES ('$alice', 'completed', moment, moment + interval '1 minute',
                    jsonb_build_object('duration', '1:' || 10 + (random() * 49)::integer,
                                       'customer', (random() * 300)::integer::text));
        WHEN random() < 0.4 THEN
            UPDATE vrm.test_runs SET started_at = moment, completed_at = moment + interval '2 minutes'
            WHERE id = (SELECT id FROM vrm.test_runs WHERE completed_at IS NOT NULL
                        ORDER BY hashtext(id::text || i) LIMIT 1);
        WHEN random() < 0.5 THEN
            DELETE FROM vrm.test_runs
            WHERE id = (SELECT id FROM vrm.test_runs ORDER BY hashtext(id::text || i) LIMIT 1);
        ELSE
            INSERT INTO vrm.test_runs (user_id, status, started_at)
            VALUES ('$alice', 'running', moment);
        END CASE;
        COMMIT;
    END LOOP;
END
\$\$;
SQL
}

# Compares for as long as the writers are at work; prints comparisons, differences, and how often the
# statistics in advance had changed in between.
my $reader = <<"SQL";
CREATE TEMP TABLE seen (comparisons integer, differences integer);
GRANT ALL ON seen TO authenticated;
SET vrm.session_login = on;
SET request.jwt.claims = '{"sub": "$alice", "role": "authenticated"}';
SET ROLE authenticated;
DO \$\$
DECLARE
    differences integer := 0;
    comparisons integer := 0;
    differs integer;
BEGIN
    LOOP
        SELECT count(*) INTO differs
        FROM (VALUES ('-infinity'::timestamptz, 'infinity'::timestamptz),
                     ('2026-01-01 00:00Z', '2026-02-01 00:00Z'),
                     ('2026-01-26 07:00Z', '2026-02-02 19:30Z')) AS span (since, until),
             LATERAL (SELECT vrm.call_stats(status, started_at, completed_at, results)::text AS direct
                      FROM vrm.test_runs WHERE started_at >= since AND started_at < until) AS d
        WHERE direct <> vrm.call_statistics(since, until)::text;
        comparisons := comparisons + 3;
        differences := differences + differs;
        COMMIT;
        EXIT WHEN comparisons > 30
              AND (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'writer') = 0;
    END LOOP;
    INSERT INTO seen VALUES (comparisons, differences);
END
\$\$;
SELECT comparisons > 30, differences FROM seen;
SQL

my $compactor = <<'SQL';
DO $$
BEGIN
    LOOP
        CALL vrm.maintain();
        COMMIT;
        EXIT WHEN (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'writer') = 0;
    END LOOP;
END
$$;
SELECT 'done';
SQL

# --- when they all run at once ----------------------------------------------------------------------

my @writers = map { start(writer($_ / 10)) } 1 .. 4;
my @others = map { start($_) } $reader, $reader, $compactor, $compactor;
for my $writer (@writers) {
    my ($ok, $said) = finish($writer);
    ok($ok, 'a writer wrote') or diag($said);
}
my @results = map { [finish($_)] } @others;
is($results[$_][1], 't|0', 'a reader saw no difference') for 0, 1;
is($results[$_][1], 'done', 'a compactor ran beside') for 2, 3;

sub differences {
    return as_user($node, 'app', $alice, q{
        SELECT vrm.call_stats(status, started_at, completed_at, results)::text <> vrm.call_statistics()::text
        FROM vrm.all_test_runs});
}

sql('CALL vrm.maintain()');
is(sql('SELECT count(*) FROM vrm.call_dirty'), '0', 'in the end all days are compacted');
cmp_ok(sql('SELECT count(*) FROM vrm.call_rollup'), '>', 5, 'into statistics');
is(differences(), 'f', 'that are exact');

# --- when calls go to the archive; how long facts are kept is a policy of its own ------------------------

sql(q{UPDATE vrm.retention_policies SET enabled = false WHERE name LIKE 'analytics.%'});
sql(q{UPDATE vrm.test_runs SET started_at = started_at - interval '4 years',
             completed_at = completed_at - interval '4 years' WHERE started_at < '2026-01-29'});
sql('CALL vrm.maintain()');
my $before = as_user($node, 'app', $alice, 'SELECT vrm.call_statistics()');
sql('CALL vrm.run_retention()');
cmp_ok(sql('SELECT count(*) FROM vrm_private.test_runs_archive'), '>', 10, 'calls are archived');
is(as_user($node, 'app', $alice, 'SELECT vrm.call_statistics()'), $before, 'their facts stay');
is(differences(), 'f', 'and statistics are those of all calls, live and archived');
sql('SELECT vrm_private.rebuild_rollups()');
sql('CALL vrm.maintain()');
is(as_user($node, 'app', $alice, 'SELECT vrm.call_statistics()'), $before, 'also when made anew');
sql(q{DELETE FROM vrm.test_runs WHERE id = (SELECT max(id::text)::uuid FROM vrm.test_runs
                                             WHERE status = 'completed')});
is(differences(), 'f', 'a call that is merely deleted takes its fact along');

# --- on a standby ---------------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('analytics_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
my $dashboards = <<'SQL';
SELECT md5(concat(vrm.call_statistics()::text, vrm.user_dashboard_json() - 'recent_calls',
                  vrm.call_summary_json('2026-01-01', '2026-03-01'),
                  vrm.call_series_json('2026-01-01', '2026-03-01', '1 day', 'Europe/Berlin'),
                  vrm.agent_performance_json('2026-01-01', '2026-03-01'), vrm.live_calls_json() - 'elapsed',
                  vrm.failure_reasons_json('2026-01-01', '2026-03-01'), vrm.call_history_json()::text))
SQL
$dashboards =~ s/vrm\.live_calls_json\(\) - 'elapsed'/(SELECT count(*) FROM vrm.live_calls())/;
is(as_user($standby, 'app', $alice, $dashboards), as_user($node, 'app', $alice, $dashboards),
    'a standby shows the same');
my $cached = q{SELECT vrm.dashboard('call_summary', '{"since": "2026-01-01", "until": "2026-03-01"}', '1 hour')};
my $made = as_user($node, 'app', $alice, $cached);
is(sql('SELECT count(*) FROM vrm.cached_results'), '1', 'the primary keeps a dashboard when asked to');
{
    local $ENV{PGOPTIONS} = '-c default_transaction_isolation=serializable';
    sql('DELETE FROM vrm.cached_results');
    is(as_user($node, 'app', $alice, $cached), $made, 'a serializable transaction gets the same');
    is(sql('SELECT count(*) FROM vrm.cached_results'), '0', 'and keeps nothing, for that might fail');
}
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is(as_user($standby, 'app', $alice, $cached), $made, 'the standby, which cannot read it, makes it anew');

done_testing();
