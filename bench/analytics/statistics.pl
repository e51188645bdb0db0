#!/usr/bin/perl
# Measures statistics of calls on the server that PGHOST and PGPORT name: CPU of the backend, in one
# run and interleaved, next to SQL that gives the same figures, and to tdigest and hll where Debian's
# packages of them are installed.  One million calls draw the pictures of doc/ with gnuplot.
# usage: bench/analytics/statistics.pl [CALLS [prepare|measure]]; without a step both, and in the end the
# database goes
use strict;
use warnings;
use File::Basename;
use FindBin;
use File::Temp;
use List::Util qw(max min);
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../lib";
use Bench;

my $calls = $ARGV[0] // 1_000_000;
my $step = $ARGV[1] // '';
my $here = dirname(__FILE__);
my $pictures = $calls >= 1_000_000 ? "$here/../../doc/analytics" : File::Temp->newdir;
my $began = time;
$ENV{PGDATABASE} = 'vrm_bench_analytics';
$ENV{PGOPTIONS} = '-c jit=off -c max_parallel_workers_per_gather=0 -c client_min_messages=warning';

sub done {
    my ($what) = @_;
    printf "%-58s %6.1f s\n", $what, time - $began;
    $began = time;
    return;
}

# --- calls ----------------------------------------------------------------------------------------

sub prepare {
    output('dropdb', '--if-exists', '--force', $ENV{PGDATABASE});
    output('createdb', $ENV{PGDATABASE});
    sql('CREATE EXTENSION vrm', "ALTER DATABASE $ENV{PGDATABASE} SET vrm.trusted_logins = 'postgres'");
    psql('-f', "$here/statistics.sql");
    my @loaders = map {
        my ($first, $last) = (int($calls * $_ / 2), int($calls * ($_ + 1) / 2) - 1);
        my $child = fork // die "fork: $!\n";
        exec('psql', '-Xq', '-c', "CALL load($first, $last, $calls)") if $child == 0;
        $child;
    } 0, 1;
    for (@loaders) { waitpid $_, 0; die "loading failed\n" if $? }
    done("$calls calls");
    sql('VACUUM ANALYZE vrm.test_runs', 'SELECT vrm_private.rebuild_facts()', 'CALL keep_every(10)',
        'CALL keep_every(100)', 'VACUUM ANALYZE vrm.test_runs', 'VACUUM ANALYZE vrm.call_facts',
        'VACUUM ANALYZE vrm.call_dirty');
    done('their facts, made anew');
    sql('DO $$ BEGIN WHILE vrm_private.compact_calls() > 0 LOOP COMMIT; END LOOP; END $$');
    # facts once more: autovacuum's snapshots may have kept pages from being known as all visible
    sql('VACUUM ANALYZE vrm.call_rollup', 'VACUUM vrm.call_dirty', 'VACUUM vrm.call_facts', 'CHECKPOINT');
    done('statistics of all days and months');
    psql('-f', "$here/statistics_queries.sql");
    return;
}

# --- what comes out -------------------------------------------------------------------------------

# Draws a picture of rows of data; says what is missing instead when there is no gnuplot.
my $gnuplot = !system('command -v gnuplot >/dev/null');
print "pictures are not drawn: apt-get install gnuplot-nox\n" unless $gnuplot;
sub draw {
    my ($name, $commands, @rows) = @_;
    return unless $gnuplot;
    open(my $plot, '|-', 'gnuplot') or die "gnuplot: $!\n";
    print {$plot} "set terminal svg size 640,320 font 'sans-serif,12' background 'white'\n",
      "set output '$pictures/cost-$name.svg'\nset border 3 lc rgb '#888888'\nset tics nomirror\n",
      "set grid ytics lc rgb '#dddddd'\nset style fill solid\n",
      "\$data << END\n", map({ join("\t", map { /\s/ ? qq("$_") : $_ } @$_) . "\n" } @rows),
      "END\n$commands\n";
    close($plot) or die "gnuplot failed\n";
    return;
}

sub bars {
    my ($name, $title, @rows) = @_;
    my $highest = 1.15 * max map { $_->[1] } @rows;
    draw($name, "set title '$title'\nunset key\nset boxwidth 0.6\nset yrange [0:$highest]\n"
          . "plot \$data using 0:2:xtic(1) with boxes lc rgb '#4477aa', "
          . "'' using 0:2:3 with labels offset 0,0.7",
        map { [@$_, sprintf($_->[1] < 100 ? '%.1f' : '%.0f', $_->[1])] } @rows);
    return;
}

