#!/bin/sh
# Half a million dollars are two millionths of a dollar.
#
# To expect: a recogniser that makes 500000 of "five hundred thousand" makes it of "half a million"
#   too, and 1500000 of "one and a half million", as of "1.5 million".
# Seen (@microsoft/recognizers-text-suite 1.3.1, English, compared with compromise 14.17.0,
#   2026-12): the million goes below the line of the fraction. Half a million is one 500000th,
#   2E-06, and three quarters of a million is three 250000ths. So is an amount: value 2E-06, unit
#   Dollar. "One and a half million" is one and a 2000000th, where compromise loses the half and
#   says one million. And 1.234,50, as many callers write 1,234.50, is 1.734: the two parts are
#   added. "Two dozen", "two and a half" and "a hundred and five" are right.
# It matters where a bot fills the slot "amount" with what the caller said: limits, incomes and
#   house prices are said in halves of millions, the text that was recognised is the whole phrase,
#   and nothing tells of the value but the value.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    @microsoft/recognizers-text-suite@1.3.1 compromise@14.17.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { recognizeNumber, recognizeCurrency } = require('@microsoft/recognizers-text-suite');
const compromise = require('compromise');
const value = (text) => recognizeNumber(text, 'en-us').map(({ resolution }) => resolution.value);
const both = (text) => `${value(text)} ${compromise(text).numbers().get()}`;
console.log('by recognizers-text and by compromise:');
check('five hundred thousand', both('five hundred thousand'), '500000 500000');
check('two and a half', both('two and a half'), '2.5 2.5');
check('half a million', both('half a million'), '2E-06 500000');
check('half a thousand', both('half a thousand'), '0.002 500');
check('one and a half million', both('one and a half million'), '1.0000005 1000000');
console.log('by recognizers-text:');
check('1.5 million', value('1.5 million'), '1500000');
check('three quarters of a million', value('three quarters of a million'), '1.2E-05');
check('1,234.50', value('1,234.50'), '1234.5');
check('1.234,50', value('1.234,50'), '1.734');
const [{ text, resolution }] = recognizeCurrency('about half a million dollars', 'en-us');
check(text, `${resolution.value} ${resolution.unit}`, '2E-06 Dollar');
EOF
