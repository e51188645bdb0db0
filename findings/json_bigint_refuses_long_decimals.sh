#!/bin/sh
# A JSON parser that was chosen for large integers trips over sums of money.
#
# To expect: json-bigint treats integers that a double cannot hold, and leaves decimal numbers as
#   they are, for it is about integers that its documentation speaks.
# Seen (json-bigint 1.0.0, 2026-11): what counts is the number of characters. A decimal of more
#   than fifteen, as JSON.stringify writes sums like 0.1 + 0.2, becomes a BigNumber object, in the
#   same field in which the next call has a number; adding one to it joins two texts. With
#   useNativeBigInt the whole document is refused: no BigInt can be made of 0.30000000000000004.
# It matters because reports of calls hold costs and offsets in seconds that other programs have
#   added up: one in so many reports is refused, or its cost is no number.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    json-bigint@1.0.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const json = require('json-bigint');
const report = (cost) => JSON.stringify({ call: 'call-81', cost });
const read = (cost) => json.parse(report(cost)).cost;
check('cost of 0.3', typeof read(0.3), 'number');
check('cost of 0.1 + 0.2', typeof read(0.1 + 0.2), 'object');
check('and one more', read(0.1 + 0.2) + 1, '0.300000000000000041');
const native = json({ useNativeBigInt: true });
check('0.3, native', native.parse(report(0.3)).cost, '0.3');
let outcome = 'read';
try { native.parse(report(0.1 + 0.2)); } catch (error) { outcome = error.name; }
check('0.1 + 0.2, native', outcome, 'SyntaxError');
EOF
