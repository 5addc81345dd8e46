import { tmpdir } from 'node:os';
import { identifier, literal, openEngine } from '../../../../base/duckdb/engine.ts';
import { interruptible } from '../../../../base/duckdb/interruption.ts';
import { parquetColumns, writeParquet } from '../../../../base/duckdb/parquet.ts';
import type { FeatureStore } from '../../../../providers/feature-stores/feature-store.ts';
import type { Notes } from './parameters.ts';

const LIMITS = { threads: 1, memoryMb: 256, scratchFolder: tmpdir() };

/** A feature store that no warehouse can join: it answers for the customers whom it is asked about, and nothing else. */
export async function open({ notes }: Notes): Promise<FeatureStore> {
  await using opened = await openEngine(LIMITS);
  const columns = (await parquetColumns(opened, notes)).map(({ name }) => name);
  return {
    columns,
    async read(ids, wanted, file, { signal }) {
      await using engine = await openEngine(LIMITS);
      const asked = `SELECT unnest(CAST([${ids.map(literal).join(', ')}] AS VARCHAR[])) AS customer_id`;
      const select = `SELECT customer_id, ${wanted.map(identifier).join(', ')}
        FROM (${asked}) LEFT JOIN read_parquet(${literal(notes)}) USING (customer_id)`;
      await interruptible(engine, signal, () => writeParquet(engine, select, file));
    },
  };
}
