# pg_upgrade carries the lockout store, whose file is of an access method of our own, and the journal,
# whose rows belong to no transaction: locks hold and nothing is lost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $old = server('old');
my $database = database($old, 'accounts');
query($old, $database, "UPDATE vrm.lockout_policy SET base_lock = '1 day' WHERE kind = 'password'");
query($old, $database, "BEGIN; SELECT vrm.record_login_attempt('mallory', false) FROM generate_series(1, 5); ROLLBACK");
query($old, $database, "SELECT vrm.record_login_attempt('u' || i, false) FROM generate_series(1, 3000) i");
query($old, $database, "SELECT vrm.lockout_advance('totp', 'alice', 57000000)");

my $state = <<'SQL';
SELECT vrm.is_locked('mallory'), (vrm.lockout_state('totp', 'alice')).value, vrm.check_lockout_store(),
       (SELECT count(*) FROM vrm_private.audit_journal),
       (SELECT md5(string_agg(l::text, ' ' ORDER BY key)) FROM vrm_private.lockout l)
SQL
my $before = query($old, $database, $state);
like($before, qr/^t\|57000000\|3002\|3005\|/, 'given locks, counters and a journal in the old cluster');

# VACUUM and its kin find nothing to do, and break nothing.
query($old, $database, 'VACUUM (FREEZE, ANALYZE) vrm_private.lockout');
like(error_of($old, $database, 'VACUUM FULL vrm_private.lockout'), qr/^0A000/, 'VACUUM FULL is refused');
is(query($old, $database, $state), $before, 'VACUUM and ANALYZE change nothing');

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init(extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
$old->stop;
my $bin = $old->config_data('--bindir');
chdir PostgreSQL::Test::Utils::tempdir;
command_ok(['pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin,
        '-s', $new->host, '-p', $old->port, '-P', $new->port], 'when pg_upgrade has run');
$new->start;
is(query($new, $database, $state), $before, 'then all of it is in the new cluster');
is(query($new, $database, "SELECT vrm.record_login_attempt('mallory', true)"), 'locked', 'locks hold');
is(query($new, $database, "SELECT vrm.lockout_advance('totp', 'alice', 57000000)"), 'f', 'and no code is good again');
is(query($new, $database, 'SELECT vrm.audit_drain()'), 3005, 'the journal moves to the audit trail');

$new->stop;
done_testing();
