# Archiving that meets a full file system, writers who lock in the other order, recordings that come late, and DBAs
# who change columns while it runs: writers do not notice, nothing is lost, no lock is left behind, the next
# run does the rest.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Calls;
use VRM::Server;

my $node = server('faults');
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }

sub last_run { return sql('SELECT coalesce(max(run_id), 0) FROM vrm.retention_runs') }

# Starts a run in a session of its own.
sub begin_run {
    my $session = $node->background_psql('app', on_error_stop => 0);
    $session->query_until(qr/begun/, "\\echo begun\nCALL vrm.run_retention('calls.completed');\n");
    return $session;
}

sub is_over {
    my ($session) = @_;
    my $over = $node->poll_query_until('app', 'SELECT count(*) = 0 FROM vrm.retention_progress');
    eval { $session->quit };
    return $over;
}

my $slowly = q{UPDATE vrm.retention_policies SET nice_ratio = 20, batch_rows = 10, batch_target = '1 ms'};
my $quickly = q{UPDATE vrm.retention_policies SET nice_ratio = 0, batch_rows = 200, batch_target = '100 ms'};

# --- a writer who holds what hangs on a call, and then wants the call ------------------------------------

sql($quickly);
as_user($node, 'app', $alice, q{SELECT vrm.create_agent('reception')});
old_calls($node, 'app', $alice, 5);
sql(<<'SQL');
UPDATE vrm.test_runs SET test_case_ids = (SELECT jsonb_agg(c.id) FROM (SELECT id FROM vrm.test_cases ORDER BY id LIMIT 1) AS c)
SQL
cmp_ok(sql('SELECT count(*) FROM vrm.test_run_cases'), '>', 0, 'calls with test cases');
my $writer = $node->background_psql('app', on_error_stop => 0);
$writer->query_safe('BEGIN; UPDATE vrm.test_run_cases SET position = position + 10');
my $from = last_run();
my $run = begin_run();
ok($node->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CALL%'}),
    'the run waits for the writer');
$writer->query_safe(q{UPDATE vrm.test_runs SET error = 'edited'; COMMIT});
$writer->quit;
ok(is_over($run), 'it steps back, and the writer goes through');
is(sql('SELECT string_agg(DISTINCT error, $$,$$) || count(*) FROM vrm.all_test_runs'), 'edited5', 'with every update');
is(sql("SELECT state || ' ' || (retries > 0) FROM vrm.retention_runs WHERE run_id > $from"), 'done true', 'the run tries again');
sql('CALL vrm.run_retention()');
is(sql('SELECT count(*) FROM vrm.test_run_cases'), '0', 'and in the end nothing hangs on what is archived');

# --- what comes to a call on its way --------------------------------------------------------------------------

# The check holds the batch up with its first row in hand; what comes belongs to its last row.
my $calls;
sql(<<'SQL');
CREATE FUNCTION public.wait() RETURNS boolean LANGUAGE sql AS 'SELECT true FROM pg_advisory_xact_lock_shared(1)';
ALTER TABLE vrm_private.test_runs_archive ADD CONSTRAINT wait CHECK (public.wait()) NOT VALID;
SQL
for my $what (['call_recordings', q{object_key, bytes, sha256}, q{'late', 1, sha256('')}], ['transcript_turns', 'speaker, message, at', q{'agent', 'late', '0'}],
    ['run_actions', 'action, status, at', q{'late', 'success', '0'}]) {
    my ($table, $columns, $values) = @$what;
    old_calls($node, 'app', $alice, 5);
    $calls = all_calls($node, 'app');
    my $gate = $node->background_psql('app');
    $gate->query_safe('SELECT pg_advisory_lock(1)');
    $from = last_run();
    $run = begin_run();
    $node->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND query LIKE 'CALL%'});
    sql("INSERT INTO vrm.$table (user_id, run_id, $columns)
         SELECT user_id, id, $values FROM vrm.test_runs WHERE status = 'completed' ORDER BY ctid DESC LIMIT 1");
    $gate->query_safe('SELECT pg_advisory_unlock(1)');
    $gate->quit;
    is_over($run);
    is(sql("SELECT state || ' ' || (retries > 0) || ' ' || rows_done FROM vrm.retention_runs WHERE run_id > $from"), 'done true 3',
        "a call gets a row of $table while it is moved: the batch is undone, and done again without it");
    is(sql("SELECT count(*) FROM vrm.test_runs r JOIN vrm.$table c ON c.user_id = r.user_id AND c.run_id = r.id"), '1', '... which stays');
    is(all_calls($node, 'app'), $calls, '... each call is there once');
    sql("DELETE FROM vrm.$table");
    sql('CALL vrm.run_retention()');
}
sql('ALTER TABLE vrm_private.test_runs_archive DROP CONSTRAINT wait');

# --- columns that come and go during a run -------------------------------------------------------------------

