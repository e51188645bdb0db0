# A platform in use: fifty tenants make calls through PgBouncer while calls go to the archive, keys rotate and
# maintenance runs, and while backends and the postmaster are killed and a standby takes over.  A ledger
# outside of the database says what the clients were told; in the end, each of that is there exactly once.
# VRM_SOAK_SECONDS says how long, 1200 by default.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../cluster/lib", "$FindBin::Bin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Calls;
use VRM::Ledger;
use VRM::PgBouncer;
use VRM::Server;

plan skip_all => 'pgbouncer is not installed' unless VRM::PgBouncer::program();
my $seconds = $ENV{VRM_SOAK_SECONDS} || 1200;
my ($tenants, $clients) = (50, 4);
my $secret = 'a secret of sixty-four bytes that issuer and database share .....';

# --- given: a primary, a standby that confirms commits, PgBouncer, fifty tenants -----------------------

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1, extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
$primary->append_conf('postgresql.conf', <<'SETTINGS');
timezone = 'UTC'
vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='
vrm.secret_literals = allow
restart_after_crash = on
SETTINGS
$primary->start;
database($primary, 'app');
query($primary, 'app', "SELECT vrm.key_create('data')");
my $shared = MIME::Base64::encode_base64url($secret);
query($primary, 'app', qq(SELECT vrm.jwk_import('{"keys": [{"kid": "soak", "kty": "oct", "k": "$shared"}]}', 'https://soak.example')));
query($primary, 'app', <<'SQL');
CREATE ROLE client LOGIN IN ROLE authenticated;
CREATE TABLE vault (id bigint PRIMARY KEY, plain text, sealed vrm.sealed);
SELECT vrm.seal_column('vault', 'sealed');
INSERT INTO vault SELECT i, 'value ' || i, vrm.seal(('value ' || i)::vrm.secret) FROM generate_series(1, 5000) AS i;
UPDATE vrm.retention_policies SET min_keep = '0', keep = '10 s', nice_ratio = 0.1 WHERE name IN ('calls.completed', 'calls.failed');
SQL
my @people = map { person($primary, 'app', "tenant$_\@example.org") } 1 .. $tenants;
old_calls($primary, 'app', $people[0], 2000);
my $old = query($primary, 'app', 'SELECT md5(string_agg(id::text, chr(10) ORDER BY id)) FROM vrm.test_runs');

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
query($primary, 'postgres', "ALTER SYSTEM SET synchronous_standby_names = '*'");
query($primary, 'postgres', 'SELECT pg_reload_conf()');

my ($directory, $port, $bouncer) = pgbouncer($primary, 'app', 'client', 5);
my $through = "host=$directory port=$port dbname=app user=client";
my $serving = $primary;
my $books = PostgreSQL::Test::Utils::tempdir;

# Who serves stands in a file, for processes that were there before.
sub serve { $serving = shift; open(my $file, '>', "$books/server.new") or die $!; print {$file} $serving->connstr('app'); close $file; return rename "$books/server.new", "$books/server" }
serve($primary);

# --- who is at work --------------------------------------------------------------------------------------

my $until = time + $seconds;
my @processes;

sub beside {
    my ($work) = @_;
    my $process = fork // die "fork: $!\n";
    if ($process == 0) {
        $work->();
        POSIX::_exit(0);
    }
    push @processes, $process;
    return;
}

# Calls of all tenants, from their beginning to their end; every fifth fails.
sub make_calls {
    my ($client) = @_;
    srand $client;
    my $ledger = VRM::Ledger->new("$books/client.$client", sub { $through });
    my $patience = $until + 120;
    my (%agent, %token);
    for (my $n = 0; time < $until; ++$n) {
        my $who = $people[rand @people];
        my $key = "$client.$n";
        $token{$who} //= VRM::Ledger::token($secret, $who);
        my $told = sub { return $ledger->call($patience, $token{$who}, @_) };
        $agent{$who} //= $told->("agent.$client.$who", 'create_agent', qq({"agent_id": "agent $client"}));
        $ledger->note('begins', $key, $who);
        my $run = $told->("run.$key", 'start_test_run', qq({"agent_id": "$agent{$who}"})) // last;
        $ledger->note('call', $key, $run, $who);
        for my $turn (1 .. 1 + int rand 6) {
            defined $told->("turn.$key.$turn", 'append_transcript', qq({"run_id": "$run", "speaker": "Agent", "message": "$key turn $turn"})) or last;
            $ledger->note('turn', $key, $run, $turn);
        }
        my $ends = rand 10;
        next if $ends < 1;  # left running
        my ($state, $ended) = $ends < 3
          ? ('failed', $told->("end.$key", 'fail_test_run', qq({"run_id": "$run", "error": "line went dead"})))
          : ('completed', $told->("end.$key", 'complete_test_run', qq({"run_id": "$run"})));
        $ledger->note('end', $key, $run, $state) if defined $ended;
    }
    return;
}

