# Sealed values outside one session: what the disk, the log and a dump show, master keys that are
# not as they should be, values of other databases, and a second implementation that opens them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Find;
use MIME::Base64;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $secret = 'plaintext-that-must-not-show-5b1f';
my $literal = 'literal-that-must-not-show-77aa';
my $tool = "$FindBin::Bin/../../../tools/open_sealed.py";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
my $superuser = getpwuid $<;
my $directory = PostgreSQL::Test::Utils::tempdir;
my $file = "$directory/master-key";

# Replaces the master key file.
sub write_master {
    my ($content, $mode) = @_;
    unlink $file;
    append_to_file($file, $content);
    chmod $mode // 0600, $file;
    return;
}
my $line = 'first:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=';
my $other = 'second:' . 'A' x 43 . '=';
write_master("$line\n");
$node->append_conf('postgresql.conf', <<"SETTINGS");
vrm.trusted_logins = '$superuser'
vrm.master_key_file = '$file'
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track = all
log_statement = all
log_min_messages = debug2
log_min_error_statement = debug5
log_min_duration_statement = 0
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
debug_print_parse = on
debug_print_rewritten = on
debug_print_plan = on
SETTINGS
$node->start;
database($node, 'app');
query($node, 'app', 'CREATE EXTENSION pg_stat_statements');
query($node, 'app', "SELECT vrm.key_create('data'), vrm.key_create('blind_index')");
my $alice = person($node, 'app', 'alice@example.org');

# --- given: a key stored as applications do, with a parameter, and statements that fail ------------

# pgbench sends its variables as parameters; psql before 16 cannot.
sub with_parameter {
    my ($mode, $sql) = @_;
    my $script = "$directory/script.sql";
    unlink $script;
    append_to_file($script, $sql);
    my ($out, $errors) = ('', '');
    IPC::Run::run ['pgbench', '-n', '-t', 1, '-M', $mode, '-D', "secret=$secret", '-f', $script,
        $node->connstr('app')], '>', \$out, '2>', \$errors;
    return $errors;
}
my $identity = "SELECT set_config('request.jwt.claims', '{\"sub\": \"$alice\"}', true);";
for my $mode (qw(extended prepared)) {
    my $errors = with_parameter($mode, "BEGIN; $identity "
          . "SELECT vrm.store_api_key('$mode', :secret); COMMIT;");
    unlike($errors, qr/ERROR/, "a key is stored, $mode");
    like(with_parameter($mode, "SELECT vrm.seal(:secret, (1 / 0)::text::bytea);"), qr/ERROR/,
        "a statement with it fails, $mode");
    like(with_parameter($mode, "SELECT vrm.store_api_key('nobody', :secret);"), qr/ERROR/,
        "a function with it fails, $mode");
}
query($node, 'app', 'CHECKPOINT');
my $stored = "$alice," . query($node, 'app', "SELECT id FROM vrm.api_keys WHERE service = 'prepared'");
is(query($node, 'app', "SELECT vrm.reveal_row('vrm.api_keys', 'key', '($stored)')"), $secret,
    'it is there');

# --- what shows it --------------------------------------------------------------------------------

# Files under a directory that hold one of the texts.
sub holding {
    my ($where, @texts) = @_;
    my @found;
    find(sub {
            return unless -f $_ && -r _;
            my $content = slurp_file($_);
            push @found, $File::Find::name if grep { index($content, $_) >= 0 } @texts;
    }, $where);
    return "@found";
}
my $keyring = "$directory/keyring";
sub write_keyring {
    my ($database) = @_;
    unlink $keyring;
    append_to_file($keyring, query($node, $database,
            "SELECT key_id, purpose, kek_id, encode(wrapped, 'hex') FROM vrm_private.keyring") . "\n");
    return;
}
write_keyring('app');
my $key_id = query($node, 'app', "SELECT key_id FROM vrm.keyring_status WHERE purpose = 'data'");
my ($key) = run_command(['python3', '-c', <<"PYTHON"]);
import sys
sys.path.insert(0, "$FindBin::Bin/../../../tools")
import open_sealed
print(open_sealed.unwrap(open_sealed.read_masters("$file"), "$keyring", $key_id).hex())
PYTHON
is(length $key, 64, 'the data key is known to this test');
my @hidden = ($secret, unpack('H*', $secret), $key, pack('H*', $key),
    'c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=', 'sixteen bytes and sixteen more!!');

