# Rotation of keys under writers, with the server killed in the middle, and what standbys see of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
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
    # A row that is locked keeps the rotation from ending before it is killed.
    my ($out, $errors) = ('', '');
    my $holder = IPC::Run::start ['psql', '-XAtq', '-d', $node->connstr('app'), '-c', 'BEGIN', '-c',
        "SELECT FROM vault WHERE vrm.key_of(sealed) = $old_key LIMIT 1 FOR UPDATE", '-c',
        'SELECT pg_sleep(600)'], '>', \$out, '2>', \$errors;
    $node->poll_query_until('app',
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)')");
    my $writers = writers(60);
    my $rotation = rotation(50);
    ok($node->poll_query_until('app', "SELECT EXISTS (SELECT FROM vrm.rotation_progress"
              . " WHERE table_name = 'vault'::regclass AND rows_done >= 2000 * $round)"),
        "round $round: rotation is under way");
    until_restarted($node, 'app', sub {
            kill 'KILL', query($node, 'app', q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'CALL vrm.%'});
            $_->finish for $rotation, $writers, $holder;
    });
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
is(query($node, 'app', q{SELECT vrm.reseal_rows('quick', 'sealed', 0, ARRAY(SELECT format('(%s,%s)', block, line)::tid
    FROM generate_series(0, pg_relation_size('quick') / 8192 - 1) AS block, generate_series(1, 291) AS line))}), 498,
    'rows that others change or lock are left, and so is what the query does not see');
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
is(query($node, 'app', "SELECT vrm.reseal_rows('quick', 'sealed', $new_key, ARRAY(SELECT ctid FROM quick))"), 0,
    'nothing is sealed again that is under the key');
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
query($node, 'app', "ALTER TABLE quick ADD CONSTRAINT another_key CHECK (vrm.key_of(sealed) <> $new_key) NOT VALID");
like(error_of($node, 'app', q{SELECT vrm.reseal_rows('quick', 'sealed', 0, ARRAY(SELECT ctid FROM quick))}), qr/^23514: .*another_key/,
    'constraints hold there, too');
query($node, 'app', 'ALTER TABLE quick DROP CONSTRAINT another_key, REPLICA IDENTITY NOTHING; CREATE PUBLICATION quick_only FOR TABLE quick');
like(error_of($node, 'app', q{SELECT vrm.reseal_rows('quick', 'sealed', 0, ARRAY(SELECT ctid FROM quick))}),
    qr/^55000: .*replica identity/, 'and so does what subscribers need');
query($node, 'app', 'DROP TABLE quick, watched');

# --- values that nobody can open stay as they are, and hold nothing up -----------------------------

