import type { Duplex } from 'node:stream';
import { Client, type ClientConfig, type FieldDef, Query, type QueryArrayConfig, type QueryArrayResult } from 'pg';
import type { TextRow } from '../../../base/duckdb/text-appender.ts';
import { HoldfastError } from '../../../base/errors.ts';
import { connectFailure, readAddress } from '../../../base/postgres/address.ts';
import { POSTGRES_KNOWS_UNICODE } from '../../../customers/columns/customer-id.ts';
import { unread } from '../duckdb/failure.ts';
import { PostgresFailure, postgresFailure } from './failure.ts';
import { excessiveRights } from './role.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
/** How long the server is given to hear of a cancellation, before the connection is cut off. */
const CANCEL_TIMEOUT_MS = 5_000;
/** A process that stopped in the middle does not hold its snapshot for ever. */
const IDLE_TIMEOUT_SECONDS = 600;

/** Rows that the server is asked for at once: it goes on with others while they are on the way. */
const FETCHED_ROWS = 8192;
/** Most rows, and characters, that are in memory before they are put away; one row more may be. */
const BATCH_ROWS = 2048;
const BATCH_CHARACTERS = 2_000_000;
/** Most bytes of one row. */
const MOST_ROW_BYTES = 64 * 2 ** 20;

/** Names of the cursor and the savepoint; both end with what they were made for. */
const CURSOR = 'holdfast_cursor';
const SAVEPOINT = 'holdfast_attempt';

/** Values stay as the server wrote them. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

/** One SELECT under way. */
export interface Answer {
  readonly fields: readonly FieldDef[];
  /** Hands over its rows in batches of bounded size, as they come through a cursor of the server. */
  readonly read: (take: (rows: readonly TextRow[]) => void) => Promise<void>;
}

/**
 * One connection with one read-only transaction, in which everything is of the same moment. All settings are the
 * transaction's own, so that a connection pooler in between is left as it was.
 */
export class PostgresSession {
  readonly #client: Client;
  readonly #config: ClientConfig;
  #process = 0;
  #unicode = false;
  #role = '';
  #stopping: Promise<void> | undefined;

  private constructor(client: Client, config: ClientConfig) {
    this.#client = client;
    this.#config = config;
  }

  /**
   * @param connector as sentences call it
   * @throws HF_WAREHOUSE_UNREACHABLE, HF_WAREHOUSE_UNREADABLE naming the host, never user or password
   */
  static async open(url: string, connector: string, statementTimeoutSeconds: number): Promise<PostgresSession> {
    const address = readAddress(url);
    if ('fault' in address)
      throw new HoldfastError('HF_WAREHOUSE_UNREADABLE', `${connector}: its connection ${address.fault}.`);
    const config = {
      connectionString: address.url,
      application_name: 'holdfast extract',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    };
    let session: PostgresSession | undefined;
    try {
      session = new PostgresSession(new Client(config), config);
      // Whoever asks next learns of a loss from what is asked.
      session.#client.on('error', () => {});
      await session.#client.connect();
      await session.#begin(statementTimeoutSeconds);
      const refused = await excessiveRights(session, address.url);
      if (refused !== undefined) throw new HoldfastError('HF_WAREHOUSE_UNREADABLE', `${connector}: ${refused}`);
      return session;
    } catch (error) {
      await session?.close();
      if (error instanceof HoldfastError) throw error;
      const { reason, isPermanent } = connectFailure(error, address.url);
      const sentence = `${connector}: cannot connect to Postgres at ${address.target}: ${reason}`;
      // The driver's error may hold the whole address.
      throw new HoldfastError(unread(!isPermanent), sentence, {
        cause: new Error(reason),
      });
    }
  }

