# What a DBA does to retention's own tables, and others to calls, while a run is under way or a hold is given.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Calls;
use VRM::Server;

my $node = server('dba');
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }

# Starts a run in a session of its own.
sub begin_run {
    my ($policy) = @_;
    my $session = $node->background_psql('app', on_error_stop => 0);
    $session->query_until(qr/begun/, "\\echo begun\nCALL vrm.run_retention('$policy');\n");
    return $session;
}

# --- the log of runs is emptied while one of them runs -------------------------------------------------

old_calls($node, 'app', $alice, 500);
sql(q{UPDATE vrm.retention_policies SET batch_rows = 10, batch_target = '1 ms', nice_ratio = 50});
my $run = begin_run('calls.completed');
$node->poll_query_until('app', 'SELECT count(*) > 0 FROM vrm_private.test_runs_archive');
my $offset = -s $node->logfile;
sql('TRUNCATE vrm.retention_runs CASCADE');
ok($node->wait_for_log(qr/ERROR:  retention run \d+ is not in the log/, $offset), 'a run whose row is gone ends with an error');
eval { $run->quit };
is(sql('SELECT 1'), '1', '... and the server goes on');
sql(q{UPDATE vrm.retention_policies SET batch_rows = 100, batch_target = '100 ms', nice_ratio = 0});
sql(q{CALL vrm.run_retention()});
is(sql('SELECT count(*) FROM vrm.test_runs'), '0', '... as does the next run');

# --- a trigger that is committed while a batch waits for its lock ---------------------------------------------

