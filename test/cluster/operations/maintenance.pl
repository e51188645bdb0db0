# CALL vrm.maintain() does what is due by its schedule and catches up with what was missed; pg_cron calls it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Calls;
use VRM::Server;

chomp(my $share = qx(pg_config --sharedir));
my $node = server('maintenance');
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }

sub runs { return sql(q{SELECT coalesce(string_agg(policy || ' ' || state || ' ' || rows_done, ', ' ORDER BY run_id), '')
    FROM vrm.retention_runs WHERE policy LIKE 'calls.%' AND run_id > } . $_[0]) }

sub last_run { return sql('SELECT coalesce(max(run_id), 0) FROM vrm.retention_runs') }

# --- what is due, when it is due ---------------------------------------------------------------------

sql('UPDATE vrm.retention_policies SET nice_ratio = 0');
old_calls($node, 'app', $alice, 100);
sql("INSERT INTO vrm.test_runs (user_id, status, started_at) SELECT '$alice', 'running', now() - interval '2 days' FROM generate_series(1, 250)");
sql('CALL vrm.maintain()');
is(runs(0), 'calls.completed done 80, calls.failed done 20', 'what has never run, runs');
is(sql(q{SELECT string_agg(DISTINCT status, ' ') || count(*) FROM vrm.test_runs}), 'failed250', 'calls that are past their time limit are ended');
is(sql(q{SELECT count(DISTINCT xmin::text) FROM vrm.test_runs}), '3', '... a hundred in a transaction');
is(sql('SELECT count(*) FROM vrm.call_dirty'), '0', 'statistics are up to date');
my $from = last_run();
old_calls($node, 'app', $alice, 10);
sql('CALL vrm.maintain()');
is(runs($from), '', 'what has run within a day does not run again');
sql(q{UPDATE vrm.retention_runs SET started_at = started_at - interval '3 days' WHERE policy = 'calls.completed'});
sql('CALL vrm.maintain()');
is(runs($from), 'calls.completed done 8', 'what was missed is caught up with, once');
$from = last_run();
sql(q{UPDATE vrm.retention_runs SET state = 'failed' WHERE policy = 'calls.failed'});
sql('CALL vrm.maintain()');
is(runs($from), 'calls.failed done 2', 'what has failed is tried again');
sql('SELECT vrm_private.sample()');
is(query($node, 'app', 'BEGIN; SELECT vrm_private.sample() \g /dev/null' . "\n" . 'SELECT pg_current_xact_id_if_assigned() IS NULL; COMMIT'), 't',
    'nothing is written for alerts that neither begin nor end');
like(error_of($node, 'app', 'SELECT vrm.schedule_maintenance()'), qr/^55000: pg_cron is not installed in this database.*CREATE EXTENSION pg_cron/,
    'without pg_cron it says what to do');

# --- a step that fails -----------------------------------------------------------------------------------

sub failures { return sql(q{SELECT coalesce(string_agg(concat_ws(' ', step, sqlstate, failures), ', ' ORDER BY step), '')
    FROM vrm.maintenance_failures}) }

sql(q{CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'nothing leaves this table'; END $$});
my %refused = ('vrm.cached_results' => 'cached dashboards', 'vrm.call_dirty' => 'statistics',
    'vrm_private.audit_journal' => 'journal', 'vrm.quality_run' => 'quality checks');
