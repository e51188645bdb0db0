# Archiving while others insert, update and delete the very calls that are due, read them, and erase
# their owner: each call is in one place with its last committed content.  The source document's function
# goes through the same and fails, which shows that the tests can.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use VRM::Calls;
use VRM::Server;

my $node = server('races');
database($node, 'app');
my ($alice, $bob, $carol) = map { person($node, 'app', "$_\@example.org") } qw(alice bob carol);

sub sql { return query($node, 'app', $_[0]) }

# The source document's function, on our table.
sql(<<'SQL');
CREATE TABLE public.test_runs_archive (LIKE vrm.test_runs);
CREATE FUNCTION public.archive_old_test_runs() RETURNS void AS $$
BEGIN
  INSERT INTO public.test_runs_archive SELECT * FROM vrm.test_runs WHERE completed_at < now() - interval '2 years';
  DELETE FROM vrm.test_runs WHERE completed_at < now() - interval '2 years';
END;
$$ LANGUAGE plpgsql;
UPDATE vrm.retention_policies SET nice_ratio = 0, batch_rows = 20, batch_target = '20 ms';
SQL

# --- an update that commits while the archiver waits for it ---------------------------------------------

# What has become of one call after a change of it and an archiver have crossed.
sub crossed {
    my ($archiver, $change, $everything) = @_;
    old_calls($node, 'app', $carol, 1);
    my $id = sql("SELECT id FROM vrm.test_runs WHERE user_id = '$carol'");
    my $writer = $node->background_psql('app');
    $writer->query_safe("BEGIN; $change WHERE user_id = '$carol'");
    my $run = $node->background_psql('app', on_error_stop => 0);
    $run->query_until(qr/begun/, "\\echo begun\n$archiver;\n\\echo over\n");
    $node->poll_query_until('app', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'})
      if $archiver =~ /public/;
    $run->query_until(qr/over/, '') if $archiver !~ /public/;
    $writer->query_safe('COMMIT');
    $writer->quit;
    $run->query_until(qr/over/, '') if $archiver =~ /public/;
    $run->quit;
    my $found = sql("SELECT coalesce(string_agg(coalesce(error, 'old'), ', '), 'gone') FROM $everything AS r WHERE id = '$id'");
    sql("DELETE FROM vrm.test_runs WHERE user_id = '$carol'; DELETE FROM public.test_runs_archive");
    return $found;
}

my $both = '(SELECT id, error FROM vrm.test_runs UNION ALL SELECT id, error FROM public.test_runs_archive)';
my $edit = q{UPDATE vrm.test_runs SET error = 'edited'};
is(crossed('SELECT public.archive_old_test_runs()', $edit, $both), 'old',
    'negative control: the source document\'s function loses a committed update');
is(crossed('SELECT public.archive_old_test_runs()', 'DELETE FROM vrm.test_runs', $both), 'old',
    'negative control: and keeps what was deleted');
is(crossed('CALL vrm.run_retention()', $edit, 'vrm.all_test_runs'), 'edited', 'an update is not lost');
is(crossed('CALL vrm.run_retention()', 'DELETE FROM vrm.test_runs', 'vrm.all_test_runs'), 'gone',
    'what was deleted is gone');

# The same where calls do not go past the executor.
sql(<<'SQL');
CREATE FUNCTION public.look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
CREATE TRIGGER look BEFORE DELETE ON vrm.test_runs FOR EACH ROW EXECUTE FUNCTION public.look();
SQL
is(crossed('CALL vrm.run_retention()', $edit, 'vrm.all_test_runs'), 'edited', 'nor by statements');
is(crossed('CALL vrm.run_retention()', 'DELETE FROM vrm.test_runs', 'vrm.all_test_runs'), 'gone', 'nor does anything come back');
sql('DROP FUNCTION public.look CASCADE');

# --- four writers and four archivers ---------------------------------------------------------------------

# Each change goes into the journal within its transaction.
sql(<<"SQL");
CREATE SEQUENCE public.members;
CREATE TABLE public.population (n bigint PRIMARY KEY DEFAULT nextval('members'), id uuid NOT NULL);
CREATE TABLE public.journal (id uuid NOT NULL, version integer);
SQL
old_calls($node, 'app', $alice, 2500);
old_calls($node, 'app', $bob, 1500);
sql(<<'SQL');
UPDATE vrm.test_runs SET results = results || '{"v": 0}';
INSERT INTO population (id) SELECT id FROM vrm.test_runs WHERE user_id = (SELECT id FROM auth.users WHERE email LIKE 'alice%') ORDER BY random();
INSERT INTO journal SELECT id, 0 FROM vrm.test_runs;
SQL
my %script = (
    update => <<"SQL",
\\set n random(1, 3000)
WITH changed AS (UPDATE vrm.test_runs SET results = results || jsonb_build_object('v', (results ->> 'v')::int + 1)
                 WHERE user_id = '$alice' AND id = (SELECT id FROM population WHERE n = :n) RETURNING id, results)
INSERT INTO journal SELECT id, (results ->> 'v')::int FROM changed;
SQL
    delete => <<"SQL",
\\set n random(1, 3000)
WITH gone AS (DELETE FROM vrm.test_runs WHERE user_id = '$alice' AND id = (SELECT id FROM population WHERE n = :n) RETURNING id)
INSERT INTO journal SELECT id, NULL FROM gone;
SQL
    insert => <<"SQL");
WITH made AS (INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
              VALUES ('$alice', 'completed', '2020-01-01', '2020-01-02', '{"v": 0}') RETURNING id),
     noted AS (INSERT INTO population (id) SELECT id FROM made)
INSERT INTO journal SELECT id, 0 FROM made;
SQL
my $dir = PostgreSQL::Test::Utils::tempdir;
append_to_file("$dir/$_.sql", $script{$_}) for keys %script;
my ($bench_out, $bench_err) = ('', '');
my $bench = IPC::Run::start(
    ['pgbench', '-n', '-c', '4', '-T', '8', '-f', "$dir/update.sql\@6", '-f', "$dir/delete.sql\@1",
        '-f', "$dir/insert.sql\@2", $node->connstr('app')], '>', \$bench_out, '2>', \$bench_err);
my @archivers = map {
    my $said = '';
    IPC::Run::start(['psql', '-X', '-q', '-d', $node->connstr('app'), '-f', '-'], '<',
        \("SET client_min_messages = error;\nCALL vrm.run_retention(max_rows => 150);\nSELECT pg_sleep(0.2) \\g /dev/null\n" x 14),
        '>', \$said, '2>', \$said)
} 1 .. 4;
my %seen;
while ($bench->pumpable) {
    $bench->pump_nb;
    $_->pump_nb for grep { $_->pumpable } @archivers;
    $seen{ sql("SELECT count(*) || ' ' || count(DISTINCT id) FROM vrm.all_test_runs WHERE user_id = '$bob'") }++;
    usleep(20_000);
}
$bench->finish;
$_->finish for @archivers;
like($bench_out, qr/number of failed transactions: 0 /, 'no writer was made to fail') or diag($bench_err);
is(join(', ', keys %seen), '1500 1500', 'at every instant a reader saw every call once');
my $archived = sql(q{SELECT count(*) FROM vrm_private.test_runs_archive});
cmp_ok($archived, '>', 500, "calls were archived meanwhile: $archived");
my $wrong = <<'SQL';
WITH expected AS (SELECT id, CASE WHEN bool_or(version IS NULL) THEN NULL ELSE max(version) END AS version FROM journal GROUP BY id),
     found AS (SELECT id, count(*) AS copies, max((results ->> 'v')::int) AS version FROM vrm.all_test_runs GROUP BY id)
SELECT concat_ws(' ', 'missing', count(*) FILTER (WHERE e.version IS NOT NULL AND f.id IS NULL),
                 'double', count(*) FILTER (WHERE f.copies > 1), 'stale', count(*) FILTER (WHERE f.version <> e.version),
                 'resurrected', count(*) FILTER (WHERE e.version IS NULL AND f.id IS NOT NULL))
FROM expected e FULL JOIN found f USING (id)
SQL
is(sql($wrong), 'missing 0 double 0 stale 0 resurrected 0', 'nothing is lost, doubled, stale or back from the dead');
is(sql('SELECT bool_and(ok) FROM vrm.verify_archive()'), 't', 'the archive is as the manifest says');
is(sql(q{SELECT count(*) FROM vrm.retention_runs WHERE state NOT IN ('done', 'stopped')}), '0', 'no run failed');

# --- the owner is erased while the calls are moved -----------------------------------------------------

sql('CALL vrm.run_retention()');
# So many that a run waits for their end, and not so many that it gives up on a busy machine.
old_calls($node, 'app', $carol, 600);
sql(q{UPDATE vrm.retention_policies SET batch_rows = 5, batch_target = '5 ms'});
my $said = '';
my $archiver = IPC::Run::start(['psql', '-X', '-q', '-d', $node->connstr('app'), '-c', 'CALL vrm.run_retention()'], '2>', \$said);
$node->poll_query_until('app', 'SELECT count(*) > 0 FROM vrm.retention_progress WHERE rows_done > 50');
sql("DELETE FROM auth.users WHERE id = '$carol'");
$archiver->finish;
is($said, '', 'erasing the owner of calls on their way does not stop the run');
is(sql("SELECT count(*) FROM vrm.all_test_runs WHERE user_id = '$carol'"), '0', 'and leaves none of them anywhere');
is(sql('SELECT bool_and(ok) FROM vrm.verify_archive()'), 't', 'the archive knows why');

# --- a hold that comes while a run is under way ----------------------------------------------------------

old_calls($node, 'app', $bob, 8000);  # enough for a hold to come in time on a fast machine
$archiver = IPC::Run::start(['psql', '-X', '-q', '-d', $node->connstr('app'), '-c', 'CALL vrm.run_retention()'], '2>', \$said);
$node->poll_query_until('app', 'SELECT count(*) > 0 FROM vrm.retention_progress WHERE rows_done > 20');
my ($held) = split /\|/, sql("SELECT vrm.place_hold('case', user_id => '$bob')");
my $at = sql("SELECT count(*) FROM vrm.test_runs WHERE user_id = '$bob'");
$archiver->finish;
cmp_ok($at, '>', 0, 'the hold came before the run was through');
is(sql("SELECT count(*) FROM vrm.test_runs WHERE user_id = '$bob'"), $at, 'nothing goes once the hold is there');

$node->stop;
done_testing();
