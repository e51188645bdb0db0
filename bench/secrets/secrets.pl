#!/usr/bin/perl
# Measures what sealing costs on the server that PGHOST and PGPORT name, by CPU of the backend and
# without the scan: next to pgcrypto, `openssl speed` and plain UPDATEs, all in one run.
# usage: bench/secrets/secrets.pl [ROWS [ROUNDS]]; ROWS for rotation, one million unless said
use strict;
use warnings;
use File::Basename;
use File::Temp;
use FindBin;
use List::Util qw(max);
use lib "$FindBin::Bin/../lib";
use Bench;

my $rows = $ARGV[0] // 1_000_000;
my $rounds = $ARGV[1] // 5;
my $database = $ENV{PGDATABASE} = 'vrm_bench_secrets';
my $here = dirname(__FILE__);

# A master key of the server's own, beside its data directory or in /tmp.
output('psql', '-XqAt', '-d', 'postgres', '-c', 'SET client_min_messages = warning',
    '-c', "DROP DATABASE IF EXISTS $database", '-c', "CREATE DATABASE $database");
my $file = '/tmp/vrm-bench-master-key.' . $$;
sql('CREATE EXTENSION vrm', 'CREATE EXTENSION pgcrypto',
    "COPY (SELECT 'bench:' || encode(gen_random_bytes(32), 'base64'))"
      . " TO PROGRAM 'umask 077; cat > $file'",
    "ALTER DATABASE $database SET vrm.master_key_file = '$file'");
sql("SELECT vrm.key_create('data'), vrm.key_create('blind_index')");

# --- the same by OpenSSL alone, in the same process ------------------------------------------------

# The throwaway server's pg_config names its own tree, which has no headers.
my $headers = output('pg_config', '--includedir-server');
$headers =~ s{^.*(?=/usr/include)}{} unless -d $headers;
my $library = File::Temp->newdir('/tmp/vrm-bench.XXXXXX');
chmod 0755, "$library";
output($ENV{CC} // 'cc', qw(-O2 -shared -fPIC), "-I$headers", '-o', "$library/bare_evp.so",
    "$here/bare_evp.c", '-lcrypto');
sql("CREATE FUNCTION bare_evp(seals boolean, size integer, times integer) RETURNS float8"
      . " LANGUAGE c STRICT AS '$library/bare_evp'");

# --- one value ------------------------------------------------------------------------------------

my %ns;
for (psql('-v', "rounds=$rounds", '-f', "$here/secrets.sql")) {
    my ($what, $size, $median) = split /\|/;
    $ns{$what}{$size} = $median;
}
my @sizes = (40, 256, 8192, 1048576);
printf "%-28s %s\n", "ns a call, median of $rounds", join ' ', map { sprintf '%12s', "$_ B" } @sizes;
for my $what (sort keys %ns) {
    printf "%-28s %s\n", $what, join ' ',
      map { defined $ns{$what}{$_} ? sprintf '%12.0f', $ns{$what}{$_} : ' ' x 12 } @sizes;
}
printf "\n%-28s %s\n", 'times faster than aes-cbc', join ' ', map { sprintf '%12s', "$_ B" } @sizes;
printf "%-28s %s\n", 'seal', join ' ',
  map { sprintf '%12.1f', $ns{'pgcrypto encrypt, aes-cbc'}{$_} / $ns{'vrm.seal'}{$_} } @sizes;
printf "%-28s %s\n", 'reveal', join ' ',
  map { sprintf '%12.1f', $ns{'pgcrypto decrypt, aes-cbc'}{$_} / $ns{'vrm.reveal'}{$_} } @sizes;
my $bare = $ns{'OpenSSL alone, to seal'}{40};
target('seal, 40 B, less unmasking, times OpenSSL alone',
    ($ns{'vrm.seal'}{40} - $ns{unmasking}{40}) / $bare, 1.4, 'x');
target('open, 40 B, times OpenSSL alone',
    $ns{'vrm.reveal'}{40} / $ns{'OpenSSL alone, to open'}{40}, 1.4, 'x');
target('seal, 40 B', $ns{'vrm.seal'}{40}, 300, 'ns');
target('open, 40 B', $ns{'vrm.reveal'}{40}, 250, 'ns');

