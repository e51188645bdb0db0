# A PostgreSQL server of a test's own with vrm on it, and people who sign in to it the way they do
# behind PostgREST: by SET ROLE and claims that a trusted login passes on.
package VRM::Server;
use strict;
use warnings;
use Exporter qw(import);
use File::Spec;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(
  server database newest_version person as_user error_of error_as_user query until_restarted);

# Starts a server; install_path names another PostgreSQL, further arguments are those of init.
sub server {
    my ($name, %options) = @_;
    my $install_path = delete $options{install_path};
    my $node = PostgreSQL::Test::Cluster->new($name,
        $install_path ? (install_path => $install_path) : ());
    $node->init(extra => ['--encoding=UTF8', '--locale=C.UTF-8'], %options);
    my $superuser = getpwuid $<;
    $node->append_conf('postgresql.conf', "timezone = 'UTC'\nvrm.trusted_logins = '$superuser'\n");
    $node->start;
    return $node;
}

# Creates a database with vrm in it.
sub database {
    my ($node, $name) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE $name");
    $node->safe_psql($name, 'SET client_min_messages = warning; CREATE EXTENSION vrm');
    return $name;
}

# The version that CREATE EXTENSION installs.
sub newest_version {
    my ($node) = @_;
    return $node->safe_psql('postgres',
        "SELECT default_version FROM pg_available_extensions WHERE name = 'vrm'");
}

# First column and row of what a superuser's statements give.
sub query {
    my ($node, $database, $sql) = @_;
    return $node->safe_psql($database, $sql);
}

# What psql prints of a statement; nothing where the server does not answer.  The statement is an
# argument, because writing it to a psql that has found no server ends the test: "Broken pipe".
sub answer {
    my ($node, $database, $sql) = @_;
    my $said = '';
    my $nothing = File::Spec->devnull;
    IPC::Run::run(['psql', '-XAtq', '-d', $node->connstr($database), '-c', $sql],
        '<', $nothing, '>', \$said, '2>', $nothing)
      or return;
    chomp $said;
    return $said;
}

# Runs what kills a process of the server, and returns when the crash has been noticed and recovered
# from: then another checkpointer is at work.
sub until_restarted {
    my ($node, $database, $kill) = @_;
    my $checkpointer = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'};
    my $before = query($node, $database, $checkpointer);
    $kill->();
    for (1 .. 600) {
        my $now = answer($node, $database, $checkpointer);
        return if defined $now && $now ne '' && $now ne $before;
        select undef, undef, undef, 0.1;
    }
    die 'the server does not come back';
}

# Signs somebody up; gives the id.
sub person {
    my ($node, $database, $email) = @_;
    return query($node, $database,
        "INSERT INTO auth.users (email) VALUES ('$email') RETURNING id");
}

sub in_name_of {
    my ($who, $sql) = @_;
    return <<"SQL";
BEGIN;
SELECT set_config('request.jwt.claims', '{"sub": "$who", "role": "authenticated"}', true),
       set_config('role', 'authenticated', true) \\g /dev/null
$sql;
COMMIT;
SQL
}

# What a statement gives when an authenticated user runs it in a transaction of its own.
sub as_user {
    my ($node, $database, $who, $sql) = @_;
    return query($node, $database, in_name_of($who, $sql));
}

# The first error of a superuser's statements as "SQLSTATE: message | DETAIL:  ... | HINT:  ...";
# empty when there is none.
sub error_of {
    my ($node, $database, $sql) = @_;
    my $errors = '';
    $node->psql($database, "\\set VERBOSITY verbose\n$sql", stderr => \$errors, on_error_stop => 1);
    my ($error) = $errors =~ /(?:ERROR|FATAL): +(.*)/s or return '';
    $error =~ s/^(CONTEXT|LOCATION|LINE \d+|STATEMENT): .*//ms;
    return join ' | ', split /\n/, $error;
}

sub error_as_user {
    my ($node, $database, $who, $sql) = @_;
    return error_of($node, $database, in_name_of($who, $sql));
}

1;