# Milliseconds of each query, the median of rounds; dies when exact figures differ.
sub compare {
    my ($who, $rounds, @names) = @_;
    my (%ms, %exact, %estimates);
    for my $round (0 .. $rounds) {  # the first one brings everything into memory
        for my $name (@names) {
            my ($ms, $exact, $estimates) = split /\|/, sql("SELECT * FROM measured('$name', '$who')");
            push @{ $ms{$name} }, $ms if $round;
            ($exact{$name}, $estimates{$name}) = ($exact, $estimates);
        }
    }
    my ($reference, @others) = grep { !/count/ } @names;
    for (@others) {
        die "$_: figures differ\n$exact{$_}\n$exact{$reference}\n" if $exact{$_} ne $exact{$reference};
    }
    my %median = map { $_ => median(@{ $ms{$_} }) } @names;
    printf "%-26s %9.1f ms   %s\n", $_, $median{$_}, /count/ ? '' : "p50 p95 p99, customers: $estimates{$_}"
      for @names;
    return \%median;
}

# Microseconds of each query for each user, the median of five, interleaved.
sub ask {
    my (@questions) = @_;
    my @took;
    for (1 .. 5) {
        push @{ $took[$_] }, sql("SELECT asked('$questions[$_][0]', \$q\$$questions[$_][1]\$q\$)")
          for 0 .. $#questions;
    }
    return map { median(@$_) } @took;
}

