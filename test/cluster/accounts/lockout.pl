# Lockout under attack: whatever becomes of the clients' transactions, connections or the server, no
# more secrets are looked at than the threshold allows, and a lock is never forgotten.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $threshold = 5;
my $clients = 16;
my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1, extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
$node->append_conf('postgresql.conf', <<'SETTINGS');
timezone = 'UTC'
max_connections = 40
max_prepared_transactions = 40
restart_after_crash = on
vrm.lockout_wait = 100ms
SETTINGS
$node->start;
my $database = database($node, 'accounts');
query($node, $database, "UPDATE vrm.lockout_policy SET base_lock = '1 day' WHERE kind = 'password'");

# Starts a psql script in so many sessions at once; CLIENT stands for the number of each.  From a
# file, because input from memory would reach one session after the other.
my $scripts = PostgreSQL::Test::Utils::tempdir;
my $script_number = 0;

sub begin_together {
    my ($count, $script) = @_;
    my @runs;
    for my $i (1 .. $count) {
        my $file = "$scripts/" . ++$script_number . '.sql';
        append_to_file($file, $script =~ s/CLIENT/$i/gr);
        my ($output, $errors) = ('', '');
        my $run = IPC::Run::start(
            ['psql', '-XAtq', '-d', $node->connstr($database), '-f', $file],
            '>', \$output, '2>', \$errors);
        push @runs, [$run, \$output];
    }
    return @runs;
}

# What all of them have printed in the end; a session that was killed is no error here.
sub end_together {
    my (@runs) = @_;
    for (@runs) {
        my $run = $_->[0];
        eval { IPC::Run::finish($run); 1 } or note "a session ended with: $@";
    }
    return join "\n", map { ${ $_->[1] } } @runs;
}

