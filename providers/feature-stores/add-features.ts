import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, identifier, literal, openEngine } from '../../base/duckdb/engine.ts';
import { interruptible } from '../../base/duckdb/interruption.ts';
import { parquetColumns, writeParquet } from '../../base/duckdb/parquet.ts';
import { HoldfastError } from '../../base/errors.ts';
import { customerIdInDuckdb } from '../../customers/columns/customer-id.ts';
import type { FeatureStore, ReadOptions } from './feature-store.ts';

/** Customers whom a store is asked about at a time. */
const IDS_AT_A_TIME = 10_000;

/** What the work may use of the machine. */
export interface Workplace extends ReadOptions {
  readonly scratchFolder: string;
  readonly resources: { readonly threads: number; readonly memoryMb: number };
}

/**
 * Adds columns of a feature store to the rows of a Parquet file that has a `customer_id`, in place; each row stays one.
 * @throws HF_INTERRUPTED, HF_INTERNAL when the store gives a customer twice, and what its `read` throws
 */
export async function addFeatures(
  file: string,
  store: FeatureStore,
  columns: readonly string[],
  { scratchFolder, resources, signal }: Workplace,
): Promise<void> {
  await using engine = await openEngine({ ...resources, scratchFolder });
  const parts: string[] = [];
  const work = async () => {
    const rows = await defineRows(engine, file);
    const ask = async (ids: readonly string[]) => {
      const part = join(scratchFolder, `features-${parts.length}.parquet`);
      parts.push(part);
      await store.read(ids, columns, part, { signal });
    };
    for (let first = 0; first < rows.customers; first += IDS_AT_A_TIME) await ask(await idsFrom(engine, first));
    // Nobody is asked about, and yet the columns, of whatever type they are, have to be there.
    if (parts.length === 0) await ask([]);
    const written = await writeParquet(engine, joined(file, parts, columns), file);
    if (written !== rows.total) throw new HoldfastError('HF_INTERNAL', 'The feature store gives a customer twice.');
  };
  try {
    await interruptible(engine, signal, work);
  } finally {
    await Promise.all(parts.map((part) => rm(part, { force: true })));
  }
}

/** Makes `asked`, the different customers of the file, numbered from 0. */
async function defineRows(
  engine: Engine,
  file: string,
): Promise<{ readonly total: number; readonly customers: number }> {
  const rows = `read_parquet(${literal(file)})`;
  const customer = (await parquetColumns(engine, file)).find(({ name }) => name.toLowerCase() === 'customer_id');
  const { id } = customerIdInDuckdb('customer_id', customer?.type ?? '');
  await engine.run(`
    CREATE TEMP MACRO asked_id(customer_id) AS ${id};
    CREATE TEMP TABLE asked AS
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM (SELECT DISTINCT ${id} AS id FROM ${rows}) WHERE id IS NOT NULL`);
  const [counted] = await engine.rows<{ total: string; customers: string }>(
    `SELECT (SELECT count(*) FROM ${rows}) AS total, (SELECT count(*) FROM asked) AS customers`,
  );
  return { total: Number(counted?.total), customers: Number(counted?.customers) };
}

async function idsFrom(engine: Engine, first: number): Promise<string[]> {
  const rows = await engine.rows<{ id: string }>(
    `SELECT id FROM asked WHERE place >= ${first} AND place < ${first + IDS_AT_A_TIME} ORDER BY place`,
  );
  return rows.map(({ id }) => id);
}

function joined(file: string, parts: readonly string[], columns: readonly string[]): string {
  const added = columns.map((column) => `features.${identifier(column)}`);
  return `
    SELECT given.*, ${added.join(', ')}
    FROM read_parquet(${literal(file)}) AS given
      LEFT JOIN read_parquet([${parts.map(literal).join(', ')}]) AS features
      ON asked_id(given.customer_id) = features.customer_id`;
}
