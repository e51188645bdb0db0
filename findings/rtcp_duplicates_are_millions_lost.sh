#!/bin/sh
# One packet that came twice is sixteen million lost ones.
#
# To expect: a reader of RTCP receiver reports gives the cumulative number of packets lost as RFC
#   3550 has it, a signed number of 24 bits: negative when packets came twice, as they do where a
#   link sends them redundantly.
# Seen (werift-rtp 0.8.9 and rtp.js 0.15.5, 2026-12): werift-rtp reads it without a sign, so that -1
#   is 16777215. rtp.js keeps the lowest twelve bits: -1 is 4095, and of 5000 lost packets it tells
#   904. Small positive numbers are right in both.
# It matters because loss is the first thing that a bad call is blamed on: the best protected calls
#   have the worst figure in one, and in the other a call that lost 4096 packets lost none.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    werift-rtp@0.8.9 rtp.js@0.15.5 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { RtcpPacketConverter } = require('werift-rtp');
function report(lost) {
    const packet = Buffer.alloc(32);
    packet.writeUInt8(0x81, 0); // version 2, one report
    packet.writeUInt8(201, 1); // of a receiver
    packet.writeUInt16BE(7, 2);
    packet.writeUInt32BE(1, 4);
    packet.writeUInt32BE(2, 8);
    packet.writeIntBE(lost, 13, 3);
    packet.writeUInt32BE(1000, 16);
    return packet;
}
(async () => {
    const { packets: { ReceiverReportPacket } } = await import('rtp.js');
    const werift = (lost) => {
        const [{ reports: [block] }] = RtcpPacketConverter.deSerialize(report(lost));
        return block.packetsLost;
    };
    const rtpjs = (lost) => {
        const packet = report(lost);
        const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
        return new ReceiverReportPacket(view).getReports()[0].getTotalLost();
    };
    const both = (lost) => `${werift(lost)} ${rtpjs(lost)}`;
    check('12 lost', both(12), '12 12');
    check('one came twice', both(-1), '16777215 4095');
    check('5000 lost', both(5000), '5000 904');
    check('4096 lost', both(4096), '4096 0');
})();
EOF
