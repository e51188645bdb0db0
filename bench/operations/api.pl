#!/usr/bin/perl
# Measures what a function of schema vrm_api costs beside the function of vrm that it calls, in processor
# time of the backend.
# usage: bench/operations/api.pl [CALLS [ROUNDS]], on the server that PGHOST and PGPORT name
use strict;
use warnings;
use File::Basename;
use File::Temp;
use lib dirname(__FILE__) . '/../lib';
use Bench;

my $calls = $ARGV[0] // 2000;
my $rounds = $ARGV[1] // 7;
my $database = 'vrm_bench_api';
system('dropdb', '--if-exists', $database);
system('createdb', $database) == 0 or die "createdb failed\n";
$ENV{PGDATABASE} = $database;

# --- given: somebody with a call that runs ---------------------------------------------------------

my $alice = '018f0000-0000-7000-8000-00000000000a';
sql('CREATE EXTENSION vrm', 'SELECT vrm.make_api()', qq{INSERT INTO auth.users (id, email) VALUES ('$alice', 'alice\@example.org')},
    q{CREATE FUNCTION processor_ms() RETURNS double precision LANGUAGE sql VOLATILE SECURITY DEFINER AS $$
      SELECT split_part(pg_read_file('/proc/self/schedstat', 0, 100), ' ', 1)::double precision / 1e6 $$});

# Milliseconds of processor for each of two expressions, medians of rounds in turns.
sub compare {
    my ($raw, $api) = @_;
    my $script = File::Temp->new;
    print {$script} <<"SQL";
SET vrm.trusted_logins = 'postgres';
SELECT set_config('request.jwt.claims', '{"sub": "$alice", "role": "authenticated"}', false);
BEGIN;
SET LOCAL request.jwt.claims = '{"sub": "$alice", "role": "authenticated"}';
SET LOCAL ROLE authenticated;
DO \$\$
DECLARE
    run uuid;
    began double precision;
    spent double precision[] := '{}';
BEGIN
    INSERT INTO vrm.agents (agent_id) VALUES ('reception') ON CONFLICT DO NOTHING;
    FOR round IN 0 .. 2 * $rounds + 1 LOOP
        run := vrm.start_test_run((SELECT id FROM vrm.agents LIMIT 1), time_limit => 3600);
        PERFORM vrm.begin_test_run(run);
        FOR i IN 0 .. $calls LOOP
            IF i = 1 THEN began := processor_ms(); END IF;
            IF round % 2 = 0 THEN PERFORM $raw; ELSE PERFORM $api; END IF;
        END LOOP;
        spent := spent || (processor_ms() - began) / $calls;
    END LOOP;
    RAISE WARNING 'spent %', spent;
END
\$\$;
ROLLBACK;
SQL
    $script->flush;
    my $said = qx(psql -Xq -v ON_ERROR_STOP=1 -f $script 2>&1);
    my ($list) = $said =~ /spent \{(.*)\}/ or die $said;
    my @spent = split /,/, $list;
    return (median(map { $spent[2 * $_] } 1 .. $rounds), median(map { $spent[2 * $_ + 1] } 1 .. $rounds));
}

my %question = (
    'append_transcript' => [
        q{vrm.append_transcript(run, 'Agent', 'Hello, how can I help you?', '1.5 seconds')},
        q{vrm_api.append_transcript(run, 'Agent', 'Hello, how can I help you?', 1.5)}],
    'call_history' => [
        q{jsonb_agg(to_jsonb(h)) FROM vrm.call_history(page_size => 20) AS h},
        q{jsonb_agg(to_jsonb(h)) FROM vrm_api.call_history(page_size => 20) AS h}]);
for my $name (sort keys %question) {
    my ($raw, $api) = compare(@{ $question{$name} });
    printf "%-20s raw %.4f ms, by vrm_api %.4f ms\n", $name, $raw, $api;
    target("vrm_api.$name(), of what vrm.$name() takes", $api / $raw, 1.1, '');
}
targets();
system('dropdb', $database);
