import { type Engine, identifier, openEngine } from '../../../base/duckdb/engine.ts';
import { interruptible } from '../../../base/duckdb/interruption.ts';
import { writeParquet } from '../../../base/duckdb/parquet.ts';
import { TextAppender } from '../../../base/duckdb/text-appender.ts';
import { HoldfastError } from '../../../base/errors.ts';
import type { WarehouseOptions } from '../connector.ts';
import { customerColumn, tableColumns } from '../required-columns.ts';
import { tableParts } from '../table-name.ts';
import type { ExtractRequest, ReadOptions, Warehouse, WarehouseColumn } from '../warehouse.ts';
import { readingFromPostgres, tookTooLong } from './failure.ts';
import type { PostgresConnector } from './parameters.ts';
import { type Answer, PostgresSession } from './session.ts';
import { completed, pastOffers, type ServerColumn, type ServerTable } from './sql.ts';
import { type Conversion, conversionOf } from './types.ts';

/** Seconds that a query may take unless the connector says otherwise. */
const STATEMENT_TIMEOUT_SECONDS = 1800;

/** Connects to Postgres. Everything is read in one read-only transaction, as of one moment. */
export async function open(connector: PostgresConnector, options: WarehouseOptions): Promise<Warehouse> {
  const { connectorId, config } = connector;
  // Without one the provider is never asked for. A file that became a secret ends in a newline.
  const { source = '', signal } = options;
  const seconds = config.statementTimeoutSeconds ?? STATEMENT_TIMEOUT_SECONDS;
  const session = await PostgresSession.open(source.trim(), `Connector ${connectorId}`, seconds);
  const warehouse = new PostgresWarehouse(connectorId, session, seconds * 1000, options);
  // Nobody hears of a session that an abort overtook.
  if (signal.aborted) await warehouse.close();
  return warehouse;
}

class PostgresWarehouse implements Warehouse {
  readonly #connectorId: string;
  readonly #session: PostgresSession;
  readonly #limitMs: number;
  readonly #options: WarehouseOptions;

  constructor(connectorId: string, session: PostgresSession, limitMs: number, options: WarehouseOptions) {
    this.#connectorId = connectorId;
    this.#session = session;
    this.#limitMs = limitMs;
    this.#options = options;
  }

