import { DuckDBInstance, type DuckDBConnection, type DuckDBDataChunk, type DuckDBValue } from '@duckdb/node-api';

export interface EngineOptions {
  /** A database file, or in memory when absent. */
  readonly file?: string;
  readonly readOnly?: boolean;
  readonly threads: number;
  readonly memoryMb: number;
  /** Folder that DuckDB spills to. */
  readonly scratchFolder: string;
}

export type Parameters = Readonly<Record<string, DuckDBValue>> | readonly DuckDBValue[];

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
  close(): void;
}

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

  const close = () => {
    connection.closeSync();
    instance.closeSync();
  };

  return {
    connection,
    async run(sql, parameters) {
      if (parameters === undefined) await connection.run(sql);
      else await (await prepare(sql, parameters)).run();
    },
    async rows<Row extends object>(sql: string, parameters?: Parameters) {
      const reader =
        parameters === undefined
          ? await connection.runAndReadAll(sql)
          : await (await prepare(sql, parameters)).runAndReadAll();
      return reader.getRowObjectsJson() as Row[];
    },
    async *chunks(sql, parameters) {
      const result =
        parameters === undefined ? await connection.stream(sql) : await (await prepare(sql, parameters)).stream();
      for (;;) {
        const chunk = await result.fetchChunk();
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
