#!/bin/sh
# A one-time password is right for the server and wrong on every telephone.
#
# To expect: the same secret, time and algorithm give the same code everywhere: RFC 6238 takes the
#   secret as it is, and HMAC fills a short one up with zeros.
# Seen (otplib 12.0.1, compared with its own 13.5.0, otpauth 9.5.2 and speakeasy 2.0.0, 2026-12):
#   version 12 repeats a short secret until it is long enough. The 20 bytes that RFC 4226 recommends
#   are too few with SHA-512, the 10 bytes of older accounts with SHA-256 too, and the code is one
#   that nobody else has. With 20 bytes and SHA-1 or SHA-256 all four agree. Its documentation says
#   that secrets are padded to the length that RFC 6238 names, not with what; and it counts
#   hexadecimal digits, so that half of that length will do.
# It matters because the server and its own tests, made with one library, agree with each other,
#   and refuse what the authenticator of the user shows. And the update to version 13 changes the
#   codes of every script that still has such a secret.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    otplib@12.0.1 otplib13@npm:otplib@13.5.0 otpauth@9.5.2 speakeasy@2.0.0 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { authenticator } = require('otplib');
const { generateSync } = require('otplib13');
const { Secret, TOTP } = require('otpauth');
const speakeasy = require('speakeasy');
const seconds = Date.UTC(2026, 0, 9, 9) / 1000;
const secretOf = (bytes) => Secret.fromHex('00112233445566778899'.repeat(2).slice(0, 2 * bytes));
function codes(algorithm, bytes) {
    const secret = secretOf(bytes).base32;
    const newer = () => {
        try {
            return generateSync({ secret, algorithm, epoch: seconds });
        } catch {
            return 'refused';
        }
    };
    return [
        authenticator.clone({ algorithm, epoch: seconds * 1000 }).generate(secret),
        newer(),
        new TOTP({ secret, algorithm: algorithm.toUpperCase() })
            .generate({ timestamp: seconds * 1000 }),
        speakeasy.totp({ secret, encoding: 'base32', algorithm, time: seconds }),
    ].join(' ');
}
console.log('otplib 12, otplib 13, otpauth and speakeasy:');
check('SHA-1, 20 bytes', codes('sha1', 20), '134122 134122 134122 134122');
check('SHA-256, 20 bytes', codes('sha256', 20), '106955 106955 106955 106955');
check('SHA-512, 20 bytes', codes('sha512', 20), '023999 986655 986655 986655');
check('SHA-256, 10 bytes', codes('sha256', 10), '529107 refused 898234 898234');
EOF
