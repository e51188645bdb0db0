#!/bin/sh
# A test that failed in a suite within a suite is not there.
#
# To expect: suites of JUnit XML may hold suites, as those of PHPUnit and the schema of Jenkins have
#   it. A reader gives their tests, or at least their number, which the outer suite's attributes
#   tell.
# Seen (junitxml-to-javascript 1.1.4 and test-results-parser 0.4.6, compared with junit2json 4.0.0,
#   2026-12): both read the tests that are in the outer suite itself, and nothing below. Of one that
#   passed there and one that failed below, junitxml-to-javascript tells one test, one success and
#   no error. Of a suite that has suites alone it makes an empty report, and test-results-parser one
#   of 0 tests, status SKIP, though the attributes say that one failed. The former also reads a time
#   of 1,200.5 seconds, as Surefire writes it, as one second; the latter as NaN.
# It matters where cases are grouped, by agent and by scenario, and a gate looks at what such a
#   reader says: the group with the failures is the one that is not seen, and the gate is open.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    junitxml-to-javascript@1.1.4 test-results-parser@0.4.6 junit2json@4.0.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const fs = require('fs');
const Parser = require('junitxml-to-javascript');
const { parse } = require('test-results-parser');
const passed = '<testcase name="opening hours" classname="desk" time="1"/>';
const failed = '<testcase name="refund" classname="desk" time="1"><failure/></testcase>';
const inner = `<testsuite name="money" tests="1" failures="1">${failed}</testsuite>`;
const report = (tests, failures, content) => `<?xml version="1.0"?><testsuites>
    <testsuite name="desk" tests="${tests}" failures="${failures}">${content}</testsuite>
    </testsuites>`;
async function byFirst(xml) {
    const { testsuites } = await new Parser().parseXMLString(xml);
    const sum = (figure) => testsuites.reduce((total, suite) => total + suite[figure], 0);
    return `${sum('tests')} tests, ${sum('succeeded')} succeeded, ${sum('errors')} errors`;
}
function bySecond(xml) {
    fs.writeFileSync('report.xml', xml);
    const { status, suites } = parse({ type: 'junit', files: ['report.xml'] });
    const cases = suites.flatMap((suite) => suite.cases.map(({ name }) => name));
    return `${status}, ${cases.join(' and ') || 'no cases'}`;
}
(async () => {
    const { parse: reference } = await import('junit2json');
    const flat = report(2, 1, passed + failed);
    const nested = report(2, 1, passed + inner);
    const grouped = report(1, 1, inner);
    console.log('by junitxml-to-javascript:');
    check('side by side', await byFirst(flat), '2 tests, 1 succeeded, 1 errors');
    check('one within', await byFirst(nested), '1 tests, 1 succeeded, 0 errors');
    check('suites alone', await byFirst(grouped), '0 tests, 0 succeeded, 0 errors');
    const slow = report(1, 0, passed.replace('time="1"', 'time="1,200.5"'));
    const { testsuites: [{ durationSec }] } = await new Parser().parseXMLString(slow);
    check('seconds of 1,200.5', durationSec, 1);
    console.log('by test-results-parser:');
    check('side by side', bySecond(flat), 'FAIL, opening hours and refund');
    check('one within', bySecond(nested), 'FAIL, opening hours');
    check('suites alone', bySecond(grouped), 'SKIP, no cases');
    console.log('by junit2json:');
    const { testsuite: [{ testsuite: [{ name, testcase }] }] } = await reference(grouped);
    check('suites alone', `${name}: ${testcase.map(({ name: its }) => its)}`, 'money: refund');
})();
EOF
