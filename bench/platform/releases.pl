#!/usr/bin/perl
# What sign-in, secrets, identity and audit cost in this tree over what they cost in an older
# release: both servers run the same statements in turns, in one run, and the CPU clock of the
# backend counts, which other programs on the machine blur little.
# usage: VRM_BASELINE=DIRECTORY bench/platform/releases.pl [ROUNDS [PATTERN]]
# DIRECTORY is a checkout of the older release, where ./vrm builds it and starts its server; PATTERN
# chooses among the measurements.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Bench;

my $limit = 1.05;
if (!$ENV{VRM_BASELINE}) {
    print "VRM_BASELINE does not name a checkout of an older release: nothing to compare\n";
    exit;
}
my $rounds = $ARGV[0] // 15;
my $pattern = $ARGV[1] // '.';
my $database = 'vrm_bench_releases';
my %directory = (old => $ENV{VRM_BASELINE}, new => "$FindBin::Bin/../..");
my @session = ('SET jit = off', 'SET vrm.secret_literals = allow',
    'SET max_parallel_workers_per_gather = 0');

# --- what is measured: a name, how many it does, what goes before, the statements that count -------

sub calls {
    my ($name, $times, $expression, @before) = @_;
    return [$name, $times, [@before], "SELECT count($expression) FROM generate_series(1, $times) AS i"];
}

sub rows {
    my ($name, $expression, $table, $count, $again) = @_;
    return [$name, $count * $again, [],
        "SELECT count($expression) FROM $table, generate_series(1, $again) AS i"];
}