  async #begin(statementTimeoutSeconds: number): Promise<void> {
    await this.#client.query(`
      BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
      SET LOCAL statement_timeout = '${statementTimeoutSeconds}s';
      SET LOCAL idle_in_transaction_session_timeout = '${IDLE_TIMEOUT_SECONDS}s';
      SET LOCAL default_transaction_read_only = on;
      SET LOCAL TimeZone = 'UTC';
      SET LOCAL DateStyle = 'ISO, YMD';
      SET LOCAL IntervalStyle = 'postgres';
      SET LOCAL bytea_output = 'hex';
      SET LOCAL extra_float_digits = 3;
      SET LOCAL standard_conforming_strings = on;
      SET LOCAL cursor_tuple_fraction = 1`);
    // Known from version 14 on: the server looks now and then whether anybody is still there to answer to.
    await this.#client.query(`
      SELECT set_config(name, '10s', true) FROM pg_catalog.pg_settings WHERE name = 'client_connection_check_interval'`);
    const { rows } = await this.#client.query<{ process: number; unicode: boolean; role: string }>(`
      SELECT pg_backend_pid() AS process, ${POSTGRES_KNOWS_UNICODE} AS unicode, current_user AS role`);
    this.#process = rows[0]?.process ?? 0;
    this.#unicode = rows[0]?.unicode ?? false;
    this.#role = rows[0]?.role ?? '';
  }

  /** Whether the server can compose letters. */
  get unicode(): boolean {
    return this.#unicode;
  }

  /** Rows of one small statement of ours, values as texts. */
  async rows(sql: string, values: readonly unknown[]): Promise<readonly TextRow[]> {
    return (await this.#ask(sql, true, values)).rows;
  }

  /**
   * Opens a cursor on one SELECT, without running it, for as long as `use` reads it. Whatever is not one SELECT is
   * refused by the server: DECLARE takes nothing else, and the extended protocol no second statement. The transaction
   * outlives a statement that fails.
   */
  async select<Result>(select: string, use: (answer: Answer) => Promise<Result>): Promise<Result> {
    await this.#ask(`SAVEPOINT ${SAVEPOINT}`, true);
    try {
      await this.#ask(`DECLARE ${CURSOR} NO SCROLL CURSOR WITHOUT HOLD FOR ${select}`, true);
      const { fields } = await this.#ask(`FETCH FORWARD 0 FROM ${CURSOR}`, true);
      return await use({ fields, read: (take) => this.#read(take) });
    } finally {
      // The cursor goes with it. Whatever failed says more than that its connection is gone as well.
      await this.#client.query(`ROLLBACK TO ${SAVEPOINT}; RELEASE ${SAVEPOINT}`).catch(() => {});
    }
  }

  async #read(take: (rows: readonly TextRow[]) => void): Promise<void> {
    for (let fetched = FETCHED_ROWS; fetched === FETCHED_ROWS; ) {
      const batch = new Batch(take);
      fetched = await this.#fetch((row) => batch.add(row));
      batch.end();
    }
  }

  /** Rows of one FETCH as they come, so that none waits for the others in memory; resolves to their number. */
  #fetch(take: (row: TextRow) => void): Promise<number> {
    const stream = (this.#client as unknown as { connection: { stream: Duplex } }).connection.stream;
    const text = `FETCH FORWARD ${FETCHED_ROWS} FROM ${CURSOR}`;
    const query = new Query({ text, rowMode: 'array', queryMode: 'extended', types: AS_TEXT } as never);
    let rows = 0;
    let bytes = 0;
    let failure: unknown;
    const measure = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MOST_ROW_BYTES || failure !== undefined) return;
      const most = `${MOST_ROW_BYTES / 2 ** 20} MiB`;
      failure = new PostgresFailure(
        undefined,
        `a row is larger than ${most}; select less of it, such as left(column, 1000)`,
      );
      stream.destroy();
    };
    stream.on('data', measure);
    return new Promise<number>((resolve, reject) => {
      query.on('row', (row: unknown) => {
        rows++;
        bytes = 0;
        try {
          if (failure === undefined) take(row as TextRow);
        } catch (error) {
          failure = error;
        }
      });
      query.on('end', () => (failure === undefined ? resolve(rows) : reject(failure)));
      query.on('error', (error) => reject(failure ?? postgresFailure(error, false, this.#role)));
      this.#client.query(query);
    }).finally(() => stream.off('data', measure));
  }

  async #ask(
    text: string,
    planning: boolean,
    values?: readonly unknown[],
  ): Promise<QueryArrayResult<(string | null)[]>> {
    const query = { text, values, rowMode: 'array', queryMode: 'extended', types: AS_TEXT };
    try {
      return await this.#client.query<(string | null)[]>(query as unknown as QueryArrayConfig);
    } catch (error) {
      throw postgresFailure(error, planning, this.#role);
    }
  }

  /** Cancels what is under way on the server and ends the connection, also when the server does not answer. */
  stop(): void {
    this.#stopping ??= this.#cancel().then(() => this.#end());
  }

  async close(): Promise<void> {
    await (this.#stopping ??= this.#end());
  }

  /** Another connection to the same server may cancel what one of the same user does. */
  async #cancel(): Promise<void> {
    const limits = { connectionTimeoutMillis: CANCEL_TIMEOUT_MS, query_timeout: CANCEL_TIMEOUT_MS };
    const client = new Client({ ...this.#config, ...limits });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('SELECT pg_cancel_backend($1)', [this.#process]);
    } catch {
      // The server finds out for itself that nobody is there.
    } finally {
      await ended(client);
    }
  }

  #end(): Promise<void> {
    return ended(this.#client);
  }
}

/** A connection with a statement under way is cut off; one whose other side is silent is not waited for. */
async function ended(client: Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CANCEL_TIMEOUT_MS);
  });
  await Promise.race([client.end().catch(() => {}), tooLong]);
  clearTimeout(timer);
}

/** Rows that are put away together. */
class Batch {
  readonly #take: (rows: readonly TextRow[]) => void;
  #rows: TextRow[] = [];
  #characters = 0;

  constructor(take: (rows: readonly TextRow[]) => void) {
    this.#take = take;
  }

  add(row: TextRow): void {
    this.#rows.push(row);
    for (const text of row) this.#characters += text?.length ?? 0;
    if (this.#rows.length >= BATCH_ROWS || this.#characters >= BATCH_CHARACTERS) this.end();
  }

  end(): void {
    if (this.#rows.length > 0) this.#take(this.#rows);
    this.#rows = [];
    this.#characters = 0;
  }
}
