# Everything that vrm.doctor() and the alerts say to run is run, on a server of its own with all of its troubles at once:
# each statement succeeds, leaves nothing worse than it was, and in the end nothing is left that has a fix.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use VRM::Server;

my $archive = PostgreSQL::Test::Utils::tempdir;
my $node = server('fixes', allows_streaming => 'logical');
database($node, 'app');
my $key = $node->basedir . '/master-key';
append_to_file($key, 'one:' . ('A' x 43) . "=\n");
chmod 0600, $key;

# --- given: a server of which much is wrong ---------------------------------------------------------------------

query($node, 'app', <<"SQL");
LOAD 'vrm';
ALTER SYSTEM SET vrm.master_key_file = '$key';
ALTER SYSTEM SET archive_command = 'cp "%p" "$archive/%f"';
ALTER SYSTEM SET log_statement = 'all';
ALTER SYSTEM SET log_min_duration_statement = 0;
ALTER SYSTEM SET log_parameter_max_length_on_error = 100;
ALTER SYSTEM SET password_encryption = 'md5';
ALTER SYSTEM SET fsync = off;
ALTER SYSTEM SET full_page_writes = off;
ALTER SYSTEM SET synchronous_commit = off;
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET track_counts = off;
ALTER SYSTEM SET vrm.session_login = on;
ALTER SYSTEM SET vrm.secret_literals = allow;
ALTER SYSTEM SET vrm.lockout_durability = async;
ALTER SYSTEM SET vrm.trusted_logins = 'fixer, authenticated';
ALTER SYSTEM SET max_slot_wal_keep_size = -1;
CREATE ROLE fixer LOGIN SUPERUSER;
CREATE ROLE somebody;
ALTER ROLE authenticated LOGIN CREATEDB BYPASSRLS;
ALTER ROLE service_role NOBYPASSRLS;
GRANT service_role TO authenticated;
GRANT pg_read_server_files TO somebody;
GRANT SELECT, TRUNCATE ON vrm.suites TO anon;
GRANT SELECT ON vrm_private.sessions TO authenticated;
GRANT EXECUTE ON FUNCTION vrm.live_calls() TO PUBLIC;
ALTER POLICY "users manage their own agents" ON vrm.agents USING (true);
ALTER TABLE vrm.metrics DISABLE ROW LEVEL SECURITY;
CREATE VIEW vrm.open AS SELECT * FROM vrm.agents;
GRANT SELECT ON vrm.open TO authenticated;
CREATE TABLE vrm.notes (text text);
GRANT SELECT ON vrm.notes TO authenticated;
CREATE PUBLICATION everything FOR TABLE vrm.notes, vrm.run_events, vrm_private.password_reset_tokens;
ALTER FUNCTION vrm.begin_attempt(text, vrm.attempt_kind, inet, text) RESET search_path;
ALTER TABLE vrm.suites OWNER TO somebody;
CREATE OR REPLACE FUNCTION vrm_private.team_rank(role text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp AS 'SELECT 4';
DROP POLICY "users manage their own metrics" ON vrm.metrics;
DROP TRIGGER record_facts ON vrm.test_runs;
DROP INDEX vrm.test_runs_agent;
DROP VIEW vrm.retention_progress;
ALTER TABLE vrm.agents DISABLE TRIGGER set_updated_at;
ALTER EVENT TRIGGER vrm_watch_columns DISABLE;
ALTER TABLE vrm.agents ADD CONSTRAINT short CHECK (length(agent_id) < 99) NOT VALID;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'vrm.agents_agent_id'::regclass;
SELECT pg_create_physical_replication_slot('forgotten', true);
INSERT INTO vrm.retention_runs (policy, cutoff, as_of, started_at, finished_at, state)
VALUES ('logs.error', now(), now(), now() + interval '3 days', now() + interval '3 days', 'done');
SQL
$node->restart;

# What is wrong now, but for what a restart is all it takes for.
sub findings {
    my ($more) = @_;
    return split /\n/, $node->safe_psql('app', qq{SELECT check_name || ': ' || replace(detail, E'\\n', ' ') FROM vrm.doctor()
        WHERE status IN ('warn', 'fail') AND detail !~ 'waits for a restart' $more ORDER BY 1}, extra_params => ['-U', 'fixer']);
}

# Runs a statement by itself, as somebody pastes it; its errors, without word of what was done.
sub run_alone {
    my ($statement) = @_;
    my ($stdout, $stderr);
    IPC::Run::run ['psql', '-XAtq', '-U', 'fixer', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('app'), '-c', "LOAD 'vrm'", '-c', $statement],
      '<', \undef, '>', \$stdout, '2>', \$stderr;
    return join '; ', $stderr =~ /ERROR: +(.*)/g;
}

# The statements that stand in a sentence; names that somebody has to fill in are none.
sub statements_of {
    my ($text) = @_;
    return grep { !/\.\.\.|\b(organisation|member|role|token|keys|issuer)\b[,)]/ }
      $text =~ /((?:SELECT|CALL|ALTER|DELETE|UPDATE|CREATE|REINDEX|VACUUM) [^;]+;)/g;
}

