# A coordinator and two workers: what vrm.distribute_plan() says of more tables than go is what Citus does, the
# library finds on each node the rows that it has, and where it has none it says so.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../cluster/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Nodes;
use VRM::Server;

need_citus();

# --- given: three nodes and somebody who has signed up -------------------------------------------

my @nodes = map { node($_) } qw(coordinator left right);
my ($coordinator, @workers) = @nodes;
my $alone = "SET client_min_messages = warning; SET citus.enable_ddl_propagation = off;";
for my $worker (@workers) {
    $worker->safe_psql('calls', "$alone SET vrm.install_platform = never; CREATE EXTENSION vrm");
}
$coordinator->safe_psql('calls', "$alone CREATE EXTENSION vrm");
my $alice = person($coordinator, 'calls', 'alice@example.org');
like($alice, qr/^[0-9a-f-]{36}$/, 'Citus and vrm live in one backend, library and platform');

join_nodes($coordinator, @workers);

# --- when what the plan names is out of the way ----------------------------------------------------

query($coordinator, 'calls', <<'SQL');
SET client_min_messages = warning;
SET citus.enable_ddl_propagation = off;
CREATE SCHEMA kept;
CREATE TABLE kept.plan AS SELECT * FROM vrm.distribute_plan();
CREATE TABLE kept.places AS SELECT relation::text, becomes, by_column FROM vrm_private.distribution_fates();
CREATE TABLE kept.keys AS
    SELECT k.conrelid::regclass::text AS relation, k.conname, pg_get_constraintdef(k.oid) AS made
    FROM pg_constraint k
    JOIN vrm_private.distribution_fates() f ON f.relation = k.conrelid
    JOIN vrm_private.distribution_fates() o ON o.relation = k.confrelid
    WHERE k.contype = 'f' AND k.conparentid = 0 AND (f.becomes <> 'local' OR o.becomes <> 'local');
CREATE TABLE kept.triggers AS
    SELECT t.tgrelid::regclass::text AS relation, t.tgname, pg_get_triggerdef(t.oid) AS made
    FROM pg_trigger t JOIN vrm_private.distribution_fates() f ON f.relation = t.tgrelid
    WHERE NOT t.tgisinternal AND f.becomes <> 'local';
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', relation, conname) FROM kept.keys \gexec
SELECT format('DROP TRIGGER %I ON %s', tgname, relation) FROM kept.triggers \gexec
SELECT format('DROP POLICY %I ON %s', substring(o FROM '^policy "(.*)" has a subquery$'), p.table_name)
FROM kept.plan p, unnest(p.obstacles) AS o WHERE o ~ '^policy .* has a subquery$' \gexec
SELECT format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', p.table_name)
FROM kept.plan p, unnest(p.obstacles) AS o WHERE o ~ '^unique index ' \gexec
SELECT format('DROP INDEX %s.%I', split_part(p.table_name, '.', 1), split_part(o, ' ', 3))
FROM kept.plan p, unnest(p.obstacles) AS o WHERE o ~ '^unique index ' \gexec
SQL

# Each in a transaction of its own.
query($coordinator, 'calls', <<'SQL');
SET client_min_messages = error;
SELECT create_distributed_function('vrm_private.retention_cutoff(interval, timestamptz)');
SELECT format('SELECT create_reference_table(%L)', relation) FROM kept.places WHERE becomes = 'reference' \gexec
SELECT create_distributed_table('vrm.agents', 'user_id', colocate_with => 'none', shard_count => 8);
SELECT format('SELECT create_distributed_table(%L, %L, colocate_with => ''vrm.agents'')', relation, by_column)
FROM kept.places WHERE becomes LIKE 'distributed by %' AND relation <> 'vrm.agents' \gexec
SQL

is(query($coordinator, 'calls', <<'SQL'),
SELECT string_agg(f.relation, ' ') FROM kept.places f
LEFT JOIN citus_tables c ON c.table_name = f.relation::regclass
WHERE CASE WHEN f.becomes = 'local' THEN 'local' WHEN f.becomes = 'reference' THEN 'reference'
           ELSE 'distributed' END IS DISTINCT FROM coalesce(c.citus_table_type, 'local')
SQL
    '', 'each table has the place that the plan says');

# --- then foreign keys and triggers come back, but for what the plan names -------------------------

my @refused;
for my $line (split /\n/, query($coordinator, 'calls', 'SELECT relation, conname, made FROM kept.keys')) {
    my ($relation, $name, $made) = split /\|/, $line;
    my $error = error_of($coordinator, 'calls', "ALTER TABLE $relation ADD CONSTRAINT $name $made");
    push @refused, "$relation $name" if $error ne '';
}
is(join("\n", sort @refused),
    query($coordinator, 'calls', <<'SQL'), 'Citus refuses the foreign keys that the plan names, and no other');
SELECT p.table_name || ' ' || split_part(o, ' ', 3) FROM kept.plan p, unnest(p.obstacles) AS o
WHERE o ~ '^foreign key ' ORDER BY (p.table_name || ' ' || split_part(o, ' ', 3)) COLLATE "C"
SQL
query($coordinator, 'calls', <<'SQL');
SET citus.enable_unsafe_triggers = on;
SELECT made FROM kept.triggers WHERE tgname = 'announce_change' \gexec
SQL

# --- then each node knows who calls --------------------------------------------------------------

# What is done on the coordinator between two questions is heard of by the session that asks.
sub problems {
    my ($node, @changes) = @_;
    my $asked = <<"SQL";
BEGIN;
SELECT set_config('request.jwt.claims', '{"sub": "$alice", "role": "authenticated"}', true),
       set_config('role', 'authenticated', true) \\g /dev/null
SELECT coalesce(vrm.account_problem(), 'none');
COMMIT;
SQL
    my $connection = $coordinator->connstr('calls');
    return $node->safe_psql('calls',
        join('', $asked, map { "\\! psql -XAtq -d \"$connection\" -c \"$_\"\n$asked" } @changes));
}

query($coordinator, 'calls',
    "SELECT truncate_local_data_after_distributing_table('vrm.user_profiles')");
is(query($coordinator, 'calls', "SELECT pg_relation_size('vrm.user_profiles')"),
    0, 'the table itself is empty');
for my $node (@nodes) {
    is(problems($node,
            "UPDATE vrm.user_profiles SET deleted_at = now() WHERE id = '$alice'",
            'UPDATE vrm.user_profiles SET deleted_at = NULL',
            "INSERT INTO vrm_private.account_locks (user_id, locked_until)"
              . " VALUES ('$alice', now() + interval '1 hour')",
            'DELETE FROM vrm_private.account_locks'),
        "none\nthe account is deleted\nnone\nthe account is locked\nnone",
        $node->name . ' knows at once what has become of an account');
}

# --- and says so where it does not have the rows ---------------------------------------------------

like(error_as_user($coordinator, 'calls', $alice, 'SELECT * FROM vrm.claim_test_run()'),
    qr/^0A000: rows of relation "run_(queue|leases)" are on other nodes /,
    'the queue is not taken for an empty one');

$_->stop for @nodes;
done_testing();
