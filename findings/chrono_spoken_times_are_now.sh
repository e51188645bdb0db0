#!/bin/sh
# An appointment said in words is made for the minute at which it was asked for.
#
# To expect: a parser of dates in English finds "tomorrow at half past two" and says 14:30 or 02:30,
#   or finds nothing that it understands.
# Seen (chrono-node 2.10.3, 2026-11): it reads numerals only. "tomorrow at 2" is 02:00 of the next
#   day; "tomorrow at two", "at half past two" and "at quarter past nine" are the next day at the
#   minute of the reference, and "on Friday at nine" is noon. The result is a date with a time like
#   any other; only isCertain('hour') tells that nobody said one. "It takes 5 to 10 minutes" is a
#   period from 05:00 to 10:00, of which that function is certain.
# It matters because recognisers of speech write small numbers as words: what a caller agrees to
#   reaches the calendar as the time of the call.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    chrono-node@2.10.3 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
process.env.TZ = 'UTC';
const chrono = require('chrono-node');
const asked = new Date('2026-12-01T15:07:00Z');
const read = (text) => chrono.parse(text, asked)
    .map(({ start, end }) => start.date().toISOString().slice(5, 16)
        + (end ? ` to ${end.date().toISOString().slice(5, 16)}` : '')
        + (start.isCertain('hour') ? '' : ', hour unsaid')).join('; ');
check('tomorrow at 2', read('tomorrow at 2'), '12-02T02:00');
check('tomorrow at two', read('tomorrow at two'), '12-02T15:07, hour unsaid');
check('tomorrow at half past two', read('tomorrow at half past two'), '12-02T15:07, hour unsaid');
check('on Friday at nine', read('on Friday at nine'), '12-04T12:00, hour unsaid');
check('it takes 5 to 10 minutes', read('it takes 5 to 10 minutes'), '12-01T05:00 to 12-01T10:00');
EOF
