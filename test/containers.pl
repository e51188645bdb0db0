# The files of packaging/: Containerfiles keep the rules that hadolint would look for, compose files are
# valid and mount what is there, and Prometheus takes the configuration it is given.  test/images.sh
# builds and runs them.  Needs docker-compose and promtool for the last two.
use strict;
use warnings;
use Cwd qw(realpath);
use File::Basename;
use File::Temp qw(tempdir);
use Test::More;

my $root = realpath(dirname(dirname(__FILE__)));

sub slurp {
    my ($name) = @_;
    open(my $file, '<', $name) or die "$name: $!\n";
    local $/ = undef;
    return <$file>;
}

sub installed { return grep { -x "$_/$_[0]" } split /:/, $ENV{PATH} }

# --- Containerfiles: what is wrong with one, in hadolint's numbers -----------------------------------

sub faults {
    my ($text) = @_;
    my @instructions = split /\n(?=[A-Z])/, $text =~ s/^\s*#.*\n//mgr =~ s/\\\n\s*/ /gr;
    my @faults;
    my ($stages, $user) = (0, 'root');
    for (@instructions) {
        if (my ($from) = /^FROM (\S+)/) {
            ($stages, $user) = ($stages + 1, 'root');
            push @faults, "DL3006: $from has no tag" unless $from =~ m{^scratch$|:[^/]+$};
            push @faults, "DL3007: $from moves" if $from =~ /:latest$/;
            push @faults, "DL3026: $from names no registry" unless $from =~ m{^scratch$|^[\w-]+\.[\w.]+/};
        }
        $user = $1 if /^USER (\S+)/;
        push @faults, "DL3000: $_" if /^WORKDIR (?!\/)/;
        push @faults, "DL3020: $_" if /^ADD /;
        push @faults, "DL3025: $_" if /^(?:CMD|ENTRYPOINT) (?!\[)/ || /^HEALTHCHECK .*CMD (?!\[)/;
        next unless /^RUN .*apt-get (?:install|upgrade)/;
        push @faults, "DL3014: $_" unless /install -y /;
        push @faults, "DL3015: $_" unless /--no-install-recommends/;
        push @faults, "DL3009: $_" unless m{rm -rf .*/var/lib/apt/lists/\*};
        push @faults, "DL3059: $_" unless /apt-get update && /;
    }
    push @faults, 'DL3002: ends as root' if $user eq 'root';
    push @faults, 'one stage alone' if $stages < 2;
    return @faults;
}

my @containerfiles = glob("$root/packaging/*Containerfile");
cmp_ok(scalar(@containerfiles), '>=', 2, 'there are Containerfiles');
is_deeply([faults(slurp($_))], [], basename($_) . ' keeps the rules') for @containerfiles;
my $bad = "FROM debian\nRUN apt-get install x\nCMD server\n";
is_deeply([map { /^(DL\d+|one)/ } faults($bad)], [qw(DL3006 DL3026 DL3014 DL3015 DL3009 DL3059 DL3025 DL3002 one)],
    'what keeps none is found');

for my $file (@containerfiles) {
    my $text = slurp($file);
    ok(-e "$root/$1", basename($file) . ": there is $1") while $text =~ m{^COPY (packaging/\S+)}mg;
}

# --- compose files -----------------------------------------------------------------------------------

my @compose = glob("$root/packaging/*/compose.yaml");
is(scalar(@compose), 2, 'there are two compose files');
for my $file (@compose) {
    my $name = basename(dirname($file));
    my $text = slurp($file);
    my @mounted = $text =~ /^ +- (\.[^:\s]*):\S+:ro$/mg;
    cmp_ok(scalar(@mounted), '>', 0, "$name mounts files");
    ok(-e dirname($file) . "/$_", "$name: there is $_") for @mounted;
    # Every secret is made by the lines at the top, which say how.
    my ($made) = $text =~ /\A((?:#.*\n)+)/;
    like($made, qr/\b$_\b/, "$name says how secret $_ is made") for $text =~ m{file: \./secrets/(\w+)}g;
    my ($dockerfile) = $text =~ /dockerfile: (\S+)/;
    ok(-e "$root/$dockerfile", "$name is built from $dockerfile");
    like(slurp("$root/$dockerfile"), qr/ AS $1$/m, "$name: the target $1 is there") while $text =~ /target: (\w+)/g;
    unlike($text, qr/image: (?:\S+:latest|\w+\.\w+\/[^:\s]+)$/m, "$name pins the images of others");
    # Secrets are files, and what only takes a variable has it from .env.
    unlike($text, qr/PASSWORD: (?!\$\{)/, "$name has no password");
  SKIP: {
        skip('docker-compose is not installed', 2) unless installed('docker-compose');
        # Its first version does not know what a project may be called.
        my $copy = File::Temp->new;
        print {$copy} $text =~ s/^name: .*\n//mr;
        $copy->flush;
        local @ENV{qw(JWT_SECRET AUTH_PASSWORD REST_PASSWORD)} = ('x') x 3;
        my $said = qx(docker-compose --project-directory @{[dirname($file)]} -f $copy config 2>&1);
        is($?, 0, "$name is a compose file") or diag($said);
        unlike($said, qr/variable is not set/, "$name needs no variable but those that it names");
    }
}

SKIP: {
    skip('promtool is not installed', 1) unless installed('promtool');
    my $made = tempdir(CLEANUP => 1);
    system('cp', "$root/packaging/compose/prometheus.yml", "$root/monitoring/vrm.rules.yml", $made);
    my $said = qx(promtool check config $made/prometheus.yml 2>&1);
    is($?, 0, 'Prometheus takes its configuration') or diag($said);
}
my ($job) = slurp("$root/packaging/compose/prometheus.yml") =~ /job_name: (\S+)/;
like(slurp("$root/monitoring/prometheus.yml"), qr/job_name: \Q$job\E$/m, 'its job is called as in monitoring/');

done_testing();
