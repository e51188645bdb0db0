#!/usr/bin/perl
# Measures the feed of events: what vrm.follow_events() takes for 1,000 events, in processor time, at 10,000 events and at
# many more; and what its column xid and the indexes made for followers add to the completion of a call, by
# an event's INSERT there and in a copy of the table that has neither, in turns.
# usage: bench/calls/feed.pl [EVENTS [CALLS [ROUNDS]]], on the server that PGHOST and PGPORT name
use strict;
use warnings;
use FindBin;
use File::Temp;
use lib "$FindBin::Bin/../lib";
use Bench;

my $events = $ARGV[0] // 1_000_000;
my $calls = $ARGV[1] // 500;
my $rounds = $ARGV[2] // 15;
my $database = 'vrm_bench_feed';
my $alice = '018f0000-0000-7000-8000-00000000000a';
$ENV{PGOPTIONS} = '-c client_min_messages=warning';
output('dropdb', '--if-exists', '--force', $database);
output('createdb', $database);
$ENV{PGDATABASE} = $database;

# Nanoseconds that a block notes as "spent", in a session that is Alice's.
sub spent {
    my ($block) = @_;
    my $script = File::Temp->new;
    print {$script} <<"SQL";
SET vrm.trusted_logins = 'postgres';
BEGIN;
SET LOCAL request.jwt.claims = '{"sub": "$alice", "role": "authenticated"}';
DO \$\$
DECLARE
    run uuid;
    runs uuid[];
    began bigint;
    spent bigint[] := '{}';
    number bigint;
BEGIN
    $block
    RAISE WARNING 'spent %', spent;
END
\$\$;
COMMIT;
SQL
    $script->flush;
    my $said = qx(PGOPTIONS= psql -Xq -v ON_ERROR_STOP=1 -f $script 2>&1);
    my ($list) = $said =~ /spent \{(.*)\}/ or die $said;
    return split /,/, $list;
}

# --- given: two users, one of whom has most of the events -------------------------------------------------

my $bob = '018f0000-0000-7000-8000-00000000000b';
sql('CREATE EXTENSION vrm', qq{INSERT INTO auth.users (id, email) VALUES ('$alice', 'alice\@example.org'), ('$bob', 'bob\@example.org')});
psql('-f', "$FindBin::Bin/../lib/cpu.sql");

# In transactions that have ended, as many events each as it takes.
sub make_events {
    my ($number) = @_;
    sql('TRUNCATE vrm.run_events', qq{INSERT INTO vrm.run_events (user_id, id, run_id, status, xid)
        SELECT CASE WHEN i % 5 = 0 THEN '$bob' ELSE '$alice' END::uuid, vrm.uuid7(), vrm.uuid7(), 'running',
               (3 + i * (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 4) / $number)::text::xid8
        FROM generate_series(1, $number) AS i}, 'VACUUM ANALYZE vrm.run_events');
    return;
}

# --- 1,000 events --------------------------------------------------------------------------------------------

# The clock of the processor's time moves by milliseconds: it takes many calls to read it.
sub follow {
    my ($cursor) = @_;
    my @ns = spent(<<"SQL");
    FOR i IN 0 .. 10 LOOP
        began := cpu();
        FOR n IN 1 .. 20 LOOP
            SELECT count(*) INTO number FROM vrm.follow_events($cursor, 1000);
            IF number <> 1000 THEN RAISE 'got %', number; END IF;
        END LOOP;
        IF i > 0 THEN spent := spent || (cpu() - began) / 20; END IF;
    END LOOP;
SQL
    return median(@ns) / 1e6;
}

for my $number (10_000, $events) {
    make_events($number);
    my $place = sql("SELECT concat(xid, '/', id) FROM vrm.run_events WHERE user_id = '$alice'
                     ORDER BY xid, id OFFSET $number * 2 / 5 LIMIT 1");
    for my $where (['the beginning', 'NULL'], ['the middle', "'$place'"]) {
        my $ms = follow($where->[1]);
        printf "1,000 of %9d events, from %-14s %6.2f ms\n", $number, $where->[0], $ms;
        target("vrm.follow_events(), 1,000 of $number events, $where->[0]", $ms, 2, 'ms');
    }
}

# --- completion ------------------------------------------------------------------------------------------

sql(qq{INSERT INTO vrm.agents (user_id, agent_id) VALUES ('$alice', 'reception')},
    'CREATE TABLE bare_events (LIKE vrm.run_events INCLUDING DEFAULTS)', 'INSERT INTO bare_events TABLE vrm.run_events',
    'ALTER TABLE bare_events DROP COLUMN xid', 'ALTER TABLE bare_events ADD PRIMARY KEY (user_id, id),
     ADD FOREIGN KEY (user_id) REFERENCES vrm.user_profiles (id) ON DELETE CASCADE', 'VACUUM ANALYZE bare_events');
my $document = '{"duration": "1:00", "transcript": ['
  . join(', ', map { qq({"speaker": "Agent", "time": "0:0$_", "message": "How can I help you today?"}) } 0 .. 9) . ']}';
my @ns = spent(<<"SQL");
    FOR i IN 0 .. $calls LOOP
        run := vrm.start_test_run((SELECT id FROM vrm.agents WHERE user_id = '$alice' LIMIT 1), time_limit => 3600);
        PERFORM vrm.begin_test_run(run);
        runs := runs || run;
    END LOOP;
    PERFORM vrm.complete_test_run(runs[1], '$document');
    began := cpu();
    FOR i IN 2 .. $calls + 1 LOOP
        PERFORM vrm.complete_test_run(runs[i], '$document');
    END LOOP;
    spent := spent || (cpu() - began) / $calls;
    FOR round IN 0 .. 2 * $rounds + 1 LOOP
        began := cpu();
        FOR i IN 1 .. 2000 LOOP
            IF round % 2 = 0 THEN
                INSERT INTO vrm.run_events (user_id, run_id, status, at) VALUES ('$alice', run, 'completed', clock_timestamp());
            ELSE
                INSERT INTO bare_events (user_id, run_id, status, at) VALUES ('$alice', run, 'completed', clock_timestamp());
            END IF;
        END LOOP;
        IF round > 1 THEN spent := spent || (cpu() - began) / 2000; END IF;
    END LOOP;
SQL
my $completion = shift @ns;
my @added = map { $ns[2 * $_] - $ns[2 * $_ + 1] } 0 .. $rounds - 1;
printf "completion of a call %.0f us; its event %.1f us, %.1f us without what followers need\n", $completion / 1000,
  median(map { $ns[2 * $_] } 0 .. $rounds - 1) / 1000, median(map { $ns[2 * $_ + 1] } 0 .. $rounds - 1) / 1000;
target('completion, what the feed adds to it', 100 * median(@added) / ($completion - median(@added)), 3, '%');
targets();
output('dropdb', $database);
