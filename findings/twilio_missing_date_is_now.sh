#!/bin/sh
# A date that an answer of Twilio's lacks is the time at which it was read.
#
# To expect: a field that is not in the answer is undefined in the object that the SDK makes of it,
#   as all fields but dates are.
# Seen (twilio 6.3.1, 2026-11): dates go through a parser that takes "nothing given" for "now". A
#   transcript without date_updated was updated this very moment, and again at the next reading; a
#   null stays null.
# It matters because the update time decides which of two reports of a call is the newer one: an
#   old report that is read late wins over all that came before it, and no two readings agree.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    twilio@6.3.1 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const twilio = require('twilio');
function client(answer) {
    const request = async () => ({ statusCode: 200, body: JSON.stringify(answer), headers: {} });
    return twilio(`AC${'0'.repeat(32)}`, 'token', { httpClient: { request } });
}
const fields = { sid: 'GT81', status: 'completed', date_created: '2026-01-09T09:00:00Z' };
(async () => {
    const before = Date.now();
    const read = async (answer) => client(answer).intelligence.v2.transcripts('GT81').fetch();
    const lacking = await read(fields);
    const updated = lacking.dateUpdated?.getTime();
    check('created', lacking.dateCreated.toISOString(), '2026-01-09T09:00:00.000Z');
    check('a duration that is lacking', lacking.duration, undefined);
    check('an update that is lacking is now', updated >= before && updated <= Date.now(), true);
    const empty = await read({ ...fields, date_updated: null });
    check('an update that is null', empty.dateUpdated, null);
})();
EOF
