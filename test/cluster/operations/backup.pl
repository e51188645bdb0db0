# CALL vrm.pre_deploy(): what is restored to the point is what was fingerprinted, whoever writes meanwhile;
# it ends when the archive has the point, or says why not; and nothing stays locked, however it ends.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $directory = PostgreSQL::Test::Utils::tempdir;
my $switch = "$directory/works";
my $node = server('deploying', allows_streaming => 1);
$node->append_conf('postgresql.conf', <<"CONF");
archive_mode = on
archive_command = 'test -e "$switch" && cp "%p" "$directory/%f"'
autovacuum = off
default_transaction_isolation = 'repeatable read'
CONF
$node->restart;
database($node, 'app');
append_to_file($switch, '');

sub sql { return $node->safe_psql('app', $_[0]) }

sub locks { return sql(q{SELECT count(*) FROM pg_locks WHERE mode = 'ShareLock' AND locktype = 'relation'}) }

sql('CREATE UNLOGGED TABLE came (lsn pg_lsn); CREATE TABLE note (id int PRIMARY KEY, text text); INSERT INTO note SELECT i, $$x$$ FROM generate_series(1, 100) AS i');

# --- made, and in the archive ------------------------------------------------------------------------

sql(q{CALL vrm.pre_deploy('release')});
my $first = sql('SELECT name FROM vrm.restore_points');
is(sql('SELECT label, lsn IS NOT NULL, archived_at >= made_at FROM vrm.restore_points'), 'release|t|t',
    'a restore point is made and archived');
ok(-e "$directory/" . sql('SELECT wal_file FROM vrm.restore_points'), '... in the segment that it names');
is(sql("SELECT count(*) > 20, bool_and(ok) FROM vrm.verify_restore('$first')"), 't|t',
    '... with fingerprints that fit');
is(locks(), '0', '... and nothing is locked any more');
sql(q{CALL vrm.pre_deploy('release', '{note}')});
is(sql('SELECT count(DISTINCT name) FROM vrm.restore_points'), '2', 'the same label again makes another name');
is(sql("SELECT string_agg(relation, ' ') FROM vrm_private.fingerprints WHERE restore_point <> '$first'"),
    'public.note', '... of the tables that are named');
sql(q{SET ROLE service_role; CALL vrm.pre_deploy('by_service', '{}')});
is(sql(q{SELECT count(*) FROM vrm.restore_points WHERE label = 'by_service' AND archived_at IS NOT NULL}), '1',
    'the service may, and may leave fingerprints out');

# --- others write ------------------------------------------------------------------------------------

# A writer is waited for; one that comes meanwhile comes after the restore point.
my $writer = $node->background_psql('app');
$writer->query_safe(q{BEGIN; UPDATE note SET text = 'before' WHERE id = 1;});
my $deploying = $node->background_psql('app', on_error_stop => 0);
$deploying->query_until(qr/begun/, "\\echo begun\nCALL vrm.pre_deploy('busy');\n\\echo ended\n");
ok($node->poll_query_until('app',
        q{SELECT count(*) = 1 FROM pg_locks WHERE mode = 'ShareLock' AND relation = 'note'::regclass AND NOT granted}),
    'it waits for who writes');
my $late = $node->background_psql('app');
$late->query_until(qr/begun/, "\\echo begun\nBEGIN; UPDATE note SET text = 'after' WHERE id = 2;"
      . "INSERT INTO came SELECT pg_current_wal_insert_lsn(); COMMIT;\n");
ok($node->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_locks WHERE mode = 'RowExclusiveLock'
                                    AND relation = 'note'::regclass AND NOT granted}), 'who comes then waits');
$writer->query_safe('COMMIT');
$deploying->query_until(qr/ended/, '');
$deploying->quit;
$late->query_safe('SELECT 1');
my $busy = sql(q{SELECT name FROM vrm.restore_points WHERE label = 'busy'});
is(sql("SELECT detail FROM vrm.verify_restore('$busy') WHERE NOT ok"), 'rows were changed',
    'what came late is not in the fingerprint');
is(sql("SELECT came.lsn > p.lsn FROM came, vrm.restore_points p WHERE p.name = '$busy'"), 't',
    '... nor before the restore point');
sql(q{UPDATE note SET text = 'x' WHERE id = 2});
is(sql("SELECT bool_and(ok) FROM vrm.verify_restore('$busy') WHERE relation = 'public.note'"), 't', '... what was waited for is');
$_->quit for $writer, $late;

# --- refused, or not to the end ------------------------------------------------------------------------

like(error_of($node, 'app', q{CALL vrm.pre_deploy('a b')}), qr/^22023: a label has to be .* HINT: +CALL vrm.pre_deploy/, 'a bad label');
like(error_of($node, 'app', q{CALL vrm.pre_deploy('x', '{vrm.calls}')}), qr/^42809: "vrm.calls" is not a table/, 'no table');
like(error_of($node, 'app', q{CALL vrm.pre_deploy('x', '{NULL}')}), qr/^22004: /, 'a null is no table');
like(error_of($node, 'app', "BEGIN;\nCALL vrm.pre_deploy('x');"), qr/^25001: cannot run inside a transaction block/, 'a transaction block');
like(error_of($node, 'app', "SET ROLE authenticated;\nCALL vrm.pre_deploy('x');"), qr/^42501: /, 'users may not');

unlink $switch or die "$switch: $!";
my $session = $node->background_psql('app', on_error_stop => 0);
$session->query(q{CALL vrm.pre_deploy('late', max_wait => '0.5 s')});
like($session->{stderr}, qr/restore point "late\.\S+" is made, but not archived yet/, 'an archive that does not answer is not waited for for ever');
is(locks(), '0', '... and nothing stays locked, though the session lives');
is(sql(q{SELECT lsn IS NOT NULL, archived_at IS NULL FROM vrm.restore_points WHERE label = 'late'}), 't|t', '... what was made is known');
$session->quit;
append_to_file($switch, '');

$session = $node->background_psql('app', on_error_stop => 0);
$session->query(q{CREATE RULE planted AS ON INSERT TO vrm.restore_points DO ALSO SELECT 1 / 0});
$session->query(q{CALL vrm.pre_deploy('broken')});
like($session->{stderr}, qr/division by zero/, 'an error while tables are held');
is(locks(), '0', '... lets go of them, though the session lives');
$session->query('DROP RULE planted ON vrm.restore_points');
$session->quit;

# --- a standby, and no archive -------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
like(error_of($standby, 'app', q{CALL vrm.pre_deploy('x')}), qr/^25006: cannot run on a standby.*Connect to the primary/, 'a standby makes none');
like(error_of($standby, 'app', q{SELECT vrm.record_backup('[]', 'plain')}), qr/^25006: /, '... and is told of no backup');
is($standby->safe_psql('app', q{SELECT status FROM vrm.recovery_status() WHERE check_name = 'rpo'}), 'unknown', 'but gives verdicts');
is($standby->safe_psql('app', "SELECT bool_and(ok) FROM vrm.verify_restore('$busy') WHERE relation = 'public.note'"), 't', '... and verifies');
$standby->stop;

$node->append_conf('postgresql.conf', 'archive_mode = off');
$node->restart;
like(error_of($node, 'app', q{CALL vrm.pre_deploy('x')}), qr/^55000: WAL is not archived.*Set archive_command.*ALTER SYSTEM SET archive_mode/, 'without an archive there is no point in it');
is(sql(q{SELECT count(*) FROM vrm.restore_points WHERE label = 'x'}), '0', '... and none is made');

$node->stop;
done_testing();
