#!/bin/sh
# Two parsers of cron expressions disagree about the hours that a clock change removes or repeats.
#
# To expect: "half past two every day" and "every even hour" mean the same to the two usual parsers
#   of cron expressions, both of which take a time zone.
# Seen (cron-parser 5.10.6 and croner 11.0.1, Europe/Berlin in 2026, seen 2026-11):
#   - On 29 March there is no 02:30. cron-parser runs at 03:30, croner half an hour earlier, at
#     03:00, whatever the minute was.
#   - On 25 October the hour from 02:00 comes twice. Every even hour (0 */2 * * *) is two runs
#     between midnight and four for cron-parser, three for croner, though a fixed hour and
#     minute (30 2 * * *) run once in both.
# It matters where a scheduler in one program does what another one announces or bills: nightly
#   retention, call windows, test campaigns. The two differ on two days a year, on one of them by a
#   whole run.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    cron-parser@5.10.6 croner@11.0.1 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { CronExpressionParser } = require('cron-parser');
const { Cron } = require('croner');
const tz = 'Europe/Berlin';
const local = (date) => date.toLocaleString('sv-SE', { timeZone: tz, timeZoneName: 'shortOffset' })
    .replace(/^\d{4}-/, '').replace(':00 GMT', ' ');
function runs(expression, after, before) {
    const parser = CronExpressionParser.parse(expression, { currentDate: after, tz });
    const first = [], second = [];
    for (let i = 0; i < 9; i++) first.push(parser.next().toDate());
    second.push(...new Cron(expression, { timezone: tz, paused: true }).nextRuns(9, after));
    return [first, second].map((dates) =>
        dates.filter((date) => date < before).map(local).join(', '));
}
const day = (text) => new Date(`2026-${text}:00Z`);
const [parserSpring, cronerSpring] = runs('30 2 * * *', day('03-28T12:00'), day('03-30T12:00'));
check('cron-parser, 02:30 in spring', parserSpring, '03-29 03:30 +2, 03-30 02:30 +2');
check('croner, 02:30 in spring', cronerSpring, '03-29 03:00 +2, 03-30 02:30 +2');
const [parserAutumn, cronerAutumn] = runs('30 2 * * *', day('10-24T12:00'), day('10-25T12:00'));
check('cron-parser, 02:30 in autumn', parserAutumn, '10-25 02:30 +2');
check('croner, 02:30 in autumn', cronerAutumn, '10-25 02:30 +2');
const [parserEven, cronerEven] = runs('0 */2 * * *', day('10-24T21:30'), day('10-25T02:30'));
check('cron-parser, even hours in autumn', parserEven, '10-25 00:00 +2, 10-25 02:00 +2');
check('croner, even hours in autumn', cronerEven,
    '10-25 00:00 +2, 10-25 02:00 +2, 10-25 02:00 +1');
EOF
