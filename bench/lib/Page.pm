# What bench/all.pl writes: doc/benchmarks.md, its pictures and the six figures of README, all of them
# from the records of runs, each of which holds what a bench has printed and how it was run.
package Page;
use strict;
use warnings;
use List::Util qw(max min uniq);
use Exporter qw(import);

our @EXPORT_OK = qw(highlights circumstances page targets_picture releases_picture);

# --- reading what benches print -------------------------------------------------------------------

my $number = qr/-?\d+(?:\.\d+)?/;

# Targets of a bench: what, value, unit, side and limit.  Those of Bench.pm, of durable.sh, and rows of
# psql whose last column is called target.
sub targets_of {
    my ($printed) = @_;
    my ($heading, @targets) = ('');
    for (split /\n/, $printed) {
        if (/^== (.*)/) { $heading = $1 }
        elsif (/^(\S.*?) +($number) (\S*) +([<>]=) ($number) +(?:met|missed)/) {
            push @targets, [$1, $2, $3, $4, $5];
        }
        elsif (/^(\S.*?) +($number) +at (least|most) ($number): (?:met|missed)/) {
            push @targets, [$1, $2, '', $3 eq 'least' ? '>=' : '<=', $4];
        }
        elsif (/\|\s*([<>]=) ($number)\s*$/) {
            my ($side, $limit) = ($1, $2);
            my @cells = map { s/^\s+|\s+$//gr } split /\|/;
            pop @cells;
            my $value = pop @cells;
            pop @cells while @cells && $cells[-1] =~ /^$number$/;
            push @targets, [join(', ', grep { length } $heading, @cells), $value, '', $side, $limit]
              if $value =~ /^$number$/;
        }
    }
    return map { { what => $_->[0], value => $_->[1], unit => $_->[2], side => $_->[3], limit => $_->[4],
            met => ($_->[3] eq '<=' ? $_->[1] <= $_->[4] : $_->[1] >= $_->[4]) } } @targets;
}

sub releases_printed { my ($records) = @_; return $records->{'platform/releases'} ? $records->{'platform/releases'}{printed} : '' }

# Rows of bench/platform/releases.pl: what, and what it takes now of what it took in the older release.
sub releases_of {
    my ($printed) = @_;
    return map { /^(\S.*?) +(\d+) +(\d+) +(\d+\.\d+)(?: +over|$)/ ? { what => $1, ratio => $4 } : () } split /\n/, $printed;
}

# --- six figures ------------------------------------------------------------------------------------

# Of which bench, what finds the figure in what it prints, and the sentence that it belongs in.
my @six = (
    ['accounts/lockout', qr/^default on a hot account, times the UPDATE +($number)/m,
        'a failed password counted where no ROLLBACK reaches, sixteen clients on one account: **%sx** as many a second as `UPDATE ... RETURNING`'],
    ['identity/identity', qr/^ scan +\| vrm\.uid\(\) +\| +$number \| +($number)/m,
        'a scan under row level security: **%sx** the time of the same query with `WHERE` and without policies'],
    ['secrets/secrets', qr/^times faster than aes-cbc.*\nseal +($number)/m,
        "a value of 40 bytes sealed, with its key looked up and bound to its context: **%sx** as fast as pgcrypto's `encrypt()`"],
    ['analytics/statistics', qr/^facts, against exact SQL +($number)/m,
        'seventeen figures of calls, quantiles among them: **%sx** as fast as SQL that gives the same'],
    ['audit/trail', qr/^plpgsql trigger, times what ours costs +($number)/m,
        'a changed row in the audit trail: **%sx** as cheap as the usual trigger in plpgsql'],
    ['calls/import', qr/^import, times COPY +($number)/m,
        'a report of another platform taken in, checked and made a call: **%sx** the CPU of `COPY` into plain tables'],
);

# In what a run has to be believed, in a sentence or two.
sub circumstances {
    my ($records) = @_;
    my @ran = values %$records;
    my ($busiest) = sort { $b->{load_before} <=> $a->{load_before} } @ran;
    my $busy = $busiest->{load_before} > $busiest->{processors} / 2;
    return sprintf("%s%s\n",
        $busy
        ? "**The machine had other work**: its load was $busiest->{load_before} on $busiest->{processors} processors before the run began. "
          . 'What depends on several clients at once, or on time that passes, says little then.'
        : "The load of the machine was $busiest->{load_before} before the run began; below it says how high it was meanwhile.",
        (grep { $_->{small} } @ran) ? ' Sizes were small (`--small`): what pays off on large tables shows less, and targets are those of full runs.' : '');
}

# Lines of Markdown; a figure that was not measured says so.
sub highlights {
    my ($records) = @_;
    return map {
        my ($name, $figure, $sentence) = @$_;
        my ($value) = ($records->{$name} ? $records->{$name}{printed} : '') =~ $figure;
        '- ' . sprintf($sentence, $value // '?') . (defined $value ? '' : ' (not measured)') . " (`$name`)\n";
    } @six;
}

# --- the page ----------------------------------------------------------------------------------------

sub table {
    my (@rows) = @_;
    return map { '| ' . join(' | ', map { s/\|/\\|/gr } @$_) . " |\n" } @rows;
}

sub head {
    my ($records, @ran) = @_;
    my $of = sub { my ($key) = @_; return join '; ', uniq(map { $records->{$_}{$key} // '' } @ran) };
    my @loads = map { $records->{$_}{load} =~ /$number/g } @ran;
    my @text = (<<'HEAD');
# Benchmarks

Written by `bench/all.pl` (`make bench`) from what the scripts in `bench/` printed; nothing is entered by hand. Figures are ratios
against a peer in the same run where there is one, and mostly CPU of the backend, which other programs blur less than time that passes.

HEAD
    push @text, circumstances($records), "\n";
    push @text, table(['', ''], ['---', '---'], ['when', join ' to ', uniq((sort map { $records->{$_}{date} } @ran)[0, -1])], ['machine', $of->('machine')], ['system', $of->('system')],
        ['PostgreSQL', $of->('postgresql')], ['compiler', $of->('compiler')], ['vrm', $of->('release')],
        ['load', sprintf 'between %.1f and %.1f as benches began and ended, their own included', min(@loads), max(@loads)]);
    return @text;
}

sub section {
    my ($name, $record) = @_;
    return ("\n## $name\n\nWas not run.\n") unless $record;
    my @text = "\n## $name\n\n`$record->{command}`, $record->{date}, $record->{seconds} s, load $record->{load}";
    push @text, $record->{exit} eq '0' ? ".\n" : ". **It failed**, with exit code $record->{exit}.\n";
    push @text, "\n```text\n", $record->{printed} =~ s/[ \t]+$//mgr =~ s/\n{3,}/\n\n/gr =~ s/\A\n+|\n*\z//gr, "\n```\n";
    return @text;
}

# usage: page(RECORDS BY NAME, NAMES OF ALL BENCHES)
sub page {
    my ($records, @names) = @_;
    my @ran = grep { $records->{$_} } @names;
    my @text = head($records, @ran);
    push @text, "\n## Six figures\n\n", highlights($records);
    push @text, "\n## Targets\n\n![how far figures are from their targets](benchmarks-targets.svg)\n\n";
    my @all = map { my $name = $_; map { [$name, $_] } targets_of($records->{$name}{printed}) } @ran;
    push @text, sprintf "%d of %d are met.\n\n", scalar(grep { $_->[1]{met} } @all), scalar @all;
    push @text, table(['bench', 'figure', 'value', 'target', ''], ['---', '---', '---:', '---:', '---'],
        map { [$_->[0], $_->[1]{what}, "$_->[1]{value} $_->[1]{unit}" =~ s/ $//r, "$_->[1]{side} $_->[1]{limit}", $_->[1]{met} ? 'met' : 'missed'] } @all);
    push @text, "\n## The older release beside this one\n\n";
    push @text, releases_of(releases_printed($records))
      ? "![what it takes now of what it took](benchmarks-releases.svg)\n"
      : "`VRM_BASELINE` named no checkout of one in this run, so a regression would not show.\n";
    push @text, map { section($_, $records->{$_}) } @names;
    return join '', @text;
}

# --- pictures ----------------------------------------------------------------------------------------

sub escaped { my ($text) = @_; return $text =~ s/&/&amp;/gr =~ s/</&lt;/gr =~ s/>/&gt;/gr }

# A bar for each row, from 1 to how many times better (right) or worse (left), on a scale of doublings.
sub bars {
    my ($title, @rows) = @_;
    my ($left, $middle, $step, $row, $top) = (330, 560, 50, 18, 56);
    my $height = $top + $row * @rows + 10;
    my @svg = (qq{<svg xmlns="http://www.w3.org/2000/svg" width="800" height="$height" viewBox="0 0 800 $height" font-family="sans-serif" font-size="11">\n},
        qq{<rect width="800" height="$height" fill="white"/>\n}, qq{<text x="10" y="20" font-size="14">$title</text>\n});
    for my $doublings (-4 .. 4) {
        my $x = $middle + $step * $doublings;
        my $label = $doublings < 0 ? '1/' . 2**-$doublings : 2**$doublings;
        push @svg, qq{<text x="$x" y="44" text-anchor="middle" fill="#555">$label</text>\n},
          sprintf qq{<line x1="$x" y1="50" x2="$x" y2="$height" stroke="%s"/>\n}, $doublings ? '#ddd' : '#555';
    }
    for my $i (0 .. $#rows) {
        my ($what, $ratio, $value) = @{ $rows[$i] };
        my $end = $middle + $step * max(-4, min(4, $ratio > 0 ? log($ratio) / log(2) : -4));
        my $y = $top + $row * $i;
        push @svg, sprintf(qq{<text x="%d" y="%d" text-anchor="end">%s</text>\n}, $left, $y + 11, escaped(length($what) > 58 ? substr($what, 0, 57) . '…' : $what)),
          sprintf(qq{<rect x="%.0f" y="%d" width="%.0f" height="12" fill="%s"><title>%s</title></rect>\n}, min($middle, $end), $y + 1,
            max(1, abs($end - $middle)), $ratio >= 1 ? '#4477aa' : '#cc6677', escaped($value));
    }
    return join '', @svg, "</svg>\n";
}

# How many times better than its target each figure is; what is none at all counts as better than that.
sub targets_picture {
    my ($records) = @_;
    my @rows = map {
        map {
            my ($value, $limit) = @$_{qw(value limit)};
            my $ratio = $_->{side} eq '>=' ? ($limit ? $value / $limit : 16) : $value > 0 ? $limit / $value : 16;
            [$_->{what}, $ratio, "$value, target $_->{side} $limit"];
        } targets_of($records->{$_}{printed});
    } sort keys %$records;
    return bars('times better (right) or worse (left) than the target', @rows);
}

sub releases_picture {
    my ($records) = @_;
    my @rows = map { [$_->{what}, 1 / ($_->{ratio} || 1), "$_->{ratio} of what it took"] } releases_of(releases_printed($records));
    return @rows ? bars('times faster (right) or slower (left) than the older release, by CPU', @rows) : '';
}

1;