my @checks = sort keys %{ { map { (split /:/)[0] => 1 } findings('') } };
cmp_ok(scalar @checks, '>=', 25, "given troubles of @checks");

# --- fixes and hints of the doctor -----------------------------------------------------------------------------------

# In rounds, as a DBA would go about it: all that was found, then a look at what is left.  A fix may need another one first.
my (@failed, @worse, %run);
my %before = map { $_ => 1 } findings('');
for my $round (1 .. 6) {
    my $found = $node->safe_psql('app', q{SELECT jsonb_build_array(check_name, hint, fix_sql) FROM vrm.doctor()
        WHERE status IN ('warn', 'fail', 'unknown') AND fix_sql IS NOT NULL ORDER BY check_name, detail}, extra_params => ['-U', 'fixer']);
    my @next = grep { ($run{ $_->[2] } // 'failed') eq 'failed' } map { JSON::PP::decode_json($_) } split /\n/, $found;
    last unless @next;
    @failed = ();
    my %mended;
    for my $finding (@next) {
        my ($check, $hint, $fix) = @$finding;
        my $said = run_alone($fix);
        $run{$fix} = $said eq '' ? 'done' : 'failed';
        $mended{$check} = 1;
        push @failed, "$fix: $said" if $said ne '';
        for my $statement (statements_of($hint // '')) {
            $said = run_alone($statement);
            push @failed, "$statement (hint of $check): $said" if $said ne '';
        }
    }
    $node->restart if grep { ($_->[1] // '') =~ /restart/i } @next;
    my @now = findings('');
    # the next step of what is being mended is no other trouble
    push @worse, grep { !$before{$_} && !$mended{ (split /:/)[0] } } @now;
    %before = map { $_ => 1 } @now;
}
is(join("\n", @failed), '', 'every fix runs, and every statement of a hint');
is(join("\n", @worse), '', 'none brings another trouble');
cmp_ok(scalar keys %run, '>=', 30, 'fixes were run: ' . scalar keys %run);
is(join("\n", findings('AND fix_sql IS NOT NULL')), '', 'and in the end nothing is left that has a fix');
is(join(' ', grep { !/^(checksums|identity|publications)$/ } map { (split /:/)[0] } findings('')), '',
    'nor anything else but what is for people to decide');
is($node->safe_psql('app', q{SELECT state FROM vrm.rpo()}) =~ /^(idle|exposed)$/, 1, 'WAL is archived by now');

# --- what alerts say ----------------------------------------------------------------------------------------------------

my @alerts = map { JSON::PP::decode_json($_) } split /\n/, query($node, 'app',
    'SELECT jsonb_build_array(alert, hint, fix_sql) FROM vrm.alert_threshold ORDER BY alert');
%before = map { $_ => 1 } findings('');
@failed = ();
for my $alert (@alerts) {
    my ($name, $hint, $fix) = @$alert;
    for my $statement (grep { defined } $fix, statements_of($hint)) {
        my $said = run_alone($statement);
        # a module that is not there has nothing to show
        push @failed, "$name: $statement: $said" if $said ne '' && $said !~ /pg_stat_statements/;
    }
}
is(join("\n", @failed), '', 'what ' . @alerts . ' alerts say to run runs');
is(join("\n", grep { !$before{$_} } findings('')), '', 'and leaves nothing worse');

# --- what the verdicts on backups say ---------------------------------------------------------------------------------------

sub hints { return map { JSON::PP::decode_json($_) } split /\n/, query($node, 'app',
        q{SELECT jsonb_build_array(check_name, hint) FROM vrm.recovery_status() WHERE hint IS NOT NULL}) }
@failed = ();
for my $given ('', q{SELECT vrm.record_backup('[{"label": "ahead", "kind": "full", "started_at": "2090-01-01", "finished_at": "2090-01-02"}]', 'plain')},
    q{SELECT vrm.record_backup('[{"label": "old", "kind": "full", "started_at": "2020-01-01", "finished_at": "2020-01-02", "repository": "vault"}]', 'plain')}) {
    query($node, 'app', $given) if $given ne '';
    for my $said (hints()) {
        for my $statement (grep { !/verify_restore/ } statements_of($said->[1])) {
            my $error = run_alone($statement);
            push @failed, "$statement: $error" if $error ne '';
        }
    }
}
is(join("\n", @failed), '', 'what verdicts on backups say to run runs');
is(query($node, 'app', 'SELECT count(*) FROM vrm.backups'), '0', 'and what was wrong is gone');
is(join("\n", grep { !$before{$_} } findings('')), '', 'without a new trouble');

$node->stop;
done_testing();
