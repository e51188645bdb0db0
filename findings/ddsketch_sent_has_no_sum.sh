#!/bin/sh
# A sketch of latencies that was sent elsewhere has a count, and a sum of nothing.
#
# To expect: DDSketch.fromProto(sketch.toProto()) is the sketch again, with its count, sum, least
#   and largest value, and can be merged and read like before.
# Seen (@datadog/sketches-js 2.1.1 with protobufjs 7.6.6, 2026-12): the message has the buckets
#   alone. Afterwards quantiles and count are right, sum is 0, min is Infinity and max -Infinity,
#   without a word. Merged with a fresh sketch all of it looks alive: the count is that of both, the
#   sum and the extremes those of the fresh one.
# It matters where sketches are kept per minute or per worker and merged when read: the mean (sum by
#   count) and total talk time shrink with the share of what came through the wire, next to
#   percentiles that are right.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    @datadog/sketches-js@2.1.1 protobufjs@7.6.6 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { DDSketch } = require('@datadog/sketches-js');
const sketch = (...values) => values.reduce((s, value) => (s.accept(value), s), new DDSketch());
const figures = (s) => [s.count, s.sum, s.min, s.max].join(' ');
const kept = sketch(200, 300, 400);
check('count, sum, min, max', figures(kept), '3 900 200 400');
const read = DDSketch.fromProto(kept.toProto());
check('... after sending', figures(read), '3 0 Infinity -Infinity');
check('the median before', Math.round(kept.getValueAtQuantile(0.5) / 10), 30);
check('the median after', Math.round(read.getValueAtQuantile(0.5) / 10), 30);
read.merge(sketch(500));
check('... merged with one of 500', figures(read), '4 500 500 500');
EOF
