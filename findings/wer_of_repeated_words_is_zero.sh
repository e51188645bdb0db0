#!/bin/sh
# A transcriber that says everything three times makes no mistake.
#
# To expect: the edit distance of two lists of words counts each word that is too many and each that
#   is missing, so that "no no no" for "no" is two errors.
# Seen (word-error-rate 0.0.7, compared with fastest-levenshtein 1.0.16, 2026-12): the first row and
#   the first column of its table count only words that differ from the first word of the other
#   side. What repeats the first word costs nothing: "yes yes yes" for "yes", and "no" for "no no
#   no", have distance 0. In the middle of a sentence the same repetition is counted. Words that do
#   not begin with each other are right, and so are its examples.
# It matters because words repeated at the beginning are how people start to speak, and how a model
#   that has got stuck goes on: the mistakes that a comparison of transcribers is made to find are
#   the ones that it does not count. (That the rate is divided by the longer of both texts, not by
#   what was said, is its documented choice.)
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    word-error-rate@0.0.7 fastest-levenshtein@1.0.16 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { calculateEditDistance, wordErrorRate } = require('word-error-rate');
const { distance } = require('fastest-levenshtein');
// A letter for each word: the distance of the letters is that of the words.
function reference(heard, said) {
    const words = [...new Set(`${heard} ${said}`.split(' '))];
    const letter = (word) => 'abcdefgh'[words.indexOf(word)];
    const letters = (text) => text.split(' ').map(letter).join('');
    return distance(letters(heard), letters(said));
}
const both = (heard, said) => `${calculateEditDistance(heard, said)} ${reference(heard, said)}`;
console.log('the distance by word-error-rate, and the distance:');
check('one word wrong', both('i want two', 'i need two'), '1 1');
check('repeated in the middle', both('i want want want two', 'i want two'), '2 2');
check('"yes yes yes" for "yes"', both('yes yes yes', 'yes'), '0 2');
check('"yes yes yes please" for "yes please"', both('yes yes yes please', 'yes please'), '0 2');
check('"no" for "no no no"', both('no', 'no no no'), '0 2');
check('rate of "yes yes yes yes" for "yes"', wordErrorRate('yes yes yes yes', 'yes'), 0);
EOF