sql("$slowly; SET client_min_messages = warning; CALL vrm.run_retention()");
old_calls($node, 'app', $alice, 1500);
$calls = all_calls($node, 'app');
$run = begin_run();
$node->poll_query_until('app', 'SELECT count(*) = 1 FROM vrm.retention_progress WHERE rows_done > 20');
sql(q{ALTER TABLE vrm.test_runs ADD COLUMN gone text DEFAULT 'gone', ADD COLUMN note text DEFAULT 'noted'});
sql('ALTER TABLE vrm.test_runs DROP COLUMN gone');
my $noted = sql('SELECT count(*) FROM vrm.test_runs WHERE note IS NOT NULL');
cmp_ok($noted, '>', 100, 'columns are added and dropped while a run is under way');
is(sql('SELECT count(*) FROM vrm.retention_progress'), '1', '... and it goes on');
sql($quickly);
$node->poll_query_until('app', q{SELECT count(*) > 0 FROM vrm_private.test_runs_archive WHERE extra ? 'note'});
sql(q{ALTER TABLE vrm_private.test_runs_archive ADD COLUMN note integer});
ok(is_over($run), 'a type that differs ends it');
like(sql('SELECT state || error FROM vrm.retention_runs ORDER BY run_id DESC LIMIT 1'), qr/^failed42804: column "note"/, '... and it says why');
sql('ALTER TABLE vrm_private.test_runs_archive DROP COLUMN note');
sql('CALL vrm.run_retention()');
is(all_calls($node, 'app'), $calls, 'each call is there once, with its content');
cmp_ok(sql(q{SELECT count(*) FROM vrm_private.test_runs_archive WHERE extra ->> 'note' = 'noted'}), '>=', $noted, 'and every new value');
is(sql('SELECT bool_and(ok) FROM vrm.verify_archive()'), 't', 'the archive is as the manifest says');

# --- locks ---------------------------------------------------------------------------------------------------

old_calls($node, 'app', $alice, 5);
sql(q{ALTER TABLE vrm_private.test_runs_archive ADD COLUMN note integer});
my $session = $node->background_psql('app', on_error_stop => 0);
$session->query('CALL vrm.run_retention()');
is(sql(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' OR relation::regclass::text LIKE '%test_runs%' AND pid <> pg_backend_pid()}),
    '0', 'a session whose run has failed holds no lock');
sql('ALTER TABLE vrm_private.test_runs_archive DROP COLUMN note');
is(error_of($node, 'app', 'CALL vrm.run_retention()'), '', 'while it idles another session runs');
$session->quit;
is(sql('SELECT count(*) FROM vrm.test_runs'), '0', '... and does the work');

# --- a full file system -----------------------------------------------------------------------------------------

# The server starts in a mount namespace of its own, where a small tmpfs holds a tablespace.
SKIP: {
    my @alone = ('unshare', '--user', '--map-current-user', '--keep-caps', '--mount');
    skip 'mounting needs user namespaces, which this machine does not let us have', 6
      if system("@alone true >/dev/null 2>&1") != 0;
    my $small = PostgreSQL::Test::Utils::tempdir_short;
    my $mount = 'my ($at, @command) = @ARGV; my ($t, $o) = ("tmpfs", "size=4m,mode=0700");'
      . ' syscall(165, $t, $at, $t, 0, $o) == 0 or exit 1; exec @command';
    $node->stop;
    my @start = ('pg_ctl', '--wait', '--pgdata', $node->data_dir, '--log', $node->logfile, '--options', '--cluster-name=faults', 'start');
    skip 'a tmpfs cannot be mounted here', 6 if system_log(@alone, $^X, '-e', $mount, $small, @start) != 0;
    $node->_update_pid(1);
    sql("CREATE TABLESPACE small LOCATION '$small'");
    my $partition = sql(q{SELECT to_char(now() AT TIME ZONE 'UTC', '"vrm_private.test_runs_archive_"YYYY_MM')});
    sql('SELECT vrm.restore_from_archive(array_agg(id)) FROM vrm_private.test_runs_archive');
    sql("ALTER TABLE vrm.test_runs DROP COLUMN note");
    sql("VACUUM FULL $partition");
    sql("ALTER TABLE $partition SET TABLESPACE small");
    old_calls($node, 'app', $alice, 1000);
    $calls = all_calls($node, 'app');
    like(error_of($node, 'app', 'CALL vrm.run_retention()'), qr/^53100: .*No space left on device/, 'full: the run fails');
    is(all_calls($node, 'app'), $calls, 'full: each call is there once, with its content');
    is(sql('SELECT bool_and(ok) FROM vrm.verify_archive()'), 't', 'full: the archive is as the manifest says');
    cmp_ok(sql('SELECT count(*) FROM vrm_private.test_runs_archive'), '>', 100, 'full: what was committed stays');
    sql("ALTER TABLE $partition SET TABLESPACE pg_default");
    sql('CALL vrm.run_retention()');
    is(sql('SELECT count(*) FROM vrm.test_runs'), '0', 'full: when there is room again, the next run does the rest');
    is(all_calls($node, 'app'), $calls, 'full: and each call is there once');
}
$node->stop;
done_testing();
