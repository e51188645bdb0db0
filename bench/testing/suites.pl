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

sub fresh_database {
    output('psql', '-XqAt', '-d', 'postgres', '-c', 'SET client_min_messages = warning',
        '-c', "DROP DATABASE IF EXISTS $database", '-c', "CREATE DATABASE $database");
    return;
}

fresh_database();
my %figure = map { split /\|/ } grep { /\|/ } psql('-v', "cases=$cases", '-v', "repeats=$repeats",
    '-v', "rounds=$rounds", '-f', dirname(__FILE__) . '/suites.sql');
printf "%d cases, %d repeats on two versions, median of %d rounds, CPU\n\n", $cases, $repeats, $rounds;
printf "%-20s %9.1f ms\n", $_, $figure{$_} for 'report', 'plain report', 'comparison', 'plain comparison';
print "their answers differ in $figure{'reports differ'} and $figure{'comparisons differ'} cases\n";
target('report', $figure{report}, 50, 'ms');
target('report, times as fast', $figure{'plain report'} / $figure{report}, 5, 'x', 1);
target('comparison', $figure{comparison}, 50, 'ms');
target('comparison, times as fast', $figure{'plain comparison'} / $figure{comparison}, 5, 'x', 1);

# How many calls 64 clients take in a second, so many transactions each, off a fresh queue.
sub claims_a_second {
    my ($queued, $transactions, $statement, $each) = @_;
    fresh_database();
    psql('-v', "queued=$queued", '-f', dirname(__FILE__) . '/suites_queue.sql');
    my $script = File::Temp->new;
    print {$script} "BEGIN;\nSELECT as_owner();\n$statement;\nCOMMIT;\n";
    $script->flush;
    my ($tps) = map { /^tps = ([\d.]+)/ ? $1 : () }
      output('pgbench', '-n', '-M', 'prepared', '-c', 64, '-j', 2, '-t', $transactions, '-f', "$script", $database);
    return $tps * $each;
}

my $usual = q{UPDATE vrm.test_runs SET status = 'running', started_at = clock_timestamp()
    WHERE user_id = vrm.uid() AND id = (SELECT id FROM vrm.test_runs
        WHERE user_id = vrm.uid() AND status IN ('queued', 'running') AND status = 'queued'
        ORDER BY started_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id} =~ s/\s+/ /gr;
for my $queued (@queued) {
    my $all = int($queued / 64 > 400 ? 400 : $queued / 64);
    my %rate = (
        usual => claims_a_second($queued, $all, $usual, 1),
        single => claims_a_second($queued, $all, "SELECT run_id FROM vrm.claim_test_run('bench')", 1),
        batch => claims_a_second($queued, int($queued / 16 / 64 > 400 ? 400 : $queued / 16 / 64),
            "SELECT run_id FROM vrm.claim_test_run('bench', most => 16)", 16));
    printf "\n%d queued calls, 64 runners, claims a second\n\n", $queued;
    printf "%-20s %9.0f %7.1fx\n", $_, $rate{$_}, $rate{$_} / $rate{usual} for qw(usual single batch);
    target("claims of $queued, one at a time", $rate{single} / $rate{usual}, 2, 'x', 1);
    target("claims of $queued, sixteen at a time", $rate{batch} / $rate{usual}, 10, 'x', 1);
}

targets();
output('psql', '-XqAt', '-d', 'postgres', '-c', "DROP DATABASE $database");
