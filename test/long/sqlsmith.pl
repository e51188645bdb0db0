# Has SQLsmith make queries at random of what a database with the sample calls has, once as somebody who
# is signed in and once as a superuser: the server stands, whatever it refuses.  Needs the server that
# PGHOST names, and sqlsmith.
# usage: sqlsmith.pl [QUERIES [SEED]]
use strict;
use warnings;
use File::Basename;
use IPC::Open2;
use Test::More;

my $root = dirname(dirname(dirname(__FILE__)));
my ($queries, $seed) = ($ARGV[0] // 2000, $ARGV[1] // 1);
plan skip_all => 'sqlsmith is not installed' unless grep { -x "$_/sqlsmith" } split /:/, $ENV{PATH};
my $database = $ENV{PGDATABASE} = 'vrm_sqlsmith';
$ENV{PGOPTIONS} = '-c client_min_messages=error';

sub run { return system(@_) == 0 || die "@_ failed\n" }

sub answer {
    my ($sql) = @_;
    open(my $psql, '-|', 'psql', '-XAtqc', $sql) or die "psql: $!\n";
    chomp(my $line = <$psql> // '');
    close($psql);
    return $line;
}

run('dropdb', '--if-exists', '--force', $database);
run('createdb', $database);
run('psql', '-Xqc', 'CREATE EXTENSION vrm');
run("$root/demo/load.sh");
my $somebody = answer('SELECT user_id FROM vrm.test_runs GROUP BY 1 ORDER BY count(*) DESC LIMIT 1');
my $trusted = answer('SELECT session_user');
answer("ALTER DATABASE $database SET vrm.trusted_logins = 'smith'");
answer('DROP ROLE IF EXISTS smith');
answer('CREATE ROLE smith LOGIN IN ROLE authenticated');
my $settings = qq({"sub": "$somebody", "role": "authenticated"});
answer("ALTER ROLE smith IN DATABASE $database SET request.jwt.claims = '$settings'");
answer("ALTER ROLE smith IN DATABASE $database SET vrm.session_login = on");

# A backend that crashes takes every session with it, also this one.
my $watching = open2(my $said, my $watch, 'psql', '-XAtq');
sub stands {
    print {$watch} "SELECT 'stands';\n";
    $watch->flush;
    return (readline($said) // '') eq "stands\n";
}
ok(stands(), 'a session watches');

for my $user ('smith', $trusted) {
    my $target = "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=$database user=$user";
    my @printed = qx(sqlsmith --target='$target' --max-queries=$queries --seed=$seed --exclude-catalog --verbose 2>&1);
    my ($made) = map { /^queries: (\d+)/ } @printed;
    is($made // 0, $queries, "as $user: all queries were made") or diag(@printed);
    my ($rate) = map { /^error rate: ([\d.]+)/ } reverse @printed;
    note("$rate of them were refused");
    cmp_ok($rate // 1, '<', 1, 'and not all of them refused');
    ok(stands(), 'the server stands');
}

print {$watch} "\\q\n";
waitpid $watching, 0;
run('dropdb', '--force', $database);
$ENV{PGDATABASE} = 'postgres';
answer('DROP ROLE smith');
done_testing();
