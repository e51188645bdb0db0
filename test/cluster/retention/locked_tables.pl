# Somebody has locked one table, for however long: policies of retention that have nothing to do with it run
# all the same, in the same run; the others say so, and their work is done by the next one.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Calls;
use VRM::Server;

my $node = server('locked_tables');
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }

# Something that is due, of nearly every policy.
sub fill {
    old_calls($node, 'app', $alice, 5);
    sql(<<"SQL");
INSERT INTO vrm.test_runs (user_id, status) SELECT '$alice', 'queued'
WHERE NOT EXISTS (SELECT FROM vrm.test_runs WHERE status = 'queued');
INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256, recorded_at)
SELECT user_id, id, vrm.uuid7()::text, 1, sha256(''), now() - interval '1 year' FROM vrm.test_runs WHERE status = 'queued';
INSERT INTO vrm.logs (class, level, message, at)
SELECT class, 'info', 'long ago', now() - interval '5 years' FROM unnest('{application,error,analytics}'::text[]) AS class;
SET session_replication_role = replica;
INSERT INTO vrm.agent_alerts (user_id, threshold_id, agent_id, measure, value, allowed, calls, since, resolved_at)
VALUES ('$alice', vrm.uuid7(), vrm.uuid7(), 'failures', 1, 0.5, 20, '2020-01-01', '2020-01-02');
RESET session_replication_role;
SELECT vrm_private.compact_calls(),
       vrm_private.make_partition('vrm_private.test_runs_archive', 'test_runs_archive_2015', '2015-01-01', '2016-01-01');
INSERT INTO vrm_private.test_runs_archive (user_id, id, time_limit, status, started_at, completed_at, archived_at)
VALUES ('$alice', vrm.uuid7(), 60, 'completed', '2012-01-01', '2012-01-01', '2015-01-01');
SQL
    return;
}

my $done = q{SELECT string_agg(DISTINCT policy, ' ' ORDER BY policy) FROM vrm.retention_runs
             WHERE rows_done > 0 AND state = 'done' AND run_id > };
my $failed = q{SELECT string_agg(policy, ' ' ORDER BY policy) FROM vrm.retention_runs
               WHERE state = 'failed' AND error LIKE '55P03: %lock timeout' AND run_id > };
my $everything = 'agent.alerts analytics.facts analytics.rollups archive calls.completed calls.failed logs.analytics'
  . ' logs.application logs.error recordings';

sub last_run { return sql('SELECT coalesce(max(run_id), 0) FROM vrm.retention_runs') }

sub without {
    my %not = map { $_ => 1 } @_;
    return join ' ', grep { !$not{$_} } split / /, $everything;
}

# Each with the policies that cannot do without it.
my @calls = qw(calls.completed calls.failed);
my @cases = (
    ['vrm.call_recordings', @calls, 'recordings'],
    ['vrm.test_runs', @calls, 'recordings', 'verdicts'],
    ['vrm_private.test_runs_archive', 'archive', @calls, 'verdicts'],
    ['vrm.call_facts', 'analytics.facts'],
    ['vrm.call_rollup', 'analytics.rollups'],
    ['vrm.logs_error', 'logs.error'],
    ['vrm.logs', qw(logs.analytics logs.application logs.error)],
    ['vrm.agent_alerts', 'agent.alerts'],
    ['vrm.metric_results', 'verdicts'],
    ['vrm.user_profiles', qw(users.deleted users.inactive)]);

# The first of a month would make partitions, which is not what this is about.
sql(q{SELECT vrm_private.make_archive_partitions(), vrm_private.make_log_partitions();
      UPDATE vrm.retention_policies SET keep = '5 years' WHERE name = 'archive'});
fill();
sql('CALL vrm.run_retention()');
is(sql($done . 0), $everything, 'something is due of each policy');

my $locker = $node->background_psql('app');
for my $case (@cases) {
    my ($table, @held) = @$case;
    fill();
    my $from = last_run();
    $locker->query_safe("BEGIN; LOCK TABLE $table IN ACCESS EXCLUSIVE MODE");
    like(error_of($node, 'app', 'CALL vrm.run_retention()'), qr/^55P03: /, "$table is locked: the run says so");
    is(sql($failed . $from), "@held", '... and which policies could not be done for it');
    is(sql($done . $from), without(@held), '... the others are done');
    if ($table eq 'vrm.call_recordings' || $table eq 'vrm.logs_error') {
        my @others = split / /, without(@held);
        my $names = join ', ', map { "'$_'" } @others;
        is(sql("SET lock_timeout = '1s'; SELECT count(*) FROM vrm.retention_policies p, vrm.retention_preview(p.name)"
                  . " WHERE p.name IN ($names)"), @others + 0, '... and are previewed');
    }
    $locker->query_safe('COMMIT');
    my $next = last_run();
    is(error_of($node, 'app', 'CALL vrm.run_retention()'), '', 'once it is free there is no error');
    is(sql($done . $next) // '', join(' ', grep { my $name = $_; grep { $_ eq $name } @held } split / /, $everything),
        '... and the work of these is done');
}

# All of maintenance, whose other steps may well need the table.
fill();
sql(q{UPDATE vrm.retention_policies SET every = '1 s'; SELECT pg_sleep(1.1)});
my $from = last_run();
$locker->query_safe('BEGIN; LOCK TABLE vrm.call_recordings IN ACCESS EXCLUSIVE MODE');
like(error_of($node, 'app', 'CALL vrm.maintain()'), qr/^55P03: /, 'vrm.maintain() says it, too');
is(sql($failed . $from), "@calls recordings", '... of the same policies');
is(sql($done . $from), without(@calls, 'recordings'), '... and does the others');
$locker->query_safe('COMMIT');
sql('SELECT pg_sleep(1.1)');
is(error_of($node, 'app', 'CALL vrm.maintain()'), '', 'the next one does all');
is(sql('SELECT sum(due_rows) FROM vrm.retention_preview()'), '0', 'nothing is due any more');

$locker->quit;
$node->stop;
done_testing();
