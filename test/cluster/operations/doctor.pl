# The doctor on a server of its own: what a whole server is set to is found, the fix is executed as psql's
# \gexec would do it, and the finding is gone.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $node = server('doctor');
database($node, 'app');

sub sql { return query($node, 'app', $_[0]) }

sub finding {
    my ($column, $check, $detail) = @_;
    return sql(qq{SELECT $column FROM vrm.doctor() WHERE check_name = '$check' AND status <> 'ok' AND detail ~ '$detail'});
}

# Looks for a finding, runs its fix, does what the hint says, and looks again.
sub mended {
    my ($check, $detail, $name) = @_;
    my $fix = finding('fix_sql', $check, $detail);
    isnt($fix, '', "$name is found, with a fix");
    my $restart = finding('hint', $check, $detail) =~ /restart/i;
    sql("LOAD 'vrm'; $fix") if $fix ne '';
    if ($restart) { $node->restart } else { $node->reload; $node->poll_query_until('app', 'SELECT true') }
    ok($node->poll_query_until('app', qq{SELECT count(*) = 0 FROM vrm.doctor()
        WHERE check_name = '$check' AND status <> 'ok' AND detail ~ '$detail'}), "... and mended: $fix");
}

# Waits until new sessions have a setting.
sub set_to {
    my ($setting, $value) = @_;
    sql("LOAD 'vrm'; ALTER SYSTEM SET $setting = '$value'");
    $node->reload;
    # a setting may be shown as something else than it is set to
    $node->poll_query_until('app', "SELECT vrm.version() <> '' AND
        (SELECT reset_val FROM pg_settings WHERE name = '$setting') = '$value'")
      or die "$setting is not $value";
}

for my $setting (['log_statement', 'all', 'statement_log', 'log_statement is "all"'],
    ['fsync', 'off', 'durability', 'fsync'], ['full_page_writes', 'off', 'durability', 'full_page_writes'],
    ['synchronous_commit', 'off', 'durability', 'synchronous_commit'], ['autovacuum', 'off', 'autovacuum', 'autovacuum is'],
    ['password_encryption', 'md5', 'password_encryption', 'password_encryption is'],
    ['vrm.session_login', 'on', 'identity', 'vrm.session_login']) {
    my ($name, $value, $check, $detail) = @$setting;
    set_to($name, $value);
    mended($check, $detail, "$name = $value");
}
set_to('log_min_duration_statement', 0);
mended('parameter_log', 'log_parameter_max_length is', 'a log of parameters');
set_to('vrm.trusted_logins', 'postgres_api, authenticated');
mended('trusted_logins', '"authenticated"', 'a role that people take as trusted login');

# --- the network -----------------------------------------------------------------------------------

$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\n");
$node->append_conf('pg_hba.conf', "host all all 10.0.0.0/8 trust\n");
$node->restart;
is(finding('fix_sql', 'ssl', 'passwords and tokens travel in clear'), '', 'without a certificate, ssl has no fix');
like(finding('detail', 'client_authentication', '10.0.0.0'), qr/lets all in from 10\.0\.0\.0 without a password/,
    'trust for a network is found');
my $data = $node->data_dir;
SKIP: {
    skip 'openssl is not installed', 2 unless grep { -x "$_/openssl" } split /:/, $ENV{PATH};
    system_log('openssl', 'req', '-new', '-x509', '-nodes', '-subj', '/CN=localhost', '-out', "$data/server.crt",
        '-keyout', "$data/server.key");
    chmod 0600, "$data/server.key";
    mended('ssl', 'passwords and tokens travel in clear', 'ssl = off beside a certificate');
}

# --- archiving and statistics, which take a restart --------------------------------------------------

is(finding('fix_sql', 'archiving', 'archive_mode is off'), '', 'without a command, archive_mode has no fix');
set_to('archive_command', '/bin/true');
is(finding('fix_sql', 'archiving', 'archive_mode is off'), '', '... nor with wal_level = minimal, where no server would start');
mended('archiving', 'wal_level', 'wal_level = minimal');
mended('archiving', 'archive_mode is off', 'archive_mode = off');
set_to('archive_command', '');
like(finding('detail', 'archiving', 'WAL piles up'), qr/there is no archive_command/, 'archiving without a command is found');
sql('ALTER SYSTEM RESET archive_mode');
$node->reload;
ok($node->poll_query_until('app', q{SELECT count(*) = 1 FROM vrm.doctor() WHERE check_name = 'configuration'
    AND detail = 'archive_mode was changed and waits for a restart'}), 'what waits for a restart is found');
SKIP: {
    skip 'pg_stat_statements is not there', 4
      unless sql(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'});
    mended('statement_statistics', 'not preloaded', 'no pg_stat_statements');
    mended('statement_statistics', 'not installed', 'pg_stat_statements in no database');
}
$node->append_conf('postgresql.conf', "shared_buffers = 'plenty'\n");
like(finding('detail', 'configuration', 'shared_buffers'), qr/line \d+/, 'a line of the configuration that is wrong is found');

# --- the master key, and maintenance -----------------------------------------------------------------

my $key = $node->basedir . '/master-key';
append_to_file($key, 'one:' . ('A' x 43) . "=\n");
chmod 0600, $key;
set_to('vrm.master_key_file', $key);
mended('keyring', '"data"', 'no data key');
mended('keyring', '"blind_index"', 'no key of blind indexes');
chmod 0644, $key;
like(finding('status || detail || hint', 'master_key', 'may be read by others'), qr/^fail.*chmod 0600 \Q$key\E$/,
    'a master key that others can read is found');
chmod 0600, $key;
is(finding('detail', 'master_key', '.'), '', '... and chmod mends it');

mended('maintenance', 'has not been called', 'maintenance that has never been done');
sql(q{UPDATE vrm.retention_runs SET state = 'failed', error = 'disk full' WHERE policy = 'logs.error'});
mended('retention', 'disk full', 'a policy that has failed');

# --- who may look -------------------------------------------------------------------------------------

sql('CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher');
cmp_ok($node->safe_psql('app', 'SELECT count(*) FROM vrm.doctor()', extra_params => ['-U', 'watcher']), '>', 30,
    'a member of pg_monitor sees it all');

$node->stop;
done_testing();
