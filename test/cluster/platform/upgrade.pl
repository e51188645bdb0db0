# From every version that was released to the one in this tree: whether a database is upgraded in place or
# comes by a dump, it ends up with the catalogs, the privileges and the rows of a new one, but for what
# its DBA has changed.  There is no way back, and whoever tries is told.
use strict;
use warnings;
use FindBin;
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Image;
use VRM::Server;
use VRM::Snapshot;

my $released = "$FindBin::Bin/../../released";
my ($install_path, $extension) = private_image();
my $node = server('upgrade', install_path => $install_path);
my $newest = newest_version($node);
my $directory = PostgreSQL::Test::Utils::tempdir;

sub sql { return $node->safe_psql(@_) }

# The same DBA comes to several databases of one cluster.
my $customised = slurp_file("$FindBin::Bin/../lib/customised.sql") =~ s/^(CREATE ROLE auditor;)\n//mr;
sql('postgres', 'CREATE ROLE auditor');

# The catalogs without what no two databases share: positions of sequences, ids of sealed columns.
sub shape {
    my ($database) = @_;
    return catalog($node, $database) =~ s/^sequence .*\n//mgr =~ s/bind_sealed\('[^']*'/bind_sealed(/gr;
}

sub put_script {
    my ($version) = @_;
    my $script = "$extension/vrm--$version.sql";
    unlink $script;
    gunzip("$released/vrm--$version.sql.gz" => $script) or die $GunzipError;
    return;
}

# Whoever may execute a member that PUBLIC may execute: a library function that arrives with an update
# is open to everybody unless the script closes it.
my $open_to_all = q{
    SELECT p.oid::regprocedure
    FROM pg_extension e
    JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
    JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
    WHERE e.extname = 'vrm' AND a.grantee = 0};
my $members = q{
    SELECT count(*) FROM pg_extension e JOIN pg_depend d ON d.refobjid = e.oid AND d.deptype = 'e'
    WHERE e.extname = 'vrm' AND d.classid = 'pg_proc'::regclass};

# What doctor says of tables and views, and what it has to say of customised.sql.
my $amiss = q{
    SELECT concat_ws(' ', check_name, status, detail) FROM vrm.doctor()
    WHERE status <> 'ok' AND check_name IN ('objects', 'routines', 'columns', 'defaults', 'constraints', 'indexes', 'views',
                                            'rules', 'api', 'roles', 'row_level_security') ORDER BY 1};
my %amiss = (empty => '', rows => '', customised =>
      "constraints warn constraint short_calls of vrm.test_runs is NOT VALID: older rows may break it\n"
      . 'defaults info the default of column time_limit of vrm.test_runs is 90, vrm means 60');

