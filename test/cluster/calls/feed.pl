# vrm.follow_events() gives each event once and in an order that holds, whatever order transactions end in: many at once,
# prepared ones, ones that are rolled back, on a standby.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $node = server('feed', allows_streaming => 1);
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->restart;
database($node, 'app');
my $ann = person($node, 'app', 'ann@example.org');
my $agent = as_user($node, 'app', $ann, q{SELECT vrm.create_agent('reception')});

# The states of the events after the cursor, which moves on.
my $cursor = '';

sub follow {
    my ($from) = @_;
    my ($states, $next) = split /\|/, as_user($from // $node, 'app', $ann, <<"SQL");
SELECT string_agg(status, ' ' ORDER BY n), (array_agg(next_cursor ORDER BY n DESC))[1]
FROM vrm.follow_events('$cursor', 10000) WITH ORDINALITY AS f (event_id, run_id, status, at, next_cursor, n)
SQL
    $cursor = $next if $next;
    return $states // '';
}

# --- transactions that are prepared ---------------------------------------------------------------------------

sub start_call { return as_user($node, 'app', $ann, "SELECT vrm.start_test_run('$agent')") }

is(follow(), '', 'nothing has happened yet');
query($node, 'app', qq{BEGIN; INSERT INTO vrm.run_events (user_id, run_id, status) VALUES ('$ann', vrm.uuid7(), 'failed');
    PREPARE TRANSACTION 'left behind'});
start_call();
is(follow(), '', 'an event waits for a transaction that was prepared before it');
is(query($node, 'app', q{SELECT count(*) FROM vrm.monitoring('{maintenance}')
    WHERE name = 'vrm_maintenance_oldest_prepared_seconds' AND value > 0}), 1, 'which monitoring shows');
query($node, 'app', q{COMMIT PREPARED 'left behind'});
is(follow(), 'failed running', 'when that is committed, both come, in their order');
query($node, 'app', qq{BEGIN; INSERT INTO vrm.run_events (user_id, run_id, status) VALUES ('$ann', vrm.uuid7(), 'failed');
    PREPARE TRANSACTION 'to be undone'});
start_call();
is(follow(), '', 'another one holds back, too');
query($node, 'app', q{ROLLBACK PREPARED 'to be undone'});
is(follow(), 'running', 'and when it is rolled back, nothing of it comes');

# --- a transaction of another database --------------------------------------------------------------------------

my $elsewhere = $node->background_psql('postgres');
$elsewhere->query('BEGIN; SELECT pg_current_xact_id();');
start_call();
is(follow(), '', 'so does one that writes in another database');
$elsewhere->query('COMMIT;');
$elsewhere->quit;
is(follow(), 'running', 'until it ends');

# --- many at once -------------------------------------------------------------------------------------------------

# Clients that write and wait, end as they like, and read on between.
query($node, 'app', <<"SQL");
CREATE TABLE seen (event_id uuid, n bigserial);
CREATE TABLE place (cursor text);
INSERT INTO place VALUES ('$cursor');
SQL
my $script = PostgreSQL::Test::Utils::tempdir() . '/writes';
append_to_file($script, <<"SQL");
\\set wait random(0, 20)
BEGIN;
INSERT INTO vrm.run_events (user_id, run_id, status) VALUES ('$ann', vrm.uuid7(), 'running');
\\sleep :wait ms
INSERT INTO vrm.run_events (user_id, run_id, status) VALUES ('$ann', vrm.uuid7(), 'completed');
END;
SQL
my $claims = qq{SET LOCAL request.jwt.claims = '{"sub": "$ann"}';};
my $writers = IPC::Run::start ['pgbench', '-n', '-c', 8, '-t', 25, '-f', $script, '-h', $node->host, '-p', $node->port, 'app'],
  '<', \undef, '>', \my $out, '2>', \my $err;
my $reader = $node->background_psql('app');
my $round = sub {
    return $reader->query(qq{BEGIN; $claims
        WITH f AS MATERIALIZED (SELECT f.event_id, f.next_cursor, n FROM place,
                                vrm.follow_events(place.cursor, 7) WITH ORDINALITY AS f (event_id, run_id, status, at, next_cursor, n)),
        moved AS (UPDATE place SET cursor = (SELECT next_cursor FROM f ORDER BY n DESC LIMIT 1) WHERE EXISTS (SELECT FROM f))
        INSERT INTO seen (event_id) SELECT event_id FROM f ORDER BY n; COMMIT;
        SELECT count(*) FROM seen;});
};
my $number = 0;
while ($writers->pumpable) { $round->(); $writers->pump_nb }
$writers->finish;
my $before;
do { $before = $number; $number = $round->() } while $number > $before;
$reader->quit;
is(query($node, 'app', 'SELECT count(*) FROM seen'), 400, 'a follower among eight writers sees every event');
is(query($node, 'app', 'SELECT count(DISTINCT event_id) FROM seen'), 400, 'once');

# --- a standby ----------------------------------------------------------------------------------------------------

$cursor = query($node, 'app', 'SELECT cursor FROM place');
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('feed_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $open = $node->background_psql('app');
$open->query(qq{BEGIN; INSERT INTO vrm.run_events (user_id, run_id, status) VALUES ('$ann', vrm.uuid7(), 'failed');});
start_call();
$node->wait_for_catchup($standby);
is(follow($standby), '', 'a standby holds back as its primary does');
$open->query('COMMIT;');
$open->quit;
$node->wait_for_catchup($standby);
is(follow($standby), 'failed running', 'and gives the same afterwards');

$standby->stop;
$node->stop;
done_testing();
