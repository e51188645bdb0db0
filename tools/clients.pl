#!/usr/bin/perl
# Writes what is generated in clients/: the functions that applications call, with the types that
# vrm.rpc() has for them, from the catalog of a database in which nobody has changed anything.
# Needs the server that PGHOST names: eval "$(./vrm environment)" first.
# usage: tools/clients.pl [DIRECTORY]
use strict;
use warnings;
use File::Basename;
use File::Path qw(make_path);
use JSON::PP;

my $root = dirname(dirname(__FILE__));
my $directory = $ARGV[0] // "$root/clients";
my $database = 'vrm_clients';

# What vrm_api has, by its own name.
my $catalog = <<'SQL';
WITH called AS (
    SELECT f.oid, f.proname::text AS name, obj_description(f.oid, 'pg_proc') AS comment, f.provolatile, f.proretset,
           f.prorettype, f.proargnames, f.proargtypes, f.pronargs, f.pronargdefaults,
           ARRAY(SELECT jsonb_build_object('name', c.name, 'type', c.type::integer)
                 FROM vrm_private.result_columns(f) AS c ORDER BY c.place) AS columns
    FROM vrm_private.api_functions() AS f
    WHERE f.proname <> 'wait_for'
), argument AS (
    SELECT c.oid, a.place, jsonb_build_object('name', c.proargnames[a.place], 'type', a.type::integer,
           'optional', a.place > c.pronargs - c.pronargdefaults) AS document, a.type
    FROM called c, unnest(c.proargtypes::oid[]) WITH ORDINALITY AS a (type, place)
), used AS (
    SELECT type FROM argument UNION SELECT prorettype FROM called
    UNION SELECT (c ->> 'type')::oid FROM called, unnest(columns) AS c
)
SELECT jsonb_build_object(
    'functions', (SELECT jsonb_agg(jsonb_build_object(
            'name', name, 'comment', comment, 'set', proretset, 'type', prorettype::integer,
            'row', (SELECT t.typname FROM pg_type t WHERE t.oid = prorettype AND t.typtype = 'c'),
            'columns', to_jsonb(columns),
            'arguments', (SELECT coalesce(jsonb_agg(a.document ORDER BY a.place), '[]') FROM argument a WHERE a.oid = c.oid),
            'trait', CASE WHEN provolatile <> 'v' THEN 'reads'
                          WHEN NOT proretset AND prorettype IN ('void'::regtype, 'uuid'::regtype, 'int4'::regtype,
                                                                'int8'::regtype, 'bool'::regtype)
                               AND NOT EXISTS (SELECT FROM argument a WHERE a.oid = c.oid
                                               AND a.type = 'vrm.secret'::regtype) THEN 'once'
                          ELSE 'plain' END) ORDER BY name COLLATE "C")
        FROM called c),
    'types', (SELECT jsonb_object_agg(u.type::text, jsonb_build_object(
            'name', e.typname, 'list', t.typelem <> 0 AND t.typlen = -1,
            'words', CASE WHEN e.typtype = 'e'
                THEN (SELECT jsonb_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = e.oid)
                ELSE (SELECT jsonb_agg(w[1] ORDER BY n) FROM pg_constraint k,
                          regexp_matches(pg_get_constraintdef(k.oid), '''([^'']*)''::text', 'g') WITH ORDINALITY AS m (w, n)
                      WHERE k.contypid = e.oid AND pg_get_constraintdef(k.oid) ~ '= ANY') END))
        FROM used u JOIN pg_type t ON t.oid = u.type
        JOIN pg_type e ON e.oid = CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN t.typelem ELSE t.oid END))
SQL

# How vrm.rpc() says values in JSON: TypeScript, Python.
my %plain = (
    (map { $_ => ['number', 'float'] } qw(float4 float8 numeric)),
    (map { $_ => ['number', 'int'] } qw(int2 int4 int8)),
    bool => ['boolean', 'bool'],
    uuid => ['Uuid', 'Uuid'],
    interval => ['Seconds', 'Seconds'],
    (map { $_ => ['Timestamp', 'Timestamp'] } qw(timestamptz date)),
    (map { $_ => ['Json', 'Json'] } qw(json jsonb call_stats)),
    (map { $_ => ['string', 'str'] } qw(text name secret inet bytea xml pg_lsn)));
use constant { TYPESCRIPT => 0, PYTHON => 1 };

sub read_catalog {
    system("dropdb --if-exists $database 2>/dev/null");
    system('createdb', $database) == 0 or die "createdb failed\n";
    my @psql = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $database);
    local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
    open(my $answer, '-|', @psql, '-c', 'CREATE EXTENSION vrm', '-c', $catalog) or die "psql: $!\n";
    my $said = join '', <$answer>;
    close($answer) or die "psql failed\n";
    system('dropdb', $database) == 0 or die "dropdb failed\n";
    return decode_json($said);
}

sub camel { return join '', map { ucfirst } split /_/, $_[0] }

my $read = read_catalog();
my ($functions, $types) = @{$read}{qw(functions types)};

sub type_of {
    my ($oid, $language) = @_;
    my $type = $types->{$oid};
    my $one = $type->{words} ? camel($type->{name})
      : ($plain{ $type->{name} } // die "no type for $type->{name}\n")->[$language];
    return $one unless $type->{list};
    return $language == PYTHON ? "list[$one]" : "${one}[]";
}

sub row_name { my ($function) = @_; return camel($function->{row} // "$function->{name}_row") }

# A single value is null where the comment says that it may be; columns may all be.
sub result_of {
    my ($function, $language) = @_;
    my $name = $types->{ $function->{type} }{name};
    my $nothing = $language == PYTHON ? 'None' : 'null';
    my $one = @{ $function->{columns} } ? row_name($function)
      : $name eq 'void' ? $nothing
      : type_of($function->{type}, $language);
    $one .= " | $nothing" if !@{ $function->{columns} } && $one ne $nothing && $function->{comment} =~ /\bnull\b/;
    return $one unless $function->{set};
    return $language == PYTHON ? "list[$one]" : $one =~ / / ? "($one)[]" : "${one}[]";
}

my %words = map { $_->{words} ? ($_->{name} => $_->{words}) : () } values %$types;
my %rows;
$rows{ row_name($_) } //= $_ for grep { @{ $_->{columns} } } @$functions;

sub typescript {
    my $text = "// What applications call of vrm, made of its catalog by tools/clients.pl: do not edit.\n"
      . "import type { Json, Seconds, Timestamp, Trait, Uuid } from './runtime.js';\n\n";
    $text .= "export type @{[camel($_)]} = " . join(' | ', map { "'$_'" } @{ $words{$_} }) . ";\n" for sort keys %words;
    for my $row (sort keys %rows) {
        $text .= "\nexport interface $row {\n";
        $text .= "  $_->{name}: @{[type_of($_->{type}, TYPESCRIPT)]} | null;\n" for @{ $rows{$row}{columns} };
        $text .= "}\n";
    }
    $text .= "\nexport interface Functions {\n";
    for my $function (@$functions) {
        my @arguments = map {
            my $type = type_of($_->{type}, TYPESCRIPT);
            "$_->{name}" . ($_->{optional} ? "?: $type | null" : ": $type")
        } @{ $function->{arguments} };
        $text .= "  /** $function->{comment} */\n  $function->{name}: {\n"
          . '    arguments: {' . (@arguments ? ' ' . join('; ', @arguments) . ' ' : '') . "};\n"
          . "    result: @{[result_of($function, TYPESCRIPT)]};\n  };\n";
    }
    $text .= "}\n\nexport const traits: Record<keyof Functions, Trait> = {\n";
    $text .= "  $_->{name}: '$_->{trait}',\n" for @$functions;
    return "$text};\n";
}

# PEP 8: a keyword of the language gets a line after it.
my %keyword = map { $_ => 1 } qw(and as assert async await break class continue def del elif else except finally for from
  global if import in is lambda nonlocal not or pass raise return try while with yield);
sub parameter { my ($name) = @_; return $keyword{$name} ? "${name}_" : $name }

sub python {
    my $text = qq("""What applications call of vrm, made of its catalog by tools/clients.pl: do not edit."""\n\n)
      . "from __future__ import annotations\n\nfrom typing import Literal, TypedDict\n\n"
      . "from .runtime import UNSET, Caller, Json, Seconds, Timestamp, Unset, Uuid\n\n";
    $text .= "@{[camel($_)]} = Literal[" . join(', ', map { qq("$_") } @{ $words{$_} }) . "]\n" for sort keys %words;
    for my $row (sort keys %rows) {
        $text .= "\n\nclass $row(TypedDict):\n";
        $text .= "    $_->{name}: @{[type_of($_->{type}, PYTHON)]} | None\n" for @{ $rows{$row}{columns} };
    }
    $text .= "\n\nclass Client(Caller):\n    \"\"\"Functions of the database.\"\"\"\n\n    _traits = {\n";
    $text .= qq(        "$_->{name}": "$_->{trait}",\n) for @$functions;
    $text .= "    }\n";
    for my $function (@$functions) {
        my @arguments = map {
            my $type = type_of($_->{type}, PYTHON);
            '        ' . parameter($_->{name}) . ': ' . ($_->{optional} ? "$type | None | Unset = UNSET,\n" : "$type,\n")
        } @{ $function->{arguments} };
        my $given = join ', ', map { qq("$_->{name}": ) . parameter($_->{name}) } @{ $function->{arguments} };
        my $result = result_of($function, PYTHON);
        my $signature = @arguments ? "(\n        self,\n        *,\n" . join('', @arguments) . '    )' : '(self)';
        $text .= "\n    def $function->{name}$signature -> $result:\n        \"\"\"$function->{comment}\"\"\"\n"
          . ($result eq 'None' ? "        self._call(\"$function->{name}\", {$given})\n"
            : "        result: $result = self._call(\"$function->{name}\", {$given})\n        return result\n");
    }
    return $text;
}

sub write_file {
    my ($name, $text) = @_;
    make_path(dirname($name));
    open(my $file, '>', $name) or die "$name: $!\n";
    print {$file} $text;
    close($file) or die "$name: $!\n";
    return;
}
write_file("$directory/typescript/src/functions.ts", typescript());
write_file("$directory/python/src/vrm_client/functions.py", python());
