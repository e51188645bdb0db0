# History is brought in by batches: importers that are cancelled or killed, the server with them, and two at
# once lose no report and make no call of one twice.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $calls = 1_500;
my $node = server('imports');
$node->append_conf('postgresql.conf', "restart_after_crash = on\n");
$node->restart;
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }

# Each call is told twice, in other places of the queue.
sql(qq{
    INSERT INTO vrm.call_imports (user_id, source, payload)
    SELECT '$alice', 'vrm', jsonb_build_object(
               'externalId', 'call ' || n % $calls, 'startedAt', '2026-01-09T09:00:00Z', 'duration', 60,
               'transcript', jsonb_build_array(jsonb_build_object('role', 'agent', 'message', 'Hello', 'ms', 100)))
    FROM generate_series(1, 2 * $calls) AS n;
});

# Slow enough that whoever is stopped has not come to the end.
sql(q{
    CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END';
    CREATE TRIGGER linger BEFORE INSERT ON vrm.test_runs FOR EACH ROW EXECUTE FUNCTION linger();
});

sub importer {
    my $said = '';
    return IPC::Run::start(['psql', '-XAtq', '-d', $node->connstr('app') . ' application_name=importer',
            '-c', 'CALL vrm.import_calls(10)'], '<', File::Spec->devnull, '>', \$said, '2>', \$said);
}

sub finish {
    my ($run) = @_;
    eval { IPC::Run::finish($run) };
    return;
}

my $imported = q{SELECT count(*) FROM vrm.test_runs WHERE source = 'vrm'};
my $importing = q{SELECT pid FROM pg_stat_activity WHERE application_name = 'importer' LIMIT 1};
my $agreement = q{SELECT (SELECT count(*) FROM vrm.test_runs)
    = (SELECT count(*) FROM vrm.call_imports WHERE state = 'imported')
    AND (SELECT count(*) FROM vrm.run_events) = 2 * (SELECT count(*) FROM vrm.test_runs)};

my $run = importer();
$node->poll_query_until('app', "SELECT ($imported) >= 100") or die 'nobody imports';
sql("SELECT pg_cancel_backend(($importing))");
finish($run);
my $done = sql($imported);
cmp_ok($done, '<', $calls, 'an importer is stopped');
is(sql($agreement), 't', 'what it has done is whole');

$run = importer();
$node->poll_query_until('app', "SELECT ($imported) >= $done + 200") or die 'nobody goes on';
until_restarted($node, 'app', sub { kill 'KILL', sql($importing) });
finish($run);
cmp_ok(sql($imported), '>=', $done + 200, 'what is committed outlives a crash of the server');
cmp_ok(sql($imported), '<', $calls, 'which has left some');
is(sql($agreement), 't', 'and nothing half-done');

sql('DROP FUNCTION linger() CASCADE');
my @both = (importer(), importer());
finish($_) for @both;
finish(importer());
is(sql($imported), $calls, 'two at once go on: each call is there');
is(sql($agreement), 't', 'once');
is(sql(q{SELECT string_agg(state || ' ' || reports, ', ' ORDER BY state) FROM vrm.import_progress}),
    "duplicate $calls, imported $calls", 'and each report has been read');

$node->stop;
done_testing();
