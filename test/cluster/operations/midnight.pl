# CALL vrm.maintain() beside a pg_dump that takes long, and while one day becomes the next: nobody waits, nothing is lost.
use strict;
use warnings;
use Fcntl;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX qw(mkfifo strftime);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $node = server('midnight');
database($node, 'app');
my $alice = person($node, 'app', 'alice@example.org');

sub sql { return query($node, 'app', $_[0]) }
sub failures { return sql(q{SELECT coalesce(string_agg(concat_ws(' ', step, sqlstate), ', ' ORDER BY step), '') FROM vrm.maintenance_failures}) }

# A call from its beginning to its end, and an entry of the trail; a lock that is not had at once is an error.
sub work {
    return as_user($node, 'app', $alice, q{SET LOCAL lock_timeout = '1ms';
        SELECT vrm.complete_test_run(r.run) FROM (SELECT vrm.start_test_run((SELECT id FROM vrm.agents LIMIT 1)) AS run) AS r \g /dev/null
        RESET ROLE;
        SELECT vrm.audit_event('tick')});
}
as_user($node, 'app', $alice, q{SELECT vrm.create_agent('reception')});

# --- a dump that nobody reads on ----------------------------------------------------------------------------------

sql("SELECT vrm_private.make_partition('vrm_private.audit_$_', 'audit_${_}_2020_01_01', '2020-01-01', '2020-01-02')") for 'security', 'data';
sql(q{SELECT count(vrm.audit_event('filled', jsonb_build_object('text', repeat('x', 1000)))) FROM generate_series(1, 1000)});
my $pipe = PostgreSQL::Test::Utils::tempdir_short() . '/dump';
mkfifo($pipe, 0600) or die "$pipe: $!";
sysopen(my $reader, $pipe, O_RDONLY | O_NONBLOCK) or die "$pipe: $!";
my $said = '';
my $dump = IPC::Run::start(['pg_dump', '-f', $pipe, '-d', $node->connstr('app')], '>', \$said, '2>', \$said);
ok($node->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.relation = 'vrm_private.audit_security_2020_01_01'::regclass AND a.state = 'idle in transaction'}),
    'given a pg_dump that waits, with all tables locked');
sql('CALL vrm.maintain()');
is(failures(), 'old entries of the audit trail 55P03', 'maintenance ends, and does all but drop what is being dumped');
work();
pass('people work on meanwhile');
my $text = '';
fcntl($reader, F_SETFL, 0) or die $!;
while (sysread $reader, my $more, 1_000_000) { $text .= $more }
ok(IPC::Run::finish($dump), 'the dump ends well') or diag($said);
like($text, qr/^COPY vrm\.test_runs .*PostgreSQL database dump complete/ms, '... and is whole');
sql('CALL vrm.maintain()');
is(failures(), '', 'then the rest is done');

# --- the end of a day -----------------------------------------------------------------------------------------------

SKIP: {
    my ($library) = glob '/usr/lib/*/faketime/libfaketime.so.1';
    skip 'libfaketime is not installed: apt-get install faketime', 7 unless $library;
    $node->stop;
    # PostgreSQL waits by another clock; a busy machine takes seconds to start it
    local @ENV{qw(LD_PRELOAD FAKETIME DONT_FAKE_MONOTONIC TZ)} =
      ($library, '@' . strftime('%Y-%m-%d', gmtime time + 86_400) . ' 23:59:45', 1, 'UTC');
    $node->start;
    delete @ENV{qw(LD_PRELOAD FAKETIME)};
    my $day = sql(q{SELECT (now() AT TIME ZONE 'UTC')::date});
    my $before = sql('SELECT count(*) FROM vrm.test_runs');
    my $worked = 0;
    for my $round (1 .. 500) {
        work();
        $worked++;
        sql('CALL vrm.maintain()') if $round % 3 == 0;
        last if sql("SELECT (now() AT TIME ZONE 'UTC') > '$day'::date + interval '1 day 2 seconds'") eq 't';
    }
    sql('CALL vrm.maintain()');
    is(failures(), '', 'every step went well on both sides of midnight');
    is(sql("SELECT (now() AT TIME ZONE 'UTC')::date - '$day'::date"), 1, 'given that the day has changed');
    is(sql('SELECT count(*) FROM vrm.test_runs') - $before, $worked, 'every call is there');
    is(sql(q{SELECT count(*) FROM vrm_private.audit_security WHERE tableoid::regclass::text
             <> 'vrm_private.audit_security' || to_char(at AT TIME ZONE 'UTC', '_YYYY_MM_DD')}), 0, 'every entry is with its day');
    is(sql(q{SELECT count(DISTINCT tableoid) FROM vrm_private.audit_security WHERE action = 'tick'}), 3, '... of which there were three');
    is(sql(q{SELECT count(*) FROM vrm.audit_verify() WHERE problem IS NOT NULL}), 0, 'and the trail is whole');
    is(as_user($node, 'app', $alice, "SELECT sum(calls) FROM vrm.call_series('$day'::date - 3, '$day'::date + 3, '1 day')"),
        $before + $worked, 'statistics count each call once');
}
$node->stop;
done_testing();
