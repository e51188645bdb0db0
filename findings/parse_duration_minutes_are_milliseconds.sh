#!/bin/sh
# A call of 1:24 took a millisecond.
#
# To expect: a parser of durations in people's spelling reads 1:24 as minutes and seconds, or says
#   that it does not know the spelling, as it does for words (it gives null for them).
# Seen (parse-duration 2.1.9, 2026-11): the colon is passed over and what stands around it is read
#   as decimals of milliseconds: 1:24 is 1.024 ms, 00:01:24.5 about 0.001 ms, neither null nor an
#   error. Besides, the sign of the first part counts for all and others are passed over: 1h -30m
#   is an hour and a half.
# It matters because voice platforms and people write the length of a call as 1:24: sums and
#   averages of such calls are small, plausible numbers, not missing ones.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    parse-duration@2.1.9 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
(async () => {
    const { default: parse } = await import('parse-duration');
    check('1m 24s', parse('1m 24s'), 84000);
    check('a word', parse('short'), null);
    check('1:24', parse('1:24'), 1.024);
    check('00:01:24.5', parse('00:01:24.5').toFixed(4), '0.0010');
    check('1h -30m', parse('1h -30m'), 5400000);
})();
EOF
