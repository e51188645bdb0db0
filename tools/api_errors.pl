#!/usr/bin/perl
# Writes doc/operations/api_errors.md: what functions of vrm_api refuse, by tools/api_errors.sql, which asks them all.
# Needs the server that PGHOST names: eval "$(./vrm environment)" first.
# usage: tools/api_errors.pl [FILE]
use strict;
use warnings;
use File::Basename;

my $root = dirname(dirname(__FILE__));
my $page = $ARGV[0] // "$root/doc/operations/api_errors.md";
my $database = 'vrm_api_errors';

# What PostgREST answers with, by the table of the page that says so.
my %status;
open(my $api, '<', "$root/doc/operations/api.md") or die "doc/operations/api.md: $!\n";
while (<$api>) {
    my ($states, $answer) = /^\| ((?:[0-9A-Z]{2}(?:\.\.\.|[0-9A-Z]{3})[, ]*)+)[^|]*\| (\d{3})/ or next;
    $status{ $_ =~ s/\.+//r } = $answer for $states =~ /[0-9A-Z]{5}|[0-9A-Z]+\.\.\./g;
}
close($api);
die "doc/operations/api.md has no table of states\n" unless $status{P0002} && $status{22};
sub status_of { my ($state) = @_; return $status{$state} // $status{ substr $state, 0, 2 } // 500 }

sub asked {
    system("dropdb --if-exists --force $database 2>/dev/null");
    system('createdb', $database) == 0 or die "createdb failed\n";
    local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
    my @psql = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $database);
    system(@psql, '-c', 'CREATE EXTENSION vrm') == 0 or die "CREATE EXTENSION failed\n";
    open(my $answer, '-|', @psql, '-f', "$root/tools/api_errors.sql") or die "psql: $!\n";
    my @lines = <$answer>;
    close($answer) or die "psql failed\n";
    system('dropdb', '--force', $database) == 0 or die "dropdb failed\n";
    chomp @lines;
    return map { [split /\|/, $_, -1] } @lines;
}

my (%errors, @rows, @open, @silent);
my @answers = asked();
for my $answer (grep { $_->[0] eq 'error' } @answers) {
    my (undef, $function, $state, $reason, $messages) = @$answer;
    $errors{$function} = 1;
    push @rows, "| `$function` | $state | @{[status_of($state)]} | `$reason` | $messages |\n";
}
for my $answer (grep { $_->[0] eq 'function' } @answers) {
    my (undef, $function, $is_for_anon) = @$answer;
    push @open, "`$function`" if $is_for_anon eq 't';
    push @silent, "`$function`" unless $errors{$function};
}
my ($open, $silent) = map { join ', ', @$_ } \@open, \@silent;

open(my $file, '>', $page) or die "$page: $!\n";
print {$file} <<"MARKDOWN", @rows;
# Errors of `vrm_api`
What each function of [schema `vrm_api`](api.md) refuses: the SQLSTATE, the HTTP status with `vrm.http_errors`, the reason of
[`vrm.rpc()`](../identity/rpc.md), where `vrm` has the function as `create_...` or `delete_...`, and what the error says, with `…` for what was
given. Made by `tools/api_errors.pl`, which calls all of them with arguments of which one is bad, as people who may and who may not, and reads
what else their source raises.

```sql
SELECT vrm.rpc(NULL, 'request_password_reset', '{"email": null}') #>> '{error,reason}' AS reason;
```

```text
    reason
--------------
 bad_argument
(1 row)
```

Besides, any function may be refused
- to who is not signed in: 28000 `not_signed_in`, 401; and as role `anon` 42501, 401, but for $open
- to an account or a session that may not act: 42501, 403, with the reasons that [identity](../identity/identity.md) tells
- for a value that is not one of its type: 22P02 `bad_argument`, 400
- because of others at work, or on a standby: 40..., 55P03 `try_again` and 25006 `read_only`, 503

Nothing else is refused by $silent.

| function | SQLSTATE | status | reason | what it says |
|---|---|---|---|---|
MARKDOWN
close($file);
