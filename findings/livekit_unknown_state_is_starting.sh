#!/bin/sh
# A state that the receiver of LiveKit's webhooks does not know turns into "starting".
#
# To expect: when LiveKit comes to send a state that an older SDK has no name for, the receiver
#   fails, or passes the word on; and what a webhook does not mention is absent.
# Seen (livekit-server-sdk 2.19.2 with @livekit/protocol 1.52.1, 2026-11): an unknown name of an
#   enumeration is dropped, and the field then reads as the enumeration's first value. A recording
#   in a state of the future is EGRESS_STARTING. Written as JSON, fields that never were in the
#   webhook have values too: a source "WEB", zero for the time of the end.
# It matters because who stores the event instead of the body that came files a recording under a
#   state that nobody reported, as if it had just begun, with an end in 1970. The rule is that of
#   proto3, and documented there; nothing at the receiver tells that it has been applied.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    livekit-server-sdk@2.19.2 @livekit/protocol@1.52.1 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { createHash } = require('node:crypto');
const { AccessToken, WebhookReceiver } = require('livekit-server-sdk');
const secret = 'a secret of at least thirty-two bytes';
const receiver = new WebhookReceiver('key', secret);
async function receive(event) {
    const body = JSON.stringify(event);
    const token = new AccessToken('key', secret);
    token.sha256 = createHash('sha256').update(body).digest('base64');
    return receiver.receive(body, await token.toJwt());
}
const event = (status) => ({
    event: 'egress_updated', id: 'EV_81', createdAt: '1767949200',
    egressInfo: { egressId: 'EG_81', status, startedAt: '1767949200123456789' },
});
(async () => {
    const known = JSON.parse(JSON.stringify(await receive(event('EGRESS_ACTIVE')))).egressInfo;
    check('a known state', known.status, 'EGRESS_ACTIVE');
    check('source, which was not there', known.sourceType, 'EGRESS_SOURCE_TYPE_WEB');
    check('end, which was not there', JSON.stringify(known.endedAt), '"0"');
    const future = JSON.parse(JSON.stringify(await receive(event('EGRESS_PAUSED_AGAIN'))));
    check('a state of the future', future.egressInfo.status, 'EGRESS_STARTING');
})();
EOF
