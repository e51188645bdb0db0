#!/bin/sh
# A word beside a telephone number becomes digits of it, or a number in letters loses them.
#
# To expect: two libraries that read telephone numbers by the same public metadata agree on
#   "202 555 0142 (home)" and on "1-800-FLOWERS", of which one is a number with a remark and the
#   other a number whose letters stand for keys.
# Seen (awesome-phonenumber 7.8.0 and libphonenumber-js 1.13.16, region US, 2026-11): for the first
#   library letters behind a number are keys as well: "home", "mobile" and a caller's name make
#   +12025550142 four to six digits longer. For the second no letters are: it reads 1-800-FLOWERS as
#   +11800. Of a remark before the number both make nothing.
# It matters because numbers of callers come from address books and from transcripts, and calls are
#   joined to people by the text that comes of them.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    awesome-phonenumber@7.8.0 libphonenumber-js@1.13.16 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const awesome = require('awesome-phonenumber');
const { parsePhoneNumberFromString } = require('libphonenumber-js/max');
const both = (text) => {
    const first = awesome.parsePhoneNumber(text, { regionCode: 'US' });
    const second = parsePhoneNumberFromString(text, 'US');
    return `${first.number?.e164} and ${second?.number}`;
};
check('the number alone', both('202 555 0142'), '+12025550142 and +12025550142');
check('(home)', both('202 555 0142 (home)'), '+120255501424663 and +12025550142');
check('mobile', both('202 555 0142 mobile'), '+12025550142662453 and +12025550142');
check('a remark before it', both('home: 202 555 0142'), '+12025550142 and +12025550142');
check('1-800-FLOWERS', both('1-800-FLOWERS'), '+18003569377 and +11800');
EOF
