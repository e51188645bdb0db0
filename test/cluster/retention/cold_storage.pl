# tools/vrm-archive takes a partition of the archive out of a database and brings it back: what is in the files
# is looked at without a database, and nothing is let go before it is safe in them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Calls;
use VRM::Server;

my $tool = "$FindBin::Bin/../../../tools/vrm-archive";
my $node = server('cold');
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');
sub sql { return query($node, 'app', $_[0]) }

# What the tool says; without a server when $on_server is false.
sub tool {
    my ($on_server, @arguments) = @_;
    local %ENV = %ENV;
    if ($on_server) {
        @ENV{qw(PGHOST PGPORT PGDATABASE)} = ($node->host, $node->port, 'app');
    } else {
        @ENV{qw(PGHOST PGPORT)} = (PostgreSQL::Test::Utils::tempdir, 1);
    }
    my $said = '';
    IPC::Run::run([$^X, $tool, @arguments], '>', \$said, '2>', \$said);
    return ($? >> 8) . " $said";
}

old_calls($node, 'app', $alice, 300);
sql(q{UPDATE vrm.test_runs SET error = E'back\\\\slash "quoted" \u00e9 \t tab' || id WHERE status = 'failed'});
sql("CALL vrm.run_retention('$_')") for 'calls.completed', 'calls.failed';
my $calls = all_calls($node, 'app');
my $partition = sql('SELECT relname FROM pg_class WHERE oid = (SELECT max(tableoid) FROM vrm_private.test_runs_archive)');
my $files = PostgreSQL::Test::Utils::tempdir . '/cold';

like(tool(1, 'export', 'nothing', "$files-none"), qr/^[1-9].*has no partition "nothing"/s, 'a partition that is not there is told');
like(tool(1, 'export', $partition, $files), qr/^0 .*300 calls of \d+ batches.*is gone from the database/s, 'a partition is exported');
is(sql('SELECT count(*) FROM vrm.all_test_runs'), 0, 'its calls are gone');
is(sql('SELECT bool_and(ok) FROM vrm.verify_archive()'), 't', 'on purpose');
like(tool(0, 'verify', $files), qr/^0 .*300 calls of/, 'files are verified without a database');
like(tool(1, 'export', $partition, $files), qr/^[1-9].*cold/, 'and not written over');

my $whole = slurp_file("$files/calls.jsonl");
my %damages = (
    'a changed call' => $whole =~ s/"time_limit": 60/"time_limit": 61/r,
    'a call less' => $whole =~ s/^.*\n//r,
    'a call twice' => $whole =~ s/^(.*\n)/$1$1/r,
    'half a line' => substr($whole, 0, -200),
);
for my $damage (sort keys %damages) {
    unlink "$files/calls.jsonl";
    append_to_file("$files/calls.jsonl", $damages{$damage});
    like(tool(0, 'verify', $files), qr/^[1-9]/, "$damage is found");
    like(tool(1, 'import', $files), qr/^[1-9]/, '... and does not come back');
}
unlink "$files/calls.jsonl";
append_to_file("$files/calls.jsonl", $whole);
is(sql('SELECT count(*) FROM vrm.all_test_runs'), 0, 'nothing has come');
like(tool(1, 'import', $files), qr/^0 .*300 calls are back in the archive/s, 'what is whole does');
is(all_calls($node, 'app'), $calls, 'as it was');
is(sql('SELECT bool_and(ok) FROM vrm.verify_archive()'), 't', 'and verifies');
like(tool(1, 'import', $files), qr/^[1-9].*is not in cold storage/s, 'once');
like(tool(0, 'thaw'), qr/^2 usage: /, 'the tool says how it is used');

$node->stop;
done_testing();
