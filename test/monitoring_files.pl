# The files of monitoring/ are what the functions give, and Prometheus' own tools accept them; each
# alerting rule fires beyond its threshold and not before, and none does where all is well.
# Needs the server that PGHOST names, and promtool and amtool for all but the first tests.
use strict;
use warnings;
use File::Basename;
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;

my $root = dirname(dirname(__FILE__));
my $made = tempdir(CLEANUP => 1);
my $database = 'vrm_monitoring_test';

sub slurp {
    my ($name) = @_;
    open(my $file, '<', $name) or die "$name: $!\n";
    local $/ = undef;
    return <$file>;
}

sub installed { return grep { -x "$_/$_[0]" } split /:/, $ENV{PATH} }

sub said {
    my @command = @_;
    my $output = qx(@command 2>&1);
    return $? == 0 ? 'ok' : $output;
}

sub rows {
    my ($sql) = @_;
    open(my $psql, '-|', 'psql', '-XAtq', '-d', $database, '-c', $sql) or die "psql: $!\n";
    chomp(my @rows = <$psql>);
    close($psql) or die "psql failed\n";
    return map { [split /\|/, $_, -1] } @rows;
}

# How many alerts of a name fire at a minute.
sub firing {
    my ($alert, $minute, $count) = @_;
    return qq[      - {expr: 'count(ALERTS{alertname="$alert",alertstate="firing"}) or vector(0)', eval_time: ${minute}m, exp_samples: [{value: $count, labels: '{}'}]}\n];
}

# Objectives: a storm of failures is told within minutes and ends, a tenth that fails is told slowly, fewer than
# the objective allows never, and neither is what hardly happened.
sub burn_rates {
    my @tests;
    my $begin = "  - interval: 1m\n    input_series:\n";
    my $ended = sub {
        return join '', map { qq[      - {series: 'vrm_calls_ended_total{instance="a",outcome="$_->[0]"}', values: "$_->[1]"}\n] } ['completed', $_[0]], ['failed', $_[1]];
    };
    my $expect = "    promql_expr_test:\n";
    push @tests, $begin . $ended->('0+1x400', '0+0x100 9+9x60 540+0x240') . $expect . firing('CallSuccessBurnsFast', 100, 0)
      . firing('CallSuccessBurnsFast', 160, 1) . firing('CallSuccessBurnsFast', 220, 0);
    push @tests, $begin . $ended->('0+18x420', '0+2x420') . $expect . firing('CallSuccessBurnsSlowly', 400, 1)
      . firing('CallSuccessBurnsFast', 400, 0);
    push @tests, $begin . $ended->('0+24x420', '0+1x420') . $expect . firing('CallSuccessBurnsSlowly', 400, 0);
    push @tests, $begin . $ended->('0+0x60', '0 1 2 3 4 5 6 7 8 9 10+0x50') . $expect . firing('CallSuccessBurnsFast', 30, 0);
    for my $bound ('3', '3.0') {
        push @tests, $begin . join('', map { qq[      - {series: 'vrm_calls_answering_seconds_$_->[0]', values: "$_->[1]"}\n] }
              [qq(bucket{le="$bound"}), '0+10x100 1000+1x60'], ['count', '0+10x160']) . $expect
          . firing('AnsweringTimeBurnsFast', 100, 0) . firing('AnsweringTimeBurnsFast', 160, 1);
    }
    return @tests;
}

# --- the files ----------------------------------------------------------------------------------------

