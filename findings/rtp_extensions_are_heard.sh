#!/bin/sh
# What a browser says about a packet is heard as sound.
#
# To expect: a parser of RTP gives the payload of a packet, which is the sound, without the header
#   extension before it and the padding behind it, as RFC 3550 lays them out.
# Seen (dpkt 1.9.8 and rtp-parser 1.0.0, compared with werift-rtp 0.8.9, 2026-12): both read that
#   there is an extension, as a bit, and leave all of it in the data: 8 bytes for the loudness that
#   browsers send with each packet (RFC 6464). Padding stays in it, too. rtp-parser also reads the
#   contributing sources, those that a conference has mixed, three bytes too early. Without any of
#   these, as from a telephone, both are right.
# It matters where recordings are made from captured packets: 160 bytes of G.711 become 168, so that
#   a recording is five per cent longer than the call, clicks fifty times a second, and its turns
#   drift away from their times by three seconds a minute. Captures of telephones do not show it.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
command -v apt-get >/dev/null || { echo 'SKIP: needs the packages of Debian 12'; exit 77; }
command -v python3 >/dev/null || { echo 'SKIP: needs python3'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    rtp-parser@1.0.0 werift-rtp@0.8.9 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

apt-get download python3-dpkt=1.9.8-1 >log 2>&1 ||
    { tail -n 1 log; echo 'SKIP: a version is gone'; exit 77; }
dpkg -x python3-dpkt*.deb root
cat >reader.py <<'EOF'
import sys
import dpkt
for line in sys.stdin:
    print(dpkt.rtp.RTP(bytes.fromhex(line)).data.hex())
EOF

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { execFileSync } = require('child_process');
const { parseRtpPacket } = require('rtp-parser');
const { RtpPacket } = require('werift-rtp');
// Bits of the first byte: 0x80 is the version, 0x20 padding, 0x10 an extension, 0x01 a source.
function packet(bits, before, after = '') {
    const header = `${(0x80 | bits).toString(16)}000007000000a000000001`;
    return Buffer.from(`${header}${before}d5d5d5d5${after}`, 'hex');
}
function payloads(bytes) {
    const dpkt = execFileSync('python3', ['reader.py'], {
        input: bytes.toString('hex'), encoding: 'utf8',
        env: { ...process.env, PYTHONPATH: 'root/usr/lib/python3/dist-packages' },
    }).trim();
    const reference = RtpPacket.deSerialize(bytes).payload.toString('hex');
    return `${dpkt} ${parseRtpPacket(bytes).payload.toString('hex')} ${reference}`;
}
const extension = 'bede000110850000'; // one word: the loudness
console.log('by dpkt, rtp-parser and werift-rtp:');
check('plain', payloads(packet(0, '')), 'd5d5d5d5 d5d5d5d5 d5d5d5d5');
check('with an extension', payloads(packet(0x10, extension)),
    `${extension}d5d5d5d5 ${extension}d5d5d5d5 d5d5d5d5`);
check('with padding', payloads(packet(0x20, '', '0002')),
    'd5d5d5d50002 d5d5d5d50002 d5d5d5d5');
const conference = packet(1, '00000009');
check('with a source', payloads(conference), 'd5d5d5d5 d5d5d5d5 d5d5d5d5');
const sources = [parseRtpPacket(conference).csrc, RtpPacket.deSerialize(conference).header.csrc];
check('source 9, by rtp-parser and werift-rtp', sources.join(' '), '256 9');
EOF
