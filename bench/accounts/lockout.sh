#!/bin/sh
# Attempts per second: the lockout store against UPDATE ... RETURNING, on one hot account and on
# many, by 16 clients, interleaved, medians of three rounds, on a server that flushes; and what it
# costs to refuse a locked account, by the backend's own CPU clock.  With KEYS also what so many
# keys that nobody meant do to the store.
# usage: lockout.sh [KEYS]
set -eu
. "$(dirname "$0")/../lib/durable.sh"
clients=16
seconds=${VRM_BENCH_SECONDS:-4}
# shellcheck disable=SC2119 # no setting of its own
start_durable
psql -qX -v ON_ERROR_STOP=1 <<'SQL'
UPDATE vrm.lockout_policy
    SET threshold = 1000, base_lock = '1 second', max_lock = '1 second', consecutive_cap = 0;
UPDATE vrm.lockout_policy SET attempt_window = '1 second' WHERE kind = 'password';
CREATE TABLE account (id int PRIMARY KEY, attempts int NOT NULL DEFAULT 0, locked_until timestamptz)
    WITH (fillfactor = 50);
INSERT INTO account SELECT generate_series(1, 10000);
SELECT vrm.lockout_lock('password', 'locked', 'infinity') \g /dev/null
SQL

# One attempt is a reservation and its verdict, in one call as one statement.
store="SELECT vrm.lockout_settle((vrm.lockout_reserve('password', WHO, NULL, NULL)).ticket, true)"
update='UPDATE account SET attempts = attempts + 1 WHERE id = WHO RETURNING attempts, locked_until'
who='\set n random(1, 10000)'
work=$durable
results=$work/results
printf '%s;\n' "$update" | sed 's/WHO/1/' >"$work/update_hot"
printf '%s\n%s;\n' "$who" "$update" | sed 's/WHO/:n/' >"$work/update_many"
printf '%s;\n' "$store" | sed "s/WHO/'hot'/" >"$work/store_hot"
printf '%s\n%s;\n' "$who" "$store" | sed "s/WHO/'u' || :n/" >"$work/store_many"

rate() {  # NAME SCRIPT DURABILITY
    tps=$(PGOPTIONS="-c vrm.lockout_durability=$3" pgbench -n -M prepared -c $clients -j 2 \
        -T "$seconds" -f "$work/$2" 2>/dev/null | sed -n 's/^tps = \([0-9]*\).*/\1/p')
    echo "$1 $tps" >>"$results"
}
for _ in 1 2 3; do
    for where in hot many; do
        rate "update_$where" "update_$where" lock
        rate "store_$where" "store_$where" lock
        rate "strict_$where" "store_$where" strict
    done
done
of() { awk -v name="$1" '$1 == name { print $2 }' "$results" | median; }
quotient() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
for where in hot many; do
    for mode in update store strict; do
        mine=$(of ${mode}_$where)
        printf '%-7s %-5s %8s attempts/s   %6s x the UPDATE\n' $mode $where "$mine" \
            "$(quotient "$mine" "$(of update_$where)")"
    done
done

# A loop that asks, less one that asks for nothing, by the backend's schedstat; least of seven.
psql -qXAt -v ON_ERROR_STOP=1 >"$work/refusal" <<'SQL'
CREATE FUNCTION cpu() RETURNS bigint LANGUAGE sql VOLATILE AS
    $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint $$;
CREATE FUNCTION refuse(times int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    began bigint := cpu();
BEGIN
    FOR i IN 1 .. times LOOP
        PERFORM vrm.lockout_reserve('password', 'locked', NULL, NULL);
    END LOOP;
    RETURN cpu() - began;
END
$$;
CREATE FUNCTION nothing(times int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    began bigint := cpu();
BEGIN
    FOR i IN 1 .. times LOOP
        PERFORM pg_backend_pid();
    END LOOP;
    RETURN cpu() - began;
END
$$;
SELECT refuse(1000) \g /dev/null
SELECT round(min(refuse(20000) - nothing(20000)) / 20000.0 / 1000, 2) FROM generate_series(1, 7);
EXPLAIN (ANALYZE, WAL, COSTS off, TIMING off, SUMMARY off) SELECT refuse(20000);
SQL
echo
target 'default on a hot account, times the UPDATE' \
    "$(quotient "$(of store_hot)" "$(of update_hot)")" 'at least' 15
target 'strict on a hot account, times the UPDATE' \
    "$(quotient "$(of strict_hot)" "$(of update_hot)")" 'at least' 6
target 'refusal of a locked account, us of CPU' "$(sed -n 1p "$work/refusal")" 'at most' 5
target 'WAL of 20000 refusals, bytes' \
    "$(sed -n 's/.*WAL: .*bytes=\([0-9]*\).*/\1/p' "$work/refusal" | grep . || echo 0)" 'at most' 0
[ $# -eq 0 ] || "$(dirname "$0")/../lib/junk_keys.sh" "$1"
