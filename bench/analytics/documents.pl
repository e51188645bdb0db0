#!/usr/bin/perl
# Measures statistics of calls whose documents are of 1 to 64 KB: CPU of the backend, in one run and
# interleaved, from the documents and from the facts that are kept of them as calls end, next to
# two peers that give the same figures: SQL that writes results -> 'member' for each, and SQL that
# reads each document once, by jsonb_to_record().
# usage: bench/analytics/documents.pl [CALLS OF 1 KB]
use strict;
use warnings;
use File::Basename;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Bench;

my $most = $ARGV[0] // 20_000;
my $here = dirname(__FILE__);
$ENV{PGDATABASE} = 'vrm_bench_documents';
$ENV{PGOPTIONS} = '-c jit=off -c max_parallel_workers_per_gather=0 -c client_min_messages=warning';

# Calls of the first user with so many turns, about 110 bytes each, in vrm.test_runs and as facts.
sub prepare {
    my ($calls, $turns) = @_;
    output('dropdb', '--if-exists', '--force', $ENV{PGDATABASE});
    output('createdb', $ENV{PGDATABASE});
    sql('CREATE EXTENSION vrm');
    psql('-f', "$here/statistics.sql");
    sql('CREATE TABLE turn AS SELECT (row_number() OVER ()) - 1 AS n, t AS turn'
          . " FROM document, jsonb_array_elements(long -> 'transcript') AS t",
        'ALTER TABLE turn ADD PRIMARY KEY (n)', 'ANALYZE turn', <<"SQL",
        INSERT INTO vrm.test_runs (user_id, id, status, started_at, completed_at, results)
        SELECT id_of(0, 1), id_of(n, 8), 'completed', moment, moment + seconds * interval '1 second', jsonb_build_object(
                   'customer', 'customer' || n % 1000 || '\@example.com', 'actions', n % 4,
                   'duration', seconds / 60 || ':' || lpad((seconds % 60)::text, 2, '0'),
                   'sentiment', (ARRAY['positive', 'neutral', 'negative'])[1 + n % 3],
                   'transcript', (SELECT jsonb_agg(turn) FROM turn
                                  WHERE turn.n BETWEEN n * 37 % 15000 AND n * 37 % 15000 + $turns - 1))
        FROM (SELECT n, '2025-01-01Z'::timestamptz + n * interval '1 hour' AS moment, 60 + (600 * share(n, 15))::int AS seconds
              FROM generate_series(0, $calls - 1) AS n) AS c
SQL
        'VACUUM ANALYZE vrm.test_runs', 'VACUUM ANALYZE vrm.call_facts');
    psql('-f', "$here/statistics_queries.sql");
    return;
}

my @names = ('raw: ordinary SQL', 'raw: best SQL', 'raw: native', 'facts: native');
printf "us of CPU for each call %28s%s\n", '', join '', map { sprintf '%20s', $_ } @names;
for my $size ([1, 8], [4, 36], [16, 145], [64, 580]) {
    my ($kilobytes, $turns) = @$size;
    my $calls = int($most / sqrt($kilobytes) / ($kilobytes > 4 ? 2 : 1));
    prepare($calls, $turns);
    my (%took, %exact);
    for my $round (0 .. 5) {
        for (@names) {
            my ($ms, $exact) = split /\|/, sql("SELECT * FROM measured('$_', id_of(0, 1))");
            push @{ $took{$_} }, $ms if $round;
            $exact{$exact} = 1;
        }
    }
    die "figures differ\n", map { "$_\n" } sort keys %exact if keys %exact > 1;
    my %us = map { $_ => 1000 * median(@{ $took{$_} }) / $calls } @names;
    my $bytes = sql('SELECT avg(length(results::text))::int FROM raw');
    printf "%6d calls of %6d bytes of text %20s%s\n", $calls, $bytes, '', join '', map { sprintf '%20.2f', $us{$_} } @names;
    target("$kilobytes KB, documents, against ordinary SQL", $us{'raw: ordinary SQL'} / $us{'raw: native'}, 5, 'x', 1);
    target("$kilobytes KB, documents, against best SQL", $us{'raw: best SQL'} / $us{'raw: native'}, 5, 'x', 1);
    target("$kilobytes KB, facts, against best SQL", $us{'raw: best SQL'} / $us{'facts: native'}, 5, 'x', 1);
}
targets();
output('dropdb', $ENV{PGDATABASE});