like(slurp_file($node->logfile), qr/store_api_key\('prepared', \$1\)/, 'the log has the statements');
is(holding($node->logfile, @hidden), '', 'but neither plaintext nor keys');
is(holding($node->data_dir . '/pg_wal', @hidden), '', 'nor has the WAL');
is(holding($node->data_dir . '/base', @hidden), '', 'nor have heap and indexes');
is(query($node, 'app', "SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%$secret%'"), 0,
    'nor pg_stat_statements');
cmp_ok(query($node, 'app', "SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%store_api_key%'"),
    '>', 0, 'which has the statements');
for my $format (qw(plain directory)) {
    command_ok(['pg_dump', '-Z', 0, "-F$format", '-f', "$directory/$format", $node->connstr('app')],
        "a $format dump is made");
    is(holding("$directory/$format", @hidden), '', 'nor has it');
}
like(holding($directory, @hidden), qr/master-key/, 'the search would find them');

# A literal cannot be kept out of log_statement; out of the activity it can.
my $sleeper = IPC::Run::start ['psql', '-XAtq', '-c', "SELECT vrm.seal('$literal'), pg_sleep(60)",
    '-d', $node->connstr('app')], '>', \my $ignored, '2>', \my $warning;
ok($node->poll_query_until('app', "SELECT EXISTS (SELECT FROM pg_stat_activity"
          . " WHERE query = '<statement hidden: it contains a secret as a literal>')"),
    'pg_stat_activity hides a statement with a literal');
is(query($node, 'app', "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%' || 'literal' || '-that%'"
          . ' AND pid <> pg_backend_pid()'), 0, 'all of it');
query($node, 'app', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '<statement%'});
$sleeper->finish;
like($warning, qr/the text of the statement contains a secret/, 'who sent it is warned');

# What the statement runs is quoted by context and query of whatever is logged, which starts with our warning.
query($node, 'app', 'ALTER SYSTEM SET log_statement = none');
query($node, 'app', 'ALTER SYSTEM SET log_min_duration_statement = -1');
query($node, 'app', 'ALTER SYSTEM SET log_min_messages = warning');
for my $print (qw(parse rewritten plan)) { query($node, 'app', "ALTER SYSTEM SET debug_print_$print = off"); }
$node->reload;
ok($node->poll_query_until('app', q{SELECT current_setting('log_min_messages') = 'warning'}), 'a log as it is by default');
for my $policy (qw(warn error)) {
    my $from = -s $node->logfile;
    my $inner = "quoted-that-must-not-show-$policy";
    like(error_of($node, 'app', "SET vrm.secret_literals = $policy; DO \$\$ BEGIN PERFORM vrm.seal('$inner');"
              . " RAISE EXCEPTION 'later'; END \$\$"), $policy eq 'warn' ? qr/later/ : qr/^22023/, "$policy: in a block");
    my $said = substr(slurp_file($node->logfile), $from);
    like($said, qr/the text of the statement contains a secret/, "$policy: the log says so");
    unlike($said, qr/\Q$inner\E/, "$policy: without it");
}

# --- the second implementation --------------------------------------------------------------------

sub open_sealed {
    my ($envelope, @options) = @_;
    my ($out, $errors) = run_command(['python3', $tool, $file, $keyring, $envelope, @options]);
    return $out ne '' ? $out : "failed: $errors";
}
my $sealed = query($node, 'app', "SELECT encode(vrm.seal(repeat('x', 100)::vrm.secret, 'here'), 'hex')");
is(open_sealed($sealed, '--context', unpack('H*', 'here')), 'x' x 100, 'Python opens what vrm sealed');
like(open_sealed($sealed, '--context', unpack('H*', 'there')), qr/^failed: the value does not open/,
    'with the right context');
my ($envelope, $column, $id, $salt) = split /\|/, query($node, 'app', <<'SQL');
SELECT encode(k.key, 'hex'), c.column_id, k.id, encode(s.salt, 'hex')
FROM vrm.api_keys k JOIN vrm_private.subject_keys s ON s.subject = k.user_id,
     vrm_private.sealed_columns c
