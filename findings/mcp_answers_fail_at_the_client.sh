#!/bin/sh
# An answer of a tool passes the server's check, and not the client's of the same package.
#
# To expect: the MCP SDK for JavaScript checks what a tool answers against the schema that the tool
#   was registered with, at the server, and against the same schema as it was published, at the
#   client. What is valid for the one is valid for the other.
# Seen (@modelcontextprotocol/sdk 1.32.2 with zod 3.25.76, zod-to-json-schema 3.25.2, ajv 8.20.0 and
#   ajv-formats 3.0.1, 2026-12):
#   - A price in steps of 0.01: 19.5 arrives, 19.99 and 0.07 are "not a multiple" at the client
#     alone, which divides binary fractions.
#   - A time of day: the server wants none with a zone, the published "format": "time" of RFC 3339
#     none without one. There is no value that arrives.
#   - A duration: PT1.5S is valid at the server alone.
#   With zod 4 the time of day is published as a pattern, and well; the other two stay.
# It matters because a tool that quotes a price or a free appointment works in the tests of the
#   server, with another client, and at most prices; then callTool throws after the booking was
#   made, and the agent tells the caller that it failed, or books once more.
set -eu
command -v npm >/dev/null || { echo 'SKIP: needs node and npm'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
timeout 90 npm install --prefix "$tmp" --no-audit --no-fund --ignore-scripts \
    @modelcontextprotocol/sdk@1.32.2 zod@3.25.76 \
    zod-to-json-schema@3.25.2 ajv@8.20.0 ajv-formats@3.0.1 >"$tmp/log" 2>&1 ||
    { tail -n 3 "$tmp/log"; echo 'SKIP: the packages cannot be had'; exit 77; }
cd "$tmp"

timeout 60 node - <<'EOF'
function check(what, seen, expected) {
    console.log(`${what}: ${seen}`);
    if (String(seen) === String(expected)) return;
    console.error(`CHANGED: ${what} was ${expected} when this was written`);
    process.exit(1);
}
const { McpServer } = require('@modelcontextprotocol/sdk/server/mcp.js');
const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
const { InMemoryTransport } = require('@modelcontextprotocol/sdk/inMemory.js');
const { z } = require('zod');
const outputSchema = {
    price: z.number().multipleOf(0.01).optional(),
    time: z.string().time().optional(),
    hold: z.string().duration().optional(),
};
let answer;
const server = new McpServer({ name: 'appointments', version: '1' });
server.registerTool('book', { inputSchema: {}, outputSchema }, async () => (
    { content: [], structuredContent: answer }));
(async () => {
    const client = new Client({ name: 'agent', version: '1' });
    const [one, other] = InMemoryTransport.createLinkedPair();
    await Promise.all([server.connect(one), client.connect(other)]);
    const { tools: [{ outputSchema: { properties } }] } = await client.listTools();
    check('published', JSON.stringify(properties.time), '{"type":"string","format":"time"}');
    async function refusedBy(value) {
        answer = value;
        try {
            const { isError, structuredContent } = await client.callTool({ name: 'book' });
            return isError ? 'the server' : `nobody, ${JSON.stringify(structuredContent)}`;
        } catch (error) {
            return `the client, ${error.message.match(/must .*/)[0]}`;
        }
    }
    const time = 'the client, must match format "time"';
    const multiple = 'the client, must be multiple of 0.01';
    check('19.5 is refused by', await refusedBy({ price: 19.5 }), 'nobody, {"price":19.5}');
    check('19.99 is refused by', await refusedBy({ price: 19.99 }), multiple);
    check('0.07 is refused by', await refusedBy({ price: 0.07 }), multiple);
    check('0.075 is refused by', await refusedBy({ price: 0.075 }), 'the server');
    check('09:00:00 is refused by', await refusedBy({ time: '09:00:00' }), time);
    check('09:00:00Z is refused by', await refusedBy({ time: '09:00:00Z' }), 'the server');
    check('PT1S is refused by', await refusedBy({ hold: 'PT1S' }), 'nobody, {"hold":"PT1S"}');
    check('PT1.5S is refused by', await refusedBy({ hold: 'PT1.5S' }),
        'the client, must match format "duration"');
    process.exit();
})();
EOF
