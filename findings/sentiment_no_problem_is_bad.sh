#!/bin/sh
# "No problem" is among the most negative things an agent can say.
#
# To expect: a lexicon of moods that knows negation takes "no problem" for what it is, a kind
#   answer; the same libraries read "not bad at all" as praise.
# Seen (sentiment 5.0.2 and vader-sentiment 1.1.3, 2026-11): "no problem" is -3 for the one and
#   -0.6 of 1 for the other, like "kill the process", for "no" and "problem" each count against it.
#   A card that was declined is 0 for both, "I want to cancel" 0 and -0.18, and "thanks for
#   nothing" and "great, another hour on hold" are praise.
# It matters because moods of calls are averaged over turns: a courteous agent looks worse than the
#   caller who gives up.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    sentiment@5.0.2 vader-sentiment@1.1.3 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const Sentiment = require('sentiment');
const { SentimentIntensityAnalyzer: vader } = require('vader-sentiment');
const words = new Sentiment();
const moods = (text) => `${words.analyze(text).score} and ${vader.polarity_scores(text).compound}`;
check('not bad at all', moods('not bad at all'), '3 and 0.431');
check('no problem', moods('no problem'), '-3 and -0.5994');
check('kill the process', moods('kill the process'), '-3 and -0.6908');
check('I want to cancel', moods('I want to cancel'), '0 and -0.1779');
check('my card was declined', moods('my card was declined'), '0 and 0');
check('thanks for nothing', moods('thanks for nothing'), '2 and 0.4404');
check('great, another hour on hold', moods('great, another hour on hold'), '3 and 0.6249');
EOF