WHERE c.relation = 'vrm.api_keys'::regclass AND k.service = 'prepared'
SQL
my @row = ('--column', $column, '--salt', $salt, '--key', "uuid:$alice", "uuid:$id");
is(open_sealed($envelope, @row), $secret, 'and what is bound to a row and a user');

sub seal_outside {
    my ($text, @options) = @_;
    my ($out, $errors);
    IPC::Run::run ['python3', $tool, $file, $keyring, '--seal', $key_id, @options], '<', \$text,
      '>', \$out, '2>', \$errors;
    chomp $out;
    return $out;
}
is(query($node, 'app', "SELECT vrm.reveal('\\x" . seal_outside('from outside') . "')"), 'from outside',
    'vrm opens what Python sealed');
query($node, 'app', "UPDATE vrm.api_keys SET key = '\\x" . seal_outside('new key', @row)
      . "' WHERE id = '$id'");
is(query($node, 'app', "SELECT vrm.reveal_row('vrm.api_keys', 'key', '($stored)')"), 'new key',
    'bound to a row and a user, too');

query($node, 'app', "CREATE TABLE t (a int, b text, v bytea, PRIMARY KEY (a, b));"
      . "SELECT vrm.seal_column('t', 'v');"
      . "INSERT INTO t VALUES (-7, 'Größe', vrm.seal(repeat('v', 9)::vrm.secret))");
($envelope, $column) = split /\|/, query($node, 'app',
    "SELECT encode(v, 'hex'), column_id FROM t, vrm_private.sealed_columns WHERE relation = 't'::regclass");
is(open_sealed($envelope, '--column', $column, '--key', 'int:-7', 'text:Größe'), 'v' x 9,
    'primary keys of numbers and text are encoded alike');

# --- values of another database -------------------------------------------------------------------

database($node, 'other');
query($node, 'other', "SELECT vrm.key_create('data')");
my $shut = qr/^22000: value cannot be opened \| DETAIL/;
like(error_of($node, 'other', "SELECT vrm.reveal('\\x$sealed', 'here')"), $shut,
    'a value of another database does not open');
query($node, 'other',
    "SELECT vrm.key_import('data', '" . encode_base64(pack('H*', $key), '') . "')");
is(query($node, 'other', "SELECT vrm.reveal('\\x$sealed', 'here')"), 'x' x 100,
    'until its key is imported');

# --- master keys that are not as they should be ----------------------------------------------------

# A new session needs the key; this is its error.
sub fault { return error_of($node, 'app', "SELECT vrm.reveal('\\x$sealed', 'here')"); }

write_master("$other\n$line\n");
is(fault(), '', 'a key may have another line');
is(query($node, 'app', 'SELECT vrm.rewrap_keys()'), 2, 'the first line wraps from now on');
write_master("$other\n");
is(fault(), '', 'and the old one is not needed');
is(query($node, 'app', 'SELECT bool_and(usable) FROM vrm.keyring_status'), 't', 'as keyring_status says');

write_master("$line\n");
like(fault(), qr/^F0000: the master key is missing .*"second".* \| HINT:  Put its line back/,
    'a missing line is named');
is(query($node, 'app', 'SELECT bool_or(usable) FROM vrm.keyring_status'), 'f', 'keyring_status says so');
write_master($line =~ s/first/second/r . "\n");
like(fault(), qr/^F0000: the master key does not open the keyring .*is not the one that wrapped/,
    'a wrong key is told from a missing one');
write_master("$other\n$other\n");
like(fault(), qr/^F0000: the master keys cannot be read .*Line 2 repeats the id/, 'two lines with one id');
write_master("second\n");
like(fault(), qr/Line 1 has no colon.*HINT:  A line reads ID:KEY/, 'a line without a key');
write_master('');
like(fault(), qr/There is no key/, 'an empty file');
write_master("$other\n", 0640);
like(fault(), qr/may be read by others\. \| HINT:  chmod 0600 \Q$file\E/, 'a file that a group may read');
write_master("$other\n", 0604);
like(fault(), qr/may be read by others/, 'or everybody');
SKIP: {
    my $foreign = "$ENV{TESTDIR}/file_of_nobody";  # root made it, who ran the check
    skip 'only root can make a file of another user', 1 unless -e $foreign;
    like(with_setting('master_key_file', $foreign), qr/belongs to another user\. \| HINT:  chown $< \Q$foreign\E/,
        'a file of another user');
}
query($node, 'app', 'CREATE ROLE reader LOGIN; GRANT vrm_reveal TO reader; GRANT USAGE ON SCHEMA vrm TO reader');
unlike(error_of($node, 'app', "SET ROLE reader; SELECT vrm.reveal('\\x$sealed', 'here')"), qr/\Q$file\E/,
    'its name is not for everybody');
