# What a DBA does to calls and their archive, before and after archiving, held against what retention promises: calls are
# archived, verified, exported, given back, dumped and restored, each once and whole.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $node = server('matrix');
my $space = PostgreSQL::Test::Utils::tempdir;
$node->append_conf('postgresql.conf', "wal_level = logical\nfsync = off\n");
$node->restart;
$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION '$space'");
database($node, 'template');
my $alice = person($node, 'template', 'alice@example.org');
as_user($node, 'template', $alice, q{SELECT vrm.create_agent('reception')});
$node->safe_psql('template', <<'SQL');
INSERT INTO vrm.test_runs (user_id, agent_id, test_case_ids, status, started_at, completed_at, results, error, time_limit)
SELECT user_id, agent, to_jsonb(cases), CASE n % 2 WHEN 0 THEN 'completed' ELSE 'failed' END, now() - interval '3 years', now() - interval '3 years',
       jsonb_build_object('n', n, 'text', repeat(md5(n::text), 100)), 'call ' || n, 600
FROM generate_series(1, 8) AS n, (SELECT user_id, min(id::text)::uuid AS agent FROM vrm.agents GROUP BY 1) AS a,
     LATERAL (SELECT array_agg(id) AS cases FROM vrm.test_cases c WHERE c.user_id = a.user_id) AS c;
SQL

my $identity = sub { return "ALTER TABLE vrm.test_runs REPLICA IDENTITY $_[0]; CREATE PUBLICATION calls FOR TABLE vrm.test_runs" };

