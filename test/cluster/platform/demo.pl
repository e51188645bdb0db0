# The demo: its sample calls go in, what is dirty stays out, and showing it is quiet and repeatable.
use strict;
use warnings;
use List::Util qw(sum);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('demo');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE demo');
$node->safe_psql('demo', 'CREATE EXTENSION vrm');
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
$ENV{PGDATABASE} = 'demo';

sub query { return $node->safe_psql('demo', $_[0]) }

# Runs a script of the demo; nothing that it prints to stderr is for the eyes of a newcomer.
sub run_quietly
{
    my ($script) = @_;
    my ($out, $err);
    my $good = IPC::Run::run(["demo/$script"], '>', \$out, '2>', \$err);
    ok($good, "$script succeeds");
    is($err, '', '... and has nothing to complain of');
    return $out;
}

is(run_quietly('load.sh'), '', 'loading prints nothing');

is(query('SELECT count(*) FROM demo.played') + query('SELECT count(*) FROM demo.refusal'),
    scalar(split /\n/, slurp_file('demo/calls.jsonl')),
    'each line of calls.jsonl was played or refused');
is(query(q{SELECT string_agg(DISTINCT status, ' ' ORDER BY status) FROM vrm.test_runs}),
    'cancelled completed failed queued running', 'there are calls in every state');
is(query(q{SELECT string_agg(split_part(why, ':', 1), ' ' ORDER BY line) FROM demo.refusal}),
    join(' ',
        '/transcript/1999/time', '/transcript/0/speaker', '/insights',
        'invalid input syntax for type json', '/customer', '/sentiment', '/actions',
        'unsupported Unicode escape sequence', '/actions', '/duration', '/duration'),
    'the dirty lines were refused for what is wrong with them');
is(query('SELECT count(*) FROM vrm.test_runs'), query('SELECT count(*) FROM demo.played'),
    'nothing of a refused call is left');
is(query('SELECT count(*) FROM vrm.transcript_turns t JOIN vrm.test_runs r ON r.id = t.run_id
          WHERE r.completed_at IS NOT NULL'), 0, 'transcripts of calls that are over are folded');
is(query('SELECT count(*) FROM vrm.test_runs r JOIN demo.played p ON p.run_id = r.id
          WHERE r.completed_at IS NOT NULL
            AND (jsonb_array_length(r.results -> $$transcript$$)
                 <> jsonb_array_length(p.document -> $$turns$$)
                 OR jsonb_array_length(r.results -> $$actionsTaken$$)
                 <> jsonb_array_length(p.document -> $$actions$$))'), 0, '... and complete');
is(query('SELECT count(*) FROM vrm.test_runs WHERE NOT vrm.valid_results(results)'), 0,
    'results have the shape of the source document');
is(query(q{SELECT count(*) FROM vrm.test_runs WHERE started_at < date_trunc('day', now() AT TIME ZONE 'UTC') - interval '29 days'}),
    0, 'the report will show them all');
cmp_ok(query('SELECT count(DISTINCT started_at::date) FROM vrm.test_runs'), '>=', 20,
    'the calls make a month of history');

my $shown = run_quietly('show.sh');
like($shown, qr/appointment-desk/, 'the tour shows an agent');
like($shown, qr/\n +current +\|.*\n +previous +\|.*\n +change +\|/, '... a week against the one before');
like($shown, qr/\n +[A-Z]\w\w [A-Z]\w\w \d\d +\| +\d+ \| +\d+ \| #+\n/, '... its days');
my ($week, @day) = ($shown =~ /^ current +\| +(\d+) /m, $shown =~ /^ [A-Z]\w\w [A-Z]\w\w \d\d +\| +(\d+) \|/mg);
is(sum(@day), $week, '... which add up to the week');
my @change = map { [$shown =~ /^ $_ .*\| +(-?\d+) % +\| (-?)00:(\d\d):(\d\d) /m] } qw(current previous change);
is($change[2][0], $change[0][0] - $change[1][0], '... and the change of successes is what is seen');
my @seconds = map { ("$_->[1]1") * (60 * $_->[2] + $_->[3]) } @change;
is($seconds[2], $seconds[0] - $seconds[1], '... as is that of lengths');
like($shown, qr/\n +95 % +\| \d+:\d\d *\n +99 % +\| \d+:\d\d *\n/, '... how long calls are');
like($shown, qr/ok +\| t +\| mfa_required +\| ok/, 'it signs somebody in, with a code in the end');
like($shown, qr/invalid, invalid, invalid, invalid, locked, locked/, 'it locks an account');
like($shown, qr/t +\| locked/, 'whatever is rolled back');
like($shown, qr/f +\| t +\| f/, 'it resets a password once');
like($shown, qr/t +\| +0\n/, 'it verifies the audit trail');
like($shown, qr/Ana \| Ben \| who has not signed in *\n[-+]+\n *148 \| +45 \| nobody is signed in *\n/,
    '... and that people see their own calls only');
like($shown, qr/telephony +\| …b1Ye/, '... a stored API key by its end');
like($shown, qr/tel-live-Qm5Ra93TzUb1Ye/, '... and opened for who calls the service');
like($shown, qr/telephony +\| t +\| t\n/, '... and under a new key');
like($shown, qr/\n +40 \| +2 \| +0 \| +1 \| +193\n/, '... calls archived, verified, one restored');
like($shown, qr/deleted \| deleted\+\S+ +\| t +\| +45\n.*recovered \| ben\@\S+ \| f +\| +45\n/s,
    '... an account deleted and recovered, with its calls');
like($shown, qr/rto +\| ok +\| 01:40:00/, '... whether it could all be restored');
like($shown, qr/test_runs \| f .*rows missing: 16\n/, '... and what a restore would have to bring back');
like($shown, qr/charged twice +\| regressed \| 5 of 5 +\| 0 of 5/, '... which case a suite has seen regress');
like($shown, qr/ f +\| 23 of 30 calls passed.*regressed: "charged twice"/s, '... and the gate shut');
is(scalar(grep { length > 100 } split /\n/, $shown), 0,
    '... within 100 columns');
is(run_quietly('show.sh'), $shown, 'it shows the same again');

SKIP:
{
    my $python = (grep { -x "$_/python3" } split /:/, $ENV{PATH})[0];
    skip 'python3 is not installed', 1 unless defined $python;
    my $made;
    local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
    IPC::Run::run(['python3', 'demo/generate.py'], '>', \$made);
    is($made, slurp_file('demo/calls.jsonl'), 'generate.py makes calls.jsonl');
}

$node->stop;
done_testing();
