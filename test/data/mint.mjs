// Makes tokens.sql: tokens that have to be believed, and tokens that must not be, with the reason
// that the server's log has to give.  The keys are the examples of RFC 7515 (A.2, A.3) and RFC 8037
// (A.1), private parts and all: they protect nothing.  usage: node mint.mjs > tokens.sql
import crypto from 'node:crypto';

const issuer = 'https://issuer.example';
const audience = 'authenticated';
const user = '0e6f1b7c-0000-7000-8000-000000000001';
const claims = { iss: issuer, aud: audience, sub: user, role: 'authenticated', aal: 'aal1', exp: 4102444800 };

const private_keys = {
  rsa: {
    kty: 'RSA', e: 'AQAB',
    n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
    d: 'Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ',
    p: '4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc',
    q: 'uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc',
    dp: 'BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0',
    dq: 'h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU',
    qi: 'IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U',
  },
  ec: {
    kty: 'EC', crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  },
  ed: {
    kty: 'OKP', crv: 'Ed25519',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  },
};
const keys = Object.fromEntries(Object.entries(private_keys).map(([kid, jwk]) =>
  [kid, crypto.createPrivateKey({ key: jwk, format: 'jwk' })]));
const attacker = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const public_jwk = (kid) => ({ kid, use: 'sig', ...crypto.createPublicKey(keys[kid]).export({ format: 'jwk' }) });

// --- signing ------------------------------------------------------------------------------------

const b64 = (bytes) => Buffer.from(bytes).toString('base64url');
const json = (value) => (typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value));
const parts = (header, payload) => `${b64(json(header))}.${b64(json(payload))}`;
const with_signature = (signed, signature) => `${signed}.${b64(signature)}`;

const es256 = (signed, key = keys.ec) => crypto.sign('sha256', signed, { key, dsaEncoding: 'ieee-p1363' });
const rs256 = (signed) => crypto.sign('sha256', signed, keys.rsa);
const eddsa = (signed) => crypto.sign(null, signed, keys.ed);
const hs256 = (secret) => (signed) => crypto.createHmac('sha256', secret).update(signed).digest();

function token(header, payload, sign = es256) {
  const signed = parts(header, payload);
  return with_signature(signed, sign(Buffer.from(signed)));
}
const ec_header = { alg: 'ES256', kid: 'ec' };
const says = (payload) => token(ec_header, payload);        // signed well, whatever it says
const headed = (header) => token(header, claims);           // likewise with another header
const changed = (changes) => says({ ...claims, ...changes });
const without = (name) => says(Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name)));
const [good_header, good_payload, good_signature] = says(claims).split('.');
const good_signed = `${good_header}.${good_payload}`;

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const number = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const bytes32 = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
const with_s = (change) => (signed) => {
  const raw = es256(signed);
  return Buffer.concat([raw.subarray(0, 32), bytes32(change(number(raw.subarray(32))))]);
};
const high_s = with_s((s) => (s > order / 2n ? s : order - s));
const low_s = with_s((s) => (s > order / 2n ? order - s : s));
// Ed25519 with s + L, which verifies for who does not check that s < L
const ed_malleable = (signed) => {
  const raw = eddsa(signed);
  const little = (bytes) => number(Buffer.from(bytes).reverse());
  const s = little(raw.subarray(32)) + (2n ** 252n + 27742317777372353535851937790883648493n);
  return Buffer.concat([raw.subarray(0, 32), bytes32(s).reverse()]);
};

// --- the tokens ---------------------------------------------------------------------------------

const believed = {
  'ES256': says(claims),
  'RS256': token({ alg: 'RS256', kid: 'rsa', typ: 'JWT' }, claims, rs256),
  'EdDSA': token({ alg: 'EdDSA', kid: 'ed' }, claims, eddsa),
  'Ed25519, the newer name': token({ alg: 'Ed25519', kid: 'ed' }, claims, eddsa),
  'ES256 with low s': token(ec_header, claims, low_s),
  'ES256 with high s': token(ec_header, claims, high_s),
  'audience among several': changed({ aud: ['other', audience] }),
  'fractional exp': changed({ exp: 4102444800.5 }),
  'nbf and iat in the past': changed({ nbf: 1500000000, iat: 1500000000 }),
  'a foreign key in the header, which nobody looks at': headed({ ...ec_header, jwk: attacker.publicKey.export({ format: 'jwk' }), jku: 'https://attacker.example' }),
  'second user': changed({ sub: '0e6f1b7c-0000-7000-8000-000000000002' }),
  'second factor': changed({ aal: 'aal2' }),
  'anonymous sign-in': changed({ is_anonymous: true }),
  'no user': without('sub'),
};

