// Serves schema vrm_api as GraphQL and goes through a flow with it: signing in, an agent, a call, its
// history; prints what came of it, one "name: value" a line.
// usage: postgraphile_api.cjs CONNECTION-URI EMAIL PASSWORD
const http = require('http');
const { postgraphile } = require('postgraphile');

const [uri, email, password] = process.argv.slice(2);
const middleware = postgraphile(uri, 'vrm_api', {
  disableQueryLog: true,
  ignoreRBAC: false,
  extendedErrors: ['errcode'],
  pgSettings: (request) => {
    const token = (request.headers.authorization || '').replace(/^Bearer /, '');
    return { role: token ? 'authenticated' : 'anon', 'vrm.token': token, 'vrm.http_errors': 'on' };
  },
});
const server = http.createServer(middleware);

async function ask(token, query, variables) {
  const response = await fetch(`http://127.0.0.1:${server.address().port}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors.map((error) => error.errcode || error.message).join(', '));
  return data;
}

async function main() {
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { __schema: schema } = await ask(null, '{ __schema { mutationType { fields { name } } queryType { fields { name } } } }');
  const mutations = schema.mutationType.fields.map((field) => field.name);
  const wanted = ['signIn', 'signUp', 'storeApiKey', 'replaceApiKey', 'consumePasswordReset', 'addAgent', 'createAgent',
    'removeAgent', 'writeLog'];
  console.log(`missing mutations: ${wanted.filter((name) => !mutations.includes(name)).join(' ') || 'none'}`);
  const queries = schema.queryType.fields.map((field) => field.name);
  const statistics = ['callStatistics', 'statisticsByAgent', 'statisticsByBucket'];
  console.log(`missing queries: ${statistics.filter((name) => !queries.includes(name)).join(' ') || 'none'}`);

  const { signIn } = await ask(null, `mutation ($email: String!, $password: String!) {
    signIn(input: { email: $email, password: $password }) { result { status accessToken } } }`, { email, password });
  const token = signIn.result.accessToken;
  console.log(`signed in: ${signIn.result.status}`);
  const { addAgent } = await ask(token, 'mutation { addAgent(input: { agentId: "by GraphQL", direction: "inbound" }) { uuid } }');
  const { startTestRun } = await ask(token, `mutation ($agent: UUID!) {
    startTestRun(input: { agentId: $agent, timeLimit: 90 }) { uuid } }`, { agent: addAgent.uuid });
  const run = startTestRun.uuid;
  await ask(token, 'mutation ($run: UUID!) { beginTestRun(input: { runId: $run }) { clientMutationId } }', { run });
  await ask(token, `mutation ($run: UUID!) {
    appendTranscript(input: { runId: $run, speaker: "Agent", message: "Hello", at: 1.5 }) { clientMutationId } }`, { run });
  await ask(token, 'mutation ($run: UUID!) { completeTestRun(input: { runId: $run }) { clientMutationId } }', { run });
  const { callHistory, allAgents } = await ask(token, '{ callHistory { nodes { status agent } } allAgents { nodes { agentId } } }');
  console.log(`history: ${callHistory.nodes.map((call) => `${call.agent} ${call.status}`)}`);
  console.log(`agents: ${allAgents.nodes.map((agent) => agent.agentId)}`);
  await ask(token, 'mutation ($run: UUID!) { beginTestRun(input: { runId: $run }) { clientMutationId } }', { run })
    .catch((error) => console.log(`a call that has ended: ${error.message}`));
  server.close();
  process.exit(0);
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
