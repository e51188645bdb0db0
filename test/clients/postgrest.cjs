// Answers HTTP requests with the statements that PostgREST 12 to 14 sends for them: settings of the
// transaction, db-pre-request, one statement with pgrst_source, all with parameters.  Knows as much of
// its language as the tests need, and reads the catalog for it as its schema cache does.
// usage: postgrest.cjs CONNECTION-URI VERSION [PRE-REQUEST]; prints the port, then what it has read.
const { createHash } = require('crypto');
const http = require('http');
const { Pool } = require('pg');

const [uri, versionText, preRequest] = process.argv.slice(2);
const version = Number(versionText);
const schema = 'vrm_api';
const pool = new Pool({ connectionString: uri, max: 4 });
const quote = (name) => `"${name.replace(/"/g, '""')}"`;
const qualified = (name) => `"${schema}".${quote(name)}`;
const list = (names, format = quote) => names.map(format).join(', ');

// --- schema cache: relations with the types of their columns, routines, computed relationships ------

const cacheQueries = {
  relations: `
    SELECT c.relname AS name, c.relkind IN ('v', 'm') AS is_view, pg_relation_is_updatable(c.oid, true) & 8 = 8 AS takes_rows,
           jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'v', 'm', 'f', 'p') GROUP BY c.oid`,
  routines: `
    SELECT p.proname AS name, p.proretset AS is_set, p.provolatile AS volatility,
           t.typtype = 'c' OR coalesce(p.proargmodes::text[] && '{t,b,o}', false) AS is_composite,
           coalesce((SELECT jsonb_object_agg(a.name, format_type(a.type, NULL))
                     FROM unnest(p.proargnames, p.proargtypes::oid[]) AS a (name, type)
                     WHERE a.type IS NOT NULL AND a.name IS NOT NULL), '{}') AS arguments
    FROM pg_proc p JOIN pg_type t ON t.oid = p.prorettype
    WHERE p.pronamespace = $1::regnamespace AND p.prokind = 'f' AND t.oid <> 'trigger'::regtype`,
  relationships: `
    SELECT a.typname AS relation, p.proname AS name, r.relname AS target, NOT p.proretset OR p.prorows = 1 AS is_one
    FROM pg_proc p JOIN pg_type a ON a.oid = p.proargtypes[0] AND a.typtype = 'c'
    JOIN pg_type t ON t.oid = p.prorettype JOIN pg_class r ON r.oid = t.typrelid
    WHERE p.pronamespace = $1::regnamespace AND p.pronargs = 1 AND a.typnamespace = p.pronamespace`,
  keys: `
    SELECT v.relname AS view, b.relname AS base, k.contype, k.conname
    FROM pg_class v JOIN pg_rewrite r ON r.ev_class = v.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class b ON b.oid = d.refobjid AND b.oid <> v.oid
    JOIN pg_constraint k ON k.conrelid = b.oid AND k.contype IN ('p', 'f')
    WHERE v.relnamespace = $1::regnamespace GROUP BY 1, 2, 3, 4`,
};
const cache = {};
async function readCache() {
  for (const [name, query] of Object.entries(cacheQueries)) cache[name] = (await pool.query(query, [schema])).rows;
}
const relation = (name) => cache.relations.find((row) => row.name === name) ?? fail(404, `no relation ${name}`);
const columnType = (name, column) => relation(name).columns[column] ?? fail(400, `no column ${column}`);

function fail(status, message) {
  throw Object.assign(new Error(message), { status });
}

// --- statements --------------------------------------------------------------------------------------

// "a,b,c(d,e)" as [{name}, {name, select: [...]}]
function parseSelect(text) {
  const items = [];
  let place = 0;
  const read = (into) => {
    while (place < text.length && text[place] !== ')') {
      const name = /^[a-z_0-9*]+/.exec(text.slice(place))[0];
      place += name.length;
      const item = { name };
      into.push(item);
      if (text[place] === '(') {
        place += 1;
        item.select = [];
        read(item.select);
        place += 1;
      }
      if (text[place] === ',') place += 1;
    }
  };
  read(items);
  return items;
}

