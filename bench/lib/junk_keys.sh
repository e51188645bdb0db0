#!/bin/sh
# What keys that nobody meant do to the lockout store: KEYS of each kind that a caller without an
# account can make, by two clients that roll everything back.  Prints keys a second, the bytes of
# the store, how many of 10,000 strangers are refused afterwards who were never seen, and how many
# of 1,000 locks from before are forgotten.
# Part of bench/accounts/lockout.sh.
# usage: junk_keys.sh [KEYS]
set -eu
. "$(dirname "$0")/durable.sh"
keys=${1:-1000000}
clients=2
# shellcheck disable=SC2119 # no setting of its own
start_durable
psql -qX -v ON_ERROR_STOP=1 <<'SQL'
SELECT vrm.lockout_lock('password', 'locked' || n, 'infinity')
FROM generate_series(1, 1000) n \g /dev/null
-- Each key has a network of its own, as far as there are /64s, and each transaction is rolled back.
CREATE PROCEDURE junk(kind text, client int, clients int, keys bigint) LANGUAGE plpgsql AS $$
DECLARE
    ticket bytea;
BEGIN
    FOR i IN client .. keys BY clients LOOP
        ticket := (vrm.lockout_reserve(kind, 'junk' || i, '2001:db8::' || to_hex(i), NULL)).ticket;
        IF kind = 'password' THEN
            PERFORM vrm.lockout_settle(ticket, false);
        END IF;
        IF i / clients % 1000 = 0 THEN
            ROLLBACK;
        END IF;
    END LOOP;
END
$$;
SQL

# usage: junk KIND     says how long it took, in seconds
junk() {
    began=$(date +%s.%N)
    for client in $(seq "$clients"); do
        psql -qX -v ON_ERROR_STOP=1 -c "CALL junk('$1', $client, $clients, $keys)" &
    done
    wait
    echo "$began $(date +%s.%N)" | awk '{ print $2 - $1 }'
}
ask() { psql -qXAt -v ON_ERROR_STOP=1 -c "$1"; }

refused=0
for kind in reset_request sign_up password; do
    took=$(junk $kind)
    tree=lockout
    [ $kind = password ] || tree=lockout_requests
    new=$(ask "SELECT count(*) FILTER (WHERE status <> 'ok') FROM generate_series(1, 10000) n,
        vrm.lockout_reserve('$kind', 'stranger$kind' || n, '2001:db8:1::' || to_hex(n), NULL)")
    refused=$((refused + new))
    echo "$kind $keys $took $(ask "SELECT pg_relation_size('vrm_private.$tree')") $new" |
        awk '{ printf "%-14s %11d keys  %8.0f a second  %6.1f MB of store  %5d of 10000 refused\n",
               $1, $2, $2 / $3, $4 / 1048576, $5 }'
done
forgotten=$(ask "SELECT count(*) FROM generate_series(1, 1000) n
    WHERE NOT (vrm.lockout_state('password', 'locked' || n)).locked")
sound=$(ask "SELECT vrm.check_lockout_store() >= 0")
[ "$sound" = t ]
printf '\ntargets\n'
target 'strangers refused, of 30000' "$refused" 'at most' 0
target 'locks forgotten, of 1000' "$forgotten" 'at most' 0
