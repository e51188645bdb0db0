#!/bin/sh
# A sketch that counts callers counts half of them until there are many.
#
# To expect: a HyperLogLog is exact for few values, which it counts by its empty registers, and off
#   by a few per cent for many; its accuracy() says 3.25 per cent with 1024 registers.
# Seen (bloom-filters 3.0.4, 2026-12): the estimate is halved while it is small. Of 100 different
#   callers there are 49, of 1000 there are 494, with 1024 registers; from about twice and a half as
#   many as there are registers it is right, so that it leaps from half to the whole. With 4096
#   registers, which should be better, 3000 callers are 1466.
# It matters for unique callers per agent and day, which are few: figures of small tenants are half
#   of those that PostgreSQL counts, and one who grows doubles overnight.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    bloom-filters@3.0.4 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { HyperLogLog } = require('bloom-filters');
function counted(registers, callers) {
    const sketch = new HyperLogLog(registers);
    for (let n = 0; n < callers; n++) sketch.update(`+1202555${String(n * 7).padStart(5, '0')}`);
    return sketch.count() / callers;
}
function about(share) {
    if (Math.abs(share - 0.5) < 0.05) return 'half';
    return share > 0.9 && share < 1.1 ? 'all' : share;
}
check('accuracy', new HyperLogLog(1024).accuracy(), 0.0325);
check('100 callers, 1024 registers', about(counted(1024, 100)), 'half');
check('1000 callers, 1024 registers', about(counted(1024, 1000)), 'half');
check('5000 callers, 1024 registers', about(counted(1024, 5000)), 'all');
check('3000 callers, 4096 registers', about(counted(4096, 3000)), 'half');
EOF
