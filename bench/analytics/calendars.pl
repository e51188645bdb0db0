#!/usr/bin/perl
# Measures what dashboards cost a tenant with very many calls, by calendars of UTC and of local zones,
# how that grows for a hundred times the calls, how a busy day costs while its calls end, and what
# bringing statistics up to date costs: CPU of the backend, on the server of PGHOST and PGPORT.
# With fewer than 365 DAYS only so many have facts, and the statistics of the others are copies of
# theirs: dashboards, which read no facts, cost the same, and it is sooner ready.
# usage: bench/analytics/calendars.pl [CALLS A YEAR [DAYS [prepare|measure]]]; without a step both, and
# in the end the database goes
use strict;
use warnings;
use File::Basename;
use FindBin;
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../lib";
use Bench;

my $calls = $ARGV[0] // 10_000_000;
my $days = $ARGV[1] // 365;
my $step = $ARGV[2] // '';
my $here = dirname(__FILE__);
my ($large, $small) = map { "018f0000-0000-7000-8000-00000000000$_" } 1, 2;
my ($since, $until) = ('2025-01-01 00:00Z', '2026-01-01 00:00Z');
my $busy_day = 100_000;
my $first = $days < 365 ? '2025-06-01' : '2025-01-01';  # of the days with facts
$ENV{PGDATABASE} = 'vrm_bench_calendars';
$ENV{PGOPTIONS} = '-c jit=off -c max_parallel_workers_per_gather=0 -c client_min_messages=warning';

my $began = time;
sub done {
    my ($what) = @_;
    printf "%-58s %6.1f s\n", $what, time - $began;
    $began = time;
    return;
}

# Marks so many days, from the first with facts on, as changed.
sub mark {
    my ($who, $from, $count) = @_;
    return sql("INSERT INTO vrm.call_dirty (user_id, day) SELECT $who, '$first'::date + n"
          . " FROM $from generate_series(0, $count - 1) AS n");
}

sub prepare {
    output('dropdb', '--if-exists', '--force', $ENV{PGDATABASE});
    output('createdb', $ENV{PGDATABASE});
    sql('CREATE EXTENSION vrm', "ALTER DATABASE $ENV{PGDATABASE} SET vrm.trusted_logins = 'postgres'");
    psql('-f', "$here/calendars.sql");
    my $facts = int($calls * $days / 365);
    my $time = "'$first 00:00Z'::timestamptz, '$first 00:00Z'::timestamptz + interval '$days days'";
    sql("SELECT load('$large', $facts, $time, 1)", "SELECT load('$small', $facts / 100, $time, 2)");
    sql('VACUUM ANALYZE vrm.call_facts');
    done("$facts facts of $days days, and a hundredth of them");
    mark("u.id", 'auth.users u,', $days);
    my ($cpu, $longest) = split /\|/, sql('CALL compact(NULL, NULL)');
    printf "statistics of these days: %.1f s of CPU, longest batch %.0f ms\n", $cpu / 1000, $longest;
    sql("SELECT spread('$first', $days, '2025-01-01', '2026-01-01')") if $days < 365;
    sql('VACUUM ANALYZE vrm.call_rollup', 'VACUUM ANALYZE vrm.call_dirty', 'CHECKPOINT');
    done('statistics of all days');
    return;
}

# --- dashboards -----------------------------------------------------------------------------------

my $new_york = "'America/New_York'";
my @dashboards = (
    ['365 days in New York', "SELECT count(*) FROM vrm.call_series('2025-01-01 00:00-05', '2026-01-01 00:00-05', '1 day', $new_york)", 20],
    ['365 days in Kathmandu', "SELECT count(*) FROM vrm.call_series('2025-01-01 00:00+05:45', '2026-01-01 00:00+05:45', '1 day', 'Asia/Kathmandu')"],
    ['365 days in UTC', "SELECT count(*) FROM vrm.call_series('2025-01-01 00:00Z', '2026-01-01 00:00Z', '1 day')"],
    ['30 days in New York', "SELECT count(*) FROM vrm.call_series('2025-11-01 00:00-04', '2025-12-01 00:00-05', '1 day', $new_york)", 6],
    ['24 months in UTC', "SELECT count(*) FROM vrm.call_series('2024-01-01 00:00Z', '2026-01-01 00:00Z', '1 month')", 10],
    ['summary of a year', "SELECT * FROM vrm.call_summary('2025-01-01 00:00Z', '2026-01-01 00:00Z', compare => false)"],
    ['summary of 90 days in New York', "SELECT * FROM vrm.call_summary('2025-08-03 00:00-04', '2025-11-01 00:00-04')"],
    ['agents of a year', "SELECT * FROM vrm.agent_performance('2025-01-01 00:00Z', '2026-01-01 00:00Z')"],
    ['agents of 30 days in New York', "SELECT * FROM vrm.agent_performance('2025-11-01 00:00-04', '2025-12-01 00:00-05')"],
    ['user_dashboard', 'SELECT * FROM vrm.user_dashboard()'],
);

