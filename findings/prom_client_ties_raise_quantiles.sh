#!/bin/sh
# Of a thousand answers within 200 ms and one of 9 s, the 90th percentile is 7 seconds.
#
# To expect: quantiles of a summary are near the exact ones: with 1000 of 1001 answers at 0.2 s, all
#   of them but the very last are 0.2 s.
# Seen (prom-client 15.1.3, whose summaries are those of tdigest 0.1.3, 2026-12): equal values
#   become one centroid, and between its middle and the next centroid a straight line is drawn,
#   through half of all observations. p90 is 7.2 s, p95 8.1 s. With four values in turn, 20 ms
#   apart, p95 is still 5.5 s. With values that are all different the same single outlier does not
#   show.
# It matters because times of audio are whole frames of 10 or 20 ms, so that they have few values
#   and many ties: an alert on p95 fires at one slow answer in a thousand, and figures of agents
#   that are equally fast differ by seconds.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    prom-client@15.1.3 tdigest@0.1.3 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { Registry, Summary } = require('prom-client');
async function quantiles(values) {
    const registry = new Registry();
    const answers = new Summary({
        name: 'answer_seconds', help: 'time to answer', percentiles: [0.9, 0.95, 0.99],
        registers: [registry],
    });
    values.forEach((seconds) => answers.observe(seconds));
    answers.observe(9);
    const [{ values: shown }] = await registry.getMetricsAsJSON();
    return shown.slice(0, 3).map(({ value }) => value.toFixed(1)).join(' ');
}
const thousand = (seconds) => Array.from({ length: 1000 }, (_, n) => seconds(n));
(async () => {
    check('p90, p95, p99 of equal values', await quantiles(thousand(() => 0.2)), '7.2 8.1 8.8');
    check('of four values', await quantiles(thousand((n) => 0.2 + (n % 4) * 0.02)), '2.1 5.5 8.3');
    check('of different values', await quantiles(thousand((n) => 0.2 + n / 1e5)), '0.2 0.2 0.2');
})();
EOF