for my $table (sort keys %refused) {
    sql("CREATE TRIGGER refuse BEFORE DELETE ON $table FOR EACH STATEMENT EXECUTE FUNCTION refuse()");
    old_calls($node, 'app', $alice, 10);
    sql(q{SELECT vrm.record_login_attempt('alice@example.org', false);
          UPDATE vrm.quality_run SET at = at - interval '9 days';
          UPDATE vrm.retention_runs SET started_at = started_at - interval '3 days'});
    $from = last_run();
    sql('CALL vrm.maintain()');
    is(failures(), "$refused{$table} P0001 1", "$table: the step that fails is noted");
    is(runs($from), 'calls.completed done 8, calls.failed done 2', '... and the others are done');
    sql("DROP TRIGGER refuse ON $table");
    sql('CALL vrm.maintain()');
    is(failures(), '', '... until it goes well');
}
my $reader = $node->background_psql('app');
$reader->query_safe('BEGIN');
$reader->query_safe('LOCK TABLE vrm.cached_results IN SHARE MODE');
sql('CALL vrm.maintain()');
is(failures(), 'cached dashboards 55P03 1', 'a lock that somebody holds is not waited for');
$reader->query_safe('COMMIT');
$reader->quit;
sql('CALL vrm.maintain()');

# what maintain() itself reads between its steps, and where it notes them
my %unread = ('vrm_private.clock' => 'what time it is', 'vrm.quality_check' => 'what there is to check',
    'vrm.retention_policies' => 'policies of retention', 'vrm.maintenance_failures' => '');
for my $table (sort keys %unread) {
    my $holder = $node->background_psql('app');
    $holder->query_safe("BEGIN; LOCK TABLE $table");
    sql("INSERT INTO vrm.call_dirty (user_id, day) VALUES ('$alice', '2026-01-01')");
    my $said = error_of($node, 'app', q{SET statement_timeout = '5min'; CALL vrm.maintain()});
    is($said, '', "$table is locked: it comes to its end");
    is(sql('SELECT count(*) FROM vrm.call_dirty'), '0', '... with the other steps');
    $holder->query_safe('COMMIT');
    $holder->quit;
    like(failures(), qr/$unread{$table} 55P03/, '... and the step is named') if $unread{$table};
    sql('CALL vrm.maintain()');
    is(failures(), '', '... until it goes well');
}

# what is cancelled each time does the first steps and never the last ones
my $ends = q{SELECT count(*) FROM vrm.doctor() WHERE detail ~ 'has not come to its end'};
sql(q{CREATE FUNCTION cancel() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(60); END $$;
      CREATE TRIGGER cancel BEFORE DELETE ON vrm.cached_results FOR EACH STATEMENT EXECUTE FUNCTION cancel()});
like(error_of($node, 'app', 'CALL vrm.maintain()'), qr/^57014/, 'somebody cancels it') for 1 .. 2;
is(sql($ends), '0', 'which may happen');
sql(q{SELECT setval('vrm_private.maintenance_unended', last_value - 7200) FROM vrm_private.maintenance_unended});
like(error_of($node, 'app', 'CALL vrm.maintain()'), qr/^57014/, 'but not for hours');
is(sql($ends), '1', '... though it is called: the doctor says so');
cmp_ok(sql(q{SELECT value FROM vrm.monitoring('{jobs}') WHERE name = 'vrm_jobs_maintenance_age_seconds'}), '>', 7000, '... and the alert does');
sql('DROP TRIGGER cancel ON vrm.cached_results');
sql(sql(q{SELECT fix_sql FROM vrm.doctor() WHERE detail ~ 'has not come to its end'}));
is(sql($ends), '0', 'until it has come to its end, as the fix does');

# --- beside somebody who reads the audit trail for long, and who signs in -------------------------------------

sub event { return sql("SELECT vrm.audit_event('tested')") }

is(sql(q{SELECT string_agg(class || ' ' || days, ', ' ORDER BY class)
         FROM (SELECT substring(inhparent::regclass::text, 'audit_(\w+)$') AS class, count(*) - 1 AS days FROM pg_inherits
               WHERE inhparent::regclass::text ~ 'audit_(data|security)$' GROUP BY 1) AS p}), 'data 8, security 8',
    'there are partitions of the audit trail for a week');
sql("SELECT vrm_private.make_partition('vrm_private.audit_$_', 'audit_${_}_2020_01_01', '2020-01-01', '2020-01-02')") for 'security', 'data';
$reader = $node->background_psql('app');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$reader->query_safe('SELECT count(*) FROM vrm.audit_log');  # as pg_dump: in the order of their making, and until the end
old_calls($node, 'app', $alice, 10);
sql(q{SELECT vrm.record_login_attempt('alice@example.org', false);
      UPDATE vrm.retention_runs SET started_at = started_at - interval '3 days'});
