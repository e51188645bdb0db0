#!/bin/sh
# The name of a cue becomes the last words of the speaker before.
#
# To expect: a cue of WebVTT may have an identifier, any line of text above its times, and a reader
#   gives it as such or leaves it out. The words of the cue before end at the blank line.
# Seen (subtitle 4.2.2, compared with node-webvtt 2.0.0, 2026-12): only an identifier of digits is
#   one, as the numbers of SRT are. Any other is added to the text of the cue before it, after a
#   blank line, and written to SRT and WebVTT as words. Where the very first cue has such an
#   identifier the file is refused. A NOTE between two cues is left out, as it should be. That
#   WebVTT is supported in part is documented, and not which part.
# It matters because captions of calls have the ids of turns or the names of speakers there: every
#   turn ends with the name of the next speaker, in a transcript that is searched and judged, and
#   tests with numbered cues do not show it.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    subtitle@4.2.2 node-webvtt@2.0.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { parseSync, stringifySync } = require('subtitle');
const reference = require('node-webvtt');
const cue = (id, from, text) => `${id}\n00:0${from}.000 --> 00:0${from + 1}.000\n${text}\n`;
const file = (...cues) => `WEBVTT\n\n${cues.join('\n')}`;
const texts = (nodes) => JSON.stringify(nodes.filter(({ type }) => type === 'cue')
    .map(({ data }) => data.text));
const numbered = file(cue(1, 1, 'Goodbye.'), cue(2, 3, 'Wait!'));
const named = file(cue(1, 1, 'Goodbye.'), cue('caller-2', 3, 'Wait!'));
check('numbered cues', texts(parseSync(numbered)), '["Goodbye.","Wait!"]');
check('named cues', texts(parseSync(named)), '["Goodbye.\\n\\ncaller-2","Wait!"]');
const known = reference.parse(named).cues.map(({ identifier, text }) => `${identifier}: ${text}`);
check('by node-webvtt', known, '1: Goodbye.,caller-2: Wait!');
check('written as SRT', JSON.stringify(stringifySync(parseSync(named), { format: 'SRT' })
    .split('\n').slice(0, 5)), '["1","00:00:01,000 --> 00:00:02,000","Goodbye.","","caller-2"]');
let refused = '';
try {
    parseSync(file(cue('agent-1', 1, 'Hello.')));
} catch (error) {
    refused = error.message;
}
check('a name above the first cue is refused', /expected timestamp/.test(refused), true);
EOF
