# Two people who bring tokens of an independent issuer, and the login that passes the tokens on.
package VRM::Tokens;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use VRM::Server;

our @EXPORT = qw(token_bearers);

my @ids = map { "0e6f1b7c-0000-7000-8000-00000000000$_" } 1, 2;

# Makes them in a database, each with an agent, called one and two, and the login client; gives
# their tokens.
sub token_bearers {
    my ($node, $database) = @_;
    my $tokens = slurp_file(dirname(__FILE__) . '/../../../data/tokens.sql');
    my ($key_set) = $tokens =~ /^\\set key_set '(.*)'$/m;
    my %believed = $tokens =~ /^\('([^']+)', '([^']+)'\)[,;]$/mg;
    query($node, $database, <<"SQL");
SELECT vrm.jwk_import('$key_set', 'https://issuer.example', 'authenticated');
CREATE ROLE client LOGIN IN ROLE authenticated;
INSERT INTO auth.users (id, email)
VALUES ('$ids[0]', 'one\@example.org'), ('$ids[1]', 'two\@example.org');
INSERT INTO vrm.agents (user_id, agent_id) VALUES ('$ids[0]', 'one'), ('$ids[1]', 'two')
SQL
    return @believed{ 'ES256', 'second user' };
}

1;