// alias: how the rows are called inside the statement; source: FROM what
function readQuery(name, select, alias, source, where) {
  const joins = [];
  const columns = select.map((item) => {
    if (!item.select) return item.name === '*' ? `${alias}.*` : `${alias}.${quote(item.name)}`;
    const found = cache.relationships.find((row) => row.relation === name && row.name === item.name)
      ?? fail(400, `no relationship ${name} ${item.name}`);
    const inner = quote(`${name}_${item.name}_1`);
    const sub = readQuery(found.target, item.select, quote(item.name),
      `${qualified(item.name)}(${quote(name)}::${qualified(name)})`, '');
    if (found.is_one) {
      joins.push(`LEFT JOIN LATERAL ( ${sub} ) AS ${inner} ON TRUE`);
      return `row_to_json(${inner}.*)::jsonb AS ${quote(item.name)}`;
    }
    joins.push(`LEFT JOIN LATERAL ( SELECT json_agg(${inner})::jsonb AS ${inner} FROM (${sub} ) AS ${inner} ) AS ${inner} ON TRUE`);
    return `COALESCE( ${inner}.${inner}, '[]') AS ${quote(item.name)}`;
  });
  return `SELECT ${columns.join(', ')} FROM ${source} ${joins.join(' ')} ${where}`;
}

const responses = `nullif(current_setting('response.headers', true), '') AS response_headers, `
  + `nullif(current_setting('response.status', true), '') AS response_status`;
const main = (source, body, from) => `WITH pgrst_source AS ( ${source} ) SELECT null::bigint AS total_result_set, `
  + `pg_catalog.count(_postgrest_t) AS page_total, ${body} AS body, ${responses}, '' AS response_inserted FROM ( ${from} ) _postgrest_t`;
const arrayBody = `coalesce(json_agg(_postgrest_t), '[]')`;