# Fails when a table has lost a row, or when rows of a table have changed that has the columns it had, unless
# they are now those of a new database: the platform keeps its own texts up to date.
sub keeps_rows {
    my ($database, $rows, $columns, $how) = @_;
    my %columns = columns_of($database);
    my ($fresh, $now) = map { +{ map { split / /, $_, 2 } split /\n/, rows($node, $_) } } 'fresh', $database;
    my @lost;
    for my $line (split /\n/, $rows) {
        my ($table, $content) = split / /, $line, 2;
        next if $table eq 'vrm_private.platform_history' || $table eq 'vrm.cached_results';  # a cache
        my $same = ($columns{$table} // '') eq ($columns->{$table} // '');
        my ($before, $after) = map { (split / /, $_ // -1)[0] } $content, $now->{$table};
        if ($table =~ /^(vrm_private\.audit_\w+)_rest$/) {  # entries go where there is a partition for their day now
            my $kept = 0;
            $kept += (split / /, $now->{$_})[0] for grep { /^\Q$1\E_/ } keys %$now;
            next if $kept >= $before;
        }
        push @lost, "$table: $content, now " . ($now->{$table} // 'gone')
          if $after < $before || ($same && $after == $before && $content ne $now->{$table} && $now->{$table} ne $fresh->{$table});
    }
    is_deeply(\@lost, [], "$how: every row is as it was");
    return;
}

sub columns_of {
    my ($database) = @_;
    return map { split /\|/, $_, 2 } split /\n/, sql($database, q{
        SELECT attrelid::regclass, string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum)
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        WHERE relkind IN ('r', 'm') AND attnum > 0 AND NOT attisdropped GROUP BY attrelid});
}

# --- what a new database looks like, as it is and in the hands of the same DBA -------------------------

database($node, 'fresh');
my %expected = (empty => shape('fresh'));
is(sql('fresh', $open_to_all), '', 'given a new database, none of whose members is open to PUBLIC');

# At the commit of a release the newest is among them.
my @versions = grep { $_ ne $newest } map { m{/vrm--([^/]*)\.sql\.gz$} } glob "$released/*.sql.gz";
ok(@versions > 0, 'and versions that were released: ' . join ', ', @versions);
for my $version (@versions) {
    put_script($version);
    my $sample = slurp_file("$released/vrm--$version.sample.sql");

    # --- given: databases of the old version ------------------------------------------------------

    my %name = map { $_ => "${_}_$version" =~ tr/./_/r } qw(empty rows customised);
    for my $kind (sort keys %name) {
        sql('postgres', "CREATE DATABASE $name{$kind}");
        sql($name{$kind}, "SET client_min_messages = warning; CREATE EXTENSION vrm VERSION '$version'");
        $node->psql($name{$kind}, $sample, stdout => \my $empty, on_error_die => 1) if $kind ne 'empty';
        is($empty, 'none', "given a row in every table of $version") if $kind eq 'rows';
        sql($name{$kind}, $customised) if $kind eq 'customised';
    }
    is(sql($name{rows}, 'SELECT vrm.platform_version()'), $version, "and the platform of $version");
    # What the same DBA makes of a new database with rows.
    if (!$expected{customised}) {
        database($node, 'fresh_rows');
        $node->psql('fresh_rows', $sample, on_error_die => 1);
        $expected{rows} = shape('fresh_rows');
        sql('fresh_rows', $customised);
        $expected{customised} = shape('fresh_rows');
    }
    my %rows = map { $_ => rows($node, $name{$_}) } keys %name;
    my %columns = map { $_ => { columns_of($name{$_}) } } keys %name;
    my %dump = map { $_ => dump_to($node, $name{$_}, "$directory/$name{$_}.sql") } keys %name;

    # --- when: they are upgraded in place, or dumped and restored -------------------------------------

    for my $kind (sort keys %name) {
        sql($name{$kind}, 'ALTER EXTENSION vrm UPDATE');
        is(sql($name{$kind}, $open_to_all), '', "$version, $kind: no member is open to PUBLIC after ALTER EXTENSION UPDATE");

        my $restored = "restored_$name{$kind}";
        sql('postgres', "CREATE DATABASE $restored TEMPLATE template0");
        my $said = '';
        ok(IPC::Run::run(['psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump{$kind}, '-d', $node->connstr($restored)],
                '>', \my $out, '2>', \$said), "$version, $kind: a dump is restored where $newest is installed")
          or diag($said);

        for my $way ([$name{$kind}, 'in place'], [$restored, 'by a dump']) {
            my ($database, $how) = ($way->[0], "$version, $kind, $way->[1]");
            is(sql($database, 'SELECT vrm.platform_version()'), $version, "$how: the platform waits for vrm.upgrade()");
            is(sql($database, 'SELECT vrm.upgrade()'), $newest, "$how: which takes it along");
            is(sql($database, $open_to_all), '', "$how: no member is open to PUBLIC");
            is(sql($database, $members), sql('fresh', $members), "$how: and there are as many as in a new database");
            same_text(shape($database), $expected{$kind}, "$how: catalogs and privileges are as in a new database");
            keeps_rows($database, $rows{$kind}, $columns{$kind}, $how);
            is(sql($database, $amiss), $amiss{$kind}, "$how: doctor finds what the DBA has changed, no more");
        }
    }

    # --- names that were there twice ------------------------------------------------------------------

    sql('postgres', 'CREATE DATABASE twice');
    sql('twice', "SET client_min_messages = warning; CREATE EXTENSION vrm VERSION '$version'");
    sql('twice', <<'SQL');
INSERT INTO auth.users (id, email) VALUES ('018f0000-0000-7000-8000-000000000001', 'ann@example.org');
INSERT INTO vrm.metrics (user_id, id, name, prompt, created_at)
SELECT '018f0000-0000-7000-8000-000000000001', vrm.uuid7(), name, 'p', now() - age * interval '1 day'
FROM (VALUES ('tone', 3), ('tone', 2), ('tone', 1), ('tone (2)', 0), (repeat('x', 200), 5), (repeat('x', 200), 4))
    AS m (name, age);
INSERT INTO vrm.test_cases (user_id, name, created_at) SELECT user_id, name, created_at FROM vrm.metrics;
ALTER EXTENSION vrm UPDATE;
SELECT vrm.upgrade();
SQL
    for my $table ('vrm.metrics', 'vrm.test_cases') {
        is(sql('twice', "SELECT string_agg(replace(replace(name, id::text, 'id'), repeat('x', 160), 'x'), ', ' ORDER BY created_at)"
                  . " FROM $table"),
            'x' x 41 . ', x (id), tone, tone (id), tone (3), tone (2)',
            "$version: $table keeps its rows, of one name the oldest keeps it");
    }

    # --- no way back ---------------------------------------------------------------------------------

    like(error_of($node, 'fresh', "ALTER EXTENSION vrm UPDATE TO '$version'"),
        qr/^22023: extension "vrm" has no update path from version "\Q$newest\E" to version "\Q$version\E"/,
        "there is no way back to $version");
    my $older = "55000: there is no upgrade of the platform from version $newest to $version"
      . " | DETAIL:  The members of the extension are at version $version."
      . ' | HINT:  Install the files of a newer vrm, then: ALTER EXTENSION vrm UPDATE;';
    sql($name{empty}, 'SET client_min_messages = error; DROP EXTENSION vrm CASCADE');
    is(error_of($node, $name{empty}, "CREATE EXTENSION vrm VERSION '$version'"), $older,
        'not even by DROP EXTENSION CASCADE, which leaves the platform');
    sql($name{empty}, "SET client_min_messages = error; SET vrm.install_platform = never; CREATE EXTENSION vrm VERSION '$version'");
    is(error_of($node, $name{empty}, 'SELECT vrm.upgrade()'), $older, 'vrm.upgrade() refuses a platform that is newer than its members');
    is(sql($name{empty}, 'SELECT vrm.platform_version()'), $newest, 'which stays as it is');
    sql($name{empty}, 'ALTER EXTENSION vrm UPDATE');
    is(sql($name{empty}, 'SELECT vrm.upgrade()'), $newest, 'what the HINT says helps');
    same_text(shape($name{empty}), $expected{empty}, 'and gives the catalogs of a new database again');
}

done_testing();
