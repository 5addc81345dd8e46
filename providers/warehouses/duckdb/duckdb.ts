import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, identifier, timestamp } from '../../../base/duckdb/engine.ts';
import { interruptible } from '../../../base/duckdb/interruption.ts';
import { type ColumnShape, writeParquet } from '../../../base/duckdb/parquet.ts';
import { defineSelect, refusal } from '../../../base/duckdb/select.ts';
import { HoldfastError } from '../../../base/errors.ts';
import { customerIdInDuckdb } from '../../../customers/columns/customer-id.ts';
import type { WarehouseOptions } from '../connector.ts';
import { customerColumn, tableColumns } from '../required-columns.ts';
import { tableParts } from '../table-name.ts';
import type { ExtractRequest, ReadOptions, Warehouse, WarehouseColumn } from '../warehouse.ts';
import { readingFrom } from './failure.ts';
import type { DuckdbConnector } from './parameters.ts';
import { openSource } from './source.ts';

export { costOf } from './workbook-cost.ts';

/** Name of the temporary view that stands for the connector's query. */
const QUERY = 'holdfast_query';

/** Opens a DuckDB database file, Parquet or CSV files, or the sample warehouse. */
export async function open(connector: DuckdbConnector, options: WarehouseOptions): Promise<Warehouse> {
  const outputFolder = await mkdtemp(join(options.scratchFolder, 'warehouse-'));
  try {
    return new DuckdbWarehouse(connector.connectorId, await openSource(connector, options, outputFolder), outputFolder);
  } catch (error) {
    await rm(outputFolder, { recursive: true, force: true });
    throw error;
  }
}

class DuckdbWarehouse implements Warehouse {
  readonly #connectorId: string;
  readonly #engine: Engine;
  /** The only folder that the engine can write to. */
  readonly #outputFolder: string;

  constructor(connectorId: string, engine: Engine, outputFolder: string) {
    this.#connectorId = connectorId;
    this.#engine = engine;
    this.#outputFolder = outputFolder;
  }

  async describe(query: string): Promise<readonly WarehouseColumn[]> {
    return readingFrom(this.#connectorId, 'understand the query', async () => {
      const defined = await defineSelect(this.#engine, QUERY, query);
      if (!('refused' in defined)) return defined;
      const sentence = `Connector ${this.#connectorId}: the query must be one single SELECT, and ${defined.refused}.`;
      throw new HoldfastError('HF_QUERY_REFUSED', sentence);
    });
  }

