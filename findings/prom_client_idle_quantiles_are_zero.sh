#!/bin/sh
# When nobody calls, the slowest answer takes no time.
#
# To expect: the quantiles of a summary whose window has emptied are NaN, as the client library for
#   Go, which the format comes from, writes them: there is no value.
# Seen (prom-client 15.1.3, 2026-11): with maxAgeSeconds, the quantiles of an empty window are 0,
#   while count and sum go on from all that was observed before. A window that has never had a value
#   is 0 as well.
# It matters because an agent that stopped taking calls shows a p99 of 0 seconds: an alert on slow
#   answers clears at the moment of the outage, and averages over agents look better for it.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    prom-client@15.1.3 >"$tmp/log" 2>&1 ||
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
const registry = new Registry();
const summary = new Summary({
    name: 'answer_seconds', help: 'time to answer', registers: [registry],
    percentiles: [0.99], maxAgeSeconds: 1, ageBuckets: 2,
});
const lines = async () => (await registry.metrics()).split('\n')
    .filter((line) => line.startsWith('answer')).join(', ');
const pause = (ms) => new Promise((resume) => { setTimeout(resume, ms); });
(async () => {
    check('before the first call', (await lines()).split(',')[0],
        'answer_seconds{quantile="0.99"} 0');
    summary.observe(2.5);
    check('after a call', await lines(), 'answer_seconds{quantile="0.99"} 2.5, '
        + 'answer_seconds_sum 2.5, answer_seconds_count 1');
    await pause(2500);
    check('a while later', await lines(), 'answer_seconds{quantile="0.99"} 0, '
        + 'answer_seconds_sum 2.5, answer_seconds_count 1');
})();
EOF
