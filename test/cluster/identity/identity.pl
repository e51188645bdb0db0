# How long an identity lasts: across transactions, connections, servers, and behind a transaction
# pooler.  test/sql has what happens within one transaction.
use strict;
use warnings;
use Digest::SHA;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 qw(encode_base64url);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1, extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
$node->append_conf('postgresql.conf', <<'CONF');
max_prepared_transactions = 2
vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='
CONF
$node->start;
database($node, 'app');

my $tokens = slurp_file("$FindBin::Bin/../../data/tokens.sql");
my ($key_set) = $tokens =~ /^\\set key_set '(.*)'$/m;
my %believed = $tokens =~ /^\('([^']+)', '([^']+)'\)[,;]$/mg;
my ($first, $second) = @believed{ 'ES256', 'second user' };
my ($one, $two) = map { "0e6f1b7c-0000-7000-8000-00000000000$_" } 1, 2;
my $forged = qq({"sub": "$one"});
my $compact = qq({"sub":"$one"});  # without the space that would end an option
query($node, 'app', "SELECT vrm.jwk_import('$key_set', 'https://issuer.example', 'authenticated')");
query($node, 'app', "CREATE ROLE client LOGIN IN ROLE authenticated");
my $client = $node->connstr('app') . ' user=client';

# What the client gets for some statements, lines joined; errors as SQLSTATE.
sub as_client {
    my ($sql, $options) = @_;
    my ($stdout, $stderr);
    local $ENV{PGOPTIONS} = $options // '';
    IPC::Run::run ['psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $client], '<', \$sql,
      '>', \$stdout, '2>', \$stderr;
    my @errors = $stderr =~ /(?:ERROR|FATAL): .*?(\w{5})$/mg;
    return join ' ', grep { /\S/ } split(/\n/, $stdout), @errors;
}

# --- the end of a transaction ---------------------------------------------------------------------

my $who = "SELECT coalesce(vrm.uid()::text, 'nobody');";
my $login = "SELECT vrm.login('$first') \\g /dev/null\n";

is(as_client("BEGIN; $login $who COMMIT; $who"), "$one nobody", 'COMMIT ends an identity');
is(as_client("BEGIN; $login $who ROLLBACK; $who"), "$one nobody", 'so does ROLLBACK');
is(as_client("$login $who"), 'nobody', 'so does the end of a statement alone');
is(as_client("BEGIN; $login SELECT 1/0; COMMIT; $who"), 'nobody 22012', 'so does an error');
is(as_client("BEGIN; $login COMMIT AND CHAIN; $who COMMIT;"), 'nobody', 'so does COMMIT AND CHAIN');
is(as_client("BEGIN; $login PREPARE TRANSACTION 'p'; $who COMMIT PREPARED 'p'; $who"),
    'nobody nobody', 'so does PREPARE TRANSACTION');
is(as_client("BEGIN; $login DISCARD PLANS; $who COMMIT;"), $one, 'DISCARD PLANS does not');
is(as_client("$login DISCARD ALL; $who"), 'nobody', 'after DISCARD ALL there is nobody');
is(as_client("DO 'BEGIN PERFORM vrm.login(''$first''); COMMIT; ASSERT vrm.uid() IS NULL; END';"
          . $who), 'nobody', 'a COMMIT within a procedure ends it too');
is(as_client("SET vrm.token = '$first'; $who BEGIN; SET vrm.token = '$first'; $who COMMIT; $who"),
    "nobody $one nobody", 'SET vrm.token lasts for its transaction, as SET LOCAL does');
is(as_client("BEGIN; SET LOCAL vrm.token = 'x'; $who ROLLBACK; $who"), 'nobody 28000',
    'a bad token is the error of who asks first');
is(as_client("SET vrm.token = '$second'; BEGIN; SET LOCAL vrm.token = '$first'; $who ROLLBACK;"
          . $who), "$one nobody", 'one of the transaction counts, an older one does not');
is(query($node, 'app', "SET vrm.identity = '$forged'; $who"), 'nobody',
    'not even a superuser has an identity beyond the transaction');
is(as_client("BEGIN; $login DECLARE c CURSOR WITH HOLD FOR $who COMMIT; FETCH ALL c; $who"),
    "$one nobody", 'a held cursor has the rows that were its maker\'s');

# --- settings that come from elsewhere ------------------------------------------------------------

is(as_client($who, "-c vrm.identity=$compact"), 'nobody', 'the connection brings no identity');
is(as_client($who, "-c vrm.token=$first"), 'nobody', 'nor a token');
is(as_client($who, "-c vrm.trusted_logins=client -c request.jwt.claims=$compact"), 'nobody',
    'nor trust');
is(as_client("ALTER ROLE client SET vrm.identity = '$forged';"), '42501',
    'a role leaves itself no identity before the library is loaded');
is(as_client("ALTER ROLE client SET vrm.trusted_logins = 'client';"), '42501', 'nor trust');
is(as_client("CREATE FUNCTION pg_temp.f() RETURNS uuid LANGUAGE sql "
          . "SET vrm.identity = '$forged' AS 'SELECT vrm.uid()';"), '42501',
    'nor does a function made before the library is loaded');
is(as_client("ALTER ROLE client SET vrm.token = '$first';"), '42501', 'nor a token');
like(error_of($node, 'app', "SELECT vrm.uid();\nALTER SYSTEM SET vrm.identity = '$forged'"),
    qr/^55P02/, 'the configuration file holds no identity');
query($node, 'postgres', "ALTER DATABASE app SET vrm.trusted_logins = 'gateway, other'");
query($node, 'postgres', 'CREATE ROLE gateway LOGIN IN ROLE authenticated');

# What a client of the middleware sees, after what the middleware said for another one.
sub through_gateway {
    my ($statements) = @_;
    my $seen = $node->safe_psql('app', $statements, extra_params => ['-U', 'gateway']);
    return $seen =~ s/\s+/ /gr;
}

my $set = "SET request.jwt.claims = '$forged';";
my $uid = "SELECT coalesce(vrm.uid()::text, 'nobody');";
is(through_gateway("BEGIN; $set $uid COMMIT;"), $one, 'a DBA trusts a login for a database');
is(through_gateway("BEGIN; $set $uid COMMIT; $uid"), "$one nobody",
    'claims that were set without LOCAL end with their transaction');
is(through_gateway("$set $uid"), 'nobody', 'also when vrm is loaded later');
is(through_gateway("$set BEGIN; SET LOCAL request.jwt.claims = '$forged'; $uid COMMIT; $uid"),
    "$one nobody", 'and do not come back after those of another transaction');
is(through_gateway("BEGIN; $set $uid PREPARE TRANSACTION 'x'; $uid ROLLBACK PREPARED 'x';"),
    "$one nobody", 'a prepared transaction leaves none either');
is(as_client("SET request.jwt.claims = '$forged'; $who"), 'nobody', 'and nobody else');

# --- session login --------------------------------------------------------------------------------

query($node, 'postgres', 'ALTER ROLE client IN DATABASE app SET vrm.session_login = on');
is(as_client("$login $who BEGIN; $who COMMIT; $who"), "$one $one $one",
    'vrm.session_login lets it last');
is(as_client("$login BEGIN; SELECT vrm.login('$second') \\g /dev/null\nROLLBACK; $who"), $one,
    'but for what is rolled back');
is(as_client("$login DISCARD ALL; $who"), 'nobody', 'until DISCARD ALL');
is(as_client("$login SELECT vrm.logout() \\g /dev/null\n$who"), 'nobody', 'or vrm.logout()');
query($node, 'postgres', 'ALTER ROLE client IN DATABASE app RESET vrm.session_login');

# --- why a token was refused stands in the log, and only there ------------------------------------

my $offset = -s $node->logfile;
my @refused = $tokens =~ /^\('((?:[^']|'')+)', '((?:[^']|'')+)', E?'(?:[^']|'')*'\)[,;]$/mg;
my $attempts = join '',
  map { "SELECT vrm.login(token) FROM refused WHERE name = '$refused[2 * $_]';\n" }
  0 .. $#refused / 2;
my (undef, undef, $errors) = $node->psql('app', "$tokens\n$attempts", on_error_stop => 0);
unlike($errors, qr/DETAIL|HINT|refused:/, 'the client learns no reason');
my @reasons = slurp_file($node->logfile, $offset) =~ /DETAIL:  The token was refused: (.*)\.$/mg;
cmp_ok(scalar @refused, '>', 100, 'given tokens that are refused, each with its reason');
is(scalar @reasons, @refused / 2, 'each refusal is logged with a reason');
for my $i (0 .. $#reasons) {
    my ($name, $reason) = map { s/''/'/gr } @refused[2 * $i, 2 * $i + 1];
    like($reasons[$i], qr/\Q$reason\E/i, "logged: $name");
}

# --- expiry, by tokens made here ------------------------------------------------------------------

my $secret = 'thirty-two bytes that nobody knows';
my $shared = encode_base64url($secret);
query($node, 'app', <<"SQL");
SELECT vrm.key_create('data');
SELECT vrm.jwk_import('{"keys": [{"kid": "shared", "kty": "oct", "k": "$shared"}]}', 'here');
SQL

# A token of this moment and so many seconds.
sub token {
    my (%seconds) = @_;
    my $times = join '', map { sprintf ', "%s": %d', $_, time + $seconds{$_} } sort keys %seconds;
    my $signed = encode_base64url('{"alg": "HS256", "kid": "shared"}') . '.'
      . encode_base64url(qq({"iss": "here", "sub": "$one"$times}));
    return "$signed." . encode_base64url(Digest::SHA::hmac_sha256($signed, $secret));
}

my $tight = 'ALTER ROLE client SET vrm.clock_skew = 0';
my $loose = 'ALTER ROLE client SET vrm.clock_skew = 600';
sub login_with {
    my ($token) = @_;
    return as_client("SELECT vrm.login('$token')");
}
query($node, 'app', $loose);
is(login_with(token(exp => -300)), $one, 'within the clock skew a token is still good');
is(login_with(token(exp => 9000, nbf => 300)), $one, 'or already');
is(login_with(token(exp => -900)), '28000', 'beyond it, it is not');
is(login_with(token(exp => 9000, nbf => 900)), '28000', 'neither way');
query($node, 'app', $tight);
is(login_with(token(exp => -300)), '28000', 'without skew neither is the first');
is(login_with(token(exp => 9000, nbf => 300)), '28000', 'nor the second');

my $aging = token(exp => -300);
my $kept = 'SELECT coalesce(vrm.uid()::text, $$nobody$$)';
query($node, 'app', "$loose; GRANT SET ON PARAMETER vrm.clock_skew TO client");
is(as_client("BEGIN; SELECT vrm.login('$aging'); SET vrm.clock_skew = 0; $kept; COMMIT;"),
    "$one nobody", 'an identity expires within its transaction');
is(as_client("SELECT vrm.login('$aging'); SET vrm.clock_skew = 0; SELECT vrm.login('$aging');"),
    "$one 28000", 'a token that is remembered expires all the same');
is(as_client("BEGIN; SET LOCAL vrm.token = '$aging'; $kept; SET vrm.clock_skew = 0; $kept; "
          . 'COMMIT;'),
    "$one nobody", 'so does a lazy one');
query($node, 'app', 'ALTER ROLE client RESET vrm.clock_skew');

# --- other backends, and a standby ----------------------------------------------------------------

$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;

sub background {
    my ($connection) = @_;
    return $node->background_psql('app', on_error_stop => 0, extra_params => ['-d', $connection]);
}
# Whether a token is believed now, in a session that goes on whatever the answer.
sub tries {
    my ($session) = @_;
    $session->query(<<"SQL");
DO \$\$
BEGIN
    PERFORM set_config('my.result', vrm.login('$first')::text, false);
EXCEPTION WHEN SQLSTATE '28000' THEN
    PERFORM set_config('my.result', 'refused', false);
END
\$\$;
SQL
    return $session->query("SELECT current_setting('my.result');");
}
my $warm = background($client);
my $warm_standby = background($standby->connstr('app') . ' user=client');
is(tries($warm), $one, 'a backend that knows the key');
is(tries($warm_standby), $one, 'login works on a standby');
query($node, 'app', "SELECT vrm.jwk_revoke('ec')");
$node->wait_for_catchup($standby);
is(tries($warm),
    'refused', 'notices that it has been revoked');
is(tries($warm_standby),
    'refused', 'and so does one on the standby');
query($node, 'app', "SELECT vrm.jwk_import('$key_set', 'https://issuer.example', 'authenticated')");
is(tries($warm), $one, 'and that it is back');
$warm->quit;
$warm_standby->quit;
$standby->stop;

done_testing();
