# Months of the archive on two nodes, which have neither vrm nor keys: what people, the service and the tests of
# one node see is the same before, there and back again, whatever is killed in between.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../cluster/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Nodes;
use VRM::Server;

need_citus();

# --- given: somebody with calls of three months, all archived -------------------------------------

my ($here, @workers) = map { node($_) } qw(coordinator left right);
$here->safe_psql('calls',
    'SET client_min_messages = warning; SET citus.enable_ddl_propagation = off; CREATE EXTENSION vrm');
my $alice = person($here, 'calls', 'alice@example.org');
my $bob = person($here, 'calls', 'bob@example.org');

query($here, 'calls', <<"SQL");
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, direction, outbound_call_params, results)
SELECT CASE WHEN n % 3 = 0 THEN '$bob' ELSE '$alice' END::uuid, 'completed', '2020-01-01Z', '2020-01-01 00:01Z',
       'outbound', '{"to": "+31301234567"}',
       jsonb_build_object('transcript', jsonb_build_array(jsonb_build_object('role', 'user', 'message', 'call ' || n)))
FROM generate_series(1, 120) AS n;
CALL vrm.run_retention('calls.completed');
SQL

# Every batch was of an earlier month, with all that tells of it.
query($here, 'calls', <<'SQL');
SET timezone = 'UTC';
SELECT vrm_private.make_partition('vrm_private.test_runs_archive', to_char(low, '"test_runs_archive_"YYYY_MM'), low,
                                  low + interval '1 month')
FROM (SELECT date_trunc('month', now()) - make_interval(months => n) AS low FROM generate_series(2, 3) AS n) AS month;
UPDATE vrm_private.test_runs_archive a
SET archived_at = date_trunc('month', now()) - make_interval(months => 2 + abs(hashtext(a.id::text)) % 2, days => -3);
INSERT INTO vrm_private.archive_manifest (run_id, row_count, archived_at, bytes, columns, rows_sha256, chain_sha256)
SELECT m.run_id, count(*), a.archived_at, 1, m.columns, sha256(''), sha256('')
FROM vrm_private.archive_manifest m, vrm_private.test_runs_archive a GROUP BY m.batch_id, a.archived_at;
DELETE FROM vrm_private.archive_manifest m WHERE NOT EXISTS
    (SELECT FROM vrm_private.test_runs_archive a WHERE a.archived_at = m.archived_at);
UPDATE vrm_private.test_runs_archive a SET batch_id = m.batch_id FROM vrm_private.archive_manifest m
WHERE m.archived_at = a.archived_at;
UPDATE vrm_private.archive_manifest m SET rows_sha256 =
    (SELECT sha256(string_agg(d, '' ORDER BY d))
     FROM (SELECT vrm.row_digest(a.*, m.columns) AS d FROM vrm_private.test_runs_archive a
           WHERE a.batch_id = m.batch_id) AS digests);
DO $$
DECLARE
    previous bytea;
    m vrm_private.archive_manifest;
BEGIN
    FOR m IN SELECT * FROM vrm_private.archive_manifest ORDER BY batch_id LOOP
        UPDATE vrm_private.archive_manifest c SET chain_sha256 = vrm_private.chain_link(
            previous, m.batch_id, m.run_id, m.row_count, m.archived_at, m.columns, m.rows_sha256)
        WHERE c.batch_id = m.batch_id RETURNING chain_sha256 INTO previous;
    END LOOP;
END
$$;
SQL

# What is asked of one node, and must be answered alike.
sub answers {
    my $of_alice = join '', map { as_user($here, 'calls', $alice, $_) . "\n" } (
        'SELECT count(*), md5(string_agg(r::text, chr(10) ORDER BY id)) FROM vrm.all_test_runs r',
        'SELECT count(*), md5(string_agg(h::text, chr(10) ORDER BY id)) FROM vrm.call_history() h',
        'SELECT md5(string_agg(d::text, chr(10) ORDER BY relation, pk)) FROM vrm.export_user_data() d'
          . " WHERE relation::text ~ 'test_runs'",
        "SELECT md5(vrm.export_customer('+31301234567')::text)");
    return $of_alice . query($here, 'calls', <<"SQL");
SELECT string_agg(v::text, chr(10) ORDER BY batch_id) FROM vrm.verify_archive() v;
SELECT string_agg(f::text, chr(10) ORDER BY f::text) FROM vrm.tenant_fingerprint('$alice') f;
SELECT string_agg(concat_ws(' ', a, b, c, d, e), chr(10) ORDER BY a)  -- and any five rows as examples
FROM vrm.run_quality_checks('vrm_private.test_runs_archive') AS q (a, b, c, d, e);
SQL
}

