# Runs statements that reach each part of the module in a backend under Valgrind: nothing that it finds
# wrong with memory is done by the module, or by a library that it calls.  Needs the server that PGHOST names, of whose database
# vrm_demo it takes a copy, and valgrind.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

plan skip_all => 'valgrind is not installed' unless grep { -x "$_/valgrind" } split /:/, $ENV{PATH};

my @statements = grep { /\S/ } split /\n\n/, <<'SQL';
SET vrm.master_key_command = 'echo bench:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='

SET vrm.secret_literals = allow

SELECT count(*) FROM vrm.agent_performance('-infinity', 'infinity')

SELECT vrm.call_stats(status, started_at, completed_at, results) FROM vrm.test_runs

SELECT vrm.rollup(stats) FROM (SELECT vrm.call_stats(status, started_at, completed_at, results) AS stats FROM vrm.test_runs GROUP BY agent_id) AS s

SELECT vrm.key_create('data')

SELECT vrm.reveal(vrm.seal('a text', 'a context'), 'a context')

SELECT vrm.uuid7(), vrm.password_hash('correct horse'), vrm.uuid7(now())

SELECT vrm.verify_jwt('eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln')

SELECT vrm.lockout_reserve('password', 'somebody', NULL, NULL)

SELECT vrm.audit_event('looked at', '{"by": "valgrind"}')

SELECT vrm.audit_seal()

CALL vrm.run_retention()

SELECT count(*) FROM vrm.monitoring()
SQL

my $directory = tempdir(CLEANUP => 1);
my ($binaries) = map { s/\s+$//r } qx(pg_config --bindir);
$binaries = (grep { -x "$_/postgres" } split /:/, $ENV{PATH})[0] // $binaries;
system('pg_basebackup', '-D', "$directory/data", '-c', 'fast', '-X', 'stream') == 0 or die "no copy can be made\n";
my @as_server = $> == 0 ? qw(setpriv --reuid=postgres --regid=postgres --init-groups) : ();
system('chown', '-R', 'postgres', $directory) if @as_server;

open(my $script, '>', "$directory/script") or die "script: $!\n";
print {$script} map { s/;?\s*$/;\n\n/r } @statements;
close($script);
my $said = qx(cd $directory && @as_server valgrind --error-limit=no --num-callers=40 --log-file=$directory/log $binaries/postgres --single -j -D $directory/data vrm_demo <$directory/script 2>&1);
is($?, 0, 'a backend ran under Valgrind') or diag($said);
my @refused = $said =~ /ERROR: +(.*)/g;
my @meant = grep { /token|signature|jwt/i } @refused;
is_deeply([grep { my $error = $_; !grep { $_ eq $error } @meant } @refused], [], 'and refused nothing but a token');

open(my $log, '<', "$directory/log") or die "log: $!\n";
my $report = do { local $/ = undef; <$log> };
like($report, qr/ERROR SUMMARY/, 'Valgrind reports');

# Whose a fault is, the frames say above the innermost one of PostgreSQL: the module or a library that
# it has called.
sub is_ours {
    my ($error) = @_;
    return unless $error =~ /^(?:Invalid|Conditional|Use of|Syscall|Mismatched|Source and)/;
    for ($error =~ /^ +(?:at|by) (.*)$/mg) {
        return 0 if m{\(in \S*/bin/postgres\)};
        return 1 if m{\(in \S*/vrm\.so\)|\.(?:cpp|h):\d+\)};
    }
    return 0;
}
my @found = grep { is_ours($_) } map { s/\A\s+//r } split /\n\s*\n/, $report =~ s/^==\d+== ?//mgr;
is(scalar(@found), 0, 'nothing is wrong with memory') or diag(join "\n\n", @found);
done_testing();