// RFC 7515, A.1
const secret = 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow';
const hs256_token = token({ alg: 'HS256', kid: 'shared' }, claims, hs256(Buffer.from(secret, 'base64url')));
const hs256_forged = token({ alg: 'HS256', kid: 'shared' }, claims, hs256('a guess of thirty-two bytes or so'));

const pem = crypto.createPublicKey(keys.rsa).export({ type: 'spki', format: 'pem' });
const alg_of_key = 'alg is not that of the key';
const not_the_keys = "the signature is not the key's";
const by_attacker = (signed) => es256(signed, attacker.privateKey);
const refused = {
  // the algorithm
  'alg none': ['alg is not that of the key, ES256', `${parts({ alg: 'none', kid: 'ec' }, claims)}.`],
  'alg None': [alg_of_key, `${parts({ alg: 'None', kid: 'ec' }, claims)}.`],
  'alg none over a good signature': [alg_of_key, token({ alg: 'none', kid: 'ec' }, claims)],
  'alg missing': ['the header has no alg', headed({ kid: 'ec' })],
  'alg a number': ['the header has no alg', headed({ alg: 256, kid: 'ec' })],
  'alg an array': ['the header has no alg', headed({ alg: ['ES256'], kid: 'ec' })],
  'alg in lower case': [alg_of_key, headed({ alg: 'es256', kid: 'ec' })],
  'HS256 with the RSA key in PEM as secret': [alg_of_key, token({ alg: 'HS256', kid: 'rsa' }, claims, hs256(pem))],
  'HS256 with the RSA modulus as secret': [alg_of_key, token({ alg: 'HS256', kid: 'rsa' }, claims, hs256(Buffer.from(private_keys.rsa.n, 'base64url')))],
  'HS256 with the JWK as secret': [alg_of_key, token({ alg: 'HS256', kid: 'ec' }, claims, hs256(JSON.stringify(public_jwk('ec'))))],
  'HS256 with an empty secret': [alg_of_key, token({ alg: 'HS256', kid: 'ec' }, claims, hs256(''))],
  'RS256 said of an EC key': [alg_of_key, token({ alg: 'RS256', kid: 'ec' }, claims, rs256)],
  'ES384 said of a P-256 key': [alg_of_key, headed({ alg: 'ES384', kid: 'ec' })],
  'RS256 with PSS': [not_the_keys, token({ alg: 'RS256', kid: 'rsa' }, claims, (signed) => crypto.sign('sha256', signed, { key: keys.rsa, padding: crypto.constants.RSA_PKCS1_PSS_PADDING }))],
  'RS256 with SHA-1': [not_the_keys, token({ alg: 'RS256', kid: 'rsa' }, claims, (signed) => crypto.sign('sha1', signed, keys.rsa))],
  // the key
  'kid of no key': ['no key has its kid', headed({ alg: 'ES256', kid: 'nobody' })],
  'kid with SQL': ['no key has its kid', headed({ alg: 'ES256', kid: "' OR kid = 'ec" })],
  'kid with a UNION': ['no key has its kid', token({ alg: 'HS256', kid: "x' UNION SELECT 'AA" }, claims, hs256('x'))],
  'kid with a path': ['no key has its kid', token({ alg: 'HS256', kid: '../../../../dev/null' }, claims, hs256(''))],
  'kid in another case': ['no key has its kid', headed({ alg: 'ES256', kid: 'EC' })],
  'kid with a space after it': ['no key has its kid', headed({ alg: 'ES256', kid: 'ec ' })],
  'kid with NUL': ['NUL', headed('{"alg": "ES256", "kid": "ec\\u0000"}')],
  'kid of another key': [not_the_keys, token({ alg: 'ES256', kid: 'ec' }, claims, by_attacker)],
  'kid missing': ['it does not say which key', headed({ alg: 'ES256' })],
  'kid null': ['kid is not a string', headed({ alg: 'ES256', kid: null })],
  'kid a number': ['kid is not a string', headed({ alg: 'ES256', kid: 1 })],
  'kid an array': ['kid is not a string', headed({ alg: 'ES256', kid: ['ec'] })],
  'kid of 300 bytes': ['kid is not a string', headed({ alg: 'ES256', kid: 'e'.repeat(300) })],
  'the attacker\'s key in the header': ['it does not say which key', token({ alg: 'ES256', jwk: attacker.publicKey.export({ format: 'jwk' }) }, claims, by_attacker)],
  'the attacker\'s key in the header under our kid': [not_the_keys, token({ ...ec_header, jwk: attacker.publicKey.export({ format: 'jwk' }) }, claims, by_attacker)],
  'the address of the attacker\'s keys': [not_the_keys, token({ ...ec_header, jku: 'https://attacker.example/jwks' }, claims, by_attacker)],
  'the attacker\'s certificate': [not_the_keys, token({ ...ec_header, x5c: ['MIIB'], x5u: 'https://attacker.example' }, claims, by_attacker)],
  // the header
  'crit': ['the header has crit', headed({ ...ec_header, crit: ['exp'], exp: 1 })],
  'crit empty': ['the header has crit', headed({ ...ec_header, crit: [] })],
  'b64 false': ['the header has b64', headed({ ...ec_header, b64: false })],
  'two alg': ['two members', headed('{"alg": "none", "alg": "ES256", "kid": "ec"}')],
  'two alg, one escaped': ['two members', headed('{"alg": "ES256", "\\u0061lg": "none", "kid": "ec"}')],
  'two kid': ['two members', headed('{"alg": "ES256", "kid": "rsa", "kid": "ec"}')],
  'header an array': ['not a JSON object', headed('["ES256"]')],
  'header not JSON': ['invalid JSON', headed("{'alg': 'ES256'}")],
  'header with a byte order mark': ['invalid JSON', headed('\ufeff{"alg": "ES256", "kid": "ec"}')],
  'header empty': ['invalid JSON', `.${good_payload}.${good_signature}`],
  // the signature
  'no signature': [not_the_keys, `${good_signed}.`],
  'signature of zeros': [not_the_keys, with_signature(good_signed, Buffer.alloc(64))],
  'r zero, s the order': [not_the_keys, with_signature(good_signed, Buffer.concat([Buffer.alloc(32), bytes32(order)]))],
  'r and s the order': [not_the_keys, with_signature(good_signed, Buffer.concat([bytes32(order), bytes32(order)]))],
  'signature in DER': [not_the_keys, token(ec_header, claims, (signed) => crypto.sign('sha256', signed, keys.ec))],
  'signature cut short': [not_the_keys, with_signature(good_signed, Buffer.from(good_signature, 'base64url').subarray(0, 61))],
  'signature with more after it': [not_the_keys, with_signature(good_signed, Buffer.concat([Buffer.from(good_signature, 'base64url'), Buffer.from('xxx')]))],
  'signature of another token': [not_the_keys, `${good_signed}.${changed({ sub: 'other' }).split('.')[2]}`],
  'payload of another token': [not_the_keys, `${good_header}.${b64(JSON.stringify({ ...claims, sub: 'other' }))}.${good_signature}`],
  'Ed25519 with s + L': [not_the_keys, token({ alg: 'EdDSA', kid: 'ed' }, claims, ed_malleable)],
  'Ed25519 of zeros': [not_the_keys, token({ alg: 'EdDSA', kid: 'ed' }, claims, () => Buffer.alloc(64))],
  // the form
  'empty': ['three parts', ''],
  'two parts': ['three parts', good_signed],
  'four parts': ['three parts', `${good_signed}.${good_signature}.${good_signature}`],
  'five parts, as an encrypted token': ['three parts', 'a.b.c.d.e'],
  'padded': ['not base64url', `${good_signed}.${good_signature}==`],
  'plain base64': ['not base64url', `${good_signed}.${Buffer.alloc(64, 0xfb).toString('base64').replace(/=+$/, '')}`],
  'bits that encode nothing': ['not base64url', `${good_signed}.${good_signature.slice(0, -1)}${good_signature.endsWith('B') ? 'C' : 'B'}`],
  'space before': ['not base64url', ` ${good_signed}.${good_signature}`],
  'line feed after': ['not base64url', `${good_signed}.${good_signature}\n`],
  'Bearer before': ['not base64url', `Bearer ${good_signed}.${good_signature}`],
  'more than 8 KB': ['larger than vrm.max_token_bytes', changed({ padding: 'x'.repeat(6200) })],
  // the payload
  'two sub': ['two members', says(`{"iss": "${issuer}", "aud": "${audience}", "exp": 4102444800, "sub": "a", "sub": "b"}`)],
  'two sub, one escaped': ['two members', says(`{"iss": "${issuer}", "aud": "${audience}", "exp": 4102444800, "sub": "a", "\\u0073ub": "b"}`)],
  'two members further down': ['two members', says(`{"iss": "${issuer}", "exp": 4102444800, "o": {"a": 1, "a": 2}}`)],
  'payload an array': ['not a JSON object', says([claims])],
  'payload a string': ['not a JSON object', says('"claims"')],
  'payload with text after it': ['invalid JSON', says(`${JSON.stringify(claims)}{}`)],
  'payload with a comment': ['invalid JSON', says(`/**/${JSON.stringify(claims)}`)],
  'payload nested deeply': ['invalid JSON', says(`{"exp": 4102444800, "a": ${'['.repeat(100)}${']'.repeat(100)}}`)],
  'payload not base64url': ['not base64url', (() => { const signed = `${good_header}.${JSON.stringify(claims).replaceAll('.', '_')}`; return with_signature(signed, es256(Buffer.from(signed))); })()],
  'escaped NUL in sub': ['NUL', says(`{"iss": "${issuer}", "aud": "${audience}", "exp": 4102444800, "sub": "${user}\\u0000"}`)],
  'NUL byte in the payload': ['not UTF-8', says(`${JSON.stringify(claims)}\0`)],
  'Latin-1 in the payload': ['not UTF-8', says(Buffer.concat([Buffer.from('{"exp": 4102444800, "a": "'), Buffer.from([0xe9]), Buffer.from('"}')]))],
  'overlong UTF-8 in the payload': ['not UTF-8', says(Buffer.concat([Buffer.from('{"exp": 4102444800, "a": "'), Buffer.from([0xc0, 0xa7]), Buffer.from('"}')]))],
  'lone surrogate': ['surrogate', says('{"exp": 4102444800, "a": "\\ud800"}')],
  // time
  'exp missing': ['claim exp is missing', without('exp')],
  'exp a string': ['claim exp is not a number', changed({ exp: '4102444800' })],
  'exp null': ['claim exp is not a number', changed({ exp: null })],
  'exp an array': ['claim exp is not a number', changed({ exp: [4102444800] })],
  'exp beyond numbers': ['too large for a double', says('{"exp": 1e400}')],
  'exp not a JSON number': ['invalid JSON', says('{"exp": Infinity}')],
  'exp long past': ['it has expired', changed({ exp: 1300819380 })],
  'exp zero': ['it has expired', changed({ exp: 0 })],
  'exp negative': ['it has expired', changed({ exp: -4102444800 })],
  'nbf in the future': ['it is not valid yet', changed({ nbf: 4102444000 })],
  'nbf a string': ['claim nbf is not a number', changed({ nbf: '0' })],
  'iat a string': ['claim iat is not a number', changed({ iat: 'today' })],
  // parties
  'iss wrong': ['another issuer', changed({ iss: 'https://attacker.example' })],
  'iss missing': ['another issuer', without('iss')],
  'iss with a slash more': ['another issuer', changed({ iss: `${issuer}/` })],
  'iss in an array': ['another issuer', changed({ iss: [issuer] })],
  'aud wrong': ['another audience', changed({ aud: 'anon' })],
  'aud missing': ['another audience', without('aud')],
  'aud among none': ['another audience', changed({ aud: [] })],
  'aud an object': ['another audience', changed({ aud: { [audience]: true } })],
  'aud that only begins so': ['another audience', changed({ aud: `${audience}x` })],
  // claims that make no identity
  'role of 64 bytes': ['cannot be used', changed({ role: 'r'.repeat(64) })],
  'role an array': ['cannot be used', changed({ role: ['authenticated'] })],
};

// --- out ----------------------------------------------------------------------------------------

const literal = (text) => `'${text.replaceAll("'", "''")}'`;
const escaped = (text) => (/[\n\\]/.test(text) ? `E${literal(text).replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}` : literal(text));
const rows = (table, lines) => `INSERT INTO ${table} VALUES\n${lines.join(',\n')};\n`;

console.log(`-- Made by mint.mjs, which says what each token is.
\\set issuer ${issuer}
\\set key_set '${JSON.stringify({ keys: Object.keys(keys).map(public_jwk) })}'
\\set secret_set '${JSON.stringify({ keys: [{ kid: 'shared', kty: 'oct', k: secret }] })}'
\\set hs256_token ${hs256_token}
\\set hs256_forged ${hs256_forged}
CREATE TEMP TABLE believed (name text PRIMARY KEY, token text);
CREATE TEMP TABLE refused (name text PRIMARY KEY, reason text, token text);
GRANT SELECT ON believed, refused TO PUBLIC;
${rows('believed', Object.entries(believed).map(([name, text]) => `(${literal(name)}, ${escaped(text)})`))}
${rows('refused', Object.entries(refused).map(([name, [reason, text]]) => `(${literal(name)}, ${literal(reason)}, ${escaped(text)})`))}`);