# Of what asking does not change.
sub fingerprint {
    return query($here, 'calls',
        'SELECT string_agg(f::text, chr(10) ORDER BY relation) FROM vrm.fingerprint() f'
          . q{ WHERE relation !~ 'quality|audit'});
}

# Definitions with comments, grants, policies and constraints, a line each.
sub schema {
    my $text = '';
    IPC::Run::run(
        ['pg_dump', '-s', '-t', 'vrm_private.test_runs_archive*', '-d', $here->connstr('calls')], '>', \$text)
      or die 'pg_dump failed';
    return join "\n", sort grep { !/^(--|\\|$)/ } split /\n/, $text;
}

my $schema = schema();
my $rows = fingerprint();
my $answers = answers();
like($answers, qr/^80\|/, 'she has archived calls');
like($answers, qr/,t,"\d+ rows"\)/, 'which are what was archived');

# --- when nodes cannot take rows, it is said why ---------------------------------------------------

like(error_of($here, 'calls', 'CALL vrm.distribute()'),
    qr/^55000: there is no other node that takes rows \| HINT:  SELECT citus_add_node/, 'nodes are needed');
join_nodes($here, @workers);
my $right = $workers[1]->host . ':' . $workers[1]->port;
$workers[1]->stop;
like(error_of($here, 'calls', 'CALL vrm.distribute()'),
    qr/^55000: node \Q$right\E cannot take rows \| DETAIL:  It says: /, 'which answer');
$workers[1]->start;
like(error_of($here, 'calls', 'CALL vrm.distribute(0)'), qr/^22023: /, 'shards are counted');
is(schema(), $schema, 'nothing was done');

# --- when it is killed, it goes on where it was ----------------------------------------------------

# Whoever reads keeps the month that has been copied from being exchanged.
query($here, 'calls', 'SELECT vrm_private.prepare_nodes()');
my $reader = $here->background_psql('calls');
$reader->query_safe('BEGIN');
$reader->query_safe('SELECT count(*) FROM vrm_private.test_runs_archive');
my $calling = $here->background_psql('calls', on_error_stop => 0);
$calling->query_until(qr/calling/, "\\echo calling\nCALL vrm.distribute(8);\n");
ok($here->poll_query_until('calls',
        "SELECT count(*) = 1 FROM vrm_private.tables_on_nodes()"
          . ' WHERE EXISTS (SELECT FROM pg_stat_activity'
          . " WHERE query = 'CALL vrm.distribute(8);' AND state = 'active')"),
    'a month has been copied');
until_restarted($here, 'calls', sub { kill 'KILL', query($here, 'calls',
            q{SELECT pid FROM pg_stat_activity WHERE query = 'CALL vrm.distribute(8);'}) });
eval { $_->quit } for $calling, $reader;
is(answers(), $answers, 'killed with kill -9 in between: nothing has changed for anybody');
query($here, 'calls', 'SET client_min_messages = warning; CALL vrm.distribute(8)');

is(query($here, 'calls', <<'SQL'), "f\nf\nr\nr\nr", 'months that are over are on nodes');
SELECT c.relkind FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'vrm_private.test_runs_archive'::regclass ORDER BY c.relname
SQL
is(query($here, 'calls', 'SELECT sum(shard_count), count(DISTINCT colocation_id) FROM citus_tables'),
    '16|1', 'in as many shards as were asked for');
is(query($_, 'calls', q{SELECT count(*) FROM pg_extension WHERE extname = 'vrm'}),
    0, 'the library is not on ' . $_->name) for @workers;
is(fingerprint(), $rows, 'no row has changed');
is(answers(), $answers, 'nor has an answer');
like(query($here, 'calls', q{SELECT reason FROM vrm.distribute_plan() WHERE becomes <> 'local'}),
    qr/^months that are over: 2 of them are on nodes, 0 with 0 bytes are not yet$/, 'the plan says so');
query($here, 'calls', 'SET client_min_messages = warning; CALL vrm.distribute(8)');
is(fingerprint(), $rows, 'once more does nothing');

# --- then a user is a user of one node ------------------------------------------------------------

