# Rotation of keys under writers, with the server killed in the middle, and what standbys see of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1, extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
$node->append_conf('postgresql.conf', <<'SETTINGS');
vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='
vrm.secret_literals = allow
restart_after_crash = on
max_prepared_transactions = 2
SETTINGS
$node->start;
database($node, 'app');
my $old_key = query($node, 'app', "SELECT vrm.key_create('data')");

# --- given: a table of sealed values, beside each of them its plaintext ----------------------------

query($node, 'app', <<'SQL');
CREATE TABLE vault (owner uuid, id bigint, plain text, sealed vrm.sealed, PRIMARY KEY (owner, id));
SELECT vrm.seal_column('vault', 'sealed', true);
INSERT INTO vault
SELECT format('00000000-0000-0000-0000-%s', lpad((i % 50)::text, 12, '0'))::uuid, i, 'value ' || i,
       vrm.seal(('value ' || i)::vrm.secret)
FROM generate_series(1, 20000) AS i;
SQL
my $different = q{SELECT count(*) FROM vault
    WHERE vrm.reveal_row('vault', 'sealed', row(owner, id)::text) IS DISTINCT FROM plain};
is(query($node, 'app', $different), 0, 'every value opens');

my $directory = PostgreSQL::Test::Utils::tempdir;
my $script = "$directory/writer.sql";
append_to_file($script, <<'SQL');
\set id random(1, 20000)
\set new random(100000, 2000000000)
UPDATE vault SET plain = 'changed ' || :new, sealed = vrm.seal(('changed ' || :new)::vrm.secret) WHERE id = :id;
INSERT INTO vault SELECT owner, :new, 'new ' || :new, vrm.seal(('new ' || :new)::vrm.secret) FROM vault WHERE id = :id LIMIT 1 ON CONFLICT DO NOTHING;
SQL

sub writers {
    my ($seconds) = @_;
    my ($out, $errors) = ('', '');
    return IPC::Run::start ['pgbench', '-n', '-c', 3, '-T', $seconds, '-f', $script,
        $node->connstr('app')], '>', \$out, '2>', \$errors;
}
sub rotation {
    my ($batch) = @_;
    my ($out, $errors) = ('', '');
    return IPC::Run::start ['psql', '-XAtq', '-c', "CALL vrm.rotate_keys($batch)", '-d',
        $node->connstr('app')], '>', \$out, '2>', \$errors;
}

# --- when: the server is killed while keys rotate under writers ------------------------------------

query($node, 'app', 'CREATE INDEX ON vault (id)');
for my $round (1 .. 3) {
    my $writers = writers(60);
    my $rotation = rotation(50);
    ok($node->poll_query_until('app', "SELECT EXISTS (SELECT FROM vrm.rotation_progress"
              . " WHERE table_name = 'vault'::regclass AND rows_done >= 2000 * $round)"),
        "round $round: rotation is under way");
    kill 'KILL', query($node, 'app', q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'CALL vrm.%'});
    $rotation->finish;
    $writers->finish;
    $node->poll_query_until('postgres', 'SELECT true');
    is(query($node, 'app', $different), 0, "round $round: nothing is lost");
    is(query($node, 'app', "SELECT count(*) FROM vrm.keyring_status WHERE purpose = 'data'"), 2,
        "round $round: one new key and the old one");
}

# --- then: it goes on to the end -------------------------------------------------------------------

like(error_of($node, 'app', "SELECT vrm.key_destroy($old_key)"),
    qr/^55006: key $old_key is still needed .*values of column "sealed" of (public\.)?vault.*HINT:  CALL vrm\.rotate_keys/,
    'a key that rows need is not destroyed');
my $writers = writers(5);
query($node, 'app', 'CALL vrm.rotate_keys(500)');
$writers->finish;
my $new_key = query($node, 'app', "SELECT key_id FROM vrm.keyring_status WHERE state = 'active'");
is(query($node, 'app', $different), 0, 'every value opens, those of the writers, too');
is(query($node, 'app', "SELECT count(*) FROM vault WHERE vrm.key_of(sealed) <> $new_key"), 0,
    'under the new key');
is(query($node, 'app', 'SELECT count(*) FROM vrm.rotation_progress WHERE finished_at IS NULL'), 0,
    'the progress says so');

# --- rows are replaced past the executor, by UPDATE where that does more, and locked ones later ----

query($node, 'app', <<'SQL');
CREATE TABLE quick (id bigint PRIMARY KEY, name text, sealed vrm.sealed);
SELECT vrm.seal_column('quick', 'sealed');
CREATE INDEX ON quick (name);
CREATE INDEX ON quick (vrm.key_of(sealed));
INSERT INTO quick SELECT i, 'row ' || i, vrm.seal(repeat('v' || i, CASE WHEN i = 7 THEN 3000 ELSE 1 END)::vrm.secret)
FROM generate_series(1, 500) AS i;
CREATE TABLE watched (LIKE quick INCLUDING ALL);
SELECT vrm.seal_column('watched', 'sealed');
CREATE TABLE seen (id bigint);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.seen VALUES (NEW.id); RETURN NULL; END';
CREATE TRIGGER note AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO watched SELECT i, 'row ' || i, vrm.seal(('v' || i)::vrm.secret) FROM generate_series(1, 500) AS i;
SELECT vrm.key_create('data');
SQL
my $writer = $node->background_psql('app');
$writer->query_safe(q{BEGIN; UPDATE quick SET sealed = vrm.seal('mine') WHERE id = 5;});
$writer->query_safe(q{SELECT FROM quick WHERE id = 6 FOR UPDATE;});
is(query($node, 'app', q{SELECT vrm.reseal_rows('quick', 'sealed', 0, ARRAY(SELECT ctid FROM quick))}), 498,
    'rows that others change or lock are left');
