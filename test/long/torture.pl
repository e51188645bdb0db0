# Calls every function, aggregate and procedure of the extension with NULL, edge values and what is in
# the tables, alone and mixed: whatever it refuses has a SQLSTATE that fits, never XX000, and the server
# stands.  Once as the superuser, once by each role that may call it, who are never told of a constraint,
# a cast or a LIMIT of ours.  Needs the server that PGHOST names.
# usage: torture.pl [CALLS OF EACH FUNCTION [SEED [PATTERN]]]
use strict;
use warnings;
use File::Basename;
use File::Temp;
use Test::More;

my $root = dirname(dirname(dirname(__FILE__)));
my ($calls, $seed, $pattern) = ($ARGV[0] // 30, $ARGV[1] // 1, $ARGV[2] // '.');
my $database = 'vrm_torture';
$ENV{PGDATABASE} = $database;
$ENV{PGOPTIONS} = '-c client_min_messages=error';

sub output {
    my (@command) = @_;
    open(my $pipe, '-|', @command) or die "$command[0]: $!\n";
    chomp(my @lines = <$pipe>);
    close($pipe) or die "@command failed\n";
    return @lines;
}

# --- values -------------------------------------------------------------------------------------------

# Each type with its values, apart by two semicolons.
my %edge = map { /^(.*?): (.*)$/ ? ($1 => [split / ;; /, $2]) : () } split /\n/, <<'EDGES';
text: '' ;; ' ' ;; 'x' ;; '%s%n$1' ;; '''' ;; '\' ;; '{}' ;; '[1,' ;; '-1' ;; '-0.0' ;; 'NaN' ;; '2024-02-30' ;; 'P1Y' ;; 'vrm.test_runs' ;; U&'\00e9\+01f4a9' ;; 'completed' ;; 'user' ;; 'password' ;; 'authenticated' ;; '99999999999999999999' ;; repeat('x', 100000) ;; repeat('(', 20000) ;; U&'\0001'
name: '' ;; 'x' ;; 'vrm' ;; '"' ;; repeat('x', 63)
cstring: '' ;; 'x' ;; '{' ;; '\' ;; '1'
smallint: 0 ;; -1 ;; 1 ;; -32768 ;; 32767
integer: 0 ;; -1 ;; 1 ;; 7 ;; 2147483647 ;; -2147483648
bigint: 0 ;; -1 ;; 1 ;; 7 ;; 9223372036854775807 ;; -9223372036854775808
double precision: 'NaN' ;; 'infinity' ;; '-infinity' ;; '-0' ;; 0 ;; 0.5 ;; 1 ;; -1 ;; 1e308 ;; 5e-324
numeric: 'NaN' ;; 'infinity' ;; '-infinity' ;; 0 ;; 0.5 ;; 1 ;; -1 ;; 1e1000 ;; 1e-1000
boolean: true ;; false
uuid: '00000000-0000-0000-0000-000000000000' ;; 'ffffffff-ffff-ffff-ffff-ffffffffffff' ;; (SELECT id FROM auth.users LIMIT 1) ;; (SELECT id FROM vrm.test_runs LIMIT 1) ;; (SELECT id FROM vrm.agents LIMIT 1) ;; (SELECT id FROM vrm.test_cases LIMIT 1)
jsonb: 'null' ;; '{}' ;; '[]' ;; '0' ;; '"x"' ;; '1e400' ;; '[[[]]]' ;; '{"a": null}' ;; '{"transcript": [{}]}' ;; '{"duration": -1}' ;; '{"keys": [{}]}' ;; (repeat('[', 5000) || repeat(']', 5000))
timestamp with time zone: 'infinity' ;; '-infinity' ;; '4713-01-01 BC' ;; '1970-01-01' ;; '2024-02-29' ;; '294276-12-31' ;; now()
date: 'infinity' ;; '-infinity' ;; '4713-01-01 BC' ;; '1970-01-01' ;; '5874897-12-31'
interval: '0' ;; '-1 day' ;; '1 month' ;; '1 day' ;; '178000000 years' ;; '-178000000 years' ;; '1 us'
bytea: '' ;; '\x00' ;; '\xff' ;; decode(repeat('00', 40), 'hex') ;; decode(repeat('01ff', 50000), 'hex')
regclass: 0 ;; 1 ;; 'pg_class' ;; 'vrm.test_runs' ;; 'vrm.test_runs_pkey' ;; 'vrm.audit_log' ;; 'pg_toast.pg_toast_1255'
oid: 0 ;; 1 ;; 1259 ;; 4294967295
tid: '(0,0)' ;; '(0,1)' ;; '(4294967294,65535)'
inet: '0.0.0.0/0' ;; '::/0' ;; '127.0.0.1'
pg_lsn: '0/0' ;; 'FFFFFFFF/FFFFFFFF'
xid8: '0' ;; '18446744073709551615'
regprocedure: 0 ;; 'pg_backend_pid()'
regtype: 0 ;; 'text'
"char": '' ;; 'x'
tsquery: '' ;; 'x' ;; '!x'
tstzrange: 'empty' ;; '(,)' ;; '[2024-01-01,2024-01-02)'
record: ROW() ;; ROW(1, NULL)
EDGES

my $random = $seed;
sub random { $random = ($random * 1103515245 + 12345) % 2147483648; return int($random / 65536) % $_[0] }

# Of types of the platform: what a table holds, what an enumeration has.
my %found;
sub values_of {
    my ($type) = @_;
    return @{ $found{$type} //= [map { seen($_) } @{ $edge{$type} }] } if $edge{$type};
    if ($type =~ /^(.*)\[\]$/) {
        my $element = $1;
        my @elements = map { "$_" } grep { !/SELECT|repeat/ } values_of($element);
        my $some = join ', ', map { "$_\::$element" } @elements[0 .. ($#elements < 3 ? $#elements : 3)];
        return (q{'{}'}, q{'{NULL}'}, q{'{{NULL},{NULL}}'}, q{'[5:5]={NULL}'}, $some ? "ARRAY[$some]" : ());
    }
    return @{ $found{$type} //= [map { seen($_) } samples($type)] };
}

# What is in tables is looked up before, because who calls may not read them all.
sub seen {
    my ($value) = @_;
    return $value unless $value =~ /^\(SELECT /;
    my ($text) = output('psql', '-XAtq', '-c', "SELECT coalesce(quote_literal($value\::text), 'NULL')");
    return $text;
}

sub samples {
    my ($type) = @_;
    my @values = output('psql', '-XAtq', '-c', "SELECT quote_literal(enumlabel) FROM pg_enum WHERE enumtypid = to_regtype('$type') ORDER BY enumsortorder");
    push @values, output('psql', '-XAtq', '-c', "SELECT format('(SELECT x FROM %s AS x LIMIT 1)', typrelid::regclass) FROM pg_type t"
          . " JOIN pg_class c ON c.oid = typrelid AND relkind IN ('r', 'p', 'v') WHERE t.oid = to_regtype('$type')");
    push @values, output('psql', '-XAtq', '-c', "SELECT format('(SELECT %I FROM %s WHERE %I IS NOT NULL LIMIT 1)', attname, attrelid::regclass, attname)"
          . " FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid AND relkind IN ('r', 'p') WHERE atttypid = to_regtype('$type') AND attnum > 0 LIMIT 2");
    push @values, q{(SELECT vrm.call_stats(status, started_at, completed_at, results) FROM vrm.test_runs)} if $type eq 'vrm.call_stats';
    return (@values, q{''}, q{'x'});
}

# --- calls ---------------------------------------------------------------------------------------------

# Every argument NULL, then each edge value of each argument beside others that are chosen at random.
sub argument_lists {
    my (@types) = @_;
    return ([]) unless @types;
    my @choices = map { my $type = $_; ['NULL', map { "($_)" } values_of($type)] } @types;
    my @lists = ([('NULL') x @types]);
    my @turns = map { my $i = $_; map { [$i, $_] } @{ $choices[$i] } } 0 .. $#types;
    push @turns, [0, $choices[0][random(scalar @{ $choices[0] })]] while @turns < $calls;
    while (@lists <= $calls && @turns) {
        my ($i, $value) = @{ splice @turns, random(scalar @turns), 1 };
        my @list = map { $_->[random(scalar @$_)] } @choices;
        $list[$i] = $value;
        push @lists, \@list;
    }
    return map {
        my $list = $_;
        [map { "$list->[$_]::" . ($types[$_] =~ /^any/ ? 'text' : $types[$_]) } 0 .. $#types]
    } @lists;
}

my %kind = (f => 'SELECT', a => 'SELECT', p => 'CALL', w => 'SELECT');

# What a call is wrapped in: nothing of it stays, but for procedures, which end transactions themselves.
sub statement {
    my ($kind, $name, $arguments, $before) = @_;
    my $call = "$kind{$kind} $name(" . join(', ', @$arguments) . ");\n";
    return "ROLLBACK;\n$before$call" if $kind eq 'p';
    return "ROLLBACK;\nBEGIN;\n$before$call";
}

# Functions of PostgreSQL's that refuse what a function of ours has handed on to them unseen.
my $raw = join '|', qw(ExecConstraints ExecFindPartition recompute_limits _bt_check_unique ri_ReportViolation
  pg_strtoint64 pg_strtoint32 float8in_internal json_ereport_error ereport_json json_errsave_error
  DateTimeParseError timestamptz_pl_interval timestamp_pl_interval);

# Runs statements of a function in one session; returns what was refused, with its SQLSTATE and who did so.
sub refused {
    my ($before, @statements) = @_;
    my $file = File::Temp->new;
    print {$file} "\\set VERBOSITY verbose\n\\o /dev/null\nSET statement_timeout = '5s'; SET lock_timeout = '1s';\n";
    print {$file} "\\warn call $_\n$statements[$_]" for 0 .. $#statements;
    print {$file} "\\warn end\n";
    $file->flush;
    my ($number, $ended, %state, %by) = (-1, 0);
    for (output('sh', '-c', 'psql -Xq -f "$0" 2>&1 || :', $file)) {
        if (/^call (\d+)$/) { $number = $1 }
        elsif (/^end$/) { $ended = 1 }
        elsif (/(?:ERROR|FATAL|PANIC): +(\w{5}): /) { $state{$number} = $1 }
        elsif (/^LOCATION: +(\w+), /) { $by{$number} = $1 }
        elsif (/server closed the connection|connection to server was lost/) { $state{$number} = 'lost' }
    }
    $state{$number} = 'lost' unless $ended;
    return map { [$_, $state{$_}, $by{$_} // ''] } sort { $a <=> $b } keys %state;
}

# What nobody is meant to be told: faults of ours, and statements of ours that PostgreSQL refused.
my %counted;
sub torture {
    my ($who, $before, @functions) = @_;
    for (@functions) {
        my ($kind, $name, $types) = split /\|/, $_, -1;
        my @types = grep { length } split /;/, $types;
        my @statements = map { statement($kind, $name, $_, $before) } argument_lists(@types);
        my @faults;
        for (refused($before, @statements)) {
            my ($number, $state, $by) = @$_;
            $counted{$state}++;
            next unless $state =~ /^XX00[02]|^lost$/ || $before && $by =~ /^(?:$raw)$/;
            push @faults, "$state by $by: " . substr($statements[$number] =~ s/^ROLLBACK;\n(?:BEGIN;\n)?\Q$before\E//r, 0, 400) . "\n";
        }
        ok(!@faults, "$name($types), $who") or diag(@faults);
    }
    return;
}

system('dropdb', '--if-exists', '--force', $database);
system('createdb', $database) == 0 or die "createdb failed\n";
system('psql', '-Xq', '-c', 'CREATE EXTENSION vrm') == 0 or die "CREATE EXTENSION failed\n";
system("$root/demo/load.sh") == 0 or die "the sample calls do not load\n";

# Nothing that is no value can be given for an internal argument.
my $listed = q{SELECT p.prokind::text || '|' || p.oid::regproc || '|' || coalesce((
        SELECT string_agg(format_type(t, NULL), ';' ORDER BY n) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (t, n)), '')
    FROM pg_proc p WHERE p.pronamespace IN ('vrm'::regnamespace, 'vrm_private'::regnamespace)
      AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[]) AND p.oid::regproc::text ~ '%s' %s ORDER BY 1};
my @all = output('psql', '-XAtq', '-c', sprintf $listed, $pattern, '');
cmp_ok(scalar(@all), '>', 500, 'there are functions to call') if $pattern eq '.';

torture('as a superuser', '', @all);
my ($somebody) = output('psql', '-XAtq', '-c', q{SELECT user_id FROM vrm.test_runs GROUP BY 1 ORDER BY count(*) DESC LIMIT 1});
output('psql', '-XAtq', '-c', qq{ALTER DATABASE $database SET vrm.trusted_logins = '$ENV{PGUSER}'});
my %claims = (anon => '', map { $_ => qq({"sub": "$somebody", "role": "$_"}) } qw(authenticated service_role pg_monitor));
for my $role (sort keys %claims) {
    my @may = output('psql', '-XAtq', '-c', sprintf $listed, $pattern, qq{AND has_function_privilege('$role', p.oid, 'EXECUTE')
        AND has_schema_privilege('$role', p.pronamespace, 'USAGE')});
    torture("as $role", qq[SELECT set_config('request.jwt.claims', '$claims{$role}', true);\nSET LOCAL ROLE $role;\n], grep { !/^p/ } @may);
}
cmp_ok(scalar(keys %counted), '>', 5, 'much is refused, for different reasons') if $pattern eq '.';
note("$_: $counted{$_}") for sort keys %counted;

system('dropdb', '--force', $database);
done_testing();
