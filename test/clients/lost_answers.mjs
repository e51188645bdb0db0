// A typed client whose token has expired, over a line that loses first answers; prints what came of it, one
// "name: value" a line.  usage: lost_answers.mjs EXPIRED-TOKEN REFRESH-TOKEN
import pg from 'pg';
import { createClient, nodePostgres } from 'vrm-client';

const [access_token, refresh_token] = process.argv.slice(2);
const pool = new pg.Pool();
const line = nodePostgres(pool);
const lost = new Set();
const query = async (statement, parameters) => {
  const answer = await line(statement, parameters);
  const name = parameters[1];
  if (['create_agent', 'call_history', 'sign_in'].includes(name) && !answer.error && !lost.has(name)) {
    lost.add(name);
    throw new Error(`no answer to ${name}`);
  }
  return answer;
};
let renewals = 0;
const vrm = createClient({ query, tokens: { access_token, refresh_token }, onTokens: () => { renewals += 1; } });
const [history, keys] = await Promise.all([vrm.call_history({ page_size: 1 }), vrm.list_api_keys()]);
console.log(`read: ${Array.isArray(history)} ${Array.isArray(keys)}`);
console.log(`renewals: ${renewals}`);
const agent = await vrm.create_agent({ agent_id: 'lost by TypeScript' });
console.log(`made once: ${typeof agent}`);
await vrm.sign_in({ email: 'erin@example.org', password: 'correct horse battery' })
  .catch((error) => console.log(`not sent again: ${error.message}`));
await vrm.$batch([['create_agent', { agent_id: 'undone' }], ['delete_agent', { agent_id: history[0].id }]])
  .catch((error) => console.log(`batch: ${error.reason} ${error.call}`));
vrm.$use({ access_token, refresh_token: null });
await vrm.call_history().catch((error) => console.log(`no renewal: ${error.reason}`));
await pool.end();