system("$root/tools/monitoring.sh", $made) == 0 or die "tools/monitoring.sh failed\n";
my @files = map { s{^\Q$made/\E}{}r } sort glob("$made/*.* $made/grafana/*.json");
cmp_ok(scalar(@files), '>', 15, 'there are files for every exporter, and a page for every family');
for my $name (@files) {
    ok(-e "$root/monitoring/$name" && slurp("$made/$name") eq slurp("$root/monitoring/$name"), "monitoring/$name is up to date")
      or diag('tools/monitoring.sh writes it anew');
}
my @panels;
for my $page (grep { /json$/ } @files) {
    my $panels = decode_json(slurp("$made/$page"))->{panels};
    my %taken;
    for my $panel (@$panels) {
        my $place = $panel->{gridPos};
        $taken{"$_->[0] $_->[1]"}++ for map { my $x = $_; map { [$x, $_] } $place->{y} .. $place->{y} + $place->{h} - 1 }
          $place->{x} .. $place->{x} + $place->{w} - 1;
    }
    is((grep { $_ > 1 } values %taken), 0, "no panel of $page lies on another");
    push @panels, @$panels;
}
SKIP: {
    skip 'python3 has no yaml: apt-get install python3-yaml', 1 unless said('python3', '-c', '"import yaml"') eq 'ok';
    for my $name (grep { /yml$/ } @files) {
        is(said('python3', '-c', q{"import sys, yaml; [d.items() for d in yaml.safe_load_all(open(sys.argv[1]))]"}, "$made/$name"),
            'ok', "monitoring/$name is YAML");
    }
}