unlink $file;
my ($command) = fault() =~ /cannot be opened: No such file.*If there has never been one, as the server's user: (\(.*\))/s;
ok($command, 'no file');
is(system('bash', '-c', $command), 0, 'its HINT can be run');
my $made = slurp_file($file);
like($made, qr/^[-\d]+:\S{44}\n$/, 'and makes a key');
isnt(system('bash', '-c', "$command 2>/dev/null"), 0, 'once:');
is(slurp_file($file), $made, 'what is there it leaves alone');
chmod 0000, $file;
($command) = fault() =~ /cannot be opened: Permission denied.*HINT:  As root: (.*)/s;
SKIP: {
    skip 'nothing is closed to root', 2 if $< == 0;
    is(system('bash', '-c', $command), 0, 'so does the HINT about a file that cannot be read');
    is(slurp_file($file), $made, 'whose keys stay');
}
unlink $file;
mkdir $file;
like(fault(), qr/is not a regular file/, 'a directory');
rmdir $file;

sub with_setting {
    my ($name, $value) = @_;
    return error_of($node, 'app', "SET vrm.$name = \$\$$value\$\$;"
          . " SELECT vrm.reveal('\\x$sealed', 'here')");
}
my $inside = $node->data_dir . '/master-key';
append_to_file($inside, "$other\n");
chmod 0600, $inside;
like(with_setting('master_key_file', $inside), qr/lies in the data directory.*HINT:  Move it elsewhere/,
    'a file in the data directory');
symlink $inside, "$directory/link";
like(with_setting('master_key_file', "$directory/link"), qr/lies in the data directory/, 'by whatever name');
like(with_setting('master_key_file', ''), qr/^F0000: no master key is configured .*openssl rand -base64 32/,
    'no setting at all');
is(with_setting('master_key_command', "echo $other"), '', 'a command is as good as a file');
like(with_setting('master_key_command', 'echo secret-output; exit 3'),
    qr/^F0000: the master key command failed .*ended with status 3/, 'a command that fails');
unlike(with_setting('master_key_command', 'echo secret-output'), qr/secret-output \|/, 'is not quoted');
my $before = time;
like(error_of($node, 'app', "SET statement_timeout = '500ms'; SET vrm.master_key_command = 'sleep 3600';"
          . " SELECT vrm.reveal('\\x$sealed', 'here')"), qr/^57014/, 'one that hangs can be cancelled');
cmp_ok(time - $before, '<', 60, 'at once');
like(with_setting('master_key_command', 'sleep 3600'), qr/took longer than 10 seconds/,
    'and ends by itself');
my $planted = "SET vrm.master_key_command = 'touch $directory/planted; echo $other'";
like(error_of($node, 'app', "SELECT vrm.is_sealed(''); SET ROLE reader; $planted"), qr/^42501/,
    'the command is the superuser\'s to set');
error_of($node, 'app', "SET ROLE reader; $planted; SELECT vrm.reveal('\\x$sealed', 'here')");
ok(!-e "$directory/planted", 'also before the module is loaded');

# --- nonces of parallel workers --------------------------------------------------------------------

write_master("$other\n");
query($node, 'app', 'SET log_statement = none; CREATE TABLE many AS'
      . " SELECT vrm.seal('x') AS v FROM generate_series(1, 300000)");
my ($plan, $nonces) = query($node, 'app', <<'SQL') =~ /(.*)\n(\d+)$/s;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
SET debug_print_plan = off;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT count(DISTINCT n) FROM (SELECT substr(vrm.reseal(v), 13, 24) AS n FROM many OFFSET 0) AS s;
SELECT count(DISTINCT n) FROM (SELECT substr(vrm.reseal(v), 13, 24) AS n FROM many OFFSET 0) AS s;
SQL
like($plan, qr/Workers Launched: [1-9]/, 'workers seal');
is($nonces, 300000, 'and never repeat a nonce');

$node->stop;
done_testing();
