# wal_level = minimal logs nothing of a table that its own transaction has made: what a restore brings into
# the lockout store survives a crash all the same.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

# As for a large store: what is synced at commit is not logged then instead.
my $node = server('minimal');
$node->append_conf('postgresql.conf', "wal_level = minimal\nmax_wal_senders = 0\nwal_skip_threshold = 0");
$node->restart;
my $old = database($node, 'old');
query($node, $old, "SELECT vrm.lockout_lock('password', 'u' || i || '\@example.org', 'infinity') FROM generate_series(1, 40) i;"
      . " SELECT vrm.lockout_lock('ip', 'n' || i, 'infinity') FROM generate_series(1, 40) i");

my $locked = "SELECT count(*) FILTER (WHERE vrm.is_locked('u' || i || '\@example.org')),"
  . " count(*) FILTER (WHERE (vrm.lockout_state('ip', 'n' || i)).locked) FROM generate_series(1, 40) i";

sub crash {
    $node->stop('immediate');
    $node->start;
    return;
}

# --- a restore in one transaction -----------------------------------------------------------------------

my $dump = PostgreSQL::Test::Utils::tempdir . '/dump.sql';
$node->command_ok(['pg_dump', '-f', $dump, $node->connstr($old)], 'a dump');
$node->safe_psql('postgres', 'CREATE DATABASE new');
$node->command_ok(['psql', '-Xq', '-1', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('new')], 'comes back in one transaction');
is(query($node, 'new', $locked), '40|40', 'with every lock');
crash();
is(query($node, 'new', $locked), '40|40', 'which a crash does not take');
is(query($node, 'new', 'SELECT vrm.check_lockout_store()'), '40', 'nor anything else of the store');

# --- VACUUM FULL and TRUNCATE, which write new files, too ----------------------------------------------------

query($node, 'new', 'VACUUM FULL vrm_private.lockout');
crash();
is(query($node, 'new', $locked), '40|40', 'nor one after VACUUM FULL');
query($node, 'new', "BEGIN; TRUNCATE vrm_private.lockout; SELECT vrm.lockout_lock('password', 'after\@example.org', 'infinity'); COMMIT");
crash();
is(query($node, 'new', "SELECT vrm.is_locked('after\@example.org'), vrm.check_lockout_store()"), 't|1',
    'nor one after TRUNCATE and a lock in one transaction');

$node->stop;
done_testing();
