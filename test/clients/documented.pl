# The programs of doc/clients.md and doc/application.md run, and print what stands below them; what generators make of
# schema vrm and vrm_api is compiled with them.  NODE_PATH names the npm packages of package.json; what needs something
# that is not there is skipped.
use strict;
use warnings;
use File::Path qw(make_path);
use FindBin;
use HTTP::Tiny;
use JSON::PP;
use lib "$FindBin::Bin/../cluster/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $root = "$FindBin::Bin/../..";
my $npm = $ENV{NODE_PATH} // '';
my $work = PostgreSQL::Test::Utils::tempdir;
my $programs = "$work/programs";
my ($email, $password) = ('erin@example.org', 'correct horse battery');

# From the page that says so, as the others are.
my ($act_as_header) = slurp_file("$root/doc/accounts/teams.md") =~ /^(CREATE FUNCTION act_as_header.*?^\$\$;)$/ms;

# --- given: a server that an application's role, PostgREST's and PostGraphile's reach by TCP ---------------

my $node = PostgreSQL::Test::Cluster->new('documented');
$node->init(extra => ['--encoding=UTF8', '--locale=C.UTF-8']);
$node->append_conf('postgresql.conf', <<'CONF');
listen_addresses = '127.0.0.1'
vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='
vrm.trusted_logins = 'authenticator'
CONF
$node->start;
database($node, 'app');
query($node, 'app', <<"SQL");
SELECT vrm.key_create('data'), vrm.make_api();
CREATE ROLE shop LOGIN IN ROLE anon, authenticated;
CREATE ROLE authenticator LOGIN NOINHERIT IN ROLE anon, authenticated;
ALTER ROLE authenticator SET vrm.http_errors = on;
$act_as_header
SET vrm.secret_literals = allow;
SELECT vrm.sign_up('$email', '$password', 'Erin');
UPDATE auth.users SET email_confirmed_at = now();
SQL
my $address = '127.0.0.1:' . $node->port;
my $uri = "postgresql://shop\@$address/app";
@ENV{qw(PGHOST PGPORT PGDATABASE PGUSER DATABASE_URL PGSSLMODE GRAPHILE_ENV)} =
  ('127.0.0.1', $node->port, 'app', 'shop', $uri, 'disable', 'production');
$ENV{PYTHONPATH} = "$root/clients/python/src";
$ENV{PYTHONDONTWRITEBYTECODE} = 1;

# --- what there is -------------------------------------------------------------------------------------

sub packages { my @names = @_; return $npm ne '' && !grep { !-d "$npm/$_" } @names }

# Runs a command; gives what it wrote to standard output, and says what else it wrote where it fails.
sub said {
    my (@command) = @_;
    my ($stdout, $stderr) = ('', '');
    my $ok = IPC::Run::run [@command], '<', \undef, '>', \$stdout, '2>', \$stderr, init => sub { chdir $programs };
    diag("@command\n$stdout\n$stderr") unless $ok;
    return $ok ? $stdout : undef;
}

sub has_module { my ($module) = @_; return system("/usr/bin/python3 -c 'import $module' 2>/dev/null") == 0 }

# --- the programs ----------------------------------------------------------------------------------------

