# What is generated in clients/ is what tools/clients.pl makes of the catalog now, both packages are of this version,
# and Python takes theirs.  TypeScript's is compiled where npm's packages are: test/clients/documented.pl.
# Needs the server that PGHOST names.
use strict;
use warnings;
use File::Basename;
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;

my $root = dirname(dirname(__FILE__));
my $made = tempdir(CLEANUP => 1);

sub slurp {
    my ($name) = @_;
    open(my $file, '<', $name) or die "$name: $!\n";
    local $/ = undef;
    return <$file>;
}

sub said {
    my @command = @_;
    my $output = qx(@command 2>&1);
    return $? == 0 ? 'ok' : $output;
}

system("$root/tools/clients.pl", $made) == 0 or die "tools/clients.pl failed\n";
for my $name ('typescript/src/functions.ts', 'python/src/vrm_client/functions.py') {
    ok(slurp("$made/$name") eq slurp("$root/clients/$name"), "clients/$name is up to date")
      or diag('tools/clients.pl writes it anew');
}
my ($version) = slurp("$root/extension/vrm.control") =~ /^default_version = '(.*)'/m;
is(decode_json(slurp("$root/clients/typescript/package.json"))->{version}, $version, 'the package for npm has our version');
like(slurp("$root/clients/python/pyproject.toml"), qr/^version = "\Q$version\E"$/m, 'and that for PyPI');

my $package = "$root/clients/python/src/vrm_client";
$ENV{PYTHONPYCACHEPREFIX} = "$made/cache";
is(said('/usr/bin/python3', '-m', 'py_compile', glob "$package/*.py"), 'ok', 'Python compiles its own');
SKIP: {
    skip 'mypy is not installed: apt-get install mypy', 1 unless -x '/usr/bin/mypy';
    is(said('/usr/bin/mypy', '--strict', '--no-error-summary', "--cache-dir=$made/mypy", $package), 'ok', 'and its types hold');
}
done_testing();
