// Asks schema vrm_api as PostGraphile 5 makes GraphQL of it, as two people by turns, as nobody and with a bad
// token; prints the answers, one "name: value" a line.  PostGraphile knows nothing of tokens here: it sets
// vrm.token for the transaction, and the database verifies it.
// usage: postgraphile.cjs CONNECTION-URI TOKEN TOKEN
require('./node_22.cjs');
const { postgraphile } = require('postgraphile');
const { makePgService } = require('postgraphile/adaptors/pg');
const { grafast } = require('postgraphile/grafast');
const { PostGraphileAmberPreset } = require('postgraphile/presets/amber');

const [uri, first, second] = process.argv.slice(2);
const pgl = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: uri, schemas: ['vrm_api'] })],
  grafast: { context: ({ token }) => ({ pgSettings: { role: 'authenticated', 'vrm.token': token ?? '' } }) },
});

async function main() {
  const { schema, resolvedPreset } = await pgl.getSchemaResult();
  const ask = async (source, token) => {
    const { data, errors } = await grafast({ schema, resolvedPreset, source, requestContext: { token } });
    return errors ? errors.map((error) => error.message).join(', ') : data;
  };
  const agents = async (token) => {
    const data = await ask('{ allAgents { nodes { agentId } } }', token);
    if (typeof data === 'string') return data;
    return data.allAgents.nodes.map((node) => node.agentId).sort().join(',') || 'none';
  };

  const mutations = Object.keys(schema.getMutationType().getFields());
  const queries = Object.keys(schema.getQueryType().getFields());
  const wanted = ['signIn', 'signUp', 'storeApiKey', 'replaceApiKey', 'consumePasswordReset', 'addAgent', 'createAgent',
    'removeAgent', 'writeLog'].filter((name) => !mutations.includes(name));
  wanted.push(...['callStatistics', 'statisticsByAgent', 'statisticsByBucket'].filter((name) => !queries.includes(name)));
  console.log(`missing: ${wanted.join(' ') || 'nothing'}`);

  const people = [first, second, null];
  const seen = people.map(() => new Set());
  await Promise.all(Array.from({ length: 60 }, (_, i) =>
    agents(people[i % 3]).then((answer) => seen[i % 3].add(answer))));
  console.log(`first sees: ${[...seen[0]]}`);
  console.log(`second sees: ${[...seen[1]]}`);
  console.log(`nobody sees: ${[...seen[2]]}`);
  console.log(`a bad token: ${await agents(first.slice(0, -8))}`);
  const made = await ask('mutation { addAgent(input: {agentId: "by GraphQL"}) { result } }', second);
  console.log(`made: ${typeof made === 'string' ? made : typeof made.addAgent.result}`);
  console.log(`second sees then: ${await agents(second)}`);
  await pgl.release();
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
