# A tenant moves between two servers with keys of their own, and back: nothing is lost on the way, nothing
# is left behind, and what breaks off leaves nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;
use VRM::Snapshot;

# --- given: a server with a row in every table, and another with keys of its own -------------------

my $lib = "$FindBin::Bin/../lib";
my ($from, $to) = (server('from'), server('to'));
database($_, 'app') for $from, $to;
$from->safe_psql('app', slurp_file("$lib/sample.sql"));
my %master = (from => 'test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=',
    to => 'other:b3RoZXIgYnl0ZXMsIGFsc28gc2l4dGVlbiBhbmQgbW8=');
for my $node ($from, $to) {
    $node->append_conf('postgresql.conf',
        "vrm.master_key_command = 'echo $master{$node->name}'\nvrm.secret_literals = allow");
    $node->reload;
}
$to->safe_psql('app', q{SELECT vrm.key_create('data'), vrm.key_create('blind_index')});

my $alice = '00000000-0000-7000-8000-00000000000a';
my $bob = '00000000-0000-7000-8000-00000000000b';
my $fingerprint = "SELECT * FROM vrm.tenant_fingerprint('%s')";
my $key = 'dHdvIGRhdGFiYXNlcyBzaGFyZSB0aGlzIGtleTogb24=';
my $directory = PostgreSQL::Test::Utils::tempdir;
$from->safe_psql('app', "SELECT vrm.release_hold(hold_id) FROM vrm_private.legal_holds WHERE released_at IS NULL");

sub fingerprint { return query($_[0], 'app', sprintf $fingerprint, $_[1]) }

sub export_to_file {
    my ($node, $who) = @_;
    my $file = "$directory/$who.jsonl";
    system_or_bail('psql', '-XAtq', '-d', $node->connstr('app'), '-o', $file,
        '-c', "SELECT vrm.export_tenant('$who', '$key')");
    return $file;
}

sub importing {
    my ($file) = @_;
    return <<"SQL";
CREATE TEMPORARY TABLE line (l jsonb);
\\copy line FROM '$file' (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')
SELECT vrm.import_tenant((SELECT jsonb_agg(l) FROM line), '$key');
SQL
}

# --- there -----------------------------------------------------------------------------------------

my %before = map { $_ => fingerprint($from, $_) } $alice, $bob;
my $tables = () = $before{$alice} =~ /\n/g;
cmp_ok($tables, '>', 20, 'the tenant has rows in most tables');
my %file = map { $_ => export_to_file($from, $_) } $alice, $bob;
unlike(slurp_file($file{$_}), qr/sk-live|wrapped/, 'no secret is in the file') for $alice, $bob;

my $empty = rows($to, 'app');
my $text = slurp_file($file{$alice});
my $broken = "$directory/broken.jsonl";
append_to_file($broken, substr($text, 0, 1 + rindex($text, "\n", length($text) / 2)));
like(error_of($to, 'app', importing($broken)), qr/^22023: these are not the lines of a tenant/,
    'a file that broke off is refused');
like(error_of($to, 'app', importing($file{$alice}) =~ s/$key/$key =~ y,a-z,b-za,r/er),
    qr/^22000: the value does not open with this transfer key/, 'so is another key');
same_text(rows($to, 'app'), $empty, 'and nothing is left of either');

for my $who ($alice, $bob) {
    like(query($to, 'app', importing($file{$who})), qr/^\d+$/, 'the tenant arrives');
    same_text(fingerprint($to, $who), $before{$who}, 'as it was');
}
is(query($to, 'app', "SELECT vrm.reveal_row('vrm.api_keys', 'key', format('(%s,%s)', user_id, id))"
          . " FROM vrm.api_keys WHERE service = 'openai'"),
    'sk-live-0123456789abcdef', 'API keys open there');
is(query($to, 'app', 'SELECT count(*) FROM vrm.verify_archive() WHERE NOT ok'), 0, 'archived calls verify');
is(query($to, 'app', 'SELECT count(*) FROM vrm.run_quality_checks() WHERE failed > 0'), 0, 'all checks pass');
isnt(as_user($to, 'app', $alice, 'SELECT * FROM vrm.call_history()'), '', 'people see their calls');
is(as_user($to, 'app', $alice, 'SELECT * FROM vrm.user_dashboard()'),
    as_user($from, 'app', $alice, 'SELECT * FROM vrm.user_dashboard()'), 'and the figures that they know');

# --- erased where it was ---------------------------------------------------------------------------

same_text(fingerprint($from, $alice), $before{$alice}, 'nothing has changed meanwhile');
my $recordings = query($from, 'app', "SELECT count(*) FROM vrm.call_recordings WHERE user_id = '$alice'");
is(query($from, 'app', "SELECT vrm.erase_user('$alice', 'moved') > 0, vrm.keep_objects('$alice') >= $recordings"),
    't|t', 'the tenant leaves');
is(query($from, 'app', "SELECT count(*) FROM vrm_private.object_purges WHERE user_id = '$alice'"), 0,
    'and the objects of recordings stay');
same_text(fingerprint($from, $bob), $before{$bob}, 'others stay as they were');
same_text(fingerprint($to, $alice), $before{$alice}, 'and so does the tenant in its new place');

# --- and back --------------------------------------------------------------------------------------

my $back = export_to_file($to, $alice);
like(query($from, 'app', importing($back)), qr/^\d+$/, 'a tenant comes back to where it was erased');
is(query($from, 'app', "SELECT vrm.reveal_row('vrm.api_keys', 'key', format('(%s,%s)', user_id, id))"
          . " FROM vrm.api_keys WHERE service = 'openai'"),
    'sk-live-0123456789abcdef', 'with its secrets');
like(error_of($from, 'app', importing($back)), qr/^23505: user "$alice" exists already/, 'once');

done_testing();
