# The packages of clients/ are built as they are published, by `npm pack` and `python3 -m build`, and programs take what comes
# out.  NODE_PATH names the npm packages of package.json; what needs something that is not there is skipped.
use strict;
use warnings;
use File::Path qw(make_path);
use FindBin;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = "$FindBin::Bin/../../clients";
my $npm = $ENV{NODE_PATH} // '';
my $work = PostgreSQL::Test::Utils::tempdir;
$ENV{HOME} = $work;

# Runs a command in a directory; gives what it prints, and says what it wrote besides where it fails.
sub said {
    my ($directory, @command) = @_;
    my ($stdout, $stderr) = ('', '');
    return $stdout if IPC::Run::run \@command, '<', \undef, '>', \$stdout, '2>', \$stderr, init => sub { chdir $directory };
    diag("@command: $stdout$stderr");
    return;
}

sub copy_of {
    my ($name) = @_;
    system('cp', '-R', "$clients/$name", "$work/$name") == 0 or die "cp failed\n";
    return "$work/$name";
}

SKIP: {
    skip 'npm is not installed, or its package typescript', 3 unless -x "$npm/.bin/tsc" && system('npm --version >/dev/null 2>&1') == 0;
    my $package = copy_of('typescript');
    local $ENV{PATH} = "$npm/.bin:$ENV{PATH}";
    # `npm pack` runs the compiler by itself: "prepare"
    my ($list) = (said($package, qw(npm pack --json --offline --no-update-notifier)) // '') =~ /^(\[.*\])/ms or die "nothing is packed\n";
    my $made = decode_json($list)->[0];
    is(join(' ', sort map { $_->{path} } @{ $made->{files} }),
        join(' ', sort 'README.md', 'package.json', map { ("dist/$_.d.ts", "dist/$_.js") } qw(functions index runtime)),
        'npm: the package has what is compiled, and nothing else');
    make_path("$work/program/node_modules/vrm-client");
    said($work, 'tar', '-xzf', "$package/$made->{filename}", '--strip-components=1', '-C', "$work/program/node_modules/vrm-client");
    append_to_file("$work/program/package.json", '{"type": "module"}');
    append_to_file("$work/program/program.ts", <<'TS');
import { createClient, VrmError } from 'vrm-client';
const client = createClient({ query: async () => ({ result: 'made' }) });
const id: string = await client.create_agent({ agent_id: 'reception' });
console.log(id, new VrmError({ code: '28000', reason: 'not_signed_in', message: 'x', detail: null, hint: null }) instanceof Error);
TS
    is(said("$work/program", "$npm/.bin/tsc", '--target', 'ES2022', '--module', 'NodeNext', '--strict', 'program.ts'),
        '', 'npm: a program is compiled with its types');
    is(said("$work/program", 'node', 'program.js'), "made true\n", 'npm: and runs with it');
}

SKIP: {
    my $python = '/usr/bin/python3';
    skip 'build, setuptools or wheel is not installed: apt-get install python3-build python3-setuptools python3-wheel', 3
      if system($python, '-c', <<'PYTHON') != 0;
import importlib.util, sys
sys.exit(any(importlib.util.find_spec(name) is None for name in ("build.__main__", "setuptools", "wheel"))
         if importlib.util.find_spec("build") else 1)
PYTHON
    my $package = copy_of('python');
    said($package, $python, qw(-m build --no-isolation --outdir), "$work/made", $package);
    my ($wheel) = glob "$work/made/*.whl";
    my ($source) = glob "$work/made/*.tar.gz";
    like($wheel // '', qr/vrm_client-[\d.]+-py3-none-any\.whl$/, 'Python: a wheel is built');
    like(said($work, 'tar', '-tzf', $source // '') // '', qr{/src/vrm_client/py\.typed$}m, 'Python: and sources, which say that they have types');
    is(said($work, $python, '-I', '-c', <<"PYTHON"), "vrm_client True made\n", 'Python: a program runs with it');
import sys
sys.path.insert(0, "$wheel")
import vrm_client, importlib.resources as resources
client = vrm_client.Client(lambda *given: {"result": "made"})
print(vrm_client.__name__, resources.files("vrm_client").joinpath("py.typed").is_file(), client.create_agent(agent_id="reception"))
PYTHON
}
done_testing();
