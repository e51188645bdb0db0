#!/usr/bin/perl
# Archives calls with vrm.run_retention() and with the source document's function, and compresses what it
# has archived, on the server that PGHOST and PGPORT name: CPU of the backend, WAL, room on disk, reading a call
# here and there, the longest transaction, and what writers of the same calls notice meanwhile: how long they
# wait, and which of their committed updates are gone afterwards.
# usage: bench/retention/archive.pl [ROWS [ROUNDS]]; 100,000 calls of 5.8 KB and three rounds unless said
use strict;
use warnings;
use File::Basename;
use FindBin;
use File::Temp;
use IO::Handle;
use IPC::Open2;
use lib "$FindBin::Bin/../lib";
use Bench;

my $rows = $ARGV[0] // 100_000;
my $rounds = $ARGV[1] // 3;
my $database = $ENV{PGDATABASE} = 'vrm_bench_retention';
my $work = File::Temp->newdir;

my %statement = (
    document => 'SELECT archive_old_test_runs()',
    indexed => 'SELECT archive_old_test_runs()',
    vrm => q{CALL vrm.run_retention('calls.completed')},
    compression => 'SELECT compress()',
);
my %title = (
    document => "source document's function",
    indexed => '... with a primary key on its archive',
    vrm => 'vrm.run_retention()',
    compression => '... and its partition compressed',
);
my %table = (document => 'test_runs', indexed => 'test_runs', vrm => 'vrm.test_runs');

# The throwaway server does without full pages in WAL, and a checkpoint amid a run would write them
# twice.
my @settings = ('full_page_writes = on', "max_wal_size = '16GB'", "checkpoint_timeout = '1h'");
psql('-d', 'postgres', map { ('-c', $_) } 'SET client_min_messages = warning',
    "DROP DATABASE IF EXISTS $database", "CREATE DATABASE $database",
    (map { "ALTER SYSTEM SET $_" } @settings), 'SELECT pg_reload_conf()');
END {
    local $?;
    if ($database) {
        psql('-d', 'postgres', map { ('-c', $_) } "DROP DATABASE IF EXISTS $database WITH (FORCE)",
            (map { 'ALTER SYSTEM RESET ' . (split / /)[0] } @settings), 'SELECT pg_reload_conf()');
    }
}
sql('CREATE EXTENSION vrm');
psql('-v', "rows=$rows", '-f', dirname(__FILE__) . '/archive.sql');

sub load {
    my ($what) = @_;
    sql(q{ALTER TABLE test_runs_archive DROP CONSTRAINT IF EXISTS test_runs_archive_pkey},
        "CALL load_calls('$table{$what}')",
        $what eq 'indexed' ? 'ALTER TABLE test_runs_archive ADD PRIMARY KEY (id)' : (),
        "VACUUM ANALYZE $table{$what}", 'CHECKPOINT');
    return;
}

# --- alone ------------------------------------------------------------------------------------------

my (%cpu, %wal, %size, %read);

sub measure {
    my ($what) = @_;
    my ($before, @after) = sql(
        q{SELECT cpu() || ' ' || pg_current_wal_insert_lsn()}, $statement{$what},
        q{SELECT cpu() || ' ' || pg_current_wal_insert_lsn()});
    my ($cpu0, $lsn0) = split / /, $before;
    my ($cpu1, $lsn1) = split / /, $after[-1];
    push @{ $cpu{$what} }, ($cpu1 - $cpu0) / 1e9;
    push @{ $wal{$what} }, sql("SELECT ('$lsn1'::pg_lsn - '$lsn0') / 1e6");
    return;
}

# Warm, as whoever reads many calls finds them.
sub read_calls {
    my ($where) = @_;
    my $number = $rows < 2000 ? $rows : 2000;
    push @{ $read{$where} }, (sql(("SELECT read_calls($number)") x 3))[-1] / 1000;
    return;
}

my @movers = qw(document indexed vrm);
for my $round (1 .. $rounds) {
    for my $what (@movers) {
        load($what);
        if ($what eq 'vrm') {
            push @{ $size{live} }, sql(q{SELECT pg_total_relation_size('vrm.test_runs') / 1e6});
            read_calls('live');
        }
        measure($what);
        my $left = sql("SELECT count(*) FROM $table{$what}");
        die "$what has left $left calls\n" if $left;
    }
    push @{ $size{archive} }, sql('SELECT archive_size() / 1e6');
    read_calls('archive');
    measure('compression');
    push @{ $size{compressed} }, sql('SELECT archive_size() / 1e6');
    read_calls('compressed');
    my ($damaged) = sql('SELECT count(*) FROM vrm.verify_archive() WHERE NOT ok');
    die "$damaged batches do not verify\n" if $damaged;
}
printf "%d calls of %s bytes as stored, medians of %d rounds\n\n", $rows,
  sql('SELECT round(avg(pg_column_size(results))) FROM document'), $rounds;
printf "%-40s %8s %9s\n", '', 'CPU s', 'WAL MB';
printf "%-40s %8.2f %9.1f\n", $title{$_}, median(@{ $cpu{$_} }), median(@{ $wal{$_} })
  for @movers, 'compression';
printf "\n%-40s %8s %9s\n", '', 'MB', 'us a read';
printf "%-40s %8.1f %9.1f\n", $_->[1], median(@{ $size{ $_->[0] } }), median(@{ $read{ $_->[0] } })
  for ['live', 'live'], ['archive', 'archived'], ['compressed', 'archived and compressed'];
printf "\n%-40s %8.1f\n", 'digest of a call at its end, us', sql('SELECT digest_calls(2000)') / 1000;

