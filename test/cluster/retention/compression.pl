# Compressing the archive while servers die and others read: a partition is as it was or packed, each call is
# there once for everybody whatever snapshot they have, and a dump brings calls and dictionaries back.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Calls;
use VRM::Server;

my $node = server('compression', allows_streaming => 1);
$node->append_conf('postgresql.conf', "restart_after_crash = on\nfsync = on\n");
$node->restart;
database($node, 'app');
sub sql { return query($node, 'app', $_[0]) }

sub verified { return query($node, $_[0], 'SELECT bool_and(ok) FROM vrm.verify_archive()') }

# The archived calls as they would lie there after two months: batches by turns in two partitions.
my @people = map { person($node, 'app', "person$_\@example.org") } 1 .. 6;
old_calls($node, 'app', $_, 150) for @people;
sql(<<'SQL');
UPDATE vrm.test_runs SET results = results || '{"transcript": [{"speaker": "Agent", "message": "Good morning, how can I help you today?"}]}';
UPDATE vrm.retention_policies SET nice_ratio = 0, batch_rows = 50;
SQL
sql("CALL vrm.run_retention('$_')") for 'calls.completed', 'calls.failed';
sql(<<'SQL');
SELECT vrm_private.make_partition('vrm_private.test_runs_archive', 'january', '2025-01-01', '2025-02-01'),
       vrm_private.make_partition('vrm_private.test_runs_archive', 'february', '2025-02-01', '2025-03-01');
CREATE TEMP TABLE batch AS SELECT *, timestamptz '2025-01-15' + (batch_id % 2) * interval '1 month' AS moment
    FROM vrm_private.archive_manifest;
DELETE FROM vrm_private.archive_manifest;
UPDATE vrm_private.test_runs_archive a SET archived_at = b.moment FROM batch b WHERE b.batch_id = a.batch_id;
SELECT vrm_private.record_batch(b.batch_id, b.run_id, b.row_count, b.moment, b.oldest, b.newest, b.bytes, b.columns,
           (SELECT sha256(string_agg(d.digest, '' ORDER BY d.digest))
            FROM (SELECT vrm.row_digest(a.*, b.columns) AS digest FROM vrm_private.test_runs_archive a
                  WHERE a.batch_id = b.batch_id) AS d))
FROM (SELECT * FROM batch ORDER BY batch_id) AS b;
SQL
is(verified('app'), 't', 'the archive of two months is as the manifest says');
cmp_ok(sql('SELECT vrm.make_archive_dictionary(5)'), '>', 0, 'a dictionary is made of it');
my $calls = all_calls($node, 'app');
my $packed = q{SELECT string_agg(partition_name || ' ' || dictionary, ', ' ORDER BY finished_at) FROM vrm.archive_compressions};
my $leftovers = q{SELECT count(*) FROM pg_class c WHERE c.relname LIKE '%\_zstd' AND NOT c.relispartition};

# --- killed on its way -----------------------------------------------------------------------------------

my $snapshot = $node->background_psql('app');
$snapshot->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class;');
my $reader = $node->background_psql('app');
$reader->query('BEGIN; SELECT count(*) FROM vrm_private.february;');
my $said = '';
my $run = IPC::Run::start(['psql', '-Xq', '-d', $node->connstr('app'), '-c', 'CALL vrm.compress_archive()'],
    '>', \$said, '2>', \$said);
$node->poll_query_until('app', q{SELECT count(*) = 1 FROM vrm.archive_compressions});
# it waits for the reader, every now and then
$node->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'CALL%' AND wait_event = 'PgSleep'});
is(sql('SELECT count(*) FROM vrm.all_test_runs'), 900, 'others read meanwhile, the partition as it was included');
is($snapshot->query('SELECT count(*) FROM vrm.all_test_runs'), 900, 'whoever has looked before sees all of what has been packed since');
until_restarted($node, 'app', sub { kill 'KILL', sql(q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'CALL%'}) });
$run->finish;
eval { $_->quit } for $reader, $snapshot;
is(sql($packed), 'january_zstd 1', 'the partition that was through stays');
is(sql($leftovers), 0, 'of the other nothing is left but itself');
is(all_calls($node, 'app'), $calls, 'each call is there once, with its content');
is(verified('app'), 't', 'and the archive is as the manifest says');

# --- and on ------------------------------------------------------------------------------------------------

sql('CALL vrm.compress_archive()');
is(sql($packed), 'january_zstd 1, february_zstd 1', 'the next call goes on where it was');
is(sql(q{SELECT count(*) FROM vrm_private.test_runs_archive WHERE results IS NOT NULL}), 0, 'everything is packed');
is(all_calls($node, 'app'), $calls, 'each call is there once');
is(verified('app'), 't', 'and verified');
sql('CALL vrm.compress_archive()');
is(sql('SELECT count(*) FROM vrm.archive_compressions'), 2, 'once more does nothing');
sql('CREATE EXTENSION amcheck');
is(sql(q{SELECT count(*) FROM pg_inherits i, verify_heapam(i.inhrelid) WHERE inhparent = 'vrm_private.test_runs_archive'::regclass}),
    0, 'tables are sound');
cmp_ok(sql(q{SELECT count(bt_index_check(i.indexrelid, true)) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree' WHERE c.relkind = 'i' AND i.indrelid::regclass::text ~ '_zstd$'}),
    '>', 5, 'indexes are sound');
my $explained = sql("SET enable_seqscan = off; EXPLAIN SELECT results FROM vrm.all_test_runs WHERE user_id = '$people[0]' AND id = '$people[0]'");
like($explained, qr/january_zstd_pkey/, 'and used');

# --- other servers -------------------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is(all_calls($standby, 'app'), $calls, 'a standby reads them');
$standby->stop;

my $file = PostgreSQL::Test::Utils::tempdir . '/dump.sql';
$node->command_ok(['pg_dump', '-f', $file, $node->connstr('app')], 'they are dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $file], 'and restored');
is(all_calls($node, 'restored'), $calls, 'with their dictionary');
is(verified('restored'), 't', 'and verify there');

query($node, 'restored', 'DELETE FROM vrm_private.archive_dictionaries');
like(error_of($node, 'restored', 'SELECT sum(length(results::text)) FROM vrm.all_test_runs'),
    qr/^XX001: dictionary 1 of the archive is missing \| DETAIL: .*(january|february)_zstd/, 'without it, what is lost is said');

$node->stop;
done_testing();
