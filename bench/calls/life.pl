#!/usr/bin/perl
# Measures the life of a call on the server that PGHOST and PGPORT name: CPU, WAL, disk and transaction ids,
# next to hand-written SQL on plain tables with the same columns, in one run and one backend; then lives a second from
# 1, 16 and 64 clients.  Given a checkout of 1.0.0, where ./vrm has built it and started its server, WAL, disk and
# updates in place of a life of 40 turns are compared with those of that server.
# usage: [VRM_BASELINE=DIRECTORY] bench/calls/life.pl [CALLS [TURNS]]
use strict;
use warnings;
use File::Basename;
use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Bench;

my $calls = $ARGV[0] // 200;
my $turns = $ARGV[1] // 20;
my $here = dirname(__FILE__);
$ENV{PGDATABASE} = 'vrm_bench_life';
$ENV{PGOPTIONS} = '-c client_min_messages=warning';
output('dropdb', '--if-exists', '--force', $ENV{PGDATABASE});
output('createdb', $ENV{PGDATABASE});
sql('CREATE EXTENSION vrm', "ALTER DATABASE $ENV{PGDATABASE} SET vrm.trusted_logins = 'postgres'",
    q{INSERT INTO auth.users (id, email) VALUES ('018f0000-0000-7000-8000-00000000000a', 'ann@example.org')},
    q{INSERT INTO vrm.agents (user_id, agent_id) VALUES ('018f0000-0000-7000-8000-00000000000a', 'reception')});
psql('-f', "$here/../lib/cpu.sql", '-f', "$here/life.sql");

my %lives = (plain => "plain_lives($calls, $turns)", single => "vrm_lives($calls, $turns, false)",
    together => "vrm_lives($calls, $turns, true)");
my @ways = qw(plain single together);
my $position = q{SELECT pg_current_wal_insert_lsn() - '0/0'};
my $xid = 'SELECT pg_current_xact_id()';
my %schemas = (plain => q{'plain'}, single => q{'vrm', 'vrm_private'}, together => q{'vrm', 'vrm_private'});
my (%wal, %xids, %disk);

sub disk {
    my ($way) = @_;
    return sql("SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname IN ($schemas{$way}) AND c.relkind = 'r'");
}

# A round warms up; three follow, interleaved.
for my $round (0 .. 3) {
    sql('TRUNCATE took') if $round == 1;
    for my $way (@ways) {
        my ($disk, $wal, $id) = (disk($way), sql($position), sql($xid));
        sql("CALL $lives{$way}");
        push @{ $wal{$way} }, (sql($position) - $wal) / $calls if $round;
        push @{ $xids{$way} }, (sql($xid) - $id - 1) / $calls if $round;
        push @{ $disk{$way} }, (disk($way) - $disk) / $calls if $round;
    }
}

my %us;
printf "CPU of a call of %d turns, us\n%-10s%10s%14s%10s%10s%12s%13s%8s\n", $turns, '', 'start', 'all turns', 'end',
  'life', 'WAL, bytes', 'disk, bytes', 'xids';
for my $way (@ways) {
    for my $step (qw(start append end)) {
        $us{$way}{$step} = median(sql("SELECT ns / 1000 FROM took WHERE way = '$way' AND step = '$step'"));
    }
    $us{$way}{life} = $us{$way}{start} + $us{$way}{append} + $us{$way}{end};
    printf "%-10s%10.0f%14.0f%10.0f%10.0f%12.0f%13.0f%8.1f\n", $way,
      @{ $us{$way} }{qw(start append end life)}, median(@{ $wal{$way} }), median(@{ $disk{$way} }),
      median(@{ $xids{$way} });
}
my $hot = sql(q{SELECT 100.0 * n_tup_hot_upd / nullif(n_tup_upd, 0) FROM pg_stat_user_tables
                WHERE relid = 'vrm.test_runs'::regclass}) || 0;
printf "updates of vrm.test_runs in place (HOT): %.0f %%\n", $hot;
target('a life with single appends, of plain SQL', $us{single}{life} / $us{plain}{life}, 1.5, 'x');
target('a life with append_turns, of plain SQL', $us{together}{life} / $us{plain}{life}, 0.8, 'x');
target('completion, of plain SQL', $us{single}{end} / $us{plain}{end}, 1.2, 'x');
target('updates in place', $hot, 50, '%', 1);

# The same from many clients: a life is three transactions, its turns come together.
my $scripts = tempdir(CLEANUP => 1);
my $claims = '{"sub": "018f0000-0000-7000-8000-00000000000a", "role": "authenticated"}';
my $signed_in = "SELECT set_config('request.jwt.claims', '$claims', true);";
my %steps = (
    plain => ['SELECT plain_start() AS run \gset', "SELECT plain_turns(:run, $turns);", 'SELECT plain_end(:run);'],
    together => [
        "BEGIN;\n$signed_in\nSELECT vrm.start_test_run(:agent, time_limit => 600) AS run \\gset\nCOMMIT;",
        "BEGIN;\n$signed_in\nSELECT vrm.append_turns(:run, turns_of($turns));\nCOMMIT;",
        "BEGIN;\n$signed_in\n"
          . q{SELECT vrm.complete_test_run(:run, '{"sentiment": "positive", "duration": "1:00"}');} . "\nCOMMIT;"
    ]);
