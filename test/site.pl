# tools/site.sh makes a site of doc/: a page for each, every link and anchor leads somewhere, and nothing is
# fetched from elsewhere.  Needs mkdocs and its theme material.
use strict;
use warnings;
use File::Basename;
use File::Find;
use File::Temp qw(tempdir);
use Test::More;

my $root = dirname(dirname(__FILE__));
plan skip_all => 'mkdocs is not installed' unless grep { -x "$_/mkdocs" } split /:/, $ENV{PATH};
my $site = tempdir(CLEANUP => 1);
my $said = qx($root/tools/site.sh $site 2>&1);
is($?, 0, 'the site is made') or diag($said);

sub slurp {
    my ($name) = @_;
    open(my $file, '<', $name) or die "$name: $!\n";
    local $/ = undef;
    return <$file>;
}

my (@pages, @html);
find({ no_chdir => 1, wanted => sub { push @pages, $_ if /\.md$/ } }, "$root/doc");
find({ no_chdir => 1, wanted => sub { push @html, $_ if /\.html$/ } }, $site);
my %text = map { $_ => slurp($_) } @html;
is(scalar(@html), @pages + 1, 'it has a page for each of doc/, and one for what is not found');

# Where a link of a page leads: a file of the site.
sub target_of {
    my ($page, $path) = @_;
    my $file = $path =~ m{^/} ? "$site$path" : $path eq '' ? $page : dirname($page) . "/$path";
    1 while $file =~ s{/(?!\.\.)[^/]+/\.\.(?=/|$)}{} || $file =~ s{/\.(?=/|$)}{};
    return -d $file ? $file =~ s{/*$}{/index.html}r : $file;
}

my ($links, @lost, @fetched) = (0);
for my $page (@html) {
    next if $page =~ /404\.html$/;
    my $name = substr $page, length $site;
    push @fetched, "$name: $1" while $text{$page} =~ /<(?:script|img|link)\b[^>]*\b(?:src|href)="(https?:[^"]*)"/g;
    while ($text{$page} =~ /\b(?:href|src)="(?!https?:|mailto:|data:)([^"#?]*)(?:#([^"]*))?"/g) {
        my ($target, $anchor) = (target_of($page, $1), $2);
        $links++;
        if (!-e $target) { push @lost, "$name: $1" }
        elsif (defined $anchor && length $anchor && $text{$target} && $text{$target} !~ /\bid="\Q$anchor\E"/) {
            push @lost, "$name: $1#$anchor";
        }
    }
}
cmp_ok($links, '>', 1000, 'pages link to each other');
is(join("\n", @lost), '', 'every link leads somewhere');
is_deeply([grep { $text{$_} =~ /^```/m } @html], [], 'every block of code is one');
is_deeply(\@fetched, [], 'nothing is fetched from elsewhere');

done_testing();