my (%text, %expected);
for my $page ('clients', 'application') {
    my $content = slurp_file("$root/doc/$page.md");
    while ($content =~ /^```(?:js|ts|python|java) (\S+)\n(.*?)^```\n```text\n(.*?)^```$/msg) {
        ($text{$1}, $expected{$1}) = ($2, $3);
    }
    my $all = () = $content =~ /^```(?:js|ts|python|java)\b/mg;
    is(scalar(grep { index($content, " $_\n") >= 0 } keys %text), $all, "each program of doc/$page.md has a name and prints something");
}
make_path("$programs/generated");
for my $name (keys %text) {
    open(my $file, '>', "$programs/$name") or die "$name: $!\n";
    print {$file} $text{$name};
    close($file);
}

sub runs {
    my ($name, @command) = @_;
    is(said(@command), $expected{$name}, "$name runs, and prints what stands below it");
    delete $expected{$name};
    return;
}

sub skip_programs {
    my ($why, @names) = @_;
    delete @expected{@names};
    skip $why, scalar @names;
    return;
}

# --- Python, Java ----------------------------------------------------------------------------------------

my @python_needs = (['client.py', 'psycopg'], ['psycopg_3.py', 'psycopg'], ['sqlalchemy_automap.py', 'sqlalchemy, psycopg2']);
for my $program (@python_needs) {
    my ($name, $modules) = @$program;
  SKIP: {
        skip_programs("Python's $modules are not installed", $name) unless has_module($modules);
        runs($name, '/usr/bin/python3', "$programs/$name");
    }
}

SKIP: {
    my ($jar) = glob '/usr/share/java/postgresql.jar';
    my ($compiler) = grep { -x } map { "$_/javac" } split /:/, $ENV{PATH};
    skip_programs('a JDK or libpostgresql-jdbc-java is not installed', 'Calls.java') unless $jar && $compiler;
    my $classes = join ':', $jar, glob('/usr/share/java/{scram-client,scram-common,saslprep,stringprep}.jar');
    runs('Calls.java', 'java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', $classes, "$programs/Calls.java");
}

# --- JavaScript ------------------------------------------------------------------------------------------

symlink $npm, "$programs/node_modules" if $npm ne '';
for my $program (['node_postgres.mjs', 'pg'], ['postgres_js.mjs', 'postgres'], ['postgraphile.mjs', 'postgraphile']) {
    my ($name, @needs) = @$program;
  SKIP: {
        skip_programs("the npm package @needs is not installed", $name) unless packages(@needs);
        local $ENV{DATABASE_URL} = "postgresql://authenticator\@$address/app";
        runs($name, 'node', '-r', "$FindBin::Bin/node_22.cjs", "$programs/$name");
    }
}

# --- TypeScript: generate, compile all at once, run ------------------------------------------------------------

# What generators print is taken from a superuser's connection, as they are run where a schema is developed.
my %generators = (
    'supabase.ts' => sub {
        local @ENV{qw(PG_META_GENERATE_TYPES PG_META_DB_URL PG_META_GENERATE_TYPES_INCLUDED_SCHEMAS)} =
          ('typescript', "$uri?options=-c%20search_path%3Dvrm_api" =~ s/shop/postgres/r, 'vrm_api');
        my $types = said('node', "$npm/\@supabase/postgres-meta/dist/server/server.js");
        append_to_file("$programs/generated/database.ts", $types // '');
        unlike($types // 'unknown', qr/\bunknown\b/, 'postgres-meta knows every type');
    },
    'kysely.ts' => sub {
        said("$npm/.bin/kysely-codegen", '--dialect', 'postgres', '--url', $uri =~ s/shop/postgres/r,
            '--include-pattern', 'vrm_api.*', '--out-file', "$programs/generated/kysely.ts");
    },
    'drizzle.ts' => sub {
        my ($config) = slurp_file("$root/doc/clients.md") =~ /^```json drizzle.config.json\n(.*?)^```$/ms;
        append_to_file("$programs/drizzle.config.json",
            encode_json({ %{ decode_json($config) }, dbCredentials => { url => $uri =~ s/shop/postgres/r } }));
        said("$npm/.bin/drizzle-kit", 'pull', '--config', 'drizzle.config.json');
        said('sed', '-i', 's/: unknown(/: text(/', 'generated/drizzle/schema.ts');
        unlink "$programs/generated/drizzle/relations.ts";
    });
my %packages = (
    'client.ts' => ['pg', '@types/pg'],
    'supabase.ts' => ['pg', '@supabase/postgres-meta', '@supabase/postgrest-js'],
    'kysely.ts' => ['pg', '@types/pg', 'kysely', 'kysely-codegen'],
    'drizzle.ts' => ['pg', '@types/pg', 'drizzle-orm', 'drizzle-kit']);
my $compiler_is_there = packages('typescript');
my @compiled = grep { $compiler_is_there && packages(@{ $packages{$_} }) } sort keys %packages;
my %is_compiled = map { $_ => 1 } @compiled;

SKIP: {
    skip 'the npm package typescript is not installed', 2 unless $compiler_is_there;
    $generators{$_}->() for grep { $generators{$_} } @compiled;
    my $package = "$work/node_modules/vrm-client";
    make_path($package);
    ok(defined said("$npm/.bin/tsc", '-p', "$root/clients/typescript", '--outDir', "$package/dist"), 'clients/typescript compiles');
    append_to_file("$package/package.json", slurp_file("$root/clients/typescript/package.json"));
    append_to_file("$programs/package.json", '{"type": "module"}');
    append_to_file("$programs/tsconfig.json", encode_json({ files => \@compiled, compilerOptions => { target => 'ES2022',
                    module => 'NodeNext', strict => JSON::PP::true, noUncheckedIndexedAccess => JSON::PP::true,
                    skipLibCheck => JSON::PP::true, outDir => 'out' } }));
    ok(defined said("$npm/.bin/tsc", '-p', $programs), "and so do @compiled, with what was generated");
}

# PostgREST is no package of npm; its requests are answered with its statements, of each version.
sub with_postgrest {
    my ($version, $pre_request, $do) = @_;
    my $out = '';
    my $server = IPC::Run::start ['node', "$FindBin::Bin/postgrest.cjs", "postgresql://authenticator\@$address/app",
        $version, $pre_request], '<', \undef, '>', \$out, '2>', \my $err;
    $server->pump until $out =~ /^(\d+)\n(.*)\n/ || !$server->pumpable;
    my ($port, $read) = $out =~ /^(\d+)\n(.*)\n/ or die "no replay of PostgREST: $err";
    local $ENV{POSTGREST_URL} = "http://127.0.0.1:$port";
    $do->($ENV{POSTGREST_URL}, $read);
    $server->kill_kill;
    return;
}

for my $name (sort keys %packages) {
  SKIP: {
        skip_programs("npm packages are not installed: typescript @{$packages{$name}}", $name) unless $is_compiled{$name};
        my @command = ('node', $programs . '/out/' . $name =~ s/ts$/js/r);
        if ($name eq 'supabase.ts') {
            with_postgrest(14, '', sub { runs($name, @command) });
        } else {
            runs($name, @command);
        }
    }
}
is(join(' ', sort keys %expected), '', 'no program was forgotten');

# --- typed clients whose tokens have expired, and whose answers are lost --------------------------------------

# A token of the same session as a new refresh token, which the database has signed, of an hour ago.
sub expired_tokens {
    delete local $ENV{PGUSER};
    my $signed_in = decode_json(query($node, 'app', qq{
        SET vrm.secret_literals = allow;
        SELECT to_jsonb(s) FROM vrm.sign_in('$email', '$password') AS s}));
    my $expired = query($node, 'app', qq{
        SELECT vrm.sign_jwt(k.private_key, k.kid, jsonb_build_object('iss', 'vrm', 'aud', 'authenticated',
                   'sub', '$signed_in->{user_id}', 'session_id', '$signed_in->{session_id}', 'role', 'authenticated',
                   'aal', 'aal1', 'exp', floor(extract(epoch FROM now())) - 3600)::text)
        FROM vrm_private.token_key() AS k});
    return ($expired, $signed_in->{refresh_token});
}

sub survives {
    my ($language, $text, @command) = @_;
    is(said(@command, expired_tokens()), <<"TEXT", "$language: tokens are renewed once, lost calls sent again where they may");
read: @{[$language eq 'Python' ? 'True True' : 'true true']}
renewals: 1
made once: $text
not sent again: no answer to sign_in
batch: not_found 1
no renewal: token_expired
TEXT
    return;
}

SKIP: {
    skip "Python's psycopg is not installed", 1 unless has_module('psycopg');
    survives('Python', 'str', '/usr/bin/python3', "$FindBin::Bin/lost_answers.py");
}
SKIP: {
    skip 'npm packages are not installed: typescript pg', 1 unless $is_compiled{'client.ts'};
    append_to_file("$programs/lost_answers.mjs", slurp_file("$FindBin::Bin/lost_answers.mjs"));
    survives('TypeScript', 'string', 'node', "$programs/lost_answers.mjs");
}

# --- requests of PostgREST 12 to 14 --------------------------------------------------------------------------

sub request {
    my ($method, $url, $token, $content, %headers) = @_;
    $headers{Authorization} = "Bearer $token" if $token;
    my $answer = HTTP::Tiny->new->request($method, $url,
        { headers => { 'Content-Type' => 'application/json', %headers }, content => $content ? encode_json($content) : '' });
    return ($answer->{status}, JSON::PP->new->allow_nonref->decode($answer->{content}));
}

sub answers_requests {
    my ($version, $url, $read) = @_;
    my ($status, $body) = request('POST', "$url/rpc/sign_in", undef, { email => $email, password => $password });
    my $token = $body->{access_token};
    is("$status $body->{status}", '200 ok', "PostgREST $version: people sign in");
    like($read, qr/relations \d\d .*routines \d\d+ relationships 8 keys \d\d/, "PostgREST $version: the schema cache is filled");
    my %upsert = (Prefer => 'return=representation,resolution=merge-duplicates');
    my @saved = map {
        (request('POST', "$url/agents?on_conflict=user_id,agent_id&select=id,persona", $token,
                { agent_id => "posted $version", persona => $_ }, %upsert))[1][0]
    } 'patient', 'brisk';
    is("$saved[1]{persona} " . ($saved[0]{id} eq $saved[1]{id}), 'brisk 1', "PostgREST $version: agents are saved by name");
    ($status, $body) = request('GET', "$url/test_cases?select=name&name=like.posted $version: *" =~ s/ /%20/gr =~ s/\*/%25/r, $token);
    is(scalar @$body, 3, "PostgREST $version: with their test cases");
    for my $rows (['metrics', { name => 'tone', prompt => 'Kind?' }], ['test_cases', { name => 'late', scenario => { a => 1 } }],
        ['suites', { name => 'all', case_ids => [], repeats => 2 }]) {
        my ($table, $row) = @$rows;
        if ($table eq 'suites') {
            my (undef, $cases) = request('GET', "$url/test_cases?select=id", $token);
            $row->{case_ids} = [$cases->[0]{id}];
        }
        my @said = map { join ' ', grep { !ref } request('POST', "$url/$table?on_conflict=user_id,name&select=name", $token, $row, %upsert) } 1, 2;
        is("@said", '200 200', "PostgREST $version: $table are saved by name");
    }
    ($status, $body) = request('POST', "$url/test_runs?select=status,time_limit,error", $token, { agent_id => $saved[0]{id} },
        Prefer => 'return=representation');
    is_deeply([$status, $body], [200, [{ status => 'queued', time_limit => 60, error => undef }]],
        "PostgREST $version: a call that is posted is queued");
    ($status, $body) = request('POST', "$url/test_runs", $token, { agent_id => $saved[0]{id}, status => 'completed' });
    like("$status $body->{hint}", qr/^400 .*vrm_api\.import_call/, "PostgREST $version: one that has ended is brought in otherwise");
    my (undef, $run) = request('POST', "$url/rpc/start_test_run", $token, { agent_id => $saved[0]{id}, time_limit => 90 });
    request('POST', "$url/rpc/begin_test_run", $token, { run_id => $run });
    ($status, $body) = request('GET', "$url/test_runs?select=status,agents(agent_id),run_events(status),test_cases(name),"
          . "metric_results(score),agent_versions(version),call_recordings(bytes),transcript_turns(message)&id=eq.$run", $token);
    is_deeply($body, [{ status => 'running', agents => { agent_id => "posted $version" }, test_cases => [], metric_results => [],
                run_events => [{ status => 'running' }], agent_versions => { version => 2 },
                call_recordings => [], transcript_turns => [] }], "PostgREST $version: calls embed what they have");
    request('POST', "$url/rpc/complete_test_run", $token, { run_id => $run });
    is(join(' ', map { (request('POST', "$url/rpc/$_->[0]", $_->[1], $_->[2]))[0] }
              ['begin_test_run', $token, { run_id => $run }], ['begin_test_run', $token, { run_id => $saved[0]{id} }],
            ['begin_test_run', $token, { run_id => 'x' }], ['begin_test_run', undef, { run_id => $run }],
            ['lock_account', $token, { user_id => $run, until => 'infinity', reason => 'x' }]),
        '409 404 400 401 403', "PostgREST $version: errors have the status of HTTP");
    is((request('GET', "$url/agents?select=id"))[0], 401, "PostgREST $version: nobody reads nothing");
    my (undef, $organisation) = request('POST', "$url/rpc/add_organisation", $token, { name => "Acme $version" });
    ($status, $body) = request('GET', "$url/agents?select=id", $token, undef, 'Act-As' => $organisation);
    is_deeply($body, [], "PostgREST $version: db-pre-request has a request act for an organisation");
    is((request('GET', "$url/agents?select=id", $token, undef, 'Act-As' => $saved[0]{id}))[0], 403,
        "PostgREST $version: of which one is a member");
    return;
}

SKIP: {
    skip 'the npm package pg is not installed', 42 unless packages('pg');
    for my $version (12, 13, 14) {
        with_postgrest($version, 'public.act_as_header', sub { answers_requests($version, @_) });
    }
}

$node->stop;
done_testing();