for my $way (keys %steps) {
    open(my $file, '>', "$scripts/$way") or die "$scripts/$way: $!\n";
    print {$file} "SELECT id AS agent FROM vrm.agents LIMIT 1 \\gset\n", join("\n", @{ $steps{$way} }), "\n";
    close($file) or die "$scripts/$way: $!\n";
}
print "\nlives a second by pgbench, turns together\n";
for my $clients (1, 16, 64) {
    my %tps;
    for my $round (0 .. 2) {
        for my $way (sort keys %steps) {
            my @said = output('pgbench', '-n', '-M', 'prepared', '-c', $clients, '-j', 2, '-T', 4, '-f',
                "$scripts/$way", $ENV{PGDATABASE});
            push @{ $tps{$way} }, map { /^tps = ([\d.]+)/ } @said;
        }
    }
    my %of = map { $_ => median(@{ $tps{$_} }) } keys %tps;
    printf "%3d clients: plain SQL %6.0f, vrm %6.0f, %.2fx\n", $clients, @of{qw(plain together)},
      $of{together} / $of{plain};
}

# --- against an older release ------------------------------------------------------------------------

# Runs what is given on the server of a checkout.
sub on {
    my ($directory, $run) = @_;
    my %server;
    for (output('sh', '-c', 'cd "$1" && ./vrm environment 2>/dev/null', 'sh', $directory)) {
        $server{$1} = $2 if /^export (PGHOST|PGPORT|PGUSER)="(.*)"$/;
    }
    local @ENV{ keys %server } = values %server;
    local $ENV{PGDATABASE} = 'vrm_bench_life_release';
    return $run->();
}

sub prepare {
    output('dropdb', '--if-exists', '--force', $ENV{PGDATABASE});
    output('createdb', $ENV{PGDATABASE});
    sql('CREATE EXTENSION vrm', "ALTER DATABASE $ENV{PGDATABASE} SET vrm.trusted_logins = 'postgres'");
    psql('-f', "$here/life_release.sql");
    sql('CALL lives(20, 40, true)', 'CALL lives(20, 40, false)', 'VACUUM');
    return sql('SELECT vrm.platform_version()');
}

# What a life leaves: bytes of WAL, bytes on disk once what is dead may be used again, share of updates in place.
sub traces {
    my ($lives, $one_by_one) = @_;
    my $size = q{SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname IN ('vrm', 'vrm_private') AND c.relkind = 'r'};
    my ($disk, $wal) = (sql($size), sql($position));
    sql("CALL lives($lives, 40, $one_by_one)");
    my %left = (wal => (sql($position) - $wal) / $lives);
    sql('VACUUM');
    $left{disk} = (sql($size) - $disk) / $lives;
    $left{hot} = sql(q{SELECT 100.0 * n_tup_hot_upd / nullif(n_tup_upd, 0) FROM pg_stat_user_tables
                       WHERE relid = 'vrm.test_runs'::regclass}) || 0;
    return \%left;
}

sub compare {
    my %directory = (old => $ENV{VRM_BASELINE}, new => "$here/../..");
    my @sides = qw(old new);
    my %version = map { $_ => on($directory{$_}, \&prepare) } @sides;
    my %ways = ('one by one' => 'true', 'in one document' => 'false');
    my %of;
    for my $round (1 .. 3) {
        for my $way (keys %ways) {
            for my $side (@sides) {
                my $left = on($directory{$side}, sub { traces(200, $ways{$way}) });
                push @{ $of{$way}{$side}{$_} }, $left->{$_} for keys %{$left};
            }
        }
    }
    on($directory{$_}, sub { output('dropdb', '--force', $ENV{PGDATABASE}) }) for @sides;
    for my $way (reverse sort keys %ways) {
        my %median;
        printf "\na life of 40 turns, %s\n%-10s%12s%13s%10s\n", $way, '', 'WAL, bytes', 'disk, bytes', 'HOT, %';
        for my $side (@sides) {
            $median{$side}{$_} = median(@{ $of{$way}{$side}{$_} }) for qw(wal disk hot);
            printf "%-10s%12.0f%13.0f%10.0f\n", $version{$side}, @{ $median{$side} }{qw(wal disk hot)};
        }
        target("WAL of 40 turns $way, of $version{old}'s", $median{new}{wal} / $median{old}{wal}, 0.75, 'x');
        target("disk of 40 turns $way, of $version{old}'s", $median{new}{disk} / $median{old}{disk}, 0.75, 'x');
        target("updates in place, 40 turns $way", $median{new}{hot}, 50, '%', 1);
    }
    return;
}

if ($ENV{VRM_BASELINE}) { compare() }
else { print "\nVRM_BASELINE does not name a checkout of 1.0.0: nothing to compare with\n" }
targets();
output('dropdb', '--force', $ENV{PGDATABASE});