function filters(name, query, parameters) {
  const operators = { eq: '=', neq: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=', like: 'LIKE' };
  const terms = [];
  for (const [column, value] of query) {
    if (['select', 'on_conflict', 'columns', 'order', 'limit'].includes(column)) continue;
    const [, operator, literal] = /^(\w+)\.(.*)$/s.exec(value);
    columnType(name, column);
    parameters.push(literal);
    terms.push(` ${qualified(name)}.${quote(column)} ${operators[operator]} $${parameters.length}`);
  }
  return terms.length ? `WHERE ${terms.join(' AND ')}` : '';
}

function read(name, query) {
  const parameters = [];
  const select = parseSelect(query.get('select') ?? '*');
  const where = filters(name, query, parameters);
  return [main(readQuery(name, select, qualified(name), qualified(name), where), arrayBody, 'SELECT * FROM pgrst_source'), parameters];
}

// What a JSON body gives, as a row or as rows of the types that the cache knows.
function bodyRows(body, types, limit) {
  const names = Object.keys(types);
  const record = Array.isArray(body) ? 'json_to_recordset' : 'json_to_record';
  return `(SELECT $1::json AS json_data) pgrst_payload, LATERAL (SELECT ${list(names)} FROM ${record}(pgrst_payload.json_data)`
    + ` AS _(${names.map((name) => `${quote(name)} ${types[name]}`).join(', ')}) ${limit}) pgrst_body`;
}

function insert(name, query, body, merges) {
  const names = (query.get('columns')?.replace(/"/g, '').split(',')) ?? Object.keys(Array.isArray(body) ? body[0] : body);
  const types = Object.fromEntries(names.map((column) => [column, columnType(name, column)]));
  const counted = (sign, start) => `set_config('pgrst.inserted', (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)`
    + ` ${sign} 1)::text, true) <> '${start}'`;
  const counts = version >= 13 && merges;
  const keys = query.get('on_conflict')?.split(',');
  const conflict = keys && merges
    ? ` ON CONFLICT(${list(keys)}) DO UPDATE SET ${list(names, (column) => `${quote(column)} = EXCLUDED.${quote(column)}`)}`
      + (counts ? ` WHERE ${counted('-', '-1')}` : '') : '';
  const select = parseSelect(query.get('select') ?? '*');
  const source = `INSERT INTO ${qualified(name)}(${list(names)}) SELECT ${list(names, (column) => `pgrst_body.${quote(column)}`)} `
    + `FROM ${bodyRows(body, types, '')} ${counts ? `WHERE ${counted('+', '0')}` : ''}${conflict} RETURNING `
    + list(select.map((item) => item.name), (column) => `${qualified(name)}.${column === '*' ? '*' : quote(column)}`);
  return [main(source, arrayBody, readQuery(name, select, quote(name), `pgrst_source AS ${quote(name)}`, '')), [JSON.stringify(body)]];
}

function call(name, body) {
  const names = Object.keys(body);
  const routine = cache.routines.find((row) => row.name === name && names.every((argument) => argument in row.arguments))
    ?? fail(404, `no function ${name}(${names})`);
  const types = Object.fromEntries(names.map((argument) => [argument, routine.arguments[argument]]));
  const given = list(names, (argument) => `${quote(argument)} := pgrst_body.${quote(argument)}`);
  const from = names.length ? `${bodyRows(body, types, 'LIMIT 1')}, LATERAL ` : '';
  const source = routine.is_composite
    ? `SELECT pgrst_call.* FROM ${from}${qualified(name)}(${given}) pgrst_call`
    : `SELECT pgrst_call.pgrst_scalar FROM ${from}(SELECT ${qualified(name)}(${given}) pgrst_scalar) pgrst_call`;
  const rows = routine.is_composite ? '_postgrest_t' : '_postgrest_t.pgrst_scalar';
  const result = routine.is_set ? `coalesce(json_agg(${rows}), '[]')` : `json_agg(${rows})->0`;
  return [main(source, result, `SELECT ${quote(name)}.* FROM pgrst_source AS ${quote(name)}`), names.length ? [JSON.stringify(body)] : []];
}

// --- requests ----------------------------------------------------------------------------------------

async function run(request, path, statement, parameters) {
  const bearer = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
  const claims = bearer ? JSON.parse(Buffer.from(bearer.split('.')[1], 'base64url')) : {};
  const role = claims.role ?? 'anon';
  const client = await pool.connect();
  try {
    await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED READ ${request.method === 'GET' ? 'ONLY' : 'WRITE'}`);
    await client.query(
      `select set_config('search_path', $1, true), set_config('role', $2, true), set_config('request.jwt.claims', $3, true), `
      + `set_config('request.method', $4, true), set_config('request.path', $5, true), set_config('request.headers', $6, true), `
      + `set_config('request.cookies', $7, true)`,
      [`"${schema}", "public"`, role, JSON.stringify({ ...claims, role }), request.method, path, JSON.stringify(request.headers), '{}']);
    if (preRequest) await client.query(`select ${preRequest}()`);
    // prepared, as PostgREST does unless db-prepared-statements is off
    const named = createHash('sha1').update(statement).digest('hex');
    const { rows: [row] } = await client.query({ name: named, text: statement, values: parameters });
    await client.query('COMMIT');
    return { status: row.response_status ? Number(row.response_status) : 200, body: row.body };
  } catch (error) {
    await client.query('ROLLBACK');
    if (!error.code) throw error;
    const custom = /^PT(\d{3})$/.exec(error.code);
    const status = custom ? Number(custom[1]) : error.code === '42501' ? (role === 'anon' ? 401 : 403)
      : error.code === '23505' || error.code === '23503' ? 409 : /^(22|23)/.test(error.code) ? 400 : 500;
    return { status, body: { code: error.code, message: error.message, details: error.detail ?? null, hint: error.hint ?? null } };
  } finally {
    client.release();
  }
}

async function answer(request, text) {
  const { pathname: path, searchParams: query } = new URL(request.url, 'http://localhost');
  const name = path.replace(/^\/(rpc\/)?/, '');
  const body = text === '' ? {} : JSON.parse(text);
  const merges = /resolution=merge-duplicates/.test(request.headers.prefer ?? '');
  const [statement, parameters] = path.startsWith('/rpc/') ? call(name, body)
    : request.method === 'POST' ? insert(name, query, body, merges) : read(name, query);
  return run(request, path, statement, parameters);
}

const server = http.createServer((request, response) => {
  let text = '';
  request.on('data', (part) => { text += part; });
  request.on('end', () => answer(request, text)
    .catch((error) => ({ status: error.status ?? 500, body: { code: 'PGRST', message: error.message } }))
    .then(({ status, body }) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(body ?? null));
    }));
});
readCache().then(() => server.listen(0, '127.0.0.1', () => {
  console.log(server.address().port);
  console.log(Object.entries(cache).map(([name, rows]) => `${name} ${rows.length}`).join(' '));
}));
