#!/usr/bin/perl
# Measures suites of test cases on the server that PGHOST and PGPORT name: the report of one run and the
# comparison of two against plain SQL, by CPU of the backend; and claims of 64 runners, one at a time
# and in batches, against the usual UPDATE ... WHERE id = (SELECT ... FOR UPDATE SKIP LOCKED LIMIT 1)
# on the same table with its indexes and triggers, by claims a second, all in one run.  That statement
# leaves no lease and tells nothing of the case; "whole" is one that does, as a runner needs it.
# Claims are measured twice: on that server, whose commits may wait for no disk, and on one of their own
# with PostgreSQL's defaults, whose commits do.
# usage: bench/testing/suites.pl [CASES [REPEATS [ROUNDS [QUEUED...]]]]
use strict;
use warnings;
use File::Basename;
use File::Temp;
use FindBin;
use IPC::Open2;
use lib "$FindBin::Bin/../lib";
use Bench;

my ($cases, $repeats, $rounds, @queued) = @ARGV;
$cases //= 500;
$repeats //= 20;
$rounds //= 5;
@queued = (10_000, 1_000_000) unless @queued;
my $database = $ENV{PGDATABASE} = 'vrm_bench_suites';

sub drop_databases {
    output('psql', '-XqAt', '-d', 'postgres', '-c', 'SET client_min_messages = warning',
        map { ('-c', "DROP DATABASE IF EXISTS $_") } @_);
    return;
}

drop_databases($database);
output('createdb', $database);
my %figure = map { split /\|/ } grep { /\|/ } psql('-v', "cases=$cases", '-v', "repeats=$repeats",
    '-v', "rounds=$rounds", '-f', dirname(__FILE__) . '/suites.sql');
# What takes less than a tick of the kernel's clock reads as nothing: a tick then.
$_ ||= 4 for @figure{ 'report', 'comparison' };
printf "%d cases, %d repeats on two versions, median of %d rounds, CPU\n\n", $cases, $repeats, $rounds;
printf "%-20s %9.1f ms\n", $_, $figure{$_} for 'report', 'plain report', 'comparison', 'plain comparison';
print "their answers differ in $figure{'reports differ'} and $figure{'comparisons differ'} cases\n";
target('report', $figure{report}, 50, 'ms');
target('report, times as fast', $figure{'plain report'} / $figure{report}, 5, 'x', 1);
target('comparison', $figure{comparison}, 50, 'ms');
target('comparison, times as fast', $figure{'plain comparison'} / $figure{comparison}, 5, 'x', 1);

my $claims = '{"sub": "018f0000-0000-7000-8000-0000000000a1", "role": "authenticated"}';

# A queue of so many calls, which each measurement gets a copy of.
my $full = "${database}_full";

sub fill {
    my ($queued) = @_;
    local $ENV{PGDATABASE} = $full;
    drop_databases($full);
    output('createdb', $full);
    psql('-v', "queued=$queued", '-f', dirname(__FILE__) . '/suites_queue.sql');
    return;
}

# How many calls 64 clients take in a second, so many transactions each: once all of them have taken their
# first, for which a connection loads the library and what is known of the tables.  They are signed in for
# as long as they are connected, and each claim is a transaction.
sub claims_a_second {
    my ($transactions, $statement, $each) = @_;
    drop_databases($database);
    output('createdb', '-T', $full, '-S', 'file_copy', $database);
    sql("ALTER DATABASE $database SET vrm.trusted_logins = $ENV{PGUSER}",
        "ALTER DATABASE $database SET vrm.session_login = on");
    my $directory = File::Temp->newdir;
    open(my $script, '>', "$directory/script") or die "script: $!\n";
    print {$script} "\\if :is_signed_in = 0\nSELECT set_config('request.jwt.claims', '$claims', false);\n",
      "\\set is_signed_in 1\n\\endif\n$statement;\n";
    close($script) or die "script: $!\n";
    output('pgbench', '-n', '-M', 'prepared', '-c', 64, '-j', 2, '-t', $transactions, '-f', "$directory/script",
        '-D', 'is_signed_in=0', '-l', '--log-prefix', "$directory/log", $database);
    my ($warm, @ends) = (0);
    for my $log (glob "$directory/log*") {
        open(my $lines, '<', $log) or die "$log: $!\n";
        while (<$lines>) {
            my (undef, $number, undef, undef, $seconds, $micro) = split;
            my $end = $seconds + $micro / 1e6;
            if ($number > 1) { push @ends, $end }
            elsif ($end > $warm) { $warm = $end }
        }
        close($lines) or die "$log: $!\n";
    }
    @ends = sort { $a <=> $b } grep { $_ > $warm } @ends;
    return @ends * $each / ($ends[-1] - $warm);
}

