import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { identifier, literal, openEngine } from '../../../base/duckdb/engine.ts';
import { makeSampleWarehouse } from '../../../providers/warehouses/sample/sample.ts';

/** Rows that the example's query returns of one sample business; larger warehouses are copies of it. */
const BUSINESS = 500_000;

/** The instant that the warehouses are as of: the newest slot of the example's schedule at the bench's clock. */
export const AS_OF = '2026-11-23T02:00:00Z';

/** The tables that the example's program reads. */
const TABLES = ['customer_analytics', 'past_offers'];

const LIMITS = { threads: 2, memoryMb: 4096 };

/**
 * A DuckDB file with `customer_analytics` as a table, of which the example's query returns exactly `customers` rows:
 * the sample business, or, beyond 500,000 rows, copies of it whose customers have ids of their own. Made once.
 * @returns its path
 */
export async function warehouseOf(customers: number, folder: string, say: (sentence: string) => void): Promise<string> {
  const file = join(folder, `analytics-${customers}.duckdb`);
  if (existsSync(file)) return file;
  await mkdir(folder, { recursive: true });
  const copies = Math.max(1, Math.ceil(customers / BUSINESS));
  if (customers % copies !== 0) throw new Error(`${customers} customers are not ${copies} businesses of one size`);
  const scratchFolder = await mkdtemp(join(folder, 'scratch-'));
  try {
    const business = join(scratchFolder, 'business.duckdb');
    say(`making a sample business of ${customers / copies} customers at risk`);
    const sample = {
      customers: customers / copies,
      seed: 1,
      kept: 'mart' as const,
      asOf: new Date(AS_OF),
      ...LIMITS,
      scratchFolder,
    };
    await makeSampleWarehouse({ ...sample, file: business });
    const unfinished = join(scratchFolder, 'analytics.duckdb');
    say(copies === 1 ? 'materialising customer_analytics' : `materialising ${copies} copies of customer_analytics`);
    await materialise(business, unfinished, copies, scratchFolder);
    await rename(unfinished, file);
  } finally {
    await rm(scratchFolder, { recursive: true, force: true });
  }
  return file;
}

async function materialise(business: string, file: string, copies: number, scratchFolder: string): Promise<void> {
  await using engine = await openEngine({ ...LIMITS, file, scratchFolder });
  await engine.run(`ATTACH ${literal(business)} AS business (READ_ONLY)`);
  for (const table of TABLES) {
    const name = identifier(table);
    await engine.run(`CREATE TEMP TABLE once AS SELECT * FROM business.${name}`);
    await engine.run(`CREATE TABLE ${name} AS SELECT * FROM once LIMIT 0`);
    for (let copy = 0; copy < copies; copy++) {
      const id = copy === 0 ? 'customer_id' : `customer_id || '-${copy}'`;
      await engine.run(`INSERT INTO ${name} SELECT * REPLACE (${id} AS customer_id) FROM once`);
    }
    await engine.run('DROP TABLE once');
  }
}
