# Runners that die, and a server that dies under them: 64 at once take 10,000 queued calls.  Each call is
# played to its end by one runner, none is lost, and nothing of a runner that was killed is left in it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $calls = 10_000;
my $node = server('claims');
$node->append_conf('postgresql.conf', "restart_after_crash = on\nmax_connections = 120\nautovacuum_naptime = 1\n");
$node->restart;
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }

# Queued as start_suite() does it, without the triggers that would take a minute.
sql(qq{
    INSERT INTO vrm.agents (user_id, agent_id) VALUES ('$alice', 'desk');
    SET session_replication_role = replica;
    INSERT INTO vrm.test_runs (user_id, id, agent_id, agent_version, time_limit, status)
    SELECT '$alice', vrm.uuid7(), a.id, 1, 86400, 'queued' FROM vrm.agents a, generate_series(1, $calls);
    INSERT INTO vrm.run_queue (user_id, run_id) SELECT user_id, id FROM vrm.test_runs ORDER BY id;
    CREATE TABLE played (run_id uuid, runner text);
    CREATE FUNCTION sign_in() RETURNS void LANGUAGE sql AS \$\$
        SELECT set_config('request.jwt.claims', '{"sub": "$alice", "role": "authenticated"}', true) \$\$;
    -- what a runner does with a call, in a transaction of its own
    CREATE FUNCTION play(run uuid, runner text) RETURNS void LANGUAGE plpgsql AS \$\$
    BEGIN
        IF run IS NOT NULL THEN
            PERFORM vrm.append_transcript(run, 'Agent', runner);
            PERFORM vrm.complete_test_run(run);
            INSERT INTO played VALUES (run, runner);
        END IF;
    END \$\$;
});

my $script = PostgreSQL::Test::Utils::tempdir() . '/runner.sql';
append_to_file($script, q{
BEGIN;
SELECT sign_in();
SELECT coalesce((SELECT run_id::text FROM vrm.claim_test_run('runner :client_id', '1 hour')), '') AS run \gset
COMMIT;
BEGIN;
SELECT sign_in();
SELECT play(nullif(':run', '')::uuid, ':client_id');
COMMIT;
});

# 64 runners, until somebody ends them or each has tried so often.
sub runners {
    my ($tries, @options) = @_;
    my $said = '';
    return IPC::Run::start(['pgbench', '-n', '-c', 64, '-j', 4, '-t', $tries, @options, '-f', $script,
            $node->connstr('app') . ' application_name=runners'],
        '<', File::Spec->devnull, '>', \$said, '2>', \$said);
}

# What backends know of the calls' table, such as its triggers, has to be read anew all the time meanwhile:
# most of all by those that have just come.
my $news = PostgreSQL::Test::Utils::tempdir() . '/news.sql';
append_to_file($news, "UPDATE pg_class SET relpages = relpages WHERE oid = 'vrm.test_runs'::regclass;\n");
sub news {
    my $said = '';
    return IPC::Run::start(['pgbench', '-n', '-T', 600, '-f', $news, $node->connstr('app')],
        '<', File::Spec->devnull, '>', \$said, '2>', \$said);
}

sub finish {
    my ($run) = @_;
    eval { IPC::Run::finish($run) };
    return;
}

my $ended = q{SELECT count(*) FROM vrm.test_runs WHERE status = 'completed'};

# --- the runners die ------------------------------------------------------------------------------------

my $changes = news();
my $run = runners(1_000_000, '--connect');
$node->poll_query_until('app', "SELECT count(*) >= 1000 FROM played") or die 'nobody plays';
for my $ending ($run, $changes) {
    IPC::Run::signal($ending, 'KILL');
    finish($ending);
}
$node->poll_query_until('app', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'runners'});
unlike(slurp_file($node->logfile), qr/terminated by signal/, 'no backend crashes while the calls\' table changes');
my $left = sql(q{SELECT count(*) FROM vrm.run_leases l JOIN vrm.test_runs r ON r.id = l.run_id WHERE r.status = 'running'});
cmp_ok($left, '>', 0, 'runners that are killed leave calls behind');
is(sql($ended), sql('SELECT count(DISTINCT run_id) FROM played'), 'what they had played is over');

# One that had begun to speak, and whose lease ends.
my $half = sql(q{SELECT l.run_id FROM vrm.run_leases l JOIN vrm.test_runs r ON r.id = l.run_id
                 WHERE r.status = 'running' LIMIT 1});
sql("BEGIN; SELECT sign_in(); SELECT vrm.append_transcript('$half', 'Agent', 'half a sen'); COMMIT");
sql(q{UPDATE vrm.run_leases SET lease_until = now() - interval '1 s'});

# --- the server dies ------------------------------------------------------------------------------------

$run = runners(1_000_000);
$node->poll_query_until('app', "SELECT count(*) >= 5000 FROM played") or die 'nobody plays';
until_restarted($node, 'app', sub {
        kill 'KILL', sql(q{SELECT pid FROM pg_stat_activity WHERE application_name = 'runners' LIMIT 1});
});
IPC::Run::signal($run, 'KILL');
finish($run);
is(sql($ended), sql('SELECT count(DISTINCT run_id) FROM played'), 'after a crash of the server, too');
sql(q{UPDATE vrm.run_leases SET lease_until = now() - interval '1 s'});

# --- others end it --------------------------------------------------------------------------------------

for (1 .. 20) {
    last if sql($ended) == $calls;
    finish(runners(30));
    sql(q{UPDATE vrm.run_leases SET lease_until = now() - interval '1 s' WHERE run_id IN
          (SELECT id FROM vrm.test_runs WHERE status = 'running')});
}
is(sql($ended), $calls, 'other runners end them all: none is lost');
is(sql('SELECT count(*) FROM played'), $calls, 'each is played');
is(sql('SELECT count(*) FROM (SELECT run_id FROM played GROUP BY run_id HAVING count(*) > 1) AS twice'), 0, 'once');
is(sql(q{SELECT count(*) FROM vrm.test_runs WHERE jsonb_array_length(results -> 'transcript') <> 1}), 0,
    'with what its last runner has said and nothing else');
is(sql('SELECT count(*) FROM vrm.run_queue'), 0, 'nobody waits any more');
cmp_ok(sql('SELECT count(DISTINCT runner) FROM played'), '>', 32, 'by many runners');

$node->stop;
done_testing();
