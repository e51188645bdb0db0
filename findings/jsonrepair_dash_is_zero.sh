#!/bin/sh
# A judge's dash for "no score" is the score minus zero.
#
# To expect: what repairs the JSON of language models either refuses a member without a value or
#   makes it null.
# Seen (jsonrepair 3.15.0, 2026-11): {"score": -} becomes {"score": -0}, as a number that was cut
#   off after its sign, wherever the dash stands in the document; JSON.parse() gives -0 and
#   PostgreSQL's jsonb 0. Words and marks become texts: {"score": n/a} is refused, {"passed": no} is
#   the text "no", which is true wherever a text counts as a condition, and 95% is the text "95%".
# It matters because judges write a dash where a criterion does not apply, and the lowest score
#   counts in the mean; a verdict "no" passes.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    jsonrepair@3.15.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { jsonrepair } = require('jsonrepair');
const repaired = (text) => {
    try {
        return jsonrepair(text);
    } catch (error) {
        return 'refused';
    }
};
check('a dash', repaired('{"tone": 4, "greeting": -, "tools": 5}'),
    '{"tone": 4, "greeting": -0, "tools": 5}');
const { greeting } = JSON.parse(repaired('{"greeting": -}'));
check('its value', Object.is(greeting, -0), true);
check('in a mean', [4, greeting, 5].reduce((sum, score) => sum + score, 0) / 3, 3);
check('n/a', repaired('{"greeting": n/a}'), 'refused');
check('no', repaired('{"passed": no}'), '{"passed": "no"}');
check('None', repaired('{"passed": None}'), '{"passed": null}');
EOF
