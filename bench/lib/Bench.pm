# What benches in Perl share: running commands, SQL in the database that PGDATABASE names, a token, and a
# line for each target.
package Bench;
use strict;
use warnings;
use Exporter qw(import);

our @EXPORT = qw(output psql sql median target targets $token $trust_issuer);

# What user 018f0000-0000-7000-8000-00000000000a signs in by until 2100, and the statement that makes a
# database believe whoever has issued it.
our $token = join '.', 'eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjIn0',
  'eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiMDE4ZjAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDBhIiwicm9sZSI6ImF1dGhlbnRpY2F0ZWQiLCJleHAiOjQxMDI0NDQ4MDB9',
  'FeN1vw-u_5zS50DZWSXb85yE5OkqaYvcHBm3n9FZWa2ROVSmGVwupQ_vdEWO-aPbXN0GLCuWXGTK2jBg_8Y6JA';
our $trust_issuer = q{SELECT vrm.jwk_import('{"keys": [{"kid": "ec", "kty": "EC", "crv": "P-256",
      "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}',
      'https://issuer.example')};

# What a command prints: its lines, or the first of them.
sub output {
    my (@command) = @_;
    open(my $pipe, '-|', @command) or die "$command[0]: $!\n";
    my @lines = <$pipe>;
    close($pipe) or die "@command failed\n";
    chomp @lines;
    return wantarray ? @lines : $lines[0];
}

sub psql { return output('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', @_) }

sub sql { return psql(map { ('-c', $_) } 'SET client_min_messages = warning', @_) }

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[@sorted / 2] }

my @targets;

# Notes whether a value is at most its limit, or at least where more is better.
sub target {
    my ($what, $value, $limit, $unit, $more_is_better) = @_;
    my $met = $more_is_better ? $value >= $limit : $value <= $limit;
    push @targets, sprintf '%-56s %8.2f %-4s %s %-5s %s', $what, $value, $unit,
      $more_is_better ? '>=' : '<=', $limit,
      $met ? 'met' : $limit ? sprintf('missed by %.0f %%', 100 * abs($value / $limit - 1)) : 'missed';
    return;
}

# Prints them all.
sub targets { print "\ntargets\n", map { "$_\n" } @targets; return }

1;
