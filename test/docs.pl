# Reads the documentation against the database: every SQL example runs, every signature is the one
# in the catalog, every public function is documented.  Needs the server that PGHOST names.
#
# A block ```sql runs as the application would: signed in as alice, role authenticated.  A block
# ```sql dba runs as the superuser.  Blocks of a page share one session, so \gset carries over.
# A block ```text below one is the end of what it prints.
use strict;
use warnings;
use Cwd qw(realpath);
use File::Basename;
use File::Find;
use File::Spec::Functions qw(abs2rel);
use File::Temp;
use Test::More;

my $root = dirname(dirname(__FILE__));
my @pages = ("$root/README.md");
find({ no_chdir => 1, wanted => sub { push @pages, $_ if /\.md$/ } }, "$root/doc");
@pages = sort @pages;
my $template = 'vrm_docs_template';

sub run { return system(@_) == 0 || die "@_ failed\n" }

sub slurp {
    my ($name) = @_;
    open(my $file, '<', $name) or die "$name: $!\n";
    local $/ = undef;
    return <$file>;
}

sub query {
    my ($sql) = @_;
    open(my $psql, '-|', 'psql', '-XAtq', '-d', $template, '-c', $sql) or die "psql: $!\n";
    chomp(my @rows = <$psql>);
    close($psql) or die "psql failed\n";
    return @rows;
}

