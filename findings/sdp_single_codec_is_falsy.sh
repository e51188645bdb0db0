#!/bin/sh
# An offer of one codec has a number where others have a text.
#
# To expect: sdp-transform gives the payload types of a media line as text, "0 8 101", as its
#   documentation shows, so that code may split it.
# Seen (sdp-transform 3.0.0, 2026-11): whatever looks like an integer becomes one. When a line has
#   a single payload type it is a number, and for PCMU, the codec that every telephone has, it is 0,
#   so that "are there any?" says no. The same goes for a session name or label of digits.
# It matters where the set-up of calls is kept or judged: calls of trunks that offer but G.711
#   look as if they had offered nothing, and calls of browsers never show it.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    sdp-transform@3.0.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { parse } = require('sdp-transform');
const offer = (name, payloads) => parse([
    'v=0', 'o=- 1 1 IN IP4 192.0.2.1', `s=${name}`, 'c=IN IP4 192.0.2.1', 't=0 0',
    `m=audio 5004 RTP/AVP ${payloads}`, 'a=rtpmap:0 PCMU/8000', '',
].join('\r\n'));
const shown = (value) => `${typeof value} ${JSON.stringify(value)}`;
check('three codecs', shown(offer('call', '0 8 101').media[0].payloads), 'string "0 8 101"');
const single = offer('call', '0').media[0].payloads;
check('one codec', shown(single), 'number 0');
check('any payloads?', single ? 'yes' : 'no', 'no');
check('a session called 0081', shown(offer('0081', '0').name), 'string "0081"');
check('a session called 81', shown(offer('81', '0').name), 'number 81');
EOF
