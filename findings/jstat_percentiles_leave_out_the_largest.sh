#!/bin/sh
# The percentiles of jstat stop one value short of the largest.
#
# To expect: jStat.percentile interpolates between neighbouring values, like the function of that
#   name in spreadsheets and percentile_cont of PostgreSQL, so that of ten latencies from 100 to
#   1000 the 95th percentile is 955 and the 99th is 991.
# Seen (jstat 1.9.6, compared with simple-statistics 7.12.1, 2026-11): between the last two values
#   nothing is interpolated. All percentiles from the 90th to just below the 100th are 900, the last
#   but one value, and at 100 the result jumps to 1000. Lower down it is right.
# It matters because latencies of a call, or of a test of ten calls, are few: their p95 and p99
#   leave the slowest one out altogether, which is the one that they are asked for.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    jstat@1.9.6 simple-statistics@7.12.1 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { jStat } = require('jstat');
const { quantile } = require('simple-statistics');
const latencies = [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000];
const each = (function_) => [0.5, 0.85, 0.9, 0.95, 0.99, 1]
    .map((share) => `p${share * 100} ${Math.round(function_(share) * 10) / 10}`).join(', ');
check('simple-statistics', each((share) => quantile(latencies, share)),
    'p50 550, p85 865, p90 910, p95 955, p99 991, p100 1000');
check('jstat', each((share) => jStat.percentile(latencies, share)),
    'p50 550, p85 865, p90 900, p95 900, p99 900, p100 1000');
// One outage among ten calls is not there at all.
const outage = [...latencies.slice(0, 9), 30000];
check('jstat, one call of 30 s', each((share) => jStat.percentile(outage, share)),
    'p50 550, p85 865, p90 900, p95 900, p99 900, p100 30000');
EOF
