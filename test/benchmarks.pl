# doc/benchmarks.md has every bench, README the same six figures; and bench/all.pl, which writes both, says
# what failed, what was missed and what was not run.
use strict;
use warnings;
use Cwd qw(realpath);
use File::Basename;
use File::Temp qw(tempdir);
use Test::More;

my $root = realpath(dirname(dirname(__FILE__)));

sub slurp {
    my ($name) = @_;
    open(my $file, '<:encoding(UTF-8)', $name) or die "$name: $!\n";
    local $/ = undef;
    return <$file>;
}

sub spill {
    my ($name, $text) = @_;
    open(my $file, '>', $name) or die "$name: $!\n";
    print {$file} $text;
    close($file) or die "$name: $!\n";
    return;
}

# --- what is committed --------------------------------------------------------------------------------

my $page = slurp("$root/doc/benchmarks.md");
my @benches = map { m{/bench/(\w+/\w+)\.\w+$} ? $1 : () } glob("$root/bench/*/*.sh $root/bench/*/*.pl");
@benches = grep { !m{^lib/} } @benches;
cmp_ok(scalar(@benches), '>', 10, 'there are benches');
like($page, qr/^## \Q$_\E$/m, "doc/benchmarks.md has $_") for @benches;
ok(-e "$root/doc/$_", "there is $_") for $page =~ /\]\((benchmarks-\w+\.svg)\)/g;
my ($readme) = slurp("$root/README.md") =~ /<!-- of doc\/benchmarks\.md -->\n(.*)<!-- end -->/s;
my @figures = $readme =~ /^(- .*)$/mg;
is(scalar(@figures), 6, 'README has six figures');
ok(index($page, "$_\n") >= 0, "one is in doc/benchmarks.md: $_") for @figures;

# --- what bench/all.pl makes of runs --------------------------------------------------------------------

my $made = tempdir(CLEANUP => 1);
mkdir "$made/doc";
mkdir "$made/records";
spill("$made/README.md", "before\n<!-- of doc/benchmarks.md -->\nold\n<!-- end -->\nafter\n");

sub record {
    my ($name, $exit, $load, $printed) = @_;
    my %record = (command => "bench/$name.sh", date => '2026-01-02 03:04 UTC', exit => $exit, load => "$load to $load", load_before => $load,
        machine => 'a machine', processors => 4, small => 0, seconds => 5, system => 'a system', postgresql => '15', compiler => 'cc', release => '1');
    spill("$made/records/" . $name =~ tr{/}{-}r, join('', map { "$_: $record{$_}\n" } sort keys %record) . "\n$printed");
    return;
}

sub written {
    local @ENV{qw(VRM_BENCH_RECORDS VRM_BENCH_PAGES)} = ("$made/records", $made);
    system("$root/bench/all.pl", '--write') == 0 or die "bench/all.pl failed\n";
    return (slurp("$made/doc/benchmarks.md"), slurp("$made/README.md"));
}

record('accounts/lockout', 0, 0.1, "default on a hot account, times the UPDATE                   24.4   at least 15: met\n");
record('calls/import', 0, 0.1, "import, times COPY                                           7.38 x    <= 3     missed by 146 %\n");
record('platform/releases', 1, 0.2, "sign_in      20   10     0.50\nout of room\n");
record('identity/identity', 0, 0.2, "== policies\n query | peer | ms | ratio | target \n scan  | vrm.uid()  |   3.5 |  0.85 | <= 1.15\n");
my ($all, $first) = written();
like($first, qr/\Abefore\n.*UPDATE.*\nafter\n\z/s, 'the figures go into README, and nothing else does');
like($first, qr/\*\*24\.4x\*\* as many/, 'a figure is what was printed');
like($first, qr/\*\*\?x\*\*.*not measured/, 'what was not measured says so');
like($first, qr{load of the machine was 0[.]2 before the run}, 'an idle machine is told');
like($all, qr/^\| accounts\/lockout \| default on a hot account, times the UPDATE \| 24\.4 \| >= 15 \| met \|$/m, 'a target of a shell script is read');
like($all, qr/^\| calls\/import \| import, times COPY \| 7\.38 x \| <= 3 \| missed \|$/m, 'and one of Perl, missed');
like($all, qr/^\| identity\/identity \| policies, scan, vrm\.uid\(\) \| 0\.85 \| <= 1\.15 \| met \|$/m, 'and one of psql');
like($all, qr/^2 of 3 are met\.$/m, 'they are counted');
like($all, qr/## platform\/releases\n\n.*\*\*It failed\*\*, with exit code 1/, 'what failed is told');
like($all, qr/out of room/, 'with what it said');
like($all, qr/## secrets\/secrets\n\nWas not run/, 'and what was not run');
like(slurp("$made/doc/benchmarks-releases.svg"), qr/<rect .*<title>0\.50 of what it took/, 'releases are drawn');
record('platform/releases', 0, 9, "VRM_BASELINE does not name a checkout\n");
($all, $first) = written();
like($first, qr/had other work.*load was 9 on 4/, 'a busy machine is told');
like($all, qr/a regression would not show/, 'and that nothing was compared');
ok(!-e "$made/doc/benchmarks-releases.svg", 'of which there is no picture');

done_testing();
