# Races for what is good once, and what the clock says of who exists: a code and a reset token taken
# by many at a time have one winner, and unknown users cost what known ones cost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use VRM::Server;

my $node = server('accounts');
$node->append_conf('postgresql.conf', <<'SETTINGS');
vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='
vrm.secret_literals = allow
SETTINGS
$node->reload;
my $database = database($node, 'accounts');
query($node, $database, "SELECT vrm.key_create('data')");
my $alice = query($node, $database, "SELECT vrm.sign_up('alice\@example.org', 'correct horse')");
query($node, $database, 'UPDATE auth.users SET email_confirmed_at = now()');
query($node, $database, "UPDATE vrm.lockout_policy SET threshold = 1000 WHERE kind <> 'session'");

# The first sign-in of all makes the key that signs tokens, in whosoever's transaction.
my $first = $node->background_psql($database);
$first->query_safe('BEGIN');
$first->query_safe("SELECT vrm.sign_in('nobody\@example.org', 'wrong horse')");
is(query($node, $database, "SET statement_timeout = '10s'; SELECT status FROM vrm.sign_in('alice\@example.org', 'correct horse')"),
    'ok', 'the first guess of all, in a transaction that stays open, makes nobody wait');
$first->query_safe('COMMIT');
$first->quit;
is(query($node, $database, "SELECT status FROM vrm.sign_in('alice\@example.org', 'correct horse')"), 'ok',
    'nor do the keys of both stand in each other\'s way');

# In a session that has run nothing else: what was read before hides what is not read now.
is(query($node, $database, "SELECT status FROM vrm.sign_in('nobody\@example.org', 'wrong horse')"), 'invalid',
    'an unknown user is answered in a fresh session');

# Runs a statement in so many sessions at once; gives what each printed.
my $scripts = PostgreSQL::Test::Utils::tempdir;

sub race {
    my @runs = start(@_);
    $_->[0]->finish for @runs;
    return map { split /\n/, ${ $_->[1] } } @runs;
}

sub start {
    my ($count, $name, $sql) = @_;
    append_to_file("$scripts/$name.sql", $sql);
    return map {
        my $output = '';
        my $run = IPC::Run::start(
            ['psql', '-XAtq', '-d', $node->connstr($database), '-f', "$scripts/$name.sql"],
            '>', \$output, '2>', \my $errors);
        [$run, \$output]
    } 1 .. $count;
}

sub tally { my ($what, @said) = @_; return scalar grep { $_ eq $what } @said; }

# --- a reset token raced by 16 ---------------------------------------------------------------------

query($node, $database, "SELECT vrm.request_password_reset('alice\@example.org')");
my $token = query($node, $database, 'SELECT token FROM vrm.take_reset_mail()');
my @resets = race(16, 'reset', "SELECT vrm.consume_password_reset('$token', 'another horse');");
is(tally('t', @resets), 1, 'a reset token raced by 16 sets one password');
is(tally('f', @resets), 15, 'and the others are told so');

# --- a code raced by 12 ----------------------------------------------------------------------------

my $secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
query($node, $database, "UPDATE vrm.user_profiles SET mfa_secret = vrm.seal('$secret'), mfa_enabled = true");
my $code = query($node, $database, "SELECT vrm.totp_code('$secret')");
my @codes = race(12, 'code',
    "SELECT status FROM vrm.sign_in('alice\@example.org', 'another horse', totp => '$code');");
is(tally('ok', @codes), 1, 'a code raced by 12 signs in once');
is(tally('invalid', @codes), 11, 'and the others are refused');
query($node, $database, 'UPDATE vrm.user_profiles SET mfa_secret = NULL, mfa_enabled = false');

# --- a guesser who leaves a transaction open ------------------------------------------------------

query($node, $database, "UPDATE vrm.lockout_policy SET threshold = 5 WHERE kind = 'password'");
my $guesser = $node->background_psql($database);
$guesser->query_safe('BEGIN');
is($guesser->query_safe("SELECT (vrm.sign_in('alice\@example.org', 'wrong horse')).status FROM generate_series(1, 5) OFFSET 4"),
    'locked', 'five wrong passwords lock, in a transaction that stays open');
my $soon = "SET statement_timeout = '10s'";
is(query($node, $database, "$soon; UPDATE vrm.user_profiles SET full_name = 'Alice' WHERE email = 'alice\@example.org' RETURNING full_name"),
    'Alice', 'the owner of the account does not wait to change the profile');
is(query($node, $database, "$soon; SELECT vrm.unlock_account('alice\@example.org')"), 't', 'nor an administrator to unlock it');
is(query($node, $database, "$soon; SELECT status FROM vrm.sign_in('alice\@example.org', 'another horse')"),
    'ok', 'nor the owner to sign in');
$guesser->query_safe('ROLLBACK');
$guesser->quit;
query($node, $database, "UPDATE vrm.lockout_policy SET threshold = 1000 WHERE kind = 'password'");

# --- tokens of sessions that nobody has seen begin, or that end elsewhere ------------------------------

my $signed_in = "SELECT access_token FROM vrm.sign_in('alice\@example.org', 'another horse')";
my $rolled_back = query($node, $database, "BEGIN; $signed_in; ROLLBACK");
like(error_of($node, $database, "SELECT vrm.login('$rolled_back')"), qr/^28000: token rejected/,
    'a sign-in that was rolled back leaves no token');
