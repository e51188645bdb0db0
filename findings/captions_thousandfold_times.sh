#!/bin/sh
# A caption writer that knows two transcription services takes the milliseconds of one for seconds.
#
# To expect: @deepgram/captions has a converter of its own for answers of AssemblyAI, so a word
#   that AssemblyAI puts 2500 ms into a call is captioned at 2.5 s.
# Seen (@deepgram/captions 1.2.0, 2026-11): the converter hands the times on as they are, and the
#   writer multiplies every time by 1000 as if it were seconds. The cue stands at 41 min 40 s, in
#   WebVTT and SRT alike; the NOTE above it still has the right length of the recording.
# It matters because captions of a call are what a reviewer, or an import of WebVTT, takes for its
#   times: all turns lie far behind the end of the recording, in a file that is entirely valid.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    @deepgram/captions@1.2.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const captions = require('@deepgram/captions');
const word = (text, start, end, speaker) => ({ text, start, end, speaker, confidence: 0.9 });
// A call of six seconds; its words in milliseconds, as AssemblyAI gives them.
const call = {
    id: 'call-81', audio_duration: 6, utterances: [
        { speaker: 'A', words: [word('Hello.', 250, 650, 'A')] },
        { speaker: 'B', words: [word('Two', 2500, 2900, 'B'), word('loaves.', 3000, 3500, 'B')] },
    ],
};
const cues = (text) => text.split('\n').filter((line) => line.includes('-->')).join('; ');
const converter = new captions.AssemblyAiConverter(call);
check('WebVTT', cues(captions.webvtt(converter)),
    '00:04:10.000 --> 00:10:50.000; 00:41:40.000 --> 00:58:20.000');
check('SRT', cues(captions.srt(converter)),
    '00:04:10,000 --> 00:10:50,000; 00:41:40,000 --> 00:58:20,000');
check('length in the note', /Duration: (\d+)/.exec(captions.webvtt(converter))[1], '6');
EOF
