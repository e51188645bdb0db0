# What clients were told had happened, written down outside of the database, and the clients: each speaks
# to the server through a psql of its own and sends a call again, with its key, until it is answered.
package VRM::Ledger;
use strict;
use warnings;
use IO::Handle;
use IPC::Open2;
use MIME::Base64 qw(encode_base64url);
use Digest::SHA qw(hmac_sha256);

# A token of whoever has the secret that the database believes.
sub token {
    my ($secret, $person) = @_;
    my $signed = join '.', map { encode_base64url($_) } '{"alg": "HS256", "kid": "soak"}',
      qq({"sub": "$person", "role": "authenticated", "iss": "https://soak.example", "exp": 4102444800});
    return $signed . '.' . encode_base64url(hmac_sha256($signed, $secret));
}

# usage: VRM::Ledger->new(FILE, SUB)     SUB gives the connection string of the moment
sub new {
    my ($class, $file, $where) = @_;
    open(my $book, '>>', $file) or die "$file: $!\n";
    $book->autoflush;
    return bless { book => $book, where => $where, sent => 0 }, $class;
}

# Each line is one fact, apart by tabs.
sub note { my ($self, @fact) = @_; return print { $self->{book} } join("\t", @fact) . "\n" }

sub connected {
    my ($self) = @_;
    return if $self->{process};
    $self->{process} = open2($self->{from}, $self->{to}, 'sh', '-c', 'exec psql -XAtq -d "$0" 2>&1', $self->{where}->());
    return;
}

sub hang_up {
    my ($self) = @_;
    close $_ for grep { defined } delete @{$self}{ 'from', 'to' };
    waitpid delete $self->{process}, 0;
    return;
}

# What psql prints of a statement; nothing when the connection went before it said all.
sub said {
    my ($self, $sql) = @_;
    local $SIG{PIPE} = 'IGNORE';
    $self->connected;
    my $end = 'end of ' . ++$self->{sent};
    my @lines;
    if (print { $self->{to} } "$sql\n\\echo $end\n" and $self->{to}->flush) {
        while (defined(my $line = readline $self->{from})) {
            chomp $line;
            return join "\n", @lines if $line eq $end;
            push @lines, $line;
        }
    }
    $self->hang_up;
    return;
}

# The result of a function of the API, called until there is an answer or the time is over.
sub call {
    my ($self, $until, $token, $key, $function, $arguments) = @_;
    while (time < $until) {
        my $answer = $self->said("SELECT vrm.rpc('$token', '$function', '$arguments', '$key');") // '';
        return $1 // '' if $answer =~ /^\{"result": (?:null|"?([^"]*?)"?)\}$/;
        # Refused by what was sent, rather than by a server that is going down or coming up.
        $self->note('refused', $key, $answer) if $answer =~ /"code": "(?!57|40|53|55P03|25006)/;
        select undef, undef, undef, 0.1;
    }
    return;
}

1;
