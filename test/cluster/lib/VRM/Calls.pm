# Calls that are due for the archive, and what all calls amount to: the measure that nothing is lost.
package VRM::Calls;
use strict;
use warnings;
use Exporter qw(import);

our @EXPORT = qw(old_calls all_calls);

# Completed and failed calls (one of five) of about 3 KB that ended years ago.
sub old_calls {
    my ($node, $database, $owner, $number) = @_;
    $node->safe_psql($database, <<"SQL");
INSERT INTO vrm.test_runs (user_id, status, started_at, completed_at, results)
SELECT '$owner', CASE WHEN i % 5 = 0 THEN 'failed' ELSE 'completed' END, now() - interval '3 years',
       now() - interval '3 years' + i * interval '1 s',
       jsonb_build_object('a', (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 90 + i % 3)))
FROM generate_series(1, $number) AS i
SQL
    return;
}

# How many calls there are, live and archived, and a digest of what is in them.
sub all_calls {
    my ($node, $database) = @_;
    return $node->safe_psql($database, <<'SQL');
SELECT count(*) || ' ' || count(DISTINCT id) || ' ' ||
       md5(string_agg(concat_ws('|', user_id, id, status, started_at, completed_at, results, error), E'\n' ORDER BY id))
FROM vrm.all_test_runs
SQL
}

1;