# What an administrator's timer does; what was refused is kept for those who look at it below.
sub administer {
    my ($name, @statements) = @_;
    while (time < $until) {
        for my $statement (@statements) {
            my $where = slurp_file("$books/server");
            system 'sh', '-c', 'psql -XAtq -v VERBOSITY=verbose -d "$0" -c "$1" >/dev/null 2>>"$2"', $where, $statement, "$books/errors.$name";
        }
        sleep 1;
    }
    return;
}

sub seal_values {
    my $ledger = VRM::Ledger->new("$books/vault", sub { slurp_file("$books/server") });
    for (my $n = 10000; time < $until; ++$n) {
        my $answer = $ledger->said("INSERT INTO vault VALUES ($n, 'value $n', vrm.seal('value $n')) RETURNING id;") // '';
        $ledger->note('sealed', $n) if $answer eq $n;
        select undef, undef, undef, 0.05;
    }
    return;
}

for my $client (1 .. $clients) {
    beside(sub { make_calls($client) });
}
beside(\&seal_values);
beside(sub { administer('maintenance', 'CALL vrm.maintain()', 'SELECT * FROM vrm.doctor()', 'SELECT vrm.audit_seal()') });
beside(sub { administer('retention', 'CALL vrm.run_retention()', 'CALL vrm.compress_archive()') });
beside(sub { administer('rotation', 'CALL vrm.rotate_keys(200)', 'SELECT pg_sleep(5)') });

# --- what goes wrong ------------------------------------------------------------------------------------

my %done;

# What a superuser's psql prints, of a server that may be down.
sub asked {
    my ($sql) = @_;
    open(my $psql, '-|', 'sh', '-c', 'psql -XAtq -d "$0" -c "$1" 2>/dev/null', $serving->connstr('app'), $sql) or die "psql: $!\n";
    chomp(my @lines = <$psql>);
    close $psql;
    return @lines;
}

sub serves {
    for (1 .. 1200) {
        return 1 if (asked('SELECT NOT pg_is_in_recovery()'))[0];
        select undef, undef, undef, 0.1;
    }
    return 0;
}

sub kill_backend {
    my ($which) = @_;
    my ($process) = asked("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND $which ORDER BY random() LIMIT 1");
    return unless $process;
    $done{$which} += kill 'KILL', $process;
    return ok(serves(), "the server is back after a kill -9: $which");
}

sub kill_postmaster {
    $serving->kill9;
    # What it has left behind goes by itself before another one starts.
    my $started = 0;
    for (1 .. 100) {
        last if $started = $serving->start(fail_ok => 1);
        sleep 1;
    }
    $done{postmaster} += $started;
    return ok($started && serves(), 'and after a kill -9 of the postmaster');
}

sub promote {
    $primary->kill9;
    $standby->promote;
    serve($standby);
    my $settings = slurp_file("$directory/pgbouncer.ini");
    $settings =~ s/^app = host=\S+ port=\d+/"app = host=" . $standby->host . " port=" . $standby->port/me or die 'no database app';
    open(my $file, '>', "$directory/pgbouncer.ini") or die "pgbouncer.ini: $!\n";
    print {$file} $settings;
    close $file;
    $bouncer->signal('HUP');
    $done{promotion}++;
    return ok(serves(), 'the standby serves');
}

my $began = time;
my $pause = $seconds / 10;
for (my $round = 0; time < $until - $pause; ++$round) {
    sleep $pause;
    if (!$done{promotion} && time - $began > $seconds * 0.6) { promote() }
    elsif ($round % 4 == 0) { kill_backend(q{usename = 'client'}) }
    elsif ($round % 4 == 1) { kill_backend(q{query LIKE 'CALL %'}) }
    elsif ($round % 4 == 2) { kill_postmaster() }
    else { kill_backend(q{backend_type = 'checkpointer'}) }
}
waitpid $_, 0 for @processes;
$bouncer->kill_kill;
ok(serves(), 'the server stands in the end');
ok($done{promotion}, 'there was a promotion');
note(join ', ', map { "$_: $done{$_}" } sort keys %done);

