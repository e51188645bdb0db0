# What a database consists of, as text that two databases can be compared by.
package VRM::Snapshot;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(catalog rows dump_text dump_to same_text);

# One line an object, column, constraint, privilege and comment; no OIDs.
sub catalog {
    my ($node, $database) = @_;
    return $node->safe_psql($database, slurp_file(dirname(__FILE__) . '/../catalog.sql'));
}

# One line a table: how many rows, and a hash of them all.
sub rows {
    my ($node, $database) = @_;
    return $node->safe_psql($database, <<'SQL');
SELECT format($$SELECT '%1$s ' || count(*) || ' ' ||
                       coalesce(md5(string_agg(t::text, E'\n' ORDER BY t::text)), '')
                FROM ONLY %1$s AS t$$, c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('vrm', 'vrm_private', 'auth', 'public') AND c.relkind IN ('r', 'm')
  AND (c.relpersistence = 'p' OR NOT pg_is_in_recovery())  -- a standby has no unlogged tables
ORDER BY c.oid::regclass::text \gexec
SQL
}

sub dump_to {
    my ($node, $database, $file, @options) = @_;
    system_or_bail('pg_dump', '--no-sync', @options, '-f', $file, $node->connstr($database));
    return $file;
}

# pg_dump's text without the lines that differ from one run to the next.
sub dump_text {
    my ($node, $database, @options) = @_;
    my $file = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
    my $text = slurp_file(dump_to($node, $database, $file, @options));
    $text =~ s/^\\(un)?restrict .*\n//mg;
    return $text;
}

# Passes when both texts have the same lines; shows the lines that only one of them has.
sub same_text {
    my ($got, $expected, $name) = @_;
    return pass($name) if $got eq $expected && $got ne '';
    fail($name);
    my (%got, %expected);
    $got{$_}++ for split /\n/, $got;
    $expected{$_}++ for split /\n/, $expected;
    my @report = (
        (map { "- $_" } grep { !$got{$_} } sort keys %expected),
        (map { "+ $_" } grep { !$expected{$_} } sort keys %got));
    diag($_) for splice @report, 0, 40;
    diag('both are empty, or differ in order only') unless %got || %expected;
    return 0;
}

1;
