#!/bin/sh
# Markers in a recording move when its sample rate is changed.
#
# To expect: cue points that were set in milliseconds stay where they are in time when the
#   recording is resampled, as the sound does.
# Seen (wavefile 11.0.0, 2026-11): resampling writes new samples and leaves the cue points' sample
#   numbers alone. From 8 to 16 kHz all of them come to stand at half their time, those of
#   three seconds at one and a half. Converting the encoding (mu-law, 24 bits) keeps them right.
# It matters because telephony is 8 kHz and speech models want 16: turns marked in the recording
#   fall into the turn before, and the file gives no sign of it.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    wavefile@11.0.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { WaveFile } = require('wavefile');
function call() {
    const wave = new WaveFile();
    wave.fromScratch(1, 8000, '16', new Int16Array(4 * 8000));
    wave.setCuePoint({ position: 1500, label: 'agent' });
    wave.setCuePoint({ position: 3000, label: 'caller' });
    return new WaveFile(Buffer.from(wave.toBuffer()));
}
const cues = (wave) =>
    wave.listCuePoints().map((cue) => `${cue.label} ${cue.position} ms`).join(', ');
const seconds = (wave) => wave.getSamples(false, Int16Array).length / wave.fmt.sampleRate;
const original = call();
check('as recorded', `${cues(original)} of ${seconds(original)} s`,
    'agent 1500 ms, caller 3000 ms of 4 s');
const resampled = call();
resampled.toSampleRate(16000);
const read = new WaveFile(Buffer.from(resampled.toBuffer()));
check('at 16 kHz', `${cues(read)} of ${seconds(read)} s`, 'agent 750 ms, caller 1500 ms of 4 s');
const encoded = call();
encoded.toMuLaw();
check('as mu-law', cues(encoded), 'agent 1500 ms, caller 3000 ms');
EOF
