import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { openEngine } from '../../../base/duckdb/engine.ts';
import { FEATURES, featureStoreContract } from '../../../test/contracts/feature-store.ts';
import { openPostgresShop, type PostgresShop } from '../../../test/support/postgres-shop.ts';
import { openWarehouse } from '../../warehouses/index.ts';
import { openFeatureStore } from '../index.ts';

const SETTINGS = { type: 'warehouse', table: 'features' };
const LIMITS = { threads: 1, memoryMb: 256 };

featureStoreContract('a table of DuckDB', async (folder) => {
  const file = join(folder, 'shop.duckdb');
  await using engine = await openEngine({ ...LIMITS, file, scratchFolder: folder });
  await engine.run(`CREATE TABLE features AS ${FEATURES}`);
  engine.close();
  const warehouse = await openWarehouse(
    { connectorId: 'shop', type: 'duckdb', config: { query: 'SELECT 1', path: file } as object & { query: string } },
    {
      baseFolder: folder,
      sampleFolder: folder,
      asOf: new Date(0),
      scratchFolder: folder,
      resources: LIMITS,
      signal: new AbortController().signal,
    },
  );
  return { ...(await openFeatureStore(SETTINGS, warehouse)), [Symbol.asyncDispose]: () => warehouse.close() };
});

let server: PostgresShop;
beforeAll(async () => {
  server = await openPostgresShop();
  await server.admin(`CREATE TABLE shop.features AS ${FEATURES.replaceAll('::DOUBLE', '::float8')}`);
}, 60_000);
afterEach(() => server.tidy());
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

featureStoreContract('a table of Postgres', async (folder) =>
  openFeatureStore(SETTINGS, await server.open({}, folder)),
);
