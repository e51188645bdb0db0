# Walks the source: every error that SQL or C++ raises has a SQLSTATE of its own, and nearly all of them
# a HINT.  elog(ERROR) is left out: it says XX000, which is right where only a bug of ours can lead.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Find;
use Test::More;

chdir dirname(__FILE__) . '/..' or die "cannot enter the source directory: $!";

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "cannot read $path: $!";
    local $/ = undef;
    return scalar <$file>;
}

sub files {
    my ($directory, $pattern) = @_;
    my @found;
    find({ no_chdir => 1, wanted => sub { push @found, $_ if /$pattern/ } }, $directory);
    return sort @found;
}

# A statement up to its semicolon, which may stand in a string, too.
my $sql_text = qr/(?:'(?:[^']|'')*'|--[^\n]*|[^';])*/;
my $cpp_text = qr{(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|//[^\n]*|[^"';])*};

sub line_of { my ($text, $offset) = @_; return 1 + (substr($text, 0, $offset) =~ tr/\n//) }

# Every place that raises an error: where, the statement, whether it names a SQLSTATE, whether it hints.
sub errors_of_sql {
    my ($path) = @_;
    my $text = slurp($path);
    my @errors;
    while ($text =~ /\bRAISE\s+(?:EXCEPTION\b|SQLSTATE\b|(?!NOTICE|WARNING|INFO|LOG|DEBUG)[a-z_]+\b)$sql_text;/g) {
        my $statement = $&;
        push @errors, { where => "$path:" . line_of($text, $-[0]), statement => $statement,
            state => scalar $statement =~ /\bERRCODE\s*=|^RAISE\s+(?:SQLSTATE|(?!EXCEPTION)[a-z_]+)/,
            hint => scalar $statement =~ /\bHINT\s*=/ };
    }
    return @errors;
}

sub errors_of_cpp {
    my ($path) = @_;
    my $text = slurp($path);
    my @errors;
    while ($text =~ /(?:\b(?:throw|return)\s+(?:vrm::)?error\((?=\")|\bereport\(ERROR\b)$cpp_text;/g) {
        my $statement = $&;
        push @errors, { where => "$path:" . line_of($text, $-[0]), statement => $statement,
            # the compiler sees to it that vrm::error() gets a SQLSTATE
            state => scalar $statement =~ /^(?:throw|return)|\berrcode\(/,
            hint => scalar $statement =~ /\.hint\(|\berrhint\(/ };
    }
    return @errors;
}

my @errors = ((map { errors_of_sql($_) } files('sql', qr/\.sql$/)), (map { errors_of_cpp($_) } files('src', qr/\.(?:cpp|h)$/)));

# Whether this reads what it is meant to: a source without an error would pass everything.
my $raised = () = join('', map { slurp($_) } files('sql', qr/\.sql$/)) =~ /\bRAISE EXCEPTION\b/g;
cmp_ok(scalar(grep { $_->{statement} =~ /^RAISE EXCEPTION/ } @errors), '==', $raised, 'every RAISE EXCEPTION was read to its end');
my $thrown = () = join('', map { slurp($_) } files('src', qr/\.(?:cpp|h)$/)) =~ /\berror\(\s*"/g;
cmp_ok(scalar(grep { $_->{statement} =~ /^(?:throw|return)/ } @errors), '==', $thrown, 'so was every error() of C++');
cmp_ok(scalar(@errors), '>', 100, 'there are errors to look at');

is_deeply([map { $_->{where} } grep { !$_->{state} } @errors], [], 'every error has a SQLSTATE');
is_deeply([map { $_->{where} } grep { $_->{statement} =~ /raise_exception|P0001|error\(\s*"XX000"|ERRCODE_INTERNAL_ERROR/ } @errors], [],
    'none of them is P0001 or XX000, which say nothing');
is_deeply([map { $_->{where} } grep { $_->{statement} =~ /(?:HINT = |hint\()\s*E?['"]\s*['"]/ } @errors], [], 'no HINT is empty');

my @hinted = grep { $_->{hint} } @errors;
my $share = int(100 * @hinted / @errors);
cmp_ok($share, '>=', 80, "at least 80 of 100 errors have a HINT; $share have")
  or diag(join "\n", map { $_->{where} . ': ' . substr($_->{statement} =~ s/\s+/ /gr, 0, 120) } grep { !$_->{hint} } @errors);
note(join "\n", 'without a HINT:', map { $_->{where} } grep { !$_->{hint} } @errors);

# PostgreSQL's style: a message starts small and ends without a full stop, a HINT is a sentence or a statement.
sub message_of {
    my ($error) = @_;
    my ($message) = $error->{statement} =~ /^RAISE EXCEPTION '((?:[^']|'')*)'/ ? $1 : $error->{statement} =~ /error\(\s*"\w{5}",\s*"((?:[^"\\]|\\.)*)"\s*[,)]/ ? $1
      : $error->{statement} =~ /errmsg(?:_internal)?\("((?:[^"\\]|\\.)*)"/ ? $1 : '';
    return $message;
}
is_deeply([map { $_->{where} . ' ' . message_of($_) } grep { message_of($_) =~ /^[A-Z][a-z]|\.$/ } @errors], [], 'messages are in PostgreSQL\'s style');
done_testing();
