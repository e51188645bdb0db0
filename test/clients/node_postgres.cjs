// Many requests of two people at once through node-postgres; prints what each saw, one
// "name: value" a line.  usage: node_postgres.cjs CONNECTION-URI TOKEN TOKEN
const { Pool } = require('pg');

const [uri, first, second] = process.argv.slice(2);
const pool = new Pool({ connectionString: uri, max: 8 });

async function request(token, work) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    if (token) await client.query('SELECT vrm.login($1)', [token]);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function agents(client) {
  const { rows } = await client.query('SELECT agent_id FROM vrm.agents WHERE agent_id <> $1', ['']);
  return rows.map((row) => row.agent_id).join(',') || 'none';
}

async function main() {
  const people = [first, second, null];
  const seen = people.map(() => new Set());
  const requests = Array.from({ length: 120 }, (_, i) =>
    request(people[i % 3], agents).catch((error) => error.message).then((answer) => seen[i % 3].add(answer)));
  await Promise.all(requests);
  console.log(`first sees: ${[...seen[0]]}`);
  console.log(`second sees: ${[...seen[1]]}`);
  console.log(`nobody sees: ${[...seen[2]]}`);
  await request(first.slice(0, -8), agents).catch((error) =>
    console.log(`a bad token: ${error.code} ${error.message} ${error.detail} ${error.hint}`));
  const { rows } = await pool.query('SELECT vrm.uid() AS uid');
  console.log(`afterwards: ${rows[0].uid}`);
  await pool.end();
}
main();