sub ratio_of {
    my ($figures, $what, $peer) = @_;
    return median(map { $figures->{$what}[$_] / $figures->{$peer}[$_] } 0 .. $rounds - 1);
}

# --- what the manifest costs --------------------------------------------------------------------------

# The same rows moved with and without their digests, in turns, and put back by a rollback.
load('vrm');
my $sample = $rows < 5000 ? $rows : 5000;
my @shares;
for my $round (1 .. 8) {
    my ($first, $second) = $round % 2 ? qw(true false) : qw(false true);
    my %took;
    @took{ $first, $second } = sql(
        map { ('BEGIN', "SELECT move_sample($sample, $_)", 'ROLLBACK') } $first, $second);
    push @shares, 100 * (1 - $took{false} / $took{true});
}
my $manifest = median(@shares);

# --- among writers --------------------------------------------------------------------------------------

# Four clients update calls that are due; each update goes into the journal in its transaction.
sub among_writers {
    my ($what) = @_;
    load($what);
    sql('TRUNCATE journal, watched');
    open(my $script, '>', "$work/write.sql") or die "$work: $!\n";
    print {$script} <<"SQL";
\\set n random(1, $rows)
WITH changed AS (UPDATE $table{$what} SET error = (coalesce(error, '0')::integer + 1)::text
                 WHERE user_id = md5('user ' || :n % 100)::uuid AND id = call_id(:n)
                 RETURNING id, error)
INSERT INTO journal SELECT id, error::integer FROM changed;
\\sleep 2 ms
SQL
    close $script;
    my $writers = fork // die "fork: $!\n";
    if ($writers == 0) {
        chdir $work;
        open(STDOUT, '>', '/dev/null');
        open(STDERR, '>', '/dev/null');
        exec 'pgbench', '-n', '-c', '4', '-T', '3600', '-f', 'write.sql', '--log', '--log-prefix=writers', $database;
    }
    select(undef, undef, undef, 0.5);
    my $from = sql('SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint');
    my $pid = open2(my $from_psql, my $to_psql, 'psql', '-XqAt', '-d', $database);
    print {$to_psql} "SELECT pg_backend_pid();\n";
    $to_psql->flush;
    chomp(my $backend = <$from_psql>);
    my $watcher = fork // die "fork: $!\n";
    if ($watcher == 0) {
        undef $database;
        exec 'psql', '-Xq', '-d', 'vrm_bench_retention', '-c', "CALL watch('$what', $backend)";
    }
    print {$to_psql} "SET client_min_messages = warning;\nSELECT pg_sleep(0.1) \\g /dev/null\n$statement{$what};\n\\q\n";
    close $to_psql;
    waitpid $pid, 0;
    my $until = sql('SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint');
    select(undef, undef, undef, 0.2);
    kill 'TERM', $writers;  # shells have what runs behind them ignore INT
    waitpid $writers, 0;
    waitpid $watcher, 0;

    my @waits;
    for my $file (glob "$work/writers.*") {
        open(my $log, '<', $file) or die "$file: $!\n";
        while (<$log>) {
            my (undef, undef, $took, undef, $second, $micro) = split / /;
            next unless /\n\z/;  # the last line, when it was written halfway
            my $ended = $second * 1e6 + $micro;
            push @waits, ($took - 2000) / 1000 if $ended >= $from && $ended - $took <= $until;
        }
        close $log;
        unlink $file;
    }
    @waits = sort { $a <=> $b } @waits;
    my $everything = $what eq 'vrm' ? 'SELECT id, error FROM vrm.all_test_runs'
      : 'SELECT id, error FROM test_runs UNION ALL SELECT id, error FROM test_runs_archive';
    my ($lost) = sql(<<"SQL");
SELECT count(*) FROM (SELECT id, max(version) AS version FROM journal GROUP BY id) AS j
LEFT JOIN ($everything) AS f USING (id)
WHERE f.error::integer IS DISTINCT FROM j.version
SQL
    return {
        updates => scalar @waits,
        p99 => $waits[0.99 * $#waits],
        worst => $waits[-1],
        longest => sql('SELECT extract(epoch FROM longest) * 1000 FROM watched'),
        lost => $lost,
    };
}

printf "\nfour writers of the same calls meanwhile\n%-40s %9s %8s %9s %14s %14s\n", '', 'updates',
  'p99 ms', 'worst ms', 'longest tx ms', 'calls stale';
my %among;
for my $what (qw(document vrm)) {
    my $r = $among{$what} = among_writers($what);
    printf "%-40s %9d %8.1f %9.1f %14.0f %14d\n", $title{$what}, @$r{qw(updates p99 worst longest lost)};
}

# of the source document's function with a primary key on its archive
target('CPU of archiving by rows', ratio_of(\%cpu, 'vrm', 'indexed'), 0.7, 'x');
target('WAL of archiving by rows', ratio_of(\%wal, 'vrm', 'indexed'), 0.7, 'x');
target('CPU of compressing', ratio_of(\%cpu, 'compression', 'indexed'), 0.8, 'x');
target('WAL of compressing', ratio_of(\%wal, 'compression', 'indexed'), 0.3, 'x');
target('room on disk, of live', ratio_of(\%size, 'compressed', 'live'), 0.4, 'x');
target('reading a compressed call, of a live one', ratio_of(\%read, 'compressed', 'live'), 1.5, 'x');
target('manifest, of the CPU that moving a call takes', $manifest, 15, '%');
target('writers wait, p99', $among{vrm}{p99}, 100, 'ms');
target('calls that lost committed updates', $among{vrm}{lost}, 0, '');
targets();
