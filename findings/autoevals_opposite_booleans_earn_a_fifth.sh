#!/bin/sh
# The opposite verdict earns a fifth of the points, and the wrong order number nearly all.
#
# To expect: a comparison of two JSON documents, made for the arguments of tools, gives no points
#   for a boolean that is wrong, and none for an identifier that is another.
# Seen (autoevals 0.0.132, 2026-11): booleans are compared as the texts "true" and "false", of which
#   one letter in five is in its place: 0.2. Numbers are compared by their relative distance, so the
#   order 100234 for 100235 has 0.999995; the text "1" for the number 1 has a third. In ExactMatch,
#   which gives all or nothing, the same document with its members in another order has 0, and the
#   number 1 for the text "1" has 1.
# It matters because such points are averaged over cases and compared with a threshold: a call that
#   refunded the wrong order passes at 0.99.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    autoevals@0.0.132 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { ExactMatch, JSONDiff } = require('autoevals');
(async () => {
    const diff = async (output, expected) =>
        Math.round((await JSONDiff({ output, expected })).score * 1e6) / 1e6;
    const exact = async (output, expected) => (await ExactMatch({ output, expected })).score;
    check('the same', await diff({ paid: true, order: 5 }, { order: 5, paid: true }), 1);
    check('false for true', await diff({ paid: false }, { paid: true }), 0.2);
    check('another order', await diff({ order: 100234 }, { order: 100235 }), 0.999995);
    check('text for number', await diff({ order: '1' }, { order: 1 }), 0.333333);
    check('exact, members in another order', await exact({ a: 1, b: 2 }, { b: 2, a: 1 }), 0);
    check('exact, number for text', await exact(1, '1'), 1);
})();
EOF
