# A session of a pool on a logical subscriber, which has kept keys, tokens and sessions: what the publisher rotates, destroys,
# revokes and shreds counts there, too, once it has been applied.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;
use VRM::Tokens;

my %servers = map { $_ => PostgreSQL::Test::Cluster->new($_) } 'publisher', 'subscriber';
for my $server (values %servers) {
    $server->init(allows_streaming => 'logical', extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
    $server->append_conf('postgresql.conf', <<'SETTINGS');
vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='
vrm.secret_literals = allow
SETTINGS
    $server->start;
    database($server, 'app');
}
my ($publisher, $subscriber) = @servers{ 'publisher', 'subscriber' };

sub applied { $publisher->wait_for_catchup('follow'); return; }

# --- given: a subscription to keys and to what is sealed with them ---------------------------------

my $first_key = query($publisher, 'app', "SELECT vrm.key_create('data')");
my ($token) = token_bearers($publisher, 'app');
my $owner = query($publisher, 'app', q{SELECT id FROM vrm.user_profiles WHERE email = 'one@example.org'});
query($publisher, 'app', <<'SQL');
CREATE TABLE vault (owner uuid, id bigint, sealed vrm.sealed, PRIMARY KEY (owner, id));
SELECT vrm.seal_column('vault', 'sealed', true);
SQL
query($publisher, 'app', "INSERT INTO vault VALUES ('$owner', 1, vrm.seal('a letter'))");
my $published = 'vrm_private.keyring, vrm_private.subject_keys, vrm_private.jwt_keys, vault,'
  . ' auth.users, vrm.user_profiles, vrm_private.sessions, vrm_private.account_locks, vrm_private.linked_identities';
query($publisher, 'app', "CREATE PUBLICATION keys FOR TABLE $published");
my $schema = PostgreSQL::Test::Utils::tempdir . '/vault.sql';
$publisher->command_ok(['pg_dump', '-s', '-t', 'vault', '-f', $schema, $publisher->connstr('app')], 'the table is dumped');
$subscriber->command_ok(['psql', '-Xqd', $subscriber->connstr('app'), '-v', 'ON_ERROR_STOP=1', '-f', $schema],
    'and made on the subscriber');
query($subscriber, 'app', 'CREATE SUBSCRIPTION follow CONNECTION '
      . q{'} . $publisher->connstr('app') =~ s/'/''/gr . q{'} . ' PUBLICATION keys');
$subscriber->wait_for_subscription_sync($publisher, 'follow', 'app');

my $pooled = $subscriber->background_psql('app', on_error_stop => 0);
my $kept = query($publisher, 'app', "SELECT vrm.seal('kept')");
my $open = "SELECT vrm.reveal('$kept');";
my $read = "SELECT vrm.reveal_row('vault', 'sealed', '($owner,1)');";
my $login = "BEGIN; SELECT vrm.login('$token'); COMMIT;";
my $problem = "BEGIN; SELECT set_config('vrm.token', '$token', true) \\g /dev/null\nSELECT vrm.account_problem(); COMMIT;";
is($pooled->query($open), 'kept', 'a session there opens a value');
is($pooled->query($read), 'a letter', 'and one of a person');
is($pooled->query($login), $owner, 'takes a token');
is($pooled->query($problem), '', 'and lets its owner act');

# --- rotation and destruction ----------------------------------------------------------------------

my $second_key = query($publisher, 'app', "SELECT vrm.key_create('data')");
my $later = query($publisher, 'app', "SELECT vrm.seal('later')");
query($publisher, 'app', 'UPDATE vault SET sealed = sealed');
applied();
is($pooled->query("SELECT vrm.reveal('$later');"), 'later', 'it sees the new key');
is($pooled->query("SELECT vrm.key_of(vrm.seal('x'));"), $second_key, 'and seals with it');
query($publisher, 'app', "SELECT vrm.key_destroy($first_key)");
applied();
is($pooled->query($open), '', 'it no longer uses the destroyed one');
is($pooled->query($read), 'a letter', 'what was sealed anew opens');

# --- locks, sessions, tokens -----------------------------------------------------------------------

query($publisher, 'app', "SELECT vrm.lock_account('$owner', 'infinity', 'test')");
applied();
is($pooled->query($problem), 'the account is locked', 'an administrator has locked the account');
query($publisher, 'app', q{SELECT vrm.unlock_account('one@example.org')});
applied();
is($pooled->query($problem), '', 'and unlocked it');
my $session = query($publisher, 'app', "INSERT INTO vrm_private.sessions (user_id, aal) VALUES ('$owner', 'aal1') RETURNING id");
my $identity = qq[{"iss": "vrm", "sub": "$owner", "session_id": "$session", "role": "authenticated"}];
my $of_session = "BEGIN; SET LOCAL vrm.identity = '$identity'; SELECT vrm.account_problem(); COMMIT;";
applied();
is($pooled->query($of_session), '', 'a session goes on');
query($publisher, 'app', "SELECT vrm.session_revoke('$session')");
applied();
is($pooled->query($of_session), 'the session has ended', 'until it is revoked');

my $linked = qq[{"iss": "https://i.example", "sub": "auth0|1"}];
my $who = "BEGIN; SELECT set_config('request.jwt.claims', '$linked', true) \\g /dev/null\nSELECT vrm.uid(); COMMIT;";
my $superuser = getpwuid $<;
$pooled->query("SET vrm.trusted_logins = '$superuser';");
is($pooled->query($who), '', 'a subject that nobody is linked to');
query($publisher, 'app', "SELECT vrm.link_identity('$owner', 'https://i.example', 'auth0|1')");
applied();
is($pooled->query($who), $owner, 'is somebody once it is linked');

query($publisher, 'app', 'SELECT count(vrm.jwk_revoke(kid)) FROM vrm_private.jwt_keys');
applied();
is($pooled->query($login), '', 'a token whose key was revoked is refused');

# --- shredding -------------------------------------------------------------------------------------

ok(query($publisher, 'app', "SELECT vrm.shred_subject('$owner')"), 'a person is shredded');
applied();
is($pooled->query($read), '', 'what was theirs is noise');
is($pooled->query("SELECT vrm.reveal('$later');"), 'later', 'and nothing else');

$pooled->quit;
$_->stop for $subscriber, $publisher;
done_testing();
