#!/usr/bin/perl
# Measures suites of test cases on the server that PGHOST and PGPORT name: the report of one run and the
# comparison of two against plain SQL, by CPU of the backend; and claims of 64 runners, one at a time
# and in batches, against the usual UPDATE ... WHERE id = (SELECT ... FOR UPDATE SKIP LOCKED LIMIT 1)
# on the same table, by claims a second, all in one run.
# usage: bench/testing/suites.pl [CASES [REPEATS [ROUNDS [QUEUED...]]]]
use strict;
use warnings;
use File::Basename;
use File::Temp;
use FindBin;
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

my $usual = q{UPDATE vrm.test_runs SET status = 'running', started_at = clock_timestamp()
    WHERE user_id = vrm.uid() AND id = (SELECT id FROM vrm.test_runs
        WHERE user_id = vrm.uid() AND status IN ('queued', 'running') AND status = 'queued'
        ORDER BY started_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id} =~ s/\s+/ /gr;
for my $queued (@queued) {
    fill($queued);
    my $single = int($queued / 64 > 400 ? 400 : $queued / 64);
    my $batch = int($queued / 16 / 64 > 400 ? 400 : $queued / 16 / 64);
    my %rate;
    for (1 .. $rounds) {
        push @{ $rate{usual} }, claims_a_second($single, $usual, 1);
        push @{ $rate{single} }, claims_a_second($single, "SELECT run_id FROM vrm.claim_test_run('bench')", 1);
        push @{ $rate{batch} },
          claims_a_second($batch, "SELECT run_id FROM vrm.claim_test_run('bench', most => 16)", 16);
    }
    my %median = map { $_ => median(@{ $rate{$_} }) } keys %rate;
    printf "\n%d queued calls, 64 runners, claims a second, median of %d rounds\n\n", $queued, $rounds;
    printf "%-20s %9.0f %7.1fx\n", $_, $median{$_}, $median{$_} / $median{usual} for qw(usual single batch);
    target("claims of $queued, one at a time", $median{single} / $median{usual}, 2, 'x', 1);
    target("claims of $queued, sixteen at a time", $median{batch} / $median{usual}, 10, 'x', 1);
}

targets();
drop_databases($database, $full);
