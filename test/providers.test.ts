import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { literal, openEngine } from '../base/duckdb/engine.ts';
import { definitionText } from '../crds/definition.ts';
import { kinds } from '../crds/kinds.ts';
import { PROVIDERS, type Providers } from '../providers/registry.ts';
import { FEATURES, featureStoreContract } from './contracts/feature-store.ts';
import { hunchParameters } from './support/providers/hunch/parameters.ts';
import { ledgerParameters } from './support/providers/ledger/parameters.ts';
import { notesParameters } from './support/providers/notes/parameters.ts';
import { type ProgramChanges, type Workspace, workspace } from './support/workspace.ts';

/** Of each sort one more than this version has: a folder, and a line here. */
const MORE: Providers = {
  warehouses: [
    ...PROVIDERS.warehouses,
    { type: 'ledger', parameters: ledgerParameters, load: () => import('./support/providers/ledger/ledger.ts') },
  ],
  featureStores: [
    ...PROVIDERS.featureStores,
    { type: 'notes', parameters: notesParameters, load: () => import('./support/providers/notes/notes.ts') },
  ],
  models: [
    ...PROVIDERS.models,
    { schemes: ['hunch'], parameters: hunchParameters, load: () => import('./support/providers/hunch/hunch.ts') },
  ],
};

let shop: Workspace;
beforeAll(async () => {
  shop = await workspace();
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: shop.folder });
  const customers = `read_parquet(${literal(shop.path('customers.parquet'))})`;
  await engine.run(`
    COPY (SELECT * EXCLUDE (lifetime_value) FROM ${customers}) TO ${literal(shop.path('shop.parquet'))};
    COPY (SELECT customer_id, 900.0 AS lifetime_value FROM ${customers} WHERE customer_id >= 'C0375')
      TO ${literal(shop.path('notes.parquet'))}`);
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
});

const other: ProgramChanges = (spec) => {
  const config = { book: 'shop', query: 'SELECT * FROM book' };
  spec['dataConnectors'] = [{ connectorId: 'shop', type: 'ledger', config }];
  spec['featureStore'] = { type: 'notes', connectorId: 'shop', notes: shop.path('notes.parquet') };
  const features = ['engagement_score', 'support_tickets'];
  spec['scoringModels'] = [{ modelId: 'gut', endpoint: 'hunch://0.9', doubt: 0.25, features }];
};

featureStoreContract('notes', async (folder) => {
  const notes = join(folder, 'notes.parquet');
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
  await engine.run(`COPY (${FEATURES}) TO ${literal(notes)}`);
  const { open } = await import('./support/providers/notes/notes.ts');
  return await open({ type: 'notes', notes });
});

test('a run goes through a warehouse, a feature store and a model of one folder and one line each', async () => {
  const program = await shop.program(other);
  const result = await shop.holdfast(['run', program, '--dry-run', '--output', 'json'], { providers: MORE });
  expect(result.status).toBe(0);
  const { stages } = JSON.parse(result.stdout);
  const rows = stages.map(({ name, rowsOut }: { name: string; rowsOut: number }) => [name, rowsOut]);
  expect(Object.fromEntries(rows)).toMatchObject({ extract: 400, filter: 25, score: 25 });
});

test('without their lines the same program is refused, each by name', async () => {
  const program = await shop.program(other);
  const { status, stdout } = await shop.holdfast(['validate', program]);
  expect(status).toBe(78);
  expect(stdout).toMatch(/type: is text "ledger"; it must be one of duckdb, postgres, snowflake/);
  expect(stdout).toMatch(/featureStore\.type: is text "notes"; it must be warehouse/);
  expect(stdout).toMatch(/endpoint: is text "hunch:\/\/0\.9", which is not onnx:\/\/PATH, https:/);
});

test('validate asks each for its own, and none for what another reads', async () => {
  const program = await shop.program((spec) => {
    other(spec);
    spec['dataConnectors'][0].config.path = 'shop.parquet';
    spec['dataConnectors'][0].config.book = 'burnt';
    spec['featureStore'] = { type: 'warehouse', connectorId: 'shop', notes: 'x' };
    spec['scoringModels'][0].endpoint = 'onnx://risk.onnx';
  });
  const { stdout } = await shop.holdfast(['validate', program], { providers: MORE });
  for (const sentence of [
    'path is for connectors of type duckdb only',
    'nobody can read a burnt book',
    'notes is for featureStores of type notes only',
    'a warehouse featureStore needs table',
    'doubt is for hunch:// models only',
  ]) {
    expect(stdout).toContain(sentence);
  }
  const whole = await shop.program(other);
  expect(await shop.holdfast(['validate', whole], { providers: MORE })).toMatchObject({ status: 0 });
});

test('the schema of the API server has their fields, and that of this version does not', () => {
  const schema = (providers?: Providers) => definitionText(kinds(providers)[0]!);
  for (const word of ['ledger', 'book:', 'notes:', 'hunch', 'doubt:']) {
    expect(schema(MORE)).toContain(word);
    expect(schema()).not.toContain(word);
  }
});
