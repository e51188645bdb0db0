#!/bin/sh
# A call whose caller is a telephone number is no call.
#
# To expect: both SIP libraries for JavaScript read an INVITE whose From is a tel: URI, which RFC
#   3261 allows there and gateways of telephone networks send; and an address keeps its parameters.
# Seen (jssip 3.13.8 and sip.js 0.21.2, 2026-12): with From: <tel:+12025550100> the parser of either
#   gives undefined for the whole message, where the same number as a sip: URI is read; sip.js logs
#   an error. And the number's own parameters are written otherwise than they were read:
#   ;phone-context= becomes %3Bphone-context%3D, a part of the name.
# It matters for test callers and softphones made of them: a carrier that writes its callers so has
#   none of its calls answered, and none of them in any statistics.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    jssip@3.13.8 sip.js@0.21.2 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const jssip = require('jssip/lib/Parser');
const { Parser } = require('sip.js/lib/core');
const log = { error() {}, warn() {}, log() {}, debug() {} };
const invite = (from) => [
    'INVITE sip:+12025550142@example.com SIP/2.0', 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
    'Max-Forwards: 70', `From: ${from};tag=1`, 'To: <sip:+12025550142@example.com>',
    'Call-ID: call-81@192.0.2.1', 'CSeq: 1 INVITE', 'Contact: <sip:gateway@192.0.2.1>',
    'Content-Length: 0', '', ''].join('\r\n');
function callers(from) {
    return [jssip.parseMessage(invite(from), {}), Parser.parseMessage(invite(from), log)]
        .map((message) => (message ? String(message.from.uri) : 'no message')).join(', ');
}
check('from a sip: URI', callers('<sip:+12025550100@example.com>'),
    'sip:+12025550100@example.com, sip:+12025550100@example.com');
check('from a tel: URI', callers('<tel:+12025550100>'), 'no message, no message');
check('from an extension', callers('<sip:4711;phone-context=example.com@example.com;user=phone>'),
    Array(2).fill('sip:4711%3Bphone-context%3Dexample.com@example.com;user=phone').join(', '));
EOF
