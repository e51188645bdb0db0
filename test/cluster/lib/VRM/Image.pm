# A private copy of the PostgreSQL under test, whose extension files a test may change.
package VRM::Image;
use strict;
use warnings;
use Exporter qw(import);
use File::Copy qw(copy);
use File::Path qw(make_path);
use PostgreSQL::Test::Utils;

our @EXPORT = qw(private_image);

sub configured {
    my ($what) = @_;
    my ($stdout) = run_command(['pg_config', "--$what"]);
    return $stdout;
}

sub link_all {
    my ($from, $to, @except) = @_;
    make_path($to);
    for my $path (glob "$from/*") {
        my $name = $path =~ s{.*/}{}r;
        next if grep { $_ eq $name } @except;
        symlink($path, "$to/$name") or die "cannot link $path: $!";
    }
    return;
}

# Gives the directory above bin and lib, for install_path of a node, and the one of the extensions.
# PostgreSQL finds its files beside its own executable, so the programs are copies, the rest links.
sub private_image {
    my $root = PostgreSQL::Test::Utils::tempdir();
    my ($bin, $lib, $share) = map { configured($_) } qw(bindir pkglibdir sharedir);
    my $common = 0;
    $common++ while substr($bin, $common, 1) eq substr($share, $common, 1);
    my ($new_bin, $new_lib, $new_share) = map { "$root/" . substr($_, $common) } $bin, $lib, $share;

    my @programs = qw(postgres initdb pg_ctl pg_config);
    link_all($bin, $new_bin, @programs);
    for my $program (@programs) {
        copy("$bin/$program", "$new_bin/$program") or die "cannot copy $program: $!";
        chmod 0755, "$new_bin/$program";
    }
    link_all($lib, $new_lib);
    link_all($share, $new_share, 'extension');
    link_all("$share/extension", "$new_share/extension");
    return ($new_bin =~ s{/bin$}{}r, "$new_share/extension");
}

1;