my ($gone, $back, $there) = map { "00000000-0000-0000-0000-00000000090$_" } 1 .. 3;
query($node, 'app', <<"SQL");
CREATE TABLE letters (owner uuid, id int, sealed vrm.sealed, PRIMARY KEY (owner, id));
CREATE TABLE watched_letters (LIKE letters INCLUDING ALL) PARTITION BY LIST (owner);
CREATE TABLE some_letters PARTITION OF watched_letters FOR VALUES IN ('$gone', '$back');
CREATE TABLE other_letters PARTITION OF watched_letters DEFAULT;
CREATE TABLE held (id int PRIMARY KEY, sealed vrm.sealed);
SELECT vrm.seal_column('letters', 'sealed', true), vrm.seal_column('watched_letters', 'sealed', true), vrm.seal_column('held', 'sealed');
INSERT INTO letters SELECT owner::uuid, id, vrm.seal('a letter') FROM unnest('{$gone,$back,$there}'::text[]) AS owner, generate_series(1, 9) AS id;
INSERT INTO watched_letters SELECT owner, id, vrm.seal('a letter') FROM letters;
INSERT INTO held SELECT id, vrm.seal('held') FROM generate_series(1, 2) AS id;
SELECT vrm.shred_subject('$gone'), vrm.shred_subject('$back');
INSERT INTO letters VALUES ('$back', 10, vrm.seal('a letter'));
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER hold BEFORE UPDATE ON held FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION hold();
CREATE TRIGGER note AFTER UPDATE ON watched_letters FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE letters DROP CONSTRAINT sealed_is_bound;
ALTER DOMAIN vrm.sealed DROP CONSTRAINT is_sealed;
SET session_replication_role = replica;
UPDATE letters SET sealed = set_bit(sealed, 300, 1 - get_bit(sealed, 300)) WHERE owner = '$there' AND id = 2;
UPDATE letters SET sealed = set_byte(sealed, 5, get_byte(sealed, 5) # 1) WHERE owner = '$there' AND id = 4;
UPDATE letters l SET sealed = other.sealed FROM letters other WHERE l.owner = '$there' AND l.id = 6 AND other.owner = l.owner AND other.id = 7;
UPDATE letters SET sealed = set_byte(sealed, 0, 0) WHERE owner = '$there' AND id = 8;
UPDATE watched_letters SET sealed = set_bit(sealed, 300, 1 - get_bit(sealed, 300)) WHERE owner = '$there' AND id = 2;
ALTER DOMAIN vrm.sealed ADD CONSTRAINT is_sealed CHECK (vrm.is_sealed(VALUE)) NOT VALID;
CREATE VIEW all_letters AS SELECT tableoid::regclass::text AS kept_in, owner, id, ctid AS place, sealed FROM letters
    UNION ALL SELECT tableoid::regclass::text, owner, id, ctid, sealed FROM watched_letters;
CREATE TABLE shut AS SELECT kept_in, owner, id, place, sealed::bytea FROM all_letters WHERE owner = '$gone' OR owner = '$back' AND id < 10
    OR owner = '$there' AND (id = 2 OR id IN (4, 6, 8) AND kept_in = 'letters');
TRUNCATE seen;
CREATE TABLE short_lived (LIKE held INCLUDING ALL);
SELECT vrm.seal_column('short_lived', 'sealed'), vrm_private.begin_rotation();
DROP TABLE short_lived;
SQL
my $before = $new_key;
my ($status, undef, $said) = $node->psql('app', 'CALL vrm.rotate_keys(4)');
is($status, 0, 'keys rotate in spite of them, and of a table that was dropped meanwhile');
for my $count ('13 values of column "sealed" of letters', '10 values of column "sealed" of watched_letters',
    '1 values of column "sealed" of held') {
    like($said, qr/WARNING:  $count could not be sealed anew\nDETAIL: .*\nHINT:  SELECT \* FROM/, "it says: $count");
}
unlike($said, qr/of vault/, 'and nothing of other tables');
$new_key = query($node, 'app', "SELECT key_id FROM vrm.keyring_status WHERE state = 'active' AND purpose = 'data'");
is(query($node, 'app', 'SELECT count(*), count(DISTINCT kept_in) FROM shut NATURAL JOIN all_letters'), '41|3',
    'they are the same bytes in the same place');
is(query($node, 'app', "SELECT count(*) FROM all_letters WHERE vrm.key_of(sealed) = $new_key
    AND vrm.reveal_row(kept_in, 'sealed', row(owner, id)::text) = 'a letter'"), 14, 'all others are under the new key');
is(query($node, 'app', 'SELECT count(*), count(DISTINCT id) FROM seen'), '8|8', 'triggers have seen those alone');
is(query($node, 'app', qq{SELECT string_agg(table_name || ' ' || rows_left, ', ' ORDER BY table_name::text)
    FROM vrm.rotation_progress WHERE key_id = $new_key AND finished_at IS NOT NULL AND rows_left > 0}),
    'held 1, letters 22, watched_letters 19', 'the progress counts them');

query($node, 'app', 'DROP TABLE held');
for my $table ('letters', 'watched_letters') {
    my $others = $table eq 'letters' ? 11 : 10;
    like(error_of($node, 'app', "SELECT vrm.key_destroy($before)"),
        qr/^55006: key $before is still needed .*$others values of column "sealed" of (public\.)?$table are/,
        'what may yet be mended keeps its key');
    query($node, 'app', "UPDATE $table SET sealed = NULL WHERE owner <> '$gone' AND vrm.key_of(sealed) <> $new_key");
}
like(error_of($node, 'app', "SELECT vrm.key_destroy($before)"), qr/^55006: .*values of column "sealed" of public\.shut are/,
    'a copy in plain bytea keeps it, too');
query($node, 'app', "DROP TABLE shut; SELECT vrm.key_destroy($before)");
is(query($node, 'app', "SELECT count(*) FROM all_letters WHERE vrm.key_of(sealed) = $before"), 18,
    'what a forgotten user has left does not');
like(error_of($node, 'app', "SELECT vrm_private.rotate_batch($before, column_id, 5, false) FROM vrm_private.sealed_columns LIMIT 1"),
    qr/^55000: key $before is no longer the active one .*HINT:  CALL vrm\.rotate_keys/, 'rotation ends when its key is not the active one');
query($node, 'app', 'DROP TABLE letters, watched_letters CASCADE');

# --- what holds a key ------------------------------------------------------------------------------

my $sealer = $node->background_psql('app');
my $bystander = $node->background_psql('app');
$bystander->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM vault;');
$sealer->query_safe("BEGIN; SAVEPOINT s; SELECT vrm.seal('x'); ROLLBACK TO s; SELECT vrm.seal('x');");
my $third_key = query($node, 'app', "SELECT vrm.key_create('data')");
query($node, 'app', q{UPDATE vault SET sealed = sealed});
my $in_use = qr/^55006: key \d+ may still be in use .*A transaction that has sealed with it has not ended/;
like(error_of($node, 'app', "SELECT vrm.key_destroy($new_key)"), $in_use, 'nor one that an open transaction has sealed with');
is(query($node, 'app', "SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'vrm_private.keyring'::regclass"),
    1, 'as its HINT shows');
like(error_of($node, 'app', "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT vrm.key_destroy($new_key)"),
    qr/^25001: .*HINT:  BEGIN ISOLATION LEVEL READ COMMITTED/, 'rows that a snapshot does not show would be overlooked');
is($sealer->query_safe("SELECT vrm.key_of(vrm.seal('x')) = $third_key;"), 't', 'it goes on with the new key');
$sealer->query_safe('COMMIT;');
$sealer->quit;
query($node, 'app', "BEGIN; SELECT vrm.seal('x'); PREPARE TRANSACTION 'waiting'");
my $fresh_key = query($node, 'app', "SELECT vrm.key_create('data')");
query($node, 'app', q{UPDATE vault SET sealed = sealed});
like(error_of($node, 'app', "SELECT vrm.key_destroy($third_key)"), $in_use, 'nor one that a prepared transaction has');
query($node, 'app', q{COMMIT PREPARED 'waiting'});
query($node, 'app', "SELECT vrm.key_destroy($third_key)");
query($node, 'app', "BEGIN; SELECT vrm.key_lock($new_key); ROLLBACK");
$bystander->query_safe('COMMIT;');
$bystander->quit;
$third_key = $fresh_key;

# --- standbys and sessions that have kept a key ----------------------------------------------------

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
query($node, 'app', "SELECT pg_create_physical_replication_slot('copy')");
$standby->append_conf('postgresql.conf', "primary_slot_name = 'copy'\nwal_receiver_status_interval = 1");
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
        $server->name . ': what it sealed is noise');
    is(query($server, 'app', "$different AND owner <> '$owner'"), 0, $server->name . ': others open');
}
like(error_of($standby, 'app', q{INSERT INTO vault VALUES (gen_random_uuid(), 1, '', vrm.seal('x'))}),
    qr/^25006/, 'a standby is for reading');

$standby->stop;
$node->stop;
done_testing();
