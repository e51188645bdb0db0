# doc/operations/api_errors.md is what functions of vrm_api refuse now, as tools/api_errors.pl asks them, and has what the
# C++ of calls and of the queue can throw.
# Needs the server that PGHOST names.
use strict;
use warnings;
use File::Basename;
use File::Temp;
use Test::More;

my $root = dirname(dirname(__FILE__));

sub slurp {
    my ($name) = @_;
    open(my $file, '<:encoding(UTF-8)', $name) or die "$name: $!\n";
    local $/ = undef;
    return <$file>;
}

my $made = File::Temp->new;
is(system("$root/tools/api_errors.pl", $made), 0, 'every function is asked');
my $page = slurp("$root/doc/operations/api_errors.md");
ok(slurp($made) eq $page, 'doc/operations/api_errors.md is up to date') or do {
    diag('tools/api_errors.pl writes it anew');
    system('diff', "$root/doc/operations/api_errors.md", $made);
};

my @rows = grep { /^\| `/ } split /\n/, $page;
cmp_ok(scalar @rows, '>', 150, 'the table has rows');
is_deeply([grep { /\| 500 \|/ && !/READ COMMITTED/ } @rows], [], 'nobody is told of a fault of the server');
is_deeply([grep { /check constraint|not-null constraint|no partition|\bLIMIT\b/ } @rows], [], 'nor of how it keeps what was given');

# A message to where something given is put into it; who is not signed in stands above the table.
for my $source (glob("$root/src/functions/calls/*.cpp"), "$root/src/functions/testing/queue.cpp") {
    my $text = slurp($source);
    while ($text =~ /\berror\("([0-9A-Z]{5})",\s*"((?:[^"\\]|\\.)*)"/g) {
        my ($state, $message) = ($1, $2);
        $message =~ s/\\"/"/g;
        next if $state eq '28000' || $message eq 'the membership in the organisation has ended';
        next if $message eq 'most must not be negative';  # services alone may ask
        ok((grep { /\| $state \|/ && index($_, $message) >= 0 } @rows), basename($source) . ": $state $message");
    }
}
done_testing();