# What defaults look like differs between what people write and what PostgreSQL prints.
sub normal {
    my ($signature) = @_;
    $signature =~ s{::[a-z_. "]+(\[\])?}{}g;
    $signature =~ s{timestamp with time zone}{timestamptz}g;
    $signature =~ s/\s+/ /g;
    $signature =~ s/\( | \)/$& eq '( ' ? '(' : ')'/ge;
    return $signature;
}

my @people = (
    q{ALTER DATABASE } . $template . q{ SET vrm.trusted_logins = 'postgres'},
    q{INSERT INTO auth.users (id, email, raw_user_meta_data) VALUES
      ('018f0000-0000-7000-8000-00000000000a', 'alice@example.org', '{"full_name": "Alice"}'),
      ('018f0000-0000-7000-8000-00000000000b', 'bob@example.org', '{"full_name": "Bob"}')});

run('dropdb', '--if-exists', $template);
run('createdb', $template);
run('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $template,
    map { ('-c', $_) } 'SET client_min_messages = warning', 'CREATE EXTENSION vrm', @people);

my %documented;
my %signed;
my %linked;
my $all_text = '';
my $examples = 0;
my %catalog;
my $public_functions = q{
    SELECT p.proname || '|vrm.' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')'
           || coalesce(' RETURNS ' || pg_get_function_result(p.oid), '')
    FROM pg_proc p
    WHERE p.pronamespace = 'vrm'::regnamespace
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)};
for my $row (query($public_functions)) {
    my ($name, $signature) = split(/\|/, $row, 2);
    push @{ $catalog{$name} }, normal($signature);
}

my $as_alice = q{SET ROLE authenticated; SET request.jwt.claims = }
  . q{'{"sub": "018f0000-0000-7000-8000-00000000000a", "role": "authenticated"}';};

for my $page (@pages) {
    my $name = abs2rel($page, $root);
    my $text = slurp($page);
    $documented{$1} = 1 while $text =~ /\bvrm\.(\w+)\(/g;

    $all_text .= $text;
    while ($text =~ /\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g) {
        ok(-e dirname($page) . "/$1", "$name: there is $1");
        $linked{ realpath(dirname($page) . "/$1") } = 1 if $name eq 'doc/README.md';
    }

    # Signatures stand in blocks ```pgsql or in headings.
    my @signatures = map { split(/\n(?=vrm\.)/, $_) } $text =~ /^```pgsql\n(.*?)^```$/msg;
    push @signatures, $text =~ /^#+ `(vrm\.\w+\(.*)`$/mg;
    for my $signature (@signatures) {
        my ($function) = $signature =~ /^vrm\.(\w+)\(/ or next;
        $signed{$function} = $name;
        my $wanted = normal($signature =~ s/\s*--.*$//mgr);
        $wanted =~ s/^\s+|\s+$//g;
        my @there = @{ $catalog{$function} // ['nothing'] };
        ok((grep { $_ eq $wanted } @there), "$name: $function has this signature")
          or diag("documented: $wanted\nin the catalog: ", join("\n", @there));
    }

    my $script = '';
    my %printed;
    while ($text =~ /^```sql( dba)?\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?/msg) {
        $examples++;
        $script .= ($1 ? 'RESET ROLE; RESET request.jwt.claims;' : $as_alice) . "\n$2\n\\echo end of $examples\n";
        $printed{$examples} = $3 if defined $3;
    }
    next if $script eq '';
    my $file = File::Temp->new;
    print {$file} $script;
    $file->flush;
    run('dropdb', '--if-exists', 'vrm_docs');
    run('createdb', '-T', $template, 'vrm_docs');
    # Who pastes the first page into a database of their own has set nothing.
    # Examples are pasted into psql, which commits after each statement.
    for my $setting ("vrm.trusted_logins = 'postgres'", 'vrm.session_login = on') {
        run('psql', '-Xqc', "ALTER DATABASE vrm_docs SET $setting", 'vrm_docs') if $name ne 'README.md';
    }
    my $output = qx(psql -Xq -v ON_ERROR_STOP=1 -d vrm_docs -f $file 2>&1);
    is($?, 0, "$name: its examples run") or diag($output);
    for my $example (sort keys %printed) {
        my ($said) = split /^end of $example$/m, $output =~ s/ +$//mgr;
        is(substr($said =~ s/\s*$/\n/r, -length $printed{$example}), $printed{$example},
            "$name: an example prints what stands below it");
    }
}

cmp_ok($examples, '>', 50, 'there are examples');

# A list that is known not to be empty: a loop over nothing would pass.
sub some {
    my ($what, @list) = @_;
    cmp_ok(scalar @list, '>', 10, "there are $what");
    return @list;
}

for my $function (some('functions', sort keys %catalog)) {
    ok($documented{$function}, "vrm.$function is documented");
}

# What applications and monitoring may call has its signature in the documentation, not just its name.
my $called_by_roles = q{
    SELECT DISTINCT p.proname FROM pg_proc p, aclexplode(p.proacl) AS a
    WHERE p.pronamespace = 'vrm'::regnamespace AND p.prokind IN ('f', 'a', 'p')
      AND a.grantee IN ('anon'::regrole, 'authenticated'::regrole, 'service_role'::regrole, 'pg_monitor'::regrole)
      AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid)
      AND p.oid NOT IN (SELECT unnest(ARRAY[t.typinput, t.typoutput, t.typreceive, t.typsend]) FROM pg_type t)};
ok($signed{$_}, "vrm.$_ has its signature in the documentation") for some('functions of roles', query($called_by_roles));

ok($all_text =~ /\bvrm\.$_\b/ || $all_text =~ /`$_`/, "vrm.$_ is mentioned") for some('tables', query(q{
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'vrm'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition}));
ok($all_text =~ /`\Q$_\E`/, "setting $_ is documented") for some('settings', query(q{
    LOAD 'vrm'; SELECT name FROM pg_settings WHERE name LIKE 'vrm.%'}));
ok($linked{ realpath($_) }, 'doc/README.md lists ' . abs2rel($_, $root)) for some('pages', grep { !/README/ } @pages);

# Who knows the topic of a function has found its page.
my %topic;
for my $file (some('files of functions', glob("$root/sql/*/*/library.sql $root/sql/*/*/functions.sql"))) {
    my $text = slurp($file);
    $topic{$1} = abs2rel(dirname($file), "$root/sql") while $text =~ /^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|AGGREGATE) vrm\.(\w+)/mg;
}
is($signed{$_}, "doc/$topic{$_}.md", "vrm.$_ has its signature on the page of its topic")
  for some('signed functions', grep { $topic{$_} } sort keys %signed);

# Pages that messages, comments and alerts name.
my @naming = split /\0/, qx(cd "$root" && grep -rlZ --include='*.*' 'doc/[a-z_/-]*\\.md' sql src tools bench monitoring);
cmp_ok(scalar(@naming), '>', 5, 'there are files that name pages');
for my $file (@naming) {
    my $text = slurp("$root/$file");
    ok(-e "$root/$1", "$file: there is $1") while $text =~ m{\b(doc/[a-z_/-]+\.md)\b}g;
}

run('dropdb', '--if-exists', 'vrm_docs');
run('dropdb', $template);
done_testing();
