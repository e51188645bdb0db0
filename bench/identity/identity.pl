#!/usr/bin/perl
# Measures what identity costs on the server that PGHOST and PGPORT name, next to its peers:
# auth.uid() in SQL as Supabase defines it, WHERE without policies, OpenSSL alone.
# usage: bench/identity/identity.pl [ROWS [ROUNDS]]; needs the openssl command to sign tokens with.
use strict;
use warnings;
use File::Basename;
use File::Temp;
use MIME::Base64 qw(encode_base64url);

my ($rows, $rounds) = (@ARGV, 1_000_000, 5)[@ARGV ? (0, @ARGV > 1 ? 1 : 2) : (0, 1)];
my $database = 'vrm_bench_identity';
my $user = '018f0000-0000-7000-8000-00000000000a';
my $work = File::Temp->newdir;

sub output {
    my (@command) = @_;
    open(my $pipe, '-|', @command) or die "$command[0]: $!\n";
    binmode $pipe;
    local $/ = undef;
    my $text = <$pipe>;
    close($pipe) or die "@command failed\n";
    return $text;
}

sub run { return system(@_) == 0 || die "@_ failed\n" }

# --- keys and tokens ------------------------------------------------------------------------------

my %options = (RS256 => ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
    ES256 => ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'], EdDSA => ['ED25519']);

sub jwk {
    my ($algorithm) = @_;
    my $public = output('openssl', 'pkey', '-in', "$work/$algorithm", '-pubout', '-outform', 'DER');
    my %members = (kid => $algorithm, use => 'sig');
    if ($algorithm eq 'RS256') {
        my @command = ('openssl', 'rsa', '-in', "$work/RS256", '-noout', '-modulus');
        my ($hex) = output(@command) =~ /=(\w+)/;
        @members{qw(kty e n)} = ('RSA', 'AQAB', encode_base64url(pack('H*', $hex)));
    } elsif ($algorithm eq 'ES256') {
        @members{qw(kty crv)} = qw(EC P-256);
        @members{qw(x y)} = map { encode_base64url(substr $public, $_, 32) } -64, -32;
    } else {
        @members{qw(kty crv x)} = ('OKP', 'Ed25519', encode_base64url(substr $public, -32));
    }
    return '{' . join(', ', map { qq("$_": "$members{$_}") } sort keys %members) . '}';
}

# DER to r and s side by side, as tokens have them.
sub raw_of {
    my ($der) = @_;
    my (undef, undef, undef, $r_size) = unpack('C4', $der);
    my $r = substr $der, 4, $r_size;
    my $s = substr $der, 6 + $r_size;
    return join '', map { substr "\0" x 32 . $_, -32 } $r, $s;
}

sub sign {
    my ($algorithm, $id) = @_;
    my $signed = encode_base64url(qq({"alg":"$algorithm","typ":"JWT","kid":"$algorithm"})) . '.'
      . encode_base64url(qq({"iss":"https://bench.example","aud":"authenticated","sub":"$user",)
          . qq("role":"authenticated","aal":"aal1","session_id":"$id","exp":4102444800,)
          . qq("iat":1700000000,"email":"someone\@example.org","is_anonymous":false,)
          . qq("app_metadata":{"provider":"email"}}));
    my $file = "$work/signed";
    open(my $out, '>', $file) or die "$file: $!\n";
    print {$out} $signed;
    close $out;
    my $signature = $algorithm eq 'EdDSA'
      ? output('openssl', 'pkeyutl', '-sign', '-rawin', '-inkey', "$work/EdDSA", '-in', $file)
      : output('openssl', 'dgst', '-sha256', '-sign', "$work/$algorithm", $file);
    return "$signed." . encode_base64url($algorithm eq 'ES256' ? raw_of($signature) : $signature);
}

my @algorithms = sort keys %options;
for my $algorithm (@algorithms) {
    run('openssl', 'genpkey', '-quiet', '-out', "$work/$algorithm", '-algorithm',
        @{ $options{$algorithm} });
}
my $key_set = '{"keys": [' . join(', ', map { jwk($_) } @algorithms) . ']}';
my @tokens;
for my $algorithm (@algorithms) {
    push @tokens, map { [$algorithm, sign($algorithm, $_)] } 1 .. 80;
}

# --- what OpenSSL takes, in microseconds ----------------------------------------------------------

my $speed = qx(openssl speed -elapsed -seconds 1 rsa2048 ecdsap256 ed25519 2>/dev/null);
my %titles = (rsa => 'rsa\s+2048 bits', ecdsa => '\(nistp256\)', ed25519 => '\(Ed25519\)');
my %openssl;
for my $name (keys %titles) {
    my ($verified) = $speed =~ /$titles{$name}(?:\s+\S+){3}\s+(\S+)\s*$/m
      or die "openssl speed says nothing of $name\n";
    $openssl{$name} = 1e6 / $verified;
}

# --- in the database ------------------------------------------------------------------------------

run('dropdb', '--if-exists', $database);
my $bench_roles = 'bench_native, bench_select, bench_naive';
run('psql', '-Xq', '-d', 'postgres', '-c', "DROP ROLE IF EXISTS $bench_roles");
run('createdb', $database);
run('psql', '-Xq', '-d', $database, '-c', 'CREATE EXTENSION vrm');
my $superuser = output('psql', '-XAtq', '-d', $database, '-c', 'SELECT session_user') =~ s/\s+$//r;
my ($token) = map { $_->[1] } grep { $_->[0] eq 'ES256' } @tokens;
open(my $psql, '|-', 'psql', '-Xq', '-d', $database, '-f', dirname(__FILE__) . '/identity.sql',
    map { ('-v', $_) } "rows=$rows", "rounds=$rounds", "user=$user", "key_set=$key_set",
    "token=$token", "superuser=$superuser", map { sprintf 'openssl_%s=%.1f', $_, $openssl{$_} } keys %openssl)
  or die "psql: $!\n";
print {$psql} "$_->[0]\t$_->[1]\n" for @tokens;
close($psql) or die "psql failed\n";
run('dropdb', $database);
run('psql', '-Xq', '-d', 'postgres', '-c', "DROP ROLE $bench_roles");
