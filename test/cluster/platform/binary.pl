# What drivers send in binary goes past the input functions: hostile bytes for the receive functions
# of vrm's types, through the protocol itself.
use strict;
use warnings;
use Encode;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::UNIX;
use PostgreSQL::Test::Cluster;
use Test::More;
use VRM::Server;

my $node = server('main');
$node->append_conf('postgresql.conf',
    "vrm.master_key_command = 'echo test:c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE='\n");
$node->reload;
database($node, 'app');
query($node, 'app', "SELECT vrm.key_create('data')");

# --- a client that binds one parameter in binary ---------------------------------------------------

my $socket = IO::Socket::UNIX->new(Peer => $node->host . '/.s.PGSQL.' . $node->port)
  or die "no connection: $!";

sub message { my ($type, $body) = @_; return $type . pack('N', 4 + length $body) . $body; }

sub receive {
    my ($size) = @_;
    my $bytes = '';
    while (length $bytes < $size) {
        sysread($socket, $bytes, $size - length $bytes, length $bytes) or die 'the server is gone';
    }
    return $bytes;
}

# What the server says until it is ready again: first column of the row, SQLSTATE of the error.
sub answer {
    my ($value, $state);
    while (1) {
        my ($type, $size) = unpack 'a1 N', receive(5);
        my $body = receive($size - 4);
        return ($value, $state) if $type eq 'Z';
        $value = substr $body, 6 if $type eq 'D';
        ($state) = $body =~ /\0C([0-9A-Z]{5})\0/ if $type eq 'E';
    }
}

sub ask {
    my ($sql, $parameter) = @_;
    syswrite $socket, message('P', "\0$sql\0" . pack('n', 0))
      . message('B', "\0\0" . pack('nnn N/a* n n', 1, 1, 1, $parameter, 1, 0))
      . message('E', "\0" . pack('N', 0)) . message('S', '');
    return answer();
}

my $start = pack('N', 196608) . 'user' . "\0" . getpwuid($<) . "\0database\0app\0\0";
syswrite $socket, pack('N', 4 + length $start) . $start;
answer();
my ($session) = ask('SELECT pg_backend_pid() || $1::text', '');

# --- vrm.secret -----------------------------------------------------------------------------------

srand 1;
sub noise { return join '', map { chr int rand 256 } 1 .. int rand $_[0] }

my $opened = 'SELECT vrm.reveal(vrm.seal($1))';
is((ask($opened, 'Größe'))[0], 'Größe', 'a secret in binary is the text it is');
is((ask($opened, ''))[0], '', 'also none');
my ($long) = ask($opened, 'x' x 1_000_000);
is(length $long, 1_000_000, 'or a long one');
my ($sent) = ask('SELECT vrm.secret_send($1)', 'a secret');
is($sent, '\x' . unpack('H*', '<secret>'), 'what is sent back is <secret>');
my @wrong;
for my $bytes ("\0", "a\0b", "\xff", "\xc3", "\xed\xa0\x80", map { noise(60) } 1 .. 500) {
    my ($value, $state) = ask($opened, $bytes);
    my $copy = $bytes;
    my $is_text = defined eval { decode('UTF-8', $copy, Encode::FB_CROAK) } && $bytes !~ /\0/;
    push @wrong, unpack 'H*', $bytes
      unless $is_text ? defined $value && $value eq $bytes : defined $state && $state eq '22021';
}
is("@wrong", '', 'bytes that are no text are refused, all others open');

# --- vrm.call_stats -------------------------------------------------------------------------------

my $state = pack 'H*', query($node, 'app', <<'SQL');
SELECT encode(vrm.call_stats_send(vrm.call_stats('completed', i * 1000, 'positive', 2, i)), 'hex')
FROM generate_series(1, 50) AS i
SQL
my $again = 'SELECT vrm.call_stats_send($1)';
is((ask($again, $state))[0], '\x' . unpack('H*', $state), 'statistics in binary are what they are');
@wrong = ();
for my $round (1 .. 1000) {
    my $bytes = $round % 10 ? $state : noise(200);
    substr($bytes, rand length $bytes, 1) = chr int rand 256 for 1 .. 1 + $round % 3;
    $bytes = substr $bytes, 0, rand length $bytes if $round % 7 == 0;
    my ($value, $error) = ask($again, $bytes);
    push @wrong, unpack 'H*', $bytes
      unless defined $error ? $error =~ /^22/ : $value eq '\x' . unpack 'H*', $bytes;
}
is("@wrong", '', 'changed ones are refused, or are the statistics that they say');

is((ask('SELECT pg_backend_pid() || $1::text', ''))[0], $session, 'all of it to one session');
$node->stop;
done_testing();