# --- then: what clients were told is there, once ---------------------------------------------------------

my (%call, %state, %turns, %begun, @sealed, @refused);
for my $book (glob("$books/client.*"), "$books/vault") {
    open(my $lines, '<', $book) or die "$book: $!\n";
    while (my ($what, @fact) = split /\t|\n/, <$lines> // '') {
        if ($what eq 'begins') { $begun{ $fact[0] } = $fact[1] }
        elsif ($what eq 'call') { $call{ $fact[1] } = [@fact[0, 2]] }
        elsif ($what eq 'turn') { push @{ $turns{ $fact[1] } }, "$fact[0] turn $fact[2]" }
        elsif ($what eq 'end') { $state{ $fact[1] } = $fact[2] }
        elsif ($what eq 'sealed') { push @sealed, $fact[0] }
        else { push @refused, join ' ', @fact }
    }
    close $lines;
}
sub rows { return map { [split /\|/, $_, -1] } split /\n/, query($serving, 'app', $_[0]) }

my %found = map { $_->[0] => $_ } my @found = rows(q{SELECT id, user_id, status FROM vrm.all_test_runs WHERE started_at > now() - interval '1 year'});
is(scalar(@found), scalar(keys %found), 'no call is there twice');
my $told = keys %call;
note(sprintf '%d calls and %d turns acknowledged, %d values sealed', $told, scalar(map { @$_ } values %turns), scalar @sealed);
cmp_ok($told, '>', $seconds / 10, 'there was something to lose');
is_deeply([grep { (($found{$_} // [])->[1] // '') ne $call{$_}[1] } keys %call], [], 'each call that was acknowledged is there, and its owner\'s');
cmp_ok(scalar(@found), '<=', scalar(keys %begun), 'and none was made twice');
is_deeply([grep { $found{$_}[2] ne $state{$_} } grep { $found{$_} } keys %state], [], 'in the state that it was said to end in');

my %heard;
push @{ $heard{ $_->[0] } }, $_->[1] for rows(<<'SQL');
SELECT id, turn ->> 'message' FROM (SELECT id, n, turn, 0 AS part FROM vrm.all_test_runs,
        jsonb_array_elements(results -> 'transcript') WITH ORDINALITY AS t (turn, n)
    UNION ALL SELECT run_id, row_number() OVER (ORDER BY id), jsonb_build_object('message', message), 1 FROM vrm.transcript_turns) AS all_turns
ORDER BY id, part, n
SQL
my @wrong;
for my $run (keys %call) {
    my ($expected, $there) = map { join "\n", @{ $_ // [] } } $turns{$run}, $heard{$run};
    push @wrong, "$run: told\n$expected\nthere\n$there" unless $there eq $expected || (!$state{$run} && index($there, $expected) == 0 && @{ $heard{$run} } == 1 + @{ $turns{$run} // [] });
}
is_deeply(\@wrong, [], 'and each turn once, in its order');
is_deeply(\@refused, [], 'nothing was refused');
is(query($serving, 'app', q{SELECT md5(string_agg(id::text, chr(10) ORDER BY id)) FROM vrm.all_test_runs WHERE started_at < now() - interval '1 year'}),
    $old, 'old calls are all there');
cmp_ok(query($serving, 'app', 'SELECT count(*) FROM vrm_private.test_runs_archive'), '>', 2000, 'in the archive, with newer ones');

query($serving, 'app', 'CALL vrm.rotate_keys()');
is(query($serving, 'app', q{SELECT count(*) FROM vault WHERE vrm.reveal_row('vault', 'sealed', id::text) IS DISTINCT FROM plain}), 0, 'every sealed value opens');
my %kept = map { $_->[0] => 1 } rows('SELECT id FROM vault');
is_deeply([grep { !$kept{$_} } @sealed], [], 'and none of them is lost');
is(query($serving, 'app', 'SELECT count(*) FROM vrm.verify_archive() WHERE NOT ok'), 0, 'the archive is as its manifest says');
is(query($serving, 'app', 'SELECT vrm.audit_seal(); SELECT count(*) FROM vrm.audit_verify()') =~ /^0$/m, 1, 'the trail is whole');

# --- and nobody was told of a fault of ours ---------------------------------------------------------------

my @faults = grep { /\b(?:XX\d{3}|PANIC|TRAP):|signal (?:6|11)\b/ } map { split /\n/, slurp_file($_) } $primary->logfile, $standby->logfile, glob "$books/errors.*";
is_deeply(\@faults, [], 'no internal error, no crash of its own');
done_testing();
