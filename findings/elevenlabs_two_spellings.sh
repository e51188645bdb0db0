#!/bin/sh
# One SDK spells the same conversation in two ways.
#
# To expect: the official SDK of ElevenLabs gives a conversation in one shape, whether it was asked
#   for or came as a webhook that the SDK has verified.
# Seen (@elevenlabs/elevenlabs-js 2.73.0, 2026-11): what is asked for is translated: names become
#   camelCase, and a null becomes undefined, so that JSON.stringify drops it. A field that the SDK
#   does not know yet keeps its snake_case between the others. The verified webhook is plain parsed
#   JSON: snake_case, nulls kept. Neither resembles the other when it is stored again.
# It matters because an import that reads stored conversations finds no id, no times and no
#   transcript in the one or in the other, and "analysed, but empty" cannot be told from "unknown".
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"
# Of its 23,000 files, which take a minute to write, a quarter is what Node runs.
package=node_modules/@elevenlabs/elevenlabs-js
{ timeout 60 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
      node-fetch@2.7.0 command-exists@1.2.9 ws@8.18.3 &&
  timeout 60 npm pack @elevenlabs/elevenlabs-js@2.73.0; } >log 2>&1 ||
    { tail -n 3 log; echo 'SKIP: the packages cannot be had'; exit 77; }
mkdir -p "$package"
tar -xzf elevenlabs*.tgz -C "$package" --strip-components=1 \
    --exclude='*.d.ts' --exclude=package/dist

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { createHmac } = require('node:crypto');
const { createServer } = require('node:http');
const { ElevenLabsClient } = require('@elevenlabs/elevenlabs-js');
const conversation = {
    agent_id: 'agent_1', conversation_id: 'conv_81', status: 'done', user_id: null,
    has_audio: true, has_user_audio: true, has_response_audio: true, has_auxiliary_audio: false,
    transcript: [{ role: 'agent', message: 'Hello.', time_in_call_secs: 2 }],
    metadata: { start_time_unix_secs: 1767949200, call_duration_secs: 22 },
    analysis: null, field_of_tomorrow: 1,
};
const stored = (object) => JSON.parse(JSON.stringify(object));
const names = (object) => Object.keys(stored(object)).sort().join(' ');
const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(conversation));
}).listen(0, '127.0.0.1', async () => {
    const baseUrl = `http://127.0.0.1:${server.address().port}`;
    const client = new ElevenLabsClient({ apiKey: 'key', baseUrl });
    const asked = await client.conversationalAi.conversations.get('conv_81');
    server.close();

    const body = JSON.stringify({ type: 'post_call_transcription', data: conversation });
    const now = Math.floor(Date.now() / 1000);
    const digest = createHmac('sha256', 'secret').update(`${now}.${body}`).digest('hex');
    const event = await client.webhooks.constructEvent(body, `t=${now},v0=${digest}`, 'secret');

    check('asked for', names(asked), 'agentId conversationId field_of_tomorrow hasAudio '
        + 'hasAuxiliaryAudio hasResponseAudio hasUserAudio metadata status transcript');
    check('a turn asked for', names(asked.transcript[0]), 'message role timeInCallSecs');
    check('came as a webhook', names(event.data), 'agent_id analysis conversation_id '
        + 'field_of_tomorrow has_audio has_auxiliary_audio has_response_audio has_user_audio '
        + 'metadata status transcript user_id');
    check('a turn of the webhook', names(event.data.transcript[0]),
        'message role time_in_call_secs');
});
EOF
