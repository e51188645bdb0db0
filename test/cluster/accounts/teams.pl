# Teams among several sessions: who acts for an organisation until when, removal in the middle of a
# transaction, admins who remove each other at once, standbys, dumps.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $node = server('teams', allows_streaming => 1);
my $database = database($node, 'teams');
my ($alice, $bob, $carol) = map { person($node, $database, "$_\@example.org") } qw(alice bob carol);
query($node, $database, 'UPDATE auth.users SET email_confirmed_at = now()');
my $acme = as_user($node, $database, $alice, q{SELECT vrm.create_organisation('Acme')});
my $act = "SELECT vrm.act_as('$acme') \\g /dev/null\n";
my %rank = ($bob => 'member', $carol => 'viewer');
for my $who ($bob, $carol) {
    my $mail = query($node, $database, "SELECT email FROM auth.users WHERE id = '$who'");
    my $token = as_user($node, $database, $alice, "$act SELECT vrm.invite('$mail', '$rank{$who}')");
    is(as_user($node, $database, $who, "SELECT vrm.accept('$token')"), $acme, "$mail joins");
}
as_user($node, $database, $alice, "$act SELECT vrm.create_agent('reception')");

# A session of somebody's that stays open; what it is asked prints one line, errors nothing.
sub session {
    my ($who, $on) = @_;
    my $psql = ($on // $node)->background_psql($database, on_error_stop => 0);
    $psql->query("SET request.jwt.claims = '';");
    $psql->query(qq(BEGIN; SET LOCAL request.jwt.claims = '{"sub": "$who"}'; SET LOCAL ROLE authenticated;));
    return $psql;
}

# --- the end of a transaction -----------------------------------------------------------------------

my $who = "SELECT coalesce(vrm.uid()::text, 'nobody');";
my $claims = qq(SET LOCAL request.jwt.claims = '{"sub": "$bob"}';);

# One line of what a client gets in one connection.
sub seen {
    my ($sql) = @_;
    $node->psql($database, $sql, stdout => \my $stdout, on_error_stop => 0);
    return join ' ', split /\n/, $stdout;
}
is(seen("BEGIN; $claims $act $who COMMIT; BEGIN; $claims $who COMMIT;"), "$acme $bob", 'COMMIT ends it');
is(seen("BEGIN; $claims $act $who ROLLBACK; BEGIN; $claims $who COMMIT;"), "$acme $bob", 'so does ROLLBACK');
is(seen("BEGIN; $claims $act COMMIT AND CHAIN; $claims $who COMMIT;"), $bob, 'so does COMMIT AND CHAIN');
is(seen("BEGIN; $claims SAVEPOINT s; $act ROLLBACK TO s; $who SAVEPOINT t; $act RELEASE t; $who COMMIT;"), "$bob $acme",
    'a savepoint that is rolled back undoes it, one that is released does not');
is(seen("SET vrm.acting = '$bob $acme'; BEGIN; $claims $who COMMIT;"), $bob, 'not even a superuser makes it last');
is(seen("BEGIN; $claims $act DISCARD PLANS; $who COMMIT; DISCARD ALL; $who"), "$acme nobody", 'nor does DISCARD bring it back');
is(seen("BEGIN; $claims SET LOCAL ROLE authenticated; $act SET LOCAL ROLE anon; $who RESET ROLE; $who COMMIT;"), "$acme $acme",
    'SET ROLE is another matter');

# --- parallel workers --------------------------------------------------------------------------------

query($node, $database, <<"SQL");
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
SELECT CASE WHEN i % 2 = 0 THEN '$acme' ELSE '$bob' END::uuid, 'completed', now(), now() FROM generate_series(1, 20000) i;
SQL
my $parallel = <<'SQL';
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_indexonlyscan = off;
SQL
my $count = 'SELECT count(*) FROM vrm.test_runs WHERE (user_id = vrm.uid()) IS TRUE AND vrm.team_role() = \'member\';';
like(seen("BEGIN; $claims $act $parallel EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $count COMMIT;"),
    qr/Workers Launched: [1-9]/, 'given workers');
is(seen("BEGIN; $claims $act $parallel $count COMMIT;"), 10000, 'they act for the same');

# --- removal at once ----------------------------------------------------------------------------------

my $member = session($bob);
$member->query("SELECT vrm.act_as('$acme');");
is($member->query('SELECT count(*) FROM vrm.agents;'), 1, 'given a member at work');
my $held = session($bob);
$held->query("SELECT vrm.act_as('$acme');");
$held->query('LOCK TABLE vrm.agents IN ROW EXCLUSIVE MODE;');
is($held->query('SELECT count(*) FROM vrm.agents;'), 1, 'and one who holds locks');
$held->query('PREPARE own AS SELECT count(*) FROM vrm.agents;');
$held->query('EXECUTE own;');
as_user($node, $database, $alice, "$act SELECT vrm.remove_member('$bob')");
is($member->query('SELECT count(*) FROM vrm.agents;'), 0, 'when somebody removes them, the next statement reads nothing');
is($member->query("SELECT coalesce(vrm.uid()::text, 'nobody');"), 'nobody', 'they are nobody');
is($held->query('EXECUTE own;'), 0, 'whatever they hold and have prepared');
is($held->query("INSERT INTO vrm.agents (agent_id) VALUES ('late') RETURNING 1;"), '', 'they write nothing');
is(query($node, $database, "SELECT count(*) FROM vrm.agents WHERE agent_id = 'late'"), 0, 'really');
$_->quit for $member, $held;

my $viewer = session($carol);
$viewer->query("SELECT vrm.act_as('$acme');");
is($viewer->query("SELECT vrm.may_write();"), 'f', 'given a viewer');
as_user($node, $database, $alice, "$act SELECT vrm.set_member_role('$carol', 'admin')");
is($viewer->query("SELECT vrm.may_write();"), 't', 'another role counts at once');
$viewer->query('COMMIT;');
$viewer->quit;

# --- two at once --------------------------------------------------------------------------------------

# Has two people say something in transactions that overlap, the second of whom begins when the first has spoken.
sub at_once {
    my ($first, $second) = map { [session($_->[0]), $_->[1]] } @_;
    $first->[0]->query($first->[1]);
    my $pid = $second->[0]->query('SELECT pg_backend_pid();');
    $second->[0]{stdin} .= "$second->[1]\n";
    $second->[0]{run}->pump_nb;
    $node->poll_query_until($database, qq{SELECT wait_event_type = 'Lock' OR state LIKE 'idle%' AND query NOT LIKE '%pg_backend_pid%'
        FROM pg_stat_activity WHERE pid = $pid}) or die 'the second session does not come';
    $first->[0]->query('COMMIT;');
    $second->[0]->query('COMMIT;');
    $_->[0]->quit for $first, $second;
    return;
}

sub members {
    return query($node, $database, qq{SELECT string_agg(p.email || ' ' || m.role, ', ' ORDER BY p.email) FROM vrm_private.team_members m
        JOIN vrm.user_profiles p ON p.id = m.member_id AND p.deleted_at IS NULL WHERE m.user_id = '$acme'});
}

# However two admins go at the same moment, or have each other go, one of them stays.
my %going = (
    leaves => sub { "SELECT vrm.leave('$acme');" },
    'is deleted' => sub { 'SELECT vrm.delete_account() FROM vrm.act_as(NULL);' },
    'steps down' => sub { "SELECT vrm.set_member_role('$_[0]', 'viewer');" },
    'removes the other' => sub { "SELECT vrm.remove_member('$_[1]');" },
    'takes the rights of the other' => sub { "SELECT vrm.set_member_role('$_[1]', 'member');" },
);
for my $one (sort keys %going) {
    for my $other (grep { $_ ge $one } sort keys %going) {
        query($node, $database, <<"SQL");
SELECT vrm.recover_account(id) FROM vrm.user_profiles WHERE deleted_at IS NOT NULL;
INSERT INTO vrm_private.team_members (user_id, member_id, role) VALUES ('$acme', '$alice', 'admin'), ('$acme', '$carol', 'admin')
ON CONFLICT (user_id, member_id) DO UPDATE SET role = 'admin';
SQL
        my $acting = "SELECT vrm.act_as('$acme') \\g /dev/null\n";
        at_once([$alice, $acting . $going{$one}->($alice, $carol)], [$carol, $acting . $going{$other}->($carol, $alice)]);
        my @admins = members() =~ / admin/g;
        is(scalar @admins, 1, "one of two admins stays when one $one and the other $other");
    }
}
query($node, $database, <<"SQL");
SELECT vrm.recover_account(id) FROM vrm.user_profiles WHERE deleted_at IS NOT NULL;
DELETE FROM vrm_private.team_members WHERE user_id = '$acme' AND member_id <> '$carol';
INSERT INTO vrm_private.team_members (user_id, member_id, role) VALUES ('$acme', '$carol', 'admin')
ON CONFLICT (user_id, member_id) DO UPDATE SET role = 'admin';
SQL

my $invite = qq{$act SELECT vrm.invite('bob\@example.org', 'member')};
my $token = as_user($node, $database, $carol, $invite);
at_once([$bob, "SELECT vrm.accept('$token');"], [$bob, "SELECT vrm.accept('$token');"]);
is(members(), 'bob@example.org member, carol@example.org admin', 'an invitation that is accepted twice at once makes one member');
query($node, $database, "DELETE FROM vrm_private.team_members WHERE member_id = '$bob'");
$token = as_user($node, $database, $carol, $invite);
at_once([$carol, "$act SELECT vrm.revoke_invitation(id) FROM vrm.invitations();"], [$bob, "SELECT vrm.accept('$token');"]);
is(members(), 'carol@example.org admin', 'one that is withdrawn meanwhile makes none');
$token = as_user($node, $database, $carol, $invite);
at_once([$carol, "$act SELECT vrm.delete_account();"], [$bob, "SELECT vrm.accept('$token');"]);
is(members(), 'carol@example.org admin', 'nor does one to an organisation that is deleted meanwhile');
query($node, $database, "SELECT vrm.recover_account('$acme')");

# --- standbys and dumps ------------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $reader = session($carol, $standby);
is($reader->query("SELECT vrm.act_as('$acme');"), 'admin', 'a standby knows members');
is($reader->query('SELECT count(*) FROM vrm.agents;'), 1, 'and what they read');
query($node, $database, "UPDATE vrm_private.team_members SET role = 'viewer' WHERE member_id = '$carol'");
$node->wait_for_catchup($standby);
is($reader->query('SELECT vrm.team_role();'), 'viewer', 'and hears of changes');
$reader->quit;
query($node, $database, "UPDATE vrm_private.team_members SET role = 'admin' WHERE member_id = '$carol'");

my $dump = PostgreSQL::Test::Utils::tempdir . '/teams.sql';
$node->command_ok(['pg_dump', '-f', $dump, '-d', $node->connstr($database)], 'the database is dumped');
query($node, 'postgres', 'CREATE DATABASE restored');
$node->command_ok(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('restored')], 'and restored');
is(as_user($node, 'restored', $carol, "$act SELECT vrm.uid() || ' ' || (SELECT count(*) FROM vrm.agents)"), "$acme 1",
    'members act for it there');
is(query($node, 'restored', 'SELECT count(*) FROM vrm.user_profiles WHERE is_organisation'), 1, 'which is one');

done_testing();