my $access = query($node, $database, $signed_in);
my $holder = $node->background_psql($database, on_error_stop => 0);
like($holder->query("SELECT vrm.login('$access')"), qr/^[0-9a-f-]{36}$/, 'another session takes a token');
query($node, $database, "BEGIN; SELECT vrm.session_revoke_all('$alice'); ROLLBACK");
is($holder->query("SELECT vrm.login('$access')"), '', 'and no more once its session has ended, whatever was rolled back');
$access = query($node, $database, $signed_in);
like($holder->query("SELECT vrm.login('$access')"), qr/^[0-9a-f-]{36}$/, 'the next session');
query($node, $database, "UPDATE vrm_private.sessions SET revoked_at = now() WHERE user_id = '$alice'");
is($holder->query("SELECT vrm.login('$access')"), '', 'ends as well when a DBA ends it');
$access = query($node, $database, $signed_in);
query($node, $database, 'ALTER TABLE vrm_private.sessions RENAME TO elsewhere');
like(error_of($node, $database, "SELECT vrm.login('$access')"), qr/^55000: sessions cannot be looked up/,
    'what cannot be asked is said, and lets nobody in');
query($node, $database, 'ALTER TABLE vrm_private.elsewhere RENAME TO sessions');
$holder->quit;

# --- a refresh token raced by 8 --------------------------------------------------------------------

my $refresh = query($node, $database,
    "SELECT refresh_token FROM vrm.sign_in('alice\@example.org', 'another horse')");
my @refreshed = race(8, 'refresh', "SELECT status || refresh_token FROM vrm.session_refresh('$refresh');");
is(scalar(grep { /^ok/ } @refreshed), 8, 'a refresh token raced by 8 tabs is good for all of them');
is(scalar(keys %{ { map { $_ => 1 } @refreshed } }), 1, 'and they get the same one');
my $next = substr $refreshed[0], 2;
like(query($node, $database, "SELECT status, refresh_token FROM vrm.session_refresh('$next')"), qr/^ok/, 'it refreshes the session');
query($node, $database, "BEGIN; SELECT status FROM vrm.session_refresh('$refresh'); ROLLBACK");
like(error_of($node, $database, "SELECT 1 / (status = 'ok')::int FROM vrm.session_refresh('$next')"), qr/^22012/,
    'the older one ends it, whatever is rolled back');

# --- a storm of passwords ---------------------------------------------------------------------------
# The places for hashing are locks of a class that SQL cannot take.

my $session = $node->background_psql($database);
query($node, $database, "LOAD 'vrm'; ALTER SYSTEM SET vrm.password_hashes_at_once = 2");
$node->reload;
my @storm = start(6, 'storm', "SELECT status FROM vrm.sign_in('nobody\@example.org', 'wrong horse');\n" x 5);
my ($most, $waited, $began, $clients) = (0, 0, 0, 1);
while (!$began || $clients > 0) {
    (my ($hashing, $waiting), $clients) = split /\|/, $session->query_safe(
        'SELECT count(*) FILTER (WHERE granted), count(*) FILTER (WHERE NOT granted),'
          . " (SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%wrong horse%' AND pid <> pg_backend_pid())"
          . " FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 3");
    $began ||= $clients > 0;
    $most = $hashing if $hashing > $most;
    $waited ||= $waiting > 0;
}
is(tally('invalid', map { $_->[0]->finish; split /\n/, ${ $_->[1] } } @storm), 30, 'all of 30 passwords are looked at');
is($most, 2, 'two at a time');
ok($waited, 'while the others wait');
query($node, $database, 'ALTER SYSTEM RESET vrm.password_hashes_at_once');
$node->reload;

# --- time ------------------------------------------------------------------------------------------
# The chance that an attempt at one address takes longer than at another, from attempts by turns.

sub chance_of_longer {
    my ($samples, %address) = @_;
    my %spent;
    for my $sample (1 .. $samples) {
        for my $who (sort keys %address) {
            my $mail = $address{$who} =~ s/SAMPLE/$sample/r;
            my $began = time;
            $session->query_safe("SELECT status FROM vrm.sign_in('$mail', 'wrong horse')");
            push @{ $spent{$who} }, time - $began;
        }
    }
    my ($longer, $pairs) = (0, 0);
    for my $known (@{ $spent{known} }) {
        for my $unknown (@{ $spent{unknown} }) {
            $longer += $known > $unknown ? 1 : $known == $unknown ? 0.5 : 0;
            $pairs++;
        }
    }
    return $longer / $pairs;
}

my $auc = chance_of_longer(60, known => 'alice@example.org', unknown => 'nobodySAMPLE@example.org');
note sprintf('AUC of a wrong password against an unknown user: %.3f', $auc);
cmp_ok(abs($auc - 0.5), '<=', 0.1, 'the clock does not tell who exists');

query($node, $database, "SELECT vrm.lockout_lock('password', name || '\@example.org', 'infinity')"
      . " FROM (VALUES ('alice'), ('nobody')) AS v (name)");
$auc = chance_of_longer(300, known => 'alice@example.org', unknown => 'nobody@example.org');
note sprintf('AUC of a locked user against a locked address of nobody: %.3f', $auc);
cmp_ok(abs($auc - 0.5), '<=', 0.1, 'nor when both are locked');
$session->quit;

$node->stop;
done_testing();
