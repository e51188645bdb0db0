# Draws the graph of references between topics from an installed database, and fails when a district
# refers to one that sql/order names later.  Needs the server that PGHOST names.
#
# Which topic an object is of is told by the CREATE statements of sql/<district>/<topic>/; what it refers
# to by pg_depend and, where PostgreSQL keeps no dependencies, by the qualified names in the bodies of
# functions and in what else the files do (DO, INSERT, GRANT), without what is only said to people.
#
# usage: graph.pl [--topics]     prints to each topic those that it refers to, with the objects
use strict;
use warnings;
use File::Basename;
use Test::More;

my $root = dirname(dirname(__FILE__));
my $database = 'vrm_graph_test';
my $print = grep { $_ eq '--topics' } @ARGV;

sub slurp {
    my ($name) = @_;
    open(my $file, '<', $name) or die "$name: $!\n";
    local $/ = undef;
    return <$file>;
}

sub query {
    my ($sql) = @_;
    open(my $psql, '-|', 'psql', '-XAtq', '-F', "\x1f", '-R', "\x1e", '-d', $database, '-c', $sql) or die "psql: $!\n";
    local $/ = "\x1e";
    chomp(my @rows = <$psql>);
    close($psql) or die "psql failed\n";
    return map { s/\n\z//; [split /\x1f/, $_, -1] } @rows;
}

# --- topics and what they make ----------------------------------------------------------------------

my (@topics, %place, %district_of);  # topics in their order; where each stands, and its district
for my $line (split /\n/, slurp("$root/sql/order")) {
    my ($district, $names) = split /:/, $line;
    for my $topic (map { "$district/$_" } split ' ', $names) {
        push @topics, $topic;
        $place{$topic} = @topics;
        $district_of{$topic} = $district;
    }
}
my %district_place;
$district_place{ $district_of{$_} } //= 1 + keys %district_place for @topics;

my $name = qr/(?:vrm|vrm_private|auth)\.\w+/;
my %topic_of;  # "routine vrm.x", "relation vrm.x" (types, too), "trigger x on vrm.y", "policy x on vrm.y"
my %looped;  # policies that a loop puts on tables, whichever there are
my %statements;  # of each file, what is not in the body of a routine
my %made_twice;
sub made {
    my ($what, $topic) = @_;
    $made_twice{$what} = "$topic_of{$what} $topic" if ($topic_of{$what} // $topic) ne $topic;
    $topic_of{$what} //= $topic;
    return;
}
for my $topic (@topics) {
    for my $file (sort glob "$root/sql/$topic/*.sql") {
        my $text = slurp($file);
        made("routine $1", $topic) while $text =~ /^ *CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|AGGREGATE) ($name)/mg;
        made("relation $1", $topic)
          while $text =~ /^ *CREATE (?:OR REPLACE )?(?:UNLOGGED )?(?:TABLE|VIEW|SEQUENCE|TYPE|DOMAIN) (?:IF NOT EXISTS )?($name)/mg;
        made("trigger $1 on $2", $topic) while $text =~ /^ *CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER (\w+)\s[^;]*?\sON\s+($name)/mg;
        made('policy ' . ($1 =~ tr/"//dr) . " on $2", $topic) while $text =~ /^ *CREATE POLICY ("[^"]+"|\w+)\s+ON\s+($name)/mg;
        $statements{ "$topic/" . basename($file) } = $text =~ s/ AS (\$\w*\$).*?\g1/ AS ''/grs;
        $looped{$1} = $topic while $text =~ /'CREATE POLICY "([^"]+)" ON %s/g;
    }
}
cmp_ok(scalar(keys %topic_of), '>', 400, 'the statements that make objects are found');
is_deeply(\%made_twice, {}, 'each object is of one topic');

# --- what there is in a database -----------------------------------------------------------------------

$ENV{PGOPTIONS} = '-c client_min_messages=error';
system("dropdb --if-exists --force $database 2>/dev/null");
system('createdb', $database) == 0 or die "createdb failed\n";
system('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-c', 'CREATE EXTENSION vrm') == 0 or die "CREATE EXTENSION failed\n";

# What an object is called here: tables stand for their indexes, columns, constraints, rules, sequences
# and partitions, composite types for tables, arrays for their elements.
my $named = q{
CREATE FUNCTION pg_temp.relation(rel oid) RETURNS text LANGUAGE sql AS $$
    SELECT CASE
        WHEN c.relkind IN ('i', 'I') THEN (SELECT pg_temp.relation(indrelid) FROM pg_index WHERE indexrelid = rel)
        WHEN c.relispartition THEN pg_temp.relation((SELECT inhparent FROM pg_inherits WHERE inhrelid = rel))
        WHEN c.relkind = 'S' THEN (SELECT pg_temp.relation(refobjid) FROM pg_depend
                                   WHERE objid = rel AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
                                     AND refclassid = 'pg_class'::regclass)
        ELSE 'relation ' || c.relnamespace::regnamespace || '.' || c.relname END
    FROM pg_class c WHERE c.oid = rel AND c.relnamespace::regnamespace::text IN ('vrm', 'vrm_private', 'auth')
$$;
CREATE FUNCTION pg_temp.type(type oid) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN t.typrelid <> 0 AND t.typtype = 'c' THEN pg_temp.relation(t.typrelid)
                WHEN t.typelem <> 0 AND t.typcategory = 'A' THEN pg_temp.type(t.typelem)
                WHEN n.nspname IN ('vrm', 'vrm_private', 'auth') THEN 'relation ' || n.nspname || '.' || t.typname END
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = type
$$;
CREATE FUNCTION pg_temp.routine(routine oid) RETURNS text LANGUAGE sql AS $$
    SELECT 'routine ' || n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.oid = routine AND n.nspname IN ('vrm', 'vrm_private', 'auth')
$$;
CREATE FUNCTION pg_temp.object(class oid, object oid) RETURNS text LANGUAGE sql AS $$
    SELECT CASE class::regclass::text
        WHEN 'pg_class' THEN pg_temp.relation(object)
        WHEN 'pg_type' THEN pg_temp.type(object)
        WHEN 'pg_proc' THEN pg_temp.routine(object)
        WHEN 'pg_rewrite' THEN (SELECT pg_temp.relation(ev_class) FROM pg_rewrite WHERE oid = object)
        WHEN 'pg_attrdef' THEN (SELECT pg_temp.relation(adrelid) FROM pg_attrdef WHERE oid = object)
        WHEN 'pg_constraint' THEN (SELECT coalesce(pg_temp.relation(conrelid), pg_temp.type(contypid)) FROM pg_constraint WHERE oid = object)
        WHEN 'pg_operator' THEN (SELECT pg_temp.routine(oprcode) FROM pg_operator WHERE oid = object)
        WHEN 'pg_am' THEN (SELECT pg_temp.routine(amhandler) FROM pg_am WHERE oid = object)
        WHEN 'pg_opclass' THEN (SELECT pg_temp.type(opcintype) FROM pg_opclass WHERE oid = object)
        WHEN 'pg_event_trigger' THEN (SELECT pg_temp.routine(evtfoid) FROM pg_event_trigger WHERE oid = object)
        WHEN 'pg_policy' THEN (SELECT format('policy %s on %s', polname, substr(pg_temp.relation(polrelid), 10)) FROM pg_policy WHERE oid = object)
        WHEN 'pg_trigger' THEN (SELECT format('trigger %s on %s', tgname, substr(pg_temp.relation(tgrelid), 10))
                                FROM pg_trigger WHERE oid = object AND NOT tgisinternal) END
$$;
};
my @depends = query($named . q{
    SELECT DISTINCT o, r FROM pg_depend d, pg_temp.object(d.classid, d.objid) AS o, pg_temp.object(d.refclassid, d.refobjid) AS r
    WHERE d.deptype IN ('n', 'a', 'i') AND o <> r});
my @bodies = query(q{
    SELECT 'routine ' || n.nspname || '.' || p.proname, p.prosrc
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE n.nspname IN ('vrm', 'vrm_private', 'auth') AND l.lanname IN ('sql', 'plpgsql')
      AND p.proname NOT IN ('platform_script', 'platform_steps')});
cmp_ok(scalar(@depends), '>', 300, 'there are dependencies to look at');
cmp_ok(scalar(@bodies), '>', 200, 'and bodies');

# --- references ------------------------------------------------------------------------------------------

# The topic of an object; triggers and policies that are not made by name are their table's.
sub topic {
    my ($object) = @_;
    return $topic_of{$object} if $topic_of{$object};
    return dirname($1) if $object =~ /^file (.*)$/;
    my ($what, $of) = $object =~ /^(?:policy|trigger) (.*) on (\S+)$/ or return;
    return $looped{$what} // $topic_of{"relation $of"};
}

my %reference;  # from topic to topic, what refers to what
sub refers {
    my ($from, $to) = @_;
    my ($of, $other) = (topic($from), topic($to));
    return if !$of || !$other || $of eq $other;
    # A loop over tables knows none of them.
    return if $from =~ /^policy (.*) on (\S+)$/ && $looped{$1} && $to eq "relation $2";
    $reference{$of}{$other}{"$from -> $to"} = 1;
    return;
}

my @unknown = grep { !defined topic($_) } map { $_->[0] } @depends;
is_deeply([sort keys %{ { map { $_ => 1 } @unknown } }], [], 'every object that depends on something is of a topic');

refers(@$_) for @depends;
my $string = qr/E?'(?:[^']|'')*'/;
my $mentions = 0;

# What a text names, but for comments and for messages: what RAISE says, and what COMMENT ON does.
sub mentions {
    my ($from, $text) = @_;
    $text =~ s/--[^\n]*//g;
    $text =~ s/\bRAISE\s+(?:EXCEPTION|NOTICE|WARNING|INFO|LOG|DEBUG)\s+$string/RAISE/g;
    $text =~ s/\b(?:HINT|DETAIL|MESSAGE)\s*=\s*(?:concat\(|format\()?$string/HINT/g;
    $text =~ s/^(COMMENT ON [^;]*?\sIS)\s+$string/$1/mg;
    while ($text =~ /\b($name)(\s*\()?/g) {
        my ($mentioned, $called) = ($1, $2);
        my ($to) = grep { $topic_of{$_} } $called ? ("routine $mentioned", "relation $mentioned") : ("relation $mentioned", "routine $mentioned");
        next unless $to;
        $mentions++;
        refers($from, $to);
    }
    return;
}
mentions(@$_) for @bodies;
mentions("file $_", $statements{$_}) for keys %statements;
cmp_ok($mentions, '>', 2000, 'they mention other objects, and so do the other statements');

if ($print) {
    for my $topic (@topics) {
        for my $other (sort { $place{$a} <=> $place{$b} } keys %{ $reference{$topic} }) {
            note("$topic -> $other", $place{$other} > $place{$topic} ? ' (later)' : '');
            note("    $_") for sort keys %{ $reference{$topic}{$other} };
        }
    }
}

for my $district (sort { $district_place{$a} <=> $district_place{$b} } keys %district_place) {
    my @later;
    for my $topic (grep { $district_of{$_} eq $district } @topics) {
        for my $other (grep { $district_place{ $district_of{$_} } > $district_place{$district} } keys %{ $reference{$topic} }) {
            push @later, map { "$topic -> $other: $_" } keys %{ $reference{$topic}{$other} };
        }
    }
    ok(!@later, "$district refers to no later district") or diag(join "\n", sort @later);
}

system('dropdb', $database);
done_testing();
