#!/bin/sh
# Two tests of a report become one, and version 2.10 is 2.1.
#
# To expect: names of tests and values of properties are texts, as the schemas of JUnit XML say.
# Seen (junit2json 4.0.0 and test-results-parser 0.4.6, 2026-11): whatever looks like a number is
#   one. The tests "2.10" and "2.1" have the same name afterwards, the order number "0012" is 12,
#   and the property `version` 2.10 is 2.1.
# It matters because cases are named after what they try (an order number, a dialled number, a
#   version): histories that are kept by name mix two tests, and what is written back finds no
#   case.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    junit2json@4.0.0 test-results-parser@0.4.6 >"$tmp/log" 2>&1 ||
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
const results = require('test-results-parser');
const xml = `<?xml version="1.0"?><testsuites>
    <testsuite name="prompts" tests="3" failures="0" errors="0" time="3">
    <properties><property name="version" value="2.10"/></properties>
    <testcase name="2.10" time="1"/><testcase name="2.1" time="1"/>
    <testcase name="0012" time="1"/></testsuite></testsuites>`;
fs.writeFileSync('report.xml', xml);
const names = (tests) => tests.map((test) => JSON.stringify(test.name)).join(', ');
(async () => {
    const { parse } = await import('junit2json');
    const suite = (await parse(xml)).testsuite[0];
    check('junit2json', names(suite.testcase), '2.1, 2.1, 12');
    check('its version', JSON.stringify(suite.properties[0].value), '2.1');
    const report = results.parse({ type: 'junit', files: ['report.xml'] });
    check('test-results-parser', names(report.suites[0].cases), '2.1, 2.1, 12');
})();
EOF
