#!/usr/bin/perl
# Brings in reports of calls of 2 KB and measures the CPU of the backend next to COPY of the same calls,
# facts and events into plain tables with the same columns and indexes, in one run and one backend; then
# vrm.maintain() over what was brought in.  Needs the server that PGHOST names, as a superuser.
# usage: bench/calls/import.pl [CALLS]
use strict;
use warnings;
use File::Basename;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Bench;

my $calls = $ARGV[0] // 20_000;
my $database = $ENV{PGDATABASE} = 'vrm_bench_import';

output('psql', '-XqAt', '-d', 'postgres', '-c', 'SET client_min_messages = warning',
    '-c', "DROP DATABASE IF EXISTS $database", '-c', "CREATE DATABASE $database");
my %figure = map { split /\|/ } psql('-v', "calls=$calls", '-f', dirname(__FILE__) . '/import.sql');

printf "%d calls of %d turns, reports of %d bytes; one user has 90 %% of them; us of CPU a call\n\n",
  $calls, $figure{turns}, $figure{bytes};
printf "%-44s %8.1f us %6.1fx\n", $_, $figure{$_} / $calls / 1000, $figure{$_} / $figure{'COPY into plain tables'}
  for 'COPY into plain tables', 'COPY into call_imports', 'import_calls()', 'the same reports again';
printf "\n%-44s %8.1f us\n", 'vrm.index_calls(), the words', $figure{'index_calls()'} / $calls / 1000;
printf "%-44s %8.1f us %8.1f s wall\n", 'the rest of vrm.maintain()', $figure{maintain} / $calls / 1000,
  $figure{maintain_wall};
printf "%-44s %8d\n", 'calls made', $figure{made};
printf "%-44s %8d\n", 'bytes of call_imports a call afterwards', $figure{kept} / $calls;
target('import, times COPY',
    ($figure{'COPY into call_imports'} + $figure{'import_calls()'}) / $figure{'COPY into plain tables'}, 3, 'x');
# Words wait for the next one where half a minute is not enough; who searches reads what waits, too.
my ($words, $rest) = map { $figure{$_} / $calls / 1000 } 'index_calls()', 'maintain';
printf "vrm.maintain() after 1,000,000 calls at that rate: %.0f times until all words are indexed\n",
  1 + int($words / 30);
target('maintain() after 1,000,000 calls at that rate', $rest + ($words < 30 ? $words : 30), 60, 's');
targets();
output('psql', '-XqAt', '-d', 'postgres', '-c', "DROP DATABASE $database");
