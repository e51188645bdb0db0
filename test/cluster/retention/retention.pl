# CALL vrm.run_retention(): what it does is what the preview says, in batches that commit; it stops when
# asked, out of rows or out of time, is never run twice at once, and goes on after whatever stopped it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Calls;
use VRM::Server;

my $node = server('retention');
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }

sub runs {
    return sql(q{SELECT string_agg(concat_ws(' ', policy, state, rows_done), ', ' ORDER BY run_id)
                 FROM vrm.retention_runs WHERE policy LIKE 'calls.%' AND run_id > } . ($_[0] // 0));
}

sub last_run { return sql('SELECT coalesce(max(run_id), 0) FROM vrm.retention_runs') }

sql('UPDATE vrm.retention_policies SET nice_ratio = 0, batch_rows = 50');

# --- preview equals run ---------------------------------------------------------------------------

old_calls($node, 'app', $alice, 3000);
sql("SELECT vrm.place_hold('case', run_id => id) FROM vrm.test_runs ORDER BY id LIMIT 3");
for my $name ('idle', 'left') {
    my $who = person($node, 'app', "$name\@example.org");
    sql("UPDATE vrm.user_profiles SET created_at = '2015-01-01' WHERE id = '$who'") if $name eq 'idle';
    sql("SELECT vrm.delete_account('$who'); UPDATE vrm.user_profiles SET deleted_at = now() - interval '31 days' WHERE id = '$who'")
      if $name eq 'left';
}
sql(<<"SQL");
INSERT INTO vrm.logs (class, level, message, at)
SELECT class, 'info', 'long ago', now() - interval '5 years' + n * interval '1 day'
FROM unnest('{application,error,analytics}'::text[]) AS class, generate_series(1, 7) AS n;
INSERT INTO vrm.test_runs (user_id, status, started_at) VALUES ('$alice', 'queued', now());
INSERT INTO vrm.call_recordings (user_id, run_id, object_key, bytes, sha256, recorded_at, keep)
SELECT user_id, id, 'call/' || n, 1000, sha256(''), now() - n * interval '30 days', CASE WHEN n = 9 THEN interval '10 years' END
FROM vrm.test_runs, generate_series(1, 9) AS n WHERE status = 'queued';
SQL
my $digest = all_calls($node, 'app');
sql(<<"SQL");
SELECT vrm_private.compact_calls();
SELECT vrm_private.make_partition('vrm_private.test_runs_archive', 'test_runs_archive_2015', '2015-01-01', '2016-01-01');
INSERT INTO vrm_private.test_runs_archive (user_id, id, time_limit, status, started_at, completed_at, archived_at)
SELECT '$alice', vrm.uuid7(), 60, 'completed', '2012-01-01', '2012-01-01', '2015-01-01' FROM generate_series(1, 4);
UPDATE vrm.retention_policies SET keep = '5 years' WHERE name = 'archive';
SQL
my $preview = sql('SELECT string_agg(concat_ws($$ $$, policy_name, due_rows), $$, $$ ORDER BY policy_name) FROM vrm.retention_preview() WHERE due_rows > 0');
my %rows = (
    'analytics.facts' => '2997', archive => '4', 'calls.completed' => '2397', 'calls.failed' => '600', 'logs.analytics' => '7',
    'logs.application' => '7', 'logs.error' => '7', recordings => '6', 'users.deleted' => '1', 'users.inactive' => '1');
my %due = map { split / / } split /, /, $preview;
cmp_ok(delete $due{'analytics.rollups'}, '>', 0, 'preview: statistics of some days are due');
is_deeply(\%due, \%rows, '... and all the rest, less what is held');
sql('CALL vrm.run_retention()');
is(sql('SELECT string_agg(concat_ws($$ $$, policy, rows_done), $$, $$ ORDER BY policy) FROM vrm.retention_runs WHERE rows_done > 0'), $preview,
    'the run does it, to the row');
is(runs(), 'calls.completed done 2397, calls.failed done 600', '... and goes through');
is(all_calls($node, 'app'), $digest, 'each call is there once, with the same content');
sql(q{DELETE FROM vrm.call_recordings; DELETE FROM vrm.test_runs WHERE status = 'queued'});
is(sql('SELECT sum(due_rows) FROM vrm.retention_preview()'), '0', 'nothing is due any more');
is(sql('SELECT bool_and(ok) FROM vrm.verify_archive()'), 't', 'the archive is as the manifest says');
cmp_ok(sql('SELECT count(DISTINCT archived_at) FROM vrm.all_test_runs'), '>', 5, 'in many batches');
cmp_ok(sql('SELECT count(DISTINCT xmin::text) FROM vrm_private.test_runs_archive'), '>', 5,
    'each a transaction');
is(sql('SELECT count(*) FROM vrm.retention_progress'), '0', 'nothing is under way');

# What is left of a place is a small batch, after which the next ones are as large as before.
sql(q{UPDATE vrm.retention_policies SET batch_rows = 5000, batch_target = '10 s'});
sql(<<"SQL");
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
SELECT '$alice', 'completed', now() - interval '3 years', now() - interval '3 years',
       jsonb_build_object('customer', n, 'summary', (SELECT string_agg(md5(n || '/' || m), '') FROM generate_series(1, 400) AS m))
FROM generate_series(1, 1500) AS n;
SQL
my $large = last_run();
sql(q{CALL vrm.run_retention('calls.completed')});
is(sql("SELECT rows_done, batches <= 4 FROM vrm.retention_runs WHERE run_id > $large"), '1500|t',
    'large calls go in few batches when there is time');
sql(q{UPDATE vrm.retention_policies SET batch_rows = 50, batch_target = DEFAULT});

# --- limits ---------------------------------------------------------------------------------------

old_calls($node, 'app', $alice, 500);
my $from = last_run();
sql(q{CALL vrm.run_retention('calls.completed', 7)});
is(runs($from), 'calls.completed stopped 7', 'max_rows is kept to the row');
$from = last_run();
sql(q{CALL vrm.run_retention('calls.completed', max_runtime => '0')});
is(runs($from), 'calls.completed stopped 0', 'no time, no batch');
$from = last_run();
sql(q{UPDATE vrm.retention_policies SET max_runtime = '0'});
sql(q{CALL vrm.run_retention('calls.completed')});
is(runs($from), 'calls.completed stopped 0', 'nor when the policy gives none');
sql(q{UPDATE vrm.retention_policies SET max_runtime = NULL});
$from = last_run();
sql(q{CALL vrm.run_retention('calls.completed')});
is(runs($from), 'calls.completed done 393', 'the next run goes on');
$from = last_run();
sql(q{CALL vrm.run_retention('calls.active')});
is(runs($from), '', 'what is kept for ever needs no run');
like(error_of($node, 'app', q{CALL vrm.run_retention('calls')}), qr/^42704: retention policy "calls" does/,
    'a policy has to exist');
like(error_of($node, 'app', "BEGIN;\nCALL vrm.run_retention();"), qr/^25001: cannot run inside a tr/,
    'a transaction block is refused');
like(error_of($node, 'app', q{DO 'BEGIN BEGIN CALL vrm.run_retention(); EXCEPTION WHEN no_data_found THEN END; END'}),
    qr/^25001: /, 'so is a function that could not commit');
is(error_of($node, 'app', q{DO 'BEGIN CALL vrm.run_retention(); END'}), '', 'DO may commit, and may call');
for my $level ('repeatable read', 'serializable') {
    old_calls($node, 'app', $alice, 50);
    is(error_of($node, 'app', "SET default_transaction_isolation = '$level';\nCALL vrm.run_retention();"),
        '', "a session at $level is no trouble");
    is(sql('SELECT sum(due_rows) FROM vrm.retention_preview()'), '0', '... and it has done its work');
}
for my $call ('vrm.archive_old_test_runs()', q{vrm.restore_from_archive('{}')}, "vrm.erase_user('$alice', 'test')") {
    like(error_of($node, 'app', "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT $call;"),
        qr/^25001: .* needs isolation level READ COMMITTED/, "$call needs to see what others commit");
}
is(error_as_user($node, 'app', $alice, 'CALL vrm.run_retention()') =~ /^42501: /, 1, 'users may not');
is(error_of($node, 'app', "SET ROLE service_role;\nCALL vrm.run_retention();"), '',
    'the service may, and what it may not see does not stay behind');

# --- one at a time, stopped when asked -------------------------------------------------------------

old_calls($node, 'app', $alice, 600);
sql(q{UPDATE vrm.retention_policies SET nice_ratio = 100, batch_rows = 10, batch_target = '1 ms'});
$from = last_run();
my $slow = $node->background_psql('app', on_error_stop => 0);
$slow->query_until(qr/begun/, "\\echo begun\nCALL vrm.run_retention('calls.completed');\n");
ok($node->poll_query_until('app', 'SELECT count(*) = 1 FROM vrm.retention_progress WHERE rows_done > 0'),
    'progress is seen while it runs');
my ($out, $err);
$node->psql('app', q{CALL vrm.run_retention('calls.completed')}, stdout => \$out, stderr => \$err);
like($err, qr/NOTICE:  policy "calls.completed" is already being run/, 'a second run of it does not begin');
sql('SELECT vrm.stop_retention(run_id) FROM vrm.retention_progress');
ok($node->poll_query_until('app', 'SELECT count(*) = 0 FROM vrm.retention_progress'), 'it stops when asked');
like(runs($from), qr/^calls.completed stopped [1-9]\d*$/, '... and says so, and keeps what it did');
$slow->quit;
like(error_of($node, 'app', 'SELECT vrm.stop_retention(1)'), qr/^P0002: retention run 1 is not running/,
    'what does not run cannot be stopped');

# --- whatever ends it, the next run goes on ----------------------------------------------------------

for my $end (['cancel', 'failed'], ['terminate', 'interrupted']) {
    my ($how, $state) = @$end;
    my $before = all_calls($node, 'app');
    $from = last_run();
    my $victim = $node->background_psql('app', on_error_stop => 0);
    $victim->query_until(qr/begun/, "\\echo begun\nCALL vrm.run_retention('calls.completed');\n");
    $node->poll_query_until('app', 'SELECT count(*) = 1 FROM vrm.retention_progress WHERE batches > 1');
    sql("SELECT pg_${how}_backend(pid) FROM vrm.retention_progress");
    $node->poll_query_until('app', q{SELECT count(*) = 0 FROM pg_stat_activity
        WHERE state = 'active' AND query LIKE 'CALL vrm.run%'});
    is(all_calls($node, 'app'), $before, "$how: each call is there once");
    sql(q{CALL vrm.run_retention('calls.completed', 5)});
    like(runs($from), qr/^calls.completed $state [1-9]\d*, calls.completed stopped 5$/,
        '... the log tells what happened, and the next run goes on');
    eval { $victim->quit };
}
sql(q{UPDATE vrm.retention_policies SET batch_rows = 10});
$from = last_run();
my $before = all_calls($node, 'app');
like(error_of($node, 'app', "SET statement_timeout = '1500ms';\nCALL vrm.run_retention('calls.completed');"),
    qr/^57014: /, 'statement_timeout is for the whole CALL');
like(runs($from), qr/^calls.completed failed [1-9]/, '... and what was done stays');
is(all_calls($node, 'app'), $before, '... each call once');
sql(q{UPDATE vrm.retention_policies SET nice_ratio = 0, batch_rows = 50, batch_target = '100 ms'});

# --- a table that is locked, columns that change ---------------------------------------------------

$from = last_run();
my $locker = $node->background_psql('app');
$locker->query_safe('BEGIN; LOCK TABLE vrm.test_runs IN SHARE ROW EXCLUSIVE MODE');
my $waiting = $node->background_psql('app', on_error_stop => 0);
$waiting->query_until(qr/begun/, "\\echo begun\nCALL vrm.run_retention('calls.completed');\n");
ok($node->poll_query_until('app', 'SELECT count(*) = 1 FROM vrm.retention_runs WHERE retries > 0 AND state = $$running$$'),
    'a table that is locked is tried again');
$locker->query_safe('COMMIT');
ok($node->poll_query_until('app', 'SELECT count(*) = 0 FROM vrm.retention_progress'), 'until it is free');
like(runs($from), qr/^calls.completed done/, '... and the work is done');
$locker->quit;
$waiting->quit;

old_calls($node, 'app', $alice, 20);
sql('ALTER TABLE vrm.test_runs ADD COLUMN price bigint');
sql('ALTER TABLE vrm_private.test_runs_archive ADD COLUMN price integer');
$from = last_run();
like(error_of($node, 'app', q{CALL vrm.run_retention()}), qr/^42804: column "price".*HINT/,
    'a column of another type stops it');
like(runs($from), qr/calls.completed failed 0/, '... and nothing was moved');

$node->stop;
done_testing();
