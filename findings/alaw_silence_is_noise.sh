#!/bin/sh
# Silence is a noise after A-law.
#
# To expect: what is encoded in G.711 and decoded again is off by half a step at most: 8 units near
#   zero, where the steps are smallest.
# Seen (g711 1.0.1, compared with alawmulaw 6.0.0, 2026-12): the smallest negative samples, from -1
#   to -7, come back as -248 from A-law. What is louder, and what is positive, is right or one
#   step off, and mu-law is right altogether. The noise of a quiet line, four units either way, is
#   one of 168 afterwards instead of 8: 26 dB louder.
# It matters because A-law is the telephone of most countries, and the ends of turns are found by
#   how quiet it is: pauses are noisy, answers seem to start at once, and a tone or music of
#   full strength, with which one tests, is perfect.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    g711@1.0.1 alawmulaw@6.0.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { alawFromPCM, alawToPCM, ulawFromPCM, ulawToPCM } = require('g711');
const { alaw, mulaw } = require('alawmulaw');
const pcm = (samples) => Int16Array.from(samples);
const through = (encode, decode) => (samples) => Array.from(decode(encode(pcm(samples))));
const a = through(alawFromPCM, alawToPCM);
const reference = through((samples) => alaw.encode(samples), (bytes) => alaw.decode(bytes));
const rms = (samples) => Math.round(Math.hypot(...samples) / Math.sqrt(samples.length));
const wave = (level) => Array.from({ length: 8000 },
    (_, n) => Math.round(level * Math.sin(n * 0.3)));
const both = (samples) => `${a(samples).join(' ')}, ${reference(samples).join(' ')}`;
console.log('by g711, and by alawmulaw:');
check('0 1 7 8 100', both([0, 1, 7, 8, 100]), '8 8 8 8 104, 8 8 8 8 104');
check('-1 -7 -8 -1000', both([-1, -7, -8, -1000]), '-248 -248 -8 -1008, -8 -8 -8 -1008');
check('loud, 10000', `${rms(a(wave(10000)))}, ${rms(reference(wave(10000)))}`, '7079, 7082');
check('a quiet line, 4', `${rms(a(wave(4)))}, ${rms(reference(wave(4)))}`, '168, 8');
const u = through(ulawFromPCM, ulawToPCM);
const known = through((samples) => mulaw.encode(samples), (bytes) => mulaw.decode(bytes));
check('a quiet line in mu-law', `${rms(u(wave(4)))}, ${rms(known(wave(4)))}`, '5, 5');
EOF
