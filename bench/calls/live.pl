#!/usr/bin/perl
# Measures many calls at once, each with a turn every few seconds, on the server that PGHOST and
# PGPORT name: processor time of the whole server, latency, WAL, transaction ids and disk, with a
# transaction a turn and with the turns of ten calls in one, directly and through PgBouncer with a
# pool of ten, next to plain SQL at the same rate.
# usage: bench/calls/live.pl [CALLS [EVERY [SECONDS]]]     such as 10000 3 60
use strict;
use warnings;
use File::Basename;
use File::Temp qw(tempdir);
use FindBin;
use IPC::Run ();
use POSIX ();
use lib "$FindBin::Bin/../lib";
use Bench;

my $calls = $ARGV[0] // 10_000;
my $every = $ARGV[1] // 3;
my $seconds = $ARGV[2] // 20;
my $together = 10;
my $database = 'vrm_bench_live';
my $here = dirname(__FILE__);
my $folder = tempdir(CLEANUP => 1);
$ENV{PGDATABASE} = $database;

# --- given: one account, whose calls all run ---------------------------------------------------------------

output('dropdb', '--if-exists', '--force', $database);
output('createdb', $database);
sql('CREATE EXTENSION vrm',
    $trust_issuer,
    q{INSERT INTO auth.users (id, email) VALUES ('018f0000-0000-7000-8000-00000000000a', 'ann@example.org')},
    q{INSERT INTO vrm.agents (user_id, agent_id) VALUES ('018f0000-0000-7000-8000-00000000000a', 'reception')});