my $rotation = rotation(100);
ok($node->poll_query_until('app', q{SELECT EXISTS (SELECT FROM pg_stat_activity
    WHERE query LIKE 'CALL vrm.%' AND wait_event_type = 'Lock')}), 'and waited for in the end');
is(query($node, 'app', q{SELECT rows_done FROM vrm.rotation_progress JOIN vrm.keyring_status USING (key_id)
    WHERE state = 'active' AND table_name = 'quick'::regclass}), 498, 'when all others are done');
$writer->query_safe('COMMIT;');
$writer->quit;
ok($rotation->finish, 'the rotation ends well');
$new_key = query($node, 'app', "SELECT key_id FROM vrm.keyring_status WHERE state = 'active' AND purpose = 'data'");
is(query($node, 'app', q{SELECT count(*) FROM quick WHERE vrm.reveal_row('quick', 'sealed', id::text)
    = CASE id WHEN 5 THEN 'mine' WHEN 7 THEN repeat('v7', 3000) ELSE 'v' || id END}), 500,
    'every value opens, and the writer has the last word');
for my $condition ("vrm.key_of(sealed) = $new_key", q{name LIKE 'row %' AND name >= 'row '}, 'id > 0') {
    is(query($node, 'app', "SET enable_seqscan = off; SELECT count(*) FROM quick WHERE $condition"), 500,
        'indexes find them');
}
is(query($node, 'app', 'SELECT count(*), count(DISTINCT id) FROM seen'), '500|500',
    'a trigger has seen each row once');
is(query($node, 'app', "SELECT count(*) FROM watched WHERE vrm.key_of(sealed) = $new_key"), 500,
    'of a table that it is on');
query($node, 'app', 'CREATE EXTENSION amcheck');
query($node, 'app', "SELECT bt_index_check(indexrelid, true) FROM pg_index WHERE indrelid = 'quick'::regclass");
query($node, 'app', 'DROP TABLE quick, watched');

my $reader = $node->background_psql('app');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM vault;');
my $third_key = query($node, 'app', "SELECT vrm.key_create('data')");
query($node, 'app', q{UPDATE vault SET sealed = sealed});
like(error_of($node, 'app', "SELECT vrm.key_destroy($new_key)"),
    qr/^55006: key $new_key may still be in use .*A snapshot of session \d+ is older/,
    'nor one that an old snapshot may need');
$reader->query_safe('COMMIT;');
$reader->quit;
query($node, 'app', "CREATE TABLE note (a int); BEGIN; INSERT INTO note VALUES (1); PREPARE TRANSACTION 'waiting'");
my $fresh_key = query($node, 'app', "SELECT vrm.key_create('data')");
query($node, 'app', q{UPDATE vault SET sealed = sealed});
like(error_of($node, 'app', "SELECT vrm.key_destroy($third_key)"),
    qr/may still be in use .*A snapshot of prepared transaction "waiting" is older/,
    'nor one that a prepared transaction may');
query($node, 'app', q{COMMIT PREPARED 'waiting'});
query($node, 'app', "SELECT vrm.key_destroy($third_key)");
$third_key = $fresh_key;

# --- standbys and sessions that have kept a key ----------------------------------------------------

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
my %warm = (primary => $node, standby => $standby);
$_ = $_->background_psql('app', on_error_stop => 0) for values %warm;
my $kept = query($node, 'app', "SELECT vrm.seal('kept')");
$node->wait_for_catchup($standby);
my $open = "SELECT vrm.reveal('$kept');";
for my $where (sort keys %warm) {
    is($warm{$where}->query($open), 'kept', "$where: a session has opened a value");
}
query($node, 'app', "SELECT vrm.key_destroy($new_key)");
my $fourth = query($node, 'app', "SELECT vrm.key_create('data')");
my $later = query($node, 'app', "SELECT vrm.seal('later')");
query($node, 'app', "UPDATE vault SET sealed = sealed; SELECT vrm.key_destroy($third_key);");
$node->wait_for_catchup($standby);
for my $where (sort keys %warm) {
    is($warm{$where}->query("SELECT vrm.reveal('$later');"), 'later', "$where: it sees the new key");
    is($warm{$where}->query($open), '', "$where: and no longer uses the destroyed one");
    $warm{$where}->quit;
}

my $owner = '00000000-0000-0000-0000-000000000007';
query($standby, 'app', $different);
ok(query($node, 'app', "SELECT vrm.shred_subject('$owner')"), 'a subject is shredded');
$node->wait_for_catchup($standby);
for my $server ($node, $standby) {
    like(error_of($server, 'app', "SELECT vrm.reveal_row('vault', 'sealed', row(owner, id)::text)"
              . " FROM vault WHERE owner = '$owner' LIMIT 1"), qr/^22000: value cannot be opened/,
        $server->name . ': his values are noise');
    is(query($server, 'app', "$different AND owner <> '$owner'"), 0, $server->name . ': others open');
}
like(error_of($standby, 'app', q{INSERT INTO vault VALUES (gen_random_uuid(), 1, '', vrm.seal('x'))}),
    qr/^25006/, 'a standby is for reading');

$standby->stop;
$node->stop;
done_testing();
