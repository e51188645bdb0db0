// Calls functions of vrm, each in one statement: vrm.rpc() with the token and the arguments as
// parameters.  Renews the token when it has expired, and sends a call again that may have got lost:
// what only reads as it is, what adds something with a key, so that it happens once.

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
/** 018f0000-0000-7000-8000-000000000001 */
export type Uuid = string;
/** ISO 8601 with a time zone, or a day */
export type Timestamp = string;
/** a duration */
export type Seconds = number;

/** What went wrong; `reason` is what a program looks at. */
export interface Failure {
  code: string;
  reason: string;
  message: string;
  detail: string | null;
  hint: string | null;
  /** which call of a batch, from 0 */
  call?: number;
}

export interface Answer {
  result?: unknown;
  error?: Failure;
}

/** Runs one statement with $1, $2 ... and gives the column "answer" of its row. */
export type Query = (statement: string, parameters: (string | null)[]) => Promise<Answer>;

export interface Tokens {
  access_token: string;
  refresh_token: string | null;
}

export interface Options {
  query: Query;
  /** from an earlier session, or from who has signed the person in */
  tokens?: Tokens | null;
  /** told of each new pair of tokens, and of null when the session has ended: keep them there */
  onTokens?: (tokens: Tokens | null) => void;
  /** how often a call is sent at most; 3 by default */
  attempts?: number;
}

/** reads: changes nothing; once: may come with a key; plain: is sent once. */
export type Trait = 'reads' | 'once' | 'plain';

interface Signature {
  arguments: object;
  result: unknown;
}
export type Signatures<F> = { [N in keyof F]: Signature };

/** Arguments need not be there where all have defaults. */
type Given<A> = {} extends A ? [given?: A] : [given: A];
export type Api<F extends Signatures<F>> = {
  [N in keyof F]: (...given: Given<F[N]['arguments']>) => Promise<F[N]['result']>;
};
export type Call<F extends Signatures<F>> = {
  [N in keyof F]: readonly [name: N, given: F[N]['arguments']];
}[keyof F];
type Results<F extends Signatures<F>, C extends readonly Call<F>[]> = {
  -readonly [I in keyof C]: C[I][0] extends keyof F ? F[C[I][0]]['result'] : never;
};

/** What every client has besides the functions of the database. */
export interface Controls<F extends Signatures<F>> {
  /** Several calls in one statement and one transaction: all of them or, when one fails, none. */
  $batch<const C extends readonly Call<F>[]>(calls: C): Promise<Results<F, C>>;
  /** The tokens of now. */
  readonly $tokens: Tokens | null;
  /** Goes on as somebody else, or as nobody. */
  $use(tokens: Tokens | null): void;
}

export class VrmError extends Error implements Failure {
  readonly code: string;
  readonly reason: string;
  readonly detail: string | null;
  readonly hint: string | null;
  readonly call?: number;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'VrmError';
    this.code = failure.code;
    this.reason = failure.reason;
    this.detail = failure.detail;
    this.hint = failure.hint;
    if (failure.call !== undefined) this.call = failure.call;
  }
}

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

function tokensOf(result: unknown): Tokens | null {
  if (typeof result !== 'object' || result === null) return null;
  const { status, access_token, refresh_token } = result as Partial<Tokens> & { status?: string };
  if (status !== 'ok' || typeof access_token !== 'string') return null;
  return { access_token, refresh_token: refresh_token ?? null };
}

/** Those that give tokens, whose bearer is who calls from then on. */
const signsIn = new Set(['sign_in', 'sign_in_mfa', 'session_refresh', 'session_step_up']);

class Caller {
  tokens: Tokens | null;
  private renewal: Promise<void> | null = null;

  constructor(private readonly options: Options, private readonly traits: Record<string, Trait>) {
    this.tokens = options.tokens ?? null;
  }

  use(tokens: Tokens | null): void {
    this.tokens = tokens;
    this.options.onTokens?.(tokens);
  }