psql('-f', "$here/live.sql");
sql('BEGIN', "SELECT vrm.login('$token')",
    "INSERT INTO live SELECT n, vrm.start_test_run(a.id, time_limit => 86400)
     FROM vrm.agents AS a, generate_series(1, $calls) AS n", 'COMMIT', 'VACUUM ANALYZE');

# --- the ways ----------------------------------------------------------------------------------------------

my $turn = q{jsonb_build_array(jsonb_build_object('speaker', 'Agent', 'ms', (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    % 86400000, 'message', md5(l.n::text) || ' as people say it, and a little longer'))};

sub script {
    my ($way, $size) = @_;
    my $most = $calls - $size + 1;
    my $last = ':n + ' . ($size - 1);
    my $text = "\\set n random(1, $most)\n";
    $text .= $way eq 'plain'
      ? "SELECT plain_turns(:n, $last);\n"
      : "BEGIN;\nSELECT vrm.login('$token');\n"
      . "SELECT count(vrm.append_turns(l.run_id, $turn)) FROM live AS l WHERE l.n BETWEEN :n AND $last;\nCOMMIT;\n";
    $text =~ s/\n    / /g;
    open(my $file, '>', "$folder/$way.$size") or die "$folder/$way.$size: $!\n";
    print {$file} $text;
    close($file) or die "$folder/$way.$size: $!\n";
    return "$folder/$way.$size";
}

# PgBouncer in transaction mode with a pool of ten; gives its port and process, or nothing where it is not there.
sub pooler {
    my ($program) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin' or return;
    my $port = 16_432;
    my $user = sql('SELECT current_user');
    my %files = ('users.txt' => qq("$user" ""\n), 'pgbouncer.ini' => <<"INI");
[databases]
$database = host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=$database user=$user pool_size=10
[pgbouncer]
pool_mode = transaction
listen_addr =
listen_port = $port
unix_socket_dir = $folder
auth_type = any
auth_file = $folder/users.txt
max_client_conn = 1000
logfile = $folder/pgbouncer.log
ignore_startup_parameters = extra_float_digits,options
INI
    for my $name (keys %files) {
        open(my $file, '>', "$folder/$name") or die "$folder/$name: $!\n";
        print {$file} $files{$name};
        close($file) or die "$folder/$name: $!\n";
    }
    # It does not run as root.
    my @as = $> == 0 ? ('setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups') : ();
    output('chown', '-R', 'postgres', $folder) if @as;
    my $run = IPC::Run::start([@as, $program, '-q', "$folder/pgbouncer.ini"], '<', \undef, '>', '/dev/null', '2>&1');
    for (1 .. 100) {
        return ($port, $run) if -S "$folder/.s.PGSQL.$port";
        select(undef, undef, undef, 0.1);
    }
    die "pgbouncer does not start\n";
}

# --- measured ----------------------------------------------------------------------------------------------

my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());

sub counters {
    my ($cpu, $wal, $xid) = split /\|/,
      sql("SELECT server_seconds($ticks), pg_current_wal_insert_lsn() - '0/0', pg_current_xact_id()");
    return { cpu => $cpu, wal => $wal, xid => $xid };
}

sub p99 {
    my ($prefix) = @_;
    my @took;
    for my $name (glob "$prefix.*") {
        open(my $file, '<', $name) or die "$name: $!\n";
        while (<$file>) { push @took, (split)[2] / 1000 }
        close($file) or die "$name: $!\n";
        unlink $name;
    }
    @took = sort { $a <=> $b } @took;
    return ($took[$#took * 0.99], scalar @took);
}

my %figures;

sub run {
    my ($way, $size, $clients, @through) = @_;
    my $name = join ' ', $way, $size, @through ? 'pooled' : 'direct';
    my $rate = $calls / $every / $size;
    my $before = counters();
    my @said = output('env', @through, 'pgbench', '-n', '-M', 'simple', '-c', $clients, '-j', 2, '-T', $seconds, '-R', $rate,
        '-l', '--log-prefix', "$folder/log", '-f', script($way, $size), $database);
    my $after = counters();
    my ($p99, $done) = p99("$folder/log");
    my $turns = $done * $size;
    my %of = (
        rate => $turns / $seconds, p99 => $p99, cores => ($after->{cpu} - $before->{cpu}) / $seconds,
        us => ($after->{cpu} - $before->{cpu}) * 1e6 / $turns, wal => ($after->{wal} - $before->{wal}) / $turns,
        xids => ($after->{xid} - $before->{xid} - 1) / $turns);
    $figures{$name} = \%of;
    printf "%-24s%10.0f%10.1f%10.2f%10.0f%10.0f%10.2f\n", $name, @of{qw(rate p99 cores us wal xids)};
    return;
}

printf "%d calls, a turn every %g s: %.0f turns a second, %d s each\n", $calls, $every, $calls / $every, $seconds;
printf "%-24s%10s%10s%10s%10s%10s%10s\n", '', 'turns/s', 'p99, ms', 'cores', 'CPU, us', 'WAL, B', 'xids';
printf "%-24s%10s%10s%10s%10s%10s%10s\n", 'way, turns together', '', '', '', 'a turn', 'a turn', 'a turn';
my ($port, $pooler) = pooler();
for my $size (1, $together) {
    run('plain', $size, 16);
    run('vrm', $size, 16);
    run('vrm', $size, 100, "PGHOST=$folder", "PGPORT=$port") if $pooler;
}
if ($pooler) {
    IPC::Run::signal($pooler, 'TERM');
    eval { IPC::Run::finish($pooler) };
} else {
    print "not through PgBouncer, which is not installed\n";
}

# --- what is left ------------------------------------------------------------------------------------------

print "\n";
for my $table (qw(vrm.transcript_turns plain.turns)) {
    my $rows = sql("SELECT count(*) FROM $table");
    printf "%s: %d rows, %d dead, %.0f bytes a row with indexes\n", $table, $rows,
      sql("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = '$table'::regclass"),
      sql("SELECT pg_total_relation_size('$table')") / $rows;
}

my $grouped = $figures{"vrm $together direct"};
printf "CPU of plain SQL: a turn by itself %.2fx, together %.2fx\n",
  map { $figures{"vrm $_ direct"}{us} / $figures{"plain $_ direct"}{us} } 1, $together;
target('turns together, cores of the server', $grouped->{cores}, 0.5, '');
target('turns together, million transaction ids a day', $grouped->{xids} * $calls / $every * 86_400 / 1e6, 30, 'M');
targets();
output('dropdb', '--force', $database);
