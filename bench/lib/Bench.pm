# What benches in Perl share: running commands, SQL in the database that PGDATABASE names, and a line
# for each target.
package Bench;
use strict;
use warnings;
use Exporter qw(import);

our @EXPORT = qw(output psql sql median target targets);

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
