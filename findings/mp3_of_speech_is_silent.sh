#!/bin/sh
# A recording of 24 kHz at 32 kbit/s is silent from the beginning to the end.
#
# To expect: an MP3 encoder that takes samples of 24 kHz and a bit rate encodes them, at a lower
#   sample rate where the bit rate is low, as LAME does.
# Seen (@breezystack/lamejs 1.2.7, which is LAME in JavaScript, compared with wasm-media-encoders
#   0.7.0, which is LAME, both decoded by mpg123-decoder 1.0.3, 2026-12): it lowers the sample rate
#   too, and wherever that is by less than half there is nothing but silence, of the right length,
#   in a valid file, without an error. 24 kHz is silent at 32 kbit/s, and at 48 in stereo; so are
#   22.05 and 32 kHz at some. At 64 kbit/s, at 8 and 16 kHz, and at 44.1 and 48 kHz in mono there is
#   sound. lamejs 1.2.1, which it was made from, has the same.
# It matters because 24 kHz is what speech models speak and hear, and 32 kbit/s what one takes for
#   speech: the calls are recorded, stored, of the right duration, and nobody can be heard. In tests
#   with telephones' 8 kHz, or at 64 kbit/s, everything is there.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    @breezystack/lamejs@1.2.7 wasm-media-encoders@0.7.0 mpg123-decoder@1.0.3 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { createMp3Encoder } = require('wasm-media-encoders');
const tone = (rate) => Float32Array.from({ length: 2 * rate },
    (_, n) => 0.25 * Math.sin(2 * Math.PI * 440 * n / rate));
(async () => {
    const { Mp3Encoder } = await import('@breezystack/lamejs');
    const { MPEGDecoder } = await import('mpg123-decoder');
    function inJavaScript(rate, kbps, channels) {
        const encoder = new Mp3Encoder(channels, rate, kbps);
        const samples = Int16Array.from(tone(rate), (value) => value * 32767);
        const parts = [];
        for (let from = 0; from < samples.length; from += 1152) {
            const part = samples.subarray(from, from + 1152);
            parts.push(encoder.encodeBuffer(...Array(channels).fill(part)));
        }
        parts.push(encoder.flush());
        return Buffer.concat(parts.map((part) => Buffer.from(part)));
    }
    async function inWasm(rate, kbps, channels) {
        const encoder = await createMp3Encoder();
        encoder.configure({ channels, sampleRate: rate, bitrate: kbps });
        // What the encoder returns is overwritten by its next call.
        const sound = Buffer.from(encoder.encode(Array(channels).fill(tone(rate))));
        return Buffer.concat([sound, Buffer.from(encoder.finalize())]);
    }
    async function heard(file) {
        const decoder = new MPEGDecoder();
        await decoder.ready;
        const { channelData: [samples], sampleRate } = decoder.decode(new Uint8Array(file));
        decoder.free();
        const level = Math.hypot(...samples.subarray(4000, 24000)) / Math.sqrt(20000);
        return `${(samples.length / sampleRate).toFixed(1)} s at ${level.toFixed(2)}`;
    }
    async function both(...settings) {
        const inWords = [await heard(inJavaScript(...settings))];
        inWords.push(await heard(await inWasm(...settings)));
        return inWords.join(', ');
    }
    console.log('length and level by lamejs and by LAME:');
    check('16 kHz, 32 kbit/s', await both(16000, 32, 1), '2.1 s at 0.17, 2.1 s at 0.17');
    check('24 kHz, 64 kbit/s', await both(24000, 64, 1), '2.1 s at 0.17, 2.1 s at 0.17');
    check('24 kHz, 32 kbit/s', await both(24000, 32, 1), '2.1 s at 0.00, 2.1 s at 0.17');
    check('24 kHz, 48 kbit/s, stereo', await both(24000, 48, 2), '2.1 s at 0.00, 2.1 s at 0.17');
    check('48 kHz, 32 kbit/s', await both(48000, 32, 1), '2.1 s at 0.17, 2.1 s at 0.17');
})();
EOF
