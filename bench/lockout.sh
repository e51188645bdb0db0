#!/bin/sh
# Attempts per second: the lockout store against UPDATE ... RETURNING, on one hot account and on
# many, and the refusal of a locked account; 16 clients, interleaved, medians of three rounds.
# usage: lockout.sh     on the server that PGHOST names
set -eu
clients=16
seconds=${VRM_BENCH_SECONDS:-3}
work=$(mktemp -d)
PGDATABASE=vrm_bench_lockout
export PGDATABASE
trap 'dropdb --if-exists --force "$PGDATABASE" 2>/dev/null; rm -rf "$work"' EXIT
dropdb --if-exists --force "$PGDATABASE" 2>/dev/null
createdb "$PGDATABASE"
psql -qX -v ON_ERROR_STOP=1 <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION vrm;
UPDATE vrm.lockout_policy
    SET threshold = 1000, base_lock = '1 second', max_lock = '1 second', consecutive_cap = 0;
UPDATE vrm.lockout_policy SET attempt_window = '1 second' WHERE kind = 'password';
CREATE TABLE account (id int PRIMARY KEY, attempts int NOT NULL DEFAULT 0, locked_until timestamptz)
    WITH (fillfactor = 50);
INSERT INTO account SELECT generate_series(1, 10000);
SELECT vrm.lockout_lock('password', 'locked', 'infinity');
SQL

# One attempt is a reservation and its verdict, in one call as one statement.
store="SELECT vrm.lockout_settle(ticket, true)
       FROM vrm.lockout_reserve('password', WHO, NULL, NULL)"
update='UPDATE account SET attempts = attempts + 1 WHERE id = WHO RETURNING attempts, locked_until'
who='\set n random(1, 10000)'
printf '%s;\n' "$update" | sed 's/WHO/1/' >"$work/update_hot"
printf '%s\n%s;\n' "$who" "$update" | sed 's/WHO/:n/' >"$work/update_many"
printf '%s;\n' "$store" | sed "s/WHO/'hot'/" >"$work/store_hot"
printf '%s\n%s;\n' "$who" "$store" | sed "s/WHO/'u' || :n/" >"$work/store_many"
echo "SELECT status FROM vrm.lockout_reserve('password', 'locked', NULL, NULL);" >"$work/refuse"
printf '%s;\n' 'SELECT 1' >"$work/nothing"

rate() {  # NAME SCRIPT [DURABILITY]
    tps=$(PGOPTIONS="-c vrm.lockout_durability=${3:-lock}" pgbench -n -M prepared -c $clients -j 2 \
        -T "$seconds" -f "$work/$2" 2>/dev/null | sed -n 's/^tps = \([0-9]*\).*/\1/p')
    echo "$1 $tps" >>"$work/results"
}
for round in 1 2 3; do
    for where in hot many; do
        rate "update_$where" "update_$where"
        rate "store_$where" "store_$where"
        rate "strict_$where" "store_$where" strict
    done
    rate refuse refuse
    rate nothing nothing
done

median() {
    awk -v name="$1" '$1 == name { print $2 }' "$work/results" | sort -n | sed -n 2p
}
wal() {  # bytes of WAL that 1000 executions of a statement write
    psql -XAtq <<SQL
SELECT pg_current_wal_insert_lsn() AS before \\gset
SELECT count(*) FROM (SELECT $1 FROM generate_series(1, 1000) OFFSET 0) s \\g /dev/null
SELECT pg_current_wal_insert_lsn() - :'before'::pg_lsn;
SQL
}
quotient() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a / b }'; }
for where in hot many; do
    for mode in update store strict; do
        mine=$(median ${mode}_$where)
        printf '%-7s %-5s %8s attempts/s   %5s x the UPDATE\n' $mode $where "$mine" \
            "$(quotient "$mine" "$(median update_$where)")"
    done
done
refuse=$(median refuse)
nothing=$(median nothing)
printf 'refusal of a locked account: %s/s, SELECT 1: %s/s, %s us more of two processors\n' \
    "$refuse" "$nothing" \
    "$(awk -v a="$refuse" -v b="$nothing" 'BEGIN { printf "%.1f", 2e6 / a - 2e6 / b }')"
printf 'WAL of 1000 refusals: %s bytes\n' \
    "$(wal "(vrm.lockout_reserve('password', 'locked', NULL, NULL)).status")"