  async describe(query: string): Promise<readonly WarehouseColumn[]> {
    return this.#reading('understand the query', this.#options.signal, async () => {
      const columns = await this.#columns(query);
      const types = await this.#session.rows(
        'SELECT format_type(type, NULL) FROM unnest($1::oid[]) WITH ORDINALITY AS given (type, place) ORDER BY place',
        [columns.map(({ type }) => type)],
      );
      return columns.map(({ name }, index) => ({ name, type: types[index]?.[0] ?? '' }));
    });
  }

  async describeTable(table: string): Promise<readonly WarehouseColumn[] | undefined> {
    const found = await this.#reading(`read the table ${table}`, this.#options.signal, () => this.#table(table));
    return found?.columns.map(({ name, typeName: type }) => ({ name, type }));
  }

  async extract(request: ExtractRequest, file: string, options: ReadOptions): Promise<number> {
    const { query, completion } = request;
    const { signal } = options;
    const columns = await this.#reading('understand the query', signal, () => this.#columns(query));
    if (completion === undefined) return this.#write('run the query', query, file, options);
    const customer = customerColumn(columns, this.#connectorId);
    const { table, found } = await this.#requireColumns(
      completion.table,
      ['customer_id', ...completion.columns],
      signal,
    );
    const [key, ...added] = found as [ServerColumn, ...ServerColumn[]];
    const what = `run the query, completed from ${completion.table}`;
    return this.#write(what, completed(query, customer, table, key, added, this.#session.unicode), file, options);
  }

  async extractOffers(
    table: string,
    range: { readonly since: Date; readonly before: Date },
    file: string,
    options: ReadOptions,
  ): Promise<number> {
    const needed = ['customer_id', 'program_id', 'offered_at'];
    const { table: offers, found } = await this.#requireColumns(table, needed, options.signal);
    const [customer, program, offeredAt] = found as [ServerColumn, ServerColumn, ServerColumn];
    const select = pastOffers(offers, { customer, program, offeredAt }, range, this.#session.unicode);
    return this.#write(`read the past offers of ${table}`, select, file, options);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** Columns of the query that a person wrote, refused when one of them is given twice. */
  async #columns(query: string): Promise<readonly ServerColumn[]> {
    const fields = await this.#session.select(query, async (answer) => answer.fields);
    const seen = new Set<string>();
    for (const name of fields.map((field) => field.name.toLowerCase())) {
      if (seen.has(name)) {
        const sentence = `Connector ${this.#connectorId}: the query gives the column ${name} twice.`;
        throw new HoldfastError('HF_QUERY_REFUSED', sentence);
      }
      seen.add(name);
    }
    return fields.map(({ name, dataTypeID: type }) => ({ name, type }));
  }

  async #table(table: string): Promise<NamedTable | undefined> {
    const { schema, name } = tableParts(table, this.#connectorId);
    const quoted = [schema, name]
      .filter((part) => part !== undefined)
      .map(identifier)
      .join('.');
    // As it is written, else as Postgres reads a name without quotes.
    const rows = await this.#session.rows(TABLE_COLUMNS, [quoted, quoted.toLowerCase()]);
    const [first] = rows;
    if (first === undefined) return undefined;
    const columns = rows.map(([, , column, type, typeName]) => ({
      name: column ?? '',
      type: Number(type),
      typeName: typeName ?? '',
    }));
    return { name: `${identifier(first[0] ?? '')}.${identifier(first[1] ?? '')}`, columns };
  }

  async #requireColumns(
    name: string,
    needed: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly table: ServerTable; readonly found: readonly ServerColumn[] }> {
    const table = await this.#reading(`read the table ${name}`, signal, () => this.#table(name));
    const found = tableColumns(table?.columns, needed, name, this.#connectorId);
    return { table: table as NamedTable, found };
  }

  #write(what: string, select: string, file: string, options: ReadOptions): Promise<number> {
    const { signal, progress, beyondType } = options;
    return this.#reading(what, signal, async (whenStopped) => {
      const { scratchFolder, resources } = this.#options;
      await using engine = await openEngine({ ...resources, scratchFolder });
      whenStopped(() => engine.interrupt());
      const columns = await this.#session.select(select, async (answer) => stage(engine, answer, progress));
      const values = columns.map(({ name, value }) => `${value} AS ${identifier(name)}`);
      const rows = await writeParquet(engine, `SELECT ${values.join(', ')} FROM ${STAGED}`, file);
      for (const { name, count } of await beyond(engine, columns)) beyondType?.(name, count);
      return rows;
    });
  }

  /** Runs work that ends when it is told to, or when it takes too long: on the server, too. */
  async #reading<Result>(
    what: string,
    signal: AbortSignal,
    work: (whenStopped: (stop: () => void) => void) => Promise<Result>,
  ): Promise<Result> {
    const stops = [() => this.#session.stop()];
    const deadline = new AbortController();
    const tooLong = tookTooLong(`Connector ${this.#connectorId}`, what);
    // The server's own timeout is for one batch at a time.
    const timer = setTimeout(() => deadline.abort(tooLong), this.#limitMs);
    try {
      return await readingFromPostgres(this.#connectorId, what, () =>
        interruptible(
          { interrupt: () => stops.forEach((stop) => stop()) },
          AbortSignal.any([signal, deadline.signal]),
          () => work((stop) => stops.push(stop)),
        ),
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

interface NamedTable extends ServerTable {
  readonly columns: readonly (ServerColumn & { readonly typeName: string })[];
}

/** Schema, table, and name, type and type name of each column of the first of two names that is a table or view. */
const TABLE_COLUMNS = `
  SELECT namespace.nspname, class.relname, attribute.attname, coalesce(nullif(type.typbasetype, 0), type.oid)::bigint,
    format_type(attribute.atttypid, attribute.atttypmod)
  FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = class.oid
    JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
  WHERE class.oid = coalesce(to_regclass($1), to_regclass($2)) AND class.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND attribute.attnum > 0 AND NOT attribute.attisdropped
  ORDER BY attribute.attnum`;

/** Table that holds what has come. */
const STAGED = 'staged';

/** A column of what has come. */
interface StagedColumn {
  readonly name: string;
  /** SQL of what came, and of its value. */
  readonly given: string;
  readonly value: string;
  readonly isNarrower: boolean;
}

/** Puts an answer into a table, batch by batch, and resolves to its columns there. */
async function stage(
  engine: Engine,
  { fields, read }: Answer,
  progress: ReadOptions['progress'],
): Promise<StagedColumn[]> {
  const conversions = fields.map(conversionOf);
  using appender = await TextAppender.create(
    engine,
    STAGED,
    conversions.map(({ type }) => type),
  );
  let done = 0;
  await read((rows) => {
    appender.append(rows);
    done += rows.length;
    progress?.(done);
  });
  appender.close();
  return fields.map(({ name }, index) => {
    const given = `c${index}`;
    const { value, isNarrower = false } = conversions[index] as Conversion;
    return { name, given, value: value(given), isNarrower };
  });
}

/** Columns with values that came and that their type does not hold, and in how many rows. */
async function beyond(engine: Engine, columns: readonly StagedColumn[]): Promise<{ name: string; count: number }[]> {
  const narrower = columns.filter(({ isNarrower }) => isNarrower);
  if (narrower.length === 0) return [];
  const counts = narrower.map(({ given, value }, index) => `count(${given}) - count(${value}) AS n${index}`);
  const [row] = await engine.rows<Record<string, string>>(`SELECT ${counts.join(', ')} FROM ${STAGED}`);
  return narrower
    .map(({ name }, index) => ({ name, count: Number(row?.[`n${index}`]) }))
    .filter(({ count }) => count > 0);
}
