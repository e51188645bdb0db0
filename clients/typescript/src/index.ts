// A typed client of vrm: functions of the database as methods, through whatever driver there is.
import { clientOf, type Answer, type Api, type Controls, type Options, type Query } from './runtime.js';
import { traits, type Functions } from './functions.js';

export * from './runtime.js';
export * from './functions.js';

export type Client = Api<Functions> & Controls<Functions>;

export function createClient(options: Options): Client {
  return clientOf<Functions>(traits, options);
}

/** Through node-postgres: a Pool, or a Client. */
export function nodePostgres(
  pool: { query(text: string, values: (string | null)[]): Promise<{ rows: { answer: Answer }[] }> },
): Query {
  return async (statement, parameters) => (await pool.query(statement, parameters)).rows[0]!.answer;
}

/** Through postgres.js; behind PgBouncer before 1.21 it has to be made with prepare: false. */
export function postgresJs(
  sql: { unsafe(text: string, values: (string | null)[]): PromiseLike<readonly unknown[]> },
): Query {
  return async (statement, parameters) => {
    const [row] = await sql.unsafe(statement, parameters);
    return (row as { answer: Answer }).answer;
  };
}
