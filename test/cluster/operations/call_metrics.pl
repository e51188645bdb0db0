# Calls are counted once each, whenever their transactions commit and whoever else counts, and totals never fall.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $node = server('counting');
database($node, 'app');

sub sql { return query($node, 'app', $_[0]) }

sub counted { return sql(q{SELECT value FROM vrm.monitoring('{calls}') WHERE name = 'vrm_calls_ended_total' AND labels = '{"outcome": "completed"}'}) }

my $ended = q{INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at)
    SELECT id, 'completed', now() - interval '1 minute', now() FROM auth.users ORDER BY email LIMIT 1};
sql(q{INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), 'ann@example.org'), (gen_random_uuid(), 'ben@example.org')});
sql($ended);
sql('CALL vrm.maintain()');
is(counted(), '1', 'a call that has ended is counted');
sql('CALL vrm.maintain()');
is(counted(), '1', '... once');

# A transaction that began before others and commits after them.
my $late = $node->background_psql('app');
$late->query_safe("BEGIN; $ended;");
sql($ended);
sql('CALL vrm.maintain()');
is(counted(), '1', 'while one is open that began earlier, later ones wait');
$late->query_safe('COMMIT');
sql('CALL vrm.maintain()');
is(counted(), '3', '... then both are counted');

# Somebody else is at it.
$late->query_safe('BEGIN; SELECT vrm_private.count_calls();');
sql($ended);
sql('CALL vrm.maintain()');
is(counted(), '3', 'two do not count at once');
$late->query_safe('COMMIT');
$late->quit;
sql('CALL vrm.maintain()');
is(counted(), '4', '... and nothing is lost by it');

sql(q{DELETE FROM auth.users WHERE email = 'ann@example.org'});
is(counted(), '4', 'totals stay when a person goes');
sql(q{INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, source, external_id)
    SELECT id, 'completed', now() - interval '2 years', now() - interval '2 years', 'old', 'x' FROM auth.users});
sql('CALL vrm.maintain()');
is(counted(), '4', 'history that is brought in is no news');

is(sql('SELECT count(*) FROM vrm.maintenance_failures'), '0', 'no step of vrm.maintain() has failed');
my $before = sql('SELECT xmin FROM vrm_private.call_totals_state');
sql('CALL vrm.maintain()');
is(sql('SELECT xmin FROM vrm_private.call_totals_state'), $before, 'with nothing to count, nothing is written');
$node->stop;
done_testing();