sub short { my ($name) = @_; return $name =~ s/^\w+: //r =~ s/, tdigest.*/ + extensions/r }

# --- measuring ------------------------------------------------------------------------------------

my ($heavy, $median, $tenth, $hundredth, $count);

sub measure_figures {
    my $extensions = sql(q{SELECT count(*) FROM pg_available_extensions WHERE name IN ('tdigest', 'hll')}) == 2;
    if ($extensions) {
        sql('CREATE EXTENSION IF NOT EXISTS tdigest', 'CREATE EXTENSION IF NOT EXISTS hll');
    } else {
        my $version = int(sql('SHOW server_version_num') / 10000);
        print "tdigest and hll are left out: apt-get install postgresql-$version-tdigest postgresql-$version-hll\n";
    }
    my @peers = $extensions ? 'SQL, tdigest, hll' : ();
    print "\nCPU for 17 figures of the heaviest user's $count calls\n";
    my @raw = map { "raw: $_" } 'ordinary SQL', @peers, 'best SQL', 'native';
    my $raw = compare($heavy, 3, @raw);
    my @facts = map { "facts: $_" } 'exact SQL', @peers, 'native', 'count + avg';
    my $facts = compare($heavy, 9, @facts);
    target('raw jsonb, against ordinary SQL', $raw->{'raw: ordinary SQL'} / $raw->{'raw: native'}, 12, 'x', 1);
    target('raw jsonb, against best SQL', $raw->{'raw: best SQL'} / $raw->{'raw: native'}, 4, 'x', 1);
    target('facts, of count + avg', $facts->{'facts: native'} / $facts->{'facts: count + avg'}, 1.3, 'x');
    target('facts, against exact SQL', $facts->{'facts: exact SQL'} / $facts->{'facts: native'}, 5, 'x', 1);
    bars('raw', "17 figures from the documents of $count calls, ms of CPU", map { [short($_), $raw->{$_}] } @raw);
    bars('facts', "17 figures from $count facts, ms of CPU", map { [short($_), $facts->{$_}] } @facts);
    return;
}

sub measure_growth {
    my @users = ([$hundredth, '1 %'], [$tenth, '10 %'], [$heavy, 'all']);
    my $span = "'2024-01-01', '2026-01-01'";
    my %queries = (summary => "SELECT * FROM vrm.call_summary($span, compare => false)",
        dashboard => 'SELECT * FROM vrm.user_dashboard()',
        agents => "SELECT * FROM vrm.agent_performance($span)",
        series => "SELECT count(*) FROM vrm.call_series($span, '1 day')");
    my @names = qw(summary dashboard agents series);
    my @questions = map { my $query = $queries{$_}; map { [$_->[0], $query] } @users } @names;
    my @took = ask(@questions);
    my @sizes = map { sql("SELECT count(*) FROM vrm.call_facts WHERE user_id = '$_->[0]'") } @users;
    printf "\nCPU of dashboards over two years, us%s\n", join '', map { sprintf '%10d calls', $_ } @sizes;
    my %of;
    for my $name (@names) {
        my @row = splice @took, 0, 3;
        printf "%-36s%s\n", $name, join '', map { sprintf '%16.0f', $_ } @row;
        $of{$name} = \@row;
    }
    target('two-year summary of the heaviest user', $of{summary}[2] / 1000, 2, 'ms');
    target('user_dashboard of the heaviest user', $of{dashboard}[2] / 1000, 2, 'ms');
    target('summary, growth for 100 times the calls', $of{summary}[2] / $of{summary}[0], 1.5, 'x');
    target('user_dashboard, growth for 100 times the calls', $of{dashboard}[2] / $of{dashboard}[0], 1.5, 'x');
    draw('growth', "set title 'Dashboards over two years against the number of calls, ms of CPU'\n"
          . "set logscale x\nset yrange [0:*]\nset xlabel 'calls'\nset key left\nplot "
          . join(', ', map { "\$data using 1:" . ($_ + 2) . " with linespoints pt 7 title '$names[$_]'" } 0 .. 2),
        map { my $i = $_; [$sizes[$i], map { $of{$_}[$i] / 1000 } @names] } 0 .. 2);
    return;
}

sub trigger { my ($does, $name) = @_; sql("ALTER TABLE vrm.test_runs $does TRIGGER $name"); return }

sub measure_writes {
    my (%took, @ratios);
    for my $round (1 .. 31) {
        for my $mode ($round % 2 ? ('DISABLE', 'ENABLE') : ('ENABLE', 'DISABLE')) {
            trigger($mode, 'record_facts');
            my ($us) = sql('BEGIN', "SELECT completion('$median', 200)", 'ROLLBACK');
            push @{ $took{$mode} }, $us;
        }
        push @ratios, $took{ENABLE}[-1] / $took{DISABLE}[-1];
    }
    my ($without, $with) = map { median(@{ $took{$_} }) } 'DISABLE', 'ENABLE';
    printf "\nvrm.complete_test_run(), a call of 20 turns: %.0f us of CPU without facts, %.0f with them\n",
      $without, $with;
    target('completion of a call, more CPU for its facts', 100 * (median(@ratios) - 1), 10, '%');
    bars('completion', 'Completing a call of 20 turns, us of CPU', ['without facts', $without], ['with facts', $with]);

    my $script = File::Temp->new;
    print {$script} "BEGIN;\nINSERT INTO vrm.test_runs (user_id, agent_id, status, started_at, completed_at)\n"
      . "SELECT user_id, id, 'completed', '2025-12-31', '2025-12-31' FROM vrm.agents WHERE user_id = '$heavy' LIMIT 1;\n"
      . "\\sleep 10 ms\nCOMMIT;\n";
    $script->flush;
    my %tps;
    my %triggers = ('no facts' => [], facts => ['record_facts'], 'a counter' => ['count_call']);
    my @modes = ('no facts', 'facts', 'a counter');
    for my $round (1 .. 3) {
        for my $mode (@modes) {
            trigger('DISABLE', $_) for 'record_facts', 'count_call';
            trigger('ENABLE', $_) for @{ $triggers{$mode} };
            my ($tps) = map { /^tps = ([\d.]+)/ } output('pgbench', '-n', '-c', 16, '-j', 2, '-T', 4, '-f', "$script");
            push @{ $tps{$mode} }, $tps;
        }
    }
    trigger('DISABLE', 'count_call');
    trigger('ENABLE', 'record_facts');
    my %median_tps = map { $_ => median(@{ $tps{$_} }) } @modes;
    printf "\n16 clients end calls of one agent, in transactions of 10 ms\n";
    printf "%-26s %9.0f tps\n", $_, $median_tps{$_} for @modes;
    target('one hot agent, throughput of that without facts', $median_tps{facts} / $median_tps{'no facts'}, 0.95, 'x', 1);
    bars('contention', '16 clients end calls of one agent, transactions a second', map { [$_, $median_tps{$_}] } @modes);
    return;
}

sub measure_pages {
    my $last = min(10_000, int($count / 11));
    my @pages = grep { $_ <= $last } 1, 10, 100, 1000, 10_000;
    push @pages, $last if $pages[-1] != $last;
    my @questions = map {
        my $before = ($_ - 1) * 10;
        my $cursor = $before == 0 ? 'NULL' : "'" . sql(
            "SELECT (extract(epoch FROM started_at) * 1000000)::bigint || '.' || id FROM vrm.test_runs"
              . " WHERE user_id = '$heavy' ORDER BY started_at DESC, id DESC OFFSET $before - 1 LIMIT 1") . "'";
        [$heavy, "SELECT * FROM vrm.call_history(cursor => $cursor, page_size => 10)"]
    } @pages;
    my @keyset = ask(@questions);
    my @offset = ask(map { [$heavy, "SELECT * FROM vrm.calls WHERE user_id = vrm.uid()"
                  . ' ORDER BY started_at DESC, id DESC LIMIT 10 OFFSET ' . ($_ - 1) * 10] } @pages);
    print "\nCPU of a page of 10 calls, us    call_history()    with OFFSET\n";
    printf "page %-27d %14.0f %14.0f\n", $pages[$_], $keyset[$_], $offset[$_] for 0 .. $#pages;
    target("history, page $last of page 1", $keyset[-1] / $keyset[0], 1.2, 'x');
    draw('pages', "set title 'A page of 10 calls, us of CPU'\nset logscale xy\nset xlabel 'page'\nset key left\n"
          . "plot \$data using 1:2 with linespoints pt 7 title 'call\\_history()', '' using 1:3 with linespoints pt 7 title 'OFFSET'",
        map { [$pages[$_], $keyset[$_], $offset[$_]] } 0 .. $#pages);
    return;
}

sub measure_cache {
    my $arguments = '{"since": "2024-01-01", "until": "2026-01-01", "compare": false}';
    my @users = ([$median, 'median user'], [$heavy, 'heaviest user']);
    my @questions = map { my $who = $_->[0];
        map { [$who, "SELECT vrm.dashboard('call_summary', '$arguments'$_)"] } '', ", '1 hour'" } @users;
    my @took = ask(@questions);
    print "\nvrm.dashboard('call_summary'), us of CPU      made      from the cache\n";
    printf "%-38s %11.0f %19.0f\n", $users[$_][1], $took[2 * $_], $took[2 * $_ + 1] for 0, 1;
    bars('cache', 'A two-year summary, us of CPU', map { (["$users[$_][1]", $took[2 * $_]],
                ["$users[$_][1], cached", $took[2 * $_ + 1]]) } 0, 1);
    return;
}

prepare() unless $step eq 'measure';
exit if $step eq 'prepare';
$began = time;
($heavy, $count) = split /\|/, sql('SELECT user_id, count(*) FROM vrm.call_facts GROUP BY user_id ORDER BY 2 DESC LIMIT 1');
$median = sql('SELECT user_id FROM (SELECT user_id, count(*) AS n FROM vrm.test_runs GROUP BY 1) AS u ORDER BY n OFFSET 100 LIMIT 1');
($tenth, $hundredth) = sql('SELECT id_of(1010, 1), id_of(1100, 1)') =~ /[^|]+/g;
# Documents say what facts say, and facts what was made of them in advance.
my $facts = 'status::text, duration_ms, sentiment, actions, customer, bad';
my $said = 'agent_ms, customer_ms, interruptions, answers, tool_calls, tool_failures, outcome_kind, cost_micros, currency';
my $differs = sql("SELECT (SELECT vrm.call_stats(status, started_at, completed_at, results)::text FROM vrm.test_runs"
      . " WHERE user_id = '$heavy' AND status <> 'running') IS DISTINCT FROM vrm.call_stats($facts)::text"
      . " OR vrm.call_stats($facts, $said)::text IS DISTINCT FROM (SELECT vrm.rollup(stats::vrm.call_stats)::text"
      . " FROM vrm.call_rollup WHERE user_id = '$heavy' AND grain = 'user_month')"
      . " FROM vrm.call_facts WHERE user_id = '$heavy'");
die "statistics made in advance differ from those of the calls\n" if $differs ne 'f';
measure_figures();
measure_growth();
measure_pages();
measure_cache();
measure_writes();
targets();
done('measuring took');
output('dropdb', $ENV{PGDATABASE}) if $step eq '';
