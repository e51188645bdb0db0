#!/usr/bin/perl
# Measures what looks after a database with very many calls: vrm.maintain() with nothing to do, what
# Prometheus fetches, the report; CPU of one backend on the server that PGHOST and PGPORT name.
# Calls and facts are those of 30 days; statistics, which copies of theirs fill up, are those of the
# year before.
# usage: bench/operations/upkeep.pl [CALLS A YEAR]
use strict;
use warnings;
use File::Basename;
use File::Temp;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Bench;

my $calls = $ARGV[0] // 10_000_000;
my $facts = int($calls * 30 / 365);
my $large = '018f0000-0000-7000-8000-000000000001';
$ENV{PGDATABASE} = 'vrm_bench_upkeep';
$ENV{PGOPTIONS} = '-c client_min_messages=warning';

output('dropdb', '--if-exists', '--force', $ENV{PGDATABASE});
output('createdb', $ENV{PGDATABASE});
sql('CREATE EXTENSION vrm');
psql('-f', dirname(__FILE__) . '/../analytics/calendars.sql');
my ($first, $today) = split /\|/, sql(q{SELECT vrm.utc_day(now()) - 30, vrm.utc_day(now())});
sql("SELECT load('$large', $facts, '$first 00:00Z', '$today 00:00Z', 1)", "SELECT load_calls('$large', '$first')",
    "INSERT INTO vrm.call_dirty (user_id, day) SELECT '$large', '$first'::date + n FROM generate_series(0, 29) AS n",
    'VACUUM ANALYZE vrm.test_runs, vrm.call_facts', 'CALL compact(NULL, NULL)',
    "SELECT spread('$first', 30, '$first'::date - 335, '$today')", 'VACUUM ANALYZE vrm.call_rollup', 'CHECKPOINT');

# ms of CPU of a statement in a session that has run it before, the mean of so many times.
sub cpu_of {
    my ($statement, $times) = @_;
    my $script = File::Temp->new;
    print {$script} "\\o /dev/null\n$statement;\nSELECT cpu() AS before \\gset\n", "$statement;\n" x $times,
      "\\o\nSELECT (cpu() - :before) / 1e6 / $times;\n";
    close($script) or die "script: $!\n";
    return scalar psql('-f', $script->filename);
}

# What the days that were loaded leave to do, all of it.
sql('CALL vrm.maintain()') for 1 .. 3;
printf "%d calls in 30 days, statistics of %d in a year, ms of CPU\n\n", $facts, $calls;
for (
    ['maintain() with nothing to do', 'CALL vrm.maintain()', 20, 20],
    ['monitoring_text()', 'SELECT vrm.monitoring_text()', 50, 10],
    ['report()', 'SELECT vrm.report()', 3, 1000],
    ['doctor()', 'SELECT * FROM vrm.doctor()', 3]) {
    my ($name, $statement, $times, $limit) = @$_;
    my $took = cpu_of($statement, $times);
    printf "%-40s %10.1f\n", $name, $took;
    target($name, $took, $limit, 'ms') if $limit;
}
targets();
output('dropdb', $ENV{PGDATABASE});
