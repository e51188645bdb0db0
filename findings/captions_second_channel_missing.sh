#!/bin/sh
# Captions of a call recorded on two channels have one side of it.
#
# To expect: a transcript with a channel for the agent and one for the caller becomes captions of
#   both, in the order in which they spoke; or the writer says that it cannot.
# Seen (@deepgram/captions 1.2.0, 2026-11): unless the transcript was also asked for with
#   utterances, the writer takes the first channel and drops the others without a word, while the
#   NOTE at the top still says that there are two channels. With utterances both sides are there,
#   but no cue says which channel it is of.
# It matters because telephony records each side on its own channel: the caller's half of the call
#   is missing from what is reviewed, searched and kept.
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
const word = (word, start, end) => ({ word, punctuated_word: word, start, end, confidence: 0.9 });
const agent = [word('Hello.', 0.25, 0.65)];
const caller = [word('Two', 2.5, 2.9), word('loaves.', 3, 3.5)];
const channel = (words) => ({
    alternatives: [{ transcript: words.map((w) => w.word).join(' '), confidence: 0.9, words }],
});
const call = {
    metadata: { duration: 4, channels: 2 },
    results: { channels: [channel(agent), channel(caller)] },
};
const text = (vtt) => vtt.split('\n').filter((line) => /Hello|loaves/.test(line)).join(' | ');
const note = (vtt) => /Channels: (\d+)/.exec(vtt)[1];
check('channels in the note', note(captions.webvtt(call)), '2');
check('what is captioned', text(captions.webvtt(call)), 'Hello.');

const utterance = (channel, words) => ({
    channel, words, transcript: words.map((w) => w.word).join(' '), confidence: 0.9,
    start: words[0].start, end: words.at(-1).end, id: `u${channel}`,
});
call.results.utterances = [utterance(0, agent), utterance(1, caller)];
check('with utterances', text(captions.webvtt(call)), 'Hello. | Two loaves.');
EOF
