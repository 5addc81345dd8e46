import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openEngine } from '../../base/duckdb/engine.ts';
import { writeParquet } from '../../base/duckdb/parquet.ts';
import { programSpec } from '../../test/support/program.ts';
import { outsideMarketplaces } from './outside-marketplaces.ts';

const ELIGIBLE = { filterId: 'eligible', type: 'eligibility', order: 1 } as const;

async function warnings(marketplace: string, filterChain = [ELIGIBLE]) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-marketplaces-'));
  try {
    await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
    const file = join(folder, 'candidates.parquet');
    await writeParquet(engine, `SELECT i AS customer_id, ${marketplace} AS marketplace FROM range(300) AS n (i)`, file);
    return await outsideMarketplaces(engine, programSpec({ filterChain, marketplaces: ['DE', 'FR'] }), file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('everybody in a marketplace of the program is nothing to say', async () => {
  expect(await warnings("CASE WHEN i < 100 THEN 'DE' ELSE 'FR' END")).toEqual([]);
});

test('rows without a marketplace, and in one that the program does not list, are counted, the codes named only', async () => {
  const sql =
    "CASE WHEN i < 12 THEN NULL WHEN i < 32 THEN 'ES' WHEN i < 42 THEN 'IT' WHEN i < 45 THEN 'Jane' ELSE 'DE' END";
  expect(await warnings(sql)).toEqual([
    expect.stringMatching(/^marketplace is missing in 12 of 300 rows/),
    expect.stringMatching(/none of those that the program lists in 33 of 300 rows \(ES 20, IT 10, others 3\)/),
  ]);
});

test('where no filter reads it, it keeps nobody out', async () => {
  expect(await warnings('NULL', [])).toEqual([]);
});