SKIP: {
    skip 'promtool and amtool are not installed: apt-get install prometheus prometheus-alertmanager', 1
      unless installed('promtool') && installed('amtool');
    system('dropdb --if-exists --force ' . $database . ' 2>/dev/null');
    system('createdb', $database) == 0 or die "createdb failed\n";
    system('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-c', 'SET client_min_messages = warning',
        '-c', 'CREATE EXTENSION vrm') == 0 or die "psql failed\n";

    is(said('promtool', 'check', 'config', "$made/prometheus.yml"), 'ok', 'Prometheus accepts its configuration and the rules');
    is(said('amtool', 'check-config', "$made/alertmanager.yml"), 'ok', 'Alertmanager accepts its own');
    is(said("psql -XAtd $database -c 'SELECT vrm.monitoring_text()' | promtool check metrics"), 'ok',
        'names and types of the metrics are as Prometheus wants them');

    # --- the graphs, as recording rules: Prometheus reads every expression ---------------------------

    my @expressions = map { $_->{expr} } map { @{ $_->{targets} // [] } } @panels;
    s/\$__rate_interval/5m/, s/"\$instance"/".*"/ for @expressions;
    open(my $recording, '>', "$made/panels.yml") or die "$!\n";
    print {$recording} "groups:\n  - name: panels\n    rules:\n";
    print {$recording} "      - {record: 'panel_$_', expr: '$expressions[$_]'}\n" for 0 .. $#expressions;
    close($recording);
    is(said('promtool', 'check', 'rules', "$made/panels.yml"), 'ok', 'every graph asks what Prometheus understands');
    cmp_ok(scalar(@expressions), '>', (rows('SELECT count(*) FROM vrm.monitoring_metrics'))[0][0],
        'and there is one for each metric, and those of the first page');

    # --- the rules: a minute is the interval; a value lasts for ever or for so many of them ------------

    my %good;  # of each metric, a value that no threshold minds
    my @tests;
    my @thresholds = rows(q{SELECT alert, metric, comparison, threshold, ceil(extract(epoch FROM hold) / 60),
        coalesce((SELECT string_agg(format('%s="x"', l), ',') FROM unnest(labels) AS l), '')
        FROM vrm.alert_threshold t JOIN vrm.monitoring_metrics m ON m.name = t.metric WHERE t.enabled});
    for my $threshold (@thresholds) {
        my ($alert, $metric, $comparison, $limit, $hold, $labels) = @$threshold;
        my ($good, $bad) = $comparison eq '>' ? (0, $limit * 1.01 + ($limit == 0)) : ($limit, $limit * 0.99);
        $good{$metric} = $good;
        my $ends = 10 + $hold + 3;
        my $series = "'$metric\{$labels\}'";
        push @tests, <<"YAML";
  - interval: 1m
    input_series:
      - {series: $series, values: "$limit+0x9 $bad+0x@{[$hold + 2]} $limit+0x20"}
    promql_expr_test:
      - {expr: 'count(ALERTS{alertname="$alert",alertstate="firing"}) or vector(0)', eval_time: 9m, exp_samples: [{value: 0, labels: '{}'}]}
      - {expr: 'count(ALERTS{alertname="$alert",alertstate="firing"}) or vector(0)', eval_time: @{[10 + $hold - ($hold > 0)]}m, exp_samples: [{value: @{[$hold > 0 ? 0 : 1]}, labels: '{}'}]}
      - {expr: 'count(ALERTS{alertname="$alert",alertstate="firing"}) or vector(0)', eval_time: @{[$ends - 1]}m, exp_samples: [{value: 1, labels: '{}'}]}
      - {expr: 'count(ALERTS{alertname="$alert",alertstate="firing"}) or vector(0)', eval_time: @{[$ends + 1]}m, exp_samples: [{value: 0, labels: '{}'}]}
YAML
    }

    # A statement that runs: the gauge grows by a second each second, from nothing.
    my $growing = <<'YAML';
  - interval: 15s
    input_series:
      - {series: vrm_statements_longest_seconds, values: '0+15x8 0x8'}
    alert_rule_test:
      - {alertname: SlowQuery, eval_time: 60s, exp_alerts: []}
    promql_expr_test:
      - {expr: 'count(ALERTS{alertname="SlowQuery",alertstate="firing"}) or vector(0)', eval_time: 75s, exp_samples: [{value: 1, labels: '{}'}]}
      - {expr: 'count(ALERTS{alertname="SlowQuery",alertstate="firing"}) or vector(0)', eval_time: 135s, exp_samples: [{value: 0, labels: '{}'}]}
YAML
    my @families = map { $_->[0] } rows(q{SELECT min(name) FROM vrm.monitoring_metrics WHERE labels = '{}' AND type <> 'histogram' GROUP BY family});
    my @calm = map { qq[      - {series: '$_->[0]\{instance="a"\}', values: "@{[$good{$_->[0]} // 0]}+0x180"}\n] }
      rows('SELECT name FROM vrm.monitoring_metrics');
    push @tests, "  - interval: 1m\n    input_series:\n" . join('', @calm) . <<'YAML';
    promql_expr_test:
      - {expr: 'count(ALERTS) or vector(0)', eval_time: 180m, exp_samples: [{value: 0, labels: '{}'}]}
YAML
    for my $family (@families) {
        my $others = join '', grep { !/\Q$family\E\{/ } @calm;
        my $last = qq[      - {series: '$family\{instance="a"\}', values: "1+0x60"}\n      - {series: '$family\{instance="b"\}', values: "1+0x180"}\n];
        my $missing = q[count(ALERTS{alertname="MetricsMissing",alertstate="firing"}) or vector(0)];
        push @tests, "  - interval: 1m\n    input_series:\n$others    promql_expr_test:\n"
          . "      - {expr: '$missing', eval_time: 10m, exp_samples: [{value: 1, labels: '{}'}]}\n"
          . "  - interval: 1m\n    input_series:\n$others$last    promql_expr_test:\n"
          . "      - {expr: '$missing', eval_time: 60m, exp_samples: [{value: 0, labels: '{}'}]}\n"
          . "      - {expr: '$missing', eval_time: 75m, exp_samples: [{value: 1, labels: '{}'}]}\n";
    }
    push @tests, burn_rates();
    cmp_ok(scalar(@thresholds), '>=', 20, 'there are thresholds to test');
    for my $set (['1m', 'every rule fires beyond its threshold, and not before, and ends', @tests],
        ['15s', 'a statement that runs is told when it has run too long', $growing]) {
        my ($interval, $what, @of_set) = @$set;
        open(my $unit_tests, '>', "$made/rules_test.yml") or die "$!\n";
        print {$unit_tests} "rule_files: [vrm.rules.yml]\nevaluation_interval: $interval\ntests:\n", @of_set;
        close($unit_tests);
        is(said('promtool', 'test', 'rules', "$made/rules_test.yml"), 'ok', $what);
    }
    system('dropdb', $database);
}
done_testing();