sub measure_dashboards {
    printf "\nms of CPU %30s %12d calls %12d calls\n", '', $calls / 100, $calls;
    for (@dashboards) {
        my ($name, $query, $limit) = @$_;
        # in turn, so that who disturbs the machine for a while disturbs both
        my %least;
        for my $who (($small, $large) x 3) {
            my $took = sql("SELECT asked('$who', \$q\$$query\$q\$, 3)");
            $least{$who} = $took if $took < ($least{$who} // $took + 1);
        }
        my ($few, $many) = @least{ $small, $large };
        printf "%-40s %17.2f %18.2f\n", $name, $few, $many;
        target($name, $many, $limit, 'ms') if $limit;
        target("$name, growth", $many / $few, 1.5, 'x');
    }
    return;
}

# --- a busy day, still going on ---------------------------------------------------------------------

# Calls of the day up to a minute, of which those of the last five minutes have ended since maintain().
sub measure_open_day {
    my $now = '2026-01-01 20:03Z';
    my $ended = "'$now'::timestamptz - interval '5 minutes'";
    my $length = "(SELECT extract(epoch FROM '$now'::timestamptz - '$until') / 86400)";
    sql("SELECT load('$large', ($busy_day * $length)::bigint, '$until', '$now', 3)", 'VACUUM ANALYZE vrm.call_facts');
    sql("INSERT INTO vrm.call_dirty (user_id, day) VALUES ('$large', '2026-01-01')", 'CALL compact(NULL, NULL)');
    sql("INSERT INTO vrm.call_dirty (user_id, day, quarter) SELECT user_id, vrm.utc_day(started_at),"
          . " (extract(epoch FROM started_at)::bigint % 86400) / 900 FROM vrm.call_facts"
          . " WHERE user_id = '$large' AND started_at >= $ended",
        "SELECT load_calls('$large', '$until')",
        "INSERT INTO vrm.test_runs (user_id, agent_id, status, started_at) SELECT a.user_id, a.id, 'running', now() - n * interval '9 s'"
          . " FROM vrm.agents a, generate_series(1, 20) AS n WHERE a.user_id = '$large'",
        'VACUUM ANALYZE vrm.test_runs, vrm.live_runs, vrm.call_dirty, vrm.call_rollup');
    my ($marks, $facts) = split /\|/, sql("SELECT count(*), (SELECT count(*) FROM vrm.call_facts WHERE user_id = '$large'"
          . " AND started_at >= '$until') FROM vrm.call_dirty");
    print "\na day of $busy_day calls, $facts so far, 200 of them live, $marks ended since maintain()\n";
    my $ms = sql("SELECT asked('$large', 'SELECT * FROM vrm.user_dashboard()')");
    printf "%-40s %36.2f\n", 'user_dashboard', $ms;
    target('user_dashboard of a busy day', $ms, 2, 'ms');
    $ms = sql("SELECT asked('$large', \$q\$SELECT count(*) FROM vrm.call_series('$until'::timestamptz - interval '30 days', '$now', '1 day', $new_york)\$q\$)");
    printf "%-40s %36.2f\n", '31 days in New York', $ms;
    my ($cpu) = split /\|/, sql('CALL compact(NULL, NULL)');
    printf "%-40s %36.2f\n", 'bringing the day up to date', $cpu;
    return;
}

# --- bringing statistics up to date -------------------------------------------------------------------

sub measure_compaction {
    my $changed = $days < 30 ? $days : 30;
    my (@once, @compacted, $longest);
    for (1 .. 3) {
        push @once, sql("SELECT once('$large', '$first 00:00Z'::timestamptz, '$first 00:00Z'::timestamptz + interval '$changed days')");
        mark("'$large'", '', $changed);
        (my $cpu, $longest) = split /\|/, sql('CALL compact(NULL, NULL)');
        push @compacted, $cpu;
    }
    printf "\n%d days of %d calls: aggregated once %.0f ms, brought up to date %.0f ms, longest batch %.0f ms\n",
      $changed, $calls * $changed / 365, median(@once), median(@compacted), $longest;
    target('bringing up to date, of aggregating once', median(@compacted) / median(@once), 1.5, 'x');
    target('the longest batch', $longest / 1000, 1, 's');
    return;
}

prepare() unless $step eq 'measure';
exit if $step eq 'prepare';
$began = time;
measure_dashboards();
measure_compaction();
measure_open_day();
targets();
done('measuring took');
output('dropdb', $ENV{PGDATABASE}) if $step eq '';