my $update = q{UPDATE vrm.test_runs SET status = 'running', started_at = clock_timestamp()
    WHERE user_id = vrm.uid() AND id = (SELECT id FROM vrm.test_runs
        WHERE user_id = vrm.uid() AND status IN ('queued', 'running') AND status = 'queued'
        ORDER BY started_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING} =~ s/\s+/ /gr;
my $usual = "$update id";
my $whole = qq{WITH taken AS ($update user_id, id, agent_id, agent_version), leased AS (
        INSERT INTO vrm.run_leases (user_id, run_id, runner, attempts, lease_until)
        SELECT user_id, id, 'bench', 1, clock_timestamp() + interval '5 minutes' FROM taken)
    SELECT t.id, v.connection_details, s.name, s.user_persona, s.scenario, s.metrics
    FROM taken t
    LEFT JOIN vrm.agent_versions v
      ON v.user_id = t.user_id AND v.agent_id = t.agent_id AND v.version = t.agent_version
    LEFT JOIN vrm.suite_calls c ON c.user_id = t.user_id AND c.run_id = t.id
    LEFT JOIN vrm.suite_run_cases s
      ON s.user_id = c.user_id AND s.suite_run_id = c.suite_run_id AND s.position = c.position} =~ s/\s+/ /gr;

sub measure_claims {
    my ($queued, $server) = @_;
    fill($queued);
    my $single = int($queued / 64 > 400 ? 400 : $queued / 64);
    my $batch = int($queued / 16 / 64 > 400 ? 400 : $queued / 16 / 64);
    my %rate;
    for (1 .. $rounds) {
        push @{ $rate{usual} }, claims_a_second($single, $usual, 1);
        push @{ $rate{whole} }, claims_a_second($single, $whole, 1);
        push @{ $rate{single} }, claims_a_second($single, "SELECT run_id FROM vrm.claim_test_run('bench')", 1);
        push @{ $rate{batch} },
          claims_a_second($batch, "SELECT run_id FROM vrm.claim_test_run('bench', most => 16)", 16);
    }
    my %median = map { $_ => median(@{ $rate{$_} }) } keys %rate;
    my ($durability) = sql(q{SELECT string_agg(name || ' = ' || setting, ', ' ORDER BY name) FROM pg_settings
        WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')});
    printf "\n%d queued calls, 64 runners, claims a second, median of %d rounds\n", $queued, $rounds;
    printf "%s server: %s\n\n", $server, $durability;
    printf "%-20s %9.0f %7.1fx\n", $_, $median{$_}, $median{$_} / $median{usual} for qw(usual whole single batch);
    for (['one at a time', $median{single}, 2], ['sixteen at a time', $median{batch}, 10]) {
        my ($how, $rate, $limit) = @$_;
        target("$server: $queued claims, $how", $rate / $median{usual}, $limit, 'x', 1);
        target("$server: $queued claims, $how, same work", $rate / $median{whole}, $limit, 'x', 1);
    }
    drop_databases($database, $full);
    return;
}

# The same on a server of its own, that of bench/lib/durable.sh, which is gone afterwards.
sub on_durable_server {
    my ($work) = @_;
    my $pid = open2(my $says, my $ends, 'sh', '-ec',
        '. "$0"; start_durable >&2; echo "$PGHOST"; read -r _ || true', "$FindBin::Bin/../lib/durable.sh");
    chomp(my $host = <$says> // die "the durable server has not started\n");
    local @ENV{qw(PGHOST PGPORT PGUSER)} = ($host, 5432, 'postgres');
    my $done = eval { $work->(); 1 };
    my $error = $@;
    close($ends) or die "server: $!\n";
    waitpid($pid, 0);
    die $error unless $done;
    return;
}

drop_databases($database);
for my $queued (@queued) {
    measure_claims($queued, 'throwaway');
    on_durable_server(sub { measure_claims($queued, 'durable') });
}
targets();
