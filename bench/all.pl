#!/usr/bin/perl
# Runs every bench, or those named, keeps what each prints, and writes from all that was kept
# doc/benchmarks.md, its pictures and the figures of README.
# usage: [VRM_BASELINE=CHECKOUT] bench/all.pl [--small] [--write] [DISTRICT/NAME...]
# --small takes minutes where a full run takes hours; --write runs nothing and writes; VRM_BASELINE
# names a checkout of an older release, with which bench/platform/releases.pl compares this one.
use strict;
use warnings;
use Cwd qw(realpath);
use FindBin;
use POSIX qw(strftime);
use lib "$FindBin::Bin/lib";
use Bench;
use Page qw(page targets_picture releases_picture circumstances highlights);

# What makes a bench small; others are what they are.
my %small = (
    'accounts/lockout_soak' => [5],
    'analytics/calendars' => [10_000_000, 10],
    'analytics/documents' => [1000],
    'analytics/statistics' => [50_000],
    'audit/trail' => [5000],
    'calls/import' => [5000],
    'calls/life' => [50],
    'calls/live' => [10_000, 3, 15],
    'identity/identity' => [200_000, 3],
    'identity/rpc' => [500, 3],
    'operations/api' => [500, 3],
    'operations/capacity' => [1000],
    'operations/quality' => [5000, 3],
    'platform/releases' => [3],
    'retention/archive' => [10_000, 1],
    'retention/search' => [2000],
    'secrets/secrets' => [20_000, 3],
    'testing/suites' => [100, 20, 3, 20_000],
);

my $root = realpath("$FindBin::Bin/..");
chdir $root or die "$root: $!\n";
# Where a test keeps records and pages of its own.
my $kept = $ENV{VRM_BENCH_RECORDS} // 'build/bench';
my $pages = $ENV{VRM_BENCH_PAGES} // '.';
my %script = map { m{^bench/(\w+/\w+)\.(?:sh|pl)$} ? ($1 => $_) : () } glob('bench/*/*.sh bench/*/*.pl');
delete @script{ grep { m{^lib/} } keys %script };
my ($small, $only_write, @wanted) = (0, 0);
for (@ARGV) {
    if ($_ eq '--small') { $small = 1 }
    elsif ($_ eq '--write') { $only_write = 1 }
    elsif ($script{$_}) { push @wanted, $_ }
    else { die "there is no bench $_; there are: @{[sort keys %script]}\n" }
}

sub slurp {
    my ($name) = @_;
    open(my $file, '<:encoding(UTF-8)', $name) or return '';
    local $/ = undef;
    return <$file>;
}

sub spill {
    my ($name, $text) = @_;
    open(my $file, '>:encoding(UTF-8)', $name) or die "$name: $!\n";
    print {$file} $text;
    close($file) or die "$name: $!\n";
    return;
}

# --- running ------------------------------------------------------------------------------------------

sub load { return (split / /, slurp('/proc/loadavg'))[0] }

# What a record says of where it was taken.
sub surroundings {
    my ($model) = slurp('/proc/cpuinfo') =~ /^model name\s*:\s*(.*)/m;
    my ($memory) = slurp('/proc/meminfo') =~ /^MemTotal:\s*(\d+)/m;
    my ($system) = slurp('/etc/os-release') =~ /^PRETTY_NAME="(.*)"/m;
    my ($release) = slurp('extension/vrm.control') =~ /^default_version *= *'(.*)'/m;
    my $commit = qx(git -c safe.directory='*' describe --always --dirty --abbrev=12 2>/dev/null);
    chomp $commit;
    my $processors = () = slurp('/proc/cpuinfo') =~ /^processor/mg;
    return (
        machine => sprintf('%s, %d processors, %.0f GB', $model // 'unknown', $processors, $memory / 1024 / 1024),
        processors => $processors, system => $system // 'unknown',
        postgresql => scalar(sql('SHOW server_version')), compiler => scalar(output('c++', '--version')),
        release => $release . ($commit && ", commit $commit"), small => $small,
        load_before => load());
}

# Everything printed, without directories of this machine.
sub run {
    my ($name, %around) = @_;
    my @arguments = $small && $small{$name} ? @{ $small{$name} } : ();
    my ($began, $before) = (time, load());
    local $ENV{VRM_BENCH_SECONDS} = 1 if $small;
    open(my $pipe, '-|', 'sh', '-c', 'exec "$0" "$@" 2>&1', $script{$name}, @arguments) or die "$name: $!\n";
    binmode $pipe, ':encoding(UTF-8)';
    my $printed = '';
    while (<$pipe>) { print; $printed .= $_ }
    close $pipe;
    my $exit = $? >> 8 || $? & 127;
    $printed =~ s/^(?:NOTICE|psql:.*NOTICE): .*\n//mg;
    $printed =~ s{\Q$_\E}{...}g for grep { defined && length > 1 } $ENV{VRM_BASELINE}, $root, realpath($ENV{VRM_BASELINE} // '.');
    my %record = (%around, command => join(' ', $script{$name}, @arguments), date => strftime('%Y-%m-%d %H:%M UTC', gmtime $began),
        seconds => time - $began, load => "$before to " . load(), exit => $exit);
    my $file = $name =~ tr{/}{-}r;
    spill("$kept/$file", join('', map { "$_: $record{$_}\n" } sort keys %record) . "\n$printed");
    return $exit;
}

# --- writing -------------------------------------------------------------------------------------------

sub records {
    my %records;
    for my $name (keys %script) {
        my ($head, $printed) = split /\n\n/, slurp("$kept/" . $name =~ tr{/}{-}r), 2;
        $records{$name} = { (map { /^(\w+): (.*)$/ ? ($1 => $2) : () } split /\n/, $head), printed => $printed // '' } if $head;
    }
    return \%records;
}

sub write_pages {
    my $records = records();
    die "nothing was run\n" unless %$records;
    spill("$pages/doc/benchmarks.md", page($records, sort keys %script));
    spill("$pages/doc/benchmarks-targets.svg", targets_picture($records));
    my $releases = releases_picture($records);
    if ($releases) { spill("$pages/doc/benchmarks-releases.svg", $releases) }
    else { unlink "$pages/doc/benchmarks-releases.svg" }
    my $readme = slurp("$pages/README.md");
    my $six = join '', circumstances($records), "\n", highlights($records);
    $readme =~ s/(<!-- of doc\/benchmarks\.md -->\n).*?(<!-- end -->)/$1$six$2/s or die "README has no place for figures\n";
    spill("$pages/README.md", $readme);
    return;
}

if (!$only_write) {
    for (output('sh', '-c', './vrm environment 2>/dev/null')) {
        $ENV{$1} = $2 if /^export (\w+)="(.*)"$/;
    }
    system('mkdir', '-p', $kept) == 0 or die "$kept cannot be made\n";
    my %around = surroundings();
    my @failed;
    for my $name (@wanted ? @wanted : sort keys %script) {
        print "\n== $name\n";
        push @failed, $name if run($name, %around);
    }
    write_pages();
    print "failed: @failed\n" if @failed;
    exit !!@failed;
}
else { write_pages() }