# What `openssl speed` takes for `bytes` of AES-256-GCM, in nanoseconds.
sub openssl_speed {
    my ($bytes, $options) = @_;
    my $said = output('sh', '-c', "openssl speed $options -evp aes-256-gcm -bytes $bytes -seconds 1"
          . ' 2>/dev/null | tail -n 1');
    return $said =~ /([\d.]+)k$/ ? $bytes / $1 * 1e6 : undef;
}
my $openssl = openssl_speed(1048576, '');
if ($openssl) {
    printf "\nopenssl speed, 1 MB: %.0f ns; -aead, 40 B: %.0f ns to seal, %.0f ns to open\n",
      $openssl, openssl_speed(40, '-aead'), openssl_speed(40, '-aead -decrypt');
    my %large = map { $_ => $ns{$_}{1048576} } keys %ns;
    my $share = sub { return 100 * $openssl / $_[0] };
    target('openssl speed, of sealing 1 MB', $share->($large{'vrm.seal'}), 95, '%', 1);
    target('openssl speed, of sealing 1 MB less unmasking',
        $share->($large{'vrm.seal'} - $large{'unmasking'}), 95, '%', 1);
    target('openssl speed, of opening 1 MB', $share->($large{'vrm.reveal'}), 95, '%', 1);
    target('openssl speed, of opening 1 MB less copying',
        $share->($large{'vrm.reveal'} - $large{'copying'}), 95, '%', 1);
}

# --- the first value of a session -----------------------------------------------------------------

sql('SET vrm.secret_literals = allow', "CREATE TABLE one AS SELECT vrm.seal('x') AS value");
my @first = map { psql('-c', <<'SQL') } 1 .. 20;
DO $$
DECLARE
    began timestamptz := clock_timestamp();
BEGIN
    PERFORM vrm.reveal(value) FROM one;
    PERFORM set_config('bench.took',
                       extract(microsecond FROM clock_timestamp() - began)::text, false);
END
$$;
SELECT current_setting('bench.took');
SQL
target('first call of a session', median(@first) / 1000, 2, 'ms');

# --- does a failure tell by its time why? ----------------------------------------------------------

my $destroyed = sql('SET client_min_messages = warning', "SELECT vrm.key_create('data')");
sql("SELECT vrm.key_create('data')");
sql("SELECT vrm.key_destroy($destroyed)");
my %chance = map { split /\|/ } psql('-v', "destroyed=$destroyed", '-f', "$here/secrets_oracle.sql");
print "\nchance that a value fails later than one with a wrong tag (0.5: no telling)\n";
printf "%-28s %.3f\n", $_, $chance{$_} for sort keys %chance;
target('telling failures apart, chance beyond even',
    100 * max(map { abs($_ - 0.5) } values %chance), 5, '%');

# --- rotation -------------------------------------------------------------------------------------

psql('-v', "rows=$rows", '-f', "$here/secrets_rotation.sql");
my %tasks = (
    rotation => 'CALL vrm.rotate_keys()',
    plain => q{CALL update_twin('twin')},
    triggered => q{CALL update_twin('triggered')},
);
for my $round (1 .. $rounds) {
    for my $what (sort keys %tasks) {
        sql('VACUUM sealed', 'VACUUM twin', 'VACUUM triggered', 'CHECKPOINT');
        my ($before, $after) = sql('SELECT cpu()', $tasks{$what}, 'SELECT cpu()');
        sql("INSERT INTO took VALUES ($round, '$what', $after - $before)");
    }
}
my %took = map { split /\|/ } sql('SELECT what, percentile_disc(0.5) WITHIN GROUP (ORDER BY ns) FROM took GROUP BY what');
printf "\n%d rows, median of $rounds: rotation %.1f s, the same plain UPDATEs %.1f s,"
  . " with a trigger that does nothing %.1f s\n",
  $rows, map { $_ / 1e9 } @took{qw(rotation plain triggered)};
target('rotation, times plain UPDATEs', $took{rotation} / $took{plain}, 1.15, 'x');

targets();
unlink $file;
output('psql', '-XqAt', '-d', 'postgres', '-c', "DROP DATABASE $database");
