# pg_upgrade carries the lockout store, whose file is of an access method of our own, and the journal,
# whose rows belong to no transaction: locks hold and nothing is lost.  From this PostgreSQL to itself,
# and from every older one beside it that has vrm, as in .vrm after VRM_PG=15 ./vrm environment.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my ($bin) = run_command(['pg_config', '--bindir']);
my ($major) = $bin =~ m{/(\d+)/bin$};

# Directories of programs: this one with its own version replaced by each that came before.
sub older_programs {
    return () unless defined $major;
    my @beside = map { my $older = $_; $bin =~ s{(?<=/)$major(?=/)}{$older}gr } 15 .. $major - 1;
    return grep { -x "$_/postgres" && -e (run_command(["$_/pg_config", '--pkglibdir']))[0] . '/vrm.so' } @beside;
}

my $state = <<'SQL';
SELECT vrm.is_locked('mallory'), (vrm.lockout_state('totp', 'alice')).value, vrm.check_lockout_store(),
       (SELECT count(*) FROM vrm_private.audit_journal),
       (SELECT md5(string_agg(l::text, ' ' ORDER BY key)) FROM vrm_private.lockout l),
       (SELECT concat(relfrozenxid, relminmxid) FROM pg_class WHERE oid = 'vrm_private.lockout'::regclass)
SQL

# A cluster with locks, counters and a journal, and what there is of them.
sub old_cluster {
    my ($name, $programs) = @_;
    my $node = server($name, extra => ['--encoding=UTF8', '--locale=C.UTF-8', '--data-checksums'],
        $programs ? (install_path => $programs =~ s{/bin$}{}r) : ());
    my $database = database($node, 'accounts');
    query($node, $database, "UPDATE vrm.lockout_policy SET base_lock = '1 day' WHERE kind = 'password'");
    query($node, $database,
        "BEGIN; SELECT vrm.record_login_attempt('mallory', false) FROM generate_series(1, 5); ROLLBACK");
    query($node, $database, "SELECT vrm.record_login_attempt('u' || i, false) FROM generate_series(1, 3000) i");
    query($node, $database, "SELECT vrm.lockout_advance('totp', 'alice', 57000000)");
    my $before = query($node, $database, $state);
    like($before, qr/^t\|57000000\|3001\|3005\|.*\|00$/, 'given locks, counters and a journal in the old cluster');
    return ($node, $database, $before);
}

sub upgrade {
    my ($name, $old, $programs, $database, $before) = @_;
    my $new = PostgreSQL::Test::Cluster->new("new_$name");
    $new->init(extra => ['--encoding=UTF8', '--locale=C.UTF-8', '--data-checksums']);
    $old->stop;
    chdir PostgreSQL::Test::Utils::tempdir;
    command_ok(['pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $programs, '-B', $bin,
            '-s', $new->host, '-p', $old->port, '-P', $new->port], 'when pg_upgrade has run');
    $new->start;
    is(query($new, $database, $state), $before, 'then all of it is in the new cluster');
    is(query($new, $database, "SELECT vrm.record_login_attempt('mallory', true)"), 'locked', 'locks hold');
    is(query($new, $database, "SELECT vrm.lockout_advance('totp', 'alice', 57000000)"), 'f', 'and no code is good again');
    is(query($new, $database, 'SELECT vrm.audit_drain()'), 3005, 'the journal moves to the audit trail');
    query($new, $database, 'VACUUM (FREEZE)');
    is(query($new, $database, 'SELECT age(datfrozenxid) < 1000 FROM pg_database WHERE datname = current_database()'),
        't', 'and a store without transactions holds up no freezing');
    $new->stop;
    return;
}

my ($same, $database, $before) = old_cluster('same');
# VACUUM and its kin find nothing to do, and break nothing.
query($same, $database, 'VACUUM (FREEZE, ANALYZE) vrm_private.lockout');
query($same, $database, 'VACUUM FULL');
is(query($same, $database, $state), $before, 'VACUUM, of a whole database too, and ANALYZE change nothing');
upgrade('same', $same, $bin, $database, $before);

my @older = older_programs();
SKIP: {
    skip 'no older PostgreSQL beside this one has vrm: VRM_PG=15 ./vrm environment makes one', 1 unless @older;
    for my $programs (@older) {
        my ($from) = $programs =~ m{/(\d+)/bin$};
        subtest "from PostgreSQL $from" => sub {
            my ($old, @known) = old_cluster("from_$from", $programs);
            upgrade($from, $old, $programs, @known);
        };
    }
}
done_testing();
