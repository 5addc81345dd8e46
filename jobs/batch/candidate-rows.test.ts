import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openEngine } from '../../base/duckdb/engine.ts';
import { parquetColumns, writeParquet } from '../../base/duckdb/parquet.ts';
import { makeTemporaryFolder } from '../../base/temporary-folder.ts';
import { typedRows } from './candidate-rows.ts';

let folder: string;
beforeAll(async () => {
  folder = await makeTemporaryFolder('holdfast-rows-');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('rows are typed and checked in one scan, however many words stand for a missing value', async () => {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
  const file = join(folder, 'extract.parquet');
  await writeParquet(engine, "SELECT 'C1' AS customer_id, 'gb' AS marketplace, 'n/a' AS lifetime_value", file);
  const columns = await parquetColumns(engine, file);
  const names = new Map(columns.map(({ name }) => [name, name]));
  const marketplaces = ['US', 'UK', 'DE', 'FR', 'JP', 'IN', 'BR', 'AU', 'ES', 'IT'];
  const select = typedRows({ connectorId: 'shop', file, columns, names, index: 0, marketplaces });
  const [plan] = await engine.rows<{ explain_value: string }>(`EXPLAIN ${select}`);
  expect(plan?.explain_value).not.toContain('JOIN');
  expect(
    await engine.rows(`SELECT customer_id, marketplace, lifetime_value, holdfast_is_bad FROM (${select})`),
  ).toEqual([{ customer_id: 'C1', marketplace: 'UK', lifetime_value: null, holdfast_is_bad: false }]);
});
