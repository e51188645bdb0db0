#!/usr/bin/perl
# Checks META.json against the PGXN Meta Spec 1.0.0 and against the tree.
use strict;
use warnings;
use File::Basename qw(dirname);
use JSON::PP qw(decode_json);
use Test::More;

chdir dirname(__FILE__) . '/..' or die "cannot enter the source directory: $!";

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "cannot read $path: $!";
    local $/ = undef;
    return scalar <$file>;
}

my $number = qr/(?:0|[1-9][0-9]*)/;
my $version = qr/$number\.$number\.$number(?:-?[A-Za-z][-0-9A-Za-z]*)?/;
my $range = qr/(?:[<>]=?|[!=]=)?\s*(?:$version|0)/;
my $term = qr{[^\s/\\\0-\x1f]{2,}};

my $meta = eval { decode_json(slurp('META.json')) };
ok($meta, 'META.json is JSON') or BAIL_OUT($@);

my %known = map { $_ => 1 } qw(name version abstract maintainer license provides meta-spec
  description generated_by tags no_index prereqs release_status resources);
is_deeply([grep { !$known{$_} && !/^x_/i } sort keys %$meta], [], 'it has no unknown key');
my @required = qw(name version abstract maintainer license provides meta-spec);
is_deeply([grep { !defined $meta->{$_} } @required], [], 'it has every required key');

like($meta->{name}, qr/^$term$/, 'name is a term');
like($meta->{version}, qr/^$version$/, 'version is a semantic version');
ok(length $meta->{abstract}, 'abstract is text');
is($meta->{'meta-spec'}{version}, '1.0.0', 'meta-spec names its version');
like($meta->{'meta-spec'}{url}, qr{^https?://(?:www\.)?pgxn\.org/(?:meta/)?spec\.txt$},
    'meta-spec names its address');

my @maintainers = ref $meta->{maintainer} ? @{ $meta->{maintainer} } : $meta->{maintainer};
is_deeply([grep { !/^\S.*<[^<>\s]+\@[^<>\s]+>$/ } @maintainers], [], 'maintainers have addresses');
my @licenses = ref $meta->{license} eq 'ARRAY' ? @{ $meta->{license} } : $meta->{license};
is_deeply(\@licenses, ['postgresql'], 'the licence is the PostgreSQL licence');
is_deeply([grep { !/^[^\/\\\0-\x1f]{1,255}$/ } @{ $meta->{tags} || [] }], [], 'tags are valid');
my $status = $meta->{release_status} || 'stable';
like($status, qr/^(?:stable|testing|unstable)$/, 'release_status is valid');

is_deeply([keys %{ $meta->{provides} }], ['vrm'], 'it provides vrm');
for my $name (sort keys %{ $meta->{provides} }) {
    my $extension = $meta->{provides}{$name};
    like($name, qr/^$term$/, "$name is a term");
    is($extension->{version}, $meta->{version}, "$name has the version of the distribution");
    ok(-f $extension->{file}, "the file of $name exists");
    ok(!$extension->{docfile} || -f $extension->{docfile}, "the documentation of $name exists");
}

ok($meta->{prereqs}{runtime}{requires}{PostgreSQL}, 'it says which PostgreSQL it needs');
for my $phase (sort keys %{ $meta->{prereqs} || {} }) {
    like($phase, qr/^(?:configure|build|test|runtime|develop)$|^x_/i, "phase $phase is known");
    for my $relation (sort keys %{ $meta->{prereqs}{$phase} }) {
        like($relation, qr/^(?:requires|recommends|suggests|conflicts)$|^x_/i,
            "relation $relation is known");
        my $wanted = $meta->{prereqs}{$phase}{$relation};
        is_deeply([grep { $wanted->{$_} !~ /^$range(?:\s*,\s*$range)*$/ } sort keys %$wanted], [],
            "$phase $relation name version ranges");
    }
}

my ($control) = slurp('extension/vrm.control') =~ /^default_version\s*=\s*'([^']*)'/m;
is($control, $meta->{version}, 'the control file has the same version');
my ($packaged) = slurp('debian/changelog') =~ /\Avrm \(([^-)]*)-/;
is($packaged, $meta->{version}, 'the Debian package has the same version');

done_testing();