sql(<<'SQL');
CREATE TABLE public.gone (id uuid);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.gone VALUES (OLD.id); RETURN NULL; END';
SQL
old_calls($node, 'app', $alice, 20);
my $dba = $node->background_psql('app');
$dba->query_safe('BEGIN; CREATE TRIGGER note AFTER DELETE ON vrm.test_runs FOR EACH ROW EXECUTE FUNCTION public.note()');
$run = begin_run('calls.completed');
$node->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE NOT l.granted AND a.query LIKE 'CALL%' AND l.relation = 'vrm.test_runs'::regclass});
$dba->query_safe('COMMIT');
$dba->quit;
$node->poll_query_until('app', 'SELECT count(*) = 0 FROM vrm.retention_progress');
eval { $run->quit };
is(sql('SELECT (SELECT count(*) FROM public.gone) - (SELECT count(*) FROM vrm_private.test_runs_archive JOIN public.gone USING (id))
        || $$ $$ || count(*) FROM vrm.test_runs'), '0 4', 'calls that went have set off the trigger ...');
is(sql('SELECT count(*) FROM public.gone'), '16', '... all of them');
sql('DROP TABLE public.gone; DROP FUNCTION public.note CASCADE; CALL vrm.run_retention()');

# --- a row that something refuses to let go -------------------------------------------------------------------

old_calls($node, 'app', $alice, 400);
sql(<<'SQL');
UPDATE vrm.test_runs SET error = 'evidence' WHERE id IN (SELECT id FROM vrm.test_runs WHERE status = 'completed' ORDER BY id OFFSET 100 LIMIT 2);
CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'this is evidence' USING ERRCODE = 'P0042'; END$$;
CREATE TRIGGER keep BEFORE DELETE ON vrm.test_runs FOR EACH ROW WHEN (OLD.error = 'evidence') EXECUTE FUNCTION public.keep();
SQL
my $last = sql('SELECT max(run_id) FROM vrm.retention_runs');
sql(q{CALL vrm.run_retention('calls.completed')});
is(sql('SELECT count(*) FROM vrm.test_runs WHERE status = $$completed$$'), '2', 'two calls that cannot go keep nobody else back');
is(sql("SELECT state || ' ' || rows_done FROM vrm.retention_runs WHERE run_id > $last"), 'done 318', '... the run goes through');
is(sql(q{SELECT string_agg(concat_ws(' ', policy, relation, sqlstate, message, attempts), ', ') FROM vrm.retention_refused}),
    join(', ', ('calls.completed vrm.test_runs P0042 this is evidence 1') x 2), '... and it is kept why');
is(sql(q{SELECT due_rows || ' ' || held_rows FROM vrm.retention_preview('calls.completed')}), '0 2', '... as the preview says');
is(sql(q{SELECT count(*) FROM vrm.doctor() WHERE check_name = 'retention' AND detail LIKE '2 rows of policy "calls.completed"%P0042%'}), '1', '... and the doctor');
is(sql(q{SELECT count(*) FROM vrm.alerts() WHERE alert = 'RetentionRefused'}), '1', '... and an alert');
sql(q{CALL vrm.run_retention('calls.completed')});
is(sql('SELECT string_agg(attempts::text, $$ $$) FROM vrm.retention_refused'), '2 2', 'the next run tries them again');
sql(q{DROP FUNCTION public.keep CASCADE; CALL vrm.run_retention('calls.completed')});
is(sql('SELECT count(*) || $$ $$ || (SELECT count(*) FROM vrm.retention_refused) FROM vrm.test_runs WHERE status = $$completed$$'), '0 0',
    '... until they go');

# --- a fault that is not the rows' -----------------------------------------------------------------------------

sql(<<'SQL');
CREATE FUNCTION public.broken() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM 1 FROM public.no_such_table; RETURN OLD; END$$;
CREATE TRIGGER broken BEFORE DELETE ON vrm.test_runs FOR EACH ROW EXECUTE FUNCTION public.broken();
SQL
old_calls($node, 'app', $alice, 100);
like(error_of($node, 'app', q{CALL vrm.run_retention('calls.completed')}), qr/^42P01: /, 'a trigger that cannot run at all stops the run');
is(sql('SELECT count(*) FROM vrm.retention_refused'), '0', '... and is not kept as a fault of each row');
sql(q{DROP FUNCTION public.broken CASCADE; CALL vrm.run_retention()});

# --- triggers that let nothing happen --------------------------------------------------------------------------------

sql(<<'SQL');
CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing BEFORE INSERT ON vrm_private.test_runs_archive FOR EACH ROW EXECUTE FUNCTION public.nothing();
SQL
old_calls($node, 'app', $alice, 100);
my $there = sql('SELECT count(*) FROM vrm.test_runs');
like(error_of($node, 'app', q{CALL vrm.run_retention('calls.completed')}), qr/^09000: a trigger of vrm_private.test_runs_archive/,
    'a trigger that keeps calls out of the archive stops the run');
is(sql('SELECT count(*) FROM vrm.test_runs'), $there, '... and they are where they were');
sql('DROP TRIGGER nothing ON vrm_private.test_runs_archive;
     CREATE TRIGGER nothing BEFORE DELETE ON vrm.test_runs FOR EACH ROW EXECUTE FUNCTION public.nothing()');
like(error_of($node, 'app', q{CALL vrm.run_retention('calls.completed')}), qr/^09000: a trigger of vrm.test_runs/,
    'so does one that keeps them where they are');
is(sql('SELECT count(*) FROM vrm.retention_refused'), '0', '... and is not kept as a fault of each row');
sql('DROP FUNCTION public.nothing CASCADE; CALL vrm.run_retention()');

# --- a fault of one policy, or of what all of them need ---------------------------------------------------------

sql(<<'SQL');
CREATE FUNCTION public.broken() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM 1 FROM public.no_such_table; RETURN OLD; END$$;
CREATE TRIGGER broken BEFORE DELETE ON vrm.test_runs FOR EACH ROW WHEN (OLD.status = 'completed') EXECUTE FUNCTION public.broken();
SQL
old_calls($node, 'app', $alice, 100);
$last = sql('SELECT max(run_id) FROM vrm.retention_runs');
like(error_of($node, 'app', q{CALL vrm.run_retention()}), qr/^42P01: /, 'a policy that fails is told of ...');
is(sql("SELECT string_agg(policy, ' ' ORDER BY run_id) FILTER (WHERE state <> 'done') || ' ' || count(*) FILTER (WHERE policy > 'calls.completed') FROM vrm.retention_runs WHERE run_id > $last"),
    'calls.completed ' . sql(q{SELECT count(*) FROM vrm.retention_policies WHERE enabled AND keep IS NOT NULL AND name > 'calls.completed'}),
    '... when all others have run');
sql(q{UPDATE vrm.retention_runs SET started_at = started_at - interval '3 days'});
$last = sql('SELECT max(run_id) FROM vrm.retention_runs');
like(error_of($node, 'app', 'CALL vrm.maintain()'), qr/^42P01: /, 'so it is by maintenance ...');
is(sql("SELECT string_agg(policy, ' ' ORDER BY run_id) FILTER (WHERE state <> 'done') || ' ' || count(*) FROM vrm.retention_runs WHERE run_id > $last"),
    'calls.completed ' . sql(q{SELECT count(*) FROM vrm.retention_policies WHERE enabled AND keep IS NOT NULL}), '... when all others have run');
sql('DROP FUNCTION public.broken CASCADE; ALTER FUNCTION vrm_private.make_archive_partitions() RENAME TO lost');
like(error_of($node, 'app', q{CALL vrm.run_retention()}), qr/^42883: /, 'so is what cannot be prepared ...');
is(sql('SELECT count(*) FROM vrm.test_runs WHERE status = $$completed$$'), '0', '... which keeps no policy from running');
sql('ALTER FUNCTION vrm_private.lost() RENAME TO make_archive_partitions; CALL vrm.run_retention()');

# --- large rows -------------------------------------------------------------------------------------------------

sql(<<"SQL");
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
SELECT '$alice', 'completed', now() - interval '3 years', now() - interval '3 years',
       jsonb_build_object('a', (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 94000 + i)))
FROM generate_series(1, 12) AS i;
UPDATE vrm.retention_policies SET batch_rows = 1000 WHERE name = 'calls.completed';
SQL
$last = sql('SELECT max(run_id) FROM vrm.retention_runs');
sql(q{CALL vrm.run_retention('calls.completed')});
# The first one: how many there are in those after it is up to how fast that was.
is(sql("SELECT sum(row_count) || ' ' || ((array_agg(row_count ORDER BY batch_id))[1] < 6)"
          . " FROM vrm_private.archive_manifest WHERE run_id > $last"),
    '12 true', 'a batch of large rows has few of them');

# --- a hold that is given while a call is being deleted ---------------------------------------------------------

sql("INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at) VALUES ('$alice', 'completed', now(), now())");
for my $change ('DELETE FROM vrm.test_runs', q{UPDATE vrm.test_runs SET results = '{"a": 1}'}) {
    my $deleter = $node->background_psql('app');
    $deleter->query_safe("BEGIN; $change; SAVEPOINT done");
    my $holder = $node->background_psql('app', on_error_stop => 0);
    $holder->query_until(qr/begun/, "\\echo begun\nSELECT vrm.place_hold('case', user_id => '$alice');\n");
    ok($node->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}),
        "a hold waits for whoever is at it: $change");
    $deleter->query_safe('ROLLBACK');
    $deleter->quit;
    $holder->quit;
    like(error_of($node, 'app', $change), qr/^55006: test run "[^"]*" is under a legal hold/, '... and holds from then on');
    sql('SELECT vrm.release_hold(hold_id) FROM vrm_private.legal_holds WHERE released_at IS NULL');
}