  async call(name: string, given: object): Promise<unknown> {
    const trait = this.traits[name] ?? 'plain';
    const key = this.keyFor(name);
    const result = await this.send(trait !== 'plain' && (trait === 'reads' || key !== null), (token) => [
      'SELECT vrm.rpc($1, $2, $3::jsonb, $4) AS answer', [token, name, JSON.stringify(given), key]]);
    const tokens = signsIn.has(name) ? tokensOf(result) : null;
    if (tokens) this.use({ ...tokens, refresh_token: tokens.refresh_token ?? this.tokens?.refresh_token ?? null });
    if (name === 'session_act_as' && this.tokens && typeof result === 'string') {
      this.use({ ...this.tokens, access_token: result });
    }
    return result;
  }

  async batch(calls: readonly (readonly [string, object])[]): Promise<unknown> {
    const listed = calls.map(([name, given]) => ({
      function: name, arguments: given, ...(this.keyFor(name) !== null ? { key: crypto.randomUUID() } : {}) }));
    const repeatable = listed.every((call) => 'key' in call || this.traits[call.function] === 'reads');
    return this.send(repeatable, (token) => [
      'SELECT vrm.rpc_batch($1, $2::jsonb) AS answer', [token, JSON.stringify(listed)]]);
  }

  /** Keys belong to who has signed in. */
  private keyFor(name: string): string | null {
    return this.tokens && this.traits[name] === 'once' ? crypto.randomUUID() : null;
  }

  /** A failed call has not happened and may be sent again; of one without an answer nobody knows. */
  private async send(
    repeatable: boolean, statement: (token: string | null) => [string, (string | null)[]],
  ): Promise<unknown> {
    const attempts = this.options.attempts ?? 3;
    let renewed = false;
    for (let attempt = 1; ; attempt += 1) {
      const token = this.tokens?.access_token ?? null;
      let answer: Answer;
      try {
        answer = await this.options.query(...statement(token));
      } catch (error) {
        if (!repeatable || attempt >= attempts) throw error;
        await pause(2 ** attempt * 50 * Math.random());
        continue;
      }
      if (!answer.error) return answer.result;
      if (answer.error.reason === 'token_expired' && this.tokens?.refresh_token && !renewed) {
        renewed = true;
        // somebody else may have renewed it meanwhile
        if (token === this.tokens.access_token) await this.renew(answer.error);
      } else if (answer.error.reason === 'try_again' && attempt < attempts) {
        await pause(2 ** attempt * 50 * Math.random());
      } else {
        throw new VrmError(answer.error);
      }
    }
  }

  /** One renewal for all calls that wait for it. */
  private renew(failure: Failure): Promise<void> {
    this.renewal ??= (async () => {
      const given = JSON.stringify({ refresh_token: this.tokens?.refresh_token });
      const { result, error } = await this.options.query(
        'SELECT vrm.rpc($1, $2, $3::jsonb, $4) AS answer', [null, 'session_refresh', given, null]);
      const tokens = tokensOf(result);
      if (error) throw new VrmError(error);
      this.use(tokens);
      if (!tokens) throw new VrmError(failure);
    })().finally(() => { this.renewal = null; });
    return this.renewal;
  }
}

/** A client whose methods are the functions of a database; index.ts makes one of those of vrm. */
export function clientOf<F extends Signatures<F>>(
  traits: Record<keyof F & string, Trait>, options: Options,
): Api<F> & Controls<F> {
  const caller = new Caller(options, traits);
  return new Proxy({} as Api<F> & Controls<F>, {
    get(_, name) {
      if (name === '$batch') return caller.batch.bind(caller);
      if (name === '$use') return caller.use.bind(caller);
      if (name === '$tokens') return caller.tokens;
      if (typeof name !== 'string' || !(name in traits)) return undefined;
      return (given: object = {}) => caller.call(name, given);
    },
  });
}
