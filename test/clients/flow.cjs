// A whole flow, from signing up to an export and signing out, through node-postgres and through
// postgres.js, one statement a call; prints what came of it, one "name: value" a line.
// usage: flow.cjs CONNECTION-URI URI-OF-THE-MAILER
const { Client, Pool } = require('pg');
const postgres = require('postgres');

const [uri, mailerUri] = process.argv.slice(2);
const password = 'correct horse battery';

// Each driver is a function that calls one function of the API.
function nodePostgres() {
  const pool = new Pool({ connectionString: uri, max: 2 });
  const query = async (sql, values) => (await pool.query(sql, values)).rows[0].answer;
  return {
    rpc: (token, name, given, key) =>
      query('SELECT vrm.rpc($1, $2, $3, $4) AS answer', [token, name, JSON.stringify(given), key]),
    batch: (token, calls) => query('SELECT vrm.rpc_batch($1, $2) AS answer', [token, JSON.stringify(calls)]),
    end: () => pool.end(),
  };
}

function postgresJs() {
  const { hostname: host, port, pathname, username } = new URL(uri.replace('@/', '@localhost/'));
  const socket = new URL(uri.replace('@/', '@localhost/')).searchParams;
  const sql = postgres({ host: socket.get('host') || host, port: socket.get('port') || port, max: 2,
    database: pathname.slice(1), username, prepare: false });
  return {
    rpc: async (token, name, given, key = null) =>
      (await sql`SELECT vrm.rpc(${token}, ${name}, ${sql.json(given)}, ${key}) AS answer`)[0].answer,
    batch: async (token, calls) => (await sql`SELECT vrm.rpc_batch(${token}, ${sql.json(calls)}) AS answer`)[0].answer,
    end: () => sql.end(),
  };
}

async function mailed(address) {
  const mailer = new Client({ connectionString: mailerUri });
  await mailer.connect();
  const { rows } = await mailer.query('SELECT email, token FROM vrm.take_sign_up_mail()');
  await mailer.end();
  return rows.find((row) => row.email === address).token;
}

async function flow(name, driver) {
  let trips = 0;
  let token = null;
  const email = `${name}@example.org`;
  const answered = ({ result, error }) => {
    trips += 1;
    if (error) throw new Error(error.reason);
    return result;
  };
  const call = async (functionName, given = {}, key = null) =>
    answered(await driver.rpc(token, functionName, given, key));

  await call('sign_up', { email, password });
  await call('confirm_sign_up', { token: await mailed(email), password });
  const session = await call('sign_in', { email, password });
  token = session.access_token;
  const [agent] = answered(await driver.batch(token, [
    { function: 'create_agent', arguments: { agent_id: 'reception' }, key: 'first' },
    { function: 'store_api_key', arguments: { service: 'openai', key: 'sk-live-0123456789abcdef' } }]));
  const again = await call('create_agent', { agent_id: 'reception' }, 'first');
  const run = await call('start_test_run', { agent_id: agent, time_limit: 90 });
  await call('begin_test_run', { run_id: run });
  await call('append_turns', { run_id: run, turns: [
    { speaker: 'Agent', message: 'Hello', at: 0 }, { speaker: 'Customer', message: 'A table, please', at: 2.5 }] });
  await call('complete_test_run', { run_id: run, results: { duration: '0:30' } });
  const [history, dashboard] = answered(await driver.batch(token, [{ function: 'call_history' }, { function: 'user_dashboard' }]));
  const exported = await call('export_user_data');
  await call('session_revoke', { session_id: session.session_id });
  const afterwards = await call('call_history').catch((error) => error.message);

  console.log(`${name} answers a repeated call: ${again === agent}`);
  console.log(`${name} calls: ${history[0].status} ${dashboard.calls} ${dashboard.average_duration}`);
  console.log(`${name} exports: ${exported.some((row) => row.relation === 'vrm.test_runs')}`);
  console.log(`${name} afterwards: ${afterwards}`);
  console.log(`${name} round trips: ${trips}`);
  await driver.end();
}

async function main() {
  await flow('node-postgres', nodePostgres());
  await flow('postgres.js', postgresJs());
}
main().catch((error) => console.error(error));