# Each: what is done, how many of the eight calls that leaves to the archive, and whether it makes sense after archiving.
my @actions = (
    ['nothing', 'SELECT'],
    ['a column', 'ALTER TABLE vrm.test_runs ADD COLUMN label text; UPDATE vrm.test_runs SET label = error'],
    ['a column with a default', q{ALTER TABLE vrm.test_runs ADD COLUMN region text NOT NULL DEFAULT 'eu'}],
    ['a column with a volatile default', 'ALTER TABLE vrm.test_runs ADD COLUMN ticket uuid NOT NULL DEFAULT gen_random_uuid()'],
    ['a computed column', 'ALTER TABLE vrm.test_runs ADD COLUMN minutes integer GENERATED ALWAYS AS (time_limit / 60) STORED'],
    ['a numbered column', 'ALTER TABLE vrm.test_runs ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY'],
    ['a column of floats', 'ALTER TABLE vrm.test_runs ADD COLUMN score float8; UPDATE vrm.test_runs SET score = random()'],
    ['a column of a type of its own', q{CREATE DOMAIN public.percent AS numeric CHECK (VALUE <= 100); CREATE TYPE public.pair AS (a int, b text);
        ALTER TABLE vrm.test_runs ADD COLUMN rate public.percent, ADD COLUMN pair public.pair, ADD COLUMN pairs public.pair[];
        UPDATE vrm.test_runs SET rate = 12.50, pair = (1, 'x, "y"'), pairs = ARRAY[(1, NULL)::public.pair]}],
    ['a column of both', 'ALTER TABLE vrm.test_runs ADD COLUMN label text; ALTER TABLE vrm_private.test_runs_archive ADD COLUMN label text;
        UPDATE vrm.test_runs SET label = error'],
    ['a column in another order', 'ALTER TABLE vrm_private.test_runs_archive ADD COLUMN b text, ADD COLUMN a text;
        ALTER TABLE vrm.test_runs ADD COLUMN a text, ADD COLUMN b text; UPDATE vrm.test_runs SET a = $$a$$, b = $$b$$'],
    ['columns that are called as ours are', 'ALTER TABLE vrm.test_runs ADD COLUMN extra text, ADD COLUMN batch_id integer, ADD COLUMN archived_at date,
        ADD COLUMN r text, ADD COLUMN g text, ADD COLUMN put text, ADD COLUMN bytes text, ADD COLUMN old text, ADD COLUMN place text;
        UPDATE vrm.test_runs SET extra = $$x$$, batch_id = 7, archived_at = current_date, r = $$r$$, g = $$g$$, put = $$p$$, bytes = $$b$$, old = $$o$$'],
    ['a column that came and went', 'ALTER TABLE vrm.test_runs ADD COLUMN x text; ALTER TABLE vrm.test_runs DROP COLUMN x;
        ALTER TABLE vrm.test_runs ADD COLUMN x integer DEFAULT 7'],
    ['a column of the archive only', 'ALTER TABLE vrm_private.test_runs_archive ADD COLUMN shelf text DEFAULT $$A$$'],
    ['partitions of the archive', q{CREATE TABLE vrm_private.far PARTITION OF vrm_private.test_runs_archive FOR VALUES FROM ('2100-01-01') TO (MAXVALUE)}],
    ['a partition of the archive taken out and put back', q{DO $do$
        DECLARE part regclass := (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'vrm_private.test_runs_archive'::regclass
                                  AND vrm_private.partition_bounds(inhrelid) @> now());
                bounds text := (SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = part);
        BEGIN
            EXECUTE format('ALTER TABLE vrm_private.test_runs_archive DETACH PARTITION %s', part);
            EXECUTE format('ALTER TABLE vrm_private.test_runs_archive ATTACH PARTITION %s %s', part, bounds);
        END $do$}],
    ['no partition for today', q{DO $do$ BEGIN EXECUTE format('DROP TABLE %s', (SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent = 'vrm_private.test_runs_archive'::regclass AND vrm_private.partition_bounds(inhrelid) @> now())); END $do$}, 8, 'before'],
    ['a child table', q{CREATE TABLE public.imported () INHERITS (vrm.test_runs)}],
    ['a trigger', q{CREATE FUNCTION public.look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
        CREATE TRIGGER look BEFORE DELETE ON vrm.test_runs FOR EACH ROW EXECUTE FUNCTION public.look()}],
    ['a trigger of the archive', q{CREATE FUNCTION public.look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER look BEFORE INSERT ON vrm_private.test_runs_archive FOR EACH ROW EXECUTE FUNCTION public.look()}],
    ['an index', 'CREATE INDEX ON vrm.test_runs (error); CREATE UNIQUE INDEX ON vrm_private.test_runs_archive (user_id, id, archived_at, status)'],
    ['a check', 'ALTER TABLE vrm.test_runs ADD CHECK (time_limit > 0); ALTER TABLE vrm_private.test_runs_archive ADD CHECK (time_limit > 0)'],
    (map {
            my $action = $_;
            ["a foreign key with ON DELETE $action", "CREATE TABLE public.tickets (user_id uuid, run_id uuid,
            FOREIGN KEY (user_id, run_id) REFERENCES vrm.test_runs ON DELETE $action);
            INSERT INTO public.tickets SELECT user_id, id FROM vrm.test_runs ORDER BY id LIMIT 1", 7, 'before']
    } 'CASCADE', 'SET NULL (run_id)', 'NO ACTION', 'RESTRICT'),
    ['a foreign key of ours', 'CREATE TABLE public.colours (name text PRIMARY KEY); INSERT INTO public.colours VALUES ($$red$$);
        ALTER TABLE vrm.test_runs ADD COLUMN colour text REFERENCES public.colours; UPDATE vrm.test_runs SET colour = $$red$$'],
    ['another tablespace', 'ALTER TABLE vrm.test_runs SET TABLESPACE elsewhere; ALTER TABLE vrm_private.test_runs_archive SET TABLESPACE elsewhere'],
    ['tables without WAL', 'ALTER TABLE vrm_private.test_runs_archive_rest SET UNLOGGED'],
    ['row security for owners', 'ALTER TABLE vrm.test_runs FORCE ROW LEVEL SECURITY; ALTER TABLE vrm_private.test_runs_archive FORCE ROW LEVEL SECURITY;
        ALTER TABLE vrm.user_profiles FORCE ROW LEVEL SECURITY'],
    ['a table written anew', 'CLUSTER vrm.test_runs USING test_runs_pkey; REINDEX TABLE vrm_private.test_runs_archive'],
    ['other storage', 'ALTER TABLE vrm.test_runs ALTER COLUMN results SET STORAGE EXTERNAL; UPDATE vrm.test_runs SET results = results || $${}$$'],
    ['a publication by primary key', $identity->('DEFAULT')],
    ['a publication of whole rows', $identity->('FULL')],
    ['a publication by index', 'CREATE UNIQUE INDEX by_call ON vrm.test_runs (id, user_id); ' . $identity->('USING INDEX by_call')],
    ['a publication of all tables', 'CREATE PUBLICATION everything FOR ALL TABLES; ALTER TABLE vrm.test_run_cases REPLICA IDENTITY FULL'],
    ['a renamed index', 'ALTER INDEX vrm.test_runs_pkey RENAME TO calls_pkey'],
);

# Calls with every column that there is, live or archived.
sub live { return query($node, $_[0], q{SELECT count(*) || ' ' || md5(string_agg(to_jsonb(r.*)::text, E'\n' ORDER BY r.id)) FROM vrm.test_runs r}) }
sub cases { return query($node, $_[0], q{SELECT string_agg(c::text, ' ' ORDER BY c) FROM vrm.test_run_cases c}) }
sub verified { return query($node, $_[0], q{SELECT coalesce(string_agg(DISTINCT ok || CASE WHEN ok THEN '' ELSE ': ' || detail END, ', '), 'empty') FROM vrm.verify_archive()}) }
sub archived { return query($node, $_[0], 'SELECT count(*) FROM vrm_private.test_runs_archive') }
sub archive { query($node, $_[0], "SET extra_float_digits = -3;\nCALL vrm.run_retention('calls.completed');\nCALL vrm.run_retention('calls.failed');"); return }
sub give_back {
    return query($node, $_[0], 'SELECT vrm.restore_from_archive(ARRAY(SELECT id FROM vrm_private.test_runs_archive))');
}

# What a user gets of archived calls.
sub exported {
    my ($database) = @_;
    return query($node, $database, <<"SQL");
SELECT count(DISTINCT e.data ->> 'error') FROM vrm.export_user_data('$alice') AS e
WHERE e.relation IN ('vrm.test_runs', 'vrm_private.test_runs_archive')
SQL
}

# Packs the archive's partition of today, as is done when its month is over.
sub compress { return query($node, $_[0], <<'SQL') }
DO $do$
DECLARE
    part regclass := (SELECT max(tableoid) FROM vrm_private.test_runs_archive
                      WHERE tableoid <> 'vrm_private.test_runs_archive_rest'::regclass);
BEGIN
    IF part IS NOT NULL THEN
        PERFORM vrm_private.compress_partition(part);
    END IF;
END
$do$;
SELECT count(*) FROM vrm_private.test_runs_archive WHERE packed_results IS NOT NULL;
SQL

my $number = 0;
sub copy_of {
    my ($template) = @_;
    my $name = 'app' . ++$number;
    $node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE $template");
    return $name;
}

for my $action (@actions) {
    my ($what, $sql, $due, $when) = @$action;
    $due //= 8;

    # first, then everything
    my $app = copy_of('template');
    query($node, $app, "SET client_min_messages = warning;\n$sql");
    my ($before, $cases) = (live($app), cases($app));
    archive($app);
    is(archived($app) . ' ' . verified($app), "$due true", "$what: calls are archived and verified");
    is(exported($app), '8', '... exported');
    is(compress($app), $due, '... compressed');
    is(archived($app) . ' ' . verified($app), "$due true", '... which verifies');
    is(exported($app), '8', '... and is exported');
    my @databases = ($app);
    if ($what =~ /column|type|partition|child|security/) {
        my $file = "$space-dump$number.sql";
        $node->command_ok(['pg_dump', '-f', $file, $node->connstr($app)], '... dumped');
        push @databases, 'app' . ++$number;
        $node->safe_psql('postgres', "CREATE DATABASE $databases[1] TEMPLATE template0");
        $node->command_ok(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($databases[1]), '-f', $file], '... restored');
        is(archived($databases[1]) . ' ' . verified($databases[1]), "$due true", '... verified there');
    }
    for my $database (@databases) {
        is(give_back($database), $due, '... given back');
        is(live($database), $before, '... as they were');
        is(cases($database), $cases, '... with their test cases');
        is(verified($database), 'true', '... which the manifest knows');
    }
    archive($app);
    is(archived($app) . ' ' . verified($app), "$due true", '... and archived again');
    $node->safe_psql('postgres', "DROP DATABASE $_") for @databases;
    next if ($when // '') eq 'before' || $what !~ /column|type|partition/;

    # after archiving
    $app = copy_of('template');
    my $plain = live($app);
    my $columns = query($node, $app, q{SELECT max(attnum) FROM pg_attribute WHERE attrelid = 'vrm.test_runs'::regclass});
    archive($app);
    query($node, $app, "SET client_min_messages = warning;\n$sql");
    is(archived($app) . ' ' . verified($app), '8 true', "after archiving, $what: calls are still verified");
    is(give_back($app), 8, '... given back');
    is(query($node, $app, "SELECT count(*) || ' ' || md5(string_agg((to_jsonb(r.*) - ARRAY(SELECT attname::text FROM pg_attribute
            WHERE attrelid = 'vrm.test_runs'::regclass AND attnum > $columns))::text, E'\\n' ORDER BY r.id)) FROM vrm.test_runs r"),
        $plain, '... as they were');
    archive($app);
    is(archived($app) . ' ' . verified($app), '8 true', '... and archived again');
    $node->safe_psql('postgres', "DROP DATABASE $app");
}

# where new partitions go
my $app = copy_of('template');
query($node, $app, 'ALTER TABLE vrm_private.test_runs_archive SET TABLESPACE elsewhere');
query($node, $app, q{SELECT vrm_private.make_partition('vrm_private.test_runs_archive', 'far', '2100-01-01', '2101-01-01')});
is(query($node, $app, q{SELECT tablespace FROM pg_tables WHERE tablename = 'far'}), 'elsewhere', 'a new partition goes to the tablespace of its table');

$node->stop;
done_testing();
