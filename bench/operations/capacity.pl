#!/usr/bin/perl
# Measures what a call leaves behind on the server that PGHOST and PGPORT name: bytes by table, WAL, transaction ids,
# TOAST OIDs, and the time to dump and to restore it; and says what that makes of 10,000 to 10 million calls a day.
# usage: bench/operations/capacity.pl [CALLS [TURNS [DAYS]]]     DAYS that calls stay live
use strict;
use warnings;
use File::Basename;
use File::Temp qw(tempdir);
use Time::HiRes qw(time);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Bench;

my $calls = $ARGV[0] // 2000;
my $turns = $ARGV[1] // 20;
my $days = $ARGV[2] // 90;
my $here = dirname(__FILE__);
my $folder = tempdir(CLEANUP => 1);
$ENV{PGDATABASE} = 'vrm_bench_capacity';
$ENV{PGOPTIONS} = '-c client_min_messages=warning';
my $restored = 'vrm_bench_capacity_restored';
output('dropdb', '--if-exists', '--force', $_) for $ENV{PGDATABASE}, $restored;
output('createdb', $ENV{PGDATABASE});
sql('CREATE EXTENSION vrm', "ALTER DATABASE $ENV{PGDATABASE} SET vrm.trusted_logins = 'postgres'",
    q{INSERT INTO auth.users (id, email) VALUES ('018f0000-0000-7000-8000-00000000000a', 'ann@example.org')},
    q{INSERT INTO vrm.agents (user_id, agent_id) VALUES ('018f0000-0000-7000-8000-00000000000a', 'reception')});
psql('-f', "$here/../lib/cpu.sql", '-f', "$here/../calls/life.sql");

# --- a call, measured ----------------------------------------------------------------------------------------

sub sizes {
    return map { split /\|/ } sql(q{
        SELECT c.oid::regclass, pg_total_relation_size(c.oid) FROM pg_class c
        WHERE c.relnamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace) AND c.relkind = 'r'
            AND c.reltuples > 0});  # not what is empty after VACUUM and only waits to be filled again
}

sub position { return sql(q{SELECT pg_current_wal_insert_lsn() - '0/0'}) }
sub xid { return sql('SELECT pg_current_xact_id()') }

# Seconds that a dump and its restore by two processes take.
sub transfer {
    my $began = time;
    output('rm', '-rf', "$folder/dump");
    output('pg_dump', '-Fd', '-j', 2, '-f', "$folder/dump");
    my $dumped = time - $began;
    output('createdb', $restored);
    $began = time;
    output('pg_restore', '-j', 2, '-d', $restored, "$folder/dump");
    my $loaded = time - $began;
    output('dropdb', '--force', $restored);
    return ($dumped, $loaded);
}

# The first ones fill what stays: caches, first pages, sequences.
sql("CALL vrm_lives(50, $turns, true)");
sql('VACUUM');
my @empty = transfer();
sql('CHECKPOINT');
my %of;
for my $way (['single', 'false'], ['together', 'true']) {
    my ($wal, $id) = (position(), xid());
    my %before = sizes();
    sql("CALL vrm_lives($calls, $turns, $way->[1])");
    my ($wal_after, $id_after) = (position(), xid());
    sql('CALL vrm.maintain()', 'VACUUM');
    my %after = sizes();
    $of{ $way->[0] } = {
        wal => ($wal_after - $wal) / $calls,
        xids => ($id_after - $id - 1) / $calls,
        tables => { map { $_ => ($after{$_} - ($before{$_} // 0)) / $calls } keys %after }
    };
}
my $toast = sql(q{SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 'vrm.test_runs'::regclass});
my $oids = sql("SELECT count(DISTINCT chunk_id) FROM $toast") / (2 * $calls + 50);

printf "a call of %d turns leaves, with its turns appended together:\n", $turns;
my $tables = $of{together}{tables};
my $bytes = 0;
for my $table (sort { $tables->{$b} <=> $tables->{$a} } keys %$tables) {
    $bytes += $tables->{$table};
    printf "  %-34s%8.0f B\n", $table, $tables->{$table} if $tables->{$table} >= 1;
}
printf "  %-34s%8.0f B\n", 'in all', $bytes;
printf "its WAL: %.0f B, transaction ids: %.1f; with a transaction a turn: %.0f B and %.1f; TOAST OIDs: %.2f\n",
  @{ $of{together} }{qw(wal xids)}, @{ $of{single} }{qw(wal xids)}, $oids;

# --- dump and restore ------------------------------------------------------------------------------------------

my $size = sql('SELECT pg_database_size(current_database())') / 1e6;
my @full = transfer();
printf "%.0f MB: dumped in %.1f s, restored in %.1f s by two processes; without the calls %.1f s and %.1f s\n\n", $size,
  @full, @empty;

# --- what that makes ---------------------------------------------------------------------------------------------

my $a_call = ($full[1] - $empty[1]) / (2 * $calls);
print "calls a day      | live after $days days | WAL a day | xids a day | 200 M xids last | TOAST OIDs last | restore of $days days\n";
for my $rate (10_000, 100_000, 1_000_000, 10_000_000) {
    my $way = $of{together};
    printf "%-16s |%10.0f GB         |%7.1f GB |%9.2f M |%11.0f days |%11s days |%10.1f h\n",
      scalar reverse(join ',', unpack '(A3)*', reverse $rate), $rate * $days * $bytes / 1e9, $rate * $way->{wal} / 1e9,
      $rate * $way->{xids} / 1e6, 200e6 / ($rate * $way->{xids}), $oids ? sprintf('%.0f', 2**32 / ($rate * $oids)) : 'no end of',
      $rate * $days * $a_call / 3600;
}
print "\nMove to a replica for reads, or to several databases, before the restore takes longer than you may be away.\n";
output('dropdb', '--force', $ENV{PGDATABASE});
