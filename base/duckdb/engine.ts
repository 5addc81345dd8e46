import { type DuckDBConnection, type DuckDBDataChunk, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';

export interface EngineOptions {
  /** A database file, or in memory when absent. */
  readonly file?: string;
  readonly readOnly?: boolean;
  readonly threads: number;
  readonly memoryMb: number;
  /** Folder that DuckDB spills to. */
  readonly scratchFolder: string;
}

type Parameters = Readonly<Record<string, DuckDBValue>> | readonly DuckDBValue[];

/** DuckDB over local files: reads, joins, filters and aggregates columns. */
export interface Engine extends AsyncDisposable {
  /** Runs one or more statements; only a single one can take parameters. */
  run(sql: string, parameters?: Parameters): Promise<void>;
  /** Rows of a small result, values in their JSON form. */
  rows<Row extends object>(sql: string, parameters?: Parameters): Promise<Row[]>;
  /** Streams a result as DuckDB's own column chunks of up to 2,048 rows. */
  chunks(sql: string, parameters?: Parameters): AsyncIterable<DuckDBDataChunk>;
  /** Stops the statement under way. */
  interrupt(): void;
  /** The connection itself, for what the methods above do not cover. */
  readonly connection: DuckDBConnection;
  /** Closes at once, or, when a statement is under way, stops it and closes once it has ended. Safe to call twice. */
  close(): void;
}

/** DuckDB forgets an interruption that comes before a statement has begun: it is repeated until one has ended. */
export const INTERRUPT_AGAIN_MS = 20;

/** Opens DuckDB with bounded threads and memory. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const instance = await DuckDBInstance.create(options.file ?? ':memory:', {
    threads: String(options.threads),
    memory_limit: `${options.memoryMb}MiB`,
    temp_directory: options.scratchFolder,
    // Extensions would be downloaded at run time.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    ...(options.readOnly === true ? { access_mode: 'READ_ONLY' } : {}),
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");

  async function prepare(sql: string, parameters: Parameters) {
    const statement = await connection.prepare(sql);
    statement.bind(parameters as DuckDBValue[]);
    return statement;
  }

  // Closing under a running statement would end the whole process: the last one to settle closes then.
  let running = 0;
  let closing = false;
  let interrupting: NodeJS.Timeout | undefined;
  const release = () => {
    clearInterval(interrupting);
    connection.closeSync();
    instance.closeSync();
  };
  const close = () => {
    if (closing) return;
    closing = true;
    if (running === 0) return release();
    connection.interrupt();
    interrupting = setInterval(() => connection.interrupt(), INTERRUPT_AGAIN_MS);
  };
  async function track<Result>(work: () => Promise<Result>): Promise<Result> {
    if (closing) throw new Error('The engine is closed.');
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
      if (closing && running === 0) release();
    }
  }

  return {
    connection,
    run: (sql, parameters) =>
      track(async () => {
        if (parameters === undefined) await connection.run(sql);
        else await (await prepare(sql, parameters)).run();
      }),
    rows: <Row extends object>(sql: string, parameters?: Parameters) =>
      track(async () => {
        const reader =
          parameters === undefined
            ? await connection.runAndReadAll(sql)
            : await (await prepare(sql, parameters)).runAndReadAll();
        return reader.getRowObjectsJson() as Row[];
      }),
    async *chunks(sql, parameters) {
      const result = await track(async () =>
        parameters === undefined ? connection.stream(sql) : (await prepare(sql, parameters)).stream(),
      );
      for (;;) {
        const chunk = await track(() => result.fetchChunk());
        if (chunk === null || chunk.rowCount === 0) return;
        yield chunk;
      }
    },
    interrupt: () => connection.interrupt(),
    close,
    [Symbol.asyncDispose]: async () => close(),
  };
}

/** Quotes a name for SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a text for SQL, for the few places that take no parameter, such as the file of `COPY … TO`. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** An instant for SQL, as a TIMESTAMP in UTC. */
export function timestamp(instant: Date): string {
  return `TIMESTAMP ${literal(instant.toISOString().replace('T', ' ').replace('Z', ''))}`;
}