  async describeTable(table: string): Promise<readonly WarehouseColumn[] | undefined> {
    const { schema, name } = tableParts(table, this.#connectorId);
    return readingFrom(this.#connectorId, `read the table ${table}`, async () => {
      const found = await this.#engine.rows<ColumnShape>(
        `SELECT column_name AS name, data_type AS type FROM information_schema.columns
         WHERE table_catalog = current_database()
           AND lower(table_name) = lower($1) AND lower(table_schema) = lower(coalesce($2, current_schema()))
         ORDER BY ordinal_position`,
        [name, schema ?? null],
      );
      return found.length === 0 ? undefined : found;
    });
  }

  async extract(request: ExtractRequest, file: string, options: ReadOptions): Promise<number> {
    const columns = await this.describe(request.query);
    const { completion } = request;
    if (completion === undefined) return this.#write('run the query', `SELECT * FROM ${QUERY}`, file, options);
    const customer = customerColumn(columns, this.#connectorId);
    const [key] = await this.#requireColumns(completion.table, ['customer_id', ...completion.columns]);
    const what = `run the query, completed from ${completion.table}`;
    return this.#write(what, this.#completed(completion, customer, key as ColumnShape), file, options);
  }

  async extractOffers(
    table: string,
    range: { readonly since: Date; readonly before: Date },
    file: string,
    options: ReadOptions,
  ): Promise<number> {
    const [customer] = await this.#requireColumns(table, ['customer_id', 'program_id', 'offered_at']);
    const { type } = customer as ColumnShape;
    // Whoever reads the offers asks the rule of every text that is an id; once is enough.
    const id = type === 'VARCHAR' ? 'customer_id' : customerIdInDuckdb('customer_id', type).id;
    const offeredAt = 'CAST(offered_at AS TIMESTAMP)';
    const offers = `
      SELECT ${id} AS customer_id, CAST(program_id AS VARCHAR) AS program_id, ${offeredAt} AS offered_at
      FROM ${this.#quoted(table)}
      WHERE ${offeredAt} >= ${timestamp(range.since)} AND ${offeredAt} < ${timestamp(range.before)} AND ${id} IS NOT NULL`;
    return this.#write(`read the past offers of ${table}`, offers, file, options);
  }

  async close(): Promise<void> {
    this.#engine.close();
    await rm(this.#outputFolder, { recursive: true, force: true });
  }

  /** The query's rows, each once, with columns added from the one row of the table that has the same customer. */
  #completed(
    completion: NonNullable<ExtractRequest['completion']>,
    customer: WarehouseColumn,
    key: WarehouseColumn,
  ): string {
    const added = completion.columns.map(identifier);
    const idOf = (type: string) => customerIdInDuckdb('customer_id', type).id;
    const completed = `chosen.* EXCLUDE (holdfast_asked), ${added.map((column) => `completion.${column}`).join(', ')}`;
    // A table that holds a customer twice gives the row that sorts first, so that the answer is the same every time.
    // Only such rows are sorted, and of the rest the query's side, which has fewer columns, is what is held in memory.
    return `
      WITH chosen AS MATERIALIZED (SELECT *, ${idOf(customer.type)} AS holdfast_asked FROM ${QUERY}),
      matching AS MATERIALIZED (
        SELECT * FROM (
          SELECT ${idOf(key.type)} AS holdfast_key, ${added.join(', ')} FROM ${this.#quoted(completion.table)})
        WHERE holdfast_key IN (SELECT holdfast_asked FROM chosen)
      ),
      repeated AS MATERIALIZED (
        SELECT holdfast_key AS holdfast_asked FROM matching GROUP BY holdfast_key HAVING count(*) > 1),
      first AS (
        FROM matching WHERE holdfast_key IN (SELECT holdfast_asked FROM repeated)
        QUALIFY row_number() OVER (PARTITION BY holdfast_key ORDER BY ${added.join(', ')}) = 1)
      SELECT ${completed}
      FROM matching AS completion
        RIGHT JOIN (FROM chosen ANTI JOIN repeated USING (holdfast_asked)) AS chosen ON holdfast_asked = holdfast_key
      UNION ALL
      SELECT ${completed}
      FROM chosen JOIN first AS completion ON holdfast_asked = holdfast_key`;
  }

  /** Columns of a table, in the order in which they are needed. */
  async #requireColumns(table: string, needed: readonly string[]): Promise<readonly WarehouseColumn[]> {
    const columns = await this.describeTable(table);
    const refused = await refusal(this.#engine, `SELECT * FROM ${this.#quoted(table)}`);
    if (refused !== undefined) {
      throw new HoldfastError('HF_QUERY_REFUSED', `Connector ${this.#connectorId}: cannot read ${table}: ${refused}.`);
    }
    return tableColumns(columns, needed, table, this.#connectorId);
  }

  #quoted(table: string): string {
    const { schema, name } = tableParts(table, this.#connectorId);
    return schema === undefined ? identifier(name) : `${identifier(schema)}.${identifier(name)}`;
  }

  /** The SELECT with doubles for BIGNUM, of which Parquet would make texts; an id keeps every digit as one. */
  async #withDoubles(select: string): Promise<string> {
    const described = await this.#engine.rows<{ column_name: string; column_type: string }>(`DESCRIBE (${select})`);
    const doubles = described
      .filter(({ column_name: name, column_type: type }) => type === 'BIGNUM' && name.toLowerCase() !== 'customer_id')
      .map(({ column_name: name }) => `CAST(${identifier(name)} AS DOUBLE) AS ${identifier(name)}`);
    return doubles.length === 0 ? select : `SELECT * REPLACE (${doubles.join(', ')}) FROM (${select})`;
  }

  async #write(what: string, select: string, file: string, { signal, progress }: ReadOptions): Promise<number> {
    return readingFrom(this.#connectorId, what, async () => {
      const made = join(this.#outputFolder, 'answer.parquet');
      const rows = await interruptible(this.#engine, signal, async () =>
        writeParquet(this.#engine, await this.#withDoubles(select), made, 'scratch'),
      );
      await moveFile(made, file);
      progress?.(rows);
      return rows;
    });
  }
}

/** Moves a file, across file systems too, so that it is at its new place complete or not at all. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyFile(from, `${to}.partial`);
    await rename(`${to}.partial`, to);
    await rm(from);
  }
}