# The nodes that are asked while a user does something.
sub nodes_of {
    my ($who, $sql) = @_;
    my $log = '';
    $here->psql('calls', <<"SQL", stderr => \$log);
BEGIN;
SELECT set_config('request.jwt.claims', '{"sub": "$who", "role": "authenticated"}', true),
       set_config('role', 'authenticated', true) \\g /dev/null
SET LOCAL citus.log_remote_commands = on; SET LOCAL client_min_messages = log;
$sql;
COMMIT;
SQL
    my %asked = map { $_ => 1 } $log =~ /vrm_nodes.*?\n?.*?on server \S+:(\d+)/g;
    return scalar keys %asked;
}
is(nodes_of($alice, $_), 1, "one node is asked: $_")
  for ('SELECT count(*) FROM vrm.all_test_runs',
    'SELECT * FROM vrm.export_user_data()', q{SELECT vrm.export_customer('+31301234567')});
is(nodes_of($alice, 'SELECT * FROM vrm.call_history()'), 0, 'and none for live calls');

# --- and what is done to calls there, is done on all nodes or on none ---------------------------------

my $one = as_user($here, 'calls', $alice,
    'SELECT id FROM vrm.all_test_runs WHERE archived_at IS NOT NULL ORDER BY id LIMIT 1');
my $hold = query($here, 'calls', "SELECT vrm.place_hold('lawsuit', run_id => '$one')");
my $deleting = "DELETE FROM vrm_private.test_runs_archive WHERE user_id = '$alice'";
like(error_of($here, 'calls', $deleting), qr/^55006: test run "$one" is under a legal hold/,
    'holds are kept on nodes');
query($here, 'calls', "SELECT vrm.release_hold($hold)");
is(query($here, 'calls', "SELECT count(*) FROM vrm_private.test_runs_archive WHERE user_id = '$alice'"),
    80, 'nothing went');

my $log = '';
$here->psql('calls', <<"SQL", stderr => \$log);
SET citus.log_remote_commands = on; SET client_min_messages = log;
SELECT vrm.restore_from_archive(ARRAY['$one']::uuid[]);
SQL
like($log, qr/PREPARE TRANSACTION .*COMMIT PREPARED/s, 'a node prepares before this one commits');
is(as_user($here, 'calls', $alice, "SELECT archived_at IS NULL FROM vrm.all_test_runs WHERE id = '$one'"),
    't', 'a call is restored from a node');
is(query($here, 'calls', 'SELECT bool_and(ok) FROM vrm.verify_archive()'), 't', 'the others are verified');
query($here, 'calls', "BEGIN; $deleting; ROLLBACK");
is(as_user($here, 'calls', $alice, 'SELECT count(*) FROM vrm.all_test_runs'), 80, 'ROLLBACK takes back');

query($here, 'calls', "SELECT vrm.delete_account('$bob'); SELECT vrm.erase_user('$bob', 'asked')");
is(query($here, 'calls', "SELECT count(*) FROM vrm_private.test_runs_archive WHERE user_id = '$bob'"),
    0, 'who is erased is erased on nodes');
is(query($here, 'calls', 'SELECT bool_and(ok) FROM vrm.verify_archive()'), 't', 'which is on record');

query($here, 'calls', q{ALTER TABLE vrm_private.test_runs_archive ADD COLUMN note text DEFAULT 'none'});
is(query($here, 'calls', "SELECT count(note) FROM vrm_private.test_runs_archive"),
    79, 'a column that is added is added there');
query($here, 'calls', 'ALTER TABLE vrm_private.test_runs_archive DROP COLUMN note');

# --- and when a node is away, what needs it fails and the rest goes on ----------------------------------

$_->stop for @workers;
like(error_as_user($here, 'calls', $alice, 'SELECT count(*) FROM vrm.all_test_runs'),
    qr/^(08|57|53|58)\w+: /, 'archived calls are not missing without a word');
is(as_user($here, 'calls', $alice, q{SELECT count(*) FROM vrm.create_agent('reception')}), 1, 'work goes on');
$_->start for @workers;

# --- and back ---------------------------------------------------------------------------------------

($rows, $answers) = (fingerprint(), answers());
query($here, 'calls', 'CALL vrm.undistribute()');
is(fingerprint(), $rows, 'back again, no row has changed');
is(answers(), $answers, 'nor has an answer');
is(schema(), $schema, 'definitions, comments, grants, policies and constraints are as before');
is(query($_, 'calls', q{SELECT count(*) FROM pg_class WHERE relname ~ '^test_runs_archive'}),
    0, $_->name . ' keeps nothing') for @workers;

$_->stop for $here, @workers;
done_testing();
