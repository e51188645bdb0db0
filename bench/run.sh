#!/bin/sh
# Runs the benchmarks, all or those named, on the throwaway server of ./vrm; each prints what it
# measured as ratios against a peer in the same run.
# usage: run.sh [TOPIC...]
set -eu
cd "$(dirname "$0")/.."
environment=$(./vrm environment)
eval "$environment"

[ $# -gt 0 ] || set -- $(ls bench | sed -n 's/\.\(pl\|sh\)$//p' | grep -vx run)
for topic in "$@"; do
    printf '\n== %s\n' "$topic"
    for script in bench/"$topic".sh bench/"$topic".pl; do
        [ ! -e "$script" ] || "./$script"
    done
done
