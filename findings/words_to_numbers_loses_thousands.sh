#!/bin/sh
# "One hundred twenty thousand" is heard as 20,100.
#
# To expect: words-to-numbers makes 120000 of "one hundred twenty thousand" and 2500 of "twenty five
#   hundred", as it makes 120 of "one hundred twenty" and 1500 of "fifteen hundred".
# Seen (words-to-numbers 1.5.1, 2026-12): a multiplier takes the one number word before it. Of
#   "twenty five thousand" it makes 20 + 5 * 1000, of "one hundred twenty thousand" 100 + 20 * 1000,
#   of "twenty five hundred" 20 + 5 * 100. What needs but one word before "thousand" is right, and
#   so is "five hundred thousand", so that examples look well.
# It matters where what a caller said is held against what was booked, or numbers are normalised
#   before words are compared: limits, balances and incomes are among the commonest of numbers, and
#   each wrong one is a plausible one.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    words-to-numbers@1.5.1 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { wordsToNumbers } = require('words-to-numbers');
check('one hundred twenty', wordsToNumbers('one hundred twenty'), 120);
check('five hundred thousand', wordsToNumbers('five hundred thousand'), 500000);
check('fifteen hundred', wordsToNumbers('fifteen hundred'), 1500);
check('twenty thousand', wordsToNumbers('twenty thousand'), 20000);
check('twenty five thousand', wordsToNumbers('twenty five thousand'), 5020);
check('one hundred twenty thousand', wordsToNumbers('one hundred twenty thousand'), 20100);
check('two hundred fifty thousand', wordsToNumbers('two hundred fifty thousand'), 50200);
check('twenty five hundred', wordsToNumbers('twenty five hundred'), 520);
check('in a sentence', wordsToNumbers('we agreed on thirty two hundred dollars'),
    'we agreed on 230 dollars');
EOF