$from = last_run();
sql('CALL vrm.maintain()');
is(failures(), 'old entries of the audit trail 55P03 1', 'its partitions are not waited for');
is(runs($from), 'calls.completed done 8, calls.failed done 2', '... the other steps are done');
is(sql('SELECT count(*) FROM vrm_private.audit_journal'), '0', '... and the journal is drained');
event();
pass('... and others write to the trail');
$reader->query_safe('COMMIT');
$reader->quit;
sql('CALL vrm.maintain()');
is(failures(), '', 'it goes well as soon as it can');
is(sql(q{SELECT count(*) FROM pg_class WHERE relname LIKE 'audit_%_2020_01_01'}), '0', 'and lets go of both classes');

# a day for which there was no partition, and who writes to it meanwhile
my $today = sql(q{SELECT to_char(now() AT TIME ZONE 'UTC', '_YYYY_MM_DD')});
sql("DROP TABLE vrm_private.audit_security$today");
event();
my $maker = $node->background_psql('app');
$maker->query_safe('BEGIN');
$maker->query_safe('SELECT vrm_private.make_audit_partitions()');
my $said = '';
my $writer = IPC::Run::start(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('app'), '-c',
        q{SET application_name = writer; SELECT vrm.audit_event('tested')}], '>', \$said, '2>', \$said);
$node->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'writer' AND wait_event_type = 'Lock'})
  or die 'nobody waits';
$maker->query_safe('COMMIT');
$maker->quit;
ok(IPC::Run::finish($writer), 'who writes while a partition for the day is made has their row in it') or diag($said);
is(sql("SELECT count(*) FROM vrm_private.audit_security$today WHERE action = 'tested'"), '2', '... with those of before');

# --- pg_cron -----------------------------------------------------------------------------------------

SKIP: {
    skip 'pg_cron is not installed', 7 unless -e "$share/extension/pg_cron.control";
    $node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'app'\n"
          . "cron.host = '" . $node->host . "'\n");
    $node->restart;
    sql('CREATE EXTENSION pg_cron');
    # pg_cron knows the port from the server, and the user from who schedules
    like(sql(q{SELECT vrm.schedule_maintenance('* * * * *')}), qr/^job \d+: CALL vrm.maintain/, 'pg_cron takes the job');
    $from = last_run();
    old_calls($node, 'app', $alice, 50);
    sql(q{UPDATE vrm.retention_runs SET started_at = started_at - interval '3 days'});
    ok($node->poll_query_until('app', "SELECT count(*) = 2 FROM vrm.retention_runs WHERE policy LIKE 'calls.%' AND state = 'done' AND run_id > $from"),
        'and runs it, commits and all');
    is(runs($from), 'calls.completed done 40, calls.failed done 10', 'with all that was due');
    sql('SELECT vrm.schedule_maintenance()');
    is(sql('SELECT count(*), min(schedule) FROM cron.job'), '1|*/5 * * * *', 'scheduling again changes the job');
    my $finding = q{SELECT status || ': ' || coalesce(fix_sql, '') FROM vrm.doctor() WHERE check_name = 'maintenance' AND detail ~ 'pg_cron'};
    is(sql($finding), '', 'a job that works is well');
    sql(q{INSERT INTO cron.job_run_details (jobid, runid, database, username, command, status, return_message, start_time)
          SELECT jobid, 1000000, database, username, command, 'failed', 'connection failed', now() FROM cron.job});
    is(sql($finding), 'fail: ALTER SYSTEM SET cron.use_background_workers = on;', 'one that cannot sign in is not, though it is there');
    sql('DELETE FROM cron.job_run_details');
    is(sql($finding), 'unknown: ', 'of one that has not run yet nobody knows');
}
$node->stop;
done_testing();
