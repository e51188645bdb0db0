#!/bin/sh
# Runs the benchmarks, all or those named, on the throwaway server of ./vrm; each prints what it
# measured as ratios against a peer in the same run.
# usage: run.sh [TOPIC...]     such as lockout
set -eu
cd "$(dirname "$0")/.."
environment=$(./vrm environment)
eval "$environment"

# shellcheck disable=SC2046 # one word for each topic
[ $# -gt 0 ] || set -- $(find bench/*/ -name '*.[ps][lh]' ! -path 'bench/lib/*' |
    sed 's|.*/||; s|\..*||' | sort)
for topic in "$@"; do
    printf '\n== %s\n' "$topic"
    for script in bench/*/"$topic".sh bench/*/"$topic".pl; do
        [ ! -e "$script" ] || "./$script"
    done
done
