# A coordinator and two workers of Citus, as servers of a test's own.
package VRM::Nodes;
use strict;
use warnings;
use Exporter qw(import);
use Test::More;
use VRM::Server;

our @EXPORT = qw(need_citus node join_nodes);

sub need_citus {
    chomp(my $share = `pg_config --sharedir`);
    plan skip_all => 'Citus is not installed' if !-e "$share/extension/citus.control";
    return;
}

# A server that has loaded Citus, with a database "calls" that has its extension.
sub node {
    my ($name) = @_;
    my $node = server($name);
    $node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'citus'
citus.node_conninfo = 'sslmode=disable'
restart_after_crash = on
citus.enable_statistics_collection = off
CONF
    $node->restart;
    $node->safe_psql('postgres', 'CREATE DATABASE calls');
    $node->safe_psql('calls', 'SET client_min_messages = warning; CREATE EXTENSION citus');
    return $node;
}

sub join_nodes {
    my ($coordinator, @workers) = @_;
    query($coordinator, 'calls', "SELECT citus_set_coordinator_host('"
          . $coordinator->host . "', " . $coordinator->port . ')');
    query($coordinator, 'calls', "SELECT citus_add_node('" . $_->host . "', " . $_->port . ')')
      for @workers;
    return;
}

1;
