#!/usr/bin/perl
# Measures the checks of data quality on the server that PGHOST and PGPORT name, by CPU of the
# backend, all peers in turns in one run: the native validator next to jsonpath and plpgsql, one scan
# for all conditions on a table next to a query for each.
# usage: bench/quality.pl [DOCUMENTS [ROUNDS]]
use strict;
use warnings;
use File::Basename;

my $documents = $ARGV[0] // 20_000;
my $rounds = $ARGV[1] // 5;
my $database = 'vrm_bench_quality';

sub output {
    my (@command) = @_;
    open(my $pipe, '-|', @command) or die "$command[0]: $!\n";
    my @lines = <$pipe>;
    close($pipe) or die "@command failed\n";
    chomp @lines;
    return @lines;
}

output('psql', '-XqAt', '-d', 'postgres', '-c', 'SET client_min_messages = warning',
    '-c', "DROP DATABASE IF EXISTS $database", '-c', "CREATE DATABASE $database");
my %figure = map { split /\|/ } output('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $database,
    '-v', "documents=$documents", '-v', "rounds=$rounds", '-f', dirname(__FILE__) . '/quality.sql');

my @targets;
sub target {
    my ($what, $value, $limit, $unit, $more_is_better) = @_;
    my $met = $more_is_better ? $value >= $limit : $value <= $limit;
    push @targets, sprintf '%-44s %8.2f %-3s %s %s', $what, $value, $unit,
        ($more_is_better ? '>=' : '<=') . " $limit", $met ? 'met'
        : sprintf('missed by %.0f %%', 100 * abs($value / $limit - 1));
    return;
}

printf "%d documents of %d bytes, median of %d rounds, us a document without the scan\n\n",
    $documents, $figure{bytes}, $rounds;
printf "%-28s %8.2f us %8s\n", $_, $figure{$_}, sprintf '%.1fx', $figure{$_} / $figure{validator}
    for 'validator', 'jsonpath', 'plpgsql';
target('validator', $figure{validator}, 5, 'us');
target('faster than jsonpath', $figure{jsonpath} / $figure{validator}, 10, 'x', 1);

printf "\n%d checks on the rows of a table: one scan %.1f ms, single queries %.1f ms\n",
    $figure{checks}, $figure{fused}, $figure{single};
target('one scan, times as fast', $figure{single} / $figure{fused}, 1.4, 'x', 1);

print "\ntargets\n", map { "$_\n" } @targets;
output('psql', '-XqAt', '-d', 'postgres', '-c', "DROP DATABASE $database");
