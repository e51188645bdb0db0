# A real PgBouncer in transaction mode in front of a test's server, with a pool of one unless more
# is asked for: all clients share one backend.
package VRM::PgBouncer;
use strict;
use warnings;
use Exporter qw(import);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(pgbouncer);

# The program, or nothing where it is not installed.
sub program {
    my ($found) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
    return $found;
}

# Starts one for `database` and the login `user`; gives its directory, its port and its process,
# which the test has to kill.
sub pgbouncer {
    my ($node, $database, $user, $pool) = @_;
    $pool //= 1;
    my $directory = PostgreSQL::Test::Utils::tempdir_short;
    my $port = PostgreSQL::Test::Cluster::get_free_port();
    my ($host, $server_port) = ($node->host, $node->port);
    append_to_file("$directory/users.txt", qq("$user" ""\n));
    append_to_file("$directory/pgbouncer.ini", <<"INI");
[databases]
$database = host=$host port=$server_port dbname=$database pool_size=$pool
[pgbouncer]
pool_mode = transaction
listen_addr =
listen_port = $port
unix_socket_dir = $directory
auth_type = trust
auth_file = $directory/users.txt
logfile = $directory/log
ignore_startup_parameters = extra_float_digits,options
INI
    my $process = IPC::Run::start [program(), "$directory/pgbouncer.ini"], '<', \undef,
      '>', "$directory/out", '2>&1';
    for my $try (1 .. 100) {
        last if -S "$directory/.s.PGSQL.$port";
        select(undef, undef, undef, 0.1);
    }
    return ($directory, $port, $process);
}

1;