my $reserve = q{(vrm.lockout_reserve('password', %s, NULL, NULL)).ticket};
my $attempt = "vrm.lockout_settle($reserve, true)";
my $login = q{SELECT vrm.login(access_token) FROM token};
my $claims = q[SELECT set_config('request.jwt.claims', '{"sub": "018f0000-0000-7000-8000-00000000000a",]
  . q[ "role": "authenticated", "aal": "aal1"}', true)];
my @verified = ('BEGIN', $login, 'SET LOCAL ROLE authenticated');
my @trusted = ("SET vrm.trusted_logins = 'postgres'", 'BEGIN', $claims, 'SET LOCAL ROLE authenticated');
my $scan = 'SELECT sum(minutes) FROM calls';
my $index = 'SELECT sum((SELECT minutes FROM calls WHERE id = i)) FROM'
  . ' (SELECT g * 4::bigint AS i FROM generate_series(1, 20000) AS g OFFSET 0) AS wanted';
my @tasks = (
    calls('lockout: an attempt, one account', 20000, sprintf $attempt, q{'hot'}),
    calls('lockout: an attempt, 10000 accounts', 20000, sprintf $attempt, q{'u' || i % 10000}),
    calls('lockout: a locked account is refused', 20000,
        q{vrm.lockout_reserve('password', 'locked', NULL, NULL)}),
    calls('accounts: sign_in', 3, q{vrm.sign_in('ann@example.org', 'correct horse')}),
    ['accounts: session_refresh', 100, [], 'CALL refresh(100)'],
    calls('secrets: seal 40 B', 100000, q{vrm.seal('0123456789012345678901234567890123456789'::vrm.secret)}),
    rows('secrets: open 40 B', 'vrm.reveal(sealed)', 'sample', 1000, 100),
    calls('secrets: blind_index', 100000,
        q{vrm.blind_index('00000000-0000-0000-0000-000000000001', i::text)}),
    calls('secrets: seal 1 MB', 20, q{vrm.seal(repeat('0123456789abcdef', 65536)::vrm.secret)}),
    rows('secrets: open 1 MB', 'vrm.reveal(sealed)', 'large', 4, 10),
    ['secrets: a row sealed and bound', 10000, ['TRUNCATE entered'],
        q{INSERT INTO entered SELECT i + (SELECT count(*) FROM entered), vrm.seal('0123456789'::vrm.secret)}
          . q{ FROM generate_series(1, 10000) AS i}],
    calls('secrets: reveal_row by key', 10000, q{vrm.reveal_row('bound', 'value', i::text)}),
    ['secrets: a row rotated', 20000, ['VACUUM bound'], 'CALL vrm.rotate_keys()'],
    ['identity: vrm.uid(), token', 1000000, [@verified], 'SELECT count(vrm.uid() = user_id) FROM calls'],
    ['identity: vrm.uid(), claims', 1000000, [@trusted], 'SELECT count(vrm.uid() = user_id) FROM calls'],
    ['identity: a scan under a policy, token', 1000000, [@verified], $scan],
    ['identity: a scan under a policy, claims', 1000000, [@trusted], $scan],
    ['identity: a row by its key, token', 20000, [@verified], $index],
    ['identity: a row by its key, claims', 20000, [@trusted], $index],
    rows('identity: login() seen before', 'vrm.login(access_token)', 'token', 1, 20000),
    ['audit: a changed row', 5000, [], 'UPDATE audited SET minutes = minutes + 1, updated_at = clock_timestamp()'],
    ['audit: an event, committed', 5000, [], 'CALL events(5000)'],
    calls('audit: an event in the journal', 10000, q{vrm.audit_journal('benched', '{"aal": "aal1"}')}),
    ['audit: an event committed and sealed', 5000, [], 'CALL events(5000)', 'SELECT vrm.audit_seal()'],
);

# --- the two servers ------------------------------------------------------------------------------

my %server;
for my $side (keys %directory) {
    for (output('sh', '-c', 'cd "$1" && ./vrm environment 2>/dev/null', 'sh', $directory{$side})) {
        $server{$side}{$1} = $2 if /^export (PGHOST|PGPORT|PGUSER)="(.*)"$/;
    }
}

# Runs what is given against one of them.
sub on {
    my ($side, $run) = @_;
    local @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} =
      (@{ $server{$side} }{qw(PGHOST PGPORT PGUSER)}, $database);
    return $run->();
}

# Nanoseconds that a task takes there.  What a session does for the first time does not count, and the
# clock moves in steps of milliseconds: what is short is done several times.
my $shortest = 200_000_000;

sub took {
    my ($side, $task, $again) = @_;
    my ($name, $times, $before, @statement) = @{$task};
    my @said = on($side, sub {
            sql(@session, @{$before}, @statement, q{SELECT 'cpu ' || cpu()}, (@statement) x $again,
                q{SELECT 'cpu ' || cpu()});
    });
    my ($began, $ended) = map { /^cpu (\d+)$/ } @said;
    return ($ended - $began) / ($times * $again);
}

for my $side (sort keys %server) {
    my $version = on($side, sub {
            output('psql', '-XqAt', '-d', 'postgres', '-c', 'SET client_min_messages = warning',
                '-c', "DROP DATABASE IF EXISTS $database", '-c', "CREATE DATABASE $database");
            sql('CREATE EXTENSION vrm', "ALTER DATABASE $database SET vrm.master_key_command = "
                  . q{'echo bench:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='});
            psql('-f', "$FindBin::Bin/releases.sql");
            return psql('-c', 'SELECT vrm.platform_version()');
    });
    print "$side: $version, $directory{$side}\n";
}
printf "\n%-42s %12s %12s %8s\n", "ns of CPU, medians of $rounds", qw(old new ratio);
for my $task (grep { $_->[0] =~ /$pattern/ } @tasks) {
    my (%ns, @ratios);
    my $again = 1 + int($shortest / ($task->[1] * took('old', $task, 1) + 1));
    $again = 50 if $again > 50;
    for my $round (1 .. $rounds) {
        my @order = $round % 2 ? qw(old new) : qw(new old);
        push @{ $ns{$_} }, took($_, $task, $again) for @order;
        push @ratios, $ns{new}[-1] / $ns{old}[-1];
    }
    my $ratio = median(@ratios);
    printf "%-42s %12.0f %12.0f %8.2f%s\n", $task->[0], median(@{ $ns{old} }), median(@{ $ns{new} }), $ratio,
      $ratio <= $limit ? '' : "   over $limit";
}
on($_, sub { output('psql', '-XqAt', '-d', 'postgres', '-c', "DROP DATABASE $database") }) for keys %server;