for my $level ('REPEATABLE READ', 'SERIALIZABLE') {
    my $deleter = $node->background_psql('app', on_error_stop => 0);
    $deleter->query_safe("BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM vrm.test_runs");
    sql("SELECT vrm.place_hold('case', user_id => '$alice')");
    my $log = -s $node->logfile;
    $deleter->query('DELETE FROM vrm.test_runs');
    ok($node->log_contains(qr/ERROR:  could not serialize access/, $log), "a snapshot that is older than a hold deletes nothing: $level");
    $deleter->quit;
    sql('SELECT vrm.release_hold(hold_id) FROM vrm_private.legal_holds WHERE released_at IS NULL');
}

# --- a clock that has jumped ----------------------------------------------------------------------------------

old_calls($node, 'app', $alice, 10);
sql(q{UPDATE vrm_private.clock SET seen_at = now() - interval '1900 days'});
like(error_of($node, 'app', 'CALL vrm.run_retention()'), qr/^55000: now\(\) is 190\d days.*HINT:/, 'nothing is due when the clock has jumped');
my ($out, $err) = ('', '');
$node->psql('app', 'CALL vrm.maintain()', stdout => \$out, stderr => \$err);
like($err, qr/WARNING:  now\(\) is 190\d days/, 'maintenance warns');
is(sql('SELECT count(*) > 0 FROM vrm.test_runs'), 't', '... and takes nothing');
sql("SET vrm.max_clock_step = -1;\nCALL vrm.run_retention();\n");
is(sql('SELECT count(*) FROM vrm.test_runs WHERE completed_at < now() - interval $$2 years$$'), '0', 'until somebody says that the clock is right');

# --- a standby that is late on purpose -------------------------------------------------------------------------

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1, extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
$primary->start;
database($primary, 'app');
my $bob = person($primary, 'app', 'bob@example.org');
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('late');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "recovery_min_apply_delay = '2s'\nwal_receiver_status_interval = 1");
$standby->start;
old_calls($primary, 'app', $bob, 50);
ok($primary->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_stat_replication WHERE replay_lag > '1 s'}), 'a standby that is two seconds late');
$standby->append_conf('postgresql.conf', q{recovery_min_apply_delay = '1 d'});
$standby->reload;
query($primary, 'app', q{UPDATE vrm.retention_policies SET max_lag = '100 ms', nice_ratio = 0, batch_rows = 10});
query($primary, 'app', q{SET statement_timeout = '100s'; CALL vrm.run_retention('calls.completed')});
is(query($primary, 'app', q{SELECT string_agg(state || ' ' || rows_done, ', ') FROM vrm.retention_runs}), 'done 40', 'does not hold a run up for ever');
$standby->stop('immediate');
$primary->stop;

$node->stop;
done_testing();
