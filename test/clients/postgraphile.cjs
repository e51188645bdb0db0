// Serves the schema vrm as GraphQL and asks it as two people, as nobody and with a bad token;
// prints the answers, one "name: value" a line.  PostGraphile knows nothing of tokens here: it sets
// vrm.token for the transaction, and the database verifies it.
// usage: postgraphile.cjs CONNECTION-URI TOKEN TOKEN
const http = require('http');
const { postgraphile } = require('postgraphile');

const [uri, first, second] = process.argv.slice(2);
const middleware = postgraphile(uri, 'vrm', {
  disableQueryLog: true,
  ignoreRBAC: false,
  disableDefaultMutations: true, // the functions of the API are the mutations
  pgSettings: (request) => {
    const token = (request.headers.authorization || '').replace(/^Bearer /, '');
    return { role: 'authenticated', 'vrm.token': token };
  },
});
const server = http.createServer(middleware);

async function ask(query, token) {
  const response = await fetch(`http://127.0.0.1:${server.address().port}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  return errors ? errors.map((error) => error.message).join(', ') : data;
}

async function agents(token) {
  const data = await ask('{ allAgents { nodes { agentId } } }', token);
  if (typeof data === 'string') return data;
  return data.allAgents.nodes.map((node) => node.agentId).sort().join(',') || 'none';
}

async function main() {
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const people = [first, second, null];
  const seen = people.map(() => new Set());
  await Promise.all(Array.from({ length: 60 }, (_, i) =>
    agents(people[i % 3]).then((answer) => seen[i % 3].add(answer))));
  console.log(`first sees: ${[...seen[0]]}`);
  console.log(`second sees: ${[...seen[1]]}`);
  console.log(`nobody sees: ${[...seen[2]]}`);
  console.log(`a bad token: ${await agents(first.slice(0, -8))}`);
  const made = await ask('mutation { createAgent(input: {agentId: "by GraphQL"}) { uuid } }', second);
  console.log(`made: ${typeof made === 'string' ? made : typeof made.createAgent.uuid}`);
  console.log(`second sees then: ${await agents(second)}`);
  server.close();
  process.exit(0);
}
main();
