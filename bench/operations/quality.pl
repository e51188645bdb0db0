#!/usr/bin/perl
# Measures the checks of data quality on the server that PGHOST and PGPORT name, by CPU of the
# backend, all peers in turns in one run: the native validator next to jsonpath and plpgsql, one scan
# for all conditions on a table next to a query for each.
# usage: bench/operations/quality.pl [DOCUMENTS [ROUNDS]]
use strict;
use warnings;
use File::Basename;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Bench;

my $documents = $ARGV[0] // 20_000;
my $rounds = $ARGV[1] // 5;
my $database = $ENV{PGDATABASE} = 'vrm_bench_quality';

output('psql', '-XqAt', '-d', 'postgres', '-c', 'SET client_min_messages = warning',
    '-c', "DROP DATABASE IF EXISTS $database", '-c', "CREATE DATABASE $database");
my %figure = map { split /\|/ } psql('-v', "documents=$documents", '-v', "rounds=$rounds",
    '-f', dirname(__FILE__) . '/quality.sql');

printf "%d documents of %d bytes, median of %d rounds, us a document without the scan\n\n",
  $documents, $figure{bytes}, $rounds;
printf "%-28s %8.2f us %8s\n", $_, $figure{$_}, sprintf '%.1fx', $figure{$_} / $figure{validator}
  for 'validator', 'jsonpath', 'plpgsql';
target('validator', $figure{validator}, 5, 'us');
target('faster than jsonpath', $figure{jsonpath} / $figure{validator}, 10, 'x', 1);

printf "\n%d checks on the rows of a table: one scan %.1f ms, single queries %.1f ms\n",
  $figure{checks}, $figure{fused}, $figure{single};
target('one scan, times as fast', $figure{single} / $figure{fused}, 1.4, 'x', 1);

targets();
output('psql', '-XqAt', '-d', 'postgres', '-c', "DROP DATABASE $database");