# Starts a script in so many sessions as begin_together() does, and lets none go on before all are
# there: connecting takes longer than most scripts.  Each says who it is first.
sub begin_at_once {
    my ($count, $script) = @_;
    my @gate = begin_together(1, 'SELECT pg_advisory_lock(1), pg_sleep(600)');
    my $waiting = "SELECT count(*) = %d FROM pg_locks WHERE locktype = 'advisory' AND granted = '%s'";
    $node->poll_query_until($database, sprintf $waiting, 1, 'true') or die "nobody guards the gate\n";
    my @runs = begin_together($count, "\\echo pid\nSELECT pg_backend_pid();\n"
          . "SELECT pg_advisory_lock_shared(1) \\g /dev/null\n$script");
    $node->poll_query_until($database, sprintf $waiting, $count, 'false')
      or die "not all of $count sessions came\n";
    query($node, $database, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted");
    return (@runs, @gate);
}

sub together { return end_together(begin_together(@_)); }

sub at_once { return end_together(begin_at_once(@_)); }

# Only a session that has loaded vrm knows its settings.
sub setting {
    my ($name, $value) = @_;
    query($node, $database, "LOAD 'vrm'; ALTER SYSTEM SET $name = '$value'");
    $node->reload;
    return;
}

sub count { my ($word, $text) = @_; return scalar(() = $text =~ /^$word$/mg); }

sub is_locked { my ($who) = @_; return query($node, $database, "SELECT vrm.is_locked('$who')"); }

# An attempt at a password that is wrong: says "evaluated" each time it would be looked at.
my $begin = <<'SQL';
\set status none
SELECT status, ticket FROM vrm.begin_attempt('WHO') \gset
SELECT :'status' = 'ok' AS granted \gset
\if :granted
\echo evaluated
SQL
my $settle = "SELECT vrm.settle_attempt(:'ticket', false) \\g /dev/null\n";
my $judged = "$begin$settle\\endif\n";

# --- storms: given 16 clients, when their transactions end in one of seven ways ------------------

my %modes = (
    'commit' => $judged,
    'rollback' => "BEGIN;\n${judged}ROLLBACK;\n",
    'savepoint' => "BEGIN;\nSAVEPOINT s;\n${judged}ROLLBACK TO SAVEPOINT s;\nCOMMIT;\n",
    'error after the call' => "BEGIN;\n${judged}SELECT 1 / 0;\nROLLBACK;\n",
    'terminated before the verdict' =>
      "BEGIN;\n${begin}SELECT pg_terminate_backend(pg_backend_pid());\n\\c\n\\endif\n",
    'disconnected before the verdict' => "BEGIN;\n${begin}\\c\n\\endif\n",
    'two-phase' => "BEGIN;\n${judged}PREPARE TRANSACTION 'CLIENT-ROUND';\n"
      . "ROLLBACK PREPARED 'CLIENT-ROUND';\n",
);
my $number = 0;
for my $mode (sort keys %modes) {
    my $who = 'storm' . ++$number;
    my $script = join '', map { $modes{$mode} =~ s/ROUND/$_/gr =~ s/WHO/$who/gr } 1 .. 4;
    my $journal = 'SELECT count(*) FROM vrm_private.audit_journal';
    my $before = query($node, $database, $journal);
    my $said = at_once($clients, $script);
    is(count('evaluated', $said), $threshold,
        "$mode: 64 attempts of 16 clients, $threshold are evaluated");
    if ($mode !~ /before the verdict/) {
        is(is_locked($who), 't', "$mode: then the account is locked");
        is(query($node, $database, $journal) - $before, $threshold, "$mode: and the journal has every failure");
    }
}

# --- given vanished callers, when their time is over, then they have failed ----------------------

query($node, $database, "UPDATE vrm.lockout_policy SET reservation = '1 second' WHERE kind = 'password'");
together(1, join '', map { $modes{'disconnected before the verdict'} =~ s/WHO/vanished/r } 1 .. 5);
ok($node->poll_query_until($database,
        "SELECT status = 'locked' FROM vrm.begin_attempt('vanished')"),
    'reservations without a verdict count as failures');
query($node, $database, "UPDATE vrm.lockout_policy SET reservation = '30 seconds' WHERE kind = 'password'");

# --- given the right password, when 20 people sign in at once, then none is refused --------------

setting('vrm.lockout_wait', '60s');
my $good = <<'SQL';
SELECT status, ticket FROM vrm.begin_attempt('good') \gset
\echo :status
SELECT pg_sleep(0.02) \g /dev/null
SELECT vrm.settle_attempt(:'ticket', true) \g /dev/null
SQL
is(count('ok', at_once(20, $good)), 20, 'of 20 valid sign-ins at once none is refused');
setting('vrm.lockout_wait', '100ms');

# --- standby --------------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is(query($standby, $database, "SELECT vrm.is_locked('storm1')"), 't', 'a standby knows the locks');
is(query($standby, $database, 'SELECT vrm.check_lockout_store() = count(*) FROM vrm_private.lockout'),
    't', 'and reads the whole store');
like(error_of($standby, $database, "SELECT vrm.begin_attempt('storm1')"),
    qr/^25006: sign-in is not possible in a read-only transaction/, 'but takes no attempt');
is(error_of($standby, $database, "SELECT vrm.begin_attempt('nobody')"),
    error_of($standby, $database, "SELECT vrm.begin_attempt('storm1')"), 'whoever asks');
$standby->stop;

# --- kill -9 of a backend in a storm -------------------------------------------------------------

# Storms at one account until a backend is killed, then once more; counts evaluations.
sub killed_storm {
    my ($who) = @_;
    my $script = join '', map { $judged =~ s/WHO/$who/gr } 1 .. 40;
    my $said;
    until_restarted($node, $database, sub {
            # Who came after the crash would outlive it.  Whoever is through with the storm stays, so that
            # there is somebody to kill.
            my @runs = begin_at_once(5, "${script}SELECT pg_sleep(600);\n");
            IPC::Run::pump($runs[0][0]) until ${ $runs[0][1] } =~ /pid\n(\d+)\n/;
            my ($pid) = ${ $runs[0][1] } =~ /pid\n(\d+)/;
            select undef, undef, undef, 0.03 + rand(0.25);
            kill 'KILL', $pid;
            $said = end_together(@runs);
    });
    return count('evaluated', $said . "\n" . together(4, $script));
}

my $cycles = $ENV{VRM_KILL_CYCLES} || 20;
setting('vrm.lockout_durability', 'strict');
my ($exceeded, $admitted, @locked, @open) = (0, 0);
for my $cycle (1 .. $cycles) {
    my $who = "killed$cycle";
    $exceeded++ if killed_storm($who) > $threshold;
    # A reservation of a backend that was killed counts as a failure once its time is over.
    $admitted++ if query($node, $database,
        "SELECT status = 'ok' FROM vrm.begin_attempt('$who')") eq 't';
    push @locked, $who if is_locked($who) eq 't';
    push @open, $who if query($node, $database,
        "SELECT locked OR pending > 0 FROM vrm.lockout_state('password', '$who')") ne 't';
}
is($exceeded, 0, "$cycles times kill -9 in a storm: never more than $threshold are evaluated");
is($admitted, 0, 'and nobody gets in afterwards');
# How many depends on how far they were: an attempt of a killed backend is pending for a while.
cmp_ok(scalar(@locked), '>', 0, 'accounts are locked at once');
is("@open", '', 'each of the others has such an attempt');

# --- crashes in a transaction that is open still, when the WAL writer sleeps -----------------------
# Nothing but the reply itself can have brought to disk what it says.

setting('wal_writer_delay', '10s');

# Kills the backend of this script at its end, in its transaction.
sub killed_after {
    my ($script) = @_;
    my $suicide = 'SELECT pg_backend_pid() AS pid \gset' . "\n\\setenv BACKEND :pid\n\\! kill -9 \$BACKEND\n";
    until_restarted($node, $database, sub { together(1, "BEGIN;\n$script$suicide") });
    return;
}

killed_after($begin =~ s/WHO/reserved/r . "\\endif\n");
is(query($node, $database, "SELECT pending FROM vrm.lockout_state('password', 'reserved')"), 1,
    'when strict a reservation outlives kill -9');
setting('vrm.lockout_durability', 'lock');
my $lost = 0;
for my $cycle (1 .. 3) {
    killed_after(join '', map { $judged =~ s/WHO/default$cycle/r } 1 .. $threshold);
    $lost++ if is_locked("default$cycle") ne 't';
}
is($lost, 0, 'with the default durability a lock outlives kill -9, too');
my $session = $node->background_psql($database, on_error_stop => 0);
$session->query("BEGIN; SELECT vrm.record_login_attempt('sudden', false) FROM generate_series(1, $threshold);");
$node->stop('immediate');
$node->start;
is(is_locked('sudden'), 't', '... and an immediate shutdown');
is(scalar(grep { is_locked($_) ne 't' } @locked), 0, 'and no lock before it was forgotten');
ok(query($node, $database, 'SELECT vrm.check_lockout_store()') > $cycles, 'the store is sound');

# --- the journal, whose rows belong to transactions that were rolled back or killed ----------------

query($node, $database, 'CREATE EXTENSION amcheck; VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) vrm_private.audit_journal');
is(query($node, $database, "SELECT count(*) FROM verify_heapam('vrm_private.audit_journal')"), 0,
    'the journal is a sound table');
my $waiting = query($node, $database, 'SELECT count(*) FROM vrm_private.audit_journal');
is(query($node, $database, 'SELECT vrm.audit_drain()'), $waiting, 'all of it moves to the audit trail');
is(query($node, $database, "SELECT count(*) > 5 * $cycles FROM vrm.audit_log WHERE action LIKE 'password failed%'"),
    't', 'where the failures are');
is(query($node, $database, 'SELECT count(*) FROM vrm_private.audit_journal'), 0, 'and nowhere else');

$node->stop;
done_testing();
